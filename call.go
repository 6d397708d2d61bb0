package intune

import (
	"context"
	"net/http"
	"net/url"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"

	"github.com/go-intune/intune/internal/graphcall"
	"github.com/go-intune/intune/internal/graphpolicy"
)

// request is one HTTP request of an operation, with what an error says about it.
type request struct {
	graphcall.Request

	op     *operation
	device DeviceRef
	users  []string           // names in the body that no error may show
	record graphpolicy.Record // what became of it, set by send
}

// newRequest is a request of an operation, on a device or on the tenant (the zero DeviceRef).
func newRequest(op *operation, device DeviceRef, method string, target url.URL) *request {
	// Every body but the action's can hold a link, a skip token, a filter's operand or names of people.
	return &request{
		Request: graphcall.Request{API: op.api, Method: method, URL: target, ShowBody: op == opRequestRemoteAssistance}, op: op, device: device,
	}
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

// send carries out one request and returns the answer if its status is a success. Every failure is an *Error.
func (c *Client) send(ctx context.Context, r *request) (*http.Response, error) {
	result := c.caller.Send(ctx, &r.Request)
	r.record = result.Record
	if result.OK {
		return result.Response, nil
	}
	return result.Response, c.newError(r, result.Write, result.Record, result.Response, result.Err)
}

func (c *Client) at(path string, query ...string) url.URL { return c.caller.At(path, query...) }

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
