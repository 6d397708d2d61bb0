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
	appID       = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	devicesPath = "/deviceManagement/managedDevices"
	allApps     = "/deviceManagement/detectedApps"
	phoneRow    = "S-PHONE"
)

// withApps is office with one app in two versions, which overlap on a device, and another of a similar name.
func withApps() *intunetest.Tenant {
	tenant := office()
	ref := func(n int) intune.DeviceRef { return intune.Device(fmt.Sprintf("00000000-0000-4000-8000-%012d", n)) }
	tenant.AddDetectedApp(intune.DetectedApp{
		ID: appID, DisplayName: "Contoso VPN", Version: "1.0", Publisher: "Contoso", Platform: "windows",
	}, ref(1), ref(2))
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
		got := newDesk(t, tenant).run("find", "-app", "CONTOSO VPN")
		got.wants(t, exitDone, []string{"S-OLD", "S-NEW", phoneRow, "anna@contoso.com", "3 days"}, []string{
			"2 detected apps have this name", "Contoso VPN version 1.0 by Contoso for windows, 2 devices: --app " + appID,
			"version 2.0 by - for ios, 2 devices: --app short-id", "3 devices match",
		})
		if strings.Count(got.stdout, "S-NEW") != 1 || requests(tenant, devicesPath+"/"+annasNew) != 1 {
			t.Errorf("a device with both versions must be read and shown once:\n%s", got.stdout)
		}
	})
	t.Run("name and os", func(t *testing.T) {
		t.Parallel()
		got := newDesk(t, withApps()).run("find", "-app", "Contoso VPN", "-os", "iOS", "-json")
		got.wants(t, exitDone, []string{phoneRow}, []string{"2 detected apps"})
		if strings.Contains(got.stdout, "Windows") {
			t.Errorf("-os is not observed:\n%s", got.stdout)
		}
	})
	t.Run("id", func(t *testing.T) {
		t.Parallel()
		tenant := withApps()
		newDesk(t, tenant).run("find", "-app", strings.ToUpper(appID)).wants(t, exitDone, []string{"S-OLD", "S-NEW"}, []string{"2 devices match"})
		if requests(tenant, allApps) != 0 {
			t.Error("the list of all apps was read for an id")
		}
	})
	t.Run("id of another form", func(t *testing.T) {
		t.Parallel()
		got := newDesk(t, withApps()).run("find", "-app", "SHORT-ID")
		got.wants(t, exitDone, []string{"S-NEW", phoneRow}, []string{"2 devices match"})
	})
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		find := newDesk(t, withApps()).run
		find("find", "-app", "VPN").wants(t, exitNothing, nil, []string{
			`the name or id "VPN"`, "contain it: Contoso VPN, contoso vpn, Contoso VPN Helper",
		})
		find("find", "-app", "Solitaire").wants(t, exitNothing, nil, []string{`the name or id "Solitaire"`})
		find("find", "-app", strings.Repeat("0", 64)).wants(t, exitNothing, nil, []string{"no app that Intune found"})
		find("find", "-app", "Contoso VPN Helper", "-os", "iOS").wants(t, exitNothing, nil, []string{"no device has the app"})
	})
}

// TestFindByAppGone has a device that leaves Intune between the list and the read.
func TestFindByAppGone(t *testing.T) {
	t.Parallel()
	tenant := withApps()
	tenant.Inject(intunetest.Fault{PathSuffix: annasNew, Status: http.StatusNotFound, Code: "ResourceNotFound", Message: "gone"})
	got := newDesk(t, tenant).run("find", "-app", appID)
	got.wants(t, exitDone, []string{"S-OLD"}, []string{"1 device with the app could not be read"})
}

func TestFindByAppFails(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{allApps, "/managedDevices", annasNew} {
		tenant := withApps()
		tenant.Inject(intunetest.Fault{PathSuffix: suffix, Status: http.StatusForbidden, Code: "Forbidden", Message: "no"})
		newDesk(t, tenant).run("find", "-app", "Contoso VPN", "-json").wants(t, exitRefused, nil, []string{"403", "hint:"})
	}
	// An id that cannot go into an address is the service's mistake, not wrong usage.
	tenant := office()
	tenant.AddDetectedApp(intune.DetectedApp{ID: "../../me", DisplayName: "odd"})
	newDesk(t, tenant).run("find", "-app", "odd").wants(t, exitFailure, nil, []string{"the service gave an id that cannot be used"})
}

func TestFindByAppIsBounded(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	var refs []intune.DeviceRef
	for range maxReads + 5 {
		refs = append(refs, tenant.AddDevice(intune.ManagedDevice{DeviceName: "LT", OperatingSystem: "Windows"}))
	}
	tenant.AddDetectedApp(intune.DetectedApp{ID: "a", DisplayName: "Everywhere"}, refs...)
	find := newDesk(t, tenant).run
	got := find("find", "-app", "everywhere")
	got.wants(t, exitDone, []string{"LT"}, []string{"reading 100 devices", "on more than 100 devices", "--all", "100 devices match"})
	// None of a part is not none.
	find("find", "-app", "everywhere", "-os", "iOS").wants(t, exitFailure, nil, []string{"none of the first 100 is a match", "--all"})
	find("find", "-app", "everywhere", "--all").wants(t, exitDone, []string{"LT"}, []string{"105 devices match"})
	find("find", "-app", "everywhere", "--all", "-os", "iOS").wants(t, exitNothing, nil, []string{"no device has the app"})
}
