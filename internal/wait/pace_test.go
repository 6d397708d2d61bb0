package wait_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune/internal/wait"
)

// fakeClock is a clock that stands until it is moved.
type fakeClock struct{ at time.Time }

func (c *fakeClock) now() time.Time { return c.at }

func paced(maxWait, frequency time.Duration) (*wait.Pace, *fakeClock) {
	c := &fakeClock{start}
	return wait.NewPace(c.now, start, maxWait, frequency), c
}

const never = time.Duration(math.MaxInt64)

// planned is the time until the next read after an answer.
func planned(p *wait.Pace, asked time.Duration) time.Duration {
	p.Plan(0, asked)
	return p.Next(never).Due
}

// The gap follows the age of the request, with jitter, so that many waits do not read in step.
func TestPace_Plan_Age(t *testing.T) {
	t.Parallel()
	const s, minute = time.Second, time.Minute
	for age, want := range map[time.Duration]time.Duration{
		-time.Hour: 2 * s, 0: 2 * s, 2*minute - 1: 2 * s, 2 * minute: 4 * s, 10*minute - 1: 4 * s, 10 * minute: 8 * s, 1000 * time.Hour: 8 * s,
	} {
		c := &fakeClock{start.Add(age)}
		p := wait.NewPace(c.now, start, -1, 0)
		shortest, longest, sum := never, time.Duration(0), time.Duration(0)
		const pauses = 1000
		for range pauses {
			got := planned(p, 0)
			shortest, longest, sum = min(shortest, got), max(longest, got), sum+got
		}
		if shortest < want*95/100 || shortest > want*96/100 {
			t.Errorf("after %v the shortest pause is %v, want %v less 5%%", age, shortest, want)
		}
		if longest > want*105/100 || longest < want*104/100 {
			t.Errorf("after %v the longest pause is %v, want %v and 5%%", age, longest, want)
		}
		if mean := sum / pauses; mean < want*99/100 || mean > want*101/100 {
			t.Errorf("after %v the mean pause is %v, want %v", age, mean, want)
		}
	}
}

func TestPace_Plan_Frequency(t *testing.T) {
	t.Parallel()
	for _, frequency := range []time.Duration{1, 7 * time.Second, time.Hour} {
		p, clock := paced(-1, frequency)
		for i := range 5 {
			if got := planned(p, 0); got != frequency {
				t.Errorf("pause %d is %v, want %v", i, got, frequency)
			}
			clock.at = clock.at.Add(5 * time.Minute)
		}
	}
}

// The gap counts from when a read was sent, so that slow answers do not make it longer. Half of it is left in any case.
func TestPace_Plan_SlowAnswers(t *testing.T) {
	t.Parallel()
	const frequency = 8 * time.Second
	for took, want := range map[time.Duration]time.Duration{
		0: frequency, time.Second: 7 * time.Second, 4 * time.Second: 4 * time.Second,
		5 * time.Second: 4 * time.Second, time.Hour: 4 * time.Second,
	} {
		p, _ := paced(-1, frequency)
		p.Plan(took, 0)
		next := p.Next(never)
		if next.Due != want {
			t.Errorf("%v after an answer that took %v, want %v", next.Due, took, want)
		}
		if sent := start.Add(-took); !next.Last.Equal(sent) {
			t.Errorf("the last read was at %v, want %v", next.Last, sent)
		}
		p.Plan(took, 9*time.Second)
		if got := p.Next(never).Due; got != 9*time.Second {
			t.Errorf("%v after an answer that took %v and asks for 9s", got, took)
		}
	}
}

// What the service asks for is a lower bound, and counts once.
func TestPace_Plan_Asked(t *testing.T) {
	t.Parallel()
	const frequency = 7 * time.Second
	for name, c := range map[string]struct{ asked, want time.Duration }{
		"nothing":                 {0, frequency},
		"less than nothing":       {-time.Hour, frequency},
		"less than the frequency": {frequency - 1, frequency},
		"the shortest":            {1, frequency},
		"more than the frequency": {frequency + 1, frequency + 1},
		"far more":                {3 * time.Hour, 3 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := paced(-1, frequency)
			if got := planned(p, c.asked); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
			if got := planned(p, 0); got != frequency {
				t.Errorf("%v when nothing is asked for any more, want %v", got, frequency)
			}
		})
	}
}

// A read that failed goes again after a second, ahead of others, three times running.
func TestPace_PlanAgain(t *testing.T) {
	t.Parallel()
	const frequency = 7 * time.Second
	p, _ := paced(-1, frequency)
	expect := func(what string, want time.Duration, ahead bool) {
		t.Helper()
		next := p.Next(never)
		if next.Due != want {
			t.Errorf("%s: %v, want %v", what, next.Due, want)
		}
		if next.Ahead != ahead {
			t.Errorf("%s: ahead is %v, want %v", what, next.Ahead, ahead)
		}
	}
	fails := func(what string) {
		t.Helper()
		for range 3 {
			p.PlanAgain(0, 0)
			expect(what, time.Second, true)
		}
		for range 3 {
			p.PlanAgain(0, 0)
			expect(what+", too often", frequency, false)
		}
	}
	fails("failed")
	p.Plan(0, 0)
	expect("answered", frequency, false)
	fails("failed again")
	p.Plan(0, 0)
	p.PlanAgain(3*time.Second, 5*time.Second)
	expect("asked for a pause", 5*time.Second, true)
	if next := p.Next(4 * time.Second); next.Due <= next.Limit {
		t.Errorf("due after %v, before the pause that the service asks for is over", next.Due)
	}

	p, _ = paced(-1, time.Millisecond)
	p.PlanAgain(0, 0)
	expect("a fast pace", time.Millisecond, true)
}

// The first read is due at once, and later ones when they were planned.
func TestPace_Next(t *testing.T) {
	t.Parallel()
	const frequency = 7 * time.Second
	p, clock := paced(-1, frequency)
	next := p.Next(never)
	if next.Due > 0 {
		t.Errorf("%v before the first read, want none", next.Due)
	}
	if !next.Last.IsZero() {
		t.Errorf("read last at %v, want never", next.Last)
	}
	p.Plan(0, time.Minute)
	for waited, want := range map[time.Duration]time.Duration{
		0: time.Minute, 1: time.Minute - 1, 59 * time.Second: time.Second, time.Minute: 0, time.Hour: time.Minute - time.Hour,
	} {
		clock.at = start.Add(waited)
		if got := p.Next(never).Due; got != want {
			t.Errorf("%v after %v, want %v", got, waited, want)
		}
	}
}

// The caller's own limit, and the end of the wait, are waited for no longer than until they come. A read is due then, and
// none shortly before, unless the service wants none by then.
func TestPace_Next_Limit(t *testing.T) {
	t.Parallel()
	const frequency, minute, s, ms = 20 * time.Second, time.Minute, time.Second, time.Millisecond
	for name, c := range map[string]struct{ maxWait, asked, limit, due, ends time.Duration }{
		"none":                        {-1, 0, never, frequency, never},
		"well after the read":         {-1, 0, frequency + 250*ms, frequency, frequency + 250*ms},
		"right after the read":        {-1, 0, frequency + 249*ms, frequency + 249*ms, frequency + 249*ms},
		"before the read":             {-1, 0, frequency - 1, frequency - 1, frequency - 1},
		"before it is allowed":        {-1, minute, 30 * s, minute, 30 * s},
		"as it is allowed":            {-1, minute, minute, minute, minute},
		"just before it is allowed":   {-1, minute, minute - 1, minute, minute - 1},
		"the shortest":                {-1, 0, 1, 1, 1},
		"over":                        {-1, 0, -1, -1, -1},
		"just over":                   {-1, 0, 0, 0, -1}, // since zero would be none
		"the end, after the read":     {frequency + s, 0, never, frequency, frequency + s},
		"the end, before the read":    {frequency - 1, 0, never, frequency - 1, frequency - 1},
		"the end before it's allowed": {30 * s, minute, never, minute, 30 * s},
		"the end after the limit":     {30 * s, minute, 10 * s, minute, 10 * s},
		"the end before the limit":    {10 * s, minute, 30 * s, minute, 10 * s},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := paced(c.maxWait, frequency)
			p.Plan(0, c.asked)
			next := p.Next(c.limit)
			if next.Due != c.due {
				t.Errorf("due after %v, want %v", next.Due, c.due)
			}
			if next.Limit != c.ends {
				t.Errorf("limited by %v, want %v", next.Limit, c.ends)
			}
		})
	}
}

// At a fast pace, the pause before a limit is short.
func TestPace_Next_LimitOfAFastPace(t *testing.T) {
	t.Parallel()
	p, _ := paced(-1, 10)
	p.Plan(0, 0)
	for limit, want := range map[time.Duration]time.Duration{15: 10, 14: 14} {
		if got := p.Next(limit).Due; got != want {
			t.Errorf("due after %v with a limit of %v, want %v", got, limit, want)
		}
	}
}

// The wait ends when the time is up, neither before nor after, whatever the pace.
func TestPace_Next_MaxWait(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ maxWait, frequency, asked, want time.Duration }{
		"the default":                  {0, 0, 0, 10 * time.Minute},
		"the default, with frequency":  {0, 7 * time.Second, 0, 10 * time.Minute},
		"an hour":                      {time.Hour, 0, 0, time.Hour},
		"shorter than a pause":         {time.Second, 0, 0, time.Second},
		"a nanosecond":                 {1, 0, 0, 1},
		"shorter than the frequency":   {time.Minute, time.Hour, 0, time.Minute},
		"shorter than what is asked":   {time.Minute, 0, time.Hour, time.Minute},
		"no multiple of what is asked": {time.Minute, 0, 25 * time.Second, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, clock := paced(c.maxWait, c.frequency)
			for !p.Over() {
				p.Plan(0, c.asked)
				next := p.Next(never)
				pause := min(next.Due, next.Limit)
				if pause <= 0 {
					t.Fatalf("a pause of %v, %v after the start", pause, clock.at.Sub(start))
				}
				clock.at = clock.at.Add(pause)
			}
			if got := clock.at.Sub(start); got != c.want {
				t.Errorf("over after %v, want %v", got, c.want)
			}
			clock.at = clock.at.Add(time.Second)
			if got := p.Next(never).Limit; got != -time.Second {
				t.Errorf("%v is left a second later", got)
			}
		})
	}
}

func TestPace_Over(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		maxWait, waited time.Duration
		want            bool
	}{
		"at the start":          {time.Minute, 0, false},
		"a nanosecond before":   {time.Minute, time.Minute - 1, false},
		"on time":               {time.Minute, time.Minute, true},
		"later":                 {time.Minute, time.Hour, true},
		"the default, before":   {0, 10*time.Minute - 1, false},
		"the default":           {0, 10 * time.Minute, true},
		"without end":           {-1, 10000 * time.Hour, false},
		"without end, by a lot": {-time.Hour, 10000 * time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, clock := paced(c.maxWait, 0)
			clock.at = clock.at.Add(c.waited)
			if got := p.Over(); got != c.want {
				t.Errorf("over is %v, want %v", got, c.want)
			}
		})
	}
}

func TestPace_Bound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		maxWait, waited time.Duration
		want            time.Duration // from the read on, zero: none
	}{
		"the time that is left":   {time.Minute, 20 * time.Second, 40 * time.Second},
		"just enough":             {time.Minute, 50 * time.Second, 10 * time.Second},
		"a last look":             {time.Minute, 51 * time.Second, 10 * time.Second},
		"a look as the time ends": {time.Minute, time.Minute, 10 * time.Second},
		"a look after that":       {time.Minute, time.Hour, 10 * time.Second},
		"a short wait":            {1, 0, 10 * time.Second},
		"the default":             {0, time.Minute, 9 * time.Minute},
		"without end":             {-1, time.Minute, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := wait.NewPace(time.Now, time.Now(), c.maxWait, 0)
				time.Sleep(c.waited) //nolint:forbidigo // the bubble's clock
				begun := time.Now()
				ctx, cancel := p.Bound(t.Context())
				defer cancel()
				deadline, bounded := ctx.Deadline()
				if bounded != (c.want > 0) {
					t.Fatalf("has a deadline: %v", bounded)
				}
				if !bounded {
					return
				}
				if got := deadline.Sub(begun); got != c.want {
					t.Errorf("a read may take %v, want %v", got, c.want)
				}
				<-ctx.Done()
				if got := time.Since(begun); got != c.want {
					t.Errorf("ended after %v, want %v", got, c.want)
				}
			})
		})
	}
}

// The caller's context ends a read in any case.
func TestPace_Bound_CallersContext(t *testing.T) {
	t.Parallel()
	for name, maxWait := range map[string]time.Duration{"with an end": time.Hour, "without": -1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parent, end := context.WithCancel(t.Context())
			p, _ := paced(maxWait, 0)
			ctx, cancel := p.Bound(parent)
			defer cancel()
			if err := ctx.Err(); err != nil {
				t.Errorf("ended at once: %v", err)
			}
			end()
			if err := ctx.Err(); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
	}
}
