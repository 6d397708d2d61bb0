package readiness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/redact"
)

// Check says what would keep a remote-assistance session from device. It checks the cloud, the token, the tenant's
// connector, the device itself, and whether a link is left over from an earlier session. It only reads: nobody is asked, and
// nothing changes. It gets a token first, so that a user who has to sign in does so once, and then makes two reads at the same
// time. Like all reads they are repeated within ClientOptions.Retry; give ctx a deadline if that may take too long.
//
//   - device: any of the three addresses. If the service answers 400 there, the read is made at the plain address.
//   - options: may be nil.
//
// If a check cannot be made, its status is [Unknown], and its detail says why. That includes a missing
// permission. Errors: [intune.ErrInvalidArgument], or an [*intune.Error] if ctx ends before all checks are made; the Report is then zero.
//
// Needs DeviceManagementManagedDevices.Read.All for the device and DeviceManagementServiceConfig.Read.All for the connector,
// delegated or application. It looks for the permission of the action in the claims of the token.
//
// Sources: https://learn.microsoft.com/intune/device-management/tools/teamviewer-legacy (platforms, users, end of the
// connector), and for the reads those of [intune.Client.GetDevice] and [intune.Client.NewListRemoteAssistancePartnersPager].
func Check(ctx context.Context, client *intune.Client, device intune.DeviceRef, options *Options) (Report, error) {
	var o Options
	if options != nil {
		o = *options
	}
	if o.MaxSyncAge < 0 {
		return Report{}, fmt.Errorf("%w: options.MaxSyncAge is negative; use 0 for 24 hours", intune.ErrInvalidArgument)
	}
	if device.IsZero() {
		return Report{}, fmt.Errorf("%w: device is the zero DeviceRef; make one with intune.Device", intune.ErrInvalidArgument)
	}
	if _, err := device.MarshalText(); err != nil {
		return Report{}, err
	}
	found, err := look(ctx, client, device)
	if err != nil {
		return Report{}, err
	}
	results := []Result{
		cloudCheck(client.Endpoint()).named(Cloud),
		tokenCheck(client, device, found.token, found.tokenErr).named(Token),
		connectorCheck(found.connector, found.connectorErr).named(Connector),
	}
	results = append(results, found.device.checks(device, time.Now(), cmp.Or(o.MaxSyncAge, defaultMaxSyncAge))...)
	hideUser(results, device, found.device.record.UserPrincipalName)
	return Report{Device: device, Checks: results}, nil
}

// The permissions that the checks speak of.
const (
	permissionOfTheAction = "DeviceManagementManagedDevices.ReadWrite.All"
	permissionReadDevices = "DeviceManagementManagedDevices.Read.All"
	permissionConnector   = "DeviceManagementServiceConfig.Read.All"
)

// form says which of the three addresses a device has: "users", "detectedApps", or "" for the plain one.
func form(device intune.DeviceRef) string {
	switch path := device.String(); {
	case strings.HasPrefix(path, "/users"):
		return "users"
	case strings.Contains(path, "/detectedApps"):
		return "detectedApps"
	}
	return ""
}

// hideUser takes the user out of texts of the service. A failed read of the device does not show the user of its address, but
// a failed read of the connector might, and so might an error text on the device's record.
func hideUser(results []Result, device intune.DeviceRef, name string) {
	private := redact.Of("", device.User(), name)
	for i := range results {
		results[i].Detail = private.Hide(results[i].Detail)
	}
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

func look(ctx context.Context, client *intune.Client, device intune.DeviceRef) (found facts, err error) {
	ended := func(check string) error {
		return fmt.Errorf("check readiness: the context ended during the check of the %s: %w", check, ctx.Err())
	}
	found.token, found.tokenErr = client.TokenInfo(ctx)
	if errors.Is(found.tokenErr, intune.ErrInvalidArgument) {
		if _, isCall := errors.AsType[*intune.Error](found.tokenErr); !isCall {
			return found, found.tokenErr // there is no client, or no context
		}
	}
	if found.tokenErr != nil {
		if ctx.Err() != nil {
			return found, ended(Token)
		}
		found.connectorErr, found.device.err = errNoToken, errNoToken
		return found, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the other read if the transport panics
	wait := apart(func() { found.connector, found.connectorErr = client.RemoteAssistanceConnector(ctx, nil) })
	var read deviceFacts
	waitSession := apart(func() { read.session, read.sessionErr = session(ctx, client, device) })
	response, err := client.GetDevice(ctx, device, &intune.GetDeviceOptions{Select: properties})
	read.record, read.err = response.ManagedDevice, err
	waitSession()
	wait()
	found.device = read
	switch {
	case ctx.Err() == nil:
	case isContextError(read.err):
		return found, ended(Device)
	case isContextError(found.connectorErr):
		return found, ended(Connector)
	}
	return found, nil
}

func session(ctx context.Context, client *intune.Client, device intune.DeviceRef) (intune.RemoteAssistanceSession, error) {
	read, err := client.GetRemoteAssistanceSession(ctx, device, nil)
	return read.RemoteAssistanceSession, err
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

func passes(detail string) Result {
	return Result{Status: Pass, Detail: detail}
}

func warns(detail, remedy string) Result {
	return Result{Status: Warn, Detail: detail, Remedy: remedy}
}

func fails(detail, remedy string) Result {
	return Result{Status: Fail, Detail: detail, Remedy: remedy}
}

func unsure(detail, remedy string) Result {
	return Result{Status: Unknown, Detail: detail, Remedy: remedy}
}

func (c Result) named(name string) Result {
	c.Name = name
	return c
}

// explained splits the text of an error into what happened and what to do. It leaves out the device, which is the same for
// all checks.
func explained(err error) (detail, hint string) {
	if e, ok := errors.AsType[*intune.Error](err); ok {
		plain := *e
		plain.Hint, plain.Device = "", intune.DeviceRef{}
		return plain.Error(), redact.OneLine(e.Hint, maxText)
	}
	return redact.OneLine(redact.Text(err.Error()), maxText), ""
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

func cloudCheck(endpoint string) Result {
	root, _ := url.Parse(endpoint)
	switch host := strings.ToLower(root.Hostname()); host {
	case "graph.microsoft.us", "dod-graph.microsoft.us":
		return fails(endpoint+"; Microsoft says that the TeamViewer connector is not available in GCC High and DoD, so remote assistance cannot work in this cloud",
			"help the user in another way; nothing a client does changes it")
	case "graph.microsoft.com":
		return passes(endpoint + ", the worldwide cloud")
	default:
		return unsure(endpoint+"; Microsoft does not say whether the TeamViewer connector works in this cloud",
			"try it; if no session comes, ask Microsoft's support")
	}
}

// permissionManageConfiguration is enough for the action at a device or user address by Graph's permission manifest, but not
// by the documentation of the action.
const permissionManageConfiguration = "DeviceManagementConfiguration.ReadWrite.All"

func tokenCheck(client *intune.Client, device intune.DeviceRef, info intune.TokenInfo, err error) Result {
	const permission = permissionOfTheAction
	caller, _, _ := strings.Cut(info.String(), ", with")
	kind := "a delegated"
	if info.Kind == intune.TokenKindApplication {
		kind = "an application"
	}
	switch {
	case err != nil:
		if e, ok := errors.AsType[*intune.Error](err); ok && len(e.Unwrap()) > 0 {
			err = e.Unwrap()[0]
		}
		detail, _ := explained(err)
		return fails("there is none: "+detail, "sign in again, or mend the credential, whose own words these are")
	case info.Kind == intune.TokenKindUnknown:
		return unsure("the token's claims cannot be read, so nobody can tell what it holds", "try it; a refusal says what the token lacks")
	case info.Expired():
		return fails("the token has expired", "get a new one; if the credential just gave it, look at this machine's clock")
	case ofAnotherCloud(client, info.Audience):
		return fails("the token is for "+info.Audience+", and the client calls "+client.Endpoint(),
			"set the same Cloud in the options of the credential and of the client")
	case info.Allows(permission) && info.Kind == intune.TokenKindDelegated:
		return passes(caller + ", with " + permission + "; the user also needs the Intune role right " +
			"Remote tasks / Offer remote assistance" + ", which no read shows")
	case info.Allows(permission):
		return passes(caller + ", with " + permission)
	case info.Allows(permissionManageConfiguration) && form(device) != "detectedApps":
		return warns(caller+", with "+permissionManageConfiguration+"; Microsoft's documentation of the action names only "+permission,
			"try it; if it is refused, give the app "+permission)
	}
	return fails(info.String()+"; the action needs "+permission, "give the app "+permission+" as "+kind+" permission, "+
		"with an administrator's consent, and get a new token")
}

// ofAnotherCloud reports whether a token is for Graph in another cloud than the client's. It does not judge other audiences,
// which may be the id of Graph, or of a gateway in front of it.
func ofAnotherCloud(client *intune.Client, audience string) bool {
	same := func(root string) bool { return strings.EqualFold(strings.TrimRight(audience, "/"), root) }
	known := []cloud.Configuration{intune.CloudPublic, intune.CloudUSGovernment, intune.CloudUSGovernmentDoD, intune.CloudChina, intune.CloudFrance, intune.CloudGermany}
	return !same(strings.TrimSuffix(client.TokenRequestOptions().Scopes[0], "/.default")) &&
		slices.ContainsFunc(known, func(of cloud.Configuration) bool { return same(of.Services[intune.ServiceGraph].Audience) })
}

func connectorCheck(state intune.ConnectorState, err error) Result {
	if err != nil {
		check := unread(permissionConnector, err)
		if errors.Is(err, intune.ErrForbidden) {
			check.Remedy += "; or do without: the action does not need it"
		}
		return check
	}
	switch state {
	case intune.ConnectorStateOnboarded:
		return warns("onboarded; Microsoft retires this connector and wants customers to have moved by about April 2027",
			"plan for its replacement, Intune's newer TeamViewer integration; Graph has no API for that yet")
	case intune.ConnectorStateOnboarding:
		return fails("its setup has begun, and TeamViewer has not confirmed it", "an administrator has to finish the sign-in at TeamViewer")
	case intune.ConnectorStateNotOnboarded:
		return fails("the tenant has no active TeamViewer connector", `an administrator has to connect "TeamViewer (old)" in the Intune admin center`)
	default:
		return unsure("it is in a state that this version of the library does not know", "look at it in the Intune admin center")
	}
}
