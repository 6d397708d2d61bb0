package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// TestLoad holds many waits in one instance, each with its event stream, and measures what one takes. SERVICE_LOAD=1000
// says how many; the default only shows that it works.
func TestLoad(t *testing.T) {
	waits, hold := 60, time.Second
	if given, err := strconv.Atoi(os.Getenv("SERVICE_LOAD")); err == nil {
		waits, hold = min(given, 5000), 60*time.Second
	} else if testing.Short() {
		t.Skip("starts a process")
	}
	t.Parallel()
	l := newLoad(t, waits)
	tenant, entra, people := l.tenant, l.entra, l.entra.people
	p := l.launch()
	defer func() { _ = p.Cancel(); _ = p.Wait() }()
	before := residentKiB(t, p.Process.Pid)

	devices := make([]intune.DeviceRef, waits)
	for i := range devices {
		devices[i] = tenant.AddDevice(intune.ManagedDevice{DeviceName: fmt.Sprint("LT-", i)}, intunetest.SessionScript{Never: true})
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	begin := time.Now()
	var asked, ended atomic.Int64
	var group sync.WaitGroup
	queue := make(chan int)
	for range 16 {
		group.Go(func() {
			for i := range queue {
				token, err := entra.apiToken(people[i/asksPerMinute])
				if err != nil {
					t.Error(err)
					continue
				}
				if id := loadAsk(t, client, p.at, token, devices[i].DeviceID()); id != "" {
					asked.Add(1)
					loadWatch(t, client, p.at, token, id, &ended)
				}
			}
		})
	}
	for i := range devices {
		queue <- i
	}
	close(queue)
	group.Wait()
	asking := time.Since(begin)
	time.Sleep(hold) // the reads settle at their pace
	from, at := l.reads.Load(), time.Now()
	time.Sleep(hold)
	rate := float64(l.reads.Load()-from) / time.Since(at).Seconds()
	after := residentKiB(t, p.Process.Pid)
	t.Logf("%d waits with their event streams, begun in %v (%.0f a second); "+
		"%d MiB before, %d MiB with them, %.0f KiB for each; %.1f reads a second",
		asked.Load(), asking.Round(time.Millisecond), float64(waits)/asking.Seconds(),
		before>>10, after>>10, float64(after-before)/float64(waits), rate)
	if n := ended.Load(); n != 0 {
		t.Errorf("%d streams have ended", n)
	}
	if asked.Load() != int64(waits) {
		t.Errorf("%d of %d were asked", asked.Load(), waits)
	}
	for _, d := range tenant.Devices() {
		if d.Prompts != 1 {
			t.Errorf("%s: %d prompts", d.Device.DeviceName, d.Prompts)
		}
	}
	if perWait := (after - before) / int64(waits); waits >= 500 && perWait > 512 {
		t.Errorf("%d KiB for each wait", perWait)
	}
}

func loadAsk(t *testing.T, client *http.Client, at, token, device string) string {
	t.Helper()
	body := strings.NewReader(`{"device":"` + device + `"}`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at+"/sessions", body)
	if err != nil {
		t.Error(err)
		return ""
	}
	request.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}, "Idempotency-Key": {device}}
	response, err := client.Do(request)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer response.Body.Close()
	var view sessionView
	if err := json.NewDecoder(response.Body).Decode(&view); err != nil || response.StatusCode != http.StatusCreated {
		t.Errorf("%d %v", response.StatusCode, err)
	}
	return view.ID
}

// loadWatch holds a stream open until the test ends.
func loadWatch(t *testing.T, client *http.Client, at, token, id string, ended *atomic.Int64) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at+"/sessions/"+id+"/events", nil)
	if err != nil {
		t.Error(err)
		return
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := client.Do(request)
	if err != nil {
		t.Error(err)
		return
	}
	go func() {
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		ended.Add(1)
	}()
}

// residentKiB is the memory of a process, as Linux counts it.
func residentKiB(t *testing.T, pid int) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("measures with /proc")
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("no VmRSS")
	return 0
}
