package intune

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/errorbody"
	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/redact"
)

// newError turns what a call recorded, and what the pipeline returned, into the error for the caller.
func (c *Client) newError(r *request, write bool, record graphpolicy.Record, resp *http.Response, err error) *Error {
	err = graphpolicy.Cause(err)
	private := privateOf(&r.url, record.Authorization)
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
		e.StatusCode, e.phase = foreign.StatusCode, foreign.Error()
	case record.Stopped != nil:
		e.phase, e.cause = phaseNotRecorded, redact.Error(record.Stopped.Unwrap(), private)
	case noToken:
		e.phase, e.cause = phaseNoToken, redact.Error(token.Unwrap(), private)
		e.kind = kindWithoutToken(token)
	case err != nil:
		e.phase, e.cause = phaseOf(write, record.Verdict, resp), redact.Error(err, private)
	case resp != nil && resp.StatusCode < 300:
		e.phase = "not the answer that was expected"
	}
	e.Hint = c.hint(r.op, record.Authorization, e)
	return e
}

// redactTransportError is for errors before azcore logs them.
func redactTransportError(err error, address *url.URL, authorization string) error {
	return redact.Error(err, privateOf(address, authorization))
}

// phaseNoToken is how far a call had come whose credential failed or did not answer in time.
const phaseNoToken = "not sent, for no token came while getting a token"

// phaseNotRecorded is how far a call had come that the journal could not record.
const phaseNotRecorded = "not sent, for the journal could not record the request"

// kindWithoutToken is the kind of a failure to get a token. A token that the caller gave and that cannot be one is an
// [ErrInvalidArgument] already.
func kindWithoutToken(err error) error {
	if isContextError(err) || errors.Is(err, ErrInvalidArgument) {
		return nil
	}
	return ErrUnauthenticated
}

// phaseOf says how far a call had come when it failed without a verdict of the service.
func phaseOf(write bool, verdict graphpolicy.Verdict, resp *http.Response) string {
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

// unexpectedAnswer is a success that is not the one the operation has.
func (c *Client) unexpectedAnswer(r *request, resp *http.Response, why string) *Error {
	e := answerError(resp, privateOf(&r.url, ""))
	e.Op, e.Device, e.phase, e.unknown = r.op.text, r.device, why, r.method != http.MethodGet
	if e.unknown {
		e.Hint = hintUnknown
	}
	return e
}

// answerError is what an answer says, from its body first and its headers second. This is where its texts are cleaned.
func answerError(resp *http.Response, private redact.Private) *Error {
	const maxHeader = 256
	header := func(name string) string {
		return redact.Limit(private.Clean(redact.Limit(resp.Header.Get(name), 2*maxHeader)), maxHeader)
	}
	var body errorbody.Body
	if resp.StatusCode >= 300 {
		payload, _ := runtime.Payload(resp)
		body = errorbody.Parse(payload, private)
	}
	e := &Error{
		StatusCode: resp.StatusCode,
		Code:       body.Code, InnerCode: body.InnerCode,
		Message: body.Message, Phrase: body.Phrase, Target: body.Target,
		RequestID:       cmp.Or(body.RequestID, header("Request-Id")),
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

// errBatchAnswer stands for no kind at all: a $batch answer is not an error object, whatever its status.
var errBatchAnswer = errors.New("batch answer")

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
