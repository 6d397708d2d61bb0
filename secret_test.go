package intune_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
)

func TestSecret_IsNotShown(t *testing.T) {
	t.Parallel()
	secret := intune.NewSecret("bypass-secret")
	partner := intune.RemoteAssistancePartner{ID: "1", OnboardingURL: secret}
	text := graphtest.Renderings(secret, &secret, partner, &partner, intune.ManagedDevice{ID: "1", ActivationLockBypassCode: secret},
		[]intune.DeviceActionResult{{UnlockPIN: secret, Passcode: secret}},
		intune.ListRemoteAssistancePartnersResponse{Value: []intune.RemoteAssistancePartner{partner}},
		struct{ hidden intune.Secret }{secret}, struct{ hidden *intune.Secret }{&secret})
	for _, shown := range []string{"bypass-secret", fmt.Sprintf("%x", "bypass-secret"), fmt.Sprintf("%X", "bypass-secret")} {
		if strings.Contains(text, shown) {
			t.Errorf("%q shows:\n%s", shown, text)
		}
	}
	marshaled, err := secret.MarshalText()
	inJSON, errJSON := json.Marshal(secret)
	if err := errors.Join(err, errJSON); err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{
		secret.String(), secret.GoString(), secret.LogValue().String(), fmt.Sprint(secret), fmt.Sprintf("%#v", secret),
		string(marshaled), strings.Trim(string(inJSON), `"`),
	} {
		if shown != "REDACTED" {
			t.Errorf("got %q", shown)
		}
	}
}

func TestSecret_HoldsItsText(t *testing.T) {
	t.Parallel()
	secret, none := intune.NewSecret("a"), intune.NewSecret("")
	for name, ok := range map[string]bool{
		"Reveal":                   secret.Reveal() == "a",
		"IsZero":                   !secret.IsZero(),
		"Equal":                    secret.Equal(intune.NewSecret("a")),
		"Equal of others":          !secret.Equal(intune.NewSecret("b")) && !secret.Equal(none),
		"no secret is zero":        none.IsZero() && none == intune.Secret{},
		"no secret reveals none":   none.Reveal() == "",
		"no secret prints as \"\"": none.String() == "" && fmt.Sprintf("%#v", none) == "",
	} {
		if !ok {
			t.Error(name)
		}
	}
}

func TestSecret_FromJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{`"a"`: "a", `""`: "", `null`: "", `"REDACTED"`: ""} {
		secret := intune.NewSecret("before")
		if err := json.Unmarshal([]byte(text), &secret); err != nil || secret.Reveal() != want {
			t.Errorf("%s: %q, %v", text, secret.Reveal(), err)
		}
	}
	secret := intune.NewSecret("before")
	if err := json.Unmarshal([]byte(`{"bypass-secret":1}`), &secret); err == nil || strings.Contains(err.Error(), "bypass") {
		t.Errorf("got %v", err)
	}
	if got := secret.Reveal(); got != "before" {
		t.Errorf("the secret became %q", got)
	}
}

func TestSessionURL_IsASecret(t *testing.T) {
	t.Parallel()
	link := intune.NewSessionURL(newLink)
	session := intune.RemoteAssistanceSession{Device: intune.Device("1"), URL: link}
	text := graphtest.Renderings(link, &link, session, &session, intune.ManagedDevice{ID: "1", RemoteAssistanceSessionURL: link},
		intune.GetRemoteAssistanceSessionResponse{RemoteAssistanceSession: session},
		struct{ hidden intune.SessionURL }{link}, struct{ hidden *intune.SessionURL }{&link})
	// %x of a text is hexadecimal; a link in it would be too.
	for _, secret := range []string{"new-secret", fmt.Sprintf("%x", "new-secret"), fmt.Sprintf("%X", "new-secret")} {
		if strings.Contains(text, secret) {
			t.Errorf("%q shows:\n%s", secret, text)
		}
	}
	marshaled, err := link.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{
		link.String(), link.GoString(), link.LogValue().String(), fmt.Sprint(link), fmt.Sprintf("%#v", link), string(marshaled),
	} {
		if shown != "REDACTED" {
			t.Errorf("got %q", shown)
		}
	}
	if link.Reveal() != newLink || link.IsZero() {
		t.Errorf("Reveal gives %q, IsZero %v", link.Reveal(), link.IsZero())
	}
	if !link.Equal(intune.NewSessionURL(newLink)) || link.Equal(intune.NewSessionURL(oldLink)) {
		t.Error("Equal is wrong")
	}
}

func TestSessionURL_FromJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{`"` + newLink + `"`: newLink, `""`: "", `null`: "", `"REDACTED"`: ""} {
		link := intune.NewSessionURL(oldLink)
		if err := json.Unmarshal([]byte(text), &link); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if link.Reveal() != want || link.IsZero() != (want == "") {
			t.Errorf("%s: Reveal gives %q, IsZero %v", text, link.Reveal(), link.IsZero())
		}
	}
	var link intune.SessionURL
	if err := json.Unmarshal([]byte(`{"new-secret":1}`), &link); err == nil || strings.Contains(err.Error(), "new-secret") {
		t.Errorf("got %v", err)
	}
}

// Everything that the library emits during whole sessions, good and bad, is searched for the link, the token and what was there before.
func TestClient_NothingEmittedHoldsASecret(t *testing.T) { //nolint:paralleltest // azcore's log listener is the process's
	text := graphtest.CaptureLog(t)
	collected := &graphtest.Spans{}
	const bodyOfErrors = `{"error":{"code":"x","message":"see https://get.teamviewer.com/new-secret"}}`
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		options := tenant.ClientOptions()
		options.TracingProvider = collected.Provider()
		options.Logging.IncludeBody = true
		options.Logging.AllowedHeaders = []string{"Authorization", "Location"}
		const token = "token-secret-token-secret"
		client, err := intune.NewClient(intune.StaticToken(token), options)
		if err != nil {
			t.Fatal(err)
		}
		emit := func(values ...any) { text.WriteString(graphtest.Renderings(values...)) }
		emit(client, intune.StaticToken(token))
		left := intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL(oldLink)}
		for _, script := range []intunetest.SessionScript{
			{URL: newLink, AfterReads: 2},
			{URL: "http://get.teamviewer.com/new-secret", AfterReads: 1},
			{ErrorDetails: "try " + newLink, AfterReads: 1},
			{KeepOld: true, AfterReads: 1},
		} {
			device := waiting(tenant, left, script)
			poller, err := client.BeginRemoteAssistance(t.Context(), device, &intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			resumeToken, err := poller.ResumeToken()
			emit(poller, resumeToken, err)
			resp, err := poller.Poll(t.Context())
			emit(resp, err)
			session, err := poller.PollUntilDone(t.Context(), every)
			emit(session, err, poller)
			read, err := client.GetRemoteAssistanceSession(t.Context(), device, nil)
			emit(read, err)
		}
		device := waiting(tenant, left)
		asJSON := http.Header{"Content-Type": {"application/json"}}
		for _, fault := range []intunetest.Fault{
			{Status: http.StatusForbidden, Body: bodyOfErrors, Header: asJSON},
			{Status: http.StatusOK, Body: `{"id":"1","remoteAssistanceSessionUrl":["new-secret"]}`, Header: asJSON},
			{Status: http.StatusOK, Body: `{"id":"other","remoteAssistanceSessionUrl":"` + newLink + `"}`, Header: asJSON},
			{Status: http.StatusFound, Header: http.Header{"Location": {newLink}}},
			{Drop: intunetest.DropBefore, Times: 4},
		} {
			tenant.Inject(fault)
			read, err := client.GetRemoteAssistanceSession(t.Context(), device, nil)
			if err == nil {
				t.Errorf("no error from %+v", fault)
			}
			failed, _ := errors.AsType[*intune.Error](err)
			emit(read, err)
			if failed != nil {
				emit(failed.Error(), failed.Message, failed.Hint)
			}
			tenant.ClearFaults()
		}
	})
	for _, made := range collected.List {
		fmt.Fprintf(text, "%+v\n", *made)
	}
	all := text.String()
	for _, secret := range []string{
		"new-secret", "old-secret", "token-secret", fmt.Sprintf("%x", "new-secret"), fmt.Sprintf("%x", "token-secret"),
	} {
		if at := strings.Index(all, secret); at >= 0 {
			t.Errorf("%q was emitted: …%s…", secret, all[max(0, at-300):min(len(all), at+100)])
		}
	}
	for _, shown := range []string{"REDACTED", "requestRemoteAssistance", "Client.BeginRemoteAssistance", "[Response]"} {
		if !strings.Contains(all, shown) {
			t.Errorf("%q was not emitted, so the test collects too little", shown)
		}
	}
}

// No body is logged, not even that of a refused action, whose code or message may be a link or a token.
func TestClientOptions_LogNoBody(t *testing.T) { //nolint:paralleltest // as above
	const body = `{"error":{"code":"visible","message":"see https://get.teamviewer.com/new-secret with opaque-token"}}`
	for _, contentType := range []string{"application/json", "text/plain", ""} {
		for _, code := range []int{http.StatusOK, http.StatusForbidden, http.StatusServiceUnavailable} {
			text := graphtest.CaptureLog(t)
			client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				return answer(req, code, http.Header{"Content-Type": {contentType}}, body), nil
			}), func(o *intune.ClientOptions) { o.Logging.IncludeBody = true })
			_, write := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			_, read := client.GetRemoteAssistanceSession(t.Context(), intune.Device("1"), nil)
			for _, err := range []error{write, read} {
				if got := asError(t, err).Unwrap(); len(got) == 0 {
					t.Errorf("no response in %v", err)
				}
			}
			if shown := text.String(); !strings.Contains(shown, "[Response]") || strings.Contains(shown, "visible") {
				t.Errorf("%d, %q: the log holds a body, or nothing:\n%s", code, contentType, shown)
			}
		}
	}
}

// The user of a user address is a name of a person: no error shows it, whoever quotes it in which form.
func TestError_UserStaysOut(t *testing.T) {
	t.Parallel()
	quoted := func(form string) transportFunc {
		return func(req *http.Request) (*http.Response, error) {
			body := fmt.Sprintf(`{"error":{"code":"Not found: %[1]s","message":"Resource '%[1]s' does not exist","target":"%[1]s",
				"details":[{"code":"%[1]s"}]}}`, form)
			return answer(req, http.StatusNotFound, http.Header{"Request-Id": {"for " + form}}, body), nil
		}
	}
	for user, forms := range map[string][]string{
		"anna@contoso.com": {
			"anna@contoso.com", "Anna@Contoso.com", "anna%40contoso.com", "anna%40Contoso.COM", "/users/anna@contoso.com/managedDevices",
		},
		"$anna@contoso.com":                 {"$anna@contoso.com", "%24anna%40contoso.com", "users('$anna@contoso.com')"},
		"anna_fabrikam#EXT#@contoso.com":    {"anna_fabrikam#EXT#@contoso.com", "anna_fabrikam%23EXT%23@contoso.com"},
		"anna.o'hara@contoso.com":           {"anna.o'hara@contoso.com", "anna.o''hara@contoso.com", "anna.o%27hara%40contoso.com"},
		"Anna-c0ffee-object-id-of-somebody": {"anna-C0FFEE-object-id-of-somebody"},
	} {
		steps := map[string]transportFunc{
			"path of the transport's error": func(req *http.Request) (*http.Response, error) {
				return nil, &url.Error{Op: "Post", URL: req.URL.String(), Err: fmt.Errorf("at %s: %w", req.URL, io.ErrUnexpectedEOF)}
			},
			"path in a text": func(req *http.Request) (*http.Response, error) {
				return nil, errors.New("no route to " + req.URL.RequestURI())
			},
		}
		for _, form := range forms {
			steps[form] = quoted(form)
		}
		for name, step := range steps {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				client := newClient(t, step, noRetries)
				device := intune.UserDevice(user, "1")
				_, write := client.RequestRemoteAssistance(t.Context(), device, nil)
				_, read := client.GetRemoteAssistanceSession(t.Context(), device, nil)
				_, list := client.NewListDevicesPager(intune.UserDevices(user), nil).NextPage(t.Context())
				many := collect(client.RequestRemoteAssistanceMany(t.Context(), slices.Values([]intune.DeviceRef{device}), nil))[0].Err
				for _, err := range []error{write, many, read, list} {
					e := asError(t, err)
					shown := fmt.Sprintf("%v %+v %#v %s %q %+v %s", err, err, err, e.Message, e.Target, e.Details, e.RequestID)
					if failed, ok := errors.AsType[*url.Error](err); ok {
						shown += failed.URL + failed.Error()
					}
					if strings.Contains(strings.ToLower(shown), "anna") {
						t.Errorf("the user shows in %s", shown)
					}
				}
			})
		}
	}
}

// echoes are the forms in which a service may quote a user.
var echoes = []string{
	"josé@contoso.com", "JOSÉ@CONTOSO.COM", "jos%C3%A9%40contoso.com", "jos%25C3%25A9%2540contoso.com", "jos&#233;&#64;contoso.com",
	"Jos&amp;eacute;&amp;#x40;contoso.com",
	`jos\u00e9\u0040contoso.com`, `jos\\u00E9\\u0040contoso.com`,
}

// The error text on a device's record may name the user whose address was asked.
func TestSessionError_HidesTheUser(t *testing.T) {
	t.Parallel()
	device := intune.UserDevice("josé@contoso.com", "d1")
	for _, echo := range echoes {
		t.Run(echo, func(t *testing.T) {
			t.Parallel()
			const want = "no session for REDACTED."
			details := "no session for " + echo + "."
			client := newClient(t, reads(says(200, sessionOf("", "")), says(200, sessionOf("", details))))
			poller, err := client.BeginRemoteAssistance(t.Context(), device, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = poller.PollUntilDone(t.Context(), every)
			if failed, ok := errors.AsType[*intune.SessionError](err); !ok || failed.Details != want {
				t.Errorf("a wait ends with %#v, %v", failed, err)
			}
			read, err := newClient(t, reads(says(200, sessionOf(oldLink, details)))).GetRemoteAssistanceSession(t.Context(), device, nil)
			if err != nil || read.ErrorDetails != want {
				t.Errorf("a read gives %q, %v", read.ErrorDetails, err)
			}
			client = newClient(t, reads(says(200, sessionOf("", "")), says(200, sessionOf(newLink, details))))
			if poller, err = client.BeginRemoteAssistance(t.Context(), device, nil); err != nil {
				t.Fatal(err)
			}
			session, err := poller.PollUntilDone(t.Context(), every)
			if err != nil || session.ErrorDetails != want {
				t.Errorf("a link comes with %q, %v", session.ErrorDetails, err)
			}
		})
	}
}

// A read that went on at the plain address fails as the one that was asked for.
func TestError_IsOfTheAddressAskedFor(t *testing.T) {
	t.Parallel()
	device := intune.UserDevice("josé@contoso.com", "d1")
	for _, echo := range echoes {
		t.Run(echo, func(t *testing.T) {
			t.Parallel()
			accepted := 0
			client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				switch {
				case req.Method == http.MethodPost:
					accepted++
					return answer(req, http.StatusNoContent, nil, ""), nil
				case strings.HasPrefix(req.URL.Path, "/v1.0/users/"):
					return answer(req, http.StatusBadRequest, nil, ""), nil
				case accepted == 1 && strings.Contains(req.URL.RawQuery, "$select"):
					accepted++
					return answer(req, http.StatusOK, nil, sessionOf("http://get.teamviewer.com/s", "")), nil
				case accepted == 0 && strings.Contains(req.URL.RawQuery, "$select"):
					return answer(req, http.StatusOK, nil, sessionOf("", "")), nil
				}
				header := http.Header{"Request-Id": {"for " + echo}}
				return answer(req, http.StatusForbidden, header, `{"error":{"code":"x","message":`+quote(echo+" may not be read")+`}}`), nil
			}), noRetries)
			check := func(where string, err error) {
				e := asError(t, err)
				if e.Device != device {
					t.Errorf("%s: the error is about %#v", where, e.Device)
				}
				shown := strings.ToLower(fmt.Sprint(err, e.Message, e.RequestID))
				if strings.Contains(shown, "jos") || !strings.Contains(shown, "redacted may not be read") {
					t.Errorf("%s: %s", where, shown)
				}
			}
			_, err := client.GetDevice(t.Context(), device, nil)
			check("device", err)
			poller, err := client.BeginRemoteAssistance(t.Context(), device, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.GetRemoteAssistanceSession(t.Context(), device, nil)
			if e := asError(t, err); e.Device != device || !strings.Contains(err.Error(), "withheld") {
				t.Errorf("a link that is not https: %v", err)
			}
			_, err = client.GetRemoteAssistanceSession(t.Context(), device, nil)
			check("session", err)
			_, err = poller.Poll(t.Context())
			check("wait", err)
		})
	}
}

// After the plain address failed too, its use is no advice.
func TestError_HintAfterThePlainAddress(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"route": `{"error":{"code":"BadRequest","message":"No OData route exists that match template"}}`, "nothing": "",
	} {
		for _, device := range []intune.DeviceRef{intune.UserDevice("anna", exampleID), intune.DetectedAppDevice("app", exampleID)} {
			_, err := newClient(t, always(http.StatusBadRequest, body)).GetDevice(t.Context(), device, nil)
			if e := asError(t, err); e.Device != device || e.Hint != "" {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// listings ask for a user and for a device's name, neither of which may be shown; from is where they go on.
var listings = map[string]func(ctx context.Context, c *intune.Client, from string) error{
	"devices": func(ctx context.Context, c *intune.Client, from string) error {
		filter := intune.DeviceFilter{DeviceName: "PC-joséphine", UserPrincipalName: "josé@contoso.com"}
		return last(c.Devices(ctx, intune.AllDevices(), &intune.ListDevicesOptions{Filter: filter, ContinueFrom: from}))
	},
	"devices of a user": func(ctx context.Context, c *intune.Client, from string) error {
		filter := intune.DeviceFilter{DeviceName: "PC-joséphine"}
		return last(c.Devices(ctx, intune.UserDevices("josé@contoso.com"), &intune.ListDevicesOptions{Filter: filter, ContinueFrom: from}))
	},
	"pages of devices": func(ctx context.Context, c *intune.Client, from string) (err error) {
		filter := intune.DeviceFilter{DeviceName: "PC-joséphine", UserPrincipalName: "josé@contoso.com"}
		pager := c.NewListDevicesPager(intune.AllDevices(), &intune.ListDevicesOptions{Filter: filter, ContinueFrom: from})
		for err == nil && pager.More() {
			_, err = pager.NextPage(ctx)
		}
		return err
	},
	"find": func(ctx context.Context, c *intune.Client, _ string) error {
		_, err := c.FindDevice(ctx, intune.DeviceFilter{DeviceName: "PC-joséphine", UserPrincipalName: "josé@contoso.com"}, nil)
		return err
	},
	"audit events": func(ctx context.Context, c *intune.Client, from string) error {
		filter := intune.AuditFilter{ActorUserPrincipalName: "josé@contoso.com", ActivityType: "PC-joséphine"}
		return last(c.AuditEvents(ctx, &intune.ListAuditEventsOptions{Filter: filter, ContinueFrom: from}))
	},
}

// last is the error with which a listing ends.
func last[T any](rows iter.Seq2[T, error]) (last error) {
	for _, err := range rows {
		last = err
	}
	return last
}

// A next link need not repeat the filter or the user of the first page, and the service may quote them all the same. So
// may azcore's log of what the caller's transport says.
func TestError_HidesWhatTheFirstPageAskedFor(t *testing.T) { //nolint:paralleltest // azcore's log listener is the process's
	const next = graphLists + "managedDevices?$skiptoken=7"
	for name, list := range listings {
		for _, echo := range echoes {
			for _, from := range []string{"", next} {
				said := echo + " has no PC-JOSÉPHINE here"
				for kind, fails := range map[string]transportFunc{
					"answer": always(http.StatusForbidden, `{"error":{"code":"x","message":`+quote(said)+`}}`),
					"broken": func(*http.Request) (*http.Response, error) { return nil, errors.New(said) },
				} {
					text := graphtest.CaptureLog(t)
					client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
						if from == "" && !strings.Contains(req.URL.RawQuery, "skiptoken") {
							return answer(req, http.StatusOK, nil, `{"value":[],"@odata.nextLink":"`+next+`"}`), nil
						}
						return fails(req)
					}), noRetries)
					err := list(t.Context(), client, from)
					shown := strings.ToLower(fmt.Sprint(err, text.String()))
					shown = strings.ReplaceAll(shown, "/users/jos%c3%a9@contoso.com/", "") // azcore logs paths
					if strings.Contains(shown, "jos") || !strings.Contains(shown, "redacted has no redacted here") {
						t.Errorf("%s, %s, from %q: %s", name, kind, from, shown)
					}
				}
			}
		}
	}
}

// A token that is no JSON web token is told only by comparing.
func TestError_OwnTokenStaysOut(t *testing.T) {
	t.Parallel()
	const body = `{"error":{"code":"InvalidAuthenticationToken","message":"The token opaque-token is malformed"}}`
	for _, code := range []int{400, 401, 403, 500} {
		client := newClient(t, always(code, body), noRetries)
		_, write := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
		_, read := client.GetDevice(t.Context(), intune.Device("1"), nil)
		for _, err := range []error{write, read} {
			if e := asError(t, err); strings.Contains(err.Error(), "opaque-token") || !strings.Contains(e.Message, "malformed") {
				t.Errorf("%d: %v", code, err)
			}
		}
	}
}

const (
	secretName  = "secret-name"
	secretQuery = "deviceName%20eq%20%27secret-name%27"
)

// What a filter or a skip token holds is in no error, whoever quotes it: the transport, the service, or azcore's log.
func TestError_QueriesAreNotQuoted(t *testing.T) { //nolint:paralleltest // azcore's log listener is the process's
	text := graphtest.CaptureLog(t)
	collected := &graphtest.Spans{}
	transportError := func(form func(*http.Request) error) func(*http.Request) (*http.Response, error) {
		return func(req *http.Request) (*http.Response, error) { return nil, form(req) }
	}
	echo := func(code int, body string) func(*http.Request) (*http.Response, error) {
		return func(req *http.Request) (*http.Response, error) {
			return answer(req, code, http.Header{"Content-Type": {"application/json"}, "Retry-After": {"0"}}, body), nil
		}
	}
	asked := func(req *http.Request) string { return req.URL.String() }
	const address = "https://graph.microsoft.com/v1.0/x?$filter=" + secretQuery
	for name, fails := range map[string]func(*http.Request) (*http.Response, error){ //nolint:paralleltest // as above
		"url.Error": transportError(func(r *http.Request) error {
			return &url.Error{Op: "Get", URL: asked(r), Err: errors.New("secret-free trouble")}
		}),
		"wrapped url.Error": transportError(func(r *http.Request) error {
			return fmt.Errorf("proxy: %w", &url.Error{Op: "Get", URL: asked(r), Err: fmt.Errorf("at %s", asked(r))})
		}),
		"text with the URL":   transportError(func(r *http.Request) error { return errors.New("GET " + asked(r) + " failed") }),
		"text with the path":  transportError(func(r *http.Request) error { return errors.New("GET " + r.URL.RequestURI() + " failed") }),
		"text with the query": transportError(func(r *http.Request) error { return errors.New("refused: " + r.URL.RawQuery) }),
		"the query, decoded": transportError(func(r *http.Request) error {
			text, _ := url.PathUnescape(r.URL.RawQuery)
			return errors.New("refused: " + text)
		}),
		"429": echo(429, `{"error":{"code":"TooManyRequests","message":"Too many: `+address+`"}}`),
		"400 with the URL": echo(400, `{"error":{"code":"BadRequest","message":"cannot serve `+address+`&x=1",
			"details":[{"code":"d","message":"$filter=deviceName eq 'secret-name'","target":"$skiptoken=secret-name"}]}}`),
		"400 nested": echo(400, nested("no: $filter=deviceName eq 'secret-name' - "+
			"Url: https://fef.manage.microsoft.com/x?$skiptoken=secret-name", 2)),
		"400 with clause": echo(400, `{"error":{"code":"BadRequest",
			"message":"Invalid filter clause: Syntax error at position 12 in 'deviceName eq 'secret-name''."}}`),
		"400 with value": echo(400, `{"error":{"code":"BadRequest","message":"The value 'Secret-Name' is not valid."}}`),
		"page cut":       always(200, `{"value":[{"id":"1","deviceName":"secret-name","x":`),
		"page not JSON":  always(200, `secret-name`),
		"wrong type":     always(200, `{"value":[{"id":"1","deviceName":["secret-name"]}]}`),
	} {
		t.Run(name, func(t *testing.T) {
			text.Reset()
			collected.List = nil
			client := newClient(t, transportFunc(fails), func(o *intune.ClientOptions) {
				o.Retry = policy.RetryOptions{MaxRetries: 1, RetryDelay: 1}
				o.TracingProvider = collected.Provider()
				o.Logging.AllowedQueryParams = []string{"$filter", "$skiptoken"}
			})
			filter := intune.DeviceFilter{DeviceName: secretName}
			from := graphLists + "managedDevices?$skiptoken=LastDeviceName%3d%27secret-name%27"
			_, err := ids(t, client.Devices(t.Context(), intune.AllDevices(), &intune.ListDevicesOptions{Filter: filter}))
			_, findErr := client.FindDevice(t.Context(), filter, nil)
			_, fromErr := ids(t, client.Devices(t.Context(), intune.AllDevices(), &intune.ListDevicesOptions{ContinueFrom: from}))
			for _, err := range []error{err, findErr, fromErr} {
				e := asError(t, err)
				checkText(t, err)
				if shown := graphtest.Renderings(err, e.Message, e.Hint, e.Details, e.Target); strings.Contains(strings.ToLower(shown), secretName) {
					t.Errorf("an error shows it: %s", shown)
				}
				for cause := range chain(err) {
					// Its text holds the whole body, as is documented.
					if _, raw := cause.(*azcore.ResponseError); !raw && //nolint:errorlint // of the causes, this one
						strings.Contains(cause.Error(), secretName) {
						t.Errorf("%T in the chain shows it: %v", cause, cause)
					}
				}
			}
			if logged := text.String(); strings.Contains(logged, secretName) || !strings.Contains(logged, "[Retry]") {
				t.Errorf("the log shows it, or nothing: %s", logged)
			}
			for _, made := range collected.List {
				if shown := fmt.Sprintf("%+v", *made); strings.Contains(shown, secretName) {
					t.Errorf("a span shows it: %s", shown)
				}
			}
		})
	}
}

// With body logging on, no answer that can hold a secret is logged, not even the one that follows a claims challenge.
func TestClient_BodiesWithSecretsAreNotLogged(t *testing.T) { //nolint:paralleltest // azcore's log listener is the process's
	const secret = "s12-secret"
	text := graphtest.CaptureLog(t)
	body := `{"id":"1","remoteAssistanceSessionUrl":"https://get.teamviewer.com/` + secret + `","remoteAssistanceSessionErrorDetails":null,` +
		`"onboardingUrl":"https://login.teamviewer.com/` + secret + `"}`
	page := `{"value":[` + body + `],` +
		`"@odata.nextLink":"https://graph.microsoft.com/v1.0/deviceManagement/managedDevices?$skiptoken=` + secret + `"}`
	requests := 0
	transport := transportFunc(func(req *http.Request) (*http.Response, error) {
		header := http.Header{"Content-Type": {"application/json"}}
		if requests++; requests == 1 { // azcore sends the request once more, past the log again
			header.Set("WWW-Authenticate", `Bearer error="insufficient_claims", claims="e30="`)
			return answer(req, http.StatusUnauthorized, header, ""), nil
		}
		if strings.HasSuffix(req.URL.Path, "s") {
			return answer(req, http.StatusOK, header, page), nil
		}
		return answer(req, http.StatusOK, header, body), nil
	})
	client, err := intune.NewClient(&tokenDesk{}, &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: transport, Logging: policy.LogOptions{IncludeBody: true},
		PerRetryPolicies: []policy.Policy{policyFunc(func(req *policy.Request) (*http.Response, error) { return req.Next() })},
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if session, err := client.GetRemoteAssistanceSession(ctx, intune.Device("1"), nil); err != nil || session.URL.IsZero() {
		t.Error(session, err)
	}
	if device, err := client.GetDevice(ctx, intune.Device("1"), nil); err != nil || device.RemoteAssistanceSessionURL.IsZero() {
		t.Error(device, err)
	}
	_, _ = client.NewListDevicesPager(intune.AllDevices(), nil).NextPage(ctx)
	_, _ = client.NewListDetectedAppsPager(nil).NextPage(ctx)
	partners, err := client.NewListRemoteAssistancePartnersPager(nil).NextPage(ctx)
	if err != nil || len(partners.Value) != 1 {
		t.Fatalf("got %v, %v", partners.Value, err)
	}
	if partners.Value[0].OnboardingURL.IsZero() {
		t.Errorf("got %v, without its URL", partners.Value[0])
	}
	if !strings.Contains(text.String(), "[Response]") || strings.Contains(text.String(), secret) {
		t.Errorf("the log holds a body, or nothing:\n%s", text)
	}
}

// chain walks an error's tree.
func chain(err error) func(yield func(error) bool) {
	return func(yield func(error) bool) {
		var walk func(error) bool
		walk = func(err error) bool {
			if err == nil {
				return true
			}
			if !yield(err) {
				return false
			}
			switch wrapper := err.(type) { //nolint:errorlint // it walks the tree itself
			case interface{ Unwrap() error }:
				return walk(wrapper.Unwrap())
			case interface{ Unwrap() []error }:
				for _, inner := range wrapper.Unwrap() {
					if !walk(inner) {
						return false
					}
				}
			}
			return true
		}
		walk(err)
	}
}
