package intune_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

const (
	oldLink = "https://get.teamviewer.com/old-secret"
	newLink = "https://get.teamviewer.com/new-secret"
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
