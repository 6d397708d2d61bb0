package intune_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
)

// Nothing goes again whose outcome is unknown, whatever the error says of throttling or of the network.
func TestManyUnknownIsFinal(t *testing.T) {
	t.Parallel()
	for name, send := range map[string]transportFunc{
		"500 that speaks of throttling": always(http.StatusInternalServerError, `{"error":{"code":"TooManyRequests"}}`),
		"a connection that broke": func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset")}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				size, sent := 1, 0
				if strings.Contains(name, "batch") {
					size = 2
				}
				client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
					sent++
					return send(req)
				}))
				results := collect(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(size)...), &intune.RequestManyOptions{}))
				for _, r := range results {
					if r.Outcome != intune.OutcomeUnknown || r.Attempts != 1 || !errors.Is(r.Err, intune.ErrOutcomeUnknown) {
						t.Errorf("%+v", r)
					}
				}
				if len(results) != size || sent != 1 {
					t.Errorf("%d results of %d requests", len(results), sent)
				}
			})
		})
	}
}

// What never left for another reason than the network does not get better by itself.
func TestManyNotSentForAnotherReason(t *testing.T) {
	t.Parallel()
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	for name, change := range map[string]func(*intune.ClientOptions){
		"the journal": func(o *intune.ClientOptions) {
			o.Journal = &memory{onAsking: func(context.Context, intune.JournalEntry) error { return dial }}
		},
		"a policy": func(o *intune.ClientOptions) {
			o.PerCallPolicies = []policy.Policy{policyFunc(func(*policy.Request) (*http.Response, error) { return nil, errors.New("not today") })}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := &manyScript{}
			results := collect(sent.client(t, change).RequestRemoteAssistanceMany(t.Context(), devicesNamed("x"), nil))
			if len(sent.requests) != 0 || summary(results[0]) != "x notSent 1" || results[0].Err == nil {
				t.Errorf("%d requests, %+v", len(sent.requests), results)
			}
		})
	}
	t.Run("the credential", func(t *testing.T) {
		t.Parallel()
		asked := 0
		client, err := intune.NewClient(credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
			asked++
			return azcore.AccessToken{}, dial
		}), nil)
		if err != nil {
			t.Fatal(err)
		}
		results := collect(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed("x"), nil))
		if asked != 1 || summary(results[0]) != "x notSent 1" || !errors.Is(results[0].Err, dial) {
			t.Errorf("asked %d times, %+v", asked, results)
		}
	})
}

// The delays are those of azcore's options.
func TestManyTriesAsManyTimesAsTheOptionsSay(t *testing.T) {
	t.Parallel()
	for retries, tries := range map[int32]int{-1: 1, 0: 4, 1: 2, 2: 3} {
		synctest.Test(t, func(t *testing.T) {
			sent := &manyScript{answers: map[string][]int{"x": {503}}}
			_ = collect(sent.client(t, func(o *intune.ClientOptions) { o.Retry.MaxRetries = retries }).RequestRemoteAssistanceMany(t.Context(), devicesNamed("x"), nil))
			if got := len(sent.sentTo("x")); got != tries {
				t.Errorf("MaxRetries %d: %d tries, want %d", retries, got, tries)
			}
		})
	}
}

func TestManyRetryDelays(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for name, c := range map[string]struct {
		delay, most time.Duration
		want        []time.Duration
	}{
		"growing":     {2 * s, 0, []time.Duration{2 * s, 4 * s, 8 * s, 16 * s}},
		"limited":     {2 * s, 5 * s, []time.Duration{2 * s, 4 * s, 5 * s, 5 * s}},
		"limited all": {9 * s, 5 * s, []time.Duration{5 * s, 5 * s, 5 * s, 5 * s}},
		"no delay":    {-1, 0, []time.Duration{0, 0, 0, 0}},
		"no limit":    {2 * time.Minute, -1, []time.Duration{120 * s, 240 * s, 480 * s, 960 * s}},
		"a day":       {23 * time.Hour, -1, []time.Duration{23 * time.Hour, 24 * time.Hour, 24 * time.Hour, 24 * time.Hour}},
	} {
		synctest.Test(t, func(t *testing.T) {
			sent := &manyScript{answers: map[string][]int{"x": {503}}}
			client := sent.client(t, func(o *intune.ClientOptions) {
				o.Retry.MaxRetries, o.Retry.RetryDelay, o.Retry.MaxRetryDelay = 4, c.delay, c.most
			})
			_ = collect(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed("x"), &intune.RequestManyOptions{PerSecond: -1}))
			var got []time.Duration
			at := sent.sentTo("x")
			for i := range at[1:] {
				got = append(got, at[i+1].Sub(at[i]))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: waits %v, want %v", name, got, c.want)
			}
		})
	}
}

// A wait above MaxRetryDelay is the caller's to make, as azcore has it; a negative one is no limit.
func TestManyWaitBeyondTheLimit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		most  time.Duration
		after string
		took  time.Duration
		want  string
	}{
		"the default limit": {0, "180", 3 * time.Minute, "x accepted 2"},
		"above the default": {0, "180.001", 0, "x rejected 1"},
		"above the given":   {time.Second, "2", 0, "x rejected 1"},
		"no limit":          {-1, "172800", 48 * time.Hour, "x accepted 2"},
	} {
		synctest.Test(t, func(t *testing.T) {
			sent := &manyScript{answers: map[string][]int{"x": {503, 204}}, header: http.Header{"Retry-After": {c.after}}}
			client := sent.client(t, func(o *intune.ClientOptions) { o.Retry.MaxRetryDelay = c.most })
			start := time.Now()
			results := collect(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed("x"), nil))
			if took := time.Since(start); summary(results[0]) != c.want || took != c.took {
				t.Errorf("%s: %+v after %v", name, results, took)
			}
			if e, ok := errors.AsType[*intune.Error](results[0].Err); ok && e.RetryAfter == 0 {
				t.Errorf("%s: the error does not say how long to wait: %v", name, e)
			}
		})
	}
}

// When the context ends before a device goes again, its result is the answer that it had.
func TestManyContextEndsBeforeAnotherTry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		journal := &memory{}
		sent := &manyScript{answers: map[string][]int{"x": {429}, "y": {503}}}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		results := collect(sent.client(t, journal.option).RequestRemoteAssistanceMany(ctx, devicesNamed("x", "y", "z"), &intune.RequestManyOptions{PerSecond: 5, Concurrency: 1}))
		var got []string
		for _, r := range results {
			got = append(got, summary(r))
		}
		if want := []string{"x rejected 1", "y notSent 0", "z notSent 0"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if !errors.Is(results[0].Err, intune.ErrThrottled) || !errors.Is(results[1].Err, context.DeadlineExceeded) || !strings.Contains(results[1].Err.Error(), "not sent") {
			t.Errorf("errors %v and %v", results[0].Err, results[1].Err)
		}
		if _, asked := journal.pair(t); asked.Outcome != intune.OutcomeRejected || asked.StatusCode != http.StatusTooManyRequests {
			t.Errorf("entry %+v", asked)
		}
	})
}

// An answer that comes as the context ends is the last one.
func TestManyContextEndsWithAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
			cancel()
			return answer(req, http.StatusTooManyRequests, nil, ""), nil
		}))
		start := time.Now()
		results := collect(client.RequestRemoteAssistanceMany(ctx, devicesNamed("x"), nil))
		if summary(results[0]) != "x rejected 1" || !errors.Is(results[0].Err, intune.ErrThrottled) || time.Since(start) != 0 {
			t.Errorf("%+v after %v", results, time.Since(start))
		}
	})
}

// The journal's last word on a device that was refused and then could not leave is that it was refused.
func TestManyJournalRemembersThatItLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		journal := &memory{}
		sent := &manyScript{answers: map[string][]int{"x": {503, -1}}}
		results := collect(sent.client(t, journal.option).RequestRemoteAssistanceMany(t.Context(), devicesNamed("x"), nil))
		if _, asked := journal.pair(t); asked.Outcome != intune.OutcomeRejected || results[0].Outcome != intune.OutcomeRejected {
			t.Errorf("entry %+v, result %+v", asked, results[0])
		}
	})
}

func TestManyProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := &manyScript{answers: map[string][]int{"a": {204}, "b": {404}, "c": {404}, "d": {500}, "e": {500}, "f": {500}, "g": {-1}}}
		client := sent.client(t, noRetries)
		var got []string
		var last intune.Progress
		for range client.RequestRemoteAssistanceMany(t.Context(), devicesNamed("a", "b", "c", "d", "e", "f", "g", "", "b"), &intune.RequestManyOptions{
			Concurrency: 1,
			OnProgress: func(p intune.Progress) {
				last = p
				got = append(got, fmt.Sprint(p.Done(), p.Pending >= 0 && p.Pending <= 2))
			},
		}) {
			if last.Done() != len(got) {
				t.Errorf("%d done at the %d. result", last.Done(), len(got))
			}
		}
		if last.Accepted != 1 || last.Rejected != 2 || last.Unknown != 3 || last.NotSent != 2 || last.Pending != 0 || last.PerSecond != 5 || !last.PausedUntil.IsZero() {
			t.Errorf("progress %+v", last)
		}
		for i, text := range got {
			if text != fmt.Sprint(i+1, true) {
				t.Errorf("step %d: %s", i, text)
			}
		}
	})
}

// The pace recovers with what the service accepts, and not with what it refuses.
func TestManyPaceRecoversWithAcceptedRequests(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]float64{http.StatusNotFound: 2.5, http.StatusNoContent: 2.65} {
		synctest.Test(t, func(t *testing.T) {
			answers := map[string][]int{"d0": {429, 404}}
			for _, name := range numbered(4)[1:] {
				answers[name] = []int{status}
			}
			sent, last := &manyScript{answers: answers}, 0.
			_ = collect(sent.client(t).RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(4)...), &intune.RequestManyOptions{
				Concurrency: 1, OnProgress: func(p intune.Progress) { last = p.PerSecond },
			}))
			if last < want-.001 || last > want+.001 {
				t.Errorf("after %d: %v a second, want %v", status, last, want)
			}
		})
	}
}

// Leaving the loop at a device that cannot be asked leaves it too.
func TestManyLoopIsLeftAtABadDevice(t *testing.T) {
	t.Parallel()
	sent := &manyScript{}
	count := 0
	for range sent.client(t).RequestRemoteAssistanceMany(t.Context(), devicesNamed("", "a", "b"), nil) {
		count++
		break
	}
	if count != 1 || len(sent.requests) != 0 {
		t.Errorf("%d results, sent %v", count, sent.requests)
	}
}
