package ratelimit_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
	"weak"

	"pgregory.net/rapid"

	"github.com/go-intune/intune/internal/ratelimit"
)

const ms = time.Millisecond

// waiter is a wait without a goroutine, which reads again and again.
type waiter struct {
	reads *ratelimit.Reads
	turn  ratelimit.Turn
	every time.Duration
	at    []time.Time // when it read
	ended bool
}

// newWaiter is a wait whose first read is due at once.
func newWaiter(reads *ratelimit.Reads, every time.Duration) *waiter {
	w := &waiter{reads: reads, every: every}
	w.turn.Go = func(bool) {
		now := time.Now()
		w.at = append(w.at, now)
		if !w.ended {
			reads.Schedule(&w.turn, ratelimit.Order{Due: w.every, Last: now})
		}
	}
	reads.Schedule(&w.turn, ratelimit.Order{})
	return w
}

// end must be called while no turn goes.
func (w *waiter) end() {
	w.ended = true
	w.reads.Cancel(&w.turn)
}

// gaps are the times between its reads after a time, the shortest and the longest.
func (w *waiter) gaps(after time.Time) (least, most time.Duration) {
	least = math.MaxInt64
	for i := 1; i < len(w.at); i++ {
		if w.at[i-1].Before(after) {
			continue
		}
		gap := w.at[i].Sub(w.at[i-1])
		least, most = min(least, gap), max(most, gap)
	}
	return least, most
}

func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // fake time
	synctest.Wait()
}

// goes schedules turns, counts from a second later, and says when each goes, negative for one that goes without a read.
func goes(reads *ratelimit.Reads, orders ...ratelimit.Order) (at []time.Duration) {
	begin := time.Now().Add(time.Second)
	at = make([]time.Duration, len(orders))
	for i, o := range orders {
		o.Due += time.Second
		if o.Limit != 0 {
			o.Limit += min(time.Second, math.MaxInt64-o.Limit)
		}
		turn := &ratelimit.Turn{Go: func(read bool) {
			if at[i] = time.Since(begin); !read {
				at[i] = -at[i]
			}
		}}
		at[i] = notYet
		reads.Schedule(turn, o)
	}
	pass(time.Minute)
	return at
}

const notYet = time.Duration(math.MaxInt64)

func TestReads_Order(t *testing.T) {
	t.Parallel()
	type order = ratelimit.Order
	long := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	read := func(n time.Duration) time.Time { return long.Add(n) }
	const s = time.Second
	for name, c := range map[string]struct {
		perSecond float64
		given     []order
		want      []time.Duration
	}{
		"one":                       {10, []order{{}}, []time.Duration{0}},
		"when due":                  {10, []order{{Due: 1500 * ms}, {Due: 700 * ms}}, []time.Duration{1500 * ms, 700 * ms}},
		"evenly spaced":             {10, []order{{}, {Due: 1}, {Due: 2}}, []time.Duration{0, 100 * ms, 200 * ms}},
		"oldest first":              {10, []order{{Last: read(2)}, {Last: read(3)}, {Last: read(1)}}, []time.Duration{100 * ms, 200 * ms, 0}},
		"the due one, not the old":  {10, []order{{Last: read(2)}, {Due: 1, Last: read(1)}}, []time.Duration{0, 100 * ms}},
		"in the order of due times": {10, []order{{}, {Due: 3}, {Due: 1}, {Due: 2}}, []time.Duration{0, 300 * ms, 100 * ms, 200 * ms}},
		"ahead of older ones": {
			10, []order{{Last: read(2)}, {Last: read(3), Ahead: true}, {Last: read(1)}}, []time.Duration{200 * ms, 0, 100 * ms},
		},
		"the oldest of those ahead": {10, []order{{Last: read(2), Ahead: true}, {Last: read(1), Ahead: true}}, []time.Duration{100 * ms, 0}},
		"not ahead before it is due": {
			10, []order{{Due: 150 * ms, Ahead: true}, {}, {Due: 1}, {Due: 2}}, []time.Duration{200 * ms, 0, 100 * ms, 300 * ms},
		},
		"a read in ten seconds": {.1, []order{{}, {}}, []time.Duration{0, 10 * s}},
		"no limit":              {-1, []order{{}, {}, {Due: 5}}, []time.Duration{0, 0, 5}},
		"zero":                  {0, []order{{}, {}}, []time.Duration{0, 0}},
		"infinite":              {math.Inf(1), []order{{}, {}}, []time.Duration{0, 0}},
		"hardly any":            {1e-300, []order{{}, {Due: 1}}, []time.Duration{0, notYet}},

		"limit after the read":      {10, []order{{Due: 5, Limit: 6}}, []time.Duration{5}},
		"limit before the read":     {10, []order{{Due: s, Limit: 300 * ms}}, []time.Duration{-300 * ms}},
		"limit of a read due by it": {10, []order{{Due: 300 * ms, Limit: 300 * ms}}, []time.Duration{300 * ms}},
		"limit that never comes":    {10, []order{{Limit: math.MaxInt64}}, []time.Duration{0}},
		"ahead from its limit on": {
			10, []order{{}, {Due: 1}, {Due: 2}, {Due: 3, Limit: 150 * ms}}, []time.Duration{0, 100 * ms, 300 * ms, 200 * ms},
		},
		"no room ten seconds later":  {.05, []order{{}, {Due: 1, Limit: 5 * s}}, []time.Duration{0, -15 * s}},
		"room after the limit":       {.1, []order{{}, {Due: 1, Limit: 5 * s}}, []time.Duration{0, 10 * s}},
		"limits in their own order":  {10, []order{{Due: s, Limit: 30 * ms}, {Due: s, Limit: 10 * ms}}, []time.Duration{-30 * ms, -10 * ms}},
		"limits of reads in between": {1, []order{{}, {Due: 1}, {Due: 2, Limit: 3}}, []time.Duration{0, 2 * s, s}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				if got := goes(ratelimit.NewReads(c.perSecond), c.given...); !slices.Equal(got, c.want) {
					t.Errorf("at %v, want %v", got, c.want)
				}
			})
		})
	}
}

// What is over when a turn is scheduled goes at once: the read, or the limit of one that is not due.
func TestReads_Overdue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		order ratelimit.Order
		want  bool
	}{
		"a read":                      {ratelimit.Order{Due: -time.Hour}, true},
		"a read and its limit":        {ratelimit.Order{Due: -time.Hour, Limit: -time.Minute}, true},
		"the limit of one due later":  {ratelimit.Order{Due: time.Hour, Limit: -time.Minute}, false},
		"the limit of one that waits": {ratelimit.Order{Limit: -time.Hour}, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			read, err := ratelimit.NewReads(1).Wait(t.Context(), c.order)
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); read != c.want || took != 0 {
				t.Errorf("%s: a read is %v after %v, want %v at once", name, read, took, c.want)
			}
		})
	}
}

// With room for all, each reads when it is due. With more waits than that, all gaps are equal. In between, those that
// read rarely keep doing so.
func TestReads_Fairness(t *testing.T) {
	t.Parallel()
	const perSecond = 25
	for name, c := range map[string]struct {
		often, seldom         int // waits of two seconds and of eight
		oftenGap, seldomGap   time.Duration
		oftenMost, seldomMost time.Duration
	}{
		"room":      {40, 12, 2 * time.Second, 8 * time.Second, 2500 * ms, 8500 * ms},
		"more":      {100, 0, 4 * time.Second, 0, 4 * time.Second, 0},
		"many more": {500, 0, 20 * time.Second, 0, 20 * time.Second, 0},
		"mixed":     {300, 200, 20 * time.Second, 20 * time.Second, 20 * time.Second, 20 * time.Second},
		// 40 of the 200 reads in eight seconds leave two for each of the others, and come all at once.
		"in between": {80, 40, 4 * time.Second, 8 * time.Second, 4800 * ms, 8800 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				reads := ratelimit.NewReads(perSecond)
				var often, seldom []*waiter
				for range c.often {
					often = append(often, newWaiter(reads, 2*time.Second))
				}
				for range c.seldom {
					seldom = append(seldom, newWaiter(reads, 8*time.Second))
				}
				settled := time.Now().Add(2 * time.Minute)
				pass(5 * time.Minute)
				check := func(kind string, waits []*waiter, want, longest time.Duration) {
					t.Helper()
					for i, w := range waits {
						w.end()
						if first := w.at[0].Sub(settled.Add(-2 * time.Minute)); first > longest {
							t.Errorf("%s %d: the first read came after %v", kind, i, first)
						}
						least, most := w.gaps(settled)
						if slack := longest - want; least < want-slack {
							t.Errorf("%s %d: a gap of %v, want %v", kind, i, least, want)
						}
						if most > longest {
							t.Errorf("%s %d: a gap of %v, want at most %v", kind, i, most, longest)
						}
					}
				}
				check("often", often, c.oftenGap, c.oftenMost)
				check("seldom", seldom, c.seldomGap, c.seldomMost)
			})
		})
	}
}

// A read that goes out at once takes the next one from the others, but no more than every other one, and not for long.
func TestReads_Charge(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for name, c := range map[string]struct {
		perSecond float64
		charged   int
		want      []time.Duration
	}{
		"none":        {10, 0, []time.Duration{0, 100 * ms, 200 * ms, 300 * ms}},
		"one":         {10, 1, []time.Duration{0, 200 * ms, 300 * ms, 400 * ms}},
		"two":         {10, 2, []time.Duration{0, 200 * ms, 400 * ms, 500 * ms}},
		"far more":    {1, 1000, []time.Duration{0, 2 * s, 4 * s, 6 * s, 8 * s, 9 * s}},
		"a low limit": {.1, 1, []time.Duration{0, 20 * s, 30 * s}},
		"no limit":    {-1, 5, []time.Duration{0, 0, 0}},
	} {
		synctest.Test(t, func(t *testing.T) {
			reads, start := ratelimit.NewReads(c.perSecond), time.Now()
			var got []time.Duration
			for i := range c.want {
				if i == 1 {
					for range c.charged {
						reads.Charge()
					}
				}
				if _, err := reads.Wait(t.Context(), ratelimit.Order{}); err != nil {
					t.Fatal(err)
				}
				got = append(got, time.Since(start))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: at %v, want %v", name, got, c.want)
			}
		})
	}
}

// What was charged long ago does not count.
func TestReads_ChargeWithRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reads := ratelimit.NewReads(10)
		reads.Charge()
		if got, want := goes(reads, ratelimit.Order{}, ratelimit.Order{Due: 1}), []time.Duration{0, 100 * ms}; !slices.Equal(got, want) {
			t.Errorf("at %v, want %v", got, want)
		}
	})
}

// While requests go out without end, waits still have half of the budget.
func TestReads_ChargeWithoutEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reads := ratelimit.NewReads(10)
		w := newWaiter(reads, ms)
		for range 1000 {
			reads.Charge()
			pass(10 * ms)
		}
		w.end()
		if n := len(w.at); n < 50 || n > 52 {
			t.Errorf("%d reads in ten seconds, want 50", n)
		}
	})
}

// Waits that are under way have the new rate at once: a read that would be due after an hour's gap goes now.
func TestReads_SetRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reads := ratelimit.NewReads(1. / 3600)
		list := make([]*waiter, 10)
		for i := range list {
			list[i] = newWaiter(reads, 0)
		}
		pass(time.Second)
		for i, c := range []struct{ perSecond, state, most float64 }{{10, 10, 10}, {.5, .5, .5}, {2, 2, 2}, {25, 25, 25}} {
			before := readsBy(list)
			reads.SetRate(c.perSecond)
			if got, _ := reads.State(); got != c.state {
				t.Errorf("%d: %v a second, want %v", i, got, c.state)
			}
			pass(20 * time.Second)
			if got, want := readsBy(list)-before, int(20*c.most); got < want || got > want+1 {
				t.Errorf("%d: %d reads in 20 seconds, want %d", i, got, want)
			}
		}
		for _, w := range list {
			w.end()
		}
	})
}

// readsBy is how many reads some waits have made together.
func readsBy(list []*waiter) (n int) {
	for _, w := range list {
		n += len(w.at)
	}
	return n
}

// What the service's refusals did to the rate is kept, and so is its pause.
func TestReads_SetRateWhileThrottled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reads, start := ratelimit.NewReads(8), time.Now()
		state := func(want float64) {
			t.Helper()
			perSecond, until := reads.State()
			if math.Abs(perSecond-want) > 1e-9 {
				t.Errorf("%v a second, want %v", perSecond, want)
			}
			if got := until.Sub(start); got != 10*time.Second {
				t.Errorf("paused for %v, want 10s", got)
			}
		}
		reads.Throttled(start, 10*time.Second)
		state(4)
		reads.SetRate(2)
		state(1)
		reads.Succeeded()
		state(1.02)
		reads.SetRate(8)
		state(4.08)
		reads.SetRate(-1)
		state(-1)
		reads.SetRate(3)
		state(3)
		reads.SetRate(math.Inf(1))
		state(-1)
		reads.SetRate(3)
		state(3)
		if at := goes(reads, ratelimit.Order{}); at[0] != 9*time.Second {
			t.Errorf("a turn went after %v, want 9s", at[0])
		}
	})
}

func TestReads_Throttled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reads := ratelimit.NewReads(8)
		start := time.Now()
		waits := []*waiter{newWaiter(reads, 2*time.Second), newWaiter(reads, 2*time.Second)}
		pass(time.Second)
		reads.Throttled(start, 10*time.Second)
		reads.Throttled(start, 2*time.Second) // sent before that, and a shorter pause
		perSecond, until := reads.State()
		if perSecond != 4 {
			t.Errorf("%v a second, want 4", perSecond)
		}
		if got := until.Sub(start); got != 11*time.Second {
			t.Errorf("until %v, want 11s", got)
		}
		pass(11 * time.Second)
		for i, w := range waits {
			want := start.Add(11*time.Second + time.Duration(i)*250*ms)
			if got := w.at[1]; !got.Equal(want) {
				t.Errorf("wait %d read at %v, want %v", i, got.Sub(start), want.Sub(start))
			}
			w.end()
		}
		for range 50 {
			reads.Succeeded()
		}
		if perSecond, _ := reads.State(); math.Abs(perSecond-8) > 1e-9 {
			t.Errorf("%v a second after fifty reads, want 8", perSecond)
		}
		for range 20 {
			reads.Throttled(time.Now(), 0)
		}
		if perSecond, _ := reads.State(); perSecond != .25 {
			t.Errorf("%v a second, want a quarter", perSecond)
		}
	})
}

// During a pause, a wait is decided at its limit without a read, and nobody goes ahead.
func TestReads_LimitWhileThrottled(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for _, perSecond := range []float64{1, -1} {
		synctest.Test(t, func(t *testing.T) {
			reads := ratelimit.NewReads(perSecond)
			reads.Throttled(time.Now(), 6*s) // until 5 s of what follows
			got := goes(reads,
				ratelimit.Order{Limit: 3 * s}, ratelimit.Order{Due: 1, Ahead: true}, ratelimit.Order{Due: 20 * s, Limit: 5 * s},
				ratelimit.Order{Due: 4 * s, Limit: 5 * s, Ahead: true, Last: time.Now()})
			want := []time.Duration{-3 * s, 5 * s, -5 * s, 7 * s}
			if perSecond < 0 {
				want[3] = 5 * s
			}
			if !slices.Equal(got, want) {
				t.Errorf("with %v a second at %v, want %v", perSecond, got, want)
			}
		})
	}
}

func TestReads_ThrottledWithoutALimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reads := ratelimit.NewReads(-1)
		reads.Throttled(time.Now(), 3*time.Second)
		reads.Succeeded()
		want := []time.Duration{2 * time.Second, 2 * time.Second}
		if got := goes(reads, ratelimit.Order{}, ratelimit.Order{}); !slices.Equal(got, want) {
			t.Errorf("at %v, want %v", got, want)
		}
		if perSecond, _ := reads.State(); perSecond != -1 {
			t.Errorf("%v a second", perSecond)
		}
	})
}

// Scheduled again, a turn has its new place only. Canceled, it does not go.
func TestReads_Reschedule(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reads, start := ratelimit.NewReads(10), time.Now()
		var at []time.Duration
		turn := ratelimit.Turn{Go: func(bool) { at = append(at, time.Since(start)) }}
		reads.Schedule(&turn, ratelimit.Order{Due: time.Second, Limit: 2 * time.Second})
		reads.Schedule(&turn, ratelimit.Order{Due: 3 * time.Second})
		pass(5 * time.Second)
		if want := []time.Duration{3 * time.Second}; !slices.Equal(at, want) {
			t.Errorf("at %v, want %v", at, want)
		}
		if reads.Cancel(&turn) {
			t.Error("canceled after it has gone")
		}
		reads.Schedule(&turn, ratelimit.Order{Due: time.Second, Limit: 1})
		if !reads.Cancel(&turn) {
			t.Error("not there to be canceled")
		}
		if reads.Cancel(&turn) {
			t.Error("canceled twice")
		}
		first := ratelimit.Turn{Go: func(bool) {}}
		reads.Schedule(&first, ratelimit.Order{})
		reads.Schedule(&turn, ratelimit.Order{Last: time.Now()})
		pass(10 * ms) // the first one has gone, and the budget has no room for the other yet
		if !reads.Cancel(&turn) {
			t.Error("not there to be canceled while it is due")
		}
		pass(5 * time.Second)
		if len(at) != 1 {
			t.Errorf("went at %v although it was canceled", at[1:])
		}
	})
}

// Whoever gives up leaves the turn to the next one.
func TestReads_Wait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reads, start := ratelimit.NewReads(1), time.Now()
		if read, err := reads.Wait(t.Context(), ratelimit.Order{Due: time.Second}); !read || err != nil {
			t.Errorf("a read is %v, error %v", read, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*ms)
		defer cancel()
		if read, err := reads.Wait(ctx, ratelimit.Order{}); read || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a read is %v, error %v, want the end of the context", read, err)
		}
		if read, err := reads.Wait(t.Context(), ratelimit.Order{Due: time.Hour, Limit: 1}); read || err != nil {
			t.Errorf("a read is %v, error %v at the limit", read, err)
		}
		if read, err := reads.Wait(t.Context(), ratelimit.Order{}); !read || err != nil {
			t.Errorf("a read is %v, error %v", read, err)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("the second read came after %v, want 2s", took)
		}
		for range 100 {
			if _, err := ratelimit.NewReads(-1).Wait(ctx, ratelimit.Order{}); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("an ended context: %v", err)
			}
		}
	})
}

// A turn may schedule itself and others, and be canceled, from within Go: no lock is held there.
func TestReads_GoUsesReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reads := ratelimit.NewReads(100)
		n := 0
		var turn, other ratelimit.Turn
		other.Go = func(bool) { t.Error("the other one went") }
		turn.Go = func(bool) {
			reads.Schedule(&other, ratelimit.Order{Due: ms})
			reads.Charge()
			reads.Throttled(time.Now(), ms)
			reads.Succeeded()
			reads.Cancel(&other)
			if n++; n < 3 {
				reads.Schedule(&turn, ratelimit.Order{})
			}
		}
		reads.Schedule(&turn, ratelimit.Order{})
		pass(time.Minute)
		if n != 3 {
			t.Errorf("went %d times, want 3", n)
		}
	})
}

// With nothing scheduled, no timer refers to the budget.
func TestReads_LeavesNothingBehind(t *testing.T) {
	t.Parallel()
	kept := func() weak.Pointer[ratelimit.Reads] {
		reads := ratelimit.NewReads(25)
		if read, err := reads.Wait(t.Context(), ratelimit.Order{}); !read || err != nil {
			t.Errorf("a read is %v, error %v", read, err)
		}
		var turn ratelimit.Turn
		reads.Schedule(&turn, ratelimit.Order{Due: time.Hour, Limit: 2 * time.Hour})
		reads.Cancel(&turn)
		return weak.Make(reads)
	}()
	for range 10 {
		if runtime.GC(); kept.Value() == nil {
			return
		}
	}
	t.Error("the budget is still referred to")
}

func TestReads_Memory(t *testing.T) {
	t.Parallel()
	if size := unsafe.Sizeof(ratelimit.Turn{}); size > 128 {
		t.Errorf("a turn has %d bytes", size)
	}
}

// event is one of a random history: what is done to the budget, or a turn that goes.
type event struct {
	at    time.Duration
	kind  string // schedule, cancel, charge, throttled, succeeded, rate; goes, ends (without a read)
	turn  int
	order ratelimit.Order // of schedule; Due, Limit and Last from the beginning on
	pause time.Duration   // of throttled
	rate  float64         // of rate
}

const turnsOfAHistory = 8

func drawHistory(t *rapid.T) (perSecond float64, script []event) {
	rates := rapid.SampledFrom([]float64{-1, .5, 2, 10})
	perSecond = rates.Draw(t, "per second")
	pauses := rapid.SampledFrom([]time.Duration{0, 0, ms, 50 * ms, 300 * ms, 2 * time.Second, 7 * time.Second})
	now := time.Duration(0)
	for range rapid.IntRange(1, 60).Draw(t, "length") {
		now += pauses.Draw(t, "pause")
		e := event{at: now, turn: rapid.IntRange(0, turnsOfAHistory-1).Draw(t, "turn")}
		e.kind = rapid.SampledFrom([]string{
			"schedule", "schedule", "schedule", "schedule", "schedule", "cancel", "charge", "throttled", "succeeded", "rate",
		}).Draw(t, "kind")
		switch e.kind {
		case "schedule":
			e.order = ratelimit.Order{
				Due: pauses.Draw(t, "due"), Limit: pauses.Draw(t, "limit"), Ahead: rapid.Bool().Draw(t, "ahead"),
				Last: time.Time{}.Add(pauses.Draw(t, "last")),
			}
		case "throttled":
			e.pause = pauses.Draw(t, "wait")
		case "rate":
			e.rate = rates.Draw(t, "rate")
		}
		script = append(script, e)
	}
	return perSecond, script
}

// play does what the script says, and returns the whole history in its order.
func play(t *testing.T, perSecond float64, script []event) (history []event) {
	synctest.Test(t, func(*testing.T) {
		reads, start := ratelimit.NewReads(perSecond), time.Now()
		var list [turnsOfAHistory]ratelimit.Turn
		var mu sync.Mutex
		for i := range list {
			list[i].Go = func(read bool) {
				mu.Lock()
				defer mu.Unlock()
				kind := "ends"
				if read {
					kind = "goes"
				}
				history = append(history, event{at: time.Since(start), kind: kind, turn: i})
			}
		}
		for _, e := range script {
			pass(e.at - time.Since(start))
			mu.Lock()
			history = append(history, e)
			mu.Unlock()
			switch e.kind {
			case "schedule":
				reads.Schedule(&list[e.turn], e.order)
			case "cancel":
				reads.Cancel(&list[e.turn])
			case "charge":
				reads.Charge()
			case "throttled":
				reads.Throttled(time.Now(), e.pause)
			case "succeeded":
				reads.Succeeded()
			case "rate":
				reads.SetRate(e.rate)
			}
			synctest.Wait()
		}
		pass(time.Hour)
	})
	return history
}

// A model of the budget that keeps no state: each question is put to the whole history.
func TestReads_Model(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		perSecond, script := drawHistory(rt)
		m := model{play(t, perSecond, script), perSecond}
		for i, e := range m.history {
			wrong := ""
			switch e.kind {
			case "goes":
				wrong = m.wrongToGo(i)
			case "ends":
				wrong = m.wrongToEnd(i)
			}
			if wrong != "" {
				rt.Fatalf("%v a second, event %d: %s\n%+v", perSecond, i, wrong, m.history)
			}
		}
		for turn := range turnsOfAHistory {
			if _, placed := m.placed(turn, len(m.history)); placed {
				rt.Fatalf("%v a second: turn %d never went\n%+v", perSecond, turn, m.history)
			}
		}
	})
}

type model struct {
	history   []event
	perSecond float64
}

// placed is the order under which a turn waits just before an event, with absolute times.
func (m model) placed(turn, before int) (o ratelimit.Order, placed bool) {
	for _, e := range m.history[:before] {
		if e.turn != turn {
			continue
		}
		switch e.kind {
		case "schedule":
			o, placed = e.order, true
			if o.Due += e.at; o.Limit != 0 {
				o.Limit += e.at
			}
		case "cancel", "goes", "ends":
			placed = false
		}
	}
	return o, placed
}

// paused is until when the service wants no read, as known just before an event.
func (m model) paused(before int) (until time.Duration) {
	for _, e := range m.history[:before] {
		if e.kind == "throttled" {
			until = max(until, e.at+e.pause)
		}
	}
	return until
}

// gap is the time between two reads just before an event.
func (m model) gap(before int) time.Duration {
	full, part := m.perSecond, 1.
	for _, e := range m.history[:before] {
		switch e.kind {
		case "throttled":
			part = max(part/2, 1./32)
		case "succeeded":
			part = min(part+1./100, 1)
		case "rate":
			full = e.rate
		}
		if full < 0 {
			part = 1
		}
	}
	if full < 0 {
		return 0
	}
	return time.Duration(float64(time.Second) / (full * part))
}

const rounding = time.Microsecond

// wrongToGo says what is wrong with a turn that goes for a read.
func (m model) wrongToGo(i int) string {
	e := m.history[i]
	own, placed := m.placed(e.turn, i)
	switch {
	case !placed:
		return "is not scheduled"
	case e.at < own.Due:
		return fmt.Sprintf("goes before it is due at %v", own.Due)
	case e.at < m.paused(i):
		return "goes during a pause"
	}
	free, slowest, charged := time.Duration(math.MinInt64), m.gap(i), false
	for before := i - 1; before >= 0 && free < 0; before-- {
		slowest = max(slowest, m.gap(before))
		if m.history[before].kind == "goes" {
			free = m.history[before].at
		}
	}
	for _, other := range m.history[:i] {
		charged = charged || other.kind == "charge" || other.kind == "rate" // what is left of a gap is then owed
	}
	if free >= 0 && e.at < free+m.gap(i)-rounding {
		return "goes although the budget has no room"
	}
	if charged {
		slowest *= 2
	}
	if latest := max(own.Due, m.paused(i), free+slowest+rounding); free >= 0 && e.at > latest {
		return fmt.Sprintf("could have gone at %v", latest)
	}
	for turn := range turnsOfAHistory {
		other, placed := m.placed(turn, i)
		if turn == e.turn || !placed || other.Due > e.at {
			continue
		}
		hurried := func(o ratelimit.Order) int { // less is more
			if o.Ahead || o.Limit != 0 && o.Limit <= e.at {
				return 0
			}
			return 1
		}
		if cmp.Or(hurried(other)-hurried(own), other.Last.Compare(own.Last)) < 0 {
			return fmt.Sprintf("goes before turn %d", turn)
		}
	}
	return ""
}

// wrongToEnd says what is wrong with a turn that goes without a read.
func (m model) wrongToEnd(i int) string {
	e := m.history[i]
	own, placed := m.placed(e.turn, i)
	switch {
	case !placed:
		return "is not scheduled"
	case own.Limit == 0:
		return "has no limit"
	case e.at == own.Limit && own.Due <= e.at && m.paused(i) <= e.at:
		return "could have been read at its limit"
	case e.at != own.Limit && e.at != own.Limit+10*time.Second:
		return fmt.Sprintf("has its limit at %v", own.Limit)
	}
	return ""
}

// BenchmarkReads is one read of one of so many waits: a turn that is scheduled and goes.
func BenchmarkReads(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(n, " turns"), func(b *testing.B) {
			reads := ratelimit.NewReads(25)
			list := make([]ratelimit.Turn, n)
			random := rand.New(rand.NewPCG(1, 2))
			place := func(t *ratelimit.Turn) {
				reads.Schedule(t, ratelimit.Order{Due: time.Hour + time.Duration(random.IntN(1e9)), Limit: 2 * time.Hour})
			}
			for i := range list {
				place(&list[i])
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				reads.Cancel(&list[i%n])
				place(&list[i%n])
			}
		})
	}
}
