// Package journalfile keeps the record of who asked for remote assistance in a file, and reads it back after a crash.
//
//	file, err := os.OpenFile("asked.jsonl", os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
//	...
//	client, err := intune.NewClient(credential, &intune.ClientOptions{Journal: journalfile.New(file, nil)})
//	...
//	requests, err := intune.JournalRequests(journalfile.Read(file)) // which may go on, without asking again
package journalfile

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/redact"
)

// maxLine is the maximum length of a line of a journal, in bytes. Entries have less than a tenth of it.
const maxLine = 256 << 10

// cancel marks the end of a line that was not written completely. It is the control character CAN, "what came
// before is in error". JSON holds no control characters, so no entry can end in it.
const cancel = 0x18

// maxActor is how much is kept of an actor, in bytes.
const maxActor = 200

// Options configures [New].
type Options struct {
	// Actor, if not nil, returns the person that a request is made for, such as the technician who uses a service, from
	// the context of the call. At most 200 bytes are kept, in one line. It is called by Asking, from several goroutines;
	// the other entries of a request have no actor, unless a program that writes them fills it in.
	Actor func(ctx context.Context) string
}

// New makes an [intune.Journal] that writes JSON lines for [Read]: those of Asking, Asked and Ended. For each entry it
// calls Write once and then, if w has that method as an [*os.File] has, Sync, so that the entry survives a crash of the
// machine. It does not sync pipes and terminals. An error of Write or Sync, and a Write that took less than it was given,
// makes the method fail. The journal is safe for concurrent use. It refuses no request, neither for a device that is being
// asked already nor with a client-request-id that was used.
//
// The methods return when their context ends, even if the Write of a full pipe or of a file on a broken network does
// not. They then return the context's error. The entry may still be written: a request whose Asking was left so is read as
// one whose outcome is unknown. Only that one Write is left behind, since later entries wait until it has returned, or
// until their own context ends.
//
//   - w: open a file with [os.O_CREATE], [os.O_RDWR] and [os.O_APPEND], and mode 0600, and pass the file itself, not
//     wrapped in another writer. If w is nil, the methods return [intune.ErrInvalidArgument].
//   - options: may be nil.
//
// A failed Write or a crash can leave half a line. The journal never continues such a line: it first marks the line as
// canceled, and Read skips it. To see whether there is such a line, the journal uses the methods Stat and ReadAt
// of w. If a file is open for writing only, the journal marks its last line in any case, which does no harm to a
// complete line. With any other writer, make sure that the journal begins on a new line.
//
// A program can write entries of its own: when it has learned what became of a request whose outcome was unknown, it
// calls Asked with the device, the client-request-id and the outcome. When a wait needs no more looking after, for example
// because its token is too old, it calls Ended with the device, the client-request-id and [intune.SessionFailed]. The
// journal fills in Time if it is zero. It returns [intune.ErrInvalidArgument] for an entry without a device, for an Asked
// without an Outcome, for an Ended without a Session or with an Outcome, for a Session that [Read] does not know, and for
// an entry that is too long.
func New(w io.Writer, options *Options) intune.Journal {
	j := &file{w: w, fresh: true, turn: make(chan struct{}, 1)}
	if options != nil {
		j.actor = options.Actor
	}
	return j
}

type file struct {
	actor func(context.Context) string
	turn  chan struct{} // full while an entry is written, even if its caller has gone

	// Of the one whose turn it is:
	w      io.Writer
	fresh  bool // nothing was written yet
	failed bool // the latest write failed
}

// Asking implements Journal.
func (j *file) Asking(ctx context.Context, entry intune.JournalEntry) error {
	if ctx != nil && j.actor != nil {
		entry.Actor = cmp.Or(redact.OneLine(redact.Text(j.actor(ctx)), maxActor), entry.Actor)
	}
	return j.write(ctx, entry)
}

// Asked implements Journal.
func (j *file) Asked(ctx context.Context, entry intune.JournalEntry) error {
	if entry.Outcome == "" {
		return invalidArgument("entry", "of Asked has no Outcome, and would be read as one of Asking")
	}
	return j.write(ctx, entry)
}

// Ended implements Journal.
func (j *file) Ended(ctx context.Context, entry intune.JournalEntry) error {
	if entry.Session == "" {
		return invalidArgument("entry", "of Ended has no Session, and would be read as one of Asking; "+wantSession)
	}
	if entry.Outcome != "" {
		return invalidArgument("entry", "of Ended has an Outcome, and would be read as one of Asked")
	}
	return j.write(ctx, entry)
}

func (j *file) write(ctx context.Context, entry intune.JournalEntry) error {
	if isNil(j.w) {
		return invalidArgument("w", "of journalfile.New is nil; pass a file or another writer")
	}
	if ctx == nil {
		return invalidArgument("ctx", "is nil; pass context.Background() if there is no other")
	}
	if entry.Time.IsZero() {
		entry.Time = time.Now().UTC().Round(0)
	}
	if entry.Device.IsZero() {
		return invalidArgument("entry", "has no device")
	}
	if !isKnown(entry.Session) {
		return invalidArgument("entry", "has the Session "+quoted(entry.Session)+"; "+wantSession)
	}
	line, err := json.Marshal(entry) // which checks the address of the device
	if err != nil {
		return fmt.Errorf("journal entry: %w", err)
	}
	if len(line) > maxLine {
		return invalidArgument("entry", fmt.Sprintf("is too long for a journal: %d bytes, at most %d are read back", len(line), maxLine))
	}
	if err := j.appendInTurn(ctx, append(line, '\n')); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}

// appendInTurn writes one line, and returns when the context ends. A goroutine that a stuck write holds up keeps its turn,
// so that no second one can be held up.
func (j *file) appendInTurn(ctx context.Context, line []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case j.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("an earlier entry is still being written: %w", ctx.Err())
	}
	if ctx.Done() == nil {
		defer func() { <-j.turn }()
		return j.append(line)
	}
	type result struct {
		err      error
		panicked any
	}
	done := make(chan result, 1)
	go func() {
		ended := result{err: fmt.Errorf("the writer %T ended its goroutine", j.w)}
		defer func() {
			ended.panicked = recover() // for the goroutine of the caller, who can recover it
			<-j.turn
			done <- ended
		}()
		ended.err = j.append(line)
	}()
	var ended result
	select {
	case ended = <-done:
	case <-ctx.Done():
		select {
		case ended = <-done: // what was written counts
		default:
			return fmt.Errorf("the entry is still being written: %w", ctx.Err())
		}
	}
	if ended.panicked != nil {
		panic(ended.panicked)
	}
	return ended.err
}

// append writes one line. If the line before it may be incomplete, it first writes the mark that cancels that line.
func (j *file) append(line []byte) error {
	if j.mayEndInCutLine() {
		line = append([]byte{cancel, '\n'}, line...)
	}
	j.fresh, j.failed = false, true // also if Write panics
	n, err := j.w.Write(line)
	if err == nil && n != len(line) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return err
	}
	j.failed = false
	if syncer, ok := j.w.(interface{ Sync() error }); ok && !isStream(j.w) {
		return syncer.Sync()
	}
	return nil
}

// isStream reports whether w is a pipe or a terminal, which have nothing to sync, so that Sync returns an error.
func isStream(w io.Writer) bool {
	f, ok := w.(interface{ Stat() (fs.FileInfo, error) })
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && !info.Mode().IsRegular()
}

// mayEndInCutLine reports whether the journal may end in an incomplete line. It looks at a file each time, because
// another process that writes to the file may have crashed.
func (j *file) mayEndInCutLine() bool {
	f, ok := j.w.(interface{ Stat() (fs.FileInfo, error) })
	if !ok {
		return j.failed
	}
	info, err := f.Stat()
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

// isCutLine reports whether a line, given without its line break, was marked as incomplete. text is the line without
// the mark.
func isCutLine(line []byte) (text []byte, marked bool) {
	text = bytes.TrimRight(line, string(rune(cancel)))
	return text, len(text) < len(line)
}

// isNil finds nil pointers inside interfaces too, whose methods would panic.
func isNil(value any) bool {
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan:
		return v.IsNil()
	default:
		return false
	}
}

func invalidArgument(argument, problem string) error {
	return fmt.Errorf("%w: %s %s", intune.ErrInvalidArgument, argument, problem)
}
