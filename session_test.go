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

var every = &runtime.PollUntilDoneOptions{Frequency: 5 * time.Second}

func TestWaitForTheLink(t *testing.T) {
	t.Parallel()
	leftLink := intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL(oldLink)}
	leftError := intune.ManagedDevice{RemoteAssistanceSessionErrorDetails: "old trouble"}
	for name, c := range map[string]struct {
		left    intune.ManagedDevice
		script  intunetest.SessionScript
		options intune.BeginRemoteAssistanceOptions
		link    string
		reused  bool
		fails   string
		after   time.Duration
	}{
		"nothing before, link at once":    {script: intunetest.SessionScript{URL: newLink, AfterReads: 1}, link: newLink},
		"link at the third look":          {script: intunetest.SessionScript{URL: newLink, AfterReads: 3}, link: newLink, after: 10 * time.Second},
		"link after a minute":             {script: intunetest.SessionScript{URL: newLink, After: time.Minute}, link: newLink, after: time.Minute},
		"an old link is not taken":        {left: leftLink, script: intunetest.SessionScript{URL: newLink, After: time.Minute}, link: newLink, after: time.Minute},
		"an old link with AcceptExisting": {left: leftLink, script: intunetest.SessionScript{KeepOld: true, AfterReads: 1}, options: intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: 30 * time.Second}, link: oldLink, reused: true, after: 30 * time.Second},
		"a new link beats AcceptExisting": {left: leftLink, script: intunetest.SessionScript{URL: newLink, AfterReads: 2}, options: intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: 30 * time.Second}, link: newLink, after: 5 * time.Second},
		"an error":                        {script: intunetest.SessionScript{ErrorDetails: "new trouble", AfterReads: 2}, fails: "new trouble", after: 5 * time.Second},
		"an old error is not taken":       {left: leftError, script: intunetest.SessionScript{URL: newLink, AfterReads: 2}, link: newLink, after: 5 * time.Second},
		"an error after another":          {left: leftError, script: intunetest.SessionScript{ErrorDetails: "new trouble", AfterReads: 2}, fails: "new trouble", after: 5 * time.Second},
		"link and error":                  {script: intunetest.SessionScript{URL: newLink, ErrorDetails: "but", AfterReads: 1}, link: newLink},
		"a link without https":            {script: intunetest.SessionScript{URL: "http://get.teamviewer.com/new-secret", AfterReads: 1}, fails: "not https"},
		"a link to a program":             {script: intunetest.SessionScript{URL: "javascript:alert(1)//new-secret", AfterReads: 1}, fails: "not a URL"},
		"a link that is no URL":           {script: intunetest.SessionScript{URL: "new-secret", AfterReads: 1}, fails: "not a URL"},
		"a link with a user":              {script: intunetest.SessionScript{URL: "https://new-secret@get.teamviewer.com/", AfterReads: 1}, fails: "user name"},
		"an error with a link":            {script: intunetest.SessionScript{ErrorDetails: "open " + newLink, AfterReads: 1}, fails: "REDACTED"},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			client, device := tenant.Client(), waiting(tenant, c.left, c.script)
			start := time.Now()
			poller, err := client.BeginRemoteAssistance(t.Context(), device, &c.options)
			if err != nil {
				t.Fatal(err)
			}
			session, err := poller.PollUntilDone(t.Context(), every)
			if time.Since(start) != c.after {
				t.Errorf("took %v, want %v", time.Since(start), c.after)
			}
			if n := tenant.Prompts(device); n != 1 {
				t.Errorf("the user was asked %d times", n)
			}
			if c.fails != "" {
				failed, ok := errors.AsType[*intune.SessionError](err)
				if !ok || failed.Device != device || !strings.Contains(failed.Details, c.fails) || strings.Contains(err.Error(), "new-secret") {
					t.Errorf("got %v, want a SessionError that says %q", err, c.fails)
				}
				return
			}
			if err != nil || session.URL.Reveal() != c.link || session.Reused != c.reused || session.Device != device {
				t.Errorf("got %q, reused %v, error %v", session.URL.Reveal(), session.Reused, err)
			}
		})
	}
}

func TestWaitIsOverWhenTheContextEnds(t *testing.T) {
	t.Parallel()
	bubble(t, "poller", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL(oldLink)}, intunetest.SessionScript{Never: true})
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err = poller.PollUntilDone(ctx, every)
		if !errors.Is(err, context.DeadlineExceeded) || poller.Done() || tenant.Prompts(device) != 1 {
			t.Errorf("done %v, error %v", poller.Done(), err)
		}
	})
	bubble(t, "Open", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start := time.Now()
		session, err := tenant.Client().OpenRemoteAssistance(ctx, device, &intune.OpenRemoteAssistanceOptions{MaxWait: -1})
		if time.Since(start) != time.Hour || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, intune.ErrOutcomeUnknown) || !session.URL.IsZero() ||
			!strings.Contains(err.Error(), "accepted") || tenant.Prompts(device) != 1 {
			t.Errorf("got %v, %v", session, err)
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
		"detected app, whose reads are refused (C§3.4)": {func(id string) intune.DeviceRef { return intune.DetectedAppDevice("app1", id) }, func(id string) []string {
			at, plain := "/v1.0/deviceManagement/detectedApps/app1/managedDevices/"+id, "/v1.0/deviceManagement/managedDevices/"+id
			return []string{"GET " + at, "GET " + plain, "POST " + at + "/requestRemoteAssistance", "GET " + plain}
		}},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			plain := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, AfterReads: 1})
			tenant.AddDetectedApp(intune.DetectedApp{ID: "app1"}, plain)
			device := c.device(plain.DeviceID())
			session, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, nil)
			if err != nil || session.URL.Reveal() != newLink || session.Device != device {
				t.Fatalf("got %v, %v", session, err)
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
		"the action is refused":  {action, intune.ErrForbidden, 1},
		"the baseline is denied": {intunetest.Fault{Method: http.MethodGet, Status: http.StatusForbidden, Code: "Forbidden"}, intune.ErrForbidden, 0},
		"nobody can connect":     {intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropConnect, Times: -1}, nil, 0},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{})
			tenant.Inject(c.fault)
			poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
			if poller != nil || err == nil || c.is != nil && !errors.Is(err, c.is) || errors.Is(err, intune.ErrOutcomeUnknown) {
				t.Errorf("got %v, %v", poller, err)
			}
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

// An open outcome is settled by looking: a change proves that the request went through.
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
			"nothing":          {intunetest.SessionScript{Never: true}, 0, false, false, 2 * time.Minute},
			"nothing, shorter": {intunetest.SessionScript{Never: true}, 30 * time.Second, false, false, 30 * time.Second},
		} {
			bubble(t, fmt.Sprint(name, " ", drop), func(t *testing.T, tenant *intunetest.Tenant) {
				device := waiting(tenant, intune.ManagedDevice{}, c.script)
				tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: drop})
				start := time.Now()
				poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, &intune.BeginRemoteAssistanceOptions{ConfirmWithin: c.confirm})
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
				if took := time.Since(start); took != want {
					t.Errorf("took %v, want %v", took, want)
				}
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
			if err != nil || session.URL.Reveal() != newLink || tenant.Prompts(device) != 1 {
				t.Errorf("got %v, %v", session, err)
			}
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
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
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
		if err != nil || resp.StatusCode != http.StatusOK || resp.Body != http.NoBody || resp.Request != nil || resp.Header.Get("request-id") == "" {
			t.Errorf("got %+v, %v", resp, err)
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
	"null":                   `{"id":"d1","remoteAssistanceSessionUrl":null,"remoteAssistanceSessionErrorDetails":null}`,
	"blank":                  sessionOf("", ""),
	"white space":            sessionOf(" ", "\t"),
	"in value":               `{"value":` + sessionOf("", "") + `}`,
	"another case":           `{"ID":"D1","RemoteAssistanceSessionURL":"","REMOTEASSISTANCESESSIONERRORDETAILS":null}`,
	"with other members":     `{"@odata.context":"x","id":"d1","notes":"n","remoteAssistanceSessionUrl":"","remoteAssistanceSessionErrorDetails":null}`,
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
			if e := asError(t, err); poller != nil || e.Op != "read the remote-assistance session" || errors.Is(err, intune.ErrOutcomeUnknown) || service.asked != 0 {
				t.Errorf("got %v, %v; asked %d times", poller, err, service.asked)
			}
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
			if session, err := client.GetRemoteAssistanceSession(t.Context(), intune.Device("d1"), nil); err != nil || !session.URL.IsZero() || session.ErrorDetails != "" {
				t.Errorf("read %v, %v", session, err)
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
				service := &sessionService{reads: []string{sessionOf(oldLink, "old trouble"), body, sessionOf(oldLink, "old trouble"), body, sessionOf(newLink, "old trouble")}}
				poller, err := newClient(t, service, noRetries).BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil)
				if err != nil {
					t.Fatal(err)
				}
				session, err := poller.PollUntilDone(t.Context(), every)
				if err != nil || session.URL.Reveal() != newLink || service.looked != 5 || service.asked != 1 {
					t.Errorf("got %v, %v after %d looks", session, err, service.looked)
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
		if err != nil || session.URL.Reveal() != newLink || session.Device != device || session.RequestID != "r1" || session.Reused ||
			session.ErrorDetails != "see https://get.teamviewer.com/REDACTED" {
			t.Errorf("got %+v, %v", session, err)
		}
	})
	for name, link := range map[string]string{
		"http": "http://get.teamviewer.com/new-secret", "no URL": "new-secret", "opaque": "https:new-secret",
		"a user": "https://new-secret@get.teamviewer.com/", "a control character": "https://get.teamviewer.com/\x7fnew-secret",
		"no host": "https://:443/new-secret", "a space": "https://get.teamviewer.com/a new-secret", "a terminal's command": "https://get.teamviewer.com/\u009bnew-secret",
		"text from right to left": "https://get.teamviewer.com/\u202enew-secret", "an invisible space": "https://get.teamviewer.com/\u200bnew-secret",
	} {
		t.Run("link: "+name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, &sessionService{reads: []string{sessionOf(link, "")}})
			session, err := client.GetRemoteAssistanceSession(t.Context(), device, nil)
			if e := asError(t, err); !session.URL.IsZero() || e.Device != device || e.StatusCode != http.StatusOK || e.RequestID != "r1" || errors.Is(err, intune.ErrOutcomeUnknown) ||
				!strings.Contains(err.Error(), "withheld") || strings.Contains(err.Error(), "new-secret") {
				t.Errorf("got %v, %v", session, err)
			}
		})
	}
	for name, none := range map[string]intune.DeviceRef{"a slash": intune.Device("a/b"), "dots": intune.UserDevice("..", "d1"), "nothing": {}} {
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
	had := sessionOf(oldLink, oldError)
	for name, c := range map[string]struct {
		reads []string
		link  string // of the session
		fails string
		looks int
	}{
		"link, none, link":         {[]string{had, sessionOf("", ""), had, sessionOf(newLink, oldError)}, newLink, "", 3},
		"again and again":          {[]string{had, sessionOf("", ""), had, sessionOf("", oldError), had, sessionOf(oldLink, ""), had, sessionOf(newLink, "")}, newLink, "", 7},
		"error, none, error":       {[]string{sessionOf("", oldError), sessionOf("", ""), sessionOf("", oldError), sessionOf("", newError)}, "", newError, 3},
		"the link alone":           {[]string{had, sessionOf(oldLink, ""), sessionOf(oldLink, newError)}, "", newError, 2},
		"the error alone":          {[]string{had, sessionOf("", oldError), sessionOf(newLink, oldError)}, newLink, "", 2},
		"none before, then a link": {[]string{sessionOf("", ""), sessionOf(oldLink, "")}, oldLink, "", 1},
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
				failed, _ := errors.AsType[*intune.SessionError](err)
				if session.URL.Reveal() != c.link || session.Reused || (failed != nil) != (c.fails != "") || failed != nil && failed.Details != c.fails {
					t.Errorf("got %q, %v", session.URL.Reveal(), err)
				}
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
	const insecure = "http://get.teamviewer.com/old-secret"
	for name, c := range map[string]struct {
		reads []string
		link  string
		after time.Duration
	}{
		"no link at all":       {[]string{sessionOf("", ""), sessionOf("", ""), sessionOf("", ""), sessionOf("", ""), sessionOf(newLink, "")}, newLink, 15 * time.Second},
		"gone when time is up": {[]string{sessionOf(oldLink, ""), sessionOf(oldLink, ""), sessionOf(oldLink, ""), sessionOf("", ""), sessionOf(newLink, "")}, newLink, 15 * time.Second},
		"back when time is up": {[]string{sessionOf(oldLink, ""), sessionOf("", ""), sessionOf(oldLink, "")}, oldLink, 10 * time.Second},
		"not https":            {[]string{sessionOf(insecure, ""), sessionOf(insecure, ""), sessionOf(insecure, ""), sessionOf(insecure, ""), sessionOf(newLink, "")}, newLink, 15 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := newClient(t, &sessionService{reads: c.reads})
				poller, err := client.BeginRemoteAssistance(t.Context(), intune.Device("d1"), &intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: 10 * time.Second})
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				session, err := poller.PollUntilDone(t.Context(), every)
				if err != nil || session.URL.Reveal() != c.link || session.Reused != (c.link == oldLink) || time.Since(start) != c.after {
					t.Errorf("after %v: %q, reused %v, error %v", time.Since(start), session.URL.Reveal(), session.Reused, err)
				}
			})
		})
	}
}

// A link or error text that went away proves that the service acted, so that the wait is no longer one for a sign.
func TestClearingSettlesAnOpenOutcome(t *testing.T) {
	t.Parallel()
	for name, left := range map[string]intune.ManagedDevice{
		"link":  {RemoteAssistanceSessionURL: intune.NewSessionURL(oldLink)},
		"error": {RemoteAssistanceSessionErrorDetails: "old trouble"},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, left, intunetest.SessionScript{ClearOld: true, URL: newLink, After: time.Hour})
			tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
			poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			if session, err := poller.PollUntilDone(t.Context(), every); err != nil || session.URL.Reveal() != newLink || time.Since(start) != time.Hour {
				t.Errorf("after %v: %v, %v", time.Since(start), session, err)
			}
		})
	}
}

func TestDetailsBesideALinkAreCleaned(t *testing.T) {
	t.Parallel()
	bubble(t, "details", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, ErrorDetails: "not " + oldLink, AfterReads: 1})
		session, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, nil)
		if err != nil || session.URL.Reveal() != newLink || session.ErrorDetails != "not https://get.teamviewer.com/REDACTED" {
			t.Errorf("got %q, %v", session.ErrorDetails, err)
		}
	})
}

// A minute of 404 is a device that is being moved, counted from when it went missing last.
func TestNotFoundIsCountedFromTheLastSight(t *testing.T) {
	t.Parallel()
	bubble(t, "twice fifty seconds", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, After: 2 * time.Minute})
		start := time.Now()
		tenant.Inject(intunetest.Fault{Method: http.MethodGet, Status: http.StatusNotFound, Code: "ResourceNotFound", Times: -1, Match: func(intunetest.RecordedRequest) bool {
			at := time.Since(start)
			return at > 0 && at <= 50*time.Second || at > time.Minute && at <= 110*time.Second
		}})
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		if session, err := poller.PollUntilDone(t.Context(), every); err != nil || session.URL.Reveal() != newLink {
			t.Errorf("after %v: %v, %v", time.Since(start), session, err)
		}
	})
}

// failingCredential gives a token so many times and then fails.
type failingCredential struct {
	left  int
	cause error
}

func (c *failingCredential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if c.left--; c.left < 0 {
		return azcore.AccessToken{}, c.cause
	}
	return azcore.AccessToken{Token: "opaque-token", ExpiresOn: time.Now().Add(10 * time.Minute)}, nil
}

// Without a token there will be no answer later either, so the wait does not go on.
func TestWaitWithoutATokenEnds(t *testing.T) {
	t.Parallel()
	bubble(t, "credential", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
		cause := errors.New("the certificate was revoked")
		client, err := intune.NewClient(&failingCredential{left: 1, cause: cause}, tenant.ClientOptions())
		if err != nil {
			t.Fatal(err)
		}
		poller, err := client.BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err = poller.PollUntilDone(t.Context(), every)
		if !errors.Is(err, intune.ErrUnauthenticated) || !errors.Is(err, cause) || time.Since(start) > 11*time.Minute || poller.Done() {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

// A wait that continues has read nothing before, so its first read is where a text that cannot be a token shows.
func TestResumedWaitWithABadTokenEnds(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"blank": "", "two words": "a b"} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			token := begin(t, tenant, waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true}), nil)
			client, err := intune.NewClient(intune.StaticToken(text), tenant.ClientOptions())
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			_, err = client.WaitForRemoteAssistance(t.Context(), token, nil)
			if !errors.Is(err, intune.ErrSessionPending) || !errors.Is(err, intune.ErrInvalidArgument) || time.Since(start) != 0 {
				t.Errorf("after %v: %v", time.Since(start), err)
			}
		})
	}
}

func TestErrorsInsideOpen(t *testing.T) {
	t.Parallel()
	bubble(t, "the context ends while the outcome is open", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
		tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := tenant.Client().OpenRemoteAssistance(ctx, device, nil)
		if !errors.Is(err, intune.ErrOutcomeUnknown) || !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "accepted") {
			t.Errorf("got %v", err)
		}
	})
	bubble(t, "the context ends in a read", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
		client := tenant.Client()
		start := time.Now()
		tenant.Inject(intunetest.Fault{Method: http.MethodGet, Delay: time.Hour, Times: -1, Match: func(intunetest.RecordedRequest) bool { return time.Since(start) > 0 }})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := client.OpenRemoteAssistance(ctx, device, nil)
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, intune.ErrOutcomeUnknown) || time.Since(start) != time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
	bubble(t, "a read is refused", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
		start := time.Now()
		tenant.Inject(intunetest.Fault{Method: http.MethodGet, Status: http.StatusForbidden, Code: "Forbidden", Match: func(intunetest.RecordedRequest) bool { return time.Since(start) > 0 }})
		_, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, nil)
		if !errors.Is(err, intune.ErrForbidden) || asError(t, err).Op != "read the remote-assistance session" || time.Since(start) > 4*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
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
				device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
				if open {
					tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
				}
				token := begin(t, tenant, device, nil)
				if c.times != 0 {
					tenant.Inject(intunetest.Fault{Method: http.MethodGet, Status: http.StatusInternalServerError, Times: c.times})
				}
				_, err := tenant.Client().WaitForRemoteAssistance(t.Context(), token, nil)
				if !errors.Is(err, intune.ErrSessionPending) || errors.Is(err, intune.ErrOutcomeUnknown) != open || (errors.Unwrap(err) != nil) != (c.cause != nil) || c.cause != nil && !errors.Is(err, c.cause) {
					t.Errorf("got %v", err)
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
			if err != nil || session.URL.Reveal() != newLink || session.Device != device {
				t.Fatalf("got %v, %v", session, err)
			}
			if pending.ClientRequestID != sent || session.ClientRequestID != sent || sent == "" {
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
		if !ok || failed.RequestID == "" || !guid.MatchString(failed.ClientRequestID) {
			t.Errorf("got %v", err)
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
		pending, ok := errors.AsType[*intune.PendingError](err)
		if !ok || !errors.Is(err, intune.ErrOutcomeUnknown) || time.Since(start) != 170*time.Second+2*time.Minute || pending.RequestedAt.Sub(start) != 170*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
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
			intune.RemoteAssistanceSession{Device: device, URL: link, ErrorDetails: "e", Reused: true, RequestID: "r", ClientRequestID: "c", RequestedAt: at},
			`{"device":"device d1 (user address)","url":"REDACTED","error_details":"e","reused":true,"request_id":"r","client_request_id":"c","requested_at":"2026-08-20T07:08:09Z"}`,
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
				{ID: "1", DeviceName: "PC", SerialNumber: "S1", LastSyncDateTime: at, UserPrincipalName: "anna-secret@contoso.com"}, {ID: "2", DeviceName: "PC"},
			}},
			`{"count":2,"candidate_1":{"id":"1","name":"PC","serial":"S1","last_sync":"2026-08-20T07:08:09Z"},"candidate_2":{"id":"2","name":"PC"}}`,
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
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
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
		if _, err := client.WaitForRemoteAssistance(t.Context(), pending.ResumeToken, &intune.WaitForRemoteAssistanceOptions{MaxWait: -1}); err != nil {
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
		if !seen["Client.OpenRemoteAssistance"] || !seen["Client.WaitForRemoteAssistance"] || !seen["Client.ResumeRemoteAssistance"] {
			t.Errorf("spans %v", collected.Names())
		}
	})
}

// azcore's own spans of a poller appear beside the library's.
func TestSpanOfThePoller(t *testing.T) {
	t.Parallel()
	collected := &graphtest.Spans{}
	client := newClient(t, &sessionService{reads: []string{sessionOf("", ""), sessionOf(newLink, "")}}, func(o *intune.ClientOptions) { o.TracingProvider = collected.Provider() })
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
	post := func(f intunetest.Fault) intunetest.Fault { f.Method = http.MethodPost; return f }
	refusedReads := intunetest.Fault{Method: http.MethodGet, Status: http.StatusForbidden, Code: "Forbidden", Times: -1}
	for name, c := range map[string]struct {
		fault   intunetest.Fault
		later   intunetest.Fault // from the first look on
		script  intunetest.SessionScript
		options intune.OpenRemoteAssistanceOptions
		within  time.Duration
		pending bool
		unknown bool
		failed  bool
		cause   error
		after   time.Duration
	}{
		"refused":                     {fault: post(intunetest.Fault{Status: http.StatusForbidden, Code: "Forbidden"}), cause: intune.ErrForbidden},
		"no connection":               {fault: post(intunetest.Fault{Drop: intunetest.DropConnect, Times: -1})},
		"baseline refused":            {fault: refusedReads, cause: intune.ErrForbidden},
		"ended before":                {fault: intunetest.Fault{Method: http.MethodGet, Delay: time.Hour}, within: time.Minute, cause: context.DeadlineExceeded, after: time.Minute},
		"session error":               {script: intunetest.SessionScript{ErrorDetails: "trouble", AfterReads: 1}, failed: true},
		"MaxWait by itself":           {script: intunetest.SessionScript{Never: true}, pending: true, after: 10 * time.Minute},
		"MaxWait given":               {script: intunetest.SessionScript{Never: true}, options: intune.OpenRemoteAssistanceOptions{MaxWait: time.Hour}, pending: true, after: time.Hour},
		"MaxWait below the pace":      {script: intunetest.SessionScript{Never: true}, options: intune.OpenRemoteAssistanceOptions{MaxWait: time.Second}, pending: true, after: time.Second},
		"MaxWait never":               {script: intunetest.SessionScript{Never: true}, options: intune.OpenRemoteAssistanceOptions{MaxWait: -1}, within: 12 * time.Hour, pending: true, cause: context.DeadlineExceeded, after: 12 * time.Hour},
		"the context ends":            {script: intunetest.SessionScript{Never: true}, within: time.Minute, pending: true, cause: context.DeadlineExceeded, after: time.Minute},
		"reads refused later":         {script: intunetest.SessionScript{Never: true}, later: refusedReads, pending: true, cause: intune.ErrForbidden},
		"reads fail to the end":       {script: intunetest.SessionScript{Never: true}, later: intunetest.Fault{Method: http.MethodGet, Status: http.StatusInternalServerError, Times: -1}, pending: true, cause: intune.ErrServer, after: 10 * time.Minute},
		"reads hang to the end":       {script: intunetest.SessionScript{Never: true}, later: intunetest.Fault{Method: http.MethodGet, Delay: 24 * time.Hour, Times: -1}, pending: true, after: 10 * time.Minute},
		"open, no sign":               {fault: post(intunetest.Fault{Drop: intunetest.DropAfter}), script: intunetest.SessionScript{Never: true}, pending: true, unknown: true, after: 2 * time.Minute},
		"open, a status":              {fault: post(intunetest.Fault{Status: http.StatusGatewayTimeout}), script: intunetest.SessionScript{Never: true}, pending: true, unknown: true, cause: intune.ErrUnavailable, after: 2 * time.Minute},
		"open, Accept… later":         {fault: post(intunetest.Fault{Drop: intunetest.DropAfter}), script: intunetest.SessionScript{Never: true}, options: intune.OpenRemoteAssistanceOptions{AcceptExistingAfter: time.Hour}, pending: true, unknown: true, after: 2 * time.Minute},
		"open, MaxWait first":         {fault: post(intunetest.Fault{Drop: intunetest.DropAfter}), script: intunetest.SessionScript{Never: true}, options: intune.OpenRemoteAssistanceOptions{MaxWait: time.Minute}, pending: true, unknown: true, after: time.Minute},
		"open, the context first":     {fault: post(intunetest.Fault{Drop: intunetest.DropAfter}), script: intunetest.SessionScript{Never: true}, within: time.Minute, pending: true, unknown: true, cause: context.DeadlineExceeded, after: time.Minute},
		"the context ends in the ask": {fault: post(intunetest.Fault{Delay: time.Hour, Effect: true}), script: intunetest.SessionScript{Never: true}, within: time.Minute, pending: true, unknown: true, cause: context.DeadlineExceeded, after: time.Minute},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{}, c.script)
			tenant.Inject(c.fault)
			c.options.OnRequested = func(string) { tenant.Inject(c.later) }
			if c.later.Method == "" {
				c.options.OnRequested = nil
			}
			ctx := t.Context()
			if c.within > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, c.within)
				defer cancel()
			}
			start := time.Now()
			session, err := tenant.Client().OpenRemoteAssistance(ctx, device, &c.options)
			took := time.Since(start).Truncate(time.Millisecond) // a try more costs a nanosecond
			pending, isPending := errors.AsType[*intune.PendingError](err)
			_, isFailed := errors.AsType[*intune.SessionError](err)
			if err == nil || !session.URL.IsZero() || isPending != c.pending || errors.Is(err, intune.ErrSessionPending) != c.pending || isFailed != c.failed ||
				errors.Is(err, intune.ErrOutcomeUnknown) != c.unknown || c.cause != nil && !errors.Is(err, c.cause) ||
				errors.Is(err, context.DeadlineExceeded) != (c.cause == context.DeadlineExceeded) { //nolint:errorlint // of the table
				t.Errorf("got %v, %v", session, err)
			}
			if c.after > 0 && took != c.after {
				t.Errorf("took %v, want %v", took, c.after)
			}
			if asked := tenant.Prompts(device) > 0; asked && !isPending && !isFailed || !asked && isPending && !c.unknown {
				t.Errorf("asked %v, and the error is %v", asked, err)
			}
			if !isPending {
				return
			}
			if pending.Device != device || !guid.MatchString(pending.ClientRequestID) || pending.RequestedAt.IsZero() || pending.RequestID == "" && !c.unknown {
				t.Errorf("got %+v", *pending)
			}
			for _, part := range []string{device.DeviceID(), "WaitForRemoteAssistance", "do not ask again"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is missing: %v", part, err)
				}
			}
			if strings.Contains(err.Error(), "accepted") == c.unknown || strings.Contains(err.Error(), "outcome unknown: the request was sent") != c.unknown {
				t.Errorf("says %v", err)
			}
			prompts := tenant.Prompts(device)
			tenant.ClearFaults()
			if _, err := tenant.Client().WaitForRemoteAssistance(t.Context(), pending.ResumeToken, nil); !errors.Is(err, intune.ErrSessionPending) || tenant.Prompts(device) != prompts {
				t.Errorf("the wait goes on to %v, with %d prompts", err, tenant.Prompts(device))
			}
		})
	}
}

// An error that Begin returns means that nobody was asked; the poller's own errors mean the opposite.
func TestPollerSaysThatTheUserWasAsked(t *testing.T) {
	t.Parallel()
	bubble(t, "a refused read", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		tenant.Inject(intunetest.Fault{Method: http.MethodGet, Status: http.StatusForbidden, Code: "Forbidden"})
		_, err = poller.Poll(t.Context())
		pending, ok := errors.AsType[*intune.PendingError](err)
		if !ok || !errors.Is(err, intune.ErrForbidden) || errors.Is(err, intune.ErrOutcomeUnknown) || poller.Done() {
			t.Fatalf("got %v", err)
		}
		if token, err := poller.ResumeToken(); err != nil || token != pending.ResumeToken {
			t.Errorf("the tokens differ: %v", err)
		}
	})
	bubble(t, "no sign", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
		tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = poller.PollUntilDone(t.Context(), every)
		pending, ok := errors.AsType[*intune.PendingError](err)
		if !ok || !errors.Is(err, intune.ErrOutcomeUnknown) || !poller.Done() || asError(t, err).Op != "request remote assistance" {
			t.Fatalf("got %v", err)
		}
		again, err := tenant.Client().ResumeRemoteAssistance(t.Context(), pending.ResumeToken, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.PollUntilDone(t.Context(), every); !errors.Is(err, intune.ErrOutcomeUnknown) || !errors.Is(err, intune.ErrSessionPending) || errors.Unwrap(err) != nil {
			t.Errorf("got %v", err)
		}
	})
	// azcore waits between two polls, and gives the context's error as it is.
	bubble(t, "the context ends in azcore", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
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
	const goOn = "; the user may see a prompt already, so do not ask again: go on with WaitForRemoteAssistance and this error's ResumeToken"
	for name, c := range map[string]struct {
		made error
		text string
	}{
		"pending":             {&intune.PendingError{Device: intune.Device("1")}, "remote assistance on device 1: the request was accepted, but no link has come yet" + goOn},
		"pending, request id": {&intune.PendingError{Device: intune.Device("1"), RequestID: "r", ClientRequestID: "c"}, "remote assistance on device 1: the request was accepted, but no link has come yet" + goOn + "; request id r"},
		"pending, client id":  {&intune.PendingError{Device: intune.Device("1"), ClientRequestID: "c"}, "remote assistance on device 1: the request was accepted, but no link has come yet" + goOn + "; client request id c"},
		"failed":              {&intune.SessionError{Device: intune.Device("1"), Details: "a\nb", RequestID: "r"}, "remote assistance on device 1 failed: a b"},
		"failed, hint":        {&intune.SessionError{Device: intune.Device("1"), Details: "a", Hint: "h"}, "remote assistance on device 1 failed: a; hint: h"},
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
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
		tenant.Inject(intunetest.Fault{Method: http.MethodPost, Status: http.StatusGatewayTimeout})
		_, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, nil)
		const want = ": outcome unknown: the request was sent, or may have been, and there is no sign yet that it was carried out: request remote assistance on device "
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "504 Gateway Timeout") {
			t.Errorf("got %v", err)
		}
	})
}

// The hints for the service's words about a session, and none for others.
func TestSessionHints(t *testing.T) {
	t.Parallel()
	const connector, platform, license = "connector of the tenant is not set up", "remote assistance works on Windows", "license with integration rights"
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
			if !ok || !strings.Contains(failed.Hint, hint) || hint == "" && failed.Hint != "" || strings.Contains(err.Error(), "hint") != (hint != "") {
				t.Errorf("got %v", err)
			}
		})
	}
}
