package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	// heartbeat keeps proxies from closing a stream in which nothing happens.
	heartbeat = 15 * time.Second
	// maxStreams is how many streams one technician may hold open.
	maxStreams = 20
)

// streams ends the event streams with the service, and counts them.
type streams struct {
	ended chan struct{}
	// since is the first number of this process, if what the process before it told last may be lost.
	since int64

	mu   sync.Mutex
	open map[string]int
}

func newStreams() *streams { return &streams{ended: make(chan struct{}), open: map[string]int{}} }

func (s *streams) add(owner string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[owner] >= maxStreams {
		return false
	}
	s.open[owner]++
	return true
}

func (s *streams) remove(owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[owner]--; s.open[owner] <= 0 {
		delete(s.open, owner)
	}
}

// events sends the session now and at every change, until it has ended. The events are named "session", their data is that
// of GET /sessions/{id}, and their id is the number of the session's latest change. A browser that connects again tells
// the last number that it has seen, and is not told the same once more; 204 keeps it from connecting for a session that has
// ended.
func (a *sessionAPI) events(w http.ResponseWriter, r *http.Request, who *identity, s *session) {
	last, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64)
	if err == nil && last == s.number && s.at(time.Now()).hasEnded() {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if !a.sites.add(who.key) {
		refuse(w, r, kindTooFast.with(problemExtra{RetryAfter: time.Minute}))
		return
	}
	defer a.sites.remove(who.key)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
	changed, stop := a.desk.store.watch(s.id)
	defer stop()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		now, err := a.desk.store.get(r.Context(), s.id)
		if err != nil || now == nil || !sendEvent(w, r, now, &last) {
			return // the browser connects again
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

// sendEvent sends a session, or a sign of life if it has not changed. It reports whether another event may follow.
func sendEvent(w http.ResponseWriter, r *http.Request, s *session, last *int64) bool {
	control := http.NewResponseController(w)
	// A write deadline for each event: the server's own would end the stream, and none would let a dead peer keep it.
	_ = control.SetWriteDeadline(time.Now().Add(2 * heartbeat))
	view := s.view(prefixOf(r.Context()), time.Now())
	text := ": still here\n\n"
	if s.number != *last {
		data, err := json.Marshal(view)
		if err != nil {
			return false
		}
		text = fmt.Sprintf("id: %d\nevent: session\ndata: %s\n\n", s.number, data)
		*last = s.number
	}
	_, err := w.Write([]byte(text))
	return err == nil && control.Flush() == nil && !view.State.hasEnded()
}
