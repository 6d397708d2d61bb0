package intunetest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// unmodeled is what the package documents to answer a request to a part of Graph that it does not have.
func unmodeled(request string) string {
	return "intunetest: the tenant does not model " + request + "; it serves what package intune uses of Graph v1.0"
}

// noRoute is what Intune answers to a verb that it does not have at an address.
func noRoute(template, verb, address string) string {
	return "No OData route exists that match template " + template + " with http verb " + verb + " for request " +
		"/StatelessDeviceFEService/" + address + "."
}

// C§6.2, C§10.2: what answers a path that leads nowhere. Where the kit does not know all that Graph has, it says that
// it does not model the route; only below devices, apps and partners, which it knows, is a path wrong.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const devices = "/v1.0/deviceManagement/managedDevices/"
	for _, c := range []struct {
		name, method, path string
		status             int
		code, message      string // of the envelope; message "" means nested
	}{
		{"no version", "GET", "/deviceManagement/managedDevices", 404, "ResourceNotFound", "Invalid version: deviceManagement"},
		{"wrong version", "GET", "/v2.0/deviceManagement/managedDevices", 404, "ResourceNotFound", "Invalid version: v2.0"},
		{"nothing", "GET", "/", 404, "ResourceNotFound", "Invalid version: "},
		{
			"beta is not modeled", "GET", "/beta/deviceManagement/managedDevices", 501, "NotImplemented",
			unmodeled("GET /beta/deviceManagement/managedDevices"),
		},
		{"unknown root", "GET", "/v1.0/devicemanagment", 501, "NotImplemented", unmodeled("GET /v1.0/devicemanagment")},
		{"metadata", "GET", "/v1.0/$metadata", 501, "NotImplemented", unmodeled("GET /v1.0/$metadata")},
		{
			"other part of Intune", "GET", "/v1.0/deviceManagement/deviceConfigurations/1", 501, "NotImplemented",
			unmodeled("GET /v1.0/deviceManagement/deviceConfigurations/1"),
		},
		{
			"other part of Intune, in parentheses", "POST", "/v1.0/deviceManagement/deviceConfigurations('1')/assign", 501,
			"NotImplemented", unmodeled("POST /v1.0/deviceManagement/deviceConfigurations('1')/assign"),
		},
		{"deviceManagement itself", "GET", "/v1.0/deviceManagement", 501, "NotImplemented", unmodeled("GET /v1.0/deviceManagement")},
		{
			"a user's mail", "GET", "/v1.0/users/" + userID + "/messages", 501, "NotImplemented",
			unmodeled("GET /v1.0/users/" + userID + "/messages"),
		},
		{"my mail", "GET", "/v1.0/me/messages", 501, "NotImplemented", unmodeled("GET /v1.0/me/messages")},
		{
			"an audit event", "GET", "/v1.0/deviceManagement/auditEvents/1", 501, "NotImplemented",
			unmodeled("GET /v1.0/deviceManagement/auditEvents/1"),
		},
		{
			"an audit event, in parentheses", "GET", "/v1.0/deviceManagement/auditEvents('1')/actor", 501, "NotImplemented",
			unmodeled("GET /v1.0/deviceManagement/auditEvents('1')/actor"),
		},
		{
			"number of audit events", "GET", "/v1.0/deviceManagement/auditEvents/$count", 501, "NotImplemented",
			unmodeled("GET /v1.0/deviceManagement/auditEvents/$count"),
		},
		{"number of users", "GET", "/v1.0/users/$count", 501, "NotImplemented", unmodeled("GET /v1.0/users/$count")},
		{
			"a function", "GET", "/v1.0/deviceManagement/auditEvents/getAuditCategories()", 501, "NotImplemented",
			unmodeled("GET /v1.0/deviceManagement/auditEvents/getAuditCategories()"),
		},
		{
			"a function with a parameter", "GET", "/v1.0/deviceManagement/getEffectivePermissions(scope='x')", 501, "NotImplemented",
			unmodeled("GET /v1.0/deviceManagement/getEffectivePermissions(scope='x')"),
		},
		{"a property", "GET", devices + deviceID + "/deviceName", 501, "NotImplemented", unmodeled("GET " + devices + deviceID + "/deviceName")},
		{
			"value of a property", "GET", partnersPath + "/1/displayName/$value", 501, "NotImplemented",
			unmodeled("GET " + partnersPath + "/1/displayName/$value"),
		},
		{
			"property of an app", "GET", appsPath + "/" + appID + "/version", 501, "NotImplemented",
			unmodeled("GET " + appsPath + "/" + appID + "/version"),
		},
		{
			"other action below an app", "POST", appsPath + "/" + appID + "/managedDevices/" + deviceID + "/wipe", 501, "NotImplemented",
			unmodeled("POST " + appsPath + "/" + appID + "/managedDevices/" + deviceID + "/wipe"),
		},
		{
			"mail of a device's user", "GET", appsPath + "/" + appID + "/managedDevices/" + deviceID + "/users/" + userID + "/messages",
			501, "NotImplemented",
			unmodeled("GET " + appsPath + "/" + appID + "/managedDevices/" + deviceID + "/users/" + userID + "/messages"),
		},
		{"nothing below an app", "GET", appsPath + "/" + appID + "/nothing", 400, "BadRequest", "Resource not found for the segment 'nothing'."},
		{"an empty segment", "GET", "/v1.0/deviceManagement//managedDevices", 400, "BadRequest", "Resource not found for the segment ''."},
		{"unknown segment", "GET", devices + deviceID + "/detectedApps", 400, "BadRequest", "Resource not found for the segment 'detectedApps'."},
		{
			"unknown action", "POST", devices + deviceID + "/requestAssistance", 400, "BadRequest",
			"Resource not found for the segment 'requestAssistance'.",
		},
		{"after the action", "POST", devices + deviceID + action + "/x", 400, "BadRequest", "Resource not found for the segment 'x'."},
		{
			"no id", "POST", "/v1.0/deviceManagement/managedDevices//requestRemoteAssistance", 400, "BadRequest",
			"Resource not found for the segment ''.",
		},
		{"system segment", "GET", devices + "$ref", 400, "BadRequest", "Resource not found for the segment '$ref'."},
		// [R] verified against a live tenant: github.com/rknightion/graph2otel.
		{
			"$count", "GET", devices + "$count", 400, "No method match route template",
			noRoute("~/singleton/navigation/$count", "GET", "deviceManagement/managedDevices/$count"),
		},
		{
			"$count of a user's", "GET", "/v1.0/users/" + userID + "/managedDevices/$count", 400, "No method match route template",
			noRoute("~/entityset/key/navigation/$count", "GET", "users('"+userID+"')/managedDevices/$count"),
		},
		{"below $count", "GET", devices + "$count/x", 400, "BadRequest", "Resource not found for the segment '$count'."},
		{
			"dollar name without parentheses", "GET", "/v1.0/users/$ky@contoso.com/managedDevices", 400, "BadRequest",
			"Resource not found for the segment '$ky@contoso.com'.",
		},
		{
			"quotes not doubled", "GET", "/v1.0/users('o'hara@contoso.com')/managedDevices", 400, "BadRequest",
			"Resource not found for the segment 'users('o'hara@contoso.com')'.",
		},
		{
			"parentheses without quotes", "GET", "/v1.0/deviceManagement/managedDevices(" + deviceID + ")", 400, "BadRequest",
			"Resource not found for the segment 'managedDevices(" + deviceID + ")'.",
		},
		{
			"key of a singleton", "GET", "/v1.0/deviceManagement('1')/managedDevices", 400, "BadRequest",
			"Resource not found for the segment 'deviceManagement'.",
		},
		{
			"GET of the action", "GET", devices + deviceID + action, 405, "BadRequest",
			"Specified HTTP method is not allowed for the request target.",
		},
		{
			"no route", "PUT", devices + deviceID, 400, "No method match route template",
			noRoute("~/singleton/navigation/key", "PUT", "deviceManagement/managedDevices('"+deviceID+"')"),
		},
		{
			"device below an app", "GET", "/v1.0/deviceManagement/detectedApps/" + appID + "/managedDevices/" + deviceID, 400,
			"No method match route template",
			noRoute("~/singleton/navigation/key/navigation/key", "GET", "deviceManagement/detectedApps('"+appID+"')/managedDevices('"+deviceID+"')"),
		},
		{"other action", "POST", devices + deviceID + "/wipe", 501, "NotImplemented", unmodeled("POST " + devices + deviceID + "/wipe")},
		{"other method", "DELETE", devices + deviceID, 501, "NotImplemented", unmodeled("DELETE " + devices + deviceID)},
		{"unknown device", "POST", devices + "gone" + action, 404, "ResourceNotFound", ""},
		{"unknown device, GET", "GET", devices + "gone", 404, "ResourceNotFound", ""},
		{
			"unknown user", "POST", "/v1.0/users/nobody@contoso.com/managedDevices/" + deviceID + action, 404, "Request_ResourceNotFound",
			"Resource 'nobody@contoso.com' does not exist or one of its queried reference-property objects are not present.",
		},
		{"device of another user", "POST", "/v1.0/users/o'hara@contoso.com/managedDevices/" + deviceID + action, 404, "ResourceNotFound", ""},
		{
			"device without the app", "POST", "/v1.0/deviceManagement/detectedApps/" + appID + "/managedDevices/other" + action, 404,
			"ResourceNotFound", "",
		},
		{"unknown app", "POST", "/v1.0/deviceManagement/detectedApps/gone/managedDevices/" + deviceID + action, 404, "ResourceNotFound", ""},
		{"unknown app, GET", "GET", "/v1.0/deviceManagement/detectedApps/gone", 404, "ResourceNotFound", ""},
		{"unknown app's devices", "GET", "/v1.0/deviceManagement/detectedApps/gone/managedDevices", 404, "ResourceNotFound", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			throughEveryDoor(t, nil, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
				populate(tenant)
				r := send(t, client, c.method, root+c.path, "")
				e := r.envelope(t).Error
				if r.status != c.status || e.Code != c.code {
					t.Fatalf("got %d %s", r.status, r.body)
				}
				if c.message == "" {
					sentence := r.nested(t)
					if !strings.HasPrefix(sentence, "An error has occurred - Operation ID") || !trailer.MatchString(sentence) {
						t.Errorf("nested %q", sentence)
					}
				} else if e.Message != c.message {
					t.Errorf("got  %q\nwant %q", e.Message, c.message)
				}
				if n := tenant.TotalPrompts(); n != 0 {
					t.Errorf("%d prompts", n)
				}
			})
		})
	}
}

// Intune routes by verb and has none for HEAD (the text is that of [R] C§6.2); the answer to HEAD never has a body.
func TestHead(t *testing.T) {
	t.Parallel()
	throughEveryDoor(t, nil, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
		populate(tenant)
		device := devicesPath + "/" + deviceID
		for path, want := range map[string]int{devicesPath: 400, device: 400, device + action: 405, "/v1.0/groups": 501} {
			r := send(t, client, http.MethodHead, root+path, "")
			if r.status != want || r.body != "" {
				t.Errorf("%s: %d %q, want %d and no body", path, r.status, r.body, want)
			}
			if r.header.Get("request-id") == "" {
				t.Errorf("%s: no request-id in %v", path, r.header)
			}
		}
		if n := tenant.TotalPrompts(); n != 0 {
			t.Errorf("%d prompts", n)
		}
	})
}

// C§3.4: the action below an app may fail as the GET does; nobody knows, so it can be switched.
func TestRefuseDetectedAppAction(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{RefuseDetectedAppAction: true})
	populate(tenant)
	below := send(t, inProcess(tenant), http.MethodPost, graph+"/v1.0"+intune.DetectedAppDevice(appID, deviceID).String()+action, "")
	plain := send(t, inProcess(tenant), http.MethodPost, graph+"/v1.0"+intune.Device(deviceID).String()+action, "")
	if below.status != 400 || below.envelope(t).Error.Code != "No method match route template" {
		t.Errorf("below an app: %d %s", below.status, below.body)
	}
	if plain.status != 204 {
		t.Errorf("at its own address: %d %s", plain.status, plain.body)
	}
	expectPrompts(t, "both", tenant, 1)
}

// Accounts are known by both names, and by those of their devices.
func TestUsers(t *testing.T) {
	t.Parallel()
	for _, nameFirst := range []bool{false, true} {
		tenant := intunetest.NewTenant(nil)
		tenant.AddUser("", "")
		tenant.AddUser("id-1", "idle@contoso.com")
		if nameFirst {
			tenant.AddDevice(intune.ManagedDevice{ID: "1", UserPrincipalName: "late@contoso.com"})
		}
		tenant.AddUser("id-2", "")
		if !nameFirst {
			tenant.AddDevice(intune.ManagedDevice{ID: "1", UserPrincipalName: "late@contoso.com"})
		}
		tenant.AddUser("ID-2", "late@contoso.com")
		tenant.AddDevice(intune.ManagedDevice{ID: "2", UserID: "id-2"})
		for user, want := range map[string]int{"id-1": 0, "idle@contoso.com": 0, "ID-2": 2, "id-2": 2, "LATE@contoso.com": 2} {
			list := get(t, inProcess(tenant), graph+"/v1.0/users/"+user+"/managedDevices")
			if got := len(list["value"].([]any)); got != want {
				t.Errorf("%s: %d devices, want %d", user, got, want)
			}
		}
	}
}
