package intune

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"

	"github.com/go-intune/intune/internal/claims"
	"github.com/go-intune/intune/internal/graphcall"
	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/redact"
)

// Journal is a record, kept by the caller, of who asked for what. It has one pair of entries for each device and call,
// not one for each try. Set it as ClientOptions.Journal; package journalfile keeps it in a file. With a journal, an
// organization can demand "no record, no prompt", and a program that crashed can find out with [JournalRequests] which
// devices may have been asked, and continue without asking again. It is not certain that Intune's audit events show this
// action.
//
// A call that ends before its request is ready to be sent, for example because it got no token, has asked nobody and
// makes no entry.
//
// The methods must be safe for concurrent use: [Client.RequestRemoteAssistanceMany] calls them from several goroutines,
// and so do concurrent calls of the other methods.
type Journal interface {
	// Asking is called once, before the first try is sent. If it returns an error, nothing is sent: the call returns an
	// *Error that wraps that error, and Asked is not called. The context is that of the call.
	Asking(ctx context.Context, entry JournalEntry) error

	// Asked is called once for each Asking that returned nil, when the outcome is known. The context has the values of the
	// call's context and does not end with it. An error from Asked does not change the result of the call. The error
	// becomes an event "intune.journalError" on the span of the method, and because the entry is missing, the outcome of
	// the [JournalRequest] stays unknown. To hear of the error at once, wrap the journal.
	Asked(ctx context.Context, entry JournalEntry) error
}

// JournalEntry is one entry of a [Journal]. It holds no link and no access token. JSON shows the whole address of the
// device, including the user of a [UserDevice].
type JournalEntry struct {
	// Time is when the entry was made, in UTC.
	Time time.Time `json:"time"`

	// Device is the device that is asked.
	Device DeviceRef `json:"device"`

	// ClientRequestID is the same in both entries, on the wire, and in the error or response.
	ClientRequestID string `json:"clientRequestId"`

	// ResumeToken is in Asking only, if a wait for the link follows. It is made before anything is sent, so that
	// Client.WaitForRemoteAssistance can continue the wait after a crash at any moment. Keep it like a session cookie.
	ResumeToken string `json:"resumeToken,omitempty"`

	// Outcome is in Asked only, and never blank there.
	Outcome Outcome `json:"outcome,omitempty"`

	// StatusCode is in Asked: the HTTP status, 0 when no answer came.
	StatusCode int `json:"statusCode,omitempty"`

	// RequestID is in Asked: the id of the request at Microsoft, if an answer told it.
	RequestID string `json:"requestId,omitempty"`

	// Error is in Asked: the one-line text of the call's error, blank when the request was accepted.
	Error string `json:"error,omitempty"`

	// Actor is the person that the request is made for. The journal fills it in, as that of package journalfile does from
	// its Options.Actor; the client leaves it blank.
	Actor string `json:"actor,omitempty"`

	// CallerID, AppID and TenantID are in Asked: the claims oid, appid (or azp) and tid of the token that was sent last.
	// They are read without checking the token, for the record only, and blank for a token that cannot be read.
	CallerID string `json:"callerId,omitempty"`
	AppID    string `json:"appId,omitempty"`
	TenantID string `json:"tenantId,omitempty"`
}

// LogValue groups the fields for structured logs. The resume token and the user of the address are left out.
func (e JournalEntry) LogValue() slog.Value {
	attributes := []slog.Attr{slog.Time("time", e.Time), slog.String("device", e.Device.redacted())}
	attributes = appendText(attributes, "outcome", string(e.Outcome))
	if e.StatusCode != 0 {
		attributes = append(attributes, slog.Int("status", e.StatusCode))
	}
	for _, text := range [...][2]string{
		{"error", e.Error},
		{"actor", e.Actor},
		{"caller_id", e.CallerID},
		{"app_id", e.AppID},
		{"tenant_id", e.TenantID},
	} {
		attributes = appendText(attributes, text[0], text[1])
	}
	return slog.GroupValue(appendRequest(attributes, e.RequestID, e.ClientRequestID, time.Time{})...)
}

// JournalRequest is one request of a journal, put together by [JournalRequests].
type JournalRequest struct {
	// Asking is the entry from before the request was sent. It is zero if it is missing, for example because it is in an
	// older file.
	Asking JournalEntry `json:"asking,omitzero"`

	// Asked is the latest entry that knows the outcome, or the latest of all if none knows it. If it has no ResumeToken, it
	// gets that of the entry before. It is zero if there is no such entry, because the program crashed or could not write it.
	Asked JournalEntry `json:"asked,omitzero"`
}

// JournalRequests pairs the entries of a journal and returns its requests, in the order of asking. The entries can come
// from package journalfile's Read or from any other store, in the order in which they were written. They are read once.
//
// Two entries are a pair when ClientRequestID and Device are the same. An entry without an Outcome is the first one of a
// request. An entry with an Outcome belongs to the latest request with its ClientRequestID and Device that has no outcome
// yet. If all have one, it belongs to the latest whose outcome is unknown, so that a program that learns what became of a
// request can call Journal.Asked with the device, the client-request-id and the outcome. If all outcomes are known, it
// corrects the latest. Unknown corrects nothing that is known. An outcome whose first entry is missing is a request of its
// own, in the place of that outcome.
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
	type pair struct {
		device          DeviceRef
		clientRequestID string
	}
	var list []JournalRequest
	same := map[pair]*sameRequests{}
	for entry, err := range entries {
		if err != nil {
			return nil, err
		}
		of := pair{entry.Device, entry.ClientRequestID}
		if same[of] == nil {
			same[of] = &sameRequests{latest: -1}
		}
		if entry.Outcome == "" {
			same[of].add(len(list))
			list = append(list, JournalRequest{Asking: entry})
		} else if i := same[of].next(list); i >= 0 {
			list[i] = list[i].with(entry)
		} else {
			same[of].add(len(list))
			list = append(list, JournalRequest{Asked: entry})
		}
	}
	return list, nil
}

// sameRequests is the requests of a journal whose entries have the same id and device, as indexes in the order of asking.
type sameRequests struct {
	open   []int // all without an outcome, and others
	unsure []int // all whose outcome nobody knows, and others
	latest int   // -1 if there is none
}

func (s *sameRequests) add(index int) {
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

func dropLast(list []int, drop func(int) bool) []int {
	for len(list) > 0 && drop(list[len(list)-1]) {
		list = list[:len(list)-1]
	}
	return list
}

// with returns the request with an entry of Asked.
func (r JournalRequest) with(entry JournalEntry) JournalRequest {
	token := cmp.Or(entry.ResumeToken, r.Asked.ResumeToken)
	if entry.Outcome.known() || !r.Asked.Outcome.known() {
		r.Asked = entry
	}
	r.Asked.ResumeToken = token
	return r
}

// Device is the device that was asked.
func (r JournalRequest) Device() DeviceRef { return cmp.Or(r.Asking.Device, r.Asked.Device) }

// Outcome is what became of the request. It is [OutcomeUnknown] where nobody knows: the outcome is missing, is unknown, or
// is one that this version does not know.
func (r JournalRequest) Outcome() Outcome {
	if r.Asked.Outcome.known() {
		return r.Asked.Outcome
	}
	return OutcomeUnknown
}

// ResumeToken is the newest token of the request, for [Client.WaitForRemoteAssistance]. It is blank if no wait was to
// follow, or if the entry with the token is missing. Keep it like a session cookie.
func (r JournalRequest) ResumeToken() string {
	return cmp.Or(r.Asked.ResumeToken, r.Asking.ResumeToken)
}

// Waiting reports whether [Client.WaitForRemoteAssistance] can go on with the wait for the link, without asking again: the
// outcome is accepted or unknown, and there is a token. The journal does not tell whether the link has come, and Waiting
// knows no clock: a token older than WaitForRemoteAssistanceOptions.MaxAge is refused by that method. Of several requests
// for one device, go on only with the newest, because an older token would take its link.
func (r JournalRequest) Waiting() bool {
	outcome := r.Outcome()
	return (outcome == OutcomeAccepted || outcome == OutcomeUnknown) && r.ResumeToken() != ""
}

// LogValue groups what is known of the request for structured logs. The resume token and the user of the address are left
// out.
func (r JournalRequest) LogValue() slog.Value {
	attributes := []slog.Attr{
		slog.String("device", r.Device().redacted()), slog.String("outcome", string(r.Outcome())), slog.Bool("waiting", r.Waiting()),
	}
	attributes = appendText(attributes, "error", r.Asked.Error)
	attributes = appendText(attributes, "actor", cmp.Or(r.Asking.Actor, r.Asked.Actor))
	id := cmp.Or(r.Asking.ClientRequestID, r.Asked.ClientRequestID)
	return slog.GroupValue(appendRequest(attributes, r.Asked.RequestID, id, r.Asking.Time)...)
}

// journalPair is the two entries of one device in one call. Its methods do nothing on a nil pair, which a client
// without a journal has.
type journalPair struct {
	journal Journal
	tracer  tracing.Tracer      // hears of an entry that failed
	token   func(string) string // makes the resume token, nil for none

	mu    sync.Mutex   // a policy may abandon the request while Asking still runs
	entry JournalEntry // of Asking
	open  bool         // Asking accepted the entry
	over  bool         // the call has its result
}

func newPair(journal Journal, tracer tracing.Tracer, device DeviceRef, token func(clientRequestID string) string) *journalPair {
	if journal == nil {
		return nil
	}
	return &journalPair{journal: journal, tracer: tracer, entry: JournalEntry{Device: device}, token: token}
}

// before returns the hook of the device's request.
func (p *journalPair) before(ctx context.Context) func(*http.Request) error {
	if p == nil {
		return nil
	}
	return func(req *http.Request) error {
		id := req.Header.Get("Client-Request-Id")
		private := privateOf(graphpolicy.Asked{}, req.URL, req.Header.Get("Authorization"))
		if private.Clean(redact.OneLine(id, maxCodeText)) != id {
			return invalidArgument("client-request-id",
				"is too long for a record or holds what none may show, such as a link, a token or the user; use a GUID")
		}
		if recorded := p.id(); recorded != "" { // by an earlier try, whose id a policy may have changed
			req.Header.Set("Client-Request-Id", recorded)
			return nil
		}
		return p.begin(ctx, id)
	}
}

// begin calls Asking, unless a caller's policy left the request running and the call has ended.
func (p *journalPair) begin(ctx context.Context, clientRequestID string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return errors.New("the call has ended")
	}
	p.entry.Time, p.entry.ClientRequestID = journalTime(), clientRequestID
	if p.token != nil {
		p.entry.ResumeToken = p.token(clientRequestID)
	}
	err := p.journal.Asking(ctx, p.entry)
	p.open = err == nil
	return err
}

// id is the client-request-id that was recorded, or "".
func (p *journalPair) id() string {
	if p == nil {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.entry.ClientRequestID
}

// identify puts the recorded id into the error of the call, which may hold an id from the body of the answer.
func (p *journalPair) identify(err error) {
	if failed, ok := errors.AsType[*Error](err); ok && p.id() != "" {
		failed.ClientRequestID = p.id()
	}
}

// settle calls Asked with what is known of the outcome, once for each pair whose Asking accepted the request.
func (p *journalPair) settle(ctx context.Context, known JournalEntry) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	if !p.open {
		return
	}
	known.Time, known.Device, known.ClientRequestID = journalTime(), p.entry.Device, p.entry.ClientRequestID
	if err := p.journal.Asked(context.WithoutCancel(ctx), known); err != nil {
		text := redact.OneLine(p.entry.Device.clean(err.Error()), maxMessageText) // it may quote the entry
		p.tracer.SpanFromContext(ctx).AddEvent("intune.journalError", tracing.Attribute{Key: "error.message", Value: text})
	}
}

// askedEntry is what is known of the outcome of a request for one device.
func askedEntry(record graphpolicy.Record, ids graphcall.IDs, resp *http.Response, err error) JournalEntry {
	entry := JournalEntry{Outcome: outcomeOf(record, err)}
	entry.CallerID, entry.AppID, entry.TenantID = callerOf(record.Authorization)
	if err == nil {
		entry.StatusCode, entry.RequestID = resp.StatusCode, redact.OneLine(ids.RequestID, maxCodeText)
		return entry
	}
	entry.Error = err.Error()
	if failed, ok := errors.AsType[*Error](err); ok {
		entry.StatusCode, entry.RequestID = failed.StatusCode, redact.OneLine(failed.RequestID, maxCodeText)
	}
	return entry
}

// outcomeOf is what became of a request, by its record and its error.
func outcomeOf(record graphpolicy.Record, err error) Outcome {
	switch {
	case err == nil:
		return OutcomeAccepted
	case errors.Is(err, ErrOutcomeUnknown):
		return OutcomeUnknown
	case record.Left:
		return OutcomeRejected
	default:
		return OutcomeNotSent
	}
}

// callerOf returns the claims oid, appid and tid of the token in an Authorization header.
func callerOf(authorization string) (callerID, appID, tenantID string) {
	read, _ := claims.Parse(bearerOf(authorization)) // no claims if the token cannot be read
	clean := func(claim string) string { return redact.OneLine(redact.Text(claim), maxCodeText) }
	return clean(read.Object), clean(read.AppID), clean(read.Tenant)
}

func journalTime() time.Time { return time.Now().UTC().Round(0) }

// Outcome is what became of a request for remote assistance to one device. A member that is not listed here is kept as
// read.
type Outcome string

const (
	// OutcomeAccepted means: the service accepted the request, and the user sees a prompt or soon will.
	OutcomeAccepted Outcome = "accepted"

	// OutcomeRejected means: the service refused the request, and this request did not ask the user.
	OutcomeRejected Outcome = "rejected"

	// OutcomeUnknown means: the request was sent, or may have been, and nobody knows whether the user was asked.
	OutcomeUnknown Outcome = "unknown"

	// OutcomeNotSent means: it is certain that no request was sent.
	OutcomeNotSent Outcome = "notSent"
)

// known reports whether somebody knows what became of the request.
func (o Outcome) known() bool {
	return o == OutcomeAccepted || o == OutcomeRejected || o == OutcomeNotSent
}

// PossibleOutcomeValues returns the possible values of Outcome.
func PossibleOutcomeValues() []Outcome {
	return []Outcome{OutcomeAccepted, OutcomeRejected, OutcomeUnknown, OutcomeNotSent}
}
