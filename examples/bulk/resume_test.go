package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// night runs the part of the program that asks and waits, in this process and on a fake clock.
func night(t *testing.T, tenant *intunetest.Tenant, journal string, maxWait time.Duration) (*device, string) {
	t.Helper()
	var out, talk strings.Builder
	j := &job{
		console: &console{out: &out, err: &screen{w: &talk}}, stops: &stops{soft: t.Context(), hard: t.Context()},
		options: options{wait: true, maxWait: maxWait, perSecond: 5, journal: journal},
	}
	j.feed, j.halt = context.WithCancelCause(t.Context())
	defer j.halt(nil)
	known, err := j.openJournal()
	if err != nil {
		t.Fatal(err)
	}
	defer j.record.close()
	options := tenant.ClientOptions()
	options.Journal = j.record
	if j.client, err = intune.NewClient(tenant.Credential(), options); err != nil {
		t.Fatal(err)
	}
	r := &row{line: 1, text: nameOf(1)}
	j.fleet.add(r, match{id: idOf(1), name: nameOf(1)})
	j.rows = []*row{r}
	j.openAll(j.plan(known))
	return r.device, talk.String()
}

// TestMaxWaitAfterARestart goes on with a request that Intune had accepted. Its wait lasts as long as -max-wait says, and
// does not end for want of a sign of the request.
func TestMaxWaitAfterARestart(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]time.Duration{"the link comes late": 8 * time.Minute, "no link comes": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tenant := intunetest.NewTenant(nil)
				tenant.AddDevice(intune.ManagedDevice{ID: idOf(1), DeviceName: nameOf(1)}, intunetest.SessionScript{After: after})
				journal := filepath.Join(t.TempDir(), "journal")
				if d, _ := night(t, tenant, journal, time.Minute); d.session != sessionPending {
					t.Fatalf("%+v", d)
				}
				from := time.Now()
				d, talk := night(t, tenant, journal, 8*time.Minute)
				if d.outcome != intune.OutcomeAccepted || strings.Contains(talk, "perhaps") || strings.Contains(d.detail, "unknown") {
					t.Errorf("it is told as perhaps asked: %+v\n%s", d, talk)
				}
				if waited := time.Since(from); after == time.Hour && waited.Round(time.Minute) != 8*time.Minute {
					t.Errorf("it waited for %v, want 8 minutes", waited)
				}
				if after < time.Hour && d.session != sessionLink {
					t.Errorf("no link: %+v", d)
				}
				if n := tenant.Prompts(d.ref()); n != 1 {
					t.Errorf("%d prompts", n)
				}
			})
		})
	}
}

// TestLinkProvesThatTheUserWasAsked has a request whose answer was lost.
func TestLinkProvesThatTheUserWasAsked(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]intunetest.SessionScript{"link": {}, "error text": {ErrorDetails: "No seats left."}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, fleetOf(1, nil, script))
			p.tenant.Inject(intunetest.Fault{PathSuffix: action, Drop: intunetest.DropAfter})
			p.write("in.csv", list(1))
			first := p.run("-yes", "-wait", "in.csv").wantsColumns("outcome run", "accepted this")
			p.run("-yes", "in.csv").wants(exitDone, "from earlier runs: 1 accepted").wantsColumns("outcome run", "accepted earlier")
			if script.ErrorDetails != "" { // the text has gone since, and the journal has it
				p.tenant.AddDevice(intune.ManagedDevice{ID: idOf(1), DeviceName: nameOf(1)})
			}
			again := p.run("-yes", "-wait", "-max-wait", "1s", "in.csv").wantsColumns("outcome run", "accepted earlier")
			for _, column := range []string{"session", "detail"} {
				a, b := results(t, first.stdout)[0][column], results(t, again.stdout)[0][column]
				if a != b {
					t.Errorf("%s was %q, and is %q", column, a, b)
				}
			}
			p.prompts(1)
		})
	}
}
