package intune_test

import (
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
)

const (
	testAuthority = "login.stand-in.example"
	otherTenant   = "99999999-8888-4777-8666-555555555555"
)

// asked keeps what a credential sends. It knows the endpoints of an authority and refuses every sign-in.
type asked struct {
	mu    sync.Mutex
	urls  []string
	forms []string
}

func (a *asked) Do(req *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.urls = append(a.urls, req.URL.String())
	if path, ok := strings.CutSuffix(req.URL.Path, "/v2.0/.well-known/openid-configuration"); ok {
		tenant := "https://" + req.URL.Host + path
		return answer(req, http.StatusOK, nil, jsonText(map[string]any{
			"issuer": tenant + "/v2.0", "authorization_endpoint": tenant + "/authorize", "token_endpoint": tenant + "/token",
		})), nil
	}
	if req.Body != nil {
		if err := req.ParseForm(); err == nil {
			a.forms = append(a.forms, req.PostForm.Encode())
		}
	}
	return answer(req, http.StatusBadRequest, nil, `{"error":"invalid_request"}`), nil
}

// has reports whether one of the texts holds all the parts.
func has(texts []string, parts ...string) bool {
	return slices.ContainsFunc(texts, func(text string) bool {
		return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) })
	})
}

// fakePrograms puts shell scripts into PATH, alone, that write down their arguments and fail. It returns what was written.
func fakePrograms(t *testing.T, names ...string) func() []string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the programs are shell scripts")
	}
	folder := t.TempDir()
	written := filepath.Join(folder, "arguments")
	for _, name := range names {
		script := "#!/bin/sh\nprintf '%s\\n' \"$*\" >>'" + written + "'\nexit 1\n"
		if err := os.WriteFile(filepath.Join(folder, name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", folder)
	return func() []string {
		text, err := os.ReadFile(written)
		if err != nil {
			t.Error(err)
		}
		return strings.Split(string(text), "\n")
	}
}

// What the options say reaches the sign-in: the caller's transport, the authority, the tenant, the app.
func TestNewCredentialPassesItsOptionsOn(t *testing.T) {
	for name, c := range map[string]struct {
		options  intune.CredentialOptions
		env      map[string]string
		programs []string // the credential runs one of these
		url      []string // in one of the addresses asked for
		form     []string // in one of the forms sent
		args     []string // in one of the program's arguments
	}{
		"default": {
			options: intune.CredentialOptions{TenantID: otherTenant},
			env: map[string]string{
				"AZURE_TOKEN_CREDENTIALS": "WorkloadIdentityCredential", "AZURE_CLIENT_ID": testApp,
				"AZURE_FEDERATED_TOKEN_FILE": "token", "AZURE_TENANT_ID": testTenant,
			},
			url: []string{"https://" + testAuthority + "/" + otherTenant + "/token"}, form: []string{"client_id=" + testApp},
		},
		"browser": {
			options:  intune.CredentialOptions{Method: intune.CredentialMethodBrowser, TenantID: otherTenant, ClientID: testApp},
			programs: []string{"xdg-open", "open"},
			url:      []string{"https://" + testAuthority + "/" + otherTenant + "/v2.0/"},
			args:     []string{"https://" + testAuthority + "/" + otherTenant + "/authorize?", "client_id=" + testApp},
		},
		"device code": {
			options: intune.CredentialOptions{Method: intune.CredentialMethodDeviceCode, TenantID: otherTenant, ClientID: testApp},
			url:     []string{"https://" + testAuthority + "/" + otherTenant + "/", "devicecode"}, form: []string{"client_id=" + testApp},
		},
		"Azure CLI": {
			options:  intune.CredentialOptions{Method: intune.CredentialMethodAzureCLI, TenantID: otherTenant},
			programs: []string{"az"},
			args:     []string{"--tenant " + otherTenant},
		},
		"managed identity": {
			options: intune.CredentialOptions{Method: intune.CredentialMethodManagedIdentity},
			url:     []string{"/metadata/identity/oauth2/token?"},
		},
		"managed identity of the user's": {
			options: intune.CredentialOptions{Method: intune.CredentialMethodManagedIdentity, ClientID: testApp},
			url:     []string{"/metadata/identity/oauth2/token?", "client_id=" + testApp},
		},
		"environment": {
			options: intune.CredentialOptions{Method: intune.CredentialMethodEnvironment, TenantID: otherTenant},
			env:     map[string]string{"AZURE_CLIENT_ID": testApp, "AZURE_TENANT_ID": testTenant, "AZURE_CLIENT_SECRET": testSecret},
			url:     []string{"https://" + testAuthority + "/" + testTenant + "/token"}, form: []string{"client_id=" + testApp},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, name := range []string{
				"AZURE_TOKEN_CREDENTIALS", "AZURE_AUTHORITY_HOST", "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET",
				"AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT", "MSI_ENDPOINT",
			} {
				t.Setenv(name, "") // to have it restored
				_ = os.Unsetenv(name)
			}
			for name, value := range c.env {
				if name == "AZURE_FEDERATED_TOKEN_FILE" {
					value = filepath.Join(t.TempDir(), value)
					if err := os.WriteFile(value, []byte(jwt(nil)), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				t.Setenv(name, value)
			}
			var arguments func() []string
			if c.programs != nil {
				arguments = fakePrograms(t, c.programs...)
			}
			var sent asked
			options := c.options
			options.DisableInstanceDiscovery = true
			options.ClientOptions = azcore.ClientOptions{
				Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: "https://" + testAuthority + "/"},
				Transport: &sent, Retry: policy.RetryOptions{MaxRetries: -1},
			}
			credential, err := intune.NewCredential(&options)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{testAudience + "/.default"}}); err == nil {
				t.Error("got a token")
			}
			if c.url != nil && !has(sent.urls, c.url...) || c.url == nil && sent.urls != nil {
				t.Errorf("asked for %q, want %q", sent.urls, c.url)
			}
			if has(sent.urls, "discovery/instance") {
				t.Errorf("the authority was checked: %q", sent.urls)
			}
			if c.form != nil && !has(sent.forms, c.form...) {
				t.Errorf("sent %q, want %q", sent.forms, c.form)
			}
			if name == "managed identity" && has(sent.urls, "client_id") {
				t.Errorf("an identity was chosen: %q", sent.urls)
			}
			if arguments != nil {
				if got := arguments(); !has(got, c.args...) {
					t.Errorf("the program got %q, want %q", got, c.args)
				}
			}
		})
	}
}

// Without the option, the authority of a cloud that Microsoft does not know is checked.
func TestInstanceDiscoveryIsTheDefault(t *testing.T) {
	t.Parallel()
	var sent asked
	credential, err := intune.NewCredential(&intune.CredentialOptions{
		Method: intune.CredentialMethodDeviceCode, TenantID: testTenant, ClientID: testApp,
		ClientOptions: azcore.ClientOptions{
			Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: "https://" + testAuthority + "/"},
			Transport: &sent, Retry: policy.RetryOptions{MaxRetries: -1},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"x/.default"}}); err == nil || !has(sent.urls, "discovery/instance") {
		t.Errorf("asked for %q, error %v", sent.urls, err)
	}
}
