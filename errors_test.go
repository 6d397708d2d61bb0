package intune_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/go-intune/intune"
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
	Expect  struct {
		Code         string
		InnerCode    *string `json:"error_code_nested"`
		ShortMessage string  `json:"short_message"`
		ActivityID   *string `json:"activity_id"`
		OperationID  *string `json:"operation_id"`
		RequestID    *string `json:"request_id"`
		ClientID     *string `json:"client_request_id"`
		Date         *string
		Category     string
	}
}

// The bodies are in the shapes that users of the service reported; testdata/errors/README.md says where each is from.
func TestErrorBodiesOfTheService(t *testing.T) {
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
	open := status == 500 || status == 502 || status == 504 || status == 408
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
	if raw, ok := errors.AsType[*azcore.ResponseError](err); !ok || raw.StatusCode != status || raw.RawResponse == nil {
		t.Errorf("no azcore.ResponseError with status and raw response: %#v", raw)
	}
}

func TestErrorAsJSONAndLog(t *testing.T) {
	t.Parallel()
	client := newClient(t, always(http.StatusForbidden, nested("An error has occurred", 1)))
	_, withDevice := client.RequestRemoteAssistance(t.Context(), intune.UserDevice("anna@contoso.com", "1"), nil)
	_, without := client.GetRemoteAssistancePartner(t.Context(), "1", nil)
	for _, err := range []error{withDevice, without} {
		if text, jsonErr := json.Marshal(err); jsonErr != nil || !strings.Contains(string(text), `"InnerCode":"Forbidden"`) {
			t.Errorf("%s, %v", text, jsonErr)
		}
		var b strings.Builder
		slog.New(slog.NewJSONHandler(&b, nil)).Error("failed", "err", err)
		if !strings.Contains(b.String(), `"inner_code":"Forbidden"`) || strings.Contains(b.String(), "anna") || strings.Contains(err.Error(), "anna") {
			t.Errorf("%s %v", b.String(), err)
		}
	}
}

// A test of an importer's may make errors by hand.
func TestErrorMadeByHandHasAKind(t *testing.T) {
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
func TestKindsOfErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		want   error
	}{
		"license by text":          {400, `{"error":{"code":"BadRequest","message":"Request not applicable to target tenant."}}`, intune.ErrNotLicensed},
		"license before forbidden": {403, `{"error":{"code":"Forbidden","message":"The user has no Intune license."}}`, intune.ErrNotLicensed},
		"throttled before denied":  {429, `{"error":{"code":"accessDenied","message":"slow down"}}`, intune.ErrThrottled},
		"throttled by code":        {400, `{"error":{"code":"activityLimitReached"}}`, intune.ErrThrottled},
		"forbidden at any depth":   {401, nested("An error has occurred", 1), intune.ErrForbidden},
		"forbidden in innerError":  {400, `{"error":{"code":"x","innerError":{"code":"y","innerError":{"code":"forbidden"}}}}`, intune.ErrForbidden},
		"403 says unauthorized":    {403, `{"error":{"code":"unauthorized"}}`, intune.ErrForbidden},
		"identity not found":       {401, `{"error":{"code":"Authorization_IdentityNotFound"}}`, intune.ErrUnauthenticated},
		"unauthorized by code":     {400, `{"error":{"code":"InvalidAuthenticationToken"}}`, intune.ErrUnauthenticated},
		"conflict by detail":       {400, `{"error":{"code":"x","details":[{"code":"ObjectConflict"}]}}`, intune.ErrConflict},
		"conflict by code":         {400, `{"error":{"code":"nameAlreadyExists"}}`, intune.ErrConflict},
		"not found by code":        {400, `{"error":{"code":"ErrorItemNotFound"}}`, intune.ErrNotFound},
		"segment is a bad request": {400, `{"error":{"code":"BadRequest","message":"Resource not found for the segment 'x'."}}`, intune.ErrBadRequest},
		"unavailable by code":      {400, `{"error":{"code":"serviceNotAvailable"}}`, intune.ErrUnavailable},
		"502":                      {502, "", intune.ErrUnavailable},
		"server by code":           {400, `{"error":{"code":"InternalServerError"}}`, intune.ErrServer},
		"400 InternalError":        {400, `{"error":{"code":"InternalError"}}`, intune.ErrBadRequest},
		"text with numbers only":   {400, `{"error":{"code":"x","message":"host amsua0403, path /429/"}}`, intune.ErrBadRequest},
		"411":                      {411, "<html><body>Length Required</body></html>", intune.ErrBadRequest},
		"507":                      {507, "", intune.ErrServer},
		"509":                      {509, "", intune.ErrThrottled},
		"424 is of no kind":        {424, `{"error":{"code":"UnknownError"}}`, nil},
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
