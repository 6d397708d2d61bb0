package intune

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/redact"
)

var opBeginRemoteAssistance = &operation{
	api:  "Client.BeginRemoteAssistance",
	text: "begin remote assistance",
}

// defaultConfirmWithin is how long a request whose outcome is unknown may stay without a sign.
const defaultConfirmWithin = 2 * time.Minute

// notFoundTolerance is how long 404 is taken for a device that is being moved, as right after it enrolled.
const notFoundTolerance = time.Minute

// BeginRemoteAssistanceOptions configures [Client.BeginRemoteAssistance].
type BeginRemoteAssistanceOptions struct {
	// AcceptExistingAfter, if above zero, ends the wait after that long with the link that was there before the
	// request, if it never changed, and marks it Reused. Zero waits for a new link until the context ends.
	AcceptExistingAfter time.Duration

	// ConfirmWithin is how long to look for a sign that a request whose outcome is unknown went through, before
	// the wait ends in [ErrOutcomeUnknown]. Zero means two minutes.
	ConfirmWithin time.Duration

	// ResumeToken continues a wait that was begun before, perhaps in another process. Nothing is asked then, only
	// looked at; device must be the same, or zero. The durations of the first wait hold unless they are given again.
	ResumeToken string
}

// BeginRemoteAssistance asks Intune to open a session on device and returns a poller that ends when the session's
// link appears.
//
// It reads the device's current link and error text first, then asks once. The poller is done when the link differs
// from that first one; it fails with a [*SessionError] when the error text does. "" and null are the same, and the
// first link and text are not taken for new when they go and come back. When the outcome of the request is unknown the poller starts all the same: a
// change proves that it went through, and ConfirmWithin without one ends in [ErrOutcomeUnknown].
//
// Poll and PollUntilDone return an error when the service refuses the read; throttling, 5xx, broken connections and,
// for a minute, 404 are passed over for as long as their context lasts. After an error, or the end of the context,
// the poller can go on, and its ResumeToken can continue the wait elsewhere; the user has been asked already.
// PollUntilDone waits 30 seconds between polls unless told otherwise; 3 to 15 seconds suit a person who waits. A
// Poller is not safe for concurrent use.
//
// The resume token is JSON and holds no link: the device, the Graph root, the times and a salted hash of what was there
// before, with a checksum against damage. Keep it like a session cookie: whoever can write it can mislead the wait, and
// make an old link pass for a new one. The responses that Poll returns have no body.
//
// A link does not mean that the user accepted; nothing in Graph says so, and no call ends a session. Needs
// DeviceManagementManagedDevices.ReadWrite.All. Errors: [ErrInvalidArgument], else [*Error]; when one is returned,
// the request was refused or never sent.
func (c *Client) BeginRemoteAssistance(ctx context.Context, device DeviceRef, options *BeginRemoteAssistanceOptions) (poller *runtime.Poller[RemoteAssistanceSession], err error) {
	handler, err := c.beginRemoteAssistance(ctx, device, options)
	if err != nil {
		return nil, err
	}
	return runtime.NewPoller(nil, c.internal.Pipeline(), &runtime.NewPollerOptions[RemoteAssistanceSession]{
		Handler: handler,
		Tracer:  c.tracer(),
	})
}

func (c *Client) beginRemoteAssistance(ctx context.Context, device DeviceRef, options *BeginRemoteAssistanceOptions) (handler *sessionHandler, err error) {
	if err := c.check(ctx); err != nil {
		return nil, err
	}
	var o BeginRemoteAssistanceOptions
	if options != nil {
		o = *options
	}
	if o.AcceptExistingAfter < 0 {
		return nil, invalidArgument("options.AcceptExistingAfter", "is negative; use 0 to wait for a new link only")
	}
	if o.ConfirmWithin < 0 {
		return nil, invalidArgument("options.ConfirmWithin", "is negative; use 0 for two minutes")
	}
	if o.ResumeToken != "" {
		return c.resumeSession(device, &o)
	}
	if err := device.check(); err != nil {
		return nil, err
	}
	ctx, endSpan := c.startSpan(ctx, opBeginRemoteAssistance)
	defer func() { endSpan(err) }()
	before, err := c.readSession(ctx, device)
	if err != nil {
		return nil, err
	}
	handler = &sessionHandler{client: c, sessionState: sessionState{
		Device:              device,
		Started:             time.Now(),
		AcceptExistingAfter: o.AcceptExistingAfter,
		ConfirmWithin:       o.ConfirmWithin,
	}}
	if handler.ConfirmWithin == 0 {
		handler.ConfirmWithin = defaultConfirmWithin
	}
	handler.remember(before.link, before.details)
	handler.readAt = before.at
	if _, err := c.requestRemoteAssistance(ctx, device); err != nil {
		if !errors.Is(err, ErrOutcomeUnknown) {
			return nil, err
		}
		handler.Unconfirmed, handler.unknown = true, err
	}
	return handler, nil
}

// sessionHandler is azcore's polling handler of one wait.
type sessionHandler struct {
	sessionState

	client   *Client
	readAt   DeviceRef // where reads are served, once that is known
	missing  time.Time // since when the device is not found; zero while it is
	unknown  error     // why the outcome is unknown, if it is and this process asked
	done     bool
	session  RemoteAssistanceSession
	failure  error
	existing SessionURL // the unchanged link of the latest read, for AcceptExistingAfter
}

// Done implements runtime.PollingHandler.
func (h *sessionHandler) Done() bool { return h.done }

// Poll implements runtime.PollingHandler: one read, whose failure is passed over if it can pass.
func (h *sessionHandler) Poll(ctx context.Context) (*http.Response, error) {
	if h.readAt.IsZero() {
		h.readAt = h.Device
	}
	record, err := h.client.readSession(ctx, h.readAt)
	now := time.Now()
	var resp *http.Response
	switch {
	case err == nil:
		h.missing, h.readAt = time.Time{}, record.at
		h.judge(record)
		resp = bare(record.resp)
	case ctx.Err() != nil || !h.passing(err, now):
		return nil, err
	default:
		resp = bareFailure(err)
	}
	if !h.done {
		h.judgeTime(now)
	}
	return resp, nil
}

// Result implements runtime.PollingHandler.
func (h *sessionHandler) Result(_ context.Context, out *RemoteAssistanceSession) error {
	if h.failure != nil {
		return h.failure
	}
	*out = h.session
	return nil
}

// judge compares a read with what was there before the request. That stays the measure to the end: what goes and comes
// back is what a stale replica shows, and not new.
func (h *sessionHandler) judge(record sessionRecord) {
	newLink, newDetails := !h.isOldLink(record.link), !h.isOldDetails(record.details)
	if newLink || newDetails {
		h.Unconfirmed = false
	}
	switch {
	case newLink && record.link != "":
		if err := checkLink(record.link); err != nil {
			h.fail(&SessionError{Device: h.Device, Details: err.Error()})
			return
		}
		h.succeed(RemoteAssistanceSession{Device: h.Device, URL: NewSessionURL(record.link), ErrorDetails: redact.Text(record.details)})
	case newDetails && record.details != "":
		h.fail(newSessionError(h.Device, record.details))
	}
	if h.done {
		return
	}
	h.existing = NewSessionURL(record.link)
}

// judgeTime ends a wait that has lasted long enough.
func (h *sessionHandler) judgeTime(now time.Time) {
	waited := now.Sub(h.Started)
	switch {
	case h.AcceptExistingAfter > 0 && waited >= h.AcceptExistingAfter && !h.existing.IsZero() && checkLink(h.existing.Reveal()) == nil:
		h.succeed(RemoteAssistanceSession{Device: h.Device, URL: h.existing, Reused: true})
	case h.Unconfirmed && waited >= h.ConfirmWithin:
		if h.unknown == nil {
			h.unknown = &Error{Op: opRequestRemoteAssistance.text, Device: h.Device, unknown: true, Hint: hintUnknown}
		}
		h.fail(h.unknown)
	}
}

func (h *sessionHandler) succeed(session RemoteAssistanceSession) {
	h.done, h.session, h.existing = true, session, SessionURL{}
}

func (h *sessionHandler) fail(err error) { h.done, h.failure, h.existing = true, err, SessionURL{} }

// passing reports whether a failed read may succeed later.
func (h *sessionHandler) passing(err error, now time.Time) bool {
	failed, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	if errors.Is(err, ErrNotFound) {
		if h.missing.IsZero() {
			h.missing = now
		}
		return now.Sub(h.missing) < notFoundTolerance
	}
	switch {
	case failed.StatusCode == 0:
		// No answer. Without a token there will be none later either.
		return !errors.Is(err, ErrUnauthenticated)
	case failed.StatusCode == http.StatusTooManyRequests, failed.StatusCode == http.StatusRequestTimeout, failed.StatusCode >= 500:
		return true
	default:
		return failed.StatusCode < 300 // an answer that broke off
	}
}

// bare is a response without what may hold the link or pin memory while a poller waits.
func bare(resp *http.Response) *http.Response {
	header := http.Header{}
	for _, name := range [...]string{"Request-Id", "Client-Request-Id", "Retry-After", "Retry-After-Ms"} {
		if value, ok := resp.Header[name]; ok {
			header[name] = value
		}
	}
	return &http.Response{
		Status: resp.Status, StatusCode: resp.StatusCode, Proto: resp.Proto, ProtoMajor: resp.ProtoMajor, ProtoMinor: resp.ProtoMinor,
		Header: header, Body: http.NoBody,
	}
}

// bareFailure stands for the answer of a read that failed and is passed over.
func bareFailure(err error) *http.Response {
	if failed, ok := errors.AsType[*Error](err); ok && failed.response != nil {
		return bare(failed.response.RawResponse)
	}
	return &http.Response{Header: http.Header{}, Body: http.NoBody}
}
