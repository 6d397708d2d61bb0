package intune_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
)

// deviceGUID is an id as Intune gives it.
const deviceGUID = "d0000000-0000-4000-8000-00000000000a"

// hintOf checks that a hint has its parts, and none of others.
func hintOf(tb testing.TB, err error, parts, others []string) {
	tb.Helper()
	hint := asError(tb, err).Hint
	for _, part := range parts {
		if !strings.Contains(hint, part) {
			tb.Errorf("the hint lacks %q: %q", part, hint)
		}
	}
	for _, other := range others {
		if strings.Contains(hint, other) {
			tb.Errorf("the hint says %q: %q", other, hint)
		}
	}
	if len(parts) == 0 && hint != "" {
		tb.Errorf("hint %q, want none", hint)
	}
	if text := err.Error(); hint != "" && !strings.Contains(text, hint) {
		tb.Errorf("the text cuts the hint %q: %s", hint, text)
	}
}

// A token for something else lacks no permission: the audience is looked at first.
func TestError_HintNamesTheWrongAudience(t *testing.T) {
	t.Parallel()
	const public, graphID = "https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000"
	gateway := cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
		intune.ServiceGraph: {Endpoint: "https://gateway.example/graph", Audience: "api://gateway"},
	}}
	wrong := func(audience, called string) []string {
		return []string{"the token is for " + audience + ", and this client calls " + called + "; "}
	}
	const refusal = `{"error":{"code":"InvalidAuthenticationToken","message":"Access token validation failure. Invalid audience."}}`
	permission := []string{"permission", "the operation needs", "consent", "may lack"}
	for name, c := range map[string]struct {
		audience string
		cloud    cloud.Configuration
		says     []string
		not      []string
	}{
		"Resource Manager": {
			"https://management.azure.com/", intune.CloudPublic,
			append(wrong("https://management.azure.com", public), "the scope "+public+"/.default"), permission,
		},
		"an app":      {"api://" + testApp, intune.CloudPublic, append(wrong("api://"+testApp, public), "the scope"), permission},
		"an app's id": {testApp, intune.CloudPublic, append(wrong(testApp, public), "the scope"), permission},
		"a page": {
			"https://sp.example/sites/x?secret=1", intune.CloudPublic, wrong("https://sp.example", public), []string{"secret", "sites"},
		},
		"a text": {"see https://sp.example/secret", intune.CloudPublic, wrong("see https://sp.example/REDACTED", public), permission},
		"public token, US client": {
			public, intune.CloudUSGovernment, append(wrong(public, "https://graph.microsoft.us"), "set the same Cloud"), permission,
		},
		"US token, public client": {
			"https://graph.microsoft.us/", intune.CloudPublic,
			append(wrong("https://graph.microsoft.us", public), "set the same Cloud"), permission,
		},
		"US token, DoD client": {
			"https://graph.microsoft.us", intune.CloudUSGovernmentDoD,
			append(wrong("https://graph.microsoft.us", "https://dod-graph.microsoft.us"), "set the same Cloud"), permission,
		},
		"public token at a gateway": {public, gateway, append(wrong(public, "https://gateway.example"), "set the same Cloud"), permission},
		"Graph":                     {public, intune.CloudPublic, []string{"the operation needs"}, []string{"the token is for"}},
		"Graph with a slash":        {public + "/", intune.CloudPublic, []string{"the operation needs"}, []string{"the token is for"}},
		"Graph in other case": {
			"HTTPS://Graph.Microsoft.com", intune.CloudPublic, []string{"the operation needs"}, []string{"the token is for"},
		},
		"Graph's id":                {graphID, intune.CloudPublic, []string{"the operation needs"}, []string{"the token is for"}},
		"Graph's id elsewhere":      {graphID, intune.CloudChina, []string{"the operation needs"}, []string{"the token is for"}},
		"no audience":               {"", intune.CloudPublic, []string{"the operation needs"}, []string{"the token is for"}},
		"the gateway":               {"api://gateway", gateway, []string{"the operation needs"}, []string{"the token is for"}},
		"the id of a gateway's app": {testApp, gateway, []string{"the operation needs"}, []string{"the token is for"}},
		"Graph of China, its client": {
			"https://microsoftgraph.chinacloudapi.cn", intune.CloudChina, []string{"the operation needs"}, []string{"the token is for"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token := graphtest.JWT(map[string]any{"aud": c.audience, "scp": "User.Read", "upn": testUser, "exp": time.Now().Add(time.Hour).Unix()})
			for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
				client, err := intune.NewClient(intune.StaticToken(token), &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
					Cloud: c.cloud, Transport: always(status, refusal),
				}})
				if err != nil {
					t.Fatal(err)
				}
				_, err = client.GetDevice(t.Context(), intune.Device(deviceGUID), nil)
				hintOf(t, err, c.says, append(c.not, testUser, "anna"))
			}
		})
	}
	// Whoever lists what the token lacks has accepted it as its own.
	body := `{"error":{"code":"Forbidden","message":"Application must have one of the following scopes: A.Read.All"}}`
	token := graphtest.JWT(map[string]any{"aud": testApp, "scp": "User.Read"})
	err := act(t, clientOf(t, intune.StaticToken(token), always(http.StatusForbidden, body)))
	hintOf(t, err, []string{"the app needs the permission A.Read.All"}, []string{"the token is for"})
}

// The address and the id are what a 400 or 404 is about.
func TestError_HintOfAnAddress(t *testing.T) {
	t.Parallel()
	const server = `{"error":{"code":"InternalError","message":"An error has occurred"}}`
	const route = `{"error":{"code":"x","message":"No OData route exists that match template"}}`
	const isID, noGUID, plain = "azureADDeviceId", "no GUID", "use intune.Device(id)"
	for name, c := range map[string]struct {
		device intune.DeviceRef
		status int
		body   string
		says   []string
		not    []string
	}{
		"a header of a file": {
			intune.Device("Name;id"), 400, server, []string{noGUID, "line of a file", "FindDevice"}, []string{"Name", plain, isID},
		},
		"a line of a file":        {intune.Device("PC-017;" + deviceGUID), 400, server, []string{noGUID}, []string{"PC-017", isID}},
		"a name":                  {intune.Device("PC-017"), 404, "", []string{noGUID}, []string{"PC-017", isID}},
		"a GUID in braces":        {intune.Device("{" + deviceGUID + "}"), 400, "", []string{noGUID}, nil},
		"a GUID without hyphens":  {intune.Device(strings.ReplaceAll(deviceGUID, "-", "")), 400, "", []string{noGUID}, nil},
		"a name, not routed":      {intune.Device("PC-017"), 400, route, []string{noGUID}, []string{plain}},
		"a name, a conflict":      {intune.Device("PC-017"), 409, "", nil, nil},
		"a GUID that is unknown":  {intune.Device(deviceGUID), 404, "", []string{isID}, []string{noGUID}},
		"a GUID in capitals":      {intune.Device(strings.ToUpper(deviceGUID)), 404, "", []string{isID}, []string{noGUID}},
		"a GUID, refused":         {intune.Device(deviceGUID), 400, server, nil, nil},
		"a GUID, not routed":      {intune.Device(deviceGUID), 400, route, nil, nil},
		"a GUID, not routed, 404": {intune.Device(deviceGUID), 404, route, nil, nil},
		"a user's device": {
			intune.UserDevice("secret@contoso.com", deviceGUID), 400, server,
			[]string{plain, "no permission", "/users"},
			[]string{noGUID, "secret"},
		},
		"a user's device, not there": {intune.UserDevice("secret@contoso.com", deviceGUID), 404, "", []string{isID}, []string{plain, noGUID}},
		"a user's device, by name": {
			intune.UserDevice("secret@contoso.com", "PC-017"), 400, server, []string{plain, noGUID}, []string{"secret", "PC-017"},
		},
		"a user's device, not routed": {intune.UserDevice("secret@contoso.com", deviceGUID), 400, route, []string{plain}, []string{"published"}},
		"an app's device":             {intune.DetectedAppDevice("app", deviceGUID), 400, server, []string{plain}, []string{noGUID, "/users"}},
		"an app's device, by name":    {intune.DetectedAppDevice("app", "PC-017"), 400, server, []string{plain, noGUID}, []string{"/users"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, always(c.status, c.body), noRetries).RequestRemoteAssistance(t.Context(), c.device, nil)
			hintOf(t, err, c.says, c.not)
		})
	}
}

// Reads and writes have limits of their own, and a list can go on where it broke off.
func TestError_HintOfThrottlingNamesTheLimit(t *testing.T) {
	t.Parallel()
	const goOn = "ContinueFrom"
	writes, reads, others := "200 writes in 20 seconds", "2,000 requests in 20 seconds", "1,000 requests in 20 seconds"
	for method, c := range map[string]struct{ says, not []string }{
		"RequestRemoteAssistance":              {[]string{writes}, []string{reads, goOn}},
		"GetDevice":                            {[]string{reads}, []string{"writes", goOn}},
		"FindDevice":                           {[]string{reads}, []string{"writes", goOn}},
		"GetRemoteAssistanceSession":           {[]string{reads}, []string{"writes", goOn}},
		"NewListDevicesPager":                  {[]string{reads, goOn}, []string{"writes"}},
		"Devices":                              {[]string{reads, goOn}, []string{"writes"}},
		"NewListDetectedAppsPager":             {[]string{reads, goOn}, []string{"writes"}},
		"DetectedApps":                         {[]string{reads, goOn}, []string{"writes"}},
		"NewListAuditEventsPager":              {[]string{others, goOn}, []string{"writes"}},
		"AuditEvents":                          {[]string{others, goOn}, []string{"writes"}},
		"NewListRemoteAssistancePartnersPager": {[]string{others}, []string{"writes", goOn}},
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			err := spanned[method](t.Context(), newClient(t, always(http.StatusTooManyRequests, ""), noRetries))
			if !errors.Is(err, intune.ErrThrottled) {
				t.Errorf("got %v", err)
			}
			hintOf(t, err, append(c.says, "slow down"), c.not)
		})
	}
}

// An app has no user who could sign in again.
func TestError_HintOfAClaimsChallengeKnowsWhoIsAsked(t *testing.T) {
	t.Parallel()
	const signIn, workload = "sign the user in again", "Conditional Access for workload identities"
	const evaluation = `{"error":{"code":"InvalidAuthenticationToken","message":"Continuous access evaluation resulted in challenge ` +
		`with result: InteractionRequired and code: TokenCreatedWithOutdatedPolicies"}}`
	app := graphtest.JWT(map[string]any{
		"roles": []string{manageRight}, "idtyp": "app", "appid": testApp, "aud": "https://graph.microsoft.com",
	})
	user := graphtest.JWT(map[string]any{"scp": manageRight, "appid": testApp, "upn": testUser})
	for name, c := range map[string]struct {
		token     string
		body      string
		header    []string
		says, not string
	}{
		"app":              {app, "", writeClaims(challengeForms["canonical"]), workload, signIn},
		"app, in the text": {app, evaluation, nil, workload, signIn},
		"user":             {user, "", writeClaims(challengeForms["canonical"]), signIn, workload},
		"user, by text":    {user, evaluation, nil, signIn, workload},
		"opaque":           {"opaque-token", "", writeClaims(challengeForms["canonical"]), signIn, workload},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			stale := credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
				asked++
				return azcore.AccessToken{Token: c.token, ExpiresOn: time.Now().Add(time.Hour)}, nil
			})
			err := act(t, clientOf(t, stale, transportFunc(func(req *http.Request) (*http.Response, error) {
				return answer(req, http.StatusUnauthorized, http.Header{"Www-Authenticate": c.header}, c.body), nil
			})))
			hintOf(t, err, []string{"claims challenge", c.says}, []string{c.not, "anna"})
			if want := 1 + len(c.header); asked != want {
				t.Errorf("the credential was asked %d times, want %d", asked, want)
			}
		})
	}
}

// Whoever meets Multi Admin Approval reads what it is, whatever the status.
func TestError_HintOfMultiAdminApproval(t *testing.T) {
	t.Parallel()
	const code = "aabb1234-5678-4012-abcd-ef0123456789"
	waits := `{"error":{"code":"BadRequest","message":"Approval Required. Request Approval using the request ID returned ` +
		`as part of the x-msft-approval-code response header."}}`
	for name, c := range map[string]struct {
		status int
		body   string
		header []string
		says   bool
	}{
		"no justification": {
			400,
			`{"error":{"code":"BadRequest","message":"Header 'x-msft-approval-justification' is required to request approval"}}`, nil, true,
		},
		"no justification, nested": {400, nested("Header 'x-msft-approval-justification' is required to request approval", 1), nil, true},
		"no justification, as documented": {
			403, `{"error":{"code":"Forbidden","message":"The operation requires Multi Admin Approval."}}`, nil, true,
		},
		"waits":                   {412, waits, []string{"x-msft-approval-code", code}, true},
		"waits, without a text":   {412, "", []string{"x-msft-approval-code", code}, true},
		"waits, without a header": {412, waits, nil, true},
		"waits, as documented": {
			403, `{"error":{"code":"ApprovalRequired","message":"Approval Required."}}`, []string{"x-msft-approval-code", code}, true,
		},
		"waits, by its code": {403, `{"error":{"code":"ApprovalRequired","message":"Approval Required."}}`, nil, true},
		"another condition":  {412, `{"error":{"code":"ConditionNotMet","message":"x"}}`, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, transportFunc(says(c.status, c.body, c.header...)), noRetries)
			_, err := client.RequestRemoteAssistance(t.Context(), intune.Device(deviceGUID), nil)
			if !c.says {
				hintOf(t, err, nil, nil)
				return
			}
			hintOf(t, err, []string{
				"Multi Admin Approval", "second administrator", "wipe, retire and delete", "excluded from the policy",
			}, []string{code, "permission"})
		})
	}
}

// The text of a credential tells what to do, to the call that needed a token and to TokenInfo.
func TestError_HintOfACredential(t *testing.T) {
	t.Parallel()
	const own, generic = "CredentialOptions.Cloud", "the credential gave no token"
	crossing := []string{own, "ClientOptions.Cloud of an azidentity credential", "graph.microsoft.us"}
	entra := func(code, sentence string) string {
		return `ClientSecretCredential authentication failed. { "error": "invalid_request", "error_description": "AADSTS` + code + ": " +
			sentence + ` Trace ID: 00000000-1111-4222-8333-444444444444 Timestamp: 2026-05-04 10:00:00Z", "error_codes": [ ` + code + ` ] }`
	}
	gateway := graphAt("https://gateway.example")
	gateway.Services[intune.ServiceGraph] = cloud.ServiceConfiguration{Endpoint: "https://gateway.example", Audience: "api://gateway"}
	for name, c := range map[string]struct {
		text  string
		cloud cloud.Configuration
		says  []string // nil: nothing but the generic hint
	}{
		"crosses clouds": {entra("900382", "Confidential Client is not supported in Cross Cloud request."), intune.CloudUSGovernment, crossing},
		"crosses clouds, newer": {
			entra("900432", "Confidential Client is not supported in Cross Cloud request."), intune.CloudUSGovernment, crossing,
		},
		"national portal": {entra("900383", "Please login to your National Cloud dedicated portal"), intune.CloudUSGovernment, crossing},
		"public endpoint": {entra("900439", "USGClientNotSupportedOnPublicEndpoint"), intune.CloudUSGovernment, crossing},
		"tenant of another cloud": {
			entra("90038", "The specified tenant 'contoso' belongs to the National Cloud 'X'."), intune.CloudUSGovernment, crossing,
		},
		"no such Graph": {
			entra("500011", "The resource principal named https://graph.microsoft.us was not found in the tenant."),
			intune.CloudUSGovernment, crossing,
		},
		"no such gateway": {entra("500011", "The resource principal named api://gateway was not found in the tenant."), gateway, nil},
		"no such tenant": {
			entra("90002", "Tenant 'contoso' not found."), intune.CloudPublic, []string{own, "does not know the tenant", "tenant's id"},
		},
		"the second of a chain": {
			"a: AADSTS7000215: Invalid client secret.\n\tb: AADSTS90002: Tenant 'contoso' not found.", intune.CloudPublic,
			[]string{"does not know the tenant"},
		},
		"a longer code": {
			entra("900023", "Specified tenant identifier 'contoso' is neither a valid DNS name, nor a valid external domain."),
			intune.CloudPublic, nil,
		},
		"another code": {entra("7000215", "Invalid client secret provided."), intune.CloudPublic, nil},
		"no code":      {"AADSTS", intune.CloudPublic, nil},
		"no browser on Linux": {
			`InteractiveBrowserCredential: exec: "xdg-open,x-www-browser,www-browser": executable file not found in $PATH`,
			intune.CloudPublic,
			[]string{"CredentialMethodDeviceCode"},
		},
		"no browser on BSD": {
			"InteractiveBrowserCredential: xdg-open: command not found - install xdg-utils from ports(8)", intune.CloudPublic,
			[]string{"DeviceCodeCredential"},
		},
		"no browser for the opener": {
			"InteractiveBrowserCredential: exit status 3", intune.CloudPublic, []string{"CredentialMethodDeviceCode", "browser"},
		},
		"a browser, other trouble": {"InteractiveBrowserCredential: access_denied", intune.CloudPublic, nil},
		"no Azure CLI":             {"AzureCLICredential: exec: executable file not found in $PATH", intune.CloudPublic, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused := credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
				return azcore.AccessToken{}, errors.New(c.text)
			})
			client, err := intune.NewClient(refused, &intune.ClientOptions{
				ClientOptions: azcore.ClientOptions{Cloud: c.cloud, Transport: transportFunc(noConnection)},
			})
			if err != nil {
				t.Fatal(err)
			}
			_, errInfo := client.TokenInfo(t.Context())
			hintOf(t, errInfo, c.says, []string{"contoso"})
			if c.says == nil {
				hintOf(t, act(t, client), []string{generic}, []string{own, "browser"})
				return
			}
			hintOf(t, act(t, client), c.says, []string{"contoso", generic})
		})
	}
}

// What azidentity makes of Entra's refusal is recognized.
func TestError_HintOfACredentialOfAnotherCloud(t *testing.T) {
	t.Parallel()
	entra := transportFunc(func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodGet {
			const base = "https://login.microsoftonline.com/" + testTenant
			return answer(req, http.StatusOK, nil, jsonText(map[string]string{
				"token_endpoint": base + "/oauth2/v2.0/token", "authorization_endpoint": base + "/oauth2/v2.0/authorize", "issuer": base + "/v2.0",
			})), nil
		}
		return answer(req, http.StatusBadRequest, nil, `{"error":"invalid_request",`+
			`"error_description":"AADSTS900382: Confidential Client is not supported in Cross Cloud request."}`), nil
	})
	credential, err := azidentity.NewClientSecretCredential(testTenant, testApp, testSecret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: azcore.ClientOptions{Transport: entra, Retry: policy.RetryOptions{MaxRetries: -1}}, DisableInstanceDiscovery: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	client, err := intune.NewClient(credential, &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
		Cloud: intune.CloudUSGovernment, Transport: transportFunc(noConnection),
	}})
	if err != nil {
		t.Fatal(err)
	}
	hintOf(t, act(t, client), []string{"Cloud", "graph.microsoft.us"}, []string{testSecret})
}

// What azidentity says on a machine without a browser is recognized.
func TestError_HintOfAMachineWithoutABrowser(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows starts a browser without looking at PATH")
	}
	t.Setenv("PATH", t.TempDir())
	entra := newEntra(t)
	credential, err := intune.NewCredential(&intune.CredentialOptions{
		ClientOptions: entra.options(), Method: intune.CredentialMethodBrowser, TenantID: testTenant, ClientID: testApp,
		DisableInstanceDiscovery: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	client := newGraph(t, entra).client(t, credential)
	hintOf(t, act(t, client), []string{"no browser", "CredentialMethodDeviceCode"}, []string{testTenant})
}

// Each hint, where it is given and where not.
func TestError_Hints(t *testing.T) {
	t.Parallel()
	const route, plain = "No OData route exists that match template", "use intune.Device(id)"
	device, user, app := intune.Device(deviceGUID), intune.UserDevice("u-1", deviceGUID), intune.DetectedAppDevice("a", deviceGUID)
	body := func(message string) string { return `{"error":{"code":"x","message":` + quote(message) + `}}` }
	in := func(c cloud.Configuration) func(*intune.ClientOptions) {
		return func(o *intune.ClientOptions) { o.Cloud = c }
	}
	challenge := []string{"WWW-Authenticate", `Bearer error="insufficient_claims"`}
	for name, c := range map[string]struct {
		device intune.DeviceRef
		status int
		body   string
		header []string
		change func(*intune.ClientOptions)
		says   string
	}{
		"not found":                 {device, 404, "", nil, nil, "check that the id is the Intune device id"},
		"not licensed":              {device, 403, body("no license"), nil, nil, "lacks the Intune license"},
		"throttled":                 {device, 429, "", nil, nil, "slow down"},
		"redirect":                  {device, 307, "", nil, nil, "must reach the Graph endpoint directly"},
		"claims in a header":        {device, 401, "", challenge, nil, "sign the user in again"},
		"claims in a text":          {device, 403, body("?claims=abc"), nil, nil, "sign the user in again"},
		"route, plain address":      {device, 400, body(route), nil, nil, ""},
		"route, user address":       {user, 400, body(route), nil, nil, plain},
		"route as a code":           {user, 400, `{"error":{"code":"No method match route template","message":""}}`, nil, nil, plain},
		"route in a text":           {user, 400, body("No method match route template"), nil, nil, plain},
		"segment":                   {user, 400, body("Resource not found for the segment 'y'"), nil, nil, plain},
		"bad request, app address":  {app, 400, "", nil, nil, plain},
		"bad request, user address": {user, 400, "", nil, nil, plain},
		"scopes": {
			device, 403, body("must have one of the following scopes: A.Read.All, B.Read.All"), nil, nil,
			"the app needs the permission A.Read.All or B.Read.All",
		},
		"app only":        {device, 403, body("not supported in an app only context"), nil, nil, "as an application permission"},
		"role":            {device, 403, "", nil, nil, "Remote tasks / Offer remote assistance"},
		"token refused":   {device, 401, "", nil, nil, "issued for Microsoft Graph of this cloud"},
		"cloud without":   {device, 400, "", nil, in(intune.CloudUSGovernment), "not available in GCC High and DoD"},
		"cloud, token":    {device, 401, "", nil, in(intune.CloudUSGovernmentDoD), "issued for Microsoft Graph of this cloud"},
		"cloud, throttle": {device, 429, "", nil, in(intune.CloudUSGovernmentDoD), "slow down"},
		"unknown":         {device, 500, "", nil, nil, "before asking again"},
		"unknown, proxy":  {device, 302, "", nil, nil, "must reach the Graph endpoint directly; the service may have acted"},
		"nothing to say":  {device, 409, "", nil, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			transport := transportFunc(func(req *http.Request) (*http.Response, error) {
				resp := answer(req, c.status, nil, c.body)
				for i := 0; i+1 < len(c.header); i += 2 {
					resp.Header.Set(c.header[i], c.header[i+1])
				}
				return resp, nil
			})
			change := c.change
			if change == nil {
				change = func(*intune.ClientOptions) {}
			}
			_, err := newClient(t, transport, noRetries, change).RequestRemoteAssistance(t.Context(), c.device, nil)
			hint := asError(t, err).Hint
			if !strings.Contains(hint, c.says) {
				t.Errorf("hint %q, want %q", hint, c.says)
			}
			if c.says == "" && hint != "" {
				t.Errorf("hint %q, want none", hint)
			}
		})
	}
}

// A hint says nothing that is not so: the whole text, for the method that was called.
func TestError_HintsOfOperations(t *testing.T) {
	t.Parallel()
	const (
		read, manage = "DeviceManagementManagedDevices.Read.All", "DeviceManagementManagedDevices.ReadWrite.All"
		readConn     = "DeviceManagementServiceConfig.Read.All"
	)
	for method, c := range map[string]struct{ permission, right, text string }{
		"GetRemoteAssistanceSession":           {read, "Managed devices / Read", "read the remote-assistance session on device 1"},
		"RequestRemoteAssistance":              {manage, "Remote tasks / Offer remote assistance", "request remote assistance on device 1"},
		"NewListRemoteAssistancePartnersPager": {readConn, "Remote assistance connectors / Read", "list remote-assistance partners"},
		"NewListAuditEventsPager":              {"DeviceManagementApps.Read.All", "Audit data / Read", "list audit events"},
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			exp := time.Now().Add(time.Hour).Unix()
			right := "the Intune role right " + c.right
			if strings.HasSuffix(c.text, "on device 1") {
				right += " for this device"
			}
			right += ", or an Intune license"
			const inVain = "; a new token does not help"
			for _, token := range []struct {
				token, hint string
			}{
				{"opaque-token", "the caller may lack the permission " + c.permission + ", " + right},
				{
					graphtest.JWT(map[string]any{"scp": "User.Read", "exp": exp}),
					"the token is delegated, with scopes User.Read; the operation needs " + c.permission,
				},
				{
					graphtest.JWT(map[string]any{"scp": c.permission, "exp": exp}),
					"the token is delegated, with scopes " + c.permission + "; the caller may lack " + right + inVain,
				},
				{
					graphtest.JWT(map[string]any{"roles": []string{c.permission}, "exp": exp}),
					"the token is app-only, with roles " + c.permission + "; the app's service principal may lack " + right + inVain,
				},
				{
					graphtest.JWT(map[string]any{"exp": exp}),
					"the token's claims cannot be read; the caller may lack the permission " + c.permission + ", " + right,
				},
			} {
				err := spanned[method](t.Context(), clientOf(t, intune.StaticToken(token.token), transportFunc(says(403, ""))))
				if e := asError(t, err); e.Hint != token.hint {
					t.Errorf("hint %q, want %q", e.Hint, token.hint)
				} else if want := c.text + ": 403 Forbidden; hint: " + e.Hint + "; client request id ID"; withoutIDs(e.Error()) != want {
					t.Errorf("text %q, want %q", withoutIDs(e.Error()), want)
				}
			}
		})
	}
}

// Where a hint would mislead there is none, or another.
func TestError_HintsThatWouldMislead(t *testing.T) {
	t.Parallel()
	const session = "GetRemoteAssistanceSession"
	government := func(o *intune.ClientOptions) { o.Cloud = intune.CloudUSGovernment }
	expired := graphtest.JWT(map[string]any{"scp": "User.Read", "exp": time.Now().Add(-time.Hour).Unix()})
	for name, c := range map[string]struct {
		method string
		answer func(*http.Request) (*http.Response, error)
		token  string
		change func(*intune.ClientOptions)
		hint   string
	}{
		"no device":                {"NewListRemoteAssistancePartnersPager", says(404, ""), "opaque", nil, ""},
		"the service's own fault":  {"RequestRemoteAssistance", says(500, ""), "opaque", nil, hintUnknown},
		"no session, no connector": {"GetDevice", says(409, ""), "opaque", government, ""},
		"no answer":                {session, noConnection, "opaque", government, ""},
		"a session": {
			session, says(409, ""), "opaque", government,
			"Microsoft says that the TeamViewer connector is not available in GCC High and DoD, so remote assistance cannot work in this cloud",
		},
		"expired": {
			"GetDevice", says(401, ""), expired, nil, "the token is delegated, with scopes User.Read; the token has expired; get a new one",
		},
		"refused": {
			"GetDevice", says(401, ""), "opaque", nil,
			"the token was refused; check that it was issued for Microsoft Graph of this cloud (audience and tenant)",
		},
		"no token": {"GetDevice", says(401, ""), "", nil, "the credential gave no token, and these are its own words; sign in again, or mend it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The credential believes that its token is good for long.
			credential := credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
				return azcore.AccessToken{Token: c.token, ExpiresOn: time.Now().Add(time.Hour)}, nil
			})
			options := &intune.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: transportFunc(c.answer)}}
			noRetries(options)
			if c.change != nil {
				c.change(options)
			}
			client, err := intune.NewClient(credential, options)
			if err != nil {
				t.Fatal(err)
			}
			if e := asError(t, spanned[c.method](t.Context(), client)); e.Hint != c.hint {
				t.Errorf("hint %q, want %q", e.Hint, c.hint)
			}
		})
	}
	_, err := newClient(t, transportFunc(says(409, "")), noRetries).GetDevice(t.Context(), intune.DetectedAppDevice("a", "1"), nil)
	if e := asError(t, err); e.Hint != "" {
		t.Errorf("a conflict at an app's address: hint %q", e.Hint)
	}
}

func TestError_HintsFromTheTokenThatWasRefused(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/errors/005-list-manageddevices-forbidden-two-scopes-expand.json")
	if err != nil {
		t.Fatal(err)
	}
	var missingScope struct{ Body string }
	if err := json.Unmarshal(raw, &missingScope); err != nil {
		t.Fatal(err)
	}
	const plain = `{"error":{"code":"Forbidden","message":"Insufficient privileges to complete the operation."}}`
	const rightName, needs = "Remote tasks / Offer remote assistance", "needs " + manageRight
	namesScopes := []string{"Azure CLI", "the app needs the permission DeviceManagement", "administrator's consent"}
	exp := time.Now().Add(time.Hour).Unix()
	cli := graphtest.JWT(map[string]any{"appid": azureCLI, "scp": "openid User.Read", "exp": exp, "upn": testUser})
	user := graphtest.JWT(map[string]any{"appid": testApp, "scp": manageRight, "exp": exp, "upn": testUser})
	app := graphtest.JWT(map[string]any{"appid": testApp, "roles": []string{manageRight}, "idtyp": "app", "exp": exp})
	powerless := graphtest.JWT(map[string]any{"appid": testApp, "exp": exp})
	reader := graphtest.JWT(map[string]any{"scp": strings.Replace(manageRight, "ReadWrite", "Read", 1), "exp": exp})
	for name, c := range map[string]struct {
		token  string
		status int
		body   string
		want   []string
		not    []string
	}{
		"delegated without the scope":   {cli, 403, plain, []string{"delegated", "Azure CLI", "openid User.Read", needs}, []string{rightName}},
		"delegated, 401 with Forbidden": {user, 401, plain, []string{"delegated", rightName, "new token does not help"}, []string{needs}},
		"app-only with the role":        {app, 403, plain, []string{"app-only", "service principal", rightName}, []string{needs}},
		"app-only without roles":        {powerless, 403, plain, []string{"app-only", "without permissions", needs}, []string{rightName}},
		"reading is not enough":         {reader, 403, plain, []string{needs}, nil},
		"the service names the scopes":  {cli, 403, missingScope.Body, namesScopes, []string{rightName}},
		"opaque":                        {"EwBgA8l6BAAU", 403, plain, []string{rightName}, []string{"needs", "the token is"}},
		"refused as such":               {user, 401, "", []string{"was refused", "audience"}, []string{rightName}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			client := clientOf(t, intune.StaticToken(c.token), transportFunc(func(req *http.Request) (*http.Response, error) {
				calls++
				return answer(req, c.status, nil, c.body), nil
			}))
			e := asError(t, act(t, client))
			for _, want := range c.want {
				if !strings.Contains(e.Hint, want) || !strings.Contains(e.Error(), want) {
					t.Errorf("the hint lacks %q: %s", want, e.Hint)
				}
			}
			for _, not := range c.not {
				if strings.Contains(e.Hint, not) {
					t.Errorf("the hint says %q: %s", not, e.Hint)
				}
			}
			if strings.Contains(e.Hint, "anna") || calls != 1 {
				t.Errorf("%d calls, hint %s", calls, e.Hint)
			}
			noToken(t, "the error", fmt.Sprintf("%v %+v", e, e), c.token)
		})
	}
}

// A refusal is explained by the permissions that the token has: lacking the right one is another matter than lacking
// the role in Intune.
func TestError_HintKnowsWhatTheTokenAllows(t *testing.T) {
	t.Parallel()
	const readRight = "DeviceManagementManagedDevices.Read.All"
	read := func(ctx context.Context, client *intune.Client) error {
		_, err := client.GetDevice(ctx, intune.Device("1"), nil)
		return err
	}
	ask := func(ctx context.Context, client *intune.Client) error {
		_, err := client.RequestRemoteAssistance(ctx, intune.Device("1"), nil)
		return err
	}
	for name, c := range map[string]struct {
		call   func(context.Context, *intune.Client) error
		claims map[string]any
		lacks  string
	}{
		"read with the scope":            {read, map[string]any{"scp": readRight}, ""},
		"read with the role":             {read, map[string]any{"roles": []string{readRight}}, ""},
		"read with the wider scope":      {read, map[string]any{"scp": manageRight}, ""},
		"read with another scope":        {read, map[string]any{"scp": "User.Read"}, readRight},
		"the action with the scope":      {ask, map[string]any{"scp": "User.Read " + manageRight}, ""},
		"the action with the role":       {ask, map[string]any{"roles": []string{manageRight}}, ""},
		"the action with the lesser one": {ask, map[string]any{"scp": readRight}, manageRight},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := clientOf(t, intune.StaticToken(graphtest.JWT(c.claims)), always(http.StatusForbidden, ""))
			hint := asError(t, c.call(t.Context(), client)).Hint
			if got := strings.Contains(hint, "the operation needs"); got != (c.lacks != "") || !strings.HasSuffix(hint, c.lacks) {
				t.Errorf("hint %q, want it to say that %q is lacking", hint, c.lacks)
			}
		})
	}
}

// Claims are read from bearer tokens only: what else a policy of the caller's puts there is not ours to read.
func TestError_HintReadsBearerTokensOnly(t *testing.T) {
	t.Parallel()
	client := newClient(t, always(http.StatusForbidden, ""), func(o *intune.ClientOptions) {
		o.PerRetryPolicies = append(o.PerRetryPolicies, rewrite(func(req *http.Request) {
			req.Header.Set("Authorization", graphtest.JWT(map[string]any{"scp": "User.Read"}))
		}))
	})
	if hint := asError(t, act(t, client)).Hint; hint == "" || strings.Contains(hint, "User.Read") {
		t.Errorf("hint %q", hint)
	}
}

// Microsoft rules the connector out in two clouds, so no other hint helps there.
func TestError_CloudsWithoutTheConnectorSaySo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cloud cloud.Configuration
		says  bool
	}{
		"US Government": {intune.CloudUSGovernment, true},
		"DoD":           {intune.CloudUSGovernmentDoD, true},
		"capitals":      {graphAt("https://DOD-Graph.Microsoft.US"), true},
		"public":        {intune.CloudPublic, false},
		"China":         {intune.CloudChina, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, always(http.StatusNotFound, ""), func(o *intune.ClientOptions) { o.Cloud = c.cloud })
			_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			if got := strings.Contains(asError(t, err).Hint, "connector is not available"); got != c.says {
				t.Errorf("hint %q", asError(t, err).Hint)
			}
		})
	}
}
