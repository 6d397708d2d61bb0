package intune_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// A wait looks when a limit is reached, whatever its pace.
func TestLooksAtTheLimits(t *testing.T) {
	t.Parallel()
	old := intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL(oldLink)}
	for name, c := range map[string]struct {
		options intune.OpenRemoteAssistanceOptions
		open    bool // the outcome
		after   time.Duration
		reused  bool
	}{
		"accept between two looks":   {intune.OpenRemoteAssistanceOptions{AcceptExistingAfter: 31 * time.Second, Frequency: 20 * time.Second}, false, 31 * time.Second, true},
		"accept right after a look":  {intune.OpenRemoteAssistanceOptions{AcceptExistingAfter: 10 * time.Second, Frequency: 10*time.Second - 1}, false, 10 * time.Second, true},
		"confirm between two looks":  {intune.OpenRemoteAssistanceOptions{ConfirmWithin: 31 * time.Second, Frequency: 20 * time.Second}, true, 31 * time.Second, false},
		"confirm right after a look": {intune.OpenRemoteAssistanceOptions{ConfirmWithin: 10 * time.Second, Frequency: 10*time.Second - 1}, true, 10 * time.Second, false},
		"no time to wait":            {intune.OpenRemoteAssistanceOptions{MaxWait: 1}, false, 1, false},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, old, intunetest.SessionScript{Never: true, KeepOld: true})
			if c.open {
				tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			start := time.Now()
			session, err := tenant.Client().OpenRemoteAssistance(ctx, device, &c.options)
			if time.Since(start) != c.after || session.Reused != c.reused || (err == nil) != c.reused || errors.Is(err, intune.ErrOutcomeUnknown) != c.open || ctx.Err() != nil {
				t.Errorf("after %v: %v, %v", time.Since(start), session, err)
			}
		})
	}
}

// slow answers a read of d1 with a new link after a while, whatever its context says.
func slow(pause time.Duration, first func()) transportFunc {
	looked := false
	return func(req *http.Request) (*http.Response, error) {
		switch {
		case req.Method == http.MethodPost:
			return answer(req, http.StatusNoContent, nil, ""), nil
		case !looked:
			looked = true
			return answer(req, http.StatusOK, nil, sessionOf("", "")), nil
		}
		first()
		time.Sleep(pause) //nolint:forbidigo // the bubble's clock
		if pause == time.Minute && req.Context().Err() != nil {
			return nil, req.Context().Err()
		}
		return answer(req, http.StatusOK, nil, sessionOf(newLink, "")), nil
	}
}

// A link that has come is handed out, also when the time is over by then.
func TestLinkThatComesAsTheWaitEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pause, maxWait time.Duration
		cancel         bool
	}{
		"the context ends":      {0, -1, true},
		"MaxWait ends":          {11 * time.Second, time.Second, false},
		"there is no MaxWait":   {time.Minute, -1, false},
		"MaxWait is far enough": {time.Minute, 2 * time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				client := newClient(t, slow(c.pause, func() {
					if c.cancel {
						cancel()
					}
				}), noRetries)
				session, err := client.OpenRemoteAssistance(ctx, intune.Device("d1"), &intune.OpenRemoteAssistanceOptions{MaxWait: c.maxWait})
				if err != nil || session.URL.Reveal() != newLink {
					t.Errorf("got %v, %v", session, err)
				}
			})
		})
	}
}

// visits counts the requests that come by.
type visits int

func (v *visits) Do(req *policy.Request) (*http.Response, error) {
	*v++
	return req.Next()
}

func TestPauseThatItsContextEndsStartsNoRequest(t *testing.T) {
	t.Parallel()
	bubble(t, "Open", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		count, options := visits(0), tenant.ClientOptions()
		options.PerCallPolicies = append(options.PerCallPolicies, &count)
		client, err := intune.NewClient(intune.StaticToken("opaque-token"), options)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.OpenRemoteAssistance(ctx, device, &intune.OpenRemoteAssistanceOptions{OnRequested: func(string) { cancel() }})
		if !errors.Is(err, context.Canceled) || !errors.Is(err, intune.ErrSessionPending) || count != 2 {
			t.Errorf("%d requests, error %v", count, err)
		}
	})
}

// The growing pace, with up to an eighth of jitter.
func TestStepsOfThePace(t *testing.T) {
	t.Parallel()
	bubble(t, "steps", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
		_, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, &intune.OpenRemoteAssistanceOptions{MaxWait: 2 * time.Hour})
		if !errors.Is(err, intune.ErrSessionPending) {
			t.Fatal(err)
		}
		requests, longest := tenant.Requests()[1:], time.Duration(0)
		steps := []time.Duration{3 * time.Second, 4500 * time.Millisecond, 6750 * time.Millisecond, 10125 * time.Millisecond, 13 * time.Second}
		for i := 1; i < len(requests)-1; i++ { // the last look is at the end of MaxWait
			least := steps[min(i, len(steps))-1]
			gap := requests[i].Time.Sub(requests[i-1].Time)
			if gap < least || gap > least*9/8 {
				t.Errorf("gap %d is %v, want %v to %v", i, gap, least, least*9/8)
			}
			longest = max(longest, gap)
		}
		if longest <= 13*time.Second*10/9 {
			t.Errorf("of %d gaps the longest is %v", len(requests), longest)
		}
	})
}
