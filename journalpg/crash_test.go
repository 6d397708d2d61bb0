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
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/pgtest"
	"github.com/go-intune/intune/intunetest"
)

// ownCluster is a server that a test may kill.
func ownCluster(t *testing.T) *pgtest.Cluster {
	t.Helper()
	if shared.err != nil {
		t.Skip(shared.err)
	}
	c, err := pgtest.New()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(c.Stop)
	return c
}

// What Asking has accepted survives the death of the server at any instant, also where the administrator has set
// synchronous_commit = off; and the journal goes on afterwards.
func TestJournalAsking_SurvivesTheServer(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	f := newFixtureAt(t, c.DSN("postgres"))
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
		must(t, c.Kill(signal))
		must(t, c.Start())
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
	file string // of the child

	mu     sync.Mutex
	killed []bool     // by number
	heard  []sentence // in the order of each copy
	said   []string   // what went wrong
}

// sentence is what a copy has said about a request, such as "posts".
type sentence struct {
	copy                        int
	what, clientRequestID, rest string
}

// process is a copy.
type process struct {
	*exec.Cmd

	number int
	done   chan struct{} // closed when all it has said was heard
}

// start starts a copy whose clock is wrong.
func (c *copies) start(ahead time.Duration) process {
	c.t.Helper()
	c.mu.Lock()
	p := process{exec.Command(os.Args[0]), len(c.killed), make(chan struct{})}
	c.killed = append(c.killed, false)
	c.mu.Unlock()
	p.Env = append(os.Environ(), childVariable+"="+c.file, clockVariable+"="+ahead.String())
	stdout, err := p.StdoutPipe()
	must(c.t, err)
	_, err = p.StdinPipe()
	must(c.t, err)
	p.Stderr = os.Stderr
	must(c.t, p.Cmd.Start())
	go func() {
		defer close(p.done)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			words := strings.Fields(lines.Text())
			c.mu.Lock()
			if len(words) < 2 || words[0] == "failed" {
				c.said = append(c.said, lines.Text())
			} else {
				c.heard = append(c.heard, sentence{p.number, words[0], words[1], strings.Join(words[2:], " ")})
			}
			c.mu.Unlock()
		}
		_ = p.Wait()
	}()
	return p
}

func (c *copies) kill(p process) {
	c.mu.Lock()
	c.killed[p.number] = true
	c.mu.Unlock()
	_ = p.Process.Kill()
	<-p.done
}

// about is what the copies have said about a request, by copy.
func (c *copies) about(clientRequestID string) map[int][]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	by := map[int][]string{}
	for _, s := range c.heard {
		if s.clientRequestID == clientRequestID {
			by[s.copy] = append(by[s.copy], strings.TrimSpace(s.what+" "+s.rest))
		}
	}
	return by
}

// whoSaid is the copies that have said something about a request.
func (c *copies) whoSaid(clientRequestID, what string) (list []int) {
	for number, all := range c.about(clientRequestID) {
		if slices.Contains(all, what) {
			list = append(list, number)
		}
	}
	return list
}

func (c *copies) wasKilled(number int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.killed[number]
}

// Three copies of a program, whose clocks are five minutes apart, killed, stopped and started at random, and their server with them:
// each device is asked once, and each link handed out once. What a kill leaves open is exactly two cases: a request that nobody sent,
// whose copy died in Asking or after it, and a link whose copy died after Ended. The program does the rest, as README.md says.
func TestResume_CopiesThatDie(t *testing.T) {
	t.Parallel()
	length, devices := 8*time.Second, 60
	if d, err := time.ParseDuration(os.Getenv("JOURNALPG_SOAK")); err == nil {
		length, devices = d, int(200*d.Minutes())
	}
	postgres := ownCluster(t)
	f := newFixtureAt(t, postgres.DSN("postgres"))
	f.exec(`CREATE TABLE ` + f.schema + `.handed (device text PRIMARY KEY, client_request_id text UNIQUE, link text UNIQUE, how text)`)
	tenant := intunetest.NewTenant(nil)
	server := httptest.NewUnstartedServer(tenant)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // connections break on purpose
	server.StartTLS()
	t.Cleanup(server.Close)
	of := child{
		DSN: postgres.DSN("postgres"), Schema: f.schema, URL: server.URL, Root: server.Certificate().Raw, Lease: 700 * time.Millisecond,
	}
	for i := range devices {
		script := intunetest.SessionScript{AfterReads: 2, After: rand.N(3 * time.Second)}
		of.Devices = append(of.Devices, tenant.AddDevice(intune.ManagedDevice{DeviceName: fmt.Sprintf("PC-%d", i)}, script))
	}
	text, err := json.Marshal(of)
	must(t, err)
	c := &copies{t: t, file: filepath.Join(t.TempDir(), "child.json")}
	must(t, os.WriteFile(c.file, text, 0o600))
	clocks := []time.Duration{0, 5 * time.Minute, -5 * time.Minute}
	running := make([]process, 3)
	for i := range running {
		running[i] = c.start(clocks[i])
	}
	defer func() {
		for _, p := range running {
			c.kill(p)
		}
		for _, line := range c.said {
			t.Error(line)
		}
	}()
	kills, stops, restarts := 0, 0, 0
	begun := time.Now()
	for end := begun.Add(length); time.Now().Before(end); {
		if time.Since(begun) > time.Duration(restarts+1)*min(length/4, 20*time.Second) {
			must(t, postgres.Kill([]syscall.Signal{syscall.SIGKILL, syscall.SIGQUIT, syscall.SIGINT}[restarts%3]))
			must(t, postgres.Start())
			restarts++
		}
		pause(t, time.Duration(100+rand.IntN(400))*time.Millisecond)
		i := rand.IntN(len(running))
		if rand.IntN(6) == 0 { // longer than its lease
			stops++
			stopped := running[i].Process
			must(t, stopped.Signal(syscall.SIGSTOP))
			defer time.AfterFunc(time.Second, func() { _ = stopped.Signal(syscall.SIGCONT) }).Stop()
			continue
		}
		kills++
		c.kill(running[i])
		running[i] = c.start(clocks[rand.IntN(len(clocks))])
	}
	pause(t, time.Second)
	must(t, retried(t, func() error { return f.db.PingContext(t.Context()) }))
	// A copy waits by its own clock. One that is behind that of the copy which asked would wait for minutes too long.
	for i := range running {
		c.kill(running[i])
		running[i] = c.start(5 * time.Minute)
	}
	// All that goes on ends, and what is not asked is given up.
	const over = `outcome IS DISTINCT FROM 'rejected' AND outcome IS DISTINCT FROM 'notSent' AND (session = 'ready'
		OR session = 'left' AND outcome IS NULL AND copy IS NULL AND ended_at >= confirm_until)`
	defer func() {
		if t.Failed() {
			c.tellOpen(f, over)
		}
	}()
	eventuallyIn(t, 2*time.Minute, func() bool { return f.count(`SELECT count(*) FROM {request} WHERE `+over) == devices })
	died := map[string]int{}
	unasked := 0
	for _, r := range requests(t, f.journal()) {
		if r.Outcome() == intune.OutcomeUnknown {
			unasked++
			died[c.diedAsking(r, tenant.Prompts(r.Device()))]++
		}
	}
	f.age(31 * time.Minute) // until Busy has passed; then the program asks those again
	eventuallyIn(t, 2*time.Minute, func() bool { return f.count(`SELECT count(*) FROM `+f.schema+`.handed`) == devices })
	for _, d := range of.Devices {
		if n := tenant.Prompts(d); n != 1 {
			t.Errorf("%v was asked %d times", d, n)
		}
	}
	for _, r := range requests(t, f.journal()) {
		if r.Ended.Session == intune.SessionReady {
			died[c.diedEnding(f, r)]++
		}
	}
	delete(died, "")
	t.Logf("%d kills, %d stops, %d restarts of the server; %d devices; before the program's second look %d were not asked; copies died: %v",
		kills, stops, restarts, devices, unasked, died)
}

// tellOpen logs what is known of the requests that are not over.
func (c *copies) tellOpen(f *fixture, over string) {
	rows, err := f.db.Query(`SELECT client_request_id, concat_ws(' ', 'outcome', outcome, 'session', session, 'copy', copy, lease_until,
		'asked', asking_at, 'open', open, 'waits', waits) FROM ` + f.schema + `.request WHERE (` + over + `) IS NOT TRUE LIMIT 10`)
	if err != nil {
		c.t.Error(err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		var id, says string
		if err := rows.Scan(&id, &says); err != nil {
			c.t.Error(err)
		}
		c.t.Logf("%s: %s; %v", id, says, c.about(id))
	}
	if err := rows.Err(); err != nil {
		c.t.Error(err)
	}
}

// diedAsking says where the copy died that was to ask.
func (c *copies) diedAsking(r intune.JournalRequest, prompts int) string {
	id := r.Asking.ClientRequestID
	posted, asked, unsettled := c.whoSaid(id, "posts"), 0, 0
	for number, said := range c.about(id) {
		switch {
		case !slices.Contains(said, "asks"), slices.Contains(said, "refused") && !c.wasKilled(number):
			continue
		case !c.wasKilled(number):
			c.t.Errorf("nobody knows whether %v was asked, although its copy lives: %v", r.Device(), c.about(id))
		case slices.Contains(said, "refused"):
			unsettled++
		}
		asked++
	}
	if prompts != 0 {
		c.t.Errorf("%v was asked %d times, and nobody saw it: %v", r.Device(), prompts, c.about(id))
	}
	if asked == 0 {
		c.t.Errorf("%v: no copy asked: %v", r.Device(), c.about(id))
	}
	switch {
	case len(posted) > 0:
		return "while they sent the request"
	case unsettled == asked:
		return "before they could settle a lost commit of Asking"
	}
	return "between Asking and the request"
}

// diedEnding says where the copy died that had the link.
func (c *copies) diedEnding(f *fixture, r intune.JournalRequest) string {
	id := r.Asking.ClientRequestID
	if f.count(`SELECT count(*) FROM `+f.schema+`.handed WHERE client_request_id = $1 AND how = 'read again'`, id) == 0 {
		return ""
	}
	for _, number := range c.whoSaid(id, "ends ready") {
		switch said := c.about(id)[number]; {
		case slices.Contains(said, "handed waited"): // somebody else was a little faster
			return ""
		case c.wasKilled(number) && !slices.Contains(said, "superseded"):
			return "between Ended and the person"
		}
	}
	c.t.Errorf("the link of %v had to be read again, although its copy lives: %v", r.Device(), c.about(id))
	return "?"
}
