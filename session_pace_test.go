package intune_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

func TestMaxAge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		maxAge, age time.Duration
		refused     bool
	}{
		"a day":             {0, 24 * time.Hour, false},
		"more than a day":   {0, 24*time.Hour + 1, true},
		"an hour":           {time.Hour, time.Hour, false},
		"more than an hour": {time.Hour, time.Hour + 1, true},
		"a week":            {7 * 24 * time.Hour, 7 * 24 * time.Hour, false},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, AfterReads: 1})
			token := begin(t, tenant, device, nil)
			sent := len(tenant.Requests())
			time.Sleep(c.age) //nolint:forbidigo // the bubble's clock
			session, err := tenant.Client().WaitForRemoteAssistance(t.Context(), token, &intune.WaitForRemoteAssistanceOptions{MaxAge: c.maxAge})
			_, errResume := tenant.Client().ResumeRemoteAssistance(t.Context(), token, &intune.ResumeRemoteAssistanceOptions{MaxAge: c.maxAge})
			if !c.refused {
				if err != nil || errResume != nil || session.URL.Reveal() != newLink {
					t.Errorf("got %v, %v, %v", session, err, errResume)
				}
				return
			}
			for _, err := range []error{err, errResume} {
				if !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), "options.MaxAge") || !strings.Contains(err.Error(), "another session's") {
					t.Errorf("got %v", err)
				}
			}
			if len(tenant.Requests()) != sent {
				t.Errorf("sent %v", tenant.Requests()[sent:])
			}
		})
	}
}

func TestPaceOfWaiting(t *testing.T) {
	t.Parallel()
	gaps := func(t *testing.T, tenant *intunetest.Tenant, from int) (list []time.Duration) {
		t.Helper()
		requests := tenant.Requests()[from:]
		for i := 1; i < len(requests); i++ {
			list = append(list, requests[i].Time.Sub(requests[i-1].Time))
		}
		return list
	}
	script := intunetest.SessionScript{URL: newLink, AfterReads: 5}
	bubble(t, "Open with a Frequency", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, script)
		if _, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, &intune.OpenRemoteAssistanceOptions{Frequency: 7 * time.Second}); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(gaps(t, tenant, 1)); got != "[7s 7s 7s 7s 7s]" {
			t.Errorf("gaps %s", got)
		}
	})
	bubble(t, "WaitFor looks at once", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, script)
		token := begin(t, tenant, device, nil)
		if _, err := tenant.Client().WaitForRemoteAssistance(t.Context(), token, &intune.WaitForRemoteAssistanceOptions{Frequency: 7 * time.Second}); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(gaps(t, tenant, 1)); got != "[0s 7s 7s 7s 7s]" {
			t.Errorf("gaps %s", got)
		}
	})
	bubble(t, "WaitFor after its context", func(t *testing.T, tenant *intunetest.Tenant) {
		token := begin(t, tenant, waiting(tenant, intune.ManagedDevice{}, script), nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		sent := len(tenant.Requests())
		if _, err := tenant.Client().WaitForRemoteAssistance(ctx, token, nil); !errors.Is(err, context.Canceled) || !errors.Is(err, intune.ErrSessionPending) || len(tenant.Requests()) != sent {
			t.Errorf("got %v after %d requests", err, len(tenant.Requests())-sent)
		}
	})
	bubble(t, "the service asks for another", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, script)
		tenant.Inject(intunetest.Fault{Method: http.MethodGet, Header: http.Header{"Retry-After": {"40"}}, Times: -1})
		if _, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, nil); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(gaps(t, tenant, 1)); got != "[40s 40s 40s 40s 40s]" {
			t.Errorf("gaps %s", got)
		}
	})
	bubble(t, "the service asks for too much", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, AfterReads: 1})
		tenant.Inject(intunetest.Fault{Method: http.MethodGet, Header: http.Header{"Retry-After": {"3600"}}})
		start := time.Now()
		if _, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, nil); err != nil || time.Since(start) != 10*time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

// Gently at first and more so later (C§5.3), with jitter, so that many waits do not look in step.
func TestPaceOfOpen(t *testing.T) {
	t.Parallel()
	bubble(t, "gaps", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, AfterReads: 12})
		if _, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, nil); err != nil {
			t.Fatal(err)
		}
		requests := tenant.Requests()[1:] // from the action on
		last := time.Duration(0)
		for i := 1; i < len(requests); i++ {
			gap := requests[i].Time.Sub(requests[i-1].Time)
			if gap < 3*time.Second || gap > 15*time.Second || i < 4 && gap <= last {
				t.Errorf("gap %d is %v after %v", i, gap, last)
			}
			last = gap
		}
		if requests[12].Time.Sub(requests[11].Time) == requests[11].Time.Sub(requests[10].Time) {
			t.Error("no jitter: two gaps at the slowest pace are the same")
		}
		if last < 12*time.Second || len(requests) != 13 {
			t.Errorf("%d requests, the last after %v", len(requests), last)
		}
	})
}
