package intune_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// help stands for a program's own code.
func help(ctx context.Context, client *intune.Client, device intune.DeviceRef) error {
	_, err := client.RequestRemoteAssistance(ctx, device, nil)
	return err
}

func TestHelp(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	device := tenant.AddDevice(intune.ManagedDevice{DeviceName: "DESKTOP-1"})
	if err := help(t.Context(), tenant.Client(), device); err != nil || tenant.Prompts(device) != 1 {
		t.Errorf("error %v, user asked %d times", err, tenant.Prompts(device))
	}
}

func TestHelpWhenTheConnectionBreaks(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	device := tenant.AddDevice(intune.ManagedDevice{DeviceName: "DESKTOP-1"})
	tenant.Inject(intunetest.Fault{PathSuffix: "/requestRemoteAssistance", Drop: intunetest.DropAfter})
	err := help(t.Context(), tenant.Client(), device)
	if !errors.Is(err, intune.ErrOutcomeUnknown) || tenant.Prompts(device) != 1 {
		t.Errorf("error %v, user asked %d times", err, tenant.Prompts(device))
	}
}

// Code that waits runs in no time on a bubble's clock.
func TestOpenSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		device := tenant.AddDevice(intune.ManagedDevice{}, intunetest.SessionScript{URL: "https://get.teamviewer.com/v15/s1"})
		var screen strings.Builder
		if err := openSession(t.Context(), tenant.Client(), device, &screen); err != nil {
			t.Fatal(err)
		}
		if screen.String() != "Open this link: https://get.teamviewer.com/v15/s1\n" {
			t.Errorf("the technician sees %q", screen.String())
		}
	})
}

// A link that never comes: the ten minutes of MaxWait pass at once.
func TestNeverALink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		device := tenant.AddDevice(intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
		err := openSession(t.Context(), tenant.Client(), device, io.Discard)
		if !errors.Is(err, intune.ErrSessionPending) || tenant.Prompts(device) != 1 {
			t.Errorf("error %v, user asked %d times", err, tenant.Prompts(device))
		}
	})
}

// Without a bubble, the tenant sets the pace at which its clients look again.
func TestOpenSessionWithoutABubble(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond})
	device := tenant.AddDevice(intune.ManagedDevice{}, intunetest.SessionScript{URL: "https://get.teamviewer.com/v15/s1"})
	var screen strings.Builder
	if err := openSession(t.Context(), tenant.Client(), device, &screen); err != nil || !strings.Contains(screen.String(), "/v15/s1") {
		t.Errorf("the technician sees %q, error %v", screen.String(), err)
	}
}

// opener is what this program calls of the client. A test can put a fake in the client's place.
type opener interface {
	OpenRemoteAssistance(
		context.Context, intune.DeviceRef, *intune.OpenRemoteAssistanceOptions,
	) (intune.RemoteAssistanceSession, error)
}

var _ opener = (*intune.Client)(nil)

// nextStep opens a session and says to the technician what comes next.
func nextStep(ctx context.Context, client opener, device intune.DeviceRef) string {
	session, err := client.OpenRemoteAssistance(ctx, device, nil)
	_, failed := errors.AsType[*intune.SessionError](err)
	_, busy := errors.AsType[*intune.DeviceBusyError](err)
	switch {
	case err == nil:
		return "open " + session.URL.Reveal()
	case errors.Is(err, intune.ErrSuperseded):
		return "a colleague has taken over"
	case errors.Is(err, intune.ErrSessionPending) && errors.Is(err, intune.ErrOutcomeUnknown):
		return "the user may have been asked; keep waiting"
	case errors.Is(err, intune.ErrSessionPending):
		return "the user was asked; keep waiting"
	case failed:
		return "the user was asked, and there is no session"
	case busy:
		return "a colleague is helping already"
	default:
		return "nobody was asked"
	}
}

// fakeOpener is a client that answers with what a test sets.
type fakeOpener struct {
	session intune.RemoteAssistanceSession
	err     error
}

func (f fakeOpener) OpenRemoteAssistance(
	context.Context, intune.DeviceRef, *intune.OpenRemoteAssistanceOptions,
) (intune.RemoteAssistanceSession, error) {
	return f.session, f.err
}

func TestNextStep(t *testing.T) {
	t.Parallel()
	device := intune.Device("705c034c-034c-705c-4c03-5c704c035c70")
	pending := &intune.PendingError{Device: device, ResumeToken: "the token"}
	for want, client := range map[string]fakeOpener{
		"open https://get.teamviewer.com/v15/s1": {session: intune.RemoteAssistanceSession{
			URL: intune.NewSessionURL("https://get.teamviewer.com/v15/s1"),
		}},
		"the user was asked; keep waiting":            {err: pending},
		"the user may have been asked; keep waiting":  {err: &intune.PendingError{Device: device, OutcomeUnknown: true}},
		"a colleague has taken over":                  {err: fmt.Errorf("%w: %w", pending, intune.ErrSuperseded)},
		"the user was asked, and there is no session": {err: &intune.SessionError{Device: device, Details: "declined"}},
		"a colleague is helping already":              {err: fmt.Errorf("%w: %w", &intune.Error{}, &intune.DeviceBusyError{Actor: "Ben"})},
		"nobody was asked":                            {err: &intune.Error{StatusCode: http.StatusForbidden}},
	} {
		if got := nextStep(t.Context(), client, device); got != want {
			t.Errorf("error %v: %q, want %q", client.err, got, want)
		}
	}
}

// One answer, given by httpmock. The kit's options are used for their retries, which do not wait.
func ExampleNewClient_httpmock() {
	ctx := context.Background()

	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", `=~/requestRemoteAssistance$`,
		intunetest.IntuneError(http.StatusForbidden, "Forbidden", "The user has no role."))
	options := intunetest.NewTenant(nil).ClientOptions()
	options.Transport = &http.Client{Transport: mock}
	client, err := intune.NewClient(intune.StaticToken("test"), options)
	if err != nil {
		fmt.Println(err)
		return
	}

	_, err = client.RequestRemoteAssistance(ctx, intune.Device("1"), nil)
	fmt.Println(errors.Is(err, intune.ErrForbidden), mock.GetTotalCallCount())
	// Output:
	// true 1
}
