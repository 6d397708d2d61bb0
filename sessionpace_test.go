package intune_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
)

// readTimes are the times of the reads of all waits, in the order of the service.
type readTimes struct {
	start time.Time

	mu sync.Mutex
	at map[string][]time.Duration // by device, from the request on
}

// readsOf counts the reads of what goes through a transport. Those before a device's request do not count.
func readsOf(transport http.RoundTripper) (*readTimes, transportFunc) {
	r := &readTimes{start: time.Now(), at: map[string][]time.Duration{}}
	return r, func(req *http.Request) (*http.Response, error) {
		_, device, _ := strings.Cut(req.URL.Path, "/managedDevices/")
		device, write := strings.CutSuffix(device, "/requestRemoteAssistance")
		r.mu.Lock()
		if at, waits := r.at[device]; write {
			r.at[device] = []time.Duration{}
		} else if waits {
			r.at[device] = append(at, time.Since(r.start))
		}
		r.mu.Unlock()
		return transport.RoundTrip(req)
	}
}

// all are the times of all reads, and mostIn how many there were in any period of a length.
func (r *readTimes) all() (at []time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, reads := range r.at {
		at = append(at, reads...)
	}
	slices.Sort(at)
	return at
}

func mostIn(period time.Duration, at []time.Duration) (most int) {
	for i, first := 0, 0; i < len(at); i++ {
		for at[i]-at[first] >= period {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// gapsOf are the times between reads.
func gapsOf(at []time.Duration) (gaps []time.Duration) {
	for i := 1; i < len(at); i++ {
		gaps = append(gaps, at[i]-at[i-1])
	}
	return gaps
}

// sharing is a client of a tenant whose reads are counted.
func sharing(tb testing.TB, tenant *intunetest.Tenant, perSecond float64) (*intune.Client, *readTimes) {
	tb.Helper()
	times, transport := readsOf(tenant)
	options := tenant.ClientOptions()
	options.Transport, options.SessionReadsPerSecond = transport, perSecond
	client, err := intune.NewClient(tenant.Credential(), options)
	if err != nil {
		tb.Fatal(err)
	}
	return client, times
}

// openAtOnce opens sessions on new devices at the same time, and returns when all waits have ended.
func openAtOnce(t *testing.T, tenant *intunetest.Tenant, client *intune.Client, n int, options *intune.OpenRemoteAssistanceOptions) {
	t.Helper()
	var waits sync.WaitGroup
	for range n {
		device := tenant.AddDevice(intune.ManagedDevice{}, never)
		waits.Go(func() {
			_, err := client.OpenRemoteAssistance(t.Context(), device, options)
			if !errors.Is(err, intune.ErrSessionPending) {
				t.Errorf("%v: %v", device, err)
			}
		})
	}
	waits.Wait()
}

// A wait reads less often as its request becomes older, with jitter, so that many waits do not read in step.
func TestOpenRemoteAssistance_Pace(t *testing.T) {
	t.Parallel()
	bubble(t, "by age", func(t *testing.T, tenant *intunetest.Tenant) {
		client, times := sharing(t, tenant, 0)
		openAtOnce(t, tenant, client, 1, &intune.OpenRemoteAssistanceOptions{MaxWait: 20 * time.Minute})
		at := times.all()
		if n := len(at); n < 60+118+73 || n > 60+122+77 {
			t.Errorf("%d reads, want some 60, 120 and 75", n)
		}
		distinct := map[time.Duration]bool{}
		for i, gap := range gapsOf(at[:len(at)-1]) { // the last read is at the end of MaxWait
			want := 8 * time.Second
			switch before := at[i]; {
			case before < 2*time.Minute:
				want = 2 * time.Second
			case before < 10*time.Minute:
				want = 4 * time.Second
			}
			if gap < want*19/20 || gap > want*21/20 {
				t.Errorf("%v after the request a gap of %v, want %v", at[i], gap, want)
			}
			distinct[gap] = true
		}
		if first := at[0]; first < 1900*time.Millisecond || first > 2100*time.Millisecond {
			t.Errorf("the first read came after %v", first)
		}
		if len(distinct) < len(at)/2 {
			t.Errorf("%d of %d gaps are different", len(distinct), len(at))
		}
	})
}

// The age counts from the request, also in a wait that is continued.
func TestWaitForRemoteAssistance_Pace(t *testing.T) {
	t.Parallel()
	const s, minute = time.Second, time.Minute
	for age, want := range map[time.Duration]time.Duration{0: 2 * s, minute + 50*s: 2 * s, 3 * minute: 4 * s, 60 * minute: 8 * s} {
		bubble(t, age.String(), func(t *testing.T, tenant *intunetest.Tenant) {
			token := begin(t, tenant, waiting(tenant, intune.ManagedDevice{}, never), nil)
			pass(age)
			begun := len(tenant.Requests())
			_, err := tenant.Client().WaitForRemoteAssistance(t.Context(), token, &intune.WaitForRemoteAssistanceOptions{MaxWait: want + want/2})
			checkKinds(t, err, intune.ErrSessionPending)
			reads := tenant.Requests()[begun:]
			if len(reads) != 3 {
				t.Fatalf("%d reads, want 3", len(reads))
			}
			if gap := reads[1].Time.Sub(reads[0].Time); gap < want*19/20 || gap > want*21/20 {
				t.Errorf("a gap of %v, want %v", gap, want)
			}
		})
	}
}

// A slow answer does not make the time between two reads longer, as long as it does not take most of it.
func TestOpenRemoteAssistance_SlowAnswers(t *testing.T) {
	t.Parallel()
	const frequency = 4 * time.Second
	for took, want := range map[time.Duration]time.Duration{
		0: frequency, time.Second: frequency, 2 * time.Second: frequency, 5 * time.Second: 7 * time.Second,
	} {
		bubble(t, took.String(), func(t *testing.T, tenant *intunetest.Tenant) {
			client, times := sharing(t, tenant, 0)
			tenant.Inject(intunetest.Fault{Method: http.MethodGet, Delay: took, Times: -1})
			openAtOnce(t, tenant, client, 1, &intune.OpenRemoteAssistanceOptions{Frequency: frequency, MaxWait: 3*want + time.Second})
			for i, gap := range gapsOf(times.all()[:3]) {
				if gap != want {
					t.Errorf("gap %d is %v, want %v", i, gap, want)
				}
			}
		})
	}
}

// A read that failed and may do better goes again a second later, three times running, and a success counts anew.
func TestOpenRemoteAssistance_FailedReadGoesAgain(t *testing.T) {
	t.Parallel()
	none := sessionOf("", "")
	ok := says(200, none)
	for name, c := range map[string]struct {
		fails func(*http.Request) (*http.Response, error)
		again bool
	}{
		"500":                    {says(500, ""), true},
		"503":                    {says(503, ""), true},
		"504":                    {says(504, ""), true},
		"a broken connection":    {noConnection, true},
		"an answer that breaks":  {says(200, "{"), true},
		"an error in an answer":  {says(200, `{"error":{"code":"InternalServerError","message":"m"}}`), true},
		"404":                    {says(404, ""), false},
		"429":                    {says(429, ""), false},
		"throttled in an answer": {says(200, `{"error":{"code":"TooManyRequests","message":"m"}}`), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := c.fails
				times, transport := readsOf(reads(ok, f, ok, f, f, f, f, f, ok, f, says(200, sessionOf(newLink, ""))))
				_, err := newClient(t, transport, noRetries).OpenRemoteAssistance(t.Context(), intune.Device("d1"),
					&intune.OpenRemoteAssistanceOptions{Frequency: 10 * time.Second})
				if err != nil {
					t.Fatal(err)
				}
				want := "[1s 10s 1s 1s 1s 10s 10s 10s 1s]"
				if !c.again {
					want = "[10s 10s 10s 10s 10s 10s 10s 10s 10s]"
				}
				if got := fmt.Sprint(gapsOf(times.all())); got != want {
					t.Errorf("gaps %s, want %s", got, want)
				}
			})
		})
	}
}

// The pause that the service asks for is a lower bound for a read that goes again, too.
func TestOpenRemoteAssistance_FailedReadAsksForAPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fails := says(503, "", "Retry-After", "3")
		times, transport := readsOf(reads(says(200, sessionOf("", "")), fails, says(200, sessionOf(newLink, ""))))
		if _, err := newClient(t, transport, noRetries).OpenRemoteAssistance(t.Context(), intune.Device("d1"), nil); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(gapsOf(times.all())); got != "[3s]" {
			t.Errorf("gaps %s, want 3s", got)
		}
	})
}

func TestClientOptions_SessionReadsPerSecond(t *testing.T) {
	t.Parallel()
	for perSecond, most := range map[float64]int{0: 25, 2: 2, .5: 1, 40: 40, -1: 100, math.Inf(-1): 100, math.Inf(1): 100} {
		bubble(t, fmt.Sprint(perSecond), func(t *testing.T, tenant *intunetest.Tenant) {
			client, times := sharing(t, tenant, perSecond)
			openAtOnce(t, tenant, client, 100, &intune.OpenRemoteAssistanceOptions{Frequency: 2 * time.Second, MaxWait: 20 * time.Second})
			if got := mostIn(time.Second, times.all()); got != most {
				t.Errorf("%d reads in a second, want %d", got, most)
			}
		})
	}
	_, err := intune.NewClient(intune.StaticToken("opaque-token"), &intune.ClientOptions{SessionReadsPerSecond: math.NaN()})
	checkKinds(t, err, intune.ErrInvalidArgument)
	checkSays(t, err, "options.SessionReadsPerSecond", "25")
}

// A wait that is under way reads at the new rate, whichever of the clients that share the budget it was set with.
func TestClient_SetSessionReadsPerSecond(t *testing.T) {
	t.Parallel()
	bubble(t, "while two people wait", func(t *testing.T, tenant *intunetest.Tenant) {
		client, times := sharing(t, tenant, .1)
		other := as(t, client, tenant.Credential())
		var waits sync.WaitGroup
		waits.Go(func() {
			options := &intune.OpenRemoteAssistanceOptions{Frequency: time.Second, MaxWait: 300*time.Second - 1}
			openAtOnce(t, tenant, client, 40, options)
		})
		period := func(i int) (n int) {
			for _, at := range times.all() {
				if at/(100*time.Second) == time.Duration(i) {
					n++
				}
			}
			return n
		}
		for i, c := range []struct {
			set  float64
			want int
		}{{.5, 50}, {0, 2500}, {2, 200}} {
			if err := other.SetSessionReadsPerSecond(c.set); err != nil {
				t.Fatal(err)
			}
			pass(100 * time.Second)
			if i == 2 {
				waits.Wait()
			}
			if got := period(i); got < c.want-2 || got > c.want+2 {
				t.Errorf("at %v a second %d reads in 100 seconds, want %d", c.set, got, c.want)
			}
		}
	})
}

func TestClient_SetSessionReadsPerSecond_Refuses(t *testing.T) {
	t.Parallel()
	client := newClient(t, inTurn())
	checkRefused(t, client.SetSessionReadsPerSecond(math.NaN()), "perSecond", "25")
	for _, notMade := range []*intune.Client{nil, {}} {
		checkRefused(t, notMade.SetSessionReadsPerSecond(1), "NewClient")
	}
}

// A fake's own pace knows no budget, neither of the reads before requests nor of those of waits.
func TestClientOptions_SessionReadsPerSecondOfAFake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		fake := pacedTransport{pace: time.Millisecond, transportFunc: func(req *http.Request) (*http.Response, error) {
			link := ""
			switch n++; {
			case req.Method == http.MethodPost:
				return answer(req, http.StatusNoContent, nil, ""), nil
			case n == 100:
				link = newLink
			case n == 50:
				return says(429, "")(req)
			}
			return says(200, sessionOf(link, ""))(req)
		}}
		client := newClient(t, fake, func(o *intune.ClientOptions) { o.SessionReadsPerSecond = .01 })
		start := time.Now()
		if _, err := client.OpenRemoteAssistance(t.Context(), intune.Device("d1"), nil); err != nil {
			t.Fatal(err)
		}
		checkTook(t, start, 98*time.Millisecond)
	})
}

// The read before a request goes out at once, and the waits make up for it.
func TestClientOptions_SessionReadsPerSecondBeforeRequests(t *testing.T) {
	t.Parallel()
	bubble(t, "five requests", func(t *testing.T, tenant *intunetest.Tenant) {
		client, times := sharing(t, tenant, 1)
		start := time.Now()
		go func() {
			pass(10*time.Second + 1) // after the read at ten seconds
			for range 3 {
				device := tenant.AddDevice(intune.ManagedDevice{}, never)
				if _, err := client.BeginRemoteAssistance(t.Context(), device, nil); err != nil {
					t.Error(err)
				}
			}
			if took := time.Since(start); took != 10*time.Second+1 {
				t.Errorf("the requests were made after %v", took)
			}
		}()
		openAtOnce(t, tenant, client, 1, &intune.OpenRemoteAssistanceOptions{Frequency: time.Second, MaxWait: 19 * time.Second})
		const want = "[1s 2s 3s 4s 5s 6s 7s 8s 9s 10s 12s 14s 16s 17s 18s 19s]"
		if got := fmt.Sprint(times.all()); got != want {
			t.Errorf("reads after %s, want %s", got, want)
		}
	})
}

// A wait whose limit has come reads ahead of the others.
func TestOpenRemoteAssistance_LimitGoesAhead(t *testing.T) {
	t.Parallel()
	bubble(t, "among many", func(t *testing.T, tenant *intunetest.Tenant) {
		client, _ := sharing(t, tenant, 0)
		ctx, cancel := context.WithCancel(t.Context())
		var others sync.WaitGroup
		for range 300 {
			device := tenant.AddDevice(intune.ManagedDevice{}, never)
			others.Go(func() { _, _ = client.OpenRemoteAssistance(ctx, device, nil) })
		}
		device := waiting(tenant, intune.ManagedDevice{}, intunetest.SessionScript{After: time.Minute - 1, URL: newLink})
		start := time.Now()
		session, err := client.OpenRemoteAssistance(t.Context(), device, &intune.OpenRemoteAssistanceOptions{MaxWait: time.Minute})
		checkWait(t, session, err, waited{link: newLink})
		if took := time.Since(start); took < time.Minute || took > time.Minute+40*time.Millisecond {
			t.Errorf("took %v, want a minute", took)
		}
		cancel()
		others.Wait()
	})
}

// With a 429 all waits of the client pause, and none of another client's. They recover.
func TestOpenRemoteAssistance_ThrottlingHoldsAllWaits(t *testing.T) {
	t.Parallel()
	bubble(t, "100 waits", func(t *testing.T, tenant *intunetest.Tenant) {
		client, times := sharing(t, tenant, 0)
		other, others := sharing(t, tenant, 0)
		go func() {
			pass(time.Minute)
			tenant.Inject(intunetest.Fault{Method: http.MethodGet, Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"20"}}})
		}()
		go func() {
			pass(30 * time.Second)
			openAtOnce(t, tenant, other, 1, &intune.OpenRemoteAssistanceOptions{Frequency: 31*time.Second + 1, MaxWait: 2 * time.Minute})
		}()
		openAtOnce(t, tenant, client, 100, &intune.OpenRemoteAssistanceOptions{MaxWait: 2*time.Minute - 1})
		at := times.all()
		in := func(from, to float64) (n int) {
			for _, at := range at {
				if at.Seconds() >= from && at.Seconds() < to {
					n++
				}
			}
			return n
		}
		t.Logf("reads: %d before, %d in the pause, then %d, %d, %d and %d in a second, and %d in the last ten",
			in(50, 60), in(61, 80), in(81, 82), in(82, 83), in(83, 84), in(84, 85), in(100, 110))
		if n := in(50, 60); n != 250 {
			t.Errorf("%d reads in ten seconds before the 429, want 250", n)
		}
		if n := in(61, 80); n != 0 {
			t.Errorf("%d reads in the pause", n)
		}
		if n := in(80, 81); n < 12 || n > 16 {
			t.Errorf("%d reads in the first second after the pause, want half of 25 and somewhat more", n)
		}
		if n := in(100, 110); n != 250 {
			t.Errorf("%d reads in ten seconds at the end, want 250", n)
		}
		if n := len(others.all()); n != 3 {
			t.Errorf("%d reads of the other client, want 3", n)
		}
	})
}

// A header that asks for years stops its own wait only. The others go on after MaxRetryDelay.
func TestOpenRemoteAssistance_ThrottlingWithoutEnd(t *testing.T) {
	t.Parallel()
	for _, asked := range []string{"315360000", "Wed, 01 Jan 2031 00:00:00 GMT"} {
		bubble(t, asked, func(t *testing.T, tenant *intunetest.Tenant) {
			client, start := tenant.Client(), time.Now()
			var waits sync.WaitGroup
			defer waits.Wait()
			tenant.Inject(intunetest.Fault{Method: http.MethodGet, Match: func(r intunetest.RecordedRequest) bool {
				return lastDevice(r.Path) == "d0" && time.Since(start) > time.Second
			}, Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {asked}}})
			for i, device := range addNumbered(tenant, 3, after(5*time.Minute)) {
				waits.Go(func() {
					_, err := client.OpenRemoteAssistance(t.Context(), device, nil)
					if i == 0 {
						checkKinds(t, err, intune.ErrSessionPending, intune.ErrThrottled)
					} else if err != nil {
						t.Error(err)
					}
				})
			}
			pass(time.Minute)
			device := tenant.AddDevice(intune.ManagedDevice{}, after(time.Minute))
			if _, err := client.OpenRemoteAssistance(t.Context(), device, nil); err != nil {
				t.Error(err)
			}
			if took := time.Since(start); took < 3*time.Minute || took > 3*time.Minute+10*time.Second {
				t.Errorf("the first read after the pause came after %v, want three minutes", took)
			}
		})
	}
}

// handOuts measures how late links are handed out: how long after they have appeared.
type handOuts struct {
	mu   sync.Mutex
	late []time.Duration
}

// linkIn is a device whose link appears so long after the request.
func linkIn(tenant *intunetest.Tenant, after time.Duration) intune.DeviceRef {
	return tenant.AddDevice(intune.ManagedDevice{}, intunetest.SessionScript{After: after})
}

func (h *handOuts) add(late time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.late = append(h.late, late)
}

// figures are the mean, the median, the 95th percentile and the longest.
func (h *handOuts) figures() (mean, median, late, latest time.Duration) {
	slices.Sort(h.late)
	for _, d := range h.late {
		mean += d
	}
	n := len(h.late)
	return mean / time.Duration(n), h.late[n/2], h.late[n*95/100], h.late[n-1]
}

// shift has so many workers, each of which opens sessions one after another, and says when each is handed out.
func shift(t *testing.T, tenant *intunetest.Tenant, workers, each int, open func(intune.DeviceRef) error) *handOuts {
	t.Helper()
	var working sync.WaitGroup
	h := &handOuts{}
	dice := rand.New(rand.NewPCG(uint64(workers), uint64(each)))
	for range workers {
		links := make([]time.Duration, each)
		for i := range links {
			links[i] = 20*time.Second + time.Duration(dice.Int64N(int64(100*time.Second)))
		}
		working.Go(func() {
			for _, after := range links {
				device := linkIn(tenant, after)
				start := time.Now()
				if err := open(device); err != nil {
					t.Errorf("%v: %v", device, err)
				}
				h.add(time.Since(start) - after)
			}
		})
	}
	working.Wait()
	return h
}

// 50 waits at a time for links that come after 20 seconds to two minutes, beside a loop by hand that reads every five
// seconds.
func TestOpenRemoteAssistance_SimulationOfAHelpDesk(t *testing.T) {
	t.Parallel()
	const workers = 50
	each := 20
	if graphtest.Smaller > 1 {
		each = 2
	}
	report := func(t *testing.T, h *handOuts, most int) (mean, late time.Duration) {
		t.Helper()
		mean, median, late, latest := h.figures()
		t.Logf("%d links: late by %v on average (median %v), %v at the 95th percentile, %v at most; %d reads in a second at most",
			len(h.late), mean, median, late, latest, most)
		return mean, late
	}
	bubble(t, "OpenRemoteAssistance", func(t *testing.T, tenant *intunetest.Tenant) {
		client, times := sharing(t, tenant, 0)
		h := shift(t, tenant, workers, each, func(device intune.DeviceRef) error {
			_, err := client.OpenRemoteAssistance(t.Context(), device, nil)
			return err
		})
		most := mostIn(time.Second, times.all())
		mean, late := report(t, h, most)
		if most > 25 {
			t.Errorf("%d reads in a second", most)
		}
		if graphtest.Smaller > 1 {
			return // too few links for the figures
		}
		if mean > 1100*time.Millisecond {
			t.Errorf("late by %v on average, want at most 1.1s", mean)
		}
		if late > 2100*time.Millisecond {
			t.Errorf("late by %v at the 95th percentile, want at most 2.1s", late)
		}
	})
	bubble(t, "by hand", func(t *testing.T, tenant *intunetest.Tenant) {
		client, times := sharing(t, tenant, 0)
		h := shift(t, tenant, workers, each, func(device intune.DeviceRef) error {
			if _, err := client.RequestRemoteAssistance(t.Context(), device, nil); err != nil {
				return err
			}
			for {
				pass(5 * time.Second)
				session, err := client.GetRemoteAssistanceSession(t.Context(), device, nil)
				if err != nil || !session.URL.IsZero() {
					return err
				}
			}
		})
		if mean, _ := report(t, h, mostIn(time.Second, times.all())); mean < 2*time.Second || mean > 3*time.Second {
			t.Errorf("late by %v on average, want 2.5s, or the simulation is wrong", mean)
		}
	})
}

// 500 waits that begin all at once: the budget holds, and none starves.
func TestOpenRemoteAssistance_SimulationOfManyWaits(t *testing.T) {
	t.Parallel()
	bubble(t, "500 waits", func(t *testing.T, tenant *intunetest.Tenant) {
		client, times := sharing(t, tenant, 0)
		var waits sync.WaitGroup
		h := &handOuts{}
		for i := range 500 {
			after := 2*time.Minute + time.Duration(i)*120*time.Millisecond
			device := linkIn(tenant, after)
			waits.Go(func() {
				if _, err := client.OpenRemoteAssistance(t.Context(), device, nil); err != nil {
					t.Errorf("%v: %v", device, err)
				}
				h.add(time.Since(times.start) - after)
			})
		}
		waits.Wait()
		mean, median, late, latest := h.figures()
		most, longest := mostIn(time.Second, times.all()), time.Duration(0)
		for device, at := range times.at {
			gap := slices.Max(append(gapsOf(at), at[0]))
			if gap > 30*time.Second {
				t.Errorf("%v was not read for %v", device, gap)
			}
			longest = max(longest, gap)
		}
		t.Logf("links late by %v on average (median %v), %v at the 95th percentile, %v at most; %d reads in a second at most, %v without a read",
			mean, median, late, latest, most, longest)
		if most > 25 {
			t.Errorf("%d reads in a second", most)
		}
		if n := len(times.all()); n < 25*120 {
			t.Errorf("%d reads in two minutes, so the budget was not used", n)
		}
	})
}
