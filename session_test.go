package intune_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/jarcoal/httpmock"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
)

const (
	oldLink = graphtest.OldLink
	newLink = graphtest.NewLink
)

// waited is what a wait found.
type waited struct {
	link   string
	reused bool
	fails  string // the details of a SessionError, or the text of another error
}

func resultOf(session intune.RemoteAssistanceSession, err error) waited {
	got := waited{link: session.URL.Reveal(), reused: session.Reused}
	if failed, ok := errors.AsType[*intune.SessionError](err); ok {
		got.fails = failed.Details
	} else if err != nil {
		got.fails = err.Error()
	}
	return got
}

func checkWait(t *testing.T, session intune.RemoteAssistanceSession, err error, want waited) {
	t.Helper()
	if got := resultOf(session, err); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// checkTook looks at a bubble's clock.
func checkTook(t *testing.T, start time.Time, want time.Duration) {
	t.Helper()
	if took := time.Since(start); took != want {
		t.Errorf("took %v, want %v", took, want)
	}
}

func checkPrompts(t *testing.T, tenant *intunetest.Tenant, device intune.DeviceRef, want int) {
	t.Helper()
	if n := tenant.Prompts(device); n != want {
		t.Errorf("the user was asked %d times, want %d", n, want)
	}
}

// C§2.1: the link comes only from GET by id with $select; C§3.3: $ must not be escaped.
func TestOpenRemoteAssistance_OnTheWire(t *testing.T) {
	t.Parallel()
	const query = "$select=id,remoteAssistanceSessionUrl,remoteAssistanceSessionErrorDetails"
	for name, c := range map[string]struct {
		device func(id string) intune.DeviceRef
		want   func(id string) []string
	}{
		"plain": {intune.Device, func(id string) []string {
			at := "/v1.0/deviceManagement/managedDevices/" + id
			return []string{"GET " + at, "POST " + at + "/requestRemoteAssistance", "GET " + at}
		}},
		"user": {func(id string) intune.DeviceRef { return intune.UserDevice("anna@contoso.com", id) }, func(id string) []string {
			at := "/v1.0/users/anna@contoso.com/managedDevices/" + id
			return []string{"GET " + at, "POST " + at + "/requestRemoteAssistance", "GET " + at}
		}},
		"detected app, whose reads are refused (C§3.4)": {
			func(id string) intune.DeviceRef { return intune.DetectedAppDevice("app1", id) },
			func(id string) []string {
				at, plain := "/v1.0/deviceManagement/detectedApps/app1/managedDevices/"+id, "/v1.0/deviceManagement/managedDevices/"+id
				return []string{"GET " + at, "GET " + plain, "POST " + at + "/requestRemoteAssistance", "GET " + plain}
			},
		},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			plain := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, AfterReads: 1})
			tenant.AddDetectedApp(intune.DetectedApp{ID: "app1"}, plain)
			device := c.device(plain.DeviceID())
			session, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, nil)
			checkWait(t, session, err, waited{link: newLink})
			if session.Device != device {
				t.Errorf("the session is of %v, want %v", session.Device, device)
			}
			var got []string
			for _, request := range tenant.Requests() {
				got = append(got, request.Method+" "+request.Path)
				if request.Method == http.MethodGet && request.RawQuery != query {
					t.Errorf("query %s", request.RawQuery)
				}
			}
			if want := c.want(plain.DeviceID()); strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// sessionService has the device d1. It accepts every request, and gives its reads in turn, the last one for ever.
type sessionService struct {
	reads []string

	mu            sync.Mutex
	looked, asked int
}

func (s *sessionService) Do(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if req.Method == http.MethodPost {
		s.asked++
		return answer(req, http.StatusNoContent, nil, ""), nil
	}
	body := s.reads[min(s.looked, len(s.reads)-1)]
	s.looked++
	return answer(req, http.StatusOK, http.Header{"Request-Id": {"r1"}}, body), nil
}

// noAnswers are bodies with status 200 that say nothing about the session of d1.
var noAnswers = map[string]string{
	"empty":                 ``,
	"null":                  `null`,
	"empty object":          `{}`,
	"a captive portal":      `{"status":"ok"}`,
	"a list":                `[]`,
	"text":                  `"ok"`,
	"a page":                `<html>Sign in</html>`,
	"no id":                 `{"remoteAssistanceSessionUrl":null,"remoteAssistanceSessionErrorDetails":null}`,
	"id null":               `{"id":null,"remoteAssistanceSessionUrl":null,"remoteAssistanceSessionErrorDetails":null}`,
	"id blank":              `{"id":"","remoteAssistanceSessionUrl":null,"remoteAssistanceSessionErrorDetails":null}`,
	"another id":            `{"id":"d2","remoteAssistanceSessionUrl":null,"remoteAssistanceSessionErrorDetails":null}`,
	"only the id":           `{"id":"d1"}`,
	"no link":               `{"id":"d1","remoteAssistanceSessionErrorDetails":null}`,
	"no error text":         `{"id":"d1","remoteAssistanceSessionUrl":null}`,
	"only the id, in value": `{"value":{"id":"d1"}}`,
	"no link, in value":     `{"value":{"id":"d1","remoteAssistanceSessionErrorDetails":null}}`,
	"no text, in value":     `{"value":{"id":"d1","remoteAssistanceSessionUrl":null}}`,
	"one here, one there":   `{"remoteAssistanceSessionUrl":null,"value":{"id":"d1","remoteAssistanceSessionErrorDetails":null}}`,
}

// sessionAnswers say that d1 has no session.
var sessionAnswers = map[string]string{
	"null":         `{"id":"d1","remoteAssistanceSessionUrl":null,"remoteAssistanceSessionErrorDetails":null}`,
	"blank":        sessionOf("", ""),
	"white space":  sessionOf(" ", "\t"),
	"in value":     `{"value":` + sessionOf("", "") + `}`,
	"another case": `{"ID":"D1","RemoteAssistanceSessionURL":"","REMOTEASSISTANCESESSIONERRORDETAILS":null}`,
	"with other members": `{"@odata.context":"x","id":"d1","notes":"n",` +
		`"remoteAssistanceSessionUrl":"","remoteAssistanceSessionErrorDetails":null}`,
	"with a byte-order mark": "\ufeff" + sessionOf("", ""),
}

func TestBeginRemoteAssistance_BaselineIsTheDevicesOwn(t *testing.T) {
	t.Parallel()
	for name, body := range noAnswers {
		t.Run("refused: "+name, func(t *testing.T) {
			t.Parallel()
			service := &sessionService{reads: []string{body}}
			client := newClient(t, service, noRetries)
			poller, err := client.BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil)
			if poller != nil || service.asked != 0 {
				t.Errorf("got %v; asked %d times", poller, service.asked)
			}
			if e := asError(t, err); e.Op != "read the remote-assistance session" {
				t.Errorf("Op %q of %v", e.Op, err)
			}
			checkKinds(t, err)
			if session, err := client.GetRemoteAssistanceSession(t.Context(), intune.Device("d1"), nil); err == nil {
				t.Errorf("read %v", session)
			}
		})
	}
	for name, body := range sessionAnswers {
		t.Run("accepted: "+name, func(t *testing.T) {
			t.Parallel()
			service := &sessionService{reads: []string{body}}
			client := newClient(t, service)
			if _, err := client.BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil); err != nil || service.asked != 1 {
				t.Errorf("got %v; asked %d times", err, service.asked)
			}
			session, err := client.GetRemoteAssistanceSession(t.Context(), intune.Device("d1"), nil)
			checkWait(t, session.RemoteAssistanceSession, err, waited{})
			if session.ErrorDetails != "" {
				t.Errorf("read the details %q", session.ErrorDetails)
			}
		})
	}
}

// The responder of the test kit is an answer at each of the addresses.
func TestGetRemoteAssistanceSession_ResponderOfTheKit(t *testing.T) {
	t.Parallel()
	for name, device := range map[string]intune.DeviceRef{
		"plain":        intune.Device("d1"),
		"user":         intune.UserDevice("anna@contoso.com", "d1"),
		"detected app": intune.DetectedAppDevice("a1", "d1"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mock := httpmock.NewMockTransport()
			mock.RegisterResponder(http.MethodGet, `=~/managedDevices/d1$`, intunetest.Session(newLink))
			session, err := newClient(t, &http.Client{Transport: mock}).GetRemoteAssistanceSession(t.Context(), device, nil)
			if err != nil || session.URL.Reveal() != newLink {
				t.Errorf("got %v, %v", session, err)
			}
		})
	}
}

func TestGetRemoteAssistanceSession_Answers(t *testing.T) {
	t.Parallel()
	device := intune.UserDevice("anna@contoso.com", "d1")
	t.Run("what it gives", func(t *testing.T) {
		t.Parallel()
		client := newClient(t, &sessionService{reads: []string{sessionOf(" "+newLink+"\n", " see "+oldLink+" ")}})
		session, err := client.GetRemoteAssistanceSession(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := intune.GetRemoteAssistanceSessionResponse{
			RemoteAssistanceSession: intune.RemoteAssistanceSession{
				Device: device, URL: intune.NewSessionURL(newLink), ErrorDetails: "see https://get.teamviewer.com/REDACTED",
			},
			RequestID: "r1", ClientRequestID: session.ClientRequestID,
		}
		if session != want {
			t.Errorf("got %+v, want %+v", session, want)
		}
	})
	for name, link := range map[string]string{
		"http":                    "http://get.teamviewer.com/new-secret",
		"no URL":                  "new-secret",
		"opaque":                  "https:new-secret",
		"a user":                  "https://new-secret@get.teamviewer.com/",
		"a control character":     "https://get.teamviewer.com/\x7fnew-secret",
		"no host":                 "https://:443/new-secret",
		"a space":                 "https://get.teamviewer.com/a new-secret",
		"a terminal's command":    "https://get.teamviewer.com/\u009bnew-secret",
		"text from right to left": "https://get.teamviewer.com/\u202enew-secret",
		"an invisible space":      "https://get.teamviewer.com/\u200bnew-secret",
	} {
		t.Run("link: "+name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, &sessionService{reads: []string{sessionOf(link, "")}})
			session, err := client.GetRemoteAssistanceSession(t.Context(), device, nil)
			if !session.URL.IsZero() {
				t.Errorf("got the link %q", session.URL.Reveal())
			}
			e := asError(t, err)
			if got, want := [...]any{e.Device, e.StatusCode, e.RequestID}, [...]any{device, http.StatusOK, "r1"}; got != want {
				t.Errorf("the error is of %v, want %v", got, want)
			}
			checkKinds(t, err)
			if text := err.Error(); !strings.Contains(text, "withheld") || strings.Contains(text, "new-secret") {
				t.Errorf("the link is not withheld: %s", text)
			}
		})
	}
	for name, none := range map[string]intune.DeviceRef{
		"a slash": intune.Device("a/b"), "dots": intune.UserDevice("..", "d1"), "nothing": {},
	} {
		service := &sessionService{reads: []string{sessionOf("", "")}}
		_, err := newClient(t, service).GetRemoteAssistanceSession(t.Context(), none, nil)
		if !errors.Is(err, intune.ErrInvalidArgument) || service.looked != 0 {
			t.Errorf("%s: got %v after %d looks", name, err, service.looked)
		}
	}
}

// A link or error text that goes away may have expired, and is no sign that the service acted. The user may not have been
// asked; what comes later tells.
func TestPendingError_WhatHasGoneIsNoSign(t *testing.T) {
	t.Parallel()
	had := sessionOf(oldLink, "old trouble")
	for name, c := range map[string]struct {
		left string // of what was there before the request
		then string // after two minutes
		link string
	}{
		"the link has gone":             {sessionOf("", "old trouble"), sessionOf("", "old trouble"), ""},
		"the text has gone":             {sessionOf(oldLink, ""), sessionOf(oldLink, ""), ""},
		"both have gone":                {sessionOf("", ""), sessionOf("", ""), ""},
		"both have gone, then new":      {sessionOf("", ""), sessionOf(newLink, ""), newLink},
		"the link has gone and is back": {sessionOf("", "old trouble"), had, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
					switch waited := time.Since(start); {
					case req.Method == http.MethodPost:
						return answer(req, http.StatusBadGateway, nil, ""), nil // of a proxy that did not pass the request on
					case waited < 10*time.Second:
						return answer(req, http.StatusOK, nil, had), nil
					case waited < 2*time.Minute:
						return answer(req, http.StatusOK, nil, c.left), nil
					}
					return answer(req, http.StatusOK, nil, c.then), nil
				}))
				session, err := client.OpenRemoteAssistance(t.Context(), intune.Device("d1"), nil)
				if took := time.Since(start); took != 2*time.Minute {
					t.Errorf("took %v, want the time to look for a sign", took)
				}
				if session.URL.Reveal() != c.link {
					t.Errorf("link %q, want %q", session.URL.Reveal(), c.link)
				}
				if unknown := c.link == ""; errors.Is(err, intune.ErrOutcomeUnknown) != unknown {
					t.Errorf("got %v, want an unknown outcome: %v", err, unknown)
				}
				if err != nil && strings.Contains(err.Error(), "accepted") {
					t.Errorf("says without proof that the request was accepted: %v", err)
				}
			})
		})
	}
}

// A wait that ends before there was a sign says so as well, and so does its token.
func TestPendingError_TokenOfWhatHasGone(t *testing.T) {
	t.Parallel()
	bubble(t, "the link has gone", func(t *testing.T, tenant *intunetest.Tenant) {
		left := intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL(oldLink)}
		device := waiting(tenant, left, intunetest.SessionScript{ClearOld: true, URL: newLink, After: time.Hour})
		tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
		_, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, &intune.OpenRemoteAssistanceOptions{MaxWait: time.Minute})
		pending, ok := errors.AsType[*intune.PendingError](err)
		if !ok {
			t.Fatalf("got %v", err)
		}
		if !errors.Is(err, intune.ErrOutcomeUnknown) {
			t.Errorf("got %v, want an unknown outcome", err)
		}
		_, err = tenant.Client().WaitForRemoteAssistance(t.Context(), pending.ResumeToken, nil)
		if !errors.Is(err, intune.ErrOutcomeUnknown) {
			t.Errorf("the token's wait ends with %v, want an unknown outcome", err)
		}
		session, err := tenant.Client().WaitForRemoteAssistance(t.Context(), pending.ResumeToken, &intune.WaitForRemoteAssistanceOptions{
			ConfirmWithin: 2 * time.Hour, MaxWait: 2 * time.Hour,
		})
		if err != nil {
			t.Error(err)
		}
		if session.URL.Reveal() != newLink {
			t.Errorf("link %q, want the new one", session.URL.Reveal())
		}
	})
}

func TestOpenRemoteAssistance_DetailsBesideALinkAreCleaned(t *testing.T) {
	t.Parallel()
	bubble(t, "details", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, ErrorDetails: "not " + oldLink, AfterReads: 1})
		session, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, nil)
		checkWait(t, session, err, waited{link: newLink})
		if session.ErrorDetails != "not https://get.teamviewer.com/REDACTED" {
			t.Errorf("got the details %q", session.ErrorDetails)
		}
	})
}

// brief is a credential whose tokens are good for one read, if it does not fail.
func brief(fail func() error) credentialFunc {
	return func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
		return azcore.AccessToken{Token: "opaque-token", ExpiresOn: time.Now().Add(time.Second)}, fail()
	}
}

// A credential that gives no token for a while does not end a wait, unless it says that a person has to act.
func TestOpenRemoteAssistance_TokenIsNotRenewed(t *testing.T) {
	t.Parallel()
	const never = time.Hour
	plain := errors.New("the login server is out of reach")
	for name, c := range map[string]struct {
		cause    error
		from, to time.Duration // when the credential fails
		ends     time.Duration // zero: with the link, after two minutes
	}{
		"once":                       {plain, 20 * time.Second, 21 * time.Second, 0},
		"just short of a minute":     {plain, 20 * time.Second, 80 * time.Second, 0},
		"a minute":                   {plain, 20 * time.Second, 81 * time.Second, 80 * time.Second},
		"for good":                   {plain, 20 * time.Second, never, 80 * time.Second},
		"from the first read":        {plain, time.Second, never, 65 * time.Second},
		"says canceled, for a while": {fmt.Errorf("identity endpoint: %w", context.Canceled), 20 * time.Second, 80 * time.Second, 0},
		"says canceled, for good":    {fmt.Errorf("identity endpoint: %w", context.Canceled), 20 * time.Second, never, 80 * time.Second},
		"says that its time is over": {context.DeadlineExceeded, 20 * time.Second, never, 80 * time.Second},
		"a sign-in is needed":        {&azidentity.AuthenticationRequiredError{}, 20 * time.Second, 21 * time.Second, 20 * time.Second},
		"a sign-in is needed, within": {
			fmt.Errorf("chain: %w", &azidentity.AuthenticationRequiredError{}), 20 * time.Second, 21 * time.Second, 20 * time.Second,
		},
		"a code for a person, in its text": {
			errors.New("az: AADSTS70043: the refresh token has expired"), 20 * time.Second, 21 * time.Second, 20 * time.Second,
		},
		"a code that may pass": {errors.New("az: AADSTS90033: a transient error has occurred"), 20 * time.Second, 80 * time.Second, 0},
	} {
		for _, poll := range []bool{false, true} {
			bubble(t, fmt.Sprint(name, ", poller: ", poll), func(t *testing.T, tenant *intunetest.Tenant) {
				device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, After: 2 * time.Minute})
				start := time.Now()
				client, err := intune.NewClient(brief(func() error {
					if at := time.Since(start); at >= c.from && at < c.to {
						return c.cause
					}
					return nil
				}), tenant.ClientOptions())
				if err != nil {
					t.Fatal(err)
				}
				var session intune.RemoteAssistanceSession
				if poll {
					poller, errBegin := client.BeginRemoteAssistance(t.Context(), device, nil)
					if errBegin != nil {
						t.Fatal(errBegin)
					}
					session, err = poller.PollUntilDone(t.Context(), every)
				} else {
					session, err = client.OpenRemoteAssistance(t.Context(), device, &intune.OpenRemoteAssistanceOptions{Frequency: every.Frequency})
				}
				if c.ends == 0 {
					if err != nil || session.URL.Reveal() != newLink {
						t.Errorf("after %v: %v, %v", time.Since(start), session, err)
					}
					return
				}
				if took := time.Since(start); took != c.ends {
					t.Errorf("took %v, want %v", took, c.ends)
				}
				if !errors.Is(err, intune.ErrSessionPending) || !errors.Is(err, c.cause) {
					t.Errorf("got %v, want a pending session, because of the credential", err)
				}
				ofContext := errors.Is(c.cause, context.Canceled) || errors.Is(c.cause, context.DeadlineExceeded)
				if hint := asError(t, err).Hint; strings.Contains(hint, "credential") == ofContext {
					t.Errorf("hint %q", hint)
				}
				if n := tenant.Prompts(device); n != 1 {
					t.Errorf("the user was asked %d times", n)
				}
			})
		}
	}
}

// The minute begins anew after a read that had a token, whatever became of it.
func TestOpenRemoteAssistance_TokenIsNotRenewedTwice(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"a read between": http.StatusOK, "a failed read between": http.StatusServiceUnavailable} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, After: 3 * time.Minute})
			start := time.Now()
			if status != http.StatusOK {
				tenant.Inject(intunetest.Fault{Method: http.MethodGet, Status: status, Times: -1, Match: func(intunetest.RecordedRequest) bool {
					return time.Since(start) == 65*time.Second
				}})
			}
			options := tenant.ClientOptions()
			noRetries(options)
			client, err := intune.NewClient(brief(func() error {
				if at := time.Since(start); at > 5*time.Second && at != 65*time.Second && at < 2*time.Minute {
					return errors.New("out of reach")
				}
				return nil
			}), options)
			if err != nil {
				t.Fatal(err)
			}
			session, err := client.OpenRemoteAssistance(t.Context(), device, &intune.OpenRemoteAssistanceOptions{Frequency: 5 * time.Second})
			if err != nil || session.URL.Reveal() != newLink {
				t.Errorf("after %v: %v, %v", time.Since(start), session, err)
			}
		})
	}
}

// A text that the caller holds is not renewed, so that nothing is gained by waiting.
func TestStaticToken_EndsAWait(t *testing.T) {
	t.Parallel()
	bubble(t, "expires", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
		token := graphtest.JWT(map[string]any{"exp": time.Now().Add(18 * time.Second).Unix()})
		client, err := intune.NewClient(intune.StaticToken(token), tenant.ClientOptions())
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err = client.OpenRemoteAssistance(t.Context(), device, &intune.OpenRemoteAssistanceOptions{Frequency: 5 * time.Second})
		if took := time.Since(start); took != 20*time.Second {
			t.Errorf("took %v, want the first read after the end of the token", took)
		}
		if !errors.Is(err, intune.ErrSessionPending) || !errors.Is(err, intune.ErrUnauthenticated) {
			t.Errorf("got %v", err)
		}
		if !strings.Contains(err.Error(), "the static token expired at") {
			t.Errorf("does not say why: %v", err)
		}
	})
}
