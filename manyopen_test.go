package intune_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
)

// openOptions has a shorter name here.
type openOptions = intune.OpenRemoteAssistanceManyOptions

// openSummary is a result in short: what became of the device, and of its request.
func openSummary(r intune.OpenResult) string {
	name := lastDevice(r.Device.String())
	pending, waited := errors.AsType[*intune.PendingError](r.Err)
	_, failed := errors.AsType[*intune.SessionError](r.Err)
	switch {
	case r.Err == nil && r.Session.Reused:
		return name + " reused"
	case r.Err == nil:
		return name + " ready"
	case waited && pending.OutcomeUnknown:
		return name + " unknown"
	case waited:
		return name + " pending"
	case failed:
		return name + " failed"
	case errors.Is(r.Err, intune.ErrOutcomeUnknown):
		return name + " unknown, without a wait"
	}
	return name + " not asked"
}

func collectOpened(results iter.Seq[intune.OpenResult]) (list []intune.OpenResult) {
	list = slices.Collect(results)
	slices.SortFunc(list, func(a, b intune.OpenResult) int { return strings.Compare(a.Device.String(), b.Device.String()) })
	return list
}

func openSummaries(results iter.Seq[intune.OpenResult]) []string {
	return summariesOf(collectOpened(results))
}

func summariesOf(results []intune.OpenResult) (list []string) {
	for _, r := range results {
		list = append(list, openSummary(r))
	}
	return list
}

// after is a session whose link comes so long after the request.
func after(d time.Duration) intunetest.SessionScript { return intunetest.SessionScript{After: d} }

// addNumbered adds d0, d1 and so on, each with a script.
func addNumbered(tenant *intunetest.Tenant, n int, scripts ...intunetest.SessionScript) (devices []intune.DeviceRef) {
	for _, name := range numbered(n) {
		devices = append(devices, tenant.AddDevice(intune.ManagedDevice{ID: name}, scripts...))
	}
	return devices
}

// ofDevice matches requests of a kind for a device.
func ofDevice(device, method string) func(intunetest.RecordedRequest) bool {
	return func(r intunetest.RecordedRequest) bool { return r.Method == method && lastDevice(r.Path) == device }
}

// checkLinks wants each ready result to have the link that is on the device.
func checkLinks(t *testing.T, tenant *intunetest.Tenant, results []intune.OpenResult) {
	t.Helper()
	for _, r := range results {
		if r.Err != nil {
			continue
		}
		now, err := tenant.Client().GetRemoteAssistanceSession(t.Context(), r.Device, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Session.URL.IsZero() || !r.Session.URL.Equal(now.URL) {
			t.Errorf("%s: the link is not that of the device", openSummary(r))
		}
		if r.Session.Device != r.Device {
			t.Errorf("%s: the session is of %v", openSummary(r), r.Session.Device)
		}
		if r.Session.ClientRequestID == "" || r.Session.RequestedAt.IsZero() {
			t.Errorf("%s: nothing of its request: %+v", openSummary(r), r.Session)
		}
	}
}

func TestOpenRemoteAssistanceMany_AsksEachDeviceOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		a := tenant.AddDevice(intune.ManagedDevice{ID: "a"}, after(20*time.Second))
		b := tenant.AddDevice(intune.ManagedDevice{ID: "b"}, intunetest.SessionScript{After: time.Minute, ErrorDetails: "the user declined"})
		c := tenant.AddDevice(intune.ManagedDevice{ID: "c"}, never)
		input := []intune.DeviceRef{a, intune.Device("gone"), b, a, c, {}, intune.Device("a/b"), {}, b, a}
		results := collectOpened(tenant.Client().OpenRemoteAssistanceMany(t.Context(), slices.Values(input), nil))
		got := summariesOf(results)
		if want := []string{" not asked", "a ready", "a%2Fb not asked", "b failed", "c pending", "gone not asked"}; !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
		checkLinks(t, tenant, results)
		for _, device := range []intune.DeviceRef{a, b, c} {
			checkPrompts(t, tenant, device, 1)
		}
		checkKinds(t, results[0].Err, intune.ErrInvalidArgument)
		checkKinds(t, results[5].Err, intune.ErrNotFound)
		if e := asError(t, results[5].Err); e.Device != intune.Device("gone") {
			t.Errorf("the error is of %v", e.Device)
		}
		for _, r := range tenant.Requests() {
			if r.Method == http.MethodPost && lastDevice(r.Path) == "gone" {
				t.Errorf("sent %v without a look at the session", r)
			}
		}
	})
}

func TestOpenRemoteAssistanceMany_Refuses(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	client, two := tenant.Client(), devicesNamed("a", "b", "a")
	for name, c := range map[string]struct {
		results iter.Seq[intune.OpenResult]
		names   string
		count   int
	}{
		"no pace":     {client.OpenRemoteAssistanceMany(t.Context(), two, &openOptions{PerSecond: math.NaN()}), "options.PerSecond", 2},
		"concurrency": {client.OpenRemoteAssistanceMany(t.Context(), two, &openOptions{Concurrency: -1}), "options.Concurrency", 2},
		"reference":   {client.OpenRemoteAssistanceMany(t.Context(), two, &openOptions{Reference: "a\nb"}), "options.Reference", 2},
		"accept": {
			client.OpenRemoteAssistanceMany(t.Context(), two, &openOptions{AcceptExistingAfter: -1}), "options.AcceptExistingAfter", 2,
		},
		"confirm":         {client.OpenRemoteAssistanceMany(t.Context(), two, &openOptions{ConfirmWithin: -1}), "options.ConfirmWithin", 2},
		"waits":           {client.OpenRemoteAssistanceMany(t.Context(), two, &openOptions{MaxWaits: -1}), "options.MaxWaits", 2},
		"nil devices":     {client.OpenRemoteAssistanceMany(t.Context(), nil, nil), "devices", 1},
		"nil context":     {client.OpenRemoteAssistanceMany(nil, two, nil), "ctx", 2}, //nolint:staticcheck // what is tested
		"zero client":     {(&intune.Client{}).OpenRemoteAssistanceMany(t.Context(), two, nil), "client", 2},
		"nil client":      {(*intune.Client)(nil).OpenRemoteAssistanceMany(t.Context(), two, nil), "client", 2},
		"zero and no ctx": {(&intune.Client{}).OpenRemoteAssistanceMany(nil, nil, nil), "devices", 1}, //nolint:staticcheck // what is tested
	} {
		results := collectOpened(c.results)
		if len(results) != c.count {
			t.Errorf("%s: %d results", name, len(results))
		}
		for i, r := range results {
			if c.count == 2 && r.Device != intune.Device([]string{"a", "b"}[i]) {
				t.Errorf("%s: a result for %v", name, r.Device)
			}
			checkKinds(t, r.Err, intune.ErrInvalidArgument)
			checkSays(t, r.Err, c.names)
		}
		for range c.results {
			break // which must not go on
		}
	}
	if n := tenant.RequestCount(); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// The users would be prompted twice.
func TestOpenRemoteAssistanceMany_CanBeRangedOverOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		results := tenant.Client().OpenRemoteAssistanceMany(t.Context(), slices.Values(addNumbered(tenant, 2)), nil)
		if tenant.RequestCount() != 0 {
			t.Error("something was sent before the loop began")
		}
		if got := openSummaries(results); !slices.Equal(got, []string{"d0 ready", "d1 ready"}) {
			t.Errorf("got %q", got)
		}
		for _, r := range collectOpened(results) {
			checkKinds(t, r.Err, intune.ErrInvalidArgument)
			checkSays(t, r.Err, "call OpenRemoteAssistanceMany again")
		}
		if n := tenant.TotalPrompts(); n != 2 {
			t.Errorf("%d prompts", n)
		}
	})
}

// What becomes of each fault: nobody is asked twice, and every result says whether the user was asked.
func TestOpenRemoteAssistanceMany_AtMostOnePrompt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault   intunetest.Fault
		method  string
		script  intunetest.SessionScript
		want    string
		is      error
		prompts int
	}{
		"throttled":               {intunetest.Fault{Status: 429, Times: 3}, "POST", after(time.Minute), "x ready", nil, 1},
		"unavailable":             {intunetest.Fault{Status: 503, Times: 2}, "POST", after(time.Minute), "x ready", nil, 1},
		"no connection":           {intunetest.Fault{Drop: intunetest.DropConnect, Times: 2}, "POST", after(time.Minute), "x ready", nil, 1},
		"throttled for ever":      {intunetest.Fault{Status: 429, Times: -1}, "POST", after(time.Minute), "x not asked", nil, 0},
		"refused":                 {intunetest.Fault{Status: 403}, "POST", after(time.Minute), "x not asked", intune.ErrForbidden, 0},
		"broken after the effect": {intunetest.Fault{Drop: intunetest.DropAfter}, "POST", after(time.Minute), "x ready", nil, 1},
		"broken, and late": {
			intunetest.Fault{Drop: intunetest.DropAfter}, "POST", after(time.Hour), "x unknown", intune.ErrOutcomeUnknown, 1,
		},
		"broken before it": {
			intunetest.Fault{Drop: intunetest.DropBefore}, "POST", after(time.Minute), "x unknown", intune.ErrOutcomeUnknown, 0,
		},
		"a gateway's timeout": {intunetest.Fault{Status: 504, Effect: true}, "POST", after(time.Minute), "x ready", nil, 1},
		"no first look": {
			intunetest.Fault{Status: 403, Times: -1}, "GET", after(time.Minute), "x not asked", intune.ErrForbidden, 0,
		},
		"no connection at the first look": {
			intunetest.Fault{Drop: intunetest.DropConnect, Times: -1}, "GET", after(time.Minute), "x not asked", nil, 0,
		},
		"a late first look": {intunetest.Fault{Status: 503, Times: 3}, "GET", after(time.Minute), "x ready", nil, 1},
		"never a first look": {
			intunetest.Fault{Status: 503, Times: -1}, "GET", after(time.Minute), "x not asked", intune.ErrUnavailable, 0,
		},
	} {
		for _, journal := range []*memory{nil, {}} {
			bubble(t, fmt.Sprintf("%s, with a journal: %t", name, journal != nil), func(t *testing.T, tenant *intunetest.Tenant) {
				device := tenant.AddDevice(intune.ManagedDevice{ID: "x"}, c.script)
				other := tenant.AddDevice(intune.ManagedDevice{ID: "y"}, after(time.Second))
				fault := c.fault
				fault.Match = ofDevice("x", c.method)
				tenant.Inject(fault)
				client := tenant.Client()
				if journal != nil {
					client = journaled(t, tenant, journal)
				}
				results := collectOpened(client.OpenRemoteAssistanceMany(t.Context(), slices.Values([]intune.DeviceRef{device, other}), nil))
				if len(results) != 2 || openSummary(results[1]) != "y ready" {
					t.Fatalf("got %+v", results)
				}
				if got := openSummary(results[0]); got != c.want {
					t.Errorf("got %s, want %s: %v", got, c.want, results[0].Err)
				}
				if c.is != nil && !errors.Is(results[0].Err, c.is) {
					t.Errorf("got %v, want %v", results[0].Err, c.is)
				}
				checkPrompts(t, tenant, device, c.prompts)
				checkLinks(t, tenant, results)
			})
		}
	}
}

// The input may take its time. A result is yielded as soon as it is there.
func TestOpenRemoteAssistanceMany_SlowInput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		devices := addNumbered(tenant, 5, after(10*time.Second))
		slow := func(yield func(intune.DeviceRef) bool) {
			for _, device := range devices {
				pass(time.Minute)
				if !yield(device) {
					return
				}
			}
		}
		start, n := time.Now(), 0
		for r := range tenant.Client().OpenRemoteAssistanceMany(t.Context(), slow, nil) {
			n++
			least := time.Duration(n)*time.Minute + 10*time.Second
			if late := time.Since(start) - least; late < 0 || late > 3*time.Second {
				t.Errorf("result %d, %s, %v after its link", n, openSummary(r), late)
			}
		}
		if n != 5 {
			t.Errorf("%d results", n)
		}
	})
}

// While OnRequested or the body of the loop takes its time, the waits go on, and nothing is lost.
func TestOpenRemoteAssistanceMany_SlowLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant, journal := intunetest.NewTenant(nil), &memory{}
		devices := addNumbered(tenant, 3, after(10*time.Second))
		start := time.Now()
		var saw []time.Duration // when the link of each was seen
		journal.onEnded = func(context.Context, intune.JournalEntry) error {
			saw = append(saw, time.Since(start))
			return nil
		}
		requested := map[intune.DeviceRef]intune.Requested{}
		results := 0
		for r := range journaled(t, tenant, journal).OpenRemoteAssistanceMany(t.Context(), slices.Values(devices), &openOptions{
			OnRequested: func(r intune.Requested) {
				requested[r.Device] = r
				pass(time.Hour)
			},
		}) {
			results++
			if r.Err != nil {
				t.Error(r.Err)
			}
			asked := requested[r.Device]
			if asked.Outcome != intune.OutcomeAccepted || asked.ClientRequestID != r.Session.ClientRequestID {
				t.Errorf("requested %+v, opened %+v", asked, r.Session)
			}
			pass(time.Hour)
		}
		if results != 3 || len(requested) != 3 {
			t.Errorf("%d results of %d requests", results, len(requested))
		}
		// The second and third device were given to workers before the first OnRequested, or else after it.
		if len(saw) != 3 || saw[0] > 14*time.Second {
			t.Errorf("the links were seen after %v", saw)
		}
	})
}

// While so many are waited for, nobody else is asked.
func TestOpenRemoteAssistanceMany_MaxWaits(t *testing.T) {
	t.Parallel()
	for _, most := range []int{1, 2, 7} {
		bubble(t, strconv.Itoa(most), func(t *testing.T, tenant *intunetest.Tenant) {
			devices, waiting, full := addNumbered(tenant, 20, after(30*time.Second)), 0, 0
			for range tenant.Client().OpenRemoteAssistanceMany(t.Context(), slices.Values(devices), &openOptions{
				PerSecond: -1, MaxWaits: most,
				OnRequested: func(intune.Requested) { waiting++; full = max(full, waiting) },
				OnProgress: func(p intune.Progress) {
					if p.Waiting > most || p.Pending > most {
						t.Errorf("progress %+v", p)
					}
					if n := tenant.TotalPrompts(); n > p.Done()+most {
						t.Errorf("%d were asked, %d are done", n, p.Done())
					}
				},
			}) {
				waiting--
			}
			if full != most {
				t.Errorf("at most %d waits, want %d", full, most)
			}
			if n := tenant.TotalPrompts(); n != 20 {
				t.Errorf("%d prompts", n)
			}
		})
	}
}

// When the context ends, whoever was asked has a token with which the wait goes on, and nobody else is asked.
func TestOpenRemoteAssistanceMany_ContextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant, journal := intunetest.NewTenant(nil), &memory{}
		devices := addNumbered(tenant, 30, after(time.Minute))
		tenant.Inject(intunetest.Fault{Match: ofDevice("d2", http.MethodPost), Drop: intunetest.DropAfter})
		tenant.Inject(intunetest.Fault{Match: ofDevice("d10", http.MethodPost), Delay: time.Hour, Effect: true})
		ctx, cancel := context.WithTimeout(t.Context(), 4100*time.Millisecond)
		defer cancel()
		client, start := journaled(t, tenant, journal), time.Now()
		requested := map[intune.DeviceRef]bool{}
		var results []intune.OpenResult
		for r := range client.OpenRemoteAssistanceMany(ctx, slices.Values(devices), &openOptions{
			OnRequested: func(r intune.Requested) { requested[r.Device] = true },
		}) {
			if _, waited := errors.AsType[*intune.PendingError](r.Err); waited != requested[r.Device] {
				t.Errorf("%s: OnRequested was called: %t", openSummary(r), !waited)
			}
			results = append(results, r)
		}
		checkTook(t, start, 4100*time.Millisecond)
		tenant.ClearFaults()
		counts := map[string]int{}
		for _, r := range results {
			name, what, _ := strings.Cut(openSummary(r), " ")
			counts[what]++
			pending, waited := errors.AsType[*intune.PendingError](r.Err)
			if asked := tenant.Prompts(r.Device) == 1; asked != waited {
				t.Errorf("%s: asked: %t", openSummary(r), asked)
			}
			if !errors.Is(r.Err, context.DeadlineExceeded) && name != "d10" {
				t.Errorf("%s: %v", name, r.Err)
			}
			if unknown := name == "d2" || name == "d10"; waited && unknown != pending.OutcomeUnknown {
				t.Errorf("%s: unknown is %t", name, pending.OutcomeUnknown)
			}
			if !waited {
				continue
			}
			session, err := client.WaitForRemoteAssistance(t.Context(), pending.ResumeToken, nil)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			checkLinks(t, tenant, []intune.OpenResult{{Device: r.Device, Session: session}})
		}
		if want := map[string]int{"pending": 19, "unknown": 2, "not asked": 9}; !maps.Equal(counts, want) {
			t.Errorf("got %v, want %v", counts, want)
		}
		if len(requested) != 21 {
			t.Errorf("OnRequested was called for %d devices", len(requested))
		}
		checkEnds(t, journal, map[intune.SessionOutcome]int{intune.SessionLeft: 21, intune.SessionReady: 21})
	})
}

// checkEnds counts the ends of waits, of which each device that was asked, or may have been, has at least one.
func checkEnds(t *testing.T, journal *memory, want map[intune.SessionOutcome]int) {
	t.Helper()
	journal.mu.Lock()
	defer journal.mu.Unlock()
	ended, count := map[string]bool{}, map[intune.SessionOutcome]int{}
	for _, entry := range journal.ended {
		count[entry.Session]++
		ended[entry.ClientRequestID] = true
	}
	if !maps.Equal(count, want) {
		t.Errorf("ends %v, want %v", count, want)
	}
	for _, entry := range journal.asked {
		asked := entry.Outcome == intune.OutcomeAccepted || entry.Outcome == intune.OutcomeUnknown
		if asked != ended[entry.ClientRequestID] {
			t.Errorf("%v was %s, its wait has an end: %t", entry.Device, entry.Outcome, ended[entry.ClientRequestID])
		}
		if asked != (entry.ResumeToken != "") {
			t.Errorf("%v was %s, with the token %q", entry.Device, entry.Outcome, entry.ResumeToken)
		}
	}
}

// The one result of a device for which something is on its way as the context ends comes when that has ended.
func TestOpenRemoteAssistanceMany_ContextEndsDuringARequest(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]string{http.MethodPost: "d0 unknown", http.MethodGet: "d0 pending"} {
		bubble(t, method, func(t *testing.T, tenant *intunetest.Tenant) {
			devices, start := addNumbered(tenant, 1, never), time.Now()
			input := func(yield func(intune.DeviceRef) bool) {
				yield(devices[0])
				pass(time.Hour)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				resp, err := tenant.RoundTrip(req)
				if err != nil || req.Method != method || tenant.TotalPrompts() == 0 {
					return resp, err
				}
				_ = resp.Body.Close()
				<-req.Context().Done()
				pass(time.Second)
				return nil, req.Context().Err()
			}))
			var got []string
			for r := range client.OpenRemoteAssistanceMany(ctx, input, nil) {
				got = append(got, openSummary(r))
				checkTook(t, start, time.Minute+time.Second)
				if e, ok := errors.AsType[*intune.Error](r.Err); ok && method == http.MethodGet {
					t.Errorf("the end of the context is told as an error of the read: %v", e)
				}
			}
			if !slices.Equal(got, []string{want}) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestOpenRemoteAssistanceMany_ContextHasEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		results := collectOpened(tenant.Client().OpenRemoteAssistanceMany(ctx, slices.Values(addNumbered(tenant, 3)), nil))
		for _, r := range results {
			checkKinds(t, r.Err, context.Canceled)
			if e := asError(t, r.Err); e.Device != r.Device {
				t.Errorf("the error of %v is of %v", r.Device, e.Device)
			}
		}
		if len(results) != 3 || tenant.RequestCount() != 0 {
			t.Errorf("%d results of %d requests", len(results), tenant.RequestCount())
		}
	})
}

// The end of the context ends requests and waits, but not the input: what it still gives was not asked.
func TestOpenRemoteAssistanceMany_ContextEndsBeforeTheInput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		devices := addNumbered(tenant, 4, never)
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		input := func(yield func(intune.DeviceRef) bool) {
			for _, device := range devices {
				pass(time.Minute)
				if !yield(device) {
					t.Error("the loop was left")
				}
			}
		}
		var after []time.Duration
		start, got := time.Now(), []string{}
		for r := range tenant.Client().OpenRemoteAssistanceMany(ctx, input, nil) {
			got, after = append(got, openSummary(r)), append(after, time.Since(start).Round(time.Second))
		}
		if want := []string{"d0 pending", "d1 not asked", "d2 not asked", "d3 not asked"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if want := []time.Duration{90e9, 120e9, 180e9, 240e9}; !slices.Equal(after, want) {
			t.Errorf("results after %v, want %v", after, want)
		}
	})
}

// Leaving the loop stops everything at once, and the journal has the end of each wait. The bubble fails if a goroutine is
// left.
func TestOpenRemoteAssistanceMany_LoopIsLeft(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		leave func()
		hold  bool // the journal waits for the end of its context
	}{
		"break":                  {func() {}, false},
		"panic":                  {func() { panic("of the body") }, false},
		"break, a slow journal":  {func() {}, true},
		"panic, a slow journal":  {func() { panic("of the body") }, true},
		"goexit, a slow journal": {runtime.Goexit, true},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			devices := append(addNumbered(tenant, 100, never), tenant.AddDevice(intune.ManagedDevice{ID: "early"}, after(9*time.Second)))
			slices.Reverse(devices)
			journal, done := &memory{}, make(chan time.Duration)
			start, left := time.Now(), time.Time{}
			journal.onEnded = func(ctx context.Context, entry intune.JournalEntry) error {
				if c.hold && entry.Session == intune.SessionLeft {
					<-ctx.Done()
				}
				return ctx.Err()
			}
			go func() {
				defer func() {
					_ = recover()
					done <- time.Since(left)
				}()
				for r := range journaled(t, tenant, journal).OpenRemoteAssistanceMany(t.Context(), slices.Values(devices), nil) {
					if r.Err != nil {
						t.Error(r.Err)
					}
					left = time.Now()
					c.leave()
					break
				}
			}()
			took, want := <-done, time.Duration(0)
			if c.hold {
				want = 10 * time.Second
			}
			if took != want {
				t.Errorf("took %v, want %v", took, want)
			}
			count := tenant.RequestCount()
			pass(time.Hour)
			if n := tenant.RequestCount(); n != count {
				t.Errorf("%d requests, and then %d", count, n)
			}
			asked := tenant.TotalPrompts()
			checkEnds(t, journal, map[intune.SessionOutcome]int{intune.SessionReady: 1, intune.SessionLeft: asked - 1})
			// The workers that begin at the same time ask in any order, so that the early one need not be the first.
			if want := 1 + int(left.Sub(start).Seconds()*5); asked < want-1 || asked > want || asked < 40 {
				t.Errorf("%d were asked in %v, want %d", asked, left.Sub(start), want)
			}
		})
	}
}

// Leaving the loop loses no token: OnRequested hears of all who were asked meanwhile, or may have been. A panic ends that too.
func TestOpenRemoteAssistanceMany_LoopIsLeftWithRequestsUnheard(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(){"break": func() {}, "panic": func() { panic("of the body") }} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			tenant.Inject(intunetest.Fault{Match: ofDevice("d9", http.MethodPost), Delay: time.Hour, Effect: true})
			early := tenant.AddDevice(intune.ManagedDevice{}, after(time.Second))
			devices := append([]intune.DeviceRef{early}, addNumbered(tenant, 200, never)...)
			tokens, before := map[intune.DeviceRef]string{}, 0
			func() {
				defer func() { _ = recover() }()
				for range tenant.Client().OpenRemoteAssistanceMany(t.Context(), slices.Values(devices), &openOptions{
					PerSecond: 10, OnRequested: func(r intune.Requested) { tokens[r.Device] = r.ResumeToken },
				}) {
					before = len(tokens)
					pass(10 * time.Second)
					leave()
					break
				}
			}()
			if name == "panic" {
				if len(tokens) != before {
					t.Errorf("OnRequested was called %d times, and %d times after the panic", before, len(tokens)-before)
				}
				return
			}
			if asked := tenant.TotalPrompts(); len(tokens) != asked || asked == before {
				t.Errorf("%d were asked, OnRequested was called %d times, %d of them before", asked, len(tokens), before)
			}
			for device, token := range tokens {
				_, err := tenant.Client().WaitForRemoteAssistance(t.Context(), token, &intune.WaitForRemoteAssistanceOptions{MaxWait: 1})
				if pending, _ := errors.AsType[*intune.PendingError](err); err != nil && (pending == nil || pending.Device != device) {
					t.Errorf("%v: %v", device, err)
				}
			}
		})
	}
}

// A loop that is left does not wait for an input that blocks.
func TestOpenRemoteAssistanceMany_LoopIsLeftWhileTheInputBlocks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		devices, unblock, ended := addNumbered(tenant, 2), make(chan struct{}), make(chan bool)
		input := func(yield func(intune.DeviceRef) bool) {
			yield(devices[0])
			<-unblock
			ended <- yield(devices[1])
		}
		for range tenant.Client().OpenRemoteAssistanceMany(t.Context(), input, nil) {
			break
		}
		close(unblock)
		if <-ended {
			t.Error("the input was told to go on")
		}
		if n := tenant.TotalPrompts(); n != 1 {
			t.Errorf("%d prompts", n)
		}
	})
}

// Each device has one Asking and one Asked, and each that was asked one Ended, with the id that is on the wire. The newest
// token goes on with the wait.
func TestOpenRemoteAssistanceMany_EntriesOfEachDevice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant, journal := intunetest.NewTenant(nil), &memory{}
		devices := append(addNumbered(tenant, 6, after(30*time.Second)), tenant.AddDevice(intune.ManagedDevice{ID: "never"}, never),
			tenant.AddDevice(intune.ManagedDevice{ID: "sorry"}, intunetest.SessionScript{ErrorDetails: "declined"}), intune.Device("gone"))
		tenant.Inject(intunetest.Fault{Match: ofDevice("d1", http.MethodPost), Status: http.StatusTooManyRequests, Times: 2})
		tenant.Inject(intunetest.Fault{Match: ofDevice("d2", http.MethodPost), Drop: intunetest.DropAfter})
		tenant.Inject(intunetest.Fault{Match: ofDevice("d3", http.MethodPost), Status: http.StatusForbidden})
		tenant.Inject(intunetest.Fault{Match: ofDevice("d4", http.MethodPost), Drop: intunetest.DropBefore})
		ended := map[string]bool{}
		var contexts []context.Context
		journal.onEnded = func(ctx context.Context, _ intune.JournalEntry) error {
			journal.mu.Lock()
			defer journal.mu.Unlock()
			contexts = append(contexts, ctx)
			return nil
		}
		for r := range journaled(t, tenant, journal).OpenRemoteAssistanceMany(t.Context(), slices.Values(devices), &openOptions{
			Reference: "ticket 4711",
		}) {
			journal.mu.Lock()
			for _, entry := range journal.ended {
				ended[lastDevice(entry.Device.String())] = true
			}
			journal.mu.Unlock()
			name, what, _ := strings.Cut(openSummary(r), " ")
			if asked := what != "not asked"; asked != ended[name] {
				t.Errorf("%s is yielded, its wait has an end: %t", openSummary(r), !asked)
			}
		}
		for _, ctx := range contexts {
			if ctx.Err() == nil {
				t.Error("the journal's context outlives the wait, with its timer")
			}
		}
		if len(journal.asking) != 8 || len(journal.asked) != 8 {
			t.Fatalf("%d and %d entries, want 8", len(journal.asking), len(journal.asked))
		}
		checkEnds(t, journal, map[intune.SessionOutcome]int{
			intune.SessionReady: 4, intune.SessionFailed: 1, intune.SessionLeft: 2,
		})
		requests, err := intune.JournalRequests(sequence(slices.Concat(journal.asking, journal.asked, journal.ended), nil))
		if err != nil || len(requests) != 8 {
			t.Fatalf("%d requests, %v", len(requests), err)
		}
		var got []string
		for _, r := range requests {
			if r.Asking.Reference != "ticket 4711" || !r.Asking.Waits {
				t.Errorf("entry %+v", r.Asking)
			}
			got = append(got, fmt.Sprint(lastDevice(r.Device().String()), " ", r.Outcome(), " ", r.Ended.Session, " ", r.Waiting()))
		}
		slices.Sort(got)
		if want := []string{
			"d0 accepted ready false", "d1 accepted ready false", "d2 unknown ready false", "d3 rejected  false",
			"d4 unknown left true", "d5 accepted ready false", "never accepted left true", "sorry accepted failed false",
		}; !slices.Equal(got, want) {
			t.Errorf("got\n%q, want\n%q", got, want)
		}
		for _, r := range tenant.Requests() {
			if r.Method == http.MethodPost && !slices.ContainsFunc(journal.asking, func(e intune.JournalEntry) bool {
				return e.ClientRequestID == r.Header.Get("Client-Request-Id") && strings.HasPrefix(r.Path, "/v1.0"+e.Device.String())
			}) {
				t.Errorf("%v went out without an entry", r)
			}
		}
	})
}

// A wait that is no longer ours gives no link.
func TestOpenRemoteAssistanceMany_Superseded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		journal := &memory{onEnded: func(_ context.Context, entry intune.JournalEntry) error {
			if entry.Device == intune.Device("d1") {
				return fmt.Errorf("by another copy: %w", intune.ErrSuperseded)
			}
			return errors.New("disk full")
		}}
		devices := addNumbered(tenant, 2)
		results := collectOpened(journaled(t, tenant, journal).OpenRemoteAssistanceMany(t.Context(), slices.Values(devices), nil))
		if got := summariesOf(results); !slices.Equal(got, []string{"d0 ready", "d1 pending"}) {
			t.Fatalf("got %q", got)
		}
		checkKinds(t, results[1].Err, intune.ErrSessionPending, intune.ErrSuperseded)
		if !results[1].Session.URL.IsZero() {
			t.Error("the link is not withheld")
		}
	})
}

// No record, no prompt.
func TestOpenRemoteAssistanceMany_JournalRefuses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		busy := &intune.DeviceBusyError{Device: intune.Device("d1"), Actor: "bo"}
		journal := &memory{onAsking: func(_ context.Context, entry intune.JournalEntry) error {
			if entry.Device == busy.Device {
				return busy
			}
			return nil
		}}
		devices := addNumbered(tenant, 3)
		results := collectOpened(journaled(t, tenant, journal).OpenRemoteAssistanceMany(t.Context(), slices.Values(devices), nil))
		if got := summariesOf(results); !slices.Equal(got, []string{"d0 ready", "d1 not asked", "d2 ready"}) {
			t.Fatalf("got %q", got)
		}
		if found, ok := errors.AsType[*intune.DeviceBusyError](results[1].Err); !ok || found != busy {
			t.Errorf("got %v", results[1].Err)
		}
		checkPrompts(t, tenant, devices[1], 0)
		checkEnds(t, journal, map[intune.SessionOutcome]int{intune.SessionReady: 2})
	})
}

// Each device has limits of its own, from its request on.
func TestOpenRemoteAssistanceMany_LimitsOfEachDevice(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options openOptions
		fault   *intunetest.Fault
		want    string
		after   time.Duration // from the device's request on
	}{
		"MaxWait":         {openOptions{MaxWait: 20 * time.Second}, nil, "pending", 20 * time.Second},
		"default MaxWait": {openOptions{}, nil, "pending", 10 * time.Minute},
		"accept":          {openOptions{AcceptExistingAfter: 30 * time.Second}, nil, "reused", 30 * time.Second},
		"confirm": {
			openOptions{ConfirmWithin: 40 * time.Second}, &intunetest.Fault{Drop: intunetest.DropBefore, Times: -1}, "unknown", 40 * time.Second,
		},
		"default confirm": {openOptions{}, &intunetest.Fault{Drop: intunetest.DropBefore, Times: -1}, "unknown", 2 * time.Minute},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			var devices []intune.DeviceRef
			for _, name := range numbered(4) {
				left := leftLink
				left.ID = name
				devices = append(devices, tenant.AddDevice(left, never))
			}
			if c.fault != nil {
				c.fault.Method = http.MethodPost
				tenant.Inject(*c.fault)
			}
			requested := map[intune.DeviceRef]time.Time{}
			c.options.PerSecond = .1
			c.options.OnRequested = func(r intune.Requested) { requested[r.Device] = time.Now() }
			results := 0
			for r := range tenant.Client().OpenRemoteAssistanceMany(t.Context(), slices.Values(devices), &c.options) {
				results++
				if _, what, _ := strings.Cut(openSummary(r), " "); what != c.want {
					t.Errorf("got %s, want %s: %v", what, c.want, r.Err)
				}
				if took := time.Since(requested[r.Device]); took < c.after || took > c.after+500*time.Millisecond {
					t.Errorf("%s after %v, want %v", openSummary(r), took, c.after)
				}
			}
			if results != 4 {
				t.Errorf("%d results", results)
			}
		})
	}
	bubble(t, "no MaxWait", func(t *testing.T, tenant *intunetest.Tenant) {
		devices := addNumbered(tenant, 1, after(20*time.Hour))
		results := openSummaries(tenant.Client().OpenRemoteAssistanceMany(t.Context(), slices.Values(devices), &openOptions{MaxWait: -1}))
		if !slices.Equal(results, []string{"d0 ready"}) {
			t.Errorf("got %q", results)
		}
	})
}

// A link that somebody else's request brought while a device was throttled is not taken for this one's.
func TestOpenRemoteAssistanceMany_LooksAgainAfterThrottling(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		journal *memory
		want    string
		prompts int // one of which is somebody else's
	}{
		"without a journal": {nil, "x ready", 2},
		"with a journal":    {&memory{}, "x not asked", 1},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			device := tenant.AddDevice(intune.ManagedDevice{ID: "x"}, after(5*time.Second), after(30*time.Second))
			tenant.Inject(intunetest.Fault{Method: http.MethodPost, Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"60"}}})
			client := tenant.Client()
			if c.journal != nil {
				client = journaled(t, tenant, c.journal)
			}
			other := make(chan intune.RemoteAssistanceSession)
			results := collectOpened(client.OpenRemoteAssistanceMany(t.Context(), slices.Values([]intune.DeviceRef{device}), &openOptions{
				OnProgress: func(p intune.Progress) {
					if p.PausedUntil.After(time.Now()) {
						go func() {
							session, err := tenant.Client().OpenRemoteAssistance(t.Context(), device, nil)
							if err != nil {
								t.Error(err)
							}
							other <- session
						}()
					}
				},
			}))
			theirs := <-other
			if len(results) != 1 || openSummary(results[0]) != c.want {
				t.Fatalf("got %+v, want %s", results, c.want)
			}
			if results[0].Session.URL.Equal(theirs.URL) {
				t.Error("the link is that of somebody else")
			}
			if c.journal != nil {
				checkKinds(t, results[0].Err, intune.ErrConflict)
			}
			checkPrompts(t, tenant, device, c.prompts)
		})
	}
}

// A link or text that a look before the request saw is not new, even if the look before the next try did not see it.
func TestOpenRemoteAssistanceMany_WhatAnEarlierLookSawIsNotNew(t *testing.T) {
	t.Parallel()
	const oldText, theirs = "old trouble", "https://get.teamviewer.example/s-theirs"
	had, none := sessionOf(oldLink, oldText), sessionOf("", "")
	for name, c := range map[string]struct {
		reads []string // the second is that before the second try
		want  waited
	}{
		"link":        {[]string{had, none, had, sessionOf(newLink, "")}, waited{link: newLink}},
		"text":        {[]string{had, none, sessionOf("", oldText), sessionOf("", "new trouble")}, waited{fails: "new trouble"}},
		"link beside": {[]string{had, sessionOf("", oldText), had, sessionOf(newLink, oldText)}, waited{link: newLink}},
		"two links":   {[]string{had, sessionOf(theirs, ""), had, sessionOf(newLink, "")}, waited{link: newLink}},
		"two texts": {
			[]string{had, sessionOf(oldLink, "their trouble"), had, sessionOf("", "new trouble")},
			waited{fails: "new trouble"},
		},
		"another link": {
			[]string{had, sessionOf(theirs, ""), sessionOf(theirs, oldText), sessionOf(newLink, "")}, waited{link: newLink},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				posts, looks := 0, 0
				client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
					if req.Method == http.MethodPost {
						posts++
						if posts == 1 {
							return answer(req, http.StatusTooManyRequests, nil, ""), nil
						}
						return answer(req, http.StatusNoContent, nil, ""), nil
					}
					looks++
					return answer(req, http.StatusOK, nil, c.reads[min(looks, len(c.reads))-1]), nil
				}))
				results := collectOpened(client.OpenRemoteAssistanceMany(t.Context(), slices.Values([]intune.DeviceRef{intune.Device("d1")}), nil))
				if len(results) != 1 {
					t.Fatalf("got %+v, want one result", results)
				}
				checkWait(t, results[0].Session, results[0].Err, c.want)
				if looks != len(c.reads) {
					t.Errorf("over after %d looks, want %d", looks, len(c.reads))
				}
				if posts != 2 {
					t.Errorf("sent %d times, want 2", posts)
				}
			})
		})
	}
}

// A pause that begins while a session is read holds for its device too.
func TestOpenRemoteAssistanceMany_PauseDuringALook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant, journal := intunetest.NewTenant(nil), &memory{}
		devices, start := addNumbered(tenant, 2), time.Now()
		tenant.Inject(intunetest.Fault{Match: ofDevice("d1", http.MethodGet), Delay: 5 * time.Second})
		tenant.Inject(intunetest.Fault{
			Match: ofDevice("d0", http.MethodPost), Status: http.StatusTooManyRequests, Delay: time.Second,
			Header: http.Header{"Retry-After": {"30"}},
		})
		var posts []time.Duration
		looks := 0 // at d1, before it is asked
		client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
			switch {
			case req.Method == http.MethodPost:
				posts = append(posts, time.Since(start))
			case lastDevice(req.URL.Path) == "d1" && tenant.Prompts(devices[1]) == 0:
				looks++
			}
			return tenant.RoundTrip(req)
		}), journal.option)
		input := func(yield func(intune.DeviceRef) bool) {
			yield(devices[1])
			pass(time.Second)
			yield(devices[0])
		}
		results := openSummaries(client.OpenRemoteAssistanceMany(t.Context(), input, &openOptions{Concurrency: 1}))
		if !slices.Equal(results, []string{"d0 ready", "d1 ready"}) {
			t.Errorf("got %q", results)
		}
		if len(posts) != 3 || posts[1] < 30*time.Second {
			t.Errorf("requests after %v, want the second after the pause", posts)
		}
		if looks != 3 {
			t.Errorf("%d looks, want one before the pause, one after it, and that of the journal", looks)
		}
	})
}

// When the context ends in such a pause, the result of a device that went already is the answer that it had.
func TestOpenRemoteAssistanceMany_ContextEndsInAPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		devices, looks := addNumbered(tenant, 2), 0
		tenant.Inject(intunetest.Fault{Delay: 10 * time.Second, Match: func(r intunetest.RecordedRequest) bool {
			if !ofDevice("d0", http.MethodGet)(r) {
				return false
			}
			looks++
			return looks == 2
		}})
		for name, seconds := range map[string]string{"d0": "2", "d1": "60"} {
			tenant.Inject(intunetest.Fault{
				Match: ofDevice(name, http.MethodPost), Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {seconds}},
			})
		}
		input := func(yield func(intune.DeviceRef) bool) {
			yield(devices[0])
			pass(5 * time.Second) // d0 goes again meanwhile
			yield(devices[1])
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		calls := 0
		results := collectOpened(tenant.Client().OpenRemoteAssistanceMany(ctx, input, &openOptions{
			OnProgress: func(intune.Progress) { calls++ },
		}))
		if looks != 2 || len(results) != 2 {
			t.Fatalf("%d looks, results %+v", looks, results)
		}
		for _, r := range results {
			checkKinds(t, r.Err, intune.ErrThrottled)
		}
		if calls != 4 {
			t.Errorf("OnProgress was called %d times, want twice for throttling and twice for a result", calls)
		}
	})
}

// Requests in flight have a limit, and so have the devices that are read before they are asked.
func TestOpenRemoteAssistanceMany_Concurrency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		devices := addNumbered(tenant, 20, never)
		tenant.Inject(intunetest.Fault{Method: http.MethodPost, Delay: time.Hour, Effect: true, Times: -1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		counts := map[string]int{}
		for r := range tenant.Client().OpenRemoteAssistanceMany(ctx, slices.Values(devices), &openOptions{Concurrency: 3}) {
			_, what, _ := strings.Cut(openSummary(r), " ")
			counts[what]++
		}
		for _, r := range tenant.Requests() {
			counts[r.Method]++
		}
		if want := map[string]int{http.MethodPost: 3, http.MethodGet: 6, "unknown": 3, "not asked": 17}; !maps.Equal(counts, want) {
			t.Errorf("got %v, want %v", counts, want)
		}
	})
}

// A device that was throttled was not asked, whatever becomes of its next look.
func TestOpenRemoteAssistanceMany_PanicAfterThrottling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		devices, looks := addNumbered(tenant, 1), 0
		tenant.Inject(intunetest.Fault{Method: http.MethodPost, Status: http.StatusTooManyRequests})
		client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
			if req.Method == http.MethodGet {
				if looks++; looks == 2 {
					runtime.Goexit()
				}
			}
			return tenant.RoundTrip(req)
		}))
		results := collectOpened(client.OpenRemoteAssistanceMany(t.Context(), slices.Values(devices), nil))
		if got := summariesOf(results); !slices.Equal(got, []string{"d0 not asked"}) {
			t.Fatalf("got %q", got)
		}
		checkKinds(t, results[0].Err, intune.ErrThrottled)
	})
}

// A pause that the service asks for with the read before the request holds for the wait.
func TestOpenRemoteAssistanceMany_PauseBeforeTheWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		none := sessionOf("", "")
		service := reads(says(200, none, "Retry-After", "40"), says(200, sessionOf(newLink, "")))
		start, devices := time.Now(), slices.Values([]intune.DeviceRef{intune.Device("d1")})
		for r := range newClient(t, service).OpenRemoteAssistanceMany(t.Context(), devices, nil) {
			if r.Err != nil {
				t.Error(r.Err)
			}
			checkTook(t, start, 40*time.Second)
		}
	})
}

// Leaving the loop at a device that cannot be asked leaves it too.
func TestOpenRemoteAssistanceMany_LoopIsLeftAtABadDevice(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	for range tenant.Client().OpenRemoteAssistanceMany(t.Context(), devicesNamed("", "a", "b"), nil) {
		break
	}
	if n := tenant.RequestCount(); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// What a wait holds is let go when it has its result, however long the loop goes on.
func TestOpenRemoteAssistanceMany_ForgetsWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		devices := []intune.DeviceRef{
			tenant.AddDevice(intune.ManagedDevice{ID: "d0"}, after(30*time.Second)),
			tenant.AddDevice(intune.ManagedDevice{ID: "d1"}, after(time.Minute)),
		}
		type broken struct{ net.OpError }
		var held weak.Pointer[broken] // by the wait for d0, whose outcome is unknown at first
		client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
			resp, err := tenant.RoundTrip(req)
			if err != nil || req.Method == http.MethodGet || lastDevice(req.URL.Path) != "d0" {
				return resp, err
			}
			_ = resp.Body.Close()
			why := &broken{net.OpError{Op: "read", Err: io.ErrUnexpectedEOF}}
			held = weak.Make(why)
			return nil, why
		}))
		var got []string
		for r := range client.OpenRemoteAssistanceMany(t.Context(), slices.Values(devices), nil) {
			runtime.GC()
			got = append(got, openSummary(r), strconv.FormatBool(held.Value() != nil))
		}
		if want := []string{"d0 ready", "false", "d1 ready", "false"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// A panic of the caller's code is one of the loop, where the caller can recover. Nothing is left behind, and the journal has
// the end of each wait.
func TestOpenRemoteAssistanceMany_Panics(t *testing.T) {
	t.Parallel()
	type setup struct {
		options openOptions
		journal memory
		policy  func(*http.Request)
		input   func()
	}
	is := func(req *http.Request, method string) bool {
		return req.Method == method && lastDevice(req.URL.EscapedPath()) == "d3"
	}
	for name, c := range map[string]struct {
		fail  func(s *setup, panics func())
		asked bool   // whether d3 was
		says  string // the result of d3, which comes before the panic; blank for none
	}{
		"the first look": {func(s *setup, panics func()) {
			s.policy = func(req *http.Request) {
				if is(req, http.MethodGet) {
					panics()
				}
			}
		}, false, "d3 not asked"},
		"the request": {func(s *setup, panics func()) {
			s.policy = func(req *http.Request) {
				if is(req, http.MethodPost) {
					panics()
				}
			}
		}, false, ""},
		"a later read": {func(s *setup, panics func()) {
			reads := 0
			s.policy = func(req *http.Request) {
				if is(req, http.MethodGet) {
					if reads++; reads == 3 { // the first two come before the request
						panics()
					}
				}
			}
		}, true, "d3 pending"},
		"Asking":      {func(s *setup, panics func()) { s.journal.onAsking = panicsFor("d3", panics) }, false, ""},
		"Asked":       {func(s *setup, panics func()) { s.journal.onAsked = panicsFor("d3", panics) }, true, ""},
		"Ended":       {func(s *setup, panics func()) { s.journal.onEnded = panicsFor("d3", panics) }, true, "d3 pending"},
		"OnRequested": {func(s *setup, panics func()) { s.options.OnRequested = func(intune.Requested) { panics() } }, true, ""},
		"OnProgress":  {func(s *setup, panics func()) { s.options.OnProgress = func(intune.Progress) { panics() } }, true, ""},
		"the input":   {func(s *setup, panics func()) { s.input = panics }, true, ""},
	} {
		for how, panics := range map[string]func(){"panic": func() { panic("of " + name) }, "goexit": runtime.Goexit} {
			ofLoop := name == "OnRequested" || name == "OnProgress" || name == "the input"
			bubble(t, name+", "+how, func(t *testing.T, tenant *intunetest.Tenant) {
				devices := append(addNumbered(tenant, 3, never), tenant.AddDevice(intune.ManagedDevice{ID: "d3"}, after(10*time.Second)))
				s := &setup{options: openOptions{MaxWait: time.Minute}}
				c.fail(s, panics)
				options := tenant.ClientOptions()
				options.Journal = &s.journal
				options.PerCallPolicies = []policy.Policy{policyFunc(func(req *policy.Request) (*http.Response, error) {
					if s.policy != nil {
						s.policy(req.Raw())
					}
					return req.Next()
				})}
				client, err := intune.NewClient(tenant.Credential(), options)
				if err != nil {
					t.Fatal(err)
				}
				input := func(yield func(intune.DeviceRef) bool) {
					for _, device := range devices {
						if !yield(device) {
							return
						}
					}
					if s.input != nil {
						pass(20 * time.Second)
						s.input()
					}
				}
				recovered, says := make(chan any), ""
				returned := false
				go func() {
					defer func() { recovered <- recover() }()
					for r := range client.OpenRemoteAssistanceMany(t.Context(), input, &s.options) {
						if r.Device == devices[3] {
							says = openSummary(r)
						}
					}
					returned = true
				}()
				got := <-recovered
				want := any("of " + name)
				if how == "goexit" {
					want = nil
				}
				if got != want {
					t.Errorf("recovered %v, want %v", got, want)
				}
				if wantReturn := how == "goexit" && !ofLoop; returned != wantReturn {
					t.Errorf("returned: %t, want %t", returned, wantReturn)
				}
				if c.says != "" && says != c.says {
					t.Errorf("the result is %q, want %q", says, c.says)
				}
				count := tenant.RequestCount()
				pass(time.Hour)
				if n := tenant.RequestCount(); n != count {
					t.Errorf("%d requests, and then %d", count, n)
				}
				if asked := tenant.Prompts(devices[3]) == 1; asked != c.asked && !ofLoop {
					t.Errorf("d3 was asked: %t", asked)
				}
				ended := map[intune.DeviceRef]int{}
				for _, entry := range s.journal.ended {
					ended[entry.Device]++
				}
				for _, entry := range s.journal.asked {
					if ended[entry.Device] != 1 {
						t.Errorf("%v was %s and has %d ends", entry.Device, entry.Outcome, ended[entry.Device])
					}
				}
			})
		}
	}
}

// A journal that ends its goroutine, as a test's does with FailNow, ends no other wait, and leaves no device without a result.
func TestOpenRemoteAssistanceMany_JournalEndsItsGoroutine(t *testing.T) {
	t.Parallel()
	exits := func(context.Context, intune.JournalEntry) error {
		runtime.Goexit()
		return nil
	}
	for name, c := range map[string]struct {
		journal *memory
		options openOptions
		long    time.Duration // until the context ends
		ends    int           // of waits
		want    map[string]int
	}{
		"Asked":                     {&memory{onAsked: exits}, openOptions{}, time.Hour, 40, map[string]int{"ready": 20, "pending": 20}},
		"Ended":                     {&memory{onEnded: exits}, openOptions{}, time.Hour, 40, map[string]int{"pending": 40}},
		"Ended, one wait at a time": {&memory{onEnded: exits}, openOptions{MaxWaits: 1}, 10 * time.Hour, 40, map[string]int{"pending": 40}},
		"Ended, the context ends": {
			&memory{onEnded: exits}, openOptions{PerSecond: -1}, 5 * time.Second, 40, map[string]int{"pending": 40},
		},
		"both": {&memory{onAsked: exits, onEnded: exits}, openOptions{}, time.Hour, 40, map[string]int{"pending": 40}},
	} {
		bubble(t, name, func(t *testing.T, tenant *intunetest.Tenant) {
			devices := addNumbered(tenant, 20, after(time.Minute))
			for range 20 {
				devices = append(devices, tenant.AddDevice(intune.ManagedDevice{}, never))
			}
			ctx, cancel := context.WithTimeout(t.Context(), c.long)
			defer cancel()
			client := journaled(t, tenant, c.journal)
			last, counts := intune.Progress{}, map[string]int{}
			c.options.OnProgress = func(p intune.Progress) { last = p }
			for r := range client.OpenRemoteAssistanceMany(ctx, slices.Values(devices), &c.options) {
				_, what, _ := strings.Cut(openSummary(r), " ")
				counts[what]++
			}
			if !maps.Equal(counts, c.want) {
				t.Errorf("got %v, want %v", counts, c.want)
			}
			if last.Pending != 0 || last.Done() != 40 {
				t.Errorf("the last progress is %+v", last)
			}
			if n := len(c.journal.ended); n != c.ends {
				t.Errorf("%d ends, want %d", n, c.ends)
			}
		})
	}
}

func panicsFor(name string, panics func()) func(context.Context, intune.JournalEntry) error {
	return func(_ context.Context, entry intune.JournalEntry) error {
		if entry.Device == intune.Device(name) {
			panics()
		}
		return nil
	}
}

func TestProgress_OfSessions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		add := func(name string, script intunetest.SessionScript) intune.DeviceRef {
			return tenant.AddDevice(intune.ManagedDevice{ID: name}, script)
		}
		devices := []intune.DeviceRef{
			add("a", after(time.Minute)), add("b", after(time.Second)), add("c", intunetest.SessionScript{ErrorDetails: "declined"}),
			add("d", never), add("e", never), add("f", after(time.Minute)),
			{},
			intune.Device("gone"), add("r", after(time.Minute)),
		}
		tenant.Inject(intunetest.Fault{Match: ofDevice("e", http.MethodPost), Drop: intunetest.DropBefore})
		tenant.Inject(intunetest.Fault{Match: ofDevice("f", http.MethodPost), Drop: intunetest.DropAfter})
		tenant.Inject(intunetest.Fault{Match: ofDevice("r", http.MethodPost), Status: http.StatusForbidden})
		var last intune.Progress
		results, requested, calls := 0, 0, 0
		for range tenant.Client().OpenRemoteAssistanceMany(t.Context(), slices.Values(devices), &openOptions{
			OnRequested: func(intune.Requested) { requested++ },
			OnProgress: func(p intune.Progress) {
				last = p
				if calls++; calls != p.Done()+requested {
					t.Errorf("call %d after %d requests: %+v", calls, requested, p)
				}
				if p.Waiting > p.Pending || p.Waiting < 0 {
					t.Errorf("progress %+v", p)
				}
				if sum := p.Ready + p.Failed; sum > p.Accepted {
					t.Errorf("progress %+v", p)
				}
			},
		}) {
			if results++; last.Done() != results {
				t.Errorf("%d done at result %d", last.Done(), results)
			}
		}
		if want := (intune.Progress{Accepted: 5, Rejected: 1, Unknown: 1, NotSent: 2, Ready: 3, Failed: 1, PerSecond: 5}); last != want {
			t.Errorf("progress %+v, want %+v", last, want)
		}
	})
}

// A tenant of the kit sets the pace, which replaces the budget too.
func TestOpenRemoteAssistanceMany_TransportSetsThePace(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond})
	devices := addNumbered(tenant, 40, intunetest.SessionScript{AfterReads: 3})
	start := time.Now()
	options := &openOptions{PerSecond: -1, MaxWait: time.Hour} // each read lets seconds pass for all
	results := collectOpened(tenant.Client().OpenRemoteAssistanceMany(t.Context(), slices.Values(devices), options))
	for _, r := range results {
		if r.Err != nil {
			t.Error(r.Err)
		}
	}
	// At 25 reads a second, it would take five seconds.
	if took := time.Since(start); len(results) != 40 || took > 3*time.Second {
		t.Errorf("%d results after %v", len(results), took)
	}
}

// Requests at the same time do not write to the one response that the caller asked for.
func TestOpenRemoteAssistanceMany_CapturesNoResponse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		var captured *http.Response
		ctx := policy.WithCaptureResponse(t.Context(), &captured)
		devices := addNumbered(tenant, 20, after(10*time.Second))
		client := journaled(t, tenant, &memory{})
		results := openSummaries(client.OpenRemoteAssistanceMany(ctx, slices.Values(devices), &openOptions{PerSecond: -1}))
		if len(results) != 20 {
			t.Errorf("got %q", results)
		}
		if captured != nil {
			t.Errorf("captured the answer to %s", captured.Request.URL.Path)
		}
	})
}

func TestOpenResult_InLogs(t *testing.T) {
	t.Parallel()
	device := intune.UserDevice("marker@contoso.com", "d1")
	var logged bytes.Buffer
	for _, result := range []intune.OpenResult{
		{Device: device, Session: intune.RemoteAssistanceSession{Device: device, URL: intune.NewSessionURL("https://get.teamviewer.com/marker")}},
		{Device: device, Err: &intune.PendingError{Device: device, ResumeToken: "marker", RequestID: "r-1"}},
		{Device: device, Err: &intune.SessionError{Device: device, Details: "declined"}},
		{Err: errors.New("nobody was asked")},
	} {
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("opened", "result", result)
	}
	text := logged.String()
	for _, part := range []string{
		`"result":{"device":"device d1 (user address)","session":{`, `"url":"REDACTED"`, `"error":{`, `"request_id":"r-1"`,
		`"details":"declined"`, `"error":"nobody was asked"`,
	} {
		if !strings.Contains(text, part) {
			t.Errorf("no %s in %s", part, text)
		}
	}
	if strings.Contains(text, "marker") {
		t.Errorf("the log shows a secret: %s", text)
	}
}

// openSimulation is a simulation whose links come after ten seconds to five minutes, and whose reads fail too.
type openSimulation struct {
	*simulation

	comes map[intune.DeviceRef]time.Duration // when the link does, from the request on

	mu    sync.Mutex
	asked map[string]time.Time // by the path of the request
	reads int
}

func newOpenSimulation(devices int) *openSimulation {
	s := &openSimulation{simulation: newSimulation(0), comes: map[intune.DeviceRef]time.Duration{}, asked: map[string]time.Time{}}
	dice := rand.New(rand.NewPCG(2, uint64(devices)))
	for i := range devices {
		comes := 10*time.Second + time.Duration(dice.Int64N(int64(290*time.Second)))
		device := s.tenant.AddDevice(intune.ManagedDevice{ID: fmt.Sprintf("device-%06d", i)}, after(comes))
		s.devices, s.comes[device] = append(s.devices, device), comes
	}
	oneIn := func(n int) func(intunetest.RecordedRequest) bool {
		return func(intunetest.RecordedRequest) bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return dice.IntN(n) == 0
		}
	}
	s.tenant.Inject(intunetest.Fault{Method: http.MethodGet, Match: oneIn(50), Drop: intunetest.DropAfter, Times: -1})
	s.tenant.Inject(intunetest.Fault{Method: http.MethodGet, Match: oneIn(50), Status: http.StatusServiceUnavailable, Times: -1})
	return s
}

// client sends with the latency of latency().
func (s *openSimulation) client(tb testing.TB, latency func() time.Duration, change ...func(*intune.ClientOptions)) *intune.Client {
	options := s.tenant.ClientOptions()
	options.Transport = transportFunc(func(req *http.Request) (*http.Response, error) {
		pass(latency())
		s.mu.Lock()
		if req.Method == http.MethodPost {
			s.posts++
			s.asked[req.URL.Path] = time.Now()
		} else {
			s.reads++
		}
		s.mu.Unlock()
		resp, err := s.tenant.RoundTrip(req)
		if err == nil && resp.StatusCode == http.StatusTooManyRequests {
			s.mu.Lock()
			s.refused++
			s.mu.Unlock()
		}
		return resp, err
	})
	for _, f := range change {
		f(options)
	}
	client, err := intune.NewClient(s.tenant.Credential(), options)
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

// crowd sends what half of a tenant's allowance is: 95 requests a second, of which nine are writes, until the context ends.
func (s *openSimulation) crowd(ctx context.Context, t *testing.T) {
	credential := s.tenant.CredentialWith(map[string]any{"appid": "another"})
	token, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.com/.default"}})
	if err != nil {
		t.Error(err)
		return
	}
	for i := 0; ctx.Err() == nil; i++ {
		method, path := http.MethodGet, "unknown"
		if i%10 == 0 {
			method, path = http.MethodPost, "unknown/requestRemoteAssistance"
		}
		req, err := http.NewRequestWithContext(ctx, method, graphLists+"managedDevices/"+path, http.NoBody)
		if err != nil {
			t.Error(err)
			return
		}
		req.Header.Set("Authorization", "Bearer "+token.Token)
		if resp, err := s.tenant.RoundTrip(req); err == nil {
			_ = resp.Body.Close()
		}
		pass(time.Second / 95 * graphtest.Smaller)
	}
}

// C§7.1: a thousand devices in a crowded tenant on a bad network.
func TestOpenRemoteAssistanceMany_Simulation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newOpenSimulation(simulated())
		ctx, cancel := context.WithCancel(t.Context())
		var crowd sync.WaitGroup
		defer crowd.Wait()
		defer cancel()
		crowd.Go(func() { s.crowd(ctx, t) })
		client := s.client(t, func() time.Duration { return time.Duration(50+rand.IntN(350)) * time.Millisecond })
		start, most, seen := time.Now(), 0, map[intune.DeviceRef]bool{}
		var late []time.Duration
		counts := map[string]int{}
		for r := range client.OpenRemoteAssistanceMany(ctx, slices.Values(s.devices), &openOptions{
			OnProgress: func(p intune.Progress) { most = max(most, p.Waiting) },
		}) {
			if seen[r.Device] {
				t.Errorf("%v: a second result", r.Device)
			}
			seen[r.Device] = true
			path := "/v1.0" + r.Device.String() + "/requestRemoteAssistance"
			prompts := s.tenant.Prompts(r.Device)
			s.mu.Lock()
			at := s.asked[path]
			s.mu.Unlock()
			s.simulation.mu.Lock()
			broke := s.dropped[path]
			s.simulation.mu.Unlock()
			_, what, _ := strings.Cut(openSummary(r), " ")
			counts[what]++
			switch {
			case what == "ready" && prompts == 1:
				late = append(late, time.Since(at.Add(s.comes[r.Device])))
			case what == "unknown" && broke && prompts <= 1:
			case what == "not asked" && prompts == 0 && errors.Is(r.Err, intune.ErrUnavailable):
			default:
				t.Errorf("%s with %d prompts, broken: %t: %v", openSummary(r), prompts, broke, r.Err)
			}
		}
		took := time.Since(start)
		if len(seen) != len(s.devices) || counts["ready"] < len(s.devices)*9/10 {
			t.Errorf("%d results of %d devices: %v", len(seen), len(s.devices), counts)
		}
		slices.Sort(late)
		t.Logf("%v for %d devices, %d waits at most: %v; late by %v in the middle, %v at the 95th percentile, %v at most",
			took, len(s.devices), most, counts, late[len(late)/2], late[len(late)*95/100], late[len(late)-1])
		t.Logf("%d reads (%.1f a second), %d requests, %d refused", s.reads, float64(s.reads)/took.Seconds(), s.posts, s.refused)
		if late[0] < 0 {
			t.Errorf("a link %v before it came", -late[0])
		}
		half, all := 12*time.Second, time.Minute
		if len(s.devices) > 1000 { // some 900 waits share what the looks before the requests leave them, 20 reads a second
			half, all = 30*time.Second, 2*time.Minute
		}
		if middle := late[len(late)/2]; middle > half {
			t.Errorf("half of the links came within %v, want %v", middle, half)
		}
		if last := late[len(late)-1]; last > all {
			t.Errorf("all links came within %v, want %v", last, all)
		}
		if s.refused*100 > s.reads+s.posts {
			t.Errorf("%d of %d calls were refused", s.refused, s.reads+s.posts)
		}
	})
}

// The pace of asking holds while each answer takes a second: of the first look, of the second with a journal, and of the
// request.
func TestOpenRemoteAssistanceMany_PaceOfAsking(t *testing.T) {
	t.Parallel()
	for _, perSecond := range []float64{5, 10} {
		for _, journal := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v a second, with a journal: %t", perSecond, journal), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newOpenSimulation(0)
					s.tenant.ClearFaults()
					client := s.client(t, func() time.Duration { return time.Second }, func(o *intune.ClientOptions) {
						if journal {
							o.Journal = &memory{}
						}
					})
					devices := addNumbered(s.tenant, 200, never)
					for r := range client.OpenRemoteAssistanceMany(t.Context(), slices.Values(devices), &openOptions{
						PerSecond: perSecond, MaxWait: time.Second,
					}) {
						checkKinds(t, r.Err, intune.ErrSessionPending)
					}
					times := slices.SortedFunc(maps.Values(s.asked), time.Time.Compare)
					if len(times) != 200 {
						t.Fatalf("%d were asked", len(times))
					}
					got := 199 / times[199].Sub(times[0]).Seconds()
					t.Logf("%.2f a second", got)
					if got < perSecond*.99 || got > perSecond*1.01 {
						t.Errorf("%.2f a second, want %v", got, perSecond)
					}
				})
			})
		}
	}
}

// Ten thousand waits fit one process: none is a goroutine, and each takes less than two kilobytes, its address included.
func TestOpenRemoteAssistanceMany_Waits(t *testing.T) { //nolint:paralleltest // it measures the heap
	const waits = 10_000 / graphtest.Smaller
	waiting := func(t *testing.T, long time.Duration) (took time.Duration) {
		t.Helper()
		start := time.Now()
		synctest.Test(t, func(t *testing.T) {
			var reads atomic.Int32
			counted := 0
			client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				if req.Method == http.MethodPost {
					return answer(req, http.StatusNoContent, http.Header{"Request-Id": {lowerGUID}}, ""), nil
				}
				reads.Add(1)
				return answer(req, http.StatusOK, nil, `{"id":`+quote(lastDevice(req.URL.Path))+`,`+
					`"remoteAssistanceSessionUrl":"","remoteAssistanceSessionErrorDetails":""}`), nil
			}))
			input := func(yield func(intune.DeviceRef) bool) {
				for i := range waits {
					if !yield(intune.Device(fmt.Sprintf("705c034c-034c-705c-4c03-%012d", i))) {
						return
					}
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			before, running, asked := heap(), runtime.NumGoroutine(), int32(0) // each parallel test that has not begun is one
			for r := range client.OpenRemoteAssistanceMany(ctx, input, &openOptions{
				PerSecond: -1, Concurrency: 1, MaxWait: -1,
				OnProgress: func(p intune.Progress) {
					if p.Waiting != waits || asked > 0 {
						return
					}
					asked = reads.Load()
					each, routines := (heap()-before)/waits, runtime.NumGoroutine()-running
					t.Logf("%d bytes for a wait, %d goroutines", each, routines)
					if each < 200 || each > 2000 {
						t.Errorf("%d bytes for a wait", each)
					}
					if routines > 100 {
						t.Errorf("%d goroutines", routines)
					}
					time.AfterFunc(long, cancel)
				},
			}) {
				if counted++; !errors.Is(r.Err, intune.ErrSessionPending) {
					t.Error(r.Err)
				}
			}
			if counted != waits {
				t.Errorf("%d results", counted)
			}
			after := reads.Load() - asked
			if got, least := float64(after)/25, long.Seconds()-10; got > long.Seconds()+1 || got < least {
				t.Errorf("%d reads in %v, want 25 a second", after, long)
			}
		})
		return time.Since(start)
	}
	none, minutes := waiting(t, 0), waiting(t, 5*time.Minute)
	t.Logf("a minute of waiting takes %v; asking and leaving all %v", (minutes-none)/5, none)
}
