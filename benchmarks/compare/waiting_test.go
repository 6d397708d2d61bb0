package compare

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/go-intune/intune"

	"github.com/go-intune/intune/benchmarks/internal/peer"
)

// cost is what is attributed to a stretch of work.
type cost struct{ mallocs, bytes uint64 }

func measure(work func()) cost {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	work()
	runtime.ReadMemStats(&after)
	return cost{after.Mallocs - before.Mallocs, after.TotalAlloc - before.TotalAlloc}
}

// idle is a service on which no link ever appears. It remembers when it was read.
type idle struct {
	canned
	reads []time.Time
}

func (s *idle) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet {
		s.reads = append(s.reads, time.Now())
		return s.canned.RoundTrip(req)
	}
	return canned{status: http.StatusNoContent}.RoundTrip(req)
}

// The wait is this library's own: [intune.Client.OpenRemoteAssistance] looks at its own pace for ten minutes. The others
// have none; what they get is a loop that reads at the same times, so that only the reads differ.
func TestWaiting(t *testing.T) { //nolint:paralleltest // it counts the allocations of the process
	session := []byte(`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#deviceManagement/managedDevices` +
		`(id,remoteAssistanceSessionUrl,remoteAssistanceSessionErrorDetails)/$entity","id":"` +
		deviceID + `","remoteAssistanceSessionUrl":null,"remoteAssistanceSessionErrorDetails":null}`)
	var pace []time.Duration
	attr := func(t *testing.T, name string, minutes float64, requests int, c cost) {
		t.Helper()
		for what, n := range map[string]float64{"requests": float64(requests), "allocs": float64(c.mallocs), "bytes": float64(c.bytes)} {
			t.Attr("waiting/"+name+"/"+what, strconv.FormatFloat(n/minutes, 'f', 1, 64))
		}
	}
	synctest.Test(t, func(t *testing.T) {
		service := &idle{canned: canned{http.StatusOK, session}, reads: make([]time.Time, 0, 1000)}
		client, err := intune.NewClient(intune.StaticToken("opaque-token"), &intune.ClientOptions{
			ClientOptions: azcore.ClientOptions{Transport: &http.Client{Transport: service}},
		})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		c := measure(func() {
			if _, err = client.OpenRemoteAssistance(t.Context(), intune.Device(deviceID), nil); !errors.Is(err, intune.ErrSessionPending) {
				t.Fatal(err)
			}
		})
		minutes := time.Since(start).Minutes()
		for _, at := range service.reads[1:] { // the first is before the request
			pace = append(pace, at.Sub(start))
		}
		if minutes < 9 || minutes > 11 {
			t.Fatalf("it waited %v minutes, want about 10", minutes)
		}
		if len(pace) < 30 {
			t.Fatalf("%d reads in %v minutes, want 30 or more", len(pace), minutes)
		}
		attr(t, "intune", minutes, len(service.reads)+1, c)
	})
	for _, contender := range contenders[1:] {
		synctest.Test(t, func(t *testing.T) {
			service := &idle{canned: canned{http.StatusOK, session}, reads: make([]time.Time, 0, 1000)}
			client := contender.client(t, peer.Setup{Transport: service})
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			start := time.Now()
			look := func() {
				if got, err := client.Session(ctx, deviceID); err != nil || got != (peer.Session{}) {
					t.Fatal(contender.name, got, err)
				}
			}
			c := measure(func() {
				look()
				if err := client.Request(ctx, deviceID); err != nil {
					t.Fatal(contender.name, err)
				}
				for _, at := range pace {
					time.Sleep(time.Until(start.Add(at)))
					look()
				}
			})
			attr(t, contender.name, 10, len(service.reads)+1, c)
		})
	}
}
