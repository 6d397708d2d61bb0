package intunetest_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// A request without a token, or with something else, is Graph's to refuse.
func TestNoToken(t *testing.T) {
	t.Parallel()
	throughEveryDoor(t, nil, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
		ref := populate(tenant)
		for _, value := range []string{"", "Bearer", "Bearer ", "Bearer   ", "Basic abc"} {
			r := send(t, client, http.MethodPost, root+"/v1.0"+ref.String()+action, "", header("Authorization", value))
			want := refusal{http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is empty."}
			if got := r.refusal(t); got != want {
				t.Errorf("%q: got %+v, want %+v", value, got, want)
			}
		}
		r := send(t, client, http.MethodPost, root+"/v1.0"+ref.String()+action, "", header("Authorization", "bearer a.b.c"))
		if r.status != http.StatusNoContent {
			t.Errorf("any bearer token will do: %d %s", r.status, r.body)
		}
	})
}

// unsigned is a token of claims as they are given, where a credential of the tenant would add its own.
func unsigned(claims string) string {
	return "h." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".s"
}

// Only a token that says what it may do is held to it.
func TestTokensThatAreJudged(t *testing.T) {
	t.Parallel()
	const write = "DeviceManagementManagedDevices.ReadWrite.All"
	broken := strings.Replace(unsigned(`{"scp":"User.Read"}  `), ".s", "!.s", 1) // all before the broken end can be read
	for name, c := range map[string]struct {
		token    string
		app, own int // status of the action at the plain address and at /me
	}{
		"opaque":                {"a", 204, 400},
		"no claims of a kind":   {unsigned(`{"appid":"a"}`), 204, 400},
		"not base64":            {broken, 204, 400},
		"not JSON":              {unsigned(`{"scp":"User.Read"`), 204, 400},
		"no object":             {unsigned(`["scp"]`), 204, 400},
		"scope that is enough":  {unsigned(`{"scp":"` + write + `","oid":"` + userID + `"}`), 204, 204},
		"scope in other case":   {unsigned(`{"scp":"` + strings.ToLower(write) + `","oid":"` + userID + `"}`), 204, 204},
		"other scope":           {unsigned(`{"scp":"User.Read"}`), 403, 403},
		"role that is enough":   {unsigned(`{"roles":[1,"` + write + `"]}`), 204, 400},
		"other role":            {unsigned(`{"roles":["x"]}`), 403, 400},
		"roles that are none":   {unsigned(`{"roles":[1,null]}`), 403, 400},
		"app with nothing":      {unsigned(`{"idtyp":"app"}`), 403, 400},
		"user with nothing":     {unsigned(`{"idtyp":"user"}`), 403, 403},
		"user with a role only": {unsigned(`{"idtyp":"user","oid":"` + userID + `","roles":["` + write + `"]}`), 204, 204},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tenant := intunetest.NewTenant(nil)
			ref := populate(tenant)
			for path, want := range map[string]int{ref.String(): c.app, "/me/managedDevices/" + deviceID: c.own} {
				r := send(t, inProcess(tenant), http.MethodPost, graph+"/v1.0"+path+action, "", header("Authorization", "Bearer "+c.token))
				if r.status != want {
					t.Errorf("%s: %d %s, want %d", path, r.status, r.body, want)
				}
			}
		})
	}
}

func token(t *testing.T, tenant *intunetest.Tenant, claims map[string]any) string {
	t.Helper()
	got, err := tenant.CredentialWith(claims).GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{graph + "/.default"}})
	if err != nil {
		t.Fatal(err)
	}
	return got.Token
}

// C§1.2, C§4.3: a token that says what it may do is held to it; Intune's refusal names what would do.
func TestPermissions(t *testing.T) {
	t.Parallel()
	const (
		write, read     = "DeviceManagementManagedDevices.ReadWrite.All", "DeviceManagementManagedDevices.Read.All"
		config, readCfg = "DeviceManagementConfiguration.ReadWrite.All", "DeviceManagementConfiguration.Read.All"
		service, readSv = "DeviceManagementServiceConfig.ReadWrite.All", "DeviceManagementServiceConfig.Read.All"
	)
	device := intune.Device(deviceID).String()
	below := intune.DetectedAppDevice(appID, deviceID).String()
	ofUser := intune.UserDevice(userID, deviceID).String()
	partners := "/deviceManagement/remoteAssistancePartners"
	for _, c := range []struct {
		method, path string
		sufficient   []string
	}{
		{"POST", device + action, []string{write, config}},
		{"POST", below + action, []string{write}},
		{"POST", ofUser + action, []string{write}},
		{"GET", device, []string{read, write, readCfg, config}},
		{"GET", "/deviceManagement/managedDevices", []string{read, write, readCfg, config}},
		{"GET", ofUser, []string{read, write}},
		{"GET", "/users/" + userID + "/managedDevices", []string{read, write}},
		{"GET", "/deviceManagement/detectedApps", []string{read, write, readCfg, config}},
		{"GET", "/deviceManagement/detectedApps/" + appID, []string{read, write, readCfg, config}},
		{"GET", "/deviceManagement/detectedApps/" + appID + "/managedDevices", []string{read, write}},
		{"GET", partners, []string{readSv, service, readCfg, config}},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			t.Parallel()
			tenant := intunetest.NewTenant(nil)
			populate(tenant)
			ask := func(claims map[string]any) reply {
				return send(t, inProcess(tenant), c.method, graph+"/v1.0"+c.path, "{}", header("Authorization", "Bearer "+token(t, tenant, claims)))
			}
			for _, permission := range []string{write, read, config, readCfg, service, readSv, "User.Read"} {
				enough := strings.Contains(" "+strings.Join(c.sufficient, " ")+" ", " "+permission+" ")
				for _, claims := range []map[string]any{{"scp": "openid " + strings.ToLower(permission)}, {"roles": []string{permission}}} {
					r := ask(claims)
					want := http.StatusForbidden
					switch {
					case enough && c.method == http.MethodPost:
						want = http.StatusNoContent
					case enough:
						want = http.StatusOK
					}
					if r.status != want {
						t.Errorf("with %s: %d, want %d: %s", claims, r.status, want, r.body)
					}
				}
			}
			r := ask(map[string]any{"roles": nil})
			sentence := r.nested(t)
			want := "Application is not authorized to perform this operation. Application must have one of the following scopes: " +
				strings.Join(c.sufficient, ", ") + " - Operation ID"
			if code := r.envelope(t).Error.Code; code != "Forbidden" {
				t.Errorf("code %s", code)
			}
			if !strings.HasPrefix(sentence, want) || !trailer.MatchString(sentence) {
				t.Errorf("got  %q\nwant %q…", sentence, want)
			}
		})
	}
}

func TestCredential(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	decode := func(text string) (claims map[string]any) {
		parts := strings.Split(text, ".")
		payload, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err = errors.Join(err, json.Unmarshal(payload, &claims)); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if len(parts) != 3 || parts[2] != "" {
			t.Fatalf("not an unsigned token: %q", text)
		}
		return claims
	}
	app := decode(token(t, tenant, nil))
	expectMembers(t, "app", app, map[string]any{"aud": graph, "idtyp": "app"})
	for _, name := range []string{"tid", "appid"} {
		if !guid.MatchString(app[name].(string)) {
			t.Errorf("%s is %v", name, app[name])
		}
	}
	if roles := app["roles"].([]any); len(roles) != 3 {
		t.Errorf("roles %v", roles)
	}
	if left := time.Until(time.Unix(int64(app["exp"].(float64)), 0)); left < 55*time.Minute || left > time.Hour {
		t.Errorf("valid for %v", left)
	}
	user := decode(token(t, tenant, map[string]any{"scp": "User.Read", "appid": nil, "n": 1}))
	expectMembers(t, "user", user, map[string]any{"idtyp": "user", "roles": nil, "appid": nil, "n": 1.0, "scp": "User.Read"})
	// Another cloud's scope gives another cloud's audience.
	got, err := tenant.Credential().GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.us/.default"}})
	if err != nil {
		t.Fatal(err)
	}
	expectMembers(t, "another cloud", decode(got.Token), map[string]any{"aud": "https://graph.microsoft.us"})
	if !got.ExpiresOn.After(time.Now()) {
		t.Errorf("expires on %v", got.ExpiresOn)
	}
	if _, err := tenant.CredentialWith(map[string]any{"bad": func() {}}).GetToken(t.Context(), policy.TokenRequestOptions{}); err == nil {
		t.Error("claims that are no JSON are accepted")
	}
	info, err := tenant.Client().TokenInfo(t.Context())
	if err != nil || info.Kind != intune.TokenKindApplication {
		t.Errorf("%+v, %v", info, err)
	}
}

// C§3.4: /me is for delegated callers.
func TestMe(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	populate(tenant)
	ask := func(claims map[string]any) reply {
		return send(t, inProcess(tenant), http.MethodPost, graph+"/v1.0/me/managedDevices/"+deviceID+action, "",
			header("Authorization", "Bearer "+token(t, tenant, claims)))
	}
	scope := "DeviceManagementManagedDevices.ReadWrite.All"
	if r := ask(map[string]any{"scp": scope, "oid": userID}); r.status != http.StatusNoContent {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := ask(map[string]any{"scp": scope, "upn": "o'hara@contoso.com"}); r.status != http.StatusNotFound {
		t.Errorf("another's device: %d %s", r.status, r.body)
	}
	r := ask(map[string]any{"scp": scope})
	if r.status != http.StatusNotFound || r.envelope(t).Error.Code != "Request_ResourceNotFound" {
		t.Errorf("a token without a name: %d %s", r.status, r.body)
	}
	expectPrompts(t, "one of three", tenant, 1)
	if r := ask(nil); r.status != http.StatusBadRequest || !strings.Contains(r.body, "delegated authentication flow") {
		t.Errorf("an app: %d %s", r.status, r.body)
	}
}
