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
	d.mu.Lock()
	defer d.mu.Unlock()
	for entry, err := range journalfile.Read(from) {
		if err != nil {
			return fmt.Errorf("-journal: %w; repair the line, or begin a new journal", err)
		}
		if now.Sub(entry.Time) <= historyLife {
			d.replayLocked(&entry)
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

// replayLocked takes one entry.
func (d *desk) replayLocked(entry *intune.JournalEntry) {
	if entry.Outcome == "" {
		s := newSession(entry.ClientRequestID, entry.Actor, entry.Device, entry.Time, stateWaiting)
		s.token, s.unsure = entry.ResumeToken, true
		d.keepLocked(s)
		return
	}
	s := d.byID[entry.ClientRequestID]
	if s == nil {
		return
	}
	switch entry.Outcome {
	case intune.OutcomeRejected, intune.OutcomeNotSent:
		s.state, s.token, s.unsure = stateRefused, "", false
		s.problem = kindUnavailable.with(problemExtra{})
		if entry.StatusCode != 0 {
			s.problem = kindTenant.with(problemExtra{})
		}
		return
	case intune.OutcomeAccepted:
		s.unsure = false
	case intune.OutcomeUnknown: // stays unsure
	case noteOpened:
		s.state, s.token = stateOpened, ""
	case noteFailed:
		s.state, s.token, s.reason = stateFailed, "", entry.Error
	}
	s.settled = entry.Time
}

// supersedeEarlier leaves only the latest request of a device that may have been sent to be waited for.
func supersedeEarlier(sessions []*session) {
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
