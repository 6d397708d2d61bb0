package intune_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphjson"
	"github.com/go-intune/intune/internal/graphjson/graphjsontest"
	"github.com/go-intune/intune/internal/graphtest"
)

func decodeOne(t *testing.T, text string) intune.ManagedDevice {
	t.Helper()
	var device intune.ManagedDevice
	if err := graphjson.UnmarshalEntity([]byte(text), &device); err != nil {
		t.Fatalf("UnmarshalEntity(%s): %v", text, err)
	}
	// A program that decodes by itself gets the same.
	var own intune.ManagedDevice
	if err := json.Unmarshal([]byte(strings.TrimPrefix(text, "\ufeff")), &own); err != nil {
		t.Fatalf("json.Unmarshal(%s): %v", text, err)
	}
	if !reflect.DeepEqual(device, own) {
		t.Errorf("UnmarshalEntity and json.Unmarshal differ on %s", text)
	}
	page, _, err := graphjson.Page[intune.ManagedDevice]([]byte(`{"value":[` + strings.TrimPrefix(text, "\ufeff") + `]}`))
	if err != nil || len(page) != 1 {
		t.Fatalf("Page with %s: %d devices, %v", text, len(page), err)
	}
	if !strings.Contains(strings.ToLower(text), `"value"`) && !reflect.DeepEqual(device, page[0]) {
		t.Errorf("UnmarshalEntity and Page differ on %s", text)
	}
	return device
}

// wholes are the structs that are one value to JSON.
var wholes = []reflect.Type{reflect.TypeFor[intune.SessionURL](), reflect.TypeFor[intune.Secret](), reflect.TypeFor[time.Time]()}

func TestManagedDevice_DecodingFillsEveryField(t *testing.T) {
	t.Parallel()
	devices, nextLink, err := graphjson.Page[intune.ManagedDevice](fullPage(3))
	if err != nil {
		t.Fatal(err)
	}
	if len(devices) != 3 || !strings.HasSuffix(nextLink, "?$skiptoken=abc%27def") {
		t.Fatalf("%d devices, next link %q", len(devices), nextLink)
	}
	var check func(path string, value reflect.Value)
	check = func(path string, value reflect.Value) {
		switch {
		case value.Kind() == reflect.Pointer:
			if value.IsNil() {
				t.Errorf("%s is nil", path)
			} else if value.Elem().Kind() == reflect.Struct {
				check(path, value.Elem())
			}
		case value.Kind() == reflect.Struct && !slices.Contains(wholes, value.Type()):
			for field, fieldValue := range value.Fields() {
				check(path+"."+field.Name, fieldValue)
			}
		case value.IsZero() && !strings.Contains(path, ".ResourceAccess"):
			t.Errorf("%s is zero", path)
		}
	}
	device := devices[2]
	check("ManagedDevice", reflect.ValueOf(device))
	for _, other := range devices[:2] {
		if other.ID == device.ID || other.UserPrincipalName == device.UserPrincipalName {
			t.Error("devices share text")
		}
	}
	results := device.DeviceActionResults
	if len(results) != 2 {
		t.Fatalf("%d action results", len(results))
	}
	if got := results[0]; got.ODataType != "#microsoft.graph.locateDeviceActionResult" || !math.IsNaN(got.DeviceLocation.Heading) {
		t.Errorf("the first result has type %q and heading %v", got.ODataType, got.DeviceLocation.Heading)
	}
	if got := results[1]; got.Passcode.Reveal() != "000002" || got.ErrorCode != -2016281111 {
		t.Errorf("the second result has passcode %q and error %d", got.Passcode.Reveal(), got.ErrorCode)
	}
	if device.RemoteAssistanceSessionURL.Reveal() != "https://get.teamviewer.com/en/s100000002" {
		t.Error("wrong session link")
	}
}

func TestManagedDevice_DecodingAgreesWithPlainJSON(t *testing.T) {
	t.Parallel()
	for name, page := range map[string][]byte{"full": fullPage(40), "list": listPage(40)} {
		devices, nextLink, err := graphjson.Page[intune.ManagedDevice](page)
		if err != nil {
			t.Fatal(name, err)
		}
		if err := graphjsontest.ComparePage(page, devices, nextLink); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestManagedDevice_DecodingAgreesOnAwkwardValues pairs properties of every kind with values of every kind: what is read must be the
// same as with encoding/json and the forgiving types of the fuzz test, and so must be what is refused.
func TestManagedDevice_DecodingAgreesOnAwkwardValues(t *testing.T) {
	t.Parallel()
	values := []string{
		`null`, `""`, `"x"`, `"\u0041\n"`, `"REDACTED"`, `true`, `false`, `0`, `-0`, `7`, `"7"`, `"-7"`, `"+7"`, `"007"`, `1.0`,
		`1e2`, `"1e2"`, `"0x1"`, `"1_0"`, `2147483648`, `"2147483648"`, `9223372036854775807`, `9223372036854775808`, `1e400`,
		`"NaN"`, `"INF"`, `"-INF"`, `"Infinity"`, `"2026-08-20T07:08:09Z"`, `"2026-08-20T07:08:09.1234567Z"`,
		`"2026-08-20T07:08:09.12345678901+02:00"`, `"2026-08-20T07:08:09"`, `"2026-08-20"`, `"0001-01-01T00:00:00Z"`,
		`"0000-01-01T00:00:00Z"`, `"2026-02-30T00:00:00Z"`, `"2026-08-20T07:08:09+24:00"`, `"2026-08-20T7:08:09Z"`,
		`"2026-08-20T07:08:09,5Z"`, `"2026-08-20 07:08:09Z"`, `[]`, `{}`, `[null]`, `[{}]`, `[[]]`, `["x"]`, `{"x":1}`, `{"id":1}`,
	}
	names := []string{
		"id", "ID", "model", "complianceState", "isEncrypted", "azureADRegistered", "freeStorageSpaceInBytes",
		"lastSyncDateTime", "remoteAssistanceSessionUrl", "deviceActionResults", "deviceHealthAttestationState",
		"configurationManagerClientEnabledFeatures", "unknown", "value",
	}
	try := func(row string) {
		page := []byte(`{"value":[` + row + `]}`)
		devices, nextLink, err := graphjson.Page[intune.ManagedDevice](page)
		difference := graphjsontest.ComparePage(page, devices, nextLink)
		if refused := errors.Is(difference, graphjsontest.ErrRefused); refused != (err != nil) {
			t.Errorf("%s: refused by encoding/json: %v; by us: %v", row, refused, err)
		} else if err == nil && difference != nil {
			t.Errorf("%s: %v", row, difference)
		}
	}
	for _, value := range values {
		for _, name := range names {
			try(`{"` + name + `":` + value + `}`)
		}
		for _, name := range []string{"actionName", "errorCode", "startDateTime", "passcode", "deviceLocation"} {
			try(`{"deviceActionResults":[{"` + name + `":` + value + `}]}`)
		}
		try(`{"deviceActionResults":[{"deviceLocation":{"speed":` + value + `}}]}`)
		try(`{"deviceHealthAttestationState":{"resetCount":` + value + `}}`)
		try(`{"configurationManagerClientEnabledFeatures":{"Inventory":` + value + `}}`)
	}
}

func TestManagedDevice_DecodingTolerances(t *testing.T) {
	t.Parallel()
	date := time.Date(2026, 8, 20, 7, 8, 9, 123456700, time.UTC)
	yes := true
	for name, test := range map[string]struct {
		json string
		want intune.ManagedDevice
	}{
		"absent":               {`{}`, intune.ManagedDevice{}},
		"null entity":          {`null`, intune.ManagedDevice{}},
		"byte-order mark":      {"\ufeff" + `{"id":"a"}`, intune.ManagedDevice{ID: "a"}},
		"space around":         {" \r\n\t{ \"id\" : \"a\" } \n", intune.ManagedDevice{ID: "a"}},
		"wrapped":              {`{"@odata.context":"c","value":{"id":"a","model":"m"}}`, intune.ManagedDevice{ID: "a", Model: "m"}},
		"wrapped, in capitals": {`{"VALUE":{"id":"a"}}`, intune.ManagedDevice{ID: "a"}},
		"wrapper last":         {`{"id":"x","userId":"y","value":{"id":"a"}}`, intune.ManagedDevice{ID: "a"}},
		"wrapped null":         {`{"value":null}`, intune.ManagedDevice{}},
		"unknown properties": {
			`{"@odata.etag":"W/\"1\"","id":"a","roleScopeTagIds":["0",{"x":[1e9]}],"n":null}`, intune.ManagedDevice{ID: "a"},
		},
		"case of names": {
			`{"ID":"a","devicename":"n","OsVersion":"1","easACTIVATED":true}`,
			intune.ManagedDevice{ID: "a", DeviceName: "n", OSVersion: "1", EASActivated: true},
		},
		"folded name": {`{"i\u0064":"a","i\u017fEncrypted":true}`, intune.ManagedDevice{ID: "a"}},
		"last wins": {
			`{"id":"a","model":"x","id":"b","model":null,"ID":"c","isEncrypted":true,"isEncrypted":null}`, intune.ManagedDevice{ID: "c"},
		},
		"seven digits": {`{"lastSyncDateTime":"2026-08-20T07:08:09.1234567Z"}`, intune.ManagedDevice{LastSyncDateTime: date}},
		"year 1": {
			`{"lastSyncDateTime":"0001-01-01T00:00:00Z","enrolledDateTime":"0001-01-01T00:00:00.0000000Z"}`, intune.ManagedDevice{},
		},
		"year 1 with offset": {
			`{"lastSyncDateTime":"0001-01-01T00:00:00-08:00","enrolledDateTime":"0001-01-01T00:00:00+02:00",
			"easActivationDateTime":"0002-01-01T00:00:00+05:00"}`,
			intune.ManagedDevice{},
		},
		"year 9999": {
			`{"lastSyncDateTime":"9999-12-31T23:59:59.9999999Z"}`,
			intune.ManagedDevice{LastSyncDateTime: time.Date(9999, 12, 31, 23, 59, 59, 999999900, time.UTC)},
		},
		"blank date": {`{"lastSyncDateTime":"","enrolledDateTime":null}`, intune.ManagedDevice{}},
		"integer as text": {
			`{"freeStorageSpaceInBytes":"9223372036854775807","physicalMemoryInBytes":"-1"}`,
			intune.ManagedDevice{FreeStorageSpaceInBytes: math.MaxInt64, PhysicalMemoryInBytes: -1},
		},
		"integer as number": {
			`{"freeStorageSpaceInBytes":9223372036854775807,"totalStorageSpaceInBytes":-0}`,
			intune.ManagedDevice{FreeStorageSpaceInBytes: math.MaxInt64},
		},
		"blank integer": {`{"freeStorageSpaceInBytes":"","physicalMemoryInBytes":null}`, intune.ManagedDevice{}},
		"null Booleans": {
			`{"isEncrypted":null,"azureADRegistered":null,"requireUserEnrollmentApproval":true}`,
			intune.ManagedDevice{RequireUserEnrollmentApproval: &yes},
		},
		"unknown member": {
			`{"complianceState":"brandNew","managementAgent":"intuneAosp"}`,
			intune.ManagedDevice{ComplianceState: "brandNew", ManagementAgent: "intuneAosp"},
		},
		"escapes": {
			`{"deviceName":"a\"\\\/\b\n\u00e9\ud83d\ude00","model":"\u0041"}`, intune.ManagedDevice{DeviceName: "a\"\\/\b\né😀", Model: "A"},
		},
		"not UTF-8": {
			"{\"deviceName\":\"a\xff\xfeb\",\"model\":\"\\ud800\"}", intune.ManagedDevice{DeviceName: "a\ufffd\ufffdb", Model: "\ufffd"},
		},
		"link": {
			`{"remoteAssistanceSessionUrl":"https:\/\/x.example\/1"}`,
			intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL("https://x.example/1")},
		},
		"blank link": {`{"remoteAssistanceSessionUrl":""}`, intune.ManagedDevice{}},
		"redacted link": {
			`{"serialNumber":"s","remoteAssistanceSessionUrl":"REDACTED","udid":"u"}`, intune.ManagedDevice{SerialNumber: "s", UDID: "u"},
		},
		"null parts": {
			`{"deviceActionResults":null,"deviceHealthAttestationState":null,"configurationManagerClientEnabledFeatures":null}`,
			intune.ManagedDevice{},
		},
		"null result": {
			`{"deviceActionResults":[null,{"actionName":"a","deviceLocation":null,"errorCode":"5"}]}`,
			intune.ManagedDevice{DeviceActionResults: []intune.DeviceActionResult{{ActionName: "a", ErrorCode: 5}}},
		},
		"no results": {`{"deviceActionResults":[]}`, intune.ManagedDevice{}},
		"parts replaced": {
			`{"deviceHealthAttestationState":{"pcr0":"1"},"deviceActionResults":[{"passcode":"1"},{"passcode":"2"}],
			"deviceHealthAttestationState":{"secureBoot":"on"},"deviceActionResults":[{"unlockPin":"3"}]}`,
			intune.ManagedDevice{
				DeviceHealthAttestationState: intune.DeviceHealthAttestationState{SecureBoot: "on"},
				DeviceActionResults:          []intune.DeviceActionResult{{UnlockPIN: intune.NewSecret("3")}},
			},
		},
		"infinities": {
			`{"deviceActionResults":[{"deviceLocation":{"altitude":"INF","speed":"-INF","heading":"","latitude":null,"longitude":-1.5e1}}]}`,
			intune.ManagedDevice{DeviceActionResults: []intune.DeviceActionResult{{
				DeviceLocation: &intune.DeviceGeoLocation{Altitude: math.Inf(1), Speed: math.Inf(-1), Longitude: -15},
			}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "null entity" {
				var got intune.ManagedDevice
				if err := graphjson.UnmarshalEntity([]byte(test.json), &got); err != nil || !reflect.DeepEqual(got, test.want) {
					t.Errorf("got %v, %v", got, err)
				}
				return
			}
			if got := decodeOne(t, test.json); !reflect.DeepEqual(got, test.want) {
				t.Errorf("%s\n got %s\nwant %s", test.json, asJSON(got), asJSON(test.want))
			}
		})
	}
}

func TestManagedDevice_DecodingErrorsNameThePropertyAndQuoteNothing(t *testing.T) {
	t.Parallel()
	const secret = "s3cret"
	for _, test := range []struct{ json, want string }{
		{`{"id":1}`, "id is a number, want text"},
		{`{"ID":1}`, "id is a number, want text"},
		{`{"deviceName":["s3cret"]}`, "deviceName is an array, want text"},
		{`{"jailBroken":true}`, "jailBroken is a Boolean, want text"},
		{`{"complianceState":{"s3cret":1}}`, "complianceState is an object, want text"},
		{`{"complianceState":3}`, "complianceState is a number, want text"},
		{`{"isEncrypted":"s3cret"}`, "isEncrypted is text, want true or false"},
		{`{"isEncrypted":0}`, "isEncrypted is a number, want true or false"},
		{`{"azureADRegistered":"true"}`, "azureADRegistered is text, want true or false"},
		{`{"freeStorageSpaceInBytes":true}`, "freeStorageSpaceInBytes is a Boolean, want an integer"},
		{`{"freeStorageSpaceInBytes":"s3cret"}`, "freeStorageSpaceInBytes is not an integer"},
		{`{"freeStorageSpaceInBytes":1.5}`, "freeStorageSpaceInBytes is not an integer"},
		{`{"freeStorageSpaceInBytes":9223372036854775808}`, "freeStorageSpaceInBytes is not an integer"},
		{`{"deviceActionResults":[{},{"errorCode":2147483648}]}`, "deviceActionResults[1].errorCode is not an integer of 32 bits"},
		{`{"deviceActionResults":{"s3cret":1}}`, "deviceActionResults is an object, want an array"},
		{`{"deviceActionResults":["s3cret"]}`, "deviceActionResults[0] is text, want an object"},
		{`{"deviceActionResults":[{"deviceLocation":{"speed":"s3cret"}}]}`, "deviceActionResults[0].deviceLocation.speed is not a number"},
		{`{"deviceActionResults":[{"deviceLocation":{"speed":1e999}}]}`, "deviceLocation.speed is too large"},
		{`{"deviceActionResults":[{"deviceLocation":{"speed":[]}}]}`, "deviceLocation.speed is an array, want a number"},
		{`{"deviceActionResults":[{"deviceLocation":"s3cret"}]}`, "deviceLocation is text, want an object"},
		{`{"deviceHealthAttestationState":[]}`, "deviceHealthAttestationState is an array, want an object"},
		{`{"lastSyncDateTime":"s3cret"}`, "lastSyncDateTime is not a date and time"},
		{`{"lastSyncDateTime":"2026-13-01T00:00:00Z"}`, "lastSyncDateTime is not a date and time"},
		{`{"lastSyncDateTime":1700000000}`, "lastSyncDateTime is a number, want a date and time"},
		{`{"remoteAssistanceSessionUrl":{"s3cret":"s3cret"}}`, "remoteAssistanceSessionUrl is an object that cannot be read"},
		{`{"s3cret":{"s3cret":s3cret}}`, "? is or holds malformed JSON"},
		{`{"498912345":x}`, ": ? is or holds malformed JSON"},
		{`{"value":{"498912345":x}}`, ": value.? is or holds malformed JSON"},
		{`{"deviceActionResults":[{"ACTIONNAME":x}]}`, ": deviceActionResults[0].actionName is or holds malformed JSON"},
		{`{"id":s3cret}`, "malformed JSON"},
		{`{"deviceName":"s3cret` + "\n" + `"}`, "malformed JSON"},
		{`{"id":"a"} "s3cret"`, "followed by more"},
		{`["s3cret"]`, "the answer is an array, want an object"},
		{`"s3cret"`, "the answer is text, want an object"},
		{`{"value":["s3cret"]}`, "value is an array, want an object"},
		{`<html>s3cret</html>`, "the answer is or holds malformed JSON"},
		{``, "the answer breaks off"},
		{`{"x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, "malformed JSON"},
	} {
		var device intune.ManagedDevice
		err := graphjson.UnmarshalEntity([]byte(test.json), &device)
		if err == nil {
			t.Errorf("%.80s: no error", test.json)
			continue
		}
		text := err.Error()
		if !strings.Contains(text, test.want) || !strings.Contains(text, "byte ") {
			t.Errorf("%.80s: %s\nwant %q and the byte", test.json, text, test.want)
		}
		if strings.Contains(text, secret) {
			t.Errorf("%.80s: the error quotes it: %s", test.json, text)
		}
		if !reflect.DeepEqual(device, intune.ManagedDevice{}) {
			t.Errorf("%.80s: a device came with the error", test.json)
		}
		kept := intune.ManagedDevice{ID: "kept"}
		if err := json.Unmarshal([]byte(test.json), &kept); err == nil || kept.ID != "kept" {
			t.Errorf("%.80s: json.Unmarshal gave %v and changed the device to %v", test.json, err, kept)
		}
	}
}

func TestManagedDevice_UnmarshalJSONReplaces(t *testing.T) {
	t.Parallel()
	yes := true
	device := intune.ManagedDevice{
		ID: "old", AzureADRegistered: &yes, RemoteAssistanceSessionURL: intune.NewSessionURL("https://old.example"),
	}
	if err := json.Unmarshal([]byte(`null`), &device); err != nil || device.ID != "old" {
		t.Errorf("null changed the device: %v, %v", device, err)
	}
	if err := json.Unmarshal([]byte(`{"id":"new"}`), &device); err != nil || !reflect.DeepEqual(device, intune.ManagedDevice{ID: "new"}) {
		t.Errorf("got %v, %v", device, err)
	}
	slice := []intune.ManagedDevice{{Model: "stale"}}
	if err := json.Unmarshal([]byte(`[{"id":"new"}]`), &slice); err != nil || slice[0].Model != "" {
		t.Errorf("got %v, %v", slice, err)
	}
}

// fullPage is a page of devices in which every property has a value, the rare ones included: more than the service
// sends in a list. It is the same at every call.
func fullPage(devices int) []byte {
	return buildPage(devices, fullDevice)
}

// listPage is a page as the service sends it: what is only read by id is null, empty or 0, and few devices attested.
func listPage(devices int) []byte {
	return buildPage(devices, func(i int) map[string]any {
		device := fullDevice(i)
		for _, name := range []string{
			"activationLockBypassCode", "ethernetMacAddress", "iccid", "notes", "remoteAssistanceSessionUrl", "udid",
			"remoteAssistanceSessionErrorDetails",
		} {
			device[name] = nil
		}
		device["physicalMemoryInBytes"] = 0
		device["easActivationDateTime"] = "0001-01-01T00:00:00Z"
		device["exchangeLastSuccessfulSyncDateTime"] = "0001-01-01T00:00:00Z"
		device["deviceActionResults"] = []any{}
		if i%20 != 0 {
			device["deviceHealthAttestationState"] = nil
			device["configurationManagerClientEnabledFeatures"] = nil
		}
		if i%4 != 0 {
			device["imei"], device["meid"], device["phoneNumber"], device["subscriberCarrier"] = "", "", "", ""
			device["androidSecurityPatchLevel"] = ""
		}
		return device
	})
}

func buildPage(devices int, device func(int) map[string]any) []byte {
	rows := make([]any, devices)
	for i := range rows {
		rows[i] = device(i)
	}
	return asJSON(map[string]any{
		"@odata.context":  "https://graph.microsoft.com/v1.0/$metadata#deviceManagement/managedDevices",
		"@odata.count":    devices,
		"@odata.nextLink": "https://graph.microsoft.com/v1.0/deviceManagement/managedDevices?$skiptoken=abc%27def",
		"value":           rows,
	})
}

func asJSON(value any) []byte {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // as the service writes it
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return []byte(text.String())
}

func fullDevice(i int) map[string]any {
	type list = []string
	pick := func(from list) string { return from[i%len(from)] }
	guid := func(kind int) string {
		return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", uint32(i)*2654435761, kind, i%4096, kind%4096, i*40503+kind)
	}
	date := func(hours int) string {
		return time.Date(2026, 3, 1, 8, 30, 15, 1234567*100*(hours%8), time.UTC).
			Add(time.Duration(hours*i) * time.Hour / 16).Format("2006-01-02T15:04:05.9999999Z07:00")
	}
	user := pick(list{"adele.vance", "megan.bowen", "jörg.müller", "diego.siciliani", "lidia.holloway"}) + strconv.Itoa(i)
	results := []any{
		map[string]any{
			"@odata.type": "#microsoft.graph.locateDeviceActionResult", "actionName": "locateDevice", "actionState": "done",
			"startDateTime": date(11), "lastUpdatedDateTime": date(12),
			"deviceLocation": map[string]any{
				"altitude": 35.5, "heading": "NaN", "horizontalAccuracy": 12, "lastCollectedDateTime": date(13),
				"latitude": 48.1371 + float64(i)/1000, "longitude": 11.5754, "speed": 0.5, "verticalAccuracy": 3,
			},
		},
		map[string]any{
			"@odata.type": "#microsoft.graph.resetPasscodeActionResult", "actionName": "resetPasscode",
			"actionState": "failed", "startDateTime": date(14), "lastUpdatedDateTime": date(15), "errorCode": -2016281111,
			"passcode": fmt.Sprintf("%06d", i),
		},
	}
	return map[string]any{
		"id":                        guid(1),
		"activationLockBypassCode":  fmt.Sprintf("%05X-%05X-%04X", i, i*7, i*3),
		"androidSecurityPatchLevel": pick(list{"2026-05-05", "2026-06-05", "2026-07-01"}),
		"azureADDeviceId":           guid(2),
		"azureADRegistered":         i%2 == 0,
		"complianceGracePeriodExpirationDateTime": pick(list{"9999-12-31T23:59:59.9999999Z", date(1)}),
		"complianceState":                         pick(list{"compliant", "noncompliant", "inGracePeriod"}),
		"configurationManagerClientEnabledFeatures": map[string]any{
			"inventory": true, "modernApps": i%2 == 0, "resourceAccess": false, "deviceConfiguration": true,
			"compliancePolicy": true, "windowsUpdateForBusiness": i%2 == 0,
		},
		"deviceActionResults":       results,
		"deviceCategoryDisplayName": pick(list{"Office", "Field", "Kiosk"}),
		"deviceEnrollmentType":      pick(list{"windowsAzureADJoin", "userEnrollment", "windowsCoManagement"}),
		"deviceHealthAttestationState": map[string]any{
			"lastUpdateDateTime":            "2026-06-01 10:11:12",
			"contentNamespaceUrl":           "http://schemas.microsoft.com/windows/security/healthcertificate/validation/response/v3",
			"deviceHealthAttestationStatus": "healthy", "contentVersion": "3.0", "issuedDateTime": date(2),
			"attestationIdentityKey": "present", "resetCount": i, "restartCount": 2 * i, "dataExcutionPolicy": "OptIn",
			"bitLockerStatus": "on", "bootManagerVersion": "10.0.26100.1", "codeIntegrityCheckVersion": "1",
			"secureBoot": "Enabled", "bootDebugging": "Disabled", "operatingSystemKernelDebugging": "Disabled",
			"codeIntegrity": "Enabled", "testSigning": "Disabled", "safeMode": "Disabled", "windowsPE": "Disabled",
			"earlyLaunchAntiMalwareDriverProtection": "Enabled", "virtualSecureMode": "Enabled",
			"pcrHashAlgorithm": "SHA256", "bootAppSecurityVersion": "1", "bootManagerSecurityVersion": "1",
			"tpmVersion": "2.0", "pcr0": "3F2A", "secureBootConfigurationPolicyFingerPrint": "A1B2C3",
			"codeIntegrityPolicy": "p", "bootRevisionListInfo": "b", "operatingSystemRevListInfo": "o",
			"healthStatusMismatchInfo": "none", "healthAttestationSupportedStatus": "supported",
		},
		"deviceName":                          fmt.Sprintf("%s-LAPTOP-%04d", strings.ToUpper(user), i),
		"deviceRegistrationState":             "registered",
		"easActivated":                        true,
		"easActivationDateTime":               date(3),
		"easDeviceId":                         fmt.Sprintf("%032X", i*99991),
		"emailAddress":                        user + "@contoso.example",
		"enrolledDateTime":                    date(4),
		"enrollmentProfileName":               pick(list{"Autopilot", "ADE iPad"}),
		"ethernetMacAddress":                  fmt.Sprintf("0050568%05X", i),
		"exchangeAccessState":                 pick(list{"allowed", "none"}),
		"exchangeAccessStateReason":           pick(list{"compliant", "unknown"}),
		"exchangeLastSuccessfulSyncDateTime":  date(5),
		"freeStorageSpaceInBytes":             int64(i) * 131072000,
		"iccid":                               fmt.Sprintf("8949020000%09d", i),
		"imei":                                fmt.Sprintf("35%013d", i),
		"isEncrypted":                         true,
		"isSupervised":                        i%2 == 0,
		"jailBroken":                          pick(list{"Unknown", "False"}),
		"lastSyncDateTime":                    date(6),
		"managedDeviceName":                   user + "_Windows_" + date(7),
		"managedDeviceOwnerType":              pick(list{"company", "personal"}),
		"managementAgent":                     pick(list{"mdm", "configurationManagerClientMdm", "futureAgent"}),
		"managementCertificateExpirationDate": date(9),
		"managementState":                     "managed",
		"manufacturer":                        pick(list{"Dell Inc.", "Apple", "LENOVO", "Microsoft Corporation"}),
		"meid":                                fmt.Sprintf("A%013d", i),
		"model":                               pick(list{"Latitude 7440", "iPhone 15", "21HMCTO1WW", "Surface Pro 9", `iPad Pro 12.9"`}),
		"notes":                               "Handed out at the\nmain desk, see ticket " + strconv.Itoa(i),
		"operatingSystem":                     pick(list{"Windows", "iOS", "Android"}),
		"osVersion":                           pick(list{"10.0.26100.4061", "18.5", "15"}),
		"partnerReportedThreatState":          pick(list{"secured", "activated"}),
		"phoneNumber":                         fmt.Sprintf("+49 89 %07d", i),
		"physicalMemoryInBytes":               int64(17179869184),
		"remoteAssistanceSessionErrorDetails": "The session could not be made " + strconv.Itoa(i),
		"remoteAssistanceSessionUrl":          "https://get.teamviewer.com/en/s" + strconv.Itoa(100000000+i),
		"requireUserEnrollmentApproval":       i%2 == 1,
		"serialNumber":                        fmt.Sprintf("SN%08X", i*7919),
		"subscriberCarrier":                   pick(list{"Telekom.de", "Vodafone"}),
		"totalStorageSpaceInBytes":            int64(511101108224),
		"udid":                                fmt.Sprintf("00008030-%016X", i*104729),
		"userDisplayName":                     strings.ReplaceAll(user, ".", " "),
		"userId":                              guid(3),
		"userPrincipalName":                   user + "@contoso.example",
		"wiFiMacAddress":                      fmt.Sprintf("A4C3F0%06X", i),
	}
}

// plainType is the type with the same fields and tags but none of this package's methods, so that encoding/json decodes
// it by reflection alone. leaf may exchange the types that are not structs of this package.
func plainType(t reflect.Type, leaf func(reflect.Type) reflect.Type) reflect.Type {
	switch {
	case slices.Contains(wholes, t):
		return leaf(t)
	case t.Kind() == reflect.Slice:
		return reflect.SliceOf(plainType(t.Elem(), leaf))
	case t.Kind() == reflect.Pointer:
		return reflect.PointerTo(plainType(t.Elem(), leaf))
	case t.Kind() != reflect.Struct:
		return leaf(t)
	}
	var fields []reflect.StructField
	for field := range t.Fields() {
		fields = append(fields, reflect.StructField{
			Name: field.Name, Type: plainType(field.Type, leaf), Tag: field.Tag,
		})
	}
	return reflect.StructOf(fields)
}

// FuzzDecodeDevicePage wants the same devices as encoding/json whenever both accept a page.
func FuzzDecodeDevicePage(f *testing.F) {
	f.Add(fullPage(1))
	f.Add(listPage(2))
	for _, seed := range []string{
		`{"value":[{"id":"a","ID":"b","iſEncrypted":true}],"@odata.count":"1"}`,
		`{"value":[null,{"deviceActionResults":[null,{"deviceLocation":{"speed":"-INF","heading":"NaN"}}]}]}`,
		`{"VALUE":[{"lastSyncDateTime":"0001-01-01T00:00:00+05:00","azureADRegistered":null}],"value":null}`,
		`{"value":[{"freeStorageSpaceInBytes":"007","deviceName":"\ud800\u0000` + "\xff" + `"}]}`,
		`{"value":[{"enrolledDateTime":"2026-08-20T07:08:09.1234567+02:00","remoteAssistanceSessionUrl":"REDACTED"}]}`,
		`{"value":[{"deviceHealthAttestationState":{"pcr0":"a"},"deviceHealthAttestationState":{"resetCount":1}}]}`,
	} {
		f.Add([]byte(seed))
	}
	unwritable := regexp.MustCompile("year outside|timezone hour")
	f.Fuzz(func(t *testing.T, page []byte) {
		devices, nextLink, err := graphjson.Page[intune.ManagedDevice](page)
		if err != nil {
			if text := err.Error(); len(text) > 300 {
				t.Errorf("long error: %s", text)
			}
			return
		}
		if err := graphjsontest.ComparePage(page, devices, nextLink); err != nil && !errors.Is(err, graphjsontest.ErrRefused) {
			t.Error(err)
		}
		if _, err := json.Marshal(devices); err != nil && !unwritable.MatchString(err.Error()) {
			t.Errorf("cannot marshal what was decoded: %v", err)
		}
	})
}

// plainPage is a new page of plain devices: the same fields and tags as [ManagedDevice], no methods, the link as text and
// the location's doubles as any, because encoding/json cannot read NaN.
func plainPage() any {
	row := plainType(reflect.TypeFor[intune.ManagedDevice](), func(t reflect.Type) reflect.Type {
		switch {
		case t == reflect.TypeFor[intune.SessionURL](), t == reflect.TypeFor[intune.Secret]():
			return reflect.TypeFor[string]()
		case t.Kind() == reflect.Float64:
			return reflect.TypeFor[any]()
		default:
			return t
		}
	})
	return reflect.New(reflect.StructOf([]reflect.StructField{
		{Name: "NextLink", Type: reflect.TypeFor[string](), Tag: `json:"@odata.nextLink"`},
		{Name: "Count", Type: reflect.TypeFor[int](), Tag: `json:"@odata.count"`},
		{Name: "Value", Type: reflect.SliceOf(row), Tag: `json:"value"`},
	})).Interface()
}

// BenchmarkDecodeDevicePage decodes a page of 1000 devices, with this package's decoder ("graphjson") and with two that decode
// by reflection into a type with the same fields and tags and without this package's methods, so they are less forgiving. They
// take turns of three pages, since a machine is not equally fast all the time, and the figures are medians: of the processor
// time for a page, and of how much of it graphjson takes beside each of the others.
func BenchmarkDecodeDevicePage(b *testing.B) {
	const devices, turn = 1000, 3
	plain := reflect.TypeOf(plainPage()).Elem()
	decoders := []struct {
		name   string
		decode func([]byte) error
	}{
		{"graphjson", func(page []byte) error {
			_, _, err := graphjson.Page[intune.ManagedDevice](page)
			return err
		}},
		{"v2", func(page []byte) error { return jsonv2.Unmarshal(page, reflect.New(plain).Interface()) }},
		{"encoding/json", func(page []byte) error { return json.Unmarshal(page, reflect.New(plain).Interface()) }},
	}
	for name, page := range map[string][]byte{"full": fullPage(devices), "list": listPage(devices)} {
		b.Run(name, func(b *testing.B) {
			times, parts := make([][]float64, len(decoders)), make([][]float64, len(decoders))
			var before, after runtime.MemStats
			for b.Loop() {
				for i, d := range decoders {
					runtime.GC() // what others left is not this one's
					runtime.ReadMemStats(&before)
					start := graphtest.CPUTime()
					for range turn {
						if err := d.decode(page); err != nil {
							b.Fatal(err)
						}
					}
					times[i] = append(times[i], (graphtest.CPUTime()-start).Seconds()*1000/turn)
					runtime.ReadMemStats(&after)
					b.ReportMetric(float64(after.Mallocs-before.Mallocs)/turn/devices, d.name+"-allocs/device")
				}
				for i := range decoders {
					parts[i] = append(parts[i], times[0][len(times[0])-1]/times[i][len(times[i])-1])
				}
			}
			for i, d := range decoders {
				b.ReportMetric(median(times[i]), d.name+"-cpu-ms/page")
				if i > 0 {
					b.ReportMetric(median(parts[i]), "of-"+d.name)
				}
			}
			b.ReportMetric(0, "ns/op") // of all together, it says nothing
		})
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

func TestManagedDevice_DecodingOfAPageThatBreaksOff(t *testing.T) {
	t.Parallel()
	page := fullPage(3)
	whole, _, err := graphjson.Page[intune.ManagedDevice](page)
	if err != nil {
		t.Fatal(err)
	}
	page = []byte(strings.TrimSpace(string(page)))
	rows := make(map[int]int)
	for end := range page {
		if end%5 != 0 && end < len(page)-8 {
			continue // a fifth of the places is enough, but for the end
		}
		devices, _, err := graphjson.Page[intune.ManagedDevice](page[:end])
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("cut at %d: %v", end, err)
		}
		for i, device := range devices {
			if device.ID != whole[i].ID || device.WiFiMACAddress != whole[i].WiFiMACAddress {
				t.Fatalf("cut at %d: device %d is not whole", end, i)
			}
		}
		rows[len(devices)]++
	}
	if len(rows) != 4 {
		t.Errorf("cuts gave %v devices", rows)
	}
}

func TestManagedDevice_DecodedTextDoesNotReferToThePage(t *testing.T) {
	t.Parallel()
	page := fullPage(2)
	devices, nextLink, err := graphjson.Page[intune.ManagedDevice](page)
	if err != nil {
		t.Fatal(err)
	}
	before := string(asJSON(devices)) + nextLink
	for i := range page {
		page[i] = 'X'
	}
	if string(asJSON(devices))+nextLink != before {
		t.Error("the devices changed with the page")
	}
}

func TestManagedDevice_DecodingIgnoresTheCaseOfEveryName(t *testing.T) {
	t.Parallel()
	var page any
	if err := json.Unmarshal(fullPage(2), &page); err != nil {
		t.Fatal(err)
	}
	var shout func(value any) any
	shout = func(value any) any {
		switch value := value.(type) {
		case map[string]any:
			loud := map[string]any{}
			for name, member := range value {
				loud[strings.ToUpper(name)] = shout(member)
			}
			return loud
		case []any:
			for i := range value {
				value[i] = shout(value[i])
			}
		}
		return value
	}
	want, _, err := graphjson.Page[intune.ManagedDevice](asJSON(page))
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := graphjson.Page[intune.ManagedDevice](asJSON(shout(page)))
	if err != nil || !bytes.Equal(asJSON(got), asJSON(want)) {
		t.Errorf("%v\n got %s\nwant %s", err, asJSON(got), asJSON(want))
	}
	if apps, _, err := graphjson.Page[intune.DetectedApp]([]byte(`{"value":[{"SIZEINBYTE":5}]}`)); err != nil || apps[0].SizeInByte != 5 {
		t.Errorf("got %v, %v", apps, err)
	}
}

func TestDecodeAllocations(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	list := listPage(200)
	for name, c := range map[string]struct {
		page []byte
		most float64
	}{
		"full": {fullPage(200), 18},
		"list": {list, 3},
		"list with a property that is not known": {
			bytes.ReplaceAll(list, []byte(`{"activationLockBypassCode":`), []byte(`{"aNewProperty":[1],"activationLockBypassCode":`)), 3,
		},
	} {
		least := math.Inf(1) // of several, since goroutines of other tests may still end
		for range 5 {
			least = min(least, testing.AllocsPerRun(1, func() {
				if _, _, err := graphjson.Page[intune.ManagedDevice](c.page); err != nil {
					t.Fatal(err)
				}
			})/200)
		}
		if least > c.most {
			t.Errorf("%s: %.1f allocations for each device, want at most %v", name, least, c.most)
		}
	}
}

func TestDetectedApp_DecodingOfAPage(t *testing.T) {
	t.Parallel()
	apps, nextLink, err := graphjson.Page[intune.DetectedApp]([]byte(`{"@odata.count":2,"value":[
		{"id":"0f","displayName":"A","version":"1","sizeInByte":"12","deviceCount":"3","publisher":"P","platform":"windows","x":1},
		{"id":"1f","sizeInByte":13,"deviceCount":4,"platform":"newPlatform","displayName":null}],"@odata.nextLink":"l"}`))
	want := []intune.DetectedApp{
		{"0f", "A", "1", 12, 3, "P", intune.DetectedAppPlatformTypeWindows},
		{ID: "1f", SizeInByte: 13, DeviceCount: 4, Platform: "newPlatform"},
	}
	if err != nil {
		t.Fatal(err)
	}
	if nextLink != "l" || !reflect.DeepEqual(apps, want) {
		t.Errorf("got %+v and the link %q, want %+v and l", apps, nextLink, want)
	}
	_, _, err = graphjson.Page[intune.DetectedApp]([]byte(`{"value":[{"deviceCount":1e3}]}`))
	if err == nil || !strings.Contains(err.Error(), "value[0].deviceCount") {
		t.Errorf("error %v", err)
	}
}

func TestRemoteAssistancePartner_Decoding(t *testing.T) {
	t.Parallel()
	connected := time.Date(2026, 8, 20, 7, 8, 9, 123456700, time.UTC)
	for name, test := range map[string]struct {
		json string
		want intune.RemoteAssistancePartner
	}{
		"as documented": {
			`{"@odata.type":"#x","id":"a","displayName":"d","onboardingStatus":"onboarded","lastConnectionDateTime":"2026-08-20T07:08:09.1234567Z"}`,
			intune.RemoteAssistancePartner{
				ID: "a", DisplayName: "d", OnboardingStatus: intune.RemoteAssistanceOnboardingStatusOnboarded, LastConnectionDateTime: connected,
			},
		},
		"wrapped": {`{"value":{"id":"a"}}`, intune.RemoteAssistancePartner{ID: "a"}},
		"nulls": {
			`{"id":"a","displayName":null,"onboardingUrl":null,"onboardingStatus":null,"lastConnectionDateTime":null}`,
			intune.RemoteAssistancePartner{ID: "a"},
		},
		"never": {
			`{"id":"a","onboardingUrl":"","lastConnectionDateTime":"0001-01-01T00:00:00Z"}`, intune.RemoteAssistancePartner{ID: "a"},
		},
		"blank date":     {`{"id":"a","lastConnectionDateTime":""}`, intune.RemoteAssistancePartner{ID: "a"}},
		"unknown member": {`{"ID":"a","ONBOARDINGSTATUS":"paused"}`, intune.RemoteAssistancePartner{ID: "a", OnboardingStatus: "paused"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got intune.RemoteAssistancePartner
			if err := graphjson.UnmarshalEntity([]byte(test.json), &got); err != nil || got != test.want {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	partner := intune.RemoteAssistancePartner{ID: "kept"}
	err := json.Unmarshal([]byte(`{"id":"a","onboardingUrl":["s3cret"]}`), &partner)
	if text := fmt.Sprint(err); !strings.Contains(text, "onboardingUrl is an array") || strings.Contains(text, "s3cret") {
		t.Errorf("got %v", err)
	}
	if partner.ID != "kept" {
		t.Errorf("the partner became %v", partner)
	}
	rows, nextLink, err := graphjson.Page[intune.RemoteAssistancePartner]([]byte(`{"@odata.nextLink":"l","value":[{"id":"a"},{"id":"b"`))
	if err == nil || nextLink != "l" {
		t.Errorf("got the link %q, %v", nextLink, err)
	}
	if want := []intune.RemoteAssistancePartner{{ID: "a"}}; !slices.Equal(rows, want) {
		t.Errorf("got %v, want %v", rows, want)
	}
}
