package wait

import (
	"cmp"
	"context"
	"math/rand/v2"
	"time"

	"github.com/go-intune/intune/internal/ratelimit"
)

const (
	defaultMaxWait = 10 * time.Minute

	// lastLook is the minimum time for a read, so that the last read before MaxWait can finish.
	lastLook = 10 * time.Second

	// soon is how long before a limit no read goes out: that at the limit makes it needless, and comes on time without it.
	soon = time.Second / 4

	// again is when a failed read is repeated, and repeats how often in a row.
	again   = time.Second
	repeats = 3
)

// Pace says when to read the session, and until when. The first read is due at once, unless [Pace.Plan] is called before
// it.
type Pace struct {
	now       func() time.Time
	requested time.Time // when the wait's request was made
	ends      time.Time // zero: never
	frequency time.Duration

	last     time.Time // when the last read was sent; zero if none was
	due      time.Time // of the next read
	earliest time.Time // before which the service wants no read
	failed   int       // reads in a row
	ahead    bool      // of other waits
}

// NewPace is the pace of a wait of at most maxWait (0: ten minutes, below zero: without end) for a request that was made
// at a time, with a read every frequency (0: by the age of the request, every two seconds, four or eight).
func NewPace(now func() time.Time, requested time.Time, maxWait, frequency time.Duration) *Pace {
	p := &Pace{now: now, requested: requested, frequency: frequency}
	switch {
	case maxWait == 0:
		p.ends = now().Add(defaultMaxWait)
	case maxWait > 0:
		p.ends = now().Add(maxWait)
	}
	return p
}

// gap is the time from one read to the next. The longer a link has not come, the less likely is it to come soon.
func (p *Pace) gap(now time.Time) time.Duration {
	gap := 8 * time.Second
	switch age := now.Sub(p.requested); {
	case p.frequency > 0:
		return p.frequency
	case age < 2*time.Minute:
		gap = 2 * time.Second
	case age < 10*time.Minute:
		gap = 4 * time.Second
	}
	return gap*19/20 + rand.N(gap/10) //nolint:gosec // jitter is no secret
}

// Plan takes note of an answer to a read that took so long, after which the service asks for no read for so long. The
// next read is due at the pace, or when the service allows it, whichever is later. After a slow answer, the pause is
// still half of what it would be.
func (p *Pace) Plan(took, asked time.Duration) {
	now := p.now()
	gap := p.gap(now)
	p.failed = 0
	p.plan(now, took, max(gap-took, gap/2), asked)
}

// PlanAgain is [Pace.Plan] after a failure that may pass. The read goes again a second later, and ahead of those of
// other waits, unless it has failed too often.
func (p *Pace) PlanAgain(took, asked time.Duration) {
	if p.failed == repeats {
		p.Plan(took, asked)
		p.failed = repeats
		return
	}
	now := p.now()
	p.failed++
	p.plan(now, took, min(again, p.gap(now)), asked)
	p.ahead = true
}

func (p *Pace) plan(now time.Time, took, pause, asked time.Duration) {
	p.last, p.ahead = now.Add(-took), false
	p.due, p.earliest = now.Add(max(pause, asked)), now.Add(asked)
}

// Next is what the wait asks the budget of reads for: the next read, and what the time alone decides, which is the end
// of the wait or the caller's own limit. A read is due then, if the service allows one, and none shortly before.
func (p *Pace) Next(limit time.Duration) ratelimit.Order {
	now := p.now()
	if !p.ends.IsZero() {
		limit = min(limit, p.ends.Sub(now))
	}
	due := p.due.Sub(now)
	if p.earliest.Sub(now) <= max(limit, 0) && due > limit-min(soon, p.gap(now)/2) {
		due = limit
	}
	return ratelimit.Order{Due: due, Limit: cmp.Or(limit, -1), Last: p.last, Ahead: p.ahead}
}

// Over reports whether the time is up.
func (p *Pace) Over() bool { return !p.ends.IsZero() && p.left() <= 0 }

// Bound limits a read to the time that is left, but not to less than lastLook.
func (p *Pace) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if p.ends.IsZero() {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, max(lastLook, p.left()))
}

func (p *Pace) left() time.Duration { return p.ends.Sub(p.now()) }
