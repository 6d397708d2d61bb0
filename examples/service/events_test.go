package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune/intunetest"
)

// watch collects the states of a session's stream.
func (c *caller) watch(ctx context.Context, id string) (<-chan []state, *http.Response) {
	c.tb.Helper()
	response, err := c.http.Do(c.request(ctx, http.MethodGet, "/sessions/"+id+"/events", "", nil))
	if err != nil {
		c.tb.Fatal(err)
	}
	seen := make(chan []state, 1)
	go func() {
		defer response.Body.Close()
		var list []state
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var view sessionView
				if err := json.Unmarshal([]byte(data), &view); err != nil {
					c.tb.Error(err)
				}
				list = append(list, view.State)
			}
		}
		seen <- list
	}()
	return seen, response
}

func TestEventsTellEachChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1", intunetest.SessionScript{After: time.Minute})
		c := p.browser(dana)
		id := c.begin(device, anyKey).ID
		seen, response := c.watch(t.Context(), id)
		if got := response.Header.Get("Content-Type"); got != "text/event-stream" {
			t.Errorf("content type %q", got)
		}
		if got, want := <-seen, []state{stateWaiting, stateReady}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func TestEventsEndWithTheCallerAndTheService(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1", intunetest.SessionScript{Never: true})
		c := p.browser(dana)
		id := c.begin(device, anyKey).ID
		ctx, cancel := context.WithCancel(t.Context())
		gone, _ := c.watch(ctx, id)
		stays, _ := c.watch(t.Context(), id)
		cancel()
		<-gone
		synctest.Wait()
		if n := p.service.streams.open[identityKeyOf(p, dana)]; n != 1 {
			t.Errorf("%d streams are open", n)
		}
		p.close()
		if got := <-stays; len(got) == 0 || got[len(got)-1] != stateWaiting {
			t.Errorf("%q", got)
		}
	})
}

func identityKeyOf(p *place, who person) string { return p.entra.tenantID + ":" + who.objectID }

func TestEventsAreLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		c := p.browser(dana)
		id := c.begin(p.add("LT-1", intunetest.SessionScript{Never: true}), anyKey).ID
		for range maxStreams {
			c.watch(t.Context(), id)
		}
		c.refused(c.get("/sessions/"+id+"/events"), kindTooFast)
		c.refused(c.get("/events"), kindTooFast)
	})
}

func TestEventsAreKeptAlive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		c := p.browser(dana)
		id := c.begin(p.add("LT-1", intunetest.SessionScript{Never: true}), anyKey).ID
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Second)
		defer cancel()
		response, err := c.http.Do(c.request(ctx, http.MethodGet, "/sessions/"+id+"/events", "", nil))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body) // ends with the context
		if n := strings.Count(string(text), ": still here"); n != 4 {
			t.Errorf("%d signs of life in a minute: %q", n, text)
		}
	})
}

// lastID is the id of the last event of a stream that has ended, or that a restart is to end.
func (c *caller) lastID(id string) string {
	c.tb.Helper()
	ctx, cancel := context.WithTimeout(c.tb.Context(), time.Second)
	defer cancel()
	response, err := c.http.Do(c.request(ctx, http.MethodGet, "/sessions/"+id+"/events", "", nil))
	if err != nil {
		c.tb.Fatal(err)
	}
	defer response.Body.Close()
	last := ""
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			last = text
		}
	}
	return last
}

// A browser that connects again says what it has seen, also to the next process.
func TestEventsGoOnAfterARestart(t *testing.T) {
	t.Parallel()
	for name, restart := range restarts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				ready, waiting := p.add("LT-1"), p.add("LT-2", intunetest.SessionScript{Never: true})
				c := p.program(dana)
				r, w := c.begin(ready, "key-000r").ID, c.begin(waiting, "key-000w").ID
				time.Sleep(time.Minute)
				seenReady, seenWaiting := c.lastID(r), c.lastID(w)
				restart(p)
				again := func(id, last string) reply {
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					response, err := c.http.Do(c.request(ctx, http.MethodGet, "/sessions/"+id+"/events", "", http.Header{"Last-Event-Id": {last}}))
					if err != nil {
						t.Fatal(err)
					}
					defer response.Body.Close()
					text, _ := io.ReadAll(response.Body) // ends with the context
					return reply{response.StatusCode, response.Header, string(text)}
				}
				if got := again(r, seenReady); got.status != http.StatusNoContent {
					t.Errorf("what was seen: %d %q", got.status, got.body)
				}
				if got := again(r, "1"); !strings.Contains(got.body, "id: "+seenReady+"\n") {
					t.Errorf("what was not seen: %d %q, want the event %s", got.status, got.body, seenReady)
				}
				got := again(w, seenWaiting) // the wait was interrupted, and goes on
				if !strings.Contains(got.body, `"waiting"`) {
					t.Errorf("what has changed since: %d %q", got.status, got.body)
				}
				if strings.Contains(got.body, "id: "+seenWaiting+"\n") {
					t.Errorf("the number of an earlier change: %q", got.body)
				}
			})
		})
	}
}
