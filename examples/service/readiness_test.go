package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// Each state of the schema has words of its own, and one that is not known has some too.
func TestComplianceText(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, state := range intune.PossibleComplianceStateValues() {
		text := complianceText(state)
		if text == "" || strings.Contains(text, "Not known") || seen[text] {
			t.Errorf("%s: %q", state, text)
		}
		seen[text] = true
	}
	for state, want := range map[intune.ComplianceState]string{
		"nonCompliant": "Not compliant", "inGracePeriod": "In its grace period", "": "",
		"brandNew": `Not known to this service: "brandNew"`, intune.ComplianceState(strings.Repeat("x", 41)): "Not known to this service",
	} {
		if got := complianceText(state); got != want {
			t.Errorf("%s: %q, want %q", state, got, want)
		}
	}
}

// readiness reads a device's, by the names of the checks.
func (c *caller) readiness(device intune.DeviceRef) (ready bool, results map[string]resultView) {
	c.tb.Helper()
	got := c.get("/devices/" + device.DeviceID() + "/readiness")
	if got.status != http.StatusOK {
		c.tb.Fatalf("%d %s", got.status, got.body)
	}
	var view readinessView
	got.into(c.tb, &view)
	results = map[string]resultView{}
	for _, result := range view.Results {
		results[result.Name] = result
		if result.Title == "" || result.Title == result.Name {
			c.tb.Errorf("the title of %s is %q", result.Name, result.Title)
		}
		if !strings.HasSuffix(result.Detail, ".") {
			c.tb.Errorf("%s: no sentence: %q", result.Name, result.Detail)
		}
	}
	return view.Ready, results
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		good := p.add("LT-1")
		stale := p.tenant.AddDevice(intune.ManagedDevice{
			DeviceName: "LT-2", OperatingSystem: "Windows", LastSyncDateTime: time.Now().Add(-90 * time.Hour),
		})
		c := p.browser(dana)
		if ready, results := c.readiness(good); !ready || results["connector"].Status != "pass" {
			t.Errorf("ready %t: %+v", ready, results)
		}
		_, results := c.readiness(stale)
		if got := results["sync"]; got.Detail != "The last sync was 3 days ago." || !strings.Contains(got.Advice, "sync it in Company Portal") {
			t.Errorf("%+v", got)
		}
		p.tenant.SetConnector(intune.ConnectorStateNotOnboarded)
		ready, results := c.readiness(good)
		if ready {
			t.Error("ready without a connector")
		}
		if got := results["connector"]; got.Status != "fail" || !strings.Contains(got.Advice, "to your administrator") {
			t.Errorf("%+v", got)
		}
		if text := fmt.Sprint(results); strings.Contains(text, "(old)") {
			t.Errorf("the remedy is not for technicians: %s", text)
		}
		if !strings.Contains(p.log.String(), "TeamViewer (old)") {
			t.Error("the operator finds no remedy in the log")
		}
		if p.tenant.Prompts(good)+p.tenant.Prompts(stale) != 0 {
			t.Error("a check asked somebody")
		}
		if got := c.get("/devices/11111111-2222-4333-8444-555555555555/readiness"); !strings.Contains(got.body, "does not know the device") {
			t.Errorf("%s", got.body)
		}
	})
}

// The sentences are about what the library found, and never its own texts.
func TestReadiness_InWords(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		c := p.browser(dana)
		for _, test := range []struct {
			check, status, detail string
			change                func(*intune.ManagedDevice)
		}{
			{"management", "pass", "Intune manages the device.", func(*intune.ManagedDevice) {}},
			{"management", "fail", "The device is being wiped.", func(d *intune.ManagedDevice) { d.ManagementState = "WipePending" }},
			{
				"management", "fail", "The device is being removed from Intune.",
				func(d *intune.ManagedDevice) { d.ManagementState = intune.ManagementStateRetireIssued },
			},
			{
				"management", "fail", "The device is being deleted from Intune.",
				func(d *intune.ManagedDevice) { d.ManagementState = intune.ManagementStateDeletePending },
			},
			{
				"management", "fail", "Intune knows the device, but does not manage it.",
				func(d *intune.ManagedDevice) { d.ManagementState = intune.ManagementStateDiscovered },
			},
			{
				"management", "warn", "Intune manages the device, but has trouble with it.",
				func(d *intune.ManagedDevice) { d.ManagementState = intune.ManagementStateUnhealthy },
			},
			{
				"management", "warn", "Another system than Intune manages the device: Jamf.",
				func(d *intune.ManagedDevice) { d.ManagementAgent = intune.ManagementAgentTypeJamf },
			},
			{
				"management", "unknown", "Nobody knows whether Intune manages the device.",
				func(d *intune.ManagedDevice) { d.ManagementState = "brandNew" },
			},
			{"platform", "pass", "Remote assistance works with iPadOS.", func(d *intune.ManagedDevice) { d.OperatingSystem = "iPadOS" }},
			{"platform", "fail", "Remote assistance does not work with Linux.", func(d *intune.ManagedDevice) { d.OperatingSystem = "Linux" }},
			{
				"platform", "warn", "Remote assistance may not work with Windows.",
				func(d *intune.ManagedDevice) { d.Model = "Surface Hub" },
			},
			{
				"platform", "fail", "Remote assistance does not work with Android on devices that the company owns.",
				func(d *intune.ManagedDevice) {
					d.OperatingSystem, d.ManagedDeviceOwnerType = "Android", intune.ManagedDeviceOwnerTypeCompany
					d.ManagementAgent = intune.ManagementAgentTypeGoogleCloudDevicePolicyController
				},
			},
			{"platform", "unknown", "Nobody knows whether remote assistance works with Plan 9.", func(d *intune.ManagedDevice) {
				d.OperatingSystem = "Plan 9"
			}},
			{"platform", "unknown", "Intune does not say which system the device has.", func(d *intune.ManagedDevice) { d.OperatingSystem = " " }},
			{"sync", "pass", "The last sync was 1 hour ago.", func(*intune.ManagedDevice) {}},
			{"sync", "warn", "The device has never synced.", func(d *intune.ManagedDevice) { d.LastSyncDateTime = time.Time{} }},
			{"user", "pass", "The device has a user who can be asked.", func(*intune.ManagedDevice) {}},
			{
				"user", "fail", "The device has no user who could be asked.",
				func(d *intune.ManagedDevice) { d.UserID, d.UserPrincipalName = "", "" },
			},
			{
				"user", "warn", "The device was set up without a user.",
				func(d *intune.ManagedDevice) { d.DeviceEnrollmentType = intune.DeviceEnrollmentTypeWindowsBulkUserless },
			},
			{"session", "pass", "Nothing is left of an earlier session.", func(*intune.ManagedDevice) {}},
			{
				"session", "warn", "A link of an earlier request is still there.",
				func(d *intune.ManagedDevice) {
					d.RemoteAssistanceSessionURL = intune.NewSessionURL("https://get.teamviewer.com/secret")
				},
			},
			{
				"session", "warn", "A link of an earlier request is still there.", // one that nobody may open, so that the record is withheld
				func(d *intune.ManagedDevice) {
					d.RemoteAssistanceSessionURL = intune.NewSessionURL("javascript:secret")
				},
			},
			{
				"session", "warn", "An earlier session failed, and Intune still says so.",
				func(d *intune.ManagedDevice) { d.RemoteAssistanceSessionErrorDetails = "secret" },
			},
		} {
			device := intune.ManagedDevice{
				DeviceName: "LT-1", OperatingSystem: "Windows", UserPrincipalName: "anna@contoso.example", UserID: "u",
				LastSyncDateTime: time.Now().Add(-time.Hour), ManagementAgent: intune.ManagementAgentTypeMDM,
			}
			test.change(&device)
			_, results := c.readiness(p.tenant.AddDevice(device))
			got := results[test.check]
			if got.Status != test.status {
				t.Errorf("%s is %s, want %s: %s", test.check, got.Status, test.status, got.Detail)
			}
			if got.Detail != test.detail {
				t.Errorf("%s: %q, want %q", test.check, got.Detail, test.detail)
			}
			if (got.Advice == "") != (test.status == "pass") {
				t.Errorf("%s is %s with the advice %q", test.check, got.Status, got.Advice)
			}
			if text := fmt.Sprint(results); strings.Contains(text, "secret") {
				t.Errorf("%s: %s", test.check, text)
			}
			time.Sleep(3 * time.Second)
		}
		for age, want := range map[time.Duration]string{
			-time.Hour: "a moment ago", time.Minute - 1: "a moment ago", time.Minute: "1 minute ago", 59 * time.Minute: "59 minutes ago",
			2*time.Hour - 1: "1 hour ago", 25 * time.Hour: "1 day ago", 71 * time.Hour: "2 days ago", 800 * 24 * time.Hour: "800 days ago",
		} {
			if got := ago(age); got != want {
				t.Errorf("%v: %q, want %q", age, got, want)
			}
		}
	})
}

// What could not be read is told once, with what to do, and no check claims to know more.
func TestReadiness_NothingCanBeRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1")
		p.tenant.Inject(intunetest.Fault{PathSuffix: device.DeviceID(), Status: http.StatusForbidden, Times: -1})
		_, results := p.browser(dana).readiness(device)
		for _, check := range []string{"management", "platform", "sync", "user", "session"} {
			if got := results[check]; got.Detail != "Not known, since the device could not be read." || got.Advice != "" {
				t.Errorf("%+v", got)
			}
		}
		if got := results["device"]; got.Detail != "Intune did not show the device." || got.Advice == "" {
			t.Errorf("%+v", got)
		}
		_, results = p.browser(guest).readiness(device)
		if got := results["token"]; got.Detail != "Your sign-in does not allow remote assistance." || got.Status != "fail" {
			t.Errorf("%+v", got)
		}
	})
}
