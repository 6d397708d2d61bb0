package intunetest_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

var quiet = log.New(io.Discard, "", 0)

const (
	deviceID = "705c034c-034c-705c-4c03-5c704c035c70"
	userID   = "87d349ed-44d7-43e1-9a83-5f2406dee5bd"
	guest    = "anna_fabrikam.com#EXT#@contoso.com"
	appID    = "0000d1b2c3"
	action   = "/requestRemoteAssistance"
)

func populate(tenant *intunetest.Tenant, scripts ...intunetest.SessionScript) intune.DeviceRef {
	ref := tenant.AddDevice(intune.ManagedDevice{ID: deviceID, DeviceName: "DESKTOP-1", UserID: userID, UserPrincipalName: guest}, scripts...)
	tenant.AddDevice(intune.ManagedDevice{ID: "other", DeviceName: "DESKTOP-2", UserPrincipalName: "o'hara@contoso.com"})
	tenant.AddDevice(intune.ManagedDevice{ID: "odd", UserPrincipalName: "$ky@contoso.com"})
	tenant.AddDetectedApp(intune.DetectedApp{ID: appID, DisplayName: "Notepad"}, ref)
	return ref
}

// C§1.1, C§3.4, C§10.2: the three addresses, in every spelling that resolves.
func TestActionAtEveryAddress(t *testing.T) {
	t.Parallel()
	paths := map[string]string{ // to the device that is asked
		"/v1.0/deviceManagement/managedDevices/" + deviceID:                                                                  deviceID,
		"/v1.0/deviceManagement/managedDevices('" + deviceID + "')":                                                          deviceID,
		"/v1.0/deviceManagement/managedDevices%28%27" + deviceID + "%27%29":                                                  deviceID,
		"/V1.0/DEVICEMANAGEMENT/manageddevices/" + strings.ToUpper(deviceID):                                                 deviceID,
		"/v1.0/users/" + userID + "/managedDevices/" + deviceID:                                                              deviceID,
		"/v1.0/users/" + strings.ToUpper(userID) + "/managedDevices/" + deviceID:                                             deviceID,
		"/v1.0/users/anna_fabrikam.com%23EXT%23@contoso.com/managedDevices/" + deviceID:                                      deviceID,
		"/v1.0/users/ANNA_fabrikam.com%23ext%23%40contoso.com/managedDevices/" + deviceID:                                    deviceID,
		"/v1.0/users('anna_fabrikam.com%23EXT%23@contoso.com')/managedDevices('" + deviceID + "')":                           deviceID,
		"/v1.0/users/o'hara@contoso.com/managedDevices/other":                                                                "other",
		"/v1.0/users('o''hara@contoso.com')/managedDevices/other":                                                            "other",
		"/v1.0/users(%27o%27%27hara@contoso.com%27)/managedDevices/other":                                                    "other",
		"/v1.0/users('$ky@contoso.com')/managedDevices/odd":                                                                  "odd",
		"/v1.0/deviceManagement/detectedApps/" + appID + "/managedDevices/" + deviceID:                                       deviceID,
		"/v1.0/deviceManagement/detectedApps('" + appID + "')/managedDevices('" + deviceID + "')":                            deviceID,
		"/v1.0/deviceManagement/detectedApps/" + appID + "/managedDevices/x/users/" + userID + "/managedDevices/" + deviceID: deviceID,
	}
	for path, asked := range paths {
		// The last address of the reference page passes through a device that is not looked at, and the app decides.
		for _, name := range []string{action, "/microsoft.graph.requestRemoteAssistance", strings.ToLower(action), action + "/"} {
			for _, body := range []string{"", "{}", `{"unknown":[1]}`} {
				t.Run(path+name+" "+body, func(t *testing.T) {
					t.Parallel()
					tenant := intunetest.NewTenant(nil)
					populate(tenant)
					r := send(t, inProcess(tenant), http.MethodPost, graph+path+name, body)
					if r.status != http.StatusNoContent || r.body != "" {
						t.Errorf("got %d %q", r.status, r.body)
					}
					if got := r.header.Get("Content-Type"); got != "" {
						t.Errorf("Content-Type %s", got)
					}
					if n := tenant.Prompts(intune.Device(asked)); n != 1 || tenant.TotalPrompts() != 1 {
						t.Errorf("%d prompts, %d in all, want 1", n, tenant.TotalPrompts())
					}
				})
			}
		}
	}
}

// Prompts counts by device, whichever address was used and asked for.
func TestPromptsCountOverAddresses(t *testing.T) {
	t.Parallel()
	throughEveryDoor(t, nil, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
		ref := populate(tenant)
		for _, address := range []intune.DeviceRef{ref, intune.UserDevice(guest, deviceID), intune.DetectedAppDevice(appID, deviceID)} {
			if r := send(t, client, http.MethodPost, root+"/v1.0"+address.String()+action, ""); r.status != http.StatusNoContent {
				t.Fatalf("%s: %d %s", address, r.status, r.body)
			}
		}
		for _, ref := range []intune.DeviceRef{ref, intune.UserDevice("x", strings.ToUpper(deviceID)), intune.DetectedAppDevice("x", deviceID)} {
			if n := tenant.Prompts(ref); n != 3 {
				t.Errorf("%s: %d prompts, want 3", ref, n)
			}
		}
		tenant.RemoveDevice(ref)
		r := send(t, client, http.MethodPost, root+"/v1.0"+ref.String()+action, "")
		if r.status != http.StatusNotFound || tenant.Prompts(ref) != 3 {
			t.Errorf("after removal: %d, %d prompts", r.status, tenant.Prompts(ref))
		}
	})
}

// C§6.1: the headers that every answer has.
func TestEveryAnswerIsIdentified(t *testing.T) {
	t.Parallel()
	throughEveryDoor(t, nil, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
		ref := populate(tenant)
		seen := map[string]bool{}
		for _, c := range []struct {
			method, path string
			status       int
		}{
			{http.MethodPost, "/v1.0" + ref.String() + action, http.StatusNoContent},
			{http.MethodGet, "/v1.0" + ref.String(), http.StatusOK},
			{http.MethodGet, "/v1.0" + ref.String() + action, http.StatusMethodNotAllowed},
			{http.MethodGet, "/v9.9" + ref.String(), http.StatusNotFound},
		} {
			for _, sent := range []string{own, ""} {
				r := send(t, client, c.method, root+c.path, "", header("client-request-id", sent))
				id := r.header.Get("request-id")
				if r.status != c.status {
					t.Errorf("%s %s: %d, want %d", c.method, c.path, r.status, c.status)
				}
				if !guid.MatchString(id) || seen[id] {
					t.Errorf("%s %s: request-id %q, seen before: %v", c.method, c.path, id, seen[id])
				}
				seen[id] = true
				want := own
				if sent == "" {
					want = id
				}
				if got := r.header.Get("client-request-id"); got != want {
					t.Errorf("%s %s: client-request-id %q, want %q", c.method, c.path, got, want)
				}
				_, err := http.ParseTime(r.header.Get("Date"))
				if err != nil || !strings.Contains(r.header.Get("x-ms-ags-diagnostic"), `"DataCenter"`) {
					t.Errorf("%s %s: %v", c.method, c.path, r.header)
				}
				if r.status >= 400 {
					inner := r.envelope(t).Error.InnerError
					if inner.RequestID != id || inner.ClientRequestID != want {
						t.Errorf("%s %s: innerError %+v", c.method, c.path, inner)
					}
					if _, err := time.Parse("2006-01-02T15:04:05", inner.Date); err != nil {
						t.Errorf("%s %s: date of the innerError: %v", c.method, c.path, err)
					}
				}
			}
		}
	})
}

// Graph reads the body of an action although it has no parameters: what is no JSON is refused, and nobody is asked.
// [R] The text of the refusal is the one users quote.
func TestActionRefusesMalformedJSON(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	ref := populate(tenant)
	for _, body := range []string{"not even JSON", "{", `{"a":1}}`, "{'a':1}"} {
		r := send(t, inProcess(tenant), http.MethodPost, graph+"/v1.0"+ref.String()+action, body)
		got := r.refusal(t)
		if got.status != http.StatusBadRequest || got.code != "BadRequest" {
			t.Errorf("%q: %+v", body, got)
		}
		if want := "Unable to read JSON request payload."; !strings.HasPrefix(got.message, want) {
			t.Errorf("%q: message %q, want %q…", body, got.message, want)
		}
	}
	if n := tenant.TotalPrompts(); n != 0 {
		t.Errorf("%d prompts", n)
	}
}

// [R] A request of chunks is accepted: the page of the 411 itself says "must be chunked or have a content length".
func TestChunkedPostIsAccepted(t *testing.T) {
	t.Parallel()
	throughEveryDoor(t, nil, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
		ref := populate(tenant)
		for body, length := range map[string]int64{"": -1, "{}": 0} {
			r := send(t, client, http.MethodPost, root+"/v1.0"+ref.String()+action, "", func(req *http.Request) {
				req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), length
			})
			if r.status != http.StatusNoContent {
				t.Errorf("%q: %d %q", body, r.status, r.body)
			}
		}
		if n := tenant.Prompts(ref); n != 2 {
			t.Errorf("%d prompts, want 2", n)
		}
	})
}

// C§7.4, sreeise/graph-rs-sdk #525 [R]: a POST that has neither a length nor chunks is refused by the front end, before
// anything else looks at it. Go's own client cannot send one.
func TestPostWithoutAnyLengthIs411(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	ref := populate(tenant)
	server := httptest.NewTLSServer(tenant)
	t.Cleanup(server.Close)
	for _, c := range []struct {
		length, body string
		want         int
	}{
		{"", "", http.StatusLengthRequired},
		{"Content-Length: 0\r\n", "", http.StatusNoContent},
		{"Transfer-Encoding: chunked\r\n", "0\r\n\r\n", http.StatusNoContent},
	} {
		conn, err := tls.Dial("tcp", server.Listener.Addr().String(), server.Client().Transport.(*http.Transport).TLSClientConfig)
		if err != nil {
			t.Fatal(err)
		}
		const format = "POST /v1.0%s%s HTTP/1.1\r\nHost: graph.microsoft.com\r\nAuthorization: Bearer x\r\n%s\r\n%s"
		fmt.Fprintf(conn, format, ref, action, c.length, c.body)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(resp.Body)
		conn.Close()
		if err != nil || resp.StatusCode != c.want {
			t.Errorf("with %q: %d, want %d (%v)", c.length, resp.StatusCode, c.want, err)
		}
		if c.want != http.StatusLengthRequired {
			continue
		}
		form := resp.Header.Get("Content-Type")
		if !strings.HasPrefix(form, "text/html") || !strings.Contains(string(page), "<h2>Length Required</h2>") {
			t.Errorf("got %s %q", form, page)
		}
	}
	// A handler test without a server has no headers to look for.
	recorder := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodPost, graph+"/v1.0"+ref.String()+action, nil)
	request.Header.Set("Authorization", "Bearer x")
	tenant.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusNoContent {
		t.Errorf("in a recorder: %d", recorder.Code)
	}
}

// The library's addresses are the tenant's.
func TestLibraryAtEveryAddress(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	populate(tenant)
	client := tenant.Client()
	for _, ref := range []intune.DeviceRef{
		intune.Device(deviceID), intune.UserDevice(guest, deviceID), intune.UserDevice("$ky@contoso.com", "odd"),
		intune.UserDevice("o'hara@contoso.com", "other"), intune.DetectedAppDevice(appID, deviceID),
	} {
		response, err := client.RequestRemoteAssistance(t.Context(), ref, nil)
		if err != nil || !guid.MatchString(response.RequestID) {
			t.Errorf("%s: %+v, %v", ref, response, err)
		}
	}
	if n := tenant.TotalPrompts(); n != 5 {
		t.Errorf("%d prompts", n)
	}
}
