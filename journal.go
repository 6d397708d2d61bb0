package intune

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"

	"github.com/go-intune/intune/internal/claims"
	"github.com/go-intune/intune/internal/graphcall"
	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/redact"
	"github.com/go-intune/intune/internal/wait"
)

// Journal is a record, kept by the caller, of who asked for what, and what came of it. Each device and call has one Asking
// and one Asked, not one for each try, and each wait for a link one Ended. Set it as ClientOptions.Journal; package
// journalfile keeps it in a file. With a journal, an organization can demand "no record, no prompt", and a program that
// crashed can find out with [JournalRequests] which devices may have been asked and which waits go on, without asking
// again. It is not certain that Intune's audit events show this action.
//
// Once Asked is durable, a program that starts again is told what it would have been told without a crash. Before that, it
// is told that the outcome is unknown: never that nobody was asked, and never that the request was accepted.
//
// A call that ends before its request is ready to be sent, for example because it got no token, has asked nobody and
// makes no entry.
//
// The methods must be safe for concurrent use: [Client.RequestRemoteAssistanceMany] and [Client.OpenRemoteAssistanceMany]
// call them from several goroutines, and so do concurrent calls of the other methods. Asked and Ended get a context with
// the values of the call's context, which does not end with it and lasts ten seconds; a journal that ignores its context
// holds the call. intunetest.TestJournal checks what an implementation must hold.
type Journal interface {
	// Asking is called once, before the first try is sent. If it returns an error, nothing is sent: the call returns an
	// *Error that wraps that error and says that this call asked nobody, and Asked is not called. A journal that refuses
	// a request returns a [*DeviceBusyError] or an [*AlreadyAskedError]. The context is that of the call; if it has ended,
	// Asking returns an error. No try starts more than ten minutes after Asking was called.
	Asking(ctx context.Context, entry JournalEntry) error

	// Asked is called once for each Asking that returned nil, when the outcome is known. An error from Asked does not
	// change the result of the call. The error becomes an event "intune.journalError" on the span of the method, and
	// because the entry is missing, the outcome of the [JournalRequest] stays unknown. To hear of the error at once, wrap
	// the journal.
	Asked(ctx context.Context, entry JournalEntry) error

	// Ended is called once for each wait that stops, before its result is handed out: with SessionReady, SessionFailed or
	// SessionLeft. OpenRemoteAssistance, WaitForRemoteAssistance and OpenRemoteAssistanceMany call it, and the Poll that
	// finishes a poller, which is never left. It comes to the journal of the client that waits, which may not have the
	// other entries; two waits for one request make two. An error from Ended does not change the result of the call and
	// becomes an event like that of Asked, except for [ErrSuperseded]: then the link is withheld, and the call returns a
	// [*PendingError] that wraps the journal's error.
	Ended(ctx context.Context, entry JournalEntry) error
}

// JournalEntry is one entry of a [Journal]. It holds no link and no access token. JSON shows the whole address of the
// device, including the user of a [UserDevice].
type JournalEntry struct {
	// Time is when the entry was made, in UTC.
	Time time.Time `json:"time"`

	// Device is the device that is asked.
	Device DeviceRef `json:"device"`

	// ClientRequestID is the same in all entries of a request, on the wire, and in the error or response.
	ClientRequestID string `json:"clientRequestId"`

	// ResumeToken continues the wait, if one follows, with Client.WaitForRemoteAssistance. That in Asking is made before
	// anything is sent, so that the wait can go on after a crash at any moment. That in Asked knows the outcome, and is
	// missing if nobody was asked. Keep it like a session cookie. A token has about 550 bytes.
	ResumeToken string `json:"resumeToken,omitempty"`

	// Waits is in Asking. It says that this process waits for the link itself, so that Ended follows, unless nobody was asked
	// or the process dies. It is false for requests without a wait and for pollers.
	Waits bool `json:"waits,omitempty"`

	// Outcome is in Asked only, and never blank there.
	Outcome Outcome `json:"outcome,omitempty"`

	// Session is in Ended only, and never blank there.
	Session SessionOutcome `json:"session,omitempty"`

	// StatusCode is in Asked: the HTTP status, 0 when no answer came.
	StatusCode int `json:"statusCode,omitempty"`

	// RequestID is in Asked and Ended: the id of the request at Microsoft, if an answer told it.
	RequestID string `json:"requestId,omitempty"`

	// Error is in Asked and Ended: the one-line text of the error, blank when there is none.
	Error string `json:"error,omitempty"`

	// Reference is in Asking: why the request is made, such as a ticket, from the options of the call.
	Reference string `json:"reference,omitempty"`

	// Actor is in Asking: the person that the request is made for. The journal fills it in, as that of package journalfile does from
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
	attributes = appendText(attributes, "session", string(e.Session))
	if e.StatusCode != 0 {
		attributes = append(attributes, slog.Int("status", e.StatusCode))
	}
	for _, text := range [...][2]string{
		{"error", e.Error},
		{"reference", e.Reference},
		{"actor", e.Actor},
		{"caller_id", e.CallerID},
		{"app_id", e.AppID},
		{"tenant_id", e.TenantID},
	} {
		attributes = appendText(attributes, text[0], text[1])
	}
	return slog.GroupValue(appendRequest(attributes, e.RequestID, e.ClientRequestID, time.Time{})...)
}

// journalRun is the entries of one device in one call. Its methods do nothing if it is nil, which it is for a client
// without a journal.
type journalRun struct {
	journal Journal
	tracer  tracing.Tracer // hears of an entry that failed
	now     func() time.Time
	wait    *sessionHandler // of the wait that follows, nil for none; a copy, since a policy may abandon the request while it runs

	mu    sync.Mutex   // a policy may abandon the request while Asking still runs
	entry JournalEntry // of Asking
	begun time.Time    // when Asking was called
	open  bool         // Asking accepted the entry
	over  bool         // the call has its result
}

// newRun prepares the entries of a request. handler, if not nil, is that of the wait that follows.
func (c *Client) newRun(device DeviceRef, a asking, handler *sessionHandler) *journalRun {
	if c.journal == nil {
		return nil
	}
	j := &journalRun{
		journal: c.journal, tracer: c.tracer(), now: c.now,
		entry: JournalEntry{Device: device, Reference: a.reference, Waits: a.waits},
	}
	if handler != nil {
		own := *handler
		j.wait = &own
	}
	return j
}

// before returns the hook of the device's request.
func (j *journalRun) before(ctx context.Context) func(*http.Request) error {
	if j == nil {
		return nil
	}
	return func(req *http.Request) error {
		id := req.Header.Get("Client-Request-Id")
		private := privateOf(graphpolicy.Asked{}, req.URL, req.Header.Get("Authorization"))
		if private.Clean(redact.OneLine(id, maxCodeText)) != id {
			return invalidArgument("client-request-id",
				"is too long for a record or holds what none may show, such as a link, a token or the user; use a GUID")
		}
		if recorded := j.id(); recorded != "" { // by an earlier try, whose id a policy may have changed
			req.Header.Set("Client-Request-Id", recorded)
		} else if err := j.begin(ctx, id); err != nil {
			return err
		}
		if err := j.lookAgain(ctx); err != nil {
			return err
		}
		if j.tooLate() {
			return &stopError{why: reasonTooLate}
		}
		return nil
	}
}

func (j *journalRun) tooLate() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return wait.Age(j.begun, j.now()) > maxAskingAge
}

// maxAskingAge is how long after Asking was called a try may start, so that a journal which several programs share can free
// the device some time later.
const maxAskingAge = 10 * time.Minute

// stopError is why a request was not sent, or not sent again, although the caller's transport and the service would have let
// it go.
type stopError struct {
	why   string
	kind  error // sentinel, nil for none
	cause error
}

func (e *stopError) Error() string { return e.why }

// begin calls Asking, unless a caller's policy left the request running and the call has ended.
func (j *journalRun) begin(ctx context.Context, clientRequestID string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.over {
		return errors.New("the call has ended")
	}
	j.begun = j.now()
	j.entry.Time, j.entry.ClientRequestID = journalTime(), clientRequestID
	if j.wait != nil {
		j.wait.state.RequestedAt, j.wait.state.ClientRequestID = j.begun, clientRequestID
		j.entry.ResumeToken = j.wait.resumeToken()
	}
	if err := j.journal.Asking(ctx, j.entry); err != nil {
		return &stopError{why: reasonNotRecorded, cause: err}
	}
	j.open = true
	return nil
}

// lookAgain reads the session of a wait once more. A link that somebody else's request has brought since the first look
// would be taken for this one's.
func (j *journalRun) lookAgain(ctx context.Context) error {
	if j.wait == nil {
		return nil
	}
	changed, err := j.wait.changed(ctx)
	switch {
	case err != nil:
		return &stopError{why: reasonNoLook, cause: err}
	case changed:
		return &stopError{why: reasonChanged, kind: ErrConflict}
	}
	return nil
}

// id is the client-request-id that was recorded, or "".
func (j *journalRun) id() string {
	if j == nil {
		return ""
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.entry.ClientRequestID
}

// identify puts the recorded id into the error of the call, which may hold an id from the body of the answer.
func (j *journalRun) identify(err error) {
	if failed, ok := errors.AsType[*Error](err); ok && j.id() != "" {
		failed.ClientRequestID = j.id()
	}
}

// learn hands the outcome of the request to the error of the call and to the wait that follows, if one does. It returns the
// entry for the outcome, if there is a journal to be told.
func (j *journalRun) learn(
	follows *sessionHandler, record graphpolicy.Record, ids graphcall.IDs, resp *http.Response, err error,
) JournalEntry {
	j.identify(err)
	follows.asked(err, ids.RequestID, cmp.Or(j.id(), ids.ClientRequestID))
	if j == nil {
		return JournalEntry{} // the text of an error and the claims of a token cost something
	}
	entry := askedEntry(record, ids, resp, err)
	entry.ResumeToken = follows.tokenAfter(entry.Outcome)
	return entry
}

// settle calls Asked with what is known of the outcome, once for each run whose Asking accepted the request.
func (j *journalRun) settle(ctx context.Context, known JournalEntry) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.over = true
	if !j.open {
		return
	}
	known.Time, known.Device, known.ClientRequestID = journalTime(), j.entry.Device, j.entry.ClientRequestID
	ctx, cancel := journalContext(ctx)
	defer cancel()
	if err := j.journal.Asked(ctx, known); err != nil {
		tellJournalError(ctx, j.tracer, known.Device, err)
	}
}

// recorded reports whether Asking accepted the request, which is not sent before. Without a journal there is nothing to wait for.
func (j *journalRun) recorded() bool {
	if j == nil {
		return true
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.open
}

// journalContext is for entries of what has happened already, whatever became of the caller's context.
func journalContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), journalTimeout)
}

const journalTimeout = 10 * time.Second

// tellJournalError makes an error of the journal an event of the span.
func tellJournalError(ctx context.Context, tracer tracing.Tracer, device DeviceRef, err error) {
	text := redact.OneLine(device.clean(err.Error()), maxMessageText) // it may quote the entry
	tracer.SpanFromContext(ctx).AddEvent("intune.journalError", tracing.Attribute{Key: "error.message", Value: text})
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
