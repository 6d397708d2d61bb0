package main

import (
	"cmp"
	"encoding/hex"
	"slices"
	"time"

	"github.com/go-intune/intune"
)

// What the service adds to the journal: an entry of Asked with an outcome of its own. The library keeps outcomes that it
// does not know as they are.
const (
	noteInterrupted intune.Outcome = "service.interrupted" // the process that waited has ended
	noteWaiting     intune.Outcome = "service.waiting"     // a wait that had been left goes on
	noteReady       intune.Outcome = "service.ready"       // the salted hash of the link, as the reference; the link was not handed out
	noteOpened      intune.Outcome = "service.opened"      // the link was handed out
	noteSuperseded  intune.Outcome = "service.superseded"  // the device has another link
	noteGone        intune.Outcome = "service.gone"        // the device has no link any more
)

// request is a session in the index, with what only the store needs to know.
type request struct {
	now         *session
	token       string // continues the wait; blank if nothing can be waited for
	hold        int64  // counts those who have waited, the first one by its Asking
	interrupted bool
	before      *session // what it was when another request superseded it
	by          *request // that other request
}

func (r *request) isBusy() bool { return r.now.state == stateAsking || r.now.state == stateWaiting }

// index has all sessions. It is the same after the same entries, in a process that runs and in one that starts.
type index struct {
	byID     map[string]*request
	byDevice map[string][]*request // in the order of asking
	byOwner  map[string][]*request // in the order of asking
	number   int64                 // of the latest change
	changed  func(idAndOwner ...string)
}

func newIndex(changed func(idAndOwner ...string)) *index {
	return &index{byID: map[string]*request{}, byDevice: map[string][]*request{}, byOwner: map[string][]*request{}, changed: changed}
}

// apply takes an entry of the journal, however unlikely. A time in the future is from a clock that was ahead.
func (x *index) apply(entry intune.JournalEntry, now time.Time) {
	r := x.byID[entry.ClientRequestID]
	switch {
	case entry.Outcome == "" && entry.Session == "":
		x.asking(entry, now)
	case r == nil: // it was forgotten
	case entry.Outcome == "":
		x.ended(r, entry, now)
	case !x.note(r, entry, now):
		x.outcome(r, entry, now)
	}
}

// edit makes a new snapshot. The number is a time, so that it is higher than any that a page has seen, also of a process
// before this one whose last entries were lost.
func (x *index) edit(r *request, entry intune.JournalEntry, now time.Time, to state, more func(*session)) {
	next := *r.now
	x.number = max(x.number+1, entry.Time.UnixMilli())
	next.state, next.number, next.changed = to, x.number, earlier(entry.Time, now)
	if more != nil {
		more(&next)
	}
	r.now = &next
	x.changed(next.id, next.owner)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// asking begins a session. One that was refused gives its place to the next one with its id.
func (x *index) asking(entry intune.JournalEntry, now time.Time) {
	if old := x.byID[entry.ClientRequestID]; old != nil {
		x.forget(old)
	}
	at := earlier(entry.Time, now)
	r := &request{token: entry.ResumeToken, hold: 1, now: &session{
		id: entry.ClientRequestID, owner: entry.Actor, device: entry.Device, reference: entry.Reference, asked: at,
	}}
	x.edit(r, entry, now, stateAsking, nil)
	for _, other := range x.byDevice[entry.Device.DeviceID()] {
		if other.isBusy() || other.now.state == stateNoLink || other.now.state == stateReady {
			x.supersede(other, r, entry, now)
		}
	}
	x.byID[entry.ClientRequestID] = r
	x.byDevice[entry.Device.DeviceID()] = append(x.byDevice[entry.Device.DeviceID()], r)
	x.byOwner[entry.Actor] = append(x.byOwner[entry.Actor], r)
}

// outcome takes what became of a request. One of which nothing is known has been sent, or may have been.
func (x *index) outcome(r *request, entry intune.JournalEntry, now time.Time) {
	switch {
	case r.now.state != stateAsking:
	case entry.Outcome == intune.OutcomeRejected, entry.Outcome == intune.OutcomeNotSent:
		x.edit(r, entry, now, stateRefused, func(s *session) { s.problem = refusalOf(entry) })
		r.token = ""
		x.restore(r, entry, now)
	default:
		r.token = cmp.Or(entry.ResumeToken, r.token)
		x.edit(r, entry, now, stateWaiting, func(s *session) { s.unsure = entry.Outcome != intune.OutcomeAccepted })
	}
}

// restore gives back what a request had taken that asked nobody.
func (x *index) restore(r *request, entry intune.JournalEntry, now time.Time) {
	for _, other := range x.byDevice[r.now.device.DeviceID()] {
		if other.by != r {
			continue
		}
		before, to := other.before, other.before.state
		if to == stateAsking || to == stateWaiting { // of a process that had ended
			to, other.interrupted = stateNoLink, true
		}
		x.edit(other, entry, now, to, func(s *session) { s.changed = before.changed })
		other.before, other.by = nil, nil
	}
}

// ended takes the end of a wait.
func (x *index) ended(r *request, entry intune.JournalEntry, now time.Time) {
	if !r.isBusy() && r.now.state != stateNoLink {
		return
	}
	r.interrupted = false
	switch entry.Session {
	case intune.SessionReady: // a link and an error text prove that the user was asked
		x.edit(r, entry, now, stateReady, func(s *session) { s.unsure, s.reason, s.token = false, "", r.token })
	case intune.SessionFailed:
		r.token = ""
		x.edit(r, entry, now, stateFailed, func(s *session) { s.unsure, s.reason = false, reasonOf(entry) })
	default:
		x.edit(r, entry, now, stateNoLink, func(s *session) { s.reason = reasonOf(entry) })
	}
}

// note takes an entry of the service's own, if it is one.
func (x *index) note(r *request, entry intune.JournalEntry, now time.Time) bool {
	waits := r.isBusy() || r.now.state == stateNoLink
	hasLink := r.now.state == stateReady || r.now.state == stateOpened
	switch entry.Outcome {
	case noteInterrupted:
		if waits {
			r.interrupted = true
			x.edit(r, entry, now, stateNoLink, nil)
		}
	case noteWaiting:
		if waits {
			r.interrupted = false
			r.hold++
			x.edit(r, entry, now, stateWaiting, func(s *session) { s.reason = "" })
		}
	case noteReady:
		if hasLink {
			x.link(r, entry, now)
		}
	case noteOpened:
		if waits || hasLink {
			x.edit(r, entry, now, stateOpened, func(s *session) { s.unsure, s.reason = false, "" })
		}
	case noteSuperseded:
		if hasLink {
			x.edit(r, entry, now, stateSuperseded, nil)
		}
	case noteGone:
		if hasLink {
			r.token = ""
			x.edit(r, entry, now, stateNoLink, nil)
		}
	default:
		return false
	}
	return true
}

// link takes the hash of the link that a session has. Only if the session was opened before, that is a change to see.
func (x *index) link(r *request, entry intune.JournalEntry, now time.Time) {
	if r.now.state != stateReady {
		x.edit(r, entry, now, stateReady, nil)
	}
	if hash, _ := hex.DecodeString(entry.Reference); len(hash) > 0 { // what is no hash counts as none
		next := *r.now
		next.linkHash, next.token = hash, ""
		r.now = &next
	}
	if later := x.askedLater(r); later != nil { // the next link is that request's
		x.supersede(r, later, entry, now)
	}
}

// supersede takes the device from a session for another request, until that one turns out to have asked nobody.
func (x *index) supersede(r, by *request, entry intune.JournalEntry, now time.Time) {
	r.before, r.by = r.now, by
	x.edit(r, entry, now, stateSuperseded, nil)
}

// blocker is the session that keeps a device from being asked or waited for, nil if there is none.
func (x *index) blocker(device intune.DeviceRef) *session {
	for _, r := range x.byDevice[device.DeviceID()] {
		if r.isBusy() {
			return r.now
		}
	}
	return nil
}

// askedLater is the latest request that has taken the device since, and may have asked, nil if there is none.
func (x *index) askedLater(r *request) *request {
	list := x.byDevice[r.now.device.DeviceID()]
	for _, later := range slices.Backward(list[slices.Index(list, r)+1:]) {
		if later.now.state != stateRefused {
			return later
		}
	}
	return nil
}

// forgetOld forgets what is older than the history.
func (x *index) forgetOld(now time.Time) {
	for _, r := range x.byID {
		if now.Sub(r.now.asked) > historyLife && !r.isBusy() {
			x.forget(r)
		}
	}
}

func (x *index) forget(r *request) {
	delete(x.byID, r.now.id)
	without(x.byDevice, r.now.device.DeviceID(), r)
	without(x.byOwner, r.now.owner, r)
}

func without(lists map[string][]*request, key string, r *request) {
	rest := slices.DeleteFunc(lists[key], func(one *request) bool { return one == r })
	if len(rest) == 0 {
		delete(lists, key)
		return
	}
	lists[key] = rest
}
