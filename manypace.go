package intune

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// manyPace spaces the tries of devices. It halves its rate when the service throttles and recovers with each accepted
// request, so that half of the pace takes fifty of them.
type manyPace struct {
	limiter *rate.Limiter
	most    rate.Limit

	mu      sync.Mutex
	paused  time.Time // until when nothing is sent
	dropped time.Time // when the rate was halved last
}

const (
	slowest  = 1. / 32 // of the pace
	recovery = 1. / 100
)

func newManyPace(perSecond float64, batch int) *manyPace {
	most := rate.Limit(perSecond)
	if perSecond < 0 {
		most = rate.Inf
	}
	return &manyPace{limiter: rate.NewLimiter(most, batch), most: most}
}

// wait is over when n devices may be sent.
func (p *manyPace) wait(ctx context.Context, n int) error {
	for {
		if err := sleep(ctx, p.pause()); err != nil {
			return err
		}
		turn := p.limiter.ReserveN(time.Now(), n)
		if err := sleep(ctx, turn.Delay()); err != nil {
			turn.Cancel()
			return err
		}
		if p.pause() == 0 {
			return nil
		}
		// Throttled meanwhile: another turn after the pause, so that the waiting do not all go at its end.
	}
}

func (p *manyPace) pause() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(time.Until(p.paused), 0)
}

// throttled is for tries that were refused, which had left at a time. Those that had left before the rate was halved
// last do not halve it again.
func (p *manyPace) throttled(left time.Time, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if until := now.Add(wait); until.After(p.paused) {
		p.paused = until
	}
	if p.most != rate.Inf && !left.Before(p.dropped) {
		p.limiter.SetLimit(max(p.limiter.Limit()/2, p.most*slowest))
		p.dropped = now
	}
}

// accepted is for n devices that the service has accepted.
func (p *manyPace) accepted(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.limiter.Limit(); now < p.most {
		p.limiter.SetLimit(min(now+rate.Limit(n)*p.most*recovery, p.most))
	}
}

// state is for a caller who wants to know.
func (p *manyPace) state() (perSecond float64, pausedUntil time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.most == rate.Inf {
		return -1, p.paused
	}
	return float64(p.limiter.Limit()), p.paused
}
