package graphcall

import (
	"context"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"
	"github.com/google/uuid"

	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/redact"
)

// IDs identify a request: at Microsoft, and in the caller's own records.
type IDs struct{ RequestID, ClientRequestID string }

// idsOf reads them from the answer to a request. A GUID holds nothing private, and is all that the service sends, so that the
// private parts of the request are seldom collected.
func (c *Caller) idsOf(r *Request, record *graphpolicy.Record, resp *http.Response) IDs {
	clean := func(text string) string {
		if text == "" || uuid.Validate(text) == nil {
			return text
		}
		return c.Clean(text, r.Asked, &r.URL, record.Authorization)
	}
	return IDs{RequestID(resp, clean), ClientRequestID(resp)}
}

// maxID is the most that is kept of a request's id, which is a GUID normally.
const maxID = 256

// RequestID is the service's id of a request. A proxy can put any text there, so it is cleaned and cut.
func RequestID(resp *http.Response, clean func(string) string) string {
	return redact.Limit(clean(redact.Limit(resp.Header.Get("Request-Id"), 2*maxID)), maxID)
}

// ClientRequestID is the id that was sent last, which policy.WithHTTPHeader may have replaced.
func ClientRequestID(resp *http.Response) string {
	if resp.Request != nil {
		if id := resp.Request.Header["Client-Request-Id"]; len(id) > 0 {
			return id[0]
		}
	}
	return resp.Header.Get("Client-Request-Id")
}

// Trace sets the ids of a request on the span of ctx. azcore would read them from headers that Graph does not use.
func (c *Caller) Trace(ctx context.Context, ids IDs) {
	if c.Tracer.Enabled() {
		c.Tracer.SpanFromContext(ctx).SetAttributes(
			tracing.Attribute{Key: "az.client_request_id", Value: ids.ClientRequestID},
			tracing.Attribute{Key: "az.service_request_id", Value: ids.RequestID},
		)
	}
}
