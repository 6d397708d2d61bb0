package intune_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"golang.org/x/net/http2"

	"github.com/go-intune/intune"
)

// Over real connections: what was sent is learned from the transport's own trace, not from the error's type.

func TestUnreachedServerIsNotAnOpenOutcome(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := "https://" + closed.Addr().String()
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
		"refused":              {refusing, &http.Transport{}},
		"no such host":         {"https://graph.invalid", &http.Transport{}},
		"hangs up in TLS":      {"https://" + hangUp, &http.Transport{}},
		"does not speak TLS":   {"https://" + plain, &http.Transport{}},
		"unknown certificate":  {stranger.URL, &http.Transport{}},
		"proxy refuses":        {"https://graph.invalid", &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: proxy})}},
		"proxy is unreachable": {"https://graph.invalid", &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: refusing[len("https://"):]})}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tries atomic.Int32
			client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				tries.Add(1)
				return c.transport.RoundTrip(req)
			}), func(o *intune.ClientOptions) { o.Cloud = graphAt(c.url) })
			_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			if err == nil || errors.Is(err, intune.ErrOutcomeUnknown) || tries.Load() != 4 {
				t.Errorf("%d tries, error %v", tries.Load(), err)
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

func TestBrokenConnectionIsAnOpenOutcome(t *testing.T) {
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

func TestContextEndsOverTheNetwork(t *testing.T) {
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
			if !errors.Is(err, intune.ErrOutcomeUnknown) || !errors.Is(err, context.Canceled) || arrived.Load() != 1 {
				t.Errorf("%d requests arrived, error %v", arrived.Load(), err)
			}
		})
	}
	t.Run("while it connects", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		silent := listen(t, func(net.Conn) { cancel() }) // accepts, and never shakes hands
		client := newClient(t, &http.Client{Transport: &http.Transport{}}, func(o *intune.ClientOptions) { o.Cloud = graphAt("https://" + silent) })
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
// it and sends the request again.
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

func TestHTTP2DoesNotRepeatTheAction(t *testing.T) {
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
			if n := arrived.Load(); !errors.Is(err, intune.ErrOutcomeUnknown) || n != 1 || !strings.Contains(err.Error(), "wanted to send the request again") {
				t.Fatalf("%d requests arrived, error %v", n, err)
			}

			// The server is one that Go's transport alone repeats requests to, or the test would prove nothing.
			arrived.Store(0)
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if resp, err := httpClient().Do(req); err == nil {
				_ = resp.Body.Close()
			}
			if arrived.Load() < 2 {
				t.Error("Go's transport did not repeat the request")
			}
		})
	}
}

func TestIdempotencyKeyIsNotSent(t *testing.T) {
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
