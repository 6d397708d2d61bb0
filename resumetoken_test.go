package intune_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// begin asks for a session and gives the token of the wait.
func begin(t *testing.T, tenant *intunetest.Tenant, device intune.DeviceRef, options *intune.BeginRemoteAssistanceOptions) string {
	t.Helper()
	poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, options)
	if err != nil {
		t.Fatal(err)
	}
	token, err := poller.ResumeToken()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestResumeInAnotherProcess(t *testing.T) {
	t.Parallel()
	left := intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL(oldLink), RemoteAssistanceSessionErrorDetails: "old trouble"}
	for name, script := range map[string]intunetest.SessionScript{
		"link":  {URL: newLink, After: time.Hour},
		"error": {ErrorDetails: "new trouble", After: time.Hour},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, left, script)
			token := begin(t, tenant, device, nil)
			for _, secret := range []string{oldLink, "old-secret", "old trouble", "teamviewer", "Bearer"} {
				if strings.Contains(token, secret) {
					t.Errorf("the token holds %q: %s", secret, token)
				}
			}
			time.Sleep(2 * time.Hour) //nolint:forbidigo // the bubble's clock
			for name, resume := range map[string]func() (intune.RemoteAssistanceSession, error){
				"WaitFor": func() (intune.RemoteAssistanceSession, error) {
					return tenant.Client().WaitForRemoteAssistance(t.Context(), token, nil)
				},
				"Resume": func() (intune.RemoteAssistanceSession, error) {
					poller, err := tenant.Client().ResumeRemoteAssistance(t.Context(), token, nil)
					if err != nil {
						t.Fatal(err)
					}
					return poller.PollUntilDone(t.Context(), every)
				},
			} {
				session, err := resume()
				if script.URL != "" && (err != nil || session.URL.Reveal() != newLink || session.Device != device) {
					t.Errorf("%s: got %v, %v", name, session, err)
				}
				if failed, ok := errors.AsType[*intune.SessionError](err); script.URL == "" && (!ok || failed.Details != "new trouble") {
					t.Errorf("%s: got %v", name, err)
				}
			}
			if n := tenant.Prompts(device); n != 1 {
				t.Errorf("the user was asked %d times", n)
			}
		})
	}
}

// What the first process did not know, the second still does not. It looks for a sign as long as the first would have,
// however late it comes; the other limits hold from the first start.
func TestResumeKeepsTheLimits(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]time.Duration{"soon": 119 * time.Second, "hours later": 5 * time.Hour} {
		bubble(t, "unknown outcome, "+name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
			tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
			token := begin(t, tenant, device, nil)
			time.Sleep(away) //nolint:forbidigo // the bubble's clock
			start := time.Now()
			poller, err := tenant.Client().ResumeRemoteAssistance(t.Context(), token, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := poller.PollUntilDone(t.Context(), every); !errors.Is(err, intune.ErrOutcomeUnknown) || time.Since(start) != 2*time.Minute {
				t.Errorf("poller, after %v: %v", time.Since(start), err)
			}
			start = time.Now()
			if _, err := tenant.Client().WaitForRemoteAssistance(t.Context(), token, nil); !errors.Is(err, intune.ErrOutcomeUnknown) || time.Since(start) != 2*time.Minute {
				t.Errorf("wait, after %v: %v", time.Since(start), err)
			}
		})
	}
	bubble(t, "accepting what was there", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL(oldLink)}, intunetest.SessionScript{Never: true})
		token := begin(t, tenant, device, &intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: time.Minute})
		poller, err := tenant.Client().ResumeRemoteAssistance(t.Context(), token, nil)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		session, err := poller.PollUntilDone(t.Context(), every)
		if err != nil || !session.Reused || session.URL.Reveal() != oldLink || time.Since(start) != time.Minute {
			t.Errorf("after %v: %v, %v", time.Since(start), session, err)
		}
	})
}

// The durations of the first wait hold unless they are given again.
func TestResumeWithOtherDurations(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first  intune.BeginRemoteAssistanceOptions
		second intune.ResumeRemoteAssistanceOptions
		left   intune.ManagedDevice
		after  time.Duration
	}{
		"ConfirmWithin kept": {
			first: intune.BeginRemoteAssistanceOptions{ConfirmWithin: 10 * time.Minute}, after: 10 * time.Minute,
		},
		"ConfirmWithin given again": {
			first: intune.BeginRemoteAssistanceOptions{ConfirmWithin: 10 * time.Minute}, second: intune.ResumeRemoteAssistanceOptions{ConfirmWithin: 20 * time.Minute}, after: 20 * time.Minute,
		},
		"AcceptExistingAfter kept": {
			first: intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: time.Minute},
			left:  intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL(oldLink)}, after: time.Minute,
		},
		"AcceptExistingAfter given again": {
			first: intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: time.Minute}, second: intune.ResumeRemoteAssistanceOptions{AcceptExistingAfter: 90 * time.Second},
			left: intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL(oldLink)}, after: 90 * time.Second,
		},
		"AcceptExistingAfter given first on resume": {
			second: intune.ResumeRemoteAssistanceOptions{AcceptExistingAfter: time.Minute},
			left:   intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL(oldLink)}, after: time.Minute,
		},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := waiting(tenant, c.left, intunetest.SessionScript{Never: true})
			tenant.Inject(intunetest.Fault{Method: http.MethodPost, Drop: intunetest.DropAfter})
			start := time.Now()
			token := begin(t, tenant, device, &c.first)
			poller, err := tenant.Client().ResumeRemoteAssistance(t.Context(), token, &c.second)
			if err != nil {
				t.Fatal(err)
			}
			session, err := poller.PollUntilDone(t.Context(), every)
			if reused := !c.left.RemoteAssistanceSessionURL.IsZero(); session.Reused != reused || errors.Is(err, intune.ErrOutcomeUnknown) == reused || time.Since(start) != c.after {
				t.Errorf("after %v: %v, %v", time.Since(start), session, err)
			}
		})
	}
}

func TestOpenHandsOutItsToken(t *testing.T) {
	t.Parallel()
	bubble(t, "token", func(t *testing.T, tenant *intunetest.Tenant) {
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, After: time.Minute})
		var tokens []string
		_, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, &intune.OpenRemoteAssistanceOptions{
			OnRequested: func(token string) { tokens = append(tokens, token) },
		})
		if err != nil || len(tokens) != 1 {
			t.Fatalf("%d tokens, error %v", len(tokens), err)
		}
		if session, err := tenant.Client().WaitForRemoteAssistance(t.Context(), tokens[0], nil); err != nil || session.URL.Reveal() != newLink || tenant.Prompts(device) != 1 {
			t.Errorf("got %v, %v", session, err)
		}
	})
}

// A token may come from anywhere. azcore's own reader panics on a null token, and follows a fakeURL with the bearer token.
func TestHostileResumeTokens(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	device := tenant.AddDevice(intune.ManagedDevice{ID: "d1"})
	good := begin(t, tenant, device, nil)
	change := func(member string, value any) string {
		var envelope map[string]any
		if err := json.Unmarshal([]byte(good), &envelope); err != nil {
			t.Fatal(err)
		}
		inner := envelope["token"].(map[string]any)
		if value == nil {
			delete(inner, member)
		} else {
			inner[member] = value
		}
		text, err := json.Marshal(envelope)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var sent atomic.Int32
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		sent.Add(1)
		return answer(req, http.StatusNoContent, nil, ""), nil
	}))
	for name, c := range map[string]struct {
		token string
		says  string
	}{
		"null":              {"null", "not a token"},
		"null token":        {`{"type":"RemoteAssistanceSession","token":null}`, "not a token"},
		"no token":          {`{"type":"RemoteAssistanceSession"}`, "not a token"},
		"fake":              {`{"type":"RemoteAssistanceSession","token":{"type":"fake","fakeURL":"https://attacker.example/"}}`, "not a token"},
		"fake and good":     {change("fakeURL", "https://attacker.example/"), "unknown"},
		"type":              {strings.Replace(good, "RemoteAssistanceSession", "Other", 1), "not a token"},
		"text":              {"hello", "not a token"},
		"array":             {"[]", "not a token"},
		"truncated":         {good[:len(good)/2], "not a token"},
		"followed":          {good + good, "not a token"},
		"five megabytes":    {strings.Repeat(" ", 5<<20) + good, "too long"},
		"later version":     {change("version", 2), "another version"},
		"no version":        {change("version", nil), "not a token"},
		"version as text":   {change("version", "1"), "not a token"},
		"other cloud":       {change("graph", "https://graph.microsoft.us/v1.0"), "another cloud"},
		"other host":        {change("graph", "https://attacker.example/v1.0"), "another cloud"},
		"blank":             {"", "blank"},
		"white space":       {" \t\n", "blank"},
		"no device":         {change("device", nil), "changed or damaged"},
		"device escapes":    {change("device", "/deviceManagement/managedDevices/../../me"), "changed or damaged"},
		"device is a URL":   {change("device", "https://attacker.example/"), "changed or damaged"},
		"short salt":        {change("salt", "AAAA"), "hash"},
		"no link":           {change("link", nil), "hash"},
		"long details":      {change("details", strings.Repeat("AAAA", 100)), "hash"},
		"other link":        {change("link", strings.Repeat("A", 43)+"="), "changed or damaged"},
		"no checksum":       {change("sum", nil), "changed or damaged"},
		"not base64":        {change("link", "%"), "malformed"},
		"not started":       {change("requestedAt", nil), "not made in the past"},
		"started tomorrow":  {change("requestedAt", time.Now().Add(48*time.Hour).Format(time.RFC3339)), "not made in the past"},
		"negative duration": {change("confirmWithin", "-1s"), "confirmWithin"},
		"no duration":       {change("confirmWithin", "soon"), "confirmWithin"},
		"zero duration":     {change("confirmWithin", "0s"), "confirmWithin"},
		"negative accept":   {change("acceptExistingAfter", "-1s"), "acceptExistingAfter"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			poller, err := client.ResumeRemoteAssistance(t.Context(), c.token, nil)
			if _, again := client.WaitForRemoteAssistance(t.Context(), c.token, nil); again == nil || err == nil || again.Error() != err.Error() {
				t.Errorf("WaitFor says %v", again)
			}
			if poller != nil || !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), "resumeToken") || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want ErrInvalidArgument that says %q", err, c.says)
			}
			if err != nil && len(err.Error()) > 300 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
	t.Cleanup(func() {
		if n := sent.Load(); n != 0 {
			t.Errorf("%d requests were sent", n)
		}
	})
}

func FuzzResumeToken(f *testing.F) {
	tenant := intunetest.NewTenant(nil)
	device := tenant.AddDevice(intune.ManagedDevice{ID: "d1"})
	poller, err := tenant.Client().BeginRemoteAssistance(f.Context(), device, nil)
	if err != nil {
		f.Fatal(err)
	}
	good, err := poller.ResumeToken()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(`{"type":"RemoteAssistanceSession","token":null}`)
	f.Fuzz(func(t *testing.T, token string) {
		var hosts []string
		client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
			hosts = append(hosts, req.URL.Scheme+"://"+req.URL.Host)
			return answer(req, http.StatusOK, nil, "{}"), nil
		}))
		poller, err := client.ResumeRemoteAssistance(t.Context(), token+" ", nil)
		if err != nil {
			if !errors.Is(err, intune.ErrInvalidArgument) {
				t.Fatal(err)
			}
			return
		}
		_, _ = poller.Poll(t.Context())
		for _, host := range hosts {
			if host != "https://graph.microsoft.com" {
				t.Fatalf("a request went to %s", host)
			}
		}
	})
}

// Ten thousand callers that wait have no goroutine but their own, and a wait takes little memory.
func TestManyWaitsAreCheap(t *testing.T) { //nolint:paralleltest // it measures the heap of the process
	synctest.Test(t, func(t *testing.T) {
		const waits = 10_000 / smaller
		client, err := intune.NewClient(intune.StaticToken("opaque-token"), &intune.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: cheapTenant{}}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		goroutines, before := runtime.NumGoroutine(), heap()
		var callers sync.WaitGroup
		for range waits {
			poller, err := client.BeginRemoteAssistance(ctx, intune.Device("d1"), nil)
			if err != nil {
				t.Fatal(err)
			}
			callers.Go(func() {
				if _, err := poller.PollUntilDone(ctx, every); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
			})
		}
		time.Sleep(6 * time.Second) //nolint:forbidigo // the bubble's clock
		synctest.Wait()
		if n := runtime.NumGoroutine() - goroutines; n > waits {
			t.Errorf("%d goroutines for %d callers", n, waits)
		}
		if each := (heap() - before) / waits; each >= 2<<10 {
			t.Errorf("%d bytes a wait", each)
		}
		cancel()
		callers.Wait()
	})
}

// cheapTenant has one device, whose session never comes.
type cheapTenant struct{}

func (cheapTenant) Do(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodPost {
		return answer(req, http.StatusNoContent, nil, ""), nil
	}
	return answer(req, http.StatusOK, nil, `{"id":"d1","remoteAssistanceSessionUrl":"","remoteAssistanceSessionErrorDetails":null}`), nil
}
