package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/go-intune/intune"
)

// post sends a form, and gives the members of the answer that are texts.
func (s running) post(t *testing.T, path string, form url.Values) (int, map[string]string) {
	t.Helper()
	a := s.send(t, http.MethodPost, path, form.Encode(), header("Content-Type", "application/x-www-form-urlencoded"))
	var members map[string]any
	if err := json.Unmarshal([]byte(a.body), &members); err != nil {
		t.Fatalf("%s: %d %s", path, a.status, a.body)
	}
	texts := map[string]string{}
	for name, value := range members {
		if text, ok := value.(string); ok {
			texts[name] = text
		}
	}
	return a.status, texts
}

const graphScope = "https://graph.microsoft.com/.default"

// Client credentials, at the address of any tenant and at the short one, and what the endpoint refuses.
func TestClientCredentials(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	good := url.Values{"grant_type": {"client_credentials"}, "client_id": {"app"}, "client_secret": {"x"}, "scope": {graphScope}}
	for _, path := range []string{"/contoso.example/oauth2/v2.0/token", "/_tenant/oauth2/v2.0/token", "/_tenant/token"} {
		status, answer := s.post(t, path, good)
		if status != http.StatusOK || answer["token_type"] != "Bearer" {
			t.Errorf("%s: %d %v", path, status, answer)
		}
		if n := strings.Count(answer["access_token"], "."); n != 2 {
			t.Errorf("%s: a token with %d dots: %s", path, n, answer["access_token"])
		}
		if a := s.send(t, http.MethodGet, devicesPath, "", header("Authorization", "Bearer "+answer["access_token"])); a.status != http.StatusOK {
			t.Errorf("%s: the token is not taken: %d", path, a.status)
		}
	}
	for _, c := range []struct {
		name, member, value string
		status              int
		problem             string
	}{
		{"no client", "client_id", "", 400, "invalid_request"},
		{"no secret", "client_secret", "", 401, "invalid_client"},
		{"no scope", "scope", "", 400, "invalid_scope"},
		{"one permission", "scope", "User.Read", 400, "invalid_scope"},
		{"password", "grant_type", "password", 400, "unsupported_grant_type"},
		{"unknown code", "grant_type", "device_code", 400, "bad_verification_code"},
		{"unknown refresh token", "grant_type", "refresh_token", 400, "invalid_grant"},
	} {
		form := maps.Clone(good)
		form.Set(c.member, c.value)
		status, answer := s.post(t, "/_tenant/token", form)
		if status != c.status || answer["error"] != c.problem {
			t.Errorf("%s: %d %q, want %d %q", c.name, status, answer["error"], c.status, c.problem)
		}
		if text := answer["error_description"]; !strings.HasPrefix(text, "AADSTS") {
			t.Errorf("%s: described as %q", c.name, text)
		}
	}
	if a := s.send(t, http.MethodGet, "/_tenant/token", ""); a.status != http.StatusBadRequest {
		t.Errorf("GET: %d", a.status)
	}
	if n := s.state(t).RequestCount; n != 3 {
		t.Errorf("sign-ins count as requests: %d", n)
	}
}

// Device code: pending, approved once, refreshed; declined; expired.
func TestDeviceCode(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	begin := func() (deviceCode, userCode string) {
		form := url.Values{"client_id": {"app"}, "scope": {graphScope + " offline_access"}}
		status, answer := s.post(t, "/contoso/oauth2/v2.0/devicecode", form)
		if status != http.StatusOK || answer["verification_uri"] != s.page {
			t.Fatalf("%d %v, want the page %s", status, answer, s.page)
		}
		contains(t, "message", answer["message"], answer["user_code"])
		return answer["device_code"], answer["user_code"]
	}
	redeem := func(deviceCode string) map[string]string {
		_, answer := s.post(t, "/contoso/oauth2/v2.0/token", url.Values{
			"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {"app"}, "device_code": {deviceCode}, "scope": {graphScope},
		})
		return answer
	}
	first, firstUser := begin()
	second, secondUser := begin()
	third, _ := begin()
	if got := redeem(first); got["error"] != "authorization_pending" {
		t.Errorf("at first %v", got)
	}
	s.send(t, http.MethodPost, "/_tenant/sign-in",
		`{"userCode": "`+strings.ToLower(firstUser)+`", "userPrincipalName": "anna.berg@contoso.com"}`)
	s.send(t, http.MethodPost, "/_tenant/sign-in", `{"userCode": "`+secondUser+`", "decline": true}`)
	if states := s.state(t).SignIns; len(states) != 3 {
		t.Errorf("%+v", states)
	}
	token := redeem(first)
	if !slices.Contains(strings.Fields(token["scope"]), graphScope) {
		t.Errorf("the scope that was asked for is not in %q, so that MSAL calls it declined", token["scope"])
	}
	mine := s.send(t, http.MethodGet, "/v1.0/me/managedDevices", "", header("Authorization", "Bearer "+token["access_token"]))
	if mine.status != http.StatusOK || !strings.Contains(mine.body, laptop) {
		t.Errorf("her devices: %d %s", mine.status, mine.body)
	}
	if strings.Contains(mine.body, kiosk) {
		t.Errorf("her devices have one that is not hers: %s", mine.body)
	}
	// Whatever this library does, the user may.
	for _, path := range []string{devicesPath, "/v1.0/deviceManagement/remoteAssistancePartners", "/v1.0/deviceManagement/auditEvents"} {
		if a := s.send(t, http.MethodGet, path, "", header("Authorization", "Bearer "+token["access_token"])); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if got := redeem(first); got["error"] != "bad_verification_code" {
		t.Errorf("twice: %v", got)
	}
	if got := redeem(second); got["error"] != "authorization_declined" {
		t.Errorf("declined: %v", got)
	}
	_, refreshed := s.post(t, "/contoso/oauth2/v2.0/token", url.Values{
		"grant_type": {"refresh_token"}, "client_id": {"app"}, "refresh_token": {token["refresh_token"]},
	})
	if refreshed["access_token"] == "" || refreshed["refresh_token"] == "" {
		t.Errorf("refreshed: %v", refreshed)
	}
	s.send(t, http.MethodPost, "/_tenant/clock", `{"advance": "15m"}`)
	if got := redeem(third); got["error"] != "expired_token" {
		t.Errorf("expired: %v", got)
	}
}

// azidentity's own credential signs in here, and the library goes on from there.
func TestLibraryWithAzidentity(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	configuration := cloud.Configuration{
		ActiveDirectoryAuthorityHost: s.root + "/",
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			intune.ServiceGraph: {Endpoint: s.root, Audience: "https://graph.microsoft.com"},
		},
	}
	options := azcore.ClientOptions{Cloud: configuration, Transport: s.client}
	credential, err := azidentity.NewClientSecretCredential("11111111-2222-4333-8444-555555555555", "app", "any secret",
		&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
	if err != nil {
		t.Fatal(err)
	}
	client, err := intune.NewClient(credential, &intune.ClientOptions{ClientOptions: options})
	if err != nil {
		t.Fatal(err)
	}
	info, err := client.TokenInfo(t.Context())
	if err != nil || info.AppID != "app" {
		t.Errorf("%v, %v", info, err)
	}
	device, err := client.FindDevice(t.Context(), intune.DeviceFilter{SerialNumber: "4F7K2"}, nil)
	if err != nil || device.ID != laptop {
		t.Fatalf("%v, %v", device, err)
	}
	session, err := client.OpenRemoteAssistance(t.Context(), intune.Device(device.ID), &intune.OpenRemoteAssistanceOptions{Frequency: 1})
	if err != nil || session.URL.IsZero() {
		t.Fatalf("%v, %v", session, err)
	}
	if state := s.state(t); state.Prompts != 1 || state.Devices[0].SessionURL != session.URL.Reveal() {
		t.Errorf("%d prompts, %+v", state.Prompts, state.Devices[0])
	}
}
