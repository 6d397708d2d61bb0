package intune_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

func TestConnectorState(t *testing.T) {
	t.Parallel()
	for _, state := range []intune.ConnectorState{intune.ConnectorStateOnboarded, intune.ConnectorStateOnboarding, intune.ConnectorStateNotOnboarded} {
		tenant := intunetest.NewTenant(nil)
		tenant.SetConnector(state)
		if got, err := tenant.Client().RemoteAssistanceConnector(t.Context(), nil); err != nil || got != state {
			t.Errorf("got %s, %v, want %s", got, err, state)
		}
	}
}

// C§4.3: both an empty list and a row occur for a tenant without TeamViewer.
func TestConnectorStateOfRows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		want   intune.ConnectorState
		fails  bool
	}{
		"empty list":     {200, `{"value":[]}`, intune.ConnectorStateNotOnboarded, false},
		"one row":        {200, `{"value":[{"id":"1","onboardingStatus":"notOnboarded"}]}`, intune.ConnectorStateNotOnboarded, false},
		"best of rows":   {200, `{"value":[{"id":"1","onboardingStatus":"notOnboarded"},{"id":"2","onboardingStatus":"onboarded"}]}`, intune.ConnectorStateOnboarded, false},
		"odd case":       {200, `{"value":[{"id":"1","onboardingStatus":"Onboarding"}]}`, intune.ConnectorStateOnboarding, false},
		"unknown member": {200, `{"value":[{"id":"1","onboardingStatus":"paused"}]}`, intune.ConnectorStateUnknown, false},
		"forbidden":      {403, `{"error":{"code":"Forbidden"}}`, intune.ConnectorStateUnknown, true},
		"nested":         {401, nested("An error has occurred", 1), intune.ConnectorStateUnknown, true},
		"unauthorized":   {401, `{"error":{"code":"InvalidAuthenticationToken"}}`, intune.ConnectorStateUnknown, true},
		"broken":         {200, `{"value":[{"id":`, intune.ConnectorStateUnknown, true},
		"no list":        {200, `[]`, intune.ConnectorStateUnknown, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := newClient(t, always(c.status, c.body)).RemoteAssistanceConnector(t.Context(), nil)
			if got != c.want || (err != nil) != c.fails {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
}

// A pager of partners goes on from a stored page as the others do.
func TestPartnersFromAStoredPage(t *testing.T) {
	t.Parallel()
	client := newClient(t, transportFunc(says(200, `{"value":[{"id":"2","displayName":"B"}]}`)))
	pager := client.NewListRemoteAssistancePartnersPager(nil)
	stored, err := json.Marshal(intune.ListRemoteAssistancePartnersResponse{
		Value: []intune.RemoteAssistancePartner{{ID: "1"}}, NextLink: "https://graph.microsoft.com/v1.0/deviceManagement/remoteAssistancePartners?$skiptoken=2",
	})
	if err := errors.Join(err, json.Unmarshal(stored, pager)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1", "2"} {
		if page, err := pager.NextPage(t.Context()); err != nil || len(page.Value) != 1 || page.Value[0].ID != want {
			t.Errorf("got %v, %v", page.Value, err)
		}
	}
	if pager.More() {
		t.Error("there is more")
	}
}

func TestPartners(t *testing.T) {
	t.Parallel()
	bubble(t, "life of a partner", func(t *testing.T, tenant *intunetest.Tenant) {
		tenant.SetConnector(intune.ConnectorStateNotOnboarded)
		client := tenant.Client()
		made, err := client.CreateRemoteAssistancePartner(t.Context(), intune.RemoteAssistancePartner{DisplayName: "TeamViewer"}, nil)
		if err != nil || made.ID == "" || made.DisplayName != "TeamViewer" || made.OnboardingStatus != intune.RemoteAssistanceOnboardingStatusNotOnboarded {
			t.Fatalf("made %v, %v", made, err)
		}
		changed, err := client.UpdateRemoteAssistancePartner(t.Context(), made.ID, intune.RemoteAssistancePartner{DisplayName: "Other"}, nil)
		if err != nil || changed.DisplayName != "Other" {
			t.Errorf("changed %v, %v", changed, err)
		}
		if _, err := client.OnboardRemoteAssistancePartner(t.Context(), made.ID, nil); err != nil {
			t.Error(err)
		}
		read, err := client.GetRemoteAssistancePartner(t.Context(), made.ID, nil)
		if err != nil || read.OnboardingStatus != intune.RemoteAssistanceOnboardingStatusOnboarding {
			t.Errorf("read %v, %v", read, err)
		}
		if _, err := client.DisconnectRemoteAssistancePartner(t.Context(), made.ID, nil); err != nil {
			t.Error(err)
		}
		if _, err := client.DeleteRemoteAssistancePartner(t.Context(), made.ID, nil); err != nil {
			t.Error(err)
		}
		if _, err := client.GetRemoteAssistancePartner(t.Context(), made.ID, nil); !errors.Is(err, intune.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
}

func TestWireOfPartners(t *testing.T) {
	t.Parallel()
	const at = "/v1.0/deviceManagement/remoteAssistancePartners"
	partner := intune.RemoteAssistancePartner{ID: "left out", DisplayName: "TeamViewer", OnboardingURL: intune.NewSecret("https://login.teamviewer.com/x")}
	body := `{"@odata.type":"#microsoft.graph.remoteAssistancePartner","displayName":"TeamViewer","onboardingUrl":"https://login.teamviewer.com/x"}`
	for name, c := range map[string]struct {
		call         func(context.Context, *intune.Client) error
		request      string
		body, answer string
		status       int
	}{
		"list": {func(ctx context.Context, c *intune.Client) error {
			_, err := c.NewListRemoteAssistancePartnersPager(nil).NextPage(ctx)
			return err
		}, "GET " + at, "", `{"value":[]}`, 200},
		"get": {func(ctx context.Context, c *intune.Client) error {
			_, err := c.GetRemoteAssistancePartner(ctx, "a b", nil)
			return err
		}, "GET " + at + "/a%20b", "", `{"id":"a b"}`, 200},
		"create": {func(ctx context.Context, c *intune.Client) error {
			_, err := c.CreateRemoteAssistancePartner(ctx, partner, nil)
			return err
		}, "POST " + at, body, `{"id":"1"}`, 201},
		"update": {func(ctx context.Context, c *intune.Client) error {
			_, err := c.UpdateRemoteAssistancePartner(ctx, "1", partner, nil)
			return err
		}, "PATCH " + at + "/1", body, `{"id":"1"}`, 200},
		"delete": {func(ctx context.Context, c *intune.Client) error {
			_, err := c.DeleteRemoteAssistancePartner(ctx, "1", nil)
			return err
		}, "DELETE " + at + "/1", "", "", 204},
		"onboard": {func(ctx context.Context, c *intune.Client) error {
			_, err := c.OnboardRemoteAssistancePartner(ctx, "1", nil)
			return err
		}, "POST " + at + "/1/beginOnboarding", "", "", 204},
		"disconnect": {func(ctx context.Context, c *intune.Client) error {
			_, err := c.DisconnectRemoteAssistancePartner(ctx, "1", nil)
			return err
		}, "POST " + at + "/1/disconnect", "", "", 204},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				sent := ""
				if req.Body != nil {
					var m map[string]any
					if err := json.NewDecoder(req.Body).Decode(&m); err == nil {
						sent = fmt.Sprint(m)
					}
				}
				var want map[string]any
				_ = json.Unmarshal([]byte(c.body), &want)
				if got := req.Method + " " + req.URL.EscapedPath(); got != c.request || c.body != "" && sent != fmt.Sprint(want) || c.body == "" && (sent != "" || req.ContentLength != 0) {
					t.Errorf("sent %s %s, want %s %s", got, sent, c.request, c.body)
				}
				return answer(req, c.status, nil, c.answer), nil
			}))
			if err := c.call(t.Context(), client); err != nil {
				t.Error(err)
			}
			if c.status == 200 && c.request[:3] == "GET" {
				return
			}
			service := newScript(status(http.StatusGatewayTimeout))
			if err := c.call(t.Context(), newClient(t, service, insists)); !errors.Is(err, intune.ErrOutcomeUnknown) || service.calls.Load() != 1 {
				t.Errorf("a write was sent %d times: %v", service.calls.Load(), err)
			}
		})
	}
}

func TestPartnerArguments(t *testing.T) {
	t.Parallel()
	client := newClient(t, transportFunc(func(*http.Request) (*http.Response, error) {
		t.Error("a request was sent")
		return nil, errors.New("unexpected")
	}))
	for _, id := range []string{"", "..", "a/b", "a\nb"} {
		_, getErr := client.GetRemoteAssistancePartner(t.Context(), id, nil)
		_, updateErr := client.UpdateRemoteAssistancePartner(t.Context(), id, intune.RemoteAssistancePartner{DisplayName: "x"}, nil)
		_, deleteErr := client.DeleteRemoteAssistancePartner(t.Context(), id, nil)
		_, onboardErr := client.OnboardRemoteAssistancePartner(t.Context(), id, nil)
		_, disconnectErr := client.DisconnectRemoteAssistancePartner(t.Context(), id, nil)
		for _, err := range []error{getErr, updateErr, deleteErr, onboardErr, disconnectErr} {
			if !errors.Is(err, intune.ErrInvalidArgument) {
				t.Errorf("id %q: %v", id, err)
			}
		}
	}
	if _, err := client.CreateRemoteAssistancePartner(t.Context(), intune.RemoteAssistancePartner{ID: "1"}, nil); !errors.Is(err, intune.ErrInvalidArgument) {
		t.Errorf("got %v", err)
	}
}

func TestPartnerHidesItsURL(t *testing.T) {
	t.Parallel()
	partner := intune.RemoteAssistancePartner{ID: "1", OnboardingURL: intune.NewSecret("https://login.teamviewer.com/onboarding-secret"), LastConnectionDateTime: time.Unix(0, 0)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(verb, partner); strings.Contains(text, "onboarding-secret") || !strings.Contains(text, "REDACTED") {
			t.Errorf("%s: %s", verb, text)
		}
	}
	if text, err := json.Marshal(partner); err != nil || strings.Contains(string(text), "onboarding-secret") || !strings.Contains(string(text), `"onboardingUrl":"REDACTED"`) {
		t.Errorf("as JSON: %s, %v", text, err)
	}
	if text := (intune.RemoteAssistancePartner{ID: "1"}).String(); strings.Contains(text, "REDACTED") {
		t.Errorf("no URL shows as %s", text)
	}
}

func TestReadPartner(t *testing.T) {
	t.Parallel()
	connected := time.Date(2026, 8, 20, 7, 8, 9, 0, time.UTC)
	for name, c := range map[string]struct {
		body string
		want intune.RemoteAssistancePartner
	}{
		"all": {
			`{"id":"1","displayName":"TeamViewer","onboardingUrl":"https://login.teamviewer.com/x","onboardingStatus":"onboarded","lastConnectionDateTime":"2026-08-20T07:08:09Z"}`,
			intune.RemoteAssistancePartner{ID: "1", DisplayName: "TeamViewer", OnboardingURL: intune.NewSecret("https://login.teamviewer.com/x"), OnboardingStatus: "onboarded", LastConnectionDateTime: connected},
		},
		"nothing": {`{"id":"1","lastConnectionDateTime":"0001-01-01T00:00:00Z","displayName":null,"onboardingUrl":null}`, intune.RemoteAssistancePartner{ID: "1"}},
		"a mark":  {"\ufeff" + `{"id":"1","onboardingUrl":""}`, intune.RemoteAssistancePartner{ID: "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read, err := newClient(t, always(http.StatusOK, c.body)).GetRemoteAssistancePartner(t.Context(), "1", nil)
			if err != nil || read.RemoteAssistancePartner != c.want {
				t.Errorf("got %+v, %v", read, err)
			}
		})
	}
}

// A proxy's page with 200 is not the service's word: whether it acted is open.
func TestPartnersAnsweredByAPage(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(context.Context, *intune.Client) error{
		"delete": func(ctx context.Context, c *intune.Client) error {
			_, err := c.DeleteRemoteAssistancePartner(ctx, "1", nil)
			return err
		},
		"disconnect": func(ctx context.Context, c *intune.Client) error {
			_, err := c.DisconnectRemoteAssistancePartner(ctx, "1", nil)
			return err
		},
		"onboard": func(ctx context.Context, c *intune.Client) error {
			_, err := c.OnboardRemoteAssistancePartner(ctx, "1", nil)
			return err
		},
		"create": func(ctx context.Context, c *intune.Client) error {
			_, err := c.CreateRemoteAssistancePartner(ctx, intune.RemoteAssistancePartner{DisplayName: "TeamViewer"}, nil)
			return err
		},
		"update": func(ctx context.Context, c *intune.Client) error {
			_, err := c.UpdateRemoteAssistancePartner(ctx, "1", intune.RemoteAssistancePartner{DisplayName: "TeamViewer"}, nil)
			return err
		},
	} {
		for kind, body := range map[string]string{"HTML": "<html>Sign in</html>", "JSON": `{"status":"ok"}`} {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				err := call(t.Context(), newClient(t, always(http.StatusOK, body)))
				if e := asError(t, err); !errors.Is(err, intune.ErrOutcomeUnknown) || e.StatusCode != http.StatusOK || strings.Contains(err.Error(), "Sign in") {
					t.Errorf("got %v", err)
				}
			})
		}
	}
	_, err := newClient(t, always(http.StatusOK, `{"status":"ok"}`)).GetRemoteAssistancePartner(t.Context(), "1", nil)
	if asError(t, err); errors.Is(err, intune.ErrOutcomeUnknown) {
		t.Errorf("a read: got %v", err)
	}
}

// A body goes out as JSON, with its length; a request without one says nothing of a type.
func TestContentTypeOfABody(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		call func(*intune.Client) error
		typ  []string
		body string
	}{
		"body": {func(client *intune.Client) error {
			_, err := client.UpdateRemoteAssistancePartner(t.Context(), "1", intune.RemoteAssistancePartner{DisplayName: "T"}, nil)
			return err
		}, []string{"application/json"}, `{"@odata.type":"#microsoft.graph.remoteAssistancePartner","displayName":"T"}`},
		"no body": {func(client *intune.Client) error {
			_, err := client.DeleteRemoteAssistancePartner(t.Context(), "1", nil)
			return err
		}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				var body []byte
				if req.Body != nil {
					body, _ = io.ReadAll(req.Body)
				}
				if got := req.Header["Content-Type"]; strings.Join(got, ",") != strings.Join(c.typ, ",") || string(body) != c.body || req.ContentLength != int64(len(c.body)) {
					t.Errorf("type %q, length %d, body %q", got, req.ContentLength, body)
				}
				return answer(req, http.StatusNoContent, nil, ""), nil
			}))
			if err := c.call(client); err != nil {
				t.Error(err)
			}
		})
	}
}

// A partner's page, its next link, and answers without a body, as a proxy may rewrite a 204.
func TestAnswersAboutPartners(t *testing.T) {
	t.Parallel()
	page := says(200, `{"value":[{"id":"1","onboardingStatus":"onboarded"}],"@odata.nextLink":"https://graph.microsoft.com/v1.0/deviceManagement/remoteAssistancePartners?$skiptoken=x"}`)
	last := says(200, `{"value":[{"id":"2","onboardingStatus":"notOnboarded"},{"id":"3","onboardingStatus":"onboarding"}]}`)
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
	if state, err := newClient(t, reads(page, last)).RemoteAssistanceConnector(t.Context(), nil); err != nil || state != intune.ConnectorStateOnboarded {
		t.Errorf("got %s, %v", state, err)
	}
	empty := newClient(t, transportFunc(says(200, "")))
	for _, method := range []string{"DeleteRemoteAssistancePartner", "OnboardRemoteAssistancePartner", "DisconnectRemoteAssistancePartner"} {
		if err := spanned[method](t.Context(), empty); err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
	for body, code := range map[string]int{"": 200, " ": 204, `{"id":"1"`: 200, `{"id":"1"} x`: 200, `{"displayName":"x"}`: 200} {
		got, err := newClient(t, transportFunc(says(code, strings.TrimSpace(body)))).GetRemoteAssistancePartner(t.Context(), "1", nil)
		if err == nil || got.ID != "" || asError(t, err).StatusCode != code {
			t.Errorf("%d with %q is %v, %v", code, body, got, err)
		}
	}
}
