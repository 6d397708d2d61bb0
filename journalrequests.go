package intune

import (
	"cmp"
	"errors"
	"iter"
	"log/slog"
	"time"

	"github.com/go-intune/intune/internal/redact"
)

// JournalRequest is one request of a journal, put together by [JournalRequests].
type JournalRequest struct {
	// Asking is the entry from before the request was sent. It is zero if it is missing, for example because it is in an
	// older file.
	Asking JournalEntry `json:"asking,omitzero"`

	// Asked is the latest entry that knows the outcome, or the latest of all if none knows it. If it has no ResumeToken, it
	// gets that of the entry before. It is zero if there is no such entry, because the program crashed or could not write it.
	Asked JournalEntry `json:"asked,omitzero"`

	// Ended is the first entry that says ready or failed, or the latest of all if none does. It is zero if there is no such
	// entry: the wait goes on, or its process died.
	Ended JournalEntry `json:"ended,omitzero"`
}

// JournalRequests puts the entries of a journal together to its requests, in the order of asking. The entries can come
// from package journalfile's Read or from any other store, in the order in which they were written. They are read once.
//
// Entries are of one request when ClientRequestID and Device are the same. An entry with an Outcome is one of Asked, any
// other with a Session one of Ended, and any other is the first one of a request. An entry with an Outcome belongs to the
// latest request with its ClientRequestID and Device that has no outcome yet. If all have one, it belongs to the latest
// whose outcome is unknown, so that a program that learns what became of a request can call Journal.Asked with the device,
// the client-request-id and the outcome. If all outcomes are known, it corrects the latest. Unknown corrects nothing that
// is known. An entry with a Session belongs to the latest request whose user was or may have been asked and that has no
// end, or was left, or else to the latest. An outcome or an end whose first entry is missing is a request of its own, in
// the place of that entry.
//
// What became of one request does not tell what became of another for the same device. When a later one was rejected or
// not sent, the user may have been asked all the same, by an earlier one whose outcome is unknown. When a later one was
// accepted, at any address of the device, there is no need to look after the earlier ones. [DeviceRef.DeviceID] is the
// same at all addresses.
//
// If entries yields an error, JournalRequests returns that error and no requests, because the entry that could not be read
// may be one more request. If entries is nil, it returns [ErrInvalidArgument].
func JournalRequests(entries iter.Seq2[JournalEntry, error]) ([]JournalRequest, error) {
	if entries == nil {
		return nil, invalidArgument("entries", "is nil; pass those of journalfile.Read or of another store")
	}
	type key struct {
		device          DeviceRef
		clientRequestID string
	}
	var list []JournalRequest
	same := map[key]*sameRequests{}
	for entry, err := range entries {
		if err != nil {
			return nil, err
		}
		of := key{entry.Device, entry.ClientRequestID}
		if same[of] == nil {
			same[of] = &sameRequests{latest: -1}
		}
		i := -1
		switch {
		case entry.Outcome != "":
			i = same[of].next(list)
		case entry.Session != "":
			i = same[of].nextToEnd(list)
		}
		if i < 0 {
			i = len(list)
			same[of].add(i)
			list = append(list, JournalRequest{})
		}
		list[i] = list[i].with(entry)
	}
	return list, nil
}

// sameRequests is the requests of a journal whose entries have the same id and device, as indexes in the order of asking.
type sameRequests struct {
	open   []int // all without an outcome, and others
	unsure []int // all whose outcome nobody knows, and others
	waits  []int // all before the latest whose wait may end, and others
	latest int   // -1 if there is none
}

func (s *sameRequests) add(index int) {
	if s.latest >= 0 {
		s.waits = append(s.waits, s.latest)
	}
	s.open, s.unsure, s.latest = append(s.open, index), append(s.unsure, index), index
}

// next returns the request that an outcome belongs to, -1 if there is none. What it drops can't be needed again, so that
// all entries together need linear time.
func (s *sameRequests) next(list []JournalRequest) int {
	s.open = dropLast(s.open, func(i int) bool { return list[i].Asked.Outcome != "" })
	s.unsure = dropLast(s.unsure, func(i int) bool { return list[i].Asked.Outcome.known() })
	switch {
	case len(s.open) > 0:
		return s.open[len(s.open)-1]
	case len(s.unsure) > 0:
		return s.unsure[len(s.unsure)-1]
	default:
		return s.latest
	}
}

// nextToEnd returns the request that the end of a wait belongs to, -1 if there is none. Only the latest request can be
// over and wait again, when its outcome is corrected, so that no other is needed again once it is over.
func (s *sameRequests) nextToEnd(list []JournalRequest) int {
	if s.latest < 0 || !list[s.latest].over() {
		return s.latest
	}
	s.waits = dropLast(s.waits, func(i int) bool { return list[i].over() })
	if len(s.waits) > 0 {
		return s.waits[len(s.waits)-1]
	}
	return s.latest
}

func dropLast(list []int, drop func(int) bool) []int {
	for len(list) > 0 && drop(list[len(list)-1]) {
		list = list[:len(list)-1]
	}
	return list
}

// with returns the request with one more entry.
func (r JournalRequest) with(entry JournalEntry) JournalRequest {
	switch {
	case entry.Outcome != "":
		return r.withAsked(entry)
	case entry.Session == "":
		r.Asking = entry
	case r.Ended.Session != SessionReady && r.Ended.Session != SessionFailed:
		r.Ended = entry
	}
	return r
}

func (r JournalRequest) withAsked(entry JournalEntry) JournalRequest {
	token := cmp.Or(entry.ResumeToken, r.Asked.ResumeToken)
	if entry.Outcome.known() || !r.Asked.Outcome.known() {
		r.Asked = entry
	}
	r.Asked.ResumeToken = token
	return r
}

// Device is the device that was asked.
func (r JournalRequest) Device() DeviceRef {
	return cmp.Or(r.Asking.Device, r.Asked.Device, r.Ended.Device)
}

// Outcome is what became of the request. It is [OutcomeUnknown] where nobody knows: the outcome is missing, is unknown, or
// is one that this version does not know. If only the outcome is missing, an end that says ready or failed tells that the
// request was accepted. A wait with AcceptExistingAfter may have ended in ready without that proof.
func (r JournalRequest) Outcome() Outcome {
	switch {
	case r.Asked.Outcome.known():
		return r.Asked.Outcome
	case r.Asked.Outcome == "" && (r.Ended.Session == SessionReady || r.Ended.Session == SessionFailed):
		return OutcomeAccepted
	default:
		return OutcomeUnknown
	}
}

// ResumeToken is the newest token of the request, for [Client.WaitForRemoteAssistance]. It is blank if no wait was to
// follow, or if the entry with the token is missing. Keep it like a session cookie.
func (r JournalRequest) ResumeToken() string {
	return cmp.Or(r.Asked.ResumeToken, r.Asking.ResumeToken)
}

// Waiting reports whether [Client.WaitForRemoteAssistance] can go on with the wait for the link, without asking again: the
// outcome is accepted or unknown, the wait has no end or was left, and there is a token. Waiting knows no clock: a token
// older than WaitForRemoteAssistanceOptions.MaxAge is refused by that method, and a request of which no sign came within
// ConfirmWithin stays waiting. Nor does it know whether another process waits at this moment. Of several requests for one
// device, go on only with the newest, because an older token would take its link.
func (r JournalRequest) Waiting() bool { return !r.over() && r.ResumeToken() != "" }

// over reports whether no wait goes on.
func (r JournalRequest) over() bool {
	outcome := r.Outcome()
	asked := outcome == OutcomeAccepted || outcome == OutcomeUnknown
	return !asked || r.Ended.Session != "" && r.Ended.Session != SessionLeft
}

// LogValue groups what is known of the request for structured logs. The resume token and the user of the address are left
// out.
func (r JournalRequest) LogValue() slog.Value {
	attributes := []slog.Attr{
		slog.String("device", r.Device().redacted()), slog.String("outcome", string(r.Outcome())), slog.Bool("waiting", r.Waiting()),
	}
	attributes = appendText(attributes, "session", string(r.Ended.Session))
	attributes = appendText(attributes, "error", cmp.Or(r.Ended.Error, r.Asked.Error))
	attributes = appendText(attributes, "reference", r.Asking.Reference)
	attributes = appendText(attributes, "actor", cmp.Or(r.Asking.Actor, r.Asked.Actor))
	requestID := cmp.Or(r.Asked.RequestID, r.Ended.RequestID)
	return slog.GroupValue(appendRequest(attributes, requestID, r.clientRequestID(), r.Asking.Time)...)
}

func (r JournalRequest) clientRequestID() string {
	return cmp.Or(r.Asking.ClientRequestID, r.Asked.ClientRequestID, r.Ended.ClientRequestID)
}

// ErrSuperseded is what [Journal.Ended] returns for a wait that is no longer its caller's, because another request took the
// device, or because another copy of the program holds the wait. The link is then withheld.
var ErrSuperseded = errors.New("superseded")

// DeviceBusyError is what [Journal.Asking] returns when somebody else is asking for the device or waits for its link.
type DeviceBusyError struct {
	// Device is the device.
	Device DeviceRef

	// Actor and Reference are those of the request that holds the device, blank if its entry has none.
	Actor, Reference string

	// Since is when that request was made.
	Since time.Time

	// FreeAt is when the device can be asked again at the latest, zero if that is not known.
	FreeAt time.Time
}

// Error is one line: the device, who holds it, since when, and until when.
func (e *DeviceBusyError) Error() string {
	text := "remote assistance on " + e.Device.redacted() + " is being requested or waited for already"
	if e.Actor != "" {
		text += " by " + redact.OneLine(e.Actor, maxCodeText)
	}
	if e.Reference != "" {
		text += " (" + redact.OneLine(e.Reference, maxCodeText) + ")"
	}
	if !e.Since.IsZero() {
		text += " since " + e.Since.UTC().Format(time.RFC3339)
	}
	text += ": nobody was asked; agree with them, or ask again when their wait has ended"
	if !e.FreeAt.IsZero() {
		text += ", at the latest after " + e.FreeAt.UTC().Format(time.RFC3339)
	}
	return text
}

// LogValue groups the fields for structured logs.
func (e *DeviceBusyError) LogValue() slog.Value {
	attributes := []slog.Attr{slog.String("device", e.Device.redacted())}
	attributes = appendText(attributes, "actor", e.Actor)
	attributes = appendText(attributes, "reference", e.Reference)
	attributes = appendTime(attributes, "since", e.Since)
	return slog.GroupValue(appendTime(attributes, "free_at", e.FreeAt)...)
}

// AlreadyAskedError is what [Journal.Asking] returns for a client-request-id that was used before.
type AlreadyAskedError struct {
	// Request is the earlier request. Its Waiting says whether a wait for its link can go on.
	Request JournalRequest
}

// Error is one line: the device, the id, when it was used, and what became of that request.
func (e *AlreadyAskedError) Error() string {
	text := "remote assistance on " + e.Request.Device().redacted() + ": the client-request-id " +
		redact.OneLine(e.Request.clientRequestID(), maxCodeText) + " was used before"
	if at := e.Request.Asking.Time; !at.IsZero() {
		text += ", at " + at.UTC().Format(time.RFC3339)
	}
	text += " (" + redact.OneLine(string(e.Request.Outcome()), maxCodeText) + "): nobody was asked again; "
	if e.Request.Waiting() {
		return text + "go on with WaitForRemoteAssistance and the request's ResumeToken, or use a new id to ask anew"
	}
	return text + "use a new id to ask anew"
}

// GoString wraps [AlreadyAskedError.Error], so that %#v does not show the resume token.
func (e *AlreadyAskedError) GoString() string { return "intune.AlreadyAskedError(" + e.Error() + ")" }

// LogValue is that of the earlier request.
func (e *AlreadyAskedError) LogValue() slog.Value { return e.Request.LogValue() }

// SessionOutcome is what became of the wait for a session's link, in [Journal.Ended]. A member that is not listed here is
// kept as read.
type SessionOutcome string

const (
	// SessionReady means: there is a link, a reused one included.
	SessionReady SessionOutcome = "ready"

	// SessionFailed means: the service says why there is no session, or gave a link that must not be opened.
	SessionFailed SessionOutcome = "failed"

	// SessionLeft means: the wait stopped without either, with a [*PendingError]. It may go on.
	SessionLeft SessionOutcome = "left"

	// SessionSuperseded means: another request for the device took the place of this one. Only a journal writes it.
	SessionSuperseded SessionOutcome = "superseded"
)

// PossibleSessionOutcomeValues returns the possible values of SessionOutcome.
func PossibleSessionOutcomeValues() []SessionOutcome {
	return []SessionOutcome{SessionReady, SessionFailed, SessionLeft, SessionSuperseded}
}
