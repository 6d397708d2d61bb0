package journalpg_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// ownCluster is a server that a test may kill.
func ownCluster(t *testing.T) *cluster {
	t.Helper()
	if shared.err != nil {
		t.Skip(shared.err)
	}
	c, err := newCluster()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(c.stop)
	return c
}

// What Asking has accepted survives the death of the server at any instant, also where the administrator has set
// synchronous_commit = off; and the journal goes on afterwards.
func TestJournalAsking_SurvivesTheServer(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	f := newFixtureAt(t, c.dsn("postgres"))
	acknowledged := map[string]bool{}
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGQUIT, syscall.SIGINT} {
		j := f.journal()
		var mu sync.Mutex
		var asks sync.WaitGroup
		var stop atomic.Bool
		n := 0
		for range 8 {
			asks.Go(func() {
				for !stop.Load() {
					entry := bare(device())
					if err := j.Asking(t.Context(), entry); err == nil {
						mu.Lock()
						acknowledged[entry.ClientRequestID] = true
						n++
						mu.Unlock()
					}
				}
			})
		}
		eventually(t, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return n > 200
		})
		must(t, c.kill(signal))
		must(t, c.start())
		stop.Store(true)
		asks.Wait()
		must(t, retried(t, func() error { return f.db.PingContext(t.Context()) }))
		for r := range j.Requests(t.Context(), time.Time{}) {
			delete(acknowledged, r.Asking.ClientRequestID)
		}
		if len(acknowledged) > 0 {
			t.Fatalf("after %v, %d of %d requests are lost", signal, len(acknowledged), n)
		}
		must(t, j.Asking(t.Context(), bare(device())))
	}
}

// copies are the processes of a program.
type copies struct {
	t    *testing.T
	text string // of the child

	mu    sync.Mutex
	shown map[string][]string // by device
	said  []string
}

func (c *copies) start() *exec.Cmd {
	c.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+c.text)
	stdout, err := cmd.StdoutPipe()
	must(c.t, err)
	cmd.Stderr = os.Stderr
	must(c.t, cmd.Start())
	go func() {
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			words := strings.Fields(lines.Text())
			c.mu.Lock()
			if len(words) == 3 && words[0] == "shown" {
				c.shown[words[1]] = append(c.shown[words[1]], words[2])
			} else {
				c.said = append(c.said, lines.Text())
			}
			c.mu.Unlock()
		}
		_ = cmd.Wait()
	}()
	return cmd
}

// Three copies of a program, killed, stopped and started at random: each device is asked once, and each link handed out once.
func TestResume_CopiesThatDie(t *testing.T) {
	t.Parallel()
	length, devices := 8*time.Second, 60
	if d, err := time.ParseDuration(os.Getenv("JOURNALPG_SOAK")); err == nil {
		length, devices = d, 200
	}
	f := newFixture(t)
	tenant := intunetest.NewTenant(nil)
	server := httptest.NewUnstartedServer(tenant)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // connections break on purpose
	server.StartTLS()
	t.Cleanup(server.Close)
	of := child{DSN: shared.dsn, Schema: f.schema, URL: server.URL, Root: server.Certificate().Raw, Lease: 700 * time.Millisecond}
	for i := range devices {
		script := intunetest.SessionScript{AfterReads: 2 + rand.IntN(8)}
		of.Devices = append(of.Devices, tenant.AddDevice(intune.ManagedDevice{DeviceName: fmt.Sprintf("PC-%d", i)}, script))
	}
	text, err := json.Marshal(of)
	must(t, err)
	c := &copies{t: t, text: string(text), shown: map[string][]string{}}
	running := make([]*exec.Cmd, 3)
	for i := range running {
		running[i] = c.start()
	}
	defer func() {
		for _, cmd := range running {
			_ = cmd.Process.Kill()
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, line := range c.said {
			t.Error(line)
		}
	}()
	kills, stops := 0, 0
	for end := time.Now().Add(length); time.Now().Before(end); {
		pause(t, time.Duration(50+rand.IntN(350))*time.Millisecond)
		i := rand.IntN(len(running))
		if rand.IntN(4) == 0 {
			stops++
			must(t, running[i].Process.Signal(syscall.SIGSTOP))
			pause(t, time.Second) // longer than its lease
			must(t, running[i].Process.Signal(syscall.SIGCONT))
			continue
		}
		kills++
		must(t, running[i].Process.Kill())
		running[i] = c.start()
	}
	eventually(t, func() bool {
		return f.count(`SELECT count(*) FROM {request} WHERE session IN ('ready', 'failed')
			OR session = 'left' AND outcome IS DISTINCT FROM 'accepted' AND copy IS NULL AND confirm_until < clock_timestamp()`) == devices
	})
	lost, unasked := 0, 0
	byDevice := map[string]intune.JournalRequest{}
	for _, r := range requests(t, f.journal()) {
		byDevice[r.Device().DeviceID()] = r
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range of.Devices {
		r := byDevice[d.DeviceID()]
		prompts, shown := tenant.Prompts(d), len(c.shown[d.DeviceID()])
		switch {
		case prompts > 1:
			t.Errorf("%v was asked %d times", d, prompts)
		case shown > 1:
			t.Errorf("%v: the link was handed out %d times", d, shown)
		case prompts == 0 && r.Outcome() != intune.OutcomeUnknown:
			t.Errorf("%v was not asked, and the record says %s", d, summary(r))
		case prompts == 1 && r.Ended.Session != intune.SessionReady:
			t.Errorf("%v was asked, and the record says %s", d, summary(r))
		case prompts == 0: // its copy was killed between Asking and the request
			unasked++
		case shown == 0: // its copy was killed between Ended and the person
			lost++
		}
	}
	if unasked+lost > kills {
		t.Errorf("%d kills, but %d were not asked, and %d links not shown", kills, unasked, lost)
	}
	t.Logf("%d kills, %d stops; %d devices: %d not asked, %d links not shown", kills, stops, devices, unasked, lost)
}
