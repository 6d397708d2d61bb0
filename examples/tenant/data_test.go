package main

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// Devices as Graph writes them, a saved answer of Graph, and all that can be said of them.
func TestData(t *testing.T) {
	t.Parallel()
	s := startServer(t, "-data", file(t, "devices.json", "\ufeff"+`{
		"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#deviceManagement/managedDevices",
		"@odata.count": 1, "@odata.nextLink": "https://x",
		"value": [{"id": "saved", "deviceName": "A", "serialNumber": "S1", "lastSyncDateTime": "0001-01-01T00:00:00Z",
			"deviceHealthAttestationState": null, "deviceActionResults": [], "aPropertyOfBeta": 1}],
		"devices": [{"id": "own", "deviceName": "B", "userPrincipalName": "anna@contoso.com", "remoteAssistanceSessionUrl": "https://old"}],
		"sessions": {"own": [{"url": "https://new", "after": 60, "clearOld": true}, {"errorDetails": "no luck", "afterReads": 1}]},
		"detectedApps": [{"id": "app", "displayName": "VPN", "devices": ["own", "saved"]}],
		"users": [{"id": "u", "userPrincipalName": "idle@contoso.com"}],
		"connector": "onboarded"
	}`))
	action := devicesPath + "/own/requestRemoteAssistance"
	link := func() string {
		for _, d := range s.state(t).Devices {
			if d.ID == "own" {
				return d.SessionURL + d.SessionErrorDetails
			}
		}
		return "no device"
	}
	if got := link(); got != "https://old" {
		t.Errorf("at first %q", got)
	}
	s.send(t, http.MethodPost, action, "")
	if got := link(); got != "" {
		t.Errorf("asked: %q", got)
	}
	s.send(t, http.MethodPost, "/_tenant/clock", `{"advance": "1m"}`)
	if got := link(); got != "https://new" {
		t.Errorf("a minute later: %q", got)
	}
	s.send(t, http.MethodPost, action, "")
	s.send(t, http.MethodGet, devicesPath+"/own?$select=remoteAssistanceSessionUrl", "")
	if got := link(); got != "https://newno luck" {
		t.Errorf("asked again: %q", got)
	}
	for path, want := range map[string]string{
		"/v1.0/deviceManagement/detectedApps":                    `"deviceCount":2`,
		"/v1.0/deviceManagement/detectedApps/app/managedDevices": `"id":"saved"`,
		"/v1.0/users/idle@contoso.com/managedDevices":            `"value":[]`,
		"/v1.0/users/anna@contoso.com/managedDevices":            `"id":"own"`,
		"/v1.0/deviceManagement/remoteAssistancePartners":        `"onboardingStatus":"onboarded"`,
		devicesPath + "?$filter=serialNumber%20eq%20'S1'":        `"id":"saved"`,
	} {
		if a := s.send(t, http.MethodGet, path, ""); a.status != http.StatusOK || !strings.Contains(a.body, want) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

func TestConnectors(t *testing.T) {
	t.Parallel()
	for connector, want := range map[string]string{
		"onboarding":   `"onboardingStatus":"onboarding"`,
		"notOnboarded": `"onboardingStatus":"notOnboarded"`,
		"none":         `"value":[]`,
		"hidden":       `"code":"Forbidden"`,
	} {
		s := startServer(t, "-data", file(t, "c.json", `{"connector": "`+connector+`"}`))
		if a := s.send(t, http.MethodGet, "/v1.0/deviceManagement/remoteAssistancePartners", ""); !strings.Contains(a.body, want) {
			t.Errorf("%s: %d %s", connector, a.status, a.body)
		}
	}
}

// A file that cannot be used is refused with what would be right.
func TestBadData(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, says string }{
		"empty":          {"", "it is empty"},
		"no JSON":        {`{"devices": [}`, "no JSON"},
		"two values":     {`{} {}`, "something after"},
		"misspelled":     {`{"device": []}`, `"device"`},
		"no id":          {`{"devices": [{"id": "1"}, {"deviceName": "A"}]}`, "device 2 has no id"},
		"same id":        {`{"devices": [{"id": "1"}], "value": [{"id": "1"}]}`, "two devices have the id 1"},
		"session of":     {`{"sessions": {"x": []}}`, "x, which is the id of no device"},
		"script":         {`{"devices": [{"id": "1"}], "sessions": {"1": [{"link": "x"}]}}`, `"link"`},
		"duration":       {`{"devices": [{"id": "1"}], "sessions": {"1": [{"after": "soon"}]}}`, `"1m30s"`},
		"duration again": {`{"devices": [{"id": "1"}], "sessions": {"1": [{"after": []}]}}`, `"1m30s"`},
		"app on":         {`{"detectedApps": [{"displayName": "VPN", "devices": ["x"]}]}`, `"VPN" is on x`},
		"connector":      {`{"connector": "on"}`, "onboarded, onboarding"},
		"time":           {`{"devices": [{"id": "1", "lastSyncDateTime": "yesterday"}]}`, `lastSyncDateTime "yesterday" is no time`},
		"relative time":  {`{"value": [{"id": "1", "enrolledDateTime": "-3x"}]}`, `like "-3d", "-2h" or "-3d12h"`},
		"no device":      {`{"devices": ["LT-1"]}`, "a device should be a JSON object"},
	} {
		if _, err := readData(file(t, "bad.json", c.text)); err == nil {
			t.Errorf("%s: no error", name)
		} else {
			contains(t, name, err.Error(), c.says, "bad.json")
		}
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		`"1m30s"`: 90 * time.Second, `2`: 2 * time.Second, `0.25`: 250 * time.Millisecond, `"-1s"`: -time.Second,
	} {
		var d duration
		if err := unmarshal([]byte(text), &d); err != nil || time.Duration(d) != want {
			t.Errorf("%s: %v, %v", text, time.Duration(d), err)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 10, 12, 0, 0, 5, time.UTC)
	for text, want := range map[string]string{
		"2026-07-01T08:09:10Z": "2026-07-01T08:09:10Z", "0001-01-01T00:00:00Z": "0001-01-01T00:00:00Z",
		"now": "2026-07-10T12:00:00Z", "-3d": "2026-07-07T12:00:00Z", "-2h": "2026-07-10T10:00:00Z",
		"-3d12h30m": "2026-07-06T23:30:00Z", "+1d": "2026-07-11T12:00:00Z", "-0d": "2026-07-10T12:00:00Z",
	} {
		at, err := parseTime(text, now)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if got := at.Format(time.RFC3339); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{
		"", "3d", "-", "-d", "-3", "--3d", "-3d-2h", "-1.5d", "-999999999d",
		"-3d 2h", "-36500d2000000h", "-2H", "tomorrow",
	} {
		if at, err := parseTime(text, now); err == nil {
			t.Errorf("%q is %v", text, at)
		}
	}
}

// The sample never looks forgotten: its devices were there hours and days ago, whenever it is started.
func TestSampleIsFresh(t *testing.T) {
	t.Parallel()
	c, err := readData("")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range c.devices() {
		if age := time.Since(d.LastSyncDateTime); age < 0 || age > 7*24*time.Hour {
			t.Errorf("%s synced %v ago", d.DeviceName, age)
		}
	}
}

// The device of the line for helpdesk is one that is there, and whose name needs no quotes.
func TestNameToPaste(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{}`: "WHO",
		`{"devices": [{"id": "1", "deviceName": "LT-1"}]}`:                          "LT-1",
		`{"devices": [{"id": "1-2", "deviceName": "Bo's iPad"}]}`:                   "1-2",
		`{"devices": [{"id": "a b", "deviceName": "$(x)"}], "value": [{"id":"2"}]}`: "2",
		`{"devices": [{"id": "-x"}]}`:                                               "WHO",
	} {
		c, err := readData(file(t, "d.json", text))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.nameToPaste(); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
