package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/go-intune/intune"
)

// ask begins a session, or finds the one that the same key began before. Only here a user is prompted.
func (d *desk) ask(ctx context.Context, who *identity, device intune.DeviceRef, key string) (*oldSession, bool, *problem) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id := sessionID(who.key, key)
	if before := d.byID[id]; before != nil {
		if before.device != device {
			return nil, false, kindKeyReused.with(problemExtra{})
		}
		if view, _, _ := before.view(); view.State != stateRefused { // the key of a refused one is free: nobody was asked
			return before, false, nil
		}
	}
	switch blocker := d.blockerLocked(device); {
	case d.stopping:
		return nil, false, kindStopping.with(problemExtra{RetryAfter: time.Minute})
	case blocker != nil && blocker.owner == who.key:
		return nil, false, kindDeviceBusy.with(problemExtra{Session: blocker.id})
	case blocker != nil:
		return nil, false, kindDeviceBusy.with(problemExtra{})
	case d.waiting >= d.maxWaits:
		return nil, false, kindFull.with(problemExtra{RetryAfter: time.Minute})
	case !d.pace.take(who.key, time.Now()):
		return nil, false, kindTooFast.with(problemExtra{RetryAfter: time.Minute})
	}
	s := newSession(id, who.key, device, time.Now(), stateAsking)
	s.running = true
	d.keepLocked(s)
	d.waiting++
	d.asks.Add(1)
	d.goes.Go(func() {
		ctx, done := d.detached(ctx)
		defer done()
		d.open(ctx, who, s)
	})
	return s, true, nil
}

// detached has what belongs to a request, such as its span and its request id, and ends with the service instead of the
// request: a caller who goes away does not change whether a user is asked.
func (d *desk) detached(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	forget := context.AfterFunc(d.waits, cancel)
	return ctx, func() {
		forget()
		cancel()
	}
}

// open asks and waits.
func (d *desk) open(ctx context.Context, who *identity, s *oldSession) {
	ctx = withOwner(ctx, who.key)
	sent := false
	link, err := who.client.OpenRemoteAssistance(ctx, s.device, &intune.OpenRemoteAssistanceOptions{
		ClientRequestID: s.id,
		MaxWait:         d.maxWait,
		OnRequested: func(requested intune.Requested) {
			sent = true
			d.supersedeOthers(s)
			s.change(stateWaiting, func() {
				s.token, s.unsure = requested.ResumeToken, requested.Outcome != intune.OutcomeAccepted
			})
			d.asks.Done()
		},
	})
	if !sent {
		defer d.asks.Done()
	}
	d.settle(ctx, s, link, err)
}

// reasonOf is the service's own text in the one-line text of a [*intune.SessionError], which is all that the journal keeps.
// The hint after it is for operators.
func reasonOf(text string) string {
	if _, after, ok := strings.Cut(text, " failed: "); ok {
		text = after
	}
	reason, _, _ := strings.Cut(text, "; hint: ")
	return reason
}

// supersedeOthers ends the waits for links of earlier requests.
func (d *desk) supersedeOthers(s *oldSession) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, other := range d.byDevice[s.device.DeviceID()] {
		if other != s {
			other.supersede()
		}
	}
}

// settle keeps what became of a session. A wait that ends with the service stays as it is, and goes on after the restart.
func (d *desk) settle(ctx context.Context, s *oldSession, got intune.RemoteAssistanceSession, err error) {
	d.mu.Lock()
	d.waiting--
	d.mu.Unlock()
	failed, isFailure := errors.AsType[*intune.SessionError](err)
	pending, isPending := errors.AsType[*intune.PendingError](err)
	outcome := stateRefused
	switch {
	case err == nil:
		outcome = stateReady
		s.change(outcome, func() { s.link, s.running, s.unsure, s.reason = got.URL, false, false, "" })
		d.telemetry.linkCame(ctx, time.Since(s.asked))
	case isFailure:
		outcome = stateFailed
		s.change(outcome, func() { s.reason, s.token, s.running, s.unsure = reasonOf(failed.Error()), "", false, false })
	case isPending && d.waits.Err() != nil:
		outcome = stateWaiting
		s.change(outcome, func() { s.token, s.running = pending.ResumeToken, false })
	case isPending:
		outcome = stateNoLink
		s.change(outcome, func() {
			s.token, s.running, s.unsure = pending.ResumeToken, false, s.unsure && errors.Is(err, intune.ErrOutcomeUnknown)
			if errors.Is(err, errSignInAgain) || errors.Is(err, intune.ErrUnauthenticated) {
				s.reason = "The sign-in is no longer good. Sign in again, then go on waiting."
			}
		})
	default:
		s.change(outcome, func() { s.problem, s.running = problemFrom(err), false })
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
