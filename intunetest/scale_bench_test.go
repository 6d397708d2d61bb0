package intunetest_test

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// large is a tenant of 100,000 devices with 50,000 users.
func large() *intunetest.Tenant { return add(100_000) }

// add makes a tenant of n devices, each two of which have a user.
func add(n int) *intunetest.Tenant {
	tenant := intunetest.NewTenant(nil)
	for i := range n {
		user := strconv.Itoa(i / 2)
		tenant.AddDevice(intune.ManagedDevice{
			DeviceName: "DESKTOP-" + strconv.Itoa(i), SerialNumber: strconv.Itoa(i), UserID: "id-" + user, UserPrincipalName: user + "@contoso.com",
		})
	}
	return tenant
}

// One iteration adds 100,000 devices with 50,000 users.
func BenchmarkAddDevice(b *testing.B) {
	for b.Loop() {
		large()
	}
}

// One iteration adds 20,000 apps with one device each.
func BenchmarkAddDetectedApp(b *testing.B) {
	for b.Loop() {
		tenant := intunetest.NewTenant(nil)
		ref := tenant.AddDevice(intune.ManagedDevice{})
		for i := range 20_000 {
			tenant.AddDetectedApp(intune.DetectedApp{DisplayName: strconv.Itoa(i)}, ref)
		}
	}
}

// Requests to a tenant of 100,000 devices.
func BenchmarkLargeTenant(b *testing.B) {
	tenant := large()
	client := inProcess(tenant)
	for _, c := range []struct{ name, path string }{
		{"top 1", devicesPath + "?$top=1"},
		{"full page", devicesPath + "?$top=1000&$select=id"},
		{"last by serial number", devicesPath + "?$filter=serialNumber%20eq%20'99999'"},
		{"last user", "/v1.0/users/49999@contoso.com/managedDevices"},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				get(b, client, graph+c.path)
			}
		})
	}
}

// Requests after 100,000 faults that are used up.
func BenchmarkUsedUpFaults(b *testing.B) {
	tenant := intunetest.NewTenant(nil)
	client := inProcess(tenant)
	for range 100_000 {
		tenant.Inject(intunetest.Fault{Status: http.StatusServiceUnavailable})
		send(b, client, http.MethodGet, graph+devicesPath, "")
	}
	for b.Loop() {
		send(b, client, http.MethodGet, graph+devicesPath, "")
	}
}
