package intunetest_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// attestation has something in every member of the type.
func attestation(t *testing.T, at time.Time) intune.DeviceHealthAttestationState {
	t.Helper()
	var state intune.DeviceHealthAttestationState
	v := reflect.ValueOf(&state).Elem()
	for i := range v.NumField() {
		switch field := v.Field(i); field.Interface().(type) {
		case string:
			field.SetString("value of " + v.Type().Field(i).Name)
		case int64:
			field.SetInt(int64(i + 1))
		case time.Time:
			field.Set(reflect.ValueOf(at))
		default:
			t.Fatalf("%s: a type this test does not know", v.Type().Field(i).Name)
		}
	}
	return state
}

// C§2.3 and the schema [CSDL]: what AddDevice is given of the complex properties arrives, in a GET and in a list.
func TestComplexProperties(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 7, 5, 4, 3, 2, 0, time.UTC)
	device := intune.ManagedDevice{
		ID:                           deviceID,
		DeviceHealthAttestationState: attestation(t, at),
		ConfigurationManagerClientEnabledFeatures: intune.ConfigurationManagerClientEnabledFeatures{CompliancePolicy: true, ModernApps: true},
		DeviceActionResults: []intune.DeviceActionResult{
			{ActionName: "syncDevice", ActionState: intune.ActionStateDone, StartDateTime: at, LastUpdatedDateTime: at.Add(time.Minute)},
			{
				ODataType: "#microsoft.graph.locateDeviceActionResult", ActionName: "locateDevice", ActionState: intune.ActionStatePending,
				DeviceLocation: &intune.DeviceGeoLocation{Latitude: 1.5, Longitude: -2, LastCollectedDateTime: at},
			},
			{ODataType: "#microsoft.graph.remoteLockActionResult", ActionName: "remoteLock", UnlockPIN: intune.NewSecret("1234")},
			{
				ODataType: "#microsoft.graph.resetPasscodeActionResult", ActionName: "resetPasscode", Passcode: intune.NewSecret("5678"),
				ErrorCode: -5,
			},
			{ODataType: "#microsoft.graph.windowsDefenderScanActionResult", ActionName: "scan", ScanType: "quick"},
			{
				ODataType: "#microsoft.graph.deleteUserFromSharedAppleDeviceActionResult", ActionName: "deleteUser",
				UserPrincipalName: "anna@contoso.com",
			},
			{},
		},
	}
	tenant := intunetest.NewTenant(nil)
	ref := tenant.AddDevice(device)

	// The wire has every member, under the names of the schema.
	one := get(t, inProcess(tenant), graph+"/v1.0"+ref.String())
	features, _ := one["configurationManagerClientEnabledFeatures"].(map[string]any)
	expectMembers(t, "features", features, map[string]any{"modernApps": true, "inventory": false})
	expectLen(t, "features", features, 6)
	state, _ := one["deviceHealthAttestationState"].(map[string]any)
	expectMembers(t, "attestation", state, map[string]any{
		"dataExcutionPolicy": "value of DataExecutionPolicy", "issuedDateTime": "2026-07-05T04:03:02Z",
	})
	expectLen(t, "attestation", state, 32)
	results, _ := one["deviceActionResults"].([]any)
	if len(results) != 7 {
		t.Fatalf("results %v", one["deviceActionResults"])
	}
	first, last := results[0].(map[string]any), results[6].(map[string]any)
	expectMembers(t, "a plain result", first, map[string]any{"actionState": "done", "startDateTime": "2026-07-05T04:03:02Z"})
	expectLen(t, "a plain result", first, 4)
	expectMembers(t, "a result of nothing", last, map[string]any{
		"actionName": nil, "actionState": "none", "startDateTime": "0001-01-01T00:00:00Z",
	})
	expectLen(t, "a result of nothing", last, 4)

	// The library reads back what was given, but for a state that is not set.
	device.DeviceActionResults[2].ActionState, device.DeviceActionResults[3].ActionState = "none", "none"
	device.DeviceActionResults[4].ActionState, device.DeviceActionResults[5].ActionState = "none", "none"
	device.DeviceActionResults[6].ActionState = "none"
	check := func(where string, got intune.ManagedDevice) {
		for property, values := range map[string][2]any{
			"deviceActionResults":          {got.DeviceActionResults, device.DeviceActionResults},
			"deviceHealthAttestationState": {got.DeviceHealthAttestationState, device.DeviceHealthAttestationState},
			"configurationManagerClientEnabledFeatures": {
				got.ConfigurationManagerClientEnabledFeatures, device.ConfigurationManagerClientEnabledFeatures,
			},
		} {
			if !reflect.DeepEqual(values[0], values[1]) {
				t.Errorf("%s: %s is %#v, want %#v", where, property, values[0], values[1])
			}
		}
	}
	response, err := tenant.Client().GetDevice(t.Context(), ref, nil)
	if err != nil {
		t.Fatal(err)
	}
	check("GET", response.ManagedDevice)
	for listed, err := range tenant.Client().Devices(t.Context(), intune.AllDevices(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		check("list", listed)
	}
}

// A partly filled attestation has null for the rest.
func TestPartOfAnAttestation(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	ref := tenant.AddDevice(intune.ManagedDevice{DeviceHealthAttestationState: intune.DeviceHealthAttestationState{SecureBoot: "Enabled"}})
	state, _ := get(t, inProcess(tenant), graph+"/v1.0"+ref.String())["deviceHealthAttestationState"].(map[string]any)
	if _, there := state["bitLockerStatus"]; !there {
		t.Errorf("no bitLockerStatus in %v", state)
	}
	expectMembers(t, "attestation", state, map[string]any{"secureBoot": "Enabled", "bitLockerStatus": nil, "resetCount": 0.0})
	expectLen(t, "attestation", state, 32)
}
