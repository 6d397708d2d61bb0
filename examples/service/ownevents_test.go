package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune/intunetest"
)

// watchAll gives the events of all sessions of the caller.
func (c *caller) watchAll(t *testing.T, lastEventID string) <-chan sessionView {
	t.Helper()
	response, err := c.http.Do(c.request(t.Context(), http.MethodGet, "/events", "", http.Header{"Last-Event-Id": {lastEventID}}))
	if err != nil {
		t.Fatal(err)
	}
	if got := response.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("content type %q", got)
	}
	events := make(chan sessionView, 100)
	go func() {
		defer response.Body.Close()
		defer close(events)
		id := ""
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			if number, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
				id = number
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var view sessionView
				if err := json.Unmarshal([]byte(data), &view); err != nil {
					t.Error(err)
				}
				if got := strconv.FormatInt(view.Number, 10); got != id {
					t.Errorf("the event %s has the number %s", id, got)
				}
				events <- view
			}
		}
	}()
	return events
}

// seen are the states that have arrived, by the session's id.
func seen(events <-chan sessionView) map[string][]state {
	synctest.Wait()
	all := map[string][]state{}
	for {
		select {
		case view, ok := <-events:
			if !ok {
				return all
			}
			all[view.ID] = append(all[view.ID], view.State)
		default:
			return all
		}
	}
}

// One stream has all sessions of a technician, and nobody else's.
func TestEventsOfAllSessions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		first := p.add("LT-1", intunetest.SessionScript{After: time.Minute})
		second := p.add("LT-2", intunetest.SessionScript{Never: true})
		other := p.add("LT-3", intunetest.SessionScript{Never: true})
		c := p.browser(dana)
		events := c.watchAll(t, "")
		if got := seen(events); len(got) != 0 {
			t.Errorf("before any session: %v", got)
		}
		begun := []string{c.begin(first, anyKey).ID, c.begin(second, anyKey+"2").ID}
		p.browser(robin).begin(other, anyKey)
		got := seen(events)
		if len(got) != 2 {
			t.Errorf("%d sessions: %v", len(got), got)
		}
		for _, id := range begun {
			if states := got[id]; !slices.Contains(states, stateWaiting) {
				t.Errorf("%s: %v", id, states)
			}
		}
		time.Sleep(2 * time.Minute) // on the fake clock
		got = seen(events)
		if states := got[begun[0]]; !slices.Equal(states, []state{stateReady}) {
			t.Errorf("the first one: %v", states)
		}
		if states := got[begun[1]]; len(states) != 0 {
			t.Errorf("the second one has not changed: %v", states)
		}

		// Nobody is told again what happened long before the last event, and that a session is too old now is told.
		var list struct{ Sessions []sessionView }
		answered := c.get("/sessions")
		answered.into(t, &list)
		last := max(list.Sessions[0].Number, list.Sessions[1].Number)
		again := c.watchAll(t, strconv.FormatInt(last, 10))
		if got := seen(again)[begun[1]]; len(got) != 0 {
			t.Errorf("again: %v", got)
		}
		time.Sleep(sessionLife)
		if got := seen(again)[begun[0]]; !slices.Equal(got[len(got)-1:], []state{stateExpired}) {
			t.Errorf("after an hour: %v", got)
		}
	})
}
