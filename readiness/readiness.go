// Package readiness says what would keep a remote-assistance session from a device, before anybody is asked:
//
//	report, err := readiness.Check(ctx, client, intune.Device(id), nil)
//	...
//	fmt.Println(report) // a table of the cloud, the token, the connector, the device, ...
//
// It only reads, and it stands on public methods of [intune.Client], those of the interface [Client].
package readiness

import (
	"cmp"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/redact"
)

// Status is what a check found.
type Status string

const (
	// StatusPass means: this does not stand in the way.
	StatusPass Status = "pass"

	// StatusWarn means: a session is possible, but this may get in its way.
	StatusWarn Status = "warn"

	// StatusFail means: as long as this stays so, there will be no session.
	StatusFail Status = "fail"

	// StatusUnknown means: the check could not be made, for instance because the caller lacks a permission. A request may
	// work all the same.
	StatusUnknown Status = "unknown"
)

// PossibleStatusValues returns the possible values of Status.
func PossibleStatusValues() []Status {
	return []Status{StatusPass, StatusWarn, StatusFail, StatusUnknown}
}

// The names of the checks, in the order of [Report].Results. Later versions may add more.
const (
	// NameCloud: can there be a connector in the client's cloud?
	NameCloud = "cloud"
	// NameToken: does the credential give a token, and does the token hold the permission of the action?
	NameToken = "token"
	// NameConnector: can the tenant's TeamViewer connector make sessions?
	NameConnector = "connector"
	// NameDevice: is there such a device, and may the caller read it?
	NameDevice = "device"
	// NameManagement: is the device managed, and not on its way out?
	NameManagement = "management"
	// NamePlatform: is the platform one of those that Microsoft lists?
	NamePlatform = "platform"
	// NameSync: was the device in touch with Intune lately?
	NameSync = "sync"
	// NameUser: is there a user who can be asked?
	NameUser = "user"
	// NameSession: is nothing left over from an earlier session?
	NameSession = "session"
)

// Result is what one check found. Its texts are of one line each and hold no token, no link, and no name of the user.
type Result struct {
	// Name is one of the names above, such as NameConnector.
	Name string

	// Status is what was found, in one word.
	Status Status

	// Detail says what was found. It is for people and is not contract.
	Detail string

	// Remedy says what to do about it; blank if Status is StatusPass. It is for the operator and not for the user of the
	// device, because it may name the app and its permissions. It is not contract either.
	Remedy string `json:",omitzero"`
}

// Report says what would keep a remote-assistance session from a device, as far as reads can tell. They show neither
// whether the user will agree nor whether a signed-in caller has the Intune role right for the action.
type Report struct {
	// Device is the address that was checked. As JSON it is the whole address, the user of a user address included.
	Device intune.DeviceRef `json:",omitzero"`

	// Results has one entry for each of the names above, in their order, also for checks that could not be made.
	Results []Result
}

// OK reports whether no check failed. Warnings and unknown results do not count, because every onboarded connector gives
// a warning, and many callers lack the permission to read it. A zero Report is not OK.
func (r Report) OK() bool {
	return len(r.Results) > 0 && !r.has(StatusFail)
}

func (r Report) has(status Status) bool {
	return slices.ContainsFunc(r.Results, func(result Result) bool { return result.Status == status })
}

// LogValue groups OK and the results for structured logs. It leaves out the user of an [intune.UserDevice].
func (r Report) LogValue() slog.Value {
	results := make([]slog.Attr, len(r.Results))
	for i, result := range r.Results {
		attributes := appendText([]slog.Attr{slog.String("status", string(result.Status))}, "detail", result.Detail)
		results[i] = slog.Attr{Key: result.Name, Value: slog.GroupValue(appendText(attributes, "remedy", result.Remedy)...)}
	}
	return slog.GroupValue(
		slog.Any("device", r.Device), slog.Bool("ok", r.OK()), slog.Attr{Key: "results", Value: slog.GroupValue(results...)},
	)
}

func appendText(to []slog.Attr, key, text string) []slog.Attr {
	if text == "" {
		return to
	}
	return append(to, slog.String(key, text))
}

func passes(detail string) Result {
	return Result{Status: StatusPass, Detail: detail}
}

func warns(detail, remedy string) Result {
	return Result{Status: StatusWarn, Detail: detail, Remedy: remedy}
}

func fails(detail, remedy string) Result {
	return Result{Status: StatusFail, Detail: detail, Remedy: remedy}
}

func unsure(detail, remedy string) Result {
	return Result{Status: StatusUnknown, Detail: detail, Remedy: remedy}
}

func (r Result) named(name string) Result {
	r.Name = name
	return r
}

// maxText is how much is shown of a text of the service, in bytes.
const maxText = 600

// maxCause is how much is shown of a credential's error: Entra's sentences are long, and the ids for its support come last.
const maxCause = 1200

// explained splits the text of an error into what happened and what to do. It leaves out the device, which is the same
// for all checks.
func explained(err error) (detail, hint string) {
	if e, ok := errors.AsType[*intune.Error](err); ok {
		plain := *e
		plain.Hint, plain.Device = "", intune.DeviceRef{}
		return plain.Error(), redact.OneLine(e.Hint, maxText)
	}
	return redact.OneLine(redact.Text(err.Error()), maxCause), ""
}

// unread is a check that could not be made because the read, which needs permission, failed.
func unread(permission string, err error) Result {
	if errors.Is(err, errNoToken) {
		return unsure(err.Error(), "get a token first, and check again")
	}
	if e, ok := errors.AsType[*intune.Error](err); ok && strings.Contains(e.Message, "one of the following scopes:") {
		short := *e // both texts list all permissions of which one is needed
		short.Message, short.Hint = "", "give the app "+permission+", with an administrator's consent"
		err = &short
	}
	detail, hint := explained(err)
	return unsure(detail, cmp.Or(hint, "try again; if that does not help, look at the network and the proxy"))
}
