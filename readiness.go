package intune

import (
	"log/slog"
	"slices"
	"time"
)

// CheckReadinessOptions configures [Client.CheckReadiness].
type CheckReadinessOptions struct {
	// MaxSyncAge is how long ago the device's last sync may be before the check warns. Zero means 24 hours: by Microsoft's
	// estimate a device that is on checks in about every 8 hours. Negative is an ErrInvalidArgument.
	MaxSyncAge time.Duration
}

// defaultMaxSyncAge is three of the check-ins that Microsoft's documentation expects of every platform.
const defaultMaxSyncAge = 24 * time.Hour

// ReadinessStatus is what a check of [Client.CheckReadiness] found.
type ReadinessStatus string

const (
	// ReadinessStatusPass means: nothing stands in the way here.
	ReadinessStatusPass ReadinessStatus = "pass"

	// ReadinessStatusWarn means: a session is possible, but this may get in its way.
	ReadinessStatusWarn ReadinessStatus = "warn"

	// ReadinessStatusFail means: as long as this stays so, there will be no session.
	ReadinessStatusFail ReadinessStatus = "fail"

	// ReadinessStatusUnknown means: it could not be found out, for instance because the caller may not look. It is no
	// reason not to try.
	ReadinessStatusUnknown ReadinessStatus = "unknown"
)

// PossibleReadinessStatusValues returns the possible values of ReadinessStatus.
func PossibleReadinessStatusValues() []ReadinessStatus {
	return []ReadinessStatus{ReadinessStatusPass, ReadinessStatusWarn, ReadinessStatusFail, ReadinessStatusUnknown}
}

// The names of the checks, in the order in which a [Readiness] has them. A later version may add checks.
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

// ReadinessCheck is one finding of [Client.CheckReadiness]. Its texts are one line each and hold no token, no link and no
// user.
type ReadinessCheck struct {
	// Name is what was looked at, such as ReadinessConnector.
	Name string

	// Status is what was found.
	Status ReadinessStatus

	// Detail says what was found, in words for people. It is not contract.
	Detail string

	// Remedy says what to do about it; blank if Status is ReadinessStatusPass. It is for the operator rather than for the
	// device's user: it may name the app and its permissions.
	Remedy string `json:",omitzero"`
}

// Readiness is what stands between a device and a remote-assistance session, as far as reading tells. Whether the user
// agrees, and whether a signed-in caller has the Intune role right of the action, no read shows.
type Readiness struct {
	// Device is the address that was checked. As JSON it is the whole address, the user of a [UserDevice] included.
	Device DeviceRef `json:",omitzero"`

	// Checks has one entry for each of the names above, in their order, whatever was found.
	Checks []ReadinessCheck
}

// OK reports whether no check failed. What is unknown and what is only a warning does not count: every tenant has a
// warning about the connector's end, and many callers may not look at the connector. It is false for a zero Readiness.
func (r Readiness) OK() bool {
	return len(r.Checks) > 0 && !r.has(ReadinessStatusFail)
}

func (r Readiness) has(status ReadinessStatus) bool {
	return slices.ContainsFunc(r.Checks, func(check ReadinessCheck) bool { return check.Status == status })
}

// LogValue groups the verdict and the checks for structured logs. The user of a [UserDevice] is left out.
func (r Readiness) LogValue() slog.Value {
	checks := make([]slog.Attr, len(r.Checks))
	for i := range r.Checks {
		check := &r.Checks[i]
		attributes := appendText([]slog.Attr{slog.String("status", string(check.Status))}, "detail", check.Detail)
		checks[i] = slog.Attr{Key: check.Name, Value: slog.GroupValue(appendText(attributes, "remedy", check.Remedy)...)}
	}
	return slog.GroupValue(slog.Any("device", r.Device), slog.Bool("ok", r.OK()), slog.Attr{Key: "checks", Value: slog.GroupValue(checks...)})
}
