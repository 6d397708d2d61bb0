package main

import (
	"context"
	"errors"

	"github.com/go-intune/intune"
)

// takeLink hands out the link of a session, once. That it was handed out is on disk before, so that a restart does not
// change it.
func (d *desk) takeLink(ctx context.Context, s *session) (intune.SessionURL, *problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.state {
	case stateReady:
	case stateOpened:
		return intune.SessionURL{}, kindOpened.with(problemExtra{})
	default:
		return intune.SessionURL{}, kindNotReady.with(problemExtra{})
	}
	if err := d.record.note(ctx, s, noteOpened, ""); err != nil {
		return intune.SessionURL{}, kindInternal.because(plainError("the journal could not be written"))
	}
	link := s.link
	s.changeLocked(stateOpened, func() { s.link, s.token = intune.SessionURL{}, "" })
	return link, nil
}

// isOfSession says that an error tells what became of a session.
func isOfSession(err error) bool {
	_, failed := errors.AsType[*intune.SessionError](err)
	_, pending := errors.AsType[*intune.PendingError](err)
	return failed || pending
}
