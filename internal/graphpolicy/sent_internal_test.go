package graphpolicy

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"testing"
)

// hooks are those of a trace, called in the orders in which Go's transports and those around them call them.
type hooks struct{ *httptrace.ClientTrace }

const (
	own, other, proxy = "graph.microsoft.com:443", "login.example:443", "proxy.example:3128"
	graph, login      = "graph.microsoft.com", "login.example"
)

// request calls the hooks of a request of protocol 1 or 2, with the values of its headers, the host's first.
func (h hooks) request(protocol int, host string, values ...string) {
	name := "Host"
	if protocol == 2 {
		name = ":authority"
	}
	h.WroteHeaderField(name, []string{host})
	for _, value := range values {
		h.WroteHeaderField("X", []string{value})
	}
	h.WroteHeaders()
}

func (h hooks) fresh() { h.GotConn(httptrace.GotConnInfo{}) }
func (h hooks) used()  { h.GotConn(httptrace.GotConnInfo{Reused: true, Conn: &net.TCPConn{}}) }

// newTrace makes the trace of a request to Graph. ended tells whether the trace has ended the try.
func newTrace(t *testing.T, bare bool) (trace *sendTrace, ended func() bool) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	req := &http.Request{URL: &url.URL{Host: graph}, Header: http.Header{"Client-Request-Id": {"own-id"}, "Authorization": {"Bearer own"}}}
	return newSendTrace(req, own, bare, cancel), func() bool {
		return context.Cause(ctx) == errRepeated //nolint:errorlint // the cause is this very value
	}
}

// What is learned from the hooks: of a bare transport whether the request may have been sent, of another one whether it
// has had a connection; of both, whether it wants a second one that it must not have.
func TestSentIsLearnedFromTheTrace(t *testing.T) {
	t.Parallel()
	type learned struct{ sent, ends bool }
	for name, c := range map[string]struct {
		hooks       func(hooks)
		bare, other learned
	}{
		"no hooks":             {func(hooks) {}, learned{false, false}, learned{false, false}},
		"no connection":        {func(h hooks) { h.GetConn(own) }, learned{false, false}, learned{false, false}},
		"no connection, twice": {func(h hooks) { h.GetConn(own); h.GetConn(own) }, learned{false, false}, learned{false, false}},
		"a connection":         {func(h hooks) { h.GetConn(own); h.fresh() }, learned{true, false}, learned{true, false}},
		"HTTP/1, headers":      {func(h hooks) { h.GetConn(own); h.fresh(); h.request(1, graph) }, learned{true, false}, learned{true, false}},
		"name in upper case":   {func(h hooks) { h.GetConn("GRAPH.microsoft.com:443"); h.fresh() }, learned{true, false}, learned{true, false}},
		"connection at the second attempt": {
			func(h hooks) { h.GetConn(own); h.GetConn(own); h.fresh() }, learned{true, false}, learned{true, false},
		},
		"HTTP/1 replaces a used connection to which nothing was written": {
			func(h hooks) { h.GetConn(own); h.used(); h.request(1, graph); h.GetConn(own) }, learned{true, false}, learned{true, true},
		},
		"HTTP/1 replaces a used connection after an answer has begun": {
			func(h hooks) { h.GetConn(own); h.used(); h.request(1, graph); h.GotFirstResponseByte(); h.GetConn(own) },
			learned{true, true},
			learned{true, true},
		},
		"HTTP/1 replaces a used connection after another call's answer": {
			func(h hooks) { h.GetConn(own); h.used(); h.GotFirstResponseByte(); h.request(1, graph); h.GetConn(own) },
			learned{true, false},
			learned{true, true},
		},
		"HTTP/1 after a fresh connection": {
			func(h hooks) { h.GetConn(own); h.fresh(); h.request(1, graph); h.GetConn(own) }, learned{true, true}, learned{true, true},
		},
		"HTTP/1 after a second, fresh connection": {
			func(h hooks) {
				h.GetConn(own)
				h.used()
				h.request(1, graph)
				h.GetConn(own)
				h.fresh()
				h.request(1, graph)
				h.GetConn(own)
			}, learned{true, true}, learned{true, true},
		},
		"HTTP/1 after another call's connection": {
			func(h hooks) {
				h.GetConn(own)
				h.fresh()
				h.request(1, graph)
				h.GetConn(other)
				h.used()
				h.GetConn(own)
			}, learned{true, true}, learned{true, true},
		},
		"HTTP/1 on the second connection": {
			func(h hooks) {
				h.GetConn(own)
				h.used()
				h.request(1, graph)
				h.GetConn(own)
				h.fresh()
				h.request(1, graph)
			}, learned{true, false}, learned{true, true},
		},
		"HTTP/1, another host is named": {
			func(h hooks) { h.GetConn(own); h.fresh(); h.request(1, login); h.GetConn(own) }, learned{true, true}, learned{true, true},
		},
		"HTTP/2 wants to send again": {
			func(h hooks) { h.GetConn(own); h.used(); h.request(2, graph, "x"); h.GetConn(own) }, learned{true, true}, learned{true, true},
		},
		"HTTP/2 sends again on a connection that another request asked for": {
			func(h hooks) { h.GetConn(own); h.used(); h.request(2, graph); h.used(); h.request(2, graph) }, learned{true, true}, learned{true, true},
		},
		"HTTP/2 on a connection that another request asked for": {
			func(h hooks) { h.used(); h.request(2, graph) }, learned{true, false}, learned{true, false},
		},
		"HTTP/2, another call after on the connection of a third": {
			func(h hooks) { h.GetConn(own); h.used(); h.request(2, graph); h.used(); h.request(2, login) },
			learned{true, false},
			learned{true, false},
		},
		"HTTP/2, the first connection had no room": {
			func(h hooks) { h.GetConn(own); h.used(); h.GetConn(own); h.fresh(); h.request(2, graph) }, learned{true, false}, learned{true, true},
		},
		"HTTP/2, the first connection had no room, and no other came": {
			func(h hooks) { h.GetConn(own); h.used(); h.GetConn(own) }, learned{true, false}, learned{true, true},
		},
		"HTTP/1, the host is written otherwise": {
			func(h hooks) { h.GetConn(own); h.fresh(); h.request(1, own); h.GetConn(own) }, learned{true, true}, learned{true, true},
		},
		"two at a time": {
			func(h hooks) { h.GetConn(own); h.GetConn(own); h.fresh(); h.fresh() }, learned{true, false}, learned{true, true},
		},
		"two at a time, one without a connection": {
			func(h hooks) { h.GetConn(own); h.GetConn(own); h.fresh(); h.request(1, graph) }, learned{true, false}, learned{true, false},
		},
		"another call's headers while it waits": {
			func(h hooks) {
				h.GetConn(other)
				h.fresh()
				h.GetConn(own)
				h.request(2, login)
				h.GetConn(own)
				h.fresh()
			}, learned{true, false}, learned{true, true},
		},
		"another call before, not reached": {
			func(h hooks) { h.GetConn(other); h.fresh(); h.request(2, login, "Bearer other"); h.GetConn(own) },
			learned{false, false},
			learned{false, false},
		},
		"two other calls before": {
			func(h hooks) {
				for range 2 {
					h.GetConn(other)
					h.used()
					h.request(2, login)
				}
				h.GetConn(own)
				h.fresh()
				h.request(2, graph)
			}, learned{true, false}, learned{true, false},
		},
		"another call after": {
			func(h hooks) { h.GetConn(own); h.fresh(); h.request(2, graph); h.GetConn(other); h.fresh() },
			learned{true, false},
			learned{true, false},
		},
		"two other calls after": {
			func(h hooks) {
				h.GetConn(own)
				h.fresh()
				h.request(1, graph)
				for range 2 {
					h.GetConn(other)
					h.fresh()
					h.request(1, login)
				}
			}, learned{true, false}, learned{true, false},
		},
		"another call while it waits, connection to either": {
			func(h hooks) { h.GetConn(own); h.GetConn(other); h.fresh() }, learned{true, false}, learned{true, false},
		},
		"another call while it waits, connections to both": {
			func(h hooks) { h.GetConn(own); h.GetConn(other); h.fresh(); h.fresh() }, learned{true, false}, learned{true, false},
		},
		"another call before, which tells no headers": {
			func(h hooks) { h.GetConn(other); h.fresh(); h.WroteHeaders(); h.GetConn(own) }, learned{false, false}, learned{true, true},
		},
		"headers, and no connection told of": {
			func(h hooks) { h.request(1, graph, "own-id"); h.GetConn(own) }, learned{false, false}, learned{true, true},
		},
		"another call's headers, and no connection told of": {
			func(h hooks) { h.request(1, login, "Bearer other"); h.GetConn(own) }, learned{false, false}, learned{false, false},
		},
		"an answer, and no connection told of": {
			func(h hooks) { h.GotFirstResponseByte(); h.GetConn(own) }, learned{false, false}, learned{true, true},
		},
		"an answer, and nothing else": {func(h hooks) { h.GotFirstResponseByte() }, learned{false, false}, learned{true, false}},
		"another call's answer": {
			func(h hooks) {
				h.GetConn(other)
				h.fresh()
				h.request(2, login)
				h.GotFirstResponseByte()
				h.GetConn(own)
			},
			learned{false, false},
			learned{false, false},
		},
		"behind a proxy":              {func(h hooks) { h.GetConn(proxy); h.fresh() }, learned{true, false}, learned{true, false}},
		"behind a proxy, not reached": {func(h hooks) { h.GetConn(proxy) }, learned{false, false}, learned{false, false}},
		"behind a proxy, HTTP/2 once more": {
			func(h hooks) { h.GetConn(proxy); h.used(); h.request(2, graph); h.GetConn(proxy) }, learned{true, true}, learned{true, true},
		},
		"behind a proxy, HTTP/1 once more": {
			func(h hooks) { h.GetConn(proxy); h.used(); h.request(1, graph); h.GetConn(proxy) }, learned{true, false}, learned{true, true},
		},
		"behind a proxy, the host is written otherwise, once more": {
			func(h hooks) { h.GetConn(proxy); h.fresh(); h.request(1, own, "x"); h.GetConn(proxy) }, learned{true, true}, learned{true, true},
		},
		"behind a proxy, no mark": {
			func(h hooks) { h.GetConn(proxy); h.fresh(); h.request(1, login) }, learned{true, false}, learned{false, false},
		},
		"behind a proxy, another call before": {
			func(h hooks) {
				h.GetConn(proxy)
				h.used()
				h.request(1, login, "Bearer other")
				h.GetConn(proxy)
				h.fresh()
				h.request(1, graph)
			}, learned{true, false}, learned{true, false},
		},
		"through a proxy, and then no direct connection": {
			func(h hooks) { h.GetConn(proxy); h.used(); h.request(1, graph); h.GetConn(own) }, learned{true, false}, learned{true, true},
		},
		"through a proxy, and then directly": {
			func(h hooks) { h.GetConn(proxy); h.fresh(); h.request(1, graph); h.GetConn(own); h.fresh() }, learned{true, true}, learned{true, true},
		},
		"through a relay, twice, known by the id": {
			func(h hooks) { h.GetConn(other); h.fresh(); h.request(1, login, "own-id"); h.GetConn(other) }, learned{true, true}, learned{true, true},
		},
		"through a relay, twice, known by the token": {
			func(h hooks) { h.GetConn(other); h.fresh(); h.request(2, login, "Bearer own"); h.GetConn(other) },
			learned{true, true},
			learned{true, true},
		},
	} {
		for kind, want := range map[bool]learned{true: c.bare, false: c.other} {
			t.Run(name+map[bool]string{true: ", bare", false: ", another"}[kind], func(t *testing.T) {
				t.Parallel()
				trace, ended := newTrace(t, kind)
				c.hooks(hooks{&trace.hooks})
				if got := (learned{trace.mayHaveSent(true), ended()}); got != want || trace.stopped() != want.ends {
					t.Errorf("learned %+v, want %+v", got, want)
				}
				if !kind && !trace.mayHaveSent(false) {
					t.Error("it proves that nothing was sent")
				}
			})
		}
	}
}

// A request without an id and a token is known by its host alone, and not by a header without a value.
func TestRequestWithoutMarks(t *testing.T) {
	t.Parallel()
	trace := newSendTrace(&http.Request{URL: &url.URL{Host: graph}}, own, false, func(error) {})
	h := hooks{&trace.hooks}
	h.GetConn(proxy)
	h.fresh()
	h.request(1, login, "")
	if trace.mayHaveSent(true) {
		t.Error("another call counts as the request")
	}
	h.GetConn(proxy)
	h.fresh()
	h.request(1, graph, "")
	if !trace.mayHaveSent(true) || trace.stopped() {
		t.Error("the request is not known")
	}
}

// conn is a connection that speaks a protocol and notes whether it was closed.
type conn struct {
	net.Conn

	protocol string
	closed   bool
}

func (c *conn) Close() error { c.closed = true; return nil }

func (c *conn) ConnectionState() tls.ConnectionState {
	return tls.ConnectionState{NegotiatedProtocol: c.protocol}
}

// plain hides what protocol a connection speaks.
type plain struct{ net.Conn }

// A second connection is closed before it is used, because HTTP/1 does not look at the context once more. One of HTTP/2 is
// other requests' too: it is closed only if a request shows that it does not end with the context.
func TestSecondConnectionIsClosed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first, second string // protocols
		bare          bool
		again         bool // the second request is put together all the same
		hidden        bool // the connection does not tell its protocol
		closed        bool
	}{
		"HTTP/1":                           {first: "http/1.1", second: "http/1.1", closed: true},
		"HTTP/1, without a protocol":       {closed: true},
		"HTTP/1, hidden":                   {hidden: true, closed: true},
		"HTTP/1 after HTTP/2":              {first: "h2", second: "http/1.1", closed: true},
		"HTTP/2":                           {first: "h2", second: "h2"},
		"HTTP/2, hidden":                   {first: "h2", second: "h2", hidden: true},
		"HTTP/2 after HTTP/1":              {first: "http/1.1", second: "h2"},
		"HTTP/2 after HTTP/1, detached":    {first: "http/1.1", second: "h2", again: true, closed: true},
		"HTTP/2, detached":                 {first: "h2", second: "h2", again: true, closed: true},
		"HTTP/2, hidden, detached":         {first: "h2", second: "h2", hidden: true, again: true, closed: true},
		"HTTP/2, bare":                     {first: "h2", second: "h2", bare: true},
		"HTTP/1, bare, which never is":     {first: "http/1.1", second: "http/1.1", bare: true, closed: true},
		"HTTP/2, bare, detached, nor this": {first: "h2", second: "h2", bare: true, again: true, closed: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			trace, ended := newTrace(t, c.bare)
			h := hooks{&trace.hooks}
			protocol := map[string]int{"h2": 2, "http/1.1": 1, "": 1}
			first, second := &conn{protocol: c.first}, &conn{protocol: c.second}
			shown := func(c *conn, hidden bool) net.Conn {
				if hidden {
					return plain{c}
				}
				return c
			}
			h.GetConn(own)
			h.GotConn(httptrace.GotConnInfo{Conn: shown(first, c.hidden)})
			h.request(protocol[c.first], graph)
			if ended() || first.closed {
				t.Fatal("the first connection counts as a second")
			}
			h.GetConn(own)
			h.GotConn(httptrace.GotConnInfo{Conn: shown(second, c.hidden)})
			if c.again {
				if second.closed {
					t.Fatal("closed before it was used")
				}
				h.request(protocol[c.second], graph)
			}
			if !ended() {
				t.Error("the try goes on")
			}
			if first.closed || second.closed != c.closed {
				t.Errorf("closed: %v and %v, want the second %v", first.closed, second.closed, c.closed)
			}
		})
	}
}

// A connection that was dialed for an earlier try is given without being asked for, so that the request's own passes for
// another call's. The headers of the two tell that there are two, but not which is whose.
func TestConnectionThatNobodyAskedFor(t *testing.T) {
	t.Parallel()
	trace, ended := newTrace(t, false)
	h, unasked, asked := hooks{&trace.hooks}, &conn{protocol: "h2"}, &conn{protocol: "h2"}
	h.GetConn(own)
	h.GotConn(httptrace.GotConnInfo{Conn: unasked})
	h.GotConn(httptrace.GotConnInfo{Conn: asked})
	h.request(2, graph) // of one of them
	if ended() || unasked.closed || asked.closed {
		t.Fatalf("ended: %v, closed: %v and %v, although one request may be sent", ended(), unasked.closed, asked.closed)
	}
	h.request(2, graph)
	if !ended() || !unasked.closed || !asked.closed {
		t.Errorf("ended: %v, closed: %v and %v, want both", ended(), unasked.closed, asked.closed)
	}
}

// Of two requests at a time the second connection is refused when it is given, and the headers of the first, which come
// late, do not count as those of the second. Another call's connection is left alone.
func TestSecondConnectionAtATime(t *testing.T) {
	t.Parallel()
	trace, ended := newTrace(t, false)
	h, conns := hooks{&trace.hooks}, []*conn{{protocol: "h2"}, {protocol: "h2"}, {protocol: "http/1.1"}, {protocol: "http/1.1"}}
	h.GetConn(own)
	h.GetConn(own)
	h.GetConn(own)
	for _, c := range conns {
		h.GotConn(httptrace.GotConnInfo{Conn: c})
	}
	h.request(2, graph)
	if !ended() {
		t.Error("the try goes on")
	}
	for i, closed := range []bool{false, false, true, false} {
		if conns[i].closed != closed {
			t.Errorf("connection %d: closed %v", i, conns[i].closed)
		}
	}
}
