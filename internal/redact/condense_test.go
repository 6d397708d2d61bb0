package redact_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/go-intune/intune/internal/redact"
)

// rule is what azidentity draws around an answer.
var rule = strings.Repeat("-", 80)

// quoting is the text of an error of azidentity about an answer.
func quoting(body string) string {
	return "ClientSecretCredential authentication failed. \nPOST https://login.microsoftonline.com/tenant/oauth2/v2.0/token\n" +
		rule + "\nRESPONSE 401: 401 Unauthorized\n" + rule + "\n" + body + "\n" + rule +
		"\nTo troubleshoot, visit https://aka.ms/azsdk/go/identity/troubleshoot#client-secret"
}

// Of Entra's answer, an error keeps the sentence and the ids that support asks for.
func TestErrorOfATokenEndpoint(t *testing.T) {
	t.Parallel()
	const trace, correlation = "00000000-1111-4222-8333-444444444444", "00000000-1111-4222-8333-444444444445"
	const timestamp = "2026-05-04 10:00:00Z"
	const ids = "Trace ID: " + trace + " Correlation ID: " + correlation + " Timestamp: " + timestamp
	members := fmt.Sprintf(`"trace_id": %q, "correlation_id": %q, "timestamp": %q`, trace, correlation, timestamp)
	long := strings.Repeat("very ", 99) + "long."
	for name, c := range map[string]struct{ body, want string }{
		"ids in the sentence": {
			`{"error":"invalid_client","error_description":"AADSTS7000215: Invalid. ` + ids + `","claims":"{\"a\":{}}",` + members + `}`,
			"invalid_client: AADSTS7000215: Invalid. " + ids,
		},
		"ids beside it": {
			`{"error":"invalid_client","error_description":"AADSTS7000215: Invalid.",` + members + `}`,
			"invalid_client: AADSTS7000215: Invalid. " + ids,
		},
		"one of them": {`{"error_description":"AADSTS1: x Trace ID: ` + trace + `",` + members + `}`, "AADSTS1: x " + ids},
		"no ids":      {`{"error":"invalid_request","error_description":"Identity not found"}`, "invalid_request: Identity not found"},
		"line breaks": {
			`{"error":"a","error_description":"AADSTS1: see https://go.microsoft.com/fwlink\r\nTrace ID: 7"}`,
			"a: AADSTS1: see https://go.microsoft.com/fwlink Trace ID: 7",
		},
		"longest sentence":    {`{"error":"a","error_description":"` + long + ` ` + ids + `"}`, "a: " + long + " " + ids},
		"too long":            {`{"error":"a","error_description":"` + long + `! ` + ids + `"}`, "a: " + long + "… " + ids},
		"two answers":         {`{"error":"a","error_description":"b"}, {"error":"c","error_description":"d"}`, "a: b, c: d"},
		"behind other braces": {`{x} {"error":"a","error_description":"b"}`, "{x} a: b"},
		"another object":      {`{"error":"a"} "error_description"`, `{"error":"a"} "error_description"`},
		"no sentence":         {`{"error":"a","error_description":""}`, `{"error":"a","error_description":""}`},
		"another type":        {`{"error":"a","error_description":7}`, `{"error":"a","error_description":7}`},
		"cut off":             {`{"error":"a","error_description":"b`, `{"error":"a","error_description":"b`},
		"a link in it": {
			`{"error":"a","error_description":"see https:\/\/get.teamviewer.com\/s12"}`, "a: see https://get.teamviewer.com/REDACTED",
		},
		"a name in it":       {`{"error":"a","error_description":"no \u0061nna%40contoso.com"}`, "a: no REDACTED"},
		"behind many braces": {strings.Repeat("{}", 15) + `{"error":"a","error_description":"b"}`, strings.Repeat("{}", 15) + "a: b"},
		"behind more of them": {
			strings.Repeat("{}", 16) + `{"error":"a","error_description":"b"}`,
			strings.Repeat("{}", 16) + `{"error":"a","error_description":"b"}`,
		},
		"nothing but a rule":   {"", ""},
		"nothing of the kind":  {"busy", "busy"},
		"text behind an error": {`{"error":"a","error_description":"b"}}`, "a: b}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := fmt.Errorf("chained: %w", errors.Join(io.EOF, errors.New(quoting(c.body))))
			clean := redact.Error(err, redact.Of("", "anna@contoso.com"))
			want := strings.Join(strings.Fields("chained: EOF ClientSecretCredential authentication failed. "+
				"POST https://login.microsoftonline.com/REDACTED - RESPONSE 401: 401 Unauthorized - "+
				c.want+" - To troubleshoot, visit https://aka.ms/azsdk/go/identity/troubleshoot#REDACTED"), " ")
			if got := redact.OneLine(clean.Error(), 4096); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if !errors.Is(clean, io.EOF) {
				t.Error("the cause is lost")
			}
		})
	}
}

func TestErrorWithRules(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"error":"a","error_description":"b"} x`: "a: b x", `{"error":7,"error_description":"b"} x`: "b x", // as far as it can be read
		"a --- b":                   "a --- b",
		"a ---- b":                  "a - b",
		"----":                      "-",
		"a===-===b":                 "a===-===b",
		"====****":                  "=*",
		"00000000 aaaa   \n\n\n\nb": "00000000 aaaa   \n\n\n\nb",
		"────x":                     "─x",
		"«««»»»":                    "«««»»»",
	} {
		if got := redact.Error(errors.New(text), redact.Private{}).Error(); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}
