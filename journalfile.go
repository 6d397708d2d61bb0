package intune

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"github.com/go-intune/intune/internal/redact"
)

// maxJournalLine is the most that a line of a journal may hold, in bytes. Entries have less than a tenth.
const maxJournalLine = 256 << 10

// journalCancel ends a line that was not written to its end. It is the control character CAN, "what came before is in
// error"; JSON holds no control characters, so that no entry can end in it.
const journalCancel = 0x18

// JournalOptions configures [NewJournal].
type JournalOptions struct {
	// Actor, if not nil, says who a request is done for, such as the technician whom a service serves, from the context
	// of the call. At most 200 characters of it are kept, in one line. It is called for both entries, for several calls at
	// once.
	Actor func(ctx context.Context) string
}

// NewJournal is a [Journal] that writes JSON lines for [ReadJournal]: one Write for each entry, then Sync, if w has that
// method as an [*os.File] has, so that an entry survives a crash of the machine. Pipes and terminals are not synced. What Write or Sync returns is the error of
// Asking, and so is a Write that took less than it was given. It is safe for concurrent use.
//
//   - w: open a file with [os.O_CREATE], [os.O_RDWR] and [os.O_APPEND], and mode 0600, and pass it itself. A nil w is an
//     [ErrInvalidArgument] of Asking.
//   - options: may be nil.
//
// An entry never continues a line that was not finished, neither after a failed Write nor in a file in which a crash left
// half a line: that line is marked as canceled first, and ReadJournal passes over it. To see whether there is one, w
// needs the methods Stat and ReadAt; of a file that is open for writing only, the line that is there is marked in any case,
// which does no harm to a whole one. Behind any other writer, take care that it begins on a new line.
//
// A program can write entries of its own: one that has learned what became of an unfinished request calls Asked with that
// entry and the outcome. Time is filled in if it is zero. An entry without a device, or one that is too long, is an
// [ErrInvalidArgument].
func NewJournal(w io.Writer, options *JournalOptions) Journal {
	j := &fileJournal{w: w, fresh: true}
	if options != nil {
		j.actor = options.Actor
	}
	return j
}

type fileJournal struct {
	actor func(context.Context) string

	mu     sync.Mutex
	w      io.Writer
	fresh  bool // nothing was written yet
	failed bool // the latest write failed
}

// Asking implements Journal.
func (j *fileJournal) Asking(ctx context.Context, entry JournalEntry) error {
	return j.write(ctx, entry)
}

// Asked implements Journal.
func (j *fileJournal) Asked(ctx context.Context, entry JournalEntry) error {
	return j.write(ctx, entry)
}

func (j *fileJournal) write(ctx context.Context, entry JournalEntry) error {
	if isNil(j.w) {
		return invalidArgument("w", "of NewJournal is nil; pass a file or another writer")
	}
	if entry.Time.IsZero() {
		entry.Time = journalTime()
	}
	if j.actor != nil {
		entry.Actor = cmp.Or(redact.OneLine(redact.Text(j.actor(ctx)), maxCodeText), entry.Actor)
	}
	line, err := json.Marshal(entry)
	if err := cmp.Or(entry.Device.check(), err); err != nil {
		return fmt.Errorf("journal entry: %w", err)
	}
	if len(line) > maxJournalLine {
		return invalidArgument("entry", fmt.Sprintf("is too long for a journal: %d bytes, at most %d are read back", len(line), maxJournalLine))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.append(append(line, '\n')); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}

// append writes one line, and what keeps it from being the rest of another one.
func (j *fileJournal) append(line []byte) error {
	if j.mayEndInCutLine() {
		line = append([]byte{journalCancel, '\n'}, line...)
	}
	n, err := j.w.Write(line)
	if err == nil && n != len(line) {
		err = io.ErrShortWrite
	}
	j.fresh, j.failed = false, err != nil
	if err != nil {
		return err
	}
	if syncer, ok := j.w.(interface{ Sync() error }); ok && !isStream(j.w) {
		return syncer.Sync()
	}
	return nil
}

// isStream finds pipes and terminals, which have nothing to sync and say so with an error.
func isStream(w io.Writer) bool {
	file, ok := w.(interface{ Stat() (fs.FileInfo, error) })
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && !info.Mode().IsRegular()
}

// mayEndInCutLine reports whether the next line might be glued to another one. A file is looked at each time: another
// process that writes to it may have crashed.
func (j *fileJournal) mayEndInCutLine() bool {
	file, ok := j.w.(interface{ Stat() (fs.FileInfo, error) })
	if !ok {
		return j.failed
	}
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return j.failed
	}
	if reader, ok := j.w.(io.ReaderAt); ok {
		var last [1]byte
		if n, _ := reader.ReadAt(last[:], info.Size()-1); n == 1 { // else it may be open for writing only
			return last[0] != '\n'
		}
	}
	return j.fresh || j.failed
}

// isCutLine reports whether a line without its line break is one that was not written to its end, and marked so.
func isCutLine(line []byte) (text []byte, marked bool) {
	text = bytes.TrimRight(line, string(rune(journalCancel)))
	return text, len(text) < len(line)
}
