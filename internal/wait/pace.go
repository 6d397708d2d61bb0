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

// Pace says when to read the session, and until when. The first read is due at once, unless [Pace.Plan] is called before
// it.
type Pace struct {
	now       func() time.Time
	ends      time.Time // zero: never
	frequency time.Duration
	pause     time.Duration // the next one without a frequency, before jitter
	due       time.Time     // of the next read
	earliest  time.Time     // before which the service wants no read
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

// Plan takes note of an answer, after which the service asks for no read for so long. The next read is due at the pace, or
// when the service allows it, whichever is later.
func (p *Pace) Plan(asked time.Duration) {
	pause := p.frequency
	if pause == 0 {
		pause = p.pause + rand.N(p.pause/8) //nolint:gosec // jitter is no secret
		p.pause = min(p.pause*3/2, longestPause)
	}
	now := p.now()
	p.due, p.earliest = now.Add(max(pause, asked)), now.Add(asked)
}

// Pause is how long to wait before there is something to do: a read, or what the time alone decides, which is the end of
// the wait or the caller's own limit.
func (p *Pace) Pause(limit time.Duration) time.Duration {
	pause := min(p.due.Sub(p.now()), limit)
	if !p.ends.IsZero() {
		pause = min(pause, p.left())
	}
	return pause
}

// MayRead reports whether the service allows a read now.
func (p *Pace) MayRead() bool { return !p.now().Before(p.earliest) }

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
