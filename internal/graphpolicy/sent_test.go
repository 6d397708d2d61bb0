package graphpolicy_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/graphtest"
)

// A dial may outlive its request, and then finds nobody who holds a lock.
func TestHooksMayBeCalledLate(t *testing.T) {
	t.Parallel()
	var late *httptrace.ClientTrace
	transport := newTransport(t, func(req *http.Request) (*http.Response, error) {
		late = httptrace.ContextClientTrace(req.Context())
		return nil, io.EOF
	})
	call := newCall(true)
	if _, err := transport.Do(request(t, call, http.MethodPost)); err == nil {
		t.Fatal("no error")
	}
	late.GetConn("graph.microsoft.com:443")
	late.GotConn(httptrace.GotConnInfo{})
	late.WroteHeaderField("Host", []string{"graph.microsoft.com"})
	if call.Record().Verdict != graphpolicy.Open {
		t.Errorf("verdict %d", call.Record().Verdict)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// Only Go's own transport is known to call the hooks: a silent one around it, or within it, may have sent something.
func TestSilenceProvesSomethingOfGosTransportOnly(t *testing.T) {
	t.Parallel()
	breaks := roundTripper(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
	refuses := &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return nil, io.ErrUnexpectedEOF }} // before it dials
	within := &http.Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}
	within.RegisterProtocol("https", breaks) // such as HTTP/3
	// This one gives up after it has sent something, and Go's transport then cannot dial.
	before := &http.Transport{
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
		DialContext:  func(context.Context, string, string) (net.Conn, error) { return nil, io.ErrUnexpectedEOF },
	}
	before.RegisterProtocol("https", roundTripper(func(*http.Request) (*http.Response, error) { return nil, http.ErrSkipAltProtocol }))
	for name, c := range map[string]struct {
		transport policy.Transporter
		want      graphpolicy.Verdict
	}{
		"a transport":                                 {graphtest.Transport(breaks), graphpolicy.Open},
		"a client with a transport of its own":        {&http.Client{Transport: breaks}, graphpolicy.Open},
		"a client with Go's":                          {&http.Client{Transport: refuses}, graphpolicy.NotSent},
		"a client with Go's behind another type":      {&http.Client{Transport: roundTripper(refuses.RoundTrip)}, graphpolicy.Open},
		"a client with Go's, which has another":       {&http.Client{Transport: within}, graphpolicy.Open},
		"a client with Go's, which has one before it": {&http.Client{Transport: before}, graphpolicy.Open},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := newCall(true)
			_, err := newTransportOver(t, c.transport).Do(request(t, call, http.MethodPost))
			if !errors.Is(err, io.ErrUnexpectedEOF) || call.Record().Verdict != c.want {
				t.Errorf("verdict %d, want %d; error %v", call.Record().Verdict, c.want, err)
			}
		})
	}
}

// failures are errors by whose type nothing was sent.
var failures = map[string]error{
	"dial":        errDial,
	"proxy":       &net.OpError{Op: "proxyconnect", Err: errors.New("refused")},
	"name":        &net.DNSError{Err: "no such host", Name: "graph.microsoft.com", IsNotFound: true},
	"certificate": &tls.CertificateVerificationError{Err: errors.New("unknown authority")},
	"not TLS":     tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"},
	"authority":   x509.UnknownAuthorityError{},
	"host name":   x509.HostnameError{Certificate: &x509.Certificate{}, Host: "graph.microsoft.com"},
	"wrapped":     fmt.Errorf("giving up: %w", errDial),
	"joined":      errors.Join(io.EOF, errDial),
	"two of them": fmt.Errorf("over UDP: %w; over TCP: %w", io.EOF, errDial),
}

var errDial = &net.OpError{Op: "dial", Err: errors.New("refused")}

// Over Go's own transport the hooks tell that nothing was sent, whatever the error. The type of an error tells only what
// failed last: another transport may have sent the request before.
func TestTypeOfAnErrorProvesNothing(t *testing.T) {
	t.Parallel()
	for name, failure := range failures {
		for kind, c := range map[string]struct {
			transport policy.Transporter
			want      graphpolicy.Verdict
		}{
			"Go's": {
				&http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, failure }}},
				graphpolicy.NotSent,
			},
			"another": {graphtest.Transport(func(*http.Request) (*http.Response, error) { return nil, failure }), graphpolicy.Open},
			"another in a client": {
				&http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, failure })}, graphpolicy.Open,
			},
			"another, with hooks": {graphtest.Transport(func(req *http.Request) (*http.Response, error) {
				httptrace.ContextClientTrace(req.Context()).GetConn("graph.microsoft.com:443")
				return nil, failure
			}), graphpolicy.Open},
		} {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				call := newCall(true)
				_, err := newTransportOver(t, c.transport).Do(request(t, call, http.MethodPost))
				if !errors.Is(err, failure) || call.Record().Verdict != c.want {
					t.Errorf("verdict %d, want %d; error %v", call.Record().Verdict, c.want, err)
				}
			})
		}
	}
}

// honest is a transport that says which of its errors mean that nothing was sent.
type honest struct{ graphtest.Transport }

func (honest) NotSent(err error) bool { return err == error(errDial) } //nolint:errorlint // its very own

func (h honest) RoundTrip(req *http.Request) (*http.Response, error) { return h.Transport(req) }

// A transport may know that nothing was sent. Only the one that the client has is asked, about its own error.
func TestTransportThatSaysThatNothingWasSent(t *testing.T) {
	t.Parallel()
	gives := func(err error) honest { return honest{func(*http.Request) (*http.Response, error) { return nil, err }} }
	connects := honest{func(req *http.Request) (*http.Response, error) {
		hooks := httptrace.ContextClientTrace(req.Context())
		hooks.GetConn("graph.microsoft.com:443")
		hooks.GotConn(httptrace.GotConnInfo{})
		return nil, errDial
	}}
	repeats := honest{func(req *http.Request) (*http.Response, error) {
		hooks := httptrace.ContextClientTrace(req.Context())
		for range 2 {
			hooks.GetConn("graph.microsoft.com:443")
			hooks.GotConn(httptrace.GotConnInfo{})
		}
		return nil, errDial
	}}
	for name, c := range map[string]struct {
		transport policy.Transporter
		want      graphpolicy.Verdict
	}{
		"it says so":              {gives(errDial), graphpolicy.NotSent},
		"in a client":             {&http.Client{Transport: gives(errDial)}, graphpolicy.NotSent},
		"not of this error":       {gives(io.EOF), graphpolicy.Open},
		"not of a wrapped one":    {gives(fmt.Errorf("after two tries: %w", errDial)), graphpolicy.Open},
		"not of one among others": {gives(errors.Join(io.EOF, errDial)), graphpolicy.Open},
		"not of one of a url":     {gives(&url.Error{Op: "Post", Err: errDial}), graphpolicy.Open},
		"another one around it":   {graphtest.Transport(gives(errDial).Do), graphpolicy.Open},
		"another in a client":     {&http.Client{Transport: roundTripper(gives(errDial).RoundTrip)}, graphpolicy.Open},
		"the hooks know better":   {connects, graphpolicy.Open},
		"it wanted to send twice": {repeats, graphpolicy.Open},
		"with an answer": {
			honest{func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: http.StatusOK}, errDial }}, graphpolicy.Open,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := newCall(true)
			_, err := newTransportOver(t, c.transport).Do(request(t, call, http.MethodPost))
			if err == nil || call.Record().Verdict != c.want {
				t.Errorf("verdict %d, want %d; error %v", call.Record().Verdict, c.want, err)
			}
			if told := strings.Contains(err.Error(), "wanted to send the request again"); told != (name == "it wanted to send twice") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A refusal is one answer of several if the transport sends the request more than once.
func TestRefusalOfATransportThatRepeats(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]graphpolicy.Verdict{
		http.StatusTooManyRequests: graphpolicy.Open, http.StatusNotFound: graphpolicy.Open, http.StatusServiceUnavailable: graphpolicy.Open,
		http.StatusNoContent: graphpolicy.Answered, http.StatusBadGateway: graphpolicy.Open,
	} {
		call := newCall(true)
		transport := newTransport(t, func(req *http.Request) (*http.Response, error) {
			hooks := httptrace.ContextClientTrace(req.Context())
			for range 2 {
				hooks.GetConn("graph.microsoft.com:443")
				hooks.GotConn(httptrace.GotConnInfo{})
			}
			return says(status)(req)
		})
		if _, err := transport.Do(request(t, call, http.MethodPost)); err != nil || call.Record().Verdict != want {
			t.Errorf("%d: verdict %d, want %d; error %v", status, call.Record().Verdict, want, err)
		}
	}
}

// Go's transport looks at the headers before it asks for a connection.
func TestHeadersThatGoDoesNotSend(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]http.Header{
		"name": {"a b": {"c"}}, "separator in the name": {"a:": {"b"}}, "blank name": {"": {"b"}},
		"value": {"A": {"b", "c\n"}}, "DEL": {"A": {"\x7f"}},
	} {
		for kind, client := range map[string]policy.Transporter{"own": nil, "the caller's": &http.Client{Transport: &http.Transport{}}} {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				call := newCall(true)
				req := request(t, call, http.MethodPost)
				req.Header = header.Clone()
				if _, err := newTransportOver(t, client).Do(req); err == nil || call.Record().Verdict != graphpolicy.NotSent {
					t.Errorf("verdict %d; error %v", call.Record().Verdict, err)
				}
			})
		}
	}
}

// The silence of Go's transport proves that nothing was sent, whatever it refused.
func TestMethodThatGoDoesNotSend(t *testing.T) {
	t.Parallel()
	for kind, c := range map[string]struct {
		client policy.Transporter
		want   graphpolicy.Verdict
	}{
		"own":                 {nil, graphpolicy.NotSent},
		"the caller's":        {&http.Client{Transport: &http.Transport{}}, graphpolicy.NotSent},
		"behind another type": {&http.Client{Transport: roundTripper((&http.Transport{}).RoundTrip)}, graphpolicy.Open},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			call := newCall(true)
			req := request(t, call, http.MethodPost)
			req.Method = "PO ST"
			if _, err := newTransportOver(t, c.client).Do(req); err == nil || call.Record().Verdict != c.want {
				t.Errorf("verdict %d; error %v", call.Record().Verdict, err)
			}
		})
	}
}

// An answer came, so the request was sent, whatever failed after that.
func TestAnswerBesideAnErrorProvesThatItWasSent(t *testing.T) {
	t.Parallel()
	redirects := roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.URL.Host != "graph.microsoft.com" {
			return nil, errDial
		}
		return &http.Response{StatusCode: http.StatusFound, Header: http.Header{"Location": {"https://login.example"}}, Body: http.NoBody}, nil
	})
	for name, transport := range map[string]policy.Transporter{
		"a transport that returns both": graphtest.Transport(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusNoContent}, errDial
		}),
		"a redirect that leads nowhere": &http.Client{
			Transport: redirects, CheckRedirect: func(*http.Request, []*http.Request) error { return nil },
		},
		"a redirect that the caller refuses": &http.Client{
			Transport: redirects, CheckRedirect: func(*http.Request, []*http.Request) error { return errDial },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := newCall(true)
			_, err := newTransportOver(t, transport).Do(request(t, call, http.MethodPost))
			if !errors.Is(err, errDial) || call.Record().Verdict != graphpolicy.Open {
				t.Errorf("verdict %d; error %v", call.Record().Verdict, err)
			}
		})
	}
}

// The connections of other calls with the request's context are known by their addresses, and the context ends with the
// try.
func TestContextOfATry(t *testing.T) {
	t.Parallel()
	var ctx context.Context
	transport := newTransport(t, func(req *http.Request) (*http.Response, error) {
		ctx = req.Context()
		hooks := httptrace.ContextClientTrace(ctx)
		for _, to := range []string{"graph.microsoft.com:443", "login.example:443", "login.example:443"} {
			hooks.GetConn(to)
			hooks.GotConn(httptrace.GotConnInfo{})
		}
		if ctx.Err() != nil {
			t.Error("another call ended the try")
		}
		return says(http.StatusNoContent)(req)
	})
	if _, err := transport.Do(request(t, newCall(true), http.MethodPost)); err != nil || ctx.Err() == nil {
		t.Errorf("error %v, the context ended with %v", err, ctx.Err())
	}
}

// With an idempotency key net/http would send a write once more.
func TestIdempotencyKeysAreRemoved(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		req := request(t, newCall(true), http.MethodPost)
		req.Header.Set(name, "1")
		transport := newTransport(t, func(req *http.Request) (*http.Response, error) {
			if req.Header.Get(name) != "" {
				t.Errorf("%s was sent", name)
			}
			return says(http.StatusNoContent)(req)
		})
		if _, err := transport.Do(req); err != nil {
			t.Error(err)
		}
	}
}
