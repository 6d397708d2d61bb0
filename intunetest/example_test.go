package intunetest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// askForHelp stands for the code under test: a ticket system asks for remote assistance and tells the technician what
// came of it.
func askForHelp(ctx context.Context, client *intune.Client, device intune.DeviceRef) string {
	_, err := client.RequestRemoteAssistance(ctx, device, nil)
	switch {
	case errors.Is(err, intune.ErrOutcomeUnknown):
		return "look at the device before asking again"
	case errors.Is(err, intune.ErrForbidden):
		return "you may not do this"
	case err != nil:
		return "failed"
	}
	return "asked"
}

func ExampleTenant() {
	tenant := intunetest.NewTenant(nil)
	device := tenant.AddDevice(intune.ManagedDevice{DeviceName: "DESKTOP-1"})
	tenant.Inject(intunetest.Fault{Drop: intunetest.DropAfter}) // the service acts, and its answer is lost

	fmt.Println(askForHelp(context.Background(), tenant.Client(), device))
	fmt.Println("prompts:", tenant.Prompts(device))
	// Output:
	// look at the device before asking again
	// prompts: 1
}

func ExampleSessionScript() {
	// LookAgainAfter lets the minute pass in milliseconds. Inside testing/synctest it is not needed.
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond})
	device := tenant.AddDevice(intune.ManagedDevice{DeviceName: "DESKTOP-1"},
		intunetest.SessionScript{URL: "https://get.teamviewer.com/s1", After: time.Minute}, // of the first request
		intunetest.SessionScript{ErrorDetails: "The device is offline."})                   // of the second

	for range 2 {
		session, err := tenant.Client().OpenRemoteAssistance(context.Background(), device, nil)
		if failed, ok := errors.AsType[*intune.SessionError](err); ok {
			fmt.Println("no session:", failed.Details)
			continue
		}
		fmt.Println(session.URL.Reveal(), err)
	}
	fmt.Println("prompts:", tenant.Prompts(device))
	// Output:
	// https://get.teamviewer.com/s1 <nil>
	// no session: The device is offline.
	// prompts: 2
}

func ExampleIntuneError() {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", "https://graph.microsoft.com/v1.0/deviceManagement/managedDevices/1/requestRemoteAssistance",
		intunetest.IntuneError(http.StatusUnauthorized, "Forbidden", "An error has occurred"))
	options := &intune.ClientOptions{}
	options.Transport = &http.Client{Transport: mock}
	client, err := intune.NewClient(intune.StaticToken("any"), options)
	if err != nil {
		fmt.Println(err)
		return
	}

	fmt.Println(askForHelp(context.Background(), client, intune.Device("1")))
	// Output: you may not do this
}

func ExampleTenant_Register() {
	tenant := intunetest.NewTenant(nil)
	device := tenant.AddDevice(intune.ManagedDevice{DeviceName: "DESKTOP-1"})
	mock := httpmock.NewMockTransport()
	tenant.Register(mock)
	options := tenant.ClientOptions() // no waiting between tries
	options.Transport = &http.Client{Transport: mock}
	client, err := intune.NewClient(tenant.Credential(), options)
	if err != nil {
		fmt.Println(err)
		return
	}

	fmt.Println(askForHelp(context.Background(), client, device), tenant.Prompts(device), mock.GetTotalCallCount())
	// Output: asked 1 1
}

// ticketTable stands for a journal of one's own, on a table of a ticket system.
type ticketTable struct {
	mu      sync.Mutex
	entries []intune.JournalEntry
}

func (t *ticketTable) insert(ctx context.Context, entry intune.JournalEntry) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	entry.Error = entry.Error[:min(len(entry.Error), 1000)] // the column is not wider
	t.entries = append(t.entries, entry)
	return nil
}

func (t *ticketTable) Asking(ctx context.Context, entry intune.JournalEntry) error {
	return t.insert(ctx, entry)
}

func (t *ticketTable) Asked(ctx context.Context, entry intune.JournalEntry) error {
	return t.insert(ctx, entry)
}

func (t *ticketTable) Ended(ctx context.Context, entry intune.JournalEntry) error {
	return t.insert(ctx, entry)
}

func (t *ticketTable) Entries() iter.Seq2[intune.JournalEntry, error] {
	t.mu.Lock()
	defer t.mu.Unlock()
	entries := slices.Clone(t.entries)
	return func(yield func(intune.JournalEntry, error) bool) {
		for _, entry := range entries {
			if !yield(entry, nil) {
				return
			}
		}
	}
}

func ExampleTestJournal() {
	table := &ticketTable{}
	err := intunetest.TestJournal(func() (intune.Journal, func() iter.Seq2[intune.JournalEntry, error], error) {
		return table, table.Entries, nil
	})
	// In a test: if err != nil { t.Error(err) }. A line begins with the promise that is broken.
	for line := range strings.Lines(err.Error()) {
		promise, what, _ := strings.Cut(line, ": ")
		fmt.Println("promise:", promise)
		fmt.Println("broken: ", what[:strings.Index(what, " is ")])
		break
	}
	// Output:
	// promise: entries of any size that the library makes are kept
	// broken:  the longest entries, with a Device: Error of Asked
}

func ExampleTenant_RoundTrip() {
	// Any Graph client can talk to the tenant; it need not be package intune.
	tenant := intunetest.NewTenant(nil)
	tenant.AddDevice(intune.ManagedDevice{ID: "1", DeviceName: "DESKTOP-1"})
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet,
		"https://graph.microsoft.com/v1.0/deviceManagement/managedDevices/1?$select=deviceName", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	req.Header.Set("Authorization", "Bearer any")
	resp, err := tenant.RoundTrip(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	var device struct{ DeviceName string }
	err = json.NewDecoder(resp.Body).Decode(&device)
	fmt.Println(resp.StatusCode, device.DeviceName, err)
	// Output: 200 DESKTOP-1 <nil>
}

func ExampleTenant_Requests() {
	tenant := intunetest.NewTenant(nil)
	device := tenant.AddDevice(intune.ManagedDevice{ID: "1"})
	tenant.Inject(intunetest.Fault{Status: http.StatusServiceUnavailable}) // once

	fmt.Println(askForHelp(context.Background(), tenant.Client(), device))
	for _, request := range tenant.Requests() {
		fmt.Println(request)
	}
	// Output:
	// asked
	// POST graph.microsoft.com/v1.0/deviceManagement/managedDevices/1/requestRemoteAssistance: 503
	// POST graph.microsoft.com/v1.0/deviceManagement/managedDevices/1/requestRemoteAssistance: 204
}
