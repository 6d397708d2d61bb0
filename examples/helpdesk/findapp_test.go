package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

const (
	appID    = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	device2  = "00000000-0000-4000-8000-000000000002"
	devices  = "/deviceManagement/managedDevices"
	allApps  = "/deviceManagement/detectedApps"
	phoneRow = "S-PHONE"
)

// withApps is office with one app in two versions, which overlap on a device, and another of a similar name.
func withApps() *intunetest.Tenant {
	tenant := office()
	ref := func(n int) intune.DeviceRef { return intune.Device(fmt.Sprintf("00000000-0000-4000-8000-%012d", n)) }
	tenant.AddDetectedApp(intune.DetectedApp{ID: appID, DisplayName: "Contoso VPN", Version: "1.0", Publisher: "Contoso", Platform: "windows"}, ref(1), ref(2))
	tenant.AddDetectedApp(intune.DetectedApp{ID: "short-id", DisplayName: "contoso vpn", Version: "2.0", Platform: "ios"}, ref(2), ref(3))
	tenant.AddDetectedApp(intune.DetectedApp{DisplayName: "Contoso VPN Helper", Version: "2.0"}, ref(1))
	return tenant
}

func requests(tenant *intunetest.Tenant, suffix string) (n int) {
	for _, r := range tenant.Requests() {
		if strings.HasSuffix(r.Path, suffix) {
			n++
		}
	}
	return n
}

func TestFindByApp(t *testing.T) {
	t.Parallel()
	t.Run("name", func(t *testing.T) {
		t.Parallel()
		tenant := withApps()
		got := on(tenant)(t, "find", "-app", "CONTOSO VPN")
		got.wants(t, exitFound, []string{"S-OLD", "S-NEW", phoneRow, "anna@contoso.com", "3 days ago"}, []string{
			"2 detected apps have this name", "Contoso VPN version 1.0 by Contoso for windows, 2 devices: -app " + appID,
			"version 2.0 by - for ios, 2 devices: -app short-id", "3 devices match",
		})
		if strings.Count(got.stdout, "S-NEW") != 1 || requests(tenant, devices+"/"+device2) != 1 {
			t.Errorf("a device with both versions must be read and shown once:\n%s", got.stdout)
		}
	})
	t.Run("name and os", func(t *testing.T) {
		t.Parallel()
		got := on(withApps())(t, "find", "-app", "Contoso VPN", "-os", "iOS", "-json")
		got.wants(t, exitFound, []string{phoneRow}, []string{"2 detected apps"})
		if strings.Contains(got.stdout, "Windows") {
			t.Errorf("-os is not observed:\n%s", got.stdout)
		}
	})
	t.Run("id", func(t *testing.T) {
		t.Parallel()
		tenant := withApps()
		on(tenant)(t, "find", "-app", strings.ToUpper(appID)).wants(t, exitFound, []string{"S-OLD", "S-NEW"}, []string{"2 devices match"})
		if requests(tenant, allApps) != 0 {
			t.Error("the list of all apps was read for an id")
		}
	})
	t.Run("id of another form", func(t *testing.T) {
		t.Parallel()
		got := on(withApps())(t, "find", "-app", "SHORT-ID")
		got.wants(t, exitFound, []string{"S-NEW", phoneRow}, []string{"2 devices match"})
	})
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		find := on(withApps())
		find(t, "find", "-app", "VPN").wants(t, exitNothing, nil, []string{`the name or id "VPN"`, "contain it: Contoso VPN, contoso vpn, Contoso VPN Helper"})
		find(t, "find", "-app", "Solitaire").wants(t, exitNothing, nil, []string{`the name or id "Solitaire"`})
		find(t, "find", "-app", strings.Repeat("0", 64)).wants(t, exitNothing, nil, []string{"no app that Intune found"})
		find(t, "find", "-app", "Contoso VPN Helper", "-os", "iOS").wants(t, exitNothing, nil, []string{"no device matches"})
	})
}

// TestFindByAppGone has a device that leaves Intune between the list and the read.
func TestFindByAppGone(t *testing.T) {
	t.Parallel()
	tenant := withApps()
	tenant.Inject(intunetest.Fault{PathSuffix: device2, Status: http.StatusNotFound, Code: "ResourceNotFound", Message: "gone"})
	got := on(tenant)(t, "find", "-app", appID)
	got.wants(t, exitFound, []string{"S-OLD"}, []string{"1 device with the app could not be read"})
}

func TestFindByAppFails(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{allApps, "/managedDevices", device2} {
		tenant := withApps()
		tenant.Inject(intunetest.Fault{PathSuffix: suffix, Status: http.StatusForbidden, Code: "Forbidden", Message: "no"})
		on(tenant)(t, "find", "-app", "Contoso VPN", "-json").wants(t, exitFailure, nil, []string{"403", "hint:"})
	}
	// An id that cannot go into an address is the service's mistake, not wrong usage.
	tenant := office()
	tenant.AddDetectedApp(intune.DetectedApp{ID: "../../me", DisplayName: "odd"})
	on(tenant)(t, "find", "-app", "odd").wants(t, exitFailure, nil, []string{"the service gave an id that cannot be used"})
}

func TestFindByAppIsBounded(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	var refs []intune.DeviceRef
	for range maxReads + 5 {
		refs = append(refs, tenant.AddDevice(intune.ManagedDevice{DeviceName: "LT", OperatingSystem: "Windows"}))
	}
	tenant.AddDetectedApp(intune.DetectedApp{ID: "a", DisplayName: "Everywhere"}, refs...)
	find := on(tenant)
	got := find(t, "find", "-app", "everywhere")
	got.wants(t, exitFound, []string{"LT"}, []string{"reading 100 devices", "on more than 100 devices", "-all", "100 devices match"})
	// None of a part is not none.
	find(t, "find", "-app", "everywhere", "-os", "iOS").wants(t, exitFailure, nil, []string{"none of the first 100 is a match", "-all"})
	find(t, "find", "-app", "everywhere", "-all").wants(t, exitFound, []string{"LT"}, []string{"105 devices match"})
	find(t, "find", "-app", "everywhere", "-all", "-os", "iOS").wants(t, exitNothing, nil, []string{"no device matches"})
}
