package intune_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

func TestRemoteAssistanceConnector_EveryState(t *testing.T) {
	t.Parallel()
	for _, state := range []intune.ConnectorState{
		intune.ConnectorStateOnboarded, intune.ConnectorStateOnboarding, intune.ConnectorStateNotOnboarded,
	} {
		tenant := intunetest.NewTenant(nil)
		tenant.SetConnector(state)
		if got, err := tenant.Client().RemoteAssistanceConnector(t.Context(), nil); err != nil || got != state {
			t.Errorf("got %s, %v, want %s", got, err, state)
		}
	}
}

// C§4.3: both an empty list and a row occur for a tenant without TeamViewer. What cannot be read is unknown and says why.
func TestRemoteAssistanceConnector_StateOfRows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		want   intune.ConnectorState
		fails  bool
	}{
		"empty list": {200, `{"value":[]}`, intune.ConnectorStateNotOnboarded, false},
		"one row":    {200, `{"value":[{"id":"1","onboardingStatus":"notOnboarded"}]}`, intune.ConnectorStateNotOnboarded, false},
		"best of rows": {
			200, `{"value":[{"id":"1","onboardingStatus":"notOnboarded"},{"id":"2","onboardingStatus":"onboarded"}]}`,
			intune.ConnectorStateOnboarded, false,
		},
		"odd case":       {200, `{"value":[{"id":"1","onboardingStatus":"Onboarding"}]}`, intune.ConnectorStateOnboarding, false},
		"unknown member": {200, `{"value":[{"id":"1","onboardingStatus":"paused"}]}`, intune.ConnectorStateUnknown, false},
		"a mark":         {200, "\ufeff" + `{"value":[{"id":"1","onboardingStatus":"onboarded"}]}`, intune.ConnectorStateOnboarded, false},
		"forbidden":      {403, `{"error":{"code":"Forbidden"}}`, intune.ConnectorStateUnknown, true},
		"nested":         {401, nested("An error has occurred", 1), intune.ConnectorStateUnknown, true},
		"unauthorized":   {401, `{"error":{"code":"InvalidAuthenticationToken"}}`, intune.ConnectorStateUnknown, true},
		"broken":         {200, `{"value":[{"id":`, intune.ConnectorStateUnknown, true},
		"no list":        {200, `[]`, intune.ConnectorStateUnknown, true},
		"a proxy's page": {200, `<html>Sign in</html>`, intune.ConnectorStateUnknown, true},
		"nothing":        {200, ``, intune.ConnectorStateUnknown, true},
		"no content":     {204, ``, intune.ConnectorStateUnknown, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := newClient(t, always(c.status, c.body)).RemoteAssistanceConnector(t.Context(), nil)
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if (err != nil) != c.fails {
				t.Errorf("error %v", err)
			}
			if c.fails && asError(t, err).StatusCode != c.status {
				t.Errorf("status %d, want %d", asError(t, err).StatusCode, c.status)
			}
			if errors.Is(err, intune.ErrOutcomeUnknown) {
				t.Errorf("a read has no outcome: %v", err)
			}
		})
	}
}

// A caller who may not look learns that, and which permission it takes.
func TestRemoteAssistanceConnector_ForbiddenIsUnknownAndSaysWhy(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	tenant.SetConnector(intune.ConnectorStateUnknown)
	got, err := tenant.Client().RemoteAssistanceConnector(t.Context(), nil)
	if got != intune.ConnectorStateUnknown {
		t.Errorf("got %s", got)
	}
	if !errors.Is(err, intune.ErrForbidden) {
		t.Errorf("error %v", err)
	}
	if hint := asError(t, err).Hint; !strings.Contains(hint, "DeviceManagementServiceConfig.Read.All") {
		t.Errorf("hint %q", hint)
	}
}

func TestRemoteAssistanceConnector_ReadsEveryPage(t *testing.T) {
	t.Parallel()
	page := says(200, `{"value":[{"id":"1","onboardingStatus":"onboarding"}],`+
		`"@odata.nextLink":"https://graph.microsoft.com/v1.0/deviceManagement/remoteAssistancePartners?$skiptoken=x"}`)
	last := says(200, `{"value":[{"id":"2","onboardingStatus":"notOnboarded"},{"id":"3","onboardingStatus":"onboarded"}]}`)
	state, err := newClient(t, reads(page, last)).RemoteAssistanceConnector(t.Context(), nil)
	if err != nil || state != intune.ConnectorStateOnboarded {
		t.Errorf("got %s, %v", state, err)
	}
	pager, found := newClient(t, reads(page, last)).NewListRemoteAssistancePartnersPager(nil), 0
	for pager.More() {
		got, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found += len(got.Value)
	}
	if found != 3 {
		t.Errorf("%d partners", found)
	}
}

// A pager of partners goes on from a stored page as the others do.
func TestNewListRemoteAssistancePartnersPager_FromAStoredPage(t *testing.T) {
	t.Parallel()
	client := newClient(t, transportFunc(says(200, `{"value":[{"id":"2","displayName":"B"}]}`)))
	pager := client.NewListRemoteAssistancePartnersPager(nil)
	stored, err := json.Marshal(intune.ListRemoteAssistancePartnersResponse{
		Value:    []intune.RemoteAssistancePartner{{ID: "1"}},
		NextLink: "https://graph.microsoft.com/v1.0/deviceManagement/remoteAssistancePartners?$skiptoken=2",
	})
	if err := errors.Join(err, json.Unmarshal(stored, pager)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1", "2"} {
		page, err := pager.NextPage(t.Context())
		if err != nil || len(page.Value) != 1 {
			t.Fatalf("got %v, %v", page.Value, err)
		}
		if id := page.Value[0].ID; id != want {
			t.Errorf("got %q, want %q", id, want)
		}
	}
	if pager.More() {
		t.Error("there is more")
	}
}

func TestNewListRemoteAssistancePartnersPager_Rows(t *testing.T) {
	t.Parallel()
	connected := time.Date(2026, 8, 20, 7, 8, 9, 0, time.UTC)
	for name, c := range map[string]struct {
		body string
		want intune.RemoteAssistancePartner
	}{
		"all": {
			`{"id":"1","displayName":"TeamViewer","onboardingUrl":"https://login.teamviewer.com/x","onboardingStatus":"onboarded",` +
				`"lastConnectionDateTime":"2026-08-20T07:08:09Z"}`,
			intune.RemoteAssistancePartner{
				ID: "1", DisplayName: "TeamViewer", OnboardingURL: intune.NewSecret("https://login.teamviewer.com/x"),
				OnboardingStatus: "onboarded", LastConnectionDateTime: connected,
			},
		},
		"nothing": {
			`{"id":"1","lastConnectionDateTime":"0001-01-01T00:00:00Z","displayName":null,"onboardingUrl":null}`,
			intune.RemoteAssistancePartner{ID: "1"},
		},
		"blank": {`{"id":"1","onboardingUrl":""}`, intune.RemoteAssistancePartner{ID: "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, always(http.StatusOK, `{"value":[`+c.body+`]}`))
			page, err := client.NewListRemoteAssistancePartnersPager(nil).NextPage(t.Context())
			if err != nil || len(page.Value) != 1 {
				t.Fatalf("got %v, %v", page.Value, err)
			}
			if page.Value[0] != c.want {
				t.Errorf("got %v, want %v", page.Value[0], c.want)
			}
		})
	}
}

// A page with a row that cannot be read is none, as azcore's pagers have it.
func TestNewListRemoteAssistancePartnersPager_RowThatCannotBeRead(t *testing.T) {
	t.Parallel()
	client := newClient(t, always(http.StatusOK, `{"value":[{"id":"1"},{"id":"2","displayName":"TeamViewer","lastConnectionDateTime":7}]}`))
	page, err := client.NewListRemoteAssistancePartnersPager(nil).NextPage(t.Context())
	if asError(t, err).StatusCode != http.StatusOK {
		t.Errorf("error %v", err)
	}
	if len(page.Value) != 0 {
		t.Errorf("got %v", page.Value)
	}
}

func TestRemoteAssistancePartner_HidesItsURL(t *testing.T) {
	t.Parallel()
	partner := intune.RemoteAssistancePartner{
		ID: "1", OnboardingURL: intune.NewSecret("https://login.teamviewer.com/onboarding-secret"), LastConnectionDateTime: time.Unix(0, 0),
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(verb, partner); strings.Contains(text, "onboarding-secret") || !strings.Contains(text, "REDACTED") {
			t.Errorf("%s: %s", verb, text)
		}
	}
	text, err := json.Marshal(partner)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "onboarding-secret") || !strings.Contains(string(text), `"onboardingUrl":"REDACTED"`) {
		t.Errorf("as JSON: %s", text)
	}
	if text := (intune.RemoteAssistancePartner{ID: "1"}).String(); strings.Contains(text, "REDACTED") {
		t.Errorf("no URL shows as %s", text)
	}
}
