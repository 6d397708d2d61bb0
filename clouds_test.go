package intune_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"github.com/go-intune/intune"
)

// A credential signs in where the cloud says.
func TestAuthoritiesOfTheClouds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cloud           cloud.Configuration
		authority, root string
	}{
		"public":        {intune.CloudPublic, "https://login.microsoftonline.com/", "https://graph.microsoft.com"},
		"US Government": {intune.CloudUSGovernment, "https://login.microsoftonline.us/", "https://graph.microsoft.us"},
		"DoD":           {intune.CloudUSGovernmentDoD, "https://login.microsoftonline.us/", "https://dod-graph.microsoft.us"},
		"China":         {intune.CloudChina, "https://login.chinacloudapi.cn/", "https://microsoftgraph.chinacloudapi.cn"},
		"France":        {intune.CloudFrance, "https://login.sovcloud-identity.fr/", "https://graph.svc.sovcloud.fr"},
		"Germany":       {intune.CloudGermany, "https://login.sovcloud-identity.de/", "https://graph.svc.sovcloud.de"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := cloud.ServiceConfiguration{Endpoint: c.root, Audience: c.root}
			if c.cloud.ActiveDirectoryAuthorityHost != c.authority || c.cloud.Services[intune.ServiceGraph] != want {
				t.Errorf("got %+v, want authority %s and root %s", c.cloud, c.authority, c.root)
			}
		})
	}
}

// A configuration without a Graph entry is known by its authority, however that is written.
func TestCloudsKnownByTheirAuthority(t *testing.T) {
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
			switch {
			case c.root == "" && (!errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), "has no Microsoft Graph endpoint")):
				t.Errorf("got %v, %v", client, err)
			case c.root != "" && (err != nil || client.String() != "intune.Client("+c.root+"/v1.0)"):
				t.Errorf("got %v, %v, want %s", client, err, c.root)
			}
		})
	}
}

func TestEndpointsThatAreRefused(t *testing.T) {
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
		"port alone":              {"https://:8443", "absolute"},
		"path alone":              {"https:///graph", "absolute"},
		"fragment":                {"https://graph.example/#part", "fragment"},
		"bare question mark":      {"https://graph.example?", "query"},
		"bare number sign":        {"https://graph.example/#", "fragment"},
		"dot":                     {"https://graph.example/./graph", "path segment"},
		"beta":                    {"https://graph.example/beta", "leave /beta out"},
		"version behind a prefix": {"https://graph.example/prefix/v1.0/", "leave /v1.0 out"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := intune.NewClient(intune.StaticToken("t"), &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
				Cloud: graphAt(c.endpoint), InsecureAllowCredentialWithHTTP: true,
			}})
			if client != nil || !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, %v, want ErrInvalidArgument that says %q", client, err, c.says)
			}
		})
	}
}

// Microsoft rules the connector out in two clouds, so no other hint helps there.
func TestCloudsWithoutTheConnectorSaySo(t *testing.T) {
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
