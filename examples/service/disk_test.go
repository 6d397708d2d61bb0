package main

import (
	"sync"
	"testing"
)

// disk is where processes that follow each other have the files of their journals. It can be full or slow.
type disk struct {
	tb testing.TB

	mu    sync.Mutex
	full  error         // of each write
	fits  int           // what the next write that fails takes before that
	slow  chan struct{} // each sync waits until it is closed
	stuck chan struct{} // gets a value when a sync begins to wait
}

func newDisk(tb testing.TB) *disk { return &disk{tb: tb, stuck: make(chan struct{}, 100)} }

// diskFile is the file of one process.
type diskFile struct {
	*journalFile

	on *disk
}

// holds makes the store of a service on the disk.
func (d *disk) holds(o *settings) {
	file, err := openJournal(o.journal, 0)
	if err != nil {
		d.tb.Fatal(err)
	}
	info, err := file.Stat()
	if err != nil {
		d.tb.Fatal(err)
	}
	f, err := newFileStore(d.tb.Context(), &diskFile{file, d}, info.Size(), o.log)
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

func (f *diskFile) Write(p []byte) (int, error) {
	f.on.mu.Lock()
	defer f.on.mu.Unlock()
	if f.on.full == nil {
		return f.journalFile.Write(p)
	}
	n, err := f.journalFile.Write(p[:min(f.on.fits, len(p))])
	if err != nil {
		return n, err
	}
	return n, f.on.full
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

func (f *diskFile) Sync() error {
	f.on.mu.Lock()
	slow := f.on.slow
	f.on.mu.Unlock()
	if slow != nil {
		f.on.stuck <- struct{}{}
		<-slow
	}
	return f.journalFile.Sync()
}
