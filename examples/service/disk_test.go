package main

import (
	"os"
	"sync"
	"testing"
)

// disk is the file of a journal that can be full or slow.
type disk struct {
	tb testing.TB
	*os.File

	mu    sync.Mutex
	full  error         // of each write
	fits  int           // what the next write that fails takes before that
	slow  chan struct{} // each sync waits until it is closed
	stuck chan struct{} // gets a value when a sync begins to wait
}

func newDisk(tb testing.TB) *disk { return &disk{tb: tb, stuck: make(chan struct{}, 100)} }

// holds makes the store of a service on the disk.
func (d *disk) holds(o *settings) {
	var err error
	if d.File, err = openJournal(o.journal, 0); err != nil {
		d.tb.Fatal(err)
	}
	info, err := d.Stat()
	if err != nil {
		d.tb.Fatal(err)
	}
	f, err := newFileStore(d.tb.Context(), d, info.Size(), o.log)
	if err != nil {
		d.tb.Fatal(err)
	}
	go f.writer.run()
	o.store = f
}

// fail makes writes fail after some bytes, or work again.
func (d *disk) fail(err error, fits int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full, d.fits = err, fits
}

func (d *disk) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full == nil {
		return d.File.Write(p)
	}
	n, err := d.File.Write(p[:min(d.fits, len(p))])
	if err != nil {
		return n, err
	}
	return n, d.full
}

// hang makes each sync wait until what it returns is called.
func (d *disk) hang() func() {
	d.mu.Lock()
	defer d.mu.Unlock()
	slow := make(chan struct{})
	d.slow = slow
	return sync.OnceFunc(func() {
		d.mu.Lock()
		d.slow = nil
		d.mu.Unlock()
		close(slow)
	})
}

func (d *disk) Sync() error {
	d.mu.Lock()
	slow := d.slow
	d.mu.Unlock()
	if slow != nil {
		d.stuck <- struct{}{}
		<-slow
	}
	return d.File.Sync()
}
