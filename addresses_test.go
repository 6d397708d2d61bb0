package intune_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/go-intune/intune"
)

// A path that is almost an address of one device is refused with the reason, since people paste such paths.
func TestParseDeviceRefSaysWhy(t *testing.T) {
	t.Parallel()
	const other = "not the address of a managed device"
	for name, c := range map[string]struct{ path, why string }{
		"empty":                           {"", other},
		"root alone":                      {"/deviceManagement", other},
		"root with a key":                 {"/deviceManagement('x')/managedDevices/1", other},
		"other root":                      {"/deviceAppManagement/x/managedDevices/1", other},
		"other devices":                   {"/deviceManagement/comanagedDevices/1", other},
		"devices without a key":           {"/deviceManagement/managedDevices", other},
		"user alone":                      {"/users/anna", other},
		"other devices of a user":         {"/users/anna/ownedDevices/1", other},
		"devices of a user without a key": {"/users/anna/managedDevices", other},
		"user's device and more":          {"/users/anna/managedDevices/1/detectedApps/2", other},
		"other parent":                    {"/groups/anna/managedDevices/1", other},
		"app alone":                       {"/deviceManagement/detectedApps/a", other},
		"app below another root":          {"/x/1/detectedApps/a/managedDevices/1", other},
		"other parent below the root":     {"/deviceManagement/mobileApps/a/managedDevices/1", other},
		"other devices of an app":         {"/deviceManagement/detectedApps/a/devices/1", other},
		"devices of an app without a key": {"/deviceManagement/detectedApps/a/managedDevices", other},
		"app's device and more":           {"/deviceManagement/detectedApps/a/managedDevices/1/users/2", "is too long"},
		"as long as is read":              {"/deviceManagement/detectedApps/a/managedDevices/1/wipe", other},
		"longer":                          {"/deviceManagement/detectedApps/a/managedDevices/1/users/2/x", "is too long"},
		"bad escape":                      {"/users/%zz/managedDevices/1", "malformed percent escape"},
		"bad escape in parentheses":       {"/deviceManagement/managedDevices('%zz')", "malformed key"},
		"open parenthesis":                {"/deviceManagement/managedDevices('1", "malformed key"},
		"quote that is not doubled":       {"/deviceManagement/managedDevices('a'b')", "quotes are not doubled"},
		"escaped quote, not doubled":      {"/deviceManagement/managedDevices('a%27b')", "quotes are not doubled"},
		"blank key":                       {"/deviceManagement/managedDevices('')", "device id"},
		"user of dots":                    {"/users/../managedDevices/1", "user"},
		"app of dots":                     {"/deviceManagement/detectedApps/../managedDevices/1", "app"},
		"query":                           {"/deviceManagement/managedDevices/1?$select=id", "a query or a fragment"},
		"fragment":                        {"/deviceManagement/managedDevices/1#x", "a query or a fragment"},
		"guest's name as it is":           {"/users/anna_fabrikam.com#EXT#@contoso.com/managedDevices/1", "%23"},
		"URL":                             {"https://graph.microsoft.com/v1.0/deviceManagement/managedDevices/1", "is a URL; pass only the path"},
		"URL in capitals":                 {"HTTPS://graph.microsoft.com/v1.0/deviceManagement/managedDevices/1", "is a URL; pass only the path"},
		"version":                         {"v1.0/deviceManagement/managedDevices/1", "begins with a version"},
		"other version":                   {"/beta/deviceManagement/managedDevices/1", "begins with a version"},
		"byte-order mark":                 {"\ufeff/deviceManagement/managedDevices/1", "white space around it or holds an invisible"},
		"end of line":                     {"/deviceManagement/managedDevices/1\r\n", "white space around it or holds an invisible"},
		"escaped byte-order mark":         {"/deviceManagement/managedDevices/%EF%BB%BF1", `invisible character, such as a byte-order mark: "\ufeff1"`},
		"escaped space":                   {"/deviceManagement/managedDevices/1%20", `white space around it: "1 "`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ref, err := intune.ParseDeviceRef(c.path)
			if !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), c.why) || !ref.IsZero() {
				t.Errorf("got %v, %v, want the reason %q", ref, err, c.why)
			}
		})
	}
}

// TestDirtyPartsAreRefusedAndQuoted: what a spreadsheet leaves around an id would not be found by the service, and nobody
// sees it in an error that does not quote it. Of a user only the dirt is shown.
func TestDirtyPartsAreRefusedAndQuoted(t *testing.T) {
	t.Parallel()
	client := newClient(t, transportFunc(func(*http.Request) (*http.Response, error) {
		t.Error("a request was sent")
		return nil, errors.New("no")
	}))
	for name, c := range map[string]struct{ part, quoted, user string }{
		"byte-order mark first":   {"\ufeff705c", `"\ufeff705c"`, `"\ufeff****"`},
		"zero-width space within": {"70\u200b5c", `"70\u200b5c"`, `"**\u200b**"`},
		"soft hyphen within":      {"70\u00ad5c", `"70\u00ad5c"`, `"**\u00ad**"`},
		"no-break space last":     {"705c\u00a0", `"705c\u00a0"`, `"****\u00a0"`},
		"space first":             {" 705c", `" 705c"`, `" ****"`},
		"end of line":             {"705c\r\n", `"705c\r\n"`, `"****\r\n"`},
		"tab within":              {"70\t5c", `"70\t5c"`, `"**\t**"`},
		"bell":                    {"705c\a", `"705c\a"`, `"****\a"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for ref, want := range map[intune.DeviceRef]string{
				intune.Device(c.part):                   "device id: " + c.quoted,
				intune.UserDevice("anna", c.part):       "device id: " + c.quoted,
				intune.DetectedAppDevice("app", c.part): "device id: " + c.quoted,
				intune.DetectedAppDevice(c.part, "1"):   "app: " + c.quoted,
				intune.UserDevice(c.part, "1"):          "user: " + c.user,
			} {
				argument, quoted, _ := strings.Cut(want, ": ")
				_, err := client.GetDevice(t.Context(), ref, nil)
				if !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), argument+" ") || !strings.HasSuffix(err.Error(), ": "+quoted) {
					t.Errorf("got %v, want ErrInvalidArgument that quotes %s of the %s", err, quoted, argument)
				}
			}
			for argument, in := range map[string]intune.DeviceCollection{"user " + c.user: intune.UserDevices(c.part), "app " + c.quoted: intune.DetectedAppDevices(c.part)} {
				argument, quoted, _ := strings.Cut(argument, " ")
				_, err := client.NewListDevicesPager(in, nil).NextPage(t.Context())
				if !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), argument+" ") || !strings.HasSuffix(err.Error(), ": "+quoted) {
					t.Errorf("list: got %v, want ErrInvalidArgument that quotes %s of the %s", err, quoted, argument)
				}
			}
		})
	}
	// White space and marks within a name are the name's own: device names are no keys, but users may have accents.
	if err := func() error {
		_, err := intune.ParseDeviceRef("/users/ann%C3%A4@contoso.com/managedDevices/1")
		return err
	}(); err != nil {
		t.Error(err)
	}
}

// TestZeroDeviceRefIsBlankText goes both ways, so that a row without a device can be stored and read again.
func TestZeroDeviceRefIsBlankText(t *testing.T) {
	t.Parallel()
	type row struct{ Device intune.DeviceRef }
	data, err := json.Marshal(row{})
	if err != nil || string(data) != `{"Device":""}` {
		t.Errorf("got %s, %v", data, err)
	}
	read := row{intune.Device("1")}
	if err := json.Unmarshal(data, &read); err != nil || !read.Device.IsZero() {
		t.Errorf("got %v, %v", read, err)
	}
	text, err := intune.DeviceRef{}.MarshalText()
	if err != nil || text == nil || len(text) != 0 {
		t.Errorf("got %q, %v", text, err)
	}
	if _, err := intune.Device(" ").MarshalText(); !errors.Is(err, intune.ErrInvalidArgument) {
		t.Errorf("an address that is not zero and cannot be used: got %v", err)
	}
}

// Both ways to write a key are read, in every place.
func TestParseDeviceRefReadsKeysInParentheses(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]intune.DeviceRef{
		"/deviceManagement/managedDevices('1')":                      intune.Device("1"),
		"/users('anna')/managedDevices('1')":                         intune.UserDevice("anna", "1"),
		"/users('o%27%27neill')/managedDevices/1":                    intune.UserDevice("o'neill", "1"),
		"/deviceManagement/detectedApps('a')/managedDevices/1":       intune.DetectedAppDevice("a", "1"),
		"deviceManagement/detectedApps/a/managedDevices('%23''%2B')": intune.DetectedAppDevice("a", "#'+"),
	} {
		if ref, err := intune.ParseDeviceRef(path); err != nil || ref != want {
			t.Errorf("%s: got %v, %v", path, ref, err)
		}
	}
}

func TestDeviceRefInLogs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ref         intune.DeviceRef
		path, value string
	}{
		"zero":   {intune.DeviceRef{}, "", "no device"},
		"device": {intune.Device("1"), "/deviceManagement/managedDevices/1", "device 1"},
		"user":   {intune.UserDevice("anna", "1"), "/users/anna/managedDevices/1", "device 1 (user address)"},
		"app":    {intune.DetectedAppDevice("a", "1"), "/deviceManagement/detectedApps/a/managedDevices/1", "device 1 (detected-app address)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var text bytes.Buffer
			slog.New(slog.NewJSONHandler(&text, nil)).Info("x", "device", c.ref)
			if c.ref.String() != c.path || !strings.Contains(text.String(), `"device":"`+c.value+`"`) {
				t.Errorf("String() = %q, log %s", c.ref, text.String())
			}
		})
	}
}

// A list that repeats itself is told from one whose ids only look alike: no two ids are taken for one.
func TestIDsThatDifferInOneCharacter(t *testing.T) {
	t.Parallel()
	const id = "0a9f5c4e-1b2d-4e3f-8a7b-6c5d4e3f2aff" // its end is what a careless parser makes of letters that are no digits
	rows := []string{deviceRow(id, "PC")}
	for i := range id {
		for _, digit := range "0123456789abcdef" {
			if id[i] != '-' && rune(id[i]) != digit {
				rows = append(rows, deviceRow(id[:i]+string(digit)+id[i+1:], "PC"))
			}
		}
	}
	for name, other := range map[string]string{
		"shorter": id[:35], "longer": id + "0", "no hyphens": strings.ReplaceAll(id, "-", ""), "letter behind f": id[:35] + "g",
		"below 0": id[:35] + "/", "above 9": id[:35] + ":", "before a": id[:35] + "`", "before A": id[:35] + "@",
		"hyphen for a digit": id[:35] + "-", "digit for the first hyphen": id[:8] + "0" + id[9:], "for the second": id[:13] + "0" + id[14:],
		"for the third": id[:18] + "0" + id[19:], "for the fourth": id[:23] + "0" + id[24:], "word": "PC-1",
	} {
		if other == id {
			t.Fatal(name)
		}
		rows = append(rows, deviceRow(other, "PC"))
	}
	again := []string{deviceRow(strings.ToUpper(id), "PC"), deviceRow("pc-1", "PC"), deviceRow(id, "PC")}
	page, err := newClient(t, inTurn(pageOf("", append(rows, again...)...))).NewListDevicesPager(intune.AllDevices(), nil).NextPage(t.Context())
	if err != nil || len(page.Value) != len(rows) || page.Repeated != len(again) {
		t.Errorf("%d devices, %d repeated, want %d and %d, error %v", len(page.Value), page.Repeated, len(rows), len(again), err)
	}
}

// A body goes out as JSON, with its length; a request without one says nothing of a type.
func TestContentTypeOfABody(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		call func(*intune.Client) error
		typ  []string
		body string
	}{
		"body": {func(client *intune.Client) error {
			_, err := client.UpdateRemoteAssistancePartner(t.Context(), "1", intune.RemoteAssistancePartner{DisplayName: "T"}, nil)
			return err
		}, []string{"application/json"}, `{"@odata.type":"#microsoft.graph.remoteAssistancePartner","displayName":"T"}`},
		"no body": {func(client *intune.Client) error {
			_, err := client.DeleteRemoteAssistancePartner(t.Context(), "1", nil)
			return err
		}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				var body []byte
				if req.Body != nil {
					body, _ = io.ReadAll(req.Body)
				}
				if got := req.Header["Content-Type"]; strings.Join(got, ",") != strings.Join(c.typ, ",") || string(body) != c.body || req.ContentLength != int64(len(c.body)) {
					t.Errorf("type %q, length %d, body %q", got, req.ContentLength, body)
				}
				return answer(req, http.StatusNoContent, nil, ""), nil
			}))
			if err := c.call(client); err != nil {
				t.Error(err)
			}
		})
	}
}
