package main

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/journalfile"
)

// replay makes the sessions of a journal. It fails if the journal is damaged: the damaged line may name somebody who was
// asked, whom the service would then ask again.
func (d *desk) replay(from io.Reader, now time.Time) error {
	notes := map[string]intune.JournalEntry{} // the latest of each session
	requests, err := intune.JournalRequests(func(yield func(intune.JournalEntry, error) bool) {
		for entry, err := range journalfile.Read(from) {
			switch {
			case err == nil && now.Sub(entry.Time) > historyLife:
				continue
			case entry.Outcome == noteOpened, entry.Outcome == noteWaiting:
				notes[entry.ClientRequestID] = entry
				continue
			case entry.Session != "" && notes[entry.ClientRequestID].Outcome == noteWaiting: // that wait has ended
				delete(notes, entry.ClientRequestID)
			}
			if !yield(entry, err) {
				return
			}
		}
	})
	if err != nil {
		return fmt.Errorf("-journal: %w; repair the line, or begin a new journal", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range requests {
		if r := &requests[i]; !r.Asking.Device.IsZero() { // else it is too old
			d.keepLocked(replayed(r, notes[r.Asking.ClientRequestID]))
		}
	}
	for _, sessions := range d.byDevice {
		supersedeEarlier(sessions)
	}
	for _, s := range d.byID {
		if s.state == stateWaiting {
			d.orphans[s.owner]++
		}
	}
	return nil
}

// replayed is the session of a request as it was, but for its link, which is on no disk. The note is zero if there is none.
func replayed(r *intune.JournalRequest, note intune.JournalEntry) *oldSession {
	s := newSession(r.Asking.ClientRequestID, r.Asking.Actor, r.Device(), r.Asking.Time, stateWaiting)
	if at := r.Asked.Time; !at.IsZero() {
		s.settled = at
	}
	if outcome := r.Outcome(); outcome == intune.OutcomeRejected || outcome == intune.OutcomeNotSent {
		s.state, s.problem = stateRefused, problemFrom(&intune.Error{StatusCode: r.Asked.StatusCode})
		return s
	}
	s.token, s.unsure = r.ResumeToken(), r.Outcome() == intune.OutcomeUnknown
	switch r.Ended.Session {
	case intune.SessionReady: // a link and an error text prove that the user was asked
		s.state, s.settled, s.unsure = stateReady, r.Ended.Time, false
	case intune.SessionFailed:
		s.state, s.settled, s.unsure = stateFailed, r.Ended.Time, false
		s.token, s.reason = "", reasonOf(r.Ended.Error)
	case intune.SessionLeft:
		s.state, s.settled = stateNoLink, r.Ended.Time
	default: // the wait goes on
	}
	switch note.Outcome {
	case noteOpened:
		s.state, s.settled, s.unsure, s.token = stateOpened, note.Time, false, ""
	case noteWaiting:
		s.state, s.settled = stateWaiting, note.Time
	default: // there is none
	}
	return s
}

// supersedeEarlier leaves only the latest request of a device that may have been sent to be waited for.
func supersedeEarlier(sessions []*oldSession) {
	later := false
	for _, s := range slices.Backward(sessions) {
		if s.state == stateRefused {
			continue
		}
		if later {
			s.supersede()
		}
		later = true
	}
}
