package intune

import (
	"net/http"
	"strings"
)

const (
	hintUnknown = "the service may have acted: read the device's session (GetRemoteAssistanceSession) before asking again, " +
		"or the user is prompted twice"

	hintDeviceID = "check that the id is the Intune device id (ManagedDevice.ID) and not the Entra device id (azureADDeviceId) or " +
		"the Entra object id, which look alike; a device that enrolled again has a new id"

	hintAddress = "the service does not serve this address; use intune.Device(id)"

	hintLicense = "the tenant, or the signed-in user, lacks the Intune license that this operation needs, " +
		"or the tenant's MDM authority was never set"

	hintNoConnector = "Microsoft says that the TeamViewer connector is not available in GCC High and DoD, " +
		"so remote assistance cannot work in this cloud"

	hintClaims = "Entra asks for a stronger or fresher sign-in (a claims challenge); sign the user in again"

	hintRedirect = "a proxy, firewall or sign-in page between here and Graph answered; requests must reach the Graph endpoint directly"

	hintThrottled = "Intune allows an app about 10 writes a second in a tenant (200 in 20 seconds); slow down"
)

// hint says what to do about an error, if the library knows. Sources: the error texts collected from users, the
// permissions and roles of the Graph and Intune documentation.
func (c *Client) hint(op *operation, authorization string, e *Error) string {
	redirected := e.StatusCode >= 300 && e.StatusCode < 400
	if e.unknown {
		if redirected {
			return hintRedirect + "; " + hintUnknown
		}
		return hintUnknown
	}
	if op.needs.connector && c.service.noRemote && e.StatusCode >= 400 && !e.Is(ErrUnauthenticated) && !e.Is(ErrThrottled) {
		return hintNoConnector
	}
	lower := strings.ToLower(e.Message)
	switch {
	case redirected:
		return hintRedirect
	case e.Is(ErrNotLicensed):
		return hintLicense
	case e.Is(ErrThrottled):
		return hintThrottled
	case strings.Contains(lower, "claims=") || e.response != nil && challenged(e.response.RawResponse):
		return hintClaims
	case e.Is(ErrForbidden), e.Is(ErrUnauthenticated):
		return accessHint(op, authorization, e)
	case isRouteText(e.Code, lower):
		if e.Device.form == formDevice {
			return ""
		}
		return hintAddress
	case e.Is(ErrNotFound) && !e.Device.IsZero():
		return hintDeviceID
	case e.Is(ErrBadRequest) && e.Device.form == formDetectedApp:
		return hintAddress
	}
	return ""
}

func challenged(resp *http.Response) bool {
	return strings.Contains(strings.Join(resp.Header["Www-Authenticate"], ","), "insufficient_claims")
}

func isRouteText(code, lowerMessage string) bool {
	return strings.EqualFold(code, "No method match route template") ||
		strings.Contains(lowerMessage, "no odata route exists") ||
		strings.Contains(lowerMessage, "no method match route template") ||
		strings.Contains(lowerMessage, "resource not found for the segment")
}

// scopesSentence is how a message begins to list the permissions of which one is needed.
const scopesSentence = "one of the following scopes:"

// accessHint explains a 401 or 403 from the message and from the claims of the token that was sent.
func accessHint(op *operation, authorization string, e *Error) string {
	var hints []string
	add := func(hint string) { hints = append(hints, hint) }

	// The message quotes scopes only if the token lacks them all.
	_, wanted, lacksScope := strings.Cut(e.Message, scopesSentence)
	info, known := tokenInfoOf(authorization)
	if known {
		add(info.String())
	}
	switch {
	case lacksScope:
		add("the app needs the permission " + alternatives(wanted) + ", with an administrator's consent")
	case strings.Contains(e.Message, "app only context"):
		add("the app needs " + op.needs.permission + " as an application permission, with an administrator's consent")
	case known && !info.Expired() && info.Kind != TokenKindUnknown && !info.allows(op.needs.permission):
		add("the operation needs " + op.needs.permission)
	case e.Is(ErrForbidden) && (!known || info.Kind == TokenKindUnknown):
		add("the caller may lack the permission " + op.needs.permission + ", " + lackedRight(op, e) + ", or an Intune license")
	case e.Is(ErrForbidden):
		who := "the caller"
		if info.Kind == TokenKindApplication {
			who = "the app's service principal"
		}
		add(who + " may lack " + lackedRight(op, e) + ", or an Intune license; a new token does not help")
	case info.Expired():
		add("the token has expired; get a new one")
	case e.StatusCode == 0:
		add("the credential gave no token; its own error says why")
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
