package graphpolicy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// errRepeated is the cause with which a try ends when Go's transport is about to send the request a second time.
var errRepeated = errors.New("the connection gave the request back after it had been sent; it is not sent again")

// sendTrace learns from the transport whether the request's headers were written to a connection.
//
// Go's transport may repeat a request by itself. Over HTTP/1 it does so for a POST only when not a byte was written
// to a reused connection (persistConn.shouldRetryRequest; an Idempotency-Key header would widen that, so the
// Transport removes it). Over HTTP/2 it sends a body-less request up to seven more times
// (http2Transport.RoundTripOpt) when the server closed the connection with GOAWAY before the stream, refused the
// stream, or reset it with PROTOCOL_ERROR (http2canRetryError); the last is no proof that the request was not
// processed, and all three come after the headers were written. The trace ends the try's context when that begins;
// the stream checks it before it writes (http2clientStream.encodeAndWriteHeaders).
type sendTrace struct {
	hooked, http2, sent atomic.Bool
	cancel              context.CancelCauseFunc
	hooks               httptrace.ClientTrace
}

// newSendTrace is of one try: a dial may outlive its request and read the hooks later.
func newSendTrace(cancel context.CancelCauseFunc) *sendTrace {
	s := &sendTrace{cancel: cancel}
	s.hooks = httptrace.ClientTrace{GetConn: s.getConn, GotConn: s.gotConn, WroteHeaders: s.wroteHeaders}
	return s
}

func (s *sendTrace) getConn(string) {
	s.hooked.Store(true)
	if s.http2.Load() && s.sent.Load() {
		s.cancel(errRepeated)
	}
}

func (s *sendTrace) gotConn(info httptrace.GotConnInfo) {
	s.getConn("")
	if !s.http2.Load() {
		// HTTP/1 takes a second connection only when nothing was written to the first, even if the headers had
		// already reached its buffer.
		s.sent.Store(false)
	}
	if conn, ok := info.Conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
		s.http2.Store(conn.ConnectionState().NegotiatedProtocol == "h2")
	}
}

func (s *sendTrace) wroteHeaders() { s.sent.Store(true) }

// mayHaveActed judges a try that ended in an error.
func (s *sendTrace) mayHaveActed(err error) bool {
	if s.hooked.Load() {
		return s.sent.Load()
	}
	return !failedToConnect(err)
}

// failedToConnect recognizes by its type an error that came before anything was sent, for transports that call no
// hooks.
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

// verdictOf judges an answer of the service to a write.
func verdictOf(status int) Verdict {
	switch {
	case status >= 200 && status <= 299:
		return Answered
	case status == http.StatusTemporaryRedirect, status == http.StatusPermanentRedirect:
		return Refused // both ask for the same request elsewhere: it was not carried out here
	case status >= 300 && status <= 399:
		return Open // the classic answer to a form that was carried out, and to a POST that was not
	case status == http.StatusRequestTimeout:
		return Open
	case status >= 400 && status <= 499:
		return Refused
	}
	switch status {
	case http.StatusServiceUnavailable, http.StatusNotImplemented, http.StatusHTTPVersionNotSupported,
		http.StatusInsufficientStorage, 509 /* bandwidth limit */, http.StatusNetworkAuthenticationRequired:
		return Refused
	}
	return Open
}
