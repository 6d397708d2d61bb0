package graphpolicy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/graphtest"
)

// retrying sends a request up to five times.
type retrying struct{ inner http.RoundTripper }

func (r retrying) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	for range 5 {
		if resp, err = r.inner.RoundTrip(req); err == nil {
			if resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests {
				break
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}
	return resp, err
}

// hedging sends a request twice at a time, and returns what comes first.
type hedging struct{ inner http.RoundTripper }

func (h hedging) RoundTrip(req *http.Request) (*http.Response, error) {
	type result struct {
		resp *http.Response
		err  error
	}
	results := make(chan result, 2)
	for range 2 {
		go func() {
			resp, err := h.inner.RoundTrip(req.Clone(req.Context()))
			results <- result{resp, err}
		}()
	}
	first := <-results
	go func() {
		if second := <-results; second.err == nil {
			_ = second.resp.Body.Close()
		}
	}()
	return first.resp, first.err
}

// ownClient sends a request through a client of its own, with a context made of the request's.
type ownClient struct {
	inner  http.RoundTripper
	change func(context.Context) context.Context
}

func (o ownClient) RoundTrip(req *http.Request) (*http.Response, error) {
	client := &http.Client{Transport: o.inner, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return client.Do(req.Clone(o.change(req.Context())))
}

// What the caller's transport does by itself, the service sees once, over connections that are there already and over new
// ones. A transport whose connections cannot be seen is known for nothing; what it does not repeat itself is not repeated.
func TestOtherTransportsSendOnce(t *testing.T) {
	t.Parallel()
	const repeats, hedges = 1, 2
	asItIs := func(ctx context.Context) context.Context { return ctx }
	unrelated := func(context.Context) context.Context { return t.Context() }
	for kind, c := range map[string]struct {
		wrap func(http.RoundTripper) http.RoundTripper
		does int
	}{
		"retrying": {func(inner http.RoundTripper) http.RoundTripper { return retrying{inner} }, repeats},
		"retrying, detached": {func(inner http.RoundTripper) http.RoundTripper {
			return retrying{ownClient{inner, context.WithoutCancel}}
		}, repeats},
		"hedging": {func(inner http.RoundTripper) http.RoundTripper { return hedging{inner} }, hedges},
		"hedging, detached": {func(inner http.RoundTripper) http.RoundTripper {
			return hedging{ownClient{inner, context.WithoutCancel}}
		}, hedges},
		"own client":                  {func(inner http.RoundTripper) http.RoundTripper { return ownClient{inner, asItIs} }, 0},
		"own client and unseen by us": {func(inner http.RoundTripper) http.RoundTripper { return ownClient{inner, unrelated} }, 0},
	} {
		for protocol, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
			t.Run(kind+", "+protocol, func(t *testing.T) {
				t.Parallel()
				service := newService(t, http2)
				for status, want := range map[int]graphpolicy.Verdict{
					204: graphpolicy.Answered, 429: graphpolicy.Refused, 502: graphpolicy.Open, 503: graphpolicy.Open, dropped: graphpolicy.Open,
				} {
					// With several idle connections, net/http chooses at random between one of them and the end of the context.
					for _, connections := range []int{0, 1, 4, 4} {
						verdict, err := service.write(t, c.wrap, status, connections)
						switch {
						case verdict == graphpolicy.NotSent:
							t.Errorf("%d after %d: it counts as not sent; error %v", status, connections, err)
						case c.does == repeats && status == 429: // it wanted to send it once more
							if verdict != graphpolicy.Open {
								t.Errorf("%d after %d: verdict %d, error %v", status, connections, verdict, err)
							}
						case c.does == hedges && verdict == graphpolicy.Open: // the end of one may be that of both
						case verdict != want:
							t.Errorf("%d after %d: verdict %d, want %d; error %v", status, connections, verdict, want, err)
						}
					}
				}
				posts := service.end()
				for path, arrived := range posts {
					if arrived > 1 {
						t.Errorf("%s: %d arrived", path, arrived)
					}
				}
				if c.does != hedges && len(posts) != service.sent {
					t.Errorf("%d of %d arrived", len(posts), service.sent)
				}
			})
		}
	}
}

// twice sends a request over two connections at a time, in contexts that do not end with the request's. The first connection
// is given first, and its headers are put together when the second has been answered.
type twice struct{ inner *http.Transport }

func (s twice) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := context.WithoutCancel(req.Context())
	given, answered, sent := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		late := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaderField: func(name string, _ []string) {
			if name == ":authority" {
				close(given)
				<-answered
			}
		}})
		resp, err := s.inner.RoundTrip(req.Clone(late))
		if err == nil {
			err = resp.Body.Close()
		}
		sent <- err
	}()
	<-given
	second := s.inner.Clone()
	defer second.CloseIdleConnections()
	resp, err := second.RoundTrip(req.Clone(ctx))
	close(answered)
	<-sent
	return resp, err
}

// Over HTTP/2, whose connections other requests use too, a second connection is not closed when it is given.
func TestOtherTransportsSendOnceOverTwoConnections(t *testing.T) {
	t.Parallel()
	service := newService(t, true)
	verdict, err := service.write(t, func(inner http.RoundTripper) http.RoundTripper { return twice{inner.(*http.Transport)} }, 204, 0)
	for path, arrived := range service.end() {
		if arrived != 1 {
			t.Errorf("%s: %d arrived", path, arrived)
		}
	}
	if verdict != graphpolicy.Answered {
		t.Errorf("verdict %d, error %v", verdict, err)
	}
}

// failsLate is a connection of which a write fails, when fails is set, once what it wrote has arrived.
type failsLate struct {
	net.Conn

	fails   *atomic.Bool
	arrived <-chan struct{}
}

func (c failsLate) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err == nil && c.fails.CompareAndSwap(true, false) {
		<-c.arrived
		err = errors.New("over the limit")
	}
	return n, err
}

// TLS says of such a connection that it has written nothing, and net/http then takes another one.
func TestConnectionThatFailsAfterItHasWritten(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 2)
	server := graphtest.NewServer(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			arrived <- struct{}{}
		}
	}, false)
	root, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	fails, inner := new(atomic.Bool), server.Client().Transport.(*http.Transport).Clone()
	defer inner.CloseIdleConnections()
	dialer := inner.DialContext // of the server's client
	inner.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer(ctx, network, address)
		return failsLate{conn, fails, arrived}, err
	}
	client := &http.Client{Transport: inner}
	resp, err := client.Get(server.URL) // so that the connection has been used
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	fails.Store(true)
	call := newCall(true)
	req, err := http.NewRequestWithContext(call.Start(t.Context()), http.MethodPost, server.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	_, err = graphpolicy.NewTransport(client, root, nil).Do(req)
	if len(arrived) > 0 {
		t.Errorf("%d more arrived", len(arrived))
	}
	if verdict := call.Record().Verdict; verdict != graphpolicy.Open && err != nil { // the answer may be faster than the error
		t.Errorf("verdict %d, error %v", verdict, err)
	}
}

// dropped stands for a request that arrives and gets no answer.
const dropped = 0

// service answers a POST with the status that its path begins with, and counts those of each path.
type service struct {
	*httptest.Server

	reads chan struct{} // they wait for each other, so that each has a connection
	sent  int

	mu    sync.Mutex
	posts map[string]int // by path
}

func newService(t *testing.T, http2 bool) *service {
	t.Helper()
	s := &service{reads: make(chan struct{}), posts: map[string]int{}}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			<-s.reads
			return
		}
		s.mu.Lock()
		s.posts[r.URL.Path]++
		s.mu.Unlock()
		var status int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d/", &status); err != nil || status == dropped {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(status)
	}))
	s.EnableHTTP2 = http2
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// end waits for what is on its way, and tells what has arrived. Over HTTP/2 the last request of a connection that was closed
// may still be counted meanwhile.
func (s *service) end() (posts map[string]int) {
	s.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.posts)
}

// write sends a write through what wrap makes of a transport of Go's, which has so many idle connections.
func (s *service) write(
	t *testing.T, wrap func(http.RoundTripper) http.RoundTripper, status, connections int,
) (graphpolicy.Verdict, error) {
	t.Helper()
	root, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	s.sent++
	inner := s.Client().Transport.(*http.Transport).Clone()
	inner.MaxIdleConnsPerHost = connections
	defer inner.CloseIdleConnections()
	s.warm(t, inner, connections)
	call := newCall(true)
	target := fmt.Sprintf("%s/%d/%d", s.URL, status, s.sent)
	req, err := http.NewRequestWithContext(call.Start(t.Context()), http.MethodPost, target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	_, err = graphpolicy.NewTransport(&http.Client{Transport: wrap(inner)}, root, nil).Do(req)
	return call.Record().Verdict, err
}

// warm makes so many connections that stay.
func (s *service) warm(t *testing.T, inner http.RoundTripper, connections int) {
	t.Helper()
	var group sync.WaitGroup
	for range connections {
		group.Go(func() {
			resp, err := (&http.Client{Transport: inner}).Get(s.URL)
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		})
	}
	for range connections {
		s.reads <- struct{}{}
	}
	group.Wait()
}
