package intune_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

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
