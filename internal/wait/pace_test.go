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
	return wait.NewPace(c.now, maxWait, frequency), c
}

const never = time.Duration(math.MaxInt64)

// planned is the pause until the next read after an answer.
func planned(p *wait.Pace, asked time.Duration) time.Duration {
	p.Plan(asked)
	return p.Pause(never)
}

// Gently at first and more so later, with up to an eighth of jitter, so that many waits do not read in step.
func TestPace_Plan_Grows(t *testing.T) {
	t.Parallel()
	const rounds, pauses = 200, 20
	least := []time.Duration{3 * time.Second, 4500 * time.Millisecond, 6750 * time.Millisecond, 10125 * time.Millisecond, 13 * time.Second}
	shortest, longest := make([]time.Duration, len(least)), make([]time.Duration, len(least))
	for round := range rounds {
		p, _ := paced(-1, 0)
		for i := range pauses {
			step := min(i, len(least)-1)
			got := planned(p, 0)
			if got < least[step] {
				t.Errorf("pause %d is %v, below %v", i, got, least[step])
			}
			if most := least[step] * 9 / 8; got >= most {
				t.Errorf("pause %d is %v, want less than %v", i, got, most)
			}
			longest[step] = max(longest[step], got)
			if round == 0 && i == step {
				shortest[step] = got
			}
			shortest[step] = min(shortest[step], got)
		}
	}
	for step, from := range least {
		if shortest[step] > from*41/40 {
			t.Errorf("the shortest pause %d is %v, want about %v", step, shortest[step], from)
		}
		if longest[step] < from*44/40 {
			t.Errorf("the longest pause %d is %v, want about %v", step, longest[step], from*9/8)
		}
	}
	if got, want := longest[len(least)-1], 13*time.Second*10/9; got < want {
		t.Errorf("the longest of all pauses is %v, want at least %v", got, want)
	}
}

func TestPace_Plan_Frequency(t *testing.T) {
	t.Parallel()
	for _, frequency := range []time.Duration{1, 7 * time.Second, time.Hour} {
		p, _ := paced(-1, frequency)
		for i := range 5 {
			if got := planned(p, 0); got != frequency {
				t.Errorf("pause %d is %v, want %v", i, got, frequency)
			}
		}
	}
}

// What the service asks for is a lower bound, and counts once. The pace without a frequency grows meanwhile.
func TestPace_Plan_Asked(t *testing.T) {
	t.Parallel()
	const frequency = 7 * time.Second
	for name, c := range map[string]struct {
		frequency, asked time.Duration
		least, most      time.Duration
	}{
		"nothing":                        {frequency, 0, frequency, frequency},
		"less than nothing":              {frequency, -time.Hour, frequency, frequency},
		"less than the frequency":        {frequency, frequency - 1, frequency, frequency},
		"the shortest":                   {frequency, 1, frequency, frequency},
		"more than the frequency":        {frequency, frequency + 1, frequency + 1, frequency + 1},
		"far more":                       {frequency, 3 * time.Hour, 3 * time.Hour, 3 * time.Hour},
		"less than the growing pace":     {0, 249 * time.Millisecond, 3 * time.Second, 3375 * time.Millisecond},
		"more than the growing pace":     {0, 40 * time.Second, 40 * time.Second, 40 * time.Second},
		"far more than the growing pace": {0, 100 * time.Hour, 100 * time.Hour, 100 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := paced(-1, c.frequency)
			if got := planned(p, c.asked); got < c.least || got > c.most {
				t.Errorf("%v, want %v to %v", got, c.least, c.most)
			}
			planned(p, c.asked)
			planned(p, c.asked)
			want := c.frequency
			if want == 0 {
				want = 10125 * time.Millisecond // the fourth pause
			}
			if got := planned(p, 0); got < want || got > want*9/8 {
				t.Errorf("%v when nothing is asked for any more, want about %v", got, want)
			}
		})
	}
}

// The first read is due at once, and later ones when they were planned.
func TestPace_Pause(t *testing.T) {
	t.Parallel()
	const frequency = 7 * time.Second
	p, clock := paced(-1, frequency)
	if got := p.Pause(never); got > 0 {
		t.Errorf("%v before the first read, want none", got)
	}
	if !p.MayRead() {
		t.Error("the first read is not allowed")
	}
	p.Plan(time.Minute)
	for waited, want := range map[time.Duration]time.Duration{
		0: time.Minute, 1: time.Minute - 1, 59 * time.Second: time.Second, time.Minute: 0, time.Hour: time.Minute - time.Hour,
	} {
		clock.at = start.Add(waited)
		if got := p.Pause(never); got != want {
			t.Errorf("%v after %v, want %v", got, waited, want)
		}
	}
}

// The caller's own limit, and the end of the wait, are waited for no longer than until they come.
func TestPace_Pause_Limit(t *testing.T) {
	t.Parallel()
	const frequency, minute = 20 * time.Second, time.Minute
	for name, c := range map[string]struct{ maxWait, asked, limit, want time.Duration }{
		"none":                        {-1, 0, never, frequency},
		"after the read":              {-1, 0, frequency + 1, frequency},
		"before the read":             {-1, 0, frequency - 1, frequency - 1},
		"before it is allowed":        {-1, minute, 30 * time.Second, 30 * time.Second},
		"the shortest":                {-1, 0, 1, 1},
		"the end, after the read":     {frequency + 1, 0, never, frequency},
		"the end, before the read":    {frequency - 1, 0, never, frequency - 1},
		"the end before it's allowed": {30 * time.Second, minute, never, 30 * time.Second},
		"the end after the limit":     {30 * time.Second, minute, 10 * time.Second, 10 * time.Second},
		"the end before the limit":    {10 * time.Second, minute, 30 * time.Second, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := paced(c.maxWait, frequency)
			p.Plan(c.asked)
			if got := p.Pause(c.limit); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// A read is allowed when what the service asked for has passed, whatever the pace, and never before.
func TestPace_MayRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		asked, waited time.Duration
		want          bool
	}{
		"nothing asked":       {0, 0, true},
		"at the answer":       {time.Minute, 0, false},
		"a nanosecond before": {time.Minute, time.Minute - 1, false},
		"on time":             {time.Minute, time.Minute, true},
		"later":               {time.Minute, time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, clock := paced(30*time.Second, 0)
			p.Plan(c.asked)
			clock.at = clock.at.Add(c.waited)
			if got := p.MayRead(); got != c.want {
				t.Errorf("allowed is %v, want %v", got, c.want)
			}
		})
	}
}

// The wait ends when the time is up, neither before nor after, whatever the pace.
func TestPace_Pause_MaxWait(t *testing.T) {
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
				pause := planned(p, c.asked)
				if pause <= 0 {
					t.Fatalf("a pause of %v, %v after the start", pause, clock.at.Sub(start))
				}
				clock.at = clock.at.Add(pause)
			}
			if got := clock.at.Sub(start); got != c.want {
				t.Errorf("over after %v, want %v", got, c.want)
			}
			clock.at = clock.at.Add(time.Second)
			if got := planned(p, 0); got != -time.Second {
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
				p := wait.NewPace(time.Now, c.maxWait, 0)
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
