package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// twoOpen leaves two requests open.
func twoOpen(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t, office(never))
	for _, who := range []string{"S-NEW", "S-PHONE"} {
		d.run("connect", who, "-yes", "-wait", "200ms").wants(t, exitPending, nil, nil)
	}
	return d
}

func TestResumeChoosesAmongSeveral(t *testing.T) {
	t.Parallel()
	d := twoOpen(t)
	got := d.run("resume")
	got.wants(t, exitAmbiguous, nil, []string{
		"LT-1", "PHONE-9", "asked just now", "2 requests are open; to choose one of them, pass its device's name or its request id",
	})
	d.run("resume", "LT-9").wants(t, exitNothing, nil, []string{`no open request is for "LT-9"`})
	come(d.tenant)
	d.run("resume", "phone-9").wants(t, exitDone, []string{link}, []string{"Going on with PHONE-9"})
	d.run("resume").wants(t, exitDone, []string{link}, []string{"Going on with LT-1"})
	d.prompts(annasNew, 1)
	d.prompts(annasPhone, 1)
}

func TestResumeByRequestID(t *testing.T) {
	t.Parallel()
	d := twoOpen(t)
	come(d.tenant)
	for _, r := range d.entries() {
		if r.Outcome != "" {
			d.run("resume", strings.ToUpper(r.ClientRequestID)).wants(t, exitDone, []string{link}, nil)
		}
	}
	d.run("resume").wants(t, exitNothing, nil, nil)
}

// entries are those of the journal.
func (d *desk) entries() []intune.JournalEntry {
	d.t.Helper()
	var list []intune.JournalEntry
	for line := range strings.Lines(d.journal()) {
		var entry intune.JournalEntry
		if err := json.Unmarshal([]byte(line), &entry); err == nil && !entry.Device.IsZero() {
			list = append(list, entry)
		}
	}
	return list
}

// TestResumeToken takes a token to another machine.
func TestResumeToken(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office(never))
	d.run("connect", "S-NEW", "-yes", "-wait", "200ms").wants(t, exitPending, nil, nil)
	token := d.entries()[0].ResumeToken
	come(d.tenant)

	other := newDesk(t, d.tenant)
	other.env["HELPDESK_TEST_GRAPH"] = d.env["HELPDESK_TEST_GRAPH"]
	other.startWith(token+"\n", "resume", "-").wait().wants(t, exitDone, []string{link}, nil)
	other.run("resume", token).wants(t, exitDone, []string{link}, nil)
	other.startWith("", "resume", "-").wait().wants(t, exitUsage, nil, []string{"no token on standard input"})
	other.run("resume", " ").wants(t, exitUsage, nil, []string{"TOKEN is blank"})
	const next = "; to see the requests that are open: helpdesk resume\n"
	other.run("resume", token[:len(token)-9]+"}").wants(t, exitUsage, nil, []string{
		"helpdesk: the token is no resume token, or not the whole of one" + next,
	})
	elsewhere := newDesk(t, office())
	elsewhere.run("resume", token).wants(t, exitUsage, nil, []string{"the token is of another cloud; name it with --cloud" + next})
	elsewhere.run("resume", strings.Replace(token, `"version":`, `"version":9`, 1), "--journal", "j k").
		wants(t, exitUsage, nil, []string{"made by another version", `: helpdesk resume --journal "j k"`})
	d.prompts(annasNew, 1)
}

// TestResumeTokenTooOld says how long a wait can go on.
func TestResumeTokenTooOld(t *testing.T) {
	t.Parallel()
	tenant := office(never)
	client := tenant.Client()
	_, err := client.OpenRemoteAssistance(t.Context(), intune.Device(annasNew), &intune.OpenRemoteAssistanceOptions{MaxWait: time.Second})
	pending, ok := errors.AsType[*intune.PendingError](err)
	if !ok {
		t.Fatal(err)
	}
	tenant.Advance(25 * time.Hour)
	var talk strings.Builder
	a := &app{console: &console{out: io.Discard, err: &talk}, journal: filepath.Join(t.TempDir(), "j")}
	record, err := a.openRecord(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer record.close()
	r := &request{JournalRequest: intune.JournalRequest{Asking: intune.JournalEntry{ResumeToken: pending.ResumeToken}}}
	err = a.goOn(t.Context(), client, record, r, time.Minute, &handover{})
	if code := exitCode(t.Context(), err); code != exitUsage {
		t.Errorf("exit code %d", code)
	}
	if text := fmt.Sprint(err); !strings.Contains(text, "and a wait can go on for 24 hours:") || strings.Contains(text, "options.") {
		t.Error(text)
	}
}

// TestResumeDamagedJournal has a line in the journal that nobody wrote.
func TestResumeDamagedJournal(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office(never))
	d.run("connect", "S-NEW", "-yes", "-wait", "200ms").wants(t, exitPending, nil, nil)
	d.write("journal.jsonl", "garbage\n"+d.read("journal.jsonl"))
	d.write("journal.jsonl.notes", "garbage\n"+d.read("journal.jsonl.notes")+`{"half`)
	come(d.tenant)
	got := d.run("resume")
	got.wants(t, exitDone, []string{link}, []string{
		"journal.jsonl is damaged: line 1 is no journal entry", "may name a user who was asked, and then correct it or take it out",
		"Going on with LT-1",
	})
	if n := strings.Count(got.stderr, "line 1"); n != 1 {
		t.Errorf("the line is named %d times:\n%s", n, got.stderr)
	}
	d.prompts(annasNew, 1)
	d.write("journal.jsonl", strings.Replace(d.read("journal.jsonl"), `"session":"ready"`, `"session":"new"`, 1))
	d.run("history", "--local").wants(t, exitDone, []string{"LT-1"}, []string{`the session "new"`, "use the helpdesk that wrote it"})
}

// TestResumeWithoutNotes has lost what is only for convenience.
func TestResumeWithoutNotes(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office(never))
	d.run("connect", "S-NEW", "-yes", "-wait", "200ms").wants(t, exitPending, nil, nil)
	d.write("journal.jsonl.notes", "")
	come(d.tenant)
	d.run("resume").wants(t, exitDone, []string{link}, []string{"Going on with " + annasNew})
}

// TestResumeOlderFiles has a journal without ends of waits, and a note of a session that failed.
func TestResumeOlderFiles(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office(intunetest.SessionScript{ErrorDetails: "The account is not configured."}))
	d.run("connect", "S-NEW", "-yes").wants(t, exitRefused, nil, nil)
	var older strings.Builder
	for line := range strings.Lines(d.read("journal.jsonl")) {
		if !strings.Contains(line, `"session":`) {
			older.WriteString(line)
		}
	}
	d.write("journal.jsonl", older.String())
	d.run("history", "--local").wants(t, exitDone, []string{"still open"}, nil)
	d.write("journal.jsonl.notes", `{"clientRequestId":"`+d.entries()[0].ClientRequestID+`","end":"failed"}`+"\n")
	d.run("history", "--local").wants(t, exitDone, []string{"no session"}, nil)
	d.run("resume").wants(t, exitNothing, nil, []string{"no request"})
}

// TestResumeOld has a request of the day before yesterday: whatever link is there now is another session's.
func TestResumeOld(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office(never))
	d.run("connect", "S-NEW", "-yes", "-wait", "200ms").wants(t, exitPending, nil, nil)
	before := time.Now().Add(-25 * time.Hour).UTC().Format(time.RFC3339)
	d.write("journal.jsonl", regexp.MustCompile(`"time":"[^"]*"`).ReplaceAllString(d.read("journal.jsonl"), `"time":"`+before+`"`))
	come(d.tenant)
	d.run("resume").wants(t, exitNothing, nil, []string{"no request of the last 24 hours is open"})
	d.run("connect", "S-NEW", "-yes", "-wait", "200ms").wants(t, exitPending, nil, nil)
	d.prompts(annasNew, 2)
}

// TestResumeWaitsOn has a link that comes long after a sign of life would be due, had the answer to the request not come. It
// runs in this process, on the tenant's clock.
func TestResumeWaitsOn(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(quick())
	ref := tenant.AddDevice(intune.ManagedDevice{DeviceName: "LT-1"}, intunetest.SessionScript{URL: link, After: 8 * time.Minute})
	var out, talk strings.Builder
	a := &app{console: &console{out: &out, err: &talk, in: strings.NewReader("")}, journal: filepath.Join(t.TempDir(), "j")}
	record, err := a.openRecord(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer record.close()
	options := tenant.ClientOptions()
	options.Journal = record
	client, err := intune.NewClient(tenant.Credential(), options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.OpenRemoteAssistance(t.Context(), ref, &intune.OpenRemoteAssistanceOptions{MaxWait: time.Minute}); err == nil {
		t.Fatal("the link came too early")
	}
	// A wait on the token of another program hides no request of one's own.
	other := intune.JournalEntry{Device: ref, ClientRequestID: "another", Session: intune.SessionReady}
	if err := record.Ended(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	all, err := a.requests()
	if err != nil {
		t.Fatal(err)
	}
	open := openOf(all)
	if len(open) != 1 {
		t.Fatal(open)
	}
	if err := a.goOn(t.Context(), client, record, open[0], 10*time.Minute, &handover{}); err != nil || out.String() != link+"\n" {
		t.Errorf("%v\n%s%s", err, &out, &talk)
	}
}
