package intune

import (
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/odata"
)

// ActivityRequestRemoteAssistance is the activity type to expect of events of the action. Microsoft has not published it:
// it follows the pattern of other actions, such as "rebootNow ManagedDevice", and nobody has confirmed that the service
// writes such events at all.
const ActivityRequestRemoteAssistance = "requestRemoteAssistance ManagedDevice"

const auditEventsPath = "/deviceManagement/auditEvents"

// ListAuditEventsOptions narrows a list of audit events.
type ListAuditEventsOptions struct {
	// Filter picks events. Each event is checked against it again.
	Filter AuditFilter

	// Top is the number of events per page, 1 to 1000; zero leaves it to the service.
	Top int32

	// ContinueFrom, if not blank, is the NextLink of an earlier page, from which to continue, as in ListDevicesOptions.
	ContinueFrom string

	// OnPage, if not nil, is called by Client.AuditEvents with each page before its events are yielded. The page shows
	// whether the service ignored the filter (ListAuditEventsResponse.Dropped), and from where to continue (NextLink).
	OnPage func(ListAuditEventsResponse)
}

// ListAuditEventsResponse is one page of audit events. It can be stored as JSON, as [ListDevicesResponse] can.
type ListAuditEventsResponse struct {
	// Value are the events of the page that match the filter and were not on an earlier page. It may be empty even if
	// there are more pages.
	Value []AuditEvent `json:"value"`

	// NextLink leads to the next page; blank on the last. It may hold names of people: do not log it.
	NextLink string `json:"@odata.nextLink,omitempty"`

	// Dropped is how many events of the page did not match the filter. More than zero means that the service ignored the
	// filter, with two exceptions: it is not asked to compare ClientRequestID, and it may send events at the very time of
	// Before.
	Dropped int `json:"dropped,omitempty"`

	// Repeated is how many events of the page had come on an earlier page already.
	Repeated int `json:"repeated,omitempty"`

	// RequestID and ClientRequestID identify the request of the page, as in RequestRemoteAssistanceResponse.
	RequestID       string `json:"requestId,omitempty"`
	ClientRequestID string `json:"clientRequestId,omitempty"`
}

func (r ListAuditEventsResponse) stored() (rows []AuditEvent, next string) {
	return r.Value, r.NextLink
}

// NewListAuditEventsPager lists Intune's own audit events page by page, in the order of the service. The first NextPage
// returns [ErrInvalidArgument] if an option cannot be used.
//
// An event whose CorrelationID is that of a request proves that Intune saw the request. A missing event proves nothing:
// it is not confirmed that the service writes events of this action, or how soon. A program can rely only on a record of
// its own ([Journal]). Graph gives events of two years (https://learn.microsoft.com/intune/governance/monitor-audit-logs).
//
// Needs DeviceManagementApps.Read.All, delegated or application, which is not the permission for devices: many callers
// of the action get [ErrForbidden] here. Other errors of NextPage: [*Error].
//
// Source: https://learn.microsoft.com/graph/api/intune-auditing-auditevent-list (v1.0).
func (c *Client) NewListAuditEventsPager(options *ListAuditEventsOptions) *runtime.Pager[ListAuditEventsResponse] {
	return c.auditList(opListAuditEvents, options).pager(c)
}

// AuditEvents yields the audit events of [Client.NewListAuditEventsPager], fetching pages as they are needed. It stops at
// the first error, which it yields with a zero event after the events read so far. A new loop starts from the
// beginning. Needs DeviceManagementApps.Read.All. Errors: [ErrInvalidArgument], else [*Error].
func (c *Client) AuditEvents(ctx context.Context, options *ListAuditEventsOptions) iter.Seq2[AuditEvent, error] {
	var onPage func(ListAuditEventsResponse)
	if options != nil {
		onPage = options.OnPage
	}
	return c.auditList(opAuditEvents, options).all(ctx, c, onPage)
}

func (c *Client) auditList(op *operation, options *ListAuditEventsOptions) listing[AuditEvent, ListAuditEventsResponse] {
	var o ListAuditEventsOptions
	if options != nil {
		o = *options
	}
	return listing[AuditEvent, ListAuditEventsResponse]{
		op:   op,
		from: o.ContinueFrom,
		first: func() (target url.URL, err error) {
			filter, err := o.Filter.render()
			if err != nil {
				return target, err
			}
			var query []string
			if filter != "" {
				query = append(query, "$filter="+odata.EscapeQuery(filter))
			}
			return c.firstPage(auditEventsPath, query, o.Top)
		},
		keep: o.Filter.matches,
		id:   func(e *AuditEvent) string { return e.ID },
		page: func(p page[AuditEvent]) ListAuditEventsResponse {
			return ListAuditEventsResponse{
				Value: p.rows, NextLink: p.next, Dropped: p.dropped, Repeated: p.repeated,
				RequestID: p.RequestID, ClientRequestID: p.ClientRequestID,
			}
		},
	}
}

// AuditFilter picks audit events. Fields that are not zero are combined with "and"; the zero filter picks every event.
// The library asks the service only for comparisons that were seen to work in its filters. Since Intune ignores filters
// that it does not support, the library also checks each event in the answer; this check compares texts without regard
// to case. What a [DeviceFilter] refuses in a text is refused here too.
//
// Printed or logged, a filter shows the names of its fields only.
type AuditFilter struct {
	// Device picks events about a device, by its Intune id, whatever the form of the address.
	Device DeviceRef

	// ActivityType is the kind of activity, such as ActivityRequestRemoteAssistance.
	ActivityType string

	// Category is the area of Intune, such as "Device".
	Category string

	// ActorUserPrincipalName is the sign-in name of the user who did it. The service compares it case-sensitively, so
	// write it as Entra does.
	ActorUserPrincipalName string

	// ClientRequestID is the client-request-id of a request, as in its response, its error or its JournalEntry. Events
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
	if !f.Device.IsZero() {
		if err := f.Device.check(); err != nil {
			return "", err
		}
	}
	var terms []string
	for _, t := range [...]struct {
		field, property, text, closing string
		meaning                        odata.Meaning
	}{
		{"ActivityType", "activityType", f.ActivityType, "", odata.Anything},
		{"Category", "category", f.Category, "", odata.Anything},
		{"ActorUserPrincipalName", "actor/userPrincipalName", f.ActorUserPrincipalName, "", odata.Person},
		{"Device", "resources/any(r: r/resourceId", f.Device.DeviceID(), ")", odata.Anything},
		{"ClientRequestID", "", f.ClientRequestID, "", odata.Anything}, // the service is not asked to compare it
	} {
		if t.text == "" {
			continue
		}
		operand, err := filterTerm{field: t.field, operator: "eq", text: t.text, meaning: t.meaning}.operand()
		if err != nil {
			return "", err
		}
		if t.property != "" {
			terms = append(terms, t.property+" eq "+operand+t.closing)
		}
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
