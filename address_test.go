package intune_test

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
)

var (
	_ encoding.TextMarshaler   = intune.DeviceRef{}
	_ encoding.TextUnmarshaler = (*intune.DeviceRef)(nil)
)

// The escaping rules are those of C§10.2: everything that could change the path is escaped, a key that begins with a
// dollar sign is written in parentheses with its quotes doubled.
var addresses = []struct {
	name string
	ref  intune.DeviceRef
	path string
}{
	{"plain", intune.Device("705c034c-034c-705c-4c03-5c704c035c70"), "/deviceManagement/managedDevices/705c034c-034c-705c-4c03-5c704c035c70"},
	{"user by id", intune.UserDevice("11111111-2222", "1"), "/users/11111111-2222/managedDevices/1"},
	{"user by name", intune.UserDevice("anna@contoso.com", "1"), "/users/anna@contoso.com/managedDevices/1"},
	{"app", intune.DetectedAppDevice("00ffab", "1"), "/deviceManagement/detectedApps/00ffab/managedDevices/1"},
	{"space", intune.Device("a b"), "/deviceManagement/managedDevices/a%20b"},
	{"percent", intune.Device("a%2Fb"), "/deviceManagement/managedDevices/a%252Fb"},
	{"percent dots", intune.Device("%2e%2e"), "/deviceManagement/managedDevices/%252e%252e"},
	{"query and fragment", intune.Device("a?b#c"), "/deviceManagement/managedDevices/a%3Fb%23c"},
	{"semicolon", intune.Device("a;b=c"), "/deviceManagement/managedDevices/a%3Bb=c"},
	{"guest", intune.UserDevice("anna_fabrikam.com#EXT#@contoso.com", "1"), "/users/anna_fabrikam.com%23EXT%23@contoso.com/managedDevices/1"},
	{"quote", intune.UserDevice("o'neill@contoso.com", "1"), "/users/o%27neill@contoso.com/managedDevices/1"},
	{"dollar", intune.UserDevice("$anna@contoso.com", "1"), "/users('$anna@contoso.com')/managedDevices/1"},
	{"dollar and quote", intune.UserDevice("$o'neill@contoso.com", "1"), "/users('$o%27%27neill@contoso.com')/managedDevices/1"},
	{"dollar in the id", intune.Device("$count"), "/deviceManagement/managedDevices('$count')"},
	{"dollar in the app", intune.DetectedAppDevice("$ref", "$value"), "/deviceManagement/detectedApps('$ref')/managedDevices('$value')"},
	{"letters", intune.UserDevice("jörg@contoso.com", "1"), "/users/j%C3%B6rg@contoso.com/managedDevices/1"},
	{"reserved names", intune.UserDevice("managedDevices", "users"), "/users/managedDevices/managedDevices/users"},
}

func TestDeviceRef_String(t *testing.T) {
	t.Parallel()
	for _, c := range addresses {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.ref.String(); got != c.path {
				t.Errorf("String() = %s, want %s", got, c.path)
			}
			for _, path := range []string{c.path, strings.TrimPrefix(c.path, "/")} {
				parsed, err := intune.ParseDeviceRef(path)
				if err != nil || parsed != c.ref {
					t.Errorf("ParseDeviceRef(%q) = %v, %v", path, parsed, err)
				}
			}
			text, err := json.Marshal(map[intune.DeviceRef]intune.DeviceRef{c.ref: c.ref})
			if err != nil {
				t.Fatal(err)
			}
			var back map[intune.DeviceRef]intune.DeviceRef
			if err := json.Unmarshal(text, &back); err != nil || back[c.ref] != c.ref {
				t.Errorf("%s came back as %v, %v", text, back, err)
			}
		})
	}
}

const (
	lowerGUID = "705c034c-034c-705c-4c03-5c704c035caf"
	upperGUID = "705C034C-034C-705C-4C03-5C704C035CAF"
	otherGUID = "8ABCDEF0-0000-4000-8000-00000000000A"
)

// Whoever makes an address of a device makes the same one, so that == and the keys of maps are right.
func TestDevice_OneOfEachDevice(t *testing.T) {
	t.Parallel()
	user, app := strings.ToLower(otherGUID), strings.ToLower(otherGUID)
	for name, c := range map[string]struct {
		given, want intune.DeviceRef
		path        string
	}{
		"device":     {intune.Device(upperGUID), intune.Device(lowerGUID), "/deviceManagement/managedDevices/" + lowerGUID},
		"one letter": {intune.Device(lowerGUID[:35] + "F"), intune.Device(lowerGUID), "/deviceManagement/managedDevices/" + lowerGUID},
		"device of a record": {
			intune.ManagedDevice{ID: upperGUID}.Ref(), intune.Device(lowerGUID), "/deviceManagement/managedDevices/" + lowerGUID,
		},
		"user": {
			intune.UserDevice(otherGUID, upperGUID), intune.UserDevice(user, lowerGUID), "/users/" + user + "/managedDevices/" + lowerGUID,
		},
		"user by name": {
			intune.UserDevice("Anna@Contoso.com", upperGUID), intune.UserDevice("Anna@Contoso.com", lowerGUID),
			"/users/Anna@Contoso.com/managedDevices/" + lowerGUID,
		},
		"app": {
			intune.DetectedAppDevice(otherGUID, upperGUID), intune.DetectedAppDevice(app, lowerGUID),
			"/deviceManagement/detectedApps/" + app + "/managedDevices/" + lowerGUID,
		},
	} {
		if got := c.given.String(); got != c.path {
			t.Errorf("%s: %s", name, got)
		}
		if got := c.given.DeviceID(); got != lowerGUID {
			t.Errorf("%s: device id %s", name, got)
		}
		if c.given != c.want {
			t.Errorf("%s: another address than in lower case", name)
		}
		if _, ok := map[intune.DeviceRef]bool{c.want: true}[c.given]; !ok {
			t.Errorf("%s: another key of a map", name)
		}
	}
	if intune.UserDevices(otherGUID) != intune.UserDevices(user) {
		t.Error("two collections of one user")
	}
	if intune.DetectedAppDevices(otherGUID) != intune.DetectedAppDevices(app) {
		t.Error("two collections of one app")
	}
}

// Only a GUID in the form of the service is known to mean the same in either case.
func TestDevice_OtherTextsStayAsGiven(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		"DEV-1", "{" + upperGUID + "}", upperGUID[:35], upperGUID + "F", strings.ReplaceAll(upperGUID, "-", ""), upperGUID[:35] + "G",
	} {
		if got := intune.Device(id).DeviceID(); got != id {
			t.Errorf("%s became %s", id, got)
		}
	}
	if intune.UserDevice("Anna@contoso.com", "1") == intune.UserDevice("anna@contoso.com", "1") {
		t.Error("names of users were changed")
	}
}

// A stored address is read as the constructors write it.
func TestParseDeviceRef_GUIDInUpperCase(t *testing.T) {
	t.Parallel()
	user, app, hash := strings.ToLower(otherGUID), strings.ToLower(otherGUID), strings.Repeat("AB", 32)
	for path, want := range map[string]intune.DeviceRef{
		"/deviceManagement/managedDevices/" + upperGUID:                                intune.Device(lowerGUID),
		"/deviceManagement/managedDevices('" + upperGUID + "')":                        intune.Device(lowerGUID),
		"/deviceManagement/managedDevices/%37" + upperGUID[1:]:                         intune.Device(lowerGUID),
		"/users/" + otherGUID + "/managedDevices/" + upperGUID:                         intune.UserDevice(user, lowerGUID),
		"/users/Anna@contoso.com/managedDevices/" + upperGUID:                          intune.UserDevice("Anna@contoso.com", lowerGUID),
		"/deviceManagement/detectedApps/" + otherGUID + "/managedDevices/" + upperGUID: intune.DetectedAppDevice(app, lowerGUID),
		"/deviceManagement/detectedApps/" + hash + "/managedDevices/1":                 intune.DetectedAppDevice(hash, "1"),
	} {
		if parsed, err := intune.ParseDeviceRef(path); err != nil || parsed != want {
			t.Errorf("%s: got %v, %v", path, parsed, err)
		}
		var read map[intune.DeviceRef]struct{ Device intune.DeviceRef }
		if err := json.Unmarshal(fmt.Appendf(nil, `{%q:{"Device":%[1]q}}`, path), &read); err != nil {
			t.Fatal(err)
		}
		if got := read[want].Device; got != want {
			t.Errorf("%s in JSON: got %v", path, read)
		}
	}
}

// An id may hold what breaks a line for some readers of logs, or turns its direction. Texts quote such an id.
func TestDeviceRef_StandsInOneLine(t *testing.T) {
	t.Parallel()
	for id, shown := range map[string]string{
		"a\u2028b": `"a\u2028b"`, "a\u2029b": `"a\u2029b"`, "a\u0085b": `"a\u0085b"`, "a\nb": `"a\nb"`, "a\u202eb": `"a\u202eb"`,
		"a\u2066b": `"a\u2066b"`,
		"a\u00a0b": `"a\u00a0b"`, "a  b": `"a  b"`, "a\xffb": `"a\xffb"`, "é\x1b[31m": `"\u00e9\x1b[31m"`, "a b": "a b", "é": "é",
		strings.Repeat("x", 999): strings.Repeat("x", 999),
	} {
		for form, device := range map[string]intune.DeviceRef{
			"":                        intune.Device(id),
			" (user address)":         intune.UserDevice("anna\u2028", id),
			" (detected-app address)": intune.DetectedAppDevice("app\u2028", id),
		} {
			want := "device " + shown + form
			pending, failed := &intune.PendingError{Device: device}, &intune.SessionError{Device: device}
			for where, text := range map[string]string{
				"%#v":                     fmt.Sprintf("%#v", device),
				"log":                     device.LogValue().String(),
				"Error":                   (&intune.Error{Op: "try", Device: device}).Error(),
				"Error, log":              fmt.Sprint((&intune.Error{Device: device}).LogValue()),
				"PendingError":            pending.Error(),
				"PendingError, log":       fmt.Sprint(pending.LogValue()),
				"SessionError":            failed.Error(),
				"SessionError, log":       fmt.Sprint(failed.LogValue()),
				"session, log":            fmt.Sprint(intune.RemoteAssistanceSession{Device: device}.LogValue()),
				"RequestResult, log":      fmt.Sprint(intune.RequestResult{Device: device}.LogValue()),
				"JournalEntry, log":       fmt.Sprint(intune.JournalEntry{Device: device}.LogValue()),
				"JournalRequest, log":     fmt.Sprint(intune.JournalRequest{Asking: intune.JournalEntry{Device: device}}.LogValue()),
				"PendingError, in an any": fmt.Sprintf("%#v", pending),
			} {
				if !strings.Contains(text, want) {
					t.Errorf("%s: %q, want %q", where, text, want)
				}
				if strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) || r == '\ufffd' }) {
					t.Errorf("%s: %q does not stand in one line", where, text)
				}
			}
			if text := device.String(); strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
				t.Errorf("the path is %q", text)
			}
		}
	}
	const id = "a\u2028b" // which the service may not know
	_, err := newClient(t, newScript(status(http.StatusNotFound))).RequestRemoteAssistance(t.Context(), intune.Device(id), nil)
	if !errors.Is(err, intune.ErrNotFound) || !strings.Contains(err.Error(), `on device "a\u2028b": 404`) {
		t.Errorf("got %q", err)
	}
}

// What the peers do with these ids is in their measured behavior: the path is cleaned, cut at ?, or loses the action's name.
var badKeys = map[string]string{
	"blank": "", "space": " ", "tab": "\t", "dot": ".", "dots": "..", "slash": "a/b", "traversal": "../../me",
	"backslash": `a\b`, "newline": "a\nb", "zero": "a\x00b", "delete": "a\x7fb", "next line": "a\u0085b", "not UTF-8": "a\xffb",
}

func TestDeviceRef_WhatWouldChangeThePathIsRefused(t *testing.T) {
	t.Parallel()
	var sent atomic.Int32
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		sent.Add(1)
		return answer(req, http.StatusNoContent, nil, ""), nil
	}))
	refuse := func(t *testing.T, ref intune.DeviceRef, names string) {
		t.Helper()
		_, err := client.RequestRemoteAssistance(t.Context(), ref, nil)
		if !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), names) {
			t.Errorf("%#v: got %v, want ErrInvalidArgument that names %q", ref, err, names)
		}
		if _, err := ref.MarshalText(); !errors.Is(err, intune.ErrInvalidArgument) && !ref.IsZero() {
			t.Errorf("MarshalText: got %v", err)
		}
	}
	for name, key := range badKeys {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refuse(t, intune.Device(key), "device id")
			refuse(t, intune.UserDevice(key, "1"), "user")
			refuse(t, intune.UserDevice("anna", key), "device id")
			refuse(t, intune.DetectedAppDevice(key, "1"), "app")
			refuse(t, intune.DetectedAppDevice("app", key), "device id")
		})
	}
	t.Run("zero", func(t *testing.T) {
		t.Parallel()
		refuse(t, intune.DeviceRef{}, "zero DeviceRef")
	})
	t.Cleanup(func() {
		if n := sent.Load(); n != 0 {
			t.Errorf("%d requests were sent", n)
		}
	})
}

// A path that is almost an address of one device is refused with the reason, since people paste such paths.
func TestParseDeviceRef_SaysWhy(t *testing.T) {
	t.Parallel()
	const other = "not the address of a managed device"
	for name, c := range map[string]struct{ path, why string }{
		"empty":                           {"", other},
		"slash":                           {"/", other},
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
		"cut escape":                      {"/deviceManagement/managedDevices/%", "malformed percent escape"},
		"blank key":                       {"/deviceManagement/managedDevices('')", "device id"},
		"blank segment":                   {"/deviceManagement/managedDevices/", "device id is blank"},
		"dots":                            {"/deviceManagement/managedDevices/..", "would change the path"},
		"escaped dots":                    {"/deviceManagement/managedDevices/%2e%2e", "would change the path"},
		"escaped slash":                   {"/deviceManagement/managedDevices/a%2Fb", "would change the path"},
		"double slash":                    {"//deviceManagement/managedDevices/1", other},
		"trailing slash":                  {"/deviceManagement/managedDevices/1/", other},
		"action":                          {"/deviceManagement/managedDevices/1/requestRemoteAssistance", other},
		"other case":                      {"/devicemanagement/manageddevices/1", other},
		"endless":                         {strings.Repeat("/users/1", 100_000), "is too long"},
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
		"escaped byte-order mark": {
			"/deviceManagement/managedDevices/%EF%BB%BF1", `invisible character, such as a byte-order mark: "\ufeff1"`,
		},
		"escaped space": {"/deviceManagement/managedDevices/1%20", `white space around it: "1 "`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ref, err := intune.ParseDeviceRef(c.path)
			checkRefused(t, err, c.why)
			if !ref.IsZero() {
				t.Errorf("got %v beside the error", ref)
			}
			if c.path == "" {
				return // the text of no device
			}
			kept := intune.Device("kept")
			if err := kept.UnmarshalText([]byte(c.path)); err == nil || kept != intune.Device("kept") {
				t.Errorf("UnmarshalText: got %v, %v", kept, err)
			}
		})
	}
}

// TestDeviceRef_DirtyPartsAreRefusedAndQuoted: what a spreadsheet leaves around an id would not be found by the service, and nobody
// sees it in an error that does not quote it. Of a user only the dirt is shown.
func TestDeviceRef_DirtyPartsAreRefusedAndQuoted(t *testing.T) {
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
			check := func(err error, want string) {
				t.Helper()
				argument, quoted, _ := strings.Cut(want, ": ")
				checkRefused(t, err, argument+" ")
				if !strings.HasSuffix(fmt.Sprint(err), ": "+quoted) {
					t.Errorf("got %v, want it to quote %s", err, quoted)
				}
			}
			for ref, want := range map[intune.DeviceRef]string{
				intune.Device(c.part):                   "device id: " + c.quoted,
				intune.UserDevice("anna", c.part):       "device id: " + c.quoted,
				intune.DetectedAppDevice("app", c.part): "device id: " + c.quoted,
				intune.DetectedAppDevice(c.part, "1"):   "app: " + c.quoted,
				intune.UserDevice(c.part, "1"):          "user: " + c.user,
			} {
				_, err := client.GetDevice(t.Context(), ref, nil)
				check(err, want)
			}
			for in, want := range map[intune.DeviceCollection]string{
				intune.UserDevices(c.part):        "user: " + c.user,
				intune.DetectedAppDevices(c.part): "app: " + c.quoted,
			} {
				_, err := client.NewListDevicesPager(in, nil).NextPage(t.Context())
				check(err, want)
			}
		})
	}
	// An accent is neither.
	if _, err := intune.ParseDeviceRef("/users/ann%C3%A4@contoso.com/managedDevices/1"); err != nil {
		t.Error(err)
	}
}

// TestDeviceRef_ZeroIsBlankText goes both ways, so that a row without a device can be stored and read again.
func TestDeviceRef_ZeroIsBlankText(t *testing.T) {
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
	if err != nil {
		t.Fatal(err)
	}
	if text == nil || len(text) != 0 {
		t.Errorf("got %#v, want a text without a character", text)
	}
	if _, err := intune.Device(" ").MarshalText(); !errors.Is(err, intune.ErrInvalidArgument) {
		t.Errorf("an address that is not zero and cannot be used: got %v", err)
	}
}

// Both ways to write a key are read, in every place.
func TestParseDeviceRef_KeysInParentheses(t *testing.T) {
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

func TestDeviceRef_InLogs(t *testing.T) {
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

func FuzzParseDeviceRef(f *testing.F) {
	for _, c := range addresses {
		f.Add(c.path)
	}
	f.Add("/users('$a''b')/managedDevices('$c')")
	f.Add("/users/" + otherGUID + "/managedDevices/" + upperGUID)
	f.Fuzz(func(t *testing.T, path string) {
		ref, err := intune.ParseDeviceRef(path)
		if err != nil {
			if !errors.Is(err, intune.ErrInvalidArgument) {
				t.Fatalf("%q: %v", path, err)
			}
			return
		}
		again, err := intune.ParseDeviceRef(ref.String())
		if err != nil || again != ref {
			t.Fatalf("%q became %q, which reads as %v, %v", path, ref, again, err)
		}
		if strings.ContainsAny(ref.String(), "?#\\ \n") || strings.Contains(ref.String(), "//") {
			t.Fatalf("%q became %q", path, ref)
		}
	})
}

func FuzzDeviceRef_Keys(f *testing.F) {
	f.Add("anna@contoso.com", "1")
	f.Add("$o'neill", "%2f")
	f.Add(otherGUID, upperGUID)
	f.Fuzz(func(t *testing.T, user, id string) {
		ref := intune.UserDevice(user, id)
		text, err := ref.MarshalText()
		if err != nil {
			return
		}
		parsed, err := intune.ParseDeviceRef(string(text))
		if err != nil || parsed != ref {
			t.Fatalf("%q reads as %v, %v", text, parsed, err)
		}
	})
}

// A user's name may hold any character, and arrives as it is.
func TestUserDevice_EveryCharacterArrives(t *testing.T) {
	t.Parallel()
	var sent *http.Request
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		sent = req
		return answer(req, http.StatusNoContent, nil, ""), nil
	}))
	arrived := 0
	for c := rune(' '); c < 0x180; c++ {
		user := "x" + string(c) + "y"
		sent = nil
		_, err := client.RequestRemoteAssistance(t.Context(), intune.UserDevice(user, "d1"), nil)
		if errors.Is(err, intune.ErrInvalidArgument) && sent == nil {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		arrived++
		segments := strings.Split(sent.URL.EscapedPath(), "/")
		if len(segments) != 7 {
			t.Fatalf("%q went to %s", user, sent.URL)
		}
		if got, err := url.PathUnescape(segments[3]); err != nil || got != user {
			t.Errorf("%q went as %q, %v", user, got, err)
		}
		got := [...]string{sent.URL.Host, sent.URL.RawQuery, sent.URL.Fragment}
		if want := [...]string{"graph.microsoft.com", "", ""}; got != want {
			t.Errorf("%q went to host, query and fragment %q, want %q", user, got, want)
		}
	}
	if arrived < 200 {
		t.Errorf("%d characters arrived", arrived)
	}
}

// Who asks for the text of an address gets the path with the user. Nothing else that prints one shows the user.
func TestUserDevice_UserShowsOnlyInTheTextOfAnAddress(t *testing.T) {
	t.Parallel()
	device, collection := intune.UserDevice("anna@contoso.com", "1"), intune.UserDevices("anna@contoso.com")
	if text := device.String(); text != "/users/anna@contoso.com/managedDevices/1" {
		t.Errorf("String: %s", text)
	}
	type inside struct {
		device     intune.DeviceRef
		collection intune.DeviceCollection
	}
	values := []any{
		collection, &collection,
		inside{device, collection},
		&inside{device, collection},
		[]inside{{device, collection}},
		map[string]inside{"a": {device, collection}},
		struct{ In intune.DeviceCollection }{collection},
		intune.FindDeviceOptions{In: collection},
	}
	shown := graphtest.Renderings(values...) + device.LogValue().String()
	failed, failedSession := &intune.Error{Device: device, StatusCode: 404}, &intune.SessionError{Device: device}
	pending := &intune.PendingError{Device: device, ResumeToken: `{"device":"/users/anna@contoso.com/managedDevices/1"}`}
	shown += fmt.Sprintf("%v %+v %#v %#v", pending, pending, pending, struct{ Err error }{pending})
	shown += fmt.Sprint(failed, failedSession, failed.LogValue())
	var more strings.Builder
	for _, value := range append(values, device, &device, struct{ Device intune.DeviceRef }{device}, failed, failedSession) {
		fmt.Fprintf(&more, "%#v %d", value, value)
	}
	shown += more.String()
	for _, user := range []string{"anna", fmt.Sprintf("%x", "anna"), fmt.Sprintf("%X", "anna")} {
		if at := strings.Index(shown, user); at >= 0 {
			t.Errorf("%q shows: …%s", user, shown[max(0, at-200):at+20])
		}
	}
	const want = "intune.DeviceRef(device 1 (user address)) intune.DeviceRef(device 1)"
	if text := fmt.Sprintf("%#v %#v", device, intune.Device("1")); text != want {
		t.Errorf("GoString: %s, want %s", text, want)
	}
}
