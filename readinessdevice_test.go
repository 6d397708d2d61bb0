package intune_test

import (
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

func TestReadinessOfTheDevice(t *testing.T) {
	t.Parallel()
	checkFindings(t, intune.ReadinessDevice, []readinessFinding{
		{"pass", "found", func(*readinessCase) {}},
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
		{"unknown", "403 Forbidden", withFault(deviceEnd, intunetest.Fault{Status: 403, Code: "Forbidden"})},
		{"unknown", "401 Unauthorized", func(c *readinessCase) {
			c.fault(deviceEnd, intunetest.Fault{Status: 401, Code: "InvalidAuthenticationToken"})
		}},
		{"unknown", "500 Internal Server Error", withFault(deviceEnd, intunetest.Fault{Status: 500})},
		{"unknown", "another device than the one asked for", withFault(deviceEnd, intunetest.Fault{Status: 200, Body: `{"status":"ok"}`})},
	})
}

func TestReadinessOfTheManagement(t *testing.T) {
	t.Parallel()
	checkFindings(t, intune.ReadinessManagement, []readinessFinding{
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
	checkFindings(t, intune.ReadinessPlatform, []readinessFinding{
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
	checkFindings(t, intune.ReadinessSync, []readinessFinding{
		{"pass", "the last was 3 hours ago", withSync(3*time.Hour+time.Minute, 0)},
		{"pass", "the last was 23 hours ago", withSync(24*time.Hour-time.Minute, 0)},
		{"pass", "the last was a moment ago", withSync(-time.Hour, 0)}, // a clock that is wrong
		{"pass", "the last was 6 days ago", withSync(7*24*time.Hour-time.Minute, 7*24*time.Hour)},
		{"warn", "the last was 24 hours ago", withSync(24*time.Hour+time.Minute, 0)},
		{"warn", "the last was 60 minutes ago", withSync(time.Hour+time.Second, time.Hour)},
		{"warn", "Company Portal", withSync(30*24*time.Hour, 7*24*time.Hour)},
		{"warn", "no sync is on the record", withRecord(func(d *intune.ManagedDevice) { d.LastSyncDateTime = time.Time{} })},
	})
}

func TestReadinessOfTheUser(t *testing.T) {
	t.Parallel()
	checkFindings(t, intune.ReadinessUser, []readinessFinding{
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
	checkFindings(t, intune.ReadinessSession, []readinessFinding{
		{"pass", "no link and no error text", func(*readinessCase) {}},
		{"warn", "a link is on the record already", withLink(oldLink)},
		{"warn", "a link is on the record already", withLink("javascript:old-secret")},
		{"warn", "an error text is on the record already: The user was away.", withRecord(func(d *intune.ManagedDevice) {
			d.RemoteAssistanceSessionErrorDetails = " The user\n was away. "
		})},
		{"unknown", "does not give the device's session", func(c *readinessCase) {
			c.fault(deviceEnd, intunetest.Fault{Status: 200, Body: `{"id":"` + exampleID + `","operatingSystem":"Windows"}`})
		}},
	})
}
