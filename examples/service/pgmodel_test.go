//go:build unix

package main

import (
	"io"
	"net"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// wire leads a process to its database, until it is cut.
type wire struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

// newWire returns a wire and the DSN that leads through it.
func newWire(tb testing.TB, dsn string) (w *wire, through string) {
	tb.Helper()
	at, err := url.Parse(dsn)
	must(tb, err)
	w = &wire{target: at.Host}
	w.listener, err = net.Listen("tcp", "127.0.0.1:0")
	must(tb, err)
	tb.Cleanup(w.end)
	go func() {
		for {
			client, err := w.listener.Accept()
			if err != nil {
				return
			}
			go w.pass(client)
		}
	}()
	at.Host = w.listener.Addr().String()
	return w, at.String()
}

func (w *wire) pass(client net.Conn) {
	server, err := net.Dial("tcp", w.target)
	if err != nil {
		_ = client.Close()
		return
	}
	w.mu.Lock()
	w.conns = append(w.conns, client, server)
	if w.cut {
		_, _ = client.Close(), server.Close()
	}
	w.mu.Unlock()
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	_, _ = io.Copy(client, server)
	_ = client.Close()
}

// end cuts the wire: what the process sends from now on counts for nothing.
func (w *wire) end() {
	_ = w.listener.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
	for _, conn := range w.conns {
		_ = conn.Close()
	}
}

// pgStores has a tenant of its own in a schema, so that many worlds can be in one.
type pgStores struct {
	*pgPlace

	scope string
	wire  *wire
}

func (p *pgStores) open(o *settings) {
	wire, through := newWire(p.tb, p.dsn)
	p.wire = wire
	store, err := openPGStore(p.tb.Context(), p.options(func(o *pgOptions) {
		o.dsn, o.scope, o.lease = through, p.scope, 300*time.Millisecond
	}))
	must(p.tb, err)
	o.store = store
}

func (p *pgStores) kill() { p.wire.end() }

func (p *pgStores) readable() bool { return false }

// The same histories as with a file, in real time: as many as there is time for, or all with SERVICE_COPIES_SOAK.
func TestPGStore_NobodyGetsTheLinkOfAnother(t *testing.T) {
	t.Parallel()
	p := newPGPlace(t)
	end := time.Now().Add(10 * time.Second)
	rapid.Check(t, func(r *rapid.T) {
		if os.Getenv("SERVICE_COPIES_SOAK") == "" && time.Now().After(end) {
			return
		}
		tryWorld(r, t, &pgStores{pgPlace: p, scope: "graph.example/" + uuid.NewString()}, 20*time.Millisecond)
	})
}
