package intune_test

import (
	"net/http"
	"reflect"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
)

// C§1.3: where a credential signs in, where the client sends, and what for it asks for a token.
func TestNewClient_Clouds(t *testing.T) {
	t.Parallel()
	custom := func(endpoint, audience string) cloud.Configuration {
		return cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			intune.ServiceGraph: {Endpoint: endpoint, Audience: audience},
		}}
	}
	for name, c := range map[string]struct {
		cloud                  cloud.Configuration
		authority, root, scope string
	}{
		"none":              {cloud.Configuration{}, "", "https://graph.microsoft.com", ""},
		"public":            {intune.CloudPublic, "https://login.microsoftonline.com/", "https://graph.microsoft.com", ""},
		"US Government":     {intune.CloudUSGovernment, "https://login.microsoftonline.us/", "https://graph.microsoft.us", ""},
		"DoD":               {intune.CloudUSGovernmentDoD, "https://login.microsoftonline.us/", "https://dod-graph.microsoft.us", ""},
		"China":             {intune.CloudChina, "https://login.chinacloudapi.cn/", "https://microsoftgraph.chinacloudapi.cn", ""},
		"France":            {intune.CloudFrance, "https://login.sovcloud-identity.fr/", "https://graph.svc.sovcloud.fr", ""},
		"Germany":           {intune.CloudGermany, "https://login.sovcloud-identity.de/", "https://graph.svc.sovcloud.de", ""},
		"azcore public":     {cloud.AzurePublic, "https://login.microsoftonline.com/", "https://graph.microsoft.com", ""},
		"azcore government": {cloud.AzureGovernment, "https://login.microsoftonline.us/", "https://graph.microsoft.us", ""},
		"azcore China":      {cloud.AzureChina, "https://login.chinacloudapi.cn/", "https://microsoftgraph.chinacloudapi.cn", ""},
		"custom":            {custom("https://graph.example/", "https://graph.example/"), "", "https://graph.example", ""},
		"custom audience":   {custom("https://graph.example", "api://graph"), "", "https://graph.example", "api://graph/.default"},
		"no audience": {
			custom("https://graph.example:8443/prefix", ""), "", "https://graph.example:8443/prefix", "https://graph.example:8443/.default",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.cloud.ActiveDirectoryAuthorityHost != c.authority {
				t.Errorf("a credential signs in at %s, want %s", c.cloud.ActiveDirectoryAuthorityHost, c.authority)
			}
			var desk tokenDesk
			var url string
			client, err := intune.NewClient(&desk, &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
				Cloud: c.cloud,
				Transport: transportFunc(func(req *http.Request) (*http.Response, error) {
					url = req.URL.String()
					return answer(req, http.StatusNoContent, nil, ""), nil
				}),
			}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
				t.Fatal(err)
			}
			scope := c.scope
			if scope == "" {
				scope = c.root + "/.default"
			}
			if want := c.root + "/v1.0/deviceManagement/managedDevices/1/requestRemoteAssistance"; url != want {
				t.Errorf("sent to %s, want %s", url, want)
			}
			want := policy.TokenRequestOptions{Scopes: []string{scope}, EnableCAE: true}
			if got := client.TokenRequestOptions(); !reflect.DeepEqual(got, want) {
				t.Errorf("TokenRequestOptions %+v, want %+v", got, want)
			}
			if !reflect.DeepEqual(desk.asked, []policy.TokenRequestOptions{want}) {
				t.Errorf("asked for %+v, want once %+v", desk.asked, want)
			}
		})
	}
}

// A configuration without a Graph entry is known by its authority, however that is written.
func TestNewClient_CloudsKnownByTheirAuthority(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		authority string
		root      string // blank when refused
	}{
		"public":             {"https://login.microsoftonline.com/", "https://graph.microsoft.com"},
		"US Government":      {"https://login.microsoftonline.us/", "https://graph.microsoft.us"},
		"China":              {"https://login.chinacloudapi.cn/", "https://microsoftgraph.chinacloudapi.cn"},
		"China, newer name":  {"https://login.partner.microsoftonline.cn/", "https://microsoftgraph.chinacloudapi.cn"},
		"capitals":           {"https://LOGIN.MicrosoftOnline.US", "https://graph.microsoft.us"},
		"no scheme":          {"login.microsoftonline.us", "https://graph.microsoft.us"},
		"with a port":        {"https://login.microsoftonline.us:443/", "https://graph.microsoft.us"},
		"with a tenant":      {"https://login.microsoftonline.us/common", "https://graph.microsoft.us"},
		"unknown":            {"https://login.example/", ""},
		"nothing but a path": {"https:///login.microsoftonline.us", ""},
		"not a URL":          {"https://[login.microsoftonline.com", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := intune.NewClient(intune.StaticToken("t"), &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
				Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: c.authority},
			}})
			if c.root == "" {
				checkRefused(t, err, "has no Microsoft Graph endpoint")
			} else if err != nil || client.String() != "intune.Client("+c.root+"/v1.0)" {
				t.Errorf("got %v, %v, want %s", client, err, c.root)
			}
		})
	}
}

func TestNewClient_EndpointsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		endpoint, says string
	}{
		"other scheme":            {"ftp://127.0.0.1", "https://"},
		"http elsewhere":          {"http://10.0.0.1", "https://"},
		"http, any address":       {"http://0.0.0.0", "https://"},
		"http, a public address":  {"http://[2001:db8::1]:8080", "https://"},
		"http, almost localhost":  {"http://localhost.example", "https://"},
		"http, almost an address": {"http://127.0.0.1.example", "https://"},
		"blank":                   {"", "absolute"},
		"no scheme":               {"graph.microsoft.com", "absolute"},
		"not a URL":               {"https://[::1", "absolute"},
		"port alone":              {"https://:8443", "absolute"},
		"path alone":              {"https:///graph", "absolute"},
		"user":                    {"https://a:b@graph.microsoft.com", "user"},
		"query":                   {"https://graph.microsoft.com?x=1", "query"},
		"fragment":                {"https://graph.example/#part", "fragment"},
		"bare question mark":      {"https://graph.example?", "query"},
		"bare number sign":        {"https://graph.example/#", "fragment"},
		"dots":                    {"https://graph.microsoft.com/a/../b", "path segment"},
		"dot":                     {"https://graph.example/./graph", "path segment"},
		"version":                 {"https://graph.microsoft.com/v1.0", "leave /v1.0 out"},
		"beta":                    {"https://graph.example/beta", "leave /beta out"},
		"version behind a prefix": {"https://graph.example/prefix/v1.0/", "leave /v1.0 out"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := intune.NewClient(intune.StaticToken("t"), &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
				Cloud: graphAt(c.endpoint), InsecureAllowCredentialWithHTTP: true,
			}})
			if client != nil {
				t.Errorf("got %v beside the error", client)
			}
			checkRefused(t, err, c.says)
		})
	}
}

func TestNewClient_HTTPIsAcceptedOnLoopbackWhenAllowed(t *testing.T) {
	t.Parallel()
	for _, root := range []string{"http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"} {
		var sent atomic.Int32
		client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
			sent.Add(1)
			return answer(req, http.StatusNoContent, nil, ""), nil
		}), func(o *intune.ClientOptions) {
			o.Cloud, o.InsecureAllowCredentialWithHTTP = graphAt(root), true
		})
		if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil || sent.Load() != 1 {
			t.Errorf("%s: sent %d, error %v", root, sent.Load(), err)
		}
	}
}
