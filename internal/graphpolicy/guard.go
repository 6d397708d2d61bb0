package graphpolicy

import (
	"errors"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Guard stands directly below azcore's retry policy, which repeats a POST like a GET on 408, 500, 502, 504 and on every
// transport error. It ends the retrying of a write as soon as the service may have acted, whatever the caller's retry
// options say: the retry policy looks for a non-retriable error before it asks ShouldRetry.
type Guard struct {
	inner policy.Policy
}

// NewGuard makes a guard around the policy that follows it.
func NewGuard(inner policy.Policy) *Guard { return &Guard{inner: inner} }

// Do implements policy.Policy.
func (g *Guard) Do(req *policy.Request) (*http.Response, error) {
	resp, err := g.inner.Do(req)
	call := callOf(req.Raw().Context())
	if call == nil {
		return resp, err
	}
	call.showContentType()
	call.restoreStatus(call.Response)
	if call.Write && (call.Verdict == Open || call.Verdict == Answered && err != nil) {
		err = &settledError{err}
	}
	return resp, err
}

// settledError keeps azcore's retry policy from sending the request again.
type settledError struct{ cause error }

// Error implements error.
func (e *settledError) Error() string {
	if e.cause == nil {
		return "the call is settled and is not sent again"
	}
	return e.cause.Error()
}

// NonRetriable is the marker that azcore looks for.
func (*settledError) NonRetriable() {}

// Unwrap gives the error as it was.
func (e *settledError) Unwrap() error { return e.cause }

// Cause strips what this package put around an error, and is nil if there was nothing else.
func Cause(err error) error {
	for {
		settled, ok := errors.AsType[*settledError](err)
		if !ok {
			return err
		}
		err = settled.cause
	}
}
