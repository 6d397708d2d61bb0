package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/go-intune/intune/intunetest"
)

// TestOneMemory_BulkThenConnect is the first way to ask twice: two commands, one after the other.
func TestOneMemory_BulkThenConnect(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office(never, intunetest.SessionScript{URL: link}))
	p := &place{d}
	p.write("in.csv", "Serial\nS-NEW\nS-PHONE\n")
	p.run("-yes", "--reference", "INC-4711", "in.csv").wants(exitDone, "2 accepted")
	d.run("connect", "S-NEW", "-yes").wants(t, exitRefused, nil, []string{
		"you asked this user just now for INC-4711 (asked, link not awaited)", "--ask-again", "Nobody was asked.",
	})
	d.prompts(annasNew, 1)
	d.run("connect", "S-NEW", "-yes", "-ask-again").wants(t, exitDone, []string{link}, nil)
	d.prompts(annasNew, 2)

	// And the other way round, with another list.
	p.write("other.csv", "Device name\nPHONE-9\n")
	p.run("-yes", "-wait", "other.csv").wants(exitRefused, "1 device was asked outside of this round",
		"PHONE-9: you asked this user just now for INC-4711")
	d.prompts(annasPhone, 1)
	d.run("history", "--local").wants(t, exitDone, []string{"INC-4711"}, nil)
}

// TestOneMemory_ConnectAtOnce is the second way: six at the same time, with nobody to agree with.
func TestOneMemory_ConnectAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office(never))
	var all []*running
	for range 6 {
		all = append(all, d.start("connect", "S-NEW", "-yes", "-wait", "2s"))
	}
	codes := map[int]int{}
	for _, r := range all {
		got := r.wait()
		codes[got.code]++
		if got.code == exitRefused && !strings.Contains(got.stderr, "asking this user") {
			t.Errorf("not told why:\n%s", got.stderr)
		}
	}
	if codes[exitPending] != 1 || codes[exitRefused] != 5 {
		t.Errorf("exit codes %v, want one that waited and five that were refused", codes)
	}
	d.prompts(annasNew, 1)
}

// TestOneMemory_LinkedRecord has a window that names the record through a symbolic link, before there is one.
func TestOneMemory_LinkedRecord(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office(never))
	if err := os.Symlink("real.jsonl", filepath.Join(d.folder, "link.jsonl")); err != nil {
		t.Skip(err)
	}
	first := d.start("connect", "S-NEW", "-yes", "--journal", "link.jsonl")
	comes(t, "the request", d.asked)
	for _, name := range []string{"real.jsonl", "link.jsonl"} {
		d.run("connect", "S-NEW", "-yes", "-ask-again", "-wait", "1s", "--journal", name).
			wants(t, exitRefused, nil, []string{"in another window"})
	}
	first.signal(syscall.SIGINT)
	first.wait().wants(t, 130, nil, nil)
	d.run("connect", "S-NEW", "-yes", "-wait", "200ms", "--journal", "real.jsonl").
		wants(t, exitPending, nil, []string{"Going on with LT-1"})
	d.prompts(annasNew, 1)
}

// TestOneMemory_BulkAtOnce has two rounds with the same devices, and a window that is asking meanwhile.
func TestOneMemory_BulkAtOnce(t *testing.T) {
	t.Parallel()
	const n = 20
	p := newPlace(t, fleetOf(n, nil))
	var all []runningBulk
	for i := range 3 {
		name := fmt.Sprintf("in%d.csv", i)
		p.write(name, list(n))
		all = append(all, p.start("", "-yes", "-per-second", "200", "-give-up", "1", name))
	}
	for _, r := range all {
		if code := r.wait().code; code != exitDone && code != exitRefused {
			t.Errorf("exit code %d", code)
		}
	}
	for i := range n {
		if got := p.tenant.Prompts(deviceOf(i + 1)); got != 1 {
			t.Errorf("%s was asked %d times", nameOf(i+1), got)
		}
	}
}

// TestOneMemory_LinkedList has one list under two names. It is one round, and if it were two, the record would guard them.
func TestOneMemory_LinkedList(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(2, nil))
	p.write("in.csv", list(2))
	if err := os.Symlink("in.csv", p.file("link.csv")); err != nil {
		t.Skip(err)
	}
	p.run("-yes", "link.csv").wants(exitDone, "2 accepted")
	p.run("-yes", "in.csv").wants(exitDone, "from earlier runs: 2 accepted").lacks("outside of this round")
	p.run("-yes", "-round", "link.csv.round", "link.csv").wants(exitRefused, "2 devices were asked outside of this round")
	p.prompts(1, 1)
}

// TestOneMemory_LinkedRound has a run that names the round through a symbolic link, before there is one.
func TestOneMemory_LinkedRound(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(1, nil, never))
	p.write("in.csv", list(1))
	if err := os.Symlink("real.round", p.file("link.round")); err != nil {
		t.Skip(err)
	}
	first := p.start("", "-yes", "-wait", "-round", "link.round", "in.csv")
	comes(t, "the request", p.asked)
	for _, name := range []string{"real.round", "link.round"} {
		p.run("-yes", "-round", name, "in.csv").wants(exitFailure, "another bulk is at work with the round "+name)
	}
	first.signal(syscall.SIGINT)
	first.wait().wants(130)
	p.prompts(1)
}

// TestOneMemory_KilledWindow lets go of the device when its process is gone, whatever ended it, and its wait can go on.
func TestOneMemory_KilledWindow(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office(never))
	r := d.start("connect", "S-NEW", "-yes")
	comes(t, "the request", d.asked)
	comes(t, "a look", d.reads)
	d.run("connect", "S-NEW", "-yes").wants(t, exitRefused, nil, []string{"in another window"})
	r.signal(syscall.SIGKILL)
	r.wait()
	d.run("connect", "S-NEW", "-yes", "-wait", "200ms").wants(t, exitPending, nil, []string{"Going on with LT-1"})
	d.prompts(annasNew, 1)
	d.run("connect", "S-NEW", "-yes", "-ask-again", "-wait", "200ms").wants(t, exitPending, nil, nil)
	d.prompts(annasNew, 2)
	left, err := os.ReadDir(d.folder + "/state/" + folderName + "/journal.jsonl.processes")
	if err != nil || len(left) > 0 {
		t.Errorf("left of ended processes: %v, %v", left, err)
	}
}

// TestOneMemory_KilledBetweenTheRecords has a row in the record that the round knows nothing of: a crash between the two
// writes. It is asked once, and its outcome is that of the record.
func TestOneMemory_KilledBetweenTheRecords(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(2, nil))
	p.write("in.csv", list(2))
	p.run("-yes", "in.csv").wants(exitDone)
	first, _, _ := strings.Cut(p.read("in.csv.round"), "\n")
	p.write("in.csv.round", first+"\n")
	p.run("-yes", "in.csv").wants(exitDone).wantsColumns("outcome run", "accepted earlier", "accepted earlier")
	p.prompts(1, 1)

	// The record was lost, and the round has its copy: nobody is asked again either.
	q := newPlace(t, fleetOf(2, nil))
	q.write("in.csv", list(2))
	q.run("-yes", "in.csv").wants(exitDone)
	if err := os.RemoveAll(q.file("state")); err != nil {
		t.Fatal(err)
	}
	q.run("-yes", "in.csv").wants(exitDone).wantsColumns("outcome run", "accepted earlier", "accepted earlier")
	q.prompts(1, 1)
}

// TestOneMemory_LockIsNotHeld asks for one device while the request for another has no answer yet.
func TestOneMemory_LockIsNotHeld(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	arrived, goOn := make(chan struct{}), make(chan struct{})
	var first atomic.Bool
	d.intercept(func(_ http.ResponseWriter, _ *http.Request, serve func()) {
		if !first.Swap(true) {
			close(arrived)
			<-goOn
		}
		serve()
	})
	release := sync.OnceFunc(func() { close(goOn) })
	t.Cleanup(release)
	r := d.start("connect", "S-NEW", "-yes")
	comes(t, "the request", arrived)
	d.run("connect", "S-PHONE", "-yes").wants(t, exitDone, []string{link}, nil)
	release()
	r.wait().wants(t, exitDone, []string{link}, nil)
}

// TestOneMemory_DamagedRecord asks nobody, since the line may name the user who is to be asked.
func TestOneMemory_DamagedRecord(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	d.run("connect", "S-PHONE", "-yes").wants(t, exitDone, []string{link}, nil)
	d.write("journal.jsonl", "garbage\n"+d.read("journal.jsonl"))
	d.run("connect", "S-NEW", "-yes").wants(t, exitFailure, nil, []string{
		"journal.jsonl is damaged: line 1", "correct it or take it out; or ask all the same with --ask-again", "Nobody was asked.",
	})
	p := &place{d}
	p.write("in.csv", "Serial\nS-NEW\n")
	p.run("-yes", "in.csv").wants(exitFailure, "line 1")
	d.prompts(annasNew, 0)
	d.run("connect", "S-NEW", "-yes", "-ask-again").wants(t, exitDone, []string{link}, nil)
}

func TestReference(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	d.env["HELPDESK_REQUIRE_REFERENCE"] = "1"
	d.run("connect", "S-NEW", "-yes").wants(t, exitUsage, nil, []string{"--reference INC-4711"})
	d.run("config").wants(t, exitDone, []string{"require-reference  1 (from HELPDESK_REQUIRE_REFERENCE)"}, nil)
	delete(d.env, "HELPDESK_REQUIRE_REFERENCE")
	d.run("config", "require-reference", "true").wants(t, exitDone, nil, nil)
	d.run("connect", "S-NEW", "-yes").wants(t, exitUsage, nil, []string{"--reference INC-4711"})
	p := &place{d}
	p.write("in.csv", "Serial\nS-NEW\n")
	p.run("-yes", "in.csv").wants(exitUsage, "--reference INC-4711")
	p.run("-dry-run", "in.csv").wants(exitDone)
	for reference, why := range map[string]string{
		" \t": "--reference is blank", "INC-1\n2": "--reference holds a control character", "\xff": "not UTF-8",
		strings.Repeat("x", maxReference+1): "--reference has 257 bytes; use at most 256",
	} {
		d.run("connect", "S-NEW", "-yes", "-reference", reference).wants(t, exitUsage, nil, []string{"helpdesk: ", why})
		p.run("-yes", "-reference", reference, "in.csv").wants(exitUsage, why)
	}
	d.prompts(annasNew, 0)
	d.run("connect", "S-NEW", "-yes", "-reference", "INC-1").wants(t, exitDone, []string{link}, nil)
	if !strings.Contains(d.read("journal.jsonl"), `"reference":"INC-1"`) {
		t.Errorf("the record has no reference:\n%s", d.read("journal.jsonl"))
	}
}

// TestWords looks for names of Go in what a person reads.
func TestWords(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(4, nil, never))
	p.write("in.csv", list(4))
	p.tenant.Inject(intunetest.Fault{PathSuffix: idOf(2) + action, Drop: intunetest.DropAfter})
	p.tenant.Inject(intunetest.Fault{
		PathSuffix: idOf(3) + action, Status: http.StatusNotFound, Code: "ResourceNotFound", Message: "gone", Times: -1,
	})
	got := p.run("-yes", "-wait", "-max-wait", "300ms", "in.csv").wants(exitUnknown)
	said := []string{got.stdout, got.stderr, p.run("-yes", "in.csv").stdout, p.desk.run("history", "--local", "--csv").stdout}
	for _, who := range []string{"PC-001", "PC-002", "PC-003"} {
		one := p.desk.run("connect", who, "-yes", "-wait", "200ms")
		said = append(said, one.stdout, one.stderr)
	}
	p.write("zeros.csv", "serial\n000\n")
	p.write("in.csv.round", p.read("in.csv.round")+"garbage\n")
	p.desk.write("journal.jsonl", "garbage\n"+p.desk.read("journal.jsonl"))
	for _, one := range []outcome{
		p.run("-yes", "in.csv").wants(exitFailure, "in.csv.round, below its first line, is damaged: line").outcome,
		p.desk.run("history", "--local"), p.desk.run("resume", "{}"),
		p.desk.run("find", "--serial", "000"), p.desk.run("find", "--id", "a/b"), p.desk.run("find", "--user", "a\u200b@b"),
		p.run("-dry-run", "zeros.csv").wants(exitNothing, "the serial number is all zeros").outcome,
	} {
		said = append(said, one.stdout, one.stderr)
	}
	texts := strings.Join(said, "\n")
	for _, word := range []string{
		"invalid argument", "filter.", "resumeToken", "WaitFor", "ResumeToken", "RemoteAssistanceSession", "intune.", "ManagedDevice",
		"FindDevice", "MaxWait",
	} {
		if at := strings.Index(texts, word); at >= 0 {
			t.Errorf("%s: …%s…", word, texts[max(0, at-100):min(len(texts), at+60)])
		}
	}
}

// TestResumeOfBulk finds by its name what bulk asked.
func TestResumeOfBulk(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(3, nil, never))
	p.write("in.csv", list(3))
	p.run("-yes", "-wait", "-max-wait", "200ms", "in.csv").wants(exitPending, "pending: 3")
	come(p.tenant)
	p.desk.run("resume", "pc-002").wants(t, exitDone, []string{link}, []string{"Going on with PC-002"})
	p.desk.run("resume", "pc-002").wants(t, exitNothing, nil, []string{"PC-002: you asked this user just now (the link after "})
	p.run("-yes", "-wait", "in.csv").wants(exitDone, "links: 3")
	p.prompts(1, 1, 1)
}

// TestResumeWithoutAWait names a device that bulk asked without --wait.
func TestResumeWithoutAWait(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(1, nil, never))
	p.write("in.csv", list(1))
	p.run("-yes", "in.csv").wants(exitDone)
	p.desk.run("resume", "pc-001").wants(t, exitNothing, nil, []string{
		"PC-001: you asked this user just now (asked, link not awaited); there is no wait to go on with",
	})
}
