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
