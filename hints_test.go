package intune_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
)

// A hint says nothing that is not so: the whole text, for the method that was called.
func TestHintsOfOperations(t *testing.T) {
	t.Parallel()
	const (
		read, manage         = "DeviceManagementManagedDevices.Read.All", "DeviceManagementManagedDevices.ReadWrite.All"
		readConn, manageConn = "DeviceManagementServiceConfig.Read.All", "DeviceManagementServiceConfig.ReadWrite.All"
		rightConn            = "Remote assistance connectors / Update"
	)
	for method, c := range map[string]struct{ permission, right, text string }{
		"GetRemoteAssistanceSession":           {read, "Managed devices / Read", "read the remote-assistance session on device 1"},
		"RequestRemoteAssistance":              {manage, "Remote tasks / Offer remote assistance", "request remote assistance on device 1"},
		"NewListRemoteAssistancePartnersPager": {readConn, "Remote assistance connectors / Read", "list remote-assistance partners"},
		"GetRemoteAssistancePartner":           {readConn, "Remote assistance connectors / Read", "read remote-assistance partner"},
		"CreateRemoteAssistancePartner":        {manageConn, rightConn, "create remote-assistance partner"},
		"UpdateRemoteAssistancePartner":        {manageConn, rightConn, "update remote-assistance partner"},
		"DeleteRemoteAssistancePartner":        {manageConn, rightConn, "delete remote-assistance partner"},
		"OnboardRemoteAssistancePartner":       {manageConn, rightConn, "begin onboarding of remote-assistance partner"},
		"DisconnectRemoteAssistancePartner":    {manageConn, rightConn, "disconnect remote-assistance partner"},
		"NewListAuditEventsPager":              {"DeviceManagementApps.Read.All", "Audit data / Read", "list audit events"},
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			exp := time.Now().Add(time.Hour).Unix()
			right := "the Intune role right " + c.right
			if strings.HasSuffix(c.text, "on device 1") {
				right += " for this device"
			}
			for _, token := range []struct {
				token, hint string
			}{
				{"opaque-token", "the caller may lack the permission " + c.permission + ", " + right + ", or an Intune license"},
				{jwt(map[string]any{"scp": "User.Read", "exp": exp}), "the token is delegated, with scopes User.Read; the operation needs " + c.permission},
				{jwt(map[string]any{"scp": c.permission, "exp": exp}), "the token is delegated, with scopes " + c.permission + "; the caller may lack " + right + ", or an Intune license; a new token does not help"},
				{jwt(map[string]any{"roles": []string{c.permission}, "exp": exp}), "the token is app-only, with roles " + c.permission + "; the app's service principal may lack " + right + ", or an Intune license; a new token does not help"},
				{jwt(map[string]any{"exp": exp}), "the token's claims cannot be read; the caller may lack the permission " + c.permission + ", " + right + ", or an Intune license"},
			} {
				err := spanned[method](t.Context(), clientOf(t, intune.StaticToken(token.token), transportFunc(says(403, ""))))
				if e := asError(t, err); e.Hint != token.hint {
					t.Errorf("hint %q, want %q", e.Hint, token.hint)
				} else if want := c.text + ": 403 Forbidden; hint: " + e.Hint + "; client request id ID"; withoutIDs(e.Error()) != want {
					t.Errorf("text %q, want %q", withoutIDs(e.Error()), want)
				}
			}
		})
	}
}

// Where a hint would mislead there is none, or another.
func TestHintsThatWouldMislead(t *testing.T) {
	t.Parallel()
	const unknown = "the service may have acted: read the device's session (GetRemoteAssistanceSession) before asking again, or the user is prompted twice"
	expired := jwt(map[string]any{"scp": "User.Read", "exp": time.Now().Add(-time.Hour).Unix()})
	for name, c := range map[string]struct {
		method string
		answer func(*http.Request) (*http.Response, error)
		token  string
		change func(*intune.ClientOptions)
		hint   string
	}{
		"no device":                {"GetRemoteAssistancePartner", says(404, ""), "opaque", nil, ""},
		"the service's own fault":  {"RequestRemoteAssistance", says(500, ""), "opaque", nil, unknown},
		"no session, no connector": {"GetDevice", says(409, ""), "opaque", func(o *intune.ClientOptions) { o.Cloud = intune.CloudUSGovernment }, ""},
		"no answer":                {"GetRemoteAssistanceSession", noConnection, "opaque", func(o *intune.ClientOptions) { o.Cloud = intune.CloudUSGovernment }, ""},
		"a session":                {"GetRemoteAssistanceSession", says(409, ""), "opaque", func(o *intune.ClientOptions) { o.Cloud = intune.CloudUSGovernment }, "Microsoft says that the TeamViewer connector is not available in GCC High and DoD, so remote assistance cannot work in this cloud"},
		"expired":                  {"GetDevice", says(401, ""), expired, nil, "the token is delegated, with scopes User.Read; the token has expired; get a new one"},
		"refused":                  {"GetDevice", says(401, ""), "opaque", nil, "the token was refused; check that it was issued for Microsoft Graph of this cloud (audience and tenant)"},
		"no token":                 {"GetDevice", says(401, ""), "", nil, "the credential gave no token; its own error says why"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The credential believes that its token is good for long.
			credential := credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
				return azcore.AccessToken{Token: c.token, ExpiresOn: time.Now().Add(time.Hour)}, nil
			})
			options := &intune.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: transportFunc(c.answer)}}
			noRetries(options)
			if c.change != nil {
				c.change(options)
			}
			client, err := intune.NewClient(credential, options)
			if err != nil {
				t.Fatal(err)
			}
			if e := asError(t, spanned[c.method](t.Context(), client)); e.Hint != c.hint {
				t.Errorf("hint %q, want %q", e.Hint, c.hint)
			}
		})
	}
	_, err := newClient(t, transportFunc(says(409, "")), noRetries).GetDevice(t.Context(), intune.DetectedAppDevice("a", "1"), nil)
	if e := asError(t, err); e.Hint != "" {
		t.Errorf("a conflict at an app's address: hint %q", e.Hint)
	}
}
