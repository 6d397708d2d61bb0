package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/journalfile"
)

// recordWithin is how long a call waits for the disk.
const recordWithin = 10 * time.Second

// fileStore is the store of one copy of the service: everything in memory, and each entry in a file, from which the next
// process has it. What a call decides, it decides in memory, and then waits for the disk without a lock.
type fileStore struct {
	watchers

	writer *writer
	mu     sync.Mutex
	index  *index
}

var _ store = (*fileStore)(nil)

const errClosed = plainError("the record is closed")

// fence says whose wait it is.
type fence struct {
	id   string
	hold int64
}

type fenceKey struct{}

// Asking implements [intune.Journal].
func (f *fileStore) Asking(ctx context.Context, entry intune.JournalEntry) error {
	if err := errors.Join(ctx.Err(), f.writer.trouble()); err != nil {
		return err
	}
	entry.Actor = ownerOf(ctx)
	r, l, err := f.reserve(ctx, entry)
	if err != nil {
		return err
	}
	if err := l.within(ctx); err != nil {
		return f.release(ctx, r, entry, l, err)
	}
	return nil
}

// reserve makes the device the request's, unless somebody has it.
func (f *fileStore) reserve(ctx context.Context, entry intune.JournalEntry) (*request, *line, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if old := f.index.byID[entry.ClientRequestID]; old != nil && old.now.state != stateRefused {
		return nil, nil, &intune.AlreadyAskedError{Request: old.asJournal()}
	}
	if blocker := f.index.blocker(entry.Device); blocker != nil {
		return nil, nil, busyWith(blocker)
	}
	l, err := f.record(ctx, entry)
	if err != nil {
		return nil, nil, err
	}
	return f.index.byID[entry.ClientRequestID], l, nil
}

// release gives back the device of a request that was not recorded in time. Its entry may be on disk all the same, or come
// there later, and so the next one says that nobody was asked.
func (f *fileStore) release(ctx context.Context, r *request, entry intune.JournalEntry, l *line, cause error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l.isWritten() { // at the last moment
		return nil
	}
	_, err := f.record(ctx, intune.JournalEntry{
		Device: entry.Device, ClientRequestID: r.now.id, Outcome: intune.OutcomeNotSent, Error: string(errNotRecorded),
	})
	return errors.Join(cause, err)
}

// Asked implements [intune.Journal].
func (f *fileStore) Asked(ctx context.Context, entry intune.JournalEntry) error {
	return f.recorded(ctx, func() (*line, error) { return f.record(ctx, entry) })
}

// Ended implements [intune.Journal].
func (f *fileStore) Ended(ctx context.Context, entry intune.JournalEntry) error {
	mine := fence{entry.ClientRequestID, 1} // of Asking
	if taken, ok := ctx.Value(fenceKey{}).(fence); ok && taken.id == mine.id {
		mine = taken
	}
	return f.recorded(ctx, func() (*line, error) {
		if r := f.index.byID[mine.id]; r == nil || r.now.state != stateWaiting || r.hold != mine.hold {
			return nil, intune.ErrSuperseded
		}
		return f.record(ctx, entry)
	})
}

// recorded decides with the lock, and waits for the disk without it.
func (f *fileStore) recorded(ctx context.Context, decide func() (*line, error)) error {
	f.mu.Lock()
	l, err := decide()
	f.mu.Unlock()
	if err != nil {
		return err
	}
	return l.within(ctx)
}

// record takes an entry into the index and queues it for the disk. The lock is held.
func (f *fileStore) record(ctx context.Context, entry intune.JournalEntry) (*line, error) {
	if entry.Time.IsZero() {
		entry.Time = time.Now().UTC().Round(0)
	}
	text, err := encode(context.WithoutCancel(ctx), entry)
	if err != nil {
		return nil, err
	}
	l := f.writer.add(text)
	if l == nil {
		return nil, errClosed
	}
	f.index.apply(entry, time.Now())
	return l, nil
}

// note records a note of a session, which exists. The lock is held.
func (f *fileStore) note(ctx context.Context, r *request, outcome intune.Outcome, hash []byte) (*line, error) {
	return f.record(ctx, intune.JournalEntry{
		Device: r.now.device, ClientRequestID: r.now.id, Outcome: outcome, Reference: hex.EncodeToString(hash),
	})
}

// encode is the line of an entry. The context must not end.
func encode(ctx context.Context, entry intune.JournalEntry) ([]byte, error) {
	var text bytes.Buffer
	to := journalfile.New(&text, nil)
	var err error
	switch {
	case entry.Outcome != "":
		err = to.Asked(ctx, entry)
	case entry.Session != "":
		err = to.Ended(ctx, entry)
	default:
		err = to.Asking(ctx, entry)
	}
	return text.Bytes(), err
}

// asJournal is the request as an entry of the library, for those who asked with its id again.
func (r *request) asJournal() intune.JournalRequest {
	return intune.JournalRequest{Asking: intune.JournalEntry{
		Time: r.now.asked.UTC(), Device: r.now.device, ClientRequestID: r.now.id, Actor: r.now.owner, Reference: r.now.reference,
	}}
}

func busyWith(blocker *session) error {
	return &intune.DeviceBusyError{
		Device: blocker.device, Actor: blocker.owner, Reference: blocker.reference, Since: blocker.asked.UTC(),
	}
}

func (f *fileStore) get(_ context.Context, id string) (*session, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.index.byID[id]; r != nil {
		return r.now, nil
	}
	return nil, nil //nolint:nilnil // there is none, which is no error
}

func (f *fileStore) history(_ context.Context, owner string, most int) ([]*session, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.index.byOwner[owner]
	list := make([]*session, 0, min(len(all), most))
	for i := len(all) - 1; i >= 0 && len(list) < most; i-- {
		list = append(list, all[i].now)
	}
	return list, nil
}

// take records for the next process that a wait goes on; this one waits in any case.
func (f *fileStore) take(ctx context.Context, id string) (context.Context, string, error) {
	l, mine, token, err := f.taking(ctx, id)
	if err != nil {
		return nil, "", err
	}
	_ = l.within(ctx) // what is wrong is in the log
	return context.WithValue(ctx, fenceKey{}, mine), token, nil
}

func (f *fileStore) taking(ctx context.Context, id string) (l *line, mine fence, token string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.index.byID[id]
	if r == nil || !r.isBusy() && (r.now.state != stateNoLink || r.token == "") {
		return nil, fence{}, "", errNothingToWait
	}
	if blocker := f.index.blocker(r.now.device); blocker != nil {
		return nil, fence{}, "", busyWith(blocker)
	}
	l, err = f.note(ctx, r, noteWaiting, nil)
	return l, fence{id, r.hold}, r.token, err
}

func (f *fileStore) ready(ctx context.Context, id string, hash []byte) error {
	return f.recorded(ctx, func() (*line, error) {
		r := f.index.byID[id]
		if r == nil || r.now.state != stateReady {
			return nil, errNotReady
		}
		return f.note(ctx, r, noteReady, hash)
	})
}

func (f *fileStore) open(ctx context.Context, id string, link intune.SessionURL) error {
	if err := f.writer.trouble(); err != nil {
		return err
	}
	r, l, err := f.opening(ctx, id, link)
	if err != nil {
		return err
	}
	if err := l.within(ctx); err != nil {
		return f.unopen(ctx, r, l, err)
	}
	return nil
}

func (f *fileStore) opening(ctx context.Context, id string, link intune.SessionURL) (*request, *line, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.index.byID[id]
	switch {
	case r != nil && r.now.state == stateOpened:
		return nil, nil, errOpened
	case r == nil || r.now.state != stateReady:
		return nil, nil, errNotReady
	}
	outcome := noteOpened
	switch {
	case link.IsZero():
		outcome = noteGone
	case !isLink(r.now.linkHash, link):
		outcome = noteSuperseded
	}
	l, err := f.note(ctx, r, outcome, nil)
	if err == nil && outcome != noteOpened {
		err = errNotReady
	}
	return r, l, err
}

// unopen takes back that a link was handed out, which was not recorded in time.
func (f *fileStore) unopen(ctx context.Context, r *request, l *line, cause error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l.isWritten() { // at the last moment
		return nil
	}
	_, err := f.note(ctx, r, noteReady, r.now.linkHash)
	return errors.Join(cause, err)
}

func (f *fileStore) interrupted(context.Context) ([]*session, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []*session
	for _, r := range f.index.byID {
		if r.interrupted && r.now.at(time.Now()) == stateNoLink {
			list = append(list, r.now)
		}
	}
	return list, nil
}

func (f *fileStore) check(context.Context) error { return f.writer.trouble() }

func (f *fileStore) close(ctx context.Context) error { return f.writer.close(ctx) }

// within is wait for at most recordWithin.
func (l *line) within(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, recordWithin)
	defer cancel()
	return l.wait(ctx)
}
