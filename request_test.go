package intune_test

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

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

// A partner's page, its next link, and answers without a body, as a proxy may rewrite a 204.
func TestAnswersAboutPartners(t *testing.T) {
	t.Parallel()
	page := says(200, `{"value":[{"id":"1","onboardingStatus":"onboarded"}],"@odata.nextLink":"https://graph.microsoft.com/v1.0/deviceManagement/remoteAssistancePartners?$skiptoken=x"}`)
	last := says(200, `{"value":[{"id":"2","onboardingStatus":"notOnboarded"},{"id":"3","onboardingStatus":"onboarding"}]}`)
	pager, found := newClient(t, reads(page, last)).NewListRemoteAssistancePartnersPager(nil), 0
	for pager.More() {
		got, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found += len(got.Value)
	}
	if found != 3 {
		t.Errorf("%d partners", found)
	}
	if state, err := newClient(t, reads(page, last)).RemoteAssistanceConnector(t.Context(), nil); err != nil || state != intune.ConnectorStateOnboarded {
		t.Errorf("got %s, %v", state, err)
	}
	empty := newClient(t, transportFunc(says(200, "")))
	for _, method := range []string{"DeleteRemoteAssistancePartner", "OnboardRemoteAssistancePartner", "DisconnectRemoteAssistancePartner"} {
		if err := spanned[method](t.Context(), empty); err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
	for body, code := range map[string]int{"": 200, " ": 204, `{"id":"1"`: 200, `{"id":"1"} x`: 200, `{"displayName":"x"}`: 200} {
		got, err := newClient(t, transportFunc(says(code, strings.TrimSpace(body)))).GetRemoteAssistancePartner(t.Context(), "1", nil)
		if err == nil || got.ID != "" || asError(t, err).StatusCode != code {
			t.Errorf("%d with %q is %v, %v", code, body, got, err)
		}
	}
}

// The audience of a token is a text or a list.
func TestAudienceOfAToken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		aud  any
		want string
	}{
		"text": {"a", "a"}, "list": {[]string{"a", "b"}, "a"}, "list of one": {[]string{"a"}, "a"}, "empty list": {[]string{}, ""}, "number": {1, ""}, "list of numbers": {[]int{1}, ""}, "none": {nil, ""},
	} {
		info, err := clientOf(t, intune.StaticToken(jwt(map[string]any{"aud": c.aud, "scp": "s"})), transportFunc(noConnection)).TokenInfo(t.Context())
		if err != nil || info.Audience != c.want {
			t.Errorf("%s: %q, %v", name, info.Audience, err)
		}
	}
}
