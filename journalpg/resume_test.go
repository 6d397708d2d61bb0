package journalpg_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"

	"github.com/go-intune/intune/journalpg"
)

func newClient(t *testing.T, tenant *intunetest.Tenant, j intune.Journal) *intune.Client {
	t.Helper()
	options := tenant.ClientOptions()
	options.Journal = j
	client, err := intune.NewClient(tenant.Credential(), options)
	must(t, err)
	return client
}

// gated is a tenant that answers no read until the gate is open.
type gated struct {
	*intunetest.Tenant

	gate chan struct{}
}

func (g gated) Do(req *http.Request) (*http.Response, error) {
	select {
	case <-g.gate:
		return g.Tenant.Do(req)
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

// resume runs Resume until the test ends, and returns its results.
func resume(t *testing.T, j *journalpg.Journal, client *intune.Client) <-chan intune.OpenResult {
	t.Helper()
	results := make(chan intune.OpenResult, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- journalpg.Resume(ctx, j, client, func(r intune.OpenResult) { results <- r }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return results
}

// leave asks the user of a new device, and stops waiting before the link, which comes with the tenth read.
func leave(t *testing.T, tenant *intunetest.Tenant, client *intune.Client) intune.DeviceRef {
	t.Helper()
	d := tenant.AddDevice(intune.ManagedDevice{DeviceName: "PC-1"}, intunetest.SessionScript{AfterReads: 10})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := client.OpenRemoteAssistance(ctx, d, &intune.OpenRemoteAssistanceOptions{OnRequested: func(intune.Requested) { cancel() }})
	if !errors.Is(err, intune.ErrSessionPending) {
		t.Fatalf("got %v instead of a PendingError", err)
	}
	return d
}

// A copy that stops leaves its waits to another one, and one that dies too.
func TestResume(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond})
	j := f.journal()
	d := leave(t, tenant, newClient(t, tenant, j))
	must(t, j.Close())
	other := f.journal(lease(time.Second))
	gate := make(chan struct{})
	options := tenant.ClientOptions()
	options.Journal, options.Transport = other, gated{tenant, gate}
	second, err := intune.NewClient(tenant.Credential(), options)
	must(t, err)
	results := resume(t, other, second)
	eventually(t, func() bool { return f.count(`SELECT count(*) FROM {request} WHERE copy IS NOT NULL`) == 1 })
	wantBusy(t, f.journal().Asking(t.Context(), asking(d)))
	close(gate)
	got := <-results
	must(t, got.Err)
	if got.Device != d {
		t.Errorf("the device is %v", got.Device)
	}
	if got.Session.URL.IsZero() {
		t.Error("there is no link")
	}
	if n := tenant.Prompts(d); n != 1 {
		t.Errorf("the user was asked %d times", n)
	}
	if got := summary(requests(t, other)[0]); got != "accepted ready waiting=false" {
		t.Errorf("the record says %q", got)
	}
}

// A context that did not end would be kept as long as Resume goes on, which is as long as the program.
func TestResume_EndsContexts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond})
	j := f.journal()
	client := newClient(t, tenant, j)
	leave(t, tenant, client)
	claimed := claimOne(t, j)
	journalpg.WaitOn(j, client, claimed)
	if got := summary(requests(t, j)[0]); got != "accepted ready waiting=false" {
		t.Errorf("the record says %q", got)
	}
	if claimed.Context.Err() == nil {
		t.Error("the context goes on")
	}
}

// What is given up is not resumed over and over: its device would never be free.
func TestResume_NotForever(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal()
	entry := ask(t, j, device())
	f.age(11 * time.Minute)
	must(t, j.Ended(t.Context(), ended(entry, intune.SessionLeft)))
	tenant := intunetest.NewTenant(nil)
	second := f.journal(lease(300 * time.Millisecond))
	results := resume(t, second, newClient(t, tenant, second))
	pause(t, 500*time.Millisecond)
	select {
	case r := <-results:
		t.Errorf("resumed: %+v", r)
	default:
	}
	claimOne(t, f.journal())
}

// A token that the client refuses is told once, and holds nothing.
func TestResume_RefusedToken(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ask(t, f.journal(), device()) // whose token lacks what the client needs
	f.die()
	j := f.journal(lease(300 * time.Millisecond))
	results := resume(t, j, newClient(t, intunetest.NewTenant(nil), j))
	if got := <-results; !errors.Is(got.Err, intune.ErrInvalidArgument) {
		t.Errorf("the result is %v", got.Err)
	}
	eventually(t, func() bool {
		return f.count(`SELECT count(*) FROM {request} WHERE lease_until > clock_timestamp()`) == 0
	})
	pause(t, 500*time.Millisecond)
	select {
	case again := <-results:
		t.Errorf("it is told again: %v", again.Err)
	default:
	}
}

func TestResume_Errors(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	client := newClient(t, intunetest.NewTenant(nil), nil)
	none := func(intune.OpenResult) {}
	for name, err := range map[string]error{
		"no journal": journalpg.Resume(t.Context(), nil, client, none),
		"no client":  journalpg.Resume(t.Context(), f.journal(), nil, none),
		"no each":    journalpg.Resume(t.Context(), f.journal(), client, nil),
	} {
		if !errors.Is(err, intune.ErrInvalidArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	missing := f.journal(func(o *journalpg.Options) { o.Schema = schemaName() })
	if err := journalpg.Resume(t.Context(), missing, client, none); err == nil {
		t.Error("there are no tables, and no error")
	}
	closed := f.journal()
	must(t, closed.Close())
	if err := journalpg.Resume(t.Context(), closed, client, none); err == nil {
		t.Error("the journal is closed, and there is no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	must(t, journalpg.Resume(ctx, f.journal(), client, none))
}

// The link is withheld from a copy that lost its lease.
func TestJournal_LinkIsWithheld(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond})
	d := tenant.AddDevice(intune.ManagedDevice{DeviceName: "PC-1"}, intunetest.SessionScript{After: time.Minute})
	j, other := f.journal(), f.journal()
	client := newClient(t, tenant, j)
	session, err := client.OpenRemoteAssistance(t.Context(), d, &intune.OpenRemoteAssistanceOptions{OnRequested: func(intune.Requested) {
		f.die()
		claimed := claimOne(t, other)
		must(t, other.Ended(claimed.Context, ended(claimed.Request.Asking, intune.SessionReady)))
		tenant.Advance(time.Minute)
	}})
	wantSuperseded(t, err)
	if !errors.Is(err, intune.ErrSessionPending) {
		t.Errorf("it is no PendingError: %v", err)
	}
	if !session.URL.IsZero() {
		t.Error("the link was handed out")
	}
}

// A wait of unknown outcome that was left early, and whose next copy died, is looked at once more after its time of confirmation: the
// user may have been asked, and the link may be there. What was left after that time is given up.
func TestJournalClaim_LeftEarlyAndDied(t *testing.T) {
	t.Parallel()
	for name, dies := range map[string]bool{"left early": false, "left early, and the next copy died": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			j := f.journal()
			entry := asking(device())
			must(t, j.Asking(t.Context(), entry))
			must(t, j.Asked(t.Context(), asked(entry, intune.OutcomeUnknown)))
			must(t, j.Ended(t.Context(), ended(entry, intune.SessionLeft)))
			if dies {
				claimOne(t, f.journal())
				f.die()
			}
			f.age(3 * time.Minute)
			claimed := claimOne(t, j)
			must(t, j.Ended(claimed.Context, ended(entry, intune.SessionLeft)))
			wantNoClaim(t, f.journal())
		})
	}
}
