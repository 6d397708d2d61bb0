package intune

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/graphpolicy"
)

// newError turns what a call recorded, and what the pipeline returned, into the error for the caller.
func (c *Client) newError(r *request, write bool, record graphpolicy.Record, resp *http.Response, err error) *Error {
	e := &Error{
		Op:      r.op.text,
		Device:  r.device,
		unknown: write && record.Verdict >= graphpolicy.Answered,
	}
	err = graphpolicy.Cause(err)
	_, query, _ := strings.Cut(r.url, "?")
	private := privateTexts(query)
	if resp != nil {
		e.readAnswer(resp)
		e.hide(private)
	}
	switch foreign, token := (*graphpolicy.ForeignError)(nil), (*graphpolicy.TokenError)(nil); {
	case errors.As(err, &foreign):
		e.StatusCode, e.phase = foreign.StatusCode, foreign.Error()
	case errors.As(err, &token):
		e.phase, e.cause = "no token", token.Unwrap()
		e.kind = kindWithoutToken(err)
	case err != nil:
		e.phase = phaseOf(write, record.Verdict, resp)
		e.cause = redactCause(err, private)
	case resp != nil && resp.StatusCode < 300:
		e.phase = "not the answer that was expected"
	}
	if e.ClientRequestID == "" {
		e.ClientRequestID = record.RequestID
	}
	e.Hint = c.hint(r.op, record.Authorization, e)
	return e
}

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
	e := &Error{Op: r.op.text, Device: r.device, phase: why, unknown: r.method != http.MethodGet}
	e.readIDs(resp)
	if e.unknown {
		e.Hint = hintUnknown
	}
	return e
}

// readAnswer fills in what an answer says, from its body first and its headers second.
func (e *Error) readAnswer(resp *http.Response) {
	e.RetryAfter = graphpolicy.RetryAfter(resp.Header, time.Now())
	e.StatusCode = resp.StatusCode
	if resp.StatusCode >= 300 {
		body, _ := runtime.Payload(resp)
		e.readBody(body)
	}
	e.readIDs(resp)
}

func (e *Error) readIDs(resp *http.Response) {
	e.StatusCode = resp.StatusCode
	if e.RequestID == "" {
		e.RequestID = resp.Header.Get("Request-Id")
	}
	if e.ClientRequestID == "" {
		e.ClientRequestID = clientRequestID(resp)
	}
	// A literal, because NewResponseError formats the whole body at once and writes it to azcore's log.
	e.response = &azcore.ResponseError{ErrorCode: e.Code, StatusCode: resp.StatusCode, RawResponse: resp}
}

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
