package wait_test

import (
	"context"
	"errors"
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

// Gently at first and more so later, with up to an eighth of jitter, so that many waits do not read in step.
func TestPace_Next_Grows(t *testing.T) {
	t.Parallel()
	const rounds, pauses = 200, 20
	least := []time.Duration{3 * time.Second, 4500 * time.Millisecond, 6750 * time.Millisecond, 10125 * time.Millisecond, 13 * time.Second}
	shortest, longest := make([]time.Duration, len(least)), make([]time.Duration, len(least))
	for round := range rounds {
		p, _ := paced(-1, 0)
		for i := range pauses {
			step := min(i, len(least)-1)
			got := p.Next(0)
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

func TestPace_Next_Frequency(t *testing.T) {
	t.Parallel()
	for _, frequency := range []time.Duration{1, 7 * time.Second, time.Hour} {
		p, _ := paced(-1, frequency)
		for i := range 5 {
			if got := p.Next(0); got != frequency {
				t.Errorf("pause %d is %v, want %v", i, got, frequency)
			}
		}
	}
}

// What the service asks for counts once. The pace without a frequency grows meanwhile.
func TestPace_Next_Asked(t *testing.T) {
	t.Parallel()
	for name, frequency := range map[string]time.Duration{"growing": 0, "with a frequency": 7 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := paced(-1, frequency)
			for _, asked := range []time.Duration{40 * time.Second, 1, 3 * time.Hour} {
				if got := p.Next(asked); got != asked {
					t.Errorf("%v, want the %v that the service asked for", got, asked)
				}
			}
			want := frequency
			if frequency == 0 {
				want = 10125 * time.Millisecond // the fourth pause
			}
			if got := p.Next(0); got < want {
				t.Errorf("%v after them, want at least %v", got, want)
			}
			if got := p.Next(-1); got < want {
				t.Errorf("%v when less than nothing is asked for, want at least %v", got, want)
			}
		})
	}
}

// The last read comes when the time is up, neither before nor after, whatever the pace.
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
				pause := p.Next(c.asked)
				if pause <= 0 {
					t.Fatalf("a pause of %v, %v after the start", pause, clock.at.Sub(start))
				}
				clock.at = clock.at.Add(pause)
			}
			if got := clock.at.Sub(start); got != c.want {
				t.Errorf("over after %v, want %v", got, c.want)
			}
			clock.at = clock.at.Add(time.Second)
			if got := p.Next(0); got != -time.Second {
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

// A wait without end has long pauses too, if the service asks for them.
func TestPace_Next_WithoutEnd(t *testing.T) {
	t.Parallel()
	p, c := paced(-1, 0)
	c.at = c.at.Add(10000 * time.Hour)
	if got := p.Next(100 * time.Hour); got != 100*time.Hour {
		t.Errorf("%v, want what the service asked for", got)
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
