package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// The ids of the in-memory tenant that flags may name.
const (
	demoDevice = "705c034c-034c-705c-4c03-5c704c035c70"
	demoApp    = "a1b2c3"
)

// demo is the in-memory tenant. The zero value is one in which every fact holds; tests change one fact each.
type demo struct {
	options  intunetest.TenantOptions
	sessions []intunetest.SessionScript // of the device
	// change stands between the tenant and all that is sent to it, if not nil.
	change func(tenant policy.Transporter) policy.Transporter
	// claims are those of the token, over the kit's own.
	claims map[string]any
	// record is the n-th device, [demoRecord] if nil, and devices how many there are, [demoDevices] if 0.
	record  func(n int) intune.ManagedDevice
	devices int
}

// demoDevices are more than a page holds.
const demoDevices = 1002

// place fills the tenant.
func (d demo) place(ctx context.Context, o options) (place, error) {
	tenant := intunetest.NewTenant(&d.options)
	record := d.record
	if record == nil {
		record = demoRecord
	}
	first := record(0)
	first.ID = o.device
	devices := []intune.DeviceRef{tenant.AddDevice(first, d.sessions...)}
	for i := 1; i < cmp.Or(d.devices, demoDevices); i++ {
		devices = append(devices, tenant.AddDevice(record(i)))
	}
	tenant.AddDetectedApp(intune.DetectedApp{ID: o.app, DisplayName: "Contoso VPN", Version: "1.2"}, devices[:3]...)
	tenant.AddDetectedApp(intune.DetectedApp{DisplayName: "Contoso Mail"}, devices[1:3]...)
	tenant.AddDetectedApp(intune.DetectedApp{DisplayName: "Fabrikam Notes"})

	// Audit events need a past.
	if _, err := tenant.Client().RequestRemoteAssistance(ctx, devices[1], nil); err != nil {
		return place{}, err
	}
	options := tenant.ClientOptions()
	if d.change != nil {
		options.Transport = d.change(tenant)
	}
	at, err := placeWith(ctx, tenant.CredentialWith(d.claims), o, options.ClientOptions, options.Transport)
	at.now = tenant.Now
	at.pause = func(ctx context.Context, d time.Duration) error {
		tenant.Advance(d) // nobody has to wait for a tenant in memory
		return ctx.Err()
	}
	return at, err
}

// demoRecord is one of two kinds of devices, so that filters have something to leave out.
func demoRecord(i int) intune.ManagedDevice {
	id := func(kind string) string { return fmt.Sprintf("%s-0000-4000-8000-%012d", kind, i+1) }
	day := func(year, days int) time.Time { return time.Date(year, 1, 1+days, 8, 30, 0, 0, time.UTC) }
	d := intune.ManagedDevice{
		DeviceName:        fmt.Sprintf("DESKTOP-%04d", i),
		SerialNumber:      fmt.Sprintf("5CD%05d", i),
		AzureADDeviceID:   id("ad000000"),
		UserID:            id("50000000"),
		UserPrincipalName: fmt.Sprintf("user%d@contoso.com", i),
		OperatingSystem:   "Windows", OSVersion: "10.0.26100.1",
		Manufacturer: "Contoso", Model: "Book 3",
		ComplianceState: intune.ComplianceStateCompliant, ManagementAgent: intune.ManagementAgentTypeMDM,
		EnrolledDateTime: day(2025, i%300), LastSyncDateTime: day(2026, i%300),
		PhysicalMemoryInBytes: 16 << 30, EthernetMACAddress: fmt.Sprintf("0200000000%02x", i%256), Notes: "on loan",
		TotalStorageSpaceInBytes: 512 << 30, FreeStorageSpaceInBytes: 200 << 30,
	}
	if i%2 == 1 {
		d.DeviceName, d.OperatingSystem, d.OSVersion = fmt.Sprintf("PHONE-%04d", i), "iOS", "26.1"
		d.Manufacturer, d.Model, d.IMEI = "Fabrikam", "Phone 7", fmt.Sprintf("35%013d", i)
		d.ComplianceState, d.ManagementAgent = intune.ComplianceStateNoncompliant, intune.ManagementAgentTypeEASMDM
	}
	return d
}
