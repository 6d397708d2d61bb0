package graphpolicy

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
)

// errRepeated is the cause with which a try ends when the transport is about to send the request a second time.
var errRepeated = errors.New("the transport wanted to send the request again after it may have been sent; it is not sent again")

// sendTrace watches one try through the hooks of net/http/httptrace. Of a bare transport it concludes only this much:
// without a connection nothing was sent, and with one the outcome is open. Over HTTP/2 not even the end of RoundTrip tells
// more, because it returns when the context ends without waiting for the goroutine that writes the headers. Of any other
// transport it concludes nothing, because such a transport may call no hooks, or only those of half of what it does.
//
// It also keeps the transport from sending the request twice within the try:
//
//   - A bare transport, over HTTP/2, sends a request without a body up to seven more times when the server closed the
//     connection or refused the stream, and before Go 1.27 also when it reset it with PROTOCOL_ERROR, which does not prove
//     that nothing was done (RoundTripOpt, canRetryError). So it gets no second connection once the request's headers were
//     put together. Over HTTP/1 it takes a second one for a POST only if not a byte was written to the first, which must
//     have been used before (persistConn.shouldRetryRequest). The trace allows that, unless an answer has begun, or the
//     first cannot be relied on to tell what it has written. An Idempotency-Key would make it retry in more cases, so the
//     transport removes it.
//   - Another one may retry or send twice at a time by itself. It gets no second connection once it has had one.
//
// The trace ends the try's context when a second connection is asked for or given. HTTP/2 checks the context before it
// writes (encodeAndWriteHeaders). HTTP/1 does not if an idle connection is at hand, so that connection is closed before it
// is used. Over HTTP/2 a request can come this far all the same, if it does not end with the try's context, or if no
// connection was asked for in its name (getConnCalled). Its headers, which are put together before anything is written,
// give it away, and only then is the connection closed, because other requests use that too. If two were given before any
// headers, both are closed, because the hook does not tell which one the headers are for.
//
// The hooks also fire for requests that a dialer or transport of the caller makes with the same context, for example to
// fetch a token. The request's own connection is recognized by the address that it is asked for with. If that address
// never comes up, as behind a proxy, every connection counts as the request's until headers without its marks were put
// together for it.
type sendTrace struct {
	bare   bool      // see isBare
	own    string    // address of the endpoint
	host   string    // the host that the request names
	marks  [2]string // values of its headers that no other request has, blank for none
	cancel context.CancelCauseFunc
	hooks  httptrace.ClientTrace

	mu       sync.Mutex
	direct   bool     // a connection to own was asked for
	pending  int      // and has not been given yet, so many times
	given    bool     // a connection was given, to whatever request
	got      bool     // a connection was given to the request
	reused   bool     // that connection was used before, and tells what it has written
	named    bool     // headers were put together for it
	wrote    bool     // those of the request, for this or an earlier connection
	answered bool     // and an answer began
	http2    bool     // of which protocol
	headed   bool     // its headers were put together for HTTP/2
	over     bool     // nothing more may be sent
	latest   net.Conn // the connection that was given last, to whatever request

	conns []net.Conn // those since the request's headers were put together, or all if there were two before that
}

// newSendTrace makes the trace of one try. Each try has its own, because a dial may outlive its request and call the
// hooks later.
func newSendTrace(req *http.Request, own string, bare bool, cancel context.CancelCauseFunc) *sendTrace {
	s := &sendTrace{bare: bare, own: own, host: cmp.Or(req.Host, req.URL.Host), cancel: cancel}
	s.marks = [...]string{req.Header.Get(requestIDHeader), req.Header.Get("Authorization")}
	// Without Got1xxResponse, with which net/http no longer limits informational answers. The first byte comes before them.
	s.hooks = httptrace.ClientTrace{
		GetConn: s.getConn, GotConn: s.gotConn, WroteHeaderField: s.wroteHeaderField, WroteHeaders: s.wroteHeaders,
		GotFirstResponseByte: s.gotFirstResponseByte,
	}
	return s
}

func (s *sendTrace) getConn(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch own := equalFold(address, s.own); {
	case own:
		if s.bare && !s.direct {
			// Earlier connections were another request's, unless that request named our host.
			s.got = s.wrote
		}
		s.direct = true
		s.pending++
	case s.direct:
		return
	}
	if !s.bare && s.got || s.wrote && (s.http2 || s.answered || !s.reused) {
		s.stop()
	}
}

func (s *sendTrace) gotConn(info httptrace.GotConnInfo) {
	if conn := s.take(info); conn != nil {
		_ = conn.Close()
	}
}

// take notes a connection, and returns it if it has to be closed.
func (s *sendTrace) take(info httptrace.GotConnInfo) net.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.given, s.latest, s.conns = true, info.Conn, append(s.conns, info.Conn)
	if s.direct && s.pending == 0 {
		return nil
	}
	second := s.over || !s.bare && s.got
	s.pending = max(s.pending-1, 0)
	s.got, s.reused, s.named = true, info.Reused && tellsWhatItWrote(info.Conn), false
	if !second {
		return nil
	}
	s.stop()
	http2 := s.http2
	if conn, ok := info.Conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
		http2 = conn.ConnectionState().NegotiatedProtocol == "h2"
	}
	if http2 {
		return nil
	}
	return info.Conn
}

// tellsWhatItWrote reports whether a connection that failed to write has not written all. One that a caller's dialer made may
// fail after that, and TLS then says that it has written nothing.
func tellsWhatItWrote(conn net.Conn) bool {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	switch conn.(type) {
	case *net.TCPConn, *net.UnixConn:
		return true
	}
	return false
}

func (s *sendTrace) wroteHeaderField(name string, values []string) {
	for _, conn := range s.takeField(name, values) {
		if conn != nil { // a caller's transport may call the hook without one
			_ = conn.Close()
		}
	}
}

// takeField notes a header, and returns the connections that have to be closed.
func (s *sendTrace) takeField(name string, values []string) []net.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bare && !s.got {
		return nil
	}
	s.got, s.named = true, true // a transport that is not bare may tell of no connection
	again := s.headed || s.over && s.wrote
	marked := slices.ContainsFunc(values, func(value string) bool { return value != "" && slices.Contains(s.marks[:], value) })
	own := slices.ContainsFunc(values, func(value string) bool { return equalFold(value, s.host) || equalFold(value, s.own) })
	s.wrote = s.wrote || s.direct || own || marked
	s.http2 = s.http2 || strings.HasPrefix(name, ":")
	if !own || name != ":authority" && name != "Host" {
		return nil
	}
	if name == ":authority" && again {
		s.stop()
		return append(slices.Clone(s.conns), s.latest)
	}
	s.headed = s.headed || name == ":authority"
	if len(s.conns) == 1 { // the one that these are for
		s.conns = nil
	}
	return nil
}

// wroteHeaders finds out that a connection was another request's.
func (s *sendTrace) wroteHeaders() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.bare && !s.wrote && s.named {
		s.got = false
	}
}

func (s *sendTrace) gotFirstResponseByte() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered = s.wrote
	s.got = s.got || !s.bare && !s.given // an answer came over a connection that was not told of
}

// stop keeps the transport from sending once more.
func (s *sendTrace) stop() {
	s.over = true
	s.cancel(errRepeated)
}

// stopped reports whether the transport wanted to send once more.
func (s *sendTrace) stopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

// mayHaveSent judges a try that ended in an error. notSent is what the transport says of its error; nobody else's word
// counts, since a type tells only what came last.
func (s *sendTrace) mayHaveSent(notSent bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got || !s.bare && !notSent
}
