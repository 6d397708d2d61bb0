package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener without a network.
type pipes struct {
	arrived chan net.Conn
	closed  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.arrived:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A stranger who never reads an answer holds up the end of the service for a while, and does not make it a failure.
func TestStopWithAHangingClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		ctx, stop := context.WithCancel(t.Context())
		listener, ended := &pipes{make(chan net.Conn), make(chan struct{})}, make(chan error, 1)
		go func() {
			ended <- serveUntil(ctx, p.service, listener, &options{}, slog.New(slog.DiscardHandler), io.Discard)
		}()
		here, there := net.Pipe()
		defer here.Close()
		listener.arrived <- there
		if _, err := io.WriteString(here, "GET /openapi.yaml HTTP/1.1\r\nHost: assist.example\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		begun := time.Now()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took < time.Second || took > stopWithin {
			t.Errorf("the end took %v", took)
		}
		p.service = nil // it is closed
	})
}
