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
			if len(list) != 2 {
				t.Fatalf("%s: %v", when, list)
			}
			if name, id := list[0].Device.DeviceName, list[1].Device.ID; name != "A" || id != "2" {
				t.Fatalf("%s: name of the first %q, id of the second %q", when, name, id)
			}
			s, d := list[0], list[0].Device
			if s.Prompts != prompts || s.Pending != pending {
				t.Errorf("%s: %d prompts, pending %v, want %d, %v", when, s.Prompts, s.Pending, prompts, pending)
			}
			got := [2]string{d.RemoteAssistanceSessionURL.Reveal(), d.RemoteAssistanceSessionErrorDetails}
			if want := [2]string{link, details}; got != want {
				t.Errorf("%s: session %q, want %q", when, got, want)
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
		switch value.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			if value.IsNil() {
				t.Errorf("%s is not tried", field.Name)
			}
		default: // a copy by itself
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
