package intune

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// AuditFilter picks audit events. Fields that are not zero are combined with "and"; the zero filter picks every event.
// The library asks the service only for comparisons that were seen to work in its filters. Since Intune ignores filters
// that it does not support, the library also checks each event in the answer; this check compares texts without regard
// to case.
//
// Printed or logged, a filter shows the names of its fields only.
type AuditFilter struct {
	// Device picks events about a device, by its Intune id, whatever the form of the address.
	Device DeviceRef

	// ActivityType is the kind of activity, such as [ActivityRequestRemoteAssistance].
	ActivityType string

	// Category is the area of Intune, such as "Device".
	Category string

	// ActorUserPrincipalName is the sign-in name of the user who did it. The service compares it case-sensitively, so
	// write it as Entra does.
	ActorUserPrincipalName string

	// ClientRequestID is the client-request-id of a request, as in its response, its error or its [JournalEntry]. Events
	// have it as CorrelationID. The service is not asked to compare it, so set After too; otherwise every event is read.
	ClientRequestID string

	// After and Before bound the time of the event, both exclusive.
	After, Before time.Time
}

// String names the fields that are set and not their values, which may be names of people.
func (f AuditFilter) String() string {
	var names []string
	for _, field := range [...]struct {
		name string
		set  bool
	}{
		{"Device", !f.Device.IsZero()},
		{"ActivityType", f.ActivityType != ""},
		{"Category", f.Category != ""},
		{"ActorUserPrincipalName", f.ActorUserPrincipalName != ""},
		{"ClientRequestID", f.ClientRequestID != ""},
		{"After", !f.After.IsZero()},
		{"Before", !f.Before.IsZero()},
	} {
		if field.set {
			names = append(names, field.name)
		}
	}
	return "{" + strings.Join(names, " ") + "}"
}

// Format shows [AuditFilter.String] whatever the verb.
func (f AuditFilter) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, f.String()) }

// LogValue is [AuditFilter.String].
func (f AuditFilter) LogValue() slog.Value { return slog.StringValue(f.String()) }

// matches checks an event against the filter.
func (f AuditFilter) matches(e *AuditEvent) bool {
	same := func(want, got string) bool { return want == "" || strings.EqualFold(want, got) }
	return same(f.ActivityType, e.ActivityType) &&
		same(f.Category, e.Category) &&
		same(f.ActorUserPrincipalName, e.Actor.UserPrincipalName) &&
		same(f.ClientRequestID, e.CorrelationID) &&
		(f.Device.IsZero() || isAbout(e, f.Device.DeviceID())) &&
		(f.After.IsZero() || e.ActivityDateTime.After(f.After)) &&
		(f.Before.IsZero() || !e.ActivityDateTime.IsZero() && e.ActivityDateTime.Before(f.Before))
}

// isAbout reports whether a device is among the resources of an event.
func isAbout(e *AuditEvent, deviceID string) bool {
	return slices.ContainsFunc(e.Resources, func(r AuditResource) bool { return strings.EqualFold(r.ResourceID, deviceID) })
}

// render is the OData text of the filter, not yet escaped for a URL. The upper bound is "le", since "lt" was not seen
// in use.
func (f AuditFilter) render() (string, error) {
	if !f.After.IsZero() && !f.Before.IsZero() && !f.After.Before(f.Before) {
		return "", invalidArgument("filter.After", "is not before Before, so that no event can match")
	}
	if f.ClientRequestID != "" && strings.TrimSpace(f.ClientRequestID) == "" {
		return "", invalidArgument("filter.ClientRequestID", "is blank; leave it empty to compare nothing")
	}
	if !f.Device.IsZero() {
		if err := f.Device.check(); err != nil {
			return "", err
		}
	}
	var terms []string
	for _, t := range [...]struct{ field, property, text, closing string }{
		{"ActivityType", "activityType", f.ActivityType, ""},
		{"Category", "category", f.Category, ""},
		{"ActorUserPrincipalName", "actor/userPrincipalName", f.ActorUserPrincipalName, ""},
		{"Device", "resources/any(r: r/resourceId", f.Device.DeviceID(), ")"},
	} {
		if t.text == "" {
			continue
		}
		operand, err := filterTerm{field: t.field, operator: "eq", text: t.text}.operand()
		if err != nil {
			return "", err
		}
		terms = append(terms, t.property+" eq "+operand+t.closing)
	}
	for _, t := range [...]struct {
		field, operator string
		moment          time.Time
	}{{"After", "gt", f.After}, {"Before", "le", f.Before}} {
		if t.moment.IsZero() {
			continue
		}
		operand, err := filterTerm{field: t.field, operator: t.operator, moment: t.moment}.operand()
		if err != nil {
			return "", err
		}
		terms = append(terms, "activityDateTime "+t.operator+" "+operand)
	}
	return strings.Join(terms, " and "), nil
}
