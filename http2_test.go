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
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"golang.org/x/net/http2"

	"github.com/go-intune/intune"
)

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
func TestHTTP2WithoutTLSDoesNotRepeatTheAction(t *testing.T) {
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
func TestStalledWriteIsAnOpenOutcome(t *testing.T) {
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
func TestManyCallsAtOnceOverHTTP2(t *testing.T) {
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
func TestOtherCallsWithTheContextOfTheRequest(t *testing.T) {
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
func TestSwitchingProtocolsDoesNotHang(t *testing.T) {
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
