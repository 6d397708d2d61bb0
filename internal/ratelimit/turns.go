package ratelimit

import (
	"container/heap"
	"time"
)

// Turn is the place of one wait in the order of reads. It can be scheduled again once it has gone. A Turn must not be
// copied while it is scheduled.
type Turn struct {
	// Go is called each time the turn goes, with true if the wait may read now, and with false if its limit has passed and
	// it may not. It must not block, because one goroutine calls it for several turns. Two turns may go at the same time.
	Go func(read bool)

	due, limit, last time.Time
	ahead, overdue   bool
	places           [lists]int32 // one above the index in each list, zero if it is not there
}

// Order is what a wait asks for.
type Order struct {
	// Due is how long from now the read is due. Zero or less is at once.
	Due time.Duration

	// Limit, if not zero, is how long from now the wait has to be decided. A read that is due by then goes ahead of the
	// others from there on. If none is due, or while the service has throttled, the turn goes without a read.
	Limit time.Duration

	// Last is when the wait read last. Of the reads that are due, the one of the oldest goes first.
	Last time.Time

	// Ahead lets the read go ahead of others as soon as it is due.
	Ahead bool
}

// The lists in which a turn can be.
const (
	waiting = iota // the read is not due, or was not when somebody looked last
	ready          // it is due
	limited        // there is a limit, in addition to one of the two above
	lists
)

// turns is a heap of turns.
type turns struct {
	list   int // which of the lists it is
	before func(a, b *Turn) bool
	turns  []*Turn
}

func (h *turns) first() *Turn {
	if len(h.turns) == 0 {
		return nil
	}
	return h.turns[0]
}

func (h *turns) add(t *Turn) { heap.Push(h, t) }

// drop takes a turn out, and reports whether it was there.
func (h *turns) drop(t *Turn) bool {
	place := t.places[h.list]
	if place > 0 {
		heap.Remove(h, int(place)-1)
	}
	return place > 0
}

// Len implements [heap.Interface].
func (h *turns) Len() int { return len(h.turns) }

// Less implements [heap.Interface].
func (h *turns) Less(i, j int) bool { return h.before(h.turns[i], h.turns[j]) }

// Swap implements [heap.Interface].
func (h *turns) Swap(i, j int) {
	h.turns[i], h.turns[j] = h.turns[j], h.turns[i]
	h.turns[i].places[h.list], h.turns[j].places[h.list] = int32(i)+1, int32(j)+1
}

// Push implements [heap.Interface].
func (h *turns) Push(value any) {
	t, _ := value.(*Turn)
	h.turns = append(h.turns, t)
	t.places[h.list] = int32(len(h.turns))
}

// Pop implements [heap.Interface].
func (h *turns) Pop() any {
	last := len(h.turns) - 1
	t := h.turns[last]
	h.turns[last] = nil
	h.turns, t.places[h.list] = h.turns[:last], 0
	return t
}
