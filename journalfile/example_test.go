package journalfile_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/journalfile"
)

// run opens sessions on devices. The file at path is the record of this round, so that run can go on with it after a crash.
// Another night is another round, and has a file of its own.
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

// openSessions asks the user of each device for a session, once, waits for all at once, and shows each link as it comes. If
// it is killed at any moment and started again, it continues the waits in the journal, and asks only users who, by the
// journal, were not asked.
func openSessions(ctx context.Context, client *intune.Client, journal io.Reader, devices []intune.DeviceRef,
	options *intune.OpenRemoteAssistanceManyOptions, show func(intune.RemoteAssistanceSession),
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
	results := make(chan intune.OpenResult)
	var waits sync.WaitGroup
	for device, token := range asked {
		waits.Go(func() {
			session, err := client.WaitForRemoteAssistance(ctx, token, nil) // never asks
			results <- intune.OpenResult{Device: device, Session: session, Err: err}
		})
	}
	waits.Go(func() {
		others := slices.DeleteFunc(slices.Clone(devices), func(d intune.DeviceRef) bool {
			_, known := asked[d]
			return known
		})
		for result := range client.OpenRemoteAssistanceMany(ctx, slices.Values(others), options) {
			results <- result
		}
	})
	go func() {
		waits.Wait()
		close(results)
	}()
	var failed []error
	for result := range results {
		if result.Err != nil {
			failed = append(failed, result.Err)
			continue
		}
		show(result.Session)
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
