package graphpolicy

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// Verdict says what is known about the effect of the latest try of a call.
type Verdict uint8

const (
	// NotSent means that it is certain that no request was sent. A read that failed has it too, since a read has no effect.
	NotSent Verdict = iota
	// Refused means that the service answered that it did not act.
	Refused
	// Answered means that the service answered with success.
	Answered
	// Open means that the request may have been sent, and that nobody knows whether the service acted.
	Open
)

// Call is one call to the service, over all its tries. Every request carries it twice: as an operation value, which the
// caller's policies cannot reach, and in its context, where the transport finds it below azcore's pipeline. azcore's
// retry policy replaces results when the context ends, so the call records here what happened, and does not derive it
// from the pipeline's error.
type Call struct {
	// API is the name of the public method, "Client.GetDevice", by which azcore's fakes and tracing recognize the call.
	API string

	// Write marks a call that must not be repeated once its outcome is open.
	Write bool

	// Redact removes from an error what azcore must not log, given what the caller asked for, and the address and the
	// Authorization of the request; the address is nil for a credential's error.
	Redact func(err error, asked Asked, address *url.URL, authorization string) error

	// Asked is what the caller asked for.
	Asked Asked

	// RequestID is the client-request-id of the request as it was made.
	RequestID string

	// FixedID says that every try has this RequestID, whatever the caller's context and policies say.
	FixedID bool

	// Before, if not nil, is called for each try of a write, as the last thing before the transport. If it returns an error,
	// neither that request nor a later one is sent, and the record holds the error. All tries have the client-request-id of
	// the first, which is RequestID if a policy removed it.
	Before func(*http.Request) error

	mu     sync.Mutex // a caller's policy may abandon a request while it runs
	record Record
	closed bool        // Close was called
	asking bool        // Before runs, or did not return
	fixed  string      // the client-request-id with which Before was called first
	first  callContext // here, because that saves an allocation

	challenged bool           // a claims challenge was seen
	claims     string         // its claims, until a token is asked for with them
	converted  *http.Response // the 403 that azcore sees as 401
	forbidden  string         // its status line
}

// Asked is what no error may show of what the caller asked for, even if the request is at another address, such as the
// plain one of a device or a next link.
type Asked struct {
	User  string // whose devices
	Query string // of the first page of a list
}

// Record is what is known of a call.
type Record struct {
	// Verdict is what is known after the latest try.
	Verdict Verdict

	// Token is why there was no token for the latest try, if the try failed for that. azcore hides this error behind the
	// end of the context.
	Token *TokenError

	// Response is the latest answer that came from the service itself.
	Response *http.Response

	// Broken means that Response, although its status is a success, is or ends in an error that may pass.
	Broken bool

	// Authorization is the header of the latest request, for a diagnosis.
	Authorization string

	// RequestID is the client-request-id that was sent last, which the caller may have replaced.
	RequestID string

	// Left means that a write may have been sent in any of the tries.
	Left bool

	// Stopped is the error of Before, which azcore hides behind the end of the context.
	Stopped *StoppedError
}

// StoppedError means that nothing was sent because Before returned an error.
type StoppedError struct{ cause error }

// Error implements error. The cause may quote anything, and azcore logs this text.
func (*StoppedError) Error() string { return "stopped before it was sent" }

// NonRetriable keeps azcore from trying again.
func (*StoppedError) NonRetriable() {}

// Unwrap gives the error of Before.
func (e *StoppedError) Unwrap() error { return e.cause }

// Record is a copy of what is known now.
func (c *Call) Record() Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	record := c.record
	if record.RequestID == "" {
		record.RequestID = c.RequestID
	}
	return record
}

// Close ends the call when its result is taken, and returns what is known by then. A request that a caller's policy
// abandoned is not sent after that.
func (c *Call) Close() Record {
	c.mu.Lock()
	c.closed = true
	if c.asking {
		c.record.Verdict = NotSent
	}
	c.mu.Unlock()
	return c.Record()
}

// begin starts a try, whose outcome counts as open until finish is called. It refuses a write after one whose outcome
// is open, or that succeeded, whether azcore's retry policy or a caller's policy wants to repeat it.
func (c *Call) begin(req *http.Request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.Write && (c.record.Verdict >= Answered || c.record.Stopped != nil) {
		return false
	}
	normalizeRequestID(req, c.RequestID)
	if c.FixedID {
		setRequestID(req, c.RequestID)
	}
	c.record = Record{
		Verdict: Open, RequestID: req.Header.Get(requestIDHeader), Authorization: req.Header.Get("Authorization"), Left: c.record.Left,
	}
	return true
}

// announce calls Before, and gives later tries the id of the first. The try has begun already, so no other one can start
// meanwhile.
func (c *Call) announce(req *http.Request) error {
	if c.Before == nil || !c.Write {
		return nil
	}
	c.fixed = cmp.Or(c.fixed, req.Header.Get(requestIDHeader), c.RequestID) // only the goroutine of this try gets here
	setRequestID(req, c.fixed)
	c.mu.Lock()
	c.asking = true
	c.mu.Unlock()
	var stopped *StoppedError
	if err := c.Before(req); err != nil {
		stopped = &StoppedError{err}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asking = false
	c.record.RequestID = c.fixed
	if stopped != nil {
		c.record.Verdict, c.record.Stopped = NotSent, stopped
		return stopped
	}
	if err := req.Context().Err(); err != nil { // it may have ended while Before ran
		c.record.Verdict = NotSent
		return err
	}
	if c.closed { // while Before ran, so that nobody reads the record any more
		return &finalError{}
	}
	return nil
}

func (c *Call) finish(verdict Verdict, resp *http.Response) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.record.Verdict, c.record.Response = verdict, resp
	c.record.Left = c.record.Left || verdict != NotSent
}

// Attach makes the call part of a request, whose context should be that of [Call.Start].
func (c *Call) Attach(req *policy.Request) { req.SetOperationValue(c) }

// Start makes the context of the call's request.
func (c *Call) Start(ctx context.Context) context.Context {
	c.first = callContext{Context: ctx, call: c}
	return &c.first
}

// restoreContext puts the call back on top of a context to which a policy has added something, or that has lost the call.
func (c *Call) restoreContext(req *policy.Request) {
	ctx := req.Raw().Context()
	if top, ok := ctx.(*callContext); !ok || top.call != c {
		*req.Raw() = *req.Raw().WithContext(&callContext{Context: ctx, call: c})
	}
}

type callContext struct {
	context.Context

	call *Call
}

type callKey struct{}

// Value returns the call and azcore's API name itself, and asks the parent context for everything else. What it finds there
// azcore's policies can use.
func (c *callContext) Value(key any) any {
	switch key.(type) {
	case callKey:
		return c.call
	case runtime.CtxAPINameKey:
		if c.call == nil { // the request is of no call, and will be refused
			return nil
		}
		return c.call.API
	}
	return callerValue(key, c.Context.Value(key))
}

func callOf(ctx context.Context) *Call {
	c, _ := ctx.Value(callKey{}).(*Call)
	return c
}

// attached is the call of a request, even if its context has lost it.
func attached(req *policy.Request) *Call {
	var c *Call
	req.OperationValue(&c)
	return c
}
