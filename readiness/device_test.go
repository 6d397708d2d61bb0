package readiness_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/readiness"
)

func TestReadinessOfTheDevice(t *testing.T) {
	t.Parallel()
	checkFindings(t, readiness.Device, []readinessFinding{
		{"pass", "found", func(*readinessCase) {}},
		{"pass", "found", func(c *readinessCase) { c.tenant.Inject(intunetest.Fault{PathSuffix: deviceEnd, Status: 500}) }}, // a read may be repeated
		{"warn", "no permission for it is published", func(c *readinessCase) {
			c.address = func(d intune.DeviceRef) intune.DeviceRef { return intune.UserDevice("anna@contoso.com", d.DeviceID()) }
		}},
		{"warn", "users reported that the service answers 400 at this address use intune.Device with", below("a1b2c3")},
		{"fail", "check that the id is the Intune device id", func(c *readinessCase) {
			c.address = func(intune.DeviceRef) intune.DeviceRef { return intune.Device("e1b2") }
		}},
		{"fail", "lacks the Intune license", func(c *readinessCase) {
			c.fault(deviceEnd, intunetest.Fault{Status: 400, Code: "BadRequest", Message: "Request not applicable to target tenant."})
		}},
		{"unknown", "give the app DeviceManagementManagedDevices.Read.All, with an administrator's consent", withRoles(readConnector)},
		{"unknown", "(Forbidden): No role.; request id", withFault(deviceEnd, intunetest.Fault{Status: 403, Code: "Forbidden", Message: "No role."})},
		{"unknown", "may lack the Intune role right Managed devices / Read", withFault(deviceEnd, intunetest.Fault{Status: 403, Code: "Forbidden"})},
		{"unknown", "401 Unauthorized", func(c *readinessCase) {
			c.fault(deviceEnd, intunetest.Fault{Status: 401, Code: "InvalidAuthenticationToken"})
		}},
		{"unknown", "500 Internal Server Error", withFault(deviceEnd, intunetest.Fault{Status: 500})},
		{"unknown", "another device than the one asked for", withFault(deviceEnd, intunetest.Fault{Status: 200, Body: `{"status":"ok"}`})},
	})
}

func TestReadinessOfTheManagement(t *testing.T) {
	t.Parallel()
	checkFindings(t, readiness.Management, []readinessFinding{
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

func TestReadinessOfThePlatform(t *testing.T) {
	t.Parallel()
	checkFindings(t, readiness.Platform, []readinessFinding{
		{"pass", "windows", withPlatform("windows", "Surface Laptop")},
		{"pass", "macOS", withPlatform("macOS", "")},
		{"pass", "iPadOS", withPlatform("iPadOS", "")},
		{"pass", "iOS", withPlatform("iOS", "")},
		{"pass", "personally owned", withAndroid("AndroidForWork", intune.ManagedDeviceOwnerTypePersonal, intune.ManagementAgentTypeGoogleCloudDevicePolicyController)},
		{"warn", "HoloLens and Surface Hub may not work", withPlatform("Windows", "HoloLens 2")},
		{"warn", "Surface Hub 2S", withPlatform("Windows", "Surface Hub 2S")},
		{"warn", "HoloLens and Surface Hub may not work", withPlatform("WindowsHolographic", "")},
		{"warn", "look at how the device was enrolled", withAndroid("Android", intune.ManagedDeviceOwnerTypeCompany, intune.ManagementAgentTypeMDM)},
		{"warn", "look at how the device was enrolled", withAndroid("Android", intune.ManagedDeviceOwnerTypeUnknown, intune.ManagementAgentTypeGoogleCloudDevicePolicyController)},
		{"fail", "company-owned Android Enterprise is not supported", withAndroid("AndroidEnterprise", "Company", intune.ManagementAgentTypeGoogleCloudDevicePolicyController)},
		{"fail", "Linux is not among the platforms", withPlatform("Linux", "")},
		{"fail", "Windows Phone is not among the platforms", withPlatform("Windows Phone", "")},
		{"unknown", "(blank)", withPlatform("", "")},
		{"unknown", "Symbian", withPlatform("Symbian", "")},
	})
}

func TestReadinessOfTheSync(t *testing.T) {
	t.Parallel()
	checkFindings(t, readiness.Sync, []readinessFinding{
		{"warn", "press Sync in Company Portal", withSync(30*24*time.Hour, 0)},
		{"warn", "no sync is on the record", withRecord(func(d *intune.ManagedDevice) { d.LastSyncDateTime = time.Time{} })},
	})
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
			world := newReadinessCase()
			withSync(c.age, c.allowed)(world)
			_, checks := world.check(t)
			if check := checks["sync"]; check.Status != c.status || check.Detail != "the last was "+c.text {
				t.Errorf("%v: %+v", c.age, check)
			}
		})
	}
}

func TestReadinessOfTheUser(t *testing.T) {
	t.Parallel()
	checkFindings(t, readiness.User, []readinessFinding{
		{"pass", "it has one", withRecord(func(d *intune.ManagedDevice) { d.UserID = "" })},
		{"pass", "it has one", withRecord(func(d *intune.ManagedDevice) { d.UserPrincipalName = "" })},
		{"warn", "see that somebody is signed in to Company Portal", withoutUser("iOS")},
		{"warn", "windowsBulkUserless", withEnrollment(intune.DeviceEnrollmentTypeWindowsBulkUserless)},
		{"warn", "deviceEnrollmentManager", withRecord(func(d *intune.ManagedDevice) {
			d.DeviceEnrollmentType = intune.DeviceEnrollmentTypeDeviceEnrollmentManager
		})},
		{"warn", "appleBulkWithoutUser", withRecord(func(d *intune.ManagedDevice) {
			d.DeviceEnrollmentType = intune.DeviceEnrollmentTypeAppleBulkWithoutUser
		})},
		{"fail", "TeamViewer's own portal", withoutUser("Windows")},
	})
}

func TestReadinessOfTheSession(t *testing.T) {
	t.Parallel()
	checkFindings(t, readiness.Session, []readinessFinding{
		{"pass", "no link and no error text", func(*readinessCase) {}},
		{"warn", "a link is on the record already", withLink(graphtest.OldLink)},
		{"unknown", "it is withheld", withLink("javascript:old-secret")},
		{"warn", "an error text is on the record already: The user was away.", withRecord(func(d *intune.ManagedDevice) {
			d.RemoteAssistanceSessionErrorDetails = " The user\n was away. "
		})},
		{"unknown", "does not give the device's session", func(c *readinessCase) {
			c.fault(deviceEnd, intunetest.Fault{Status: 200, Body: `{"id":"` + graphtest.DeviceID + `","operatingSystem":"Windows"}`})
		}},
	})
}
