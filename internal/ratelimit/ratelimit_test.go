package ratelimit_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune/internal/ratelimit"
)

// waits gives the times, from now, at which n items may go one after another.
func waits(t *testing.T, l *ratelimit.Limiter, n int) (at []time.Duration) {
	t.Helper()
	start := time.Now()
	for range n {
		if err := l.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		at = append(at, time.Since(start))
	}
	return at
}

func TestSpacing(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		perSecond float64
		want      []time.Duration
	}{
		"one by one": {5, []time.Duration{0, 200 * ms, 400 * ms}},
		"slow":       {.5, []time.Duration{0, 2000 * ms}},
		"zero":       {0, []time.Duration{0, 0, 0}},
		"none":       {-1, []time.Duration{0, 0, 0}},
	} {
		synctest.Test(t, func(t *testing.T) {
			if got := waits(t, ratelimit.New(c.perSecond), len(c.want)); !slices.Equal(got, c.want) {
				t.Errorf("%s: at %v, want %v", name, got, c.want)
			}
		})
	}
}

func TestThrottled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := ratelimit.New(8)
		start := time.Now()
		expect := func(want float64, until time.Duration) {
			t.Helper()
			got, paused := l.State()
			if math.Abs(got-want) > 1e-9 { // many small steps do not add up exactly
				t.Errorf("%v a second, want %v", got, want)
			}
			if paused.Sub(start) != until {
				t.Errorf("until %v, want %v", paused.Sub(start), until)
			}
		}
		_ = l.Wait(t.Context())
		first := time.Now()
		time.Sleep(time.Second) //nolint:forbidigo // fake time
		l.Throttled(first, 10*time.Second)
		expect(4, 11*time.Second)
		// What was sent before that does not count again, and a shorter pause does not end the longer one.
		l.Throttled(first.Add(500*time.Millisecond), 2*time.Second)
		expect(4, 11*time.Second)
		want := []time.Duration{10 * time.Second, 10250 * time.Millisecond, 10500 * time.Millisecond}
		if got := waits(t, l, 3); !slices.Equal(got, want) {
			t.Errorf("at %v, want %v", got, want)
		}
		l.Throttled(time.Now(), 0)
		expect(2, 11500*time.Millisecond)
		for range 10 {
			l.Throttled(time.Now(), 0)
		}
		expect(.25, 11500*time.Millisecond)
		accepted := func(n int) {
			for range n {
				l.Accepted()
			}
		}
		accepted(25)
		expect(2.25, 11500*time.Millisecond)
		accepted(25)
		expect(4.25, 11500*time.Millisecond)
		accepted(1000)
		expect(8, 11500*time.Millisecond)
	})
}

func TestThrottledWithoutARate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := ratelimit.New(-1)
		l.Throttled(time.Now(), time.Second)
		l.Accepted()
		if got := waits(t, l, 2); !slices.Equal(got, []time.Duration{time.Second, time.Second}) {
			t.Errorf("at %v", got)
		}
		if perSecond, _ := l.State(); perSecond != -1 {
			t.Errorf("%v a second", perSecond)
		}
	})
}

// When the service throttles, those in line wait until the pause ends, and then for another turn.
func TestThrottledMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := ratelimit.New(1)
		start := time.Now()
		_ = l.Wait(t.Context())
		went := make(chan time.Duration)
		for range 3 {
			go func() {
				_ = l.Wait(t.Context())
				went <- time.Since(start)
			}()
		}
		synctest.Wait()
		l.Throttled(time.Now(), 10*time.Second)
		last := time.Duration(0)
		for range 3 {
			at := <-went
			if earliest := max(10*time.Second, last+2*time.Second); at < earliest {
				t.Errorf("one went at %v, want at %v at the earliest", at, earliest)
			}
			last = at
		}
	})
}

// Whoever gives up leaves the turn to the next one.
func TestContextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := ratelimit.New(1)
		_ = l.Wait(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := l.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if got := waits(t, l, 1); got[0] != 900*time.Millisecond {
			t.Errorf("at %v", got)
		}
		l.Throttled(time.Now(), time.Minute)
		start := time.Now()
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
		if err := ratelimit.New(-1).Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an ended context: %v", err)
		}
	})
}

// The end of the context counts even if the pause is over at the same time.
func TestSleepOfAnEndedContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		if err := ratelimit.Sleep(ctx, 0); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	}
}
