package intune

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/ratelimit"
)

const (
	firstPause     = 3 * time.Second
	longestPause   = 13 * time.Second // jitter adds an eighth at most
	defaultMaxWait = 10 * time.Minute
	defaultMaxAge  = 24 * time.Hour

	// lastLook is the minimum time for a read, so that the last read before MaxWait can finish.
	lastLook = 10 * time.Second
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
	return handler.wait(ctx, c.newPace(o.MaxWait, o.Frequency), 0)
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

// pace says when to read the session, and until when.
type pace struct {
	now       func() time.Time
	ends      time.Time // zero: never
	frequency time.Duration
	pause     time.Duration
}

func (c *Client) newPace(maxWait, frequency time.Duration) *pace {
	p := &pace{now: c.now, frequency: frequency, pause: firstPause}
	switch {
	case maxWait == 0:
		p.ends = c.now().Add(defaultMaxWait)
	case maxWait > 0:
		p.ends = c.now().Add(maxWait)
	}
	return p
}

// next is how long to wait before the next read; asked is the wait that the service asked for, 0 if it did not.
func (p *pace) next(asked time.Duration) time.Duration {
	wait := p.frequency
	if wait == 0 {
		wait = p.pause + rand.N(p.pause/8) //nolint:gosec // jitter is no secret
		p.pause = min(p.pause*3/2, longestPause)
	}
	if asked > 0 {
		wait = asked
	}
	if !p.ends.IsZero() {
		wait = min(wait, p.left())
	}
	return wait
}

func (p *pace) over() bool { return !p.ends.IsZero() && p.left() <= 0 }

func (p *pace) left() time.Duration { return p.ends.Sub(p.now()) }

// bound limits a read to the time that is left.
func (p *pace) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if p.ends.IsZero() {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, max(lastLook, p.left()))
}

// wait reads the session until there is a result or the wait ends. Its errors are [*PendingError] and [*SessionError].
func (h *sessionHandler) wait(ctx context.Context, p *pace, first time.Duration) (session RemoteAssistanceSession, err error) {
	// The span shows the ids of the request and not of the latest read.
	defer h.client.traceRequest(ctx, answerIDs{h.RequestID, h.ClientRequestID})
	for pause := first; ; pause = p.next(h.retryAfter) {
		if err := ratelimit.Sleep(ctx, min(pause, h.nextLimit())); err != nil {
			return RemoteAssistanceSession{}, h.pending(err)
		}
		bounded, cancel := p.bound(ctx)
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
		case p.over():
			return RemoteAssistanceSession{}, h.pending(h.trouble)
		}
	}
}

// nextLimit is the time until ConfirmWithin or AcceptExistingAfter passes, when a read can end the wait without any
// change.
func (h *sessionHandler) nextLimit() time.Duration {
	limit, now := time.Duration(math.MaxInt64), h.client.now()
	if left := h.ConfirmWithin - now.Sub(h.confirmFrom()); h.Unconfirmed && left > 0 {
		limit = left
	}
	if left := h.AcceptExistingAfter - now.Sub(h.RequestedAt); left > 0 {
		limit = min(limit, left)
	}
	return limit
}

func (h *sessionHandler) poller() (*runtime.Poller[RemoteAssistanceSession], error) {
	return runtime.NewPoller(nil, h.client.internal.Pipeline(), &runtime.NewPollerOptions[RemoteAssistanceSession]{
		Handler: h,
		Tracer:  h.client.internal.Tracer(),
	})
}

// tooOld says why the age of a request matters.
func tooOld(age, limit time.Duration) string {
	return fmt.Sprintf("is of a request made %v ago, more than options.MaxAge allows (%v): whatever link has appeared on the device since would count as its own, "+
		"and is probably another session's by now; read the device's session, or ask anew", age.Round(time.Second), limit)
}
