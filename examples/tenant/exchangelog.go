package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	keptExchanges = 100
	keptBytes     = 8 << 10 // of a body
	maxUnzipped   = 4 << 20 // of a body, as the tenant itself takes
)

// exchange is a request with its answer. The token is not kept.
type exchange struct {
	Number int       `json:"number"`
	Time   time.Time `json:"time"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Query  string    `json:"query,omitempty"`
	Body   string    `json:"body,omitempty"`
	Status int       `json:"status"` // 0: the connection broke before an answer
	Answer string    `json:"answer,omitempty"`
}

// exchangeLog keeps the last exchanges.
type exchangeLog struct {
	mu    sync.Mutex
	last  []exchange // the newest last
	count int
}

func (l *exchangeLog) add(e exchange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	e.Number = l.count
	l.last = append(l.last, e)
	if len(l.last) > keptExchanges {
		l.last = slices.Delete(l.last, 0, 1)
	}
}

// newest are the exchanges, the newest first, and how many there were.
func (l *exchangeLog) newest() (list []exchange, count int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	list = slices.Clone(l.last)
	slices.Reverse(list)
	return list, l.count
}

func (l *exchangeLog) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last, l.count = nil, 0
}

// around logs what a handler answers, connections that it breaks included, with the time of a clock.
func (l *exchangeLog) around(clock func() time.Time, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var sent body
		if r.Body != nil {
			r.Body = struct {
				io.Reader
				io.Closer
			}{io.TeeReader(r.Body, &sent), r.Body}
		}
		answer := &recorder{ResponseWriter: w}
		e := exchange{Time: clock(), Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery}
		defer func() {
			e.Body, e.Status, e.Answer = sent.unzipped(r.Header.Get("Content-Encoding")).text(), answer.status, answer.body.text()
			l.add(e)
		}()
		handler.ServeHTTP(answer, r)
	})
}

// recorder notes what goes to the client.
type recorder struct {
	http.ResponseWriter

	status int
	body   body
}

// WriteHeader implements [http.ResponseWriter].
func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Write implements [io.Writer].
func (r *recorder) Write(p []byte) (int, error) {
	_, _ = r.body.Write(p)
	return r.ResponseWriter.Write(p)
}

// Unwrap lets [http.ResponseController] through.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// body keeps the beginning of what is written to it.
type body struct {
	start bytes.Buffer
	size  int
}

// Write implements [io.Writer].
func (b *body) Write(p []byte) (int, error) {
	b.size += len(p)
	b.start.Write(p[:min(len(p), keptBytes-b.start.Len())])
	return len(p), nil
}

// unzipped undoes gzip, which Microsoft's own clients send, as far as the beginning that was kept goes.
func (b *body) unzipped(encoding string) *body {
	if !strings.EqualFold(encoding, "gzip") {
		return b
	}
	reader, err := gzip.NewReader(bytes.NewReader(b.start.Bytes()))
	if err != nil {
		return b
	}
	var plain body
	_, _ = io.CopyN(&plain, reader, maxUnzipped) // what is cut off is shown as far as it goes
	return &plain
}

// text is for reading. What is no text is only counted.
func (b *body) text() string {
	text := b.start.String()
	if b.size > b.start.Len() {
		text = strings.ToValidUTF8(text, "") + fmt.Sprintf(" … (%d bytes)", b.size)
	}
	if !utf8.ValidString(text) {
		return fmt.Sprintf("(%d bytes that are no text)", b.size)
	}
	return text
}
