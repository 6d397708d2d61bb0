package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	// retryEvery is how long after a failed write the next one is tried.
	retryEvery = time.Second
	// stuckAfter is how long a write may take before the store counts as one that cannot be written.
	stuckAfter = 5 * time.Second
)

// file is what a writer writes to.
type file interface {
	io.Writer // at the end
	io.ReaderAt
	Truncate(size int64) error
	Sync() error
	Close() error
}

// line is an entry on its way to the disk.
type line struct {
	text []byte
	told chan error // gets one value: nil once the line is on disk, else why the first try failed
}

// writer brings lines to the disk in their order, in a goroutine of its own: all that wait, with one sync. A line whose
// write failed stays, and is tried again. What a failed write leaves in the file is cut off before the next one, since no
// other process writes to the file.
type writer struct {
	log *slog.Logger
	// after, if not nil, is called in the goroutine after each write, with the size of the file. It may return another file
	// in its place, and its size.
	after func(file file, size int64) (file, int64)

	wake  chan struct{}
	ended chan struct{}

	file  file  // of the goroutine
	size  int64 // of the goroutine: what is on disk for sure
	dirty bool  // of the goroutine: the file may be longer

	mu      sync.Mutex
	queue   []*line
	failure error     // of the latest write
	since   time.Time // when the write began that goes on, zero if none does
	closing bool
}

// newWriter continues a file after its first size bytes.
func newWriter(file file, size int64, log *slog.Logger) *writer {
	return &writer{log: log, wake: make(chan struct{}, 1), ended: make(chan struct{}), file: file, size: size, dirty: true}
}

// add queues a line. It never waits. After close it returns nil.
func (w *writer) add(text []byte) *line {
	l := &line{text: text, told: make(chan error, 1)}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closing {
		return nil
	}
	w.queue = append(w.queue, l)
	wakeUp(w.wake)
	return l
}

// wait returns when a line is on disk, could not be written, or the context has ended.
func (l *line) wait(ctx context.Context) error {
	select {
	case err := <-l.told:
		return err
	case <-ctx.Done():
		return fmt.Errorf("the entry is still being written: %w", ctx.Err())
	}
}

// isWritten says that a line has come to the disk, of which nobody else has been told.
func (l *line) isWritten() bool {
	select {
	case err := <-l.told:
		return err == nil
	default:
		return false
	}
}

// trouble is why a line would probably not be written, nil if it would.
func (w *writer) trouble() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if took := time.Since(w.since); !w.since.IsZero() && took > stuckAfter {
		return fmt.Errorf("a write has not ended for %s", took.Round(time.Second))
	}
	return w.failure
}

// run writes until close.
func (w *writer) run() {
	defer close(w.ended)
	retry := time.NewTimer(0)
	defer retry.Stop()
	for {
		select {
		case <-w.wake:
		case <-retry.C:
		}
		lines, closing := w.next()
		var err error
		if len(lines) > 0 {
			err = w.write(lines)
			w.finish(lines, err)
		}
		if closing {
			_ = w.file.Close() // all that counts is synced
			return
		}
		if err != nil {
			retry.Reset(retryEvery)
		} else if w.after != nil {
			w.file, w.size = w.after(w.file, w.size)
		}
		w.pause()
	}
}

// next is what to write now. After a failure that is at least an empty line, which readers skip, to see whether the disk
// works again.
func (w *writer) next() (lines []*line, closing bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 && w.failure != nil && !w.closing {
		w.queue = append(w.queue, &line{text: []byte("\n"), told: make(chan error, 1)})
	}
	w.since = time.Now()
	return append(lines, w.queue...), w.closing
}

func (w *writer) pause() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since = time.Time{}
}

func (w *writer) write(lines []*line) error {
	if w.dirty {
		if err := w.file.Truncate(w.size); err != nil {
			return err
		}
	}
	w.dirty = true
	var text bytes.Buffer
	for _, l := range lines {
		text.Write(l.text)
	}
	n, err := w.file.Write(text.Bytes())
	if err == nil && n != text.Len() {
		err = io.ErrShortWrite
	}
	if err == nil {
		err = w.file.Sync()
	}
	if err != nil {
		return err
	}
	w.size, w.dirty = w.size+int64(n), false
	return nil
}

// finish tells those who wait for the lines.
func (w *writer) finish(lines []*line, err error) {
	w.mu.Lock()
	if err == nil {
		w.queue = w.queue[len(lines):]
	}
	before := w.failure
	w.failure = err
	w.mu.Unlock()
	for _, l := range lines {
		select {
		case l.told <- err:
		default: // it was told of an earlier failure
		}
	}
	switch {
	case err != nil && before == nil:
		w.log.Error("the journal cannot be written; nobody is asked until it can", "error", err.Error())
	case err == nil && before != nil:
		w.log.Info("the journal can be written again")
	}
}

// close writes what is left, if it can, and ends the goroutine. It returns with the context, even if a write does not.
func (w *writer) close(ctx context.Context) error {
	w.mu.Lock()
	w.closing = true
	w.mu.Unlock()
	wakeUp(w.wake)
	select {
	case <-w.ended:
	case <-ctx.Done():
		return fmt.Errorf("the journal is still being written: %w", ctx.Err())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) > 0 {
		return fmt.Errorf("the journal could not be written: %w", w.failure)
	}
	return nil
}
