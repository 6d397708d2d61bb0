package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// lookEvery is how late a change of a session is in the stream of all sessions at most.
const lookEvery = 500 * time.Millisecond

// ownEvents sends all sessions of the technician, and then every change. The events are those of [sessionAPI.events].
func (a *sessionAPI) ownEvents(w http.ResponseWriter, r *http.Request, who *identity) {
	if !a.sites.add(who.key) {
		refuse(w, r, kindTooFast.with(problemExtra{RetryAfter: time.Minute}))
		return
	}
	defer a.sites.remove(who.key)
	a.desk.adopt(r.Context(), who)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
	control := http.NewResponseController(w)
	beat, look := time.NewTicker(heartbeat), time.NewTicker(lookEvery)
	defer beat.Stop()
	defer look.Stop()
	known := map[string]int{}
	for text := []byte(": here\n\n"); ; {
		for _, view := range a.desk.history(who.key, 50) {
			if before, ok := known[view.ID]; ok && before == view.Number {
				continue
			}
			known[view.ID] = view.Number
			data, err := json.Marshal(view)
			if err != nil {
				return
			}
			text = fmt.Appendf(text, "id: %d\nevent: session\ndata: %s\n\n", view.Number, data)
		}
		if len(text) > 0 {
			_ = control.SetWriteDeadline(time.Now().Add(2 * heartbeat))
			if _, err := w.Write(text); err != nil || control.Flush() != nil {
				return
			}
		}
		text = text[:0]
		select {
		case <-look.C:
		case <-beat.C:
			text = append(text, ": still here\n\n"...)
		case <-r.Context().Done():
			return
		case <-a.sites.ended:
			return
		}
	}
}
