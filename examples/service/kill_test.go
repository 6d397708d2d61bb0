package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/journalfile"
)

// killErrand is what becomes of every sixth session.
type killErrand struct {
	script intunetest.SessionScript
	fault  intunetest.Fault
	want   sessionView // without a kill
}

func killErrands() []killErrand {
	soon := intunetest.SessionScript{AfterReads: 1}
	fails := intunetest.SessionScript{AfterReads: 1, ErrorDetails: "No seats left."}
	slow := func(f intunetest.Fault) intunetest.Fault { // so that a kill can come between the request and its answer
		f.Delay, f.Times = 15*time.Millisecond, -1
		return f
	}
	refused := func(status int) intunetest.Fault {
		return slow(intunetest.Fault{Status: status, Code: "No", Header: http.Header{"Retry-After-Ms": {"5"}}})
	}
	return []killErrand{
		{soon, slow(intunetest.Fault{Effect: true}), sessionView{State: stateReady}},
		{fails, slow(intunetest.Fault{Effect: true}), sessionView{State: stateFailed, Reason: "No seats left."}},
		{soon, refused(http.StatusForbidden), sessionView{State: stateRefused}},
		{soon, refused(http.StatusTooManyRequests), sessionView{State: stateRefused}},
		{soon, slow(intunetest.Fault{Drop: intunetest.DropAfter}), sessionView{State: stateReady}},
		{soon, slow(intunetest.Fault{Drop: intunetest.DropBefore}), sessionView{State: stateWaiting, Unsure: true}},
	}
}

// TestKilledAtRandomMoments kills a real process at random moments and starts it again. Nobody is asked twice, and in the
// end everybody is told what they would be told without a kill.
func TestKilledAtRandomMoments(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	const rounds, each = 30, 6
	l := newLoad(t, rounds*each)
	devices := make([]intune.DeviceRef, rounds*each)
	for i := range devices {
		e := killErrands()[i%each]
		devices[i] = l.tenant.AddDevice(intune.ManagedDevice{DeviceName: fmt.Sprint("LT-", i)}, e.script)
		e.fault.PathSuffix = devices[i].DeviceID() + actionSuffix
		l.tenant.Inject(e.fault)
	}
	unsure := map[string]bool{} // devices of which a killed process had not written down the outcome
	var p *program
	ask := func(i int) { l.send(p.at, i/asksPerMinute, http.MethodPost, "/sessions", devices[i].DeviceID()) }
	for round := range rounds {
		p = l.launch()
		kill := time.AfterFunc(time.Duration(5+rand.IntN(80))*time.Millisecond, func() { _ = p.Cancel() })
		var group sync.WaitGroup
		for i := range each * (round + 1) {
			if i >= each*(round-2) { // those of the rounds before may have had no answer
				group.Go(func() { ask(i) })
			}
		}
		group.Wait()
		kill.Stop()
		_ = p.Cancel()
		_ = p.Wait()
		l.withoutOutcome(unsure)
	}
	p = l.launch()
	for i := range devices {
		ask(i)
	}
	lost := 0
	for i, device := range devices {
		e := killErrands()[i%each]
		told := l.told(p.at, i/asksPerMinute, device, e.want.State)
		prompts := l.tenant.Prompts(device)
		isUnsure := told.State == stateWaiting && told.Unsure && prompts == 0 // else a link or an error text has come
		switch {
		case told.State == e.want.State && told.Unsure == e.want.Unsure && told.Reason == e.want.Reason:
		case isUnsure && unsure[device.DeviceID()]:
			lost++
		default:
			t.Errorf("LT-%d is told %+v, want %+v; the outcome was lost: %t", i, told, e.want, unsure[device.DeviceID()])
		}
		if prompts > 1 {
			t.Errorf("LT-%d: %d prompts", i, prompts)
		}
	}
	_ = p.Cancel()
	_ = p.Wait()
	if n := l.tenant.TotalPrompts(); n < len(devices)/4 {
		t.Errorf("%d prompts: the test did not ask enough", n)
	}
	t.Logf("killed %d times; of %d requests the outcome was lost", rounds, lost)
}

// send sends a request as one of the technicians. Its answer has no status if the service was killed.
func (l *load) send(at string, who int, method, path, device string) (got reply) {
	token, err := l.entra.apiToken(l.entra.people[who])
	if err != nil {
		l.tb.Error(err)
		return got
	}
	body := []byte(`{"device":"` + device + `"}`)
	request, err := http.NewRequestWithContext(l.tb.Context(), method, at+path, bytes.NewReader(body))
	if err != nil {
		l.tb.Error(err)
		return got
	}
	request.Header = http.Header{
		"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}, "Idempotency-Key": {device},
	}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return got
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return got
	}
	return reply{response.StatusCode, response.Header, string(text)}
}

// told is what a technician is told of a device: what is wanted, if it comes soon.
func (l *load) told(at string, who int, device intune.DeviceRef, want state) (told sessionView) {
	l.tb.Helper()
	for end := time.Now().Add(lookWithin); ; time.Sleep(lookWithin / 50) {
		got := l.send(at, who, http.MethodGet, "/sessions", "")
		var list struct{ Sessions []sessionView }
		if err := json.Unmarshal([]byte(got.body), &list); err != nil {
			l.tb.Errorf("GET /sessions: %d %s", got.status, got.body)
		}
		for _, v := range list.Sessions {
			if v.Device == device.DeviceID() {
				told = v
			}
		}
		if told.State == want || told.Unsure && l.tenant.Prompts(device) == 0 || time.Now().After(end) {
			return told
		}
	}
}

// lookWithin is when a wait has surely looked at the device.
const lookWithin = 10 * time.Second

// withoutOutcome adds the devices of which the journal of a process that was killed has no outcome.
func (l *load) withoutOutcome(to map[string]bool) {
	l.tb.Helper()
	file, err := os.Open(l.journal)
	if err != nil {
		l.tb.Fatal(err)
	}
	defer file.Close()
	requests, err := intune.JournalRequests(journalfile.Read(file))
	if err != nil {
		l.tb.Fatal(err)
	}
	for _, r := range requests {
		if r.Asked.Outcome == "" {
			to[r.Device().DeviceID()] = true
		}
	}
}
