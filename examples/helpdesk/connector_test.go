package main

import (
	"net/http"
	"testing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

func TestConnector(t *testing.T) {
	t.Parallel()
	for state, c := range map[intune.ConnectorState]struct {
		code   int
		shown  string
		advice string
	}{
		intune.ConnectorStateOnboarded:    {exitDone, "Partner     TeamViewer: onboarded", "April 2027"},
		intune.ConnectorStateOnboarding:   {exitPending, "onboarding", "An administrator"},
		intune.ConnectorStateNotOnboarded: {exitNothing, "notOnboarded", "TeamViewer license"},
		"":                                {exitNothing, "notOnboarded", "No sessions"},
		intune.ConnectorStateUnknown:      {exitUnknown, "unknown", "Config.Read.All"},
		"paused":                          {exitUnknown, "unknown", "state is new"},
	} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, office())
			d.tenant.SetConnector(state)
			d.run("connector").wants(t, c.code, []string{c.shown, c.advice}, nil)
			var out connectorJSON
			d.run("connector", "-json").decode(t, c.code, &out)
			if out.Advice == "" || out.Partners == nil {
				t.Errorf("advice %q, partners %#v", out.Advice, out.Partners)
			}
		})
	}
}

func TestConnectorServiceDown(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	d.tenant.Inject(intunetest.Fault{Status: http.StatusServiceUnavailable, Times: -1, Header: http.Header{"Retry-After-Ms": {"1"}}})
	d.run("connector").wants(t, exitFailure, nil, []string{"503"})
}
