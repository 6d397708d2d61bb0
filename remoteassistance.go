package intune

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/google/uuid"

	"github.com/go-intune/intune/internal/graphcall"
	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/wait"
)

// RequestRemoteAssistanceOptions configures [Client.RequestRemoteAssistance].
type RequestRemoteAssistanceOptions struct {
	// Reference is why the request is made, such as the number of a ticket: at most 256 bytes without control characters.
	// It goes into the journal, and never on the wire.
	Reference string

	// ClientRequestID is the caller's own key of the request: a GUID of 36 characters, sent in lower case as the
	// client-request-id of the request and all its tries. It wins over policy.WithHTTPHeader. A journal can refuse a key
	// that was used before, with an [*AlreadyAskedError]. Blank means a new GUID.
	ClientRequestID string
}

// RequestRemoteAssistanceResponse is what the service said when it accepted the request.
type RequestRemoteAssistanceResponse struct {
	// RequestID identifies the request at Microsoft; their support asks for it.
	RequestID string

	// ClientRequestID is the client-request-id that was sent: that of the options, or what the caller set through
	// policy.WithHTTPHeader, without the white space around it, or else a GUID of the library.
	ClientRequestID string

	// Deprecation and Sunset are the headers of those names as received, blank today. Microsoft has called the connector
	// behind this action legacy; these headers may one day say when it will be retired.
	Deprecation, Sunset string
}

// RequestRemoteAssistance asks Intune to open a remote-assistance session on device. A nil error means that Intune
// accepted the request, not that there is a session: a link or an error text appears on the device's record later.
// [Client.OpenRemoteAssistance] asks and waits for the link.
//
//   - device: any of the three addresses; prefer [Device].
//   - options: may be nil.
//
// Each accepted call may show a prompt to the device's user, and the service has no idempotency key. The library
// therefore never sends the request a second time unless Graph itself refused the first (429, 503) or it was never sent.
// If it cannot know whether the service acted, the error is an [ErrOutcomeUnknown]: read the session before asking again.
// A success is 204, or 200 without a body, because some proxies rewrite the status. A 200 whose body only the end of the
// connection ends may have lost it, and leaves the outcome unknown.
//
// Needs the Graph permission DeviceManagementManagedDevices.ReadWrite.All, delegated or application, and for a
// delegated caller the Intune role right "Remote tasks / Offer remote assistance". Errors: [ErrInvalidArgument], else
// [*Error].
//
// Source: https://learn.microsoft.com/graph/api/intune-devices-manageddevice-requestremoteassistance (v1.0). The page
// of 2020 said that application permissions are not supported; since about 2021 they are.
func (c *Client) RequestRemoteAssistance(
	ctx context.Context, device DeviceRef, options *RequestRemoteAssistanceOptions,
) (response RequestRemoteAssistanceResponse, err error) {
	if err := c.check(ctx); err != nil {
		return RequestRemoteAssistanceResponse{}, err
	}
	if err := device.check(); err != nil {
		return RequestRemoteAssistanceResponse{}, err
	}
	var a asking
	if options != nil {
		a = asking{reference: options.Reference, clientRequestID: options.ClientRequestID}
	}
	if a, err = a.checked(); err != nil {
		return RequestRemoteAssistanceResponse{}, err
	}
	ctx, endSpan := c.startSpan(ctx, opRequestRemoteAssistance)
	defer func() { endSpan(err) }()
	return c.requestRemoteAssistance(ctx, device, a, nil)
}

// asking is what the options of a call say of its request.
type asking struct {
	reference, clientRequestID string

	waits bool // this process waits for the link
}

const maxReference = 256

// checked refuses what no journal and no header could keep, and gives the id in lower case.
func (a asking) checked() (asking, error) {
	if len(a.reference) > maxReference {
		return a, invalidArgument("options.Reference", fmt.Sprintf("has %d bytes; use at most %d", len(a.reference), maxReference))
	}
	if !utf8.ValidString(a.reference) || strings.ContainsFunc(a.reference, unicode.IsControl) {
		return a, invalidArgument("options.Reference", "holds a control character or is not UTF-8; use one line of text")
	}
	if a.clientRequestID == "" {
		return a, nil
	}
	if id, err := uuid.Parse(a.clientRequestID); err != nil || len(a.clientRequestID) != 36 || id == uuid.Nil {
		return a, invalidArgument("options.ClientRequestID", "is not a GUID of 36 characters, or is all zeros; "+
			"use one such as 3f2504e0-4f89-41d3-9a0c-0305e82c3301, or leave it out for a new one")
	}
	a.clientRequestID = strings.ToLower(a.clientRequestID)
	return a, nil
}

// requestRemoteAssistance sends the request. handler, if not nil, is that of the wait that follows, and learns the outcome.
func (c *Client) requestRemoteAssistance(
	ctx context.Context, device DeviceRef, a asking, handler *sessionHandler,
) (RequestRemoteAssistanceResponse, error) {
	run := c.newRun(device, a, handler)
	r := c.newAsk(device, a.clientRequestID)
	r.Fixed, r.Before = a.clientRequestID != "", run.before(ctx)
	var asked JournalEntry
	returned, settled := false, false
	defer func() {
		if unsent := asked.Outcome == OutcomeRejected || asked.Outcome == OutcomeNotSent; a.waits && !settled && !unsent && run.recorded() {
			handler.leave(ctx) // since the wait does not follow
		}
	}()
	defer func() {
		if !returned { // a policy or the transport panicked
			open := graphpolicy.Record{Verdict: graphpolicy.Open}
			asked = run.learn(handler, open, r.ids, nil, c.newError(r, open, nil, errNotReturned))
		}
		run.settle(ctx, asked)
		settled = returned
	}()
	resp, err := c.ask(ctx, r)
	asked, returned = run.learn(handler, r.record, r.ids, resp, err), true
	if err != nil {
		return RequestRemoteAssistanceResponse{}, err
	}
	return RequestRemoteAssistanceResponse{
		RequestID:       r.ids.RequestID,
		ClientRequestID: cmp.Or(run.id(), r.ids.ClientRequestID),
		Deprecation:     resp.Header.Get("Deprecation"),
		Sunset:          resp.Header.Get("Sunset"),
	}, nil
}

// newAsk is the request for one device. id is its client-request-id, blank for a new one.
func (c *Client) newAsk(device DeviceRef, id string) *request {
	r := newRequest(opRequestRemoteAssistance, device, c.at(actionPath(device)))
	r.Write, r.ID = true, id
	return r
}

// notEmpty is what is wrong with an answer whose status is another one, or that has a body.
const notEmpty = "the answer is neither 204 nor an empty 200, so a proxy or sign-in page may have given it"

func actionPath(device DeviceRef) string { return device.String() + "/requestRemoteAssistance" }

// ask sends the request for one device. Without an error, the service has accepted it.
func (c *Client) ask(ctx context.Context, r *request) (*http.Response, error) {
	resp, err := c.send(ctx, r)
	if err == nil && !graphcall.EmptySuccess(resp) {
		err = c.unexpectedAnswer(r, resp, notEmpty)
	}
	return resp, err
}

// BeginRemoteAssistanceOptions configures [Client.BeginRemoteAssistance]. A negative duration is an
// [ErrInvalidArgument].
type BeginRemoteAssistanceOptions struct {
	// Reference is as in RequestRemoteAssistanceOptions.
	Reference string

	// ClientRequestID is as in RequestRemoteAssistanceOptions. The reads have ids of their own.
	ClientRequestID string

	// AcceptExistingAfter, if above zero, is how long after the request the wait ends with the link from before the
	// request, if that link has not changed. The session is then marked as Reused. Zero waits for a new link only.
	AcceptExistingAfter time.Duration

	// ConfirmWithin is for a request whose outcome is unknown: how long after the request to look for a sign that the
	// service acted. Without a sign the wait ends with a *PendingError that is ErrOutcomeUnknown. Zero means two
	// minutes.
	ConfirmWithin time.Duration
}

// BeginRemoteAssistance asks Intune to open a session on device and returns a poller that ends when the session's link
// appears. It always asks; to continue a wait, use [Client.ResumeRemoteAssistance].
//
// It reads the device's current link and error text first, then asks once. The poller is done when there is a link that
// differs from that first one; it fails with a [*SessionError] when there is another error text. "" and null are the
// same. If the first link or text disappears and comes back, it does not count as new. An old link can pass for a new
// one only if that first read came from a replica of the service that lagged behind, or a later one from a replica that
// still has a link from before that first read, which nobody can see from here. With a journal, it reads again between
// Journal.Asking and the request: if the session has changed, it is somebody else's, nothing is sent, and the error is an
// [ErrConflict].
//
// If the outcome of the request is unknown, the poller starts anyway: a new link or a new error text proves that the
// service acted, and the wait ends if neither comes within ConfirmWithin. A link or text that disappears proves
// nothing, since it may have expired.
//
// A link does not mean that the user accepted. Graph does not say whether the user did, nor whose request a link
// belongs to, and no call ends a session. Needs DeviceManagementManagedDevices.ReadWrite.All.
//
// Errors: [ErrInvalidArgument], else [*Error]; if one is returned, nobody was asked. Once there is a poller, the user
// was asked, or may have been. Poll returns a [*PendingError] when the service refuses the read. For as long as its
// context lasts, it tolerates throttling, 5xx and broken connections; for a minute, 404 and a credential that gives no
// token. If the credential says that a person has to sign in, with an azidentity.AuthenticationRequiredError or with a
// final refusal of Entra such as invalid_grant or invalid_client, the PendingError comes at once. After such an error or
// the end of a context, the poller can be used again.
//
// PollUntilDone waits inside azcore between two reads; if its context ends there, it returns the bare error of the
// context, and the poller's ResumeToken continues the wait. It waits 30 seconds between reads by default; 2 to 5 seconds
// suit a person who waits. A Retry-After of the service replaces this Frequency in azcore, even by a shorter pause; for
// OpenRemoteAssistance it is a lower bound. The responses that Poll returns have no body. A Poller is not safe for
// concurrent use.
//
// The poller's ResumeToken is for [Client.WaitForRemoteAssistance] and [Client.ResumeRemoteAssistance], in this process
// or another. It is JSON, and holds the device, the Graph root, the times, the ids of the request, salted hashes of the
// earlier link and text, and a checksum against damage, but no link. Keep it like a session cookie: whoever can change
// it can mislead the wait, and make an old link pass for a new one.
func (c *Client) BeginRemoteAssistance(
	ctx context.Context, device DeviceRef, options *BeginRemoteAssistanceOptions,
) (poller *runtime.Poller[RemoteAssistanceSession], err error) {
	if err := c.check(ctx); err != nil {
		return nil, err
	}
	var o BeginRemoteAssistanceOptions
	if options != nil {
		o = *options
	}
	ctx, endSpan := c.startSpan(ctx, opBeginRemoteAssistance)
	defer func() { endSpan(err) }()
	handler, err := c.begin(ctx, device, o, false)
	if err != nil {
		return nil, err
	}
	return handler.poller()
}

// begin reads the current link and error text, and then sends the request. waits says that this process waits for the link.
func (c *Client) begin(ctx context.Context, device DeviceRef, o BeginRemoteAssistanceOptions, waits bool) (*sessionHandler, error) {
	if err := checkDurations(o.AcceptExistingAfter, o.ConfirmWithin); err != nil {
		return nil, err
	}
	if err := device.check(); err != nil {
		return nil, err
	}
	a, err := asking{reference: o.Reference, clientRequestID: o.ClientRequestID, waits: waits}.checked()
	if err != nil {
		return nil, err
	}
	handler, err := c.look(ctx, device, o.AcceptExistingAfter, o.ConfirmWithin, nil)
	if err != nil {
		return nil, err
	}
	if _, err = c.requestRemoteAssistance(ctx, device, a, handler); err != nil && handler.refused == nil {
		return nil, err
	}
	return handler, nil
}

// look prepares a wait: it reads the link and the error text from before the request. From then on a resume token can be
// made, whatever becomes of the request. earlier, if not nil, is of a look before this one, after which nothing was accepted.
func (c *Client) look(
	ctx context.Context, device DeviceRef, acceptExistingAfter, confirmWithin time.Duration, earlier *sessionHandler,
) (*sessionHandler, error) {
	c.budget().Charge()
	before, err := c.readSession(ctx, device, device)
	if err != nil {
		return nil, err
	}
	handler := &sessionHandler{client: c, device: device, readAt: before.at, state: wait.State{
		Device:              device.String(),
		RequestedAt:         c.now(),
		AcceptExistingAfter: acceptExistingAfter,
		ConfirmWithin:       cmp.Or(confirmWithin, wait.DefaultConfirmWithin),
		Unconfirmed:         true,
	}}
	var seen *wait.State
	if earlier != nil {
		seen = &earlier.state
	}
	handler.state.Remember(before.link, before.details, seen)
	handler.retryAfter = graphpolicy.RetryAfter(before.resp.Header, c.now())
	return handler, nil
}

// OpenRemoteAssistanceOptions configures [Client.OpenRemoteAssistance]. A negative duration is an
// [ErrInvalidArgument], except for MaxWait.
type OpenRemoteAssistanceOptions struct {
	// Reference is as in RequestRemoteAssistanceOptions.
	Reference string

	// ClientRequestID is as in BeginRemoteAssistanceOptions.
	ClientRequestID string

	// AcceptExistingAfter is as in BeginRemoteAssistanceOptions.
	AcceptExistingAfter time.Duration

	// ConfirmWithin is as in BeginRemoteAssistanceOptions.
	ConfirmWithin time.Duration

	// MaxWait is how long to wait for the link once the request was made. Zero means ten minutes; a negative value means
	// as long as the context lasts. The wait ends with one more read, which may take up to ten seconds, unless a
	// Retry-After of the service asks for none by then, or the reads of other waits leave no room within ten seconds.
	MaxWait time.Duration

	// Frequency is the time between two reads of the session. Zero means two seconds, four once the request is two minutes
	// old and eight after ten minutes, each with up to 5% of jitter. It becomes longer when the client has more waits than
	// ClientOptions.SessionReadsPerSecond allows to read so often. A Retry-After of the service is a lower bound: it delays
	// the next read, and with 429 those of all waits of the client (the others by three minutes at most, or by MaxRetryDelay
	// if that is longer), and never brings one forward. A read that fails with 5xx or a broken connection goes again a second
	// later, up to three times in a row, whatever ClientOptions.Retry says.
	Frequency time.Duration

	// OnRequested, if not nil, is called once when the request has been made or may have been, before the wait begins. Its
	// token continues the wait elsewhere if this process ends (Client.WaitForRemoteAssistance).
	OnRequested func(Requested)
}

// Requested is a request for remote assistance whose user was asked or may have been.
type Requested struct {
	// Device is the device.
	Device DeviceRef

	// Outcome is OutcomeAccepted, or OutcomeUnknown if nobody knows whether the user was asked.
	Outcome Outcome

	// ResumeToken continues the wait with Client.WaitForRemoteAssistance. It holds no link; keep it like a session cookie.
	ResumeToken string

	// RequestID and ClientRequestID identify the request at Microsoft and in the caller's own records. RequestID is blank
	// when no answer came.
	RequestID, ClientRequestID string
}

// LogValue groups the fields for structured logs. The resume token and the user of the address are left out.
func (r Requested) LogValue() slog.Value {
	attributes := []slog.Attr{slog.String("device", r.Device.redacted()), slog.String("outcome", string(r.Outcome))}
	return slog.GroupValue(appendRequest(attributes, r.RequestID, r.ClientRequestID, time.Time{})...)
}

// OpenRemoteAssistance asks Intune to open a session on device and waits for its link: [Client.BeginRemoteAssistance]
// and the wait in one call. The wait ends after options.MaxWait, ten minutes by default. Microsoft does not
// document how long a link takes.
//
// Needs DeviceManagementManagedDevices.ReadWrite.All. The error says whether the user was asked:
//
//   - [*PendingError]: the user was asked, and no link came before the context or MaxWait ended, or before a failed read
//     ended the wait (BeginRemoteAssistance says which ones do). Continue with [Client.WaitForRemoteAssistance] and the
//     error's ResumeToken. If the error is also [ErrOutcomeUnknown], the user may not have been asked; if it is
//     [ErrSuperseded], the wait is somebody else's by now, and the link is withheld.
//   - [*SessionError]: the user was asked, and the service says why there is no session.
//   - Any other error, which is [ErrInvalidArgument] or an [*Error]: nobody was asked by this call.
func (c *Client) OpenRemoteAssistance(
	ctx context.Context, device DeviceRef, options *OpenRemoteAssistanceOptions,
) (session RemoteAssistanceSession, err error) {
	if err := c.check(ctx); err != nil {
		return RemoteAssistanceSession{}, err
	}
	var o OpenRemoteAssistanceOptions
	if options != nil {
		o = *options
	}
	if err := checkDuration("Frequency", o.Frequency, "the pace of this library"); err != nil {
		return RemoteAssistanceSession{}, err
	}
	ctx, endSpan := c.startSpan(ctx, opOpenRemoteAssistance)
	defer func() { endSpan(err) }()
	handler, err := c.begin(ctx, device, BeginRemoteAssistanceOptions{
		Reference: o.Reference, ClientRequestID: o.ClientRequestID,
		AcceptExistingAfter: o.AcceptExistingAfter, ConfirmWithin: o.ConfirmWithin,
	}, true)
	if err != nil {
		return RemoteAssistanceSession{}, err
	}
	defer handler.leave(ctx)
	if o.OnRequested != nil {
		o.OnRequested(handler.requested())
	}
	pace := handler.newPace(o.MaxWait, o.Frequency)
	pace.Plan(0, handler.retryAfter) // of the read before the request
	return handler.wait(ctx, pace)
}
