package main

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// TestKilled kills the program with SIGKILL at random points, starts it again until it comes to its end, and counts how
// often each user was asked. The points are around the requests (before the service sees one, after it acted, after it
// answered) and at random times, which hit what the program does in between. A failure names the seed.
func TestKilled(t *testing.T) {
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
	running *running
}

func (k *killer) set(r *running, at, stage int) {
	k.mu.Lock()
	defer k.mu.Unlock()
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
	serve()
	here(1)
}

func killed(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 12))
	const n = 30
	scripts := []intunetest.SessionScript{{AfterReads: 3}}
	p := newPlace(t, fleetOf(n, nil, scripts...))
	p.write("in.csv", list(n))
	k := &killer{}
	p.intercept(k.around)
	args := []string{"-yes", "-o", "out.csv", "-per-second", "400", "in.csv"}
	if seed%3 == 2 {
		args = append(args, "-wait", "-max-wait", "500ms") // for those that were not asked in fact
	}
	// The service also refuses some, which are asked again.
	p.tenant.Inject(intunetest.Fault{
		Method: "POST", PathSuffix: action, Times: 2,
		Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After-Ms": {"5"}},
	})

	kills := 0
	var last outcome
	for {
		r := p.start("", args...)
		switch {
		case kills == 6: // let it come to its end
			k.set(nil, 0, 0)
		case random.IntN(3) > 0:
			k.set(r, 1+random.IntN(5), random.IntN(2))
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
		last = r.wait()
		if last.code >= 0 { // it ended by itself
			break
		}
		kills++
	}
	if kills == 0 {
		t.Error("it was never killed")
	}

	all := results(t, p.read("out.csv"))
	if len(all) != n {
		t.Fatalf("%d lines of results, want %d", len(all), n)
	}
	unknown, pending := 0, 0
	for i, one := range all {
		prompts := p.tenant.Prompts(intune.Device(idOf(i + 1)))
		if one["device"] != nameOf(i+1) || one["deviceId"] != idOf(i+1) {
			t.Errorf("line %d is of %s, %s", i, one["device"], one["deviceId"])
		}
		if one["session"] == sessionPending {
			pending++
		}
		switch one["outcome"] {
		case "accepted":
			if prompts != 1 {
				t.Errorf("%s is accepted, and was asked %d times", one["device"], prompts)
			}
		case "unknown":
			unknown++
			if prompts > 1 {
				t.Errorf("%s is unknown, and was asked %d times", one["device"], prompts)
			}
		default:
			t.Errorf("%s is %s: %s", one["device"], one["outcome"], one["detail"])
		}
	}
	want := exitDone
	switch {
	case unknown > 0:
		want = exitUnknown
	case pending > 0:
		want = exitPending
	}
	if last.code != want {
		t.Errorf("exit code %d, want %d:\n%s", last.code, want, last.stderr)
	}
	t.Logf("killed %d times; %d unknown", kills, unknown)
}
