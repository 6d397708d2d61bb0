package intune_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
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

// bubble runs a test on a fake clock, with a tenant of its own.
func bubble(t *testing.T, name string, f func(t *testing.T, tenant *intunetest.Tenant)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) { f(t, intunetest.NewTenant(nil)) })
	})
}

// waiting is a device with what an earlier session left, and what becomes of the next.
func waiting(tenant *intunetest.Tenant, left intune.ManagedDevice, scripts ...intunetest.SessionScript) intune.DeviceRef {
	left.UserID, left.UserPrincipalName = "u1", "anna@contoso.com"
	return tenant.AddDevice(left, scripts...)
}

var (
	every    = &runtime.PollUntilDoneOptions{Frequency: 5 * time.Second}
	never    = intunetest.SessionScript{Never: true}
	leftLink = intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL(oldLink)}
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

func TestWaitForTheLink(t *testing.T) {
	t.Parallel()
	type script = intunetest.SessionScript
	leftError := intune.ManagedDevice{RemoteAssistanceSessionErrorDetails: "old trouble"}
	for name, c := range map[string]struct {
		left   intune.ManagedDevice
		script script
		accept time.Duration
		link   string
		reused bool
		fails  string
		after  time.Duration
	}{
		"nothing before, link at once": {script: script{URL: newLink, AfterReads: 1}, link: newLink},
		"link at the third look":       {script: script{URL: newLink, AfterReads: 3}, link: newLink, after: 10 * time.Second},
		"link after a minute":          {script: script{URL: newLink, After: time.Minute}, link: newLink, after: time.Minute},
		"an old link is not taken": {
			left: leftLink, script: script{URL: newLink, After: time.Minute}, link: newLink, after: time.Minute,
		},
		"an old link with AcceptExisting": {
			left: leftLink, script: script{KeepOld: true, AfterReads: 1}, accept: 30 * time.Second,
			link: oldLink, reused: true, after: 30 * time.Second,
		},
		"a new link beats AcceptExisting": {
			left: leftLink, script: script{URL: newLink, AfterReads: 2}, accept: 30 * time.Second, link: newLink, after: 5 * time.Second,
		},
		"an error": {script: script{ErrorDetails: "new trouble", AfterReads: 2}, fails: "new trouble", after: 5 * time.Second},
		"an old error is not taken": {
			left: leftError, script: script{URL: newLink, AfterReads: 2}, link: newLink, after: 5 * time.Second,
		},
		"an error after another": {
			left: leftError, script: script{ErrorDetails: "new trouble", AfterReads: 2}, fails: "new trouble", after: 5 * time.Second,
		},
		"link and error":        {script: script{URL: newLink, ErrorDetails: "but", AfterReads: 1}, link: newLink},
		"a link without https":  {script: script{URL: "http://get.teamviewer.com/new-secret", AfterReads: 1}, fails: "not https"},
		"a link to a program":   {script: script{URL: "javascript:alert(1)//new-secret", AfterReads: 1}, fails: "not a URL"},
		"a link that is no URL": {script: script{URL: "new-secret", AfterReads: 1}, fails: "not a URL"},
		"a link with a user":    {script: script{URL: "https://new-secret@get.teamviewer.com/", AfterReads: 1}, fails: "user name"},
		"an error with a link":  {script: script{ErrorDetails: "open " + newLink, AfterReads: 1}, fails: "REDACTED"},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			client, device := tenant.Client(), waiting(tenant, c.left, c.script)
			start := time.Now()
			options := &intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: c.accept}
			poller, err := client.BeginRemoteAssistance(t.Context(), device, options)
			if err != nil {
				t.Fatal(err)
			}
			session, err := poller.PollUntilDone(t.Context(), every)
			checkTook(t, start, c.after)
			checkPrompts(t, tenant, device, 1)
			if c.fails == "" {
				checkWait(t, session, err, waited{link: c.link, reused: c.reused})
				if session.Device != device {
					t.Errorf("the session is of %v, want %v", session.Device, device)
				}
				return
			}
			failed, ok := errors.AsType[*intune.SessionError](err)
			if !ok {
				t.Fatalf("got %v, want a SessionError", err)
			}
			if failed.Device != device {
				t.Errorf("the error is of %v, want %v", failed.Device, device)
			}
			if !strings.Contains(failed.Details, c.fails) {
				t.Errorf("details %q, want %q in them", failed.Details, c.fails)
			}
			if strings.Contains(err.Error(), "new-secret") {
				t.Errorf("the text shows the link: %v", err)
			}
		})
	}
}

func TestWaitIsOverWhenTheContextEnds(t *testing.T) {
	t.Parallel()
	bubble(t, "poller", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, leftLink, never)
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err = poller.PollUntilDone(ctx, every)
		if !errors.Is(err, context.DeadlineExceeded) || poller.Done() {
			t.Errorf("done %v, error %v", poller.Done(), err)
		}
		checkPrompts(t, tenant, device, 1)
	})
	bubble(t, "Open", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, never)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start := time.Now()
		session, err := tenant.Client().OpenRemoteAssistance(ctx, device, &intune.OpenRemoteAssistanceOptions{MaxWait: -1})
		checkTook(t, start, time.Hour)
		checkKinds(t, err, intune.ErrSessionPending, context.DeadlineExceeded)
		checkSays(t, err, "accepted")
		checkPrompts(t, tenant, device, 1)
		if !session.URL.IsZero() {
			t.Errorf("got the link %q", session.URL.Reveal())
		}
	})
}

// C§2.1: the link comes only from GET by id with $select; C§3.3: $ must not be escaped.
func TestWireOfTheSession(t *testing.T) {
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

func TestBeginFailsWhenNothingWasAsked(t *testing.T) {
	t.Parallel()
	action := intunetest.Fault{Method: http.MethodPost, Status: http.StatusForbidden, Code: "Forbidden", Message: "no", Nested: true}
	for name, c := range map[string]struct {
		fault   intunetest.Fault
		is      error
		actions int
	}{
		"the action is refused": {action, intune.ErrForbidden, 1},
		"the baseline is denied": {
			intunetest.Fault{Method: http.MethodGet, Status: http.StatusForbidden, Code: "Forbidden"}, intune.ErrForbidden, 0,
		},
		"nobody can connect": {intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropConnect, Times: -1}, nil, 0},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{})
			tenant.Inject(c.fault)
			poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
			if poller != nil || err == nil {
				t.Errorf("got %v, %v", poller, err)
			}
			checkKinds(t, err, c.is)
			actions := 0
			for _, request := range tenant.Requests() {
				if request.Method == http.MethodPost {
					actions++
				}
			}
			if actions != c.actions || tenant.Prompts(device) != 0 {
				t.Errorf("%d actions, %d prompts", actions, tenant.Prompts(device))
			}
		})
	}
}

// An open outcome is settled by looking: a new link or text proves that the request went through.
func TestUnknownOutcomeIsSettledByLooking(t *testing.T) {
	t.Parallel()
	for _, drop := range []intunetest.DropMode{intunetest.DropBefore, intunetest.DropAfter} {
		for name, c := range map[string]struct {
			script  intunetest.SessionScript
			confirm time.Duration
			ok      bool
			fails   bool
			after   time.Duration
		}{
			"link":             {intunetest.SessionScript{URL: newLink, AfterReads: 3}, 0, true, false, 10 * time.Second},
			"error":            {intunetest.SessionScript{ErrorDetails: "trouble", AfterReads: 3}, 0, false, true, 10 * time.Second},
			"nothing":          {never, 0, false, false, 2 * time.Minute},
			"nothing, shorter": {never, 30 * time.Second, false, false, 30 * time.Second},
		} {
			bubble(t, fmt.Sprint(name, " ", drop), func(t *testing.T, tenant *intunetest.Tenant) {
				device := waiting(tenant, intune.ManagedDevice{}, c.script)
				tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: drop})
				start := time.Now()
				options := &intune.BeginRemoteAssistanceOptions{ConfirmWithin: c.confirm}
				poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, options)
				if err != nil {
					t.Fatal(err)
				}
				session, err := poller.PollUntilDone(t.Context(), every)
				acted := drop == intunetest.DropAfter
				_, failed := errors.AsType[*intune.SessionError](err)
				switch {
				case acted && c.ok:
					if err != nil || session.URL.Reveal() != newLink {
						t.Errorf("got %v, %v", session, err)
					}
				case acted && c.fails:
					if !failed {
						t.Errorf("got %v", err)
					}
				case !errors.Is(err, intune.ErrOutcomeUnknown) || !session.URL.IsZero():
					t.Errorf("got %v, %v", session, err)
				}
				want := c.after
				if !acted {
					want = max(c.confirm, 0)
					if want == 0 {
						want = 2 * time.Minute
					}
				}
				checkTook(t, start, want)
				if n := tenant.Prompts(device); n > 1 || (n == 1) != acted {
					t.Errorf("the user was asked %d times", n)
				}
			})
		}
	}
}

func TestPassingTroubleDoesNotLoseTheSession(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault intunetest.Fault
	}{
		"throttled for long":    {intunetest.Fault{Status: http.StatusTooManyRequests, Times: 40}},
		"unavailable":           {intunetest.Fault{Status: http.StatusServiceUnavailable, Times: 20}},
		"server errors":         {intunetest.Fault{Status: http.StatusInternalServerError, Times: 20}},
		"broken connections":    {intunetest.Fault{Drop: intunetest.DropBefore, Times: 20}},
		"no connections":        {intunetest.Fault{Drop: intunetest.DropConnect, Times: 20}},
		"not found for a while": {intunetest.Fault{Status: http.StatusNotFound, Code: "ResourceNotFound", Times: 5}},
		"half an answer":        {intunetest.Fault{Truncate: 20, Times: 9}},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, AfterReads: 1})
			client := tenant.Client()
			poller, err := client.BeginRemoteAssistance(t.Context(), device, nil)
			if err != nil {
				t.Fatal(err)
			}
			c.fault.Method = http.MethodGet
			tenant.Inject(c.fault)
			session, err := poller.PollUntilDone(t.Context(), every)
			checkWait(t, session, err, waited{link: newLink})
			checkPrompts(t, tenant, device, 1)
		})
	}
}

// A refusal ends PollUntilDone, but not the poller, and the token still resumes the wait.
func TestPollerGoesOnAfterARefusal(t *testing.T) {
	t.Parallel()
	bubble(t, "403, then better", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, AfterReads: 2})
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		tenant.Inject(intunetest.Fault{Method: http.MethodGet, Status: http.StatusForbidden, Code: "Forbidden"})
		if _, err := poller.PollUntilDone(t.Context(), every); !errors.Is(err, intune.ErrForbidden) || poller.Done() {
			t.Fatalf("done %v, error %v", poller.Done(), err)
		}
		if token, err := poller.ResumeToken(); err != nil || token == "" {
			t.Errorf("no token: %v", err)
		}
		if session, err := poller.PollUntilDone(t.Context(), every); err != nil || session.URL.Reveal() != newLink {
			t.Errorf("got %v, %v", session, err)
		}
	})
	bubble(t, "gone for good", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, never)
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		tenant.RemoveDevice(device)
		start := time.Now()
		if _, err := poller.PollUntilDone(t.Context(), every); !errors.Is(err, intune.ErrNotFound) || time.Since(start) != time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

func TestPollResponsesHoldNoLink(t *testing.T) {
	t.Parallel()
	bubble(t, "body", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, AfterReads: 1})
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := poller.Poll(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body != http.NoBody || resp.Request != nil {
			t.Errorf("body %v, request %v", resp.Body, resp.Request)
		}
		if id := resp.Header.Get("request-id"); resp.StatusCode != http.StatusOK || id == "" {
			t.Errorf("status %d, request id %q", resp.StatusCode, id)
		}
	})
}

func TestOptionsOfTheWaitAreChecked(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	client, device := tenant.Client(), waiting(tenant, intune.ManagedDevice{})
	token := begin(t, tenant, device, nil)
	before := len(tenant.Requests())
	for name, o := range map[string]intune.WaitForRemoteAssistanceOptions{
		"AcceptExistingAfter": {AcceptExistingAfter: -1},
		"ConfirmWithin":       {ConfirmWithin: -time.Second},
		"Frequency":           {Frequency: -1},
		"MaxAge":              {MaxAge: -1},
	} {
		errs := map[string]error{}
		_, errs["WaitFor"] = client.WaitForRemoteAssistance(t.Context(), token, &o)
		if name != "Frequency" {
			_, errs["Resume"] = client.ResumeRemoteAssistance(t.Context(), token, &intune.ResumeRemoteAssistanceOptions{
				AcceptExistingAfter: o.AcceptExistingAfter, ConfirmWithin: o.ConfirmWithin, MaxAge: o.MaxAge,
			})
		}
		if name != "MaxAge" {
			_, errs["Open"] = client.OpenRemoteAssistance(t.Context(), device, &intune.OpenRemoteAssistanceOptions{
				AcceptExistingAfter: o.AcceptExistingAfter, ConfirmWithin: o.ConfirmWithin, Frequency: o.Frequency,
			})
		}
		if name != "MaxAge" && name != "Frequency" {
			_, errs["Begin"] = client.BeginRemoteAssistance(t.Context(), device, &intune.BeginRemoteAssistanceOptions{
				AcceptExistingAfter: o.AcceptExistingAfter, ConfirmWithin: o.ConfirmWithin,
			})
		}
		for method, err := range errs {
			if !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), "options."+name+" is negative") {
				t.Errorf("%s: %s: got %v", method, name, err)
			}
		}
	}
	for _, device := range []intune.DeviceRef{{}, intune.Device("a/b"), intune.UserDevice("..", "d1")} {
		_, errBegin := client.BeginRemoteAssistance(t.Context(), device, nil)
		_, errOpen := client.OpenRemoteAssistance(t.Context(), device, nil)
		for _, err := range []error{errBegin, errOpen} {
			if !errors.Is(err, intune.ErrInvalidArgument) || strings.Contains(err.Error(), "request") {
				t.Errorf("got %v", err)
			}
		}
	}
	if len(tenant.Requests()) != before {
		t.Errorf("sent %v", tenant.Requests()[before:])
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

// sessionOf is a read of d1 with these properties.
func sessionOf(link, details string) string {
	return `{"id":"d1","remoteAssistanceSessionUrl":` + quote(link) + `,"remoteAssistanceSessionErrorDetails":` + quote(details) + `}`
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

func TestBaselineIsTheDevicesOwn(t *testing.T) {
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

// What is no answer neither ends a wait nor counts as a sign.
func TestNoAnswerWhileWaiting(t *testing.T) {
	t.Parallel()
	for name, body := range noAnswers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				had := sessionOf(oldLink, "old trouble")
				service := &sessionService{reads: []string{had, body, had, body, sessionOf(newLink, "old trouble")}}
				poller, err := newClient(t, service, noRetries).BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil)
				if err != nil {
					t.Fatal(err)
				}
				session, err := poller.PollUntilDone(t.Context(), every)
				checkWait(t, session, err, waited{link: newLink})
				if service.looked != 5 || service.asked != 1 {
					t.Errorf("looked %d times, want 5, and asked %d times, want once", service.looked, service.asked)
				}
			})
		})
	}
	t.Run("no sign of an open outcome", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			service := &sessionService{reads: []string{sessionOf(oldLink, ""), `{}`, `null`, `{"status":"ok"}`, `{"id":"d1"}`}}
			client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				if req.Method == http.MethodPost {
					return answer(req, http.StatusGatewayTimeout, nil, ""), nil
				}
				return service.Do(req)
			}), noRetries)
			poller, err := client.BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			if _, err := poller.PollUntilDone(t.Context(), every); !errors.Is(err, intune.ErrOutcomeUnknown) || time.Since(start) != 2*time.Minute {
				t.Errorf("after %v: %v", time.Since(start), err)
			}
		})
	})
}

// The responder of the test kit is an answer at each of the addresses.
func TestSessionResponderIsAnAnswer(t *testing.T) {
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

func TestGetRemoteAssistanceSession(t *testing.T) {
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

// What was there before the request is never new: one read of a stale replica is enough to make it go and come back.
func TestWhatWasThereIsNeverNew(t *testing.T) {
	t.Parallel()
	const oldError, newError = "old trouble", "new trouble"
	had, none, hadLink, hadError := sessionOf(oldLink, oldError), sessionOf("", ""), sessionOf(oldLink, ""), sessionOf("", oldError)
	for name, c := range map[string]struct {
		reads []string
		want  waited
		looks int
	}{
		"link, none, link":         {[]string{had, none, had, sessionOf(newLink, oldError)}, waited{link: newLink}, 3},
		"again and again":          {[]string{had, none, had, hadError, had, hadLink, had, sessionOf(newLink, "")}, waited{link: newLink}, 7},
		"error, none, error":       {[]string{hadError, none, hadError, sessionOf("", newError)}, waited{fails: newError}, 3},
		"the link alone":           {[]string{had, hadLink, sessionOf(oldLink, newError)}, waited{fails: newError}, 2},
		"the error alone":          {[]string{had, hadError, sessionOf(newLink, oldError)}, waited{link: newLink}, 2},
		"none before, then a link": {[]string{none, hadLink}, waited{link: oldLink}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &sessionService{reads: c.reads}
				poller, err := newClient(t, service).BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil)
				if err != nil {
					t.Fatal(err)
				}
				session, err := poller.PollUntilDone(t.Context(), every)
				checkWait(t, session, err, c.want)
				if service.looked-1 != c.looks {
					t.Errorf("over after %d looks, want %d", service.looked-1, c.looks)
				}
			})
		})
	}
}

// AcceptExistingAfter takes what was there, if it is there and fit to open, and only then.
func TestAcceptExistingAfter(t *testing.T) {
	t.Parallel()
	none, had, got := sessionOf("", ""), sessionOf(oldLink, ""), sessionOf(newLink, "")
	insecure := sessionOf("http://get.teamviewer.com/old-secret", "")
	for name, c := range map[string]struct {
		reads []string
		want  waited
		after time.Duration
	}{
		"no link at all":       {[]string{none, none, none, none, got}, waited{link: newLink}, 15 * time.Second},
		"gone when time is up": {[]string{had, had, had, none, got}, waited{link: newLink}, 15 * time.Second},
		"back when time is up": {[]string{had, none, had}, waited{link: oldLink, reused: true}, 10 * time.Second},
		"not https":            {[]string{insecure, insecure, insecure, insecure, got}, waited{link: newLink}, 15 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := newClient(t, &sessionService{reads: c.reads})
				options := &intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: 10 * time.Second}
				poller, err := client.BeginRemoteAssistance(t.Context(), intune.Device("d1"), options)
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				session, err := poller.PollUntilDone(t.Context(), every)
				checkTook(t, start, c.after)
				checkWait(t, session, err, c.want)
			})
		})
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

func TestDetailsBesideALinkAreCleaned(t *testing.T) {
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

// A minute of 404 is a device that is being moved, counted from when it went missing last.
func TestNotFoundIsCountedFromTheLastSight(t *testing.T) {
	t.Parallel()
	bubble(t, "twice fifty seconds", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, After: 2 * time.Minute})
		start := time.Now()
		missing := func(intunetest.RecordedRequest) bool {
			at := time.Since(start)
			return at > 0 && at <= 50*time.Second || at > time.Minute && at <= 110*time.Second
		}
		tenant.Inject(intunetest.Fault{
			Method: http.MethodGet, Status: http.StatusNotFound, Code: "ResourceNotFound", Times: -1, Match: missing,
		})
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		session, err := poller.PollUntilDone(t.Context(), every)
		checkWait(t, session, err, waited{link: newLink})
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
		"once":                             {plain, 20 * time.Second, 21 * time.Second, 0},
		"just short of a minute":           {plain, 20 * time.Second, 80 * time.Second, 0},
		"a minute":                         {plain, 20 * time.Second, 81 * time.Second, 80 * time.Second},
		"for good":                         {plain, 20 * time.Second, never, 80 * time.Second},
		"from the first read":              {plain, time.Second, never, 65 * time.Second},
		"says canceled, for a while":       {fmt.Errorf("identity endpoint: %w", context.Canceled), 20 * time.Second, 80 * time.Second, 0},
		"says canceled, for good":          {fmt.Errorf("identity endpoint: %w", context.Canceled), 20 * time.Second, never, 80 * time.Second},
		"says that its time is over":       {context.DeadlineExceeded, 20 * time.Second, never, 80 * time.Second},
		"a sign-in is needed":              {&azidentity.AuthenticationRequiredError{}, 20 * time.Second, 21 * time.Second, 20 * time.Second},
		"a sign-in is needed, within":      {fmt.Errorf("chain: %w", &azidentity.AuthenticationRequiredError{}), 20 * time.Second, 21 * time.Second, 20 * time.Second},
		"a code for a person, in its text": {errors.New("az: AADSTS70043: the refresh token has expired"), 20 * time.Second, 21 * time.Second, 20 * time.Second},
		"a code that may pass":             {errors.New("az: AADSTS90033: a transient error has occurred"), 20 * time.Second, 80 * time.Second, 0},
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
				if hint := asError(t, err).Hint; !strings.Contains(hint, "credential") && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
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

// A wait that continues has read nothing before, so its first read is where a text that cannot be a token shows.
func TestResumedWaitWithABadTokenEnds(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"blank": "", "two words": "a b"} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			token := begin(t, tenant, waiting(tenant, intune.ManagedDevice{}, never), nil)
			client, err := intune.NewClient(intune.StaticToken(text), tenant.ClientOptions())
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			_, err = client.WaitForRemoteAssistance(t.Context(), token, nil)
			checkTook(t, start, 0)
			checkKinds(t, err, intune.ErrSessionPending, intune.ErrInvalidArgument)
		})
	}
}

func TestErrorsInsideOpen(t *testing.T) {
	t.Parallel()
	bubble(t, "the context ends while the outcome is open", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, never)
		tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := tenant.Client().OpenRemoteAssistance(ctx, device, nil)
		checkKinds(t, err, intune.ErrSessionPending, intune.ErrOutcomeUnknown, context.DeadlineExceeded)
		if strings.Contains(fmt.Sprint(err), "accepted") {
			t.Errorf("it says more than is known: %v", err)
		}
	})
	bubble(t, "the context ends in a read", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, never)
		client := tenant.Client()
		start := time.Now()
		later := func(intunetest.RecordedRequest) bool { return time.Since(start) > 0 }
		tenant.Inject(intunetest.Fault{Method: http.MethodGet, Delay: time.Hour, Times: -1, Match: later})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := client.OpenRemoteAssistance(ctx, device, nil)
		checkTook(t, start, time.Minute)
		checkKinds(t, err, intune.ErrSessionPending, context.DeadlineExceeded)
	})
	bubble(t, "a read is refused", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, never)
		start := time.Now()
		later := func(intunetest.RecordedRequest) bool { return time.Since(start) > 0 }
		tenant.Inject(intunetest.Fault{Method: http.MethodGet, Status: http.StatusForbidden, Code: "Forbidden", Match: later})
		_, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, nil)
		checkKinds(t, err, intune.ErrSessionPending, intune.ErrForbidden)
		if op := asError(t, err).Op; op != "read the remote-assistance session" {
			t.Errorf("Op %q", op)
		}
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// The cause of a wait that ends is what is wrong now, and not what was wrong for a while.
func TestCauseOfAWaitThatEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		times int
		cause error
	}{
		"reads fail for a while":  {8, nil},
		"reads fail to the end":   {-1, intune.ErrServer},
		"reads never fail at all": {0, nil},
	} {
		for _, open := range []bool{false, true} {
			bubble(t, name+map[bool]string{true: ", outcome open"}[open], func(t *testing.T, tenant *intunetest.Tenant) {
				device := waiting(tenant, intune.ManagedDevice{}, never)
				if open {
					tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
				}
				token := begin(t, tenant, device, nil)
				if c.times != 0 {
					tenant.Inject(intunetest.Fault{Method: http.MethodGet, Status: http.StatusInternalServerError, Times: c.times})
				}
				_, err := tenant.Client().WaitForRemoteAssistance(t.Context(), token, nil)
				checkKinds(t, err, intune.ErrSessionPending, kindIf(open, intune.ErrOutcomeUnknown), c.cause)
				if cause := errors.Unwrap(err); (cause != nil) != (c.cause != nil) {
					t.Errorf("the cause is %v, want %v", cause, c.cause)
				}
			})
		}
	}
}

// A wait that found out where reads are served stays there, in another process too.
func TestResumedWaitStaysWhereReadsAreServed(t *testing.T) {
	t.Parallel()
	bubble(t, "detected app", func(t *testing.T, tenant *intunetest.Tenant) {
		plain := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, AfterReads: 3})
		tenant.AddDetectedApp(intune.DetectedApp{ID: "app1"}, plain)
		device := intune.DetectedAppDevice("app1", plain.DeviceID())
		token := begin(t, tenant, device, nil)
		sent := len(tenant.Requests())
		session, err := tenant.Client().WaitForRemoteAssistance(t.Context(), token, nil)
		if err != nil || session.Device != device {
			t.Fatalf("got %v, %v", session, err)
		}
		apps := 0
		for _, request := range tenant.Requests()[sent:] {
			if strings.Contains(request.Path, "/detectedApps/") {
				apps++
			}
		}
		if apps != 1 || len(tenant.Requests())-sent != 4 {
			t.Errorf("%d of %d reads at the app's address", apps, len(tenant.Requests())-sent)
		}
	})
}

// The ids and the time of the request stay with the wait, from process to process.
func TestIDsOfTheRequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault intunetest.Fault
		id    bool
	}{
		"accepted":     {intunetest.Fault{}, true},
		"open":         {intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter}, false},
		"open, a body": {intunetest.Fault{Method: http.MethodPost, Status: http.StatusGatewayTimeout, Effect: true}, true},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, After: time.Minute})
			if c.fault.Method != "" {
				tenant.Inject(c.fault)
			}
			start := time.Now()
			time.Sleep(time.Second) //nolint:forbidigo // the bubble's clock
			_, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, &intune.OpenRemoteAssistanceOptions{MaxWait: time.Second})
			pending, ok := errors.AsType[*intune.PendingError](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			sent := ""
			for _, request := range tenant.Requests() {
				if request.Method == http.MethodPost {
					sent = request.Header.Get("client-request-id")
				}
			}
			session, err := tenant.Client().WaitForRemoteAssistance(t.Context(), pending.ResumeToken, nil)
			checkWait(t, session, err, waited{link: newLink})
			if session.Device != device {
				t.Errorf("the session is of %v, want %v", session.Device, device)
			}
			if sent == "" {
				t.Error("the request had no id")
			}
			if pending.ClientRequestID != sent || session.ClientRequestID != sent {
				t.Errorf("sent %q, PendingError has %q, the session %q", sent, pending.ClientRequestID, session.ClientRequestID)
			}
			if pending.RequestID != session.RequestID || (session.RequestID != "") != c.id {
				t.Errorf("PendingError has %q, the session %q", pending.RequestID, session.RequestID)
			}
			if want := start.Add(time.Second); !session.RequestedAt.Equal(want) || !pending.RequestedAt.Equal(want) {
				t.Errorf("requested at %v, %v, want %v", pending.RequestedAt, session.RequestedAt, want)
			}
		})
	}
	bubble(t, "session error", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{ErrorDetails: "trouble", AfterReads: 1})
		_, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, nil)
		failed, ok := errors.AsType[*intune.SessionError](err)
		if !ok {
			t.Fatalf("got %v, want a SessionError", err)
		}
		if failed.RequestID == "" || !guid.MatchString(failed.ClientRequestID) {
			t.Errorf("ids %q and %q", failed.RequestID, failed.ClientRequestID)
		}
	})
}

// Throttled tries of the request may take minutes, which are not taken from the time to look for a sign.
func TestLimitsCountFromTheRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &sessionService{reads: []string{sessionOf("", "")}}
		tries := 0
		client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
			if req.Method != http.MethodPost {
				return service.Do(req)
			}
			if tries++; tries == 1 {
				return answer(req, http.StatusTooManyRequests, http.Header{"Retry-After": {"170"}}, ""), nil
			}
			return answer(req, http.StatusGatewayTimeout, nil, ""), nil
		}))
		start := time.Now()
		_, err := client.OpenRemoteAssistance(t.Context(), intune.Device("d1"), nil)
		checkTook(t, start, 170*time.Second+2*time.Minute)
		checkKinds(t, err, intune.ErrSessionPending, intune.ErrOutcomeUnknown, intune.ErrUnavailable)
		pending, ok := errors.AsType[*intune.PendingError](err)
		if !ok {
			t.Fatalf("got %v, want a PendingError", err)
		}
		if after := pending.RequestedAt.Sub(start); after != 170*time.Second {
			t.Errorf("requested after %v", after)
		}
	})
}

// What a method of the wait says is a group of fields in structured logs.
func TestWaitIsLoggedAsGroups(t *testing.T) {
	t.Parallel()
	device, at := intune.UserDevice("anna-secret@contoso.com", "d1"), time.Date(2026, 8, 20, 7, 8, 9, 0, time.UTC)
	link := intune.NewSessionURL(newLink)
	for name, c := range map[string]struct {
		value any
		want  string
	}{
		"session": {
			intune.RemoteAssistanceSession{
				Device: device, URL: link, ErrorDetails: "e", Reused: true, RequestID: "r", ClientRequestID: "c", RequestedAt: at,
			},
			`{"device":"device d1 (user address)","url":"REDACTED","error_details":"e","reused":true,` +
				`"request_id":"r","client_request_id":"c","requested_at":"2026-08-20T07:08:09Z"}`,
		},
		"no session": {intune.RemoteAssistanceSession{Device: device}, `{"device":"device d1 (user address)","url":""}`},
		"session error": {
			&intune.SessionError{Device: device, Details: "d", Hint: "h", RequestID: "r", ClientRequestID: "c"},
			`{"device":"device d1 (user address)","details":"d","hint":"h","request_id":"r","client_request_id":"c"}`,
		},
		"pending": {
			&intune.PendingError{Device: device, RequestID: "r", ClientRequestID: "c", RequestedAt: at, ResumeToken: "token-secret"},
			`{"device":"device d1 (user address)","request_id":"r","client_request_id":"c","requested_at":"2026-08-20T07:08:09Z"}`,
		},
		"ambiguous": {
			&intune.AmbiguousDeviceError{Candidates: []intune.ManagedDevice{
				{ID: "1", DeviceName: "PC", SerialNumber: "S1", LastSyncDateTime: at, UserPrincipalName: "anna-secret@contoso.com"},
				{ID: "2", DeviceName: "PC"},
			}},
			`{"count":2,"candidate_1":{"id":"1","name":"PC","serial":"S1","last_sync":"2026-08-20T07:08:09Z"},` +
				`"candidate_2":{"id":"2","name":"PC"}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			slog.New(slog.NewJSONHandler(&b, nil)).Info("m", "value", c.value)
			var line map[string]json.RawMessage
			if err := json.Unmarshal(b.Bytes(), &line); err != nil || string(line["value"]) != c.want {
				t.Errorf("got %s, %v\nwant %s", line["value"], err, c.want)
			}
		})
	}
	bubble(t, "a real one", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, never)
		tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
		_, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, nil)
		var b bytes.Buffer
		slog.New(slog.NewJSONHandler(&b, nil)).Info("m", "value", err)
		for _, part := range []string{`"outcome_unknown":true`, `"cause":"request remote assistance on device ` + device.DeviceID()} {
			if !strings.Contains(b.String(), part) {
				t.Errorf("%s is missing from %s", part, b.String())
			}
		}
	})
}

// The span of a method that waits shows the ids of the request, and not those of its latest look.
func TestSpanOfAWait(t *testing.T) {
	t.Parallel()
	bubble(t, "Open and WaitFor", func(t *testing.T, tenant *intunetest.Tenant) {
		collected := &graphtest.Spans{}
		options := tenant.ClientOptions()
		options.TracingProvider = collected.Provider()
		client, err := intune.NewClient(tenant.Credential(), options)
		if err != nil {
			t.Fatal(err)
		}
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, After: time.Hour})
		_, err = client.OpenRemoteAssistance(t.Context(), device, nil)
		pending, ok := errors.AsType[*intune.PendingError](err)
		if !ok {
			t.Fatal(err)
		}
		forGood := &intune.WaitForRemoteAssistanceOptions{MaxWait: -1}
		if _, err := client.WaitForRemoteAssistance(t.Context(), pending.ResumeToken, forGood); err != nil {
			t.Fatal(err)
		}
		if _, err := client.ResumeRemoteAssistance(t.Context(), pending.ResumeToken, nil); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, made := range collected.List {
			seen[made.Name] = true
			if made.Name != "Client.OpenRemoteAssistance" && made.Name != "Client.WaitForRemoteAssistance" {
				continue
			}
			if made.Attributes["az.service_request_id"] != pending.RequestID || made.Attributes["az.client_request_id"] != pending.ClientRequestID {
				t.Errorf("%s has %v, want %s", made.Name, made.Attributes, pending.RequestID)
			}
		}
		for _, name := range []string{"Client.OpenRemoteAssistance", "Client.WaitForRemoteAssistance", "Client.ResumeRemoteAssistance"} {
			if !seen[name] {
				t.Errorf("no span %s among %v", name, collected.Names())
			}
		}
	})
}

// azcore's own spans of a poller appear beside the library's.
func TestSpanOfThePoller(t *testing.T) {
	t.Parallel()
	collected := &graphtest.Spans{}
	service := &sessionService{reads: []string{sessionOf("", ""), sessionOf(newLink, "")}}
	client := newClient(t, service, func(o *intune.ClientOptions) { o.TracingProvider = collected.Provider() })
	poller, err := client.BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	before := len(collected.List)
	if _, err := poller.PollUntilDone(t.Context(), every); err != nil {
		t.Fatal(err)
	}
	if names := collected.Names()[before:]; len(names) == 0 || !strings.HasPrefix(names[0], "Poller[") {
		t.Errorf("spans %v", names)
	}
}

// The end of every Open says whether the user was asked.
func TestOpenSaysWhetherTheUserWasAsked(t *testing.T) {
	t.Parallel()
	type fault = intunetest.Fault
	post := func(f fault) fault { f.Method = http.MethodPost; return f }
	lost := post(fault{Drop: intunetest.DropAfter})
	refusedReads := fault{Method: http.MethodGet, Status: http.StatusForbidden, Code: "Forbidden", Times: -1}
	failingReads := fault{Method: http.MethodGet, Status: http.StatusInternalServerError, Times: -1}
	hangingReads := fault{Method: http.MethodGet, Delay: 24 * time.Hour, Times: -1}
	overtime := context.DeadlineExceeded
	for name, c := range map[string]struct {
		fault           fault
		later           fault // from the first look on
		script          intunetest.SessionScript
		maxWait, accept time.Duration
		within          time.Duration
		pending         bool
		unknown         bool
		failed          bool
		cause           error
		after           time.Duration
	}{
		"refused":                {fault: post(fault{Status: http.StatusForbidden, Code: "Forbidden"}), cause: intune.ErrForbidden},
		"no connection":          {fault: post(fault{Drop: intunetest.DropConnect, Times: -1})},
		"baseline refused":       {fault: refusedReads, cause: intune.ErrForbidden},
		"ended before":           {fault: hangingReads, within: time.Minute, cause: overtime, after: time.Minute},
		"session error":          {script: intunetest.SessionScript{ErrorDetails: "trouble", AfterReads: 1}, failed: true},
		"MaxWait by itself":      {script: never, pending: true, after: 10 * time.Minute},
		"MaxWait given":          {script: never, maxWait: time.Hour, pending: true, after: time.Hour},
		"MaxWait below the pace": {script: never, maxWait: time.Second, pending: true, after: time.Second},
		"MaxWait never":          {script: never, maxWait: -1, within: 12 * time.Hour, pending: true, cause: overtime, after: 12 * time.Hour},
		"the context ends":       {script: never, within: time.Minute, pending: true, cause: overtime, after: time.Minute},
		"reads refused later":    {script: never, later: refusedReads, pending: true, cause: intune.ErrForbidden},
		"reads fail to the end":  {script: never, later: failingReads, pending: true, cause: intune.ErrServer, after: 10 * time.Minute},
		"reads hang to the end":  {script: never, later: hangingReads, pending: true, after: 10 * time.Minute},
		"open, no sign":          {fault: lost, script: never, pending: true, unknown: true, after: 2 * time.Minute},
		"open, a status": {
			fault: post(fault{Status: http.StatusGatewayTimeout}), script: never,
			pending: true, unknown: true, cause: intune.ErrUnavailable, after: 2 * time.Minute,
		},
		"open, Accept… later": {fault: lost, script: never, accept: time.Hour, pending: true, unknown: true, after: 2 * time.Minute},
		"open, MaxWait first": {fault: lost, script: never, maxWait: time.Minute, pending: true, unknown: true, after: time.Minute},
		"open, the context first": {
			fault: lost, script: never, within: time.Minute, pending: true, unknown: true, cause: overtime, after: time.Minute,
		},
		"the context ends in the ask": {
			fault: post(fault{Delay: time.Hour, Effect: true}), script: never, within: time.Minute,
			pending: true, unknown: true, cause: overtime, after: time.Minute,
		},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{}, c.script)
			tenant.Inject(c.fault)
			options := &intune.OpenRemoteAssistanceOptions{MaxWait: c.maxWait, AcceptExistingAfter: c.accept}
			if c.later.Method != "" {
				options.OnRequested = func(string) { tenant.Inject(c.later) }
			}
			ctx := t.Context()
			if c.within > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, c.within)
				defer cancel()
			}
			start := time.Now()
			session, err := tenant.Client().OpenRemoteAssistance(ctx, device, options)
			took := time.Since(start).Truncate(time.Millisecond) // a try more costs a nanosecond
			pending, isPending := errors.AsType[*intune.PendingError](err)
			_, isFailed := errors.AsType[*intune.SessionError](err)
			if err == nil || !session.URL.IsZero() {
				t.Errorf("got %v, %v", session, err)
			}
			if isPending != c.pending || isFailed != c.failed {
				t.Errorf("a PendingError: %v, a SessionError: %v: %v", isPending, isFailed, err)
			}
			checkKinds(t, err, kindIf(c.pending, intune.ErrSessionPending), kindIf(c.unknown, intune.ErrOutcomeUnknown), c.cause)
			if c.after > 0 && took != c.after {
				t.Errorf("took %v, want %v", took, c.after)
			}
			asked, says := tenant.Prompts(device) > 0, isPending || isFailed
			if asked && !says {
				t.Errorf("the user was asked, and the error is %v", err)
			}
			if sure := isPending && !c.unknown; sure && !asked {
				t.Errorf("the user was not asked, and the error is %v", err)
			}
			if !isPending {
				return
			}
			if pending.Device != device {
				t.Errorf("the error is of %v, want %v", pending.Device, device)
			}
			if pending.RequestID == "" && !c.unknown {
				t.Error("the error has no request id")
			}
			if id, at := pending.ClientRequestID, pending.RequestedAt; !guid.MatchString(id) || at.IsZero() {
				t.Errorf("client request id %q, requested at %v", id, at)
			}
			checkSays(t, err, device.DeviceID(), "WaitForRemoteAssistance", "do not ask again")
			accepted, open := strings.Contains(err.Error(), "accepted"), strings.Contains(err.Error(), "outcome unknown: the request was sent")
			if accepted == c.unknown || open != c.unknown {
				t.Errorf("says %v", err)
			}
			prompts := tenant.Prompts(device)
			tenant.ClearFaults()
			_, err = tenant.Client().WaitForRemoteAssistance(t.Context(), pending.ResumeToken, nil)
			if !errors.Is(err, intune.ErrSessionPending) {
				t.Errorf("the wait goes on to %v", err)
			}
			checkPrompts(t, tenant, device, prompts)
		})
	}
}

// An error that Begin returns means that nobody was asked; the poller's own errors mean the opposite.
func TestPollerSaysThatTheUserWasAsked(t *testing.T) {
	t.Parallel()
	bubble(t, "a refused read", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, never)
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		tenant.Inject(intunetest.Fault{Method: http.MethodGet, Status: http.StatusForbidden, Code: "Forbidden"})
		_, err = poller.Poll(t.Context())
		pending, ok := errors.AsType[*intune.PendingError](err)
		if !ok || poller.Done() {
			t.Fatalf("done %v, error %v, want a PendingError", poller.Done(), err)
		}
		checkKinds(t, err, intune.ErrSessionPending, intune.ErrForbidden)
		if token, err := poller.ResumeToken(); err != nil || token != pending.ResumeToken {
			t.Errorf("the tokens differ: %v", err)
		}
	})
	bubble(t, "no sign", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, never)
		tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = poller.PollUntilDone(t.Context(), every)
		pending, ok := errors.AsType[*intune.PendingError](err)
		if !ok || !poller.Done() {
			t.Fatalf("done %v, error %v, want a PendingError", poller.Done(), err)
		}
		checkKinds(t, err, intune.ErrSessionPending, intune.ErrOutcomeUnknown)
		if op := asError(t, err).Op; op != "request remote assistance" {
			t.Errorf("Op %q", op)
		}
		again, err := tenant.Client().ResumeRemoteAssistance(t.Context(), pending.ResumeToken, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = again.PollUntilDone(t.Context(), every)
		checkKinds(t, err, intune.ErrSessionPending, intune.ErrOutcomeUnknown)
		if cause := errors.Unwrap(err); cause != nil {
			t.Errorf("the cause is %v", cause)
		}
	})
	// azcore waits between two polls, and gives the context's error as it is.
	bubble(t, "the context ends in azcore", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, never)
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Second)
		defer cancel()
		_, err = poller.PollUntilDone(ctx, every)
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, intune.ErrSessionPending) {
			t.Errorf("got %v, so the doc comment of BeginRemoteAssistance is out of date", err)
		}
		if _, err := poller.ResumeToken(); err != nil {
			t.Error(err)
		}
	})
}

// The texts and log values of the errors of a wait, made by hand.
func TestSessionErrorText(t *testing.T) {
	t.Parallel()
	device := intune.Device("1")
	const pending = "remote assistance on device 1: the request was accepted, but no link has come yet; the user may see a prompt already, " +
		"so do not ask again: go on with WaitForRemoteAssistance and this error's ResumeToken"
	for name, c := range map[string]struct {
		made error
		text string
	}{
		"pending":             {&intune.PendingError{Device: device}, pending},
		"pending, request id": {&intune.PendingError{Device: device, RequestID: "r", ClientRequestID: "c"}, pending + "; request id r"},
		"pending, client id":  {&intune.PendingError{Device: device, ClientRequestID: "c"}, pending + "; client request id c"},
		"failed": {
			&intune.SessionError{Device: device, Details: "a\nb", RequestID: "r"}, "remote assistance on device 1 failed: a b",
		},
		"failed, hint": {
			&intune.SessionError{Device: device, Details: "a", Hint: "h"}, "remote assistance on device 1 failed: a; hint: h",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.made.Error(); got != c.text {
				t.Errorf("got %q, want %q", got, c.text)
			}
		})
	}
}

func TestCauseInTheTextOfAPendingError(t *testing.T) {
	t.Parallel()
	bubble(t, "outcome open, reads fail", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, never)
		tenant.Inject(intunetest.Fault{Method: http.MethodPost, Status: http.StatusGatewayTimeout})
		_, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, nil)
		const want = ": outcome unknown: the request was sent, or may have been, and there is no sign yet that it was carried out: " +
			"request remote assistance on device "
		checkSays(t, err, want, "504 Gateway Timeout")
	})
}

// The hints for the service's words about a session, and none for others.
func TestSessionHints(t *testing.T) {
	t.Parallel()
	const (
		connector = "the TeamViewer connector of the tenant is not set up: an administrator connects it in the Intune admin center; " +
			"RemoteAssistanceConnector shows its state"
		platform = "remote assistance works on Windows"
		license  = "license with integration rights"
	)
	for details, hint := range map[string]string{
		"The tenant is not Onboarded": connector, "no connector": connector, "TeamViewer is not configured": connector,
		"TeamViewer was not set up": connector, "The TeamViewer account is gone": connector,
		"Not supported on this device": platform, "unsupported": platform, "wrong platform": platform, "the operating system is old": platform,
		"no license": license, "no licence": license, //nolint:misspell // the British spelling occurs too
		"the user said no": "",
	} {
		t.Run(details, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, reads(says(200, sessionOf("", "")), says(200, sessionOf("", details))))
			poller, err := client.BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = poller.PollUntilDone(t.Context(), every)
			failed, ok := err.(*intune.SessionError) //nolint:errorlint // it comes as it is
			if !ok {
				t.Fatalf("got %T: %v", err, err)
			}
			if !strings.Contains(failed.Hint, hint) || (failed.Hint == "") != (hint == "") {
				t.Errorf("the hint is %q, want %q", failed.Hint, hint)
			}
			if strings.Contains(err.Error(), "hint") != (hint != "") {
				t.Errorf("the text is %v, and the hint %q", err, hint)
			}
		})
	}
}
