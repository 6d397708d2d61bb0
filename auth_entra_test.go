package intune_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/go-intune/intune"
)

func secretCredential(tb testing.TB, entra *entraStandIn) azcore.TokenCredential {
	tb.Helper()
	credential, err := azidentity.NewClientSecretCredential(testTenant, testApp, testSecret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: entra.options(), DisableInstanceDiscovery: true,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return credential
}

// deviceCodeCredential counts how often the user is prompted.
func deviceCodeCredential(tb testing.TB, entra *entraStandIn) (credential *azidentity.DeviceCodeCredential, prompts *atomic.Int32) {
	tb.Helper()
	prompts = &atomic.Int32{}
	made, err := intune.NewCredential(&intune.CredentialOptions{
		ClientOptions: entra.options(), Method: intune.CredentialMethodDeviceCode,
		TenantID: testTenant, ClientID: testApp, DisableInstanceDiscovery: true,
		Prompt: func(_ context.Context, message azidentity.DeviceCodeMessage) error {
			if message.UserCode != "ABCD-1234" || message.VerificationURL != "https://microsoft.com/devicelogin" {
				tb.Errorf("prompt %+v", message)
			}
			prompts.Add(1)
			return nil
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	credential, ok := made.(*azidentity.DeviceCodeCredential)
	if !ok {
		tb.Fatalf("got %T", made)
	}
	return credential, prompts
}

func TestSignInWithClientSecret(t *testing.T) {
	t.Parallel()
	entra := newEntra(t)
	graph := newGraph(t, entra)
	client := graph.client(t, secretCredential(t, entra))
	if got := entra.asked(t); got != nil {
		t.Errorf("making a client asked for %v", got)
	}
	for range 2 { // the second call uses the token of the first
		if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := entra.asked(t); !slices.Equal(got, []string{"client_credentials"}) {
		t.Errorf("asked for %v", got)
	}
	graph.saw(t, 2, "ok", "ok")
	info, err := client.TokenInfo(t.Context())
	if err != nil || info.Kind != intune.TokenKindApplication || !slices.Equal(info.Roles, []string{manageRight}) ||
		info.TenantID != testTenant || info.AppID != testApp || info.Audience != testAudience || info.Expired() || info.ExpiresOn.IsZero() {
		t.Errorf("%+v, error %v", info, err)
	}
	if got := entra.asked(t); len(got) != 1 {
		t.Errorf("TokenInfo did not use the credential's cache: %v", got)
	}
	graph.saw(t, 2, "ok", "ok") // TokenInfo calls Graph not at all
}

func TestSignInWithDeviceCode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options func(policy.TokenRequestOptions) *policy.TokenRequestOptions // nil: sign in with the first call
		prompts int32
	}{
		"beforehand":          {func(o policy.TokenRequestOptions) *policy.TokenRequestOptions { return &o }, 1},
		"with the first call": {nil, 1},
		// The trap that TokenRequestOptions is for.
		"beforehand, without CAE": {func(o policy.TokenRequestOptions) *policy.TokenRequestOptions { o.EnableCAE = false; return &o }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entra := newEntra(t)
			graph := newGraph(t, entra)
			credential, prompts := deviceCodeCredential(t, entra)
			client := graph.client(t, credential)
			if c.options != nil {
				if _, err := credential.Authenticate(t.Context(), c.options(client.TokenRequestOptions())); err != nil {
					t.Fatal(err)
				}
				graph.saw(t, 0)
			}
			if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
				t.Fatal(err)
			}
			if n := prompts.Load(); n != c.prompts {
				t.Errorf("the user was prompted %d times, want %d", n, c.prompts)
			}
			graph.saw(t, 1, "ok")
			if c.prompts > 1 {
				return // the first request does not declare cp1, which is the trap
			}
			if got := entra.asked(t); !slices.Equal(got, []string{"devicecode", "device_code"}) {
				t.Errorf("asked for %v", got)
			}
			info, err := client.TokenInfo(t.Context())
			if err != nil || info.Kind != intune.TokenKindDelegated || !slices.Contains(info.Scopes, manageRight) || info.AppID != testApp {
				t.Errorf("%+v, error %v", info, err)
			}
			if strings.Contains(info.String(), "anna") {
				t.Errorf("the user's name is in %s", info)
			}
		})
	}
}

func TestWorkersSignInOnce(t *testing.T) {
	t.Parallel()
	entra := newEntra(t)
	graph := newGraph(t, entra)
	credential, prompts := deviceCodeCredential(t, entra)
	client := graph.client(t, credential)
	warm, err := graph.server.Client().Head(graph.server.URL) // see TestCallsAtOnceOnNewConnections
	if err != nil {
		t.Fatal(err)
	}
	_ = warm.Body.Close()
	graph.mu.Lock()
	graph.requests = nil
	graph.mu.Unlock()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := prompts.Load(); n != 1 {
		t.Errorf("%d prompts", n)
	}
	graph.saw(t, 4, "ok", "ok", "ok", "ok")
}

// Calls that start while there is no connection each dial one; the first that stands serves them all, and the other dials end later.
func TestCallsAtOnceOnNewConnections(t *testing.T) {
	t.Parallel()
	server := newServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, true)
	client := newServerClient(t, server)
	for range 10 {
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				if err := act(t, client); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		server.Client().CloseIdleConnections()
	}
}

// A session that was revoked, with the real credentials: they ask again with the claims, the user is not bothered.
func TestRevokedTokenWithRealCredentials(t *testing.T) {
	t.Parallel()
	const claims = `{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}`
	challenge := `bearer realm="", error="insufficient_claims", claims="` + base64.RawURLEncoding.EncodeToString([]byte(claims)) + `"`
	check := func(t *testing.T, entra *entraStandIn, credential azcore.TokenCredential, want ...string) {
		t.Helper()
		graph := newGraph(t, entra)
		graph.challenge = []string{challenge}
		if _, err := graph.client(t, credential).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
			t.Fatal(err)
		}
		graph.saw(t, 1, "challenged", "ok")
		if got := entra.asked(t); !slices.Equal(got, want) {
			t.Errorf("asked for %v, want %v", got, want)
		}
		var sent struct {
			AccessToken struct {
				NotBefore struct{ Value string } `json:"nbf"`
			} `json:"access_token"`
		}
		entra.mu.Lock()
		defer entra.mu.Unlock()
		if len(entra.issued) != 2 || entra.issued[0] == entra.issued[1] {
			t.Errorf("%d tokens were issued", len(entra.issued))
		}
		text := entra.requests[len(entra.requests)-1].Get("claims")
		if err := json.Unmarshal([]byte(text), &sent); err != nil || sent.AccessToken.NotBefore.Value != "1700000000" {
			t.Errorf("the last token request has claims %s", text)
		}
	}
	t.Run("client secret", func(t *testing.T) {
		t.Parallel()
		entra := newEntra(t)
		check(t, entra, secretCredential(t, entra), "client_credentials", "client_credentials")
	})
	t.Run("device code", func(t *testing.T) {
		t.Parallel()
		entra := newEntra(t)
		credential, prompts := deviceCodeCredential(t, entra)
		check(t, entra, credential, "devicecode", "device_code", "refresh_token")
		if n := prompts.Load(); n != 1 {
			t.Errorf("%d prompts", n)
		}
	})
}

func TestSignInThatEntraRefuses(t *testing.T) {
	t.Parallel()
	entra := newEntra(t)
	entra.deny = true
	graph := newGraph(t, entra)
	client := graph.client(t, secretCredential(t, entra))
	_, errCall := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	_, errInfo := client.TokenInfo(t.Context())
	for name, err := range map[string]error{"call": errCall, "TokenInfo": errInfo} {
		e := asError(t, err)
		failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err)
		if !ok || failed.RawResponse == nil || failed.RawResponse.StatusCode != 401 {
			t.Errorf("%s: no AuthenticationFailedError with Entra's answer in %v", name, err)
		}
		if !errors.Is(err, intune.ErrUnauthenticated) || errors.Is(err, intune.ErrOutcomeUnknown) || errors.Is(err, intune.ErrForbidden) {
			t.Errorf("%s: kind of %v", name, err)
		}
		if e.StatusCode != 0 {
			t.Errorf("%s: status %d, but Graph never answered", name, e.StatusCode)
		}
		if text := err.Error(); strings.ContainsAny(text, "\r\n") || !strings.Contains(text, "AADSTS7000215") ||
			!strings.Contains(text, "no token") || strings.Contains(text, testSecret) {
			t.Errorf("%s: want one line with Entra's reason and without the secret: %q", name, text)
		}
	}
	if hint := asError(t, errCall).Hint; !strings.Contains(hint, "credential") {
		t.Errorf("hint %q", hint)
	}
	graph.saw(t, 0)
	// Neither azcore nor the library repeats what the credential has tried: one request each.
	if got := entra.asked(t); !slices.Equal(got, []string{"client_credentials", "client_credentials"}) {
		t.Errorf("asked for %v", got)
	}
}
