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
