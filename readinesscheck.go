package intune

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"github.com/go-intune/intune/internal/redact"
)

// CheckReadiness says what would keep a remote-assistance session from device. It checks the cloud, the token, the tenant's
// connector, the device itself, and whether a link is left over from an earlier session. It only reads: nobody is asked, and
// nothing changes. It gets a token first, so that a user who has to sign in does so once, and then makes two reads at the same
// time. Like all reads they are repeated within ClientOptions.Retry; give ctx a deadline if that may take too long.
//
//   - device: any of the three addresses. If the service answers 400 there, the read is made at the plain address.
//   - options: may be nil.
//
// If a check cannot be made, its status is [ReadinessStatusUnknown], and its detail says why. That includes a missing
// permission. Errors: [ErrInvalidArgument], or an [*Error] if ctx ends before all checks are made; the Readiness is then zero.
//
// Needs DeviceManagementManagedDevices.Read.All for the device and DeviceManagementServiceConfig.Read.All for the connector,
// delegated or application. It looks for the permission of the action in the claims of the token.
//
// Sources: https://learn.microsoft.com/intune/device-management/tools/teamviewer-legacy (platforms, users, end of the
// connector), and for the reads those of [Client.GetDevice] and [Client.NewListRemoteAssistancePartnersPager].
func (c *Client) CheckReadiness(ctx context.Context, device DeviceRef, options *CheckReadinessOptions) (readiness Readiness, err error) {
	if err := c.check(ctx); err != nil {
		return Readiness{}, err
	}
	ctx, endSpan := c.startSpan(ctx, opCheckReadiness)
	defer func() { endSpan(err) }()
	if err := device.check(); err != nil {
		return Readiness{}, err
	}
	var o CheckReadinessOptions
	if options != nil {
		o = *options
	}
	if err := checkDuration("MaxSyncAge", o.MaxSyncAge, "24 hours"); err != nil {
		return Readiness{}, err
	}
	found, err := c.lookAtReadiness(ctx, device)
	if err != nil {
		return Readiness{}, err
	}
	checks := []ReadinessCheck{
		c.cloudCheck().named(ReadinessCloud),
		c.tokenCheck(device, found.token, found.tokenErr).named(ReadinessToken),
		connectorCheck(found.connector, found.connectorErr).named(ReadinessConnector),
	}
	checks = append(checks, found.device.checks(device, c.now(), cmp.Or(o.MaxSyncAge, defaultMaxSyncAge))...)
	hideUser(checks, device, found.device.record.UserPrincipalName)
	return Readiness{Device: device, Checks: checks}, nil
}

// hideUser takes the user out of texts of the service. A failed read of the device does not show the user of its address, but
// a failed read of the connector might, and so might an error text on the device's record.
func hideUser(checks []ReadinessCheck, device DeviceRef, name string) {
	private := redact.Of("", device.parent.Reveal(), name)
	for i := range checks {
		checks[i].Detail = private.Hide(checks[i].Detail)
	}
}

// readinessFacts is what the checks need, each part with the error if it could not be read.
type readinessFacts struct {
	token        TokenInfo
	tokenErr     error
	connector    ConnectorState
	connectorErr error
	device       deviceFacts
}

// errNoToken is the error of the reads if there is no token. They are not tried, because each would ask the credential, and
// perhaps the user, once more.
var errNoToken = errors.New("not looked at without a token")

func (c *Client) lookAtReadiness(ctx context.Context, device DeviceRef) (found readinessFacts, err error) {
	ended := func(check string) error {
		return &Error{Op: opCheckReadiness.text, Device: device, reason: "the context ended during the check of the " + check, cause: ctx.Err()}
	}
	found.token, found.tokenErr = c.TokenInfo(ctx)
	if found.tokenErr != nil {
		if ctx.Err() != nil {
			return found, ended(ReadinessToken)
		}
		found.connectorErr, found.device.err = errNoToken, errNoToken
		return found, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the other read if the transport panics
	wait := apart(func() { found.connector, found.connectorErr = c.connectorState(ctx) })
	facts := c.readDeviceFacts(ctx, device)
	wait()
	found.device = facts
	switch {
	case ctx.Err() == nil:
	case isContextError(facts.err):
		return found, ended(ReadinessDevice)
	case isContextError(found.connectorErr):
		return found, ended(ReadinessConnector)
	}
	return found, nil
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

func passes(detail string) ReadinessCheck {
	return ReadinessCheck{Status: ReadinessStatusPass, Detail: detail}
}

func warns(detail, remedy string) ReadinessCheck {
	return ReadinessCheck{Status: ReadinessStatusWarn, Detail: detail, Remedy: remedy}
}

func fails(detail, remedy string) ReadinessCheck {
	return ReadinessCheck{Status: ReadinessStatusFail, Detail: detail, Remedy: remedy}
}

func unsure(detail, remedy string) ReadinessCheck {
	return ReadinessCheck{Status: ReadinessStatusUnknown, Detail: detail, Remedy: remedy}
}

func (c ReadinessCheck) named(name string) ReadinessCheck {
	c.Name = name
	return c
}

// explained splits the text of an error into what happened and what to do. It leaves out the device, which is the same for
// all checks.
func explained(err error) (detail, hint string) {
	if e, ok := errors.AsType[*Error](err); ok {
		plain := *e
		plain.Hint, plain.Device = "", DeviceRef{}
		return plain.Error(), redact.OneLine(e.Hint, maxMessageText)
	}
	return redact.OneLine(redact.Text(err.Error()), maxMessageText), ""
}

// unread is a check that could not be made because the read, op, failed.
func unread(op *operation, err error) ReadinessCheck {
	if errors.Is(err, errNoToken) {
		return unsure(err.Error(), "get a token first, and check again")
	}
	if e, ok := errors.AsType[*Error](err); ok && strings.Contains(e.Message, scopesSentence) {
		short := *e // both texts list all permissions of which one is needed
		short.Message, short.Hint = "", "give the app "+op.permission+", with an administrator's consent"
		err = &short
	}
	detail, hint := explained(err)
	return unsure(detail, cmp.Or(hint, "try again; if that does not help, look at the network and the proxy"))
}

func (c *Client) cloudCheck() ReadinessCheck {
	root := c.service.root
	switch {
	case c.service.noRemote:
		return fails(root.String()+"; "+hintNoConnector, "help the user in another way; nothing a client does changes it")
	case strings.EqualFold(root.Host, "graph.microsoft.com"):
		return passes(root.String() + ", the worldwide cloud")
	default:
		return unsure(root.String()+"; Microsoft does not say whether the TeamViewer connector works in this cloud",
			"try it; if no session comes, ask Microsoft's support")
	}
}

// permissionManageConfiguration is enough for the action at a device or user address by Graph's permission manifest, but not
// by the documentation of the action.
const permissionManageConfiguration = "DeviceManagementConfiguration.ReadWrite.All"

func (c *Client) tokenCheck(device DeviceRef, info TokenInfo, err error) ReadinessCheck {
	permission := opRequestRemoteAssistance.permission
	kind := "a delegated"
	if info.Kind == TokenKindApplication {
		kind = "an application"
	}
	switch {
	case err != nil:
		if e, ok := errors.AsType[*Error](err); ok && e.cause != nil {
			err = e.cause
		}
		detail, _ := explained(err)
		return fails("there is none: "+detail, "sign in again, or mend the credential, whose own words these are")
	case info.Kind == TokenKindUnknown:
		return unsure("the token's claims cannot be read, so nobody can tell what it holds", "try it; a refusal says what the token lacks")
	case info.Expired():
		return fails("the token has expired", "get a new one; if the credential just gave it, look at this machine's clock")
	case c.ofAnotherCloud(info.Audience):
		return fails("the token is for "+info.Audience+", and the client calls "+c.service.root.String(),
			"set the same Cloud in the options of the credential and of the client")
	case info.allows(permission) && info.Kind == TokenKindDelegated:
		return passes(info.caller() + ", with " + permission + "; the user also needs the Intune role right " +
			rightOfferAssistance + ", which no read shows")
	case info.allows(permission):
		return passes(info.caller() + ", with " + permission)
	case info.allows(permissionManageConfiguration) && device.form != formDetectedApp:
		return warns(info.caller()+", with "+permissionManageConfiguration+"; Microsoft's documentation of the action names only "+permission,
			"try it; if it is refused, give the app "+permission)
	}
	return fails(info.String()+"; the action needs "+permission, "give the app "+permission+" as "+kind+" permission, "+
		"with an administrator's consent, and get a new token")
}

// ofAnotherCloud reports whether a token is for Graph in another cloud than the client's. It does not judge other audiences,
// which may be the id of Graph, or of a gateway in front of it.
func (c *Client) ofAnotherCloud(audience string) bool {
	same := func(root string) bool { return strings.EqualFold(strings.TrimRight(audience, "/"), root) }
	known := []cloud.Configuration{CloudPublic, CloudUSGovernment, CloudUSGovernmentDoD, CloudChina, CloudFrance, CloudGermany}
	return !same(strings.TrimSuffix(c.service.scope, "/.default")) &&
		slices.ContainsFunc(known, func(of cloud.Configuration) bool { return same(of.Services[ServiceGraph].Audience) })
}

func connectorCheck(state ConnectorState, err error) ReadinessCheck {
	if err != nil {
		check := unread(opListPartners, err)
		if errors.Is(err, ErrForbidden) {
			check.Remedy += "; or do without: the action does not need it"
		}
		return check
	}
	switch state {
	case ConnectorStateOnboarded:
		return warns("onboarded; Microsoft retires this connector and wants customers to have moved by about April 2027",
			"plan for its replacement, Intune's newer TeamViewer integration; Graph has no API for that yet")
	case ConnectorStateOnboarding:
		return fails("its setup has begun, and TeamViewer has not confirmed it", "an administrator has to finish the sign-in at TeamViewer")
	case ConnectorStateNotOnboarded:
		return fails("the tenant has no active TeamViewer connector", `an administrator has to connect "TeamViewer (old)" in the Intune admin center`)
	default:
		return unsure("it is in a state that this version of the library does not know", "look at it in the Intune admin center")
	}
}
