package intune

import (
	"log/slog"
	"slices"
	"time"
)

// CheckReadinessOptions configures [Client.CheckReadiness].
type CheckReadinessOptions struct {
	// MaxSyncAge is how long ago the device's last sync may be; the check warns if it is older. Zero means 24 hours, three
	// times the interval at which a device checks in by Microsoft's estimate. Negative is an ErrInvalidArgument.
	MaxSyncAge time.Duration
}

// Microsoft's documentation gives an interval of about 8 hours for every platform.
const defaultMaxSyncAge = 24 * time.Hour

// ReadinessStatus is what a check of [Client.CheckReadiness] found.
type ReadinessStatus string

const (
	// ReadinessStatusPass means: this does not stand in the way.
	ReadinessStatusPass ReadinessStatus = "pass"

	// ReadinessStatusWarn means: a session is possible, but this may get in its way.
	ReadinessStatusWarn ReadinessStatus = "warn"

	// ReadinessStatusFail means: as long as this stays so, there will be no session.
	ReadinessStatusFail ReadinessStatus = "fail"

	// ReadinessStatusUnknown means: the check could not be made, for instance because the caller lacks a permission. A
	// request may work all the same.
	ReadinessStatusUnknown ReadinessStatus = "unknown"
)

// PossibleReadinessStatusValues returns the possible values of ReadinessStatus.
func PossibleReadinessStatusValues() []ReadinessStatus {
	return []ReadinessStatus{ReadinessStatusPass, ReadinessStatusWarn, ReadinessStatusFail, ReadinessStatusUnknown}
}

// The names of the checks, in the order of [Readiness].Checks. Later versions may add more.
const (
	// ReadinessCloud: can there be a connector in the client's cloud?
	ReadinessCloud = "cloud"
	// ReadinessToken: does the credential give a token, and does the token hold the permission of the action?
	ReadinessToken = "token"
	// ReadinessConnector: can the tenant's TeamViewer connector make sessions?
	ReadinessConnector = "connector"
	// ReadinessDevice: is there such a device, and may the caller read it?
	ReadinessDevice = "device"
	// ReadinessManagement: is the device managed, and not on its way out?
	ReadinessManagement = "management"
	// ReadinessPlatform: is the platform one of those that Microsoft lists?
	ReadinessPlatform = "platform"
	// ReadinessSync: was the device in touch with Intune lately?
	ReadinessSync = "sync"
	// ReadinessUser: is there a user who can be asked?
	ReadinessUser = "user"
	// ReadinessSession: is nothing left over from an earlier session?
	ReadinessSession = "session"
)

// ReadinessCheck is the result of one check of [Client.CheckReadiness]. Its texts are of one line each and hold no token, no
// link, and no name of the user.
type ReadinessCheck struct {
	// Name is one of the names above, such as ReadinessConnector.
	Name string

	// Status is the result.
	Status ReadinessStatus

	// Detail says what was found. It is for people and is not contract.
	Detail string

	// Remedy says what to do about it; blank if Status is ReadinessStatusPass. It is for the operator and not for the user
	// of the device, because it may name the app and its permissions. It is not contract either.
	Remedy string `json:",omitzero"`
}

// Readiness says what would keep a remote-assistance session from a device, as far as reads can tell. They show neither
// whether the user will agree nor whether a signed-in caller has the Intune role right for the action.
type Readiness struct {
	// Device is the address that was checked. As JSON it is the whole address, the user of a [UserDevice] included.
	Device DeviceRef `json:",omitzero"`

	// Checks has one entry for each of the names above, in their order, also for checks that could not be made.
	Checks []ReadinessCheck
}

// OK reports whether no check failed. Warnings and unknown results do not count, because every onboarded connector gives a
// warning, and many callers lack the permission to read it. A zero Readiness is not OK.
func (r Readiness) OK() bool {
	return len(r.Checks) > 0 && !r.has(ReadinessStatusFail)
}

func (r Readiness) has(status ReadinessStatus) bool {
	return slices.ContainsFunc(r.Checks, func(check ReadinessCheck) bool { return check.Status == status })
}

// LogValue groups OK and the checks for structured logs. It leaves out the user of a [UserDevice].
func (r Readiness) LogValue() slog.Value {
	checks := make([]slog.Attr, len(r.Checks))
	for i := range r.Checks {
		check := &r.Checks[i]
		attributes := appendText([]slog.Attr{slog.String("status", string(check.Status))}, "detail", check.Detail)
		checks[i] = slog.Attr{Key: check.Name, Value: slog.GroupValue(appendText(attributes, "remedy", check.Remedy)...)}
	}
	return slog.GroupValue(slog.Any("device", r.Device), slog.Bool("ok", r.OK()), slog.Attr{Key: "checks", Value: slog.GroupValue(checks...)})
}
