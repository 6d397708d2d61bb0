package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune/intunetest"
)

// loseLines is a crash after which the journal lacks its last lines.
func (p *place) loseLines(n int) {
	p.tb.Helper()
	text := p.readJournal()
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	p.crash()
	p.close()
	p.journal = filepath.Join(p.tb.TempDir(), "journal.jsonl")
	if err := os.WriteFile(p.journal, []byte(strings.Join(lines[:len(lines)-n], "")), 0o600); err != nil {
		p.tb.Fatal(err)
	}
	p.open()
}

// Without the hash of the link that came, the service takes no link from before the request for it. A click that finds no other
// one, because a server lags behind or Intune fails, does not lose the link.
func TestCrashBeforeTheHashOfALink(t *testing.T) {
	t.Parallel()
	const old = `{"id":"ID","remoteAssistanceSessionUrl":"OLD","remoteAssistanceSessionErrorDetails":null}`
	const text = `{"id":"ID","remoteAssistanceSessionUrl":null,"remoteAssistanceSessionErrorDetails":"No seats left."}`
	for name, c := range map[string]struct {
		fault intunetest.Fault
		want  kind
	}{
		"a server that lags behind":        {intunetest.Fault{Status: http.StatusOK, Body: old, Times: -1}, kindNotReady},
		"a server that lags for two reads": {intunetest.Fault{Status: http.StatusOK, Body: old, Times: linkReads - 1}, kind{}},
		"an error text":                    {intunetest.Fault{Status: http.StatusOK, Body: text, Times: -1}, kindNotReady},
		"Intune fails":                     {intunetest.Fault{Status: http.StatusServiceUnavailable, Times: -1}, kindUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clickAfterCrash(t, c.fault, c.want)
		})
	}
}

// clickAfterCrash clicks while Intune gives an answer, in which ID and OLD stand for the device and its link from before. If that is
// refused, it clicks again later.
func clickAfterCrash(t *testing.T, fault intunetest.Fault, want kind) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		const old = "https://get.teamviewer.com/old"
		device := p.add("LT-1", intunetest.SessionScript{URL: old}, intunetest.SessionScript{})
		if _, err := p.tenant.Client().OpenRemoteAssistance(t.Context(), device, nil); err != nil {
			t.Fatal(err)
		}
		c := p.program(dana)
		id := c.begin(device, anyKey).ID
		time.Sleep(time.Minute)
		p.loseLines(1)
		time.Sleep(20 * time.Minute) // by when waits read less often
		fault.Method, fault.PathSuffix = http.MethodGet, device.DeviceID()
		fault.Body = strings.NewReplacer("ID", device.DeviceID(), "OLD", old).Replace(fault.Body)
		p.tenant.Inject(fault)
		got := c.post("/sessions/"+id+"/link", "")
		if want != (kind{}) {
			c.refused(got, want)
			p.tenant.ClearFaults()
			time.Sleep(time.Minute)
			got = c.post("/sessions/"+id+"/link", "")
		}
		if got.status != http.StatusOK {
			t.Errorf("the link: %d %s", got.status, got.body)
		} else if strings.Contains(got.body, old) {
			t.Errorf("a link from before the request: %s", got.body)
		}
		if n := p.tenant.Prompts(device); n != 2 {
			t.Errorf("%d prompts, want that of before and that of the session", n)
		}
	})
}

// A click and a colleague's request meet on a disk that hangs. Neither is recorded in time, and so nothing has changed.
func TestClickAndAskOnASlowDisk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := newDisk(t)
		p := newPlace(t, slow.holds)
		device := p.add("LT-1")
		a, b := p.program(dana), p.program(robin)
		id := a.begin(device, anyKey).ID
		time.Sleep(time.Minute)
		release := slow.hang()
		var group sync.WaitGroup
		group.Go(func() { a.refused(a.post("/sessions/"+id+"/link", ""), kindRecord) })
		time.Sleep(time.Second)
		group.Go(func() { b.refused(b.ask(device, anyKey), kindRecord) })
		group.Wait()
		release()
		time.Sleep(2 * retryEvery)
		for _, again := range []func(){func() {}, p.crash} {
			again()
			if got := a.session(id); got.State != stateReady {
				t.Errorf("%+v", got)
			}
		}
		if got := a.post("/sessions/"+id+"/link", ""); got.status != http.StatusOK {
			t.Errorf("the link: %d %s", got.status, got.body)
		}
		if n := p.tenant.Prompts(device); n != 1 {
			t.Errorf("%d prompts", n)
		}
	})
}

// What a process told last may be lost with it. A program that has heard it hears what is true instead.
func TestEventsAfterLostLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		c := p.program(dana)
		id := c.begin(p.add("LT-1"), anyKey).ID
		time.Sleep(time.Minute)
		if got := c.post("/sessions/"+id+"/link", ""); got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
		last := c.session(id).Number
		time.Sleep(time.Minute)
		p.loseLines(1)
		if got := seen(c.watchAll(t, strconv.FormatInt(last, 10)))[id]; len(got) != 1 || got[0] != stateReady {
			t.Errorf("after the restart: %v", got)
		}
	})
}
