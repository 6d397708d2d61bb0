package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// fakeRow is a row in a database that may be away, or not answer.
type fakeRow struct {
	mu          sync.Mutex
	part, share float64
	err         error
	hangs       bool
	left        bool
}

func (r *fakeRow) renew(ctx context.Context, before float64, lower func(float64)) (part, share float64, err error) {
	r.mu.Lock()
	part, share, err = r.part, r.share, r.err
	hangs := r.hangs
	r.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return 0, 0, ctx.Err()
	}
	if part < before {
		lower(part)
	}
	return part, share, err
}

func (r *fakeRow) change(how func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	how()
}

func (r *fakeRow) leave(context.Context) error {
	r.left = true
	return nil
}

func TestCopies(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*fakeRow){
		"the database is away":         func(r *fakeRow) { r.err = errors.New("away") },
		"the database does not answer": func(r *fakeRow) { r.hangs = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				row, begin := &fakeRow{part: .5, share: .5}, time.Now()
				var inUse atomic.Value
				c := newCopies(row, func(part float64) error { inUse.Store(part); return nil }, quiet())
				after := func(d time.Duration, want float64) {
					t.Helper()
					time.Sleep(d)
					synctest.Wait()
					if now := inUse.Load(); now != want {
						t.Errorf("after %v the part is %v, want %v", time.Since(begin), now, want)
					}
				}
				after(0, lostPart)
				stop := c.start(t.Context())
				after(0, .5)
				after(12*time.Second, .5) // renewed after 10
				row.change(func() { fail(row) })
				after(8*time.Second, .5)
				after(2*time.Second-1, .5)
				after(1, lostPart)
				after(time.Hour, lostPart)
				row.change(func() { row.err, row.hangs = nil, false })
				after(5*time.Second, .5)
				row.change(func() { row.part = .3 })
				after(5*time.Second, .3)
				row.change(func() { row.part = .4 }) // the others have not given theirs up yet
				after(5*time.Second, .4)
				row.change(func() { row.part = .5 })
				after(2*time.Second, .5)
				if err := stop(t.Context()); err != nil || !row.left {
					t.Errorf("left: %t, %v", row.left, err)
				}
				after(time.Hour, lostPart)
			})
		})
	}
}

// What is less is used before it is committed, and what is more only after that. A renewal that fails may have been
// committed: then the row has the other part, and the copy the lesser one.
func TestCopies_Order(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := 0.
		c := newCopies(nil, func(part float64) error { now = part; return nil }, quiet())
		renew := func(part, during float64, err error) {
			t.Helper()
			c.row = rowFunc(func(before float64, lower func(float64)) (float64, float64, error) {
				if part < before {
					lower(part)
				}
				if now != during {
					t.Errorf("%v is in use at the commit of %v, want %v", now, part, during)
				}
				return part, part, err
			})
			c.renew(t.Context())
		}
		renew(.5, lostPart, nil)
		renew(.2, .2, nil)
		renew(.4, .2, errors.New("unclear"))
		if now != .2 {
			t.Errorf("%v is in use", now)
		}
		renew(.1, .1, errors.New("unclear"))
		if now != .1 {
			t.Errorf("%v is in use", now)
		}
		// The part expires during a renewal that lowers it. That does not raise it again.
		c.row = rowFunc(func(before float64, lower func(float64)) (float64, float64, error) {
			time.Sleep(copyLost)
			synctest.Wait()
			lower(before / 2)
			if now != lostPart {
				t.Errorf("%v is in use", now)
			}
			return before / 2, before / 2, nil
		})
		c.renew(t.Context())
		if now != lostPart {
			t.Errorf("%v is in use after a renewal that took too long", now)
		}
	})
}

type rowFunc func(before float64, lower func(float64)) (part, share float64, err error)

func (f rowFunc) renew(_ context.Context, before float64, lower func(float64)) (part, share float64, err error) {
	return f(before, lower)
}

func (f rowFunc) leave(context.Context) error { return nil }
