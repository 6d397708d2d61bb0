package main

import (
	"context"
	"time"

	"golang.org/x/time/rate"
)

// What the service sends to Intune for all people together, in all its copies. Intune allows an app 100 reads and 10 requests
// in a second.
const (
	waitReadsPerSecond = 25 // of all waits for links
	readsPerSecond     = 40 // of searches and other reads that people wait for
	asksPerSecond      = 5
)

const (
	// readsAtOnce is how many reads a copy may send at once. It is not less than one search makes.
	readsAtOnce = 8
	// readPatience and askPatience bound how long somebody waits for a turn. A request that waits longer is not made.
	readPatience = 5 * time.Second
	askPatience  = 10 * time.Second
)

// pace spaces what this copy sends. Its rate is this copy's part of the whole.
type pace struct {
	whole    rate.Limit // of all copies, a second
	patience time.Duration
	limiter  *rate.Limiter
}

func newPace(perSecond float64, atOnce int, patience time.Duration) *pace {
	whole := rate.Limit(perSecond)
	return &pace{whole: whole, patience: patience, limiter: rate.NewLimiter(whole, atOnce)}
}

// wait returns when so many may be sent. If that takes too long, or the context ends before, nothing may be sent.
func (p *pace) wait(ctx context.Context, n int) *problem {
	turn := p.limiter.ReserveN(time.Now(), n)
	delay := turn.Delay()
	if delay > p.patience {
		turn.Cancel()
		return kindThrottled.with(problemExtra{RetryAfter: delay})
	}
	if err := pauseFor(ctx, delay); err != nil {
		turn.Cancel()
		return kindThrottled.because(err)
	}
	return nil
}

// pauseFor lets time pass. The error is that of the context, if it ends before.
func pauseFor(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// setPart makes it this copy's part of the whole.
func (p *pace) setPart(part float64) { p.limiter.SetLimit(p.whole * rate.Limit(part)) }

// paces are all that Intune limits.
type paces struct {
	asks, reads *pace
	waits       func(perSecond float64) error // sets what the waits for links read
}

func newPaces(asks float64) *paces {
	return &paces{asks: newPace(asks, 1, askPatience), reads: newPace(readsPerSecond, readsAtOnce, readPatience)}
}

// setPart gives this copy a part of the whole, above 0 and at most 1.
func (p *paces) setPart(part float64) error {
	p.asks.setPart(part)
	p.reads.setPart(part)
	return p.waits(waitReadsPerSecond * part)
}
