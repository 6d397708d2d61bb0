package readiness

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/redact"
)

// deviceFacts is the device's record and what the answer says besides, or the error if it could not be read.
type deviceFacts struct {
	record  intune.ManagedDevice
	session session
	at      time.Time // when the service answered, by its own clock; zero if it did not say
	err     error

	private redact.Private // names of the user
}

// session is what an answer says about the device's session.
type session struct {
	link    intune.SessionURL // also one that GetDevice withholds
	details string
	missing bool // the answer lacks one of the two properties, and so says nothing; null and "" say that there is none
}

// properties are what the checks need besides the session. The names of the user are among them to see whether there is a
// user, and to hide them where a text of the service quotes them.
var properties = []string{
	"managementState", "managementAgent", "operatingSystem", "model",
	"managedDeviceOwnerType", "deviceEnrollmentType", "lastSyncDateTime", "userId",
	"userPrincipalName", "userDisplayName", "emailAddress",
}

// readDevice reads a device with its session. If the client withholds the record because the link is not fit to open, it is
// read again without the session, which the first answer has told.
func readDevice(ctx context.Context, client Client, device intune.DeviceRef) deviceFacts {
	selected := append([]string{"remoteAssistanceSessionUrl", "remoteAssistanceSessionErrorDetails"}, properties...)
	whole := getDevice(ctx, client, device, selected)
	if whole.err == nil || whole.session.link.IsZero() {
		return whole
	}
	rest := getDevice(ctx, client, device, properties)
	rest.session = whole.session
	return rest
}

// getDevice reads a device, and looks at the answer itself for what the record does not tell.
func getDevice(ctx context.Context, client Client, device intune.DeviceRef, selected []string) deviceFacts {
	var answer *http.Response
	response, err := client.GetDevice(policy.WithCaptureResponse(ctx, &answer), device, &intune.GetDeviceOptions{Select: selected})
	found := deviceFacts{record: response.ManagedDevice, err: err}
	found.session.link = response.RemoteAssistanceSessionURL
	found.session.details = response.RemoteAssistanceSessionErrorDetails
	if answer == nil {
		return found // of a client without one, such as one that remembers records
	}
	found.at, _ = http.ParseTime(answer.Header.Get("Date")) // zero if there is none
	body, _ := runtime.Payload(answer)                      // nil if it cannot be read
	found.session = sessionIn(body, found.session)
	return found
}

// property is a text in an answer, and whether the answer has it, as null or "" too.
type property struct {
	given bool
	text  string
}

// UnmarshalJSON is called for null too.
func (p *property) UnmarshalJSON(data []byte) error {
	p.given = true
	return json.Unmarshal(data, &p.text)
}

// sessionIn reads the session from the body of an answer. Of a body that it cannot read, it returns the session that the
// record has.
func sessionIn(body []byte, recorded session) session {
	type texts struct {
		Link    property `json:"remoteAssistanceSessionUrl"`
		Details property `json:"remoteAssistanceSessionErrorDetails"`
	}
	var entity struct {
		texts
		Value *texts `json:"value"` // in which some answers of Intune wrap the entity
	}
	if err := json.Unmarshal(body, &entity); err != nil {
		return recorded
	}
	found := cmp.Or(entity.Value, &entity.texts)
	return session{
		link: intune.NewSessionURL(found.Link.text), details: found.Details.text, missing: !found.Link.given || !found.Details.given,
	}
}

// checks makes the checks of the device. The list is the same whether the device could be read or not.
func (f *deviceFacts) checks(device intune.DeviceRef, maxSyncAge time.Duration) []Result {
	list := []Result{f.deviceCheck(device).named(NameDevice)}
	for _, check := range []struct {
		name string
		make func() Result
	}{
		{NameManagement, f.managementCheck},
		{NamePlatform, f.platformCheck},
		{NameSync, func() Result { return f.syncCheck(maxSyncAge) }},
		{NameUser, f.userCheck},
		{NameSession, f.sessionCheck},
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
	switch {
	case userOf(device) != "":
		return warns("found; Microsoft's documentation no longer names this address, and no permission for it is published", plain)
	case isAppAddress(device):
		return warns("found; users reported that the service answers 400 at this address", plain)
	default:
		return passes("found")
	}
}

func (f *deviceFacts) managementCheck() Result {
	const leaving = "wait until that is over, or have it canceled in the Intune admin center"
	state := member(f.record.ManagementState, intune.PossibleManagementStateValues())
	shown := f.shown(string(state))
	switch state {
	case intune.ManagementStateManaged, intune.ManagementStateRetireCanceled, intune.ManagementStateWipeCanceled:
		return f.agentCheck(shown)
	case intune.ManagementStateRetirePending, intune.ManagementStateRetireIssued, intune.ManagementStateWipePending,
		intune.ManagementStateWipeIssued, intune.ManagementStateDeletePending:
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
	case intune.ManagementAgentTypeEAS, intune.ManagementAgentTypeConfigurationManagerClient, intune.ManagementAgentTypeJamf,
		intune.ManagementAgentTypeMSSense:
		return warns(state+", but through "+string(agent)+" and not by Intune itself",
			"enroll the device in Intune, if nothing shows on it")
	default:
		return passes(state)
	}
}

func (f *deviceFacts) syncCheck(maxAge time.Duration) Result {
	const remedy = "see that the device is on and online, and let its user press Sync in Company Portal"
	last := f.record.LastSyncDateTime
	if last.IsZero() {
		return warns("no sync is on the record", remedy)
	}
	now := f.at
	if now.IsZero() {
		now = time.Now()
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
	details := strings.TrimSpace(f.session.details)
	switch {
	case strings.TrimSpace(f.session.link.Reveal()) != "":
		return warns("a link is on the record already, of an earlier request or of one under way", wait)
	case f.session.missing:
		return unsure("the answer does not give the device's session", "requests must reach Graph directly; look for a proxy in between")
	case details != "":
		return warns("an error text is on the record already: "+redact.OneLine(redact.Text(details), maxText), wait)
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

// shown makes a text of the device's record fit to be shown. Names are hidden before it is cut, which could split one.
func (f *deviceFacts) shown(text string) string {
	const limit = 64
	if text = redact.OneLine(f.private.Clean(text), limit); text != "" {
		return text
	}
	return "(blank)"
}
