package intune_test

import (
	"context"
	"errors"
	"iter"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

func TestManyAsksEachDeviceOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		a := tenant.AddDevice(intune.ManagedDevice{ID: "a", UserID: "anna"})
		tenant.AddUser("anna", "anna@contoso.com")
		input := []intune.DeviceRef{a, intune.UserDevice("bob@contoso.com", "b"), a, intune.Device(""), {}, intune.Device("a/b"), {}, a}
		results := collect(tenant.Client().RequestRemoteAssistanceMany(t.Context(), slices.Values(input), nil))
		var got []string
		for _, r := range results {
			got = append(got, summary(r))
			sent := r.Attempts > 0
			if sent != (r.ClientRequestID != "") || sent != (r.RequestID != "") || sent == errors.Is(r.Err, intune.ErrInvalidArgument) {
				t.Errorf("%+v", r)
			}
		}
		if want := []string{" notSent 0", " notSent 0", "a accepted 1", "a%2Fb notSent 0", "b rejected 1"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		requests := tenant.Requests()
		if len(requests) != 2 || tenant.Prompts(a) != 1 {
			t.Fatalf("sent %v", requests)
		}
		for _, r := range requests {
			if r.Method != http.MethodPost || len(r.Body) != 0 || !strings.HasSuffix(r.Path, "/requestRemoteAssistance") {
				t.Errorf("sent %v with body %q", r, r.Body)
			}
			if i := slices.IndexFunc(results, func(x intune.RequestResult) bool {
				return "/v1.0"+x.Device.String()+"/requestRemoteAssistance" == r.Path
			}); i < 0 ||
				results[i].ClientRequestID != r.Header.Get("Client-Request-Id") {
				t.Errorf("%v has the id %q", r, r.Header.Get("Client-Request-Id"))
			}
		}
		e := asError(t, results[4].Err)
		if !errors.Is(e, intune.ErrNotFound) || e.Device != input[1] || e.RequestID != results[4].RequestID {
			t.Errorf("got %v", e)
		}
	})
}

func TestManyRefusesArguments(t *testing.T) {
	t.Parallel()
	sent := &manyScript{}
	client := sent.client(t)
	two := devicesNamed("a", "b", "a")
	for name, c := range map[string]struct {
		results iter.Seq[intune.RequestResult]
		names   string
		count   int
	}{
		"no pace":         {client.RequestRemoteAssistanceMany(t.Context(), two, &intune.RequestManyOptions{PerSecond: math.NaN()}), "options.PerSecond", 2},
		"concurrency":     {client.RequestRemoteAssistanceMany(t.Context(), two, &intune.RequestManyOptions{Concurrency: -1}), "options.Concurrency", 2},
		"nil devices":     {client.RequestRemoteAssistanceMany(t.Context(), nil, nil), "devices", 1},
		"nil context":     {client.RequestRemoteAssistanceMany(nil, two, nil), "ctx", 2}, //nolint:staticcheck // what is tested
		"zero client":     {(&intune.Client{}).RequestRemoteAssistanceMany(t.Context(), two, nil), "client", 2},
		"nil client":      {(*intune.Client)(nil).RequestRemoteAssistanceMany(t.Context(), two, nil), "client", 2},
		"zero and no ctx": {(&intune.Client{}).RequestRemoteAssistanceMany(nil, nil, nil), "devices", 1}, //nolint:staticcheck // what is tested
	} {
		results := collect(c.results)
		if len(results) != c.count {
			t.Errorf("%s: %d results", name, len(results))
		}
		for i, r := range results {
			if c.count == 2 && r.Device != intune.Device([]string{"a", "b"}[i]) {
				t.Errorf("%s: a result for %v", name, r.Device)
			}
			if r.Outcome != intune.OutcomeNotSent || r.Attempts != 0 || !errors.Is(r.Err, intune.ErrInvalidArgument) || !strings.Contains(r.Err.Error(), c.names) {
				t.Errorf("%s: %+v", name, r)
			}
		}
		for range c.results {
			break // which must not go on
		}
	}
	if len(sent.requests) != 0 {
		t.Errorf("sent %v", sent.requests)
	}
}

// The users would be prompted twice.
func TestManyCanBeRangedOverOnce(t *testing.T) {
	t.Parallel()
	sent := &manyScript{}
	results := sent.client(t).RequestRemoteAssistanceMany(t.Context(), devicesNamed("a", "b"), &intune.RequestManyOptions{PerSecond: -1})
	if got := summaries(results); !slices.Equal(got, []string{"a accepted 1", "b accepted 1"}) {
		t.Errorf("got %q", got)
	}
	for _, r := range collect(results) {
		if r.Outcome != intune.OutcomeNotSent || !errors.Is(r.Err, intune.ErrInvalidArgument) {
			t.Errorf("the second time: %+v", r)
		}
	}
	if len(sent.requests) != 2 {
		t.Errorf("sent %v", sent.requests)
	}
}

func TestManyPace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options   intune.RequestManyOptions
		delay     time.Duration
		took      time.Duration
		mostAtOne int
	}{
		"default":            {took: 11 * time.Second / 5, mostAtOne: 1},
		"two a second":       {options: intune.RequestManyOptions{PerSecond: 2}, took: 11 * time.Second / 2, mostAtOne: 1},
		"no pacing":          {options: intune.RequestManyOptions{PerSecond: -1}, delay: time.Second, took: 3 * time.Second, mostAtOne: 4},
		"one at a time":      {options: intune.RequestManyOptions{PerSecond: -1, Concurrency: 1}, delay: time.Second, took: 12 * time.Second, mostAtOne: 1},
		"twelve at a time":   {options: intune.RequestManyOptions{PerSecond: -1, Concurrency: 50}, delay: time.Second, took: time.Second, mostAtOne: 12},
		"no limit":           {options: intune.RequestManyOptions{PerSecond: -1, Concurrency: math.MaxInt}, delay: time.Second, took: time.Second, mostAtOne: 12},
		"slower than it may": {options: intune.RequestManyOptions{PerSecond: 1000, Concurrency: 2}, delay: time.Second, took: 6 * time.Second, mostAtOne: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sent := &manyScript{delay: c.delay}
				start := time.Now()
				results := collect(sent.client(t).RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(12)...), &c.options))
				if took := time.Since(start); len(results) != 12 || (took-c.took).Abs() > 20*time.Millisecond || sent.most != c.mostAtOne {
					t.Errorf("%d results in %v with %d at a time, want 12 in %v with %d", len(results), took, sent.most, c.took, c.mostAtOne)
				}
			})
		})
	}
}

// What goes again, when, and how often (C§7.2).
func TestManyTriesAgain(t *testing.T) {
	t.Parallel()
	seconds := func(s ...float64) (d []time.Duration) {
		for _, x := range s {
			d = append(d, time.Duration(x*float64(time.Second)))
		}
		return d
	}
	for name, c := range map[string]struct {
		answers []int
		header  http.Header
		retries int32
		waits   []time.Duration // between the tries
		want    string
		is      error
	}{
		"accepted":                  {answers: []int{204}, want: "x accepted 1"},
		"throttled":                 {answers: []int{429, 429, 204}, waits: seconds(3, 12), want: "x accepted 3"},
		"throttled with a header":   {answers: []int{429, 204}, header: http.Header{"Retry-After": {"0.75"}}, waits: seconds(.75), want: "x accepted 2"},
		"throttled for ever":        {answers: []int{429}, waits: seconds(3, 12, 27, 48, 75, 108, 147, 180, 180), want: "x rejected 10", is: intune.ErrThrottled},
		"throttled without retries": {answers: []int{429}, retries: -1, want: "x rejected 1", is: intune.ErrThrottled},
		"unavailable":               {answers: []int{503, 503, 503, 204}, waits: seconds(.8, 1.6, 3.2), want: "x accepted 4"},
		"unavailable for ever":      {answers: []int{503}, waits: seconds(.8, 1.6, 3.2), want: "x rejected 4", is: intune.ErrUnavailable},
		"unavailable, five retries": {answers: []int{503}, retries: 5, waits: seconds(.8, 1.6, 3.2, 6.4, 12.8), want: "x rejected 6", is: intune.ErrUnavailable},
		"unavailable, a long wait":  {answers: []int{503, 204}, header: http.Header{"Retry-After": {"20"}}, waits: seconds(20), want: "x accepted 2"},
		"unavailable, no retries":   {answers: []int{503, 204}, retries: -1, want: "x rejected 1", is: intune.ErrUnavailable},
		"no connection":             {answers: []int{-1, 503, -1, 204}, waits: seconds(.8, 1.6, 3.2), want: "x accepted 4"},
		"never a connection":        {answers: []int{-1}, waits: seconds(.8, 1.6, 3.2), want: "x notSent 4"},
		"refused, then none":        {answers: []int{429, -1}, waits: seconds(3, 1.6, 3.2), want: "x rejected 4"},
		"broken":                    {answers: []int{-2, 204}, want: "x unknown 1", is: intune.ErrOutcomeUnknown},
		"server error":              {answers: []int{500, 204}, want: "x unknown 1", is: intune.ErrOutcomeUnknown},
		"gateway":                   {answers: []int{504, 204}, want: "x unknown 1", is: intune.ErrOutcomeUnknown},
		"throttled, then broken":    {answers: []int{429, -2}, waits: seconds(3), want: "x unknown 2", is: intune.ErrOutcomeUnknown},
		"not found":                 {answers: []int{404, 204}, want: "x rejected 1", is: intune.ErrNotFound},
		"another success":           {answers: []int{201, 204}, want: "x unknown 1", is: intune.ErrOutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sent := &manyScript{answers: map[string][]int{"x": c.answers}, header: c.header}
				client := sent.client(t, func(o *intune.ClientOptions) { o.Retry.MaxRetries = c.retries })
				results := collect(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed("x"), &intune.RequestManyOptions{PerSecond: -1}))
				if len(results) != 1 || summary(results[0]) != c.want || (results[0].Err == nil) != strings.Contains(c.want, "accepted") ||
					c.is != nil && !errors.Is(results[0].Err, c.is) {
					t.Fatalf("got %v, %v", summary(results[0]), results[0].Err)
				}
				tries := sent.sentTo("x")
				if len(tries) != len(c.waits)+1 {
					t.Fatalf("%d tries, want %d", len(tries), len(c.waits)+1)
				}
				for i, wait := range c.waits {
					if got := tries[i+1].Sub(tries[i]); got != wait {
						t.Errorf("wait %d is %v, want %v", i, got, wait)
					}
				}
				for _, r := range sent.requests {
					if r.id != results[0].ClientRequestID {
						t.Errorf("the id changed from %q to %q", results[0].ClientRequestID, r.id)
					}
				}
			})
		})
	}
}

// When one is throttled, nothing is sent to the others until the wait is over, and then at half the pace.
func TestManyThrottlingHoldsAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := &manyScript{answers: map[string][]int{"d3": {429, 204}}, header: http.Header{"Retry-After": {"10"}}, delay: 10 * time.Millisecond}
		var paces []float64
		var paused time.Time
		got := collect(sent.client(t).RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(8)...), &intune.RequestManyOptions{
			Concurrency: 1, // or nobody knows who is the fourth
			OnProgress: func(p intune.Progress) {
				paces = append(paces, p.PerSecond)
				paused = p.PausedUntil
				if p.Done()+p.Pending > 8 || p.Rejected+p.Unknown+p.NotSent != 0 {
					t.Errorf("progress %+v", p)
				}
			},
		}))
		if len(got) != 8 || len(sent.requests) != 9 {
			t.Fatalf("%d results of %d requests", len(got), len(sent.requests))
		}
		start := sent.requests[0].at
		for i, r := range sent.requests {
			at := r.at.Sub(start)
			if i <= 3 && at != time.Duration(i)*200*time.Millisecond || i == 4 && at < 10*time.Second || i > 4 && r.at.Sub(sent.requests[i-1].at) < 300*time.Millisecond {
				t.Errorf("request %d after %v", i, at)
			}
		}
		if len(paces) != 9 || paces[2] != 5 || slices.Min(paces) != 2.5 || paces[8] <= 2.5 || paused.Sub(start) < 10*time.Second || paused.After(time.Now()) {
			t.Errorf("paces %v, paused until %v after the start", paces, paused.Sub(start))
		}
	})
}

func TestManyContextEnds(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 1100*time.Millisecond)
			defer cancel()
			sent := &manyScript{delay: time.Second}
			outcomes := map[intune.Outcome]int{}
			for r := range sent.client(t).RequestRemoteAssistanceMany(ctx, devicesNamed(numbered(30)...), &intune.RequestManyOptions{}) {
				outcomes[r.Outcome]++
				if r.Outcome == intune.OutcomeNotSent && (r.Attempts != 0 || r.ClientRequestID != "") ||
					r.Outcome != intune.OutcomeAccepted && !errors.Is(r.Err, context.DeadlineExceeded) && !errors.Is(r.Err, intune.ErrOutcomeUnknown) {
					t.Errorf("%+v", r)
				}
			}
			if outcomes[intune.OutcomeNotSent] < 20 || outcomes[intune.OutcomeUnknown] == 0 ||
				outcomes[intune.OutcomeNotSent]+outcomes[intune.OutcomeUnknown]+outcomes[intune.OutcomeAccepted] != 30 {
				t.Errorf("batches of %d: outcomes %v", size, outcomes)
			}
		})
	}
}

func TestManyContextHasEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sent := &manyScript{}
	for _, r := range collect(sent.client(t).RequestRemoteAssistanceMany(ctx, devicesNamed("a", "b"), nil)) {
		if r.Outcome != intune.OutcomeNotSent || !errors.Is(r.Err, context.Canceled) || asError(t, r.Err).Device != r.Device {
			t.Errorf("%+v", r)
		}
	}
	if len(sent.requests) != 0 {
		t.Errorf("sent %v", sent.requests)
	}
}

// The bubble fails if a goroutine is left.
func TestManyLoopIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := &manyScript{delay: time.Second}
		start := time.Now()
		for r := range sent.client(t).RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(100)...), nil) {
			if r.Outcome != intune.OutcomeAccepted {
				t.Errorf("%+v", r)
			}
			break
		}
		if took := time.Since(start); took != time.Second || sent.inFlight != 0 {
			t.Errorf("took %v, %d are in flight", took, sent.inFlight)
		}
		count := len(sent.requests)
		time.Sleep(time.Minute) //nolint:forbidigo // fake time
		if len(sent.requests) != count || count > 6 {
			t.Errorf("%d requests, and then %d", count, len(sent.requests))
		}
	})
}

// The input may take its time, as the pages of a list do. A result is yielded as soon as the input gives the next device.
func TestManySlowInput(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1} {
		synctest.Test(t, func(t *testing.T) {
			sent := &manyScript{}
			var given, got []time.Duration
			start := time.Now()
			slow := func(yield func(intune.DeviceRef) bool) {
				for _, name := range numbered(9) {
					time.Sleep(time.Minute) //nolint:forbidigo // fake time
					given = append(given, time.Since(start))
					if !yield(intune.Device(name)) {
						return
					}
				}
			}
			for range sent.client(t).RequestRemoteAssistanceMany(t.Context(), slow, &intune.RequestManyOptions{}) {
				got = append(got, time.Since(start))
			}
			want := given[size:]
			for range size {
				want = append(want, given[8])
			}
			if !slices.Equal(got, want) {
				t.Errorf("batches of %d: results after %v, want %v", size, got, want)
			}
		})
	}
}

// A loop that is left at a result which came while the input was slow takes no other device.
func TestManyLoopIsLeftAtAWaitingResult(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent, given := &manyScript{}, 0
		slow := func(yield func(intune.DeviceRef) bool) {
			for _, name := range numbered(9) {
				time.Sleep(time.Minute) //nolint:forbidigo // fake time
				given++
				if !yield(intune.Device(name)) {
					return
				}
			}
		}
		for range sent.client(t).RequestRemoteAssistanceMany(t.Context(), slow, nil) {
			break
		}
		if given != 2 || len(sent.requests) != 1 {
			t.Errorf("%d devices were taken, sent %v", given, sent.requests)
		}
	})
}
