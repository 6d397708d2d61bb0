package graphpolicy_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"testing"

	"github.com/go-intune/intune/internal/graphpolicy"
)

// encrypted is a connection with a protocol that was agreed on.
type encrypted struct {
	net.Conn

	protocol string
}

func (c encrypted) ConnectionState() tls.ConnectionState {
	return tls.ConnectionState{NegotiatedProtocol: c.protocol}
}

func TestSentIsLearnedFromTheTrace(t *testing.T) {
	t.Parallel()
	one, two := httptrace.GotConnInfo{Conn: encrypted{protocol: "http/1.1"}}, httptrace.GotConnInfo{Conn: encrypted{protocol: "h2"}}
	for name, c := range map[string]struct {
		hooks func(*httptrace.ClientTrace)
		err   error
		want  graphpolicy.Verdict
	}{
		"no connection": {func(h *httptrace.ClientTrace) { h.GetConn("") }, io.EOF, graphpolicy.NotSent},
		"connection":    {func(h *httptrace.ClientTrace) { h.GetConn(""); h.GotConn(one) }, io.EOF, graphpolicy.NotSent},
		"headers":       {func(h *httptrace.ClientTrace) { h.GetConn(""); h.GotConn(one); h.WroteHeaders() }, io.EOF, graphpolicy.Open},
		"HTTP/1 replaces a connection to which nothing was written": {
			func(h *httptrace.ClientTrace) { h.GotConn(one); h.WroteHeaders(); h.GetConn(""); h.GotConn(one) }, io.EOF, graphpolicy.NotSent,
		},
		"HTTP/2 wants to send again": {
			func(h *httptrace.ClientTrace) { h.GotConn(two); h.WroteHeaders(); h.GetConn(""); h.GotConn(two) }, io.EOF, graphpolicy.Open,
		},
		"a transport without hooks":                     {func(*httptrace.ClientTrace) {}, io.EOF, graphpolicy.Open},
		"a transport without hooks that could not dial": {func(*httptrace.ClientTrace) {}, &net.OpError{Op: "dial", Err: errors.New("refused")}, graphpolicy.NotSent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := &graphpolicy.Call{Context: t.Context(), Write: true}
			var ended error
			transport := graphpolicy.NewTransport(doer(func(req *http.Request) (*http.Response, error) {
				c.hooks(httptrace.ContextClientTrace(req.Context()))
				ended = req.Context().Err()
				return nil, c.err
			}))
			req, err := http.NewRequestWithContext(call, http.MethodPost, "https://graph.microsoft.com/v1.0/x", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := transport.Do(req); err == nil || call.Verdict != c.want {
				t.Errorf("verdict %d, want %d; error %v", call.Verdict, c.want, err)
			}
			if again := name == "HTTP/2 wants to send again"; (ended != nil) != again {
				t.Errorf("the try's context ended: %v", ended)
			}
		})
	}
}
