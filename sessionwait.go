package intune

import (
	"context"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/ratelimit"
	"github.com/go-intune/intune/internal/wait"
)

// ResumeRemoteAssistanceOptions configures [Client.ResumeRemoteAssistance]. A negative duration is an
// [ErrInvalidArgument].
type ResumeRemoteAssistanceOptions struct {
	// AcceptExistingAfter is as in [BeginRemoteAssistanceOptions], counted from the request; zero keeps that of the
	// first wait.
	AcceptExistingAfter time.Duration

	// ConfirmWithin is as in [BeginRemoteAssistanceOptions], counted from this call; zero keeps that of the first wait.
	ConfirmWithin time.Duration

	// MaxAge is how old the request may be. Zero means 24 hours.
	MaxAge time.Duration
}

// ResumeRemoteAssistance is [Client.WaitForRemoteAssistance] as a poller, for callers that set the pace themselves. It
// sends nothing by itself; the poller behaves like that of [Client.BeginRemoteAssistance]. Errors:
// [ErrInvalidArgument].
func (c *Client) ResumeRemoteAssistance(ctx context.Context, resumeToken string, options *ResumeRemoteAssistanceOptions) (poller *runtime.Poller[RemoteAssistanceSession], err error) {
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
	// AcceptExistingAfter is as in [ResumeRemoteAssistanceOptions].
	AcceptExistingAfter time.Duration

	// ConfirmWithin is as in [ResumeRemoteAssistanceOptions].
	ConfirmWithin time.Duration

	// MaxAge is how old the request may be. Zero means 24 hours.
	MaxAge time.Duration

	// MaxWait is how long this call waits for the link. Zero means ten minutes; a negative value means as long as the
	// context lasts.
	MaxWait time.Duration

	// Frequency is as in [OpenRemoteAssistanceOptions].
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
func (c *Client) WaitForRemoteAssistance(ctx context.Context, resumeToken string, options *WaitForRemoteAssistanceOptions) (session RemoteAssistanceSession, err error) {
	if err := c.check(ctx); err != nil {
		return RemoteAssistanceSession{}, err
	}
	var o WaitForRemoteAssistanceOptions
	if options != nil {
		o = *options
	}
	if err := checkDuration("Frequency", o.Frequency, "the growing pace"); err != nil {
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
	return handler.wait(ctx, wait.NewPace(c.now, o.MaxWait, o.Frequency), 0)
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

// wait reads the session until there is a result or the wait ends. Its errors are [*PendingError] and [*SessionError].
func (h *sessionHandler) wait(ctx context.Context, p *wait.Pace, first time.Duration) (session RemoteAssistanceSession, err error) {
	// The span shows the ids of the request and not of the latest read.
	defer h.client.traceRequest(ctx, answerIDs{h.state.RequestID, h.state.ClientRequestID})
	for pause := first; ; pause = p.Next(h.retryAfter) {
		if err := ratelimit.Sleep(ctx, min(pause, h.state.NextLimit(h.client.now()))); err != nil {
			return RemoteAssistanceSession{}, h.pending(err)
		}
		bounded, cancel := p.Bound(ctx)
		_, err := h.look(bounded)
		timedOut := bounded.Err() != nil
		cancel()
		switch {
		case ctx.Err() != nil && err != nil:
			return RemoteAssistanceSession{}, h.pending(ctx.Err())
		case timedOut && err != nil:
			return RemoteAssistanceSession{}, h.pending(h.trouble)
		case err != nil:
			return RemoteAssistanceSession{}, h.pending(err)
		case h.done:
			err := h.Result(ctx, &session)
			return session, err
		case p.Over():
			return RemoteAssistanceSession{}, h.pending(h.trouble)
		}
	}
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
	state, err := wait.Parse(given, c.root.String(), c.now(), wait.Limits(o))
	if err != nil {
		return nil, invalidArgument("resumeToken", err.Error())
	}
	device, err := ParseDeviceRef(state.Device)
	if err != nil {
		return nil, invalidArgument("resumeToken", wait.Wrong+": it holds no device address")
	}
	return &sessionHandler{client: c, device: device, readAt: device, state: *state}, nil
}
