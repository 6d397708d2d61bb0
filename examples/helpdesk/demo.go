package main

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// demoClient is a client of the demo's tenant. The tenant is gone when the tool ends, so that what the demo's journal says
// was asked is asked of the new one first: resume then has something to wait for.
func (a *app) demoClient(ctx context.Context, journal intune.Journal, policies []policy.Policy) (*intune.Client, error) {
	asked, err := a.requests()
	if err != nil {
		return nil, err
	}
	clock := &demoClock{}
	tenant := demoTenant(time.Now(), clock)
	if err := rehearse(ctx, tenant, clock, asked); err != nil {
		return nil, err
	}
	troubleDemoFleet(tenant)
	options := tenant.ClientOptions()
	options.Journal, options.PerCallPolicies = journal, policies
	return intune.NewClient(tenant.Credential(), options)
}

// demoClock is the clock of the demo, which can be set to a time before.
type demoClock struct{ at atomic.Pointer[time.Time] }

func (c *demoClock) now() time.Time {
	if at := c.at.Load(); at != nil {
		return *at
	}
	return time.Now()
}

// rehearse makes the tenant remember requests of the past: one that a colleague made, and those of the journal.
func rehearse(ctx context.Context, tenant *intunetest.Tenant, clock *demoClock, asked []*request) error {
	defer clock.at.Store(nil)
	yesterday := time.Now().Add(-26 * time.Hour)
	clock.at.Store(&yesterday)
	colleague, err := intune.NewClient(tenant.CredentialWith(map[string]any{
		"scp": "DeviceManagementManagedDevices.ReadWrite.All", "upn": "dana.cole@contoso.com",
	}), tenant.ClientOptions())
	if err != nil {
		return err
	}
	for _, d := range tenant.Devices() {
		if d.Device.DeviceName == "KIOSK-LOBBY" {
			if _, err := colleague.RequestRemoteAssistance(ctx, intune.Device(d.Device.ID), nil); err != nil {
				return err
			}
		}
	}
	for _, r := range asked {
		if r.refusedOrNotSent() {
			continue
		}
		at := r.when()
		clock.at.Store(&at)
		same := policy.WithHTTPHeader(ctx, http.Header{"Client-Request-Id": {r.id()}})
		if _, err := tenant.Client().RequestRemoteAssistance(same, r.Device(), nil); err != nil && !errors.Is(err, intune.ErrNotFound) {
			return err
		}
	}
	return nil
}

// demoTenant is a small tenant with what makes finding a device hard: a laptop that was enrolled again under the same name
// and serial number, a user with two devices, an app in two versions, and a device that nobody uses.
func demoTenant(now time.Time, clock *demoClock) *intunetest.Tenant {
	ago := func(d time.Duration) time.Time { return now.Add(-d).Truncate(time.Second) }
	const day = 24 * time.Hour
	anna := intune.ManagedDevice{
		UserID: "0b6e7c1a-52a5-4f0e-9d0c-7a1f6b3c2d01", UserPrincipalName: "anna.berg@contoso.com", UserDisplayName: "Anna Berg",
	}
	laptop := anna
	laptop.DeviceName, laptop.SerialNumber, laptop.Manufacturer, laptop.Model = "LT-4F7K2", "5CG1234ABC", "HP", "EliteBook 840 G10"
	laptop.OperatingSystem, laptop.OSVersion = "Windows", "10.0.26100.2314"
	laptop.ComplianceState, laptop.LastSyncDateTime = intune.ComplianceStateCompliant, ago(2*time.Hour)

	before := laptop // the record from before the laptop was set up anew
	before.OSVersion, before.ComplianceState, before.LastSyncDateTime = "10.0.19045.3803", intune.ComplianceStateNoncompliant, ago(220*day)

	phone := anna
	phone.DeviceName, phone.SerialNumber, phone.Manufacturer, phone.Model = "Anna's iPhone", "F2LX9D0PQ7", "Apple", "iPhone 15"
	phone.OperatingSystem, phone.OSVersion = "iOS", "18.1.1"
	phone.ComplianceState, phone.LastSyncDateTime = intune.ComplianceStateCompliant, ago(25*time.Minute)

	tenant := intunetest.NewTenant(&intunetest.TenantOptions{Clock: clock.now, LookAgainAfter: time.Second})
	slow := intunetest.SessionScript{AfterReads: 4} // seconds: time enough to see the wait, and to try Ctrl-C
	current := tenant.AddDevice(laptop, slow)
	tenant.AddDevice(before)
	tenant.AddDevice(phone)
	desktop := tenant.AddDevice(intune.ManagedDevice{
		DeviceName: "DT-ACCOUNTS-03", SerialNumber: "8XK42Q3", Manufacturer: "Dell Inc.", Model: "OptiPlex 7010",
		OperatingSystem: "Windows", OSVersion: "10.0.22631.4460",
		UserID: "4f9a1c77-8d25-4b1e-a3c8-0e6d5b7f9a02", UserPrincipalName: "ben.ito@contoso.com", UserDisplayName: "Ben Ito",
		ComplianceState: intune.ComplianceStateInGracePeriod, LastSyncDateTime: ago(3 * day),
	}, slow)
	mac := tenant.AddDevice(intune.ManagedDevice{
		DeviceName: "MAC-DESIGN-1", SerialNumber: "C02ZK1ABMD6T", Manufacturer: "Apple", Model: "MacBook Pro",
		OperatingSystem: "macOS", OSVersion: "15.1",
		UserID: "9c2d3e4f-1a6b-4c8d-b5e7-2f0a1b3c4d03", UserPrincipalName: "chloe.martin@contoso.com", UserDisplayName: "Chloé Martin",
		ComplianceState: intune.ComplianceStateCompliant, LastSyncDateTime: ago(26 * time.Hour),
	})
	tenant.AddDevice(intune.ManagedDevice{
		DeviceName: "KIOSK-LOBBY", SerialNumber: "PF3T7WX1", Manufacturer: "LENOVO", Model: "ThinkCentre M70q",
		OperatingSystem: "Windows", OSVersion: "10.0.22631.4460", ComplianceState: intune.ComplianceStateUnknown,
	})

	vpn := intune.DetectedApp{DisplayName: "Contoso VPN", Publisher: "Contoso Ltd.", Platform: intune.DetectedAppPlatformTypeWindows}
	vpn.Version = "5.1.0"
	tenant.AddDetectedApp(vpn, desktop, current) // an update leaves the old version in the inventory for a while
	vpn.Version = "5.2.3"
	tenant.AddDetectedApp(vpn, current)
	tenant.AddDetectedApp(intune.DetectedApp{
		DisplayName: "Fabrikam Reader", Version: "24.1", Publisher: "Fabrikam", Platform: intune.DetectedAppPlatformTypeMacOS,
	}, mac)
	addDemoFleet(tenant)
	return tenant
}
