package intunetest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// exchange sends a request whose URL is taken as it is.
func exchange(t *testing.T, tenant *intunetest.Tenant, method string, address *url.URL) (int, []byte) {
	t.Helper()
	resp, err := tenant.RoundTrip(&http.Request{Method: method, URL: address, Header: http.Header{"Authorization": {"Bearer x"}}})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusNoContent && !json.Valid(body) {
		t.Errorf("%s %s: %d %q is no JSON", method, address, resp.StatusCode, body)
	}
	return resp.StatusCode, body
}

// Whatever the filter, the answer is a page or a refusal of the filter.
func FuzzFilter(f *testing.F) {
	for _, filter := range []string{
		"deviceName eq 'x'", "contains(deviceName,'x')", "(a eq 'b' or c eq 'd') and not x", "'", "''", "((", "))", ",", "eq eq eq",
		"contains(((", "lastSyncDateTime gt 2025",
		"azureADDeviceId eq 'x' and", "imei eq 'a' or imei eq 'b' or imei eq 'c'", "\x00\xff", "remoteAssistanceSessionUrl eq 'x'",
	} {
		f.Add(filter)
	}
	tenant := intunetest.NewTenant(nil)
	populate(tenant)
	f.Fuzz(func(t *testing.T, filter string) {
		address, err := url.Parse(devicesURL)
		if err != nil {
			t.Fatal(err)
		}
		address.RawQuery = "$filter=" + url.QueryEscape(filter)
		if status, body := exchange(t, tenant, http.MethodGet, address); status != http.StatusOK && status != http.StatusBadRequest {
			t.Errorf("%q: %d %s", filter, status, body)
		}
		address.RawQuery = filter
		if status, body := exchange(t, tenant, http.MethodGet, address); status != http.StatusOK && status != http.StatusBadRequest {
			t.Errorf("query %q: %d %s", filter, status, body)
		}
		tenant.ResetRequests()
	})
}

// Whatever the path, there is an answer, and only addresses of the device prompt its user.
func FuzzRoutes(f *testing.F) {
	for _, path := range []string{
		"", "/", "//", "/v1.0", "/v1.0/", "/v1.0//x", "/v1.0/users('a''b')/managedDevices/1" + action, "/v1.0/users(", "/v1.0/users(')",
		"/v1.0/users('')/x", "/v1.0/users/%27/managedDevices",
		"/v1.0/deviceManagement/managedDevices/" + deviceID + action, "/v1.0/deviceManagement/managedDevices/%2F/x",
		"/v1.0/deviceManagement/detectedApps/a/managedDevices/b/users/c/managedDevices/d" + action,
		"/v1.0/me/managedDevices", "/v1.0/$batch", "/v1.0/%zz", "/v1.0/.././..", "*", "/v1.0/microsoft.graph.users/x",
	} {
		f.Add(path)
	}
	tenant := intunetest.NewTenant(nil)
	populate(tenant)
	f.Fuzz(func(t *testing.T, path string) {
		before := tenant.TotalPrompts()
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			status, body := exchange(t, tenant, method, &url.URL{Scheme: "https", Host: "graph.microsoft.com", Opaque: path})
			if status < 200 || status > 599 {
				t.Errorf("%s %q: %d %s", method, path, status, body)
			}
			most := 0
			if method == http.MethodPost && status == http.StatusNoContent {
				most = 1
			}
			if asked := tenant.TotalPrompts() - before; asked > most {
				t.Errorf("%s %q: %d, and the user was asked %d times", method, path, status, asked)
			}
			before = tenant.TotalPrompts()
		}
		tenant.ResetRequests()
	})
}

// Whatever the request, its body is valid JSON, or there is none: but for the front end's page of a 411, which a client
// in process cannot get, the tenant writes nothing else.
func FuzzBodies(f *testing.F) {
	for _, seed := range []struct {
		method, path, query, body, encoding string
	}{
		{"GET", appsPath, "$select=nope", "", ""},
		{"GET", appsPath, "$select=id,displayName&$expand=managedDevices&$top=1&$skip=1", "", ""},
		{"GET", appsPath + "/" + appID, "$expand=managedDevices&$select=version", "", ""},
		{"GET", partnersPath, "$select=nope", "", ""},
		{"GET", auditPath, "$select=nope", "", ""},
		{"GET", auditPath, "$select=actor,resources&$filter=category%20eq%20'Device'&$top=1", "", ""},
		{"GET", devicesPath, "$select=deviceName&%24top=1&$skiptoken=x", "", ""},
		{"GET", devicesPath + "/" + deviceID, "$select=remoteAssistanceSessionUrl,iccid", "", ""},
		{"GET", "/v1.0/users/o'hara@contoso.com/managedDevices", "", "", ""},
		{"GET", "/v1.0/me/managedDevices", "", "", ""},
		{"POST", devicesPath + "/" + deviceID + action, "", "{}", "gzip"},
		{"POST", devicesPath + "/" + deviceID + action, "", `{"\u2028<\ud800>":1}`, ""},
		{"PATCH", partnersPath + "/x", "", `{"a\"b":1}`, "identity"},
		{
			"POST", batchPath, "",
			`{"requests":[{"id":1,"method":"GET","url":"/users/a"},{"id":"2","method":"GET","url":"/x","dependsOn":["1"]}]}`, "",
		},
		{"DELETE", partnersPath + "/\xff", "", "", "br"},
		{"HEAD", devicesPath, "", "", ""},
	} {
		f.Add(seed.method, seed.path, seed.query, seed.body, seed.encoding)
	}
	f.Fuzz(func(t *testing.T, method, path, query, body, encoding string) {
		tenant := intunetest.NewTenant(&intunetest.TenantOptions{PageSize: 2, KeepRequests: -1})
		populate(tenant)
		odd := tenant.AddDevice(intune.ManagedDevice{DeviceName: "\xff\"\u2028</script>", DeviceActionResults: []intune.DeviceActionResult{{}}})
		send(t, inProcess(tenant), http.MethodPost, graph+"/v1.0"+odd.String()+action, "") // leaves an audit event
		resp, err := tenant.RoundTrip(&http.Request{
			Method: method, URL: &url.URL{Scheme: "https", Host: "graph.microsoft.com", Opaque: path, RawQuery: query},
			Header: http.Header{"Authorization": {"Bearer x"}, "Content-Encoding": {encoding}},
			Body:   io.NopCloser(strings.NewReader(body)),
		})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if len(answer) == 0 && (method == http.MethodHead || resp.StatusCode == http.StatusNoContent) {
			return
		}
		if !json.Valid(answer) {
			t.Errorf("%s %s?%s %q: %d %q is no JSON", method, path, query, body, resp.StatusCode, answer)
		}
	})
}
