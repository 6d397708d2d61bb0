package intune

import (
	"cmp"
	"context"
	"errors"
	"math"
	"time"

	"github.com/go-intune/intune/internal/graphcall"
	"github.com/go-intune/intune/internal/ratelimit"
	"github.com/go-intune/intune/internal/wait"
)

// defaultSessionReads is a quarter of what the service allows an app.
const defaultSessionReads = 25

// notARate is what is wrong with a rate of reads that is no number.
const notARate = "is not a number; use 0 for 25 reads a second, or less than 0 for no limit"

// SetSessionReadsPerSecond replaces ClientOptions.SessionReadsPerSecond while the client is in use: how many reads of
// sessions all waits may make together in a second. Zero means 25, below zero there is no limit. It sends nothing. Waits that
// are under way read at the new rate at once, and so do those of all clients that [Client.WithCredential] made of each other,
// since they share one budget. If the service has throttled, the new rate is lowered as much as the old one was, and recovers
// with the reads that succeed.
//
// A program of which several copies run under one app needs it, because the service limits the app and not a copy: when a
// copy comes or goes, each of the others changes its part of the whole.
//
// SetSessionReadsPerSecond returns [ErrInvalidArgument] if perSecond is not a number, or if [NewClient] did not make c.
func (c *Client) SetSessionReadsPerSecond(perSecond float64) error {
	switch {
	case c == nil || c.root == nil:
		return errNotMade
	case math.IsNaN(perSecond):
		return invalidArgument("perSecond", notARate)
	}
	c.reads.SetRate(cmp.Or(perSecond, defaultSessionReads))
	return nil
}

// newPace is the pace of a wait that begins now. A fake of the service may have a pace of its own.
func (h *sessionHandler) newPace(maxWait, frequency time.Duration) *wait.Pace {
	return wait.NewPace(h.client.now, h.state.RequestedAt, maxWait, cmp.Or(max(h.client.lookAgain(), 0), frequency))
}

// budget is what all waits read from. It does not limit the pace that a fake of the service sets.
func (c *Client) budget() *ratelimit.Reads {
	if c.lookAgain() > 0 {
		return ratelimit.NewReads(-1)
	}
	return c.reads
}

// wait reads the session until there is a result or the wait ends. Its errors are [*PendingError] and [*SessionError].
func (h *sessionHandler) wait(ctx context.Context, p *wait.Pace) (RemoteAssistanceSession, error) {
	// The span shows the ids of the request and not of the latest read.
	defer h.client.caller.Trace(ctx, graphcall.IDs{RequestID: h.state.RequestID, ClientRequestID: h.state.ClientRequestID})
	left := h.waitWithin(ctx, p)
	h.end(ctx, left)
	return h.result(left)
}

// result is what becomes of a wait that is done, or was left for a reason.
func (h *sessionHandler) result(left error) (RemoteAssistanceSession, error) {
	if left = cmp.Or(h.failure, left); left != nil {
		return RemoteAssistanceSession{}, left
	}
	return h.session, nil
}

// waitWithin returns when the wait is done, or else with why it was left.
func (h *sessionHandler) waitWithin(ctx context.Context, p *wait.Pace) error {
	budget := h.client.budget()
	for {
		read, err := budget.Wait(ctx, h.next(p))
		if err != nil {
			return h.pending(err)
		}
		if over, left := h.step(ctx, p, budget, read); over {
			return left
		}
	}
}

// next is what the wait asks the budget for.
func (h *sessionHandler) next(p *wait.Pace) ratelimit.Order {
	return p.Next(h.state.NextLimit(h.client.now()))
}

// step is what a wait does when its turn has come, with or without a read. It reports whether the wait is over, and if it is
// not done, why it was left.
func (h *sessionHandler) step(ctx context.Context, p *wait.Pace, budget *ratelimit.Reads, read bool) (over bool, left error) {
	if !read {
		h.judgeTime(h.client.now())
	} else if err := h.lookWithin(ctx, p, budget); err != nil {
		return true, err
	}
	switch {
	case h.done:
		return true, nil
	case p.Over():
		return true, h.pending(h.trouble)
	}
	return false, nil
}

// lookWithin makes one read in the time that is left to the wait. Its error is what the wait ends with. azcore does not
// repeat the read, because it would do so faster than the pace, or sleep past the wait's limits on a Retry-After.
func (h *sessionHandler) lookWithin(ctx context.Context, p *wait.Pace, budget *ratelimit.Reads) error {
	bounded, cancel := p.Bound(h.client.once(ctx))
	defer cancel()
	sent := time.Now()
	_, err := h.look(bounded)
	if err == nil {
		h.plan(p, budget, sent)
		return nil
	}
	if bounded.Err() != nil {
		err = h.trouble
	}
	return h.pending(cmp.Or(ctx.Err(), err))
}

// plan says when the next read is due after one that was sent at a time and answered, or whose failure is tolerated.
func (h *sessionHandler) plan(p *wait.Pace, budget *ratelimit.Reads, sent time.Time) {
	took := time.Since(sent)
	failed, _ := errors.AsType[*Error](h.trouble)
	switch {
	case failed == nil:
		budget.Succeeded()
	case errors.Is(failed, ErrThrottled):
		// One broken header must not stop all waits for as long as it says.
		budget.Throttled(sent, min(h.retryAfter, max(h.client.retry.MaxRetryDelay, defaultMaxRetryDelay)))
	case failureOf(failed) == wait.Trouble:
		p.PlanAgain(took, h.retryAfter)
		return
	}
	p.Plan(took, h.retryAfter)
}
