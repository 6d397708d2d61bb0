package intune

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/go-intune/intune/internal/odata"
	"github.com/go-intune/intune/internal/redact"
)

const (
	hintUnknown = "the service may have acted: read the device's session (GetRemoteAssistanceSession) before asking again, " +
		"or the user is prompted twice"

	hintDeviceID = "check that the id is the Intune device id (ManagedDevice.ID) and not the Entra device id (azureADDeviceId) or " +
		"the Entra object id, which look alike; a device that enrolled again has a new id"

	hintNoGUID = "the id is no GUID, as every Intune device id (ManagedDevice.ID) is, but perhaps a name, a serial number or a whole " +
		"line of a file; look the device up with FindDevice"

	hintAddress = "the service does not serve this address; use intune.Device(id)"

	hintUserAddress = "the service may not serve addresses below /users any more, and no permission for them is published; " +
		"use intune.Device(id)"

	hintLicense = "the tenant, or the signed-in user, lacks the Intune license that this operation needs, " +
		"or the tenant's MDM authority was never set"

	hintNoConnector = "Microsoft says that the TeamViewer connector is not available in GCC High and DoD, " +
		"so remote assistance cannot work in this cloud"

	hintClaims = "Entra asks for a stronger or fresher sign-in (a claims challenge); sign the user in again"

	hintAppClaims = "Graph asks for a newer token (a claims challenge), and the app's credential gave none that meets it; have the " +
		"credential honor TokenRequestOptions.Claims instead of giving its old token again, and look at Conditional Access for " +
		"workload identities"

	hintRedirect = "a proxy, firewall or sign-in page between here and Graph answered; requests must reach the Graph endpoint directly"

	hintApproval = "an access policy of Multi Admin Approval covers this call (Microsoft names wipe, retire and delete, not remote " +
		"assistance): a second administrator must approve it, and the library cannot ask for that; have this app excluded from the " +
		"policy, or start the session in the Intune admin center"

	hintNoBrowser = "the credential found no browser on this machine; sign in with a code that is typed on another device " +
		"(CredentialMethodDeviceCode, or azidentity's DeviceCodeCredential)"
)

// hint says what to do about an error, if the library knows. Sources: the error texts collected from users, the
// permissions and roles of the Graph and Intune documentation.
func (c *Client) hint(op *operation, authorization string, e *Error) string {
	redirected := e.StatusCode >= 300 && e.StatusCode < 400
	refused := e.Is(ErrForbidden) || e.Is(ErrUnauthenticated)
	info, readable := tokenInfoOf(authorization)
	message := strings.ToLower(e.Message)
	switch {
	case e.OutcomeUnknown && redirected:
		return hintRedirect + "; " + hintUnknown
	case e.OutcomeUnknown:
		return hintUnknown
	case op.needs.connector && c.service.noRemote && e.StatusCode >= 400 && !e.Is(ErrUnauthenticated) && !e.Is(ErrThrottled):
		return hintNoConnector
	case redirected:
		return hintRedirect
	case needsApproval(e, message):
		return hintApproval
	case e.Is(ErrNotLicensed):
		return hintLicense
	case e.Is(ErrThrottled):
		return throttledHint(op)
	case challenged(e, message) && info.Kind == TokenKindApplication:
		return hintAppClaims
	case challenged(e, message):
		return hintClaims
	case refused && e.response == nil:
		return cmp.Or(c.credentialHint(e.cause), "the credential gave no token, and these are its own words; sign in again, or mend it")
	case refused && readable && c.service.refuses(info.Audience) && !strings.Contains(e.Message, scopesSentence):
		return c.audienceHint(info.Audience)
	case refused:
		return accessHint(op, info, readable, e)
	default:
		return addressHint(e, message)
	}
}

// needsApproval recognizes the answers to a call that a second administrator has to approve: one without a justification,
// and one that waits for the approval. The documentation and users differ about their status, 400, 403 or 412.
func needsApproval(e *Error, message string) bool {
	return headerOf(e, "X-Msft-Approval-Code") != "" || strings.EqualFold(e.Code, "ApprovalRequired") ||
		strings.Contains(message, "x-msft-approval-") || strings.Contains(message, "multi admin approval")
}

// challenged recognizes a claims challenge that was not met.
func challenged(e *Error, message string) bool {
	return strings.Contains(headerOf(e, "Www-Authenticate"), "insufficient_claims") ||
		strings.Contains(message, "claims=") || strings.Contains(message, "continuous access evaluation resulted in challenge")
}

func headerOf(e *Error, name string) string {
	if e.response == nil {
		return ""
	}
	return strings.Join(e.response.RawResponse.Header[name], ",")
}

// throttledHint names the limit that a call met.
func throttledHint(op *operation) string {
	hint := "Intune allows an app " + op.needs.limit + " in 20 seconds in a tenant; slow down"
	switch op {
	case opListDevices, opDevices, opListApps, opApps, opListAuditEvents, opAuditEvents:
		hint += ", and continue a list that broke off from its last NextLink (ContinueFrom) instead of from the beginning"
	}
	return hint
}

// addressHint explains a 400 or 404 by the address of the device.
func addressHint(e *Error, message string) string {
	of, route := e.Device.form, isRouteText(e.Code, message)
	bad, none := e.Is(ErrBadRequest), e.Is(ErrNotFound)
	if route && of != formDevice {
		return hintAddress
	}
	var hints []string
	switch {
	case bad && of == formDetectedApp:
		hints = append(hints, hintAddress)
	case bad && of == formUser:
		hints = append(hints, hintUserAddress)
	}
	switch {
	case of == formNone || !bad && !none:
	case !odata.IsGUID(e.Device.id):
		hints = append(hints, hintNoGUID)
	case none && !route:
		hints = append(hints, hintDeviceID)
	}
	return strings.Join(hints, "; ")
}

func isRouteText(code, message string) bool {
	return strings.EqualFold(code, "No method match route template") ||
		strings.Contains(message, "no odata route exists") ||
		strings.Contains(message, "no method match route template") ||
		strings.Contains(message, "resource not found for the segment")
}

// credentialHint explains why a credential gave no token, if its text tells: by a code of Entra, or by what the system said
// when no browser could be started.
func (c *Client) credentialHint(err error) string {
	const options = "the credential's options (CredentialOptions.Cloud, or ClientOptions.Cloud of an azidentity credential)"
	text := err.Error()
	for _, part := range strings.Split(text, "AADSTS")[1:] {
		code := part[:len(part)-len(strings.TrimLeft(part, "0123456789"))]
		switch {
		case slices.Contains(otherCloud, code), code == noResource && isGraphRoot(c.service.audience()):
			return "the tenant, the credential and this client, which calls " + c.service.root.Host + ", are not all of one cloud; " +
				"set the tenant's Cloud in " + options + " and in the client's"
		case code == noTenant:
			return "Entra does not know the tenant where the credential signs in; check the tenant's id, and set its Cloud in " + options
		}
	}
	said := func(words string) bool { return strings.Contains(text, words) }
	if said("InteractiveBrowserCredential") && (said("executable file not found") || said("xdg-open") || said("exit status")) {
		return hintNoBrowser
	}
	return ""
}

// Entra's codes, which stand behind AADSTS.
const (
	noTenant   = "90002"
	noResource = "500011" // in the tenant; each tenant has the Graph of its own cloud
)

// otherCloud are the codes of a sign-in that crosses clouds.
var otherCloud = []string{"90038", "900382", "900383", "900432", "900439"}

// audienceHint explains the refusal of a token that is for something else than the client's Graph.
func (c *Client) audienceHint(audience string) string {
	shown := redact.OneLine(redact.Text(audience), maxCodeText)
	if u, err := url.Parse(audience); err == nil && u.Host != "" {
		shown = redact.OneLine(u.Scheme+"://"+u.Host, maxCodeText)
	}
	hint := "the token is for " + shown + ", and this client calls " + c.service.root.Scheme + "://" + c.service.root.Host
	if isGraphRoot(audience) {
		return hint + "; set the same Cloud in the options of the credential and of the client"
	}
	return hint + "; get a token with the scope " + c.service.scope
}

// scopesSentence is how a message begins to list the permissions of which one is needed. It does so only if Graph has
// accepted the token as its own, and the token lacks them all.
const scopesSentence = "one of the following scopes:"

// accessHint explains a 401 or 403 from the message and from the claims of the token that was sent.
func accessHint(op *operation, info TokenInfo, readable bool, e *Error) string {
	var hints []string
	add := func(hint string) { hints = append(hints, hint) }

	_, wanted, lacksScope := strings.Cut(e.Message, scopesSentence)
	if readable {
		add(info.String())
	}
	switch {
	case lacksScope:
		add("the app needs the permission " + alternatives(wanted) + ", with an administrator's consent")
	case strings.Contains(e.Message, "app only context"):
		add("the app needs " + op.needs.permission + " as an application permission, with an administrator's consent")
	case readable && !info.Expired() && info.Kind != TokenKindUnknown && !info.allows(op.needs.permission):
		add("the operation needs " + op.needs.permission)
	case e.Is(ErrForbidden) && (!readable || info.Kind == TokenKindUnknown):
		add("the caller may lack the permission " + op.needs.permission + ", " + lackedRight(op, e) + ", or an Intune license")
	case e.Is(ErrForbidden):
		who := "the caller"
		if info.Kind == TokenKindApplication {
			who = "the app's service principal"
		}
		add(who + " may lack " + lackedRight(op, e) + ", or an Intune license; a new token does not help")
	case info.Expired():
		add("the token has expired; get a new one")
	default:
		add("the token was refused; check that it was issued for Microsoft Graph of this cloud (audience and tenant)")
	}
	return strings.Join(hints, "; ")
}

// lackedRight names the Intune role right of an operation. Roles give rights for some devices only.
func lackedRight(op *operation, e *Error) string {
	text := "the Intune role right " + op.needs.right
	if !e.Device.IsZero() {
		text += " for this device"
	}
	return text
}

// alternatives turns "A, B." into "A or B".
func alternatives(list string) string {
	return strings.ReplaceAll(strings.TrimRight(strings.TrimSpace(list), "."), ", ", " or ")
}
