package intune

import (
	"context"
	"iter"
	"net/url"

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

	// ContinueFrom, if not blank, is the NextLink of an earlier page, from which to continue, as in [ListDevicesOptions].
	ContinueFrom string

	// OnPage, if not nil, is called by [Client.AuditEvents] with each page before its events are yielded. The page shows
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

	// RequestID and ClientRequestID identify the request of the page, as in [RequestRemoteAssistanceResponse].
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
// it is not confirmed that the service writes events of this action, how soon it writes them, or how long it keeps
// them. A program can rely only on a record of its own ([Journal]).
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
		op: op,
		first: func() (target url.URL, err error) {
			filter, err := o.Filter.render()
			if err != nil {
				return target, err
			}
			var query []string
			if filter != "" {
				query = append(query, "$filter="+odata.EscapeQuery(filter))
			}
			return c.firstPage(o.ContinueFrom, auditEventsPath, query, o.Top)
		},
		keep: o.Filter.matches,
		id:   func(e *AuditEvent) string { return e.ID },
		page: func(p page[AuditEvent]) ListAuditEventsResponse {
			return ListAuditEventsResponse{
				Value: p.rows, NextLink: p.next, Dropped: p.dropped, Repeated: p.repeated,
				RequestID: p.requestID, ClientRequestID: p.clientRequestID,
			}
		},
	}
}
