package main

import (
	"encoding/json"
	"fmt"
	"net/http"
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

// events sends the session now and at every change, until it has ended. The events are named "session", and their data is
// that of GET /sessions/{id}.
func (a *sessionAPI) events(w http.ResponseWriter, r *http.Request, who *identity, s *oldSession) {
	if !a.sites.add(who.key) {
		refuse(w, r, kindTooFast.with(problemExtra{RetryAfter: time.Minute}))
		return
	}
	defer a.sites.remove(who.key)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
	control := http.NewResponseController(w)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for last := -1; ; {
		view, sequence, changed := s.view()
		// A write deadline for each event: the server's own would end the stream, and none would let a dead peer keep it.
		_ = control.SetWriteDeadline(time.Now().Add(2 * heartbeat))
		text := ": still here\n\n"
		if sequence != last {
			data, err := json.Marshal(view)
			if err != nil {
				return
			}
			text = fmt.Sprintf("id: %d\nevent: session\ndata: %s\n\n", sequence, data)
			last = sequence
		}
		if _, err := w.Write([]byte(text)); err != nil || control.Flush() != nil || view.State.hasEnded() {
			return
		}
		select {
		case <-changed:
		case <-beat.C:
		case <-r.Context().Done():
			return
		case <-a.sites.ended:
			return
		}
	}
}
