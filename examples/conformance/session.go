package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune"
)

// sessionTrace is what was seen of the request for a session. The link stays in it.
type sessionTrace struct {
	problem *finding // why nobody was asked

	before        sessionState
	actionsBefore []actionResult
	asked         *answer
	accepted      bool
	askedAt       time.Time    // by the clock of the service, if it tells
	atOnce        sessionState // right after the answer
	after         changed

	event        record // the audit event of the request
	eventProblem *finding
	eventTook    time.Duration // how long it was looked for
	looked       bool          // for the event
}

// sessionState is what the record of a device says of its session.
type sessionState struct{ link, details string }

// changed is how a wait for another link ended.
type changed struct {
	sessionState
	took  time.Duration
	reads int
	link  bool     // there is another link
	err   *finding // the wait could not go on
}

// readSession reads what the record says.
func (p *probe) readSession(ctx context.Context) (sessionState, *finding) {
	r, f := p.object(p.wire.get(ctx, devicePath(p.options.device)+sessionQuery))
	if f != nil {
		unread := p.notTried("the session cannot be read: %s", f.seen)
		return sessionState{}, &unread
	}
	return sessionState{strings.TrimSpace(r.text(propertyLink)), strings.TrimSpace(r.text(propertyDetails))}, nil
}

// openSession asks the user of the device, once, and looks for the link. A device that cannot be read is not asked.
func (p *probe) openSession(ctx context.Context) *sessionTrace {
	if p.session != nil {
		return p.session
	}
	s := &sessionTrace{}
	p.session = s
	read := p.wire.get(ctx, devicePath(p.options.device))
	whole, f := p.object(read)
	if f != nil {
		unread := p.notTried("nobody was asked, since the device cannot be read: %s", f.seen)
		s.problem = &unread
		return s
	}
	s.actionsBefore = actions(whole)
	if s.before, s.problem = p.readSession(ctx); s.problem != nil {
		return s
	}
	if at, err := http.ParseTime(read.header.Get("Date")); err == nil {
		s.askedAt = at
	} else {
		s.askedAt = p.now()
	}
	s.asked, s.accepted = p.ask(ctx, intune.Device(p.options.device))
	if !s.accepted {
		refused := p.notTried("the request was refused, or its outcome is unknown: %s", p.describe(s.asked))
		s.problem = &refused
		return s
	}
	if s.atOnce, s.after.err = p.readSession(ctx); s.after.err == nil {
		s.after = p.await(ctx, s.before, s.atOnce)
	}
	return s
}

// ask sends the request through the library, because it never asks twice: not after a fault of the network, not after a
// redirect.
func (p *probe) ask(ctx context.Context, device intune.DeviceRef) (a *answer, accepted bool) {
	var resp *http.Response
	sent, err := p.client.RequestRemoteAssistance(policy.WithCaptureResponse(ctx, &resp), device, nil)
	a = &answer{sentID: sent.ClientRequestID}
	if failure, ok := errors.AsType[*intune.Error](err); ok {
		a.sentID = failure.ClientRequestID
	}
	if resp == nil {
		a.err = err
		return a, err == nil
	}
	a.status, a.header = resp.StatusCode, resp.Header
	a.body, _ = runtime.Payload(resp) // the library has read it already, or has given up on it
	return a, err == nil
}

// actionResult is what tells an entry of deviceActionResults from the others.
type actionResult struct{ action, started string }

// actions are the results of remote actions that a device shows.
func actions(device record) []actionResult {
	list, _ := device["deviceActionResults"].([]any)
	results := make([]actionResult, 0, len(list))
	for _, item := range list {
		r, _ := item.(map[string]any)
		results = append(results, actionResult{record(r).text("actionName"), record(r).text("startDateTime")})
	}
	return results
}

const (
	firstPause  = 3 * time.Second
	lastPause   = 15 * time.Second
	maxFailures = 5 // reads in a row that fail before a wait is given up
)

// await looks until the link or the error text is another one than before. now is the state that was read last. It puts up
// with some reads that fail, since the prompt that it waits for cannot be taken back.
func (p *probe) await(ctx context.Context, before, now sessionState) changed {
	begin := p.now()
	c := changed{sessionState: now, reads: 1}
	pause := firstPause
	var failure *finding // of the last read
	for failures := 0; ; {
		c.took = p.now().Sub(begin)
		if c.link = now.link != "" && now.link != before.link; c.link || now.details != "" && now.details != before.details {
			return c
		}
		if c.took >= p.options.timeout || failures == maxFailures {
			c.err = failure
			return c
		}
		if err := p.pause(ctx, pause); err != nil {
			interrupted := p.notTried("interrupted while waiting for the link")
			c.err = &interrupted
			return c
		}
		pause = min(pause*3/2, lastPause)
		c.reads++
		var state sessionState
		if state, failure = p.readSession(ctx); failure != nil {
			failures++
			continue
		}
		now, c.sessionState, failures = state, state, 0
	}
}

// againTrace is a further request.
type againTrace struct {
	problem  *finding
	asked    *answer
	accepted bool
}

// The ways of -prompt-again.
const (
	againUser  = "user"
	againApp   = "app"
	againBatch = "batch"
)

// askAgain asks once more in one of the ways. The first that is accepted shows whether a second request replaces the link.
func (p *probe) askAgain(ctx context.Context, way string) *againTrace {
	if t := p.again[way]; t != nil {
		return t
	}
	t := &againTrace{}
	p.again[way] = t
	if s := p.openSession(ctx); s.problem != nil {
		t.problem = s.problem
		return t
	}
	before, f := p.readSession(ctx)
	if f != nil {
		t.problem = f
		return t
	}
	if t.asked, t.accepted, t.problem = p.askIn(ctx, way); t.accepted && p.replaced == nil {
		p.replaced = &replacement{before: before}
		if before.link != "" {
			p.replaced.changed = p.await(ctx, before, before)
		}
	}
	return t
}

// replacement is what became of a link when the user was asked again.
type replacement struct {
	changed
	before sessionState
}

func (p *probe) askIn(ctx context.Context, way string) (a *answer, accepted bool, problem *finding) {
	id := p.options.device
	switch way {
	case againUser:
		d, f := p.device(ctx)
		if f != nil {
			return nil, false, f
		}
		user := d.text("userId")
		if user == "" {
			none := p.notTried("the device has no user")
			return nil, false, &none
		}
		a, accepted = p.ask(ctx, intune.UserDevice(user, id))
	case againApp:
		s := p.appSample(ctx)
		if !strings.EqualFold(s.device, id) {
			return nil, false, s.problem
		}
		a, accepted = p.ask(ctx, intune.DetectedAppDevice(s.app, id))
	default:
		a = p.askInBatch(ctx, id)
		accepted = a.status == http.StatusOK && batchStatus(a) == http.StatusNoContent
	}
	return a, accepted, nil
}

// askInBatch does not use the library, which sends no batches.
func (p *probe) askInBatch(ctx context.Context, id string) *answer {
	body := encode(map[string]any{"requests": []any{map[string]any{
		"id": "1", "method": http.MethodPost, "url": devicePath(id) + "/requestRemoteAssistance",
		"headers": map[string]string{"Content-Type": "application/json"}, "body": struct{}{},
	}}})
	return p.wire.post(ctx, "/$batch", body)
}

// batchStatus is the status of the only item of a batch, -1 if there is none.
func batchStatus(a *answer) int64 {
	items, _ := a.record()["responses"].([]any)
	if len(items) != 1 {
		return -1
	}
	item, _ := items[0].(map[string]any)
	return record(item).number("status")
}
