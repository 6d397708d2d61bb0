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
	pause     time.Duration // the next one without a frequency, before jitter
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

// Next is how long to wait before the next read: what the service asked for, if that is above zero, else the pace, and
// no longer than the wait lasts.
func (p *Pace) Next(asked time.Duration) time.Duration {
	next := p.frequency
	if next == 0 {
		next = p.pause + rand.N(p.pause/8) //nolint:gosec // jitter is no secret
		p.pause = min(p.pause*3/2, longestPause)
	}
	if asked > 0 {
		next = asked
	}
	if !p.ends.IsZero() {
		next = min(next, p.left())
	}
	return next
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
