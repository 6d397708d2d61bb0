package readiness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/redact"
)

// Client is what [Check] calls. [*intune.Client] is one, and its methods say what each has to do. A fake in a test, or a
// client that remembers what it read, can take its place; Check calls two of its methods at the same time. Later versions
// may call more methods: a type that embeds a Client keeps compiling.
type Client interface {
	Endpoint() string
	TokenRequestOptions() policy.TokenRequestOptions
	TokenInfo(ctx context.Context) (intune.TokenInfo, error)
	RemoteAssistanceConnector(ctx context.Context, options *intune.RemoteAssistanceConnectorOptions) (intune.ConnectorState, error)
	GetDevice(ctx context.Context, device intune.DeviceRef, options *intune.GetDeviceOptions) (intune.GetDeviceResponse, error)
}

// Options configures [Check].
type Options struct {
	// MaxSyncAge is how long ago the device's last sync may be; the check warns if it is older. Zero means 24 hours, three
	// times the interval at which a device checks in by Microsoft's estimate. Negative is an intune.ErrInvalidArgument.
	MaxSyncAge time.Duration

	// Connector is the state of the tenant's connector, if the caller has read it: it is the same for all devices, so that
	// a thousand checks need one read of it. Zero means that Check reads it. Unknown makes the result unknown. Anything but
	// the possible values of intune.ConnectorState is an intune.ErrInvalidArgument.
	Connector intune.ConnectorState
}

// Microsoft's documentation gives an interval of about 8 hours for every platform.
const defaultMaxSyncAge = 24 * time.Hour

// Check says what would keep a remote-assistance session from device. It checks the cloud, the token, the tenant's
// connector, the device itself, and whether a link is left over from an earlier session. It only reads: nobody is asked, and
// nothing changes. It gets a token first, so that a user who has to sign in does so once, and then makes two reads at the
// same time, of the device and, unless the options have its state, of the connector. The device is read once more in one
// case: if its record has a link that is not fit to open, for which [intune.Client.GetDevice] refuses the whole record. Like
// all reads they are repeated within ClientOptions.Retry; give ctx a deadline if that may take too long.
//
//   - client: normally an [*intune.Client].
//   - device: any of the three addresses. If the service answers 400 there, the read is made at the plain address.
//   - options: may be nil.
//
// The age of the last sync is measured by the service's clock, which is the Date of its answer, and by this machine's if
// the answer has none. Each call of the client has its own span; Check itself has none. As it makes several calls,
// policy.WithCaptureResponse on ctx captures none of them.
//
// If a check cannot be made, its status is [StatusUnknown], and its detail says why. That includes a missing permission.
// Errors: [intune.ErrInvalidArgument], or, if ctx ends before all checks are made, an error in which [errors.As] finds an
// [*intune.Error] and [errors.Is] the context's own; the Report is then zero.
//
// Needs DeviceManagementManagedDevices.Read.All for the device and DeviceManagementServiceConfig.Read.All for the connector,
// delegated or application. It looks for the permission of the action in the claims of the token.
//
// Sources: https://learn.microsoft.com/intune/device-management/tools/teamviewer-legacy (platforms, users, end of the
// connector), and for the reads those of [intune.Client.GetDevice] and [intune.Client.NewListRemoteAssistancePartnersPager].
func Check(ctx context.Context, client Client, device intune.DeviceRef, options *Options) (Report, error) {
	var o Options
	if options != nil {
		o = *options
	}
	if err := checkArguments(ctx, client, device, &o); err != nil {
		return Report{}, err
	}
	found, err := look(ctx, client, device, o.Connector)
	if err != nil {
		return Report{}, err
	}
	record := found.device.record
	private := redact.Of("", userOf(device), record.UserPrincipalName, record.UserDisplayName, record.EmailAddress)
	// Before texts are cut, which could split a name. A failed read of the connector may quote one too, as the device's session may.
	found.device.private = private
	found.device.session.details = private.Clean(found.device.session.details)
	found.connectorErr = withoutNames(found.connectorErr, private)
	results := []Result{
		cloudCheck(client.Endpoint()).named(NameCloud),
		tokenCheck(client, device, found.token, found.tokenErr).named(NameToken),
		connectorCheck(found.connector, found.connectorErr).named(NameConnector),
	}
	results = append(results, found.device.checks(device, cmp.Or(o.MaxSyncAge, defaultMaxSyncAge))...)
	for i := range results {
		results[i].Detail = private.Hide(results[i].Detail)
	}
	return Report{Device: device, Results: results}, nil
}

// checkArguments returns an error for what would end in a nil dereference or a useless read. A client that is not nil, but
// was not made by intune.NewClient, says so itself.
func checkArguments(ctx context.Context, client Client, device intune.DeviceRef, o *Options) error {
	refuse := func(problem string) error { return fmt.Errorf("%w: %s", intune.ErrInvalidArgument, problem) }
	switch {
	case ctx == nil:
		return refuse("ctx is nil; pass context.Background() if there is no other")
	case client == nil:
		return refuse("client is nil; pass one that was made by intune.NewClient")
	case device.IsZero():
		return refuse("device is the zero DeviceRef; make one with intune.Device")
	case o.MaxSyncAge < 0:
		return refuse("options.MaxSyncAge is negative; use 0 for 24 hours")
	case o.Connector != "" && !slices.Contains(intune.PossibleConnectorStateValues(), o.Connector):
		return refuse("options.Connector is no state; use what RemoteAssistanceConnector returned, or leave it out")
	}
	_, err := device.MarshalText()
	return err
}

// isAppAddress reports whether a device is addressed below a detected app.
func isAppAddress(device intune.DeviceRef) bool {
	return strings.HasPrefix(device.String(), "/deviceManagement/detectedApps")
}

// withoutNames is a failure of the service without the private parts of a check, which its text may quote. It is not cut yet.
func withoutNames(err error, private redact.Private) error {
	failed, ok := errors.AsType[*intune.Error](err)
	if !ok {
		return err
	}
	clean := *failed
	for _, text := range [...]*string{&clean.Code, &clean.InnerCode, &clean.Message, &clean.Phrase} {
		*text = private.Hide(*text)
	}
	clean.Details = slices.Clone(clean.Details)
	for i := range clean.Details {
		clean.Details[i].Code, clean.Details[i].Message = private.Hide(clean.Details[i].Code), private.Hide(clean.Details[i].Message)
	}
	return &clean
}

// userOf is the user of a user address, and "" of any other address.
func userOf(device intune.DeviceRef) string {
	key, ok := strings.CutPrefix(device.String(), "/users")
	if !ok {
		return ""
	}
	// A name that begins with a dollar sign is in parentheses, with its quotes doubled. In any other name two quotes in a row
	// become one, but what is hidden is a name in both forms.
	key, _, _ = strings.Cut(strings.TrimLeft(key, "/("), "/")
	user, _ := url.PathUnescape(strings.TrimSuffix(strings.TrimPrefix(key, "'"), "')")) // String has escaped it
	return strings.ReplaceAll(user, "''", "'")
}

// facts is what the checks need, each part with the error if it could not be read.
type facts struct {
	token        intune.TokenInfo
	tokenErr     error
	connector    intune.ConnectorState
	connectorErr error
	device       deviceFacts
}

// errNoToken is the error of the reads if there is no token. They are not tried, because each would ask the credential, and
// perhaps the user, once more.
var errNoToken = errors.New("not looked at without a token")

// look reads what is not known. The state of the connector may be.
func look(ctx context.Context, client Client, device intune.DeviceRef, connector intune.ConnectorState) (found facts, err error) {
	ended := func(check string) error {
		// The text begins as that of every error of a call on a device.
		subject := &intune.Error{Op: "check readiness", Device: device}
		return fmt.Errorf("%w: the context ended during the check of the %s: %w", subject, check, ctx.Err())
	}
	found.token, found.tokenErr = client.TokenInfo(ctx)
	if errors.Is(found.tokenErr, intune.ErrInvalidArgument) {
		if _, isCall := errors.AsType[*intune.Error](found.tokenErr); !isCall {
			return found, found.tokenErr // intune.NewClient did not make the client
		}
	}
	found.connector = connector
	if connector == intune.ConnectorStateUnknown {
		found.connectorErr = errPassedUnknown
	}
	if found.tokenErr != nil {
		if ctx.Err() != nil {
			return found, ended(NameToken)
		}
		found.device.err = errNoToken
		if connector == "" {
			found.connectorErr = errNoToken
		}
		return found, nil
	}
	below, cancel := context.WithCancel(ctx)
	defer cancel() // ends the other read if the transport panics
	wait := func() {}
	if connector == "" {
		wait = apart(func() {
			// With a response of its own, since two reads at the same time must not write to the caller's.
			alone := policy.WithCaptureResponse(below, new(*http.Response))
			found.connector, found.connectorErr = client.RemoteAssistanceConnector(alone, nil)
		})
	}
	read := readDevice(below, client, device)
	wait()
	found.device = read
	switch {
	case ctx.Err() == nil:
	case isContextError(read.err):
		return found, ended(NameDevice)
	case isContextError(found.connectorErr):
		return found, ended(NameConnector)
	}
	return found, nil
}

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// apart runs work in a goroutine of its own; wait returns at its end. If the work panics, as a caller's transport may, wait
// panics, because no caller can recover from a panic in another goroutine.
func apart(work func()) (wait func()) {
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		work()
	}()
	return func() {
		if panicked := <-done; panicked != nil {
			panic(panicked)
		}
	}
}
