package readiness

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/redact"
)

// deviceFacts is the device's record, or the error if it could not be read.
type deviceFacts struct {
	record intune.ManagedDevice
	err    error

	session    intune.RemoteAssistanceSession
	sessionErr error
}

// properties are what the checks need. userPrincipalName is among them only to see whether there is a user.
var properties = []string{
	"managementState", "managementAgent", "operatingSystem", "model",
	"managedDeviceOwnerType", "deviceEnrollmentType", "lastSyncDateTime", "userId", "userPrincipalName",
}

// maxText is how much is shown of a text of the service, in bytes.
const maxText = 600

// checks makes the checks of the device. The list is the same whether the device could be read or not.
func (f *deviceFacts) checks(device intune.DeviceRef, now time.Time, maxSyncAge time.Duration) []Result {
	list := []Result{f.deviceCheck(device).named(Device)}
	for _, check := range []struct {
		name string
		make func() Result
	}{
		{Management, f.managementCheck},
		{Platform, f.platformCheck},
		{Sync, func() Result { return f.syncCheck(now, maxSyncAge) }},
		{User, f.userCheck},
		{Session, f.sessionCheck},
	} {
		found := unsure("the device was not read", "see the check of the device")
		if f.err == nil {
			found = check.make()
		}
		list = append(list, found.named(check.name))
	}
	return list
}

func (f *deviceFacts) deviceCheck(device intune.DeviceRef) Result {
	switch {
	case errors.Is(f.err, intune.ErrNotFound), errors.Is(f.err, intune.ErrNotLicensed):
		detail, hint := explained(f.err)
		return fails(detail, hint)
	case f.err != nil:
		return unread(permissionReadDevices, f.err)
	}
	const plain = "use intune.Device with the same device id"
	switch form(device) {
	case "users":
		return warns("found; Microsoft's documentation no longer names this address, and no permission for it is published", plain)
	case "detectedApps":
		return warns("found; users reported that the service answers 400 at this address", plain)
	default:
		return passes("found")
	}
}

func (f *deviceFacts) managementCheck() Result {
	const leaving = "wait until that is over, or have it canceled in the Intune admin center"
	state := member(f.record.ManagementState, intune.PossibleManagementStateValues())
	shown := shownText(string(state))
	switch state {
	case intune.ManagementStateManaged, intune.ManagementStateRetireCanceled, intune.ManagementStateWipeCanceled:
		return f.agentCheck(shown)
	case intune.ManagementStateRetirePending, intune.ManagementStateRetireIssued, intune.ManagementStateWipePending, intune.ManagementStateWipeIssued, intune.ManagementStateDeletePending:
		return fails("on its way out of Intune: "+shown, leaving)
	case intune.ManagementStateDiscovered:
		return fails("found by another system, and not managed by Intune: "+shown, "enroll the device")
	case intune.ManagementStateRetireFailed, intune.ManagementStateWipeFailed, intune.ManagementStateUnhealthy:
		return warns("managed, but "+shown, "look at the device in the Intune admin center")
	default:
		return unsure("the record does not say in words that this library knows: "+shown, "look at the device in the Intune admin center")
	}
}

// agentCheck says by what a managed device is managed.
func (f *deviceFacts) agentCheck(state string) Result {
	agent := member(f.record.ManagementAgent, intune.PossibleManagementAgentTypeValues())
	switch agent {
	case intune.ManagementAgentTypeEAS, intune.ManagementAgentTypeConfigurationManagerClient, intune.ManagementAgentTypeJamf, intune.ManagementAgentTypeMSSense:
		return warns(state+", but through "+string(agent)+" and not by Intune itself",
			"enroll the device in Intune, if nothing shows on it")
	default:
		return passes(state)
	}
}

func (f *deviceFacts) syncCheck(now time.Time, maxAge time.Duration) Result {
	const remedy = "see that the device is on and online, and let its user press Sync in Company Portal"
	last := f.record.LastSyncDateTime
	if last.IsZero() {
		return warns("no sync is on the record", remedy)
	}
	age := max(now.Sub(last), 0)
	detail := "the last was " + ago(age)
	if age > maxAge {
		return warns(detail, remedy)
	}
	return passes(detail)
}

// ago says an age in the unit that people would use, rounded down.
func ago(age time.Duration) string {
	switch {
	case age < 2*time.Minute:
		return "a moment ago"
	case age < 2*time.Hour:
		return fmt.Sprintf("%d minutes ago", age/time.Minute)
	case age < 48*time.Hour:
		return fmt.Sprintf("%d hours ago", age/time.Hour)
	default:
		return fmt.Sprintf("%d days ago", age/(24*time.Hour))
	}
}

func (f *deviceFacts) userCheck() Result {
	const signIn = "see that somebody is signed in to Company Portal on the device"
	enrollment := member(f.record.DeviceEnrollmentType, intune.PossibleDeviceEnrollmentTypeValues())
	switch {
	case f.record.UserID == "" && f.record.UserPrincipalName == "":
		if f.platform() == platformWindows {
			return fails("it has none, and Windows without a user shows no notification", "start the session in TeamViewer's own portal")
		}
		return warns("it has none", signIn)
	case enrollment == intune.DeviceEnrollmentTypeDeviceEnrollmentManager, enrollment == intune.DeviceEnrollmentTypeWindowsBulkUserless,
		enrollment == intune.DeviceEnrollmentTypeAppleBulkWithoutUser:
		return warns("it has one, but was enrolled without: "+string(enrollment), signIn)
	default:
		return passes("it has one")
	}
}

func (f *deviceFacts) sessionCheck() Result {
	const wait = "OpenRemoteAssistance waits for a new one and does not take this for it"
	switch {
	case f.sessionErr != nil:
		return unread(permissionReadDevices, f.sessionErr)
	case !f.session.URL.IsZero():
		return warns("a link is on the record already, of an earlier request or of one under way", wait)
	case f.session.ErrorDetails != "":
		return warns("an error text is on the record already: "+redact.OneLine(f.session.ErrorDetails, maxText), wait)
	default:
		return passes("no link and no error text are left over")
	}
}

// member returns the listed value that is equal to the given one but for its case, or the given one if there is none.
func member[T ~string](given T, listed []T) T {
	for _, value := range listed {
		if strings.EqualFold(string(value), string(given)) {
			return value
		}
	}
	return given
}

// shownText makes a text of the device's record fit to be shown.
func shownText(text string) string {
	const limit = 64
	if text = redact.OneLine(redact.Text(text), limit); text != "" {
		return text
	}
	return "(blank)"
}
