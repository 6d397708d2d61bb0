package intune_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/journalfile"
)

// Compare a journal with Intune's own audit events. An event that matches proves that Intune saw the request. A missing
// event proves nothing, since nobody has confirmed that the service writes such events.
func ExampleClient_AuditEvents() {
	ctx := context.Background()
	tenant := intunetest.NewTenant(nil)
	seen, unseen := tenant.AddDevice(intune.ManagedDevice{ID: "d1"}), tenant.AddDevice(intune.ManagedDevice{ID: "d2"})
	var journal bytes.Buffer
	options := tenant.ClientOptions()
	options.Journal = journalfile.New(&journal, nil)
	client, err := intune.NewClient(tenant.Credential(), options)
	if err != nil {
		fmt.Println(err)
		return
	}
	begin := time.Now().Add(-time.Minute)
	_, first := client.RequestRemoteAssistance(ctx, seen, nil)
	tenant.Inject(intunetest.Fault{PathSuffix: "/requestRemoteAssistance", Drop: intunetest.DropBefore}) // it never arrives
	_, second := client.RequestRemoteAssistance(ctx, unseen, nil)
	fmt.Println("accepted:", first == nil, "unknown:", errors.Is(second, intune.ErrOutcomeUnknown))

	events := map[string]intune.AuditEvent{}
	for event, err := range client.AuditEvents(ctx, &intune.ListAuditEventsOptions{
		Filter: intune.AuditFilter{ActivityType: intune.ActivityRequestRemoteAssistance, After: begin},
	}) {
		if err != nil {
			fmt.Println("cannot compare:", err) // often because the caller lacks DeviceManagementApps.Read.All
			return
		}
		events[event.CorrelationID] = event
	}
	for entry, err := range journalfile.Read(&journal) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if entry.Outcome == "" {
			continue // the first entry of a pair
		}
		_, found := events[entry.ClientRequestID]
		delete(events, entry.ClientRequestID)
		fmt.Printf("%s %s, found at Intune: %t\n", entry.Device.DeviceID(), entry.Outcome, found)
	}
	fmt.Println("at Intune only:", len(events))
	// Output:
	// accepted: true unknown: true
	// d1 accepted, found at Intune: true
	// d2 unknown, found at Intune: false
	// at Intune only: 0
}

// List events page by page. Dropped tells whether the service ignored the filter.
func ExampleClient_NewListAuditEventsPager() {
	ctx := context.Background()
	_, client, device := exampleTenant()
	if _, err := client.RequestRemoteAssistance(ctx, device, nil); err != nil {
		fmt.Println(err)
		return
	}

	options := &intune.ListAuditEventsOptions{Filter: intune.AuditFilter{Device: device}}
	for pager := client.NewListAuditEventsPager(options); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		for i := range page.Value {
			fmt.Println(page.Value[i].ActivityType, page.Value[i].ActivityResult)
		}
		fmt.Println("dropped:", page.Dropped)
	}
	// Output:
	// requestRemoteAssistance ManagedDevice Success
	// dropped: 0
}
