package ratelimit

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

const (
	// slowest is the lowest rate, as a part of the full one.
	slowest = 1. / 32

	// recovery is what one accepted item adds, as a part of the full rate: from half to full, it takes fifty.
	recovery = 1. / 100
)

// throttle is what the service's refusals do to a rate.
type throttle struct {
	most, rate rate.Limit // a second; rate.Inf for none
	paused     time.Time  // until when nothing is sent
	halved     time.Time  // when the rate was halved last
}

func newThrottle(perSecond float64) throttle {
	most := fullRate(perSecond)
	return throttle{most: most, rate: most}
}

// fullRate is so many items a second, and rate.Inf for zero or less, and for infinity.
func fullRate(perSecond float64) rate.Limit {
	if perSecond <= 0 || math.IsInf(perSecond, 1) {
		return rate.Inf
	}
	return rate.Limit(perSecond)
}

// setFull replaces the full rate. The rate stays the same part of it, so that a service that has throttled is not asked at the
// full rate again.
func (t *throttle) setFull(perSecond float64) {
	part := t.rate / t.most // all of it, if there was no limit
	t.most = fullRate(perSecond)
	t.rate = t.most
	if t.most != rate.Inf {
		t.rate *= part
	}
}

// refused halves the rate, unless the item was sent before it was halved last, and begins a pause or makes it longer.
func (t *throttle) refused(sent time.Time, wait time.Duration) {
	now := time.Now()
	if until := now.Add(wait); until.After(t.paused) {
		t.paused = until
	}
	if t.most != rate.Inf && !sent.Before(t.halved) {
		t.rate, t.halved = max(t.rate/2, t.most*slowest), now
	}
}

// accepted is for an item that the service has accepted.
func (t *throttle) accepted() { t.rate = min(t.rate+t.most*recovery, t.most) }

// state is the rate, negative for none, and until when nothing is sent.
func (t *throttle) state() (perSecond float64, pausedUntil time.Time) {
	if t.most == rate.Inf {
		return -1, t.paused
	}
	return float64(t.rate), t.paused
}
