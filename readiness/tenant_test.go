package readiness_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/readiness"
)

func TestCheck_Cloud(t *testing.T) {
	t.Parallel()
	checkFindings(t, readiness.NameCloud, []finding{
		{"pass", "https://graph.microsoft.com, the worldwide cloud", withCloud(cloud.AzurePublic)},
		{"fail", "GCC High and DoD", withCloud(intune.CloudUSGovernment)},
		{"fail", "https://dod-graph.microsoft.us", withCloud(intune.CloudUSGovernmentDoD)},
		{"unknown", "https://microsoftgraph.chinacloudapi.cn; Microsoft does not say", withCloud(intune.CloudChina)},
		{"unknown", "https://graph.example.com", withEndpoint("https://graph.example.com")},
		{"pass", "https://Graph.Microsoft.com, the worldwide cloud", withEndpoint("https://Graph.Microsoft.com")},
		{"fail", "GCC High and DoD", withEndpoint("https://GRAPH.microsoft.us:443/")},
	})
}

func TestCheck_Token(t *testing.T) {
	t.Parallel()
	const app, cli = "5a9c2f31-1b7e-4d0a-8c44-6e2b9d8f3a57", "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	checkFindings(t, readiness.NameToken, []finding{
		{"pass", "the token is app-only, from app " + app + ", with " + manageDevices, withRoles(manageDevices)},
		{"pass", "Remote tasks / Offer remote assistance, which no read shows", withScopes(manageDevices+" openid", "5a9c")},
		{"pass", "app-only", withClaim("aud", "00000003-0000-0000-c000-000000000000")},
		{"warn", "names only " + manageDevices, withRoles(manageConfigAll)},
		{"fail", "give the app " + manageDevices + " as an application permission", withRoles("x", "DeviceManagementManagedDevices.Read.All")},
		{"fail", "with roles " + manageConfigAll + "; the action needs " + manageDevices, func(w *world) {
			below("a1b2c3")(w)
			withRoles(manageConfigAll)(w)
		}},
		{"fail", "the token is app-only, from app " + app + ", without permissions", withRoles()},
		{
			"fail", "from app " + cli + " (Azure CLI), with scopes openid User.Read; the action needs " + manageDevices +
				" give the app " + manageDevices + " as a delegated permission",
			withScopes("openid User.Read", cli),
		},
		{"fail", "the token has expired", withClaim("exp", time.Now().Add(-time.Minute).Unix())},
		{
			"fail", "the token is for https://graph.microsoft.us/, and the client calls https://graph.microsoft.com",
			withClaim("aud", "https://graph.microsoft.us/"),
		},
		{"fail", "there is none: the static token expired", func(w *world) {
			w.token = intune.StaticToken(graphtest.JWT(map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}))
		}},
		{"fail", "there is none: invalid argument: token of StaticToken is blank", func(w *world) { w.token = intune.StaticToken("") }},
		{"unknown", "cannot be read", func(w *world) { w.token = intune.StaticToken("opaque-token") }},
	})
}

// A gateway in front of Graph may take tokens for Graph. What another cloud's Graph takes, it does not.
func TestCheck_TokenOfAGateway(t *testing.T) {
	t.Parallel()
	gateway := withEndpoint("https://gateway.example.com")
	with := func(audience string) func(*world) {
		return func(w *world) {
			gateway(w)
			withClaim("aud", audience)(w)
		}
	}
	checkFindings(t, readiness.NameToken, []finding{
		{"pass", "app-only", with("https://graph.microsoft.com")},
		{"pass", "app-only", with("https://Graph.Microsoft.com/")},
		{"pass", "app-only", with("api://gateway")},
		{"fail", "the token is for https://microsoftgraph.chinacloudapi.cn", with("https://microsoftgraph.chinacloudapi.cn")},
		{"fail", "the token is for https://dod-graph.microsoft.us", with("https://dod-graph.microsoft.us")},
		{"fail", "the token is for https://graph.svc.sovcloud.fr", with("https://graph.svc.sovcloud.fr")},
		{"fail", "the token is for https://graph.svc.sovcloud.de", with("https://graph.svc.sovcloud.de")},
	})
}

func TestCheck_Connector(t *testing.T) {
	t.Parallel()
	checkFindings(t, readiness.NameConnector, []finding{
		{
			"warn", "Microsoft retires this connector and wants customers to have moved by about April 2027",
			withConnector(intune.ConnectorStateOnboarded),
		},
		{"fail", "has to finish the sign-in at TeamViewer", withConnector(intune.ConnectorStateOnboarding)},
		{"fail", "no active TeamViewer connector", withConnector(intune.ConnectorStateNotOnboarded)},
		{"fail", "no active TeamViewer connector", withConnector("")},
		{"unknown", "403 Forbidden", withConnector(intune.ConnectorStateUnknown)},
		{
			"unknown", "give the app " + readConnector + ", with an administrator's consent; or do without: the action does not need it",
			withRoles(manageDevices),
		},
		{"unknown", "this version of the library does not know", withConnector("retired")},
		{"unknown", "429 Too Many Requests", withFault(partnersEnd, intunetest.Fault{Status: 429, Code: "TooManyRequests"})},
		{"unknown", "503 Service Unavailable", withFault(partnersEnd, intunetest.Fault{Status: 503})},
		{"unknown", "look at the network and the proxy\n", withFault(partnersEnd, intunetest.Fault{Drop: intunetest.DropConnect})},
		{"unknown", "remote-assistance partners", withFault(partnersEnd, intunetest.Fault{Status: 200, Body: "<html>sign in</html>"})},
	})
}

// A state that the caller read before says what it would say if it were read now, and nothing is sent for it.
func TestCheck_ConnectorThatWasRead(t *testing.T) {
	t.Parallel()
	for state, want := range map[intune.ConnectorState]struct {
		status readiness.Status
		text   string
	}{
		intune.ConnectorStateOnboarded:    {"warn", "April 2027"},
		intune.ConnectorStateOnboarding:   {"fail", "has to finish the sign-in at TeamViewer"},
		intune.ConnectorStateNotOnboarded: {"fail", "no active TeamViewer connector"},
		intune.ConnectorStateUnknown: {
			"unknown", "its state is unknown give the app " + readConnector + ", with an administrator's consent; or do without",
		},
	} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			checkFindings(t, readiness.NameConnector, []finding{{want.status, want.text, func(w *world) {
				w.options = &readiness.Options{Connector: state}
				w.fault(partnersEnd, intunetest.Fault{Status: 500}) // in vain
			}}})
		})
	}
}

// What the library knows about a credential's failure stands in the remedy.
func TestCheck_HintOfACredential(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.token = &credentialOf{get: func(context.Context) (azcore.AccessToken, error) {
		return azcore.AccessToken{}, errors.New("AADSTS900382: Confidential Client is not supported in Cross Cloud request")
	}}
	_, results := w.check(t)
	if remedy := results["token"].Remedy; !strings.Contains(remedy, "CredentialOptions.Cloud") {
		t.Errorf("the remedy is %q", remedy)
	}
}
