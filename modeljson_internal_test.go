package intune

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune/internal/graphjson"
	"github.com/go-intune/intune/internal/graphjson/graphjsontest"
)

func decodeOne(t *testing.T, text string) ManagedDevice {
	t.Helper()
	var device ManagedDevice
	if err := graphjson.UnmarshalEntity([]byte(text), &device); err != nil {
		t.Fatalf("UnmarshalEntity(%s): %v", text, err)
	}
	// A program that decodes by itself gets the same.
	var own ManagedDevice
	if err := json.Unmarshal([]byte(strings.TrimPrefix(text, "\ufeff")), &own); err != nil {
		t.Fatalf("json.Unmarshal(%s): %v", text, err)
	}
	if !reflect.DeepEqual(device, own) {
		t.Errorf("UnmarshalEntity and json.Unmarshal differ on %s", text)
	}
	page, _, err := graphjson.Page[ManagedDevice]([]byte(`{"value":[` + strings.TrimPrefix(text, "\ufeff") + `]}`))
	if err != nil || len(page) != 1 {
		t.Fatalf("Page with %s: %d devices, %v", text, len(page), err)
	}
	if !strings.Contains(strings.ToLower(text), `"value"`) && !reflect.DeepEqual(device, page[0]) {
		t.Errorf("UnmarshalEntity and Page differ on %s", text)
	}
	return device
}

func TestDecodeFillsEveryField(t *testing.T) {
	t.Parallel()
	devices, nextLink, err := graphjson.Page[ManagedDevice](fullPage(3))
	if err != nil || len(devices) != 3 || !strings.HasSuffix(nextLink, "?$skiptoken=abc%27def") {
		t.Fatalf("%d devices, next link %q, %v", len(devices), nextLink, err)
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
		case value.Kind() == reflect.Struct && value.Type() != reflect.TypeFor[time.Time]() && value.Type() != reflect.TypeFor[SessionURL]() && value.Type() != reflect.TypeFor[Secret]():
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
	if got := device.DeviceActionResults; len(got) != 2 || got[1].Passcode.Reveal() != "000002" || got[1].ErrorCode != -2016281111 ||
		got[0].ODataType != "#microsoft.graph.locateDeviceActionResult" || !math.IsNaN(got[0].DeviceLocation.Heading) {
		t.Errorf("action results: %d", len(got))
	}
	if device.RemoteAssistanceSessionURL.Reveal() != "https://get.teamviewer.com/en/s100000002" {
		t.Error("wrong session link")
	}
}

func TestDecodeAgreesWithPlainJSON(t *testing.T) {
	t.Parallel()
	for name, page := range map[string][]byte{"full": fullPage(40), "list": listPage(40)} {
		devices, nextLink, err := graphjson.Page[ManagedDevice](page)
		if err != nil {
			t.Fatal(name, err)
		}
		if err := graphjsontest.ComparePage(page, devices, nextLink); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDecodeAgreesOnAwkwardValues pairs properties of every kind with values of every kind: what is read must be the
// same as with encoding/json and the forgiving types of the fuzz test, and so must be what is refused.
func TestDecodeAgreesOnAwkwardValues(t *testing.T) {
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
		devices, nextLink, err := graphjson.Page[ManagedDevice](page)
		difference := graphjsontest.ComparePage(page, devices, nextLink)
		if refused := errors.Is(difference, graphjsontest.ErrRefused); refused != (err != nil) || err == nil && difference != nil {
			t.Errorf("%s: %v; %v", row, err, difference)
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

func TestDecodeTolerances(t *testing.T) {
	t.Parallel()
	date := time.Date(2026, 8, 20, 7, 8, 9, 123456700, time.UTC)
	yes := true
	for name, test := range map[string]struct {
		json string
		want ManagedDevice
	}{
		"absent":               {`{}`, ManagedDevice{}},
		"null entity":          {`null`, ManagedDevice{}},
		"byte-order mark":      {"\ufeff" + `{"id":"a"}`, ManagedDevice{ID: "a"}},
		"space around":         {" \r\n\t{ \"id\" : \"a\" } \n", ManagedDevice{ID: "a"}},
		"wrapped":              {`{"@odata.context":"c","value":{"id":"a","model":"m"}}`, ManagedDevice{ID: "a", Model: "m"}},
		"wrapped, in capitals": {`{"VALUE":{"id":"a"}}`, ManagedDevice{ID: "a"}},
		"wrapper last":         {`{"id":"x","userId":"y","value":{"id":"a"}}`, ManagedDevice{ID: "a"}},
		"wrapped null":         {`{"value":null}`, ManagedDevice{}},
		"unknown properties":   {`{"@odata.etag":"W/\"1\"","id":"a","roleScopeTagIds":["0",{"x":[1e9]}],"n":null}`, ManagedDevice{ID: "a"}},
		"case of names":        {`{"ID":"a","devicename":"n","OsVersion":"1","easACTIVATED":true}`, ManagedDevice{ID: "a", DeviceName: "n", OSVersion: "1", EASActivated: true}},
		"folded name":          {`{"i\u0064":"a","i\u017fEncrypted":true}`, ManagedDevice{ID: "a"}},
		"last wins":            {`{"id":"a","model":"x","id":"b","model":null,"ID":"c","isEncrypted":true,"isEncrypted":null}`, ManagedDevice{ID: "c"}},
		"seven digits":         {`{"lastSyncDateTime":"2026-08-20T07:08:09.1234567Z"}`, ManagedDevice{LastSyncDateTime: date}},
		"year 1":               {`{"lastSyncDateTime":"0001-01-01T00:00:00Z","enrolledDateTime":"0001-01-01T00:00:00.0000000Z"}`, ManagedDevice{}},
		"year 1 with offset":   {`{"lastSyncDateTime":"0001-01-01T00:00:00-08:00","enrolledDateTime":"0001-01-01T00:00:00+02:00","easActivationDateTime":"0002-01-01T00:00:00+05:00"}`, ManagedDevice{}},
		"year 9999":            {`{"lastSyncDateTime":"9999-12-31T23:59:59.9999999Z"}`, ManagedDevice{LastSyncDateTime: time.Date(9999, 12, 31, 23, 59, 59, 999999900, time.UTC)}},
		"blank date":           {`{"lastSyncDateTime":"","enrolledDateTime":null}`, ManagedDevice{}},
		"integer as text":      {`{"freeStorageSpaceInBytes":"9223372036854775807","physicalMemoryInBytes":"-1"}`, ManagedDevice{FreeStorageSpaceInBytes: math.MaxInt64, PhysicalMemoryInBytes: -1}},
		"integer as number":    {`{"freeStorageSpaceInBytes":9223372036854775807,"totalStorageSpaceInBytes":-0}`, ManagedDevice{FreeStorageSpaceInBytes: math.MaxInt64}},
		"blank integer":        {`{"freeStorageSpaceInBytes":"","physicalMemoryInBytes":null}`, ManagedDevice{}},
		"null Booleans":        {`{"isEncrypted":null,"azureADRegistered":null,"requireUserEnrollmentApproval":true}`, ManagedDevice{RequireUserEnrollmentApproval: &yes}},
		"unknown member":       {`{"complianceState":"brandNew","managementAgent":"intuneAosp"}`, ManagedDevice{ComplianceState: "brandNew", ManagementAgent: "intuneAosp"}},
		"escapes":              {`{"deviceName":"a\"\\\/\b\n\u00e9\ud83d\ude00","model":"\u0041"}`, ManagedDevice{DeviceName: "a\"\\/\b\né😀", Model: "A"}},
		"not UTF-8":            {"{\"deviceName\":\"a\xff\xfeb\",\"model\":\"\\ud800\"}", ManagedDevice{DeviceName: "a\ufffd\ufffdb", Model: "\ufffd"}},
		"link":                 {`{"remoteAssistanceSessionUrl":"https:\/\/x.example\/1"}`, ManagedDevice{RemoteAssistanceSessionURL: NewSessionURL("https://x.example/1")}},
		"blank link":           {`{"remoteAssistanceSessionUrl":""}`, ManagedDevice{}},
		"redacted link":        {`{"serialNumber":"s","remoteAssistanceSessionUrl":"REDACTED","udid":"u"}`, ManagedDevice{SerialNumber: "s", UDID: "u"}},
		"null parts":           {`{"deviceActionResults":null,"deviceHealthAttestationState":null,"configurationManagerClientEnabledFeatures":null}`, ManagedDevice{}},
		"null result":          {`{"deviceActionResults":[null,{"actionName":"a","deviceLocation":null,"errorCode":"5"}]}`, ManagedDevice{DeviceActionResults: []DeviceActionResult{{ActionName: "a", ErrorCode: 5}}}},
		"no results":           {`{"deviceActionResults":[]}`, ManagedDevice{}},
		"parts replaced": {
			`{"deviceHealthAttestationState":{"pcr0":"1"},"deviceActionResults":[{"passcode":"1"},{"passcode":"2"}],
			"deviceHealthAttestationState":{"secureBoot":"on"},"deviceActionResults":[{"unlockPin":"3"}]}`,
			ManagedDevice{
				DeviceHealthAttestationState: DeviceHealthAttestationState{SecureBoot: "on"},
				DeviceActionResults:          []DeviceActionResult{{UnlockPIN: NewSecret("3")}},
			},
		},
		"infinities": {
			`{"deviceActionResults":[{"deviceLocation":{"altitude":"INF","speed":"-INF","heading":"","latitude":null,"longitude":-1.5e1}}]}`,
			ManagedDevice{DeviceActionResults: []DeviceActionResult{{
				DeviceLocation: &DeviceGeoLocation{Altitude: math.Inf(1), Speed: math.Inf(-1), Longitude: -15},
			}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "null entity" {
				var got ManagedDevice
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

func TestDecodeErrorsNameThePropertyAndQuoteNothing(t *testing.T) {
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
		var device ManagedDevice
		err := graphjson.UnmarshalEntity([]byte(test.json), &device)
		if err == nil {
			t.Errorf("%.80s: no error", test.json)
			continue
		}
		if text := err.Error(); !strings.Contains(text, test.want) || strings.Contains(text, secret) || !strings.Contains(text, "byte ") {
			t.Errorf("%.80s: %s\nwant %q", test.json, text, test.want)
		}
		if !reflect.DeepEqual(device, ManagedDevice{}) {
			t.Errorf("%.80s: a device came with the error", test.json)
		}
		kept := ManagedDevice{ID: "kept"}
		if err := json.Unmarshal([]byte(test.json), &kept); err == nil || kept.ID != "kept" {
			t.Errorf("%.80s: json.Unmarshal gave %v and changed the device to %v", test.json, err, kept)
		}
	}
}

func TestUnmarshalJSONReplaces(t *testing.T) {
	t.Parallel()
	yes := true
	device := ManagedDevice{
		ID: "old", AzureADRegistered: &yes, RemoteAssistanceSessionURL: NewSessionURL("https://old.example"),
	}
	if err := json.Unmarshal([]byte(`null`), &device); err != nil || device.ID != "old" {
		t.Errorf("null changed the device: %v, %v", device, err)
	}
	if err := json.Unmarshal([]byte(`{"id":"new"}`), &device); err != nil || !reflect.DeepEqual(device, ManagedDevice{ID: "new"}) {
		t.Errorf("got %v, %v", device, err)
	}
	slice := []ManagedDevice{{Model: "stale"}}
	if err := json.Unmarshal([]byte(`[{"id":"new"}]`), &slice); err != nil || slice[0].Model != "" {
		t.Errorf("got %v, %v", slice, err)
	}
}
