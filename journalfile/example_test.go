package journalfile_test

import (
	"context"
	"crypto/rand"
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
func run(ctx context.Context, credential azcore.TokenCredential, options intune.ClientOptions, path string, devices []intune.DeviceRef) error {
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
// started again, it continues the waits in the journal, and asks only about devices that are not in it.
func openSessions(ctx context.Context, client *intune.Client, journal io.Reader, devices []intune.DeviceRef,
	options *intune.OpenRemoteAssistanceOptions, show func(intune.RemoteAssistanceSession),
) error {
	asked := map[intune.DeviceRef]string{} // with the token of each wait
	for entry, err := range journalfile.Read(journal) {
		switch {
		case err != nil:
			return err // the damaged line may name somebody who was asked
		case entry.Outcome == "":
			asked[entry.Device] = entry.ResumeToken
		case entry.Outcome == intune.OutcomeRejected, entry.Outcome == intune.OutcomeNotSent:
			delete(asked, entry.Device) // may be asked again
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
	device := tenant.AddDevice(intune.ManagedDevice{ID: graphtest.DeviceID}, intunetest.SessionScript{After: time.Hour, URL: "https://get.teamviewer.com/v15/s12345678"})
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

// After a crash, the journal tells which users may or may not have been asked.
func ExampleUnfinished() {
	ctx := context.Background()
	tenant := intunetest.NewTenant(nil)
	device := tenant.AddDevice(intune.ManagedDevice{ID: graphtest.DeviceID})
	path := filepath.Join(os.TempDir(), "asked-"+rand.Text()+".jsonl")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(path)
	defer file.Close()
	journal := journalfile.New(file, nil)
	options := tenant.ClientOptions()
	options.Journal = journal
	client, err := intune.NewClient(tenant.Credential(), options)
	if err != nil {
		fmt.Println(err)
		return
	}
	tenant.Inject(intunetest.Fault{PathSuffix: "/requestRemoteAssistance", Drop: intunetest.DropAfter})
	_, err = client.RequestRemoteAssistance(ctx, device, nil)
	fmt.Println("unknown:", errors.Is(err, intune.ErrOutcomeUnknown))

	file.Seek(0, io.SeekStart)
	unfinished, err := journalfile.Unfinished(journalfile.Read(file))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, entry := range unfinished {
		fmt.Println("perhaps asked:", entry.Device.DeviceID())
		// Somebody has called the user, who saw a prompt.
		entry.Outcome = intune.OutcomeAccepted
		if err := journal.Asked(ctx, entry); err != nil {
			fmt.Println(err)
		}
	}
	file.Seek(0, io.SeekStart)
	unfinished, err = journalfile.Unfinished(journalfile.Read(file))
	fmt.Println("unfinished:", len(unfinished), err)
	// Output:
	// unknown: true
	// perhaps asked: 705c034c-034c-705c-4c03-5c704c035c70
	// unfinished: 0 <nil>
}
