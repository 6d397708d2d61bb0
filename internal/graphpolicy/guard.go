package graphpolicy

import (
	"errors"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Guard stands directly below azcore's retry policy, which repeats a POST like a GET on 408, 500, 502, 504 and on every
// transport error. It ends the retrying of a write as soon as the service may have acted, whatever the caller's retry
// options say: the retry policy looks for a non-retriable error before it asks ShouldRetry. Should it stop doing so, the
// transport still refuses the second request.
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
	if verdict := call.Record().Verdict; call.Write && (verdict == Open || verdict == Answered && err != nil) {
		err = &settledError{err}
	}
	return resp, err
}

// Sentry stands between the caller's per-retry policies and what azcore puts below them. As the guard does above them, it
// gives the transport back what it must know of the call, which a policy that replaced the request's context has lost.
type Sentry struct{}

// Do implements policy.Policy. A request without a call goes on to the transport, which refuses it.
func (Sentry) Do(req *policy.Request) (*http.Response, error) {
	attached(req).restoreContext(req)
	return req.Next()
}

// Answering turns what a caller's policies below it may return, neither an answer nor an error, into an error: azcore's
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

// ErrNoAnswer is what becomes of a policy that returns neither an answer nor an error.
var ErrNoAnswer error = &settledError{errors.New("a policy of the client's options returned neither an answer nor an error")}

// errNoCall refuses a request of which nothing is known.
var errNoCall error = &settledError{errors.New("the request is not of a call of this client; it is not sent")}

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
