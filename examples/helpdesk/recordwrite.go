package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"sync"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/journalfile"
	"github.com/gofrs/flock"
)

// record is the journal while it is written. It decides in Asking whether a user is asked: it locks the record, reads what
// other processes have written meanwhile, looks, and makes its entry. The lock is held for that alone, never while a request
// is under way.
type record struct {
	file, notes *os.File
	journal     intune.Journal
	lock        *flock.Flock
	living      processes
	screen      *console
	me          string

	// device gives the names of a device, for the notes.
	device func(deviceID string) (name, serialNumber string)

	mu       sync.Mutex // a file lock is the process's, and not that of a goroutine
	askAgain bool
	look     outlook
}

func lockName(journal string) string {
	if journal == "" {
		return ""
	}
	return linkless(journal) + ".lock"
}

// openRecord opens the journal for writing: without a record nobody is asked. Only bulk has a key.
func (a *app) openRecord(ctx context.Context, key func(deviceID string) string) (*record, error) {
	name, err := a.journalName()
	if err != nil {
		return nil, err
	}
	r := &record{screen: a.console, me: a.actor(), device: func(string) (name, serialNumber string) { return "", "" }}
	if err := r.open(ctx, name); err != nil {
		r.closeFiles()
		return nil, fmt.Errorf("the journal cannot be opened, so nobody was asked; name another file with --journal: %w", err)
	}
	r.journal = journalfile.New(r.file, &journalfile.Options{Actor: func(context.Context) string { return r.me }})
	r.look = outlook{journal: tail{file: r.file}, notes: tail{file: r.notes}, living: &r.living, key: key}
	return r, nil
}

func (r *record) open(ctx context.Context, name string) (err error) {
	if r.file, err = openPrivate(name, os.O_RDWR|os.O_APPEND); err != nil {
		return err
	}
	if info, err := r.file.Stat(); err != nil || !info.Mode().IsRegular() {
		return errors.Join(err, fmt.Errorf("%s is no regular file, which keeps what is written", name))
	}
	if r.notes, err = openPrivate(notesName(name), os.O_RDWR|os.O_APPEND); err != nil {
		return err
	}
	r.lock = flock.New(lockName(name), flock.SetPermissions(0o600))
	r.living.folder = processesName(name)
	unlock, err := r.locked(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return r.living.join()
}

// actor is who uses the tool.
func (a *app) actor() string {
	if name := a.accountName(); name != "" {
		return name
	}
	if current, err := user.Current(); err == nil {
		return current.Username
	}
	return ""
}

func (r *record) close() {
	r.living.leave()
	_ = r.lock.Close()
	r.closeFiles()
}

func (r *record) closeFiles() {
	for _, file := range []*os.File{r.file, r.notes} {
		if file != nil {
			_ = file.Close() // every entry was synced
		}
	}
}

// locked keeps other processes from looking and asking.
func (r *record) locked(ctx context.Context) (unlock func(), err error) {
	const tryAgain = 5 * time.Millisecond
	if locked, err := r.lock.TryLockContext(ctx, tryAgain); err != nil || !locked {
		return nil, errors.Join(err, errors.New("the record cannot be locked"))
	}
	return func() { _ = r.lock.Unlock() }, nil
}

// current locks the record, reads on, and calls do.
func (r *record) current(ctx context.Context, do func(*outlook) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	unlock, err := r.locked(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := r.look.readOn(); err != nil {
		return fmt.Errorf("read the record: %w", err)
	}
	return do(&r.look)
}

// Asking implements intune.Journal.
func (r *record) Asking(ctx context.Context, entry intune.JournalEntry) error {
	return r.current(ctx, func(o *outlook) error {
		id := entry.Device.DeviceID()
		if err := o.mayAsk(id, r.askAgain); err != nil {
			return err
		}
		n := note{ClientRequestID: entry.ClientRequestID, DeviceID: id, Process: r.living.own}
		n.DeviceName, n.SerialNumber = r.device(id)
		if err := addNote(r.notes, n); err != nil { // first, so that no entry is without its process
			return fmt.Errorf("write the notes: %w", err)
		}
		return r.journal.Asking(ctx, entry)
	})
}

// mayAsk says before a person is bothered what Asking would say.
func (r *record) mayAsk(ctx context.Context, deviceID string) error {
	return r.current(ctx, func(o *outlook) error { return o.mayAsk(deviceID, r.askAgain) })
}

// again makes Asking displace what nobody waits for.
func (r *record) again() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.askAgain = true
}

// Asked implements intune.Journal.
func (r *record) Asked(ctx context.Context, entry intune.JournalEntry) error {
	err := r.journal.Asked(ctx, entry)
	if err != nil {
		r.screen.warn("the journal could not record the outcome: %v", err)
	}
	return err
}

// Ended implements intune.Journal.
func (r *record) Ended(ctx context.Context, entry intune.JournalEntry) error {
	err := r.journal.Ended(ctx, entry)
	if err != nil {
		r.screen.warn("the journal could not record the end of the wait: %v", err)
	}
	if entry.Session == intune.SessionLeft {
		r.add(note{ClientRequestID: entry.ClientRequestID, Released: true})
	}
	return err
}

// takeOver makes this process the one that waits for the link of a request, unless another one does, or a later request
// has taken its place.
func (r *record) takeOver(ctx context.Context, of *request) error {
	if of.id() == "" {
		return nil // a token of another program's
	}
	return r.current(ctx, func(o *outlook) error {
		if err := o.mayWait(of); err != nil {
			return err
		}
		return addNote(r.notes, note{ClientRequestID: of.id(), Process: r.living.own})
	})
}

// handedOver notes that a link was, so that resume does not offer it again.
func (r *record) handedOver(clientRequestID string) {
	if clientRequestID != "" {
		r.add(note{ClientRequestID: clientRequestID, End: endLink})
	}
}

func (r *record) add(n note) {
	if err := addNote(r.notes, n); err != nil {
		r.screen.warn("a note could not be kept: %v", err)
	}
}
