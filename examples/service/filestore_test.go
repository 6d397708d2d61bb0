package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	"github.com/google/uuid"
)

// A disk that takes three seconds for a sync holds up nobody but those who wait for it.
func TestSlowDiskHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := newDisk(t)
		p := newPlace(t, slow.holds)
		device, other := p.add("LT-1"), p.add("LT-2")
		a, b := p.program(dana), p.program(robin)
		id := b.begin(device, anyKey).ID
		time.Sleep(time.Minute)
		release := slow.hang()
		asked := make(chan reply, 1)
		go func() { asked <- a.ask(other, anyKey) }()
		<-slow.stuck
		from := time.Now()
		for _, path := range []string{"/healthz", "/sessions", "/sessions/" + id, "/sessions/" + id + "/events"} {
			if got := b.get(path); got.status != http.StatusOK {
				t.Errorf("%s: %d %s", path, got.status, got.body)
			}
		}
		if took := time.Since(from); took > 0 {
			t.Errorf("the answers took %v", took)
		}
		time.Sleep(3 * time.Second)
		release()
		if got := <-asked; got.status != http.StatusCreated {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
}

// A disk that hangs for ever: nobody is asked, nobody else is held up, and the service ends all the same.
func TestHangingDisk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hung := newDisk(t)
		p := newPlace(t, hung.holds)
		left, other := p.add("LT-1", intunetest.SessionScript{Never: true}), p.add("LT-2")
		a, b := p.program(dana), p.program(robin)
		id := a.begin(left, anyKey).ID
		time.Sleep(11 * time.Minute)
		release := hung.hang()
		b.refused(b.ask(left, anyKey), kindRecord)
		if got := a.session(id); got.State != stateNoLink {
			t.Errorf("what was left for the device: %+v", got)
		}
		from := time.Now()
		b.refused(b.ask(other, "key-00000002"), kindRecord)
		if took := time.Since(from); took > time.Second {
			t.Errorf("the second request waited for %v", took)
		}
		if err := p.service.desk.store.check(t.Context()); err == nil {
			t.Error("the store says that nothing is wrong")
		}
		from = time.Now()
		if err := p.service.close(t.Context()); err == nil {
			t.Error("the service says that all is on disk")
		}
		if took := time.Since(from); took > closeWithin {
			t.Errorf("the end took %v", took)
		}
		release()
		synctest.Wait() // the entries come to the disk after all
		p.service = nil
		p.open()
		if got := b.ask(left, anyKey); got.status != http.StatusCreated {
			t.Errorf("with the same key, later: %d %s", got.status, got.body)
		}
		if n := p.tenant.Prompts(left); n != 2 {
			t.Errorf("%d prompts, want one of each", n)
		}
	})
}

// A clock that was a day ahead has written entries of tomorrow.
func TestClockThatWasAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1", intunetest.SessionScript{Never: true})
		id := p.program(dana).begin(device, anyKey).ID
		time.Sleep(time.Second)
		p.close()
		var text strings.Builder
		for line := range strings.Lines(p.readJournal()) {
			var entry intune.JournalEntry
			if err := json.Unmarshal([]byte(line), &entry); err != nil {
				t.Fatal(err)
			}
			entry.Time = entry.Time.Add(24 * time.Hour)
			if err := json.NewEncoder(&text).Encode(entry); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(p.journal, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		p.open()
		p.program(robin).begin(device, anyKey) // the device is not busy until tomorrow
		got := p.program(dana).session(id)
		if got.RequestedAt.After(time.Now()) || got.ChangedAt.After(time.Now()) {
			t.Errorf("times in the future: %+v", got)
		}
		if got.State != stateSuperseded {
			t.Errorf("%+v", got)
		}
	})
}

// history writes a journal with sessions of the last 40 days, one a day, and says how it should be read.
func history(t *testing.T, path string) (want map[string]state) {
	t.Helper()
	want = map[string]state{}
	var text []byte
	write := func(entry intune.JournalEntry) {
		line, err := encode(t.Context(), entry)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, line...)
	}
	for day := 40; day > 0; day-- {
		at := time.Now().UTC().Add(-time.Duration(day)*24*time.Hour - time.Minute)
		entry := intune.JournalEntry{Time: at, Device: intune.Device(uuid.NewString()), ClientRequestID: uuid.NewString(), Actor: "dana"}
		asking, asked, ended := entry, entry, entry
		asking.ResumeToken, asking.Waits, asking.Reference = strings.Repeat("x", 500), true, fmt.Sprint("INC", day)
		asked.Outcome, asked.ResumeToken = intune.OutcomeAccepted, strings.Repeat("y", 500)
		ended.Session = intune.SessionReady
		write(asking)
		write(asked)
		write(ended)
		entry.Outcome = noteOpened
		write(entry)
		if day < 30 {
			want[entry.ClientRequestID] = stateOpened
		}
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return want
}

func (f *fileStore) states() map[string]state {
	f.mu.Lock()
	defer f.mu.Unlock()
	states := map[string]state{}
	for id, r := range f.index.byID {
		states[id] = r.now.state
	}
	return states
}

// copyFolder is what a crash leaves of a folder.
func copyFolder(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// A crash at any step of it loses nothing: all that was known before is known after.
func TestJournalIsBegunAnew(t *testing.T) {
	t.Parallel()
	for name, earlier := range map[string]func(path string) error{
		"for the first time":         func(string) error { return nil },
		"again":                      func(path string) error { return os.WriteFile(path+".1", []byte("\n"), 0o600) },
		"after a crash in it":        func(path string) error { return os.WriteFile(path+".new", []byte(`{"time":"20`), 0o600) },
		"after a crash near its end": func(path string) error { return os.Link(path, path+".1") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			path := filepath.Join(folder, "journal.jsonl")
			want := history(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := earlier(path); err != nil {
				t.Fatal(err)
			}
			f, err := openFileStore(t.Context(), path, 0, quiet())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = f.close(t.Context()) }()
			folders := []string{folder}
			r := newRotation(f, path, 1, quiet())
			r.rename = func(from, to string) error {
				folders = append(folders, copyFolder(t, folder)) // a crash before
				err := os.Rename(from, to)
				folders = append(folders, copyFolder(t, folder)) // and one after
				return err
			}
			to, size, err := r.rotate(bytes.NewReader(before))
			if err != nil {
				t.Fatal(err)
			}
			if err := to.Close(); err != nil {
				t.Error(err)
			}
			if size*2 > int64(len(before)) {
				t.Errorf("%d bytes are kept of %d", size, len(before))
			}
			if kept, err := os.ReadFile(path + ".1"); err != nil || !bytes.Equal(kept, before) {
				t.Errorf("the file before is not kept: %d bytes of %d, %v", len(kept), len(before), err)
			}
			for i, folder := range folders {
				if got := read(t, filepath.Join(folder, "journal.jsonl")); !maps.Equal(got, want) {
					t.Errorf("folder %d: %d sessions, want %d", i, len(got), len(want))
				}
			}
		})
	}
}

// read is what a process that starts knows.
func read(t *testing.T, path string) map[string]state {
	t.Helper()
	f, err := openFileStore(t.Context(), path, 0, quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.close(t.Context()) }()
	return f.states()
}

// What is written after the file was begun anew is in the new file, and the tokens of open waits are too.
func TestJournalGoesOnAfterItIsBegunAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "journal.jsonl")
		history(t, path)
		f, err := openFileStore(t.Context(), path, 1<<10, quiet())
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		ctx := withOwner(t.Context(), "dana")
		entry := intune.JournalEntry{Time: time.Now().UTC(), Device: intune.Device(uuid.NewString()), ClientRequestID: uuid.NewString()}
		asking := entry
		asking.ResumeToken = "token"
		if err := f.Asking(ctx, asking); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if f.writer.after == nil {
				t.Fatal("nothing looks at the size")
			}
			if err := f.close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if f, err = openFileStore(t.Context(), path, 1<<10, quiet()); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		s, err := f.get(ctx, entry.ClientRequestID)
		if err != nil {
			t.Fatal(err)
		}
		if s == nil || s.state != stateNoLink || !s.unsure {
			t.Errorf("%+v", s)
		}
		held, token, err := f.take(ctx, entry.ClientRequestID)
		if err != nil || token != "token" {
			t.Errorf("token %q, %v", token, err)
		}
		entry.Session = intune.SessionLeft
		if err := f.Ended(ctx, entry); !errors.Is(err, intune.ErrSuperseded) {
			t.Errorf("the end of a wait of the process before: %v", err)
		}
		if err := f.Ended(held, entry); err != nil {
			t.Errorf("the end of the wait: %v", err)
		}
		if err := f.close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// An entry whose line break a crash has cut off is whole, and another one may follow it.
func TestLastLineOfAJournal(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]struct {
		bytes int
		want  state
	}{
		"whole": {0, stateOpened}, "without its break": {1, stateOpened}, "cut": {2, stateReady}, "cut to its first byte": {150, stateReady},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "journal.jsonl")
			history(t, path)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			last := text[strings.LastIndexByte(strings.TrimSuffix(string(text), "\n"), '\n')+1:]
			text = text[:len(text)-min(cut.bytes, len(last)-1)]
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			var entry intune.JournalEntry
			if err := json.Unmarshal(last, &entry); err != nil {
				t.Fatal(err)
			}
			next := intune.JournalEntry{Time: time.Now().UTC(), Device: intune.Device(uuid.NewString()), ClientRequestID: uuid.NewString()}
			for range 2 { // what is written after the line is read by the next process
				f, err := openFileStore(t.Context(), path, 0, quiet())
				if err != nil {
					t.Fatal(err)
				}
				if got := f.states()[entry.ClientRequestID]; got != cut.want {
					t.Errorf("%q, want %q", got, cut.want)
				}
				if err := f.Asking(t.Context(), next); err != nil && f.states()[next.ClientRequestID] != stateNoLink {
					t.Error(err)
				}
				if err := f.close(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// Only a wait that was left can be taken, by one.
func TestTakeOnlyWhatWasLeft(t *testing.T) {
	t.Parallel()
	f, err := openFileStore(t.Context(), filepath.Join(t.TempDir(), "journal.jsonl"), 0, quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.close(t.Context()) }()
	ctx := withOwner(t.Context(), "dana")
	device := intune.Device(uuid.NewString())
	began := func(device intune.DeviceRef) intune.JournalEntry {
		entry := intune.JournalEntry{Time: time.Now().UTC(), Device: device, ClientRequestID: uuid.NewString(), ResumeToken: "token"}
		asked := entry
		asked.Outcome = intune.OutcomeAccepted
		if err := errors.Join(f.Asking(ctx, entry), f.Asked(ctx, asked)); err != nil {
			t.Fatal(err)
		}
		return entry
	}
	end := func(entry intune.JournalEntry, how intune.SessionOutcome) string {
		entry.Session, entry.ResumeToken = how, ""
		if err := f.Ended(ctx, entry); err != nil {
			t.Fatal(err)
		}
		return entry.ClientRequestID
	}
	superseded := end(began(device), intune.SessionLeft)
	left := end(began(device), intune.SessionLeft)
	ready := end(began(intune.Device(uuid.NewString())), intune.SessionReady)
	failed := end(began(intune.Device(uuid.NewString())), intune.SessionFailed)
	for name, id := range map[string]string{"superseded": superseded, "ready": ready, "failed": failed, "unknown": uuid.NewString()} {
		if _, _, err := f.take(ctx, id); !errors.Is(err, errNothingToWait) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, token, err := f.take(ctx, left); err != nil || token != "token" {
		t.Errorf("left: %q, %v", token, err)
	}
	for name, id := range map[string]string{"taken": left, "superseded": superseded} {
		_, _, err := f.take(ctx, id)
		_, busy := errors.AsType[*intune.DeviceBusyError](err)
		if want := name == "taken"; busy != want {
			t.Errorf("%s: busy is %t: %v", name, busy, err)
		}
	}
}
