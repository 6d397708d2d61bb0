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

// exampleFleet is an in-memory tenant with three devices, of which two have the same name.
func exampleFleet() *intune.Client {
	tenant := intunetest.NewTenant(nil)
	synced := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	laptop := tenant.AddDevice(intune.ManagedDevice{
		ID: "1", DeviceName: "LAPTOP", SerialNumber: "5CD1", OperatingSystem: "Windows",
		UserPrincipalName: "anna@contoso.com", LastSyncDateTime: synced,
	})
	tenant.AddDevice(intune.ManagedDevice{
		ID: "2", DeviceName: "LAPTOP", SerialNumber: "5CD2", OperatingSystem: "Windows",
		UserPrincipalName: "ben@contoso.com", LastSyncDateTime: synced.AddDate(0, -3, 0),
	})
	tenant.AddDevice(intune.ManagedDevice{
		ID: "3", DeviceName: "PHONE", SerialNumber: "F17", OperatingSystem: "iOS",
		UserPrincipalName: "anna@contoso.com", LastSyncDateTime: synced,
	})
	tenant.AddDetectedApp(intune.DetectedApp{ID: "a1b2c3", DisplayName: "Contoso VPN", Version: "2.1"}, laptop)
	return tenant.Client()
}

// Find the one device that matches. Its Ref is the address to act on.
func ExampleClient_FindDevice() {
	ctx := context.Background()
	client := exampleFleet()

	device, err := client.FindDevice(ctx, intune.DeviceFilter{SerialNumber: "5CD1"}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.RequestRemoteAssistance(ctx, device.Ref(), nil)
	fmt.Println(device.DeviceName, err)
	// Output:
	// LAPTOP <nil>
}

// If several devices match, FindDevice returns none of them, because the wrong person might be asked. The error lists
// them.
func ExampleClient_FindDevice_ambiguous() {
	ctx := context.Background()
	client := exampleFleet()

	_, err := client.FindDevice(ctx, intune.DeviceFilter{DeviceName: "LAPTOP"}, nil)
	if ambiguous, ok := errors.AsType[*intune.AmbiguousDeviceError](err); ok {
		for _, candidate := range ambiguous.Candidates {
			fmt.Println(candidate.SerialNumber, candidate.LastSyncDateTime.Format(time.DateOnly))
		}
	}
	_, err = client.FindDevice(ctx, intune.DeviceFilter{DeviceName: "TABLET"}, nil)
	fmt.Println(errors.Is(err, intune.ErrNotFound))
	// Output:
	// 5CD1 2026-03-01
	// 5CD2 2025-12-01
	// true
}

// All devices of a user that have synced lately. Pages are fetched as they are needed.
func ExampleClient_Devices() {
	ctx := context.Background()
	client := exampleFleet()

	filter := intune.DeviceFilter{
		UserPrincipalName: "anna@contoso.com",
		LastSyncAfter:     time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC),
	}
	for device, err := range client.Devices(ctx, intune.AllDevices(), &intune.ListDevicesOptions{Filter: filter}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(device.DeviceName, device.OperatingSystem)
	}
	// Output:
	// LAPTOP Windows
	// PHONE iOS
}

// List page by page, for a program that stores how far it has come. Dropped tells whether the service ignored the
// filter.
func ExampleClient_NewListDevicesPager() {
	ctx := context.Background()
	client := exampleFleet()

	pager := client.NewListDevicesPager(intune.AllDevices(), &intune.ListDevicesOptions{Top: 2, Select: []string{"deviceName"}})
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(len(page.Value), page.Dropped, page.NextLink != "")
	}
	// Output:
	// 2 0 true
	// 1 0 false
}

// Devices with an app. The list has few of their properties, so each device is read by its own id.
func ExampleClient_DetectedApps() {
	ctx := context.Background()
	client := exampleFleet()

	for app, err := range client.DetectedApps(ctx, nil) {
		if err != nil {
			fmt.Println(err)
			return
		}
		for found, err := range client.Devices(ctx, intune.DetectedAppDevices(app.ID), nil) {
			if err != nil {
				fmt.Println(err)
				return
			}
			device, err := client.GetDevice(ctx, found.Ref(), nil)
			fmt.Println(app.DisplayName, app.Version, "on", device.DeviceName, err)
		}
	}
	// Output:
	// Contoso VPN 2.1 on LAPTOP <nil>
}

// A list that the service throttles goes on from the last page that came, because a new beginning is throttled again.
func ExampleClient_DetectedApps_continue() {
	ctx := context.Background()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{PageSize: 1})
	tenant.AddDetectedApp(intune.DetectedApp{DisplayName: "Contoso VPN"})
	tenant.AddDetectedApp(intune.DetectedApp{DisplayName: "Fabrikam Viewer"})
	tenant.Inject(intunetest.Fault{
		Match:  func(r intunetest.RecordedRequest) bool { return r.RawQuery != "" }, // not the first page
		Status: 429, Times: 4,                                                       // all tries of azcore's
	})
	client := tenant.Client()

	options := &intune.ListDetectedAppsOptions{}
	options.OnPage = func(page intune.ListDetectedAppsResponse) { options.ContinueFrom = page.NextLink }
	for range 2 {
		for app, err := range client.DetectedApps(ctx, options) {
			if errors.Is(err, intune.ErrThrottled) {
				fmt.Println("throttled") // wait, and go on with the same options
				break
			}
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println(app.DisplayName)
		}
	}
	// Output:
	// Contoso VPN
	// throttled
	// Fabrikam Viewer
}

// List apps page by page, for a program that stores how far it has come.
func ExampleClient_NewListDetectedAppsPager() {
	ctx := context.Background()
	client := exampleFleet()

	for pager := client.NewListDetectedAppsPager(&intune.ListDetectedAppsOptions{Top: 100}); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		for i := range page.Value {
			fmt.Println(page.Value[i].DisplayName, page.Value[i].DeviceCount)
		}
	}
	// Output:
	// Contoso VPN 1
}

// A few properties of one device.
func ExampleClient_GetDevice() {
	ctx := context.Background()
	client := exampleFleet()

	device, err := client.GetDevice(ctx, intune.Device("3"), &intune.GetDeviceOptions{
		Select: []string{"deviceName", "operatingSystem", "lastSyncDateTime"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(device.DeviceName, device.OperatingSystem, device.LastSyncDateTime.Format(time.DateOnly))
	// Output:
	// PHONE iOS 2026-03-01
}

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
	requests, err := intune.JournalRequests(journalfile.Read(&journal))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range requests {
		_, found := events[r.Asking.ClientRequestID]
		delete(events, r.Asking.ClientRequestID)
		fmt.Printf("%s %s, found at Intune: %t\n", r.Device().DeviceID(), r.Outcome(), found)
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

// Can the tenant make sessions at all? If the state is unknown, the action may still work, because reading the state
// needs another permission.
func ExampleClient_RemoteAssistanceConnector() {
	ctx := context.Background()
	tenant, client, _ := exampleTenant()

	state, err := client.RemoteAssistanceConnector(ctx, nil)
	fmt.Println(state, err)

	tenant.SetConnector(intune.ConnectorStateNotOnboarded)
	state, err = client.RemoteAssistanceConnector(ctx, nil)
	fmt.Println(state, err)
	// Output:
	// onboarded <nil>
	// notOnboarded <nil>
}

// The partners behind the connector, of which TeamViewer is the only one known.
func ExampleClient_NewListRemoteAssistancePartnersPager() {
	ctx := context.Background()
	_, client, _ := exampleTenant()

	for pager := client.NewListRemoteAssistancePartnersPager(nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, partner := range page.Value {
			fmt.Println(partner.DisplayName, partner.OnboardingStatus)
		}
	}
	// Output:
	// TeamViewer onboarded
}
