package intune

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/errorbody"
	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/odata"
	"github.com/go-intune/intune/internal/redact"
)

// newError turns what a call recorded, and what the pipeline returned, into the error for the caller.
func (c *Client) newError(r *request, write bool, record graphpolicy.Record, resp *http.Response, err error) *Error {
	err = graphpolicy.Cause(err)
	private := privateOf(&r.url, record.Authorization, r.users...)
	var e *Error
	if resp != nil {
		e = answerError(resp, private)
	} else {
		e = &Error{ClientRequestID: private.Clean(record.RequestID)}
	}
	e.Op, e.Device, e.unknown = r.op.text, r.device, write && record.Verdict >= graphpolicy.Answered
	token, noToken := errors.AsType[*graphpolicy.TokenError](err)
	if record.Token != nil && isContextError(err) {
		token, noToken = record.Token, true
	}
	switch foreign := (*graphpolicy.ForeignError)(nil); {
	case errors.As(err, &foreign):
		e.StatusCode, e.reason = foreign.StatusCode, foreign.Error()
	case record.Stopped != nil:
		e.reason, e.cause = reasonNotRecorded, redact.Error(record.Stopped.Unwrap(), private)
	case noToken:
		e.reason, e.cause = reasonNoToken, redact.Error(token.Unwrap(), private)
		e.kind = kindWithoutToken(token)
	case err != nil:
		e.reason, e.cause = reasonOf(write, record.Verdict, resp), redact.Error(err, private)
	case resp != nil && resp.StatusCode < 300:
		e.reason = "not the answer that was expected"
	}
	e.Hint = c.hint(r.op, record.Authorization, e)
	return e
}

// redactTransportError cleans an error before azcore logs it.
func redactTransportError(err error, address *url.URL, authorization string) error {
	return redact.Error(err, privateOf(address, authorization))
}

// reasonNoToken is the reason of a call whose credential failed or did not answer in time.
const reasonNoToken = "not sent, for no token came while getting a token"

// reasonNotRecorded is the reason of a call that the journal could not record.
const reasonNotRecorded = "not sent, for the journal could not record the request"

// kindWithoutToken is the kind of a failure to get a token. If the caller gave a text that cannot be a token, the error
// is an [ErrInvalidArgument] already.
func kindWithoutToken(err error) error {
	if isContextError(err) || errors.Is(err, ErrInvalidArgument) {
		return nil
	}
	return ErrUnauthenticated
}

// reasonOf says how far a call got that failed without a verdict of the service.
func reasonOf(write bool, verdict graphpolicy.Verdict, resp *http.Response) string {
	switch {
	case resp != nil && resp.StatusCode >= 400:
		return "" // the status says it
	case resp != nil:
		return "the answer could not be read"
	case write && verdict == graphpolicy.Open:
		return "sent, but no answer came"
	case write:
		return "not sent"
	default:
		return "no answer"
	}
}

// unexpectedAnswer is the error for an answer with a success status that the operation cannot have given.
func (c *Client) unexpectedAnswer(r *request, resp *http.Response, why string) *Error {
	e := answerError(resp, privateOf(&r.url, "", r.users...))
	e.Op, e.Device, e.reason, e.unknown = r.op.text, r.device, why, r.method != http.MethodGet
	if e.unknown {
		e.Hint = hintUnknown
	}
	return e
}

// answerError makes an error from an answer. The body takes precedence over the headers, and all texts are cleaned
// here.
func answerError(resp *http.Response, private redact.Private) *Error {
	var body errorbody.Body
	if resp.StatusCode >= 300 {
		payload, _ := runtime.Payload(resp)
		body = errorbody.Parse(payload, private)
	}
	e := &Error{
		StatusCode: resp.StatusCode,
		Code:       body.Code, InnerCode: body.InnerCode,
		Message: body.Message, Phrase: body.Phrase, Target: body.Target,
		RequestID:       cmp.Or(body.RequestID, requestID(resp, private.Clean)),
		ClientRequestID: cmp.Or(body.ClientRequestID, private.Clean(clientRequestID(resp))),
		ActivityID:      body.ActivityID, OperationID: body.OperationID,
		Date:       body.Date,
		RetryAfter: graphpolicy.RetryAfter(resp.Header, time.Now()),
		kind:       classify(resp.StatusCode, body),
		// A literal, because NewResponseError formats the whole body at once and writes it to azcore's log.
		response: &azcore.ResponseError{ErrorCode: body.Code, StatusCode: resp.StatusCode, RawResponse: resp},
	}
	for _, detail := range body.Details {
		e.Details = append(e.Details, ErrorDetail(detail))
	}
	if e.RetryAfter == 0 {
		e.RetryAfter = graphpolicy.ParseRetryAfter(body.RetryAfter, "", time.Now())
	}
	if body.Batch {
		e.kind = errBatchAnswer
	}
	return e
}

// errBatchAnswer is a kind that matches no sentinel: a $batch answer is not an error object, whatever its status.
var errBatchAnswer = errors.New("batch answer")

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// classify chooses the kind of an error. Status and codes disagree often, so the order matters: a tenant without a
// license gets 400 or 403, a throttled caller any code, and a caller without a role right 401 with a nested
// Forbidden.
func classify(status int, body errorbody.Body) error {
	switch {
	case body.HasCodeLike("licens", "nonpremiumtenant") ||
		// Intune's own sentence does not contain the word license.
		body.Says("licens", "licence", "request not applicable to target tenant"): //nolint:misspell // the British spelling occurs too
		return ErrNotLicensed
	case status == http.StatusTooManyRequests || status == 509 ||
		body.HasCode("TooManyRequests", "activityLimitReached", "throttledRequest", "RequestThrottled", "ApplicationThrottled") || body.HasCodeLike("throttled"):
		return ErrThrottled
	case status == http.StatusForbidden || body.HasCode("Forbidden") || body.HasCodeLike("accessdenied", "requestdenied"):
		return ErrForbidden
	case status == http.StatusUnauthorized || body.Says("claims=") ||
		body.HasCode("unauthenticated", "AuthenticationError", "Authorization_IdentityNotFound") ||
		body.HasCodeLike("unauthorized", "authenticationtoken", "authentication_"):
		return ErrUnauthenticated
	case status == http.StatusConflict || status == http.StatusPreconditionFailed ||
		body.HasCode("ConditionNotMet", "PreconditionFailed", "resourceModified") || body.HasCodeLike("alreadyexists", "conflict"):
		return ErrConflict
	case status == http.StatusNotFound || status == http.StatusGone || body.HasCodeLike("notfound"):
		return ErrNotFound
	case status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout ||
		body.HasCode("ServiceUnavailable", "serviceNotAvailable", "GatewayTimeout", "BadGateway"):
		return ErrUnavailable
	case status >= 500 || body.HasCode("InternalServerError", "generalException") || body.Says("internal server error"):
		return ErrServer
	}
	switch status {
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusLengthRequired,
		http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return ErrBadRequest
	}
	return nil
}

// privateOf collects what no error may show of a request: the operands of its query, the user in its path, and the
// token that was sent with it. The token is given, because only a JSON web token can be recognized by its form.
func privateOf(u *url.URL, authorization string, users ...string) redact.Private {
	keys := append([]string{bearerOf(authorization)}, users...)
	if u == nil {
		return redact.Of("", keys...)
	}
	return redact.Of(u.RawQuery, append(keys, odata.UserOf(u.EscapedPath()))...).At(u.Host)
}

func bearerOf(authorization string) string {
	const scheme = "Bearer "
	token, _ := strings.CutPrefix(authorization, scheme)
	return token
}
