package graphpolicy_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/graphtest"
)

// next passes a request on.
type next struct{}

func (next) Do(req *policy.Request) (*http.Response, error) { return req.Next() }

// send puts a call through azcore's pipeline, whose retry policy is told to repeat whatever it can.
func send(
	t *testing.T, call *graphpolicy.Call, method string, steps ...func(*http.Request) (*http.Response, error),
) (tries int, resp *http.Response, err error) {
	t.Helper()
	transport := newTransport(t, func(req *http.Request) (*http.Response, error) {
		tries++
		return steps[min(tries, len(steps))-1](req)
	})
	pipeline := runtime.NewPipeline("test", "v1.0.0", runtime.PipelineOptions{
		PerRetry: []policy.Policy{graphpolicy.NewGuard(next{})},
	}, &policy.ClientOptions{
		Transport: transport,
		Retry: policy.RetryOptions{
			MaxRetries: 2, RetryDelay: time.Nanosecond,
			ShouldRetry: func(*http.Response, error) bool { return true },
		},
	})
	req, err := runtime.NewRequest(call.Start(t.Context()), method, address)
	if err != nil {
		t.Fatal(err)
	}
	call.Attach(req)
	resp, err = pipeline.Do(req)
	return tries, resp, err
}

// says is the service itself, whose answers have an id.
func says(status int) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{"Request-Id": {"r1"}}, Body: http.NoBody, Request: req}, nil
	}
}

func TestGuardEndsTheRetryingOfWrites(t *testing.T) {
	t.Parallel()
	breaks := func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }
	for name, c := range map[string]struct {
		write bool
		step  func(*http.Request) (*http.Response, error)
		tries int
		cause error
	}{
		"read that fails":     {false, says(500), 3, nil},
		"read that breaks":    {false, breaks, 3, io.ErrUnexpectedEOF},
		"write that fails":    {true, says(500), 1, nil},
		"write that breaks":   {true, breaks, 1, io.ErrUnexpectedEOF},
		"write that succeeds": {true, says(204), 1, nil},
		"write refused":       {true, says(503), 3, nil},
		"write, 503 of a gateway": {true, func(req *http.Request) (*http.Response, error) {
			resp, err := says(503)(req)
			resp.Header.Del("Request-Id")
			return resp, err
		}, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := newCall(c.write)
			tries, _, err := send(t, call, http.MethodPost, c.step)
			if tries != c.tries {
				t.Errorf("%d tries, want %d; error %v", tries, c.tries, err)
			}
			if cause := graphpolicy.Cause(err); !errors.Is(cause, c.cause) {
				t.Errorf("cause %v, want %v", cause, c.cause)
			}
			if c.cause != nil && !errors.Is(err, c.cause) {
				t.Errorf("the cause is lost in %v", err)
			}
		})
	}
}

// lossy makes an error of the answer that came.
type lossy struct{ tries *int }

func (l lossy) Do(req *policy.Request) (*http.Response, error) {
	*l.tries++
	_, _ = req.Next()
	return nil, io.ErrUnexpectedEOF
}

// The guard decides with which error a write ends, and azcore logs the text of that error. A success stays one. It is not
// tried again, even if a policy of the caller makes an error of it.
func TestErrorOfTheGuard(t *testing.T) {
	t.Parallel()
	breaks := func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }
	tries := 0
	for name, c := range map[string]struct {
		inner   policy.Policy
		step    func(*http.Request) (*http.Response, error)
		want    string
		verdict graphpolicy.Verdict
	}{
		"success":           {next{}, says(204), "<nil>", graphpolicy.Answered},
		"success, lost":     {lossy{&tries}, says(204), "unexpected EOF", graphpolicy.Answered},
		"failure":           {next{}, says(500), "the call has ended and is not sent again", graphpolicy.Open},
		"broken connection": {next{}, breaks, "unexpected EOF", graphpolicy.Open},
	} {
		call := newCall(true)
		_, err := through(t, call, http.MethodPost, c.step, graphpolicy.NewGuard(c.inner))
		if got := fmt.Sprint(err); got != c.want {
			t.Errorf("%s: error %s, want %s", name, got, c.want)
		}
		if verdict := call.Record().Verdict; verdict != c.verdict {
			t.Errorf("%s: verdict %d, want %d", name, verdict, c.verdict)
		}
	}
	if tries != 1 {
		t.Errorf("%d tries after a success that was lost", tries)
	}
}

// The markers of this package are not causes.
func TestCause(t *testing.T) {
	t.Parallel()
	_, _, err := send(t, newCall(true), http.MethodPost, says(500))
	if cause := graphpolicy.Cause(err); err == nil || cause != nil {
		t.Errorf("cause %v of %v", cause, err)
	}
	for _, want := range []error{io.EOF, nil} {
		if got := graphpolicy.Cause(want); got != want { //nolint:errorlint // it gives the very value
			t.Errorf("cause %v of %v", got, want)
		}
	}
}

// A request without a call is not sent, because nobody knows whether it is a write.
func TestRequestWithoutCallIsRefused(t *testing.T) {
	t.Parallel()
	for name, policies := range map[string][]policy.Policy{
		"guard":     {graphpolicy.NewGuard(next{})},
		"sentry":    {graphpolicy.Sentry{}},
		"transport": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pipeline := runtime.NewPipeline("test", "v1.0.0", runtime.PipelineOptions{PerRetry: policies}, &policy.ClientOptions{
				Transport: newTransport(t, func(*http.Request) (*http.Response, error) {
					t.Error("it was sent")
					return nil, io.EOF
				}),
			})
			req, err := runtime.NewRequest(t.Context(), http.MethodPost, address)
			if err != nil {
				t.Fatal(err)
			}
			if resp, err := pipeline.Do(req); err == nil {
				t.Errorf("got %v", resp.Status)
			}
		})
	}
}

// The call that a request carries wins over one that its context brings from elsewhere.
func TestSentryPutsTheOwnCallBack(t *testing.T) {
	t.Parallel()
	own, other := &graphpolicy.Call{API: "own", Redact: asIs}, &graphpolicy.Call{API: "other", Redact: asIs}
	var api any
	pipeline := runtime.NewPipeline("test", "v1.0.0", runtime.PipelineOptions{
		PerRetry: []policy.Policy{graphpolicy.Sentry{}},
	}, &policy.ClientOptions{
		Transport: newTransport(t, func(req *http.Request) (*http.Response, error) {
			api = req.Context().Value(runtime.CtxAPINameKey{})
			return says(200)(req)
		}),
	})
	req, err := runtime.NewRequest(other.Start(t.Context()), http.MethodGet, address)
	if err != nil {
		t.Fatal(err)
	}
	own.Attach(req)
	if _, err := pipeline.Do(req); err != nil || api != "own" {
		t.Errorf("call %v, error %v", api, err)
	}
	if mine, others := own.Record().Response, other.Record().Response; mine == nil || others != nil {
		t.Errorf("answer %p of the own call, %p of the other", mine, others)
	}
}

// through sends a request of a call through policies below azcore's retry policy, which tries up to three times.
func through(
	t *testing.T, call *graphpolicy.Call, method string, step graphtest.Transport, policies ...policy.Policy,
) (*http.Response, error) {
	t.Helper()
	pipeline := runtime.NewPipeline("test", "v1.0.0", runtime.PipelineOptions{PerRetry: policies}, &policy.ClientOptions{
		Transport: newTransport(t, step), Retry: policy.RetryOptions{MaxRetries: 2, RetryDelay: time.Nanosecond},
	})
	req, err := runtime.NewRequest(call.Start(t.Context()), method, address)
	if err != nil {
		t.Fatal(err)
	}
	call.Attach(req)
	return pipeline.Do(req)
}

// The guard puts back the call that a policy of the caller's above it has lost with the request's context.
func TestGuardPutsTheCallBack(t *testing.T) {
	t.Parallel()
	call, ctx := newCall(true), t.Context()
	forgets := policyFunc(func(req *policy.Request) (*http.Response, error) { return req.Clone(ctx).Next() })
	_, err := through(t, call, http.MethodPost, says(http.StatusNoContent), forgets, graphpolicy.NewGuard(next{}))
	if err != nil || call.Record().Verdict != graphpolicy.Answered {
		t.Errorf("verdict %d, error %v", call.Record().Verdict, err)
	}
}

// azcore's policies read the answer's status, so that there has to be one if there is no error.
func TestAnswering(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		below policyFunc
		want  error
	}{
		"answer":  {func(req *policy.Request) (*http.Response, error) { return req.Next() }, nil},
		"error":   {func(*policy.Request) (*http.Response, error) { return nil, io.EOF }, io.EOF},
		"neither": {func(*policy.Request) (*http.Response, error) { return nil, nil }, graphpolicy.ErrNoAnswer},
	} {
		resp, err := through(t, newCall(false), http.MethodGet, says(http.StatusOK), graphpolicy.Answering{}, c.below)
		if !errors.Is(err, c.want) || (resp == nil) != (err != nil) {
			t.Errorf("%s: answer %v, error %v", name, resp, err)
		}
	}
}

// A policy of the caller's may lose an answer. What was not carried out is tried again, and a read in any case.
func TestGuardEndsOnlyWhatMayHaveBeenCarriedOut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		write  bool
		status int
		tries  int
	}{
		"read":           {false, http.StatusOK, 3},
		"write":          {true, http.StatusOK, 1},
		"write, refused": {true, http.StatusTooManyRequests, 3},
	} {
		tries := 0
		_, err := through(t, newCall(c.write), http.MethodPost, says(c.status), graphpolicy.NewGuard(lossy{&tries}))
		if !errors.Is(err, io.ErrUnexpectedEOF) || tries != c.tries {
			t.Errorf("%s: %d tries, error %v", name, tries, err)
		}
	}
}
