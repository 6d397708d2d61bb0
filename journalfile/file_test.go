package journalfile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/journalfile"
)

// journalWriter counts what is done to it. cut, if not nil, says how much of a line it takes.
type journalWriter struct {
	bytes.Buffer

	calls   []string
	cut     func(line []byte) (n int, err error)
	syncErr error
}

func (w *journalWriter) Write(line []byte) (int, error) {
	w.calls = append(w.calls, "write")
	if w.cut != nil {
		n, err := w.cut(line)
		w.Buffer.Write(line[:n])
		return n, err
	}
	return w.Buffer.Write(line)
}

func (w *journalWriter) Sync() error {
	w.calls = append(w.calls, "sync")
	return w.syncErr
}

var (
	errDisk = errors.New("disk full")

	askingEntry = intune.JournalEntry{
		Time: time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC), Device: intune.UserDevice("anna@contoso.com", "1"), ClientRequestID: "id-1",
		ResumeToken: `{"type":"RemoteAssistanceSession"}`, Actor: "bert",
	}
	askedEntry = intune.JournalEntry{
		Time: time.Date(2026, 3, 4, 5, 6, 8, 0, time.UTC), Device: intune.UserDevice("anna@contoso.com", "1"), ClientRequestID: "id-1",
		Outcome: intune.OutcomeRejected, StatusCode: 403, RequestID: "r1", Error: "not allowed <&>", Actor: "bert", CallerID: "c",
		AppID: "a", TenantID: "t",
	}
	endedEntry = intune.JournalEntry{
		Time: time.Date(2026, 3, 4, 5, 7, 8, 9000, time.UTC), Device: intune.UserDevice("anna@contoso.com", "1"), ClientRequestID: "id-1",
		Session: intune.SessionFailed, RequestID: "r2", Error: "the device\nis \"offline\"",
	}
)

// write gives a journal an entry by the method that it is for.
func write(ctx context.Context, j intune.Journal, entry intune.JournalEntry) error {
	switch {
	case entry.Outcome != "":
		return j.Asked(ctx, entry)
	case entry.Session != "":
		return j.Ended(ctx, entry)
	default:
		return j.Asking(ctx, entry)
	}
}

// entriesOf reads a whole journal.
func entriesOf(r io.Reader) (entries []intune.JournalEntry, errs []error) {
	for entry, err := range journalfile.Read(r) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		entries = append(entries, entry)
	}
	return entries, errs
}

func TestNew_WritesALineAnEntry(t *testing.T) {
	t.Parallel()
	w := &journalWriter{}
	j := journalfile.New(w, nil)
	err := errors.Join(j.Asking(t.Context(), askingEntry), j.Asked(t.Context(), askedEntry), j.Ended(t.Context(), endedEntry))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"write", "sync", "write", "sync", "write", "sync"}; !slices.Equal(w.calls, want) {
		t.Errorf("calls %v, want %v", w.calls, want)
	}
	lines := strings.Split(w.String(), "\n")
	for i, want := range [][]string{
		{"actor", "clientRequestId", "device", "resumeToken", "time"},
		{"actor", "appId", "callerId", "clientRequestId", "device", "error", "outcome", "requestId", "statusCode", "tenantId", "time"},
		{"clientRequestId", "device", "error", "requestId", "session", "time"},
	} {
		var members map[string]any
		if err := json.Unmarshal([]byte(lines[i]), &members); err != nil {
			t.Fatal(err)
		}
		if got := slices.Sorted(maps.Keys(members)); !slices.Equal(got, want) {
			t.Errorf("members %v, want %v", got, want)
		}
	}
	entries, errs := entriesOf(&w.Buffer)
	if !slices.Equal(entries, []intune.JournalEntry{askingEntry, askedEntry, endedEntry}) || errs != nil {
		t.Errorf("read %+v, errors %v", entries, errs)
	}
	if len(lines) != 4 || lines[3] != "" {
		t.Errorf("%d lines, the last one %q, want three and a line break", len(lines), lines[len(lines)-1])
	}
}

// An entry that cannot be kept, whole and in a form that can be read back, is an error.
func TestNew_Fails(t *testing.T) {
	t.Parallel()
	var none *os.File
	tooLong := askingEntry
	empty, err := json.Marshal(intune.JournalEntry{Time: askingEntry.Time, Device: askingEntry.Device, ResumeToken: "x"})
	if err != nil {
		t.Fatal(err)
	}
	longest := intune.JournalEntry{Time: askingEntry.Time, Device: askingEntry.Device, ResumeToken: strings.Repeat("x", 256<<10-len(empty)+1)}
	tooLong.ResumeToken = longest.ResumeToken + "x"
	tooLong.ClientRequestID, tooLong.Actor = "", ""
	w := &bytes.Buffer{}
	if err := journalfile.New(w, nil).Asking(t.Context(), longest); err != nil {
		t.Errorf("the longest entry: %v", err)
	}
	if entries, errs := entriesOf(w); len(errs) != 0 || !slices.Equal(entries, []intune.JournalEntry{longest}) {
		t.Errorf("the longest entry is read as %v, %v", entries, errs)
	}
	for name, c := range map[string]struct {
		w     io.Writer
		entry intune.JournalEntry
		want  error
		says  string
	}{
		"Write fails": {&journalWriter{cut: func([]byte) (int, error) { return 0, errDisk }}, askingEntry, errDisk, "write the journal"},
		"Write is short": {
			&journalWriter{cut: func(line []byte) (int, error) { return len(line) - 1, nil }}, askingEntry, io.ErrShortWrite,
			"write the journal",
		},
		"Sync fails":           {&journalWriter{syncErr: errDisk}, askingEntry, errDisk, "write the journal"},
		"no writer":            {nil, askingEntry, intune.ErrInvalidArgument, "w of journalfile.New is nil"},
		"a nil file":           {none, askingEntry, intune.ErrInvalidArgument, "w of journalfile.New is nil"},
		"a nil buffer":         {(*bytes.Buffer)(nil), askingEntry, intune.ErrInvalidArgument, "w of journalfile.New is nil"},
		"a nil func":           {writerFunc(nil), askingEntry, intune.ErrInvalidArgument, "w of journalfile.New is nil"},
		"a bad device":         {&journalWriter{}, intune.JournalEntry{Device: intune.Device("..")}, intune.ErrInvalidArgument, "device"},
		"no device":            {&journalWriter{}, intune.JournalEntry{ClientRequestID: "id"}, intune.ErrInvalidArgument, "has no device"},
		"longer than any line": {&journalWriter{}, tooLong, intune.ErrInvalidArgument, "too long"},
		"a closed file":        {closedFile(t), askingEntry, os.ErrClosed, "write the journal"},
	} {
		j := journalfile.New(c.w, nil)
		asked, ended := c.entry, c.entry
		asked.Outcome, ended.Session = intune.OutcomeUnknown, intune.SessionLeft
		for _, entry := range []intune.JournalEntry{c.entry, asked, ended} {
			for _, ctx := range []context.Context{t.Context(), context.WithoutCancel(t.Context())} { // the second one never ends
				if err := write(ctx, j, entry); !errors.Is(err, c.want) || !strings.Contains(fmt.Sprint(err), c.says) {
					t.Errorf("%s, %q, %q: %v", name, entry.Outcome, entry.Session, err)
				}
			}
		}
	}
}

// An entry that would be read as one of another kind, or not at all, is refused.
func TestNew_RefusesWhatWouldBeReadOtherwise(t *testing.T) {
	t.Parallel()
	later, both := endedEntry, endedEntry
	later.Session, both.Outcome = "snoo\nzed", intune.OutcomeAccepted
	w := &journalWriter{}
	j := journalfile.New(w, nil)
	for says, err := range map[string]error{
		"of Asked has no Outcome":            j.Asked(t.Context(), askingEntry),
		"of Ended has no Session":            j.Ended(t.Context(), askingEntry),
		"of Ended has an Outcome":            j.Ended(t.Context(), both),
		"has the Session \"snoo zed\"; want": j.Ended(t.Context(), later),
		"want ready, failed, left or":        j.Asking(t.Context(), later),
	} {
		if !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), "entry ") {
			t.Errorf("%s: %v", says, err)
		}
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want %q", err, says)
		}
	}
	if len(w.calls) != 0 {
		t.Errorf("calls %v", w.calls)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func closedFile(t *testing.T) *os.File {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "journal"))
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

// Wherever a write breaks off, no half of an entry counts, and the next entry stands by itself.
func TestNew_AfterHalfALine(t *testing.T) {
	t.Parallel()
	line, err := json.Marshal(askingEntry)
	if err != nil {
		t.Fatal(err)
	}
	next := askedEntry
	next.ClientRequestID = "id-2"
	for n := range len(line) + 4 {
		for breaks := range 9 { // how often it breaks off there, after a whole entry, in three kinds of writer
			w := &journalWriter{}
			j := [...]intune.Journal{journalfile.New(w, nil), journalfile.New(unreadable{w}, nil), journalfile.New(untold{w}, nil)}[breaks/3]
			breaks %= 3
			if err := j.Asking(t.Context(), askingEntry); err != nil {
				t.Fatal(err)
			}
			w.cut = func(line []byte) (int, error) { return min(n, len(line)), errDisk }
			for range breaks {
				if err := j.Asking(t.Context(), askingEntry); !errors.Is(err, errDisk) {
					t.Fatal(err)
				}
			}
			w.cut = nil
			if err := j.Asked(t.Context(), next); err != nil {
				t.Fatal(err)
			}
			entries, errs := entriesOf(bytes.NewReader(w.Bytes()))
			// What is whole may count, though its write failed: it may be that it was acted upon.
			most := 2
			if n >= len(line) {
				most += breaks
			}
			if len(errs) != 0 || len(entries) < 2 {
				t.Fatalf("%d bytes, %d times: read %+v, errors %v, of\n%q", n, breaks, entries, errs, w.String())
			}
			if len(entries) > most {
				t.Fatalf("%d bytes, %d times: %d entries, want %d at most, of\n%q", n, breaks, len(entries), most, w.String())
			}
			if first, last := entries[0], entries[len(entries)-1]; first != askingEntry || last != next {
				t.Fatalf("%d bytes, %d times: read %+v to %+v, of\n%q", n, breaks, first, last, w.String())
			}
		}
	}
}

// A process that was killed leaves any part of a line. The next one opens the file and goes on.
func TestNew_InAFileWithHalfALine(t *testing.T) {
	t.Parallel()
	whole := &bytes.Buffer{}
	if err := journalfile.New(whole, nil).Asking(t.Context(), askingEntry); err != nil {
		t.Fatal(err)
	}
	for mode, flags := range map[string]int{"read and write": os.O_RDWR, "write only": os.O_WRONLY} {
		for n := range whole.Len() + 1 {
			if n%9 > 0 && n > 3 && n < whole.Len()-3 {
				continue // each costs four times Sync
			}
			path := filepath.Join(t.TempDir(), "journal")
			before := whole.String() + whole.String()[:n]
			if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
				t.Fatal(err)
			}
			had, errs := entriesOf(strings.NewReader(before))
			wantHad := []intune.JournalEntry{askingEntry}
			if n >= whole.Len()-1 { // the line may lack its end
				wantHad = append(wantHad, askingEntry)
			}
			if !slices.Equal(had, wantHad) {
				t.Fatalf("%s, %d bytes: read %+v, want %+v", mode, n, had, wantHad)
			}
			for range 2 { // opened twice
				file, err := os.OpenFile(path, flags|os.O_APPEND, 0)
				if err != nil {
					t.Fatal(err)
				}
				j := journalfile.New(file, nil)
				if err := errors.Join(j.Asking(t.Context(), askedEntry), j.Asked(t.Context(), askedEntry), file.Close()); err != nil {
					t.Fatal(err)
				}
			}
			text := readText(t, path)
			entries, moreErrs := entriesOf(strings.NewReader(text))
			want := append(had, askedEntry, askedEntry, askedEntry, askedEntry)
			if !slices.Equal(entries, want) || len(errs)+len(moreErrs) != 0 {
				t.Fatalf("%s, %d bytes: read %+v, errors %v and %v, of\n%q", mode, n, entries, errs, moreErrs, text)
			}
			// A file that cannot be read is marked at each opening, and not at each entry.
			least, most := 2, 2
			if mode == "read and write" {
				least, most = 0, 1
				if n == 0 || n == whole.Len() { // a whole line
					most = 0
				}
			}
			if marks := strings.Count(text, "\x18"); marks < least || marks > most {
				t.Fatalf("%s, %d bytes: %d marks, want %d to %d, in\n%q", mode, n, marks, least, most, text)
			}
		}
	}
}

// unreadable is a file that is open for writing only.
type unreadable struct{ *journalWriter }

func (u unreadable) Stat() (fs.FileInfo, error) { return memoryInfo{size: int64(u.Len())}, nil }

// A new file holds nothing but the entries, and a file that cannot tell its size is written to all the same.
func TestNew_InANewFile(t *testing.T) {
	t.Parallel()
	for mode, flags := range map[string]int{"read and write": os.O_RDWR, "write only": os.O_WRONLY} {
		path := filepath.Join(t.TempDir(), "journal")
		file, err := os.OpenFile(path, flags|os.O_APPEND|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		j := journalfile.New(file, nil)
		if err := errors.Join(j.Asking(t.Context(), askingEntry), j.Asked(t.Context(), askedEntry), file.Close()); err != nil {
			t.Fatal(err)
		}
		if text := readText(t, path); strings.Count(text, "\n") != 2 || strings.Contains(text, "\x18") {
			t.Errorf("%s: %q", mode, text)
		}
	}
	w := &journalWriter{}
	if err := journalfile.New(untold{w}, nil).Asking(t.Context(), askingEntry); err != nil {
		t.Error(err)
	}
	if strings.Contains(w.String(), "\x18") || !slices.Equal(w.calls, []string{"write", "sync"}) {
		t.Errorf("wrote %q, calls %q", w.String(), w.calls)
	}
}

// untold is a file that does not tell its size.
type untold struct{ *journalWriter }

func (untold) Stat() (fs.FileInfo, error) { return nil, errDisk }

// Another process may crash after this one has begun to write.
func TestNew_LooksAtTheFileEachTime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	open := func() *os.File {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		return file
	}
	j := journalfile.New(open(), nil)
	if err := j.Asking(t.Context(), askingEntry); err != nil {
		t.Fatal(err)
	}
	if _, err := open().WriteString(`{"time":"2026`); err != nil {
		t.Fatal(err)
	}
	if err := j.Asked(t.Context(), askedEntry); err != nil {
		t.Fatal(err)
	}
	entries, errs := entriesOf(open())
	if !slices.Equal(entries, []intune.JournalEntry{askingEntry, askedEntry}) || errs != nil {
		t.Errorf("read %+v, errors %v", entries, errs)
	}
}

func TestNew_IsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	w := &journalWriter{}
	j := journalfile.New(w, nil)
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			entry := askingEntry
			entry.ClientRequestID = strconv.Itoa(i)
			if err := j.Asking(t.Context(), entry); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	entries, errs := entriesOf(&w.Buffer)
	seen := map[string]bool{}
	for _, entry := range entries {
		seen[entry.ClientRequestID] = true
	}
	if len(entries) != 50 || len(seen) != 50 {
		t.Errorf("%d entries, %d of them different, want 50", len(entries), len(seen))
	}
	if errs != nil {
		t.Errorf("errors %v", errs)
	}
}

// The actor is in the entry of Asking. A program can give one of its own to the others.
func TestOptions_Actor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ says, given, want string }{
		"of the context":    {"anna", "", "anna"},
		"before the given":  {"anna", "bert", "anna"},
		"none":              {"", "bert", "bert"},
		"one line, no link": {"anna\nsees https://get.teamviewer.com/secret", "", "anna sees https://get.teamviewer.com/REDACTED"},
		"long":              {strings.Repeat("a", 1000), "", strings.Repeat("a", 200) + "…"},
	} {
		w := &bytes.Buffer{}
		calls := 0
		j := journalfile.New(w, &journalfile.Options{Actor: func(ctx context.Context) string {
			if calls++; ctx.Value(contextKey{}) != "kept" {
				t.Error("another context")
			}
			return c.says
		}})
		ctx := context.WithValue(t.Context(), contextKey{}, "kept")
		asking := intune.JournalEntry{Device: intune.Device("1"), Actor: c.given}
		asked, ended := asking, asking
		asked.Outcome, ended.Session = intune.OutcomeAccepted, intune.SessionReady
		if err := errors.Join(j.Asking(ctx, asking), j.Asked(ctx, asked), j.Ended(ctx, ended)); err != nil {
			t.Fatal(err)
		}
		entries, _ := entriesOf(w)
		if len(entries) != 3 {
			t.Fatalf("%s: read %+v", name, entries)
		}
		if got, want := [...]string{entries[0].Actor, entries[1].Actor, entries[2].Actor}, [...]string{c.want, c.given, c.given}; got != want {
			t.Errorf("%s: actors %q, want %q", name, got, want)
		}
		if calls != 1 {
			t.Errorf("%s: called %d times", name, calls)
		}
		if entries[0].Time.IsZero() {
			t.Errorf("%s: no time", name)
		}
	}
}

// memoryFile is a file in memory.
type memoryFile struct{ data []byte }

func (f *memoryFile) Write(p []byte) (int, error) {
	f.data = append(f.data, p...)
	return len(p), nil
}

func (f *memoryFile) ReadAt(p []byte, at int64) (int, error) {
	return bytes.NewReader(f.data).ReadAt(p, at)
}

func (f *memoryFile) Stat() (fs.FileInfo, error) { return memoryInfo{size: int64(len(f.data))}, nil }

type memoryInfo struct {
	fs.FileInfo

	size int64
}

func (i memoryInfo) Size() int64     { return i.size }
func (memoryInfo) Mode() fs.FileMode { return 0 }

// TestNew_OnAPipe: a service may write its journal to standard output. A pipe has nothing to sync, and says so with an
// error.
func TestNew_OnAPipe(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := journalfile.New(w, nil).Asking(t.Context(), intune.JournalEntry{Device: intune.Device("1"), ClientRequestID: "c1"}); err != nil {
		t.Error(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	line, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	if !bytes.HasSuffix(line, []byte("}\n")) || bytes.Count(line, []byte("\n")) != 1 {
		t.Errorf("got %q, want one line", line)
	}
}

// stuckWriter takes nothing until release is called, and then as much of each line as take says.
type stuckWriter struct {
	bytes.Buffer

	take     func(line []byte) (n int, err error)
	released chan struct{}
	writes   int
}

func newStuckWriter(take func([]byte) (int, error)) *stuckWriter {
	return &stuckWriter{take: take, released: make(chan struct{})}
}

func (w *stuckWriter) Write(line []byte) (int, error) {
	w.writes++
	<-w.released
	n, err := w.take(line)
	w.Buffer.Write(line[:n])
	return n, err
}

// takes is a writer's way to take all.
func takes(line []byte) (int, error) { return len(line), nil }

// A full pipe holds nobody beyond the own context, and leaves one write behind, however many callers come. When that write
// has returned, what it left of a line does not touch the next one.
func TestNew_OnAPipeThatBlocks(t *testing.T) {
	t.Parallel()
	next := askedEntry
	next.ClientRequestID = "id-2"
	for name, c := range map[string]struct {
		first func(line []byte) (int, error) // of the write that was left behind
		want  []intune.JournalEntry
		mark  bool
	}{
		"half a line":           {func(line []byte) (int, error) { return len(line) / 2, errDisk }, []intune.JournalEntry{next}, true},
		"half a line, no error": {func(line []byte) (int, error) { return len(line) / 2, nil }, []intune.JournalEntry{next}, true},
		"nothing":               {func([]byte) (int, error) { return 0, errDisk }, []intune.JournalEntry{next}, true},
		"a line but for its end": {
			func(line []byte) (int, error) { return len(line) - 1, errDisk }, []intune.JournalEntry{askingEntry, next}, true,
		},
		"a whole line, too late":   {takes, []intune.JournalEntry{askingEntry, next}, false},
		"a panic, of which no one": {func([]byte) (int, error) { panic("of the writer") }, []intune.JournalEntry{next}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newStuckWriter(c.first)
				j := journalfile.New(w, nil)
				start := time.Now()
				for range 300 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					err := j.Asking(ctx, askingEntry)
					if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "still being written") {
						t.Errorf("error %v", err)
					}
					cancel()
				}
				if took := time.Since(start); took != 300*time.Second {
					t.Errorf("300 calls of a second each took %v", took)
				}
				last := make(chan error, 1)
				go func() { last <- j.Asked(context.WithoutCancel(t.Context()), next) }()
				synctest.Wait()
				if w.writes != 1 {
					t.Errorf("%d writes began", w.writes)
				}
				w.take = func(line []byte) (int, error) { w.take = takes; return c.first(line) }
				close(w.released)
				if err := <-last; err != nil {
					t.Error(err)
				}
				synctest.Wait()
				entries, errs := entriesOf(bytes.NewReader(w.Bytes()))
				if !slices.Equal(entries, c.want) || errs != nil {
					t.Errorf("read %+v, errors %v, of\n%q", entries, errs, w.String())
				}
				if got := strings.Contains(w.String(), "\x18"); got != c.mark {
					t.Errorf("marked %t, want %t:\n%q", got, c.mark, w.String())
				}
			})
		})
	}
}

// No record, no prompt: a request whose entry is stuck is not sent.
func TestNew_OnAPipeThatBlocksStopsTheRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		device := tenant.AddDevice(intune.ManagedDevice{})
		w := newStuckWriter(takes)
		options := tenant.ClientOptions()
		options.Journal = journalfile.New(w, nil)
		client, err := intune.NewClient(tenant.Credential(), options)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		_, err = client.RequestRemoteAssistance(ctx, device, nil)
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, intune.ErrOutcomeUnknown) {
			t.Errorf("error %v", err)
		}
		if time.Since(start) != time.Minute {
			t.Errorf("took %v", time.Since(start))
		}
		close(w.released)
		synctest.Wait()
		if prompts := tenant.Prompts(device); prompts != 0 {
			t.Errorf("%d prompts", prompts)
		}
		entries, errs := entriesOf(&w.Buffer)
		if len(entries) != 1 || errs != nil {
			t.Errorf("read %+v, errors %v", entries, errs)
		}
	})
}

// A context that has ended, or that ends while the writer is at work, is told apart from what was written.
func TestNew_AfterTheEndOfTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	w := &journalWriter{}
	j := journalfile.New(w, &journalfile.Options{Actor: func(ctx context.Context) string { return fmt.Sprint(ctx.Err()) }})
	w.cut = func(line []byte) (int, error) { cancel(); return len(line), nil }
	for range 100 { // select would choose at random
		if err := j.Asking(ctx, askingEntry); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if len(w.calls) != 2 {
		t.Errorf("calls %v", w.calls)
	}
	if err := j.Asking(nil, askingEntry); !errors.Is(err, intune.ErrInvalidArgument) { //nolint:staticcheck // what a caller may do
		t.Errorf("without a context: %v", err)
	}
}

// A writer that panics or ends its goroutine does so in the goroutine of the caller, if there is still one, and holds up
// nobody.
func TestNew_WriterThatDoesNotReturn(t *testing.T) {
	t.Parallel()
	w := &journalWriter{}
	j := journalfile.New(w, nil)
	for name, ctx := range map[string]context.Context{"with an end": t.Context(), "without an end": context.WithoutCancel(t.Context())} {
		w.cut = func([]byte) (int, error) { panic("of the writer") }
		func() {
			defer func() {
				if recovered := recover(); recovered != "of the writer" {
					t.Errorf("%s: recovered %v", name, recovered)
				}
			}()
			t.Errorf("%s: returned %v", name, j.Asking(ctx, askingEntry))
		}()
		w.cut = nil
		if err := j.Asked(ctx, askedEntry); err != nil {
			t.Errorf("%s: then %v", name, err)
		}
	}
	w.cut = func([]byte) (int, error) { runtime.Goexit(); return 0, nil }
	if err := j.Asking(t.Context(), askingEntry); err == nil || !strings.Contains(err.Error(), "ended its goroutine") {
		t.Errorf("after Goexit: %v", err)
	}
	w.cut = nil
	if err := j.Asked(t.Context(), askedEntry); err != nil {
		t.Errorf("then %v", err)
	}
	entries, errs := entriesOf(&w.Buffer)
	if !slices.Equal(entries, []intune.JournalEntry{askedEntry, askedEntry, askedEntry}) || errs != nil {
		t.Errorf("read %+v, errors %v", entries, errs)
	}
}
