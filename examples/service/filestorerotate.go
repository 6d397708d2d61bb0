package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/go-intune/intune/journalfile"
)

// rotation begins the file of a store anew when it has become large, with the entries of the sessions that are remembered.
// The file before is kept beside it, with .1 behind its name. Its methods run in the goroutine of the writer.
type rotation struct {
	store  *fileStore
	path   string
	limit  int64
	log    *slog.Logger
	rename func(from, to string) error // os.Rename

	at     int64 // size of the file at which it is done
	forgot time.Time
}

func newRotation(store *fileStore, path string, limit int64, log *slog.Logger) *rotation {
	return &rotation{store: store, path: path, limit: limit, at: limit, log: log, rename: os.Rename}
}

// afterWrite is called when all that was queued is on disk.
func (r *rotation) afterWrite(file file, size int64) (file, int64) {
	if now := time.Now(); now.Sub(r.forgot) > time.Hour || size >= r.at {
		r.forgot = now
		r.store.forgetOld(now)
	}
	if size < r.at {
		return file, size
	}
	next, kept, err := r.rotate(io.NewSectionReader(file, 0, size))
	if err != nil {
		r.at = size + size/2
		r.log.Error("the journal could not be begun anew, and goes on as it is", "error", err.Error())
		return file, size
	}
	r.at = max(r.limit, 2*kept) // else a file of nothing but the last days would be written again and again
	r.log.Info("the journal was begun anew", "bytesBefore", size, "bytes", kept)
	_ = file.Close() // all of it is on disk, and has another name now
	return next, kept
}

// rotate writes what is remembered to a new file, and puts that in the place of the old one. There is a whole journal at
// the path at any moment, and so a crash loses nothing.
func (r *rotation) rotate(from io.Reader) (_ *journalFile, size int64, err error) {
	const fresh = ".new"
	to, err := openJournal(r.path+fresh, os.O_TRUNC)
	if err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, to.Close(), os.Remove(r.path+fresh))
		}
	}()
	if size, err = r.copy(to, from); err != nil {
		return nil, 0, err
	}
	if err = to.Sync(); err != nil {
		return nil, 0, err
	}
	if err = os.Remove(r.path + ".1"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, 0, err
	}
	if err = os.Link(r.path, r.path+".1"); err != nil {
		return nil, 0, err
	}
	if err = r.rename(r.path+fresh, r.path); err != nil {
		return nil, 0, err
	}
	syncFolder(r.path)
	return to, size, nil
}

// copy passes on the entries of the sessions that are remembered, in their order, without the tokens of waits that are over.
func (r *rotation) copy(to io.Writer, from io.Reader) (size int64, err error) {
	kept := r.store.remembered(time.Now())
	out := bufio.NewWriter(to)
	for entry, err := range journalfile.Read(from) {
		if err != nil {
			return 0, fmt.Errorf("read the journal: %w", err)
		}
		young, ok := kept[entry.ClientRequestID]
		if !ok {
			continue
		}
		if !young {
			entry.ResumeToken = ""
		}
		text, err := encode(context.Background(), entry)
		if err != nil {
			return 0, err
		}
		if _, err := out.Write(text); err != nil {
			return 0, err
		}
		size += int64(len(text))
	}
	return size, out.Flush()
}

// remembered are the ids of the sessions, and whether their waits may go on.
func (f *fileStore) remembered(now time.Time) map[string]bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	ids := make(map[string]bool, len(f.index.byID))
	for id, r := range f.index.byID {
		ids[id] = r.isBusy() || now.Sub(r.now.asked) < sessionLife
	}
	return ids
}

func (f *fileStore) forgetOld(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.index.forgetOld(now)
}
