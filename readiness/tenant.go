package readiness

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"github.com/go-intune/intune"
)

// The permissions that the checks speak of.
const (
	permissionOfTheAction = "DeviceManagementManagedDevices.ReadWrite.All"
	permissionReadDevices = "DeviceManagementManagedDevices.Read.All"
	permissionConnector   = "DeviceManagementServiceConfig.Read.All"

	// permissionManageConfiguration is enough for the action at a device or user address by Graph's permission manifest,
	// but not by the documentation of the action.
	permissionManageConfiguration = "DeviceManagementConfiguration.ReadWrite.All"
)

func cloudCheck(endpoint string) Result {
	var host string
	if root, err := url.Parse(endpoint); err == nil {
		host = strings.ToLower(root.Hostname())
	}
	switch host {
	case "graph.microsoft.us", "dod-graph.microsoft.us":
		return fails(endpoint+"; Microsoft says that the TeamViewer connector is not available in GCC High and DoD, "+
			"so remote assistance cannot work in this cloud",
			"help the user in another way; nothing a client does changes it")
	case "graph.microsoft.com":
		return passes(endpoint + ", the worldwide cloud")
	default:
		return unsure(cmp.Or(endpoint, "the client has no endpoint")+
			"; Microsoft does not say whether the TeamViewer connector works in this cloud",
			"try it; if no session comes, ask Microsoft's support")
	}
}

func tokenCheck(client Client, device intune.DeviceRef, info intune.TokenInfo, err error) Result {
	const permission = permissionOfTheAction
	caller, _, _ := strings.Cut(info.String(), ", with") // or ", without permissions"
	kind := "a delegated"
	if info.Kind == intune.TokenKindApplication {
		kind = "an application"
	}
	holds := func(permission string) bool {
		return slices.Contains(info.Scopes, permission) || slices.Contains(info.Roles, permission)
	}
	switch {
	case err != nil:
		_, hint := explained(err)
		if e, ok := errors.AsType[*intune.Error](err); ok && len(e.Unwrap()) > 0 {
			err = e.Unwrap()[0]
		}
		detail, _ := explained(err)
		return fails("there is none: "+detail, cmp.Or(hint, "sign in again, or mend the credential"))
	case info.Kind != intune.TokenKindDelegated && info.Kind != intune.TokenKindApplication:
		return unsure("the token's claims cannot be read, so nobody can tell what it holds", "try it; a refusal says what the token lacks")
	case info.Expired():
		return fails("the token has expired", "get a new one; if the credential just gave it, look at this machine's clock")
	case ofAnotherCloud(client.TokenRequestOptions().Scopes, info.Audience):
		return fails("the token is for "+info.Audience+", and the client calls "+client.Endpoint(),
			"set the same Cloud in the options of the credential and of the client")
	case holds(permission) && info.Kind == intune.TokenKindDelegated:
		return passes(caller + ", with " + permission + "; the user also needs the Intune role right " +
			"Remote tasks / Offer remote assistance, which no read shows")
	case holds(permission):
		return passes(caller + ", with " + permission)
	case holds(permissionManageConfiguration) && !isAppAddress(device):
		return warns(caller+", with "+permissionManageConfiguration+"; Microsoft's documentation of the action names only "+permission,
			"try it; if it is refused, give the app "+permission)
	}
	return fails(info.String()+"; the action needs "+permission, "give the app "+permission+" as "+kind+" permission, "+
		"with an administrator's consent, and get a new token")
}

// ofAnotherCloud reports whether a token is for Graph in another cloud than the one whose scopes the client asks for. It does
// not judge other audiences, which may be the id of Graph, or of a gateway in front of it.
func ofAnotherCloud(scopes []string, audience string) bool {
	same := func(root string) bool { return strings.EqualFold(strings.TrimRight(audience, "/"), root) }
	known := []cloud.Configuration{
		intune.CloudPublic, intune.CloudUSGovernment, intune.CloudUSGovernmentDoD, intune.CloudChina, intune.CloudFrance, intune.CloudGermany,
	}
	isOurs := func(scope string) bool { return same(strings.TrimSuffix(scope, "/.default")) }
	return !slices.ContainsFunc(scopes, isOurs) &&
		slices.ContainsFunc(known, func(of cloud.Configuration) bool { return same(of.Services[intune.ServiceGraph].Audience) })
}

// errPassedUnknown is the error of a state of the connector that the caller passed, but could not learn.
var errPassedUnknown = errors.New("it was read before, and its state is unknown")

func connectorCheck(state intune.ConnectorState, err error) Result {
	const doWithout = "; or do without: the action does not need it"
	switch {
	case errors.Is(err, errPassedUnknown):
		return unsure(err.Error(), "give the app "+permissionConnector+", with an administrator's consent"+doWithout)
	case err != nil:
		result := unread(permissionConnector, err)
		if errors.Is(err, intune.ErrForbidden) {
			result.Remedy += doWithout
		}
		return result
	}
	switch state {
	case intune.ConnectorStateOnboarded:
		return warns("onboarded; Microsoft retires this connector and wants customers to have moved by about April 2027",
			"plan for its replacement, Intune's newer TeamViewer integration; Graph has no API for that yet")
	case intune.ConnectorStateOnboarding:
		return fails("its setup has begun, and TeamViewer has not confirmed it", "an administrator has to finish the sign-in at TeamViewer")
	case intune.ConnectorStateNotOnboarded:
		return fails("the tenant has no active TeamViewer connector",
			`an administrator has to connect "TeamViewer (old)" in the Intune admin center`)
	default:
		return unsure("it is in a state that this version of the library does not know", "look at it in the Intune admin center")
	}
}
