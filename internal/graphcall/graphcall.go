// Package graphcall is the one road that every request takes: it builds the request, hands it to azcore's pipeline, and
// says what became of it. What that means for the caller, and in which words, is not its business.
package graphcall

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"
	"github.com/google/uuid"

	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/odata"
	"github.com/go-intune/intune/internal/redact"
)

// Caller sends requests below one root.
type Caller struct {
	Pipeline runtime.Pipeline
	Tracer   tracing.Tracer
	Root     *url.URL // of the Graph version, without a trailing slash

	// Redact removes from an error what azcore must not log.
	Redact func(err error, address *url.URL, authorization string) error
}

// Request is one HTTP request of an operation.
type Request struct {
	API      string // public method, for spans: "Client.GetDevice"
	Method   string
	URL      url.URL
	Body     []byte                    // JSON, nil for none
	ShowBody bool                      // azcore may log the bodies
	Before   func(*http.Request) error // as graphpolicy.Call.Before
	ID       string                    // client-request-id, blank for a new one
}

// Result is what became of a request.
type Result struct {
	Response *http.Response // nil if none came
	Record   graphpolicy.Record
	Write    bool
	Err      error // of the pipeline, nil for an answer that came whole
	OK       bool  // the service answered this request with success
}

// At is the URL of a path below the root. The path is escaped already, and query options are given exactly as they are
// sent: their names begin with a bare dollar sign, because the service does not decode an escaped one.
func (c *Caller) At(path string, query ...string) url.URL {
	u := *c.Root
	u.Path, u.RawPath = u.EscapedPath()+path, ""
	if strings.Contains(u.Path, "%") || strings.Contains(u.Path, "(") {
		u.RawPath = u.Path
		u.Path, _ = url.PathUnescape(u.RawPath) // the library escaped it
	}
	u.RawQuery = strings.Join(query, "&")
	return u
}

// Send carries out one request, with azcore's retries.
func (c *Caller) Send(ctx context.Context, r *Request) Result {
	id := r.ID
	if id == "" {
		id = uuid.NewString()
	}
	call := &graphpolicy.Call{
		API: r.API, Write: r.Method != http.MethodGet, RequestID: id, Redact: c.Redact, Secret: !r.ShowBody, Before: r.Before,
	}
	below, traced := ctx, c.Tracer.Enabled()
	if traced {
		below = graphpolicy.Separate(ctx) // some methods send requests at the same time
	}
	req, err := newRequest(call.Start(below), call, r)
	if err != nil {
		return Result{Err: err, Write: call.Write}
	}
	resp, err := c.Pipeline.Do(req)
	record := call.Close()
	if record.Response != nil {
		// azcore drops an answer that came as the context ended, and the one before a failed claims challenge.
		resp = record.Response
	}
	if traced && resp != nil {
		c.Trace(ctx, IDsOf(resp))
	}
	result := Result{Response: resp, Record: record, Write: call.Write, Err: err}
	if record.Verdict == graphpolicy.Answered && runtime.HasStatusCode(resp, http.StatusOK, http.StatusCreated, http.StatusNoContent) {
		result.OK = err == nil || call.Write || IsContextError(err) && payloadRead(resp)
	}
	if resp == nil && err == nil {
		result.Err = graphpolicy.ErrNoAnswer
	}
	return result
}

// newRequest builds what runtime.NewRequest would, without parsing the URL again.
func newRequest(ctx context.Context, call *graphpolicy.Call, r *Request) (*policy.Request, error) {
	target := r.URL // a copy, because policies may change the URL of the request
	raw := &http.Request{
		Method: r.Method, URL: &target, Host: target.Host,
		Header: http.Header{"Accept": {"application/json"}, "Client-Request-Id": {call.RequestID}},
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	req, err := runtime.NewRequestFromRequest(raw.WithContext(ctx))
	if err == nil && r.Body != nil {
		call.ContentType = "application/json" // which the log must not see, because a body can hold a link
		err = req.SetBody(streaming.NopCloser(bytes.NewReader(r.Body)), graphpolicy.HiddenContentType)
	}
	if err == nil {
		call.Attach(req)
	}
	return req, err
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

// EmptySuccess reports whether an answer is a success without a body: 204, or an empty 200, because some proxies
// rewrite the status.
func EmptySuccess(resp *http.Response) bool {
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

// IsContextError reports whether an error is the end of a context.
func IsContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// IDs identify a request: at Microsoft, and in the caller's own records.
type IDs struct{ RequestID, ClientRequestID string }

// IDsOf reads them from an answer.
func IDsOf(resp *http.Response) IDs { return IDs{RequestID(resp, redact.Text), ClientRequestID(resp)} }

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

// NextLink parses a next link, and refuses one that does not lead to this root. Its errors do not quote
// the link, whose skip token holds names of devices.
func (c *Caller) NextLink(link string) (target url.URL, err error) {
	u, err := url.Parse(link)
	if err != nil || u.Fragment != "" || strings.ContainsFunc(link, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return target, errors.New("it is not a URL")
	}
	if err := graphpolicy.CheckHost(c.Root, u); err != nil {
		return target, errors.New("it leads to another host or is not https")
	}
	if !strings.HasPrefix(u.EscapedPath(), c.Root.EscapedPath()+"/") || odata.HasDotSegment(u.Path) {
		return target, errors.New("it leads out of the version that this client speaks")
	}
	return *u, nil
}
