package intune_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-intune/intune"
)

// The user of a user address is a name of a person: no error shows it, whoever quotes it in which form.
func TestUserStaysOutOfErrors(t *testing.T) {
	t.Parallel()
	quoted := func(form string) transportFunc {
		return func(req *http.Request) (*http.Response, error) {
			body := fmt.Sprintf(`{"error":{"code":"Not found: %[1]s","message":"Resource '%[1]s' does not exist","target":"%[1]s","details":[{"code":"%[1]s"}]}}`, form)
			return answer(req, http.StatusNotFound, http.Header{"Request-Id": {"for " + form}}, body), nil
		}
	}
	for user, forms := range map[string][]string{
		"anna@contoso.com":                  {"anna@contoso.com", "Anna@Contoso.com", "anna%40contoso.com", "anna%40Contoso.COM", "/users/anna@contoso.com/managedDevices"},
		"$anna@contoso.com":                 {"$anna@contoso.com", "%24anna%40contoso.com", "users('$anna@contoso.com')"},
		"anna_fabrikam#EXT#@contoso.com":    {"anna_fabrikam#EXT#@contoso.com", "anna_fabrikam%23EXT%23@contoso.com"},
		"anna.o'hara@contoso.com":           {"anna.o'hara@contoso.com", "anna.o''hara@contoso.com", "anna.o%27hara%40contoso.com"},
		"Anna-c0ffee-object-id-of-somebody": {"anna-C0FFEE-object-id-of-somebody"},
	} {
		steps := map[string]transportFunc{
			"path of the transport's error": func(req *http.Request) (*http.Response, error) {
				return nil, &url.Error{Op: "Post", URL: req.URL.String(), Err: fmt.Errorf("at %s: %w", req.URL, io.ErrUnexpectedEOF)}
			},
			"path in a text": func(req *http.Request) (*http.Response, error) {
				return nil, errors.New("no route to " + req.URL.RequestURI())
			},
		}
		for _, form := range forms {
			steps[form] = quoted(form)
		}
		for name, step := range steps {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				client := newClient(t, step, noRetries)
				device := intune.UserDevice(user, "1")
				_, write := client.RequestRemoteAssistance(t.Context(), device, nil)
				_, read := client.GetRemoteAssistanceSession(t.Context(), device, nil)
				_, list := client.NewListDevicesPager(intune.UserDevices(user), nil).NextPage(t.Context())
				for _, err := range []error{write, read, list} {
					e := asError(t, err)
					shown := fmt.Sprintf("%v %+v %#v %s %q %+v %s", err, err, err, e.Message, e.Target, e.Details, e.RequestID)
					if failed, ok := errors.AsType[*url.Error](err); ok {
						shown += failed.URL + failed.Error()
					}
					if strings.Contains(strings.ToLower(shown), "anna") {
						t.Errorf("the user shows in %s", shown)
					}
				}
			})
		}
	}
}

// A token that is no JSON web token is told only by comparing.
func TestOwnTokenStaysOutOfErrors(t *testing.T) {
	t.Parallel()
	for _, code := range []int{400, 401, 403, 500} {
		client := newClient(t, always(code, `{"error":{"code":"InvalidAuthenticationToken","message":"The token opaque-token is malformed"}}`), noRetries)
		_, write := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
		_, read := client.GetDevice(t.Context(), intune.Device("1"), nil)
		for _, err := range []error{write, read} {
			if e := asError(t, err); strings.Contains(err.Error(), "opaque-token") || !strings.Contains(e.Message, "malformed") {
				t.Errorf("%d: %v", code, err)
			}
		}
	}
}

// Who asks for the text of an address gets the path with the user. Nothing else that prints one shows the user.
func TestUserShowsOnlyInTheTextOfAnAddress(t *testing.T) {
	t.Parallel()
	device, collection := intune.UserDevice("anna@contoso.com", "1"), intune.UserDevices("anna@contoso.com")
	if text := device.String(); text != "/users/anna@contoso.com/managedDevices/1" {
		t.Errorf("String: %s", text)
	}
	type inside struct {
		device     intune.DeviceRef
		collection intune.DeviceCollection
	}
	values := []any{
		collection, &collection,
		inside{device, collection},
		&inside{device, collection},
		[]inside{{device, collection}},
		map[string]inside{"a": {device, collection}},
		struct{ In intune.DeviceCollection }{collection},
		intune.FindDeviceOptions{In: collection},
	}
	shown := renderings(values...) + device.LogValue().String()
	failed, failedSession := &intune.Error{Device: device, StatusCode: 404}, &intune.SessionError{Device: device}
	pending := &intune.PendingError{Device: device, ResumeToken: `{"device":"/users/anna@contoso.com/managedDevices/1"}`}
	shown += fmt.Sprintf("%v %+v %#v %#v", pending, pending, pending, struct{ Err error }{pending})
	shown += fmt.Sprint(failed, failedSession, failed.LogValue())
	var more strings.Builder
	for _, value := range append(values, device, &device, struct{ Device intune.DeviceRef }{device}, failed, failedSession) {
		fmt.Fprintf(&more, "%#v %d", value, value)
	}
	shown += more.String()
	for _, user := range []string{"anna", fmt.Sprintf("%x", "anna"), fmt.Sprintf("%X", "anna")} {
		if at := strings.Index(shown, user); at >= 0 {
			t.Errorf("%q shows: …%s", user, shown[max(0, at-200):at+20])
		}
	}
	if text := fmt.Sprintf("%#v %#v", device, intune.Device("1")); text != "intune.DeviceRef(device 1 (user address)) intune.DeviceRef(device 1)" {
		t.Errorf("GoString: %s", text)
	}
}
