package main

import (
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// TestBulkServiceDown is a service that stops answering in the middle. The program gives up soon, and goes on later.
func TestBulkServiceDown(t *testing.T) {
	t.Parallel()
	for name, extra := range map[string][]string{"ask": nil, "wait": {"-wait", "-max-wait", "2s"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tenant := fleetOf(40, nil)
			p := newPlace(t, tenant)
			var served atomic.Int32
			var down atomic.Bool
			down.Store(true)
			p.intercept(func(w http.ResponseWriter, _ *http.Request, serve func()) {
				if served.Add(1) <= 10 || !down.Load() {
					serve()
					return
				}
				w.WriteHeader(http.StatusInternalServerError) // nobody knows what became of the request
			})
			p.write("in.csv", list(40))
			args := append([]string{"-yes", "-per-second", "500", "-give-up", "5", "in.csv"}, extra...)
			got := p.run(args...)
			got.wants(exitUnknown, "5 requests in a row failed", "--give-up")
			counts := map[string]int{}
			for _, one := range results(t, got.stdout) {
				counts[one["outcome"]]++
			}
			if n := counts["accepted"]; n != 10 {
				t.Errorf("%d accepted, want 10: %v", n, counts)
			}
			if n := counts["unknown"]; n < 5 || n == 30 {
				t.Errorf("%d unknown, want at least 5 of the other 30, and not all: %v", n, counts)
			}
			if counts["notSent"] == 0 {
				t.Errorf("none is notSent: %v", counts)
			}
			down.Store(false)
			got = p.run(args...).wants(exitUnknown)
			for i, one := range results(t, got.stdout) {
				if n := tenant.Prompts(intune.Device(idOf(i + 1))); n > 1 || (one["outcome"] == "accepted") != (n == 1) {
					t.Errorf("%s: %s, asked %d times", one["device"], one["outcome"], n)
				}
			}
		})
	}
}

// TestBulkThrottled is a service that wants it slower. Everybody is asked in the end.
func TestBulkThrottled(t *testing.T) {
	t.Parallel()
	for name, extra := range map[string][]string{"ask": nil, "wait": {"-wait"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tenant := fleetOf(30, nil)
			p := newPlace(t, tenant)
			tenant.Inject(intunetest.Fault{
				Method: http.MethodPost, PathSuffix: action, Times: 25,
				Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After-Ms": {"20"}},
			})
			p.write("in.csv", list(30))
			p.run(append([]string{"-yes", "-per-second", "500", "in.csv"}, extra...)...).wants(exitDone, "30 accepted")
			for i := range 30 {
				if n := tenant.Prompts(intune.Device(idOf(i + 1))); n != 1 {
					t.Errorf("%s was asked %d times", nameOf(i+1), n)
				}
			}
		})
	}
}

// TestBulkRefused is a caller without the right: the program stops, and says why.
func TestBulkRefused(t *testing.T) {
	t.Parallel()
	tenant := fleetOf(30, nil)
	p := newPlace(t, tenant)
	tenant.Inject(intunetest.Fault{Method: http.MethodPost, Status: http.StatusForbidden, Code: "Forbidden", Message: "no right", Times: -1})
	p.write("in.csv", list(30))
	got := p.run("-yes", "-per-second", "500", "in.csv").wants(exitRefused, "10 requests in a row failed", "no right")
	all := results(t, got.stdout)
	if outcomes := [2]string{all[0]["outcome"], all[29]["outcome"]}; outcomes != [2]string{"rejected", "notSent"} {
		t.Errorf("the outcomes of the first and the last are %q", outcomes)
	}
	if detail := all[29]["detail"]; !strings.Contains(detail, "stopped before") {
		t.Errorf("the detail of the last is %q", detail)
	}
	p.prompts()
	tenant.ClearFaults()
	p.run("-yes", "-per-second", "500", "in.csv").wants(exitDone, "30 accepted")
}

// TestBulkDeviceRefused goes on with the others.
func TestBulkDeviceRefused(t *testing.T) {
	t.Parallel()
	tenant := fleetOf(3, nil)
	p := newPlace(t, tenant)
	tenant.Inject(intunetest.Fault{
		Method: http.MethodPost, PathSuffix: idOf(2) + action, Times: 1,
		Status: http.StatusBadRequest, Code: "BadRequest", Message: "not here",
	})
	p.write("in.csv", list(3))
	p.run("-yes", "in.csv", "-give-up", "1").wants(exitRefused, "1 refused", "asks those again").
		wantsColumns("outcome", "accepted", "rejected", "accepted")
	p.run("-yes", "in.csv").wants(exitDone).wantsColumns("outcome run", "accepted earlier", "accepted this", "accepted earlier")
	p.prompts(1, 1, 1)
}

// TestBulkFullDisk loses the results, and nothing else.
func TestBulkFullDisk(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(2, nil))
	p.write("in.csv", list(2))
	p.startInto(full(t), "", "-yes", "in.csv").wait().wants(exitFailure, "the results could not be written", "asks nobody again")
	p.run("-yes", "in.csv", "-o", "/dev/full").wants(exitFailure, "the results could not be written")
	p.prompts(1, 1)
	p.run("-yes", "in.csv", "-o", "out.csv").wants(exitDone)
	if all := results(t, p.read("out.csv")); all[1]["outcome"] != "accepted" || all[1]["run"] != "earlier" {
		t.Errorf("results: %v", all)
	}
	p.prompts(1, 1)
	p.startInto(full(t), "", "-h").wait().wants(exitFailure, "no space left")
}

// TestBulkResultsNotWritable is found out before anybody is asked.
func TestBulkResultsNotWritable(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(1, nil))
	p.write("in.csv", list(1))
	if err := os.Symlink(p.folder, p.file("here")); err != nil {
		t.Fatal(err)
	}
	p.run("-yes", "in.csv", "-o", "nowhere/out.csv").wants(exitFailure, "the results cannot be written, so nobody was asked")
	p.run("-yes", "in.csv", "-o", ".").wants(exitFailure, "is a folder")
	p.run("-yes", "in.csv", "-o", "in.csv").wants(exitUsage, "--output is the same file as the input")
	p.run("-yes", "in.csv", "-o", "in.csv.round").wants(exitUsage, "--output is the same file as the round")
	p.run("-yes", "in.csv", "-o", p.file("in.csv.round")).wants(exitUsage, "--output is the same file as the round")
	p.run("-yes", "in.csv", "-o", "here/in.csv.round").wants(exitUsage, "--output is the same file as the round")
	p.run("-yes", "in.csv", "-o", "./in.csv.round.lock").wants(exitUsage, "--output is the same file as the lock of the round")
	p.prompts(0)
	if got := p.read("in.csv"); got != list(1) {
		t.Errorf("the input is now %q", got)
	}
}

// TestBulkJournalNotWritable asks nobody.
func TestBulkJournalNotWritable(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(1, nil))
	p.write("in.csv", list(1))
	if err := os.Mkdir(p.file("folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"nowhere/j", "folder", "/dev/full", "/dev/null"} {
		p.run("-yes", "in.csv", "-round", name).wants(exitFailure, "nobody was asked", "-round")
	}
	p.write("j", "this is no journal\n{}\n")
	p.run("-yes", "in.csv", "-round", "j").wants(exitFailure, "is no round")
	p.write("j", `{"round":"11111111-2222-4333-8444-555555555555"}`+"\n{}\n{}\n")
	p.run("-yes", "in.csv", "-round", "j").wants(exitFailure, "damaged")
	p.run("-yes", "in.csv", "-round", "in.csv").wants(exitUsage, "--round is the same file as the input")
	p.prompts(0)
	if n := p.tenant.RequestCount(); n > 0 {
		t.Errorf("%d requests", n)
	}
}

// TestBulkJournalFull is a disk that fills up while devices are asked: what cannot be recorded is not sent.
func TestBulkJournalFull(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(30, nil))
	p.write("in.csv", list(30))
	cmd := p.start("", "-yes", "in.csv", "-per-second", "500")
	cmd.wait().wants(exitDone)
	whole := len(p.read("in.csv.round"))

	p = newPlace(t, fleetOf(30, nil))
	p.write("in.csv", list(30))
	limited := p.command("-yes", "in.csv", "-per-second", "500", "-o", "out.csv")
	// The limit is in blocks of 512 or 1024 bytes, as the shell has it.
	limited.Path, limited.Args = "/bin/sh", append([]string{
		"sh", "-c", `trap '' XFSZ; ulimit -f "$1"; shift; exec "$@"`, "sh", "8",
	}, limited.Args...)
	if whole < 9*1024 {
		t.Fatalf("the journal has only %d bytes", whole)
	}
	output, err := limited.CombinedOutput()
	if code := limited.ProcessState.ExitCode(); code != exitFailure || !strings.Contains(string(output), "so nobody more is asked") {
		t.Errorf("exit code %d, %v\n%s", code, err, output)
	}
	first := p.tenant.TotalPrompts()
	if first == 0 || first == 30 {
		t.Errorf("%d were asked", first)
	}
	got := p.run("-yes", "in.csv", "-per-second", "500")
	for i, one := range results(t, got.stdout) {
		n := p.tenant.Prompts(intune.Device(idOf(i + 1)))
		if n > 1 {
			t.Errorf("%s was asked %d times", one["device"], n)
		}
		if n == 0 && one["outcome"] != "unknown" {
			t.Errorf("%s was not asked, and is %s", one["device"], one["outcome"])
		}
	}
}

// TestBulkTwoAtOnce with one journal would ask users twice.
func TestBulkTwoAtOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(2, nil))
	p.write("in.csv", list(2))
	arrived, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	p.intercept(func(_ http.ResponseWriter, _ *http.Request, serve func()) {
		once.Do(func() { close(arrived) })
		<-goOn
		serve()
	})
	first := p.start("", "-yes", "in.csv")
	<-arrived
	p.run("-yes", "in.csv").wants(exitFailure, "another bulk is at work")
	p.run("-dry-run", "in.csv").wants(exitDone) // only reads
	close(goOn)
	first.wait().wants(exitDone)
	p.prompts(1, 1)
}

// TestBulkStopped ends what is under way before it ends itself, so that nobody is left of whom it is not known whether they
// were asked.
func TestBulkStopped(t *testing.T) {
	t.Parallel()
	for name, extra := range map[string][]string{"ask": nil, "wait": {"-wait", "-max-wait", "1m"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, fleetOf(40, nil, intunetest.SessionScript{After: 1000 * time.Hour}))
			p.write("in.csv", list(40))
			fifth := make(chan struct{})
			var seen atomic.Int32
			held := make(chan struct{})
			p.intercept(func(_ http.ResponseWriter, _ *http.Request, serve func()) {
				if seen.Add(1) == 5 {
					close(fifth)
					<-held
				}
				serve()
			})
			args := append([]string{"-yes", "in.csv", "-per-second", "50"}, extra...)
			r := p.start("", args...)
			<-fifth
			r.signal(syscall.SIGINT)
			close(held)
			got := r.wait().wants(exitSignal+int(syscall.SIGINT), "stopped by signal: interrupt", "the same command goes on")
			counts := map[string]int{}
			for _, one := range results(t, got.stdout) {
				counts[one["outcome"]]++
			}
			if n := counts["unknown"]; n > 0 {
				t.Errorf("%d unknown: %v", n, counts)
			}
			if n := counts["accepted"]; n < 5 || n != p.tenant.TotalPrompts() {
				t.Errorf("%d accepted, want at least 5 and all %d that were asked", n, p.tenant.TotalPrompts())
			}
			if counts["notSent"] == 0 {
				t.Errorf("none is notSent: %v", counts)
			}
			p.tenant.Advance(1001 * time.Hour)
			p.run("-yes", "in.csv", "-per-second", "500").wants(exitDone, "from earlier runs")
			if n := p.tenant.TotalPrompts(); n != 40 {
				t.Errorf("%d were asked", n)
			}
		})
	}
}
