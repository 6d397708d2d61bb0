package intunetest_test

import (
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// Looking at the tenant's devices shows what a read would, and is none.
func TestDevices(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	if list := tenant.Devices(); len(list) != 0 {
		t.Errorf("none: %v", list)
	}
	ref := tenant.AddDevice(intune.ManagedDevice{ID: "1", DeviceName: "A", RemoteAssistanceSessionURL: intune.NewSessionURL("https://old")},
		intunetest.SessionScript{URL: "https://new", AfterReads: 2}, intunetest.SessionScript{ErrorDetails: "no luck", After: time.Minute})
	tenant.AddDevice(intune.ManagedDevice{ID: "2"})
	client := inProcess(tenant)
	ask := func() { send(t, client, http.MethodPost, graph+"/v1.0"+ref.String()+action, "") }
	read := func() { get(t, client, graph+"/v1.0"+ref.String()+"?$select=remoteAssistanceSessionUrl") }
	expect := func(when string, prompts int, pending bool, link, details string) {
		t.Helper()
		for range 3 { // looking changes nothing
			list := tenant.Devices()
			if len(list) != 2 || list[0].Device.DeviceName != "A" || list[1].Device.ID != "2" {
				t.Fatalf("%s: %v", when, list)
			}
			s := list[0]
			if s.Prompts != prompts || s.Pending != pending || s.Device.RemoteAssistanceSessionURL.Reveal() != link || s.Device.RemoteAssistanceSessionErrorDetails != details {
				t.Errorf("%s: %d prompts, pending %v, %q, %q", when, s.Prompts, s.Pending, s.Device.RemoteAssistanceSessionURL.Reveal(), s.Device.RemoteAssistanceSessionErrorDetails)
			}
		}
	}
	expect("at first", 0, false, "https://old", "")
	ask()
	expect("asked", 1, true, "https://old", "")
	read()
	expect("one read", 1, true, "https://old", "")
	read()
	expect("two reads", 1, false, "https://new", "")
	ask()
	expect("asked again", 2, true, "https://new", "")
	tenant.Advance(time.Minute)
	expect("a minute later", 2, false, "https://new", "no luck")
	if n := len(tenant.Requests()); n != 4 {
		t.Errorf("%d requests", n)
	}
}

// What a device points to belongs to the tenant, whatever happens to what it was given or gave.
func TestDevicesAreCopies(t *testing.T) {
	t.Parallel()
	made := func() intune.ManagedDevice {
		return intune.ManagedDevice{
			ID: "1", AzureADRegistered: new(true), RequireUserEnrollmentApproval: new(true),
			DeviceActionResults: []intune.DeviceActionResult{{ActionName: "locateDevice", DeviceLocation: &intune.DeviceGeoLocation{Latitude: 1}}},
		}
	}
	for field, value := range reflect.ValueOf(made()).Fields() {
		if kind := value.Kind(); (kind == reflect.Pointer || kind == reflect.Slice || kind == reflect.Map) && value.IsNil() {
			t.Errorf("%s is not tried", field.Name)
		}
	}
	change := func(d intune.ManagedDevice) {
		*d.AzureADRegistered, *d.RequireUserEnrollmentApproval = false, false
		*d.DeviceActionResults[0].DeviceLocation = intune.DeviceGeoLocation{}
		d.DeviceActionResults[0] = intune.DeviceActionResult{}
	}
	tenant := intunetest.NewTenant(nil)
	given := made()
	tenant.AddDevice(given)
	change(given)
	change(tenant.Devices()[0].Device)
	if got := tenant.Devices()[0].Device; !reflect.DeepEqual(got, made()) {
		t.Errorf("got %#v", got)
	}
}

func TestNow(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{Clock: func() time.Time { return at }})
	tenant.Advance(time.Hour)
	if now := tenant.Now(); !now.Equal(at.Add(time.Hour)) {
		t.Errorf("%v", now)
	}
}

// What SetConnector hides is onboarded all the same.
func TestConnector(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	for set, want := range map[intune.ConnectorState]intune.ConnectorState{
		"": "", "someday": "someday", intune.ConnectorStateNotOnboarded: intune.ConnectorStateNotOnboarded,
		intune.ConnectorStateOnboarding: intune.ConnectorStateOnboarding, intune.ConnectorStateUnknown: intune.ConnectorStateOnboarded,
	} {
		tenant.SetConnector(set)
		if got := tenant.Connector(); got != want {
			t.Errorf("%q: %q", set, got)
		}
	}
}
