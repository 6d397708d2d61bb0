package main

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// overlap is how many numbers before Last-Event-ID are sent again: a database may show a change after one with a higher number, by
// what all copies change in the five seconds that a transaction may take.
const overlap = 50_000

// ownEvents sends all sessions of the technician that changed after Last-Event-ID, and then every change, until somebody hangs
// up. The events are those of [sessionAPI.events]; callers ignore what they have.
func (a *sessionAPI) ownEvents(w http.ResponseWriter, r *http.Request, who *identity) {
	last, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64)
	if err != nil || last < a.streams.since {
		last = math.MinInt64 + overlap
	}
	known := map[string]sessionView{}
	a.stream(w, r, who, who.key, func() ([]byte, bool) {
		list, err := a.desk.store.history(r.Context(), who.key, maxHistory)
		if err != nil {
			return nil, false
		}
		return newEvents(prefixOf(r.Context()), list, known, last-overlap), true
	})
}

// newEvents are the events of sessions that are not known as they are now, or have a higher number than the one given, in the
// order of their numbers. They begin with a sign of life.
func newEvents(prefix string, list []*session, known map[string]sessionView, after int64) []byte {
	text := []byte(signOfLife)
	slices.SortFunc(list, func(a, b *session) int { return cmp.Compare(a.number, b.number) })
	for _, s := range list {
		view := s.view(prefix, time.Now())
		before, isKnown := known[s.id]
		known[s.id] = view
		if isKnown && before.Number == view.Number && before.State == view.State || !isKnown && s.number <= after {
			continue
		}
		text = appendEvent(text, view)
	}
	return text
}
