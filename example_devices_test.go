package intune_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
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
