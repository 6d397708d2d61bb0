package intune

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/go-intune/intune/internal/graphcall"
	"github.com/go-intune/intune/internal/ratelimit"
	"github.com/go-intune/intune/internal/wait"
)

// defaultSessionReads is a quarter of what the service allows an app.
const defaultSessionReads = 25

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
