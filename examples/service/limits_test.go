package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// Each person has so many of each kind in any minute, and hears when the next is allowed.
func TestMemoryLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { testLimits(t, newMemoryLimits(), time.Sleep) })
}

// testLimits is what each form has to do. pass lets so much time pass by its clock.
func testLimits(t *testing.T, l limits, pass func(time.Duration)) {
	t.Helper()
	ctx, what, other := t.Context(), use{"search", 3, 1}, use{"device", 1, 1}
	take := func(owner string, what use, least, most time.Duration) {
		t.Helper()
		if wait := l.take(ctx, owner, what); wait < least || wait > most {
			t.Errorf("%s has to wait for %v, want %v to %v", owner, wait, least, most)
		}
	}
	const s, slack = time.Second, 5 * time.Second
	take("dana", what, 0, 0)
	pass(20 * s)
	take("dana", what, 0, 0)
	take("dana", what, 0, 0)
	for range 3 {
		take("dana", what, 40*s-slack, 40*s) // what is refused does not count
	}
	take("dana", other, 0, 0)
	take("dana", other, 60*s-slack, 60*s)
	take("robin", what, 0, 0)
	pass(40 * s)
	take("dana", what, 0, 0) // in place of the first
	take("dana", what, 20*s-slack, 20*s)
	pass(20 * s)
	l.tidy(ctx)
	take("dana", what, 0, 0)
	take("dana", what, 0, 0)
	take("dana", what, 40*s-slack, 40*s)
	pass(2 * time.Minute)
	l.tidy(ctx)
	take("dana", what, 0, 0)
}

func TestMemoryLimits_KeepNothingForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newMemoryLimits()
		for i := range 1000 {
			l.take(t.Context(), strconv.Itoa(i), useSearch)
		}
		time.Sleep(limitFor)
		l.tidy(t.Context())
		if n := len(l.recent); n != 0 {
			t.Errorf("%d are kept", n)
		}
	})
}

// flood sends many requests at the same time, and counts the answers.
func flood(c *caller, n int, path string) (statuses map[int]int, retryAfter []string) {
	statuses = map[int]int{}
	var mu sync.Mutex
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			got := c.get(path)
			mu.Lock()
			defer mu.Unlock()
			statuses[got.status]++
			if got.status != http.StatusOK {
				retryAfter = append(retryAfter, got.header.Get("Retry-After"))
			}
		})
	}
	group.Wait()
	return statuses, retryAfter
}

func TestLimitsOfReading(t *testing.T) {
	t.Parallel()
	for what, path := range map[use]string{
		useSearch: "/devices?q=LT-1", useDevice: "/devices/{id}", useReadiness: "/devices/{id}/readiness",
	} {
		t.Run(what.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				path := strings.ReplaceAll(path, "{id}", p.add("LT-1").DeviceID())
				a, b := p.browser(dana), p.browser(robin)
				statuses, retryAfter := flood(a, 4*what.most, path)
				if got := statuses[http.StatusOK]; got != what.most {
					t.Errorf("%d were let through, want %d: %v", got, what.most, statuses)
				}
				if got := statuses[http.StatusTooManyRequests]; got != 3*what.most {
					t.Errorf("%d were refused, want %d: %v", got, 3*what.most, statuses)
				}
				for _, text := range retryAfter {
					if n, err := strconv.Atoi(text); err != nil || n < 1 || n > 60 {
						t.Errorf("Retry-After %q", text)
					}
				}
				if got := b.get(path); got.status != http.StatusOK {
					t.Errorf("another person: %d %s", got.status, got.body)
				}
				a.refused(a.get(path), kindTooFast)
				time.Sleep(time.Minute)
				if got := a.get(path); got.status != http.StatusOK {
					t.Errorf("a minute later: %d %s", got.status, got.body)
				}
			})
		})
	}
}

func TestLimitsOfReading_Links(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		c := p.browser(dana)
		path := "/sessions/" + c.begin(p.add("LT-1", intunetest.SessionScript{Never: true}), anyKey).ID + "/link"
		for range useLink.most {
			c.refused(c.post(path, ""), kindNotReady)
		}
		c.refused(c.post(path, ""), kindTooFast)
	})
}

// "Go on waiting" reads Intune before it waits, and that is limited too, however many of these requests come at once.
func TestLimitsOfReading_Waits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		graph := &slowGraph{}
		p := newPlace(t, graph.between, func(o *settings) { o.maxWait = time.Minute })
		c := p.browser(dana)
		path := "/sessions/" + c.begin(p.add("LT-1", intunetest.SessionScript{Never: true}), anyKey).ID + "/wait"
		time.Sleep(2 * time.Minute)
		graph.most = 0
		var all sync.WaitGroup
		var refused atomic.Int64
		for range 100 {
			all.Go(func() {
				if got := c.post(path, ""); got.status == http.StatusTooManyRequests {
					refused.Add(1)
				}
			})
		}
		all.Wait()
		if most := lookupsAtOnce + 1; graph.most > most { // and that of the wait itself
			t.Errorf("%d reads at the same time, want %d at most", graph.most, most)
		}
		if n := refused.Load(); n != int64(100-useWait.most) {
			t.Errorf("%d of 100 were too many, want %d", n, 100-useWait.most)
		}
	})
}

// slowGraph is the way to an Intune that counts how many requests are with it at the same time.
type slowGraph struct {
	to   http.RoundTripper
	mu   sync.Mutex
	now  int
	most int
}

func (c *slowGraph) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.now++
	c.most = max(c.most, c.now)
	c.mu.Unlock()
	time.Sleep(time.Second) // as long as Intune takes on a bad day
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.now--
	}()
	return c.to.RoundTrip(r)
}

// between puts it between a service and its tenant.
func (c *slowGraph) between(o *settings) {
	graph := o.graph
	o.graph = func() *intune.ClientOptions {
		options := graph()
		c.to = options.Transport.(http.RoundTripper)
		options.Transport = &http.Client{Transport: c}
		return options
	}
}

// However many tabs a person opens, only two searches are under way. The others wait, and none is lost. Whoever goes away
// gives the place up.
func TestLookups_TwoAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &slowGraph{}
		p := newPlace(t, c.between)
		path := "/devices/" + p.add("LT-1").DeviceID()
		a := p.browser(dana)
		gone, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		for range 8 {
			go func() {
				if response, err := a.http.Do(a.request(gone, http.MethodGet, path, "", nil)); err == nil {
					_ = response.Body.Close()
				}
			}()
		}
		synctest.Wait()
		if c.most != lookupsAtOnce {
			t.Errorf("%d at a time", c.most)
		}
		<-gone.Done()
		begin := time.Now()
		statuses, _ := flood(a, 10, path)
		if statuses[http.StatusOK] != 10 {
			t.Errorf("%v", statuses)
		}
		if took := time.Since(begin); took < 5*time.Second || took > 7*time.Second {
			t.Errorf("10 reads of a second each, two at a time, took %v", took)
		}
		if n := len(p.service.lookups.places); n != 0 {
			t.Errorf("the places of %d people are kept", n)
		}
	})
}

// All people together keep a pace; whoever would have to wait for too long hears that, and when to come again.
func TestLookups_PaceOfAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLookups(newMemoryLimits(), newPace(readsPerSecond, readsAtOnce, readPatience))
		what := use{"search", 1000, 3}
		begin := time.Now()
		var mu sync.Mutex
		var group sync.WaitGroup
		through, refused := 0, 0
		for i := range 400 {
			group.Go(func() {
				leave, p := l.enter(t.Context(), strconv.Itoa(i), what)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case p == nil:
					through++
					leave()
				case p.name == kindThrottled.name && p.extra.RetryAfter > readPatience:
					refused++
				default:
					t.Errorf("%v, %v", p, p.extra)
				}
			})
		}
		group.Wait()
		took := time.Since(begin)
		if rate := float64(through*what.reads-readsAtOnce) / took.Seconds(); rate > readsPerSecond+1 || rate < readsPerSecond-2 {
			t.Errorf("%.1f reads a second", rate)
		}
		if took > readPatience || refused == 0 {
			t.Errorf("%d waited up to %v, %d were refused", through, took, refused)
		}
	})
}

// One person who searches as fast as can be does not keep others from their links. The tenant limits the app as Intune does.
func TestSearchesDoNotStarveWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlaceOn(t, intunetest.NewTenant(&intunetest.TenantOptions{ThrottleLimits: true}))
		searching := p.browser(robin)
		asking := map[person]*caller{dana: p.browser(dana), robin: searching}
		for i := range 20 {
			device := p.add(fmt.Sprint("LT-", i), intunetest.SessionScript{Never: true})
			asking[[]person{dana, robin}[i%2]].begin(device, fmt.Sprint(anyKey, i))
		}
		from := time.Now()
		for range 20 { // twenty times what made Intune throttle the app
			statuses, _ := flood(searching, 1500, "/devices?q=LT")
			if statuses[http.StatusOK]+statuses[http.StatusTooManyRequests] != 1500 {
				t.Fatalf("%v", statuses)
			}
			time.Sleep(2 * time.Second)
		}
		if got, most := p.longestGap(t, 20, from), 2500*time.Millisecond; got > most {
			t.Errorf("the longest time between two reads of a wait is %v, want at most %v", got, most)
		}
	})
}

// longestGap is the longest time between two reads of one session since a moment, of so many sessions.
func (p *place) longestGap(t *testing.T, sessions int, from time.Time) (longest time.Duration) {
	t.Helper()
	last := map[string]time.Time{}
	for _, request := range p.tenant.Requests() {
		if request.Time.Before(from) || !strings.Contains(request.RawQuery, "remoteAssistanceSessionUrl") {
			continue
		}
		if before, again := last[request.Path]; again {
			longest = max(longest, request.Time.Sub(before))
		}
		last[request.Path] = request.Time
	}
	for _, at := range last {
		longest = max(longest, time.Since(at))
	}
	if len(last) != sessions {
		t.Errorf("%d sessions are read, want %d", len(last), sessions)
	}
	return longest
}

// All people together ask at a pace. Whoever would wait too long for a turn is told so; nobody was asked, and the key is free.
func TestPaceOfAsking(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		callers := []*caller{p.browser(dana), p.browser(robin)}
		var group sync.WaitGroup
		for i := range 2 * asksPerMinute {
			device := p.add(fmt.Sprint("LT-", i), intunetest.SessionScript{Never: true})
			group.Go(func() {
				if got := callers[i%2].ask(device, anyKey+strconv.Itoa(i)); got.status != http.StatusCreated {
					t.Errorf("%d %s", got.status, got.body)
				}
			})
		}
		group.Wait()
		asked := p.asked()
		for i := range asked {
			if i > 0 && asked[i].Sub(asked[i-1]) < 190*time.Millisecond {
				t.Errorf("request %d came %v after the one before", i, asked[i].Sub(asked[i-1]))
			}
		}
		if len(asked) != 2*asksPerMinute {
			t.Errorf("%d requests", len(asked))
		}

		time.Sleep(time.Minute)
		if err := p.service.paces.setPart(1. / 100); err != nil { // one in 20 seconds
			t.Fatal(err)
		}
		callers[0].begin(p.add("LT-x"), anyKey+"x")
		device := p.add("LT-y")
		got := callers[0].ask(device, anyKey+"y")
		callers[0].refused(got, kindThrottled)
		if after, err := strconv.Atoi(got.header.Get("Retry-After")); err != nil || after < 10 || after > 20 {
			t.Errorf("Retry-After %q", got.header.Get("Retry-After"))
		}
		if n := p.tenant.Prompts(device); n != 0 {
			t.Errorf("%d prompts", n)
		}
		time.Sleep(20 * time.Second)
		callers[0].begin(device, anyKey+"y")
	})
}

// asked are the times at which users were asked.
func (p *place) asked() (at []time.Time) {
	for _, request := range p.tenant.Requests() {
		if request.Method == http.MethodPost {
			at = append(at, request.Time)
		}
	}
	return at
}

// countThenGone is a count that a caller does not wait for.
type countThenGone struct {
	limits
	cancel context.CancelFunc
}

func (h countThenGone) take(context.Context, string, use) time.Duration {
	h.cancel()
	return 0 // nobody knows
}

// Whoever hangs up before it is known whether he may ask has not asked.
func TestLimits_HangUp(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	device := p.add("LT-1")
	ctx, cancel := context.WithCancel(t.Context())
	p.service.desk.limits = countThenGone{p.service.desk.limits, cancel}
	who := &identity{key: "dana"}
	if _, begun, problem := p.service.desk.ask(ctx, who, wish{device: device, key: anyKey}); begun || problem == nil {
		t.Errorf("begun: %t, %v", begun, problem)
	}
	p.service.desk.asks.Wait()
	if n := p.tenant.Prompts(device); n != 0 {
		t.Errorf("%d prompts", n)
	}
}
