// Package ratelimit spaces what is sent to a service that limits it, and adapts to its throttling.
package ratelimit

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limiter has a rate that halves when the service throttles, and recovers with what the service accepts. It is safe for
// concurrent use.
type Limiter struct {
	limiter *rate.Limiter
	most    rate.Limit

	mu     sync.Mutex
	paused time.Time // until when nothing is sent
	halved time.Time // when the rate was halved last
}

const (
	// slowest is the lowest rate, as a part of the full one.
	slowest = 1. / 32

	// recovery is what one accepted item adds, as a part of the full rate: from half to full, it takes fifty.
	recovery = 1. / 100
)

// New makes a limiter of so many items a second, one at a time. With zero or less, it only pauses.
func New(perSecond float64) *Limiter {
	most := rate.Limit(perSecond)
	if perSecond <= 0 {
		most = rate.Inf
	}
	return &Limiter{limiter: rate.NewLimiter(most, 1), most: most}
}

// Wait returns when an item may be sent, or when the context ends, with its error.
func (l *Limiter) Wait(ctx context.Context) error {
	for {
		if err := Sleep(ctx, l.pause()); err != nil {
			return err
		}
		turn := l.limiter.Reserve()
		if err := Sleep(ctx, turn.Delay()); err != nil {
			turn.Cancel()
			return err
		}
		if l.pause() == 0 {
			return nil
		}
		// Throttled meanwhile: another turn after the pause, so that those that wait do not all go at its end.
	}
}

func (l *Limiter) pause() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(time.Until(l.paused), 0)
}

// Throttled is for an item that was sent at a time and was refused: nothing is sent for so long, and the rate halves. It
// does not halve again for items that were sent before it halved last.
func (l *Limiter) Throttled(sent time.Time, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if until := now.Add(wait); until.After(l.paused) {
		l.paused = until
	}
	if l.most != rate.Inf && !sent.Before(l.halved) {
		l.limiter.SetLimit(max(l.limiter.Limit()/2, l.most*slowest))
		l.halved = now
	}
}

// Accepted is for an item that the service has accepted.
func (l *Limiter) Accepted() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limiter.SetLimit(min(l.limiter.Limit()+l.most*recovery, l.most))
}

// State is the rate at the moment, negative for none, and until when nothing is sent.
func (l *Limiter) State() (perSecond float64, pausedUntil time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.most == rate.Inf {
		return -1, l.paused
	}
	return float64(l.limiter.Limit()), l.paused
}

// Sleep waits for a pause, or until the context ends, and then returns the context's error.
func Sleep(ctx context.Context, pause time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err // select would choose at random between an ended context and a pause of zero
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
