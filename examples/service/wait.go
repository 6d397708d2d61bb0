package main

import (
	"context"

	"github.com/go-intune/intune"
)

// waitOn continues the wait of a session that ended without a link. Nobody is asked again. That a wait which had been left
// goes on is on disk when waitOn returns, so that it goes on after a restart too.
func (d *desk) waitOn(ctx context.Context, who *identity, s *oldSession) *problem {
	noted, p := d.beginWait(ctx, who, s)
	if noted != nil {
		<-noted
	}
	return p
}

// beginWait starts the wait of a session, unless there is one. What it gives is closed once the journal knows.
func (d *desk) beginWait(ctx context.Context, who *identity, s *oldSession) (<-chan struct{}, *problem) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopping {
		return nil, kindStopping.with(problemExtra{})
	}
	if d.waiting >= d.maxWaits {
		return nil, kindFull.with(problemExtra{})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running {
		return nil, nil
	}
	if s.state != stateNoLink && s.state != stateWaiting || s.token == "" {
		return nil, kindNotWaiting.with(problemExtra{})
	}
	token, wasLeft, noted := s.token, s.state == stateNoLink, make(chan struct{})
	s.changeLocked(stateWaiting, func() { s.running, s.reason = true, "" })
	d.waiting++
	d.goes.Go(func() {
		ctx, done := d.detached(ctx)
		defer done()
		if wasLeft {
			if err := d.record.note(ctx, s, noteWaiting); err != nil {
				d.log.ErrorContext(ctx, "the journal could not be written", "session", s.id)
			}
		}
		close(noted)
		link, err := who.client.WaitForRemoteAssistance(ctx, token, &intune.WaitForRemoteAssistanceOptions{
			MaxAge: sessionLife, MaxWait: d.maxWait,
		})
		d.settleWait(ctx, s, link, err)
	})
	return noted, nil
}

// settleWait is settle for a wait that asked nobody, whose failure therefore does not mean that nobody was asked.
func (d *desk) settleWait(ctx context.Context, s *oldSession, got intune.RemoteAssistanceSession, err error) {
	if err != nil && !isOfSession(err) {
		s.mu.Lock()
		token := s.token
		s.mu.Unlock()
		err = &intune.PendingError{Device: s.device, RequestedAt: s.asked, ClientRequestID: s.id, ResumeToken: token}
	}
	d.settle(ctx, s, got, err)
}

// adopt goes on with the waits of a technician who is back after a restart. The service could not do so before, because it
// has no token of its own and keeps none on disk.
func (d *desk) adopt(ctx context.Context, who *identity) {
	d.mu.Lock()
	if d.orphans[who.key] == 0 || d.stopping {
		d.mu.Unlock()
		return
	}
	delete(d.orphans, who.key)
	var open []*oldSession
	for _, s := range d.byOwner[who.key] {
		if view, _, _ := s.view(); view.State == stateWaiting {
			open = append(open, s)
		}
	}
	d.mu.Unlock()
	for _, s := range open {
		if p := d.waitOn(ctx, who, s); p != nil {
			s.change(stateNoLink, nil) // the page has a button to go on
		}
	}
}
