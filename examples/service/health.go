package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// checkWithin is how long a check may take. A check that takes longer has failed, and goes on by itself.
	checkWithin = 2 * time.Second
	// checkEvery is how long the result of a check holds, so that probes cost nothing.
	checkEvery = 5 * time.Second
)

// health answers the probes of load balancers and orchestrators.
type health struct {
	checks   []*check
	graph    *graphSeen
	stopping atomic.Bool
}

// check is something that the service cannot do its work without.
type check struct {
	name string
	ask  func(context.Context) error
	log  *slog.Logger

	mu      sync.Mutex
	err     error
	asked   time.Time     // when the last result came
	began   time.Time     // of the check that is under way
	running chan struct{} // closed when it ends; nil if none is under way
}

// errNoAnswer is the result of a check that takes too long.
const errNoAnswer = plainError("no answer in time")

// result is that of the last check, or of a new one. It waits for checkWithin at most, whatever the check does.
func (c *check) result(ctx context.Context) error {
	c.mu.Lock()
	switch {
	case c.running != nil:
	case !c.asked.IsZero() && time.Since(c.asked) < checkEvery:
		defer c.mu.Unlock()
		return c.err
	default:
		c.running, c.began = make(chan struct{}), time.Now()
		go c.run(context.WithoutCancel(ctx), c.running)
	}
	running, left := c.running, checkWithin-time.Since(c.began)
	c.mu.Unlock()
	late := time.NewTimer(max(left, 0))
	defer late.Stop()
	select {
	case <-running:
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.err
	case <-late.C:
		return errNoAnswer
	}
}

func (c *check) run(ctx context.Context, running chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	err := c.ask(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked.IsZero() || (err == nil) != (c.err == nil) {
		c.note(ctx, err)
	}
	c.err, c.asked, c.running = err, time.Now(), nil
	close(running)
}

// note logs a change. The cause is for the log only: a probe is not signed in.
func (c *check) note(ctx context.Context, err error) {
	if err == nil {
		c.log.InfoContext(ctx, "check", slog.String("name", c.name), slog.Bool("ok", true))
		return
	}
	attributes := append([]slog.Attr{slog.String("name", c.name), slog.Bool("ok", false)}, forOperator(err)...)
	c.log.LogAttrs(ctx, slog.LevelWarn, "check", attributes...)
}

// readyView is the JSON of /readyz.
type readyView struct {
	Status string      `json:"status"`
	Checks []checkView `json:"checks"`
	Graph  graphView   `json:"graph"`
}

type checkView struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
}

// getReady says whether new requests should come here. What Graph did last is shown and does not count: another copy
// would fare no better, and a service without requests would never see Graph recover.
func (h *health) getReady(w http.ResponseWriter, r *http.Request) {
	view, status := readyView{Status: "ok", Checks: make([]checkView, len(h.checks)), Graph: h.graph.view()}, http.StatusOK
	var all sync.WaitGroup
	ctx := r.Context()
	for i, c := range h.checks {
		all.Go(func() { view.Checks[i] = checkView{c.name, c.result(ctx) == nil} })
	}
	all.Wait()
	for _, c := range view.Checks {
		if !c.OK {
			view.Status, status = "notReady", http.StatusServiceUnavailable
		}
	}
	if h.stopping.Load() {
		view.Status, status = "stopping", http.StatusServiceUnavailable
	}
	answer(w, status, view)
}

// getAlive needs nothing but the process.
func getAlive(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}
