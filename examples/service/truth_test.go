package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/journalfile"
)

// errand is what a client of the service wants, and what Intune does about it.
type errand struct {
	name    string
	scripts []intunetest.SessionScript
	fault   intunetest.Fault // of the request, each time

	opens     bool // takes the link
	waitsOn   bool // goes on waiting once no link came
	asksAnew  bool // asks once more, with another key, when no link came
	wantState state
	wantPerh  bool // nobody knows whether the user was asked
}

// errands are the script of the service. They do not depend on how long a wait lasts, which a restart begins anew.
func errands() []errand {
	const after, before = intunetest.DropAfter, intunetest.DropBefore
	come := func(after time.Duration) []intunetest.SessionScript {
		return []intunetest.SessionScript{{After: after}}
	}
	fails := func(after time.Duration, text string) []intunetest.SessionScript {
		return []intunetest.SessionScript{{After: after, ErrorDetails: text}}
	}
	never := intunetest.SessionScript{Never: true}
	refused := func(status int, code string) intunetest.Fault {
		return intunetest.Fault{Status: status, Code: code, Message: "no", Header: http.Header{"Retry-After": {"1"}}}
	}
	return []errand{
		{name: "link", scripts: come(20 * time.Second), opens: true, wantState: stateOpened},
		{name: "late link", scripts: come(5 * time.Minute), opens: true, wantState: stateOpened},
		{name: "link left alone", scripts: come(time.Minute), wantState: stateReady},
		{name: "error text", scripts: fails(30*time.Second, "The TeamViewer account is not configured."), wantState: stateFailed},
		{name: "late error text", scripts: fails(3*time.Minute, "No seats left."), wantState: stateFailed},
		{name: "no sign", scripts: []intunetest.SessionScript{never}, wantState: stateNoLink},
		{name: "waited for again", scripts: come(9 * time.Minute), waitsOn: true, wantState: stateReady},
		{name: "asked anew", scripts: []intunetest.SessionScript{never, {After: 20 * time.Second}}, asksAnew: true, wantState: stateSuperseded},
		{name: "403", fault: refused(http.StatusForbidden, "Forbidden"), wantState: stateRefused},
		{name: "429", fault: refused(http.StatusTooManyRequests, "TooManyRequests"), wantState: stateRefused},
		{name: "503", fault: refused(http.StatusServiceUnavailable, "ServiceUnavailable"), wantState: stateRefused},
		{
			name: "dropped, acted", scripts: come(40 * time.Second), fault: intunetest.Fault{Drop: after}, opens: true,
			wantState: stateOpened,
		},
		{
			name: "dropped, acted, error text", scripts: fails(time.Minute, "No seats left."), fault: intunetest.Fault{Drop: after},
			wantState: stateFailed,
		},
		{name: "dropped, did not act", fault: intunetest.Fault{Drop: before}, wantState: stateNoLink, wantPerh: true},
		{
			name: "dropped, no sign", scripts: []intunetest.SessionScript{never}, fault: intunetest.Fault{Drop: after},
			wantState: stateNoLink, wantPerh: true,
		},
	}
}

// truth is what the client of an errand is told in the end.
type truth struct {
	State   state
	Unsure  bool
	Reason  string
	Problem string
	Opens   bool // the link of a session that is ready can be taken, and is the device's
	Anew    state
}

const (
	patienceOfWaits = 6 * time.Minute  // of the service, in these tests
	killsUntil      = 20 * time.Minute // after that the service is left in peace
	endOfErrands    = 44 * time.Minute
)

// mortal is a place whose service dies.
type mortal struct {
	*place
	random *rand.Rand

	mu     sync.Mutex
	life   *life
	kills  int
	tokens map[person]heldToken
	unsure map[string]bool // sessions whose outcome was not on disk when the service died
}

// life is the service from a start to its death.
type life struct {
	journal string
	handler http.Handler
	dies    death
	dead    chan struct{}
	seen    atomic.Int64

	once    sync.Once
	left    []byte // the journal at that moment
	sending string // the client-request-id of the request before which it died
}

// death is the moment when a life ends: a time, or the n-th request, before the service sends it or before it has the answer.
type death struct {
	at            time.Duration
	n             int64
	action, after bool // n counts requests for assistance only; with after, Intune has acted on the request
}

var errDead = errors.New("the service has died")

// through is the network of a service that may die.
func (l *life) through(next policy.Transporter) policy.Transporter {
	return transport(func(r *http.Request) (*http.Response, error) {
		counted := l.dies.n > 0 && (r.Method == http.MethodPost || !l.dies.action)
		last := counted && l.seen.Add(1) == l.dies.n
		if last && !l.dies.after {
			if r.Method == http.MethodPost {
				l.die(r.Header.Get("Client-Request-Id"))
			} else {
				l.die("")
			}
		}
		if err := l.hold(r.Context()); err != nil {
			return nil, err
		}
		response, err := next.Do(r)
		if last {
			l.die("")
		}
		if held := l.hold(r.Context()); held != nil {
			if err == nil {
				_ = response.Body.Close()
			}
			return nil, held
		}
		return response, err
	})
}

// hold keeps what a dead service does from having an effect.
func (l *life) hold(ctx context.Context) error {
	select {
	case <-l.dead:
		<-ctx.Done()
		return errDead
	default:
		return nil
	}
}

// die ends the life. What the process writes afterwards is in no journal that counts. Nothing has followed from what it
// writes meanwhile.
func (l *life) die(sending string) {
	l.once.Do(func() {
		close(l.dead)
		l.left, _ = os.ReadFile(l.journal) // an empty one fails the test
		l.sending = sending
	})
}

// isSpared makes sure that the life does not end any more, unless it has.
func (l *life) isSpared() bool {
	l.once.Do(func() {})
	select {
	case <-l.dead:
		return false
	default:
		return true
	}
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) Do(r *http.Request) (*http.Response, error) { return t(r) }

// RoundTrip is the way of a client to the service that lives now. An answer that comes after its death is lost.
func (m *mortal) RoundTrip(r *http.Request) (*http.Response, error) {
	m.mu.Lock()
	l := m.life
	m.mu.Unlock()
	if l == nil {
		return nil, errDead
	}
	ctx, cancel := context.WithCancel(r.Context())
	go func() {
		select {
		case <-l.dead:
			cancel()
		case <-ctx.Done():
		}
	}()
	response, err := inProcess{"assist.example": l.handler}.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	got, err := readAll(response)
	cancel()
	select {
	case <-l.dead:
		return nil, errDead
	default:
		return got, err
	}
}

func readAll(response *http.Response) (*http.Response, error) {
	var body bytes.Buffer
	_, err := body.ReadFrom(response.Body)
	_ = response.Body.Close()
	response.Body = nopCloser{&body}
	return response, err
}

type nopCloser struct{ *bytes.Buffer }

func (nopCloser) Close() error { return nil }

// live starts the service.
func (m *mortal) live(dies death) *life {
	l := &life{journal: m.journal, dies: dies, dead: make(chan struct{})}
	m.limits = func(o *settings) {
		o.maxWait = patienceOfWaits
		o.graph = func() *intune.ClientOptions {
			options := m.tenant.ClientOptions()
			options.Transport = l.through(options.Transport)
			return options
		}
	}
	m.open()
	l.handler = m.service.handler
	m.mu.Lock()
	m.life = l
	m.mu.Unlock()
	return l
}

// nextDeath is mostly around a request for assistance, where the truth is easiest to lose.
func (m *mortal) nextDeath() death {
	switch m.random.IntN(4) {
	case 0:
		return death{at: time.Duration(1+m.random.IntN(300)) * time.Second}
	case 1:
		return death{at: 10 * time.Minute, n: 1 + m.random.Int64N(60), after: m.random.IntN(2) == 0}
	default:
		return death{at: 10 * time.Minute, n: 1 + m.random.Int64N(5), action: true, after: m.random.IntN(2) == 0}
	}
}

// haunt kills the service again and again, and starts it on what its journal holds, until it is to be left in peace.
func (m *mortal) haunt(from time.Time) {
	m.tb.Helper()
	for l := m.life; time.Since(from) < killsUntil || !l.isSpared(); {
		select {
		case <-l.dead:
		case <-time.After(l.dies.at):
		}
		l.die("") // which waits for another one that is at it
		m.mu.Lock()
		m.life = nil
		m.mu.Unlock()
		m.kills++
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		if err := m.service.close(ended); err != nil {
			m.tb.Error(err)
		}
		time.Sleep(time.Duration(m.random.IntN(30)) * time.Second)
		m.journal = filepath.Join(m.tb.TempDir(), "journal.jsonl")
		text := m.cut(l)
		m.note(text)
		if err := os.WriteFile(m.journal, text, 0o600); err != nil {
			m.tb.Error(err)
		}
		l = m.live(m.nextDeath())
	}
}

// cut is what a death leaves of the journal: often the last line is not complete, if nothing had followed from it yet.
func (m *mortal) cut(l *life) []byte {
	text := l.left
	start := bytes.LastIndexByte(bytes.TrimSuffix(text, []byte("\n")), '\n') + 1
	var last intune.JournalEntry
	if json.Unmarshal(text[start:], &last) != nil || m.random.IntN(3) == 0 {
		return text
	}
	switch asking := last.Outcome == "" && last.Session == ""; {
	case asking && last.ClientRequestID != l.sending, last.Outcome == noteOpened, last.Outcome == noteWaiting:
		return text
	}
	return text[:start+m.random.IntN(len(text)-start)]
}

// note remembers of which requests the journal has no outcome.
func (m *mortal) note(journal []byte) {
	requests, err := intune.JournalRequests(journalfile.Read(bytes.NewReader(journal)))
	if err != nil {
		m.tb.Error(err)
	}
	for _, r := range requests {
		if r.Asked.Outcome == "" {
			m.unsure[r.Asking.ClientRequestID] = true
		}
	}
}

// tokenOf is made every ten minutes, because that takes long.
func (m *mortal) tokenOf(who person) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if held := m.tokens[who]; time.Since(held.made) < 10*time.Minute {
		return held.text
	}
	text, err := m.entra.apiToken(who)
	if err != nil {
		m.tb.Error(err)
	}
	m.tokens[who] = heldToken{text, time.Now()}
	return text
}

type heldToken struct {
	text string
	made time.Time
}

// client does an errand.
type client struct {
	m      *mortal
	who    person
	device intune.DeviceRef
	errand errand
	key    string
}

func (c *client) id(key string) string {
	return sessionID(c.m.entra.tenantID+":"+c.who.objectID, key)
}

// call sends a request until there is an answer.
func (c *client) call(method, path, body, key string) reply {
	for {
		header := http.Header{"Authorization": {"Bearer " + c.m.tokenOf(c.who)}}
		caller := &caller{tb: c.m.tb, http: &http.Client{Transport: c.m}, header: header}
		request := caller.request(context.Background(), method, path, body, http.Header{"Idempotency-Key": {key}})
		if response, err := caller.http.Do(request); err == nil {
			return readReply(c.m.tb, response)
		}
		time.Sleep(3 * time.Second)
	}
}

// ask reports whether the service took the request. It does not while it goes on with a wait whose end was not on disk.
func (c *client) ask(key string) bool {
	got := c.call(http.MethodPost, "/sessions", `{"device":"`+c.device.DeviceID()+`"}`, key)
	if key != c.key && strings.Contains(got.body, "/problems/"+kindDeviceBusy.name) {
		return false
	}
	if refused := c.errand.wantState == stateRefused; got.status >= http.StatusBadRequest && !refused {
		c.m.tb.Errorf("%s: POST /sessions: %d %s", c.errand.name, got.status, got.body)
	}
	return true
}

func (c *client) view(key string) (v sessionView) {
	got := c.call(http.MethodGet, "/sessions/"+c.id(key), "", "")
	got.into(c.m.tb, &v)
	return v
}

// run is the errand until nothing more is to be done.
func (c *client) run() {
	c.ask(c.key)
	waitedOn := false
	for {
		switch v := c.view(c.key); {
		case v.State == stateReady && c.errand.opens:
			c.call(http.MethodPost, "/sessions/"+v.ID+"/link", "", "")
		case v.State == stateNoLink && c.errand.waitsOn && !waitedOn:
			c.call(http.MethodPost, "/sessions/"+v.ID+"/wait", "", "")
			waitedOn = true
		case v.State == stateNoLink && c.errand.asksAnew:
			if c.ask(c.key + "-anew") {
				return
			}
		case v.State.hasEnded():
			return
		}
		time.Sleep(20 * time.Second)
	}
}

// told is the truth in the end.
func (c *client) told() truth {
	v := c.view(c.key)
	t := truth{State: v.State, Unsure: v.Unsure, Reason: v.Reason}
	if v.Problem != nil {
		t.Problem = v.Problem.Type
	}
	if c.errand.asksAnew {
		t.Anew = c.view(c.key + "-anew").State
	}
	if v.State == stateReady {
		got := c.call(http.MethodPost, "/sessions/"+v.ID+"/link", "", "")
		var answer struct{ Link string }
		got.into(c.m.tb, &answer)
		for _, d := range c.m.tenant.Devices() {
			if d.Device.ID == c.device.DeviceID() {
				t.Opens = answer.Link != "" && answer.Link == d.Device.RemoteAssistanceSessionURL.Reveal()
			}
		}
	}
	return t
}

// lifeOf is the script of the service, with or without deaths: what its clients are told in the end, and how often each
// user was asked.
func lifeOf(t *testing.T, seed uint64, dies bool) (told map[string]truth, prompts map[string]int, m *mortal) {
	t.Helper()
	m = &mortal{place: &place{
		tb: t, tenant: intunetest.NewTenant(nil), log: &syncBuffer{}, network: inProcess{},
		journal: filepath.Join(t.TempDir(), "journal.jsonl"),
	}, random: rand.New(rand.NewPCG(seed, 21)), unsure: map[string]bool{}, tokens: map[person]heldToken{}}
	m.entra = newStandIn(entraAt, serviceAt+"/auth/callback", m.tenant, []person{dana, robin}, testKey())
	from := time.Now()
	first := death{}
	if dies {
		first = m.nextDeath()
	}
	m.live(first)
	var clients []*client
	var group sync.WaitGroup
	for i, e := range errands() {
		c := &client{m: m, who: []person{dana, robin}[i%2], errand: e, key: "key-" + strconv.Itoa(1000+i)}
		c.device = m.add("LT-"+strconv.Itoa(i), e.scripts...)
		if e.fault.Status != 0 || e.fault.Drop != intunetest.DropNone {
			e.fault.PathSuffix, e.fault.Times = c.device.DeviceID()+actionSuffix, -1
			m.tenant.Inject(e.fault)
		}
		clients = append(clients, c)
		group.Go(func() {
			time.Sleep(time.Duration(i) * 5 * time.Second)
			c.run()
		})
	}
	if dies {
		m.haunt(from)
	}
	group.Wait()
	for _, c := range clients {
		c.view(c.key) // so that waits go on that a death had ended
	}
	time.Sleep(max(0, endOfErrands-time.Since(from)))
	told, prompts = map[string]truth{}, map[string]int{}
	for _, c := range clients {
		told[c.errand.name] = c.told()
		prompts[c.errand.name] = m.tenant.Prompts(c.device)
		for _, key := range []string{c.key, c.key + "-anew"} {
			m.unsure[c.errand.name] = m.unsure[c.errand.name] || m.unsure[c.id(key)]
		}
	}
	if err := m.service.close(t.Context()); err != nil {
		t.Error(err)
	}
	return told, prompts, m
}

// TestTheSameTruthAfterARestart kills the service again and again, at random moments and with the journal cut at a random
// byte, and compares what its clients are told in the end with what they are told without a kill. A failure names the seed.
func TestTheSameTruthAfterARestart(t *testing.T) {
	t.Parallel()
	var want map[string]truth
	var wantPrompts map[string]int
	synctest.Test(t, func(t *testing.T) { want, wantPrompts, _ = lifeOf(t, 0, false) })
	for _, e := range errands() {
		if got := want[e.name]; got.State != e.wantState || got.Unsure != e.wantPerh {
			t.Errorf("%s without a kill: %+v", e.name, got)
		}
	}
	runs := 50
	if more, err := strconv.Atoi(os.Getenv("SERVICE_LIVES")); err == nil {
		runs = more
	}
	var kills, unsure atomic.Int64
	t.Cleanup(func() {
		t.Logf("killed %d times in %d lives; of %d requests the outcome was lost", kills.Load(), runs, unsure.Load())
	})
	for seed := range uint64(runs) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				told, prompts, m := lifeOf(t, seed, true)
				kills.Add(int64(m.kills))
				for _, name := range slices.Sorted(maps.Keys(want)) {
					if told[name] != want[name] {
						unsure.Add(1)
						if err := mayDiffer(told[name], want[name], m.unsure[name]); err != nil {
							t.Errorf("%s: %v: told %+v, and %+v without a kill", name, err, told[name], want[name])
						}
					}
					if prompts[name] > wantPrompts[name] {
						t.Errorf("%s: asked %d times, and %d without a kill", name, prompts[name], wantPrompts[name])
					}
				}
			})
		})
	}
}

// mayDiffer says why a truth is not one that a kill may leave: only that nobody knows whether the user was asked, and only
// of a request whose outcome was not on disk.
func mayDiffer(told, want truth, unsure bool) error {
	switch {
	case !unsure:
		return errors.New("the outcome was on disk")
	case told.State == stateRefused:
		return errors.New("nobody knows that the user was not asked")
	case told.State == stateReady && want.State == stateOpened: // its client had given up
	case told.State != stateNoLink && told.State != cmp.Or(want.State, stateNoLink):
		return fmt.Errorf("state %s", told.State)
	case told.Anew != want.Anew && told.Anew != stateNoLink:
		return fmt.Errorf("the new request is %s", told.Anew)
	case !told.Unsure && told.Anew == want.Anew:
		return errors.New("it is told as certain")
	}
	return nil
}
