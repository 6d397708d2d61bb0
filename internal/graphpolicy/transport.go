package graphpolicy

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Transport is the end of the pipeline: it sends the request through the caller's transport, or through one of its own,
// and records in the [Call] what happened before azcore has a chance to lose it. It is the last gate: it refuses a
// request that belongs to no call, or that would go anywhere but to root.
type Transport struct {
	root   *url.URL
	own    string // the address of root
	inner  policy.Transporter
	bearer *Bearer
}

// NewTransport wraps inner; nil means a transport of our own, shared by the process. The transport tells bearer, if it
// is not nil, when the service refused a token.
func NewTransport(inner policy.Transporter, root *url.URL, bearer *Bearer) *Transport {
	if inner == nil {
		inner = defaultClient()
	}
	return &Transport{root: root, own: hostPort(root), inner: inner, bearer: bearer}
}

// defaultClient differs from azcore's in that it follows no redirects: [http.Client] would turn the POST into a GET
// elsewhere, and a sign-in page's 200 would look like success.
var defaultClient = sync.OnceValue(func() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           defaultDialer.DialContext,
			ForceAttemptHTTP2:     true,
			MaxIdleConns:          100,
			MaxIdleConnsPerHost:   10,
			IdleConnTimeout:       90 * time.Second,
			TLSHandshakeTimeout:   10 * time.Second,
			ExpectContinueTimeout: time.Second,
			TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
			HTTP2:                 &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 10 * time.Second},
		},
	}
})

var defaultDialer = net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}

// Do implements policy.Transporter.
func (t *Transport) Do(req *http.Request) (*http.Response, error) {
	call := callOf(req.Context())
	if call == nil {
		return nil, errNoCall
	}
	if err := CheckHost(t.root, req.URL); err != nil {
		return nil, &finalError{err}
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if !call.begin(req) {
		return nil, &finalError{}
	}
	if err := call.announce(req); err != nil {
		return nil, err
	}
	var verdict Verdict
	var resp *http.Response
	var err error
	if call.Write {
		verdict, resp, err = t.write(req)
	} else {
		verdict, resp, err = t.read(req)
	}
	if err != nil {
		call.finish(verdict, nil)
		return nil, call.Redact(err, req.URL, req.Header.Get("Authorization"))
	}
	call.mu.Lock()
	defer call.mu.Unlock()
	if refused := resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden; refused {
		if t.bearer != nil {
			t.bearer.drop()
		}
		normalizeClaims(call, resp)
	}
	normalizeRetryAfter(resp)
	if call.Secret {
		call.hideContentType(resp)
	}
	call.record.Verdict, call.record.Response, call.record.Left = verdict, resp, true
	return resp, nil
}

func (t *Transport) read(req *http.Request) (Verdict, *http.Response, error) {
	resp, err := t.send(req)
	if err != nil {
		return NotSent, nil, err
	}
	if foreign := foreignAnswer(req, resp); foreign != nil {
		_ = resp.Body.Close()
		return NotSent, nil, foreign
	}
	limitBody(resp)
	return Answered, resp, nil
}

// write sends a request that must not be sent twice. The answer, which is small, is read here, so that the context
// of the try can end with it.
func (t *Transport) write(req *http.Request) (Verdict, *http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	defer cancel(nil)
	trace := newSendTrace(req, t.own, cancel)
	req = req.WithContext(httptrace.WithClientTrace(ctx, &trace.hooks))
	delete(req.Header, "Idempotency-Key")
	delete(req.Header, "X-Idempotency-Key")
	resp, err := t.send(req)
	if err != nil {
		verdict := NotSent
		if resp != nil || trace.mayHaveSent(err, func() bool { return t.beganNothing(req) }) {
			verdict = Open
		}
		if context.Cause(ctx) == errRepeated { //nolint:errorlint // the cause is this very value
			verdict, err = Open, errRepeated
		}
		return verdict, nil, err
	}
	if foreign := foreignAnswer(req, resp); foreign != nil {
		_ = resp.Body.Close()
		return foreign.verdict(), nil, foreign
	}
	limitBody(resp)
	var body []byte
	if resp.Body != http.NoBody {
		body, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		resp.Body = io.NopCloser(bytes.NewReader(body))
	}
	verdict := verdictOf(resp.StatusCode, body)
	if err != nil && verdict == Answered && resp.StatusCode != http.StatusNoContent {
		return Open, nil, fmt.Errorf("reading the answer: %w", err)
	}
	return verdict, resp, nil
}

// send returns an answer that is not shared, so that it can be changed. Its header may still be shared, because the
// responders of mocks return the same header to every request, so only setHeader may change it. An answer together with
// an error, which says that something failed after it, is closed.
func (t *Transport) send(req *http.Request) (*http.Response, error) {
	given, err := t.do(req)
	if err != nil {
		if given != nil && given.Body != nil {
			_ = given.Body.Close()
		}
		return given, err
	}
	if given == nil {
		return nil, &finalError{fmt.Errorf("the transport %T returned neither an answer nor an error", t.inner)}
	}
	own := *given
	if own.Request == nil {
		own.Request = req
	}
	if own.Header == nil {
		own.Header = http.Header{}
	}
	if own.StatusCode == http.StatusSwitchingProtocols && own.Body != nil {
		// The body is the connection itself, and a read of it does not end with the context.
		_ = own.Body.Close()
		own.Body = nil
	}
	if own.Body == nil {
		own.Body = http.NoBody
	}
	return &own, nil
}

// setHeader changes an answer's header in a copy.
func setHeader(resp *http.Response, name string, values ...string) {
	resp.Header = resp.Header.Clone()
	resp.Header[name] = values
}
