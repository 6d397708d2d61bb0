package intune_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
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

func TestNewClient_SignInWithClientSecret(t *testing.T) {
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
	if err != nil {
		t.Fatal(err)
	}
	if want := (intune.TokenInfo{
		Kind: intune.TokenKindApplication, Roles: []string{manageRight}, TenantID: testTenant, AppID: testApp, Audience: testAudience,
		Scopes: info.Scopes, ExpiresOn: info.ExpiresOn,
	}); !reflect.DeepEqual(info, want) {
		t.Errorf("got %#v, want %#v", info, want)
	}
	if info.Expired() || info.ExpiresOn.IsZero() {
		t.Errorf("the token ends at %v", info.ExpiresOn)
	}
	if got := entra.asked(t); len(got) != 1 {
		t.Errorf("TokenInfo did not use the credential's cache: %v", got)
	}
	graph.saw(t, 2, "ok", "ok") // TokenInfo calls Graph not at all
}

func TestNewClient_SignInWithDeviceCode(t *testing.T) {
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
			if err != nil {
				t.Fatal(err)
			}
			if info.Kind != intune.TokenKindDelegated || info.AppID != testApp {
				t.Errorf("the token is %s, of app %s, want it delegated and of %s", info.Kind, info.AppID, testApp)
			}
			if !slices.Contains(info.Scopes, manageRight) {
				t.Errorf("scopes %q", info.Scopes)
			}
			if strings.Contains(info.String(), "anna") {
				t.Errorf("the user's name is in %s", info)
			}
		})
	}
}

func TestNewClient_WorkersSignInOnce(t *testing.T) {
	t.Parallel()
	entra := newEntra(t)
	graph := newGraph(t, entra)
	credential, prompts := deviceCodeCredential(t, entra)
	client := graph.client(t, credential)
	warm, err := graph.server.Client().Head(graph.server.URL) // see TestRequestRemoteAssistance_CallsAtOnceOnNewConnections
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

// A session that was revoked, with the real credentials: they ask again with the claims, the user is not bothered.
func TestRequestRemoteAssistance_RevokedTokenOfRealCredentials(t *testing.T) {
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

// refusals are sentences of Entra that operators met, by their codes.
var refusals = map[string]string{
	"AADSTS7000215": "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, " +
		"not the client secret ID, for a secret added to app '" + testApp + "'.",
	"AADSTS900382": "Confidential Client is not supported in Cross Cloud request.",
	"AADSTS700024": "Client assertion is not within its valid time range. Current time: 2026-05-04T10:00:00.0000000Z, " +
		"assertion valid from 2026-05-01T18:00:00.0000000Z, expiry time of assertion 2026-05-01T19:00:00.0000000Z. " +
		"Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
}

// denies makes the authority refuse every secret. An error has to quote the result.
func (e *entraStandIn) denies(code string) (quoted string) {
	const trace, correlation = "00000000-1111-4222-8333-444444444444", "00000000-1111-4222-8333-444444444445"
	const timestamp = "2026-05-04 10:00:00Z"
	said := code + ": " + refusals[code] + " Trace ID: " + trace + " Correlation ID: " + correlation + " Timestamp: " + timestamp
	e.denial = map[string]any{
		"error": "invalid_client",
		"error_description": strings.NewReplacer(
			" Trace ID", "\r\nTrace ID", " Correlation", "\r\nCorrelation", " Timestamp", "\r\nTimestamp",
		).Replace(said),
		"error_codes": []int{7}, "error_uri": "https://login.microsoftonline.com/error?code=7",
		"trace_id": trace, "correlation_id": correlation, "timestamp": timestamp,
	}
	return said
}

// quotes checks that a text is one line with what Entra said, and without the rules that azidentity draws.
func quotes(tb testing.TB, where, text, said string) {
	tb.Helper()
	if !strings.Contains(text, said) {
		tb.Errorf("%s: %q\nwant Entra's words %q", where, text, said)
	}
	if strings.ContainsAny(text, "\r\n") || strings.Contains(text, "----") {
		tb.Errorf("%s: %q has lines or rules", where, text)
	}
	if strings.Contains(text, testSecret) {
		tb.Errorf("%s: %q shows the secret", where, text)
	}
}

func TestRequestRemoteAssistance_SignInThatEntraRefuses(t *testing.T) {
	t.Parallel()
	for code := range refusals {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			entra := newEntra(t)
			said := entra.denies(code)
			graph := newGraph(t, entra)
			client := graph.client(t, secretCredential(t, entra))
			_, errCall := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			_, errInfo := client.TokenInfo(t.Context())
			for name, err := range map[string]error{"call": errCall, "TokenInfo": errInfo} {
				e := asError(t, err)
				failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err)
				if !ok {
					t.Fatalf("%s: no AuthenticationFailedError in %v", name, err)
				}
				if failed.RawResponse == nil || failed.RawResponse.StatusCode != 401 {
					t.Errorf("%s: not Entra's answer: %v", name, failed.RawResponse)
				}
				checkKinds(t, err, intune.ErrUnauthenticated)
				if e.StatusCode != 0 {
					t.Errorf("%s: status %d, but Graph never answered", name, e.StatusCode)
				}
				if !strings.Contains(err.Error(), "no token") {
					t.Errorf("%s: %v does not say that there is no token", name, err)
				}
				quotes(t, name, err.Error(), said)
				quotes(t, name+", log", fmt.Sprint(e.LogValue()), said)
			}
			if hint := asError(t, errCall).Hint; !strings.Contains(hint, "credential") {
				t.Errorf("hint %q", hint)
			}
			graph.saw(t, 0)
			// Neither azcore nor the library repeats what the credential has tried: one request each.
			if got := entra.asked(t); !slices.Equal(got, []string{"client_credentials", "client_credentials"}) {
				t.Errorf("asked for %v", got)
			}
		})
	}
}

// An error that wraps another one has room for both.
func TestPendingError_QuotesEntraWhole(t *testing.T) {
	t.Parallel()
	entra := newEntra(t)
	said := entra.denies("AADSTS700024")
	refused, tokens := secretCredential(t, entra), 2 // for the first read and the request
	client, err := intune.NewClient(credentialFunc(func(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
		if tokens--; tokens < 0 {
			return refused.GetToken(ctx, o)
		}
		return azcore.AccessToken{Token: "opaque-token", ExpiresOn: time.Now()}, nil
	}), &intune.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: reads(says(200, sessionOf("", "")))}})
	if err != nil {
		t.Fatal(err)
	}
	poller, err := client.BeginRemoteAssistance(t.Context(), intune.Device("d1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = poller.Poll(t.Context())
	pending, ok := errors.AsType[*intune.PendingError](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	quotes(t, "text", pending.Error(), said)
	quotes(t, "log", fmt.Sprint(pending.LogValue()), said)
}

// A wait that goes on in a new process begins with a sign-in. What Entra says decides whether it waits for a better
// answer.
func TestWaitForRemoteAssistance_WhatEntraSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refusal  string // the member "error" of Entra's answer to the first two tries
		code     int
		deny     bool // and Entra refuses the secret after that
		requests int  // for tokens
	}{
		"too busy":                  {"temporarily_unavailable", 90033, false, 3},
		"an assertion that was old": {"invalid_client", 700024, false, 3},
		"a code that is not known":  {"server_error", 1, false, 3},
		"a wrong secret":            {"invalid_client", 7000215, false, 1},
		"a secret that has expired": {"invalid_client", 7000222, false, 1},
		"no such app":               {"unauthorized_client", 700016, false, 1},
		"a second factor is needed": {"interaction_required", 50076, false, 1},
		"tokens were revoked":       {"invalid_grant", 50173, false, 1},
		"revoked, by another code":  {"invalid_grant", 1, false, 1},
		"too busy, by another code": {"temporarily_unavailable", 50173, false, 3},
		"too busy, then refused":    {"temporarily_unavailable", 90033, true, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entra := newEntra(t)
			entra.refuse, entra.refusal, entra.code = 2, c.refusal, c.code
			if c.deny {
				entra.denies("AADSTS7000215")
			}
			tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond})
			device := tenant.AddDevice(intune.ManagedDevice{}, intunetest.SessionScript{URL: newLink, AfterReads: 1})
			token := begin(t, tenant, device, nil)
			client, err := intune.NewClient(secretCredential(t, entra), tenant.ClientOptions())
			if err != nil {
				t.Fatal(err)
			}
			session, err := client.WaitForRemoteAssistance(t.Context(), token, nil)
			if passed := c.requests > 1 && !c.deny; passed != (err == nil) || passed != (session.URL.Reveal() == newLink) {
				t.Errorf("got %v, %v, want a link: %v", session, err, passed)
			}
			if err != nil {
				if !errors.Is(err, intune.ErrSessionPending) || !errors.Is(err, intune.ErrUnauthenticated) {
					t.Errorf("kind of %v", err)
				}
				if _, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); !ok {
					t.Errorf("no error of the credential in %v", err)
				}
			}
			if got := entra.tokenRequests(); got != c.requests {
				t.Errorf("%d requests for a token, want %d", got, c.requests)
			}
		})
	}
}

// A credential that may not prompt says that a person has to sign in.
func TestWaitForRemoteAssistance_SignInIsNeeded(t *testing.T) {
	t.Parallel()
	entra := newEntra(t)
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond})
	token := begin(t, tenant, tenant.AddDevice(intune.ManagedDevice{}, intunetest.SessionScript{Never: true}), nil)
	credential, err := azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
		ClientOptions: entra.options(), TenantID: testTenant, ClientID: testApp,
		DisableInstanceDiscovery: true, DisableAutomaticAuthentication: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	client, err := intune.NewClient(credential, tenant.ClientOptions())
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.WaitForRemoteAssistance(t.Context(), token, nil)
	if !errors.Is(err, intune.ErrSessionPending) || !errors.Is(err, intune.ErrUnauthenticated) {
		t.Errorf("kind of %v", err)
	}
	if _, ok := errors.AsType[*azidentity.AuthenticationRequiredError](err); !ok {
		t.Errorf("no error of the credential in %v", err)
	}
	if ahead := tenant.ClockAhead(); ahead >= 2*intunetest.LookInterval {
		t.Errorf("the wait went on for %v", ahead)
	}
}

const (
	testTenant   = "11111111-2222-4333-8444-555555555555"
	testApp      = "66666666-7777-4888-9999-aaaaaaaaaaaa"
	testSecret   = "s3cr3t~of~the~app"
	testAudience = "https://graph.stand-in.example"
	testUser     = "anna@contoso.example"
	manageRight  = "DeviceManagementManagedDevices.ReadWrite.All"
	azureCLI     = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
)

// jsonText is blank for what JSON cannot hold.
func jsonText(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}

// entraStandIn is a login authority on loopback, as far as azidentity's real credentials ask for one.
type entraStandIn struct {
	server *httptest.Server

	mu       sync.Mutex
	denial   map[string]any // the answer to every secret, nil if the right one is taken
	refuse   int            // so many requests for a token, with refusal and code
	refusal  string
	code     int
	requests []url.Values // the forms that were posted, with "endpoint" added
	others   []string     // paths that no credential should ask for
	issued   []string     // access tokens, the latest last
}

func newEntra(tb testing.TB) *entraStandIn {
	tb.Helper()
	e := &entraStandIn{}
	e.server = newServer(tb, e.serve, false)
	return e
}

// options are those of a credential that signs in at the stand-in.
func (e *entraStandIn) options() azcore.ClientOptions {
	return azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: e.server.URL + "/"},
		Transport: e.server.Client(),
	}
}

func (e *entraStandIn) serve(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	base := e.server.URL + "/" + testTenant
	if err := r.ParseForm(); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	endpoint, ok := strings.CutPrefix(r.URL.Path, "/"+testTenant)
	form := maps.Clone(r.PostForm)
	switch {
	case ok && endpoint == "/v2.0/.well-known/openid-configuration":
		reply(w, http.StatusOK, map[string]any{
			"issuer":                 base + "/v2.0",
			"authorization_endpoint": base + "/oauth2/v2.0/authorize",
			"token_endpoint":         base + "/oauth2/v2.0/token",
		})
	case ok && endpoint == "/oauth2/v2.0/devicecode":
		form.Set("endpoint", "devicecode")
		e.requests = append(e.requests, form)
		reply(w, http.StatusOK, map[string]any{
			"user_code": "ABCD-1234", "device_code": "the-device-code", "verification_uri": "https://microsoft.com/devicelogin",
			"expires_in": 900, "interval": 1, "message": "open the page and type ABCD-1234",
		})
	case ok && endpoint == "/oauth2/v2.0/token":
		form.Set("endpoint", "token")
		e.requests = append(e.requests, form)
		e.token(w, form)
	default:
		e.others = append(e.others, r.Method+" "+r.URL.Path)
		w.WriteHeader(http.StatusNotFound)
	}
}

func (e *entraStandIn) token(w http.ResponseWriter, form url.Values) {
	claims := map[string]any{
		"aud": testAudience, "appid": form.Get("client_id"), "tid": testTenant, "exp": time.Now().Add(time.Hour).Unix(),
		"jti": strconv.Itoa(len(e.issued)), "xms_cc": []string{"cp1"},
	}
	answer := map[string]any{"token_type": "Bearer", "expires_in": 3600, "scope": form.Get("scope")}
	if e.refuse--; e.refuse >= 0 {
		reply(w, http.StatusBadRequest, map[string]any{
			"error": e.refusal, "error_description": "AADSTS" + strconv.Itoa(e.code) + ": Refused.", "error_codes": []int{e.code},
		})
		return
	}
	switch grant := form.Get("grant_type"); {
	case grant == "client_credentials" && form.Get("client_secret") == testSecret && e.denial == nil:
		claims["roles"] = []string{manageRight}
		claims["idtyp"] = "app"
	case grant == "device_code" && form.Get("device_code") == "the-device-code",
		grant == "refresh_token" && form.Get("refresh_token") == "the-refresh-token":
		claims["scp"] = "openid " + manageRight
		claims["upn"] = testUser
		answer["refresh_token"] = "the-refresh-token"
		answer["id_token"] = graphtest.JWT(map[string]any{
			"aud": form.Get("client_id"), "iss": e.server.URL + "/" + testTenant + "/v2.0", "sub": "subject", "oid": "object",
			"tid": testTenant, "preferred_username": testUser,
		})
		answer["client_info"] = base64.RawURLEncoding.EncodeToString([]byte(`{"uid":"object","utid":"` + testTenant + `"}`))
	default:
		reply(w, http.StatusUnauthorized, e.denial)
		return
	}
	answer["access_token"] = graphtest.JWT(claims)
	e.issued = append(e.issued, graphtest.JWT(claims))
	reply(w, http.StatusOK, answer)
}

// tokenRequests is how often a token was asked for.
func (e *entraStandIn) tokenRequests() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.requests)
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, jsonText(body))
}

// asked lists the grant types of the token requests, and "devicecode" for every code that was asked for. What was asked has
// to be for the Graph of the stand-in, with continuous access evaluation.
func (e *entraStandIn) asked(tb testing.TB) []string {
	tb.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.others) > 0 {
		tb.Errorf("unexpected requests to the authority: %v", e.others)
	}
	var list []string
	for _, form := range e.requests {
		name := form.Get("endpoint")
		if name == "token" {
			name = form.Get("grant_type")
		}
		list = append(list, name[strings.LastIndexByte(name, ':')+1:])
		if form.Get("client_id") != testApp {
			tb.Errorf("%s: client id %q", name, form.Get("client_id"))
		}
		scopes := strings.Fields(form.Get("scope"))
		scopes = slices.DeleteFunc(scopes, func(s string) bool { // MSAL's own
			return slices.Contains([]string{"openid", "offline_access", "profile"}, s)
		})
		if want := []string{testAudience + "/.default"}; !slices.Equal(scopes, want) {
			tb.Errorf("%s: scopes %q, want %q", name, scopes, want)
		}
		if got := capabilities(form); len(got) != 1 || !strings.EqualFold(got[0], "cp1") { // azidentity writes CP1
			tb.Errorf("%s: the client did not declare capability cp1: claims %s", name, form.Get("claims"))
		}
	}
	return list
}

// capabilities are those that a token request declares.
func capabilities(form url.Values) []string {
	var claims struct {
		AccessToken struct {
			Capabilities struct{ Values []string } `json:"xms_cc"`
		} `json:"access_token"`
	}
	_ = json.Unmarshal([]byte(form.Get("claims")), &claims)
	return claims.AccessToken.Capabilities.Values
}

// latest is the token that was issued last, which the Graph stand-in wants to see.
func (e *entraStandIn) latest() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.issued) == 0 {
		return "none was issued"
	}
	return e.issued[len(e.issued)-1]
}

// graphStandIn takes the action from whoever has the authority's latest token.
type graphStandIn struct {
	server *httptest.Server

	mu        sync.Mutex
	challenge []string // answers the first requests with 401 and these, in turn
	requests  []string // method, path and the verdict on the token
	accepted  int
}

func newGraph(tb testing.TB, entra *entraStandIn) *graphStandIn {
	tb.Helper()
	g := &graphStandIn{}
	g.server = newServer(tb, func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		verdict := "wrong token"
		if r.Header.Get("Authorization") == "Bearer "+entra.latest() {
			verdict = "ok"
		}
		switch {
		case verdict != "ok":
			w.WriteHeader(http.StatusUnauthorized)
		case len(g.challenge) > 0:
			verdict = "challenged"
			w.Header().Set("WWW-Authenticate", g.challenge[0])
			g.challenge = g.challenge[1:]
			w.WriteHeader(http.StatusUnauthorized)
		case r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/requestRemoteAssistance"):
			w.WriteHeader(http.StatusNotFound)
		default:
			g.accepted++
			w.WriteHeader(http.StatusNoContent)
		}
		g.requests = append(g.requests, r.Method+" "+r.URL.Path+" "+verdict)
	}, true)
	return g
}

// client calls the Graph stand-in.
func (g *graphStandIn) client(tb testing.TB, credential azcore.TokenCredential) *intune.Client {
	tb.Helper()
	configuration := graphAt(g.server.URL)
	configuration.Services[intune.ServiceGraph] = cloud.ServiceConfiguration{Endpoint: g.server.URL, Audience: testAudience}
	client, err := intune.NewClient(credential, &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
		Cloud: configuration, Transport: g.server.Client(),
	}})
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

// saw checks the requests that arrived and that the action was accepted so many times.
func (g *graphStandIn) saw(tb testing.TB, accepted int, verdicts ...string) {
	tb.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	want := make([]string, len(verdicts))
	for i, verdict := range verdicts {
		want[i] = "POST /v1.0/deviceManagement/managedDevices/1/requestRemoteAssistance " + verdict
	}
	if !slices.Equal(g.requests, want) {
		tb.Errorf("Graph saw %q\nwant %q", g.requests, want)
	}
	if g.accepted != accepted {
		tb.Errorf("the action was accepted %d times, want %d", g.accepted, accepted)
	}
}
