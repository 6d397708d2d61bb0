package intune_test

import (
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
)

// A user's name may hold any character, and arrives as it is.
func TestEveryCharacterOfAnAddressArrives(t *testing.T) {
	t.Parallel()
	var sent *http.Request
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		sent = req
		return answer(req, http.StatusNoContent, nil, ""), nil
	}))
	arrived := 0
	for c := rune(' '); c < 0x180; c++ {
		user := "x" + string(c) + "y"
		sent = nil
		_, err := client.RequestRemoteAssistance(t.Context(), intune.UserDevice(user, "d1"), nil)
		if errors.Is(err, intune.ErrInvalidArgument) && sent == nil {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		arrived++
		segments := strings.Split(sent.URL.EscapedPath(), "/")
		if got, err := url.PathUnescape(segments[3]); err != nil || got != user || len(segments) != 7 || sent.URL.RawQuery != "" || sent.URL.Fragment != "" || sent.URL.Host != "graph.microsoft.com" {
			t.Errorf("%q went to %s", user, sent.URL)
		}
	}
	if arrived < 200 {
		t.Errorf("%d characters arrived", arrived)
	}
}

// What a transport gets is a request as net/http makes it.
func TestRequestAsATransportGetsIt(t *testing.T) {
	t.Parallel()
	var sent *http.Request
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		sent = req
		return answer(req, http.StatusNoContent, nil, ""), nil
	}), func(o *intune.ClientOptions) { o.APIVersion = "v1.0" })
	if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("d1"), nil); err != nil {
		t.Fatal(err)
	}
	if sent.Proto != "HTTP/1.1" || !sent.ProtoAtLeast(1, 1) || sent.ProtoAtLeast(1, 2) || sent.Host != "graph.microsoft.com" {
		t.Errorf("protocol %q %d.%d, host %q", sent.Proto, sent.ProtoMajor, sent.ProtoMinor, sent.Host)
	}
	if got := sent.URL.String(); got != "https://graph.microsoft.com/v1.0/deviceManagement/managedDevices/d1/requestRemoteAssistance" {
		t.Errorf("sent to %s, with APIVersion given", got)
	}
}

// Microsoft's support finds a call by its id, which is a random GUID of version 4.
func TestClientRequestIDs(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	client := newClient(t, transportFunc(says(204, "")))
	seen := map[string]bool{}
	for range 64 {
		response, err := client.RequestRemoteAssistance(t.Context(), intune.Device("d1"), nil)
		id := response.ClientRequestID
		if err != nil || !form.MatchString(id) {
			t.Fatalf("id %q, error %v", id, err)
		}
		for _, part := range []string{id[:8], id[24:]} {
			if seen[part] {
				t.Errorf("the part %s came before", part)
			}
			seen[part] = true
		}
	}
}

// A policy may take the id away; the service then gives one of its own.
func TestClientRequestIDOfTheService(t *testing.T) {
	t.Parallel()
	for name, left := range map[string][]string{"no header": nil, "no value": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, transportFunc(says(204, "", "Client-Request-Id", "of the service")), func(o *intune.ClientOptions) {
				o.PerRetryPolicies = []policy.Policy{rewrite(func(req *http.Request) {
					delete(req.Header, "Client-Request-Id")
					if left != nil {
						req.Header["Client-Request-Id"] = left
					}
				})}
			})
			if response, err := client.RequestRemoteAssistance(t.Context(), intune.Device("d1"), nil); err != nil || response.ClientRequestID != "of the service" {
				t.Errorf("got %q, %v", response.ClientRequestID, err)
			}
		})
	}
}

// The list goes on under the service's own address of the user, which quotes the name.
func TestUserInANextLinkIsHidden(t *testing.T) {
	t.Parallel()
	const user = "o'brien@contoso.com"
	for name, at := range map[string]string{"quoted": "/users('o''brien@contoso.com')/managedDevices", "a segment": "/users/o%27brien@contoso.com/managedDevices"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, reads(
				says(200, `{"value":[],"@odata.nextLink":"https://graph.microsoft.com/v1.0`+at+`?$skiptoken=x"}`),
				says(404, `{"error":{"code":"ResourceNotFound","message":"Resource '`+user+`' does not exist."}}`),
			), noRetries)
			failures := 0
			for _, err := range client.Devices(t.Context(), intune.UserDevices(user), nil) {
				if e := asError(t, err); e.StatusCode != 404 || strings.Contains(e.Error(), "brien") || strings.Contains(e.Message, "brien") {
					t.Errorf("got %v", err)
				}
				failures++
			}
			if failures != 1 {
				t.Errorf("%d failures", failures)
			}
		})
	}
}

// Every method that gives an answer of the service says which request it belongs to.
func TestEveryResponseHasTheIDsOfItsRequest(t *testing.T) {
	t.Parallel()
	body := `{"id":"1","displayName":"TeamViewer","remoteAssistanceSessionUrl":null,"remoteAssistanceSessionErrorDetails":null}`
	status := func(status int, body string) transportFunc {
		return func(req *http.Request) (*http.Response, error) {
			return answer(req, status, http.Header{"Request-Id": {"at-microsoft-" + req.Header.Get("Client-Request-Id")}}, body), nil
		}
	}
	read := newClient(t, status(http.StatusOK, body))
	list := newClient(t, status(http.StatusOK, `{"value":[]}`))
	act := newClient(t, status(http.StatusNoContent, ""))
	ctx, partner := t.Context(), intune.RemoteAssistancePartner{DisplayName: "TeamViewer"}
	device := intune.Device("1")
	type outcome struct {
		response any
		err      error
	}
	of := func(response any, err error) outcome { return outcome{response, err} }
	outcomes := map[string]outcome{
		"RequestRemoteAssistance":              of(act.RequestRemoteAssistance(ctx, device, nil)),
		"GetRemoteAssistanceSession":           of(read.GetRemoteAssistanceSession(ctx, device, nil)),
		"GetDevice":                            of(read.GetDevice(ctx, device, nil)),
		"NewListDevicesPager":                  of(list.NewListDevicesPager(intune.AllDevices(), nil).NextPage(ctx)),
		"NewListDetectedAppsPager":             of(list.NewListDetectedAppsPager(nil).NextPage(ctx)),
		"NewListRemoteAssistancePartnersPager": of(list.NewListRemoteAssistancePartnersPager(nil).NextPage(ctx)),
		"GetRemoteAssistancePartner":           of(read.GetRemoteAssistancePartner(ctx, "1", nil)),
		"CreateRemoteAssistancePartner":        of(read.CreateRemoteAssistancePartner(ctx, partner, nil)),
		"UpdateRemoteAssistancePartner":        of(read.UpdateRemoteAssistancePartner(ctx, "1", partner, nil)),
		"DeleteRemoteAssistancePartner":        of(act.DeleteRemoteAssistancePartner(ctx, "1", nil)),
		"OnboardRemoteAssistancePartner":       of(act.OnboardRemoteAssistancePartner(ctx, "1", nil)),
		"DisconnectRemoteAssistancePartner":    of(act.DisconnectRemoteAssistancePartner(ctx, "1", nil)),
		"NewListAuditEventsPager":              of(list.NewListAuditEventsPager(nil).NextPage(ctx)),
	}
	for method := range reflect.TypeFor[*intune.Client]().Methods() {
		result := method.Type.Out(0).String()
		if _, ok := outcomes[method.Name]; !ok && (strings.HasSuffix(result, "Response") || strings.HasPrefix(result, "*runtime.Pager[")) {
			t.Errorf("method %s has no case here", method.Name)
		}
	}
	for name, got := range outcomes {
		if got.err != nil {
			t.Errorf("%s: %v", name, got.err)
			continue
		}
		response := reflect.ValueOf(got.response)
		request, client := response.FieldByName("RequestID").String(), response.FieldByName("ClientRequestID").String()
		if len(client) != 36 || request != "at-microsoft-"+client {
			t.Errorf("%s: ids %q and %q", name, request, client)
		}
	}
}
