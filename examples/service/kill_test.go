package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// A process that is killed at any moment, and started again, asks nobody twice.
func TestKilledAtRandomMoments(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	const sessions, rounds = 40, 4
	l := newLoad(t, sessions)
	l.tenant.Inject(intunetest.Fault{PathSuffix: actionSuffix, Delay: 15 * time.Millisecond, Effect: true, Times: -1})
	devices := make([]intune.DeviceRef, sessions)
	for i := range devices {
		devices[i] = l.tenant.AddDevice(intune.ManagedDevice{DeviceName: fmt.Sprint("LT-", i)})
	}
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	ask := func(at string, i int) int {
		token, err := l.entra.apiToken(l.entra.people[i/asksPerMinute])
		if err != nil {
			t.Error(err)
			return 0
		}
		body := []byte(`{"device":"` + devices[i].DeviceID() + `"}`)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at+"/sessions", bytes.NewReader(body))
		if err != nil {
			t.Error(err)
			return 0
		}
		request.Header = http.Header{
			"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}, "Idempotency-Key": {devices[i].DeviceID()},
		}
		response, err := client.Do(request)
		if err != nil {
			return 0 // killed
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		return response.StatusCode
	}
	done := make([]int, sessions)
	all := func(at string) {
		var group sync.WaitGroup
		queue := make(chan int)
		for range 8 {
			group.Go(func() {
				for i := range queue {
					done[i] = ask(at, i)
				}
			})
		}
		for i := range sessions {
			queue <- i
		}
		close(queue)
		group.Wait()
	}
	for range rounds {
		p := l.launch()
		kill := time.AfterFunc(time.Duration(20+rand.IntN(300))*time.Millisecond, func() { _ = p.Cancel() })
		all(p.at)
		kill.Stop()
		_ = p.Cancel()
		_ = p.Wait()
	}
	p := l.launch()
	all(p.at)
	_ = p.Cancel()
	_ = p.Wait()
	total := 0
	for i, d := range l.tenant.Devices() {
		if d.Prompts > 1 {
			t.Errorf("%s: %d prompts", d.Device.DeviceName, d.Prompts)
		}
		total += d.Prompts
		if done[i] != http.StatusOK && done[i] != http.StatusCreated {
			t.Errorf("%s: status %d in the end", d.Device.DeviceName, done[i])
		}
	}
	if total < sessions/2 {
		t.Errorf("%d prompts: the test did not ask enough", total)
	}
	t.Logf("%d prompts for %d sessions", total, sessions)
}
