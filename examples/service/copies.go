package main

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Copies of the service share what Intune allows the app. Each has a row in the database that it renews, with the part of the
// whole that it uses until it renews it again; the parts of all rows are never more than dividedPart together.
const (
	// copyEvery is the time between two renewals. A copy whose part is less than its share looks again after copySoon, since
	// the others give theirs up when they renew.
	copyEvery = 5 * time.Second
	copySoon  = time.Second
	// copyWithin bounds one renewal.
	copyWithin = 3 * time.Second
	// copyLost is how long a copy keeps its part without the database, and copyGone after which the others take it. The first
	// is by the clock of the copy from before the renewal on, the second by that of the database.
	copyLost = 12 * time.Second
	copyGone = 15 * time.Second

	// dividedPart is what the rows divide. The rest is for copies that do not know how many others there are, because the
	// database is away or they are new; each of them uses lostPart, and there is room for ten.
	dividedPart = 0.96
	lostPart    = 0.004
)

// renewal is a copy's row in the database.
type renewal interface {
	// renew renews the row, and returns the part of this copy and its fair share, which the part may not have reached. It
	// calls lower before it commits a part that is less than the one before.
	renew(ctx context.Context, before float64, lower func(part float64)) (part, share float64, err error)

	// leave removes the row.
	leave(ctx context.Context) error
}

// copies keeps this copy's part of the whole.
type copies struct {
	row renewal
	set func(part float64) error
	log *slog.Logger

	mu    sync.Mutex
	part  float64
	until time.Time   // when the part is not this copy's any more, unless it is renewed
	lost  *time.Timer // fires then
	away  bool
}

// newCopies begins with lostPart. set is that of the paces.
func newCopies(row renewal, set func(part float64) error, log *slog.Logger) *copies {
	c := &copies{row: row, set: set, log: log}
	c.useLocked(lostPart)
	return c
}

// lower makes the part less.
func (c *copies) lower(part float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.useLocked(min(part, c.part))
}

// expire is called when nobody has renewed the part, or just has.
func (c *copies) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !time.Now().Before(c.until) {
		c.useLocked(lostPart)
	}
}

func (c *copies) useLocked(part float64) {
	if part == c.part {
		return
	}
	c.part = part
	if err := c.set(part); err != nil {
		c.log.Error("the part of this copy cannot be set", "part", part, "cause", err.Error())
	}
}

// start renews the row from now on, until stop, which gives the part back to the others.
func (c *copies) start(ctx context.Context) (stop func(context.Context) error) {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.run(life)
	}()
	return func(ctx context.Context) error {
		end()
		select {
		case <-ended:
		case <-ctx.Done():
			return ctx.Err()
		}
		return c.leave(ctx)
	}
}

// run renews the row until the context ends.
func (c *copies) run(ctx context.Context) {
	for ctx.Err() == nil {
		_ = pauseFor(ctx, c.renew(ctx)) // whether it has ended is looked at again
	}
}

// renew renews the row once, and says when to do it again.
func (c *copies) renew(ctx context.Context) time.Duration {
	began := time.Now()
	within, cancel := context.WithTimeout(ctx, copyWithin)
	defer cancel()
	c.mu.Lock()
	before := c.part
	c.mu.Unlock()
	part, share, err := c.row.renew(within, before, c.lower)
	c.mu.Lock()
	defer c.mu.Unlock()
	until := began.Add(copyLost)
	switch {
	case err != nil:
		if !c.away && ctx.Err() == nil {
			c.away = true
			c.log.Warn("this copy cannot renew its part of what Intune allows", "cause", err.Error())
		}
		return copySoon
	case !time.Now().Before(until): // the process was stopped meanwhile
		return copySoon
	}
	if c.lost != nil {
		c.lost.Stop()
	}
	c.lost, c.until, c.away = time.AfterFunc(time.Until(until), c.expire), until, false
	if part != before {
		c.log.Info("this copy's part of what Intune allows", "part", part)
	}
	c.useLocked(part)
	if part < share {
		return copySoon
	}
	return copyEvery
}

// leave gives the part back. It is called when run has returned.
func (c *copies) leave(ctx context.Context) error {
	c.mu.Lock()
	if c.lost != nil {
		c.lost.Stop()
	}
	c.useLocked(lostPart)
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, copyWithin)
	defer cancel()
	return c.row.leave(ctx)
}
