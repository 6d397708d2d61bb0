package intune_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"go/build"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"golang.org/x/net/http2"

	"github.com/go-intune/intune"
)

// The transport that a client has when it is given none.
func TestNewClient_DefaultTransport(t *testing.T) {
	t.Parallel()
	var arrived atomic.Int32
	address := listen(t, func(conn net.Conn) {
		for readRequest(conn) != "" {
			arrived.Add(1)
			answer := "HTTP/1.1 204 No Content\r\n\r\n"
			if arrived.Load() > 1 {
				answer = "HTTP/1.1 302 Found\r\nLocation: /v1.0/elsewhere\r\nContent-Length: 0\r\n\r\n"
			}
			_, _ = io.WriteString(conn, answer)
		}
		_ = conn.Close()
	})
	client := newClient(t, nil, plainly("http://"+address))
	if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
		if e := asError(t, err); e.StatusCode != http.StatusFound || !errors.Is(err, intune.ErrOutcomeUnknown) {
			t.Errorf("got %v", err)
		}
	}
	if arrived.Load() != 3 {
		t.Errorf("%d requests arrived", arrived.Load())
	}
}

// What a redirect that was followed says of the outcome: that of its worst hop.
func TestRequestRemoteAssistance_OutcomeOverSeveralHops(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hops    []int // the first first
		token   bool
		unknown bool
		status  int
	}{
		"one that did not act":    {[]int{307}, false, false, 307},
		"one that may have acted": {[]int{302}, false, true, 302},
		"then one that may":       {[]int{308, 303}, false, true, 308},
		"neither":                 {[]int{308, 307}, false, false, 308},
		"the token traveled":      {[]int{307}, true, true, 307},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				last := req
				for _, code := range c.hops {
					hop := answer(last, code, nil, "")
					last = &http.Request{Method: http.MethodPost, URL: mustParse("https://elsewhere.example/"), Header: http.Header{}, Response: hop}
				}
				if c.token {
					last.Header.Set("Authorization", "Bearer x")
				}
				return answer(last, http.StatusNoContent, nil, ""), nil
			}), noRetries)
			err := act(t, client)
			if e := asError(t, err); errors.Is(err, intune.ErrOutcomeUnknown) != c.unknown || e.StatusCode != c.status {
				t.Errorf("status %d, error %v", e.StatusCode, err)
			}
			if _, err := client.GetDevice(t.Context(), intune.Device("1"), nil); err == nil || errors.Is(err, intune.ErrOutcomeUnknown) {
				t.Errorf("a read: %v", err)
			}
		})
	}
}

// The id that went out is the one reported, also when no answer came; without a request it is the library's own.
func TestRequestRemoteAssistance_IDWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	ctx := policy.WithHTTPHeader(t.Context(), http.Header{"Client-Request-Id": {"of the caller"}})
	_, err := newClient(t, newScript(broken(io.ErrUnexpectedEOF)), noRetries).RequestRemoteAssistance(ctx, intune.Device("1"), nil)
	if e := asError(t, err); e.ClientRequestID != "of the caller" {
		t.Errorf("got %q", e.ClientRequestID)
	}
	client, err := intune.NewClient(intune.StaticToken(""), nil)
	if err != nil {
		t.Fatal(err)
	}
	if e := asError(t, act(t, client)); !guid.MatchString(e.ClientRequestID) {
		t.Errorf("got %q", e.ClientRequestID)
	}
}

// Go's own transport calls the hooks of what it sends: what it refuses before is proved not to have been sent.
func TestRequestRemoteAssistance_RequestThatGoRefusesIsNotSent(t *testing.T) {
	t.Parallel()
	ctx := policy.WithHTTPHeader(t.Context(), http.Header{"X-Own": {"a\nb"}})
	for name, transport := range map[string]policy.Transporter{
		"default": nil, "client": &http.Client{}, "transport": &http.Client{Transport: &http.Transport{}},
	} {
		_, err := newClient(t, transport, noRetries).RequestRemoteAssistance(ctx, intune.Device("1"), nil)
		if err == nil || errors.Is(err, intune.ErrOutcomeUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// elsewhere is a server that redirects lead to. It answers what would pass for success.
func elsewhere(t *testing.T) (url string, arrived *atomic.Int32, token *atomic.Bool) {
	t.Helper()
	arrived, token = new(atomic.Int32), new(atomic.Bool)
	server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		arrived.Add(1)
		if r.Header.Get("Authorization") != "" {
			token.Store(true)
		}
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusNoContent)
		}
	}, false)
	return server.URL, arrived, token
}

// follows is what an http.Client with a CheckRedirect of its own does.
func follows(*http.Request, []*http.Request) error { return nil }

func TestRequestRemoteAssistance_RedirectIsNoSuccess(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status  int
		follow  bool
		unknown bool
		there   int32
	}{
		"301":           {http.StatusMovedPermanently, false, true, 0},
		"302":           {http.StatusFound, false, true, 0},
		"303":           {http.StatusSeeOther, false, true, 0},
		"307":           {http.StatusTemporaryRedirect, false, false, 0},
		"308":           {http.StatusPermanentRedirect, false, false, 0},
		"301, followed": {http.StatusMovedPermanently, true, true, 1},
		"302, followed": {http.StatusFound, true, true, 1},
		"303, followed": {http.StatusSeeOther, true, true, 1},
		"307, followed": {http.StatusTemporaryRedirect, true, false, 1},
		"308, followed": {http.StatusPermanentRedirect, true, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target, there, token := elsewhere(t)
			target = strings.Replace(target, "127.0.0.1", "localhost", 1)
			var here atomic.Int32
			server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				here.Add(1)
				http.Redirect(w, r, target+"/signin?session=secret", c.status)
			}, false)
			httpClient := server.Client()
			httpClient.Transport.(*http.Transport).TLSClientConfig.InsecureSkipVerify = true
			if c.follow {
				httpClient.CheckRedirect = follows
			}
			client := newClient(t, httpClient, func(o *intune.ClientOptions) {
				o.Cloud = graphAt(server.URL)
				if c.unknown {
					insists(o)
				}
			})
			_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			e := asError(t, err)
			if e.StatusCode != c.status || e.Hint == "" {
				t.Errorf("status %d, hint %q", e.StatusCode, e.Hint)
			}
			checkKinds(t, err, kindIf(c.unknown, intune.ErrOutcomeUnknown))
			if here.Load() != 1 || there.Load() != c.there {
				t.Errorf("%d requests here, %d there", here.Load(), there.Load())
			}
			if token.Load() {
				t.Error("the token traveled")
			}
			if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "signin") {
				t.Errorf("the text shows where the redirect led: %v", err)
			}
		})
	}
}

// A redirect is an answer, even if nobody answers where it leads to. The round tripper calls no hooks, as one for HTTP/3.
func TestRequestRemoteAssistance_RedirectThatLeadsNowhereWasSent(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	transport := transportFunc(func(req *http.Request) (*http.Response, error) {
		if req.URL.Host != "graph.microsoft.com" {
			return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
		}
		asked.Add(1)
		return answer(req, http.StatusFound, http.Header{"Location": {"https://login.example"}}, ""), nil
	})
	client := newClient(t, &http.Client{Transport: transport, CheckRedirect: follows}, insists)
	_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	if !errors.Is(err, intune.ErrOutcomeUnknown) || asked.Load() != 1 {
		t.Errorf("sent %d times, error %v", asked.Load(), err)
	}
}

// A transport that rewrites the answer's request without saying how it came there.
func TestRequestRemoteAssistance_AnswerToAnotherRequestDoesNotCount(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*http.Request){
		"method": func(r *http.Request) { r.Method = http.MethodGet },
		"host":   func(r *http.Request) { r.URL.Host = "login.example" },
		"scheme": func(r *http.Request) { r.URL.Scheme = "http" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				other := req.Clone(req.Context())
				change(other)
				return answer(other, http.StatusNoContent, nil, ""), nil
			}))
			_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			if !errors.Is(err, intune.ErrOutcomeUnknown) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A policy of the caller's that leads elsewhere must not take the token along.
func TestRequestRemoteAssistance_TokenGoesToTheConfiguredHostOnly(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*http.Request){
		"host":   func(r *http.Request) { r.URL.Host = "graph.microsoft.com.example" },
		"scheme": func(r *http.Request) { r.URL.Scheme = "http" },
		"port":   func(r *http.Request) { r.URL.Host = "graph.microsoft.com:8443" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sent atomic.Int32
			client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				sent.Add(1)
				return answer(req, http.StatusNoContent, nil, ""), nil
			}), func(o *intune.ClientOptions) { o.PerCallPolicies = append(o.PerCallPolicies, rewrite(change)) })
			_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			if n := sent.Load(); n != 0 || err == nil {
				t.Errorf("%d requests were sent, error %v", n, err)
			}
			checkKinds(t, err)
		})
	}
}

// net/http takes the token along to another port and another scheme of the same host, and our whole address, filter
// included, to any host. A caller's CheckRedirect may put back what was taken off.
func TestRequestRemoteAssistance_TokenDoesNotFollowRedirects(t *testing.T) {
	t.Parallel()
	for kind, check := range map[string]func(*http.Request, []*http.Request) error{
		"allows": follows,
		"copies headers": func(req *http.Request, via []*http.Request) error {
			req.Header = via[0].Header.Clone()
			return nil
		},
	} {
		for _, code := range []int{301, 302, 303, 307, 308} {
			for to, tls := range map[string]bool{"another port": true, "plain http": false} {
				t.Run(kind+" "+http.StatusText(code)+" to "+to, func(t *testing.T) {
					t.Parallel()
					var arrived atomic.Int32
					handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
						arrived.Add(1)
						if r.Header.Get("Authorization") != "" {
							t.Error("the token traveled")
						}
						if referer := r.Header.Get("Referer"); referer != "" {
							t.Errorf("our address traveled: %s", referer)
						}
					})
					there := httptest.NewUnstartedServer(handler)
					if tls {
						there.StartTLS()
					} else {
						there.Start()
					}
					t.Cleanup(there.Close)
					server := newServer(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, there.URL, code) }, false)
					httpClient := server.Client()
					httpClient.Transport.(*http.Transport).TLSClientConfig.InsecureSkipVerify = true
					httpClient.CheckRedirect = check
					client := newClient(t, httpClient, func(o *intune.ClientOptions) { o.Cloud = graphAt(server.URL) })
					if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err == nil {
						t.Error("success")
					}
					if _, err := client.FindDevice(t.Context(), intune.DeviceFilter{DeviceName: "PC-017"}, nil); err == nil {
						t.Error("success")
					}
					if arrived.Load() != 2 {
						t.Errorf("%d requests there: the test proves nothing", arrived.Load())
					}
				})
			}
		}
	}
}

// An answer that came after a redirect on the same host is an answer to another request.
func TestGetDevice_RedirectWithinTheHost(t *testing.T) {
	t.Parallel()
	server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1.0/") {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
			return
		}
		_, _ = io.WriteString(w, `{"id":"1"}`)
	}, false)
	httpClient := server.Client()
	httpClient.CheckRedirect = follows
	client := newClient(t, httpClient, func(o *intune.ClientOptions) { o.Cloud = graphAt(server.URL) })
	if device, err := client.GetDevice(t.Context(), intune.Device("1"), nil); err == nil {
		t.Errorf("got %v", device)
	}
}

// Over real connections: what was sent is learned from the transport's own trace, not from the error's type.

func TestRequestRemoteAssistance_UnreachedServerIsNotAnOpenOutcome(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	unreachable := closed.Addr().String()
	_ = closed.Close()

	var accepted atomic.Int32
	hangUp := listen(t, func(conn net.Conn) { accepted.Add(1); _ = conn.Close() })
	plain := listen(t, func(conn net.Conn) {
		_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
		_ = conn.Close()
	})
	stranger := newServer(t, func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") }, false)
	proxy := listen(t, func(conn net.Conn) {
		_ = readRequest(conn)
		_, _ = io.WriteString(conn, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
		_ = conn.Close()
	})
	for name, c := range map[string]struct {
		url       string
		transport *http.Transport
	}{
		"refused":              {"https://" + unreachable, &http.Transport{}},
		"no such host":         {"https://graph.invalid", &http.Transport{}},
		"hangs up in TLS":      {"https://" + hangUp, &http.Transport{}},
		"does not speak TLS":   {"https://" + plain, &http.Transport{}},
		"unknown certificate":  {stranger.URL, &http.Transport{}},
		"proxy refuses":        {"https://graph.invalid", &http.Transport{Proxy: http.ProxyURL(mustParse("http://" + proxy))}},
		"proxy is unreachable": {"https://graph.invalid", &http.Transport{Proxy: http.ProxyURL(mustParse("http://" + unreachable))}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tries atomic.Int32
			client := newClient(t, &http.Client{Transport: c.transport}, func(o *intune.ClientOptions) {
				o.Cloud = graphAt(c.url)
				o.PerRetryPolicies = []policy.Policy{policyFunc(func(req *policy.Request) (*http.Response, error) { tries.Add(1); return req.Next() })}
			})
			_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			if n := tries.Load(); n != 4 || err == nil {
				t.Errorf("%d tries, error %v", n, err)
			}
			if errors.Is(err, intune.ErrOutcomeUnknown) {
				t.Errorf("the outcome is unknown: %v", err)
			}
		})
	}
}

func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return listener.Addr().String()
}

func TestRequestRemoteAssistance_BrokenConnectionIsAnOpenOutcome(t *testing.T) {
	t.Parallel()
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		for _, warm := range []bool{false, true} {
			t.Run(name+map[bool]string{true: " on a used connection"}[warm], func(t *testing.T) {
				t.Parallel()
				var arrived atomic.Int32
				server := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
					if warm && arrived.Load() == 0 {
						arrived.Add(1)
						w.WriteHeader(http.StatusNoContent)
						return
					}
					arrived.Add(1)
					panic(http.ErrAbortHandler)
				}, http2)
				client := newServerClient(t, server, insists)
				want := int32(1)
				if warm {
					if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
						t.Fatal(err)
					}
					want++
				}
				_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
				if !errors.Is(err, intune.ErrOutcomeUnknown) || arrived.Load() != want {
					t.Errorf("%d requests arrived, want %d; error %v", arrived.Load(), want, err)
				}
			})
		}
	}
}

func TestRequestRemoteAssistance_ContextEndsOverTheNetwork(t *testing.T) {
	t.Parallel()
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run("in flight, "+name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var arrived atomic.Int32
			over := make(chan struct{}) // the server sees the end of a connection, and would answer, before it is closed for reading
			server := newServer(t, func(http.ResponseWriter, *http.Request) {
				arrived.Add(1)
				cancel()
				<-over
			}, http2)
			_, err := newServerClient(t, server).RequestRemoteAssistance(ctx, intune.Device("1"), nil)
			close(over)
			checkKinds(t, err, intune.ErrOutcomeUnknown, context.Canceled)
			if n := arrived.Load(); n != 1 {
				t.Errorf("%d requests arrived", n)
			}
		})
	}
	t.Run("while it connects", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		silent := listen(t, func(net.Conn) { cancel() }) // accepts, and never shakes hands
		transport := &http.Client{Transport: &http.Transport{}}
		client := newClient(t, transport, func(o *intune.ClientOptions) { o.Cloud = graphAt("https://" + silent) })
		_, err := client.RequestRemoteAssistance(ctx, intune.Device("1"), nil)
		if errors.Is(err, intune.ErrOutcomeUnknown) || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// serveFrames is an HTTP/2 server that receives requests and answers them with how. again is called at the second.
func serveFrames(conn net.Conn, how func(*http2.Framer, uint32), arrived *atomic.Int32, again func()) {
	defer func() { _ = conn.Close() }()
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(conn, preface); err != nil || !bytes.Equal(preface, []byte(http2.ClientPreface)) {
		return
	}
	framer := http2.NewFramer(conn, conn)
	_ = framer.WriteSettings()
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				_ = framer.WriteSettingsAck()
			}
		case *http2.HeadersFrame:
			if arrived.Add(1) > 1 {
				again()
			}
			how(framer, frame.StreamID)
		}
	}
}

// waysToGiveBack are the ways in which a server says that it did not process a request so that Go's transport believes
// it and sends the request again. From Go 1.27 on, the transport of net/http does not believe a protocol error.
var waysToGiveBack = map[string]func(*http2.Framer, uint32){
	"stream refused":            func(f *http2.Framer, id uint32) { _ = f.WriteRSTStream(id, http2.ErrCodeRefusedStream) },
	"stream has protocol error": func(f *http2.Framer, id uint32) { _ = f.WriteRSTStream(id, http2.ErrCodeProtocol) },
	"connection goes away":      func(f *http2.Framer, _ uint32) { _ = f.WriteGoAway(0, http2.ErrCodeNo, nil) },
}

// givesBack serves frames over TLS.
func givesBack(t *testing.T, how func(*http2.Framer, uint32), again func()) (server *httptest.Server, arrived *atomic.Int32) {
	t.Helper()
	arrived = new(atomic.Int32)
	server = httptest.NewUnstartedServer(nil)
	server.TLS = &tls.Config{NextProtos: []string{"h2"}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		"h2": func(_ *http.Server, conn *tls.Conn, _ http.Handler) { serveFrames(conn, how, arrived, again) },
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, arrived
}

func TestRequestRemoteAssistance_HTTP2DoesNotRepeat(t *testing.T) {
	t.Parallel()
	for name, how := range waysToGiveBack {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			server, arrived := givesBack(t, how, cancel) // the second request has proved it; Go would go on for a minute
			httpClient := func() *http.Client {
				return &http.Client{Transport: &http.Transport{
					TLSClientConfig: server.Client().Transport.(*http.Transport).TLSClientConfig.Clone(), ForceAttemptHTTP2: true,
				}}
			}
			client := newClient(t, httpClient(), insists, func(o *intune.ClientOptions) { o.Cloud = graphAt(server.URL) })
			_, err := client.RequestRemoteAssistance(ctx, intune.Device("1"), nil)
			if n := arrived.Load(); !errors.Is(err, intune.ErrOutcomeUnknown) || n != 1 {
				t.Fatalf("%d requests arrived, error %v", n, err)
			}
			repeats := name != "stream has protocol error" || !slices.Contains(build.Default.ReleaseTags, "go1.27")
			const says = "wanted to send the request again"
			if said := strings.Contains(err.Error(), says); said != repeats {
				t.Errorf("it is %v that the error says %q: %v", said, says, err)
			}

			// Where Go's transport alone does not repeat the request, the test would prove nothing.
			arrived.Store(0)
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if resp, err := httpClient().Do(req); err == nil {
				_ = resp.Body.Close()
			}
			if n := arrived.Load(); n > 1 != repeats {
				t.Errorf("%d requests of Go's transport arrived", n)
			}
		})
	}
}

func TestRequestRemoteAssistance_IdempotencyKeyIsNotSent(t *testing.T) {
	t.Parallel()
	var header http.Header
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		header = req.Header.Clone()
		return answer(req, http.StatusNoContent, nil, ""), nil
	}))
	ctx := policy.WithHTTPHeader(t.Context(), http.Header{"Idempotency-Key": {"1"}, "X-Idempotency-Key": {"1"}})
	if _, err := client.RequestRemoteAssistance(ctx, intune.Device("1"), nil); err != nil {
		t.Fatal(err)
	}
	// With it, net/http repeats a POST on a broken connection.
	if header.Get("Idempotency-Key") != "" || header.Get("X-Idempotency-Key") != "" {
		t.Errorf("sent %v", header)
	}
}

// plainly is a client for an endpoint on loopback without TLS.
func plainly(url string) func(*intune.ClientOptions) {
	return func(o *intune.ClientOptions) {
		o.Cloud = graphAt(url)
		o.InsecureAllowCredentialWithHTTP = true
	}
}

// clear2 is a transport of x/net over connections of the caller's, which do not say what protocol they speak.
func clear2(wrap func(net.Conn) net.Conn) http.RoundTripper {
	return &http2.Transport{ //nolint:staticcheck // it is in use, and does not tell what it speaks
		AllowHTTP: true, //nolint:staticcheck // as above
		DialTLSContext: func(ctx context.Context, network, address string, _ *tls.Config) (net.Conn, error) { //nolint:staticcheck // as above
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return wrap(conn), nil
		},
	}
}

// plainConn hides all methods of a connection but those of the interface.
type plainConn struct{ net.Conn }

// HTTP/2 without TLS is not told by the connection, and Go repeats a request there just the same.
func TestRequestRemoteAssistance_HTTP2WithoutTLSDoesNotRepeat(t *testing.T) {
	t.Parallel()
	for name, how := range waysToGiveBack {
		for kind, transport := range map[string]http.RoundTripper{
			"x/net":    clear2(func(c net.Conn) net.Conn { return plainConn{c} }),
			"net/http": &http.Transport{Protocols: clearProtocols()},
		} {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var arrived atomic.Int32
				address := listen(t, func(conn net.Conn) { serveFrames(conn, how, &arrived, cancel) })
				client := newClient(t, &http.Client{Transport: transport}, insists, plainly("http://"+address))
				_, err := client.RequestRemoteAssistance(ctx, intune.Device("1"), nil)
				if n := arrived.Load(); !errors.Is(err, intune.ErrOutcomeUnknown) || n != 1 {
					t.Errorf("%d requests arrived, error %v", n, err)
				}
			})
		}
	}
}

func clearProtocols() *http.Protocols {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return protocols
}

// stallingConn hands on what is written, and does not return from writing a request, as a connection whose buffers are
// full.
type stallingConn struct {
	net.Conn

	released chan struct{}
}

func (c stallingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	const frameHeader, headers = 9, 1
	for rest := p; len(rest) >= frameHeader && !bytes.HasPrefix(p, []byte("PRI")); {
		if rest[3] == headers {
			<-c.released
		}
		rest = rest[min(len(rest), frameHeader+int(rest[0])<<16+int(rest[1])<<8+int(rest[2])):]
	}
	return n, err
}

// RoundTrip returns when the context ends, without waiting for the goroutine that writes the headers.
func TestRequestRemoteAssistance_StalledWriteIsAnOpenOutcome(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]time.Duration{"time limit of a try": 200 * time.Millisecond, "end of the context": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var arrived atomic.Int32
			received := func(*http2.Framer, uint32) {
				if limit == 0 {
					cancel()
				}
			}
			address := listen(t, func(conn net.Conn) { serveFrames(conn, received, &arrived, cancel) })
			released := make(chan struct{})
			defer close(released)
			transport := clear2(func(c net.Conn) net.Conn { return stallingConn{Conn: c, released: released} })
			client := newClient(t, &http.Client{Transport: transport}, insists, plainly("http://"+address),
				func(o *intune.ClientOptions) { o.Retry.TryTimeout = limit })
			_, err := client.RequestRemoteAssistance(ctx, intune.Device("1"), nil)
			if n := arrived.Load(); !errors.Is(err, intune.ErrOutcomeUnknown) || n != 1 {
				t.Errorf("%d requests arrived, error %v", n, err)
			}
		})
	}
}

// More calls at once than a connection takes: Go gives the request to a connection without room first, and that is no
// reason not to know.
func TestRequestRemoteAssistance_CallsAtOnceOverHTTP2(t *testing.T) {
	t.Parallel()
	const calls = 200
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)                // connections that come too late are given up
	server.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 100} // Graph's, and what Go begins with
	server.StartTLS()
	t.Cleanup(server.Close)
	client := newServerClient(t, server)
	if err := act(t, client); err != nil { // there is a connection
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range calls {
		group.Go(func() {
			// A connection may break on a busy machine; that is another matter.
			if err := act(t, client); err != nil && strings.Contains(err.Error(), "wanted to send the request again") {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// A dialer or transport of the caller's that calls another service with the request's context.
func TestRequestRemoteAssistance_OtherCallsWithItsContext(t *testing.T) {
	t.Parallel()
	other := newServer(t, func(http.ResponseWriter, *http.Request) {}, true)
	discover := func(ctx context.Context) error {
		for range 3 {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, other.URL, http.NoBody)
			if err != nil {
				return err
			}
			resp, err := other.Client().Do(req)
			if err != nil {
				return err
			}
			_ = resp.Body.Close()
		}
		return nil
	}
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		seen := &counts{}
		server := seen.server(t, http2)
		inner := server.Client().Transport.(*http.Transport)
		dials := inner.Clone()
		dials.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			if err := discover(ctx); err != nil {
				return nil, err
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
		for where, transport := range map[string]policy.Transporter{
			"dialer": &http.Client{Transport: dials},
			"transport": &http.Client{Transport: transportFunc(func(req *http.Request) (*http.Response, error) {
				if err := discover(req.Context()); err != nil {
					return nil, err
				}
				return inner.RoundTrip(req)
			})},
		} {
			t.Run(name+", "+where, func(t *testing.T) {
				t.Parallel()
				client := newClient(t, transport, func(o *intune.ClientOptions) { o.Cloud = graphAt(server.URL) })
				device := intune.Device(strings.ReplaceAll(name, "/", "") + where)
				if _, err := client.RequestRemoteAssistance(t.Context(), device, nil); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// The body of 101 is the connection, and reading it does not end with the context.
func TestClient_SwitchingProtocolsDoesNotHang(t *testing.T) {
	t.Parallel()
	address := listen(t, func(conn net.Conn) {
		_ = readRequest(conn)
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		_, _ = io.Copy(io.Discard, conn) // until the client closes
		_ = conn.Close()
	})
	client := newClient(t, &http.Client{Transport: &http.Transport{}}, plainly("http://"+address))
	_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	if e := asError(t, err); e.StatusCode != http.StatusSwitchingProtocols || !errors.Is(err, intune.ErrOutcomeUnknown) {
		t.Errorf("got %v", err)
	}
	_, err = client.GetDevice(t.Context(), intune.Device("1"), nil)
	if e := asError(t, err); e.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("got %v", err)
	}
}

// Calls that start while there is no connection each dial one; the first that stands serves them all, and the other dials end later.
func TestRequestRemoteAssistance_CallsAtOnceOnNewConnections(t *testing.T) {
	t.Parallel()
	server := newServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, true)
	client := newServerClient(t, server)
	for range 10 {
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				if err := act(t, client); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		server.Client().CloseIdleConnections()
	}
}
