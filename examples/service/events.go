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

// stream sends a text, and another one after each change of a session or of any session of an owner, until there are no more or
// somebody hangs up. next is the text, nil for none and the end, and whether another one may follow.
func (a *sessionAPI) stream(
	w http.ResponseWriter, r *http.Request, who *identity, idOrOwner string, next func() (text []byte, more bool),
) {
	if !a.streams.add(who.key) {
		refuse(w, r, kindTooFast.with(problemExtra{RetryAfter: time.Minute}))
		return
	}
	defer a.streams.remove(who.key)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
	changed, stop := a.desk.store.watch(idOrOwner)
	defer stop()
	control := http.NewResponseController(w)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		text, more := next()
		if text == nil {
			return // the caller connects again
		}
		// A write deadline for each write: the server's own would end the stream, and none would let a dead peer keep it.
		_ = control.SetWriteDeadline(time.Now().Add(2 * heartbeat))
		if _, err := w.Write(text); err != nil || control.Flush() != nil || !more {
			return
		}
		select {
		case <-changed:
		case <-beat.C:
			a.desk.adopt(r.Context(), who)
		case <-r.Context().Done():
			return
		case <-a.streams.ended:
			return
		}
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
	a.stream(w, r, who, s.id, func() ([]byte, bool) {
		now, err := a.desk.store.get(r.Context(), s.id)
		if err != nil || now == nil {
			return nil, false
		}
		view, text := now.view(prefixOf(r.Context()), time.Now()), []byte(signOfLife)
		if now.number != last {
			text, last = appendEvent(nil, view), now.number
		}
		return text, !view.State.hasEnded()
	})
}

// signOfLife is a comment, which clients skip.
const signOfLife = ": still here\n\n"

func appendEvent(text []byte, view sessionView) []byte {
	data, _ := json.Marshal(view) //nolint:errchkjson // texts, numbers and times
	return fmt.Appendf(text, "id: %d\nevent: session\ndata: %s\n\n", view.Number, data)
}
