package main

import (
	"sync"
	"time"

	"github.com/go-intune/intune"
)

// state is how far a session has come.
type state string

const (
	stateAsking     state = "asking"     // the request is on its way; nobody knows yet whether it will be sent
	stateWaiting    state = "waiting"    // the user was asked, or may have been; the link is waited for
	stateReady      state = "ready"      // the link is here, and was not opened
	stateOpened     state = "opened"     // the link was handed out
	stateNoLink     state = "noLink"     // no link came in time; the wait can go on
	stateFailed     state = "failed"     // the service says why there is no session
	stateRefused    state = "refused"    // nobody was asked
	stateSuperseded state = "superseded" // the device was asked again, so that a link would be the other request's
	stateExpired    state = "expired"    // too long ago
)

// hasEnded says that no event will follow unless somebody does something.
func (s state) hasEnded() bool { return s != stateAsking && s != stateWaiting }

// oldSession is one request for remote assistance and what became of it.
type oldSession struct {
	id     string // also the client-request-id of the request, by which Microsoft's support and the journal know it
	owner  string // identity.key
	device intune.DeviceRef
	asked  time.Time

	mu       sync.Mutex
	state    state
	reason   string   // the service's own text, links taken out
	problem  *problem // of a session that was refused
	unsure   bool     // whether the user was asked
	running  bool     // a goroutine asks or waits
	token    string   // continues the wait
	link     intune.SessionURL
	settled  time.Time     // when it reached its state
	sequence int           // counts changes, for events
	changed  chan struct{} // closed at the next change
}

func newSession(id, owner string, device intune.DeviceRef, asked time.Time, in state) *oldSession {
	return &oldSession{id: id, owner: owner, device: device, asked: asked, state: in, settled: asked, changed: make(chan struct{})}
}

// sessionView is the JSON of a session. It never has the link.
type sessionView struct {
	ID          string       `json:"id"`
	Device      string       `json:"device"`
	State       state        `json:"state"`
	RequestedAt time.Time    `json:"requestedAt"`
	ChangedAt   time.Time    `json:"changedAt"`
	Unsure      bool         `json:"unsure,omitempty"`
	Reason      string       `json:"reason,omitempty"`
	Problem     *problemBody `json:"problem,omitempty"`
}

// view is the session as it is now, the number of its change, and what is closed at the next one.
func (s *oldSession) view() (sessionView, int, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := sessionView{
		ID: s.id, Device: s.device.DeviceID(), State: s.state, RequestedAt: s.asked.UTC(), ChangedAt: s.settled.UTC(),
		Unsure: s.unsure, Reason: s.reason,
	}
	if s.problem != nil {
		body := s.problem.body("")
		v.Problem = &body
	}
	return v, s.sequence, s.changed
}

// change changes a session and wakes those who watch it.
func (s *oldSession) change(to state, more func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changeLocked(to, more)
}

func (s *oldSession) changeLocked(to state, more func()) {
	s.state, s.settled = to, time.Now()
	s.sequence++
	if more != nil {
		more()
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// blocks says that nobody may ask the device now, because a link that comes would be this request's.
func (s *oldSession) blocks(now time.Time, maxWait time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.state {
	case stateAsking:
		return true
	case stateWaiting: // without a goroutine since a restart, until its technician is back
		return s.running || now.Sub(s.asked) < maxWait
	default:
		return false
	}
}

// age ends a session that is too old to wait for or to open.
func (s *oldSession) age(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.state {
	case stateReady, stateNoLink, stateWaiting:
		if !s.running && now.Sub(s.asked) >= sessionLife {
			s.changeLocked(stateExpired, func() { s.link, s.token = intune.SessionURL{}, "" })
		}
	default:
	}
}

// supersede ends a wait for good, because the device is asked again.
func (s *oldSession) supersede() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == stateNoLink || s.state == stateWaiting && !s.running || s.isWithoutLinkLocked() {
		s.changeLocked(stateSuperseded, func() { s.token = "" })
	}
}

// isWithoutLinkLocked says that the session was ready before a restart, and its link has to be read again.
func (s *oldSession) isWithoutLinkLocked() bool { return s.state == stateReady && s.link.IsZero() }
