package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A fault is arranged, met, and removed.
func TestFaults(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	action := devicesPath + "/" + laptop + "/requestRemoteAssistance"
	const unavailable = `{"method": "post", "pathSuffix": "/requestRemoteAssistance", "status": 503,
		"header": {"retry-after": ["2"]}, "code": "C", "message": "M"}`
	a := s.send(t, http.MethodPost, "/_tenant/fault", unavailable)
	if a.status != http.StatusCreated || !strings.Contains(a.body, `"pendingFaults":1`) {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := s.send(t, http.MethodGet, devicesPath, ""); a.status != http.StatusOK {
		t.Errorf("another request: %d", a.status)
	}
	a = s.send(t, http.MethodPost, action, "")
	if delay := a.header.Get("Retry-After"); a.status != http.StatusServiceUnavailable || delay != "2" {
		t.Errorf("%d with the Retry-After %q", a.status, delay)
	}
	contains(t, "the fault", a.body, `"message":"M"`)
	if state := s.state(t); state.PendingFaults != 0 || state.Prompts != 0 {
		t.Errorf("%d faults, %d prompts", state.PendingFaults, state.Prompts)
	}

	// A connection that breaks after the service acted is in the log, too.
	s.send(t, http.MethodPost, "/_tenant/fault", `{"drop": "after", "effect": true}`)
	if a, err := s.try(t, http.MethodPost, action, "{}"); err == nil {
		t.Errorf("an answer: %+v", a)
	}
	state := s.state(t)
	last := state.Requests[0]
	if got := [...]string{last.Method, last.Path, last.Body}; got != [...]string{http.MethodPost, action, "{}"} || last.Status != 0 {
		t.Errorf("%+v", last)
	}
	if state.Prompts < 1 {
		t.Error("nobody was asked")
	}

	s.send(t, http.MethodPost, "/_tenant/fault", `{"status": 500, "times": -1}`)
	if a := s.send(t, http.MethodDelete, "/_tenant/fault", ""); a.status != http.StatusNoContent {
		t.Errorf("DELETE: %d", a.status)
	}
	if a := s.send(t, http.MethodGet, devicesPath, ""); a.status != http.StatusOK {
		t.Errorf("after DELETE: %d %s", a.status, a.body)
	}
}

// The clock moves on, and everything becomes as it was.
func TestClockAndReset(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	before := s.state(t).Time
	var clock struct{ Time time.Time }
	a := s.send(t, http.MethodPost, "/_tenant/clock", `{"advance": "24h"}`)
	if err := json.Unmarshal([]byte(a.body), &clock); err != nil || a.status != http.StatusOK {
		t.Errorf("clock: %d %s", a.status, a.body)
	}
	if ahead := clock.Time.Sub(before); ahead < 24*time.Hour {
		t.Errorf("the clock went on by %v", ahead)
	}
	s.send(t, http.MethodPost, devicesPath+"/"+laptop+"/requestRemoteAssistance", "")
	s.send(t, http.MethodPost, "/_tenant/fault", `{"status": 500}`)
	s.send(t, http.MethodPost, "/contoso/oauth2/v2.0/devicecode", "client_id=app", header("Content-Type", "application/x-www-form-urlencoded"))
	type counts struct {
		prompts, requests, shown, faults, signIns int
		pending                                   bool
	}
	countsOf := func(s state) counts {
		return counts{s.Prompts, s.RequestCount, len(s.Requests), s.PendingFaults, len(s.SignIns), s.Devices[0].Pending}
	}
	if got, want := countsOf(s.state(t)), (counts{1, 1, 1, 1, 1, true}); got != want {
		t.Errorf("before: %+v, want %+v", got, want)
	}
	if a := s.send(t, http.MethodPost, "/_tenant/reset", ""); a.status != http.StatusNoContent {
		t.Errorf("reset: %d %s", a.status, a.body)
	}
	state := s.state(t)
	if got := countsOf(state); got != (counts{}) {
		t.Errorf("after: %+v", got)
	}
	if ahead := state.Time.Sub(before); ahead > time.Hour {
		t.Errorf("after: the clock is %v ahead", ahead)
	}
}

// What the state shows of a request, and that it shows no token.
func TestRequestsInTheState(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	s.send(t, http.MethodGet, devicesPath+"/"+laptop+"?$select=id", "")
	s.send(t, http.MethodPost, "/v1.0//deviceManagement/../x", "\xff\x00")
	s.send(t, http.MethodPost, "/v1.0/$batch", strings.Repeat("x", 10_000))
	got := s.state(t).Requests
	if len(got) != 3 {
		t.Fatalf("%+v", got)
	}
	first := got[2]
	if first.Number != 1 || first.Query != "$select=id" {
		t.Errorf("the first is number %d, with the query %q", first.Number, first.Query)
	}
	if first.Status != http.StatusOK || first.Time.IsZero() {
		t.Errorf("the first was answered %d at %v", first.Status, first.Time)
	}
	contains(t, "the first answer", first.Answer, laptop)
	// The path arrives as it was sent: nothing cleans it or redirects.
	second := got[1]
	if second.Path != "/v1.0//deviceManagement/../x" || second.Body != "(2 bytes that are no text)" {
		t.Errorf("the second is %q with the body %q", second.Path, second.Body)
	}
	if second.Status != http.StatusBadRequest {
		t.Errorf("the second was answered %d", second.Status)
	}
	if third := got[0]; len(third.Body) > 9000 || !strings.HasSuffix(third.Body, "… (10000 bytes)") {
		t.Errorf("%.100s", third.Body)
	}
	if a := s.send(t, http.MethodGet, "/_tenant/state", ""); strings.Contains(a.body, "secret-token") {
		t.Error("the token is shown")
	}
	// A compressed body is shown as it reads; the time is the tenant's.
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, err := io.WriteString(w, `{"display`)
	if err := cmp.Or(err, w.Flush()); err != nil {
		t.Fatal(err)
	}
	begun := zipped.String()
	_, err = io.WriteString(w, `Name": "TV"}`)
	if err := cmp.Or(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{
		zipped.String(): `{"displayName": "TV"}`, `{"plain": 1}`: `{"plain": 1}`, begun: `{"display`,
	} {
		s.send(t, http.MethodPost, "/_tenant/reset", "")
		s.send(t, http.MethodPost, "/_tenant/clock", `{"advance": "24h"}`)
		s.send(t, http.MethodPost, "/v1.0/deviceManagement/remoteAssistancePartners", body, header("Content-Encoding", "gzip"))
		if got := s.state(t).Requests[0]; got.Body != want || time.Until(got.Time) < 23*time.Hour {
			t.Errorf("%q: shown as %q, at %v", body, got.Body, got.Time)
		}
	}
	s.send(t, http.MethodPost, "/_tenant/reset", "")
	for range 123 {
		s.send(t, http.MethodGet, "/v1.0/groups", "")
	}
	state := s.state(t)
	if len(state.Requests) != 100 || state.RequestCount != 123 {
		t.Fatalf("%d of %d requests, want 100 of 123", len(state.Requests), state.RequestCount)
	}
	if n := state.Requests[0].Number; n != 123 {
		t.Errorf("the newest is number %d", n)
	}
}

// What cannot be used is refused with what would be right, and changes nothing.
func TestControlRefusals(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		says                     string
		change                   func(*http.Request)
	}{
		{name: "nothing there", method: "GET", path: "/_tenant/nothing", status: 404, says: "docs/testing.md"},
		{name: "wrong method", method: "GET", path: "/_tenant/reset", status: 404, says: "GET /_tenant/reset"},
		{name: "not JSON", method: "POST", path: "/_tenant/fault", body: "{", status: 400, says: "unexpected EOF"},
		{name: "empty", method: "POST", path: "/_tenant/fault", status: 400, says: "the body: it is empty"},
		{name: "misspelled", method: "POST", path: "/_tenant/fault", body: `{"state": 500}`, status: 400, says: "state"},
		{name: "impossible status", method: "POST", path: "/_tenant/fault", body: `{"status": 42}`, status: 400, says: "between 200 and 999"},
		{name: "informational status", method: "POST", path: "/_tenant/fault", body: `{"status": 100}`, status: 400, says: "between 200 and 999"},
		{name: "drop", method: "POST", path: "/_tenant/fault", body: `{"drop": "now"}`, status: 400, says: "connect, before or after"},
		{name: "backwards", method: "POST", path: "/_tenant/clock", body: `{"advance": "-1s"}`, status: 400, says: "above zero"},
		{name: "no duration", method: "POST", path: "/_tenant/clock", body: `{"advance": "soon"}`, status: 400, says: "1m30s"},
		{
			name: "no such code", method: "POST", path: "/_tenant/sign-in", body: `{"userCode": "X", "userPrincipalName": "a"}`,
			status: 404, says: "nobody waits",
		},
		{name: "nobody", method: "POST", path: "/_tenant/sign-in", body: `{"userCode": "X"}`, status: 400, says: "who signs in"},
		{
			name: "a form", method: "POST", path: "/_tenant/fault", body: `{}`, change: header("Content-Type", "text/plain"),
			status: 415, says: "application/json",
		},
		{name: "another site's page", method: "POST", path: "/_tenant/reset", status: 403, change: header("Origin", "https://elsewhere.example")},
		{
			name: "another site's page, new browser", method: "POST", path: "/_tenant/reset", change: header("Sec-Fetch-Site", "cross-site"),
			status: 403,
		},
		{
			name: "a name that was made to point here", method: "GET", path: "/_tenant/state",
			change: func(r *http.Request) { r.Host = "elsewhere.example" },
			status: 421, says: "the address that the server printed",
		},
	} {
		change := c.change
		if change == nil {
			change = func(*http.Request) {}
		}
		if a := s.send(t, c.method, c.path, c.body, change); a.status != c.status || !strings.Contains(a.body, c.says) {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
		}
	}
	if n := s.state(t).PendingFaults; n != 0 {
		t.Errorf("%d faults", n)
	}
	// Graph itself is answered under any name, since clients can be made to believe it is graph.microsoft.com.
	if a := s.send(t, http.MethodGet, devicesPath, "", func(r *http.Request) { r.Host = "graph.microsoft.com" }); a.status != http.StatusOK {
		t.Errorf("Graph's own name: %d", a.status)
	}
}
