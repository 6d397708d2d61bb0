//go:build unix

package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/google/uuid"
)

// truthWithin is how long a page may be behind the truth. A copy that was stopped tells nothing meanwhile. What this test reads may
// be older than what a page shows, so that a page is wrong only if it is for wrongFor.
const (
	longestStop = 2 * time.Second
	truthWithin = 5*time.Second + longestStop
	wrongFor    = 2 * time.Second
)

// task is one session that a technician wants, and what the technician saw of it.
type task struct {
	d      *workplace
	device intune.DeviceRef
	key    string

	mu     sync.Mutex
	id     string
	status int // of the last answer to the request
	links  []string
	opened time.Time // before the click that gave the link
	over   time.Time // when nothing was left to be done
	left   state     // what the page showed then
}

func (j *task) session() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.id
}

func (j *task) isOver() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return !j.over.IsZero()
}

// isOld reports whether nothing can change any more.
func (j *task) isOld() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return !j.over.IsZero() && time.Since(j.over) > 3*truthWithin
}

// do asks, waits, and opens the link, as the page does.
func (j *task) do(ctx context.Context) {
	defer func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.over = time.Now()
	}()
	for ctx.Err() == nil {
		var view sessionView
		status := j.d.send(ctx, http.MethodPost, "/sessions", j.device.DeviceID(), j.key, &view)
		if ctx.Err() != nil {
			return
		}
		j.mu.Lock()
		j.status = status
		j.mu.Unlock()
		switch status {
		case http.StatusOK, http.StatusCreated, http.StatusAccepted:
			j.mu.Lock()
			j.id = view.ID
			j.mu.Unlock()
			j.watch(ctx)
			return
		case http.StatusTooManyRequests:
			idle(ctx, 3*time.Second)
		default:
			idle(ctx, 300*time.Millisecond)
		}
	}
}

// watch follows the page until the session has ended.
func (j *task) watch(ctx context.Context) {
	for ctx.Err() == nil {
		idle(ctx, 100*time.Millisecond)
		switch shows, _ := j.d.shows(j.id); shows {
		case stateReady:
			var got struct{ Link string }
			from := time.Now()
			if j.d.send(ctx, http.MethodPost, "/sessions/"+j.id+"/link", "", "", &got) == http.StatusOK {
				j.mu.Lock()
				j.links, j.opened = append(j.links, got.Link), from
				j.mu.Unlock()
			}
		case stateNoLink:
			if rand.IntN(20) == 0 {
				j.d.send(ctx, http.MethodPost, "/sessions/"+j.id+"/wait", "", "", nil)
			}
		case stateOpened, stateFailed, stateRefused, stateSuperseded:
			j.mu.Lock()
			j.left = shows
			j.mu.Unlock()
			return
		default:
		}
	}
}

// wasSeen is a state that the database had at a time.
type wasSeen struct {
	at    time.Time
	state state
}

// truths compares pages with the database for as long as ctx lasts.
func (c *copiesPlace) truths(ctx context.Context, tasks func() []*task) {
	history, wrong, told := map[string][]wasSeen{}, map[string]time.Time{}, map[string]bool{}
	for ctx.Err() == nil {
		idle(ctx, 100*time.Millisecond)
		byID := map[string]*task{}
		for _, j := range tasks() {
			if id := j.session(); id != "" && !j.isOld() {
				byID[id] = j
			}
		}
		list, err := c.truth.find(ctx, slices.Collect(maps.Keys(byID))...)
		if err != nil {
			continue
		}
		now := time.Now()
		for _, s := range list {
			history[s.id] = append(history[s.id], wasSeen{now, s.state})
			shows, since := byID[s.id].d.shows(s.id)
			if since.IsZero() || now.Sub(since) < truthWithin || now.Sub(history[s.id][0].at) < truthWithin {
				continue
			}
			ok := false
			for _, was := range slices.Backward(history[s.id]) {
				if ok = was.state == shows; ok || now.Sub(was.at) > truthWithin {
					break
				}
			}
			if ok {
				delete(wrong, s.id)
			} else if wrong[s.id].IsZero() {
				wrong[s.id] = now
			}
			if !ok && !told[s.id] && now.Sub(wrong[s.id]) > wrongFor {
				told[s.id] = true
				c.tb.Errorf("a page shows %s, connected for %v, and the session has not been that for %v: %s now",
					shows, now.Sub(since), truthWithin, s.state)
			}
		}
	}
}

// Three copies behind a proxy, killed, stopped and started at random under load. SERVICE_COPIES_SOAK=1000 says how many kills.
func TestFleet_KilledAtRandom(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	kills := 12
	if n, err := strconv.Atoi(os.Getenv("SERVICE_COPIES_SOAK")); err == nil {
		kills = n
	}
	people := make([]person, 12)
	for i := range people {
		people[i] = person{uuid.NewString(), fmt.Sprint("T", i), fmt.Sprintf("t%d@contoso.example", i), manageScopes}
	}
	c := newCopiesPlace(t, people, true)
	for range 3 {
		c.fleet.start()
	}
	workplaces := make([]*workplace, len(people))
	for i, who := range people {
		workplaces[i] = c.signIn(who)
	}
	var mu sync.Mutex
	var tasks []*task
	all := func() []*task {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(tasks)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var storm, work, checks sync.WaitGroup
	stop := make(chan struct{})
	over := func() bool {
		select {
		case <-stop:
			return true
		default:
			return false
		}
	}
	checks.Go(func() { c.truths(ctx, all) })
	for _, d := range workplaces {
		checks.Go(func() { d.follow(ctx) })
	}
	for i := range len(people) / 2 { // two want the same devices
		pair := workplaces[2*i : 2*i+2]
		work.Go(func() {
			for !over() {
				device := c.add(func() time.Duration {
					most := 2 * time.Second
					if rand.IntN(3) == 0 {
						most = 20 * time.Second
					}
					return rand.N(most)
				})
				var both sync.WaitGroup
				for n, d := range pair {
					j := &task{d: d, device: device, key: uuid.NewString()}
					mu.Lock()
					tasks = append(tasks, j)
					mu.Unlock()
					both.Go(func() {
						idle(ctx, time.Duration(n)*rand.N(3*time.Second))
						j.do(ctx)
					})
				}
				both.Wait()
			}
		})
	}
	storm.Go(func() { c.storm(ctx, kills) })
	storm.Wait()
	close(stop)
	settled := make(chan struct{})
	go func() {
		work.Wait()
		close(settled)
	}()
	select {
	case <-settled:
	case <-time.After(time.Minute): // those that nobody knows of whether they were asked go on waiting
	}
	c.check(all())
	cancel()
	work.Wait()
	checks.Wait()
}

// storm kills, stops and starts copies at random.
func (c *copiesPlace) storm(ctx context.Context, kills int) {
	for n := 0; n < kills && ctx.Err() == nil; {
		idle(ctx, 100*time.Millisecond+rand.N(700*time.Millisecond))
		p := c.fleet.pick(rand.IntN(3))
		if rand.IntN(4) == 0 { // longer than its lease
			_ = p.Process.Signal(syscall.SIGSTOP)
			idle(ctx, longestStop/2+rand.N(longestStop/2))
			_ = p.Process.Signal(syscall.SIGCONT)
			continue
		}
		n++
		p.end(syscall.SIGKILL)
		c.fleet.leave(p)
		c.fleet.start()
	}
}

// check looks at what came of all.
func (c *copiesPlace) check(tasks []*task) {
	t := c.tb
	ended := map[state]int{}
	links, late := map[string]string{}, 0
	var ids []string
	for _, j := range tasks {
		id := j.session()
		j.mu.Lock()
		status, left := j.status, j.left
		j.mu.Unlock()
		if id == "" { // while nobody knows whether another one has asked, the device is busy
			if status != http.StatusConflict && status != http.StatusTooManyRequests {
				t.Errorf("a request was answered with %d only", status)
			}
			ended["busy"]++
			continue
		}
		ids = append(ids, id)
		s, err := c.truth.get(t.Context(), id)
		if err != nil || s == nil {
			t.Errorf("a request is lost: %v, %v", s, err)
			continue
		}
		all := c.promptsOf(j.device)
		prompts := slices.IndexFunc(all, func(p prompt) bool { return p.clientRequestID == id })
		ended[s.state]++
		switch {
		case s.state == stateOpened, s.state == stateSuperseded, s.state == stateRefused:
		case s.state == stateReady && !j.isOver(): // the time was up before the click
		case s.state == stateReady && left == stateSuperseded: // a later request gave it back, since it asked nobody
		case s.unsure && prompts < 0: // its copy died in the middle, and nobody was asked
			ended["unsure"]++
		default:
			t.Errorf("in the end, a session is %s, unsure: %t, prompt: %d; its page showed %q last", s.state, s.unsure, prompts, left)
		}
		for _, link := range j.links {
			if links[link] != "" {
				t.Errorf("one link was handed out for %s and %s", links[link], id)
			}
			links[link] = id
			late += c.checkLink(j, link, all)
		}
	}
	c.checkPrompts(tasks)
	c.checkRecord()
	for id, n := range c.fleet.linesOf(stateReady) {
		if n > 1 {
			t.Errorf("%d waits of %s got a link", n, id)
		}
	}
	t.Logf("%d sessions, %d links, %d of them late ones of earlier requests, %d processes; they ended as %v",
		len(ids), len(links), late, len(c.fleet.all), ended)
}

// checkLink: a link is handed out to the latest asker, and comes from that request. The only other one that it may be is the late link
// of an earlier request, whose wait a copy lost when it died; it returns 1 for it.
func (c *copiesPlace) checkLink(j *task, link string, all []prompt) (late int) {
	asked := c.truth.askedAt(c.tb, j.id)
	from := slices.IndexFunc(all, func(p prompt) bool { return link == promptLink(j.device, slices.Index(all, p)) })
	if from < 0 {
		c.tb.Errorf("%s got a link of another device", j.id)
		return 0
	}
	for _, p := range all {
		if p.clientRequestID != j.id && p.at.Before(j.opened) && c.truth.askedAt(c.tb, p.clientRequestID).After(asked) {
			c.tb.Errorf("%s got its link after the prompt for %s", j.id, p.clientRequestID)
		}
	}
	if of := all[from].clientRequestID; of != j.id {
		late = 1
		if c.truth.askedAt(c.tb, of).After(asked) {
			c.tb.Errorf("%s got the link of %s, which asked later", j.id, of)
		}
	}
	return late
}

// askedAt is when a request was made.
func (p *pgStore) askedAt(tb testing.TB, id string) time.Time {
	tb.Helper()
	s, err := p.get(tb.Context(), id)
	must(tb, err)
	if s == nil {
		tb.Fatalf("%s is lost", id)
	}
	return s.asked
}

func (c *copiesPlace) promptsOf(device intune.DeviceRef) []prompt {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.prompts[device.DeviceID()])
}

// checkPrompts: one prompt a key.
func (c *copiesPlace) checkPrompts(tasks []*task) {
	for _, j := range tasks {
		var list []string
		for _, p := range c.promptsOf(j.device) {
			list = append(list, p.clientRequestID)
		}
		if n := c.tenant.Prompts(j.device); n != len(list) {
			c.tb.Errorf("%d prompts, and %d were heard of", n, len(list))
		}
		slices.Sort(list)
		if n := len(slices.Compact(slices.Clone(list))); n != len(list) {
			c.tb.Errorf("a key prompted twice: %v", list)
		}
	}
}

// checkRecord: one asker or waiter a device, as the times of the database say.
func (c *copiesPlace) checkRecord() {
	byDevice := map[intune.DeviceRef][]intune.JournalRequest{}
	for r, err := range c.truth.Requests(c.tb.Context(), time.Time{}) {
		must(c.tb, err)
		if o := r.Outcome(); o != intune.OutcomeRejected && o != intune.OutcomeNotSent {
			byDevice[r.Device()] = append(byDevice[r.Device()], r)
		}
	}
	for device, list := range byDevice {
		for i := 1; i < len(list); i++ {
			before, after := list[i-1], list[i]
			// An INSERT that waits for the end of the one before has its time from before that, by lock_timeout at most.
			if before.Ended.Time.IsZero() || before.Ended.Time.After(after.Asking.Time.Add(3*time.Second)) {
				c.tb.Errorf("%v was asked at %v while %v waited, until %v", device, after.Asking.Time, before.Asking.ClientRequestID, before.Ended)
			}
		}
	}
}

// A rolling restart loses no wait, needs nobody to press anything, and signs nobody out.
func TestFleet_RollingRestart(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	c := newCopiesPlace(t, []person{dana, robin}, false)
	for range 3 {
		c.fleet.start()
	}
	workplaces := []*workplace{c.signIn(dana), c.signIn(robin)}
	type wait struct {
		d  *workplace
		id string
	}
	var waits []wait
	for i := range 12 {
		d := workplaces[i%2]
		var view sessionView
		device := c.add(func() time.Duration { return 9 * time.Second })
		key := uuid.NewString()
		for d.send(t.Context(), http.MethodPost, "/sessions", device.DeviceID(), key, &view) > http.StatusCreated {
			idle(t.Context(), 200*time.Millisecond) // a copy that has just begun has little of what Intune allows
		}
		waits = append(waits, wait{d, view.ID})
	}
	for _, p := range slices.Clone(c.fleet.runs) {
		c.fleet.start()
		c.fleet.leave(p)
		p.end(syscall.SIGTERM)
		for _, d := range workplaces {
			if status := d.send(t.Context(), http.MethodGet, "/me", "", "", nil); status != http.StatusOK {
				t.Errorf("GET /me: %d", status)
			}
		}
	}
	for _, w := range waits {
		for end := time.Now().Add(30 * time.Second); ; {
			var view sessionView
			if w.d.send(t.Context(), http.MethodGet, "/sessions/"+w.id, "", "", &view); view.State == stateReady {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("the wait is %+v: %v", view, c.fleet.logOf(w.id))
			}
			idle(t.Context(), 100*time.Millisecond)
		}
		if status := w.d.send(t.Context(), http.MethodPost, "/sessions/"+w.id+"/link", "", "", nil); status != http.StatusOK {
			t.Errorf("the link: %d", status)
		}
	}
}
