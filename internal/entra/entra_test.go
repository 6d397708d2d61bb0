package entra_test

import (
	"testing"

	"github.com/go-intune/intune/internal/entra"
)

func TestFinal(t *testing.T) {
	t.Parallel()
	const none = ""
	for name, c := range map[string]struct {
		body, text string
		want       bool
	}{
		"nothing known":          {none, none, false},
		"no answer":              {none, "dial tcp: lookup login.microsoftonline.com: no such host", false},
		"too busy":               {`{"error":"temporarily_unavailable"}`, none, false},
		"server error":           {`{"error":"server_error"}`, none, false},
		"a fault in the request": {`{"error":"invalid_request"}`, none, false},
		"throttled":              {`{"error":"slow_down"}`, none, false},
		"not yet":                {`{"error":"authorization_pending"}`, none, false},
		"revoked":                {`{"error":"invalid_grant","error_codes":[50173]}`, none, true},
		"a second factor":        {`{"error":"interaction_required","error_codes":[50076]}`, none, true},
		"a wrong secret":         {`{"error":"invalid_client","error_codes":[7000215]}`, none, true},
		"no codes":               {`{"error":"invalid_client"}`, none, true},
		"an old assertion":       {`{"error":"invalid_client","error_codes":[700024]}`, none, false},
		"no such app":            {`{"error":"unauthorized_client","error_codes":[700016]}`, none, true},
		"declined":               {`{"error":"authorization_declined"}`, none, true},
		"the code has expired":   {`{"error":"expired_token"}`, none, true},
		"denied":                 {`{"error":"access_denied"}`, none, true},
		"login":                  {`{"error":"login_required"}`, none, true},
		"consent":                {`{"error":"consent_required"}`, none, true},
		"other case":             {`{"error":"INVALID_GRANT"}`, none, false},
		"a part of a word":       {`{"error":"invalid_grant_type"}`, none, false},

		"the body wins over the text":     {`{"error":"temporarily_unavailable"}`, "AADSTS50173", false},
		"the body wins over the text too": {`{"error":"invalid_grant"}`, "AADSTS90033", true},
		"no JSON":                         {`<html>AADSTS50173</html>`, "no code", false},
		"no JSON, but a text":             {`<html>`, "AADSTS50173", true},
		"another error":                   {`{"error":{"code":"invalid_grant"}}`, none, false},
		"another error, and a text":       {`{"error":{"code":"x"}}`, "AADSTS50173", true},
		"an empty error":                  {`{"error":""}`, "AADSTS50173", true},
		"codes of another form":           {`{"error":"invalid_grant","error_codes":"50173"}`, none, true},
		"cut off":                         {`{"error":"invalid_grant"`, none, false},
		"codes alone":                     {`{"error_codes":[50173]}`, none, false},

		"the Azure CLI, signed out": {
			none, "AzureCLICredential: ERROR: AADSTS70043: The refresh token has expired. Please run: az login", true,
		},
		"the Azure CLI, in trouble":         {none, "AzureCLICredential: ERROR: AADSTS90033: A transient error has occurred.", false},
		"an OAuth client, revoked":          {none, `oauth2: "invalid_grant" "AADSTS50173: The provided grant has expired."`, true},
		"a secret that has expired":         {none, "AADSTS7000222: The provided client secret keys are expired.", true},
		"an app that was disabled":          {none, "AADSTS7000112", true},
		"an old assertion in a text":        {none, "AADSTS700024: Client assertion is not within its valid time range.", false},
		"the beginning of a code":           {none, "AADSTS501730", false},
		"the end of a code":                 {none, "AADSTS150173", false},
		"the second of two":                 {none, "AADSTS90033, then AADSTS50076", true},
		"the first of two":                  {none, "AADSTS50076, then AADSTS90033", true},
		"a code of something else":          {none, "error 50173", false},
		"a code with an address behind it":  {none, "AADSTS65001.https://login.microsoftonline.com/error?code=65001", true},
		"blocked by conditional access":     {none, "AADSTS53003: Access has been blocked by Conditional Access policies.", true},
		"a tenant that is throttled":        {none, "AADSTS90055: There are too many incoming requests.", false},
		"a limit of calls, in some minutes": {none, "AADSTS50088: Limit on telecom MFA calls reached.", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := entra.Final([]byte(c.body), c.text); got != c.want {
				t.Errorf("final is %v, want %v", got, c.want)
			}
		})
	}
}

func FuzzFinal(f *testing.F) {
	f.Add([]byte(`{"error":"invalid_grant","error_codes":[50173]}`), "AADSTS50173")
	f.Fuzz(func(t *testing.T, body []byte, text string) {
		if entra.Final(body, text) != entra.Final(body, text+" AADSTS90033") {
			t.Error("a code that asks for another try changes the verdict")
		}
	})
}
