package readiness_test

import (
	"context"
	"fmt"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/readiness"
)

// Why would it not work on this device? The checks only read; nobody is asked.
func ExampleCheck() {
	ctx := context.Background()
	tenant := intunetest.NewTenant(nil) // in a program: a real one
	client, device := tenant.Client(), tenant.AddDevice(intune.ManagedDevice{
		ID:               "705c034c-034c-705c-4c03-5c704c035c70",
		OperatingSystem:  "Windows",
		LastSyncDateTime: time.Now().Add(-50 * time.Hour),
	})

	report, err := readiness.Check(ctx, client, device, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report)
	// Output:
	// device 705c034c-034c-705c-4c03-5c704c035c70: not ready
	// pass  cloud       https://graph.microsoft.com, the worldwide cloud
	// pass  token       the token is app-only, from app
	//                   5a9c2f31-1b7e-4d0a-8c44-6e2b9d8f3a57, with
	//                   DeviceManagementManagedDevices.ReadWrite.All
	// warn  connector   onboarded; Microsoft retires this connector and
	//                   wants customers to have moved by about April 2027
	//                   -> plan for its replacement, Intune's newer
	//                      TeamViewer integration; Graph has no API for that
	//                      yet
	// pass  device      found
	// pass  management  managed
	// pass  platform    Windows
	// warn  sync        the last was 2 days ago
	//                   -> see that the device is on and online, and let its
	//                      user press Sync in Company Portal
	// fail  user        it has none, and Windows without a user shows no
	//                   notification
	//                   -> start the session in TeamViewer's own portal
	// pass  session     no link and no error text are left over
}

// A program looks at OK and at single results.
func ExampleReport() {
	ctx := context.Background()
	tenant := intunetest.NewTenant(nil)
	client, device := tenant.Client(), tenant.AddDevice(intune.ManagedDevice{ID: "705c034c-034c-705c-4c03-5c704c035c70"})
	tenant.SetConnector(intune.ConnectorStateNotOnboarded)

	report, err := readiness.Check(ctx, client, device, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if !report.OK() {
		for _, result := range report.Results {
			if result.Status == readiness.StatusFail {
				fmt.Printf("%s: %s.\nWhat to do: %s.\n", result.Name, result.Detail, result.Remedy)
			}
		}
	}
	// Output:
	// connector: the tenant has no active TeamViewer connector.
	// What to do: an administrator has to connect "TeamViewer (old)" in the Intune admin center.
}
