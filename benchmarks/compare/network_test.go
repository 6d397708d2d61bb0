package compare

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"testing"
)

// network is one of real HTTP/1.1 connections, but in memory, so that in a testing/synctest bubble the minutes that some clients
// wait take no time. Addresses are https as the clients want them; there is no TLS below.
type network struct {
	mu     sync.Mutex
	refuse int // connections that are refused
	hosts  map[string]chan net.Conn
	ended  []func()
}

// host lets a handler answer for a host.
func (n *network) host(name string, handler http.Handler) {
	conns := make(chan net.Conn)
	done := make(chan struct{})
	if n.hosts == nil {
		n.hosts = map[string]chan net.Conn{}
	}
	n.hosts[name] = conns
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.TLS = &tls.ConnectionState{} // what the client thinks
			handler.ServeHTTP(w, r)
		}),
		ErrorLog: log.New(io.Discard, "", 0),
	}
	go func() {
		defer close(done)
		_ = server.Serve(&listener{conns: conns, closed: make(chan struct{})})
	}()
	n.ended = append(n.ended, func() {
		server.Close()
		<-done
	})
}

// transport dials hosts of the network.
func (n *network) transport(t *testing.T) http.RoundTripper {
	t.Helper()
	transport := &http.Transport{DialTLSContext: func(ctx context.Context, _, address string) (net.Conn, error) {
		n.mu.Lock()
		refused := n.refuse > 0
		if refused {
			n.refuse--
		}
		n.mu.Unlock()
		host, _, _ := net.SplitHostPort(address)
		conns := n.hosts[host]
		if refused || conns == nil {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
		}
		near, far := net.Pipe()
		select {
		case conns <- far:
			return near, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	n.ended = append(n.ended, transport.CloseIdleConnections)
	return transport
}

func (n *network) close() {
	for _, end := range n.ended {
		end()
	}
}

type listener struct {
	conns  <-chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *listener) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "memory"} }
