package journalfile_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/journalfile"
)

// openSessions of docs/production.md: a device that stands in the list twice is asked once, all are waited for at once, in a
// run that goes on too, and another file is another round.
func TestOpenSessions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const link = 9 * time.Minute
		tenant := intunetest.NewTenant(nil)
		var devices []intune.DeviceRef
		for range 20 {
			devices = append(devices, tenant.AddDevice(intune.ManagedDevice{}, intunetest.SessionScript{After: link}))
		}
		var first, second bytes.Buffer
		round := func(file *bytes.Buffer, waits time.Duration, list ...intune.DeviceRef) (shown int, took time.Duration, err error) {
			t.Helper()
			options := tenant.ClientOptions()
			options.Journal = journalfile.New(file, nil)
			client, err := intune.NewClient(tenant.Credential(), options)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			err = openSessions(t.Context(), client, strings.NewReader(file.String()), list,
				&intune.OpenRemoteAssistanceManyOptions{MaxWait: waits}, func(intune.RemoteAssistanceSession) { shown++ })
			return shown, time.Since(start), err
		}
		prompted := func(want int, list ...intune.DeviceRef) {
			t.Helper()
			for _, device := range list {
				if n := tenant.Prompts(device); n != want {
					t.Errorf("the user of %v was asked %d times, want %d", device, n, want)
				}
			}
		}

		// Half of the list, whose waits stop early.
		shown, _, err := round(&first, time.Minute, append(devices[:10:10], devices[:10]...)...)
		if !errors.Is(err, intune.ErrSessionPending) || shown != 0 {
			t.Errorf("%d sessions, error %v", shown, err)
		}
		prompted(1, devices[:10]...)

		// The whole list goes on with those and asks the others.
		shown, took, err := round(&first, 0, devices...)
		if err != nil || shown != len(devices) {
			t.Errorf("%d sessions, error %v", shown, err)
		}
		if took > link+30*time.Second {
			t.Errorf("it took %v, so that one waited for another", took)
		}
		prompted(1, devices...)

		shown, _, err = round(&second, 0, devices[0])
		if err != nil || shown != 1 {
			t.Errorf("in another round, %d sessions, error %v", shown, err)
		}
		prompted(2, devices[0])
	})
}

// A request of which only the outcome is known has no token, and its user is not asked again.
func TestOpenSessions_WithoutAToken(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	device := tenant.AddDevice(intune.ManagedDevice{})
	var file bytes.Buffer
	entry := intune.JournalEntry{Device: device, ClientRequestID: "1", Outcome: intune.OutcomeAccepted}
	if err := journalfile.New(&file, nil).Asked(t.Context(), entry); err != nil {
		t.Fatal(err)
	}
	err := openSessions(t.Context(), tenant.Client(), &file, []intune.DeviceRef{device}, nil, nil)
	if !errors.Is(err, intune.ErrInvalidArgument) || tenant.Prompts(device) != 0 {
		t.Errorf("error %v, user asked %d times", err, tenant.Prompts(device))
	}
}
