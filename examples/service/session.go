package main

import (
	"strings"
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

// session is a session at one moment. It is never changed: those who read it share it.
type session struct {
	id        string // also the client-request-id of the request, by which Microsoft's support and the journal know it
	owner     string // identity.key
	device    intune.DeviceRef
	reference string    // why the request is made
	asked     time.Time // when Asking was called
	changed   time.Time // when it reached its state
	state     state     // never stateExpired, which follows from the clock; see [session.at]
	unsure    bool      // whether the user was asked
	reason    string    // the service's own text, links taken out
	problem   *problem  // of a session that was refused
	linkHash  []byte    // of the link of a session that is ready; nil after a crash
	token     string    // of a session that is ready without a hash: the wait that knows which links are older
	number    int64     // of its latest change: higher than that of any earlier change of this session, after a restart too
}

// at is the state at a time: what is too old can neither be waited for nor be opened.
func (s *session) at(now time.Time) state {
	if (s.state == stateReady || s.state == stateNoLink) && now.Sub(s.asked) >= sessionLife {
		return stateExpired
	}
	return s.state
}

// sessionView is the JSON of a session. It never has the link.
type sessionView struct {
	ID          string       `json:"id"`
	Number      int64        `json:"number"`
	Device      string       `json:"device"`
	Reference   string       `json:"reference,omitempty"`
	State       state        `json:"state"`
	RequestedAt time.Time    `json:"requestedAt"`
	ChangedAt   time.Time    `json:"changedAt"`
	Unsure      bool         `json:"unsure,omitempty"`
	Reason      string       `json:"reason,omitempty"`
	Problem     *problemBody `json:"problem,omitempty"`
}

func (s *session) view(prefix string, now time.Time) sessionView {
	v := sessionView{
		ID: s.id, Number: s.number, Device: s.device.DeviceID(), Reference: s.reference, State: s.at(now),
		RequestedAt: s.asked.UTC(), ChangedAt: s.changed.UTC(), Unsure: s.unsure, Reason: s.reason,
	}
	if s.problem != nil {
		body := s.problem.body(prefix, "")
		v.Problem = &body
	}
	return v
}

// hintMark is before the hint for operators in the text of an error of the library.
const hintMark = "; hint: "

// refusalOf is why nobody was asked, from the entry of Asked, which is all that a restart or another copy has.
func refusalOf(asked intune.JournalEntry) *problem {
	switch {
	case strings.Contains(asked.Error, string(errNotRecorded)):
		return kindRecord.with(problemExtra{})
	case asked.StatusCode == 0 && strings.Contains(asked.Error, "somebody else's"):
		return kindDeviceBusy.with(problemExtra{})
	default:
		text, _, _ := strings.Cut(asked.Error, hintMark) // hints speak of much that is not the reason
		p := problemFrom(&intune.Error{StatusCode: asked.StatusCode, Message: text})
		p.cause = nil
		return p
	}
}

// reasonOf is the reason of a session from the entry of Ended.
func reasonOf(ended intune.JournalEntry) string {
	switch {
	case ended.Session == intune.SessionFailed:
		return serviceText(ended.Error)
	case strings.Contains(ended.Error, string(errSignInAgain)), strings.Contains(ended.Error, "401 Unauthorized"):
		return "The sign-in is no longer good. Sign in again, then go on waiting."
	default:
		return ""
	}
}

// serviceText is the service's own text in the one-line text of a [*intune.SessionError], which is all that the journal keeps.
// The hint after it is for operators.
func serviceText(text string) string {
	if _, after, ok := strings.Cut(text, " failed: "); ok {
		text = after
	}
	reason, _, _ := strings.Cut(text, hintMark)
	return reason
}
