package intune_test

import (
	"encoding"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-intune/intune"
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

func TestDeviceRefString(t *testing.T) {
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

// What the peers do with these ids is in their measured behavior: the path is cleaned, cut at ?, or loses the action's name.
var badKeys = map[string]string{
	"blank": "", "space": " ", "tab": "\t", "dot": ".", "dots": "..", "slash": "a/b", "traversal": "../../me",
	"backslash": `a\b`, "newline": "a\nb", "zero": "a\x00b", "delete": "a\x7fb", "next line": "a\u0085b", "not UTF-8": "a\xffb",
}

func TestDeviceRefRefusesWhatWouldChangeThePath(t *testing.T) {
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

func TestParseDeviceRefRefuses(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{
		"empty":              "",
		"slash":              "/",
		"no id":              "/deviceManagement/managedDevices",
		"blank id":           "/deviceManagement/managedDevices/",
		"dots":               "/deviceManagement/managedDevices/..",
		"escaped dots":       "/deviceManagement/managedDevices/%2e%2e",
		"escaped slash":      "/deviceManagement/managedDevices/a%2Fb",
		"double slash":       "//deviceManagement/managedDevices/1",
		"trailing slash":     "/deviceManagement/managedDevices/1/",
		"action":             "/deviceManagement/managedDevices/1/requestRemoteAssistance",
		"wipe":               "/deviceManagement/managedDevices/1/wipe",
		"version":            "/v1.0/deviceManagement/managedDevices/1",
		"URL":                "https://graph.microsoft.com/v1.0/deviceManagement/managedDevices/1",
		"other collection":   "/devices/1",
		"users without user": "/users/managedDevices/1",
		"apps without app":   "/deviceManagement/detectedApps/managedDevices/1",
		"bad escape":         "/deviceManagement/managedDevices/%zz",
		"cut escape":         "/deviceManagement/managedDevices/%",
		"open parenthesis":   "/deviceManagement/managedDevices('1",
		"single quote":       "/deviceManagement/managedDevices('a'b')",
		"case":               "/devicemanagement/manageddevices/1",
		"long":               strings.Repeat("/users/1", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ref, err := intune.ParseDeviceRef(path)
			if !errors.Is(err, intune.ErrInvalidArgument) || !ref.IsZero() {
				t.Errorf("got %v, %v", ref, err)
			}
			kept := intune.Device("kept")
			if err := kept.UnmarshalText([]byte(path)); path != "" && (err == nil || kept != intune.Device("kept")) {
				t.Errorf("UnmarshalText: got %v, %v", kept, err)
			}
		})
	}
}

func FuzzParseDeviceRef(f *testing.F) {
	for _, c := range addresses {
		f.Add(c.path)
	}
	f.Add("/users('$a''b')/managedDevices('$c')")
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

func FuzzDeviceRefKeys(f *testing.F) {
	f.Add("anna@contoso.com", "1")
	f.Add("$o'neill", "%2f")
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
