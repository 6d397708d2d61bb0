package main

import (
	"maps"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// TestWaits judges links and events by when they come, and nothing by a wait that was too short to tell.
func TestWaits(t *testing.T) {
	t.Parallel()
	var atOnce intunetest.SessionScript
	never, late := intunetest.SessionScript{Never: true}, intunetest.SessionScript{After: 20 * time.Minute}
	same := intunetest.SessionScript{KeepOld: true}
	scripts := func(list ...intunetest.SessionScript) demo { return demo{sessions: list} }
	older := func(list ...intunetest.SessionScript) demo { return demo{record: withLink, sessions: list} }
	for name, c := range map[string]struct {
		d     demo
		flags string
		id    string
		want  verdict
	}{
		"no link, short":    {scripts(never), "-timeout 9m", "session-link", notTried},
		"no link, long":     {scripts(never), "-timeout 11m", "session-link", contradicted},
		"a late link":       {scripts(late), "-timeout 1h", "session-link", contradicted},
		"an error text":     {scripts(intunetest.SessionScript{ErrorDetails: "no seats left"}), "", "session-link", notTried},
		"same link, short":  {scripts(atOnce, same), "-timeout 9m -prompt-again user", "again-replaces", notTried},
		"late second link":  {scripts(atOnce, late), "-timeout 1h -prompt-again user", "again-replaces", contradicted},
		"no event, short":   {demo{options: intunetest.TenantOptions{OmitAuditEvents: true}}, "-audit-wait 14m", "audit-event", notTried},
		"no event, long":    {demo{options: intunetest.TenantOptions{OmitAuditEvents: true}}, "-audit-wait 16m", "audit-event", contradicted},
		"old link is gone":  {older(intunetest.SessionScript{ClearOld: true, AfterReads: 3}), "", "session-not-yet", confirmed},
		"new link at once":  {older(intunetest.SessionScript{AfterReads: 1}), "", "session-not-yet", contradicted},
		"old link all over": {older(never), "", "session-link", contradicted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.d.devices = 3
			_, out, _ := conformance(t, c.d, strings.Fields("-demo -i-own-this-device "+c.flags)...)
			if v := verdicts(t, out)[c.id]; v != c.want {
				t.Errorf("want %s:\n%s", c.want, section(out, c.id))
			}
		})
	}
}

// TestReadsThatFail fails some reads of a wait: the prompt is not lost if the service recovers soon.
func TestReadsThatFail(t *testing.T) {
	t.Parallel()
	const tries = 4 // of each read, by azcore's retry policy
	for failing, want := range map[int32]verdict{4: confirmed, 1000: notTried} {
		var reads atomic.Int32
		d := demo{devices: 3, sessions: []intunetest.SessionScript{{AfterReads: 2}}, change: func(tenant policy.Transporter) policy.Transporter {
			failed := answers(func(asked) bool { return true }, func(r *reply) { r.status, r.body = http.StatusServiceUnavailable, nil })(tenant)
			var prompted atomic.Bool
			return transport(func(req *http.Request) (*http.Response, error) {
				if req.Method == http.MethodPost {
					prompted.Store(true)
				}
				read := prompted.Load() && is(plainDevice, sessionQuery[1:])(askedBy(req))
				if n := reads.Load(); read && n <= failing*tries {
					if reads.Add(1); n > 0 { // the one right after the answer works
						return failed.Do(req)
					}
				}
				return tenant.Do(req)
			})
		}}
		_, out, _ := conformance(t, d, "-demo", "-i-own-this-device")
		if v := verdicts(t, out)["session-link"]; v != want {
			t.Errorf("%d reads fail: want %s:\n%s", failing, want, section(out, "session-link"))
		}
		if n := reads.Load(); n > 6*tries {
			t.Errorf("%d requests", n)
		}
	}
}

// withLink is a device that an earlier session left a link on.
func withLink(n int) intune.ManagedDevice {
	d := demoRecord(n)
	d.RemoteAssistanceSessionURL = intune.NewSessionURL("https://get.teamviewer.com/old")
	return d
}

// TestEventsOfEarlierRequests puts an event of an earlier request for the same device before those of the tenant: it is not
// taken for that of this request, whether that has an event too or not.
func TestEventsOfEarlierRequests(t *testing.T) {
	t.Parallel()
	for omit, want := range map[bool]verdict{false: confirmed, true: contradicted} {
		d := demo{devices: 3, options: intunetest.TenantOptions{OmitAuditEvents: omit}}
		var asked atomic.Pointer[time.Time]
		d.change = func(tenant policy.Transporter) policy.Transporter {
			listed := answers(has(auditPath, "activityDateTime gt 2"), func(r *reply) {
				earlier := record{
					"activityType": intune.ActivityRequestRemoteAssistance, "correlationId": nobody,
					"activityDateTime": asked.Load().Add(-2 * time.Minute).Format(time.RFC3339),
					"resources":        []any{map[string]any{"resourceId": demoDevice}},
				}
				r.setRows(append([]record{earlier}, r.rows()...)...)
			})(tenant)
			return transport(func(req *http.Request) (*http.Response, error) {
				resp, err := listed.Do(req)
				if err == nil && req.Method == http.MethodPost {
					if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
						asked.Store(&at)
					}
				}
				return resp, err
			})
		}
		_, out, _ := conformance(t, d, "-demo", "-i-own-this-device")
		found := verdicts(t, out)
		if found["audit-event"] != want || found["audit-event-correlation"] == contradicted {
			t.Errorf("without an event of its own: %t\n%s\n%s", omit, section(out, "audit-event"), section(out, "audit-event-correlation"))
		}
	}
}

// TestActionResultReplaced replaces an entry of the same action by that of the request.
func TestActionResultReplaced(t *testing.T) {
	t.Parallel()
	entry := map[string]any{"actionName": "remoteAssistance", "startDateTime": "2026-01-01T00:00:00Z"}
	later := maps.Clone(entry)
	later["startDateTime"] = "2026-02-01T00:00:00Z"
	results := func(entry any) change { return answers(is(plainDevice, ""), set("deviceActionResults", []any{entry})) }
	for want, now := range map[verdict]map[string]any{confirmed: entry, contradicted: later} {
		d := demo{devices: 3, change: func(tenant policy.Transporter) policy.Transporter {
			before, after := results(entry)(tenant), results(now)(tenant)
			var asked atomic.Bool
			return transport(func(req *http.Request) (*http.Response, error) {
				if req.Method == http.MethodPost {
					asked.Store(true)
				}
				if asked.Load() {
					return after.Do(req)
				}
				return before.Do(req)
			})
		}}
		_, out, _ := conformance(t, d, "-demo", "-i-own-this-device")
		if v := verdicts(t, out)["session-no-action-result"]; v != want {
			t.Errorf("want %s:\n%s", want, section(out, "session-no-action-result"))
		}
	}
}
