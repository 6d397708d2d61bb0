package intune_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// setID is a policy that gives each request that passes an id of its own.
func setID(header string) policy.Policy {
	n := 0
	return policyFunc(func(req *policy.Request) (*http.Response, error) {
		n++
		req.Raw().Header[header] = []string{"own-" + strconv.Itoa(n)}
		return req.Next()
	})
}

// Whoever chooses the id, it is one in both entries, on the wire at every try, and in what the caller gets.
func TestJournalKnowsTheIDOnTheWire(t *testing.T) {
	t.Parallel()
	const body = `{"error":{"code":"Forbidden","message":"no","innerError":{"request-id":"r9","client-request-id":"of-the-body"}}}`
	fresh := func(place, header string) func() func(*intune.ClientOptions) {
		return func() func(*intune.ClientOptions) { return placed(setID(header))[place] }
	}
	plain := func() func(*intune.ClientOptions) { return func(*intune.ClientOptions) {} }
	for name, c := range map[string]struct {
		option func() func(*intune.ClientOptions)
		own    string
		want   string // "" is any
	}{
		"the library":        {plain, "", ""},
		"WithHTTPHeader":     {plain, "from-the-context", "from-the-context"},
		"a per-call policy":  {fresh("per call", "Client-Request-Id"), "", "own-1"},
		"a per-retry policy": {fresh("per retry", "Client-Request-Id"), "", "own-1"},
		"a careless policy":  {fresh("per retry", "client-request-id"), "from-the-context", "from-the-context"},
		"a policy that takes it away": {func() func(*intune.ClientOptions) {
			return placed(rewrite(func(r *http.Request) { r.Header.Del("Client-Request-Id") }))["per retry"]
		}, "", ""},
	} {
		for _, last := range []int{http.StatusNoContent, http.StatusForbidden} {
			t.Run(name+" "+strconv.Itoa(last), func(t *testing.T) {
				t.Parallel()
				var wire []string
				service := transportFunc(func(req *http.Request) (*http.Response, error) {
					for header, values := range req.Header {
						if strings.EqualFold(header, "client-request-id") {
							wire = append(wire, values...)
						}
					}
					switch {
					case len(wire) < 3:
						return answer(req, http.StatusServiceUnavailable, nil, ""), nil
					case last == http.StatusForbidden:
						return answer(req, last, nil, body), nil
					}
					return answer(req, last, http.Header{"Client-Request-Id": {"of-the-answer"}}, ""), nil
				})
				ctx, journal := t.Context(), &memory{}
				if c.own != "" {
					ctx = policy.WithHTTPHeader(ctx, http.Header{"client-request-id": {c.own}})
				}
				response, err := newClient(t, service, journal.option, c.option()).RequestRemoteAssistance(ctx, intune.Device("1"), nil)
				got := response.ClientRequestID
				if err != nil {
					got = asError(t, err).ClientRequestID
				}
				asking, asked := journal.pair(t)
				if c.want != "" && got != c.want || got == "" || asking.ClientRequestID != got || asked.ClientRequestID != got || (err == nil) != (last == http.StatusNoContent) {
					t.Errorf("got %q, want %q, entries have %q and %q, error %v", got, c.want, asking.ClientRequestID, asked.ClientRequestID, err)
				}
				if len(wire) != 3 || wire[0] != got || wire[1] != got || wire[2] != got {
					t.Errorf("sent %q, reported %q", wire, got)
				}
			})
		}
	}
}

// Without a journal, a policy that gives each try an id of its own does so.
func TestIDsWithoutAJournal(t *testing.T) {
	t.Parallel()
	var wire []string
	service := transportFunc(func(req *http.Request) (*http.Response, error) {
		wire = append(wire, req.Header.Get("Client-Request-Id"))
		return answer(req, http.StatusServiceUnavailable, nil, ""), nil
	})
	_, err := newClient(t, service, placed(setID("Client-Request-Id"))["per retry"]).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	if last := asError(t, err).ClientRequestID; strings.Join(wire, " ") != "own-1 own-2 own-3 own-4" || last != "own-4" {
		t.Errorf("sent %v, reported %q", wire, last)
	}
}

// An id that no record may show is no id; nothing is sent with it.
func TestJournalRefusesAnIDThatIsASecret(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]string{
		"a link":      "https://get.teamviewer.com/v15/secret",
		"the token":   "opaque-token",
		"the user":    "for anna@contoso.com",
		"too long":    strings.Repeat("x", 201),
		"two lines":   "a\nb",
		"white space": " a",
	} {
		journal, service := &memory{}, newScript(status(204))
		ctx := policy.WithHTTPHeader(t.Context(), http.Header{"Client-Request-Id": {id}})
		_, err := newClient(t, service, journal.option).RequestRemoteAssistance(ctx, intune.UserDevice("anna@contoso.com", "1"), nil)
		if !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), "client-request-id") || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "anna") ||
			len(journal.asking) != 0 || service.calls.Load() != 0 {
			t.Errorf("%s: error %v, entries %v, sent %d times", name, err, journal.asking, service.calls.Load())
		}
	}
}

// The claims are those of the token that was sent; a token that cannot be read has none.
func TestJournalNamesTheCaller(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		claims              map[string]any
		caller, app, tenant string
	}{
		"version 1": {map[string]any{"oid": "o", "appid": "a", "tid": "t"}, "o", "a", "t"},
		"version 2": {map[string]any{"oid": "o", "appid": nil, "azp": "z", "tid": "t"}, "o", "z", "t"},
		"none":      {map[string]any{"appid": nil, "tid": nil}, "", "", ""},
		"hostile":   {map[string]any{"oid": "a\nb https://get.teamviewer.com/secret", "appid": 7, "tid": "t"}, "a b https://get.teamviewer.com/REDACTED", "", "t"},
	} {
		tenant, journal := intunetest.NewTenant(nil), &memory{}
		device := tenant.AddDevice(intune.ManagedDevice{})
		options := tenant.ClientOptions()
		options.Journal = journal
		client, err := intune.NewClient(tenant.CredentialWith(c.claims), options)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.RequestRemoteAssistance(t.Context(), device, nil); err != nil {
			t.Fatal(err)
		}
		if _, asked := journal.pair(t); asked.CallerID != c.caller || asked.AppID != c.app || asked.TenantID != c.tenant {
			t.Errorf("%s: %+v", name, asked)
		}
	}
	journal := &memory{}
	if _, err := newClient(t, always(http.StatusNoContent, ""), journal.option).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
		t.Fatal(err)
	}
	if _, asked := journal.pair(t); asked.CallerID != "" || asked.AppID != "" || asked.TenantID != "" {
		t.Errorf("opaque token: %+v", asked)
	}
}

// The token of Asking goes on with the wait in another process, whatever became of the first, and asks nobody.
func TestJournalTokenGoesOn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault   intunetest.Fault
		stopped bool
		prompts int
	}{
		"crashed after the answer":   {prompts: 1},
		"crashed before the answer":  {fault: intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter}, prompts: 1},
		"crashed before it was sent": {stopped: true},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			left := intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL(oldLink)}
			device := waiting(tenant, left, intunetest.SessionScript{URL: newLink, After: time.Hour})
			tenant.Inject(c.fault)
			journal := &memory{}
			if c.stopped {
				journal.onAsking = func(context.Context, intune.JournalEntry) error { return errors.New("crash") }
			}
			_, _ = journaled(t, tenant, journal).BeginRemoteAssistance(t.Context(), device, nil)
			asking := journal.asking[0]
			var token struct {
				Token struct {
					ClientRequestID string `json:"clientRequestId"`
					Unconfirmed     bool   `json:"unconfirmed"`
				} `json:"token"`
			}
			if err := json.Unmarshal([]byte(asking.ResumeToken), &token); err != nil || token.Token.ClientRequestID != asking.ClientRequestID || !token.Token.Unconfirmed {
				t.Errorf("token %s, error %v", asking.ResumeToken, err)
			}
			time.Sleep(3 * time.Hour) //nolint:forbidigo // the bubble's clock
			start := time.Now()
			session, err := tenant.Client().WaitForRemoteAssistance(t.Context(), asking.ResumeToken, nil)
			if c.stopped {
				pending, ok := errors.AsType[*intune.PendingError](err)
				if !ok || !errors.Is(err, intune.ErrOutcomeUnknown) || pending.ClientRequestID != asking.ClientRequestID || time.Since(start) != 2*time.Minute || strings.Contains(err.Error(), "the request was accepted") {
					t.Errorf("after %v: %v", time.Since(start), err)
				}
			} else if err != nil || session.URL.Reveal() != newLink || session.ClientRequestID != asking.ClientRequestID {
				t.Errorf("got %v, %v", session, err)
			}
			if n := tenant.Prompts(device); n != c.prompts {
				t.Errorf("%d prompts", n)
			}
		})
	}
}

// Entries hold no link and no access token, though the answers do.
func TestJournalHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	journal := &memory{}
	service := transportFunc(func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodGet {
			return answer(req, http.StatusOK, nil, `{"id":"1","remoteAssistanceSessionUrl":"`+oldLink+`","remoteAssistanceSessionErrorDetails":"see `+oldLink+`"}`), nil
		}
		header := http.Header{"Request-Id": {oldLink}, "Location": {oldLink}}
		return answer(req, http.StatusForbidden, header, `{"error":{"code":"Forbidden","message":"`+oldLink+` and opaque-token"}}`), nil
	})
	_, err := newClient(t, service, journal.option).BeginRemoteAssistance(t.Context(), intune.Device("1"), nil)
	text, marshalErr := json.Marshal([]any{journal.asking, journal.asked})
	if err == nil || marshalErr != nil || len(journal.asked) != 1 {
		t.Fatalf("errors %v, %v, entries %s", err, marshalErr, text)
	}
	for _, secret := range []string{"old-secret", "opaque-token", "Bearer"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%q is in %s", secret, text)
		}
	}
}
