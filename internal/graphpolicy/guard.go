package graphpolicy

import (
	"errors"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Guard stands directly below azcore's retry policy, which repeats a POST like a GET on 408, 500, 502, 504 and on every
// transport error. It ends the retrying of a write as soon as the service may have acted, whatever the caller's retry
// options say: the retry policy looks for a non-retriable error before it asks ShouldRetry. If azcore ever changes that
// order, the transport still refuses the second request.
type Guard struct {
	inner policy.Policy
}

// NewGuard makes a guard around the policy that follows it.
func NewGuard(inner policy.Policy) *Guard { return &Guard{inner: inner} }

// Do implements policy.Policy.
func (g *Guard) Do(req *policy.Request) (*http.Response, error) {
	call := attached(req)
	if call == nil {
		return nil, errNoCall
	}
	call.restoreContext(req)
	resp, err := g.inner.Do(req)
	call.restore()
	if err == nil {
		err = call.broken(resp)
	}
	if verdict := call.Record().Verdict; call.Write && (verdict == Open || verdict == Answered && err != nil) {
		err = &finalError{err}
	}
	return resp, err
}

// Sentry stands between the caller's per-retry policies and what azcore puts below them. Like the guard above them, it
// puts the call back into the request's context, where the transport looks for it. A policy that replaced the context
// has lost it.
type Sentry struct{}

// Do implements policy.Policy. A request without a call goes on to the transport, which refuses it.
func (Sentry) Do(req *policy.Request) (*http.Response, error) {
	attached(req).restoreContext(req)
	return req.Next()
}

// Answering returns an error if the caller's policies below it return neither an answer nor an error, because azcore's
// policies above read the answer's status.
type Answering struct{}

// Do implements policy.Policy.
func (Answering) Do(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	if resp == nil && err == nil {
		return nil, ErrNoAnswer
	}
	return resp, err
}

// ErrNoAnswer is the error if a policy returns neither an answer nor an error.
var ErrNoAnswer error = &finalError{errors.New("a policy of the client's options returned neither an answer nor an error")}

// errNoCall is the error for a request that belongs to no call.
var errNoCall error = &finalError{errors.New("the request is not of a call of this client; it is not sent")}

// finalError keeps azcore's retry policy from sending the request again.
type finalError struct{ cause error }

// Error implements error.
func (e *finalError) Error() string {
	if e.cause == nil {
		return "the call has ended and is not sent again"
	}
	return e.cause.Error()
}

// NonRetriable is the marker that azcore looks for.
func (*finalError) NonRetriable() {}

// Unwrap gives the error as it was.
func (e *finalError) Unwrap() error { return e.cause }

// Cause returns an error without the wrappers of this package, or nil if a wrapper held nothing.
func Cause(err error) error {
	for {
		final, ok := errors.AsType[*finalError](err)
		if !ok {
			return err
		}
		err = final.cause
	}
}
