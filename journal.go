package intune

import (
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
)

// Journal is a record, kept by the caller, of who asked for what. It has one pair of entries for each device and call,
// not one for each try. Set it as ClientOptions.Journal; [NewJournal] writes it to a file. With a journal, an
// organization can demand "no record, no prompt", and a program that crashed can find out which devices may have been
// asked, and continue without asking again. It is not certain that Intune's audit events show this action.
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
	// becomes an event "intune.journalError" on the span of the method, and because the entry is missing, the request is
	// one of [UnfinishedRequests]. To hear of the error at once, wrap the journal.
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

	// Actor is the person that the request is made for. NewJournal takes it from JournalOptions.Actor; the client leaves
	// it blank.
	Actor string `json:"actor,omitempty"`

	// CallerID, AppID and TenantID are in Asked: the claims oid, appid (or azp) and tid of the token that was sent last.
	// They are read without checking the token, for the record only, and blank for a token that cannot be read.
	CallerID string `json:"callerId,omitempty"`
	AppID    string `json:"appId,omitempty"`
	TenantID string `json:"tenantId,omitempty"`
}

// LogValue groups the fields for structured logs. The resume token and the user of the address are left out.
func (e JournalEntry) LogValue() slog.Value {
	attributes := []slog.Attr{slog.Time("time", e.Time), slog.Any("device", e.Device)}
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

// journalPair is the two entries of one device in one call. Its methods do nothing on a nil pair, which a client
// without a journal has. A request for several devices has a pair for each.
type journalPair struct {
	journal Journal
	tracer  tracing.Tracer      // hears of an entry that failed
	token   func(string) string // makes the resume token, nil for none

	mu    sync.Mutex   // a policy may abandon the request while Asking still runs
	entry JournalEntry // of Asking
	open  bool         // Asking accepted the entry
}

func newPair(journal Journal, tracer tracing.Tracer, device DeviceRef, token func(clientRequestID string) string) *journalPair {
	if journal == nil {
		return nil
	}
	return &journalPair{journal: journal, tracer: tracer, entry: JournalEntry{Device: device}, token: token}
}

// before returns the hook of a request that asks this device only.
func (p *journalPair) before(ctx context.Context) func(*http.Request) error {
	if p == nil {
		return nil
	}
	return func(req *http.Request) error {
		id := req.Header.Get("Client-Request-Id")
		private := privateOf(req.URL, req.Header.Get("Authorization"))
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

// begin calls Asking.
func (p *journalPair) begin(ctx context.Context, clientRequestID string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
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
	if !p.open {
		return
	}
	known.Time, known.Device, known.ClientRequestID = journalTime(), p.entry.Device, p.entry.ClientRequestID
	if err := p.journal.Asked(context.WithoutCancel(ctx), known); err != nil {
		text := redact.OneLine(redact.Text(err.Error()), maxMessageText)
		p.tracer.SpanFromContext(ctx).AddEvent("intune.journalError", tracing.Attribute{Key: "error.message", Value: text})
	}
}

// askedEntry is what is known of the outcome of a request for one device.
func askedEntry(record graphpolicy.Record, resp *http.Response, err error) JournalEntry {
	entry := JournalEntry{Outcome: outcomeOf(record, err)}
	entry.CallerID, entry.AppID, entry.TenantID = callerOf(record.Authorization)
	if err == nil {
		entry.StatusCode, entry.RequestID = resp.StatusCode, redact.OneLine(graphcall.IDsOf(resp).RequestID, maxCodeText)
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
	return clean(read.Object), clean(read.App()), clean(read.Tenant)
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

// PossibleOutcomeValues returns the possible values of Outcome.
func PossibleOutcomeValues() []Outcome {
	return []Outcome{OutcomeAccepted, OutcomeRejected, OutcomeUnknown, OutcomeNotSent}
}
