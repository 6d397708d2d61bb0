package intune_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// sentinels by the names that the cases use; "unknown" has none.
var sentinels = map[string]error{
	"unauthorized": intune.ErrUnauthenticated,
	"forbidden":    intune.ErrForbidden,
	"not_found":    intune.ErrNotFound,
	"bad_request":  intune.ErrBadRequest,
	"conflict":     intune.ErrConflict,
	"throttled":    intune.ErrThrottled,
	"unavailable":  intune.ErrUnavailable,
	"server_error": intune.ErrServer,
	"license":      intune.ErrNotLicensed,
}

type errorCase struct {
	Status  *int
	Headers map[string]string
	Body    string
	Expect  expectedError
}

type expectedError struct {
	Code         string
	InnerCode    *string `json:"error_code_nested"`
	ShortMessage string  `json:"short_message"`
	ActivityID   *string `json:"activity_id"`
	OperationID  *string `json:"operation_id"`
	RequestID    *string `json:"request_id"`
	ClientID     *string `json:"client_request_id"`
	Date         *string
	Category     string
	Items        []struct { // what the answers within a JSON batch's give when they come alone
		Status int
		Expect expectedError
	}
}

// The bodies are in the shapes that users of the service reported; testdata/errors/README.md says where each is from.
func TestError_BodiesOfTheService(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/errors/*.json")
	if err != nil || len(files) < 40 {
		t.Fatalf("want the forty cases, got %d files, error %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var c errorCase
			if err := json.Unmarshal(raw, &c); err != nil {
				t.Fatal(err)
			}
			checkErrorCase(t, &c)
			for i, item := range c.Expect.Items {
				var batch struct {
					Responses []struct{ Body json.RawMessage }
				}
				if err := json.Unmarshal([]byte(c.Body), &batch); err != nil {
					t.Fatal(err)
				}
				checkErrorCase(t, &errorCase{Status: &item.Status, Body: string(batch.Responses[i].Body), Expect: item.Expect})
			}
		})
	}
}

func checkErrorCase(t *testing.T, c *errorCase) {
	t.Helper()
	status := http.StatusBadRequest
	if c.Status != nil {
		status = *c.Status
	}
	header := http.Header{}
	for name, value := range c.Headers {
		if name != "Content-Encoding" && name != "Transfer-Encoding" {
			header.Set(name, value)
		}
	}
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		return answer(req, status, header.Clone(), c.Body), nil
	}), noRetries)
	_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	got, ok := errors.AsType[*intune.Error](err)
	if !ok {
		t.Fatalf("got %v, want an *intune.Error", err)
	}
	equal := func(name, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	present := func(name, got string, want *string) {
		t.Helper()
		if want != nil {
			equal(name, got, *want)
		}
	}
	if got.StatusCode != status {
		t.Errorf("StatusCode = %d, want %d", got.StatusCode, status)
	}
	equal("Code", got.Code, c.Expect.Code)
	equal("Message", got.Message, c.Expect.ShortMessage)
	present("InnerCode", got.InnerCode, c.Expect.InnerCode)
	present("ActivityID", got.ActivityID, c.Expect.ActivityID)
	present("OperationID", got.OperationID, c.Expect.OperationID)
	present("RequestID", got.RequestID, c.Expect.RequestID)
	present("ClientRequestID", got.ClientRequestID, c.Expect.ClientID)
	present("Date", got.Date, c.Expect.Date)
	if c.Expect.RequestID == nil {
		equal("RequestID", got.RequestID, "")
	}
	for category, sentinel := range sentinels {
		if is := errors.Is(err, sentinel); is != (category == c.Expect.Category) {
			t.Errorf("errors.Is(err, %v) = %v, want category %s", sentinel, is, c.Expect.Category)
		}
	}
	gateway := status == 503 && c.Headers["request-id"] == "" && c.Expect.Code == "" // with nothing of Graph's own
	open := gateway || slices.Contains([]int{408, 500, 502, 504}, status)
	if unknown := errors.Is(err, intune.ErrOutcomeUnknown); unknown != open {
		t.Errorf("ErrOutcomeUnknown = %v for status %d", unknown, status)
	}
	text := err.Error()
	if strings.ContainsAny(text, "\r\n") || strings.Contains(text, "manage.microsoft.com") {
		t.Errorf("the text is not one line without addresses: %q", text)
	}
	if !strings.Contains(text, "request remote assistance on device 1") || !strings.Contains(text, http.StatusText(status)) {
		t.Errorf("the text does not say what was tried and what came back: %q", text)
	}
	raw, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok {
		t.Fatalf("no azcore.ResponseError in %v", err)
	}
	if raw.StatusCode != status || raw.RawResponse == nil {
		t.Errorf("the azcore.ResponseError has status %d and the answer %v, want %d and one", raw.StatusCode, raw.RawResponse, status)
	}
}

func TestError_AsJSONAndLog(t *testing.T) {
	t.Parallel()
	client := newClient(t, always(http.StatusForbidden, nested("An error has occurred", 1)))
	_, withDevice := client.RequestRemoteAssistance(t.Context(), intune.UserDevice("anna@contoso.com", "1"), nil)
	_, without := client.RemoteAssistanceConnector(t.Context(), nil)
	for _, err := range []error{withDevice, without} {
		if text, jsonErr := json.Marshal(err); jsonErr != nil || !strings.Contains(string(text), `"InnerCode":"Forbidden"`) {
			t.Errorf("%s, %v", text, jsonErr)
		}
		var b strings.Builder
		slog.New(slog.NewJSONHandler(&b, nil)).Error("failed", "err", err)
		if !strings.Contains(b.String(), `"inner_code":"Forbidden"`) {
			t.Errorf("the log lacks the inner code: %s", b.String())
		}
		if shown := b.String() + err.Error(); strings.Contains(shown, "anna") {
			t.Errorf("the user shows in %s", shown)
		}
	}
}

// A test of an importer's may make errors by hand.
func TestError_MadeByHandHasAKind(t *testing.T) {
	t.Parallel()
	for want, made := range map[error]*intune.Error{
		intune.ErrThrottled: {StatusCode: http.StatusTooManyRequests},
		intune.ErrForbidden: {StatusCode: http.StatusUnauthorized, InnerCode: "Forbidden"},
		intune.ErrNotFound:  {Code: "ResourceNotFound"},
	} {
		if !errors.Is(made, want) || made.Error() == "" {
			t.Errorf("%v is not %v", made, want)
		}
	}
	if errors.Is(&intune.Error{}, intune.ErrOutcomeUnknown) || errors.Is(&intune.Error{}, intune.ErrServer) {
		t.Error("an empty error has a kind")
	}
}

// Status and codes disagree; the order of testdata/errors/README.md decides. The codes are those of C§6.1 and of reports.
func TestError_Kinds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		want   error
	}{
		"license by text": {
			400, `{"error":{"code":"BadRequest","message":"Request not applicable to target tenant."}}`, intune.ErrNotLicensed,
		},
		"license before forbidden": {403, `{"error":{"code":"Forbidden","message":"The user has no Intune license."}}`, intune.ErrNotLicensed},
		"throttled before denied":  {429, `{"error":{"code":"accessDenied","message":"slow down"}}`, intune.ErrThrottled},
		"throttled by code":        {400, `{"error":{"code":"activityLimitReached"}}`, intune.ErrThrottled},
		"forbidden at any depth":   {401, nested("An error has occurred", 1), intune.ErrForbidden},
		"forbidden in innerError": {
			400, `{"error":{"code":"x","innerError":{"code":"y","innerError":{"code":"forbidden"}}}}`, intune.ErrForbidden,
		},
		"403 says unauthorized": {403, `{"error":{"code":"unauthorized"}}`, intune.ErrForbidden},
		"identity not found":    {401, `{"error":{"code":"Authorization_IdentityNotFound"}}`, intune.ErrUnauthenticated},
		"unauthorized by code":  {400, `{"error":{"code":"InvalidAuthenticationToken"}}`, intune.ErrUnauthenticated},
		"conflict by detail":    {400, `{"error":{"code":"x","details":[{"code":"ObjectConflict"}]}}`, intune.ErrConflict},
		"conflict by code":      {400, `{"error":{"code":"nameAlreadyExists"}}`, intune.ErrConflict},
		"not found by code":     {400, `{"error":{"code":"ErrorItemNotFound"}}`, intune.ErrNotFound},
		"segment is a bad request": {
			400, `{"error":{"code":"BadRequest","message":"Resource not found for the segment 'x'."}}`, intune.ErrBadRequest,
		},
		"unavailable by code":    {400, `{"error":{"code":"serviceNotAvailable"}}`, intune.ErrUnavailable},
		"502":                    {502, "", intune.ErrUnavailable},
		"server by code":         {400, `{"error":{"code":"InternalServerError"}}`, intune.ErrServer},
		"400 InternalError":      {400, `{"error":{"code":"InternalError"}}`, intune.ErrBadRequest},
		"text with numbers only": {400, `{"error":{"code":"x","message":"host amsua0403, path /429/"}}`, intune.ErrBadRequest},
		"411":                    {411, "<html><body>Length Required</body></html>", intune.ErrBadRequest},
		"507":                    {507, "", intune.ErrServer},
		"509":                    {509, "", intune.ErrThrottled},
		"424 is of no kind":      {424, `{"error":{"code":"UnknownError"}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, always(c.status, c.body), noRetries).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			for _, sentinel := range sentinels {
				if is := errors.Is(err, sentinel); is != (sentinel == c.want) { //nolint:errorlint // it compares sentinels
					t.Errorf("errors.Is(err, %v) = %v for %v", sentinel, is, err)
				}
			}
		})
	}
}

// kindOf is the one sentinel that an error answers to besides ErrOutcomeUnknown.
func kindOf(t *testing.T, err error) error {
	t.Helper()
	var found error
	for _, sentinel := range sentinels {
		if errors.Is(err, sentinel) {
			if found != nil {
				t.Errorf("%v is both %v and %v", err, found, sentinel)
			}
			found = sentinel
		}
	}
	return found
}

// checkRefused wants the error of a bad argument, whose text holds each of these parts.
func checkRefused(tb testing.TB, err error, parts ...string) {
	tb.Helper()
	checkKinds(tb, err, intune.ErrInvalidArgument)
	checkSays(tb, err, parts...)
}

func TestError_KindByStatus(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]error{
		400: intune.ErrBadRequest, 401: intune.ErrUnauthenticated, 402: nil, 403: intune.ErrForbidden, 404: intune.ErrNotFound,
		405: intune.ErrBadRequest, 406: intune.ErrBadRequest, 409: intune.ErrConflict, 410: intune.ErrNotFound, 411: intune.ErrBadRequest,
		412: intune.ErrConflict, 413: intune.ErrBadRequest, 414: intune.ErrBadRequest, 415: intune.ErrBadRequest, 422: intune.ErrBadRequest,
		423: nil, 429: intune.ErrThrottled, 500: intune.ErrServer, 501: intune.ErrServer, 502: intune.ErrUnavailable,
		503: intune.ErrUnavailable, 504: intune.ErrUnavailable, 507: intune.ErrServer, 509: intune.ErrThrottled, 304: nil,
	} {
		_, err := newClient(t, newScript(status(code)), noRetries).GetDevice(t.Context(), intune.Device("1"), nil)
		if got := kindOf(t, err); !errors.Is(got, want) || asError(t, err).StatusCode != code {
			t.Errorf("%d is %v, want %v", code, got, want)
		}
	}
}

// C§6: codes and texts say more than a status that disagrees with them.
func TestError_KindByCode(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]error{
		"TooManyRequests": intune.ErrThrottled, "activityLimitReached": intune.ErrThrottled, "throttledRequest": intune.ErrThrottled,
		"RequestThrottled": intune.ErrThrottled, "ApplicationThrottled": intune.ErrThrottled, "MailboxThrottledException": intune.ErrThrottled,
		"Forbidden": intune.ErrForbidden, "accessDenied": intune.ErrForbidden, "Authorization_RequestDenied": intune.ErrForbidden,
		"unauthenticated": intune.ErrUnauthenticated, "AuthenticationError": intune.ErrUnauthenticated, "Unauthorized": intune.ErrUnauthenticated,
		"Authorization_IdentityNotFound": intune.ErrUnauthenticated, "InvalidAuthenticationToken": intune.ErrUnauthenticated,
		"Authentication_MissingOrMalformed": intune.ErrUnauthenticated,
		"ConditionNotMet":                   intune.ErrConflict, "PreconditionFailed": intune.ErrConflict, "resourceModified": intune.ErrConflict,
		"nameAlreadyExists": intune.ErrConflict, "EditConflict": intune.ErrConflict,
		"ResourceNotFound": intune.ErrNotFound, "ServiceUnavailable": intune.ErrUnavailable, "serviceNotAvailable": intune.ErrUnavailable,
		"GatewayTimeout": intune.ErrUnavailable, "BadGateway": intune.ErrUnavailable, "InternalServerError": intune.ErrServer,
		"generalException": intune.ErrServer, "LicenseRequired": intune.ErrNotLicensed, "AadPremiumLicenseRequired": intune.ErrNotLicensed,
		"Authentication_RequestFromNonPremiumTenantOrB2CTenant": intune.ErrNotLicensed, "anything else": intune.ErrBadRequest,
	} {
		for where, body := range map[string]string{
			"outside": `{"error":{"code":%q,"message":"m"}}`,
			"inside":  `{"error":{"code":"UnknownError","innerError":{"code":%q}}}`,
			"details": `{"error":{"code":"x","details":[{"code":%q}]}}`,
		} {
			_, err := newClient(t, always(http.StatusBadRequest, fmt.Sprintf(body, code)), noRetries).GetDevice(t.Context(), intune.Device("1"), nil)
			if got := kindOf(t, err); !errors.Is(got, want) {
				t.Errorf("%s %s is %v, want %v", code, where, got, want)
			}
		}
	}
	for message, want := range map[string]error{
		"the tenant has no licence":               intune.ErrNotLicensed, //nolint:misspell // the British spelling occurs too
		"User is not licensed":                    intune.ErrNotLicensed,
		"Request not applicable to target tenant": intune.ErrNotLicensed, "x claims=abc": intune.ErrUnauthenticated,
		"an Internal Server Error occurred": intune.ErrServer, "m": intune.ErrBadRequest,
	} {
		body := `{"error":{"code":"x","message":"` + message + `"}}`
		_, err := newClient(t, always(http.StatusBadRequest, body)).GetDevice(t.Context(), intune.Device("1"), nil)
		if got := kindOf(t, err); !errors.Is(got, want) {
			t.Errorf("%q is %v, want %v", message, got, want)
		}
	}
}

// What the caller looked for may be a code of the service's, and may be quoted in its sentence.
func TestError_KindDoesNotDependOnTheFilter(t *testing.T) {
	t.Parallel()
	for operand, want := range map[string]error{"Forbidden": intune.ErrForbidden, "LICENSE-1": intune.ErrBadRequest} {
		body := `{"error":{"code":"UnknownError","message":"Invalid filter clause: '` + operand + `'","innerError":{"code":"Forbidden"}}}`
		if operand != "Forbidden" {
			body = strings.Replace(body, "Forbidden", "x", 1)
		}
		_, err := newClient(t, always(http.StatusBadRequest, body)).FindDevice(t.Context(), intune.DeviceFilter{DeviceName: operand}, nil)
		if got := kindOf(t, err); !errors.Is(got, want) || strings.Contains(err.Error(), operand) {
			t.Errorf("%v is %v, want %v", err, got, want)
		}
	}
}

// logged is a value as slog's text handler writes it, with the ids that are made anew each time as ID.
func logged(value any) string {
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, nil)).Info("", "e", value)
	_, text, _ := strings.Cut(strings.TrimSpace(b.String()), `msg="" `)
	return withoutIDs(text)
}

// Each part of an error's text and of its log value, present and absent.
func TestError_Text(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		made      intune.Error
		text, log string
	}{
		"nothing": {intune.Error{}, "call Microsoft Graph", `e.op=""`},
		"what and who": {
			intune.Error{Op: "read device", Device: intune.Device("1")}, "read device on device 1", `e.op="read device" e.device="device 1"`,
		},
		"status":     {intune.Error{Op: "x", StatusCode: 403}, "x: 403 Forbidden", `e.op=x e.status=403`},
		"odd status": {intune.Error{Op: "x", StatusCode: 1}, "x: 1", `e.op=x e.status=1`},
		"code":       {intune.Error{Op: "x", Code: "A"}, "x (A)", `e.op=x e.code=A`},
		"two codes":  {intune.Error{Op: "x", Code: "A", InnerCode: "B"}, "x (A/B)", `e.op=x e.code=A e.inner_code=B`},
		"inner code": {intune.Error{Op: "x", InnerCode: "B"}, "x (B)", `e.op=x e.inner_code=B`},
		"same code":  {intune.Error{Op: "x", Code: "A", InnerCode: "a"}, "x (A)", `e.op=x e.code=A e.inner_code=a`},
		"message":    {intune.Error{Op: "x", Message: "m\nn"}, "x: m n", `e.op=x e.message="m\nn"`},
		"phrase":     {intune.Error{Op: "x", Phrase: "Off"}, "x [Off]", `e.op=x e.phrase=Off`},
		"details": {
			intune.Error{
				Op: "x", InnerCode: "B", Details: []intune.ErrorDetail{{Code: "B"}, {Code: "C", Message: "c"}, {Message: "d"}, {Code: "E"}},
			},
			"x (B); C: c; d", `e.op=x e.inner_code=B`,
		},
		"blank detail": {
			intune.Error{Op: "x", InnerCode: "B", Details: []intune.ErrorDetail{{Target: "t"}, {Code: "C"}}},
			"x (B); C",
			`e.op=x e.inner_code=B`,
		},
		"retry after": {intune.Error{Op: "x", RetryAfter: time.Second}, "x; retry after 1s", `e.op=x e.retry_after=1s`},
		"least wait":  {intune.Error{Op: "x", RetryAfter: 1}, "x; retry after 1ns", `e.op=x e.retry_after=1ns`},
		"hint":        {intune.Error{Op: "x", Hint: "h"}, "x; hint: h", `e.op=x e.hint=h`},
		"request id": {
			intune.Error{Op: "x", RequestID: "r", ClientRequestID: "c", ActivityID: "a"},
			"x; request id r",
			`e.op=x e.request_id=r e.client_request_id=c e.activity_id=a`,
		},
		"activity id": {
			intune.Error{Op: "x", ClientRequestID: "c", ActivityID: "a"}, "x; request id a", `e.op=x e.client_request_id=c e.activity_id=a`,
		},
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

// hintNoGUID is the hint for a device id that is none.
const hintNoGUID = "the id is no GUID, as every Intune device id (ManagedDevice.ID) is, but perhaps a name, a serial number or " +
	"a whole line of a file; look the device up with FindDevice"

// hintUnknown is the hint of a request that may have been carried out.
const hintUnknown = "the service may have acted: read the device's session (GetRemoteAssistanceSession) before asking again, " +
	"or the user is prompted twice"

// breaksOff is an answer whose body ends in an error.
func breaksOff(status int) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		resp := answer(req, status, nil, "")
		resp.Body, resp.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader("{"), failingReader{})), -1
		return resp, nil
	}
}

// How far a call came, in the error's text and log value.
func TestError_SaysHowFarACallCame(t *testing.T) {
	t.Parallel()
	hints := strings.NewReplacer(
		"a proxy, firewall or sign-in page between here and Graph answered; requests must reach the Graph endpoint directly", "PROXY",
		hintUnknown, "UNKNOWN",
		hintNoGUID, "NOGUID",
	)
	noRoute := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route") }
	noDial := &http.Client{Transport: &http.Transport{DialContext: noRoute}}
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
			"outcome unknown: sent, or may have been, but no answer came: " + post + ": no route to host; hint: UNKNOWN",
			`e.reason="sent, or may have been, but no answer came" e.outcome_unknown=true e.cause=` +
				strconv.Quote(post+": no route to host") + " e.hint=UNKNOWN",
		},
		"202": {
			transportFunc(says(202, "")), "202 Accepted: not the answer that was expected",
			"outcome unknown: 202 Accepted: not the answer that was expected; hint: UNKNOWN",
			`e.status=202 e.reason="not the answer that was expected" e.outcome_unknown=true e.hint=UNKNOWN`,
		},
		"200, breaks off": {
			transportFunc(breaksOff(200)), "200 OK: the answer could not be read: unexpected EOF",
			"outcome unknown: sent, or may have been, but no answer came: reading the answer: unexpected EOF; hint: UNKNOWN",
			`e.reason="sent, or may have been, but no answer came" e.outcome_unknown=true ` +
				`e.cause="reading the answer: unexpected EOF" e.hint=UNKNOWN`,
		},
		"300": {
			transportFunc(says(300, `{"error":{"code":"C"}}`)), "300 Multiple Choices (C); hint: PROXY",
			"outcome unknown: 300 Multiple Choices (C); hint: PROXY; UNKNOWN",
			`e.status=300 e.code=C e.outcome_unknown=true e.hint="PROXY; UNKNOWN"`,
		},
		"400": {
			transportFunc(says(400, `{"error":{"code":"C"}}`)), "400 Bad Request (C); hint: NOGUID",
			"400 Bad Request (C); hint: NOGUID", "e.status=400 e.code=C e.hint=NOGUID",
		},
		"400, breaks off": {
			transportFunc(breaksOff(400)), "400 Bad Request: unexpected EOF; hint: NOGUID",
			"400 Bad Request; hint: NOGUID", "e.status=400 e.hint=NOGUID",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, c.transport, noRetries)
			_, err := client.GetRemoteAssistanceSession(t.Context(), intune.Device("1"), nil)
			want := "read the remote-assistance session on device 1: " + c.read + "; client request id ID"
			if got := hints.Replace(withoutIDs(err.Error())); got != want {
				t.Errorf("read: %s\nwant: %s", got, want)
			}
			_, err = client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			want = "request remote assistance on device 1: " + c.write + "; client request id ID"
			if got := hints.Replace(withoutIDs(err.Error())); got != want {
				t.Errorf("write: %s\nwant: %s", got, want)
			}
			got := strings.NewReplacer(`"UNKNOWN"`, "UNKNOWN", `"NOGUID"`, "NOGUID").Replace(hints.Replace(logged(err)))
			if want := `e.op="request remote assistance" e.device="device 1" ` + c.value + " e.client_request_id=ID"; got != want {
				t.Errorf("log: %s\nwant: %s", got, want)
			}
		})
	}
}

// What an answer says, each part in its field.
func TestError_FieldsOfAnAnswer(t *testing.T) {
	t.Parallel()
	const phrase = `{"error":{"code":"C","message":"{\"Message\":\"m\",\"CustomApiErrorPhrase\":\"FeatureDisabled\"}"}}`
	const details = `{"error":{"code":"C","details":[{"code":"D","message":"m","target":"t"}]}}`
	const waits = `{"error":{"code":"C","message":"{\"Message\":\"m\",\"RetryAfter\":7}"}}`
	long := strings.Repeat("a", 600)
	link := []string{"Request-Id", "https://x.example/" + long + " tail"}
	for name, c := range map[string]struct {
		body   string
		header []string
		field  func(e *intune.Error) any
		want   any
	}{
		"phrase":  {phrase, nil, func(e *intune.Error) any { return e.Phrase }, "FeatureDisabled"},
		"target":  {`{"error":{"code":"C","target":"deviceName"}}`, nil, func(e *intune.Error) any { return e.Target }, "deviceName"},
		"details": {details, nil, func(e *intune.Error) any { return e.Details }, []intune.ErrorDetail{{Code: "D", Message: "m", Target: "t"}}},
		"wait":    {waits, nil, func(e *intune.Error) any { return e.RetryAfter }, 7 * time.Second},
		"two":     {waits, []string{"Retry-After", "5"}, func(e *intune.Error) any { return e.RetryAfter }, 5 * time.Second},
		"long id": {``, []string{"Request-Id", long}, func(e *intune.Error) any { return len(e.RequestID) }, 256},
		"link id": {``, link, func(e *intune.Error) any { return e.RequestID }, "https://x.example/REDACTED"},
		"no hint": {``, nil, func(e *intune.Error) any { return e.Hint }, ""},
		"no wait": {``, nil, func(e *intune.Error) any { return e.RetryAfter }, time.Duration(0)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, transportFunc(says(400, c.body, c.header...)), noRetries)
			_, err := client.GetDevice(t.Context(), intune.Device(deviceGUID), nil)
			if got := c.field(asError(t, err)); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// A success that is not the one the operation has opens the outcome of a write only.
func TestError_UnexpectedSuccess(t *testing.T) {
	t.Parallel()
	client := newClient(t, always(http.StatusOK, `{"status":"ok"}`))
	_, read := client.GetDevice(t.Context(), intune.Device("1"), nil)
	_, write := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	checkKinds(t, read)
	checkKinds(t, write, intune.ErrOutcomeUnknown)
	if hint := asError(t, read).Hint; hint != "" {
		t.Errorf("the hint of the read is %q, want none", hint)
	}
	if hint := asError(t, write).Hint; !strings.Contains(hint, "may have acted") {
		t.Errorf("the hint of the write is %q", hint)
	}
}

// A sign-in that the caller gives up is no failure to sign in.
func TestError_EndedSignInIsOfNoKind(t *testing.T) {
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
func TestError_OfACallersPolicy(t *testing.T) {
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
			want := "read device on device 1: no answer: the budget is spent; client request id ID"
			if !errors.Is(err, own) || withoutIDs(err.Error()) != want {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
	t.Cleanup(func() { close(release) })
}

// nested puts a text into an envelope as Intune does, levels times over.
func nested(text string, levels int) string {
	for range levels {
		text = `{"ErrorCode":"Forbidden","Message":` + quote(text) + `}`
	}
	return `{"error":{"code":"UnknownError","message":` + quote(text) + `}}`
}

func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a text always marshals
	}
	return string(quoted)
}

func TestError_OddBodies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body    string
		code    string
		inner   string
		message string
	}{
		"empty":                      {"", "", "", ""},
		"blank":                      {" \r\n\t", "", "", ""},
		"byte-order mark":            {"\ufeff" + `{"error":{"code":"x","message":"m"}}`, "x", "", "m"},
		"plain text":                 {"upstream connect error\n", "", "", "upstream connect error"},
		"binary":                     {"\x00\xff\xfe", "", "", ""},
		"null":                       {"null", "", "", "null"},
		"array":                      {`[{"error":{"code":"x"}}]`, "", "", ""},
		"string":                     {`"text"`, "", "", "text"},
		"other object":               {`{"foo":{"bar":1}}`, "", "", ""},
		"error is a string":          {`{"error":"invalid_client","error_description":"AADSTS7000215"}`, "invalid_client", "", "AADSTS7000215"},
		"error is null":              {`{"error":null}`, "", "", ""},
		"error is a number":          {`{"error":5}`, "5", "", ""},
		"no envelope":                {`{"code":"x","message":"m"}`, "x", "", "m"},
		"Pascal case":                {`{"Error":{"Code":"x","Message":"m","InnerError":{"Code":"y"}}}`, "x", "y", "m"},
		"lower case innererror":      {`{"error":{"code":"x","message":"m","innererror":{"code":"y","innererror":{"code":"z"}}}}`, "x", "z", "m"},
		"OData v3":                   {`{"odata.error":{"code":"x","message":{"lang":"en-us","value":"m"}}}`, "x", "", "m"},
		"message is an object":       {`{"error":{"code":"x","message":{"value":"m"}}}`, "x", "", "m"},
		"message is a number":        {`{"error":{"code":"x","message":42}}`, "x", "", "42"},
		"message is an array":        {`{"error":{"code":"x","message":["m"]}}`, "x", "", ""},
		"code is a number":           {`{"error":{"code":404,"message":"m"}}`, "404", "", "m"},
		"innerError is a string":     {`{"error":{"code":"x","message":"m","innerError":"y"}}`, "x", "", "m"},
		"details is an object":       {`{"error":{"code":"x","message":"m","details":{"code":"y"}}}`, "x", "", "m"},
		"details holds odd things":   {`{"error":{"code":"x","message":"m","details":[1,null,"s",{"code":"y"}]}}`, "x", "y", "m"},
		"no message":                 {`{"error":{"code":"x"}}`, "x", "", ""},
		"nested three times":         {nested("inner sentence - Activity ID: 1", 3), "UnknownError", "Forbidden", "inner sentence"},
		"message is empty JSON":      {`{"error":{"code":"x","message":"{}"}}`, "x", "", "{}"},
		"message is other JSON":      {`{"error":{"code":"x","message":"{\"a\":1}"}}`, "x", "", `{"a":1}`},
		"message only begins as one": {`{"error":{"code":"x","message":"{not JSON"}}`, "x", "", "{not JSON"},
		"text with a JSON tail": {
			`{"error":{"code":"x","message":"sentence {\"Message\":\"tail\"}"}}`, "x", "", `sentence {"Message":"tail"}`,
		},
		"trailer only":            {`{"error":{"code":"x","message":" - Activity ID: 1"}}`, "x", "", ""},
		"label inside a sentence": {`{"error":{"code":"x","message":"the Url: field is wrong"}}`, "x", "", "the Url: field is wrong"},
		"HTML with script": {
			"<html><head><title>t</title></head><body><script>x<y</script><!-- c --><p>Blocked &amp; logged</p></body></html>", "", "",
			"Blocked & logged",
		},
		"HTML with title only":   {"<!DOCTYPE html><title>Gateway</title>", "", "", "Gateway"},
		"HTML unclosed":          {"<html><head><title>Gate", "", "", "Gate"},
		"XML":                    {"<Error><Code>x</Code></Error>", "", "", "<Error><Code>x</Code></Error>"},
		"cut in the message":     {`{"error":{"code":"Forbidden","message":"{\r\n \"Mess`, "Forbidden", "", ""},
		"cut behind the message": {`{"error":{"code":"Forbidden","message":"m","innerError":{"request-id":"r","da`, "Forbidden", "", "m"},
		"cut in the code":        {`{"error":{"code":"Forb`, "", "", ""},
		"trailing garbage":       {`{"error":{"code":"x","message":"m"}}garbage`, "x", "", "m"},
		"duplicate members":      {`{"error":{"code":"x","code":"y","message":"m"}}`, "y", "", "m"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, always(http.StatusBadRequest, c.body)).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			e := asError(t, err)
			if got, want := [...]string{e.Code, e.InnerCode, e.Message}, [...]string{c.code, c.inner, c.message}; got != want {
				t.Errorf("code, inner code and message are %q, want %q", got, want)
			}
			if e.StatusCode != http.StatusBadRequest {
				t.Errorf("status %d", e.StatusCode)
			}
			checkText(t, err)
		})
	}
}

// A transport in a test may leave out the status, as no server can.
func TestError_AnswerWithoutAStatus(t *testing.T) {
	t.Parallel()
	for code, kind := range map[string]error{"Forbidden": intune.ErrForbidden, "unauthenticated": intune.ErrUnauthenticated} {
		_, err := newClient(t, always(0, `{"error":{"code":"`+code+`"}}`)).GetDevice(t.Context(), intune.Device("1"), nil)
		checkKinds(t, err, kind)
		if e := asError(t, err); strings.Contains(e.Hint, "credential") {
			t.Errorf("the hint is about the credential, which gave a token: %s", e.Hint)
		}
	}
}

// countingReader is a body without an end.
type countingReader struct{ read int }

func (r *countingReader) Read(p []byte) (int, error) {
	if r.read == 0 {
		r.read = copy(p, `{"error":{"code":"Forbidden","message":"`)
		return r.read, nil
	}
	for i := range p {
		p[i] = 'A'
	}
	r.read += len(p)
	return len(p), nil
}

func (*countingReader) Close() error { return nil }

func TestError_EndlessBodyIsCut(t *testing.T) {
	t.Parallel()
	body := &countingReader{}
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		resp := answer(req, http.StatusForbidden, nil, "")
		resp.Body, resp.ContentLength = body, 50<<20
		return resp, nil
	}))
	_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	e := asError(t, err)
	if body.read > 128<<10 {
		t.Errorf("read %d bytes", body.read)
	}
	if e.Code != "Forbidden" || !errors.Is(err, intune.ErrForbidden) {
		t.Errorf("code %q of %v", e.Code, err)
	}
	checkText(t, err)
	raw, _ := errors.AsType[*azcore.ResponseError](err)
	kept, err := io.ReadAll(raw.RawResponse.Body)
	if err != nil || len(kept) > 64<<10 {
		t.Errorf("kept %d bytes, error %v", len(kept), err)
	}
}

func TestError_DeepBodies(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"objects":        strings.Repeat(`{"error":`, 10_000) + `{"code":"x"}` + strings.Repeat("}", 10_000),
		"inner errors":   `{"error":` + strings.Repeat(`{"code":"x","innerError":`, 2_000) + "null" + strings.Repeat("}", 2_001),
		"arrays":         strings.Repeat("[", 60_000),
		"in the message": `{"error":{"message":` + strings.Repeat("[", 60_000),
		"messages":       nested("text", 12),
		"open tags":      "<html>" + strings.Repeat("<", 60_000),
		"open heads":     "<html>" + strings.Repeat("<head>", 10_000),
		"labels":         strings.Repeat("Url:", 16_000),
		"details":        `{"error":{"code":"x","details":[` + strings.Repeat(`{"code":"y"},`, 4_000) + `{}]}}`,
		"backslashes":    `{"error":{"code":"x","message":"{` + strings.Repeat(`\\`, 30_000) + `"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, always(http.StatusBadRequest, body)).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			if e := asError(t, err); e.StatusCode != http.StatusBadRequest || len(e.Details) > 16 {
				t.Errorf("got %v", err)
			}
			checkText(t, err)
		})
	}
}

func FuzzError_Body(f *testing.F) {
	f.Add([]byte(nested("An error has occurred - Operation ID (for customer support): 0 - Activity ID: 1 - Url: https://x", 2)), 401)
	f.Add([]byte(`{"error":{"code":"x","message":"m","innerError":{"code":"y","innerError":{"code":"z"}},"details":[{"code":"d"}]}}`), 400)
	f.Add([]byte("<html><body>Bad &amp; Gateway</body></html>"), 502)
	f.Add([]byte(`{"responses":[{"id":"1","status":404}]}`), 400)
	f.Add([]byte("\ufeff{\"error\":\"text\"}"), 403)
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		if status < 400 || status > 599 {
			status = 400 + (status&0x7fffffff)%200
		}
		client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
			resp := answer(req, status, nil, "")
			resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			return resp, nil
		}), noRetries)
		_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
		e := asError(t, err)
		if e.StatusCode != status {
			t.Errorf("StatusCode %d, want %d", e.StatusCode, status)
		}
		kinds := 0
		for _, sentinel := range sentinels {
			if errors.Is(err, sentinel) {
				kinds++
			}
		}
		if kinds > 1 {
			t.Errorf("%d kinds", kinds)
		}
		checkText(t, err)
	})
}

func TestError_CauseHoldsTheVerdictOfAnotherCall(t *testing.T) {
	t.Parallel()
	ended := errors.New("ended")
	for name, cause := range map[string]error{
		"pending": fmt.Errorf("no: %w", &intune.PendingError{Device: intune.Device("2"), ResumeToken: "another's", OutcomeUnknown: true}),
		"failed":  fmt.Errorf("no: %w", &intune.SessionError{Device: intune.Device("2"), Details: "declined"}),
		"unknown": fmt.Errorf("no: %w", &intune.Error{OutcomeUnknown: true}),
	} {
		cause = errors.Join(cause, ended)
		for place, change := range map[string]func(*intune.ClientOptions){
			"journal": func(o *intune.ClientOptions) { o.Journal = refusing{cause} },
			"policy": func(o *intune.ClientOptions) {
				o.PerCallPolicies = []policy.Policy{policyFunc(func(*policy.Request) (*http.Response, error) { return nil, cause })}
			},
		} {
			t.Run(name+" in a "+place, func(t *testing.T) {
				t.Parallel()
				tenant := intunetest.NewTenant(nil)
				device := tenant.AddDevice(intune.ManagedDevice{})
				client := newClient(t, tenant, change)
				_, requested := client.RequestRemoteAssistance(t.Context(), device, nil)
				_, opened := client.OpenRemoteAssistance(t.Context(), device, nil)
				for method, err := range map[string]error{"Request": requested, "Open": opened} {
					asError(t, err)
					if errors.Is(err, intune.ErrOutcomeUnknown) || errors.Is(err, intune.ErrSessionPending) {
						t.Errorf("%s: %v says that the user may have been asked", method, err)
					}
					if pending, ok := errors.AsType[*intune.PendingError](err); ok {
						t.Errorf("%s: %v gives the token of another request: %q", method, err, pending.ResumeToken)
					}
					if failed, ok := errors.AsType[*intune.SessionError](err); ok {
						t.Errorf("%s: %v gives the failure of another request: %v", method, err, failed)
					}
					if !errors.Is(err, ended) {
						t.Errorf("%s: the rest of the cause is not found in %v", method, err)
					}
				}
				for result := range client.RequestRemoteAssistanceMany(t.Context(), slices.Values([]intune.DeviceRef{device}), nil) {
					if result.Outcome != intune.OutcomeNotSent {
						t.Errorf("outcome %q, error %v", result.Outcome, result.Err)
					}
				}
				if prompts := tenant.Prompts(device); prompts != 0 {
					t.Errorf("%d prompts", prompts)
				}
			})
		}
	}
}

// The kind of a journal's own failed call is found, unless the journal keeps it to itself; the outer error comes first.
func TestError_CauseIsAnError(t *testing.T) {
	t.Parallel()
	own := &intune.Error{StatusCode: http.StatusNotFound}
	for name, c := range map[string]struct {
		refusal error
		found   bool
	}{"wrapped": {fmt.Errorf("no: %w", own), true}, "as text": {fmt.Errorf("no: %v", own), false}} { //nolint:errorlint // this is the case
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tenant := intunetest.NewTenant(nil)
			device := tenant.AddDevice(intune.ManagedDevice{})
			client := newClient(t, tenant, func(o *intune.ClientOptions) { o.Journal = refusing{c.refusal} })
			_, err := client.RequestRemoteAssistance(t.Context(), device, nil)
			if found := errors.Is(err, intune.ErrNotFound); found != c.found {
				t.Errorf("its kind is found: %t, in %v", found, err)
			}
			if outer := asError(t, err); outer.Device != device || outer.StatusCode != 0 {
				t.Errorf("the outer error is not found first: %v", outer)
			}
		})
	}
}

// refusing is a journal that takes no request.
type refusing struct{ err error }

func (j refusing) Asking(context.Context, intune.JournalEntry) error { return j.err }
func (refusing) Asked(context.Context, intune.JournalEntry) error    { return nil }
func (refusing) Ended(context.Context, intune.JournalEntry) error    { return nil }
