package intune

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/redact"
	"github.com/go-intune/intune/internal/wait"
)

// ResumeRemoteAssistanceOptions configures [Client.ResumeRemoteAssistance]. A negative duration is an
// [ErrInvalidArgument].
type ResumeRemoteAssistanceOptions struct {
	// AcceptExistingAfter is as in BeginRemoteAssistanceOptions, counted from the request; zero keeps that of the
	// first wait.
	AcceptExistingAfter time.Duration

	// ConfirmWithin is as in BeginRemoteAssistanceOptions, counted from this call; zero keeps that of the first wait.
	ConfirmWithin time.Duration

	// MaxAge is how old the request may be. Zero means 24 hours.
	MaxAge time.Duration
}

// ResumeRemoteAssistance is [Client.WaitForRemoteAssistance] as a poller, for callers that set the pace themselves. It
// sends nothing by itself; the poller behaves like that of [Client.BeginRemoteAssistance]. Errors:
// [ErrInvalidArgument].
func (c *Client) ResumeRemoteAssistance(
	ctx context.Context, resumeToken string, options *ResumeRemoteAssistanceOptions,
) (poller *runtime.Poller[RemoteAssistanceSession], err error) {
	if err := c.check(ctx); err != nil {
		return nil, err
	}
	var o ResumeRemoteAssistanceOptions
	if options != nil {
		o = *options
	}
	_, endSpan := c.startSpan(ctx, opResumeRemoteAssistance)
	defer func() { endSpan(err) }()
	handler, err := c.resume(resumeToken, o)
	if err != nil {
		return nil, err
	}
	return handler.poller()
}

// WaitForRemoteAssistanceOptions configures [Client.WaitForRemoteAssistance]. A negative duration is an
// [ErrInvalidArgument], except for MaxWait.
type WaitForRemoteAssistanceOptions struct {
	// AcceptExistingAfter is as in ResumeRemoteAssistanceOptions.
	AcceptExistingAfter time.Duration

	// ConfirmWithin is as in ResumeRemoteAssistanceOptions.
	ConfirmWithin time.Duration

	// MaxAge is how old the request may be. Zero means 24 hours.
	MaxAge time.Duration

	// MaxWait is how long this call waits for the link. Zero means ten minutes; a negative value means as long as the
	// context lasts.
	MaxWait time.Duration

	// Frequency is as in OpenRemoteAssistanceOptions.
	Frequency time.Duration
}

// WaitForRemoteAssistance continues a wait, and never asks: it reads the session at once, and then at the pace of
// [Client.OpenRemoteAssistance]. The token comes from a [*PendingError], OpenRemoteAssistanceOptions.OnRequested, a
// poller or a [JournalEntry]. Whoever can change it can mislead the wait, so keep it like a session cookie.
//
// The service does not say whose request a link belongs to, so any link that has appeared on the device since the
// request counts as the link of that request. Therefore a token that is older than options.MaxAge (24 hours by default)
// is refused.
//
// Needs DeviceManagementManagedDevices.Read.All. Errors: [ErrInvalidArgument] for a token that is blank, damaged, of
// another cloud or too old; [*PendingError] when no link came; [*SessionError] when the service says why there is none.
func (c *Client) WaitForRemoteAssistance(
	ctx context.Context, resumeToken string, options *WaitForRemoteAssistanceOptions,
) (session RemoteAssistanceSession, err error) {
	if err := c.check(ctx); err != nil {
		return RemoteAssistanceSession{}, err
	}
	var o WaitForRemoteAssistanceOptions
	if options != nil {
		o = *options
	}
	if err := checkDuration("Frequency", o.Frequency, "the pace of this library"); err != nil {
		return RemoteAssistanceSession{}, err
	}
	ctx, endSpan := c.startSpan(ctx, opWaitForRemoteAssistance)
	defer func() { endSpan(err) }()
	handler, err := c.resume(resumeToken, ResumeRemoteAssistanceOptions{
		AcceptExistingAfter: o.AcceptExistingAfter, ConfirmWithin: o.ConfirmWithin, MaxAge: o.MaxAge,
	})
	if err != nil {
		return RemoteAssistanceSession{}, err
	}
	defer handler.leave(ctx)
	return handler.wait(ctx, handler.newPace(o.MaxWait, o.Frequency))
}

// checkDurations checks the durations that all waits have in common.
func checkDurations(acceptExistingAfter, confirmWithin time.Duration) error {
	if err := checkDuration("AcceptExistingAfter", acceptExistingAfter, "a new link only"); err != nil {
		return err
	}
	return checkDuration("ConfirmWithin", confirmWithin, "the default")
}

func checkDuration(option string, given time.Duration, zero string) error {
	if given < 0 {
		return invalidArgument("options."+option, "is negative; use 0 for "+zero)
	}
	return nil
}

func (h *sessionHandler) poller() (*runtime.Poller[RemoteAssistanceSession], error) {
	return runtime.NewPoller(nil, h.client.internal.Pipeline(), &runtime.NewPollerOptions[RemoteAssistanceSession]{
		Handler: h,
		Tracer:  h.client.internal.Tracer(),
	})
}

// resume rebuilds a wait from its token.
func (c *Client) resume(given string, o ResumeRemoteAssistanceOptions) (*sessionHandler, error) {
	if err := checkDurations(o.AcceptExistingAfter, o.ConfirmWithin); err != nil {
		return nil, err
	}
	if err := checkDuration("MaxAge", o.MaxAge, "24 hours"); err != nil {
		return nil, err
	}
	state, err := wait.Parse(given, c.root.String(), c.now(), wait.ParseOptions(o))
	if err != nil {
		return nil, invalidArgument("resumeToken", err.Error())
	}
	device, err := ParseDeviceRef(state.Device)
	if err != nil {
		return nil, invalidArgument("resumeToken", wait.NotAWait+": it holds no device address")
	}
	return &sessionHandler{client: c, device: device, readAt: device, state: *state}, nil
}

// sessionHandler is azcore's polling handler of one wait.
type sessionHandler struct {
	state  wait.State
	client *Client
	device DeviceRef
	readAt DeviceRef // where reads are served, once that is known

	refused    error         // why the outcome is unknown; nil if it is known, or if another process asked
	trouble    error         // error of the latest read, if it was tolerated
	retryAfter time.Duration // how long the latest answer asks to wait, 0 if it does not
	existing   SessionURL    // the unchanged link of the latest read, for AcceptExistingAfter
	done       bool
	told       bool // the journal was told of the end
	session    RemoteAssistanceSession
	failure    error
}

// MarshalJSON is for Poller.ResumeToken, which puts it into an envelope of azcore's.
func (h *sessionHandler) MarshalJSON() ([]byte, error) { return h.state.JSON(h.client.root.String()) }

// resumeToken is what Poller.ResumeToken returns.
func (h *sessionHandler) resumeToken() string { return h.state.Token(h.client.root.String()) }

// Done implements runtime.PollingHandler.
func (h *sessionHandler) Done() bool { return h.done }

// Poll implements runtime.PollingHandler. Its error says that the user was asked.
func (h *sessionHandler) Poll(ctx context.Context) (*http.Response, error) {
	resp, err := h.look(ctx)
	if err != nil {
		return nil, h.pending(err)
	}
	if _, unfinished := errors.AsType[*PendingError](h.failure); h.done && !unfinished {
		h.end(ctx, nil)
	}
	return resp, nil
}

// look makes one read. It tolerates a failure that may be temporary.
func (h *sessionHandler) look(ctx context.Context) (resp *http.Response, err error) {
	record, err := h.client.readSession(ctx, h.device, h.readAt)
	failed, _ := errors.AsType[*Error](err)
	now := h.client.now()
	switch {
	case err == nil:
		h.trouble, h.readAt = nil, record.at
		h.judge(record)
		resp = bare(record.resp)
	case ctx.Err() != nil || failed == nil || !h.state.Tolerates(failureOf(failed), now):
		return nil, err
	default:
		h.trouble = err
		resp = bareFailure(failed)
	}
	h.retryAfter = graphpolicy.RetryAfter(resp.Header, now)
	if failed != nil {
		h.retryAfter = failed.RetryAfter // which the body may have said
	}
	if !h.done {
		h.judgeTime(now)
	}
	return resp, nil
}

// asked takes the outcome of the request, from which the limits of the wait count, because throttled tries may have taken
// minutes. It does nothing if no wait follows, or if the user was not asked.
func (h *sessionHandler) asked(err error, requestID, clientRequestID string) {
	if h == nil {
		return
	}
	failed, _ := errors.AsType[*Error](err)
	switch {
	case err == nil:
		h.state.Unconfirmed = false
	case failed != nil && failed.OutcomeUnknown:
		h.refused, requestID, clientRequestID = err, failed.RequestID, failed.ClientRequestID
	default:
		return
	}
	h.state.RequestedAt, h.state.RequestID, h.state.ClientRequestID = h.client.now(), requestID, clientRequestID
}

// tokenAfter is the resume token for the entry of an outcome, blank if the user was not asked or no wait follows.
func (h *sessionHandler) tokenAfter(outcome Outcome) string {
	if h == nil || outcome != OutcomeAccepted && outcome != OutcomeUnknown {
		return ""
	}
	return h.resumeToken()
}

// changed reads the session, and reports whether it is another one than before.
func (h *sessionHandler) changed(ctx context.Context) (bool, error) {
	h.client.budget().Charge()
	record, err := h.client.readSession(ctx, h.device, h.readAt)
	if err != nil {
		return false, err
	}
	state := h.state // a copy, because Judge takes notes
	return state.Judge(record.link, record.details) != wait.Waiting, nil
}

// requested is what OnRequested is told.
func (h *sessionHandler) requested() Requested {
	return Requested{
		Device: h.device, Outcome: h.outcome(), ResumeToken: h.resumeToken(),
		RequestID: h.state.RequestID, ClientRequestID: h.state.ClientRequestID,
	}
}

// outcome is what is known of the request, whose user was asked or may have been.
func (h *sessionHandler) outcome() Outcome {
	if h.state.Unconfirmed {
		return OutcomeUnknown
	}
	return OutcomeAccepted
}

// pending is the error of a wait that ends here without a link.
func (h *sessionHandler) pending(cause error) *PendingError {
	return &PendingError{
		Device: h.device, RequestID: h.state.RequestID, ClientRequestID: h.state.ClientRequestID, RequestedAt: h.state.RequestedAt,
		ResumeToken: h.resumeToken(), OutcomeUnknown: h.state.Unconfirmed, cause: cause,
	}
}

// Result implements runtime.PollingHandler.
func (h *sessionHandler) Result(_ context.Context, out *RemoteAssistanceSession) error {
	if h.failure != nil {
		return h.failure
	}
	*out = h.session
	return nil
}

// judge takes a read.
func (h *sessionHandler) judge(record sessionRecord) {
	switch h.state.Judge(record.link, record.details) {
	case wait.NewLink:
		if err := checkSessionLink(record.link); err != nil {
			h.fail(h.sessionError(err.Error(), ""))
		} else {
			h.succeed(NewSessionURL(record.link), h.device.clean(record.details), false)
		}
	case wait.NewError:
		details := h.device.clean(record.details)
		h.fail(h.sessionError(details, sessionHint(details)))
	default:
		h.existing = NewSessionURL(record.link)
	}
}

// judgeTime ends a wait for which AcceptExistingAfter or ConfirmWithin has passed.
func (h *sessionHandler) judgeTime(now time.Time) {
	existing := !h.existing.IsZero() && checkSessionLink(h.existing.Reveal()) == nil
	switch h.state.JudgeTime(now, existing) {
	case wait.Existing:
		h.succeed(h.existing, "", true)
	case wait.NoSign:
		h.fail(h.pending(cmp.Or(h.refused, h.trouble)))
	default:
	}
}

func (h *sessionHandler) succeed(link SessionURL, details string, reused bool) {
	h.done = true
	h.session = RemoteAssistanceSession{
		Device: h.device, URL: link, ErrorDetails: details, Reused: reused,
		RequestID: h.state.RequestID, ClientRequestID: h.state.ClientRequestID, RequestedAt: h.state.RequestedAt,
	}
}

func (h *sessionHandler) sessionError(details, hint string) *SessionError {
	return &SessionError{
		Device: h.device, Details: details, Hint: hint,
		RequestID: h.state.RequestID, ClientRequestID: h.state.ClientRequestID,
	}
}

// owesEnd reports whether there is a journal that has to be told how the wait ended.
func (h *sessionHandler) owesEnd() bool { return !h.told && h.client.journal != nil }

// end tells the journal, once, how the wait ended; left is the error of a wait that is not done. A wait that is no longer
// this program's gives no link.
func (h *sessionHandler) end(ctx context.Context, left error) {
	ctx, cancel := journalContext(ctx)
	defer cancel()
	h.endWithin(ctx, left)
}

// endWithin is end in the time of a context.
func (h *sessionHandler) endWithin(ctx context.Context, left error) {
	if !h.owesEnd() {
		return
	}
	h.told = true
	entry := JournalEntry{
		Time: journalTime(), Device: h.device, ClientRequestID: h.state.ClientRequestID, RequestID: h.state.RequestID,
		Session: SessionReady,
	}
	if err := cmp.Or(left, h.failure); err != nil {
		entry.Session, entry.Error = SessionLeft, err.Error()
		if _, failed := errors.AsType[*SessionError](err); failed {
			entry.Session = SessionFailed
		}
	}
	err := h.client.journal.Ended(ctx, entry)
	switch {
	case err == nil:
	case errors.Is(err, ErrSuperseded):
		h.session = RemoteAssistanceSession{}
		h.fail(h.pending(withoutVerdict(redact.Error(err, privateOf(graphpolicy.Asked{User: h.device.user()}, nil, "")))))
	default:
		tellJournalError(ctx, h.client.tracer(), h.device, err)
	}
}

// errLeft is for a wait that a panic ended.
var errLeft = errors.New("the wait did not return")

// leave tells the journal of a wait that ends without having told it, by a panic.
func (h *sessionHandler) leave(ctx context.Context) {
	if h.owesEnd() { // else the resume token of the error would be made for nobody
		h.end(ctx, h.pending(errLeft))
	}
}

func (h *sessionHandler) fail(err error) { h.done, h.failure = true, err }

// failureOf says why a read failed, and so whether a later one may succeed.
func failureOf(failed *Error) wait.Failure {
	switch status := failed.StatusCode; {
	case failed.reason == reasonNoToken && signInNeeded(failed.cause):
		return wait.Refused
	case failed.reason == reasonNoToken:
		return wait.NoToken
	case errors.Is(failed, ErrNotFound):
		return wait.NotFound
	case status < 300 /* no answer, or one that broke off */, status >= 500,
		status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status == 499 /* client closed request */ :
		return wait.Trouble
	default:
		return wait.Refused
	}
}
