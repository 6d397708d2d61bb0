package intunetest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// [R] Recorded answers write @odata.context in Graph's own spelling, with the quotes of a key bare and the key itself
// escaped.
func TestContext(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	populate(tenant)
	tenant.AddDevice(intune.ManagedDevice{ID: "anna's", UserID: "anna id", UserPrincipalName: "anna#EXT#@contoso.com"})
	me := header("Authorization", "Bearer "+token(t, tenant, map[string]any{
		"scp": "DeviceManagementManagedDevices.Read.All", "oid": "anna id",
	}))
	partner := partners(t, inProcess(tenant), graph)[0].(map[string]any)["id"].(string)
	for path, want := range map[string]string{
		devicesPath:                                                        "deviceManagement/managedDevices",
		strings.ToUpper(devicesPath):                                       "deviceManagement/managedDevices",
		devicesPath + "/" + deviceID:                                       "deviceManagement/managedDevices/$entity",
		devicesPath + "('" + deviceID + "')":                               "deviceManagement/managedDevices/$entity",
		devicesPath + "?$select=id":                                        "deviceManagement/managedDevices(id)",
		devicesPath + "/" + deviceID + "?$select=id,deviceName":            "deviceManagement/managedDevices(id,deviceName)/$entity",
		"/v1.0/Users/anna%23EXT%23@contoso.com/manageddevices":             "users('anna%23EXT%23%40contoso.com')/managedDevices",
		"/v1.0/users('anna%20id')/managedDevices":                          "users('anna%20id')/managedDevices",
		"/v1.0/users('anna%20id')/managedDevices('anna''s')":               "users('anna%20id')/managedDevices/$entity",
		"/v1.0/users/o'hara@contoso.com/managedDevices":                    "users('o%27%27hara%40contoso.com')/managedDevices",
		"/v1.0/me/managedDevices":                                          "users('anna%20id')/managedDevices",
		appsPath:                                                           "deviceManagement/detectedApps",
		appsPath + "/" + appID:                                             "deviceManagement/detectedApps/$entity",
		"/v1.0/devicemanagement/DETECTEDAPPS/" + appID + "/manageddevices": "deviceManagement/detectedApps('" + appID + "')/managedDevices",
		partnersPath:                 "deviceManagement/remoteAssistancePartners",
		partnersPath + "/" + partner: "deviceManagement/remoteAssistancePartners/$entity",
	} {
		path = strings.Replace(path, "/V1.0/", "/v1.0/", 1)
		var change []func(*http.Request)
		if strings.HasPrefix(path, "/v1.0/me/") {
			change = append(change, me)
		}
		r := send(t, inProcess(tenant), http.MethodGet, graph+path, "", change...)
		if got := r.json(t)["@odata.context"]; got != graph+"/v1.0/$metadata#"+want {
			t.Errorf("%s: %d, context %v", path, r.status, got)
		}
	}
}

// [R] The headers of recorded answers.
func TestHeaders(t *testing.T) {
	t.Parallel()
	throughEveryDoor(t, nil, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
		ref := populate(tenant)
		for _, c := range []struct{ method, path, oDataVersion string }{
			{http.MethodGet, devicesPath, "4.0"},
			{http.MethodPost, "/v1.0" + ref.String() + action, "4.0"},
			{http.MethodGet, devicesPath + "/gone", ""},
			{http.MethodGet, "/v1.0/groups", ""},
		} {
			h := send(t, client, c.method, root+c.path, "").header
			for name, want := range map[string]string{
				"OData-Version": c.oDataVersion, "Strict-Transport-Security": "max-age=31536000", "Vary": "Accept-Encoding",
				"Cache-Control": "no-cache", "WWW-Authenticate": "",
			} {
				if got := h.Get(name); got != want {
					t.Errorf("%s %s: %s %q, want %q", c.method, c.path, name, got, want)
				}
			}
		}
		const want = `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", ` +
			`client_id="00000003-0000-0000-c000-000000000000"`
		r := send(t, client, http.MethodGet, root+devicesPath, "", header("Authorization", ""))
		if r.status != http.StatusUnauthorized || r.header.Get("WWW-Authenticate") != want {
			t.Errorf("no token: %d, %v", r.status, r.header)
		}
		tenant.Inject(intunetest.Fault{
			Status: http.StatusUnauthorized, Code: "Unauthorized", Message: "no", Header: http.Header{"Www-Authenticate": {"Bearer own"}},
		})
		if r := send(t, client, http.MethodGet, root+devicesPath, ""); r.header.Get("WWW-Authenticate") != "Bearer own" {
			t.Errorf("a fault with a challenge of its own: %v", r.header)
		}
	})
}
