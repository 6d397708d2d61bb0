package intune

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/go-intune/intune/internal/errorbody"
	"github.com/go-intune/intune/internal/redact"
)

// The kinds of failure, for [errors.Is]. An [*Error] is of at most one of them, chosen by the HTTP status and by the
// codes at any depth of the body; it can match ErrOutcomeUnknown in addition, and the kind of its cause. Programs can rely
// on the sentinels and on the fields of Error; error texts may change.
var (
	// ErrInvalidArgument marks an argument or option that could not be used; nothing was sent. The text names the argument
	// and says what would be right.
	ErrInvalidArgument = errors.New("invalid argument")

	// ErrBadRequest marks a request that the service refused as malformed or not supported: 400 and similar statuses, such
	// as 405 and 422.
	ErrBadRequest = errors.New("bad request")

	// ErrUnauthenticated marks a missing, expired or revoked token, or a claims challenge that could not be met.
	ErrUnauthenticated = errors.New("unauthenticated")

	// ErrForbidden marks a caller without the Graph permission or the Intune role right. Intune also reports this with
	// status 401 and a nested code Forbidden; a new token does not help then.
	ErrForbidden = errors.New("forbidden")

	// ErrNotLicensed marks a tenant or user without the license that the operation needs.
	ErrNotLicensed = errors.New("not licensed")

	// ErrNotFound marks a device, user, app or address that the service does not know.
	ErrNotFound = errors.New("not found")

	// ErrConflict marks a request that the state of the resource does not allow: 409 and 412. With a journal, it also marks
	// one that was not sent because somebody else's session came up on the device (StatusCode 0).
	ErrConflict = errors.New("conflict")

	// ErrThrottled marks too many requests: 429, or a throttling code. Error.RetryAfter says how long to wait, if
	// the service said so.
	ErrThrottled = errors.New("throttled")

	// ErrUnavailable marks a service that is not available at the moment: 502, 503 and 504.
	ErrUnavailable = errors.New("service unavailable")

	// ErrServer marks any other failure inside the service.
	ErrServer = errors.New("server error")

	// ErrOutcomeUnknown marks an action that was sent and whose outcome could not be learned, such as by a connection that
	// broke before the answer came. The service may have acted: read the session before asking again, or the user may be
	// prompted twice. The same error can also match one of the kinds above, and its cause, such as the end of a context.
	ErrOutcomeUnknown = errors.New("outcome unknown")
)

// kinds are the sentinels of what a body says. What is of no kind has nil.
var kinds = map[errorbody.Kind]error{
	errorbody.BadRequest:      ErrBadRequest,
	errorbody.Unauthenticated: ErrUnauthenticated,
	errorbody.Forbidden:       ErrForbidden,
	errorbody.NotLicensed:     ErrNotLicensed,
	errorbody.NotFound:        ErrNotFound,
	errorbody.Conflict:        ErrConflict,
	errorbody.Throttled:       ErrThrottled,
	errorbody.Unavailable:     ErrUnavailable,
	errorbody.Server:          ErrServer,
}

// Error is the failure of one call to the service. Every method that calls the service returns it on failure, also when
// no answer came (StatusCode 0). An argument that was refused before sending gives a plain error with
// [ErrInvalidArgument] instead. Some methods have errors of their own besides: a wait [*PendingError] and
// [*SessionError], and [Client.FindDevice] [*AmbiguousDeviceError].
//
// [errors.Is] finds the sentinels of this package and the cause (a context's end, a network failure); [errors.As] finds
// the [*azcore.ResponseError] with the raw response, and azidentity's error if no token could be obtained. The text of
// the ResponseError holds the whole body and is not fit for logs.
//
// The cause may be an Error too, for example of a journal that calls the service itself. Then [errors.Is] also finds its
// kind, unless the journal wraps it with %v, and [errors.As] finds the outer Error first. What a cause says of another
// request is not found: ErrOutcomeUnknown, [ErrSessionPending], [*PendingError] and [*SessionError].
type Error struct {
	// Op is what was tried: "request remote assistance".
	Op string

	// Device is the device it was tried on, zero for an operation on the tenant. JSON shows the whole address, including
	// the user of a UserDevice.
	Device DeviceRef `json:",omitzero"`

	// StatusCode is the HTTP status, 0 when no answer came.
	StatusCode int

	// Code is error.code as received. It can be blank, "UnknownError" or even a sentence; branch on errors.Is.
	Code string

	// InnerCode is the most specific code found deeper in the body: in the JSON that Intune nests in the message, in
	// innerError, or in the details. Blank when there is none.
	InnerCode string

	// Message is the innermost sentence a human can use, without ids and addresses. Blank when the service said
	// nothing.
	Message string

	// Phrase is Intune's CustomApiErrorPhrase, an internal reason such as "FeatureDisabled". Often blank.
	Phrase string

	// Target is what the error is about, if the service said so.
	Target string

	// Details are further errors the service listed.
	Details []ErrorDetail

	// RequestID, ClientRequestID, ActivityID and OperationID are what Microsoft's support asks for. Ids in the body
	// win over those in headers.
	RequestID, ClientRequestID, ActivityID, OperationID string

	// Date is when the error occurred, as the service wrote it; the text does not always parse as a date.
	Date string

	// RetryAfter is how long the service asked to wait, 0 when it did not say.
	RetryAfter time.Duration

	// Hint says what to do about the error, if the library knows. It is for the operator and not for the device's user,
	// since it may name the app and its permissions. Its text may change.
	Hint string

	// OutcomeUnknown says that errors.Is finds ErrOutcomeUnknown: the action was sent, or may have been, and nobody knows
	// whether the service acted.
	OutcomeUnknown bool

	kind     error
	reason   string // how far the call came, or what is wrong with the answer
	response *azcore.ResponseError
	cause    error
}

// ErrorDetail is one entry of Error.Details.
type ErrorDetail struct {
	// Code, Message and Target are as received; each may be blank.
	Code, Message, Target string
}

// Error is one line: what was tried on which device, status, code, message, hint, request id. It is for people and may
// change; it holds no token, link, query or user.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(cmp.Or(e.Op, "call Microsoft Graph"))
	if !e.Device.IsZero() {
		b.WriteString(" on ")
		b.WriteString(e.Device.redacted())
	}
	if e.OutcomeUnknown {
		b.WriteString(": outcome unknown")
	}
	if e.StatusCode != 0 {
		b.WriteString(": ")
		b.WriteString(strconv.Itoa(e.StatusCode))
		if text := http.StatusText(e.StatusCode); text != "" {
			b.WriteString(" " + text)
		}
	}
	code := e.Code
	if e.InnerCode != "" && !strings.EqualFold(e.InnerCode, code) {
		code = strings.TrimPrefix(code+"/"+e.InnerCode, "/")
	}
	if code != "" {
		b.WriteString(" (" + redact.OneLine(code, maxCodeText) + ")")
	}
	if e.reason != "" {
		b.WriteString(": " + e.reason)
	}
	if e.Message != "" {
		b.WriteString(": " + redact.OneLine(e.Message, maxMessageText))
	}
	if e.Phrase != "" {
		b.WriteString(" [" + redact.OneLine(e.Phrase, maxCodeText) + "]")
	}
	for i, d := range e.Details {
		if i == maxDetailsText {
			break
		}
		if text := strings.Trim(d.Code+": "+d.Message, ": "); text != "" && text != e.InnerCode {
			b.WriteString("; " + redact.OneLine(text, maxCodeText))
		}
	}
	if e.cause != nil {
		b.WriteString(": " + causeLine(e.cause))
	}
	if e.RetryAfter > 0 {
		b.WriteString("; retry after " + e.RetryAfter.String())
	}
	if e.Hint != "" {
		b.WriteString("; hint: " + redact.OneLine(e.Hint, maxMessageText))
	}
	if id := cmp.Or(e.RequestID, e.ActivityID); id != "" {
		b.WriteString("; request id " + redact.OneLine(id, maxCodeText))
	} else if e.ClientRequestID != "" {
		b.WriteString("; client request id " + redact.OneLine(e.ClientRequestID, maxCodeText))
	}
	return b.String()
}

// Limits of the text of an error. The fields are not shortened to them.
const (
	maxCodeText    = 200
	maxMessageText = 600
	maxCauseText   = 1200 // Entra's sentences are long, and the ids for its support come last
	maxDetailsText = 3
)

// causeLine is the text of the error below another one.
func causeLine(cause error) string { return redact.OneLine(redact.Text(cause.Error()), maxCauseText) }

// Unwrap gives the [*azcore.ResponseError] of the answer, if there was one, and the cause, if there was one.
func (e *Error) Unwrap() []error {
	var list []error
	if e.response != nil {
		list = append(list, e.response)
	}
	if e.cause != nil {
		list = append(list, withoutVerdict(e.cause))
	}
	return list
}

// withoutVerdict is a cause that does not say whether a user was asked. Causes come from callers' code (journals, policies,
// credentials), which may return the error of another call, for example as the [context.Cause] of a context that several
// calls share. That error and its resume token are about another request.
func withoutVerdict(cause error) error {
	_, failed := errors.AsType[*SessionError](cause)
	if failed || errors.Is(cause, ErrSessionPending) || errors.Is(cause, ErrOutcomeUnknown) {
		return foreignVerdictError{cause}
	}
	return cause
}

// foreignVerdictError is a cause that holds the verdict of another call, which [errors.Is] and [errors.As] do not find in it.
type foreignVerdictError struct{ original error }

// Error implements error.
func (e foreignVerdictError) Error() string { return e.original.Error() }

// Is answers for the original and the errors below it.
func (e foreignVerdictError) Is(target error) bool {
	return target != ErrSessionPending && target != ErrOutcomeUnknown && errors.Is(e.original, target)
}

// As answers for the original and the errors below it.
func (e foreignVerdictError) As(target any) bool {
	switch target.(type) {
	case **PendingError, **SessionError:
		return false
	}
	return errors.As(e.original, target)
}

// Is reports whether target is the sentinel of this error's kind, or [ErrOutcomeUnknown] where that applies. For an
// Error that a test made by hand, Is looks at its StatusCode, codes and Message.
func (e *Error) Is(target error) bool {
	if target == ErrOutcomeUnknown {
		return e.OutcomeUnknown
	}
	kind := e.kind
	if kind == nil && e.response == nil { // made by hand
		body := errorbody.Made(e.Message, e.Code, e.InnerCode)
		kind = kinds[body.Kind(e.StatusCode)]
	}
	return kind != nil && target == kind
}

// LogValue groups the fields for structured logs.
func (e *Error) LogValue() slog.Value {
	attributes := []slog.Attr{slog.String("op", e.Op)}
	text := func(key, value string) { attributes = appendText(attributes, key, value) }
	if !e.Device.IsZero() {
		attributes = append(attributes, slog.String("device", e.Device.redacted()))
	}
	if e.StatusCode != 0 {
		attributes = append(attributes, slog.Int("status", e.StatusCode))
	}
	text("code", e.Code)
	text("inner_code", e.InnerCode)
	text("reason", e.reason)
	text("message", e.Message)
	text("phrase", e.Phrase)
	if e.OutcomeUnknown {
		attributes = append(attributes, slog.Bool("outcome_unknown", true))
	}
	if e.cause != nil {
		text("cause", causeLine(e.cause))
	}
	if e.RetryAfter > 0 {
		attributes = append(attributes, slog.Duration("retry_after", e.RetryAfter))
	}
	text("hint", e.Hint)
	text("request_id", e.RequestID)
	text("client_request_id", e.ClientRequestID)
	text("activity_id", e.ActivityID)
	text("operation_id", e.OperationID)
	return slog.GroupValue(attributes...)
}

// invalidArgument names what is wrong with an argument, and what would be right.
func invalidArgument(argument, problem string) error {
	return fmt.Errorf("%w: %s %s", ErrInvalidArgument, argument, problem)
}
