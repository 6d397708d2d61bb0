package intune_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
)

// TestSoak puts 200 goroutines on one client, for hours of fake time: with random faults, contexts that end, and tokens
// that last for 45 seconds. Every outcome that the library tells, by its errors and in its journal, is compared with what
// the user saw. At the end nothing may be left: no goroutine, no open body, which is a connection, and no memory.
//
// SOAK=1 makes a million calls instead of some thousands, and takes minutes.
func TestSoak(t *testing.T) { //nolint:paralleltest // it measures the heap and the goroutines of the process
	const workers = 200
	calls := 2_000
	if graphtest.Smaller > 1 {
		calls = 1_000
	}
	if os.Getenv("SOAK") != "" {
		calls = 1_000_000
	}
	goroutines := runtime.NumGoroutine()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := newSoak(t, workers)
		s.run(calls / 5 / workers) // until everything has its size: pools, maps, the tenant
		before := heap()
		s.run(calls / 5 * 4 / workers)
		synctest.Wait()
		grown := heap() - before
		t.Logf("%d bytes more are in use after %d calls", grown, calls/5*4)
		if grown > 1<<20 {
			t.Error("that is too much")
		}
		s.check(calls, time.Since(start))
	})
	// A bubble ends only when all of its goroutines have. The runtime counts one for as long as it runs the finalizers that the
	// last collection has found.
	for range 1_000_000 {
		if runtime.NumGoroutine() <= goroutines {
			return
		}
		runtime.Gosched()
	}
	stacks := make([]byte, 1<<20)
	t.Errorf("%d goroutines are left\n%s", runtime.NumGoroutine()-goroutines, stacks[:runtime.Stack(stacks, true)])
}

// soak is a tenant on a bad network, with the callers of one client.
type soak struct {
	t       *testing.T
	tenant  *intunetest.Tenant
	client  *intune.Client
	network *soakNetwork
	tokens  *soakTokens
	workers []*soakWorker

	mu     sync.Mutex
	counts map[string]int // of results, by kind
}

func newSoak(t *testing.T, workers int) *soak {
	t.Helper()
	s := &soak{
		t: t, counts: map[string]int{},
		tenant: intunetest.NewTenant(&intunetest.TenantOptions{KeepRequests: -1, OmitAuditEvents: true}),
	}
	devices := map[string]*soakDevice{}
	for i := range workers {
		w := &soakWorker{soak: s, dice: rand.New(rand.NewPCG(uint64(i), 2))}
		user := fmt.Sprintf("user%d@contoso.com", i)
		for j := range 6 {
			id := fmt.Sprintf("soak-%03d-%d", i, j)
			script := intunetest.SessionScript{AfterReads: j + 1}
			if j == 4 {
				script = intunetest.SessionScript{ErrorDetails: "The user declined."}
			}
			record := intune.ManagedDevice{ID: id, SerialNumber: id, UserPrincipalName: user, UserID: user}
			d := &soakDevice{ref: s.tenant.AddDevice(record, script)}
			if j == 5 {
				d.ref = intune.UserDevice(user, id)
			}
			w.devices, devices[id] = append(w.devices, d), d
		}
		s.workers = append(s.workers, w)
	}
	s.injectFaults(devices)
	s.tokens = &soakTokens{t: t, of: s.tenant.Credential(), expiry: map[string]time.Time{}}
	s.network = &soakNetwork{tenant: s.tenant, tokens: s.tokens}
	options := s.tenant.ClientOptions()
	options.Transport, options.Journal = s.network, soakJournal{}
	client, err := intune.NewClient(s.tokens, options)
	if err != nil {
		t.Fatal(err)
	}
	s.client = client
	return s
}

// injectFaults makes every tenth request fail somehow. A device whose request may have been carried out unseen is marked.
func (s *soak) injectFaults(devices map[string]*soakDevice) {
	const action = "/requestRemoteAssistance"
	var mu sync.Mutex
	dice := rand.New(rand.NewPCG(3, 4))
	inject := func(open bool, f intunetest.Fault) {
		f.Times = -1
		f.Match = func(r intunetest.RecordedRequest) bool {
			mu.Lock()
			hit := dice.IntN(120) == 0
			mu.Unlock()
			_, rest, _ := strings.Cut(r.Path, "managedDevices/")
			id, _, _ := strings.Cut(rest, "/")
			if d := devices[id]; hit && open && d != nil {
				d.mark()
			}
			return hit
		}
		s.tenant.Inject(f)
	}
	for _, status := range []int{http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout, http.StatusFound} {
		inject(true, intunetest.Fault{PathSuffix: action, Status: status, Effect: status%2 == 0})
	}
	inject(true, intunetest.Fault{PathSuffix: action, Drop: intunetest.DropBefore})
	inject(true, intunetest.Fault{PathSuffix: action, Drop: intunetest.DropAfter})
	inject(false, intunetest.Fault{PathSuffix: action, Status: http.StatusForbidden, Code: "Forbidden", Message: "No role.", Nested: true})
	inject(false, intunetest.Fault{Drop: intunetest.DropConnect})
	inject(false, intunetest.Fault{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"0.25"}}})
	inject(false, intunetest.Fault{Status: http.StatusServiceUnavailable})
	challenge := http.Header{"Www-Authenticate": writeClaims(challengeForms["canonical"])}
	inject(false, intunetest.Fault{Status: http.StatusUnauthorized, Header: challenge})
	inject(false, intunetest.Fault{Method: http.MethodGet, Truncate: 20})
	inject(false, intunetest.Fault{Method: http.MethodGet, Drop: intunetest.DropBefore})
}

// run makes calls from all goroutines, that many from each.
func (s *soak) run(each int) {
	var group sync.WaitGroup
	for _, w := range s.workers {
		group.Go(func() {
			for range each {
				w.call(s.t.Context())
			}
		})
	}
	group.Wait()
}

func (s *soak) count(kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[kind]++
}

func (s *soak) check(calls int, took time.Duration) {
	s.t.Helper()
	s.t.Logf("%d calls in %v, %d requests, %d at the same time, %d tokens, %d prompts; %v",
		calls, took, s.network.requests, s.network.most, s.tokens.issued, s.tenant.TotalPrompts(), s.counts)
	if s.network.open != 0 || s.network.inFlight != 0 {
		s.t.Errorf("%d bodies are open, %d requests in flight", s.network.open, s.network.inFlight)
	}
	if s.network.most < 50 || s.network.most > 4*len(s.workers) { // RequestRemoteAssistanceMany has four at a time
		s.t.Errorf("%d requests at the same time", s.network.most)
	}
	if least := max(3, int(took/soakTokenLife)/2); s.tokens.issued < least || s.tokens.failed == 0 {
		s.t.Errorf("%d tokens in %v, want %d or more; %d failures", s.tokens.issued, took, least, s.tokens.failed)
	}
	for _, kind := range []string{
		"accepted", "rejected", "unknown", "no entry", "link", "pending", "pending, unknown", "session error", "continued", "token", "context",
	} {
		if s.counts[kind] == 0 {
			s.t.Errorf("no call had the result %q", kind)
		}
	}
	prompts := 0
	for _, w := range s.workers {
		for _, d := range w.devices {
			prompts += s.tenant.Prompts(d.ref)
		}
	}
	if total := s.tenant.TotalPrompts(); total != prompts {
		s.t.Errorf("%d prompts, and %d on the devices", total, prompts)
	}
	if least := s.counts["accepted"]; prompts < least || prompts > least+s.counts["unknown"] {
		s.t.Errorf("%d prompts, and %v", prompts, s.counts)
	}
}

// soakDevice belongs to one goroutine, so that what changes on it is that goroutine's doing.
type soakDevice struct {
	ref intune.DeviceRef

	mu   sync.Mutex
	open bool // a request may have been carried out unseen
}

func (d *soakDevice) mark() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = true
}

func (d *soakDevice) unmark() (was bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	was, d.open = d.open, false
	return was
}

type soakWorker struct {
	*soak

	devices []*soakDevice
	dice    *rand.Rand
}

// call makes one call, which may end early.
func (w *soakWorker) call(ctx context.Context) {
	record := &soakRecord{entries: map[intune.DeviceRef][]intune.Outcome{}}
	ctx = context.WithValue(ctx, soakKey{}, record)
	if w.dice.IntN(15) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(w.dice.IntN(500))*time.Millisecond)
		defer cancel()
	}
	device := w.devices[w.dice.IntN(len(w.devices))]
	device.unmark()
	before := w.tenant.Prompts(device.ref)
	asked := func() int { return w.tenant.Prompts(device.ref) - before }
	switch n := w.dice.IntN(100); {
	case n < 55:
		_, err := w.client.RequestRemoteAssistance(ctx, device.ref, nil)
		w.judge(ctx, device, record, asked(), err)
		w.requested(record.outcome(device.ref), err)
	case n < 75:
		const most = 20 * time.Second
		options := &intune.OpenRemoteAssistanceOptions{MaxWait: most, ConfirmWithin: 8 * time.Second}
		session, err := w.client.OpenRemoteAssistance(ctx, device.ref, options)
		w.judge(ctx, device, record, asked(), err)
		w.opened(device, record, session, asked(), err)
		if pending, ok := errors.AsType[*intune.PendingError](err); ok {
			was, more := asked(), &intune.WaitForRemoteAssistanceOptions{MaxWait: most}
			_, err := w.client.WaitForRemoteAssistance(context.WithoutCancel(ctx), pending.ResumeToken, more)
			if asked() != was {
				w.t.Errorf("%v: the continued wait asked the user: %v", device.ref, err)
			}
			w.count("continued")
		}
	case n < 80:
		w.many(ctx, record)
	case n < 90:
		_, err := w.client.GetRemoteAssistanceSession(ctx, device.ref, nil)
		w.read(device, record, asked(), err)
	default:
		got, err := w.client.GetDevice(ctx, device.ref, &intune.GetDeviceOptions{Select: []string{"id", "serialNumber"}})
		if err == nil && got.SerialNumber != device.ref.DeviceID() {
			w.t.Errorf("%v: got device %s", device.ref, got.SerialNumber)
		}
		w.read(device, record, asked(), err)
	}
}

// judge compares the journal with what the user saw, and the error with the journal.
func (w *soakWorker) judge(ctx context.Context, device *soakDevice, record *soakRecord, asked int, err error) {
	outcome, open := record.outcome(device.ref), device.unmark()
	unseen := open || ctx.Err() != nil
	failed := err != nil && !errors.Is(err, intune.ErrOutcomeUnknown)
	truth := false
	switch outcome {
	case intune.OutcomeAccepted:
		truth = asked == 1
	case intune.OutcomeRejected, intune.OutcomeNotSent:
		truth = asked == 0 && failed
	case intune.OutcomeUnknown:
		truth = asked <= 1 && unseen
	case "":
		truth = asked == 0 && err != nil
		outcome = "no entry"
	}
	if !truth {
		w.t.Errorf("%v: %s, the user was asked %d times, open %t, context %v: %v", device.ref, outcome, asked, open, ctx.Err(), err)
	}
	w.count(string(outcome))
	switch {
	case errors.Is(err, errSoakToken):
		w.count("token")
	case errors.Is(err, context.DeadlineExceeded):
		w.count("context")
	}
}

// requested checks the error of RequestRemoteAssistance.
func (w *soakWorker) requested(outcome intune.Outcome, err error) {
	if (err == nil) != (outcome == intune.OutcomeAccepted) || errors.Is(err, intune.ErrOutcomeUnknown) != (outcome == intune.OutcomeUnknown) {
		w.t.Errorf("%s: %v", outcome, err)
	}
}

// opened checks the result of OpenRemoteAssistance. If its own request was lost, an earlier one can have the session that
// it found: the service does not say whose request a session belongs to.
func (w *soakWorker) opened(device *soakDevice, record *soakRecord, session intune.RemoteAssistanceSession, asked int, err error) {
	pending, isPending := errors.AsType[*intune.PendingError](err)
	_, isSession := errors.AsType[*intune.SessionError](err)
	lost := asked == 0 && record.outcome(device.ref) == intune.OutcomeUnknown
	switch {
	case err == nil:
		if asked != 1 && !lost {
			w.t.Errorf("%v: a session, the user was asked %d times: %+v", device.ref, asked, session)
		}
		if session.Reused || session.Device != device.ref {
			w.t.Errorf("%v: a session of another device or request: %+v", device.ref, session)
		}
		if link := session.URL.Reveal(); !strings.HasPrefix(link, "https://") {
			w.t.Errorf("%v: a session with the link %q", device.ref, link)
		}
		w.count("link")
	case isPending && errors.Is(err, intune.ErrOutcomeUnknown):
		w.count("pending, unknown")
	case isPending:
		if asked != 1 || pending.ResumeToken == "" {
			w.t.Errorf("%v: pending, the user was asked %d times: %v", device.ref, asked, err)
		}
		w.count("pending")
	case isSession:
		if asked != 1 && !lost {
			w.t.Errorf("%v: a session error, the user was asked %d times: %v", device.ref, asked, err)
		}
		w.count("session error")
	case asked != 0:
		w.t.Errorf("%v: the user was asked %d times: %v", device.ref, asked, err)
	}
}

// many asks the users of all devices of this goroutine.
func (w *soakWorker) many(ctx context.Context, record *soakRecord) {
	var refs []intune.DeviceRef
	before := map[intune.DeviceRef]int{}
	for _, d := range w.devices {
		d.unmark()
		refs = append(refs, d.ref)
		before[d.ref] = w.tenant.Prompts(d.ref)
	}
	results := 0
	for r := range w.client.RequestRemoteAssistanceMany(ctx, slices.Values(refs), &manyOptions{PerSecond: -1}) {
		results++
		asked := w.tenant.Prompts(r.Device) - before[r.Device]
		// What was not sent may have no entry.
		if outcome := cmp.Or(record.outcome(r.Device), intune.OutcomeNotSent); outcome != r.Outcome {
			w.t.Errorf("%v: %s, and the journal says %q: %v", r.Device, r.Outcome, outcome, r.Err)
		}
		least, most := 0, 0
		switch r.Outcome {
		case intune.OutcomeAccepted:
			least, most = 1, 1
		case intune.OutcomeUnknown:
			most = 1
		default:
		}
		if asked < least || asked > most {
			w.t.Errorf("%v: %s, the user was asked %d times: %v", r.Device, r.Outcome, asked, r.Err)
		}
		w.count(string(r.Outcome))
	}
	if results != len(refs) {
		w.t.Errorf("%d results for %d devices", results, len(refs))
	}
}

// read checks that a read asked nobody.
func (w *soakWorker) read(device *soakDevice, record *soakRecord, asked int, err error) {
	if asked != 0 || len(record.entries) != 0 {
		w.t.Errorf("%v: a read, and the user was asked %d times, %d entries", device.ref, asked, len(record.entries))
	}
	if errors.Is(err, intune.ErrOutcomeUnknown) {
		w.t.Errorf("%v: a read has no outcome: %v", device.ref, err)
	}
}

// soakNetwork takes its time, before the service acts and after, and counts what is open.
type soakNetwork struct {
	tenant *intunetest.Tenant
	tokens *soakTokens

	mu                             sync.Mutex
	requests, inFlight, most, open int
}

func (n *soakNetwork) NotSent(err error) bool { return n.tenant.NotSent(err) }

func (n *soakNetwork) Do(req *http.Request) (*http.Response, error) {
	n.mu.Lock()
	n.requests++
	n.inFlight++
	n.most = max(n.most, n.inFlight)
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.inFlight--
	}()
	if err := n.delay(req.Context()); err != nil {
		return nil, err
	}
	n.tokens.check(strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer "))
	resp, err := n.tenant.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if err := n.delay(req.Context()); err != nil {
		resp.Body.Close()
		return nil, err
	}
	n.mu.Lock()
	n.open++
	n.mu.Unlock()
	resp.Body = &soakBody{ReadCloser: resp.Body, network: n}
	return resp, nil
}

// delay is as long as a slow answer, or until the caller gives up.
func (*soakNetwork) delay(ctx context.Context) error {
	timer := time.NewTimer(time.Duration(rand.IntN(200)) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// soakBody is a body whose connection is free again when it is closed.
type soakBody struct {
	io.ReadCloser

	network *soakNetwork
	once    sync.Once
}

func (b *soakBody) Close() error {
	b.once.Do(func() {
		b.network.mu.Lock()
		defer b.network.mu.Unlock()
		b.network.open--
	})
	return b.ReadCloser.Close()
}

const soakTokenLife = 45 * time.Second

var errSoakToken = errors.New("the sign-in service is away")

// soakTokens is a credential whose tokens soon expire, and which sometimes has none.
type soakTokens struct {
	t  *testing.T
	of azcore.TokenCredential

	mu     sync.Mutex
	asked  int
	failed int
	issued int
	expiry map[string]time.Time // of the tokens that are valid, or were not long ago
}

func (c *soakTokens) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := c.of.GetToken(ctx, options)
	if err != nil {
		return token, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked++; c.asked%8 < 5 {
		c.failed++
		return azcore.AccessToken{}, errSoakToken
	}
	token.ExpiresOn = time.Now().Add(soakTokenLife)
	if _, known := c.expiry[token.Token]; known { // issued in the same second
		token.Token += strconv.Itoa(c.asked)
	}
	maps.DeleteFunc(c.expiry, func(_ string, expires time.Time) bool { return time.Since(expires) > soakTokenLife })
	c.expiry[token.Token] = token.ExpiresOn
	c.issued++
	return token, nil
}

// check fails the test if a request carries a token that has expired, or none.
func (c *soakTokens) check(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// The request was delayed since it got the token.
	if expires, ok := c.expiry[token]; !ok || time.Since(expires) > time.Second {
		c.t.Errorf("a request with a token that was issued: %t, and expired %v ago", ok, time.Since(expires))
	}
}

type soakKey struct{}

// soakRecord is the journal of one call.
type soakRecord struct {
	mu      sync.Mutex
	entries map[intune.DeviceRef][]intune.Outcome
}

// outcome is blank if nothing was recorded, and says so if the entries are not one of Asking and one of Asked.
func (r *soakRecord) outcome(device intune.DeviceRef) intune.Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch entries := r.entries[device]; {
	case len(entries) == 0:
		return ""
	case len(entries) == 2 && entries[0] == "" && entries[1] != "":
		return entries[1]
	default:
		return intune.Outcome(fmt.Sprintf("the entries %q", entries))
	}
}

// soakJournal writes into the record of the call.
type soakJournal struct{}

func (soakJournal) Asking(ctx context.Context, entry intune.JournalEntry) error {
	return soakJournal{}.Asked(ctx, entry)
}

func (soakJournal) Ended(context.Context, intune.JournalEntry) error { return nil }

func (soakJournal) Asked(ctx context.Context, entry intune.JournalEntry) error {
	record, ok := ctx.Value(soakKey{}).(*soakRecord)
	if !ok {
		return errors.New("the context is not that of the call")
	}
	record.mu.Lock()
	defer record.mu.Unlock()
	record.entries[entry.Device] = append(record.entries[entry.Device], entry.Outcome)
	return nil
}

// heap is what is in use after a collection.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// cheapTenant has one device, whose session never comes.
type cheapTenant struct{}

func (cheapTenant) Do(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodPost {
		return answer(req, http.StatusNoContent, nil, ""), nil
	}
	return answer(req, http.StatusOK, nil, `{"id":"d1","remoteAssistanceSessionUrl":"","remoteAssistanceSessionErrorDetails":null}`), nil
}

// Ten thousand callers that wait have no goroutine but their own, and a wait takes little memory.
func TestBeginRemoteAssistance_WaitsAreCheap(t *testing.T) { //nolint:paralleltest // it measures the heap of the process
	synctest.Test(t, func(t *testing.T) {
		const waits = 10_000 / graphtest.Smaller
		options := &intune.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: cheapTenant{}}}
		client, err := intune.NewClient(intune.StaticToken("opaque-token"), options)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		goroutines, before := runtime.NumGoroutine(), heap()
		var callers sync.WaitGroup
		for range waits {
			poller, err := client.BeginRemoteAssistance(ctx, intune.Device("d1"), nil)
			if err != nil {
				t.Fatal(err)
			}
			callers.Go(func() {
				if _, err := poller.PollUntilDone(ctx, every); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
			})
		}
		time.Sleep(6 * time.Second) //nolint:forbidigo // the bubble's clock
		synctest.Wait()
		if n := runtime.NumGoroutine() - goroutines; n > waits {
			t.Errorf("%d goroutines for %d callers", n, waits)
		}
		if each := (heap() - before) / waits; each >= 2<<10 {
			t.Errorf("%d bytes a wait", each)
		}
		cancel()
		callers.Wait()
	})
}
