package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-intune/intune"
)

// signInWithin is how long the look takes at most that finds out whether a technician's sign-in is still good.
const signInWithin = 10 * time.Second

// waitOn continues the wait of a session that ended without a link. Nobody is asked again.
func (d *desk) waitOn(ctx context.Context, who *identity, s *session) *problem {
	if s.state == stateWaiting {
		return nil
	}
	if s.at(time.Now()) != stateNoLink {
		return kindNotWaiting.with(problemExtra{})
	}
	if p := canSee(ctx, who, s); p != nil {
		return p
	}
	return d.resume(ctx, who, s)
}

// canSee says whether Microsoft still takes a technician's sign-in, before a device is held for a wait that could not read it.
func canSee(ctx context.Context, who *identity, s *session) *problem {
	ctx, cancel := context.WithTimeout(ctx, signInWithin)
	defer cancel()
	_, err := who.client.GetRemoteAssistanceSession(ctx, s.device, nil)
	if errors.Is(err, errSignInAgain) || errors.Is(err, intune.ErrUnauthenticated) {
		return kindSignInAgain.because(err)
	}
	return nil
}

// resume takes a wait and goes on with it.
func (d *desk) resume(ctx context.Context, who *identity, s *session) *problem {
	if p := d.enterUnlessFull(); p != nil {
		return p
	}
	ctx, done := d.detached(ctx)
	held, token, err := d.store.take(ctx, s.id)
	if err != nil {
		done()
		d.leave()
		return d.whyNotWaiting(context.WithoutCancel(ctx), s, err)
	}
	go func() {
		defer d.leave()
		defer done()
		link, err := who.client.WaitForRemoteAssistance(held, token, &intune.WaitForRemoteAssistanceOptions{
			MaxAge: sessionLife, MaxWait: d.maxWait,
		})
		d.settleWait(held, s, link, err)
	}()
	return nil
}

func (d *desk) enterUnlessFull() *problem {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.full()
	if p == nil {
		d.enter()
	}
	return p
}

// whyNotWaiting is the problem of a wait that could not be taken. That it goes on already is none.
func (d *desk) whyNotWaiting(ctx context.Context, s *session, err error) *problem {
	_, busy := errors.AsType[*intune.DeviceBusyError](err)
	switch {
	case busy:
		if now, _ := d.store.get(ctx, s.id); now != nil && now.state == stateWaiting {
			return nil
		}
		return kindDeviceBusy.because(err)
	case errors.Is(err, errNothingToWait):
		return kindNotWaiting.with(problemExtra{})
	default:
		return recordProblem(err)
	}
}

// settleWait is settle for a wait that asked nobody, whose failure therefore does not mean that nobody was asked. The
// library has not told the end of a wait that could not begin.
func (d *desk) settleWait(ctx context.Context, s *session, got intune.RemoteAssistanceSession, err error) {
	if err != nil && !isOfSession(err) {
		entry := intune.JournalEntry{
			Device: s.device, ClientRequestID: s.id, Session: intune.SessionLeft, Error: err.Error(),
		}
		if d.waits.Err() == nil { // else it goes on elsewhere
			_ = d.store.Ended(context.WithoutCancel(ctx), entry) // nobody waits in any case
		}
		err = &intune.PendingError{Device: s.device, RequestedAt: s.asked, ClientRequestID: s.id}
	}
	d.settle(ctx, s, got, err)
}

// isOfSession says that an error tells what became of a session.
func isOfSession(err error) bool {
	_, failed := errors.AsType[*intune.SessionError](err)
	_, pending := errors.AsType[*intune.PendingError](err)
	return failed || pending
}

// lookForOrphans learns which waits were interrupted, and goes on with those of people who are signed in.
func (d *desk) lookForOrphans(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, recordWithin)
	defer cancel()
	list, err := d.store.interrupted(ctx)
	if err != nil {
		return // the store says itself what is wrong
	}
	orphans := map[string]*adoption{}
	for _, s := range list {
		if orphans[s.owner] == nil {
			orphans[s.owner] = &adoption{done: make(chan struct{})}
		}
		orphans[s.owner].ids = append(orphans[s.owner].ids, s.id)
	}
	d.mu.Lock()
	d.orphans = orphans
	d.mu.Unlock()
	if d.signedIn == nil {
		return
	}
	for owner := range orphans {
		if who := d.signedIn(ctx, owner); who != nil {
			d.adoption(ctx, who) // which goes on by itself
		}
	}
}

// adoptWithin is how long an answer may be held up by it that waits go on.
const adoptWithin = 2 * time.Second

// adoption is what becomes of the interrupted waits of an owner.
type adoption struct {
	ids  []string
	once sync.Once
	done chan struct{}
}

// adopt goes on with the interrupted waits of a technician who is here. The service could not do so before, because it has
// no token of its own.
func (d *desk) adopt(ctx context.Context, who *identity) {
	a := d.adoption(ctx, who)
	if a == nil {
		return
	}
	late := time.NewTimer(adoptWithin)
	defer late.Stop()
	select {
	case <-a.done:
	case <-late.C:
	}
}

// adoption is under way when it returns, nil if there is none.
func (d *desk) adoption(ctx context.Context, who *identity) *adoption {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.orphans[who.key]
	if a == nil || d.stopping {
		return nil
	}
	a.once.Do(func() {
		d.goes.Add(1)
		go d.adoptAll(context.WithoutCancel(ctx), who, a)
	})
	return a
}

func (d *desk) adoptAll(ctx context.Context, who *identity, a *adoption) {
	defer d.goes.Done()
	defer close(a.done)
	for _, id := range a.ids {
		if s, p := d.find(ctx, who.key, id); p == nil && s.at(time.Now()) == stateNoLink {
			d.resume(ctx, who, s) // else the page has a button to go on
		}
	}
}
