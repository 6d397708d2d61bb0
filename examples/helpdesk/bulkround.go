package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/journalfile"
	"github.com/gofrs/flock"
)

// roundRecord is the journal while devices are asked. It remembers the requests of this run, and stops the run when it cannot
// be written.
type roundRecord struct {
	journal intune.Journal
	close   func()
	failed  func(error)

	mu    sync.Mutex
	byID  map[string]intune.JournalEntry // the latest of each device in this run
	times map[string]intune.JournalEntry // the same of Asking
}

// lockName is the file that is locked while a journal is used, "" without a journal.
func lockName(journal string) string {
	if journal == "" {
		return ""
	}
	return journal + ".lock"
}

// openRound opens the journal for writing, and keeps other processes from it: two at once would ask users twice. It also
// gives what the journal says so far. Without a name nothing is kept, which is for the demo.
func openRound(name, actor string, failed func(error)) (*roundRecord, []intune.JournalRequest, error) {
	r := &roundRecord{close: func() {}, failed: failed, byID: map[string]intune.JournalEntry{}, times: map[string]intune.JournalEntry{}}
	if name == "" {
		r.journal = journalfile.New(io.Discard, nil)
		return r, nil, nil
	}
	lock := flock.New(lockName(name), flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, nil, fmt.Errorf("the journal cannot be locked, so nobody was asked; name another with --round: %w", err)
	}
	if !locked {
		return nil, nil, failedf("another bulk is at work with the round %s; wait for it, or stop it first", name)
	}
	unlock := func() { _ = lock.Unlock() }
	file, err := openJournal(name)
	if err != nil {
		unlock()
		return nil, nil, fmt.Errorf("the journal cannot be opened, so nobody was asked; name another with --round: %w", err)
	}
	r.close = func() {
		_ = file.Close() // every entry was synced
		unlock()
	}
	requests, err := readRequests(name, file)
	if err != nil {
		r.close()
		return nil, nil, failedf("%v", err)
	}
	r.journal = journalfile.New(file, &journalfile.Options{Actor: func(context.Context) string { return actor }})
	return r, requests, nil
}

func failedf(format string, args ...any) error { return failed(exitFailure, format, args...) }

// openJournal opens the file, which must be one that keeps what is written.
func openJournal(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", name)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if folder, err := os.Open(filepath.Dir(name)); err == nil {
		_ = folder.Sync() // so that a new file survives a crash of the machine; not every system can
		_ = folder.Close()
	}
	return file, nil
}

// readJournal reads a journal that may not exist.
func readJournal(name string) ([]intune.JournalRequest, error) {
	file, err := os.Open(name)
	if name == "" || errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the journal cannot be read: %w", err)
	}
	defer file.Close()
	return readRequests(name, file)
}

func readRequests(name string, r io.Reader) ([]intune.JournalRequest, error) {
	requests, err := intune.JournalRequests(journalfile.Read(r))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err) // a damaged line may name somebody who was asked
	}
	return requests, nil
}

// earlier is what a journal says of the devices whose users were asked or may have been, by the id of the device. Those
// that were rejected or not sent may be asked again.
func earlier(requests []intune.JournalRequest) map[string]intune.JournalRequest {
	known := map[string]intune.JournalRequest{}
	for _, r := range requests {
		id := r.Device().DeviceID()
		switch outcomeOf(r) {
		case intune.OutcomeAccepted:
			known[id] = r
		case intune.OutcomeUnknown:
			if outcomeOf(known[id]) != intune.OutcomeAccepted {
				known[id] = r
			}
		default: // nobody was asked
		}
	}
	return known
}

// outcomeOf is what a journal says of a request. A link or an error text that came proves that the user was asked, also if
// no usable answer came to the request.
func outcomeOf(r intune.JournalRequest) intune.Outcome {
	outcome, end := r.Outcome(), r.Ended.Session
	if outcome == intune.OutcomeUnknown && (end == intune.SessionReady || end == intune.SessionFailed) {
		return intune.OutcomeAccepted
	}
	return outcome
}

// Asking implements [intune.Journal].
func (r *roundRecord) Asking(ctx context.Context, entry intune.JournalEntry) error {
	err := r.journal.Asking(ctx, entry)
	if err != nil {
		r.failed(fmt.Errorf("the journal cannot be written, so nobody more is asked: %w", err))
		return err
	}
	r.keep(r.times, entry)
	return nil
}

// Asked implements [intune.Journal].
func (r *roundRecord) Asked(ctx context.Context, entry intune.JournalEntry) error {
	r.keep(r.byID, entry)
	err := r.journal.Asked(ctx, entry)
	if err != nil {
		r.failed(fmt.Errorf("the journal cannot record an outcome, so nobody more is asked: %w", err))
	}
	return err
}

// Ended implements [intune.Journal].
func (r *roundRecord) Ended(ctx context.Context, entry intune.JournalEntry) error {
	return r.journal.Ended(ctx, entry)
}

func (r *roundRecord) keep(in map[string]intune.JournalEntry, entry intune.JournalEntry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	in[entry.Device.DeviceID()] = entry
}

// of is what this run recorded of a device: the latest entry of Asked with the time of Asking.
func (r *roundRecord) of(d *device) (intune.JournalEntry, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first, ok := r.times[d.id]
	if !ok {
		return intune.JournalEntry{Outcome: intune.OutcomeNotSent}, false
	}
	entry := r.byID[d.id]
	entry.Time, entry.ClientRequestID, entry.Device = first.Time, first.ClientRequestID, first.Device
	return entry, true
}
