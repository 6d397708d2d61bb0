package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// crash goes on with the journal as it is, as if the process had been killed.
func (p *place) crash() {
	p.tb.Helper()
	text, killed := p.readJournal(), p.service
	p.tb.Cleanup(func() { _ = killed.close(context.Background()) })
	p.journal = filepath.Join(p.tb.TempDir(), "journal.jsonl")
	if err := os.WriteFile(p.journal, []byte(text), 0o600); err != nil {
		p.tb.Fatal(err)
	}
	p.open()
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// restarts are the ways in which a process ends and the next one begins.
func restarts() map[string]func(*place) {
	return map[string]func(*place){
		"ended":  func(p *place) { p.close(); p.open() },
		"killed": (*place).crash,
	}
}

func (p *place) readJournal() string {
	p.tb.Helper()
	text, err := os.ReadFile(p.journal)
	if err != nil {
		p.tb.Fatal(err)
	}
	return string(text)
}

func TestSessionsSurviveARestart(t *testing.T) {
	t.Parallel()
	for name, restart := range restarts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				waiting := p.add("LT-1", intunetest.SessionScript{After: 2 * time.Minute})
				ready, opened := p.add("LT-2"), p.add("LT-3")
				c := p.browser(dana)
				w, r, o := c.begin(waiting, "key-000w").ID, c.begin(ready, "key-000r").ID, c.begin(opened, "key-000o").ID
				time.Sleep(time.Minute)
				c.post("/sessions/"+o+"/link", "")
				restart(p)

				c.refused(c.get("/sessions"), kindNotSignedIn) // no token survives
				c = p.browser(dana)
				if got := c.ask(waiting, "key-000w"); got.status != http.StatusOK || !strings.Contains(got.body, w) {
					t.Errorf("the same key: %d %s", got.status, got.body)
				}
				c.get("/sessions") // the technician is back
				robins := p.browser(robin)
				robins.refused(robins.ask(waiting, anyKey), kindDeviceBusy)
				time.Sleep(2 * time.Minute)
				for id, want := range map[string]state{w: stateReady, r: stateReady, o: stateOpened} {
					if got := c.session(id); got.State != want {
						t.Errorf("%+v, want %s", got, want)
					}
				}
				c.refused(c.post("/sessions/"+o+"/link", ""), kindOpened)
				if got := c.post("/sessions/"+r+"/link", ""); got.status != http.StatusOK {
					t.Errorf("link: %d %s", got.status, got.body)
				}
				for _, device := range p.tenant.Devices() {
					if device.Prompts != 1 {
						t.Errorf("%s: %d prompts", device.Device.DeviceName, device.Prompts)
					}
				}
			})
		})
	}
}

// A journal that ends with an entry of asking is what a kill between asking and answer leaves.
func TestKilledBetweenAskingAndAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1")
		c := p.browser(dana)
		p.tenant.Inject(intunetest.Fault{PathSuffix: actionSuffix, Delay: 20 * time.Second, Effect: true})
		go c.ask(device, anyKey)
		time.Sleep(5 * time.Second)
		p.crash()
		c = p.browser(dana)
		got := c.ask(device, anyKey)
		if got.status != http.StatusOK || !strings.Contains(got.body, `"unsure":true`) {
			t.Errorf("%d %s", got.status, got.body)
		}
		c.get("/sessions")
		time.Sleep(time.Minute)
		if got := c.ask(device, anyKey); !strings.Contains(got.body, `"ready"`) || strings.Contains(got.body, "unsure") {
			t.Errorf("%d %s", got.status, got.body)
		}
		if n := p.tenant.Prompts(device); n != 1 {
			t.Errorf("%d prompts", n)
		}
	})
}

func TestLaterRequestTakesTheLinkAfterARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1")
		a, b := p.browser(dana), p.browser(robin)
		first := a.begin(device, anyKey).ID
		time.Sleep(time.Minute)
		second := b.begin(device, anyKey).ID
		time.Sleep(time.Minute)
		p.crash()
		a, b = p.browser(dana), p.browser(robin)
		a.get("/sessions")
		b.get("/sessions")
		time.Sleep(time.Minute)
		if x, y := a.session(first), b.session(second); x.State != stateSuperseded || y.State != stateReady {
			t.Errorf("%s and %s", x.State, y.State)
		}
		a.refused(a.post("/sessions/"+first+"/link", ""), kindNotReady)
	})
}

func TestStopLeavesNothingHalfAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device, late := p.add("LT-1"), p.add("LT-2")
		c := p.browser(dana)
		p.tenant.Inject(intunetest.Fault{PathSuffix: actionSuffix, Delay: 10 * time.Second})
		answer := make(chan reply, 1)
		go func() { answer <- c.ask(device, anyKey) }()
		time.Sleep(time.Second)
		stopped := make(chan error, 1)
		go func() { stopped <- p.service.close(t.Context()) }()
		time.Sleep(time.Second)
		c.refused(c.ask(late, "key-00000002"), kindStopping)
		if got := c.get("/healthz"); got.status != http.StatusServiceUnavailable {
			t.Errorf("health: %d", got.status)
		}
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		if got := <-answer; got.status != http.StatusCreated {
			t.Errorf("the request on its way: %d %s", got.status, got.body)
		}
		journal := p.readJournal()
		if strings.Count(journal, "\n") != 2 || !strings.Contains(journal, `"accepted"`) {
			t.Errorf("want two entries, and that the request was accepted: %s", journal)
		}
		if n, m := p.tenant.Prompts(device), p.tenant.Prompts(late); n != 1 || m != 0 {
			t.Errorf("prompts: %d and %d", n, m)
		}
		p.service = nil
		p.open()
		c = p.browser(dana)
		c.get("/sessions")
		time.Sleep(time.Minute)
		if got := c.ask(device, anyKey); !strings.Contains(got.body, `"ready"`) {
			t.Errorf("after the restart: %d %s", got.status, got.body)
		}
	})
}

func TestDamagedJournalKeepsTheServiceFromStarting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.browser(dana).begin(p.add("LT-1"), anyKey)
		p.close()
		if err := os.WriteFile(p.journal, []byte("not an entry\n"+p.readJournal()), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := openFileStore(t.Context(), p.journal, 0, quiet()); err == nil || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%v", err)
		}
	})
}

func TestJournalIsOneProcesssOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		if _, err := openFileStore(t.Context(), p.journal, 0, quiet()); err == nil || !strings.Contains(err.Error(), "another process") {
			t.Errorf("two processes can use one journal: %v", err)
		}
	})
}

// A device takes everything and keeps nothing: after a restart, the same key would ask the same user again.
func TestJournalThatKeepsNothing(t *testing.T) {
	t.Parallel()
	for _, path := range []string{os.DevNull, t.TempDir()} {
		if f, err := openFileStore(t.Context(), path, 0, quiet()); err == nil {
			_ = f.close(t.Context())
			t.Errorf("%s is taken for a journal", path)
		}
	}
}

// Who deletes a line frees a key, so that somebody is asked twice.
func TestJournalThatEverybodyCanChange(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("files have no mode there")
	}
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	must(t, os.WriteFile(path, nil, 0o600))
	must(t, os.Chmod(path, 0o666)) // whatever the umask is
	if f, err := openFileStore(t.Context(), path, 0, quiet()); err == nil {
		_ = f.close(t.Context())
		t.Error("it is taken for a journal")
	} else if !strings.Contains(err.Error(), "chmod") {
		t.Errorf("no next step: %v", err)
	}
}

// No record, no prompt, and no link that could be handed out twice.
func TestJournalThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		full := newDisk(t)
		p := newPlace(t, full.holds)
		device, other := p.add("LT-1"), p.add("LT-2")
		c := p.browser(dana)
		id := c.begin(device, anyKey).ID
		time.Sleep(time.Minute)
		full.fail(syscall.ENOSPC, 10)
		c.refused(c.post("/sessions/"+id+"/link", ""), kindRecord)
		c.refused(c.ask(other, "key-00000002"), kindRecord)
		if n := p.tenant.Prompts(other); n != 0 {
			t.Errorf("%d prompts", n)
		}
		if got := c.session(id); got.State != stateReady {
			t.Errorf("%+v", got)
		}
		if err := p.service.desk.store.check(t.Context()); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("the store says that %v is wrong", err)
		}
		if log := p.log.String(); !strings.Contains(log, "no space left on device") {
			t.Errorf("the log does not say why: %s", log)
		}
		full.fail(nil, 0)
		time.Sleep(2 * retryEvery)
		if err := p.service.desk.store.check(t.Context()); err != nil {
			t.Errorf("the disk works, and the store says %v", err)
		}
		if got := c.post("/sessions/"+id+"/link", ""); got.status != http.StatusOK {
			t.Errorf("the link, once the disk works: %d %s", got.status, got.body)
		}
		if got := c.ask(other, "key-00000002"); got.status != http.StatusCreated {
			t.Errorf("the request, once the disk works: %d %s", got.status, got.body)
		}
		p.crash() // which reads the journal
		c = p.browser(dana)
		if got := c.session(id); got.State != stateOpened {
			t.Errorf("after a restart: %+v", got)
		}
	})
}

// A link that nobody took is on no disk. After a restart it is read again when it is taken, and only if it is still that of
// this session.
func TestReadyBeforeARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		kept, taken, gone := p.add("LT-1"), p.add("LT-2", intunetest.SessionScript{}, intunetest.SessionScript{AfterReads: 1}), p.add("LT-3")
		a, b := p.program(dana), p.program(robin)
		k, s, g := a.begin(kept, "key-000k").ID, a.begin(taken, "key-000t").ID, a.begin(gone, "key-000g").ID
		time.Sleep(time.Minute)
		p.crash()
		for _, id := range []string{k, s, g} {
			if got := a.session(id); got.State != stateReady {
				t.Errorf("after the restart: %+v", got)
			}
		}
		if got := a.post("/sessions/"+k+"/link", ""); got.status != http.StatusOK || !strings.Contains(got.body, "https://") {
			t.Errorf("link: %d %s", got.status, got.body)
		}
		a.refused(a.post("/sessions/"+k+"/link", ""), kindOpened)

		// A colleague asks for the same device. Intune acts and does not answer yet.
		p.tenant.Inject(intunetest.Fault{PathSuffix: actionSuffix, Effect: true, Delay: 20 * time.Second})
		asked := make(chan reply, 1)
		go func() { asked <- b.ask(taken, anyKey) }()
		time.Sleep(time.Second)
		a.refused(a.post("/sessions/"+s+"/link", ""), kindNotReady)
		if got := <-asked; got.status != http.StatusCreated {
			t.Fatalf("a colleague: %d %s", got.status, got.body)
		}
		if got := a.session(s); got.State != stateSuperseded {
			t.Errorf("after a colleague has asked: %+v", got)
		}

		p.tenant.AddDevice(intune.ManagedDevice{ID: gone.DeviceID()}) // without a session
		a.refused(a.post("/sessions/"+g+"/link", ""), kindNotReady)
		if got := a.session(g); got.State != stateNoLink {
			t.Errorf("without its link: %+v", got)
		}
	})
}

// Older files have no entry of how a wait ended, and an outcome without a token.
func TestOlderJournal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		never := p.add("LT-1", intunetest.SessionScript{Never: true})
		fails := p.add("LT-2", intunetest.SessionScript{ErrorDetails: "No seats failed: left."})
		c := p.program(dana)
		n, f := c.begin(never, "key-000n").ID, c.begin(fails, "key-000f").ID
		time.Sleep(time.Minute)
		p.close()
		var older bytes.Buffer
		for line := range strings.Lines(p.readJournal()) {
			var entry intune.JournalEntry
			if err := json.Unmarshal([]byte(line), &entry); err != nil {
				t.Fatal(err)
			}
			entry.Waits = false
			if entry.Outcome != "" {
				entry.ResumeToken = ""
			}
			if entry.Session != "" {
				continue
			}
			if err := json.NewEncoder(&older).Encode(entry); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(p.journal, older.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		p.open()
		c.session(f) // with whose sign-in its waits go on
		time.Sleep(10 * time.Second)
		if got := c.session(f); got.State != stateFailed || got.Reason != "No seats failed: left." {
			t.Errorf("a session that failed: %+v", got)
		}
		if got := c.session(n); got.State != stateWaiting || got.Unsure {
			t.Errorf("a wait that goes on: %+v", got)
		}
		time.Sleep(11 * time.Minute)
		if got := c.session(n); got.State != stateNoLink || got.Unsure {
			t.Errorf("a wait that ended: %+v", got)
		}
	})
}

// Nobody can tell whose link came up between the look at the device and the request.
func TestSomebodyElsesSessionComesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1", intunetest.SessionScript{AfterReads: 1}, intunetest.SessionScript{})
		looks := 0
		p.tenant.Inject(intunetest.Fault{Method: http.MethodGet, PathSuffix: device.DeviceID(), Match: func(intunetest.RecordedRequest) bool {
			if looks++; looks == 2 {
				if _, err := p.tenant.Client().RequestRemoteAssistance(t.Context(), device, nil); err != nil {
					t.Error(err)
				}
			}
			return false
		}})
		c := p.browser(dana)
		c.refused(c.ask(device, anyKey), kindDeviceBusy)
		got := c.session(sessionID(identityKeyOf(p, dana), anyKey))
		if got.Problem == nil || got.Problem.Type != "/problems/"+kindDeviceBusy.name {
			t.Errorf("the session: %+v", got)
		}
		if got := c.ask(device, anyKey); got.status != http.StatusCreated {
			t.Errorf("once more: %d %s", got.status, got.body)
		}
	})
}

// A service starts at once, however many people's waits it goes on with, on a disk that hangs too.
func TestStartWaitsForNoInterruptedWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := newDisk(t)
		p := newPlace(t, slow.holds, func(o *settings) { o.waitAsApp = true })
		for _, who := range []person{dana, robin} {
			p.program(who).begin(p.add("LT-"+who.name, intunetest.SessionScript{Never: true}), anyKey)
		}
		release := slow.hang()
		begin := time.Now()
		p.crash()
		if took := time.Since(begin); took > 0 {
			t.Errorf("the start took %v", took)
		}
		release()
		time.Sleep(time.Second)
		if n := p.service.desk.waitingNow(); n != 2 {
			t.Errorf("%d waits go on, want 2", n)
		}
	})
}
