package intune

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"

	"github.com/go-intune/intune/internal/errorbody"
	"github.com/go-intune/intune/internal/graphcall"
	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/odata"
	"github.com/go-intune/intune/internal/redact"
)

// request is one HTTP request of an operation, with what an error says about it.
type request struct {
	graphcall.Request

	op     *operation
	device DeviceRef          // whose address it has
	asked  DeviceRef          // whose address the caller gave, which may be another one
	record graphpolicy.Record // what became of it, set by send
	ids    graphcall.IDs      // of its answer, set by send
}

// newRequest is a read of an operation, on a device or on the tenant (the zero DeviceRef).
func newRequest(op *operation, device DeviceRef, target url.URL) *request {
	r := &request{Request: graphcall.Request{API: op.api, URL: target}, op: op, device: device}
	return r.askedOf(device)
}

// askedOf makes it a request that the caller asked for by another address of the device.
func (r *request) askedOf(device DeviceRef) *request {
	r.asked, r.Asked.User = device, device.user()
	return r
}

// check refuses a client or context that would end in a nil dereference.
func (c *Client) check(ctx context.Context) error {
	if c == nil || c.internal == nil {
		return errNotMade
	}
	if ctx == nil {
		return invalidArgument("ctx", "is nil; pass context.Background() if there is no other")
	}
	return nil
}

var errNotMade = invalidArgument("client", "was not made by intune.NewClient")

// send carries out one request and returns the answer if its status is a success. Every failure is an *Error.
func (c *Client) send(ctx context.Context, r *request) (*http.Response, error) {
	over := ctx.Err() != nil
	result := c.caller.Send(ctx, &r.Request)
	r.record, r.ids = result.Record, result.IDs
	if result.OK {
		return result.Response, nil
	}
	e := c.newError(r, result.Record, result.Response, result.Err)
	if over && e.reason == reasonNoToken {
		e.reason = reasonNotSent // it was over before a token was asked for, of which the credential is not to blame
	}
	return result.Response, e
}

// once is for requests that azcore is not to repeat. The other retry options stay, such as TryTimeout.
func (c *Client) once(ctx context.Context) context.Context {
	options := c.retry
	options.MaxRetries = -1
	return policy.WithRetryOptions(ctx, options)
}

func (c *Client) at(path string, query ...string) url.URL { return c.caller.At(path, query...) }

// tracer returns a disabled tracer for a client that NewClient did not make.
func (c *Client) tracer() tracing.Tracer {
	if c == nil || c.internal == nil {
		return tracing.Tracer{}
	}
	return c.internal.Tracer()
}

// startSpan opens the span of a public method. Call the returned function with the method's error.
func (c *Client) startSpan(ctx context.Context, op *operation) (context.Context, func(error)) {
	return runtime.StartSpan(ctx, op.api, c.tracer(), nil)
}

// newError turns what a call recorded, and what the pipeline returned, into the error for the caller.
func (c *Client) newError(r *request, record graphpolicy.Record, resp *http.Response, err error) *Error {
	private := privateOf(r.Asked, &r.URL, record.Authorization)
	var e *Error
	if resp != nil {
		e = answerError(resp, private)
	} else {
		e = &Error{ClientRequestID: private.Clean(record.RequestID)}
	}
	e.Op, e.Device, e.OutcomeUnknown = r.op.text, r.device, r.Write && record.Verdict >= graphpolicy.Answered
	token, noToken := errors.AsType[*graphpolicy.TokenError](err)
	if record.Token != nil && graphcall.IsContextError(err) {
		token, noToken = record.Token, true
	}
	switch foreign := (*graphpolicy.ForeignError)(nil); {
	case errors.As(err, &foreign):
		e.StatusCode, e.reason = foreign.StatusCode, foreign.Error()
	case record.Stopped != nil:
		stop, ok := errors.AsType[*stopError](record.Stopped.Unwrap())
		if !ok {
			stop = &stopError{why: reasonNotRecorded, cause: record.Stopped.Unwrap()}
		}
		e.reason, e.kind, e.cause = stop.why, stop.kind, redact.Error(stop.cause, private)
	case noToken:
		e.reason, e.cause = reasonNoToken, redact.Error(token.Unwrap(), private)
		e.kind = kindWithoutToken(token)
	case err != nil:
		e.reason, e.cause = reasonOf(r.Write, record.Verdict, resp), redact.Error(err, private)
	case resp != nil && resp.StatusCode < 300:
		e.reason = "not the answer that was expected"
	}
	e.Hint = c.hint(r.op, record.Authorization, e) // about the address that was tried
	e.Device = r.asked
	return e
}

// redactTransportError cleans an error before azcore logs it.
func redactTransportError(err error, asked graphpolicy.Asked, address *url.URL, authorization string) error {
	return redact.Error(err, privateOf(asked, address, authorization))
}

// cleanText cleans a text of an answer that is not an error.
func cleanText(text string, asked graphpolicy.Asked, address *url.URL, authorization string) string {
	return privateOf(asked, address, authorization).Clean(text)
}

// reasonNotSent is the reason of a call of which no request went out.
const reasonNotSent = "not sent"

// reasonNoToken is the reason of a call whose credential failed or did not answer in time.
const reasonNoToken = "not sent, for no token came while getting a token"

// The reasons of a call that was stopped between the pipeline and the transport.
const (
	reasonNotRecorded = "nobody was asked by this call, for the journal did not accept the request"
	reasonNoLook      = "not sent, for the device's session could not be read once more before asking"
	reasonChanged     = "not sent, for a session came up on the device after the look at it, and so it is somebody else's; " +
		"agree with them, or ask again"
	reasonTooLate = "not sent, for more than ten minutes have passed since the journal recorded the request; ask again"
)

// kindWithoutToken is the kind of a failure to get a token. If the caller gave a text that cannot be a token, the error
// is an [ErrInvalidArgument] already.
func kindWithoutToken(err error) error {
	if graphcall.IsContextError(err) || errors.Is(err, ErrInvalidArgument) {
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
		return "sent, or may have been, but no answer came"
	case write:
		return reasonNotSent
	default:
		return "no answer"
	}
}

// unexpectedAnswer is the error for an answer with a success status that the operation cannot have given.
func (c *Client) unexpectedAnswer(r *request, resp *http.Response, why string) *Error {
	e := answerError(resp, privateOf(r.Asked, &r.URL, r.record.Authorization))
	e.Op, e.Device, e.OutcomeUnknown = r.op.text, r.device, r.Write
	e.reason = cmp.Or(e.reason, why)
	e.Hint = c.hint(r.op, r.record.Authorization, e)
	e.Device = r.asked
	return e
}

// unreadable is the error for such an answer with a fault in its JSON. The service's own words, if there are any, say more.
func (c *Client) unreadable(r *request, resp *http.Response, why string, fault error) *Error {
	e := c.unexpectedAnswer(r, resp, why)
	if e.reason == why {
		e.cause = fault
		if page, _ := runtime.Payload(resp); bytes.HasPrefix(bytes.TrimSpace(page), []byte("<")) {
			e.Hint = cmp.Or(e.Hint, hintRedirect) // Graph answers in JSON
		}
	}
	return e
}

// reasonBroken is the reason of an answer that says in its body that the service failed.
const reasonBroken = "the service reported an error inside its answer"

// answerError makes an error from an answer. The body takes precedence over the headers, and all texts are cleaned
// here.
func answerError(resp *http.Response, private redact.Private) *Error {
	payload, _ := runtime.Payload(resp)
	reason := ""
	if resp.StatusCode < 300 {
		if payload, _ = errorbody.Within(payload); payload != nil {
			reason = reasonBroken
		}
	}
	body := errorbody.Parse(payload, private)
	e := &Error{
		StatusCode: resp.StatusCode,
		Code:       body.Code, InnerCode: body.InnerCode,
		Message: body.Message, Phrase: body.Phrase, Target: body.Target,
		RequestID:       cmp.Or(body.RequestID, graphcall.RequestID(resp, private.Clean)),
		ClientRequestID: cmp.Or(body.ClientRequestID, private.Clean(graphcall.ClientRequestID(resp))),
		ActivityID:      body.ActivityID, OperationID: body.OperationID,
		Date:       body.Date,
		RetryAfter: graphpolicy.RetryAfter(resp.Header, time.Now()),
		kind:       kinds[body.Kind(resp.StatusCode)],
		reason:     reason,
		// A literal, because NewResponseError formats the whole body at once and writes it to azcore's log.
		response: &azcore.ResponseError{ErrorCode: body.Code, StatusCode: resp.StatusCode, RawResponse: resp},
	}
	for _, detail := range body.Details {
		e.Details = append(e.Details, ErrorDetail(detail))
	}
	if e.RetryAfter == 0 {
		e.RetryAfter = graphpolicy.ParseRetryAfter(body.RetryAfter, "", time.Now())
	}
	return e
}

// privateOf collects what no error may show of a request: the operands of its query, the user in its path, and the token
// that was sent with it. What the caller asked for counts too, because a service may quote the filter that led to a next
// link. The token is given, because only a JSON web token can be recognized by its form.
func privateOf(asked graphpolicy.Asked, u *url.URL, authorization string) redact.Private {
	private := redact.Of(asked.Query, bearerOf(authorization), asked.User)
	if u == nil {
		return private
	}
	return private.And(u.RawQuery, odata.KeyOf(u.EscapedPath(), "/users")).At(u.Host)
}

func bearerOf(authorization string) string {
	const scheme = "Bearer "
	token, _ := strings.CutPrefix(authorization, scheme)
	return token
}
