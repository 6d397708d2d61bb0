package graphpolicy

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
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

// sendTrace watches one try through the hooks of net/http/httptrace. It concludes only this much: without a connection
// nothing was sent, and with one the outcome is open. Over HTTP/2 not even the end of RoundTrip tells more, because it
// returns when the context ends without waiting for the goroutine that writes the headers.
//
// It also keeps the transport from sending the request twice within the try. Over HTTP/2 Go sends a body-less request up
// to seven more times when the server closed the connection, refused the stream or reset it with PROTOCOL_ERROR
// (RoundTripOpt, canRetryError); a PROTOCOL_ERROR does not prove that nothing was done. The trace ends the try's
// context if the transport asks for a connection after the request's headers were put together for another one; the
// stream checks the context before it writes (encodeAndWriteHeaders). Over HTTP/1 Go takes a second connection for a
// POST only if not a byte was written to the first, which must have been used before (persistConn.shouldRetryRequest).
// The trace allows that. An Idempotency-Key would make Go retry in more cases, so the transport removes it.
//
// The hooks also fire for requests that a dialer or transport of the caller makes with the same context, for example to
// fetch a token. The request's own connection is recognized by the address that it is asked for with. If that address
// never comes up, as behind a proxy, every connection counts as the request's.
type sendTrace struct {
	own    string // address of the endpoint
	host   string // the host that the request names
	cancel context.CancelCauseFunc
	hooks  httptrace.ClientTrace

	mu      sync.Mutex
	hooked  bool // the transport calls the hooks
	direct  bool // a connection to own was asked for
	pending bool // and has not been given yet
	got     bool // a connection was given to the request
	reused  bool // that connection was used before
	wrote   bool // the request's headers were put together for it
	http2   bool
}

// newSendTrace makes the trace of one try. Each try has its own, because a dial may outlive its request and call the
// hooks later.
func newSendTrace(req *http.Request, own string, cancel context.CancelCauseFunc) *sendTrace {
	s := &sendTrace{own: own, host: req.Host, cancel: cancel}
	s.hooks = httptrace.ClientTrace{GetConn: s.getConn, GotConn: s.gotConn, WroteHeaderField: s.wroteHeaderField}
	return s
}

func (s *sendTrace) getConn(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooked = true
	switch own := equalFold(address, s.own); {
	case own && !s.direct:
		// Earlier connections were another request's, unless that request named our host.
		s.direct, s.got = true, s.wrote
		s.pending = true
	case own:
		s.pending = true
	case s.direct:
		return
	}
	if s.wrote && (s.http2 || !s.reused) {
		s.cancel(errRepeated)
	}
}

func (s *sendTrace) gotConn(info httptrace.GotConnInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.direct && !s.pending {
		return
	}
	s.pending, s.got, s.reused = false, true, info.Reused
}

func (s *sendTrace) wroteHeaderField(name string, values []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.got {
		return
	}
	own := func(value string) bool { return equalFold(value, s.host) } // Host or :authority
	if s.direct || slices.ContainsFunc(values, own) {
		s.wrote = true
	}
	s.http2 = s.http2 || strings.HasPrefix(name, ":")
}

// mayHaveSent judges a try that ended in an error. beganNothing reports whether the transport gave up before it could
// call a hook; it is asked only if no hook was called.
func (s *sendTrace) mayHaveSent(err error, beganNothing func() bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.got:
		return true
	case s.hooked:
		return false
	default:
		return !failedToConnect(err) && !beganNothing()
	}
}

// beganNothing reports whether Go's own transport gives up on a request before it asks for a connection. The silence of
// its hooks alone proves that only for the transport of this package, because a caller may have registered another one
// for https (RegisterProtocol), which need not call them.
func (t *Transport) beganNothing(req *http.Request) bool {
	client, ok := t.inner.(*http.Client)
	if !ok {
		return false
	}
	if client == defaultClient() {
		return true
	}
	transport, ok := cmp.Or(client.Transport, http.DefaultTransport).(*http.Transport)
	if !ok {
		return false
	}
	for name, values := range req.Header {
		if name == "" || strings.ContainsFunc(name, notInName) || slices.ContainsFunc(values, hasControl) {
			return true
		}
	}
	if transport.Proxy == nil {
		return false
	}
	_, err := transport.Proxy(req)
	return err != nil
}

// notInName and hasControl find what net/http refuses to send in the name and in the value of a header.
func notInName(r rune) bool {
	return isNoVisibleASCII(r) || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
}

func hasControl(value string) bool {
	return strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// failedToConnect recognizes, by its type, an error that occurred before anything was sent. It is for transports that
// call no hooks.
func failedToConnect(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "dial" || op.Op == "proxyconnect") {
		return true
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	_, ok := errors.AsType[x509.HostnameError](err)
	return ok
}
