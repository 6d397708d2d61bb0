package graphpolicy

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
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
	if err := checkRequest(t.root, req); err != nil {
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
		return nil, call.Redact(err, call.Asked, req.URL, req.Header.Get("Authorization"))
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
	trace := newSendTrace(req, t.own, t.isBare(req.URL.Scheme), cancel)
	req = req.WithContext(httptrace.WithClientTrace(ctx, &trace.hooks))
	delete(req.Header, "Idempotency-Key")
	delete(req.Header, "X-Idempotency-Key")
	resp, err := t.send(req)
	if err != nil {
		verdict := NotSent
		if resp != nil || trace.mayHaveSent(t.saysNotSent(err)) {
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
		late := time.AfterFunc(answerTime, func() { cancel(errLateAnswer) })
		body, err = io.ReadAll(resp.Body)
		late.Stop()
		_ = resp.Body.Close()
		if err != nil && context.Cause(ctx) == errLateAnswer { //nolint:errorlint // the cause is this very value
			err = errLateAnswer
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
	}
	verdict := verdictOf(resp, body, err == nil && len(body) < maxErrorBody)
	if verdict == Answered && err == nil && len(body) == 0 && endsWithConnection(resp) {
		err = errMayBeCut
	}
	if verdict == Answered && req.Method != http.MethodPost {
		err = errNoPost // of a caller's policy, so that this is no answer to the action
	}
	if verdict == Refused && trace.stopped() {
		verdict = Open // it may have sent the request once more out of sight, and this is one answer of two
	}
	if err != nil && verdict == Answered {
		return Open, nil, fmt.Errorf("reading the answer: %w", err)
	}
	return verdict, resp, nil
}

// answerTime is how long the body of an answer to a write may take, once the status has come. The body is small, and what
// the status says stands without it.
const answerTime = 10 * time.Second

var errLateAnswer = fmt.Errorf("the body of the answer did not end within %s", answerTime)

// isBare reports whether the hooks of net/http/httptrace tell of all that is sent.
func (t *Transport) isBare(scheme string) bool {
	client, ok := t.inner.(*http.Client)
	return ok && (client == defaultClient() || isBare(cmp.Or(client.Transport, http.DefaultTransport), scheme))
}

// saysNotSent asks the caller's transport, if it has a method for that, whether an error of its own means that nothing was
// sent. A transport below another is not asked, since that other may have sent something itself.
func (t *Transport) saysNotSent(err error) bool {
	var inner any = t.inner
	if client, ok := t.inner.(*http.Client); ok {
		inner = client.Transport
		err = errors.Unwrap(err) // it is a *url.Error of the client's
	}
	transport, ok := inner.(interface{ NotSent(err error) bool })
	return ok && transport.NotSent(err)
}

// errMayBeCut is for an answer whose body may have been lost, so that it is no empty one: a sign-in page, for example.
var errMayBeCut = errors.New("it is empty or was cut off, for its end is that of the connection")

var errNoPost = errors.New("the request that was answered is not the POST that was made")

// endsWithConnection reports whether only the end of the connection tells where the body ends.
func endsWithConnection(resp *http.Response) bool {
	return resp.Body != http.NoBody && resp.ProtoMajor == 1 && resp.Close && resp.ContentLength < 0 && len(resp.TransferEncoding) == 0
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
	if own.Body != nil && hasNoBody(&own) {
		_ = own.Body.Close()
		own.Body = nil
	}
	if own.Body == nil {
		own.Body = http.NoBody
	}
	return &own, nil
}

// hasNoBody reports whether an answer has no body by its status or its header, whatever stands for one. Over HTTP/2 a
// server or a proxy may leave the stream of such an answer open, so that a read would wait for an end that need not come.
// After 101 the body is the connection itself, and a read of it does not even end with the context.
func hasNoBody(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusSwitchingProtocols, http.StatusNoContent, http.StatusResetContent, http.StatusNotModified:
		return true
	}
	return resp.Header.Get("Content-Length") == "0" // the field is zero too in an answer that a mock made
}

// setHeader changes an answer's header in a copy.
func setHeader(resp *http.Response, name string, values ...string) {
	resp.Header = resp.Header.Clone()
	resp.Header[name] = values
}
