package intunetest_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// propertyNames are the 56 properties of managedDevice in v1.0, as the schema has them.
var propertyNames = strings.Fields(`activationLockBypassCode androidSecurityPatchLevel azureADDeviceId azureADRegistered
	complianceGracePeriodExpirationDateTime complianceState configurationManagerClientEnabledFeatures deviceActionResults
	deviceCategoryDisplayName deviceEnrollmentType deviceHealthAttestationState deviceName deviceRegistrationState easActivated
	easActivationDateTime easDeviceId emailAddress enrolledDateTime enrollmentProfileName ethernetMacAddress exchangeAccessState
	exchangeAccessStateReason exchangeLastSuccessfulSyncDateTime freeStorageSpaceInBytes iccid id imei isEncrypted isSupervised jailBroken
	lastSyncDateTime managedDeviceName managedDeviceOwnerType managementAgent managementCertificateExpirationDate managementState
	manufacturer meid model notes operatingSystem osVersion partnerReportedThreatState phoneNumber physicalMemoryInBytes
	remoteAssistanceSessionErrorDetails remoteAssistanceSessionUrl requireUserEnrollmentApproval serialNumber subscriberCarrier
	totalStorageSpaceInBytes udid userDisplayName userId userPrincipalName wiFiMacAddress`)

const (
	devicesPath = "/v1.0/deviceManagement/managedDevices"
	appsPath    = "/v1.0/deviceManagement/detectedApps"
	devicesURL  = graph + devicesPath
)

// full has something in every property that is not complex.
func full() intune.ManagedDevice {
	yes, no := true, false
	at := time.Date(2025, 6, 7, 8, 9, 10, 123456700, time.FixedZone("", 3600))
	return intune.ManagedDevice{
		ID: deviceID, ActivationLockBypassCode: intune.NewSecret("bypass"), AndroidSecurityPatchLevel: "2025-01",
		AzureADDeviceID: "entra", AzureADRegistered: &yes,
		ComplianceGracePeriodExpirationDateTime: at, ComplianceState: "compliant", DeviceCategoryDisplayName: "category",
		DeviceEnrollmentType: "userEnrollment",
		DeviceName:           "DESKTOP-1", DeviceRegistrationState: "registered", EASActivated: true, EASActivationDateTime: at,
		EASDeviceID:  "eas",
		EmailAddress: "anna@contoso.com", EnrolledDateTime: at, EnrollmentProfileName: "profile", EthernetMACAddress: "ethernet",
		ExchangeAccessState:       "allowed",
		ExchangeAccessStateReason: "compliant", ExchangeLastSuccessfulSyncDateTime: at, FreeStorageSpaceInBytes: 1 << 40,
		ICCID: "iccid", IMEI: "imei",
		IsEncrypted: true, IsSupervised: true, JailBroken: "False", LastSyncDateTime: at, ManagedDeviceName: "managed \"name\" <ü>",
		ManagedDeviceOwnerType: "company",
		ManagementAgent:        "mdm", ManagementCertificateExpirationDate: at, ManagementState: "managed", Manufacturer: "maker",
		MEID: "meid", Model: "model",
		Notes: "notes", OperatingSystem: "Windows", OSVersion: "10.0", PartnerReportedThreatState: "secured", PhoneNumber: "phone",
		PhysicalMemoryInBytes:               8 << 30,
		RemoteAssistanceSessionErrorDetails: "old error", RemoteAssistanceSessionURL: intune.NewSessionURL("https://old"),
		RequireUserEnrollmentApproval: &no,
		SerialNumber:                  "serial", SubscriberCarrier: "carrier", TotalStorageSpaceInBytes: 2 << 40, UDID: "udid",
		UserDisplayName: "Anna", UserID: userID,
		UserPrincipalName: "anna@contoso.com", WiFiMACAddress: "wifi",
	}
}

// late are the properties of C§2.1 that only a GET by id with $select returns, with what is sent instead in a list
// and in a plain GET.
var late = map[string][3]any{ // true value, list, GET
	"activationLockBypassCode":            {"bypass", nil, nil},
	"ethernetMacAddress":                  {"ethernet", nil, ""},
	"iccid":                               {"iccid", nil, ""},
	"notes":                               {"notes", nil, nil},
	"physicalMemoryInBytes":               {float64(8 << 30), 0.0, 0.0},
	"udid":                                {"udid", nil, ""},
	"remoteAssistanceSessionUrl":          {"https://old", nil, ""},
	"remoteAssistanceSessionErrorDetails": {"old error", nil, ""},
}

// C§2.1: what a GET and a list show, and what only $select brings.
func TestPropertiesThatNeedSelect(t *testing.T) {
	t.Parallel()
	throughEveryDoor(t, nil, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
		tenant.AddDevice(full())
		collection := root + "/v1.0/deviceManagement/managedDevices"
		plain := get(t, client, collection+"/"+deviceID)
		page := get(t, client, collection)
		listed := page["value"].([]any)[0].(map[string]any)
		selectedInList := get(t, client, collection+"?$select="+strings.Join(propertyNames, ","))["value"].([]any)[0].(map[string]any)

		if got := plain["@odata.context"]; got != root+"/v1.0/$metadata#deviceManagement/managedDevices/$entity" {
			t.Errorf("context %v", got)
		}
		delete(plain, "@odata.context")
		for _, o := range []map[string]any{plain, listed, selectedInList} {
			if names := slices.Sorted(maps.Keys(o)); !slices.Equal(names, propertyNames) {
				t.Errorf("properties %v", names)
			}
		}
		for name, want := range late {
			one := get(t, client, collection+"/"+deviceID+"?$select="+name)
			context := root + "/v1.0/$metadata#deviceManagement/managedDevices(" + name + ")/$entity"
			if selected := map[string]any{"@odata.context": context, name: want[0]}; !maps.Equal(one, selected) {
				t.Errorf("$select=%s: %v, want %v", name, one, selected)
			}
			if got, want := [...]any{listed[name], selectedInList[name], plain[name]}, [...]any{want[1], want[1], want[2]}; got != want {
				t.Errorf("%s: got %q in the list, the list with $select and the GET, want %q", name, got, want)
			}
		}
		for name, value := range plain {
			if _, ok := late[name]; ok || name == "deviceActionResults" {
				continue
			}
			if listed[name] != value {
				t.Errorf("%s: %v in the list, %v in the GET", name, listed[name], value)
			}
		}
		for name, want := range map[string]any{
			"deviceName": "DESKTOP-1", "managedDeviceName": "managed \"name\" <ü>", "complianceState": "compliant", "azureADRegistered": true,
			"requireUserEnrollmentApproval": false, "freeStorageSpaceInBytes": float64(1 << 40), "isEncrypted": true,
			"lastSyncDateTime": "2025-06-07T07:09:10.1234567Z", "jailBroken": "False", "wiFiMacAddress": "wifi",
		} {
			if plain[name] != want {
				t.Errorf("%s: %v, want %v", name, plain[name], want)
			}
		}
	})
}

// [R] Full captures of devices: what stands for a property of which nothing is known, in a plain GET and in a list.
func TestUnsetProperties(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	ref := tenant.AddDevice(intune.ManagedDevice{})
	one := get(t, inProcess(tenant), graph+"/v1.0"+ref.String())
	listed := get(t, inProcess(tenant), devicesURL)["value"].([]any)[0].(map[string]any)
	for _, c := range []struct {
		name      string
		get, list any
	}{
		{"imei", "", ""},
		{"meid", "", ""},
		{"easDeviceId", "", ""},
		{"wiFiMacAddress", "", ""},
		{"subscriberCarrier", "", ""},
		{"androidSecurityPatchLevel", "", ""},
		{"jailBroken", "Unknown", "Unknown"},
		{"deviceCategoryDisplayName", "", "Unknown"},
		{"enrollmentProfileName", "", nil},
		{"ethernetMacAddress", "", nil},
		{"iccid", "", nil},
		{"udid", "", nil},
		{"notes", nil, nil},
		{"activationLockBypassCode", nil, nil},
		{"deviceActionResults", "[]", "[]"},
	} {
		got, inList := one[c.name], listed[c.name]
		if results, ok := got.([]any); ok {
			got, inList = fmt.Sprint(results), fmt.Sprint(inList)
		}
		if got != c.get || inList != c.list {
			t.Errorf("%s: %v in the GET, %v in the list, want %v and %v", c.name, got, inList, c.get, c.list)
		}
	}
	// What stands for nothing in a list is what a filter finds.
	for filter, want := range map[string]int{
		"deviceCategoryDisplayName%20eq%20'Unknown'": 1, "jailBroken%20eq%20'Unknown'": 1, "jailBroken%20eq%20'False'": 0,
	} {
		if n := len(get(t, inProcess(tenant), devicesURL+"?$filter="+filter)["value"].([]any)); n != want {
			t.Errorf("%s: %d devices", filter, n)
		}
	}
}

// C§2.4: the sentinels of a device of which nothing is known.
func TestBlankDevice(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	ref := tenant.AddDevice(intune.ManagedDevice{})
	if !guid.MatchString(ref.DeviceID()) {
		t.Errorf("the id is no GUID: %s", ref)
	}
	if again := intunetest.NewTenant(nil).AddDevice(intune.ManagedDevice{}); again != ref {
		t.Errorf("the id is %s in one run, and %s in the next", ref, again)
	}
	if tenant.AddDevice(intune.ManagedDevice{}) == ref {
		t.Errorf("the id is not unique: %s", ref)
	}
	o := get(t, inProcess(tenant), graph+"/v1.0"+ref.String())
	for name, want := range map[string]any{
		"enrolledDateTime": "0001-01-01T00:00:00Z", "lastSyncDateTime": "0001-01-01T00:00:00Z",
		"managementCertificateExpirationDate": "0001-01-01T00:00:00Z",
		"isEncrypted":                         false, "easActivated": false, "azureADRegistered": nil, "requireUserEnrollmentApproval": nil,
		"totalStorageSpaceInBytes": 0.0, "userId": "", "userPrincipalName": "", "emailAddress": "", "serialNumber": nil, "deviceName": nil,
		"complianceState": "unknown", "managementAgent": "unknown", "managementState": "managed", "managedDeviceOwnerType": "unknown",
		"deviceEnrollmentType": "unknown", "deviceRegistrationState": "unknown", "exchangeAccessState": "none",
		"exchangeAccessStateReason":  "none",
		"partnerReportedThreatState": "unknown", "configurationManagerClientEnabledFeatures": nil, "deviceHealthAttestationState": nil,
	} {
		if got, ok := o[name]; !ok || got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if results, ok := o["deviceActionResults"].([]any); !ok || len(results) != 0 {
		t.Errorf("deviceActionResults: %v", o["deviceActionResults"])
	}
}

// C§3.3: an option that is not understood is ignored, and the dollar sign is part of the name.
func TestSelect(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	ref := tenant.AddDevice(full())
	client := inProcess(tenant)
	for query, want := range map[string]int{
		"?$select=id,deviceName":         2,
		"?$select=ID,DEVICENAME":         2,
		"?$select=id%2C%20deviceName":    2,
		"?$select=":                      56,
		"?$select=*":                     56,
		"?select=id":                     56,
		"?$orderby=id&$search=x&$skip=1": 56,
		"?&$select=id&":                  1,
	} {
		if got := len(get(t, client, graph+"/v1.0"+ref.String()+query)) - 1; got != want {
			t.Errorf("%s: %d properties, want %d", query, got, want)
		}
		if got := len(get(t, client, devicesURL+query)["value"].([]any)[0].(map[string]any)); got != want {
			t.Errorf("list %s: %d properties, want %d", query, got, want)
		}
	}
	for _, url := range []string{graph + "/v1.0" + ref.String(), devicesURL, graph + "/v1.0/users/" + userID + "/managedDevices"} {
		r := send(t, client, http.MethodGet, url+"?$select=id,skuFamily", "")
		got := r.refusal(t)
		if got.status != 400 || got.code != "BadRequest" {
			t.Errorf("%s: %+v", url, got)
		}
		if !strings.Contains(got.message, "'skuFamily'") {
			t.Errorf("%s: %q does not name the property", url, got.message)
		}
	}
	req, err := http.NewRequest(http.MethodGet, devicesURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.URL.RawQuery = "$select=%zz"
	req.Header.Set("Authorization", "Bearer x")
	if resp, err := tenant.RoundTrip(req); err != nil || resp.StatusCode != 400 {
		t.Errorf("a malformed escape: %v, %v", resp, err)
	}
}

// C§3.1: the collections, each with its devices.
func TestCollections(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	ref := populate(tenant)
	client := inProcess(tenant)
	ids := func(url string) (list []string) {
		for _, item := range get(t, client, graph+"/v1.0"+url)["value"].([]any) {
			list = append(list, item.(map[string]any)["id"].(string))
		}
		return list
	}
	for url, want := range map[string][]string{
		"/deviceManagement/managedDevices":                                {deviceID, "other", "odd"},
		"/users/" + userID + "/managedDevices":                            {deviceID},
		"/users('o''hara@contoso.com')/managedDevices":                    {"other"},
		"/deviceManagement/detectedApps/" + appID + "/managedDevices":     {deviceID},
		"/deviceManagement/detectedApps('" + appID + "')/managedDevices/": {deviceID},
	} {
		if got := ids(url); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", url, got, want)
		}
	}
	// A device that is added again takes its old place and forgets its session.
	tenant.AddDevice(intune.ManagedDevice{ID: strings.ToUpper(deviceID), DeviceName: "NEW"})
	if got := ids("/deviceManagement/managedDevices"); !slices.Equal(got, []string{strings.ToUpper(deviceID), "other", "odd"}) {
		t.Errorf("after replacing: %v", got)
	}
	if name := get(t, client, graph+"/v1.0"+ref.String())["deviceName"]; name != "NEW" {
		t.Errorf("after replacing: %v", name)
	}
	tenant.RemoveDevice(intune.Device("gone"))
	tenant.RemoveDevice(intune.UserDevice("x", deviceID))
	if got := ids("/deviceManagement/managedDevices"); !slices.Equal(got, []string{"other", "odd"}) {
		t.Errorf("after removing: %v", got)
	}
}

// C§3.4: detected apps are right in the list and blank by id; their devices are thin.
func TestDetectedApps(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	ref := tenant.AddDevice(full())
	tenant.AddDetectedApp(intune.DetectedApp{
		ID: appID, DisplayName: "Notepad", Version: "1.2", SizeInByte: 7, Publisher: "Contoso", Platform: "windows",
	}, ref, intune.Device("later"))
	tenant.AddDetectedApp(intune.DetectedApp{DisplayName: "Other", DeviceCount: 9})
	client := inProcess(tenant)
	const apps = graph + "/v1.0/deviceManagement/detectedApps"
	list := get(t, client, apps+"?$expand=managedDevices")["value"].([]any)
	first, second := list[0].(map[string]any), list[1].(map[string]any)
	expectMembers(t, "list", first, map[string]any{
		"id": appID, "displayName": "Notepad", "version": "1.2", "sizeInByte": 7.0, "deviceCount": 1.0, "publisher": "Contoso",
		"platform": "windows",
	})
	if devices, ok := first["managedDevices"].([]any); !ok || len(devices) != 0 {
		t.Errorf("devices in the list: %v", first["managedDevices"])
	}
	expectMembers(t, "list, another", second, map[string]any{"deviceCount": 9.0, "publisher": nil})
	if id := second["id"].(string); len(id) != 64 {
		t.Errorf("id %s", id)
	}
	one := get(t, client, apps+"/"+appID+"?$expand=managedDevices")
	for name, want := range map[string]any{
		"@odata.context": graph + "/v1.0/$metadata#deviceManagement/detectedApps/$entity",
		"id":             appID, "displayName": nil, "version": nil, "sizeInByte": 0.0, "deviceCount": 0.0, "publisher": nil,
		"platform": "unknown",
	} {
		if got, ok := one[name]; !ok || got != want {
			t.Errorf("GET: %s is %v, want %v", name, got, want)
		}
	}
	if devices := one["managedDevices"].([]any); len(devices) != 1 {
		t.Errorf("GET: devices %v", devices)
	}
	const below = apps + "/" + appID + "/managedDevices"
	thin := get(t, client, below)["value"].([]any)[0].(map[string]any)
	if names := slices.Sorted(maps.Keys(thin)); !slices.Equal(names, []string{"deviceName", "id", "operatingSystem", "osVersion"}) {
		t.Errorf("thin: %v", names)
	}
	const some = "?$select=id,userPrincipalName,remoteAssistanceSessionUrl,lastSyncDateTime"
	thin = get(t, client, below+some)["value"].([]any)[0].(map[string]any)
	if want := map[string]any{
		"id": deviceID, "userPrincipalName": nil, "remoteAssistanceSessionUrl": nil, "lastSyncDateTime": "0001-01-01T00:00:00Z",
	}; !maps.Equal(thin, want) {
		t.Errorf("thin with $select: %v, want %v", thin, want)
	}
	// The devices may come later, and an app may change.
	tenant.AddDevice(intune.ManagedDevice{ID: "later"})
	tenant.AddDetectedApp(intune.DetectedApp{ID: strings.ToUpper(appID), DisplayName: "New"}, intune.Device("LATER"))
	page := get(t, client, apps+"?$top=1&$select=displayName,deviceCount")
	got, want := page["value"].([]any)[0].(map[string]any), map[string]any{"displayName": "New", "deviceCount": 1.0}
	if !maps.Equal(got, want) || page["@odata.nextLink"] == nil {
		t.Errorf("got %v, want %v and a next link", page, want)
	}
}
