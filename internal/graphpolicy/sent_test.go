package graphpolicy_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/graphtest"
)

// The hooks of net/http/httptrace, called in the orders in which Go's transports and those around them call them.
func TestSentIsLearnedFromTheTrace(t *testing.T) {
	t.Parallel()
	const own, other = "graph.microsoft.com:443", "login.example:443"
	type hooks = *httptrace.ClientTrace
	fresh, used := httptrace.GotConnInfo{}, httptrace.GotConnInfo{Reused: true}
	http1 := func(h hooks, host string) { h.WroteHeaderField("Host", []string{host}) }
	http2 := func(h hooks, host string) {
		h.WroteHeaderField(":authority", []string{host})
		h.WroteHeaderField("accept", []string{"application/json"})
	}
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
		"HTTP/2, the first connection had no room, and no other came": {
			func(h hooks) { h.GetConn(own); h.GotConn(used); h.GetConn(own) }, dial, graphpolicy.Open, false,
		},
		"HTTP/1, the host is written otherwise": {
			func(h hooks) { h.GetConn(own); h.GotConn(fresh); http1(h, graph+":443"); h.GetConn(own) }, io.EOF, graphpolicy.Open, true,
		},
		"another call's headers while it waits": {
			func(h hooks) {
				h.GetConn(other)
				h.GotConn(fresh)
				h.GetConn(own)
				http2(h, "login.example")
				h.GetConn(own)
				h.GotConn(fresh)
			}, io.EOF, graphpolicy.Open, false,
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

// Only Go's own transport is known to call the hooks: a silent one around it may have sent something.
func TestSilenceProvesSomethingOfGosTransportOnly(t *testing.T) {
	t.Parallel()
	breaks := roundTripper(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
	refuses := &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return nil, io.ErrUnexpectedEOF }} // before it dials
	other := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}
	other.RegisterProtocol("https", breaks) // such as HTTP/3
	for name, c := range map[string]struct {
		transport policy.Transporter
		want      graphpolicy.Verdict
	}{
		"a transport":                            {graphtest.Transport(breaks), graphpolicy.Open},
		"a client with a transport of its own":   {&http.Client{Transport: breaks}, graphpolicy.Open},
		"a client with Go's":                     {&http.Client{Transport: refuses}, graphpolicy.NotSent},
		"a client with Go's behind another type": {&http.Client{Transport: roundTripper(refuses.RoundTrip)}, graphpolicy.Open},
		"a client with Go's, which has another":  {&http.Client{Transport: other}, graphpolicy.Open},
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

// Go's transport looks at the headers before it asks for a connection.
func TestHeadersThatGoDoesNotSend(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]http.Header{
		"name": {"a b": {"c"}}, "separator in the name": {"a:": {"b"}}, "blank name": {"": {"b"}}, "value": {"A": {"b", "c\n"}}, "DEL": {"A": {"\x7f"}},
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

// The silence of the transport of this package proves that nothing was sent, whatever it refused.
func TestMethodThatGoDoesNotSend(t *testing.T) {
	t.Parallel()
	for kind, c := range map[string]struct {
		client policy.Transporter
		want   graphpolicy.Verdict
	}{"own": {nil, graphpolicy.NotSent}, "the caller's": {&http.Client{Transport: &http.Transport{}}, graphpolicy.Open}} {
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

// A transport that is registered with Go's gets the headers that Go's would send, and no others.
func TestHeadersThatGoDoesNotSendByteForByte(t *testing.T) {
	t.Parallel()
	called := false
	transport := &http.Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}
	transport.RegisterProtocol("https", roundTripper(func(*http.Request) (*http.Response, error) {
		called = true
		return nil, io.ErrUnexpectedEOF
	}))
	for b := range 256 {
		for _, header := range []http.Header{{"a" + string([]byte{byte(b)}): {"b"}}, {"A": {"b" + string([]byte{byte(b)}) + "c"}}} {
			called = false
			call := newCall(true)
			req := request(t, call, http.MethodPost)
			req.Header = header
			_, err := newTransportOver(t, &http.Client{Transport: transport}).Do(req)
			if err == nil || called != (call.Record().Verdict == graphpolicy.Open) {
				t.Errorf("%q: verdict %d; error %v", header, call.Record().Verdict, err)
			}
		}
	}
}

// An answer came, so the request was sent, whatever failed after that.
func TestAnswerBesideAnErrorProvesThatItWasSent(t *testing.T) {
	t.Parallel()
	dial := &net.OpError{Op: "dial", Err: errors.New("refused")}
	redirects := roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.URL.Host != "graph.microsoft.com" {
			return nil, dial
		}
		return &http.Response{StatusCode: http.StatusFound, Header: http.Header{"Location": {"https://login.example"}}, Body: http.NoBody}, nil
	})
	for name, transport := range map[string]policy.Transporter{
		"a transport that returns both": graphtest.Transport(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusNoContent}, dial
		}),
		"a redirect that leads nowhere": &http.Client{
			Transport: redirects, CheckRedirect: func(*http.Request, []*http.Request) error { return nil },
		},
		"a redirect that the caller refuses": &http.Client{
			Transport: redirects, CheckRedirect: func(*http.Request, []*http.Request) error { return dial },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := newCall(true)
			_, err := newTransportOver(t, transport).Do(request(t, call, http.MethodPost))
			if !errors.Is(err, dial) || call.Record().Verdict != graphpolicy.Open {
				t.Errorf("verdict %d; error %v", call.Record().Verdict, err)
			}
		})
	}
}
