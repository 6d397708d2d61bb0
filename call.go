package intune

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"
	"github.com/google/uuid"

	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/redact"
)

// request describes one HTTP request of an operation.
type request struct {
	op     *operation
	device DeviceRef
	method string
	url    url.URL
	body   []byte                    // JSON, nil for none
	before func(*http.Request) error // as graphpolicy.Call.Before
	id     string                    // client-request-id, blank for a new one
	users  []string                  // names in the body that no error may show
	record graphpolicy.Record        // what became of it, set by send
}

// at is the URL of a path below the Graph version. The path is escaped already, and query options are given exactly as
// they are sent: their names begin with a bare dollar sign, because the service does not decode an escaped one.
func (c *Client) at(path string, query ...string) url.URL {
	u := *c.root
	u.Path, u.RawPath = u.EscapedPath()+path, ""
	if strings.Contains(u.Path, "%") || strings.Contains(u.Path, "(") {
		u.RawPath = u.Path
		u.Path, _ = url.PathUnescape(u.RawPath) // the library escaped it
	}
	u.RawQuery = strings.Join(query, "&")
	return u
}

// check refuses a client or context that would end in a nil dereference.
func (c *Client) check(ctx context.Context) error {
	if c == nil || c.internal == nil {
		return invalidArgument("client", "was not made by intune.NewClient")
	}
	if ctx == nil {
		return invalidArgument("ctx", "is nil; pass context.Background() if there is no other")
	}
	return nil
}

// send carries out one request, with azcore's retries, and returns the answer if its status is a success. Every
// failure is an *Error.
func (c *Client) send(ctx context.Context, r *request) (*http.Response, error) {
	id := r.id
	if id == "" {
		id = uuid.NewString()
	}
	call := &graphpolicy.Call{
		API: r.op.api, Write: r.method != http.MethodGet, RequestID: id, Redact: redactTransportError,
		// Every other body can hold a link, a skip token, a filter's operand or names of people.
		Secret: r.op != opRequestRemoteAssistance,
		Before: r.before,
	}
	below, traced := ctx, c.tracer().Enabled()
	if traced {
		below = graphpolicy.Separate(ctx) // some methods send requests at the same time
	}
	req, err := newRequest(call.Start(below), call, r)
	if err != nil {
		return nil, err
	}

	resp, err := c.internal.Pipeline().Do(req)
	record := call.Close()
	r.record = record
	if record.Response != nil {
		// azcore drops an answer that came as the context ended, and the one before a failed claims challenge.
		resp = record.Response
	}
	if traced && resp != nil {
		c.traceRequest(ctx, idsOf(resp))
	}
	if record.Verdict == graphpolicy.Answered && runtime.HasStatusCode(resp, successes...) {
		if err == nil || call.Write || isContextError(err) && payloadRead(resp) {
			return resp, nil
		}
	}
	if resp == nil && err == nil {
		err = graphpolicy.ErrNoAnswer
	}
	return resp, c.newError(r, call.Write, record, resp, err)
}

// newRequest builds what runtime.NewRequest would, without parsing the URL again.
func newRequest(ctx context.Context, call *graphpolicy.Call, r *request) (*policy.Request, error) {
	target := r.url // a copy, because policies may change the URL of the request
	raw := &http.Request{
		Method: r.method, URL: &target, Host: target.Host,
		Header: http.Header{"Accept": {"application/json"}, "Client-Request-Id": {call.RequestID}},
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	req, err := runtime.NewRequestFromRequest(raw.WithContext(ctx))
	if err == nil && r.body != nil {
		call.ContentType = "application/json" // which the log must not see, because a body can hold a link
		err = req.SetBody(streaming.NopCloser(bytes.NewReader(r.body)), graphpolicy.HiddenContentType)
	}
	if err == nil {
		call.Attach(req)
	}
	return req, err
}

var successes = []int{http.StatusOK, http.StatusCreated, http.StatusNoContent}

// emptySuccess reports whether an answer is a success without a body: 204, or an empty 200, because some proxies
// rewrite the status.
func emptySuccess(resp *http.Response) bool {
	if resp.StatusCode == http.StatusNoContent {
		return true
	}
	body, err := runtime.Payload(resp)
	return resp.StatusCode == http.StatusOK && err == nil && len(body) == 0
}

// payloadRead reports whether azcore has read the body to its end, so that the end of the context does not matter.
func payloadRead(resp *http.Response) bool {
	_, err := runtime.Payload(resp)
	return err == nil
}

// tracer returns a disabled tracer for a client that NewClient did not make.
func (c *Client) tracer() tracing.Tracer {
	if c == nil || c.internal == nil {
		return tracing.Tracer{}
	}
	return c.internal.Tracer()
}

// startSpan opens the span of a public method. Call the returned function with the method's error.
func (c *Client) startSpan(ctx context.Context, op *operation) (context.Context, func(error)) {
	return runtime.StartSpan(ctx, op.api, c.tracer(), nil)
}

// traceRequest sets the ids of a request on the span of ctx. azcore would read them from headers that Graph does not
// use.
func (c *Client) traceRequest(ctx context.Context, ids answerIDs) {
	if tracer := c.tracer(); tracer.Enabled() {
		tracer.SpanFromContext(ctx).SetAttributes(
			tracing.Attribute{Key: "az.client_request_id", Value: ids.clientRequestID},
			tracing.Attribute{Key: "az.service_request_id", Value: ids.requestID},
		)
	}
}

// answerIDs identify a request: at Microsoft, and in the caller's own records.
type answerIDs struct{ requestID, clientRequestID string }

func idsOf(resp *http.Response) answerIDs {
	return answerIDs{requestID(resp, redact.Text), clientRequestID(resp)}
}

// requestID is the service's id of a request. A proxy can put any text there, so it is cleaned and cut.
func requestID(resp *http.Response, clean func(string) string) string {
	return redact.Limit(clean(redact.Limit(resp.Header.Get("Request-Id"), 2*maxRequestID)), maxRequestID)
}

// maxRequestID is the most that is kept of a request's id, which is a GUID normally.
const maxRequestID = 256

// clientRequestID is the id that was sent last, which policy.WithHTTPHeader may have replaced.
func clientRequestID(resp *http.Response) string {
	if resp.Request != nil {
		if id := resp.Request.Header["Client-Request-Id"]; len(id) > 0 {
			return id[0]
		}
	}
	return resp.Header.Get("Client-Request-Id")
}
