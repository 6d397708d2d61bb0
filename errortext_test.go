package intune_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
)

// logged is a value as slog's text handler writes it, with the ids that are made anew each time as ID.
func logged(value any) string {
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, nil)).Info("", "e", value)
	_, text, _ := strings.Cut(strings.TrimSpace(b.String()), `msg="" `)
	return withoutIDs(text)
}

func withoutIDs(text string) string {
	words := strings.Fields(text)
	for i, word := range words {
		key, id, found := strings.Cut(word, "=")
		if !found {
			key, id = "", word
		}
		if guid.MatchString(id) {
			words[i] = strings.TrimPrefix(key+"=ID", "=")
		}
	}
	return strings.Join(words, " ")
}

// Each part of an error's text and of its log value, present and absent.
func TestErrorText(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		made      intune.Error
		text, log string
	}{
		"nothing":      {intune.Error{}, "call Microsoft Graph", `e.op=""`},
		"what and who": {intune.Error{Op: "read device", Device: intune.Device("1")}, "read device on device 1", `e.op="read device" e.device="device 1"`},
		"status":       {intune.Error{Op: "x", StatusCode: 403}, "x: 403 Forbidden", `e.op=x e.status=403`},
		"odd status":   {intune.Error{Op: "x", StatusCode: 1}, "x: 1", `e.op=x e.status=1`},
		"code":         {intune.Error{Op: "x", Code: "A"}, "x (A)", `e.op=x e.code=A`},
		"two codes":    {intune.Error{Op: "x", Code: "A", InnerCode: "B"}, "x (A/B)", `e.op=x e.code=A e.inner_code=B`},
		"inner code":   {intune.Error{Op: "x", InnerCode: "B"}, "x (B)", `e.op=x e.inner_code=B`},
		"same code":    {intune.Error{Op: "x", Code: "A", InnerCode: "a"}, "x (A)", `e.op=x e.code=A e.inner_code=a`},
		"message":      {intune.Error{Op: "x", Message: "m\nn"}, "x: m n", `e.op=x e.message="m\nn"`},
		"phrase":       {intune.Error{Op: "x", Phrase: "Off"}, "x [Off]", `e.op=x e.phrase=Off`},
		"details": {
			intune.Error{Op: "x", InnerCode: "B", Details: []intune.ErrorDetail{{Code: "B"}, {Code: "C", Message: "c"}, {Message: "d"}, {Code: "E"}}},
			"x (B); C: c; d", `e.op=x e.inner_code=B`,
		},
		"blank detail": {intune.Error{Op: "x", InnerCode: "B", Details: []intune.ErrorDetail{{Target: "t"}, {Code: "C"}}}, "x (B); C", `e.op=x e.inner_code=B`},
		"retry after":  {intune.Error{Op: "x", RetryAfter: time.Second}, "x; retry after 1s", `e.op=x e.retry_after=1s`},
		"least wait":   {intune.Error{Op: "x", RetryAfter: 1}, "x; retry after 1ns", `e.op=x e.retry_after=1ns`},
		"hint":         {intune.Error{Op: "x", Hint: "h"}, "x; hint: h", `e.op=x e.hint=h`},
		"request id":   {intune.Error{Op: "x", RequestID: "r", ClientRequestID: "c", ActivityID: "a"}, "x; request id r", `e.op=x e.request_id=r e.client_request_id=c e.activity_id=a`},
		"activity id":  {intune.Error{Op: "x", ClientRequestID: "c", ActivityID: "a"}, "x; request id a", `e.op=x e.client_request_id=c e.activity_id=a`},
		"client id":    {intune.Error{Op: "x", ClientRequestID: "c"}, "x; client request id c", `e.op=x e.client_request_id=c`},
		"operation id": {intune.Error{Op: "x", OperationID: "o"}, "x", `e.op=x e.operation_id=o`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.made.Error(); got != c.text {
				t.Errorf("text %q, want %q", got, c.text)
			}
			if got := logged(&c.made); got != c.log {
				t.Errorf("log %s, want %s", got, c.log)
			}
			if c.made.Is(nil) || len(c.made.Unwrap()) != 0 {
				t.Errorf("is nil: %v, wraps %v", c.made.Is(nil), c.made.Unwrap())
			}
		})
	}
}

// breaksOff is an answer whose body ends in an error.
func breaksOff(status int) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		resp := answer(req, status, nil, "")
		resp.Body, resp.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader("{"), failingReader{})), -1
		return resp, nil
	}
}

// How far a call came, in the error's text and log value.
func TestErrorSaysHowFarACallCame(t *testing.T) {
	t.Parallel()
	hints := strings.NewReplacer(
		"a proxy, firewall or sign-in page between here and Graph answered; requests must reach the Graph endpoint directly", "PROXY",
		"the service may have acted: read the device's session (GetRemoteAssistanceSession) before asking again, or the user is prompted twice", "UNKNOWN",
	)
	noDial := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route") }}}
	const get, post = `Get "/v1.0/deviceManagement/managedDevices/1"`, `Post "/v1.0/deviceManagement/managedDevices/1/requestRemoteAssistance"`
	for name, c := range map[string]struct {
		transport          policy.Transporter
		read, write, value string
	}{
		"no connection": {
			noDial, "no answer: " + get + ": no route", "not sent: " + post + ": no route",
			`e.reason="not sent" e.cause=` + strconv.Quote(post+": no route"),
		},
		"no answer": {
			&http.Client{Transport: transportFunc(noConnection)}, "no answer: " + get + ": no route to host",
			"outcome unknown: sent, but no answer came: " + post + ": no route to host; hint: UNKNOWN",
			`e.reason="sent, but no answer came" e.outcome_unknown=true e.cause=` + strconv.Quote(post+": no route to host") + " e.hint=UNKNOWN",
		},
		"202": {
			transportFunc(says(202, "")), "202 Accepted: not the answer that was expected",
			"outcome unknown: 202 Accepted: not the answer that was expected; hint: UNKNOWN", `e.status=202 e.reason="not the answer that was expected" e.outcome_unknown=true e.hint=UNKNOWN`,
		},
		"200, breaks off": {
			transportFunc(breaksOff(200)), "200 OK: the answer could not be read: unexpected EOF",
			"outcome unknown: sent, but no answer came: reading the answer: unexpected EOF; hint: UNKNOWN",
			`e.reason="sent, but no answer came" e.outcome_unknown=true e.cause="reading the answer: unexpected EOF" e.hint=UNKNOWN`,
		},
		"300": {
			transportFunc(says(300, `{"error":{"code":"C"}}`)), "300 Multiple Choices (C); hint: PROXY",
			"outcome unknown: 300 Multiple Choices (C); hint: PROXY; UNKNOWN", `e.status=300 e.code=C e.outcome_unknown=true e.hint="PROXY; UNKNOWN"`,
		},
		"400": {
			transportFunc(says(400, `{"error":{"code":"C"}}`)), "400 Bad Request (C)", "400 Bad Request (C)", "e.status=400 e.code=C",
		},
		"400, breaks off": {
			transportFunc(breaksOff(400)), "400 Bad Request: unexpected EOF", "400 Bad Request", "e.status=400",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, c.transport, noRetries)
			_, err := client.GetRemoteAssistanceSession(t.Context(), intune.Device("1"), nil)
			if got, want := hints.Replace(withoutIDs(err.Error())), "read the remote-assistance session on device 1: "+c.read+"; client request id ID"; got != want {
				t.Errorf("read: %s\nwant: %s", got, want)
			}
			_, err = client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			if got, want := hints.Replace(withoutIDs(err.Error())), "request remote assistance on device 1: "+c.write+"; client request id ID"; got != want {
				t.Errorf("write: %s\nwant: %s", got, want)
			}
			got := strings.ReplaceAll(hints.Replace(logged(err)), `"UNKNOWN"`, "UNKNOWN")
			if want := `e.op="request remote assistance" e.device="device 1" ` + c.value + " e.client_request_id=ID"; got != want {
				t.Errorf("log: %s\nwant: %s", got, want)
			}
		})
	}
}

// What an answer says, each part in its field.
func TestErrorFieldsOfAnAnswer(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 600)
	for name, c := range map[string]struct {
		body   string
		header []string
		check  func(e *intune.Error) bool
	}{
		"phrase": {`{"error":{"code":"C","message":"{\"Message\":\"m\",\"CustomApiErrorPhrase\":\"FeatureDisabled\"}"}}`, nil, func(e *intune.Error) bool { return e.Phrase == "FeatureDisabled" }},
		"target": {`{"error":{"code":"C","target":"deviceName"}}`, nil, func(e *intune.Error) bool { return e.Target == "deviceName" }},
		"details": {`{"error":{"code":"C","details":[{"code":"D","message":"m","target":"t"}]}}`, nil, func(e *intune.Error) bool {
			return len(e.Details) == 1 && e.Details[0] == intune.ErrorDetail{Code: "D", Message: "m", Target: "t"}
		}},
		"wait":     {`{"error":{"code":"C","message":"{\"Message\":\"m\",\"RetryAfter\":7}"}}`, nil, func(e *intune.Error) bool { return e.RetryAfter == 7*time.Second }},
		"two":      {`{"error":{"code":"C","message":"{\"Message\":\"m\",\"RetryAfter\":7}"}}`, []string{"Retry-After", "5"}, func(e *intune.Error) bool { return e.RetryAfter == 5*time.Second }},
		"long id":  {``, []string{"Request-Id", long}, func(e *intune.Error) bool { return len(e.RequestID) == 256 }},
		"link id":  {``, []string{"Request-Id", "https://x.example/" + long + " tail"}, func(e *intune.Error) bool { return e.RequestID == "https://x.example/REDACTED" }},
		"no hints": {``, nil, func(e *intune.Error) bool { return e.Hint == "" && e.RetryAfter == 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, transportFunc(says(400, c.body, c.header...)), noRetries).GetDevice(t.Context(), intune.Device("1"), nil)
			if e := asError(t, err); !c.check(e) {
				t.Errorf("got %+v", e)
			}
		})
	}
}

// A success that is not the one the operation has opens the outcome of a write only.
func TestUnexpectedSuccess(t *testing.T) {
	t.Parallel()
	client := newClient(t, always(http.StatusOK, `{"status":"ok"}`))
	_, errRead := client.GetDevice(t.Context(), intune.Device("1"), nil)
	_, errWrite := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	if read, write := asError(t, errRead), asError(t, errWrite); read.Hint != "" || errors.Is(read, intune.ErrOutcomeUnknown) || !strings.Contains(write.Hint, "may have acted") || !errors.Is(write, intune.ErrOutcomeUnknown) {
		t.Errorf("got %v and %v", read, write)
	}
}

// A sign-in that the caller gives up is no failure to sign in.
func TestEndedSignInIsOfNoKind(t *testing.T) {
	t.Parallel()
	for cause, want := range map[error]bool{context.Canceled: false, context.DeadlineExceeded: false, errors.New("revoked"): true} {
		credential := credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
			return azcore.AccessToken{}, cause
		})
		client := clientOf(t, credential, transportFunc(noConnection))
		_, errInfo := client.TokenInfo(t.Context())
		_, errRead := client.GetDevice(t.Context(), intune.Device("1"), nil)
		for _, err := range []error{errInfo, errRead} {
			if !errors.Is(err, cause) || errors.Is(err, intune.ErrUnauthenticated) != want {
				t.Errorf("%v: got %v", cause, err)
			}
		}
	}
}

// What a caller's policy says goes before what the call recorded.
func TestErrorOfACallersPolicy(t *testing.T) {
	t.Parallel()
	own := errors.New("the budget is spent")
	arrived, release := make(chan struct{}), make(chan struct{})
	for name, c := range map[string]struct {
		do         policyFunc
		credential azcore.TokenCredential
	}{
		"in place of a token's": {
			func(req *policy.Request) (*http.Response, error) { _, _ = req.Next(); return nil, own },
			credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
				return azcore.AccessToken{}, errors.New("revoked")
			}),
		},
		"before the answer": {
			func(req *policy.Request) (*http.Response, error) {
				go func() { _, _ = req.Next() }()
				<-arrived
				return nil, own
			}, intune.StaticToken("opaque-token"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
				PerCallPolicies: []policy.Policy{c.do},
				Transport: transportFunc(func(req *http.Request) (*http.Response, error) {
					close(arrived)
					<-release
					return noConnection(req)
				}),
			}}
			noRetries(options)
			client, err := intune.NewClient(c.credential, options)
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.GetDevice(t.Context(), intune.Device("1"), nil)
			if want := "read device on device 1: no answer: the budget is spent; client request id ID"; !errors.Is(err, own) || withoutIDs(err.Error()) != want {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
	t.Cleanup(func() { close(release) })
}
