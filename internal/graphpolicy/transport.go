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
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Transport is the end of the pipeline: it sends the request through the caller's transport, or through one of its
// own, and records in the [Call] what happened before azcore has a chance to lose it.
type Transport struct {
	inner policy.Transporter
}

// NewTransport wraps inner; nil means a transport of our own, shared by the process.
func NewTransport(inner policy.Transporter) *Transport {
	if inner == nil {
		inner = defaultClient()
	}
	return &Transport{inner: inner}
}

// defaultClient differs from azcore's in that it follows no redirects: [http.Client] would turn the POST into a GET
// elsewhere, and a sign-in page's 200 would look like success.
var defaultClient = sync.OnceValue(func() *http.Client {
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           dialer.DialContext,
			ForceAttemptHTTP2:     true,
			MaxIdleConns:          100,
			MaxIdleConnsPerHost:   10,
			IdleConnTimeout:       90 * time.Second,
			TLSHandshakeTimeout:   10 * time.Second,
			ExpectContinueTimeout: time.Second,
			TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
			HTTP2:                 &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 10 * time.Second},
		},
		CheckRedirect: followNone,
	}
})

func followNone(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Do implements policy.Transporter.
func (t *Transport) Do(req *http.Request) (*http.Response, error) {
	call := callOf(req.Context())
	if call == nil {
		return t.send(req)
	}
	if id := req.Header["Client-Request-Id"]; len(id) > 0 {
		call.RequestID[0] = id[0]
	}
	var resp *http.Response
	var err error
	if call.Write {
		resp, err = t.write(call, req)
	} else {
		resp, err = t.read(call, req)
	}
	if err != nil {
		if call.Redact != nil {
			err = call.Redact(err, req.URL.RawQuery)
		}
		return nil, err
	}
	call.Response = resp
	if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
		call.Authorization = req.Header.Get("Authorization")
		if call.Bearer != nil {
			call.Bearer.drop()
		}
		normalizeClaims(call, resp)
	}
	normalizeRetryAfter(resp.Header)
	if call.Secret {
		call.hideContentType(resp)
	}
	return resp, nil
}

func (t *Transport) read(call *Call, req *http.Request) (*http.Response, error) {
	call.Verdict, call.Response = NotSent, nil
	resp, err := t.send(req)
	if err != nil {
		return nil, err
	}
	if foreign := foreignAnswer(req, resp); foreign != nil {
		_ = resp.Body.Close()
		return nil, foreign
	}
	call.Verdict = Answered
	limitBody(resp)
	return resp, nil
}

// write sends a request that must not be sent twice. The answer, which is small, is read here, so that the context
// of the try can end with it.
func (t *Transport) write(call *Call, req *http.Request) (*http.Response, error) {
	if call.Verdict >= Answered {
		// The retry policy after a success, as a caller's ShouldRetry can make it, or a policy of the caller's.
		return nil, &settledError{}
	}
	call.Verdict, call.Response = NotSent, nil
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	delete(req.Header, "Idempotency-Key")
	delete(req.Header, "X-Idempotency-Key")

	ctx, cancel := context.WithCancelCause(req.Context())
	defer cancel(nil)
	trace := newSendTrace(cancel)
	resp, err := t.send(req.WithContext(httptrace.WithClientTrace(ctx, &trace.hooks)))
	if err != nil {
		if trace.mayHaveActed(err) {
			call.Verdict = Open
		}
		if context.Cause(ctx) == errRepeated { //nolint:errorlint // the cause is this very value
			err = errRepeated
		}
		return nil, err
	}
	if foreign := foreignAnswer(req, resp); foreign != nil {
		_ = resp.Body.Close()
		call.Verdict = foreign.verdict()
		return nil, foreign
	}
	call.Verdict = verdictOf(resp.StatusCode)
	limitBody(resp)
	if resp.Body != http.NoBody {
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil && call.Verdict == Answered && resp.StatusCode != http.StatusNoContent {
			call.Verdict = Open
			return nil, fmt.Errorf("reading the answer: %w", err)
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
	}
	return resp, nil
}

func (t *Transport) send(req *http.Request) (*http.Response, error) {
	resp, err := t.do(req)
	if err != nil {
		if resp != nil && resp.Body != nil {
			_ = resp.Body.Close()
		}
		return nil, err
	}
	if resp == nil {
		return nil, &settledError{fmt.Errorf("the transport %T returned neither an answer nor an error", t.inner)}
	}
	if resp.Request == nil {
		resp.Request = req
	}
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	if resp.Header == nil {
		resp.Header = http.Header{}
	}
	return resp, nil
}

// stillClients are for copies of callers' clients that follow no redirects.
var stillClients = sync.Pool{New: func() any { return new(http.Client) }}

func (t *Transport) do(req *http.Request) (*http.Response, error) {
	client, ok := t.inner.(*http.Client)
	if !ok || client == nil || client.CheckRedirect != nil {
		return t.inner.Do(req)
	}
	// The caller's own client would follow redirects. A copy made now sees changes made to it since.
	still := stillClients.Get().(*http.Client)
	*still = *client
	still.CheckRedirect = followNone
	resp, err := still.Do(req)
	*still = http.Client{}
	stillClients.Put(still)
	return resp, err
}

// ForeignError is an answer that did not come to our request from our host, because a transport followed a redirect.
type ForeignError struct {
	// StatusCode is that of the redirect, 0 if the transport does not tell.
	StatusCode int

	openOutcome bool
}

// Error implements error.
func (*ForeignError) Error() string {
	return "the transport followed a redirect, and the answer came from elsewhere; it does not count"
}

// NonRetriable keeps azcore from repeating the request.
func (*ForeignError) NonRetriable() {}

func (e *ForeignError) verdict() Verdict {
	if e.openOutcome {
		return Open
	}
	return Refused
}

// foreignAnswer compares the request that was finally answered with ours.
func foreignAnswer(req *http.Request, resp *http.Response) *ForeignError {
	final := resp.Request
	if final.URL == nil || final.Method == req.Method && final.URL.Scheme == req.URL.Scheme && strings.EqualFold(final.URL.Host, req.URL.Host) {
		return nil
	}
	foreign := &ForeignError{}
	if final.Response == nil {
		foreign.openOutcome = true
		return foreign
	}
	for hop := final.Response; hop != nil; {
		foreign.StatusCode = hop.StatusCode
		foreign.openOutcome = foreign.openOutcome || verdictOf(hop.StatusCode) == Open
		if hop.Request == nil {
			break
		}
		hop = hop.Request.Response
	}
	// The repeated request may have been carried out where it went if the token went with it.
	foreign.openOutcome = foreign.openOutcome || final.Header.Get("Authorization") != ""
	return foreign
}
