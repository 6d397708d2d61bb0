package intunetest

import (
	"cmp"
	"encoding/json"
	"iter"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-intune/intune"
)

// keptEvents bounds the events, of which a test under load makes a million.
const keptEvents = 10_000

// audit writes an event of the action, unless the tenant omits audit events. The caller holds the lock.
func (t *Tenant) audit(x *exchange, d *device) {
	if t.options.OmitAuditEvents {
		return
	}
	actor := intune.AuditActor{AuditActorType: "Application", ApplicationID: x.caller.app}
	if x.caller.delegated {
		actor.AuditActorType, actor.UserID, actor.UserPrincipalName = "ItPro", x.caller.userID, x.caller.upn
		if u := t.users.find(x.caller.user()); u != nil {
			actor.UserID, actor.UserPrincipalName = cmp.Or(actor.UserID, u.id), cmp.Or(actor.UserPrincipalName, u.upn)
		}
	}
	if len(t.events) == keptEvents {
		t.events = slices.Delete(t.events, 0, keptEvents/10)
		t.forgotten += keptEvents / 10
	}
	t.events = append(t.events, &intune.AuditEvent{
		ID:                    t.nextGUID("audit event"),
		DisplayName:           "requestRemoteAssistance ManagedDevice",
		ComponentName:         "ManagedDevices",
		Actor:                 actor,
		Activity:              "requestRemoteAssistance ManagedDevice",
		ActivityDateTime:      t.now().UTC(),
		ActivityType:          intune.ActivityRequestRemoteAssistance,
		ActivityOperationType: "Action",
		ActivityResult:        "Success",
		CorrelationID:         x.clientRequestID,
		Resources: []intune.AuditResource{
			{DisplayName: d.record.DeviceName, AuditResourceType: "ManagedDevice", ResourceID: d.record.ID},
		},
		Category: "Device",
	})
}

// isAuditProperty compares without case.
func isAuditProperty(name string) bool {
	return containsFold(auditProperties, name)
}

// auditProperties are the properties of an event in the order of the schema, by their JSON names.
var auditProperties = []string{
	"id", "displayName", "componentName", "actor", "activity", "activityDateTime", "activityType", "activityOperationType",
	"activityResult", "correlationId", "resources", "category",
}

// listAuditEvents lists the events, the oldest first.
func (t *Tenant) listAuditEvents(x *exchange, where *target) *answer {
	q, err := x.queryOn("auditEvent", isAuditProperty)
	if err != nil {
		return x.badQuery(err)
	}
	matches := parseAuditFilter(q.filter)
	return t.page(x, where, q, func(after int) iter.Seq[row] {
		return func(yield func(row) bool) {
			for i, event := range t.events {
				serial := t.forgotten + i + 1
				if serial <= after || !matches(event) {
					continue
				}
				if !yield(row{serial: serial, id: event.ID, write: func(o *object) { writeAuditEvent(o, event, q.selects) }}) {
					return
				}
			}
		}
	})
}

// writeAuditEvent writes all properties, as Graph does. A property that the event does not have is null.
func writeAuditEvent(o *object, event *intune.AuditEvent, selects []string) {
	data, err := json.Marshal(event)
	if err != nil {
		panic("intunetest: an audit event cannot be written: " + err.Error())
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		panic("intunetest: an audit event cannot be written: " + err.Error())
	}
	for _, name := range auditProperties {
		if len(selects) > 0 && !containsFold(selects, name) {
			continue
		}
		value, ok := members[name]
		if !ok {
			value = json.RawMessage("null")
		}
		o.member(name, literal(value))
	}
}

// auditTerms are the comparisons that public clients were seen to use with success.
var auditTerms = []struct {
	form    *regexp.Regexp
	compare func(e *intune.AuditEvent, found []string) bool
}{
	{regexp.MustCompile(`^activityDateTime (gt|ge|le) (\S+)$`), func(e *intune.AuditEvent, found []string) bool {
		at, err := time.Parse(time.RFC3339, found[2])
		switch found[1] {
		case "gt":
			return err != nil || e.ActivityDateTime.After(at)
		case "ge":
			return err != nil || !e.ActivityDateTime.Before(at)
		default:
			return err != nil || !e.ActivityDateTime.After(at)
		}
	}},
	{regexp.MustCompile(`^activityType eq '((?:[^']|'')*)'$`), func(e *intune.AuditEvent, found []string) bool {
		return strings.EqualFold(e.ActivityType, unquoted(found[1]))
	}},
	{regexp.MustCompile(`^category eq '((?:[^']|'')*)'$`), func(e *intune.AuditEvent, found []string) bool {
		return strings.EqualFold(e.Category, unquoted(found[1]))
	}},
	{regexp.MustCompile(`^actor/userPrincipalName eq '((?:[^']|'')*)'$`), func(e *intune.AuditEvent, found []string) bool {
		return e.Actor.UserPrincipalName == unquoted(found[1]) // case-sensitive
	}},
	{regexp.MustCompile(`^resources/any\((\w+): ?(\w+)/resourceId eq '((?:[^']|'')*)'\)$`), func(e *intune.AuditEvent, found []string) bool {
		return found[1] == found[2] && slices.ContainsFunc(e.Resources, func(r intune.AuditResource) bool {
			return strings.EqualFold(r.ResourceID, unquoted(found[3]))
		})
	}},
}

func unquoted(text string) string { return strings.ReplaceAll(text, "''", "'") }

// parseAuditFilter returns the predicate of a $filter. A filter that is not made of auditTerms joined by "and" is
// ignored, as elsewhere in Intune: every event comes back.
func parseAuditFilter(filter string) func(*intune.AuditEvent) bool {
	var terms []func(*intune.AuditEvent) bool
	for _, text := range splitAnd(filter) {
		known := false
		for _, term := range auditTerms {
			if found := term.form.FindStringSubmatch(text); found != nil {
				known = true
				terms = append(terms, func(e *intune.AuditEvent) bool { return term.compare(e, found) })
				break
			}
		}
		if !known {
			return func(*intune.AuditEvent) bool { return true }
		}
	}
	return func(e *intune.AuditEvent) bool {
		return !slices.ContainsFunc(terms, func(matches func(*intune.AuditEvent) bool) bool { return !matches(e) })
	}
}

// splitAnd cuts a filter at each "and" outside of quotes.
func splitAnd(filter string) (terms []string) {
	if strings.TrimSpace(filter) == "" {
		return nil
	}
	const and = " and "
	quoted, start := false, 0
	for i := range len(filter) {
		switch {
		case filter[i] == '\'':
			quoted = !quoted
		case !quoted && i >= start && strings.HasPrefix(filter[i:], and):
			terms = append(terms, strings.TrimSpace(filter[start:i]))
			start = i + len(and)
		}
	}
	return append(terms, strings.TrimSpace(filter[start:]))
}
