package ratelimit

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// longestGap bounds the time between two reads, so that no rate makes it overflow.
	longestGap = 1000 * time.Hour

	// debt bounds how far ahead of time reads that do not wait for a turn use up the budget.
	debt = 5 * time.Second

	// patience is how long after its limit a turn waits for its read.
	patience = 10 * time.Second
)

// Reads is the budget of reads that all waits share. While it has room, each reads when its read is due. When there are
// more reads than that, they go in the order of the waits' last reads, so that all have the same gaps and none starves.
// The budget halves when the service throttles, and recovers with the reads that succeed. While no turn is scheduled,
// there is neither a goroutine nor a timer. It is safe for concurrent use.
type Reads struct {
	mu       sync.Mutex
	throttle throttle
	went     time.Time // when a turn went for a read last
	used     time.Time // until when the reads so far use up the budget
	waiting  turns     // by the time when they are due
	ready    turns     // by the order in which they go
	limited  turns     // by their limits

	timer *time.Timer // nil while no turn is scheduled
	wakes time.Time   // when the timer fires
}

// NewReads makes a budget of so many reads a second, evenly spaced. With zero or less there is no limit but the pauses
// for which the service asks.
func NewReads(perSecond float64) *Reads {
	return &Reads{
		throttle: newThrottle(perSecond),
		waiting:  turns{list: waiting, before: func(a, b *Turn) bool { return a.due.Before(b.due) }},
		ready:    turns{list: ready, before: goesBefore},
		limited:  turns{list: limited, before: func(a, b *Turn) bool { return a.limit.Before(b.limit) }},
	}
}

// goesBefore is the order of reads that are due.
func goesBefore(a, b *Turn) bool {
	switch {
	case a.ahead != b.ahead:
		return a.ahead
	case a.last.Equal(b.last):
		return a.due.Before(b.due)
	}
	return a.last.Before(b.last)
}

// Schedule puts a turn into the order; if it is there already, it gets another place. It never calls Go itself.
func (r *Reads) Schedule(t *Turn, o Order) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(t)
	now := time.Now()
	t.due, t.last, t.ahead, t.overdue = now.Add(o.Due), o.Last, o.Ahead, false
	r.waiting.add(t)
	if o.Limit != 0 {
		t.limit = now.Add(o.Limit)
		r.limited.add(t)
	}
	r.arm(now)
}

// Cancel takes a turn out of the order. It reports whether the turn was there; if not, Go was called or is being called.
func (r *Reads) Cancel(t *Turn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.drop(t)
	r.arm(time.Now())
	return was
}

// Wait is a turn for a wait that has a goroutine of its own. It returns when the turn goes, with what [Turn.Go] is called
// with, or when the context ends, with its error.
func (r *Reads) Wait(ctx context.Context, o Order) (read bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	went := make(chan bool, 1)
	t := &Turn{Go: func(read bool) { went <- read }}
	r.Schedule(t, o)
	select {
	case read = <-went:
		return read, nil
	case <-ctx.Done():
		r.Cancel(t)
		return false, ctx.Err()
	}
}

// Charge is for a read that goes out at once. The turns make up for it, with at most every other read of theirs, so that
// they do not starve; what would take them more than some seconds is let off.
func (r *Reads) Charge() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.charge(time.Now())
}

func (r *Reads) charge(now time.Time) {
	gap := r.gap()
	r.used = earlier(later(r.used, now).Add(gap), now.Add(max(debt, 2*gap)))
}

// Throttled is for a read that was sent at a time and was refused: no turn goes for a read for so long, and the budget
// halves. It does not halve again for reads that were sent before it halved last.
func (r *Reads) Throttled(sent time.Time, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.throttle.refused(sent, wait)
}

// Succeeded is for a read that the service has answered.
func (r *Reads) Succeeded() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.throttle.accepted()
}

// SetRate makes it a budget of so many reads a second, as NewReads does, from now on: turns that wait go earlier or later. A
// budget that has halved stays the same part of the full one.
func (r *Reads) SetRate(perSecond float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, before := time.Now(), r.gap()
	r.throttle.setFull(perSecond)
	if owed := r.used.Sub(now); owed > 0 { // for so many reads, and not for so long
		gap := r.gap()
		reads := float64(owed) / float64(max(before, 1))
		r.used = now.Add(time.Duration(min(reads*float64(gap), float64(max(debt, 2*gap)))))
	}
	r.arm(now)
}

// State is the budget at the moment, in reads a second, negative for no limit, and until when no turn goes for a read.
func (r *Reads) State() (perSecond float64, pausedUntil time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.throttle.state()
}

// wake is what the timer calls.
func (r *Reads) wake() {
	for _, call := range r.due() {
		call.do(call.read)
	}
}

// goes is a turn that goes, with or without a read.
type goes struct {
	do   func(read bool)
	read bool
}

// due takes the turns that go now out of the order.
func (r *Reads) due() (gone []goes) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for t := r.waiting.first(); t != nil && !t.due.After(now); t = r.waiting.first() {
		r.waiting.drop(t)
		r.ready.add(t)
	}
	for t := r.limited.first(); t != nil && !t.limit.After(now); t = r.limited.first() {
		if !r.hurry(t, now) {
			r.drop(t)
			gone = append(gone, goes{t.Go, false})
		}
	}
	for t := r.ready.first(); t != nil && !r.free().After(now); t = r.ready.first() {
		r.drop(t)
		r.charge(now)
		r.went = now
		gone = append(gone, goes{t.Go, true})
	}
	r.arm(now)
	return gone
}

// hurry lets a turn whose limit has passed go ahead of the others. It reports whether a read can still be expected.
func (r *Reads) hurry(t *Turn, now time.Time) bool {
	if t.overdue || r.throttle.paused.After(now) || !r.ready.drop(t) {
		return false
	}
	r.limited.drop(t)
	t.ahead, t.overdue, t.limit = true, true, now.Add(patience)
	r.ready.add(t)
	r.limited.add(t)
	return true
}

func (r *Reads) drop(t *Turn) bool {
	r.limited.drop(t)
	return r.waiting.drop(t) || r.ready.drop(t)
}

// free is when the budget has room for the next turn.
func (r *Reads) free() time.Time {
	gap := r.gap()
	next := r.went.Add(gap)
	return later(later(next, earlier(r.used, next.Add(gap))), r.throttle.paused)
}

// gap is the time between two reads.
func (r *Reads) gap() time.Duration {
	if r.throttle.rate == rate.Inf {
		return 0
	}
	return time.Duration(math.Ceil(min(float64(time.Second)/float64(r.throttle.rate), float64(longestGap))))
}

// arm sets the timer to when there is something to do.
func (r *Reads) arm(now time.Time) {
	var next time.Time
	switch free := r.free(); {
	case r.ready.first() != nil:
		next = later(free, now)
	case r.waiting.first() != nil:
		next = later(later(free, r.waiting.first().due), now)
	default:
		if r.timer != nil {
			r.timer.Stop()
			r.timer = nil
		}
		return
	}
	if t := r.limited.first(); t != nil {
		next = earlier(next, later(t.limit, now))
	}
	switch {
	case r.timer == nil:
		r.timer = time.AfterFunc(next.Sub(now), r.wake)
	case !next.Equal(r.wakes):
		r.timer.Reset(next.Sub(now))
	}
	r.wakes = next
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
