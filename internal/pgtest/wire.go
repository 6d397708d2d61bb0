//go:build unix

package pgtest

import (
	"net"
	"net/url"
	"sync"
	"sync/atomic"
)

// Wire is a network between programs and a database, which can break.
type Wire struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	cut   bool
	conns []*wired
}

// wired is one connection through a wire.
type wired struct {
	client, server net.Conn
	forgotten      atomic.Bool
}

// NewWire returns a wire and the DSN that leads through it. End it with [Wire.Cut].
func NewWire(dsn string) (w *Wire, through string, err error) {
	at, err := url.Parse(dsn)
	if err != nil {
		return nil, "", err
	}
	w = &Wire{target: at.Host}
	if w.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil { //nolint:noctx // nothing that could take long
		return nil, "", err
	}
	go func() {
		for {
			client, err := w.listener.Accept()
			if err != nil {
				return
			}
			go w.connect(client)
		}
	}()
	at.Host = w.listener.Addr().String()
	return w, at.String(), nil
}

func (w *Wire) connect(client net.Conn) {
	server, err := net.Dial("tcp", w.target) //nolint:noctx // on this machine
	if err != nil {
		_ = client.Close()
		return
	}
	c := &wired{client: client, server: server}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		c.close()
		return
	}
	w.conns = append(w.conns, c)
	go c.pass(server, client)
	go c.pass(client, server)
}

// pass reads what was forgotten all the same, and tells neither side of it.
func (c *wired) pass(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if !c.forgotten.Load() {
			_, _ = to.Write(buffer[:n])
		}
		if err != nil {
			break
		}
	}
	if !c.forgotten.Load() {
		_ = to.Close()
	}
}

func (c *wired) close() { _, _ = c.client.Close(), c.server.Close() }

// Forget makes the wire pass on nothing more of the connections that there are, and returns how many these are. Nobody is told.
// New ones work.
func (w *Wire) Forget() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		c.forgotten.Store(true)
	}
	return len(w.conns)
}

// Cut ends the wire and its connections: what was not sent yet counts for nothing.
func (w *Wire) Cut() {
	_ = w.listener.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
	for _, c := range w.conns {
		c.close()
	}
}
