package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/journalfile"
)

// openFileStore opens the journal at a path, for this process only. It must be a file that keeps what is written. Above
// limit bytes the file is begun anew with what has to be remembered; 0 means never.
func openFileStore(ctx context.Context, path string, limit int64, log *slog.Logger) (*fileStore, error) {
	file, err := openJournal(path, 0)
	if err != nil {
		return nil, fmt.Errorf("-journal: %w", err)
	}
	syncFolder(path)
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("-journal: %w", err), file.Close())
	}
	f, err := newFileStore(ctx, file, info.Size(), log)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if limit > 0 {
		f.writer.after = newRotation(f, path, limit, log).afterWrite
	}
	go f.writer.run()
	return f, nil
}

// journalFile is a file that no other process uses.
type journalFile struct{ *os.File }

// Close ends the lock by itself: a process that is just being started has a copy of the descriptor, and with it the lock.
func (f *journalFile) Close() error { return errors.Join(unlock(f.File), f.File.Close()) }

// openJournal opens a file that no other process uses.
func openJournal(path string, more int) (*journalFile, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND|more, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%s is no regular file", path), err, file.Close())
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o002 != 0 {
		return nil, errors.Join(fmt.Errorf("everybody on this machine can change %s (mode %04o); chmod 0640 or less", path, mode), file.Close())
	}
	if err := lock(file); err != nil {
		return nil, errors.Join(fmt.Errorf("another process uses %s; each instance needs a journal of its own", path), file.Close())
	}
	if !isAt(file, path) {
		return nil, errors.Join(fmt.Errorf("another process has just replaced %s; start again", path), file.Close())
	}
	return &journalFile{file}, nil
}

// isAt reports whether an open file is the one at a path.
func isAt(file *os.File, path string) bool {
	have, err := file.Stat()
	there, err2 := os.Stat(path)
	return err == nil && err2 == nil && os.SameFile(have, there)
}

// syncFolder makes the name of a new file survive a crash of the machine. Not every system can.
func syncFolder(path string) {
	if folder, err := os.Open(filepath.Dir(path)); err == nil {
		_ = folder.Sync()
		_ = folder.Close()
	}
}

// newFileStore makes the sessions of a journal of so many bytes, which it owns from then on. Its writer does not run yet.
func newFileStore(ctx context.Context, file file, size int64, log *slog.Logger) (*fileStore, error) {
	f := &fileStore{}
	f.index = newIndex(f.tell)
	if err := f.replay(io.NewSectionReader(file, 0, size)); err != nil {
		return nil, err
	}
	tail, err := lastLine(file, size)
	if err != nil {
		return nil, fmt.Errorf("-journal: %w", err)
	}
	switch {
	case isEntry(tail): // its line break is missing, and nothing else
		f.writer = newWriter(file, size, log)
		f.writer.add([]byte("\n"))
	default: // nothing has followed from half an entry
		f.writer = newWriter(file, size-int64(len(tail)), log)
	}
	return f, f.interrupt(ctx)
}

// replay makes the sessions of a journal. It fails if the journal is damaged: the damaged line may name somebody who was
// asked, whom the service would then ask again.
func (f *fileStore) replay(from io.Reader) error {
	now := time.Now()
	for entry, err := range journalfile.Read(from) {
		if err != nil {
			return fmt.Errorf("-journal: %w; repair the line, or begin a new journal", err)
		}
		if now.Sub(entry.Time) <= historyLife {
			f.index.apply(entry, now)
		}
	}
	return nil
}

// interrupt leaves the waits of the process before this one, whose lock this one has and which has therefore ended.
func (f *fileStore) interrupt(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var open []*request
	for _, r := range f.index.byID {
		if r.isBusy() {
			open = append(open, r)
		}
	}
	slices.SortFunc(open, func(a, b *request) int { return cmp.Compare(a.now.number, b.now.number) })
	for _, r := range open {
		if r.now.state == stateAsking {
			_, err := f.record(ctx, intune.JournalEntry{
				Device: r.now.device, ClientRequestID: r.now.id, Outcome: intune.OutcomeUnknown,
				Error: "the service ended before it knew whether the request was sent",
			})
			if err != nil {
				return err
			}
		}
		if _, err := f.note(ctx, r, noteInterrupted, nil); err != nil {
			return err
		}
	}
	return nil
}

// lastLine is what follows the last line break of a file.
func lastLine(file io.ReaderAt, size int64) ([]byte, error) {
	var tail []byte
	for at := size; at > 0; {
		part := make([]byte, min(at, 64<<10))
		at -= int64(len(part))
		if _, err := file.ReadAt(part, at); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return slices.Concat(part[i+1:], tail), nil
		}
		tail = slices.Concat(part, tail)
	}
	return tail, nil
}

// isEntry reports whether a line without its break is an entry.
func isEntry(text []byte) bool {
	for _, err := range journalfile.Read(bytes.NewReader(text)) {
		return err == nil
	}
	return false
}
