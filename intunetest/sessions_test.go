package intunetest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

const selectSession = "?$select=id,remoteAssistanceSessionUrl,remoteAssistanceSessionErrorDetails"

// sessionOf is what a read sees: the link and the error text.
func sessionOf(t *testing.T, tenant *intunetest.Tenant, ref intune.DeviceRef) [2]string {
	t.Helper()
	o := get(t, inProcess(tenant), graph+"/v1.0"+ref.String()+selectSession)
	return [2]string{o["remoteAssistanceSessionUrl"].(string), o["remoteAssistanceSessionErrorDetails"].(string)}
}

func ask(t *testing.T, tenant *intunetest.Tenant, ref intune.DeviceRef) {
	t.Helper()
	if r := send(t, inProcess(tenant), http.MethodPost, graph+"/v1.0"+ref.String()+action, ""); r.status != http.StatusNoContent {
		t.Fatalf("the action: %d %s", r.status, r.body)
	}
}

// C§5.3: what becomes of an accepted request, read by read.
func TestSessionScripts(t *testing.T) {
	t.Parallel()
	old := intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL("https://old"), RemoteAssistanceSessionErrorDetails: "old"}
	const generated = "*"
	for _, c := range []struct {
		name   string
		device intune.ManagedDevice
		script []intunetest.SessionScript
		want   string // "link|error" of the reads after the request
	}{
		{"default", intune.ManagedDevice{}, nil, "| *| *|"},
		{"zero script", intune.ManagedDevice{}, []intunetest.SessionScript{{}}, "| *| *|"},
		{"default over an old one", old, nil, "https://old|old *| *|"},
		{
			"at once",
			intune.ManagedDevice{},
			[]intunetest.SessionScript{{URL: "http://plain", AfterReads: 1}},
			"http://plain| http://plain| http://plain|",
		},
		{"third read", old, []intunetest.SessionScript{{URL: "x", AfterReads: 3}}, "https://old|old https://old|old x|"},
		{"failure", intune.ManagedDevice{}, []intunetest.SessionScript{{ErrorDetails: "no"}}, "| |no |no"},
		{
			"failure with an old link", old,
			[]intunetest.SessionScript{{ErrorDetails: "no", AfterReads: 1}},
			"https://old|no https://old|no https://old|no",
		},
		{"both", old, []intunetest.SessionScript{{URL: "x", ErrorDetails: "no", AfterReads: 1}}, "x|no x|no x|no"},
		{"never", old, []intunetest.SessionScript{{Never: true}}, "https://old|old https://old|old https://old|old"},
		{"keep", old, []intunetest.SessionScript{{KeepOld: true, AfterReads: 1, URL: "x"}}, "https://old| https://old| https://old|"},
		{"nothing to keep", intune.ManagedDevice{}, []intunetest.SessionScript{{KeepOld: true, AfterReads: 1}}, "*| *| *|"},
		{"clear", old, []intunetest.SessionScript{{ClearOld: true}}, "| *| *|"},
		{"clear and never", old, []intunetest.SessionScript{{ClearOld: true, Never: true}}, "| | |"},
		{"clear and keep", old, []intunetest.SessionScript{{ClearOld: true, KeepOld: true, URL: "x", AfterReads: 1}}, "x| x| x|"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tenant := intunetest.NewTenant(nil)
			c.device.ID = deviceID
			ref := tenant.AddDevice(c.device, c.script...)
			before := [2]string{c.device.RemoteAssistanceSessionURL.Reveal(), c.device.RemoteAssistanceSessionErrorDetails}
			for range 3 {
				if got := sessionOf(t, tenant, ref); got != before {
					t.Errorf("before: %q", got)
				}
			}
			ask(t, tenant, ref)
			// None of these is a read of the session.
			get(t, inProcess(tenant), graph+"/v1.0"+ref.String())
			get(t, inProcess(tenant), graph+"/v1.0"+ref.String()+"?$select=id,notes")
			get(t, inProcess(tenant), devicesURL+selectSession)
			tenant.Inject(intunetest.Fault{Method: "GET", Status: 500})
			send(t, inProcess(tenant), http.MethodGet, graph+"/v1.0"+ref.String()+selectSession, "")
			var got []string
			for range 3 {
				pair := sessionOf(t, tenant, ref)
				if strings.HasPrefix(pair[0], "https://get.teamviewer.com/") {
					pair[0] = generated
				}
				got = append(got, strings.Join(pair[:], "|"))
			}
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("got  %s\nwant %s", text, c.want)
			}
		})
	}
}

// Each accepted request takes the next script, and the last repeats.
func TestScriptsTakeTurns(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	ref := populate(tenant, []intunetest.SessionScript{
		{URL: "a", AfterReads: 1}, {ErrorDetails: "b", AfterReads: 1}, {AfterReads: 1},
	}...)
	var got []string
	for range 4 {
		tenant.Inject(intunetest.Fault{Method: http.MethodPost, Status: 503}) // not accepted, so it takes none
		send(t, inProcess(tenant), http.MethodPost, graph+"/v1.0"+ref.String()+action, "")
		ask(t, tenant, ref)
		session := sessionOf(t, tenant, ref)
		got = append(got, strings.Join(session[:], "|"))
	}
	if want := []string{"a|", "a|b"}; !slices.Equal(got[:2], want) {
		t.Errorf("got %q, want %q", got[:2], want)
	}
	for _, link := range got[2:] {
		if !strings.HasPrefix(link, "https://get.teamviewer.com/v15/s") || len(link) < 60 {
			t.Errorf("not like a link of TeamViewer: %s", link)
		}
	}
	if got[2] == got[3] {
		t.Errorf("the same link twice: %s", got[2])
	}
	// A generated link is the same in every run.
	again := intunetest.NewTenant(nil)
	other := populate(again, intunetest.SessionScript{AfterReads: 1})
	for range 3 {
		ask(t, again, other)
	}
	if link := sessionOf(t, again, other)[0]; link+"|" != got[2] {
		t.Errorf("%q and %q", link, got[2])
	}
}

// A read at any address counts, and each session property makes a read.
func TestEveryAddressReadsTheSession(t *testing.T) {
	t.Parallel()
	throughEveryDoor(t, nil, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
		ref := populate(tenant, intunetest.SessionScript{URL: "x", AfterReads: 4})
		ask(t, tenant, ref)
		read := func(ref intune.DeviceRef, query string) any {
			return get(t, client, root+"/v1.0"+ref.String()+query)["remoteAssistanceSessionUrl"]
		}
		if got := []any{
			read(ref, "?$select=REMOTEASSISTANCESESSIONURL"),
			read(ref, "?$select=remoteAssistanceSessionErrorDetails"),
			read(intune.UserDevice(guest, deviceID), selectSession),
			read(intune.UserDevice(userID, deviceID), selectSession),
		}; !slices.Equal(got, []any{"", nil, "", "x"}) {
			t.Errorf("got %q", got)
		}
	})
}

// After is counted on the tenant's clock, and together with AfterReads both must be met.
func TestSessionAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		ref := populate(tenant, intunetest.SessionScript{URL: "x", After: time.Minute},
			intunetest.SessionScript{URL: "y", After: time.Minute, AfterReads: 2}, intunetest.SessionScript{URL: "z", After: time.Hour})
		expect := func(want string) {
			t.Helper()
			if got := sessionOf(t, tenant, ref)[0]; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		ask(t, tenant, ref)
		expect("")
		<-time.After(59 * time.Second)
		expect("")
		<-time.After(time.Second)
		expect("x")
		ask(t, tenant, ref)
		tenant.Advance(time.Hour)
		expect("x") // late enough, and the first read
		expect("y")
		ask(t, tenant, ref)
		tenant.Advance(time.Hour)
		ask(t, tenant, ref) // the one before was due, read or not
		expect("z")
	})
}

// C§5.3: without a connector the request is accepted and comes to nothing.
func TestActionWithoutConnector(t *testing.T) {
	t.Parallel()
	for _, state := range []intune.ConnectorState{"", intune.ConnectorStateNotOnboarded, intune.ConnectorStateOnboarding, "someday"} {
		tenant := intunetest.NewTenant(nil)
		ref := populate(tenant, intunetest.SessionScript{URL: "x", AfterReads: 1})
		tenant.SetConnector(state)
		ask(t, tenant, ref)
		got := fmt.Sprintf("%q %q", sessionOf(t, tenant, ref), sessionOf(t, tenant, ref))
		if n := tenant.Prompts(ref); n != 1 {
			t.Errorf("%q: %d prompts", state, n)
		}
		if !strings.HasPrefix(got, `["" ""] ["" "`) || !strings.Contains(got, "TeamViewer connector") {
			t.Errorf("%q: %s", state, got)
		}
		// The script was not used up.
		tenant.SetConnector(intune.ConnectorStateOnboarded)
		ask(t, tenant, ref)
		if got := sessionOf(t, tenant, ref); got != [2]string{"x", ""} {
			t.Errorf("%q: then %q", state, got)
		}
	}
}
