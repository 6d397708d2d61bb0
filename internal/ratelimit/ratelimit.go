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

	mu       sync.Mutex
	throttle throttle
}

// New makes a limiter of so many items a second, one at a time. With zero or less, it only pauses.
func New(perSecond float64) *Limiter {
	t := newThrottle(perSecond)
	return &Limiter{limiter: rate.NewLimiter(t.most, 1), throttle: t}
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
	return max(time.Until(l.throttle.paused), 0)
}

// Throttled is for an item that was sent at a time and was refused: nothing is sent for so long, and the rate halves. It
// does not halve again for items that were sent before it halved last.
func (l *Limiter) Throttled(sent time.Time, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.throttle.refused(sent, wait)
	l.limiter.SetLimit(l.throttle.rate)
}

// Accepted is for an item that the service has accepted.
func (l *Limiter) Accepted() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.throttle.accepted()
	l.limiter.SetLimit(l.throttle.rate)
}

// State is the rate at the moment, negative for none, and until when nothing is sent.
func (l *Limiter) State() (perSecond float64, pausedUntil time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.throttle.state()
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
