package graphpolicy_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"testing"

	"github.com/go-intune/intune/internal/graphpolicy"
)

// The hooks of net/http/httptrace, called in the orders in which Go's transports and those around them call them.
func TestSentIsLearnedFromTheTrace(t *testing.T) {
	t.Parallel()
	const own, other = "graph.microsoft.com:443", "login.example:443"
	type hooks = *httptrace.ClientTrace
	fresh, used := httptrace.GotConnInfo{}, httptrace.GotConnInfo{Reused: true}
	http1 := func(h hooks, host string) { h.WroteHeaderField("Host", []string{host}) }
	http2 := func(h hooks, host string) { h.WroteHeaderField(":authority", []string{host}) }
	const graph = "graph.microsoft.com"
	dial := &net.OpError{Op: "dial", Err: errors.New("refused")}
	for name, c := range map[string]struct {
		hooks func(hooks)
		err   error
		want  graphpolicy.Verdict
		ends  bool
	}{
		"no connection":      {func(h hooks) { h.GetConn(own) }, io.EOF, graphpolicy.NotSent, false},
		"a connection":       {func(h hooks) { h.GetConn(own); h.GotConn(fresh) }, io.EOF, graphpolicy.Open, false},
		"HTTP/1, headers":    {func(h hooks) { h.GetConn(own); h.GotConn(fresh); http1(h, graph) }, io.EOF, graphpolicy.Open, false},
		"name in upper case": {func(h hooks) { h.GetConn("GRAPH.microsoft.com:443"); h.GotConn(fresh) }, io.EOF, graphpolicy.Open, false},
		"HTTP/1 replaces a used connection to which nothing was written": {
			func(h hooks) { h.GetConn(own); h.GotConn(used); http1(h, graph); h.GetConn(own) }, io.EOF, graphpolicy.Open, false,
		},
		"HTTP/1 after a fresh connection": {
			func(h hooks) { h.GetConn(own); h.GotConn(fresh); http1(h, graph); h.GetConn(own) }, io.EOF, graphpolicy.Open, true,
		},
		"HTTP/1 after a second, fresh connection": {
			func(h hooks) {
				h.GetConn(own)
				h.GotConn(used)
				http1(h, graph)
				h.GetConn(own)
				h.GotConn(fresh)
				http1(h, graph)
				h.GetConn(own)
			}, io.EOF, graphpolicy.Open, true,
		},
		"HTTP/1 after another call's connection": {
			func(h hooks) {
				h.GetConn(own)
				h.GotConn(fresh)
				http1(h, graph)
				h.GetConn(other)
				h.GotConn(used)
				h.GetConn(own)
			}, io.EOF, graphpolicy.Open, true,
		},
		"HTTP/2 wants to send again": {
			func(h hooks) { h.GetConn(own); h.GotConn(used); http2(h, graph); h.GetConn(own) }, io.EOF, graphpolicy.Open, true,
		},
		"HTTP/2, the first connection had no room": {
			func(h hooks) { h.GetConn(own); h.GotConn(used); h.GetConn(own); h.GotConn(fresh); http2(h, graph) }, io.EOF, graphpolicy.Open, false,
		},
		"behind a proxy":                   {func(h hooks) { h.GetConn("proxy:3128"); h.GotConn(fresh) }, io.EOF, graphpolicy.Open, false},
		"behind a proxy, not reached":      {func(h hooks) { h.GetConn("proxy:3128") }, io.EOF, graphpolicy.NotSent, false},
		"behind a proxy, HTTP/2 once more": {func(h hooks) { h.GetConn("proxy:3128"); h.GotConn(used); http2(h, graph); h.GetConn("proxy:3128") }, io.EOF, graphpolicy.Open, true},
		"another call before, not reached": {
			func(h hooks) { h.GetConn(other); h.GotConn(fresh); http2(h, "login.example"); h.GetConn(own) }, dial, graphpolicy.NotSent, false,
		},
		"two other calls before": {
			func(h hooks) {
				for range 2 {
					h.GetConn(other)
					h.GotConn(used)
					http2(h, "login.example")
				}
				h.GetConn(own)
				h.GotConn(fresh)
				http2(h, graph)
			}, io.EOF, graphpolicy.Open, false,
		},
		"another call after": {
			func(h hooks) { h.GetConn(own); h.GotConn(fresh); http2(h, graph); h.GetConn(other); h.GotConn(fresh) }, io.EOF, graphpolicy.Open, false,
		},
		"another call while it waits, connection to either": {
			func(h hooks) { h.GetConn(own); h.GetConn(other); h.GotConn(fresh) }, io.EOF, graphpolicy.Open, false,
		},
		"a transport without hooks":                     {func(hooks) {}, io.EOF, graphpolicy.Open, false},
		"a transport without hooks that could not dial": {func(hooks) {}, dial, graphpolicy.NotSent, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := newCall(true)
			var ended error
			transport := newTransport(t, func(req *http.Request) (*http.Response, error) {
				c.hooks(httptrace.ContextClientTrace(req.Context()))
				ended = req.Context().Err()
				return nil, c.err
			})
			if _, err := transport.Do(request(t, call, http.MethodPost)); err == nil || call.Record().Verdict != c.want {
				t.Errorf("verdict %d, want %d; error %v", call.Record().Verdict, c.want, err)
			}
			if (ended != nil) != c.ends {
				t.Errorf("the context of the try ended: %v", ended)
			}
		})
	}
}
