package wait

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	firstPause     = 3 * time.Second
	longestPause   = 13 * time.Second // jitter adds an eighth at most
	defaultMaxWait = 10 * time.Minute

	// lastLook is the minimum time for a read, so that the last read before MaxWait can finish.
	lastLook = 10 * time.Second
)

// Pace says when to read the session, and until when.
type Pace struct {
	now       func() time.Time
	ends      time.Time // zero: never
	frequency time.Duration
	pause     time.Duration
}

// NewPace is the pace of a wait of at most maxWait (0: ten minutes, below zero: without end), with a read every
// frequency (0: three seconds at first, growing up to fifteen).
func NewPace(now func() time.Time, maxWait, frequency time.Duration) *Pace {
	p := &Pace{now: now, frequency: frequency, pause: firstPause}
	switch {
	case maxWait == 0:
		p.ends = now().Add(defaultMaxWait)
	case maxWait > 0:
		p.ends = now().Add(maxWait)
	}
	return p
}

// Next is how long to wait before the next read; asked is the wait that the service asked for, 0 if it did not.
func (p *Pace) Next(asked time.Duration) time.Duration {
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

// Over reports whether the time is up.
func (p *Pace) Over() bool { return !p.ends.IsZero() && p.left() <= 0 }

// Bound limits a read to the time that is left.
func (p *Pace) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if p.ends.IsZero() {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, max(lastLook, p.left()))
}

func (p *Pace) left() time.Duration { return p.ends.Sub(p.now()) }
