package intune

import (
	"context"
	"math/rand/v2"
	"time"
)

var opOpenRemoteAssistance = &operation{
	api:  "Client.OpenRemoteAssistance",
	text: "open remote assistance",
}

const (
	firstPoll   = 3 * time.Second
	slowestPoll = 13 * time.Second // jitter adds an eighth at most
)

// OpenRemoteAssistanceOptions configures [Client.OpenRemoteAssistance].
type OpenRemoteAssistanceOptions struct {
	// AcceptExistingAfter is as in [BeginRemoteAssistanceOptions].
	AcceptExistingAfter time.Duration

	// ConfirmWithin is as in [BeginRemoteAssistanceOptions].
	ConfirmWithin time.Duration

	// OnRequested, if not nil, is called once when the request has been made, with a token that continues the wait
	// elsewhere should this process end (BeginRemoteAssistanceOptions.ResumeToken). The token holds no link.
	OnRequested func(resumeToken string)
}

// OpenRemoteAssistance asks Intune to open a session on device and waits for its link: [Client.BeginRemoteAssistance]
// and the wait in one call. It looks after three seconds first, then more slowly up to every fifteen, with jitter.
// Give ctx a deadline; a session takes seconds to minutes, and without a deadline the wait has no end. When ctx ends
// first, the error answers [errors.Is] for the context's error, and the user has been asked all the same.
//
// Needs DeviceManagementManagedDevices.ReadWrite.All. Errors: [ErrInvalidArgument], [*SessionError] when the service
// says why there is no session, else [*Error]; with [ErrOutcomeUnknown] when nobody knows whether the user was asked.
func (c *Client) OpenRemoteAssistance(ctx context.Context, device DeviceRef, options *OpenRemoteAssistanceOptions) (session RemoteAssistanceSession, err error) {
	if err := c.check(ctx); err != nil {
		return RemoteAssistanceSession{}, err
	}
	var o OpenRemoteAssistanceOptions
	if options != nil {
		o = *options
	}
	ctx, endSpan := c.startSpan(ctx, opOpenRemoteAssistance)
	defer func() { endSpan(err) }()
	handler, err := c.beginRemoteAssistance(ctx, device, &BeginRemoteAssistanceOptions{
		AcceptExistingAfter: o.AcceptExistingAfter, ConfirmWithin: o.ConfirmWithin,
	})
	if err != nil {
		return RemoteAssistanceSession{}, err
	}
	if o.OnRequested != nil {
		token, err := handler.resumeToken()
		if err != nil {
			return RemoteAssistanceSession{}, err
		}
		o.OnRequested(token)
	}
	for pause := firstPoll; ; pause = min(pause*3/2, slowestPoll) {
		timer := time.NewTimer(pause + rand.N(pause/8)) //nolint:gosec // jitter is no secret
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return RemoteAssistanceSession{}, handler.interrupted(ctx.Err())
		}
		if _, err := handler.Poll(ctx); err != nil {
			if ctx.Err() != nil {
				err = handler.interrupted(ctx.Err())
			}
			return RemoteAssistanceSession{}, err
		}
		if handler.done {
			err := handler.Result(ctx, &session)
			return session, err
		}
	}
}

// interrupted is the error of a wait that the context ended.
func (h *sessionHandler) interrupted(cause error) error {
	e := &Error{Op: opOpenRemoteAssistance.text, Device: h.Device, cause: cause, phase: "the request was accepted, but no link appeared in time"}
	if h.Unconfirmed {
		e.phase, e.unknown, e.Hint = "no link appeared in time", true, hintUnknown
	}
	return e
}
