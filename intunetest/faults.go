package intunetest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Fault is a failure of the requests that match it. The zero value matches one request, whichever comes first, and
// changes nothing. A field that is not set has no effect: a fault with a Status but without Code, Message and Body
// answers with an empty body, as a proxy might.
type Fault struct {
	// Method limits the fault to a method, in any case. "" matches all.
	Method string

	// PathSuffix limits the fault to paths that end with it, such as "/requestRemoteAssistance". The comparison ignores
	// case and takes percent escapes as sent. "" matches all.
	PathSuffix string

	// Match limits the fault further; nil matches all. It may be called from several goroutines, and for requests that
	// another fault takes in the end.
	Match func(RecordedRequest) bool

	// Status is the status of the answer, 200 to 999, with the body described below. 0 leaves the tenant's own answer, for
	// faults that only delay, truncate or add headers; Code, Message, Nested, Double and Body then have no effect. A 503 has
	// the header Request-Id, so that it counts as the service's own refusal; a gateway's, after which the outcome is unknown,
	// has neither the header ("Request-Id": nil) nor a Code.
	Status int

	// Code and Message are those of Graph's error envelope. If both are blank, the body is empty, unless Body, Nested or
	// Double is set.
	Code, Message string

	// Nested puts Message into the JSON that Intune nests in the message (version 3), with an operation id, an
	// activity id and the address at the back end.
	Nested bool

	// Double nests the message once more, as Intune does for errors that Graph labels UnknownError. Code is then the inner
	// ErrorCode.
	Double bool

	// Body is the body, verbatim, instead of an error envelope. Its Content-Type is that of JSON if it begins with {, and
	// otherwise that of HTML; Header can replace it.
	Body string

	// Header is added to the answer and replaces headers of the same name; a name without values removes the header,
	// such as "Request-Id": nil.
	Header http.Header

	// Delay is how long the tenant waits before the answer, or before Drop breaks the connection. It is a timer that ends
	// with the request's context, and the context's error is then the result; in a testing/synctest bubble it takes no
	// time. Tenant.Advance does not shorten it.
	Delay time.Duration

	// Effect makes the service act on the request at once, before the delay and the faulty answer: the user is asked
	// although the caller sees a failure. Without Effect the service does not act at all; if the fault only delays the
	// tenant's own answer, the service acts after the delay, if the caller is still waiting.
	Effect bool

	// Drop breaks the connection instead of answering. An item of a $batch has no connection of its own: its answer
	// is then missing from the batch's.
	Drop DropMode

	// Truncate breaks the connection after that many bytes of the body, although Content-Length announces the whole body;
	// the reader sees io.ErrUnexpectedEOF. A negative number breaks off before the first byte, and 0 does not truncate.
	// A body that is not longer than Truncate arrives whole, and so does an item of a $batch.
	Truncate int

	// Times is how many requests the fault takes; 0 means 1, and a negative number means all.
	Times int
}

// DropMode says when a connection breaks.
type DropMode int

const (
	// DropNone does not break the connection.
	DropNone DropMode = iota
	// DropConnect refuses the connection: nothing is sent or recorded, and a client in process sees package net's error
	// of a dial, an OpError, of which Tenant.NotSent says that nothing was sent. With Tenant.ServeHTTP, where the server
	// has been reached already, it is DropBefore.
	DropConnect
	// DropBefore breaks the connection before the service acts. A client in process sees package io's EOF.
	DropBefore
	// DropAfter breaks the connection after the service acted and before the answer. To the client it looks like
	// DropBefore.
	DropAfter
)

// Inject arranges a fault. Faults are tried in the order of injection, and the first that matches a request and is not
// used up takes it; the others keep waiting. A $batch counts as a request, and so does each of its items, after the
// batch itself. Inject panics if no answer can end with the Status of the fault, so that the test fails where the fault
// is made and not in the server that would send it. That is so of 1xx as well: it announces another answer.
func (t *Tenant) Inject(f Fault) {
	if err := f.check(); err != nil {
		panic("intunetest: " + err.Error())
	}
	rule := &faultRule{Fault: f, left: f.Times}
	rule.Header = f.Header.Clone()
	if f.Times == 0 {
		rule.left = 1
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = append(t.faults, rule)
}

// PendingFaults is how many faults are not used up.
func (t *Tenant) PendingFaults() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.faults)
}

// ClearFaults removes the faults that are not used up.
func (t *Tenant) ClearFaults() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = nil
}

// check finds a fault that cannot be sent.
func (f *Fault) check() error {
	if f.Status != 0 && (f.Status < 200 || f.Status > 999) {
		return fmt.Errorf("Fault.Status is %d; it has to be 0 or between 200 and 999", f.Status)
	}
	return nil
}

type faultRule struct {
	Fault
	left int // negative: any number
}

// claimFault takes the first fault for a request. Match runs without the lock, because it is the caller's code.
func (t *Tenant) claimFault(request RecordedRequest) *faultRule {
	t.mu.Lock()
	rules := t.faults
	t.mu.Unlock()
	for _, rule := range rules {
		if rule.matches(request) && t.take(rule) {
			return rule
		}
	}
	return nil
}

func (t *Tenant) take(rule *faultRule) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case rule.left < 0:
		return true
	case rule.left == 0:
		return false // another request was quicker
	}
	rule.left--
	if rule.left == 0 {
		// A copy, because others may be iterating over the list.
		t.faults = slices.DeleteFunc(slices.Clone(t.faults), func(other *faultRule) bool { return other == rule })
	}
	return true
}

func (f *Fault) matches(request RecordedRequest) bool {
	return (f.Method == "" || strings.EqualFold(f.Method, request.Method)) &&
		strings.HasSuffix(strings.ToLower(request.Path), strings.ToLower(f.PathSuffix)) &&
		(f.Match == nil || f.Match(request.clone()))
}

// answerWith answers a request with the fault that took it, if any. An error means that the connection breaks.
func (t *Tenant) answerWith(ctx context.Context, x *exchange, rule *faultRule) (*answer, error) {
	if rule == nil {
		return t.perform(ctx, x)
	}
	var own *answer
	var err error
	if rule.Effect || rule.Drop == DropAfter {
		if own, err = t.perform(ctx, x); err != nil {
			return nil, err
		}
	}
	if err := wait(ctx, rule.Delay); err != nil {
		return nil, err
	}
	if rule.Drop != DropNone {
		return nil, errDropped
	}
	a := own
	switch {
	case rule.Status != 0:
		a = x.finish(rule.answer(x))
	case a == nil:
		if a, err = t.perform(ctx, x); err != nil {
			return nil, err
		}
	}
	for name, values := range rule.Header {
		a.header.Del(name)
		for _, value := range values {
			a.header.Add(name, value)
		}
	}
	if rule.Truncate != 0 {
		a.cut = max(rule.Truncate, 0)
	}
	return a, nil
}

func (f *Fault) answer(x *exchange) *answer {
	switch {
	case f.Body != "":
		contentType := contentJSON
		if !strings.HasPrefix(strings.TrimSpace(f.Body), "{") {
			contentType = contentHTML
		}
		return newAnswer(f.Status, contentType, []byte(f.Body))
	case f.Double:
		return x.graphError(f.Status, "UnknownError", doubleMessage(f.Status, f.Code, f.Message, x.backend(), x.ids()))
	case f.Nested:
		return x.intuneError(f.Status, f.Code, f.Message, x.backend())
	case f.Code == "" && f.Message == "":
		return newAnswer(f.Status, "", nil)
	default:
		return x.graphError(f.Status, f.Code, f.Message)
	}
}
