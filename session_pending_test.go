package intune_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// The end of every Open says whether the user was asked.
func TestOpenSaysWhetherTheUserWasAsked(t *testing.T) {
	t.Parallel()
	post := func(f intunetest.Fault) intunetest.Fault { f.Method = http.MethodPost; return f }
	refusedReads := intunetest.Fault{Method: http.MethodGet, Status: http.StatusForbidden, Code: "Forbidden", Times: -1}
	for name, c := range map[string]struct {
		fault   intunetest.Fault
		later   intunetest.Fault // from the first look on
		script  intunetest.SessionScript
		options intune.OpenRemoteAssistanceOptions
		within  time.Duration
		pending bool
		unknown bool
		failed  bool
		cause   error
		after   time.Duration
	}{
		"refused":                     {fault: post(intunetest.Fault{Status: http.StatusForbidden, Code: "Forbidden"}), cause: intune.ErrForbidden},
		"no connection":               {fault: post(intunetest.Fault{Drop: intunetest.DropConnect, Times: -1})},
		"baseline refused":            {fault: refusedReads, cause: intune.ErrForbidden},
		"ended before":                {fault: intunetest.Fault{Method: http.MethodGet, Delay: time.Hour}, within: time.Minute, cause: context.DeadlineExceeded, after: time.Minute},
		"session error":               {script: intunetest.SessionScript{ErrorDetails: "trouble", AfterReads: 1}, failed: true},
		"MaxWait by itself":           {script: intunetest.SessionScript{Never: true}, pending: true, after: 10 * time.Minute},
		"MaxWait given":               {script: intunetest.SessionScript{Never: true}, options: intune.OpenRemoteAssistanceOptions{MaxWait: time.Hour}, pending: true, after: time.Hour},
		"MaxWait below the pace":      {script: intunetest.SessionScript{Never: true}, options: intune.OpenRemoteAssistanceOptions{MaxWait: time.Second}, pending: true, after: time.Second},
		"MaxWait never":               {script: intunetest.SessionScript{Never: true}, options: intune.OpenRemoteAssistanceOptions{MaxWait: -1}, within: 12 * time.Hour, pending: true, cause: context.DeadlineExceeded, after: 12 * time.Hour},
		"the context ends":            {script: intunetest.SessionScript{Never: true}, within: time.Minute, pending: true, cause: context.DeadlineExceeded, after: time.Minute},
		"reads refused later":         {script: intunetest.SessionScript{Never: true}, later: refusedReads, pending: true, cause: intune.ErrForbidden},
		"reads fail to the end":       {script: intunetest.SessionScript{Never: true}, later: intunetest.Fault{Method: http.MethodGet, Status: http.StatusInternalServerError, Times: -1}, pending: true, cause: intune.ErrServer, after: 10 * time.Minute},
		"reads hang to the end":       {script: intunetest.SessionScript{Never: true}, later: intunetest.Fault{Method: http.MethodGet, Delay: 24 * time.Hour, Times: -1}, pending: true, after: 10 * time.Minute},
		"open, no sign":               {fault: post(intunetest.Fault{Drop: intunetest.DropAfter}), script: intunetest.SessionScript{Never: true}, pending: true, unknown: true, after: 2 * time.Minute},
		"open, a status":              {fault: post(intunetest.Fault{Status: http.StatusGatewayTimeout}), script: intunetest.SessionScript{Never: true}, pending: true, unknown: true, cause: intune.ErrUnavailable, after: 2 * time.Minute},
		"open, Accept… later":         {fault: post(intunetest.Fault{Drop: intunetest.DropAfter}), script: intunetest.SessionScript{Never: true}, options: intune.OpenRemoteAssistanceOptions{AcceptExistingAfter: time.Hour}, pending: true, unknown: true, after: 2 * time.Minute},
		"open, MaxWait first":         {fault: post(intunetest.Fault{Drop: intunetest.DropAfter}), script: intunetest.SessionScript{Never: true}, options: intune.OpenRemoteAssistanceOptions{MaxWait: time.Minute}, pending: true, unknown: true, after: time.Minute},
		"open, the context first":     {fault: post(intunetest.Fault{Drop: intunetest.DropAfter}), script: intunetest.SessionScript{Never: true}, within: time.Minute, pending: true, unknown: true, cause: context.DeadlineExceeded, after: time.Minute},
		"the context ends in the ask": {fault: post(intunetest.Fault{Delay: time.Hour, Effect: true}), script: intunetest.SessionScript{Never: true}, within: time.Minute, pending: true, unknown: true, cause: context.DeadlineExceeded, after: time.Minute},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{}, c.script)
			tenant.Inject(c.fault)
			c.options.OnRequested = func(string) { tenant.Inject(c.later) }
			if c.later.Method == "" {
				c.options.OnRequested = nil
			}
			ctx := t.Context()
			if c.within > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, c.within)
				defer cancel()
			}
			start := time.Now()
			session, err := tenant.Client().OpenRemoteAssistance(ctx, device, &c.options)
			took := time.Since(start).Truncate(time.Millisecond) // a try more costs a nanosecond
			pending, isPending := errors.AsType[*intune.PendingError](err)
			_, isFailed := errors.AsType[*intune.SessionError](err)
			if err == nil || !session.URL.IsZero() || isPending != c.pending || errors.Is(err, intune.ErrSessionPending) != c.pending || isFailed != c.failed ||
				errors.Is(err, intune.ErrOutcomeUnknown) != c.unknown || c.cause != nil && !errors.Is(err, c.cause) ||
				errors.Is(err, context.DeadlineExceeded) != (c.cause == context.DeadlineExceeded) { //nolint:errorlint // of the table
				t.Errorf("got %v, %v", session, err)
			}
			if c.after > 0 && took != c.after {
				t.Errorf("took %v, want %v", took, c.after)
			}
			if asked := tenant.Prompts(device) > 0; asked && !isPending && !isFailed || !asked && isPending && !c.unknown {
				t.Errorf("asked %v, and the error is %v", asked, err)
			}
			if !isPending {
				return
			}
			if pending.Device != device || !guid.MatchString(pending.ClientRequestID) || pending.RequestedAt.IsZero() || pending.RequestID == "" && !c.unknown {
				t.Errorf("got %+v", *pending)
			}
			for _, part := range []string{device.DeviceID(), "WaitForRemoteAssistance", "do not ask again"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is missing: %v", part, err)
				}
			}
			if strings.Contains(err.Error(), "accepted") == c.unknown || strings.Contains(err.Error(), "outcome unknown: the request was sent") != c.unknown {
				t.Errorf("says %v", err)
			}
			prompts := tenant.Prompts(device)
			tenant.ClearFaults()
			if _, err := tenant.Client().WaitForRemoteAssistance(t.Context(), pending.ResumeToken, nil); !errors.Is(err, intune.ErrSessionPending) || tenant.Prompts(device) != prompts {
				t.Errorf("the wait goes on to %v, with %d prompts", err, tenant.Prompts(device))
			}
		})
	}
}

// An error that Begin returns means that nobody was asked; the poller's own errors mean the opposite.
func TestPollerSaysThatTheUserWasAsked(t *testing.T) {
	t.Parallel()
	bubble(t, "a refused read", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		tenant.Inject(intunetest.Fault{Method: http.MethodGet, Status: http.StatusForbidden, Code: "Forbidden"})
		_, err = poller.Poll(t.Context())
		pending, ok := errors.AsType[*intune.PendingError](err)
		if !ok || !errors.Is(err, intune.ErrForbidden) || errors.Is(err, intune.ErrOutcomeUnknown) || poller.Done() {
			t.Fatalf("got %v", err)
		}
		if token, err := poller.ResumeToken(); err != nil || token != pending.ResumeToken {
			t.Errorf("the tokens differ: %v", err)
		}
	})
	bubble(t, "no sign", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
		tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = poller.PollUntilDone(t.Context(), every)
		pending, ok := errors.AsType[*intune.PendingError](err)
		if !ok || !errors.Is(err, intune.ErrOutcomeUnknown) || !poller.Done() || asError(t, err).Op != "request remote assistance" {
			t.Fatalf("got %v", err)
		}
		again, err := tenant.Client().ResumeRemoteAssistance(t.Context(), pending.ResumeToken, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.PollUntilDone(t.Context(), every); !errors.Is(err, intune.ErrOutcomeUnknown) || !errors.Is(err, intune.ErrSessionPending) || errors.Unwrap(err) != nil {
			t.Errorf("got %v", err)
		}
	})
	// azcore waits between two polls, and gives the context's error as it is.
	bubble(t, "the context ends in azcore", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Second)
		defer cancel()
		_, err = poller.PollUntilDone(ctx, every)
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, intune.ErrSessionPending) {
			t.Errorf("got %v, so the doc comment of BeginRemoteAssistance is out of date", err)
		}
		if _, err := poller.ResumeToken(); err != nil {
			t.Error(err)
		}
	})
}
