package main

import (
	"context"

	"github.com/go-intune/intune"
)

// waitOn continues the wait of a session that ended without a link. Nobody is asked again.
func (d *desk) waitOn(ctx context.Context, who *identity, s *session) *problem {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopping {
		return kindStopping.with(problemExtra{})
	}
	if d.waiting >= d.maxWaits {
		return kindFull.with(problemExtra{})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running {
		return nil
	}
	if s.state != stateNoLink && s.state != stateWaiting || s.token == "" {
		return kindNotWaiting.with(problemExtra{})
	}
	s.changeLocked(stateWaiting, func() { s.running, s.reason = true, "" })
	d.waiting++
	token := s.token
	d.goes.Go(func() {
		ctx, done := d.detached(ctx)
		defer done()
		link, err := who.client.WaitForRemoteAssistance(ctx, token, &intune.WaitForRemoteAssistanceOptions{
			MaxAge: sessionLife, MaxWait: d.maxWait,
		})
		d.settleWait(ctx, s, link, err)
	})
	return nil
}

// settleWait is settle for a wait that asked nobody, whose failure therefore does not mean that nobody was asked.
func (d *desk) settleWait(ctx context.Context, s *session, got intune.RemoteAssistanceSession, err error) {
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
	var open []*session
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
