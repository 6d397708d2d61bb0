package intune_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-intune/intune"
)

// counts is a server that counts what arrives for each device.
type counts struct {
	arrived sync.Map // path: *atomic.Int32
}

func (c *counts) of(path string) *atomic.Int32 {
	n, _ := c.arrived.LoadOrStore(path, new(atomic.Int32))
	return n.(*atomic.Int32)
}

func (c *counts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.of(r.URL.Path).Add(1)
	w.WriteHeader(http.StatusNoContent)
}

func (c *counts) server(t *testing.T, http2 bool) *httptest.Server {
	t.Helper()
	return newServer(t, c.ServeHTTP, http2)
}

// Whatever the moment at which a context ends, the error agrees with what the server saw, and it saw nothing twice.
func TestRandomCancellations(t *testing.T) {
	t.Parallel()
	const (
		workers = 8
		calls   = 640 / smaller
	)
	for name, c := range map[string]struct {
		http2      bool
		tryTimeout bool
	}{
		"HTTP/1.1":                          {false, false},
		"HTTP/2":                            {true, false},
		"HTTP/1.1, time limit for each try": {false, true},
		"HTTP/2, time limit for each try":   {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen := &counts{}
			server := seen.server(t, c.http2)
			var unknown, succeeded, notSent atomic.Int32
			var group sync.WaitGroup
			for worker := range workers {
				group.Go(func() {
					usual := usualTime(t, newServerClient(t, server), worker)
					client := newServerClient(t, server, insists, func(o *intune.ClientOptions) {
						if c.tryTimeout {
							o.Retry.TryTimeout = usual * time.Duration(worker+1) / workers
						}
					})
					for i := range calls / workers {
						device := intune.Device(fmt.Sprint(worker, "-", i))
						ctx, cancel := context.WithCancel(t.Context())
						if !c.tryTimeout {
							ctx, cancel = context.WithTimeout(t.Context(), rand.N(2*usual))
						}
						_, err := client.RequestRemoteAssistance(ctx, device, nil)
						cancel()
						arrived := seen.of("/v1.0" + device.String() + "/requestRemoteAssistance")
						switch {
						case err == nil:
							succeeded.Add(1)
							if n := arrived.Load(); n != 1 {
								t.Errorf("%s: success, and %d requests arrived", device, n)
							}
						case errors.Is(err, intune.ErrOutcomeUnknown):
							unknown.Add(1)
						default:
							notSent.Add(1)
							t.Cleanup(func() { // what was on its way has arrived by then
								if n := arrived.Load(); n != 0 {
									t.Errorf("%s: %v, and %d requests arrived", device, err, n)
								}
							})
						}
					}
				})
			}
			group.Wait()
			server.Close() // waits for what is on its way
			seen.arrived.Range(func(path, n any) bool {
				if n.(*atomic.Int32).Load() > 1 {
					t.Errorf("%s arrived %d times", path, n.(*atomic.Int32).Load())
				}
				return true
			})
			t.Logf("%d succeeded, %d unknown, %d not sent", succeeded.Load(), unknown.Load(), notSent.Load())
		})
	}
}

// usualTime is how long a call takes on a connection that is there.
func usualTime(t *testing.T, client *intune.Client, worker int) time.Duration {
	t.Helper()
	const calls = 8
	var start time.Time
	for i := range calls + 1 {
		if i == 1 {
			start = time.Now()
		}
		if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device(fmt.Sprint("warm-", worker, "-", i)), nil); err != nil {
			t.Error(err)
		}
	}
	return max(time.Since(start)/calls, time.Microsecond)
}
