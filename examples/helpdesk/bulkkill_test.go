package main

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/journalfile"
)

// TestBulkKilled kills the program with SIGKILL at random points, starts it again until it comes to its end, counts how often
// each user was asked, and compares the results with those of a run without a kill. The points are around the requests
// (before the service sees one, after it acted, after it answered) and at random times, which hit what the program does in
// between. A failure names the seed.
func TestBulkKilled(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			killed(t, seed)
		})
	}
}

// killer kills the program around a request.
type killer struct {
	mu      sync.Mutex
	at      int // the number of the request
	stage   int // where
	seen    int
	running *runningBulk
}

// set is for who has locked the killer.
func (k *killer) set(r *runningBulk, at, stage int) {
	k.running, k.at, k.stage, k.seen = r, at, stage, 0
}

// around is the way of a request through the tenant.
func (k *killer) around(_ http.ResponseWriter, _ *http.Request, serve func()) {
	k.mu.Lock()
	defer k.mu.Unlock() // one at a time, so that the number of the request says which
	k.seen++
	here := func(stage int) {
		if k.running != nil && k.seen == k.at && k.stage == stage {
			k.running.signal(syscall.SIGKILL)
		}
	}
	here(0)
	defer here(1) // also of an answer that is dropped, for which serve panics
	serve()
}

func killed(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 12))
	const n = 30
	waits := seed%3 == 2
	p := newPlace(t, fleetOf(n, nil))
	for i := range n {
		killErrands()[i%len(killErrands())].prepare(p.tenant, i+1)
	}
	p.write("in.csv", list(n))
	k := &killer{}
	p.intercept(k.around)
	args := []string{"-yes", "-o", "out.csv", "-per-second", "400", "in.csv"}
	if waits {
		args = append(args, "-wait", "-max-wait", "3s") // for those that get no link
	}
	// The service also refuses some, which are asked again.
	p.tenant.Inject(intunetest.Fault{
		Method: "POST", PathSuffix: action, Times: 2,
		Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After-Ms": {"5"}},
	})

	kills := 0
	var last bulkOutcome
	for {
		k.mu.Lock() // no request gets ahead of the killer
		r := p.start("", args...)
		switch {
		case kills == 6: // let it come to its end
			k.set(nil, 0, 0)
		case random.IntN(3) > 0:
			k.set(&r, 1+random.IntN(5), random.IntN(2))
		default:
			k.set(nil, 0, 0)
			go func(after time.Duration) {
				timer := time.NewTimer(after)
				defer timer.Stop()
				select {
				case <-timer.C:
					r.signal(syscall.SIGKILL)
				case <-t.Context().Done():
				}
			}(time.Duration(random.IntN(120)) * time.Millisecond)
		}
		k.mu.Unlock()
		last = r.wait()
		if last.code >= 0 { // it ended by itself
			break
		}
		kills++
	}
	if kills == 0 {
		t.Errorf("it was never killed, and ended with %d:\n%s", last.code, last.stderr)
	}

	all := results(t, p.read("out.csv"))
	if len(all) != n {
		t.Fatalf("%d lines of results, want %d", len(all), n)
	}
	requests, err := intune.JournalRequests(journalfile.Read(strings.NewReader(p.desk.read("journal.jsonl"))))
	if err != nil {
		t.Fatal(err)
	}
	lost := map[string]bool{} // devices whose outcome was not on disk when a run was killed
	for _, r := range requests {
		lost[r.Device().DeviceID()] = lost[r.Device().DeviceID()] || r.Asked.Outcome == ""
	}
	codes := map[int]bool{}
	for i, one := range all {
		prompts := p.tenant.Prompts(intune.Device(idOf(i + 1)))
		if one["device"] != nameOf(i+1) || one["deviceId"] != idOf(i+1) {
			t.Errorf("line %d is of %s, %s", i, one["device"], one["deviceId"])
		}
		if prompts > 1 {
			t.Errorf("%s was asked %d times", one["device"], prompts)
		}
		want := killErrands()[i%len(killErrands())].told(waits)
		told := strings.TrimSpace(one["outcome"] + " " + one["session"])
		sign := one["session"] == sessionLink || one["session"] == sessionFailed
		switch {
		case told == want:
		case !lost[idOf(i+1)]:
			t.Errorf("%s is %s, want %s, and the outcome was on disk: %s", one["device"], told, want, one["detail"])
		case one["outcome"] != "unknown" && !sign:
			t.Errorf("%s is %s, and nobody can know that: %s", one["device"], told, one["detail"])
		}
		if (one["outcome"] == "accepted") != (prompts == 1) && one["outcome"] != "unknown" {
			t.Errorf("%s is %s, and was asked %d times", one["device"], told, prompts)
		}
		if one["outcome"] == "accepted" && strings.Contains(one["detail"], "outcome unknown") {
			t.Errorf("%s is accepted, and told as perhaps asked: %s", one["device"], one["detail"])
		}
		switch {
		case one["outcome"] == "unknown":
			codes[exitUnknown] = true
		case one["session"] == sessionPending:
			codes[exitPending] = true
		case one["outcome"] == "rejected", one["session"] == sessionFailed:
			codes[exitRefused] = true
		}
	}
	if want := slices.Max(append(slices.Collect(maps.Keys(codes)), exitDone)); last.code != want {
		t.Errorf("exit code %d, want %d:\n%s", last.code, want, last.stderr)
	}
	t.Logf("killed %d times; of %d requests the outcome was lost", kills, len(slices.DeleteFunc(requests, func(r intune.JournalRequest) bool {
		return r.Asked.Outcome != ""
	})))
}

// killErrand is what becomes of every sixth device.
type killErrand struct {
	script intunetest.SessionScript
	fault  intunetest.Fault

	outcome          intune.Outcome
	session          string         // with -wait
	waitedForOutcome intune.Outcome // the outcome with -wait, if it is another one
}

func killErrands() []killErrand {
	comes := intunetest.SessionScript{AfterReads: 1}
	drop := func(mode intunetest.DropMode) intunetest.Fault { return intunetest.Fault{Drop: mode} }
	return []killErrand{
		{script: comes, outcome: "accepted", session: sessionLink},
		{script: intunetest.SessionScript{AfterReads: 1, ErrorDetails: "No seats left."}, outcome: "accepted", session: sessionFailed},
		{script: intunetest.SessionScript{Never: true}, outcome: "accepted", session: sessionPending},
		{
			fault:   intunetest.Fault{Status: http.StatusBadRequest, Code: "BadRequest", Message: "not here"},
			outcome: "rejected",
		},
		{script: comes, fault: drop(intunetest.DropAfter), outcome: "unknown", session: sessionLink, waitedForOutcome: "accepted"},
		{fault: drop(intunetest.DropBefore), outcome: "unknown", session: sessionPending},
	}
}

// prepare makes the device anew.
func (e killErrand) prepare(tenant *intunetest.Tenant, i int) {
	tenant.AddDevice(intune.ManagedDevice{ID: idOf(i), DeviceName: nameOf(i), SerialNumber: fmt.Sprintf("S-%03d", i)}, e.script)
	if e.fault.Status != 0 || e.fault.Drop != intunetest.DropNone {
		e.fault.Method, e.fault.PathSuffix, e.fault.Times = http.MethodPost, idOf(i)+action, -1
		tenant.Inject(e.fault)
	}
}

// told is the outcome in the results, and the session with -wait.
func (e killErrand) told(waits bool) string {
	if !waits {
		return string(e.outcome)
	}
	return strings.TrimSpace(string(cmp.Or(e.waitedForOutcome, e.outcome)) + " " + e.session)
}
