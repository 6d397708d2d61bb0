package intune_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
)

func TestContextEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		step    func(cancel context.CancelFunc) func(*http.Request) (*http.Response, error)
		before  bool
		ok      bool
		unknown bool
		is      error
		calls   int32
	}{
		"before anything is sent": {
			step:   func(context.CancelFunc) func(*http.Request) (*http.Response, error) { return status(204) },
			before: true, is: context.Canceled, calls: 0,
		},
		"while the answer is awaited": {
			step: func(cancel context.CancelFunc) func(*http.Request) (*http.Response, error) {
				return func(req *http.Request) (*http.Response, error) {
					cancel()
					<-req.Context().Done()
					return nil, req.Context().Err()
				}
			},
			unknown: true, is: context.Canceled, calls: 1,
		},
		"as a 204 arrives": {
			step: func(cancel context.CancelFunc) func(*http.Request) (*http.Response, error) {
				return func(req *http.Request) (*http.Response, error) {
					cancel()
					return answer(req, http.StatusNoContent, nil, ""), nil
				}
			},
			ok: true, calls: 1,
		},
		"as a 403 arrives": {
			step: func(cancel context.CancelFunc) func(*http.Request) (*http.Response, error) {
				return func(req *http.Request) (*http.Response, error) {
					cancel()
					return answer(req, http.StatusForbidden, nil, ""), nil
				}
			},
			is: intune.ErrForbidden, calls: 1,
		},
		"as a 504 arrives": {
			step: func(cancel context.CancelFunc) func(*http.Request) (*http.Response, error) {
				return func(req *http.Request) (*http.Response, error) {
					cancel()
					return answer(req, http.StatusGatewayTimeout, nil, ""), nil
				}
			},
			unknown: true, is: intune.ErrUnavailable, calls: 1,
		},
		"while it waits to try again": {
			step: func(cancel context.CancelFunc) func(*http.Request) (*http.Response, error) {
				return func(req *http.Request) (*http.Response, error) {
					time.AfterFunc(time.Second, cancel)
					return answer(req, http.StatusTooManyRequests, http.Header{"Retry-After": {"30"}}, ""), nil
				}
			},
			is: context.Canceled, calls: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.before {
					cancel()
				}
				service := newScript(c.step(cancel))
				_, err := newClient(t, service).RequestRemoteAssistance(ctx, intune.Device("1"), nil)
				if (err == nil) != c.ok || c.is != nil && !errors.Is(err, c.is) || errors.Is(err, intune.ErrOutcomeUnknown) != c.unknown {
					t.Errorf("got %v", err)
				}
				if n := service.calls.Load(); n != c.calls {
					t.Errorf("sent %d times, want %d", n, c.calls)
				}
			})
		})
	}
}

// TryTimeout ends a try, not the call; azcore would send again.
func TestTryTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := newScript(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		})
		client := newClient(t, service, func(o *intune.ClientOptions) { o.Retry.TryTimeout = time.Second })
		_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
		if !errors.Is(err, intune.ErrOutcomeUnknown) || !errors.Is(err, context.DeadlineExceeded) || service.calls.Load() != 1 {
			t.Errorf("sent %d times, error %v", service.calls.Load(), err)
		}
	})
}
