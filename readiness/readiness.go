// Package readiness says what would keep a remote-assistance session from a device, before anybody is asked:
//
//	report, err := readiness.Check(ctx, client, intune.Device(id), nil)
//	...
//	fmt.Println(report) // a table of the cloud, the token, the connector, the device, ...
//
// It reads through the public methods of [intune.Client] only.
package readiness

import (
	"log/slog"
	"slices"
	"time"

	"github.com/go-intune/intune"
)

// Options configures [Check].
type Options struct {
	// MaxSyncAge is how long ago the device's last sync may be; the check warns if it is older. Zero means 24 hours, three
	// times the interval at which a device checks in by Microsoft's estimate. Negative is an intune.ErrInvalidArgument.
	MaxSyncAge time.Duration
}

// Microsoft's documentation gives an interval of about 8 hours for every platform.
const defaultMaxSyncAge = 24 * time.Hour

// Status is what a check of [Check] found.
type Status string

const (
	// Pass means: this does not stand in the way.
	Pass Status = "pass"

	// Warn means: a session is possible, but this may get in its way.
	Warn Status = "warn"

	// Fail means: as long as this stays so, there will be no session.
	Fail Status = "fail"

	// Unknown means: the check could not be made, for instance because the caller lacks a permission. A
	// request may work all the same.
	Unknown Status = "unknown"
)

// PossibleStatusValues returns the possible values of Status.
func PossibleStatusValues() []Status {
	return []Status{Pass, Warn, Fail, Unknown}
}

// The names of the checks, in the order of [Report].Checks. Later versions may add more.
const (
	// Cloud: can there be a connector in the client's cloud?
	Cloud = "cloud"
	// Token: does the credential give a token, and does the token hold the permission of the action?
	Token = "token"
	// Connector: can the tenant's TeamViewer connector make sessions?
	Connector = "connector"
	// Device: is there such a device, and may the caller read it?
	Device = "device"
	// Management: is the device managed, and not on its way out?
	Management = "management"
	// Platform: is the platform one of those that Microsoft lists?
	Platform = "platform"
	// Sync: was the device in touch with Intune lately?
	Sync = "sync"
	// User: is there a user who can be asked?
	User = "user"
	// Session: is nothing left over from an earlier session?
	Session = "session"
)

// Result is the result of one check of [Check]. Its texts are of one line each and hold no token, no
// link, and no name of the user.
type Result struct {
	// Name is one of the names above, such as Connector.
	Name string

	// Status is the result.
	Status Status

	// Detail says what was found. It is for people and is not contract.
	Detail string

	// Remedy says what to do about it; blank if Status is Pass. It is for the operator and not for the user
	// of the device, because it may name the app and its permissions. It is not contract either.
	Remedy string `json:",omitzero"`
}

// Report says what would keep a remote-assistance session from a device, as far as reads can tell. They show neither
// whether the user will agree nor whether a signed-in caller has the Intune role right for the action.
type Report struct {
	// Device is the address that was checked. As JSON it is the whole address, the user of a [intune.UserDevice] included.
	Device intune.DeviceRef `json:",omitzero"`

	// Checks has one entry for each of the names above, in their order, also for checks that could not be made.
	Checks []Result
}

// OK reports whether no check failed. Warnings and unknown results do not count, because every onboarded connector gives a
// warning, and many callers lack the permission to read it. A zero Report is not OK.
func (r Report) OK() bool {
	return len(r.Checks) > 0 && !r.has(Fail)
}

func (r Report) has(status Status) bool {
	return slices.ContainsFunc(r.Checks, func(check Result) bool { return check.Status == status })
}

// LogValue groups OK and the checks for structured logs. It leaves out the user of a [intune.UserDevice].
func (r Report) LogValue() slog.Value {
	checks := make([]slog.Attr, len(r.Checks))
	for i := range r.Checks {
		check := &r.Checks[i]
		attributes := appendText([]slog.Attr{slog.String("status", string(check.Status))}, "detail", check.Detail)
		checks[i] = slog.Attr{Key: check.Name, Value: slog.GroupValue(appendText(attributes, "remedy", check.Remedy)...)}
	}
	return slog.GroupValue(slog.Any("device", r.Device), slog.Bool("ok", r.OK()), slog.Attr{Key: "checks", Value: slog.GroupValue(checks...)})
}

func appendText(to []slog.Attr, key, text string) []slog.Attr {
	if text == "" {
		return to
	}
	return append(to, slog.String(key, text))
}
