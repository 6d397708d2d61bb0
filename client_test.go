package intune_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
)

// rewrite is a policy of the caller's that changes requests.
type rewrite func(*http.Request)

func (f rewrite) Do(req *policy.Request) (*http.Response, error) {
	f(req.Raw())
	return req.Next()
}

// recordingCredential keeps what it was asked for.
type recordingCredential struct {
	mu    sync.Mutex
	asked []policy.TokenRequestOptions
}

func (c *recordingCredential) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, o)
	return azcore.AccessToken{Token: "opaque-token", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// C§1.3: roots and scopes of the clouds.
func TestClouds(t *testing.T) {
	t.Parallel()
	custom := func(endpoint, audience string) cloud.Configuration {
		return cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			intune.ServiceGraph: {Endpoint: endpoint, Audience: audience},
		}}
	}
	for name, c := range map[string]struct {
		cloud       cloud.Configuration
		root, scope string
	}{
		"none":              {cloud.Configuration{}, "https://graph.microsoft.com", ""},
		"public":            {intune.CloudPublic, "https://graph.microsoft.com", ""},
		"US Government":     {intune.CloudUSGovernment, "https://graph.microsoft.us", ""},
		"DoD":               {intune.CloudUSGovernmentDoD, "https://dod-graph.microsoft.us", ""},
		"China":             {intune.CloudChina, "https://microsoftgraph.chinacloudapi.cn", ""},
		"France":            {intune.CloudFrance, "https://graph.svc.sovcloud.fr", ""},
		"Germany":           {intune.CloudGermany, "https://graph.svc.sovcloud.de", ""},
		"azcore public":     {cloud.AzurePublic, "https://graph.microsoft.com", ""},
		"azcore government": {cloud.AzureGovernment, "https://graph.microsoft.us", ""},
		"azcore China":      {cloud.AzureChina, "https://microsoftgraph.chinacloudapi.cn", ""},
		"custom":            {custom("https://graph.example/", "https://graph.example/"), "https://graph.example", ""},
		"custom audience":   {custom("https://graph.example", "api://graph"), "https://graph.example", "api://graph/.default"},
		"no audience":       {custom("https://graph.example:8443/prefix", ""), "https://graph.example:8443/prefix", "https://graph.example:8443/.default"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			credential := &recordingCredential{}
			var url string
			client, err := intune.NewClient(credential, &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
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
			options := client.TokenRequestOptions()
			if len(credential.asked) != 1 || len(options.Scopes) != 1 || options.Scopes[0] != scope || !options.EnableCAE ||
				credential.asked[0].Scopes[0] != scope || !credential.asked[0].EnableCAE {
				t.Errorf("asked for %+v, TokenRequestOptions %+v, want scope %s", credential.asked, options, scope)
			}
		})
	}
}

func TestNewClientRefuses(t *testing.T) {
	t.Parallel()
	endpoint := func(url string) azcore.ClientOptions {
		return azcore.ClientOptions{Cloud: cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			intune.ServiceGraph: {Endpoint: url},
		}}}
	}
	loopback := endpoint("http://127.0.0.1:1")
	insecure := endpoint("http://graph.example")
	insecure.InsecureAllowCredentialWithHTTP = true
	for name, c := range map[string]struct {
		options azcore.ClientOptions
		says    string
	}{
		"other version":        {azcore.ClientOptions{APIVersion: "beta"}, "APIVersion"},
		"unknown authority":    {azcore.ClientOptions{Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: "https://login.example/"}}, "ServiceGraph"},
		"services, no Graph":   {azcore.ClientOptions{Cloud: cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{"x": {}}}}, "ServiceGraph"},
		"http":                 {endpoint("http://graph.microsoft.com"), "https"},
		"http with permission": {insecure, "https"},
		"http on loopback":     {loopback, "https"},
		"no scheme":            {endpoint("graph.microsoft.com"), "absolute"},
		"blank":                {endpoint(""), "absolute"},
		"with a version":       {endpoint("https://graph.microsoft.com/v1.0"), "version"},
		"with a query":         {endpoint("https://graph.microsoft.com?x=1"), "query"},
		"with a user":          {endpoint("https://a:b@graph.microsoft.com"), "user"},
		"with dots":            {endpoint("https://graph.microsoft.com/a/../b"), ".."},
		"not a URL":            {endpoint("https://[::1"), "absolute"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := intune.NewClient(intune.StaticToken("t"), &intune.ClientOptions{ClientOptions: c.options})
			if client != nil || !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want ErrInvalidArgument that says %q", err, c.says)
			}
		})
	}
}

func TestHTTPIsAcceptedOnLoopbackWhenAllowed(t *testing.T) {
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

func TestNilAndZeroOptionsAreTheSame(t *testing.T) {
	t.Parallel()
	for _, options := range []*intune.ClientOptions{nil, {}, {ClientOptions: azcore.ClientOptions{APIVersion: "v1.0"}}} {
		client, err := intune.NewClient(intune.StaticToken("t"), options)
		if err != nil || client.String() != "intune.Client(https://graph.microsoft.com/v1.0)" {
			t.Errorf("got %v, %v", client, err)
		}
	}
}

// What the caller changes in the options after NewClient does not reach the client.
func TestOptionsAreCopied(t *testing.T) {
	t.Parallel()
	service := newScript(status(http.StatusServiceUnavailable))
	codes := []int{http.StatusServiceUnavailable}
	options := &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: service, Retry: policy.RetryOptions{RetryDelay: 1, StatusCodes: codes, MaxRetries: 1},
	}}
	client, err := intune.NewClient(intune.StaticToken("t"), options)
	if err != nil {
		t.Fatal(err)
	}
	codes[0], options.Retry.MaxRetries, options.Transport = 0, 9, nil
	_, err = client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	if !errors.Is(err, intune.ErrUnavailable) || service.calls.Load() != 2 {
		t.Errorf("%d tries, error %v", service.calls.Load(), err)
	}
	if options.Retry.MaxRetryDelay != 0 {
		t.Error("the caller's options were changed")
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	server := newServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, true)
	client := newServerClient(t, server)
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// azcore refuses at run time a version that is not v1.2.3, and the changelog's newest entry has the same number.
func TestVersion(t *testing.T) {
	t.Parallel()
	changelog, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	var agent string
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		agent = req.Header.Get("User-Agent")
		return answer(req, http.StatusNoContent, nil, ""), nil
	}))
	if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(changelog), "\n## ")
	version, _, _ := strings.Cut(after, " ")
	if version == "" || !strings.Contains(agent, "/v"+version+" ") {
		t.Errorf("User-Agent %q, newest changelog entry %q", agent, version)
	}
}
