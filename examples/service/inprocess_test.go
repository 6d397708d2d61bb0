package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// inProcess is a network without sockets, so that tests run on the fake clock: host names and the handlers behind them.
// Answers are streamed.
type inProcess map[string]http.Handler

func (n inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	handler := n[r.URL.Host]
	if handler == nil {
		return nil, fmt.Errorf("no such host: %s", r.URL.Host)
	}
	ctx, cancel := context.WithCancel(r.Context())
	arrived := r.Clone(ctx)
	arrived.RequestURI = r.URL.RequestURI()
	if arrived.Host == "" {
		arrived.Host = r.URL.Host
	}
	if arrived.Body == nil {
		arrived.Body = http.NoBody
	}
	reader, writer := io.Pipe()
	w := &streamWriter{header: http.Header{}, body: writer, ready: make(chan struct{})}
	go func() {
		handler.ServeHTTP(w, arrived)
		w.WriteHeader(http.StatusOK)
		_ = writer.Close()
	}()
	select {
	case <-w.ready:
	case <-ctx.Done():
		cancel()
		_ = reader.Close()
		return nil, ctx.Err()
	}
	context.AfterFunc(ctx, func() { _ = reader.CloseWithError(context.Canceled) })
	return &http.Response{
		StatusCode: w.status, Status: http.StatusText(w.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: &cancelBody{reader, cancel}, ContentLength: -1, Request: r,
	}, nil
}

type cancelBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b *cancelBody) Close() error {
	b.cancel()
	return b.ReadCloser.Close()
}

// streamWriter passes on what a handler writes.
type streamWriter struct {
	header http.Header
	body   *io.PipeWriter
	once   sync.Once
	ready  chan struct{}
	status int
	sent   http.Header
}

func (w *streamWriter) Header() http.Header { return w.header }

func (w *streamWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.ready)
	})
}

func (w *streamWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

func (w *streamWriter) Flush() {}
