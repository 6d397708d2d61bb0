package main

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/go-intune/intune"
)

const (
	// askWithin is how long an attempt may take until it is recorded. After that it asks nobody.
	askWithin = 20 * time.Second
	// answerWithin is how long POST /sessions waits to learn whether the user was asked. Intune may ask the service to try
	// later, which takes longer.
	answerWithin = 25 * time.Second
)

// errTooLate is why an attempt asked nobody that took longer than askWithin.
const errTooLate = plainError("it took too long until the request could be made")

// wish is what a caller asks for.
type wish struct {
	device    intune.DeviceRef
	reference string
	key       string // of the caller
}

// attempt is a request on its way, of which nobody knows yet whether the user was or may have been asked.
type attempt struct {
	id    string
	phase atomic.Int32
	wish  wish

	told    chan struct{} // closed when that is known
	problem *problem      // nobody was asked; to be read then
}

type attemptKey struct{}

// An attempt is recorded or given up, never both.
const (
	phaseLooking int32 = iota
	phaseAsking
	phaseLate
)

// ask begins a session, or finds the one that the same key began before. Only here a user is prompted.
func (d *desk) ask(ctx context.Context, who *identity, w wish) (s *session, begun bool, p *problem) {
	id := sessionID(who.key, w.key)
	a := d.attempt(id)
	if a == nil {
		if s, p := d.before(ctx, id, w); s != nil || p != nil {
			return s, false, p
		}
		if p := d.mayAsk(ctx, who.key); p != nil {
			return nil, false, p
		}
		if a, begun, p = d.begin(ctx, who, id, w); p != nil {
			return nil, false, p
		}
	}
	if a.wish != w {
		return nil, false, kindKeyReused.with(problemExtra{})
	}
	if p := a.wait(ctx); p != nil {
		return nil, false, p
	}
	s, p = d.before(ctx, id, w)
	switch {
	case s != nil || p != nil:
	case ctx.Err() != nil: // the caller has gone
		p = kindUnavailable.because(ctx.Err())
	default: // the session of the key is too old, or nobody can read it any more
		p = kindKeyReused.with(problemExtra{})
	}
	return s, begun, p
}

func (d *desk) attempt(id string) *attempt {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.attempts[id]
}

// before is the session that a key began before, as soon as it is known whether the user was asked, nil if there is none.
// The key of a session that was refused is free: nobody was asked.
func (d *desk) before(ctx context.Context, id string, w wish) (*session, *problem) {
	s, err := d.untilAsked(ctx, id)
	switch {
	case err != nil:
		return nil, recordProblem(err)
	case s == nil || s.state == stateRefused:
		return nil, nil
	case s.device != w.device, s.reference != w.reference:
		return nil, kindKeyReused.with(problemExtra{})
	default:
		return s, nil
	}
}

// untilAsked is a session as soon as it is known whether the user was asked, or after a while.
func (d *desk) untilAsked(ctx context.Context, id string) (*session, error) {
	changed, stop := d.store.watch(id)
	defer stop()
	late := time.NewTimer(answerWithin)
	defer late.Stop()
	for {
		s, err := d.store.get(ctx, id)
		if err != nil || s == nil || s.state != stateAsking || d.attempt(id) != nil {
			return s, err
		}
		select {
		case <-changed:
		case <-late.C:
			return s, nil
		case <-ctx.Done():
			return s, nil
		}
	}
}

// mayAsk is why a person may not ask now, nil if that was counted.
func (d *desk) mayAsk(ctx context.Context, owner string) *problem {
	d.mu.Lock()
	p := d.full()
	d.mu.Unlock()
	if p != nil {
		return p
	}
	if wait := d.limits.take(ctx, owner, useAsk); wait > 0 {
		return kindTooFast.with(problemExtra{RetryAfter: wait})
	}
	if err := ctx.Err(); err != nil { // nobody knows whether it was counted, and the caller has gone
		return kindUnavailable.because(err)
	}
	return nil
}

// begin starts an attempt, unless there is one.
func (d *desk) begin(ctx context.Context, who *identity, id string, w wish) (*attempt, bool, *problem) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if a := d.attempts[id]; a != nil {
		return a, false, nil
	}
	if p := d.full(); p != nil {
		return nil, false, p
	}
	d.enter()
	a := &attempt{id: id, wish: w, told: make(chan struct{})}
	d.attempts[id] = a
	d.asks.Add(1)
	go func() {
		defer d.leave()
		ctx, done := d.detached(ctx)
		defer done()
		d.prompt(withOwner(ctx, who.key), who, a)
	}()
	return a, true, nil
}

// wait returns when it is known whether the user was asked, and then why not, or after a while.
func (a *attempt) wait(ctx context.Context) *problem {
	late := time.NewTimer(answerWithin)
	defer late.Stop()
	select {
	case <-a.told:
		return a.problem
	case <-late.C:
	case <-ctx.Done():
	}
	return nil
}

// prompt asks and waits.
func (d *desk) prompt(ctx context.Context, who *identity, a *attempt) {
	ctx, cancel := context.WithCancel(context.WithValue(ctx, attemptKey{}, a))
	defer cancel()
	late := time.AfterFunc(askWithin, func() {
		if a.phase.CompareAndSwap(phaseLooking, phaseLate) {
			cancel()
		}
	})
	defer late.Stop()
	s, told := &session{id: a.id, owner: who.key, device: a.wish.device, asked: time.Now()}, false
	if p := d.asksPace.wait(ctx, useAsk.reads); p != nil {
		d.tell(a, p)
		d.settle(ctx, s, intune.RemoteAssistanceSession{}, p)
		return
	}
	link, err := who.client.OpenRemoteAssistance(ctx, a.wish.device, &intune.OpenRemoteAssistanceOptions{
		ClientRequestID: a.id, Reference: a.wish.reference, MaxWait: d.maxWait,
		OnRequested: func(intune.Requested) {
			told = true
			d.tell(a, nil)
		},
	})
	if !told {
		d.tell(a, d.refusal(context.WithoutCancel(ctx), who, a, err))
	}
	d.settle(ctx, s, link, err)
}

// tell ends an attempt. Those who wait for it look at the session, unless there is a problem.
func (d *desk) tell(a *attempt, p *problem) {
	d.mu.Lock()
	delete(d.attempts, a.id)
	d.mu.Unlock()
	a.problem = p
	close(a.told)
	d.asks.Done()
}

// refusal is why an attempt asked nobody, nil if somebody else has used its key, whose session there is then.
func (d *desk) refusal(ctx context.Context, who *identity, a *attempt, err error) *problem {
	if _, again := errors.AsType[*intune.AlreadyAskedError](err); again {
		return nil
	}
	busy, ok := errors.AsType[*intune.DeviceBusyError](err)
	if !ok {
		return problemFrom(err)
	}
	p := kindDeviceBusy.because(err)
	if busy.Actor != who.key {
		return p
	}
	list, _ := d.store.history(ctx, who.key, maxHistory) // without it, the page shows the list
	for _, s := range list {
		if s.device == a.wish.device && !s.state.hasEnded() {
			p.extra.Session = s.id
		}
	}
	return p
}

// settle notes what became of a wait. The store has heard of it from the library, but for the link, of which it keeps a hash.
func (d *desk) settle(ctx context.Context, s *session, got intune.RemoteAssistanceSession, err error) {
	_, isFailure := errors.AsType[*intune.SessionError](err)
	_, isPending := errors.AsType[*intune.PendingError](err)
	outcome := stateRefused
	switch {
	case err == nil:
		outcome = stateReady
		if err := d.store.ready(context.WithoutCancel(ctx), s.id, hashLink(got.URL)); err != nil {
			d.log.WarnContext(ctx, "the hash of a link was not kept", "session", s.id, "error", err.Error())
		}
		d.telemetry.linkCame(ctx, time.Since(s.asked))
	case isFailure:
		outcome = stateFailed
	case errors.Is(err, intune.ErrSuperseded):
		outcome = stateSuperseded
	case isPending && d.waits.Err() != nil:
		outcome = stateWaiting
	case isPending:
		outcome = stateNoLink
	}
	d.telemetry.ended(ctx, outcome)
	attributes := []slog.Attr{
		slog.String("session", s.id), slog.String("device", s.device.DeviceID()), slog.String("state", string(outcome)),
		slog.String("who", s.owner), slog.String("requestId", requestIDOf(ctx)), slog.Duration("took", time.Since(s.asked)),
	}
	level := slog.LevelInfo
	if err != nil && outcome != stateWaiting {
		level = slog.LevelWarn
		attributes = append(attributes, forOperator(err)...)
	}
	d.log.LogAttrs(ctx, level, "session", attributes...)
}
