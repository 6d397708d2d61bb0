// Package wait is the state machine of one wait for a session's link: what was there before the request, what a read
// says of it, when the wait ends by itself, how fast it reads, and its form as a token for another process. It knows
// neither the client nor the service: the caller reads, and hands over what it read.
package wait

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"math"
	"slices"
	"time"
)

// DefaultConfirmWithin is how long a wait looks for a sign of a request whose outcome is unknown.
const DefaultConfirmWithin = 2 * time.Minute

// tolerance is how long reads may find no device, or get no token, from the first such failure in a row on.
const tolerance = time.Minute

// State is what a wait needs to continue in another process. It holds no link and no error text, only salted hashes of
// those from before the request.
type State struct {
	Device              string // its address, as text
	RequestedAt         time.Time
	RequestID           string
	ClientRequestID     string
	AcceptExistingAfter time.Duration
	ConfirmWithin       time.Duration
	Unconfirmed         bool // there is no proof yet that the service acted

	resumed   *time.Time // when the wait was resumed from a token; nil if it was not
	missing   time.Time  // since when reads answer 404; zero while the device is found
	tokenless time.Time  // since when reads get no token; zero while they get one

	salt           [16]byte
	links, details seen
}

// Verdict is what a read or the time says of a wait.
type Verdict uint8

// The verdicts.
const (
	Waiting  Verdict = iota
	NewLink          // the link differs from the one before the request
	NewError         // the error text does
	Existing         // AcceptExistingAfter has passed with the link of before
	NoSign           // ConfirmWithin has passed without a sign of the request
)

// Failure is why a read failed.
type Failure uint8

// The failures.
const (
	Refused  Failure = iota // no later read will do better
	Trouble                 // the service throttles, is not available, or cannot be reached
	NotFound                // the service does not know the device, as happens right after enrollment while it is being moved
	NoToken                 // the credential gave no token, and it may give one later
)

// Remember keeps the link and the error text from before the request. earlier, if not nil, is of a look before this one:
// what that saw stays remembered too, because a stale replica may show it again.
func (s *State) Remember(link, details string, earlier *State) {
	if earlier == nil {
		_, _ = rand.Read(s.salt[:]) // never fails
		s.links, s.details = seen{first: s.hash(link)}, seen{first: s.hash(details)}
		return
	}
	s.salt = earlier.salt
	s.links, s.details = s.also(earlier.links, link), s.also(earlier.details, details)
}

// also is what was seen together with a text of another look. That there was none need not be remembered.
func (s *State) also(before seen, text string) seen {
	switch {
	case text == "":
		return before
	case before.holds(s.hash("")):
		return seen{first: s.hash(text)}
	default:
		return before.with(s.hash(text))
	}
}

// Judge compares a read with the link and text from before the request, never with the read before: a value that
// disappears and comes back was shown by a stale replica, and is not new. Only what is new proves that the service acted:
// a link or a text that has gone may have expired.
func (s *State) Judge(link, details string) Verdict {
	s.missing, s.tokenless = time.Time{}, time.Time{}
	switch {
	case link != "" && !s.links.holds(s.hash(link)):
		s.Unconfirmed = false
		return NewLink
	case details != "" && !s.details.holds(s.hash(details)):
		s.Unconfirmed = false
		return NewError
	}
	return Waiting
}

// JudgeTime says whether the wait ends by itself; existing says that the link of before is there and fit to open.
func (s *State) JudgeTime(now time.Time, existing bool) Verdict {
	switch waited := now.Sub(s.RequestedAt); {
	case s.AcceptExistingAfter > 0 && waited >= s.AcceptExistingAfter && existing:
		return Existing
	case s.Unconfirmed && now.Sub(s.confirmFrom()) >= s.ConfirmWithin:
		return NoSign
	}
	return Waiting
}

// Tolerates takes note of a failed read, and reports whether the wait goes on all the same.
func (s *State) Tolerates(f Failure, now time.Time) bool {
	if f != NoToken {
		s.tokenless = time.Time{} // this read had a token
	}
	switch f {
	case Trouble:
		return true
	case NotFound:
		return passing(&s.missing, now)
	case NoToken:
		return passing(&s.tokenless, now)
	default:
		return false
	}
}

// passing counts from the first failure in a row.
func passing(since *time.Time, now time.Time) bool {
	if since.IsZero() {
		*since = now
	}
	return now.Sub(*since) < tolerance
}

// NextLimit is the time until ConfirmWithin or AcceptExistingAfter passes, when a read can end the wait without any
// change.
func (s *State) NextLimit(now time.Time) time.Duration {
	limit := time.Duration(math.MaxInt64)
	if left := s.ConfirmWithin - now.Sub(s.confirmFrom()); s.Unconfirmed && left > 0 {
		limit = left
	}
	if left := s.AcceptExistingAfter - now.Sub(s.RequestedAt); left > 0 {
		limit = min(limit, left)
	}
	return limit
}

// confirmFrom is when the search for a sign of the request began. It begins anew when a wait is resumed, because the
// process may have been away for longer than ConfirmWithin.
func (s *State) confirmFrom() time.Time { return *cmp.Or(s.resumed, &s.RequestedAt) }

func (s *State) hash(text string) hash {
	return sha256.Sum256(slices.Concat(s.salt[:], []byte(text)))
}

// Age is how much time has passed, by the wall clock or by the monotonic one, whichever says more: the one may be set back,
// and the other stands still while the machine sleeps.
func Age(from, to time.Time) time.Duration { return max(to.Sub(from), to.Round(0).Sub(from.Round(0))) }
