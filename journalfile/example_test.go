package journalfile_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/journalfile"
)

// run opens sessions on devices. The file at path records what was asked, so that run can continue after a crash.
func run(
	ctx context.Context, credential azcore.TokenCredential, options intune.ClientOptions, path string, devices []intune.DeviceRef,
) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	options.Journal = journalfile.New(file, nil)
	client, err := intune.NewClient(credential, &options)
	if err != nil {
		return err
	}
	return openSessions(ctx, client, file, devices, nil, func(session intune.RemoteAssistanceSession) {
		fmt.Println("for the technician:", session.URL.Reveal())
	})
}

// openSessions asks the user of each device for a session, once, and shows the links. If it is killed at any moment and
// started again, it continues the waits in the journal, and asks only users who, by the journal, were not asked.
func openSessions(ctx context.Context, client *intune.Client, journal io.Reader, devices []intune.DeviceRef,
	options *intune.OpenRemoteAssistanceOptions, show func(intune.RemoteAssistanceSession),
) error {
	requests, err := intune.JournalRequests(journalfile.Read(journal))
	if err != nil {
		return err // a damaged line may name somebody who was asked
	}
	asked := map[intune.DeviceRef]string{} // with the newest token
	for _, r := range requests {
		if outcome := r.Outcome(); outcome == intune.OutcomeAccepted || outcome == intune.OutcomeUnknown {
			asked[r.Device()] = r.ResumeToken()
		}
	}
	var failed []error
	for _, device := range devices {
		var session intune.RemoteAssistanceSession
		var err error
		if token, ok := asked[device]; ok {
			session, err = client.WaitForRemoteAssistance(ctx, token, nil) // never asks
		} else {
			session, err = client.OpenRemoteAssistance(ctx, device, options)
		}
		if err != nil {
			failed = append(failed, err)
			continue
		}
		show(session)
	}
	return errors.Join(failed...)
}

// A program that is stopped and started again with the same journal continues, and asks nobody twice.
func ExampleNew() {
	ctx := context.Background()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond})
	device := tenant.AddDevice(intune.ManagedDevice{ID: graphtest.DeviceID}, intunetest.SessionScript{
		After: time.Hour, URL: "https://get.teamviewer.com/v15/s12345678",
	})
	folder, err := os.MkdirTemp("", "journal")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "asked.jsonl")

	first, crash := context.WithCancel(ctx)
	options := tenant.ClientOptions()
	options.Transport = graphtest.Transport(func(req *http.Request) (*http.Response, error) {
		if tenant.Prompts(device) > 0 {
			crash() // while it waits for the link
		}
		return tenant.Do(req)
	})
	err = run(first, tenant.Credential(), *options, path, []intune.DeviceRef{device})
	fmt.Println("no link yet:", errors.Is(err, intune.ErrSessionPending))

	tenant.Advance(time.Hour)
	err = run(ctx, tenant.Credential(), *tenant.ClientOptions(), path, []intune.DeviceRef{device})
	fmt.Println("error:", err)
	fmt.Println("times the user was asked:", tenant.Prompts(device))
	// Output:
	// no link yet: true
	// for the technician: https://get.teamviewer.com/v15/s12345678
	// error: <nil>
	// times the user was asked: 1
}
