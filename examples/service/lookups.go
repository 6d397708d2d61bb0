package main

import (
	"context"
	"net/http"
	"sync"
)

// lookupsAtOnce is how many reads of Intune one person's requests make at the same time; more wait for their turn.
const lookupsAtOnce = 2

// lookups are requests that people wait for, and that do nothing but read Intune: each person makes so many in a minute, and
// few at a time, and all together they keep a pace, so that they leave room for the waits for links.
type lookups struct {
	limits limits
	pace   *pace

	mu     sync.Mutex
	places map[string]*places
}

// places are one person's.
type places struct {
	taken chan struct{}
	users int // requests that have one or wait for one
}

func newLookups(l limits, p *pace) *lookups {
	return &lookups{limits: l, pace: p, places: map[string]*places{}}
}

// limited lets a request through when its turn has come.
func (l *lookups) limited(
	what use, next func(http.ResponseWriter, *http.Request, *identity),
) func(http.ResponseWriter, *http.Request, *identity) {
	return func(w http.ResponseWriter, r *http.Request, who *identity) {
		leave, p := l.enter(r.Context(), who.key, what)
		if p != nil {
			refuse(w, r, p)
			return
		}
		defer leave()
		next(w, r, who)
	}
}

// enter waits for a turn. leave has to be called if there is no problem.
func (l *lookups) enter(ctx context.Context, owner string, what use) (leave func(), p *problem) {
	if wait := l.limits.take(ctx, owner, what); wait > 0 {
		return nil, kindTooFast.with(problemExtra{RetryAfter: wait})
	}
	ctx, cancel := context.WithTimeout(ctx, searchWithin)
	defer cancel()
	own := l.join(owner)
	select {
	case own.taken <- struct{}{}:
	case <-ctx.Done():
		l.part(owner)
		return nil, kindThrottled.because(ctx.Err())
	}
	leave = func() {
		<-own.taken
		l.part(owner)
	}
	if p := l.pace.wait(ctx, what.reads); p != nil {
		leave()
		return nil, p
	}
	return leave, nil
}

func (l *lookups) join(owner string) *places {
	l.mu.Lock()
	defer l.mu.Unlock()
	own := l.places[owner]
	if own == nil {
		own = &places{taken: make(chan struct{}, lookupsAtOnce)}
		l.places[owner] = own
	}
	own.users++
	return own
}

func (l *lookups) part(owner string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	own := l.places[owner]
	if own.users--; own.users == 0 {
		delete(l.places, owner)
	}
}
