package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/readiness"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	tenant := office()
	tenant.AddDevice(intune.ManagedDevice{DeviceName: "KIOSK", SerialNumber: "S-KIOSK", OperatingSystem: "Windows"})
	d := newDesk(t, tenant)
	d.run("check", "S-NEW").wants(t, exitDone, []string{"Name        LT-1", annasNew + ": ready, as far as is known", "pass     user"}, nil)
	d.run("check", "S-KIOSK").wants(t, exitRefused, []string{": not ready", "fail     user", "-> "}, nil)
	d.run("check", "LT-1").wants(t, exitAmbiguous, nil, []string{"2 devices match"})
	d.run("check", "LT-9").wants(t, exitNothing, nil, []string{"no device matches"})
	tenant.SetConnector(intune.ConnectorStateNotOnboarded)
	d.run("check", "S-NEW").wants(t, exitRefused, []string{"fail     connector"}, nil)
	if n := tenant.TotalPrompts(); n > 0 {
		t.Errorf("%d prompts", n)
	}
	if text := d.journal(); strings.Contains(text, annasNew) {
		t.Errorf("something was recorded:\n%s", text)
	}
}

func TestCheckJSON(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	d.tenant.SetConnector("")
	var out readinessJSON
	d.run("check", "S-NEW", "-json").decode(t, exitRefused, &out)
	if out.Ready {
		t.Errorf("ready in %+v", out)
	}
	if got := out.Device.SerialNumber; got != "S-NEW" {
		t.Errorf("serial number %q, want S-NEW", got)
	}
	at := slices.IndexFunc(out.Results, func(r resultJSON) bool { return r.Name == readiness.NameConnector })
	if at < 0 {
		t.Fatalf("no connector in %+v", out)
	}
	if r := out.Results[at]; r.Status != "fail" || r.Remedy == "" {
		t.Errorf("got %+v", r)
	}
}

// TestCheckServiceDown cannot look at everything, which is not the same as not ready.
func TestCheckServiceDown(t *testing.T) {
	t.Parallel()
	down := intunetest.Fault{Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After-Ms": {"1"}}, Times: -1}
	d := newDesk(t, office())
	down.PathSuffix = "/remoteAssistancePartners"
	d.tenant.Inject(down)
	d.run("check", "S-NEW").wants(t, exitDone, []string{"ready, as far as is known", "unknown  connector"}, nil)
	down.PathSuffix = ""
	d.tenant.Inject(down)
	d.run("check", "S-NEW").wants(t, exitFailure, nil, []string{"503"})
}
