package journalfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/journalfile"
)

// line is a line of a journal.
func line(device int, more string) string {
	return fmt.Sprintf(`{"time":"2026-03-04T05:06:07Z","device":"/deviceManagement/managedDevices/%d","clientRequestId":"id"%s}`, device, more)
}

func TestRead_Lines(t *testing.T) {
	t.Parallel()
	const half = `{"time":"2026-03-04T05:06:07Z","device":"/deviceManagement/managedDevices/9","clie`
	for name, c := range map[string]struct {
		text string
		want string // "1" is the device of an entry, "!2" an error about that line
	}{
		"empty":                            {"", ""},
		"whole":                            {line(1, "") + "\n" + line(2, "") + "\n", "1 2"},
		"without the last line break":      {line(1, "") + "\n" + line(2, ""), "1 2"},
		"cut off":                          {line(1, "") + "\n" + half, "1"},
		"nothing but a cut line":           {half, ""},
		"zeros at the end":                 {line(1, "") + "\n" + strings.Repeat("\x00", 100), "1"},
		"half a line in the middle":        {line(1, "") + "\n" + half + "\n" + line(2, "") + "\n", "1 !2 2"},
		"half a line, marked":              {line(1, "") + "\n" + half + "\x18\n" + line(2, "") + "\n", "1 2"},
		"half a line, marked twice":        {half + "\x18\x18\n\x18\n" + line(2, "") + "\n", "2"},
		"a whole line, marked":             {line(1, "") + "\x18\n" + line(2, "") + "\n", "1 2"},
		"half a line with an entry behind": {half + line(2, "") + "\n" + line(3, "") + "\n", "!1 3"},
		"half a line broken at the end":    {half + "\n", "!1"},
		"two entries in a line":            {line(1, "") + line(2, "") + "\n" + line(3, "") + "\n", "!1 3"},
		"two damaged lines":                {"x\n" + line(1, "") + "\ny\n" + line(2, "") + "\n", "!1 1 !3 2"},
		"the mark in the middle":           {line(1, "")[:20] + "\x18" + line(1, "")[20:] + "\n", "!1"},
		"members of a later version":       {line(1, `,"later":{"a":[1]},"outcome":"postponed"`) + "\n", "1"},
		"an end":                           {line(1, `,"session":"left"`) + "\n" + line(2, `,"session":"ready"`), "1 2"},
		"a session of a later version":     {line(1, "") + "\n" + line(2, `,"session":"snoozed"`) + "\n" + line(3, "") + "\n", "1 !2 3"},
		"such a session at the end":        {line(1, "") + "\n" + line(2, `,"session":"snoozed"`), "1 !2"},
		"such a session, marked":           {line(1, `,"session":"snoozed"`) + "\x18\n" + line(2, ""), "!1 2"},
		"no session":                       {line(1, `,"session":""`) + "\n", "1"},
		"line breaks of Windows":           {line(1, "") + "\r\n\r\n" + line(2, "") + "\r\n", "1 2"},
		"an empty line":                    {"\n" + line(1, "") + "\n\n", "1"},
		"a line of spaces":                 {line(1, "") + "\n   \n" + line(2, "") + "\n", "1 !2 2"},
		"no device":                        {`{"clientRequestId":"id"}` + "\n" + line(1, "") + "\n", "!1 1"},
		"a device that could not be asked": {`{"device":"/deviceManagement/managedDevices/.."}` + "\n", "!1"},
		"another kind of log":              {`{"level":"info"}` + "\n", "!1"},
		"a list":                           {"[]\n", "!1"},
		"null":                             {"null\n", "!1"},
		"a member of another type":         {line(1, `,"statusCode":"x"`) + "\n", "!1"},
		"as long as a line may be": {
			line(1, `,"x":"`+strings.Repeat("x", 256<<10-len(line(1, `,"x":""`)))+`"`) + "\r\n" + line(2, "") + "\n", "1 2",
		},
		"longer": {
			line(1, `,"x":"`+strings.Repeat("x", 256<<10-len(line(1, `,"x":""`))+1)+`"`) + "\n" + line(2, "") + "\n", "!1 2",
		},
		"much longer":                       {strings.Repeat("x", 3<<20) + "\n" + line(2, "") + "\n", "!1 2"},
		"much longer, marked":               {strings.Repeat("x", 3<<20) + "\x18\n" + line(2, "") + "\n", "!1 2"},
		"a last line that is too long":      {line(1, "") + "\n" + strings.Repeat("x", 300<<10), "1 !2"},
		"nested deeper than can be decoded": {`{"device":` + strings.Repeat("[", 20_000) + "\n", "!1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for size, reader := range map[string]io.Reader{
				"at once": strings.NewReader(c.text), "in pieces": iotest.HalfReader(strings.NewReader(c.text)),
			} {
				var got []string
				for entry, err := range journalfile.Read(reader) {
					if err == nil {
						got = append(got, entry.Device.DeviceID())
						continue
					}
					if !errors.Is(err, intune.ErrInvalidArgument) || strings.Contains(err.Error(), "managedDevices") {
						t.Errorf("error %v", err)
					}
					if entry != (intune.JournalEntry{}) {
						t.Errorf("an entry with an error: %+v", entry)
					}
					var number int
					_, after, _ := strings.Cut(err.Error(), "line ")
					if _, scanErr := fmt.Sscan(after, &number); scanErr != nil {
						t.Errorf("error %v has no line", err)
					}
					got = append(got, fmt.Sprint("!", number))
				}
				if text := strings.Join(got, " "); text != c.want {
					t.Errorf("%s: got %q, want %q", size, text, c.want)
				}
			}
		})
	}
}

// The error names the session in one line, and nothing else of the entry.
func TestRead_UnknownSession(t *testing.T) {
	t.Parallel()
	for session, want := range map[string]string{
		`snoozed`: `"snoozed"`, `READY`: `"READY"`, `a\nb\u001b[2J`: `"a b[2J"`, ` `: `""`,
		`https://get.teamviewer.com/secret`: `"https://get.teamviewer.com/REDACTED"`,
		strings.Repeat("x", 100):            `"` + strings.Repeat("x", 40) + `…"`,
	} {
		_, errs := entriesOf(strings.NewReader(line(1, "") + "\n" + line(2, `,"session":"`+session+`"`) + "\n"))
		if len(errs) != 1 {
			t.Fatalf("%s: errors %v", session, errs)
		}
		says := "invalid argument: journal has in line 2 the session " + want + ", which this version does not know; " +
			"want ready, failed, left or superseded, or read the file with the version that wrote it"
		if got := errs[0].Error(); got != says {
			t.Errorf("%s: %s, want %s", session, got, says)
		}
	}
}

// withoutEnded is a file of before there was Ended: its entries of Asked have no token, and each has an actor. Its program
// crashed once between two entries and once within one.
const withoutEnded = "testdata/without-ended.jsonl"

// An old file is read and gone on with.
func TestRead_FileWithoutEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		requests, err := intune.JournalRequests(journalfile.Read(strings.NewReader(readText(t, withoutEnded))))
		if err != nil {
			t.Fatal(err)
		}
		tenant := intunetest.NewTenant(nil)
		var got []string
		for _, r := range requests {
			id := r.Device().DeviceID()
			text := fmt.Sprintf("%s %s, status %d", id[len(id)-1:], r.Outcome(), r.Asked.StatusCode)
			if r.Ended != (intune.JournalEntry{}) || r.Asking.Actor != "bert" {
				t.Errorf("%s: ended %+v, actor %q", text, r.Ended, r.Asking.Actor)
			}
			if r.Waiting() {
				link := intune.NewSessionURL("https://get.teamviewer.com/" + id)
				tenant.AddDevice(intune.ManagedDevice{ID: id, UserPrincipalName: "anna@contoso.com", RemoteAssistanceSessionURL: link})
				session, err := tenant.Client().WaitForRemoteAssistance(t.Context(), r.ResumeToken(), nil)
				if err != nil || session.URL != link {
					t.Errorf("%s: %+v, error %v", text, session, err)
				}
				text += ", waits"
			}
			got = append(got, text)
		}
		want := []string{
			"1 accepted, status 204, waits", "2 accepted, status 204, waits", "3 accepted, status 0, waits", "4 rejected, status 403",
			"5 notSent, status 0", "6 unknown, status 0, waits", "8 accepted, status 204", "7 accepted, status 204",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if n := tenant.TotalPrompts(); n != 0 {
			t.Errorf("%d prompts", n)
		}
	})
}

// What is written to an old file stands beside what was there.
func TestRead_FileWithoutEndedThatGoesOn(t *testing.T) {
	t.Parallel()
	before := readText(t, withoutEnded)
	file := &memoryFile{data: []byte(before)}
	had, errs := entriesOf(strings.NewReader(before))
	if len(had) != 16 || len(errs) != 0 {
		t.Fatalf("read %d entries, errors %v", len(had), errs)
	}
	ended := intune.JournalEntry{
		Time: endedEntry.Time, Device: had[0].Device, ClientRequestID: had[0].ClientRequestID, Session: intune.SessionReady,
	}
	if err := journalfile.New(file, nil).Ended(t.Context(), ended); err != nil {
		t.Fatal(err)
	}
	entries, errs := entriesOf(bytes.NewReader(file.data))
	if want := append(had, ended); !slices.Equal(entries, want) || len(errs) != 0 {
		t.Errorf("read %+v, errors %v", entries, errs)
	}
	requests, err := intune.JournalRequests(journalfile.Read(bytes.NewReader(file.data)))
	if err != nil {
		t.Fatal(err)
	}
	if requests[0].Ended != ended || requests[0].Waiting() {
		t.Errorf("the first request is %+v", requests[0])
	}
}

// A file of an earlier version may have GUIDs in upper case. The program that goes on from it finds its devices there, in
// whichever case its list has them.
func TestRead_DeviceInUpperCase(t *testing.T) {
	t.Parallel()
	const lower = "705c034c-034c-705c-4c03-5c704c035caf"
	for name, listed := range map[string]string{"list in lower case": lower, "list in upper case": strings.ToUpper(lower)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tenant := intunetest.NewTenant(nil)
			device := tenant.AddDevice(intune.ManagedDevice{ID: lower}, intunetest.SessionScript{URL: "https://get.teamviewer.com/v15/s1"})
			var file bytes.Buffer
			options := tenant.ClientOptions()
			options.Journal = journalfile.New(&file, nil)
			client, err := intune.NewClient(tenant.Credential(), options)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.BeginRemoteAssistance(t.Context(), device, nil); err != nil {
				t.Fatal(err)
			}
			const member = `"device":"/deviceManagement/managedDevices/`
			old := strings.ReplaceAll(file.String(), member+lower, member+strings.ToUpper(lower))
			if old == file.String() {
				t.Fatalf("no device in %s", old)
			}
			shown := 0
			err = openSessions(t.Context(), client, strings.NewReader(old), []intune.DeviceRef{intune.Device(listed)}, nil,
				func(intune.RemoteAssistanceSession) { shown++ })
			if err != nil || shown != 1 {
				t.Errorf("%d sessions, error %v", shown, err)
			}
			if n := tenant.Prompts(device); n != 1 {
				t.Errorf("%d prompts", n)
			}
		})
	}
}

func TestRead_FromAReaderThatFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	text := line(1, "") + "\n" + line(2, "")
	failed := false
	entries, errs := entriesOf(io.MultiReader(strings.NewReader(text), readerFunc(func(p []byte) (int, error) {
		if failed {
			return copy(p, "\n"+line(3, "")+"\n"), io.EOF
		}
		failed = true
		return 0, broken
	})))
	if len(entries) != 1 || len(errs) != 1 {
		t.Fatalf("entries %+v, errors %v", entries, errs)
	}
	if !errors.Is(errs[0], broken) || !strings.Contains(errs[0].Error(), "line 2") {
		t.Errorf("error %v", errs[0])
	}
	for name, none := range map[string]io.Reader{"nil": nil, "typed nil": (*bytes.Buffer)(nil)} {
		if _, errs := entriesOf(none); len(errs) != 1 || !errors.Is(errs[0], intune.ErrInvalidArgument) {
			t.Errorf("%s: %v", name, errs)
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A file of one endless line is read in bounded memory.
func TestRead_EndlessLine(t *testing.T) { //nolint:paralleltest // it measures
	const size = 64 << 20
	rest := size
	endless := readerFunc(func(p []byte) (int, error) {
		if rest == 0 {
			return 0, io.EOF
		}
		n := min(rest, len(p))
		rest -= n
		for i := range p[:n] {
			p[i] = 'x'
		}
		return n, nil
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if entries, errs := entriesOf(endless); len(entries) != 0 || len(errs) != 1 {
		t.Errorf("entries %+v, errors %v", entries, errs)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > size/8 {
		t.Errorf("%d bytes were allocated", used)
	}
}

// A loop that was left goes on after the last entry.
func TestRead_TakenUpAgain(t *testing.T) {
	t.Parallel()
	entries := journalfile.Read(strings.NewReader(line(1, "") + "\n" + line(2, "") + "\n" + line(3, "") + "\n"))
	var got []string
	for range 5 {
		for entry, err := range entries {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, entry.Device.DeviceID())
			break
		}
	}
	if text := strings.Join(got, " "); text != "1 2 3" {
		t.Errorf("got %q", text)
	}
}

// Whatever stands in a journal, reading ends, and what is written after it is read back, once.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		line(1, "") + "\n" + line(2, `,"outcome":"unknown"`) + "\n", line(1, `,"session":"left"`) + "\n" + line(1, `,"session":"snoozed"`),
		line(1, `,"outcome":"accepted","session":"ready"`) + "\n", line(1, "")[:40], line(1, ""), line(1, "")[:40] + "\x18\n", "\n",
		"null\n", "\x18", `{"device":""}` + "\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before, errs := entriesOf(bytes.NewReader(data))
		for _, err := range errs {
			if !errors.Is(err, intune.ErrInvalidArgument) {
				t.Errorf("error %v", err)
			}
		}
		whole := &bytes.Buffer{}
		j := journalfile.New(whole, nil)
		for _, entry := range before {
			if entry.Time.IsZero() {
				entry.Time = time.Unix(1, 0) // else it would be filled in
			}
			if err := write(t.Context(), j, entry); err != nil && !errors.Is(err, intune.ErrInvalidArgument) {
				t.Errorf("entry %+v: %v", entry, err)
			}
		}
		if again, errs := entriesOf(whole); len(again) > len(before) || len(errs) != 0 {
			t.Errorf("read %+v, then %+v, errors %v", before, again, errs)
		}
		file := &memoryFile{data: slices.Clone(data)}
		if err := journalfile.New(file, nil).Asking(t.Context(), askingEntry); err != nil {
			t.Fatal(err)
		}
		after, moreErrs := entriesOf(bytes.NewReader(file.data))
		if len(after) != len(before)+1 || after[len(before)] != askingEntry {
			t.Errorf("read %+v, then %+v", before, after)
		}
		if len(moreErrs) > len(errs) {
			t.Errorf("errors %v, then %v", errs, moreErrs)
		}
	})
}
