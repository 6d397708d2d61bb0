package readiness_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/readiness"
)

func TestCheck_Device(t *testing.T) {
	t.Parallel()
	checkFindings(t, readiness.NameDevice, []finding{
		{"pass", "found", func(*world) {}},
		{"pass", "found", func(w *world) { w.tenant.Inject(intunetest.Fault{PathSuffix: deviceEnd, Status: 500}) }}, // a read may be repeated
		{"pass", "found", func(w *world) { w.device.ID = "detectedApps" }},                                          // which is not below one
		{"warn", "no permission for it is published", func(w *world) {
			w.address = func(d intune.DeviceRef) intune.DeviceRef { return intune.UserDevice("anna@contoso.com", d.DeviceID()) }
		}},
		{"warn", "users reported that the service answers 400 at this address use intune.Device with", below("a1b2c3")},
		{"fail", "check that the id is the Intune device id", func(w *world) {
			w.address = func(intune.DeviceRef) intune.DeviceRef { return intune.Device("e1b20000-0000-4000-8000-000000000000") }
		}},
		{"fail", "the id is no GUID", func(w *world) {
			w.address = func(intune.DeviceRef) intune.DeviceRef { return intune.Device("e1b2") }
		}},
		{"fail", "lacks the Intune license", func(w *world) {
			w.fault(deviceEnd, intunetest.Fault{Status: 400, Code: "BadRequest", Message: "Request not applicable to target tenant."})
		}},
		{"unknown", "give the app DeviceManagementManagedDevices.Read.All, with an administrator's consent", withRoles(readConnector)},
		{
			"unknown", "(Forbidden): No role.; request id",
			withFault(deviceEnd, intunetest.Fault{Status: 403, Code: "Forbidden", Message: "No role."}),
		},
		{
			"unknown", "may lack the Intune role right Managed devices / Read",
			withFault(deviceEnd, intunetest.Fault{Status: 403, Code: "Forbidden"}),
		},
		{"unknown", "401 Unauthorized", func(w *world) {
			w.fault(deviceEnd, intunetest.Fault{Status: 401, Code: "InvalidAuthenticationToken"})
		}},
		{"unknown", "500 Internal Server Error", withFault(deviceEnd, intunetest.Fault{Status: 500})},
		{"unknown", "another device than the one asked for", withAnswer(`{"status":"ok"}`)},
	})
}

func TestCheck_Management(t *testing.T) {
	t.Parallel()
	checkFindings(t, readiness.NameManagement, []finding{
		{"pass", "managed", withState("Managed")},
		{"pass", "wipeCanceled", withState(intune.ManagementStateWipeCanceled)},
		{"pass", "retireCanceled", withState(intune.ManagementStateRetireCanceled)},
		{"warn", "managed, but wipeFailed", withState(intune.ManagementStateWipeFailed)},
		{"warn", "managed, but retireFailed", withState(intune.ManagementStateRetireFailed)},
		{"warn", "managed, but unhealthy", withState(intune.ManagementStateUnhealthy)},
		{"warn", "through configurationManagerClient", withAgent("ConfigurationManagerClient")},
		{"warn", "through jamf", withAgent(intune.ManagementAgentTypeJamf)},
		{"warn", "through eas", withAgent(intune.ManagementAgentTypeEAS)},
		{"warn", "through msSense", withAgent(intune.ManagementAgentTypeMSSense)},
		{"fail", "on its way out of Intune: retirePending", withState(intune.ManagementStateRetirePending)},
		{"fail", "on its way out of Intune: retireIssued", withState(intune.ManagementStateRetireIssued)},
		{"fail", "on its way out of Intune: wipePending", withState(intune.ManagementStateWipePending)},
		{"fail", "on its way out of Intune: wipeIssued", withState(intune.ManagementStateWipeIssued)},
		{"fail", "on its way out of Intune: deletePending", withState(intune.ManagementStateDeletePending)},
		{"fail", "enroll the device", withState(intune.ManagementStateDiscovered)},
		{"unknown", "unknownFutureValue", withState(intune.ManagementStateUnknownFutureValue)},
	})
}

func TestCheck_Sync(t *testing.T) {
	t.Parallel()
	checkFindings(t, readiness.NameSync, []finding{
		{"warn", "press Sync in Company Portal", withSync(30*24*time.Hour, 0)},
		{"warn", "no sync is on the record", withRecord(func(d *intune.ManagedDevice) { d.LastSyncDateTime = time.Time{} })},
	})
}

func TestCheck_SyncAge(t *testing.T) {
	t.Parallel()
	const day, second = 24 * time.Hour, time.Second
	for _, c := range []struct {
		age, allowed time.Duration
		status       readiness.Status
		text         string
	}{
		{-time.Hour, 0, "pass", "a moment ago"}, // one of the clocks is wrong
		{0, 0, "pass", "a moment ago"},
		{2*time.Minute - second, 0, "pass", "a moment ago"},
		{2 * time.Minute, 0, "pass", "2 minutes ago"},
		{2*time.Hour - second, 0, "pass", "119 minutes ago"},
		{2 * time.Hour, 0, "pass", "2 hours ago"},
		{day, 0, "pass", "24 hours ago"},
		{day + second, 0, "warn", "24 hours ago"},
		{2*day - second, 0, "warn", "47 hours ago"},
		{2 * day, 2 * day, "pass", "2 days ago"},
		{7*day - second, 7 * day, "pass", "6 days ago"},
		{7*day + second, 7 * day, "warn", "7 days ago"},
		{second, 1, "warn", "a moment ago"},
	} {
		synctest.Test(t, func(t *testing.T) { // where no time passes meanwhile
			w := newWorld()
			withSync(c.age, c.allowed)(w)
			_, results := w.check(t)
			result := results["sync"]
			if result.Status != c.status {
				t.Errorf("%v: %+v", c.age, result)
			}
			if result.Detail != "the last was "+c.text {
				t.Errorf("%v: %+v", c.age, result)
			}
		})
	}
}

// The age of a sync is measured by the clock that set its time, which is the service's, and which a tenant can move. It does
// not matter what this machine takes for the time, unless the answer says nothing of it.
func TestCheck_SyncAgeIsOfTheServicesClock(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	date := func(value ...string) intunetest.Fault {
		return intunetest.Fault{Header: http.Header{"Date": value}}
	}
	at := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	checkFindings(t, readiness.NameSync, []finding{
		{"warn", "the last was 3 days ago", func(w *world) { w.tenant.Advance(3 * day) }},
		{"warn", "the last was 10 days ago", withFault(deviceEnd, date(at(10*day)))},
		{"pass", "the last was a moment ago", withFault(deviceEnd, date(at(-10*day)))},
		{"pass", "the last was 3 hours ago", withFault(deviceEnd, date())},
		{"pass", "the last was 3 hours ago", withFault(deviceEnd, date("tomorrow"))},
	})
}

func TestCheck_User(t *testing.T) {
	t.Parallel()
	checkFindings(t, readiness.NameUser, []finding{
		{"pass", "it has one", withRecord(func(d *intune.ManagedDevice) { d.UserID = "" })},
		{"pass", "it has one", withRecord(func(d *intune.ManagedDevice) { d.UserPrincipalName = "" })},
		{"warn", "see that somebody is signed in to Company Portal", withoutUser("iOS")},
		{"warn", "windowsBulkUserless", withEnrollment(intune.DeviceEnrollmentTypeWindowsBulkUserless)},
		{"warn", "deviceEnrollmentManager", withEnrollment(intune.DeviceEnrollmentTypeDeviceEnrollmentManager)},
		{"warn", "appleBulkWithoutUser", withEnrollment(intune.DeviceEnrollmentTypeAppleBulkWithoutUser)},
		{"fail", "TeamViewer's own portal", withoutUser("Windows")},
	})
}

func TestCheck_Session(t *testing.T) {
	t.Parallel()
	const id, url, details = `"id":"` + graphtest.DeviceID + `"`, `"remoteAssistanceSessionUrl"`, `"remoteAssistanceSessionErrorDetails"`
	checkFindings(t, readiness.NameSession, []finding{
		{"pass", "no link and no error text", func(*world) {}},
		{"pass", "no link and no error text", withAnswer(`{` + id + `,` + url + `:null,` + details + `:null}`)},
		{"pass", "no link and no error text", withAnswer(`{"value":{` + id + `,` + url + `:"",` + details + `:" "}}`)},
		{"warn", "a link is on the record already", withLink(graphtest.OldLink)},
		{"warn", "a link is on the record already", withLink("javascript:old-secret")},
		{"warn", "a link is on the record already", withAnswer(`{"value":{` + id + `,` + url + `:"` + graphtest.OldLink + `"}}`)},
		{"warn", "an error text is on the record already: The user was away.", withRecord(func(d *intune.ManagedDevice) {
			d.RemoteAssistanceSessionErrorDetails = " The user\n was away. "
		})},
		{"unknown", "does not give the device's session", withAnswer(`{` + id + `,"operatingSystem":"Windows"}`)},
		{"unknown", "does not give the device's session", withAnswer(`{` + id + `,` + url + `:null}`)},
		{"unknown", "does not give the device's session", withAnswer(`{` + id + `,` + details + `:"away"}`)},
		// What only the client can read, it has read.
		{"pass", "no link and no error text", withAnswer("\ufeff{" + id + `}`)},
		{"warn", "a link is on the record already", withAnswer("\ufeff{" + id + `,` + url + `:"` + graphtest.OldLink + `"}`)},
		{"warn", "already: away", withAnswer("\ufeff{" + id + `,` + details + `:"away"}`)},
	})
}

// The client withholds a record with a link that nobody should open. It is read again without, so that the other checks can
// be made.
func TestCheck_SessionWithALinkThatIsWithheld(t *testing.T) {
	t.Parallel()
	w := newWorld()
	withLink("javascript:old-secret")(w)
	withSync(72*time.Hour, 0)(w)
	_, results := w.check(t)
	want := map[string]readiness.Status{
		"cloud": "pass", "token": "pass", "connector": "warn", "device": "pass", "management": "pass", "platform": "pass",
		"sync": "warn", "user": "pass", "session": "warn",
	}
	for name, result := range results {
		if result.Status != want[name] {
			t.Errorf("%+v", result)
		}
	}
	if got := reads(w.tenant); !slices.Equal(got, []string{deviceEnd[1:], deviceEnd[1:], partnersEnd[1:]}) {
		t.Fatalf("read %q", got)
	}
	var selections []string
	for _, request := range w.tenant.Requests() {
		if strings.HasSuffix(request.Path, deviceEnd) {
			selections = append(selections, request.RawQuery)
		}
	}
	rest := strings.ReplaceAll(selections[0], ",remoteAssistanceSessionUrl,remoteAssistanceSessionErrorDetails", "")
	if selections[1] != rest {
		t.Errorf("the rest was read with %q, want %q", selections[1], rest)
	}
}

// No other record and no other failure makes Check read twice.
func TestCheck_ReadsTheDeviceOnce(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*world){
		"a link that may be opened": withLink(graphtest.OldLink),
		"no session":                withAnswer(`{"id":"` + graphtest.DeviceID + `"}`),
		"another device":            withAnswer(`{"id":"2"}`),
		"a failure":                 withFault(deviceEnd, intunetest.Fault{Status: 404}),
	} {
		w := newWorld()
		change(w)
		w.check(t)
		if got := reads(w.tenant); !slices.Equal(got, []string{deviceEnd[1:], partnersEnd[1:]}) {
			t.Errorf("%s: read %q", name, got)
		}
	}
}

// If that second read fails, nothing of the device is known.
func TestCheck_SessionWithALinkThatIsWithheldAndNoSecondAnswer(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]func(*http.Request) (*http.Response, error){
		"500": func(req *http.Request) (*http.Response, error) {
			return graphtest.Answer(req, http.StatusInternalServerError, nil, ""), nil
		},
		"another": func(req *http.Request) (*http.Response, error) {
			return graphtest.Answer(req, http.StatusOK, nil, `{"id":"2"}`), nil
		},
		"no connection": func(*http.Request) (*http.Response, error) { return nil, http.ErrServerClosed },
	} {
		w := newWorld()
		withLink("javascript:old-secret")(w)
		ref := w.tenant.AddDevice(w.device)
		client := w.through(t, func(req *http.Request) (*http.Response, error) {
			if strings.HasSuffix(req.URL.Path, deviceEnd) && !strings.Contains(req.URL.RawQuery, "remoteAssistanceSession") {
				return again(req)
			}
			return w.tenant.RoundTrip(req)
		})
		found, err := readiness.Check(t.Context(), client, ref, nil)
		if err != nil {
			t.Fatal(err)
		}
		results := resultsOf(t, found)
		if results["device"].Status != "unknown" {
			t.Errorf("%s: %+v", name, results["device"])
		}
		if results["session"].Detail != "the device was not read" {
			t.Errorf("%s: %+v", name, results["session"])
		}
	}
}
