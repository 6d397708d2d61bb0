package journalpg_test

import (
	"bytes"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy stands between a journal and its database.
type proxy struct {
	t        *testing.T
	listener net.Listener
	target   string

	cut     func(n int64) bool // whether the answer to the n-th commit is lost, with its connection; nil for none
	commits atomic.Int64
	lost    atomic.Int64

	mu    sync.Mutex
	stall chan struct{} // nothing goes through until it is closed; nil if it does
	down  bool
	conns map[net.Conn]bool
}

// newProxy returns a proxy, and the DSN that leads through it.
func newProxy(t *testing.T, dsn string, cut func(n int64) bool) (p *proxy, through string) {
	t.Helper()
	at, err := url.Parse(dsn)
	must(t, err)
	p = &proxy{t: t, target: at.Host, cut: cut, conns: map[net.Conn]bool{}}
	p.listener, err = net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	go func() {
		for {
			client, err := p.listener.Accept()
			if err != nil {
				return
			}
			go p.serve(client)
		}
	}()
	t.Cleanup(func() {
		_ = p.listener.Close()
		p.resume()
		p.cutAll()
	})
	if at.Query().Get("sslmode") == "" {
		t.Skip("the proxy reads what goes through, so that JOURNALPG_DSN needs sslmode=disable")
	}
	at.Host = p.listener.Addr().String()
	return p, at.String()
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	if p.down {
		p.mu.Unlock()
		return
	}
	p.conns[client], p.conns[server] = true, true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.conns, client)
		delete(p.conns, server)
	}()
	var lose atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer client.Close()
		p.pass(server, client, func([]byte) bool {
			if lose.Load() {
				p.lost.Add(1)
				return false
			}
			return true
		})
	}()
	p.pass(client, server, func(sent []byte) bool {
		if bytes.Contains(bytes.ToLower(sent), []byte("commit\x00")) {
			if n := p.commits.Add(1); p.cut != nil && p.cut(n) {
				lose.Store(true)
			}
		}
		return true
	})
	_ = server.Close()
	<-done
}

// pass copies until look says no, or a side ends.
func (p *proxy) pass(from, to net.Conn, look func([]byte) bool) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		p.mu.Lock()
		stall := p.stall
		p.mu.Unlock()
		if stall != nil {
			<-stall
		}
		if n > 0 && !look(buffer[:n]) {
			return
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// hold lets nothing through until resume.
func (p *proxy) hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stall = make(chan struct{})
}

func (p *proxy) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stall != nil {
		close(p.stall)
		p.stall = nil
	}
}

// reach cuts all connections and refuses new ones, or accepts them again.
func (p *proxy) reach(up bool) {
	p.mu.Lock()
	p.down = !up
	p.mu.Unlock()
	if !up {
		p.cutAll()
	}
}

func (p *proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		_ = conn.Close()
	}
}
