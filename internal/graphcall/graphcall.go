// Package graphcall is the one road that every request takes: it builds the request, hands it to azcore's pipeline, and
// says what became of it. What that means for the caller, and in which words, is not its business.
package graphcall

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"
	"github.com/google/uuid"

	"github.com/go-intune/intune/internal/graphpolicy"
)

// Caller sends requests below one root.
type Caller struct {
	Pipeline runtime.Pipeline
	Tracer   tracing.Tracer
	Root     *url.URL // of the Graph version, without a trailing slash

	// Redact removes from an error what azcore must not log, as [graphpolicy.Call] says.
	Redact func(err error, asked graphpolicy.Asked, address *url.URL, authorization string) error

	// Clean removes the same from a text of an answer.
	Clean func(text string, asked graphpolicy.Asked, address *url.URL, authorization string) string
}

// Request is one HTTP request of an operation. No request has a body.
type Request struct {
	API    string // public method, for spans: "Client.GetDevice"
	URL    url.URL
	Write  bool                      // a POST that must not be repeated once its outcome is open; otherwise a GET
	Before func(*http.Request) error // as graphpolicy.Call.Before
	ID     string                    // client-request-id, blank for a new one
	Fixed  bool                      // as graphpolicy.Call.FixedID
	Asked  graphpolicy.Asked         // as graphpolicy.Call.Asked
}

// Result is what became of a request.
type Result struct {
	Response *http.Response // nil if none came
	IDs      IDs            // of that answer, cleaned
	Record   graphpolicy.Record
	Err      error // why no answer came whole; nil if one did, whatever its status
	OK       bool  // the service answered this request with success, even if Err says that the context ended after that
}

// Send carries out one request, with azcore's retries.
func (c *Caller) Send(ctx context.Context, r *Request) Result {
	id := r.ID
	if id == "" {
		id = uuid.NewString()
	}
	call := &graphpolicy.Call{
		API: r.API, Write: r.Write, RequestID: id, FixedID: r.Fixed, Redact: c.Redact, Asked: r.Asked, Before: r.Before,
	}
	below, traced := ctx, c.Tracer.Enabled()
	if traced {
		below = graphpolicy.Separate(ctx) // some methods send requests at the same time
	}
	req, err := newRequest(call.Start(below), call, r)
	if err != nil {
		return Result{Err: err}
	}
	call.Attach(req)
	resp, err := c.Pipeline.Do(req)
	record := call.Close()
	if record.Response != nil {
		// azcore drops an answer that came as the context ended, and the one before a failed claims challenge.
		resp = record.Response
	}
	var ids IDs
	if resp != nil {
		ids = c.idsOf(r, &record, resp)
		c.Trace(ctx, ids)
	}
	if resp == nil && err == nil {
		err = graphpolicy.ErrNoAnswer
	}
	result := Result{Response: resp, IDs: ids, Record: record, Err: graphpolicy.Cause(err)}
	if record.Verdict == graphpolicy.Answered && runtime.HasStatusCode(resp, http.StatusOK, http.StatusNoContent) {
		result.OK = result.Err == nil || call.Write || errors.Is(result.Err, graphpolicy.ErrBroken) ||
			IsContextError(result.Err) && payloadRead(resp) && !record.Broken
	}
	return result
}

// newRequest builds what runtime.NewRequest would, without parsing the URL again.
func newRequest(ctx context.Context, call *graphpolicy.Call, r *Request) (*policy.Request, error) {
	target, method := r.URL, http.MethodGet // a copy, because policies may change the URL of the request
	if r.Write {
		method = http.MethodPost
	}
	raw := &http.Request{
		Method: method, URL: &target, Host: target.Host,
		Header: http.Header{"Accept": {"application/json"}, "Client-Request-Id": {call.RequestID}},
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	return runtime.NewRequestFromRequest(raw.WithContext(ctx))
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
