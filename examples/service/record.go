package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/journalfile"
)

// What the service adds to the journal. The library keeps outcomes that it does not know as they are.
const (
	noteOpened  intune.Outcome = "service.opened"  // the link was handed out
	noteWaiting intune.Outcome = "service.waiting" // a wait that had been left goes on
)

// record is the journal on disk.
type record struct {
	intune.Journal

	file     *os.File
	stopping func() bool // the waits end because the service does
}

// openRecord opens the journal at a path, for this process only. It must be a file that keeps what is written.
func openRecord(path string) (*record, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("-journal: %w", err)
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("-journal: %s is no regular file", path), err, file.Close())
	}
	if folder, err := os.Open(filepath.Dir(path)); err == nil {
		_ = folder.Sync() // so that a new file survives a crash of the machine; not every system can
		_ = folder.Close()
	}
	if err := lock(file); err != nil {
		return nil, errors.Join(fmt.Errorf("-journal: another process uses %s; each instance needs a journal of its own", path), file.Close())
	}
	return &record{
		Journal: journalfile.New(file, &journalfile.Options{Actor: ownerOf}), file: file, stopping: func() bool { return false },
	}, nil
}

// Ended implements [intune.Journal]. A wait that ends with the service goes on after the restart, as it does after a crash,
// and so the journal does not say that it was left.
func (r *record) Ended(ctx context.Context, entry intune.JournalEntry) error {
	if entry.Session == intune.SessionLeft && r.stopping() {
		return nil
	}
	return r.Journal.Ended(ctx, entry)
}

// note adds an entry about a session, which is on disk when note returns.
func (r *record) note(ctx context.Context, s *oldSession, outcome intune.Outcome) error {
	entry := intune.JournalEntry{Device: s.device, ClientRequestID: s.id, Outcome: outcome}
	return r.Asked(context.WithoutCancel(ctx), entry)
}

func (r *record) close() error { return r.file.Close() }
