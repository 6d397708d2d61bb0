package intune_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

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

// What the service says about the life of the action goes to the caller (C§5).
func TestHeadersOfAnAcceptedRequest(t *testing.T) {
	t.Parallel()
	client := newClient(t, transportFunc(says(204, "", "Deprecation", "Tue, 01 Sep 2026 00:00:00 GMT", "Sunset", "Wed, 01 Sep 2027 00:00:00 GMT", "Request-Id", "r1")))
	got, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	if err != nil || got.Deprecation != "Tue, 01 Sep 2026 00:00:00 GMT" || got.Sunset != "Wed, 01 Sep 2027 00:00:00 GMT" || got.RequestID != "r1" {
		t.Errorf("got %+v, %v", got, err)
	}
	for name, answer := range map[string]func(*http.Request) (*http.Response, error){
		"201, empty": says(201, ""), "200 with a body": says(200, "{}"),
	} {
		if _, err := newClient(t, transportFunc(answer)).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err == nil {
			t.Errorf("%s is a success", name)
		}
	}
}

// azcore's own spans of a poller appear beside the library's.
func TestSpanOfThePoller(t *testing.T) {
	t.Parallel()
	collected := &spans{}
	client := newClient(t, &sessionService{reads: []string{sessionOf("", ""), sessionOf(newLink, "")}}, func(o *intune.ClientOptions) { o.TracingProvider = collected.provider() })
	poller, err := client.BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	before := len(collected.list)
	if _, err := poller.PollUntilDone(t.Context(), every); err != nil {
		t.Fatal(err)
	}
	if names := collected.names()[before:]; len(names) == 0 || !strings.HasPrefix(names[0], "Poller[") {
		t.Errorf("spans %v", names)
	}
}

func TestDevicesThatAreNoAddress(t *testing.T) {
	t.Parallel()
	for name, device := range map[string]intune.DeviceRef{"a slash": intune.Device("a/b"), "dots": intune.UserDevice("..", "d1"), "nothing": {}} {
		service := &sessionService{reads: []string{sessionOf("", "")}}
		_, err := newClient(t, service).GetRemoteAssistanceSession(t.Context(), device, nil)
		if err == nil || service.looked != 0 || strings.Contains(err.Error(), "request ") {
			t.Errorf("%s: got %v after %d looks", name, err, service.looked)
		}
	}
}
