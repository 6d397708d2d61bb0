package main

import (
	"cmp"
	"encoding/json"
	"fmt"
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
	if !a.sites.add(who.key) {
		refuse(w, r, kindTooFast.with(problemExtra{RetryAfter: time.Minute}))
		return
	}
	defer a.sites.remove(who.key)
	last, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64)
	if err != nil || last < a.sites.since {
		last = math.MinInt64 + overlap
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
	changed, stop := a.desk.store.watch(who.key)
	defer stop()
	control := http.NewResponseController(w)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for known := map[string]sessionView{}; ; {
		list, err := a.desk.store.history(r.Context(), who.key, maxHistory)
		if err != nil {
			return // the page connects again
		}
		// A write deadline for each write: the server's own would end the stream, and none would let a dead peer keep it.
		_ = control.SetWriteDeadline(time.Now().Add(2 * heartbeat))
		if _, err := w.Write(newEvents(prefixOf(r.Context()), list, known, last-overlap)); err != nil || control.Flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-beat.C:
			a.desk.adopt(r.Context(), who)
		case <-r.Context().Done():
			return
		case <-a.sites.ended:
			return
		}
	}
}

// newEvents are the events of sessions that are not known as they are now, or have a higher number than the one given, in the
// order of their numbers. They begin with a sign of life.
func newEvents(prefix string, list []*session, known map[string]sessionView, after int64) []byte {
	text := []byte(": here\n\n")
	slices.SortFunc(list, func(a, b *session) int { return cmp.Compare(a.number, b.number) })
	for _, s := range list {
		view := s.view(prefix, time.Now())
		before, isKnown := known[s.id]
		known[s.id] = view
		if isKnown && before.Number == view.Number && before.State == view.State || !isKnown && s.number <= after {
			continue
		}
		if data, err := json.Marshal(view); err == nil {
			text = fmt.Appendf(text, "id: %d\nevent: session\ndata: %s\n\n", s.number, data)
		}
	}
	return text
}
