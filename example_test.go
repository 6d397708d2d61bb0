package intune_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// The id of the examples' device. It is Intune's, not one of Entra's.
const exampleID = "705c034c-034c-705c-4c03-5c704c035c70"

// exampleTenant is an in-memory tenant with one device, whose link appears at the first read after a request.
func exampleTenant() (tenant *intunetest.Tenant, client *intune.Client, device intune.DeviceRef) {
	tenant = intunetest.NewTenant(nil)
	device = tenant.AddDevice(
		intune.ManagedDevice{ID: exampleID, DeviceName: "DESKTOP-ANNA", UserPrincipalName: "anna@contoso.com"},
		intunetest.SessionScript{AfterReads: 1, URL: "https://get.teamviewer.com/v15/s12345678"},
	)
	tenant.AddDetectedApp(intune.DetectedApp{ID: "a1b2c3", DisplayName: "Contoso VPN"}, device)
	return tenant, tenant.Client(), device
}

// The whole job: ask the user of a device, wait for the session's link, and show it to the technician.
func Example() {
	ctx := context.Background()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond}) // in a program: a real one
	credential, options, device := tenant.Credential(), tenant.ClientOptions(), tenant.AddDevice(
		intune.ManagedDevice{DeviceName: "DESKTOP-ANNA"},
		intunetest.SessionScript{URL: "https://get.teamviewer.com/v15/s12345678"},
	)

	client, err := intune.NewClient(credential, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	session, err := client.OpenRemoteAssistance(ctx, device, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("Open this link:", session.URL.Reveal())
	// Output:
	// Open this link: https://get.teamviewer.com/v15/s12345678
}

// Ask the user of a device. A nil error means that Intune accepted the request; the session comes later, if at all.
func ExampleClient_RequestRemoteAssistance() {
	ctx := context.Background()
	_, client, _ := exampleTenant()

	device := intune.Device("705c034c-034c-705c-4c03-5c704c035c70")
	response, err := client.RequestRemoteAssistance(ctx, device, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("accepted; Microsoft's support will ask for the id of the request:", response.RequestID != "")
	// Output:
	// accepted; Microsoft's support will ask for the id of the request: true
}

// The same at the address of a user's device, for a caller that has the user's name and the device's id.
func ExampleClient_RequestRemoteAssistance_userDevice() {
	ctx := context.Background()
	tenant, client, _ := exampleTenant()

	device := intune.UserDevice("anna@contoso.com", "705c034c-034c-705c-4c03-5c704c035c70")
	if _, err := client.RequestRemoteAssistance(ctx, device, nil); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(tenant.Requests()[0].Path)
	// Output:
	// /v1.0/users/anna@contoso.com/managedDevices/705c034c-034c-705c-4c03-5c704c035c70/requestRemoteAssistance
}

// The same at the address of a device below an app that was found on it.
func ExampleClient_RequestRemoteAssistance_detectedAppDevice() {
	ctx := context.Background()
	tenant, client, _ := exampleTenant()

	device := intune.DetectedAppDevice("a1b2c3", "705c034c-034c-705c-4c03-5c704c035c70")
	if _, err := client.RequestRemoteAssistance(ctx, device, nil); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(tenant.Requests()[0].Path)
	// Output:
	// /v1.0/deviceManagement/detectedApps/a1b2c3/managedDevices/705c034c-034c-705c-4c03-5c704c035c70/requestRemoteAssistance
}

func ExampleDevice() {
	fmt.Println(intune.Device("705c034c-034c-705c-4c03-5c704c035c70"))
	// Output:
	// /deviceManagement/managedDevices/705c034c-034c-705c-4c03-5c704c035c70
}

// A request with an address that cannot be used is never sent.
func ExampleDevice_refused() {
	ctx := context.Background()
	tenant, client, _ := exampleTenant()

	_, err := client.RequestRemoteAssistance(ctx, intune.Device("../users"), nil)
	fmt.Println(errors.Is(err, intune.ErrInvalidArgument))
	fmt.Println("requests sent:", len(tenant.Requests()))
	// Output:
	// true
	// requests sent: 0
}

// The name of a guest holds a #, and Go's URL parser would drop the path after it. The address escapes it.
func ExampleUserDevice() {
	fmt.Println(intune.UserDevice("anna_fabrikam.com#EXT#@contoso.com", "705c034c"))
	fmt.Println(intune.UserDevice("$anna@contoso.com", "705c034c"))
	// Output:
	// /users/anna_fabrikam.com%23EXT%23@contoso.com/managedDevices/705c034c
	// /users('$anna@contoso.com')/managedDevices/705c034c
}

func ExampleDetectedAppDevice() {
	fmt.Println(intune.DetectedAppDevice("a1b2c3", "705c034c"))
	// Output:
	// /deviceManagement/detectedApps/a1b2c3/managedDevices/705c034c
}

func ExampleParseDeviceRef() {
	device, err := intune.ParseDeviceRef("users/anna@contoso.com/managedDevices/705c034c")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(device.DeviceID())
	fmt.Println(device)

	_, err = intune.ParseDeviceRef("/deviceManagement/managedDevices/../../me")
	fmt.Println(errors.Is(err, intune.ErrInvalidArgument))
	// Output:
	// 705c034c
	// /users/anna@contoso.com/managedDevices/705c034c
	// true
}

// An address is text in JSON, CSV and flags, and can be a map's key.
func ExampleDeviceRef() {
	open := map[intune.DeviceRef]string{intune.Device("705c034c"): "ticket 4711"}
	text, err := json.Marshal(open)
	fmt.Println(string(text), err)

	var back map[intune.DeviceRef]string
	err = json.Unmarshal(text, &back)
	fmt.Println(back[intune.Device("705c034c")], err)
	// Output:
	// {"/deviceManagement/managedDevices/705c034c":"ticket 4711"} <nil>
	// ticket 4711 <nil>
}
