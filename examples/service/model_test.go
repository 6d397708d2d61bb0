package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	"pgregory.net/rapid"
)

// stores makes the stores of processes that follow each other on one record.
type stores interface {
	// open gives the settings of a process its store.
	open(o *settings)
	// kill ends a process without a word: what it writes from now on counts for nothing.
	kill()
	// readable reports whether a store can be read after it was closed.
	readable() bool
}

// fileStores has a journal file, which a process that was killed leaves as it is at that moment.
type fileStores struct {
	tb   testing.TB
	path string
}

func newFileStores(tb testing.TB) stores {
	return &fileStores{tb: tb, path: filepath.Join(tb.TempDir(), "journal.jsonl")}
}

func (f *fileStores) open(o *settings) { o.journal = f.path }

func (f *fileStores) readable() bool { return true }

func (f *fileStores) kill() {
	text, err := os.ReadFile(f.path)
	if err != nil {
		f.tb.Fatal(err)
	}
	f.path = filepath.Join(f.tb.TempDir(), "journal.jsonl")
	if err := os.WriteFile(f.path, text, 0o600); err != nil {
		f.tb.Fatal(err)
	}
}

// sent is a request for assistance that reached Intune, or was to.
type sent struct {
	id      string
	at      time.Time
	prompts int  // that the request made
	links   int  // that the device's user was asked for, up to this request: the n-th prompt brings the n-th link
	refused bool // and the process has heard it
}

// fate is what becomes of a request for assistance.
type fate struct {
	kind  string
	delay time.Duration // of the answer
}

// world is two people, two devices, and a service that ends again and again.
type world struct {
	tb      testing.TB
	stores  stores
	place   *place
	unit    time.Duration // in which the world's time passes
	people  []person
	devices []intune.DeviceRef

	mu       sync.Mutex
	dead     chan struct{} // closed when the process is killed
	fates    map[string]fate
	reads    time.Duration // how long a read takes
	requests map[intune.DeviceRef][]*sent
	handed   map[string]string // which session got a link
	wrong    []string
	doing    sync.WaitGroup
	tokens   map[person]string
}

const linksOfWorld = 60

// newWorld draws what the users of the devices do. A unit below a second is for real time, in which waits read more often.
func newWorld(t *rapid.T, tb testing.TB, stores stores, unit time.Duration) *world {
	options := &intunetest.TenantOptions{}
	if unit < time.Second {
		options.LookAgainAfter = unit / 2
	}
	w := &world{
		tb: tb, stores: stores, unit: unit, people: []person{dana, robin}, fates: map[string]fate{},
		requests: map[intune.DeviceRef][]*sent{}, handed: map[string]string{}, tokens: map[person]string{},
		place: &place{tb: tb, tenant: intunetest.NewTenant(options), log: &syncBuffer{}, network: inProcess{}},
	}
	w.place.entra = newStandIn(entraAt, serviceAt+"/auth/callback", w.place.tenant, w.people, testKey())
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "what users do"), 0))
	for i := range 2 {
		var scripts []intunetest.SessionScript
		for n := range linksOfWorld {
			s := intunetest.SessionScript{URL: modelLink(i, n+1), AfterReads: []int{1, 2, 12}[random.IntN(3)]}
			if random.IntN(8) == 0 {
				s = intunetest.SessionScript{ErrorDetails: fmt.Sprint("No seats left, ", n), AfterReads: 2}
			}
			scripts = append(scripts, s)
		}
		w.devices = append(w.devices, w.place.add(fmt.Sprint("LT-", i), scripts...))
	}
	for _, who := range w.people {
		token, err := w.place.entra.apiToken(who)
		if err != nil {
			tb.Fatal(err)
		}
		w.tokens[who] = token
	}
	w.live()
	return w
}

func modelLink(device, prompt int) string {
	return fmt.Sprintf("https://get.teamviewer.com/v15/s%d-%d", device, prompt)
}

// live starts a process.
func (w *world) live() {
	dead := make(chan struct{})
	w.place.limits = func(o *settings) {
		o.maxWait = 20 * w.unit
		o.graph = func() *intune.ClientOptions {
			options := w.place.tenant.ClientOptions()
			options.Transport = lookingAgain{w.through(dead, options.Transport), w.place.tenant}
			return options
		}
		w.stores.open(o)
	}
	w.place.open()
	w.place.service.desk.limits, w.place.service.lookups.limits = noLimits{}, noLimits{}
	w.mu.Lock()
	w.dead = dead
	w.mu.Unlock()
}

// lookingAgain is a network whose waits read as often as the tenant says.
type lookingAgain struct {
	policy.Transporter
	tenant *intunetest.Tenant
}

func (l lookingAgain) LookAgainAfter() time.Duration { return l.tenant.LookAgainAfter() }

// noLimits let people ask as often as they like.
type noLimits struct{}

func (noLimits) take(context.Context, string, use) time.Duration { return 0 }

func (noLimits) tidy(context.Context) {}

var errLost = errors.New("the connection broke")

// through is the network of a process.
func (w *world) through(dead chan struct{}, next policy.Transporter) policy.Transporter {
	lives := func(r *http.Request) error {
		select {
		case <-dead:
			<-r.Context().Done()
			return errDead
		default:
			return nil
		}
	}
	return transport(func(r *http.Request) (*http.Response, error) {
		if err := lives(r); err != nil {
			return nil, err
		}
		if r.Method != http.MethodPost {
			w.mu.Lock()
			delay := w.reads
			w.mu.Unlock()
			response, err := next.Do(r)
			w.sleep(r.Context(), delay)
			return response, err
		}
		w.mu.Lock()
		f := w.fates[r.Header.Get("Client-Request-Id")]
		entry, response, err := w.post(r, f, next)
		w.mu.Unlock()
		w.sleep(r.Context(), f.delay)
		if held := lives(r); held != nil {
			if err == nil {
				_ = response.Body.Close()
			}
			return nil, held
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		entry.refused = f.kind == "refused"
		return response, err
	})
}

func (w *world) sleep(ctx context.Context, d time.Duration) {
	if d == 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// post is a request for assistance at Intune. The lock is held.
func (w *world) post(r *http.Request, f fate, next policy.Transporter) (entry *sent, response *http.Response, err error) {
	var device intune.DeviceRef
	for _, d := range w.devices {
		if strings.Contains(r.URL.Path, d.DeviceID()) {
			device = d
		}
	}
	before := w.place.tenant.Prompts(device)
	entry = &sent{id: r.Header.Get("Client-Request-Id"), at: time.Now()}
	w.requests[device] = append(w.requests[device], entry)
	switch f.kind {
	case "refused":
		response = &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: http.NoBody, Request: r}
	case "lost before":
		err = errLost
	case "lost after":
		if response, err = next.Do(r); err == nil {
			_ = response.Body.Close()
			response, err = nil, errLost
		}
	default:
		response, err = next.Do(r)
	}
	entry.links = w.place.tenant.Prompts(device)
	entry.prompts = entry.links - before
	return entry, response, err
}

// call sends a request as somebody, to the process that lives now. The answer of one that has been killed is lost.
func (w *world) call(who person, method, path, body, key string) reply {
	c := &caller{tb: w.tb, http: &http.Client{Transport: w.place.network}, header: http.Header{"Authorization": {"Bearer " + w.tokens[who]}}}
	w.mu.Lock()
	dead := w.dead
	w.mu.Unlock()
	got := c.send(method, path, body, http.Header{"Idempotency-Key": {key}})
	select {
	case <-dead:
		return reply{}
	default:
		return got
	}
}

// do does something now, or lets it go on beside what follows.
func (w *world) do(t *rapid.T, what func()) {
	if rapid.Bool().Draw(t, "beside what follows") {
		w.doing.Go(what)
		return
	}
	what()
}

func (w *world) owner(who person) string { return w.place.entra.tenantID + ":" + who.objectID }

func (w *world) ask(t *rapid.T) {
	who, device := rapid.SampledFrom(w.people).Draw(t, "who"), rapid.SampledFrom(w.devices).Draw(t, "device")
	if w.place.tenant.Prompts(device) > linksOfWorld-5 {
		t.Skip("the device has no more links")
	}
	key := rapid.SampledFrom([]string{"key-00001", "key-00002", "key-00003", "key-00004", "key-00005"}).Draw(t, "key")
	kind := rapid.SampledFrom([]string{"accepted", "accepted", "accepted", "refused", "lost before", "lost after"}).Draw(t, "fate")
	f := fate{kind, time.Duration(rapid.IntRange(0, 6).Draw(t, "delay")) * w.unit}
	w.mu.Lock()
	w.fates[sessionID(w.owner(who), key)] = f
	w.mu.Unlock()
	w.do(t, func() { w.call(who, http.MethodPost, "/sessions", `{"device":"`+device.DeviceID()+`"}`, key) })
}

// one draws a session, mostly in the state in which something can be done with it.
func (w *world) one(t *rapid.T, mostly state) (person, *session) {
	every := rapid.IntRange(0, 4).Draw(t, "in any state") == 0
	var owners []person
	var list []*session
	for _, who := range w.people {
		all, err := w.place.service.desk.store.history(w.tb.Context(), w.owner(who), maxHistory)
		if err != nil {
			w.tb.Fatal(err)
		}
		for _, s := range all {
			if every || s.state == mostly {
				owners, list = append(owners, who), append(list, s)
			}
		}
	}
	if len(list) == 0 {
		t.Skip("there is none")
	}
	i := rapid.IntRange(0, len(list)-1).Draw(t, "session")
	return owners[i], list[i]
}

func (w *world) waitOn(t *rapid.T) {
	who, s := w.one(t, stateNoLink)
	w.do(t, func() { w.call(who, http.MethodPost, "/sessions/"+s.id+"/wait", "", "") })
}

// click opens a link, and looks whose it is.
func (w *world) click(t *rapid.T) {
	who, s := w.one(t, stateReady)
	w.mu.Lock()
	w.reads = time.Duration(rapid.IntRange(0, 3).Draw(t, "reads take")) * w.unit
	before := slices.Clone(w.requests[s.device])
	w.mu.Unlock()
	w.do(t, func() {
		got := w.call(who, http.MethodPost, "/sessions/"+s.id+"/link", "", "")
		if got.status != http.StatusOK {
			return
		}
		var answer struct{ Link string }
		got.into(w.tb, &answer)
		w.judge(s, before, answer.Link)
	})
}

// judge checks that a link was handed out to the right session. before are the requests from before the click.
func (w *world) judge(s *session, before []*sent, link string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if other := w.handed[link]; other != "" {
		w.wrong = append(w.wrong, fmt.Sprintf("the link %s was handed out to %s and to %s", link, other, s.id))
	}
	w.handed[link] = s.id
	for _, r := range before {
		if !r.refused && r.id != s.id && r.at.After(s.asked) {
			w.wrong = append(w.wrong, "a link was handed out to "+s.id+", after "+r.id+" had asked")
		}
	}
	for _, r := range w.requests[s.device] {
		for n := r.links + 1; r.id == s.id && !r.refused && n <= linksOfWorld; n++ {
			if strings.HasSuffix(link, fmt.Sprint("-", n)) {
				w.wrong = append(w.wrong, fmt.Sprintf("%s got the link %s, which a later request has brought", s.id, link))
			}
		}
	}
}

func (w *world) list(t *rapid.T) {
	w.call(rapid.SampledFrom(w.people).Draw(t, "who"), http.MethodGet, "/sessions", "", "")
}

func (w *world) pass(t *rapid.T) {
	time.Sleep(time.Duration(rapid.SampledFrom([]int{1, 3, 30}).Draw(t, "time")) * w.unit)
}

// stop ends the process in order, and starts another one, which knows the same.
func (w *world) stop(t *rapid.T) {
	d := w.place.service.desk
	w.place.close()
	w.doing.Wait()
	before := map[string]*session{}
	if w.stores.readable() {
		before = w.sessions(t, d.store)
	}
	w.live()
	after := w.sessions(t, w.place.service.desk.store)
	for id, was := range before {
		is := after[id]
		switch {
		case is == nil:
			t.Errorf("%s was %s, and is forgotten", id, was.state)
		case !was.state.hasEnded() && is.state == stateNoLink: // nobody waits any more
		case is.state != was.state:
			t.Errorf("%s was %s, and is %s", id, was.state, is.state)
		case is.number != was.number:
			t.Errorf("%s had the number %d, and has %d", id, was.number, is.number)
		case is.unsure != was.unsure:
			t.Errorf("%s was unsure: %t, and is: %t", id, was.unsure, is.unsure)
		case is.reason != was.reason:
			t.Errorf("%s had the reason %q, and has %q", id, was.reason, is.reason)
		}
	}
}

func (w *world) sessions(t *rapid.T, from store) map[string]*session {
	all := map[string]*session{}
	for _, who := range w.people {
		list, err := from.history(w.tb.Context(), w.owner(who), maxHistory)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			all[s.id] = s
		}
	}
	return all
}

// kill ends the process at once. What its callers hear does not count.
func (w *world) kill(*rapid.T) {
	close(w.dead)
	w.stores.kill()
	killed := w.place.service
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = killed.close(ended)
	w.doing.Wait()
	w.live()
}

// check is what holds at any moment.
func (w *world) check(t *rapid.T) {
	w.mu.Lock()
	wrong := w.wrong
	prompts := map[string]int{}
	for _, list := range w.requests {
		for _, r := range list {
			prompts[r.id] += r.prompts
		}
	}
	w.mu.Unlock()
	for _, text := range wrong {
		t.Error(text)
	}
	for id, n := range prompts {
		if n > 1 {
			t.Errorf("%s: %d prompts for one key", id, n)
		}
		s, err := w.place.service.desk.store.get(w.tb.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 && (s == nil || s.state == stateRefused) {
			t.Errorf("%s: the user was asked, and the store says %+v", id, s)
		}
	}
	for _, device := range w.devices {
		if busy := w.busy(t, device); len(busy) > 1 {
			t.Errorf("%s is asked or waited for by %d", device, len(busy))
		}
	}
}

// busy are the sessions that ask or wait for a device at one moment.
func (w *world) busy(t *rapid.T, device intune.DeviceRef) (busy []*session) {
	for _, who := range w.people {
		list, err := w.place.service.desk.store.history(w.tb.Context(), w.owner(who), maxHistory)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			if s.device == device && !s.state.hasEnded() {
				busy = append(busy, s)
			}
		}
	}
	for _, s := range busy { // at the end of the looks as it was in between
		if now, err := w.place.service.desk.store.get(w.tb.Context(), s.id); err != nil || now.number != s.number {
			return nil
		}
	}
	return busy
}

// end waits until nothing is under way.
func (w *world) end() {
	w.doing.Wait()
	w.place.close()
}

// tryWorld tries one random history of two people who ask, wait, and open links, while the service stops and dies.
func tryWorld(r *rapid.T, tb testing.TB, stores stores, unit time.Duration) {
	w := newWorld(r, tb, stores, unit)
	defer w.end()
	r.Repeat(map[string]func(*rapid.T){
		"ask": w.ask, "ask again": w.ask, "and again": w.ask, "wait on": w.waitOn, "click": w.click, "click again": w.click, "list": w.list,
		"pass": w.pass, "pass again": w.pass, "stop": w.stop, "kill": w.kill, "": w.check,
	})
	w.doing.Wait()
	w.check(r)
}

// One prompt a key, one who asks or waits a device, and a link only to the device's latest asker, once.
func TestNobodyGetsTheLinkOfAnother(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		var failed any
		synctest.Test(t, func(t *testing.T) {
			defer func() { failed = recover() }() // for rapid, which looks in its own goroutine
			tryWorld(r, t, newFileStores(t), time.Second)
		})
		if failed != nil {
			panic(failed)
		}
	})
}
