package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune/intunetest"
)

// ready is the answer of /readyz, and how long it took.
func (h *health) ready(t *testing.T) (int, string, time.Duration) {
	t.Helper()
	w, begin := httptest.NewRecorder(), time.Now()
	h.getReady(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
	return w.Code, w.Body.String(), time.Since(begin)
}

func TestReadyNeverBlocks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release, log := make(chan struct{}), &syncBuffer{}
		var calls atomic.Int32
		stuck := &check{name: "store", log: slog.New(slog.NewTextHandler(log, nil)), ask: func(context.Context) error {
			calls.Add(1)
			<-release // a disk does not know contexts
			return nil
		}}
		h := &health{checks: []*check{stuck}, graph: &graphSeen{}}
		for i, want := range []time.Duration{checkWithin, 0, 0} {
			status, body, took := h.ready(t)
			if status != http.StatusServiceUnavailable || !strings.Contains(body, `{"name":"store","ok":false}`) {
				t.Errorf("%d %s", status, body)
			}
			if took != want {
				t.Errorf("answer %d took %s, want %s", i, took, want)
			}
		}
		close(release)
		synctest.Wait()
		if status, body, _ := h.ready(t); status != http.StatusOK {
			t.Errorf("after the disk's return: %d %s", status, body)
		}
		if n := calls.Load(); n != 1 {
			t.Errorf("%d checks, want 1: results hold for %s", n, checkEvery)
		}
	})
}

func TestReadySaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &syncBuffer{}
		var failure error = plainError("no space left")
		c := &check{name: "store", log: slog.New(slog.NewTextHandler(log, nil)), ask: func(context.Context) error { return failure }}
		h := &health{checks: []*check{c}, graph: &graphSeen{}}
		for range 10 {
			if status, body, _ := h.ready(t); status != http.StatusServiceUnavailable || strings.Contains(body, "space") {
				t.Errorf("%d %s", status, body)
			}
			time.Sleep(checkEvery)
		}
		failure = nil
		if status, body, _ := h.ready(t); status != http.StatusOK || !strings.Contains(body, `"status":"ok"`) {
			t.Errorf("%d %s", status, body)
		}
		if n := strings.Count(log.String(), "no space left"); n != 1 {
			t.Errorf("the cause is logged %d times, want once: %s", n, log)
		}
		h.stopping.Store(true)
		if status, body, _ := h.ready(t); status != http.StatusServiceUnavailable || !strings.Contains(body, `"status":"stopping"`) {
			t.Errorf("while it stops: %d %s", status, body)
		}
	})
}

func TestProbesCallByAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		c := p.nobody()
		synctest.Wait() // until the keys are there
		for _, path := range []string{"/livez", "/readyz", "/healthz"} {
			if got := c.send(http.MethodGet, path, "", http.Header{"Host": {"10.0.0.7:8080"}}); got.status != http.StatusOK {
				t.Errorf("%s: %d %s", path, got.status, got.body)
			}
		}
	})
}

// Graph is seen through the requests of technicians.
func TestReadyShowsGraph(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		c := p.browser(dana)
		synctest.Wait()
		seen := func() readyView {
			var view readyView
			got := c.get("/readyz")
			got.into(t, &view)
			return view
		}
		before := p.tenant.RequestCount()
		if got := seen(); got.Graph != (graphView{}) {
			t.Errorf("before any request: %+v", got.Graph)
		}
		if n := p.tenant.RequestCount() - before; n != 0 {
			t.Errorf("the probe made %d requests", n)
		}
		c.get("/devices?q=LT-1")
		if got := seen().Graph; got.LastAnswer == nil || got.LastFailure != nil {
			t.Errorf("after an answer: %+v", got)
		}
		p.tenant.Inject(intunetest.Fault{Status: http.StatusServiceUnavailable, Times: -1})
		c.get("/devices?q=LT-1")
		if got := seen(); got.Graph.LastFailure == nil || got.Status != "ok" {
			t.Errorf("after a failure: %+v", got)
		}
	})
}
