package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/go-intune/intune"
)

// takeLink hands out the link of a session, once. That it was handed out is on disk before, so that a restart does not
// change it.
func (d *desk) takeLink(ctx context.Context, who *identity, s *oldSession) (intune.SessionURL, *problem) {
	if p := d.findLink(ctx, who, s); p != nil {
		return intune.SessionURL{}, p
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.state {
	case stateReady:
	case stateOpened:
		return intune.SessionURL{}, kindOpened.with(problemExtra{})
	default:
		return intune.SessionURL{}, kindNotReady.with(problemExtra{})
	}
	if err := d.record.note(ctx, s, noteOpened); err != nil {
		return intune.SessionURL{}, kindInternal.because(plainError("the journal could not be written"))
	}
	link := s.link
	s.changeLocked(stateOpened, func() { s.link, s.token = intune.SessionURL{}, "" })
	return link, nil
}

// findLinkWithin is how long a technician waits for a link that is there already.
const findLinkWithin = 15 * time.Second

// findLink reads the link of a session that was ready before a restart. Nobody is asked.
func (d *desk) findLink(ctx context.Context, who *identity, s *oldSession) *problem {
	s.mu.Lock()
	token, missing := s.token, s.isWithoutLinkLocked()
	s.mu.Unlock()
	if !missing {
		return nil
	}
	got, err := who.client.WaitForRemoteAssistance(ctx, token, &intune.WaitForRemoteAssistanceOptions{
		MaxAge: sessionLife, MaxWait: findLinkWithin,
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.isWithoutLinkLocked(): // another request took the device, or another call found the link
		return nil
	case errors.Is(err, errSignInAgain), errors.Is(err, intune.ErrUnauthenticated):
		return kindSignInAgain.because(err)
	case err != nil:
		if errors.Unwrap(err) == nil { // the device was read, and the link has gone
			s.changeLocked(stateNoLink, nil)
		}
		return kindNotReady.because(err)
	case d.askedLaterLocked(s): // so that the link may be of that request, whose outcome is not known yet
		return kindNotReady.with(problemExtra{})
	}
	s.link = got.URL
	return nil
}

// askedLaterLocked says that a later request for the device is on its way or was made.
func (d *desk) askedLaterLocked(s *oldSession) bool {
	list := d.byDevice[s.device.DeviceID()]
	return slices.ContainsFunc(list[slices.Index(list, s)+1:], func(later *oldSession) bool {
		view, _, _ := later.view()
		return view.State != stateRefused
	})
}

// isOfSession says that an error tells what became of a session.
func isOfSession(err error) bool {
	_, failed := errors.AsType[*intune.SessionError](err)
	_, pending := errors.AsType[*intune.PendingError](err)
	return failed || pending
}
