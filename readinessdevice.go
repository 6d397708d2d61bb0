package intune

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/redact"
)

// deviceFacts is the device's record, or the error if it could not be read.
type deviceFacts struct {
	record  ManagedDevice
	session bool // the answer had the properties of the session
	err     error
}

// readinessQuery selects what the checks need. userPrincipalName is among it only to see whether there is a user.
const readinessQuery = sessionQuery + ",managementState,managementAgent,operatingSystem,model,managedDeviceOwnerType," +
	"deviceEnrollmentType,lastSyncDateTime,userId,userPrincipalName"

func (c *Client) readDeviceFacts(ctx context.Context, device DeviceRef) deviceFacts {
	found, err := whereServed(device, func(at DeviceRef) (deviceFacts, error) {
		r := &request{op: opGetDevice, device: at, method: http.MethodGet, url: c.at(at.String(), readinessQuery)}
		record, resp, err := c.fetchDevice(ctx, r)
		if err != nil {
			return deviceFacts{}, err
		}
		body, _ := runtime.Payload(resp)
		return deviceFacts{record: record, session: givesSession(body)}, nil
	})
	found.err = err
	return found
}

// checks makes the checks of the device. The list is the same whether the device could be read or not.
func (f *deviceFacts) checks(device DeviceRef, now time.Time, maxSyncAge time.Duration) []ReadinessCheck {
	list := []ReadinessCheck{f.deviceCheck(device).named(ReadinessDevice)}
	for _, check := range []struct {
		name string
		make func() ReadinessCheck
	}{
		{ReadinessManagement, f.managementCheck},
		{ReadinessPlatform, f.platformCheck},
		{ReadinessSync, func() ReadinessCheck { return f.syncCheck(now, maxSyncAge) }},
		{ReadinessUser, f.userCheck},
		{ReadinessSession, f.sessionCheck},
	} {
		found := unsure("the device was not read", "see the check of the device")
		if f.err == nil {
			found = check.make()
		}
		list = append(list, found.named(check.name))
	}
	return list
}

func (f *deviceFacts) deviceCheck(device DeviceRef) ReadinessCheck {
	switch {
	case errors.Is(f.err, ErrNotFound), errors.Is(f.err, ErrNotLicensed):
		detail, hint := explained(f.err)
		return fails(detail, hint)
	case f.err != nil:
		return unread(opGetDevice, f.err)
	}
	const plain = "use intune.Device with the same device id"
	switch device.form {
	case formUser:
		return warns("found; Microsoft's documentation no longer names this address, and no permission for it is published", plain)
	case formDetectedApp:
		return warns("found; users reported that the service answers 400 at this address", plain)
	default:
		return passes("found")
	}
}

func (f *deviceFacts) managementCheck() ReadinessCheck {
	const leaving = "wait until that is over, or have it canceled in the Intune admin center"
	state := member(f.record.ManagementState, PossibleManagementStateValues())
	shown := shownText(string(state))
	switch state {
	case ManagementStateManaged, ManagementStateRetireCanceled, ManagementStateWipeCanceled:
		return f.agentCheck(shown)
	case ManagementStateRetirePending, ManagementStateRetireIssued, ManagementStateWipePending, ManagementStateWipeIssued, ManagementStateDeletePending:
		return fails("on its way out of Intune: "+shown, leaving)
	case ManagementStateDiscovered:
		return fails("found by another system, and not managed by Intune: "+shown, "enroll the device")
	case ManagementStateRetireFailed, ManagementStateWipeFailed, ManagementStateUnhealthy:
		return warns("managed, but "+shown, "look at the device in the Intune admin center")
	default:
		return unsure("the record does not say in words that this library knows: "+shown, "look at the device in the Intune admin center")
	}
}

// agentCheck says by what a managed device is managed.
func (f *deviceFacts) agentCheck(state string) ReadinessCheck {
	agent := member(f.record.ManagementAgent, PossibleManagementAgentTypeValues())
	switch agent {
	case ManagementAgentTypeEAS, ManagementAgentTypeConfigurationManagerClient, ManagementAgentTypeJamf, ManagementAgentTypeMSSense:
		return warns(state+", but through "+string(agent)+" and not by Intune itself",
			"enroll the device in Intune, if nothing shows on it")
	default:
		return passes(state)
	}
}

func (f *deviceFacts) syncCheck(now time.Time, maxAge time.Duration) ReadinessCheck {
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

func (f *deviceFacts) userCheck() ReadinessCheck {
	const signIn = "see that somebody is signed in to Company Portal on the device"
	enrollment := member(f.record.DeviceEnrollmentType, PossibleDeviceEnrollmentTypeValues())
	switch {
	case f.record.UserID == "" && f.record.UserPrincipalName == "":
		if f.platform() == platformWindows {
			return fails("it has none, and Windows without a user shows no notification", "start the session in TeamViewer's own portal")
		}
		return warns("it has none", signIn)
	case enrollment == DeviceEnrollmentTypeDeviceEnrollmentManager, enrollment == DeviceEnrollmentTypeWindowsBulkUserless,
		enrollment == DeviceEnrollmentTypeAppleBulkWithoutUser:
		return warns("it has one, but was enrolled without: "+string(enrollment), signIn)
	default:
		return passes("it has one")
	}
}

func (f *deviceFacts) sessionCheck() ReadinessCheck {
	const wait = "OpenRemoteAssistance waits for a new one and does not take this for it"
	details := strings.TrimSpace(f.record.RemoteAssistanceSessionErrorDetails)
	switch {
	case strings.TrimSpace(f.record.RemoteAssistanceSessionURL.Reveal()) != "":
		return warns("a link is on the record already, of an earlier request or of one under way", wait)
	case !f.session:
		return unsure("the answer does not give the device's session", "requests must reach Graph directly; look for a proxy in between")
	case details != "":
		return warns("an error text is on the record already: "+redact.OneLine(redact.Text(details), maxMessageText), wait)
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
