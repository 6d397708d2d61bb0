package intune_test

import (
	"context"
	"errors"
	"expvar"
	"fmt"
	"iter"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// work opens a session for each device that comes in, until stop ends. Then it takes no more, and the waits end at once: the
// next start continues them. A request that is on its way has another 15 seconds for its answer.
func work(
	stop context.Context, client *intune.Client, devices <-chan intune.DeviceRef, tell func(intune.RemoteAssistanceSession, error),
) {
	hard, cut := context.WithCancel(context.WithoutCancel(stop))
	defer cut()
	defer context.AfterFunc(stop, func() { time.AfterFunc(15*time.Second, cut) })()
	var calls sync.WaitGroup
	defer calls.Wait()
	for stop.Err() == nil {
		select {
		case <-stop.Done():
		case device := <-devices:
			calls.Go(func() { tell(open(stop, hard, client, device)) })
		}
	}
}

// open asks and waits. Before the user was asked, only hard ends the call; from then on, stop does too.
func open(stop, hard context.Context, client *intune.Client, device intune.DeviceRef) (intune.RemoteAssistanceSession, error) {
	ctx, cancel := context.WithCancel(hard)
	defer cancel()
	waiting, done := context.WithCancel(stop)
	defer done()
	return client.OpenRemoteAssistance(ctx, device, &intune.OpenRemoteAssistanceOptions{
		OnRequested: func(intune.Requested) { context.AfterFunc(waiting, cancel) },
	})
}

// A program that is told to stop, as by SIGTERM, while a request is on its way. The request gets its answer, and the wait
// that follows is left to the next start.
func Example_stop() {
	tenant := intunetest.NewTenant(nil)
	device := tenant.AddDevice(intune.ManagedDevice{}, intunetest.SessionScript{After: time.Minute})
	client := tenant.Client() // with a journal, in a program

	stop, forget := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer forget()
	tenant.Inject(intunetest.Fault{
		Method: http.MethodPost, Delay: time.Millisecond, // the answer takes that long
		Match: func(intunetest.RecordedRequest) bool {
			forget() // ends stop, as a signal does
			return true
		},
	})
	devices := make(chan intune.DeviceRef, 1)
	devices <- device
	work(stop, client, devices, func(_ intune.RemoteAssistanceSession, err error) {
		fmt.Println("asked, and left:", errors.Is(err, intune.ErrSessionPending))
		fmt.Println("the outcome is known:", !errors.Is(err, intune.ErrOutcomeUnknown))
	})
	// Output:
	// asked, and left: true
	// the outcome is known: true
}

// Wherever a stop meets a call: a request on its way is not cut before its time is up, and a wait ends at once.
func TestWork(t *testing.T) {
	t.Parallel()
	const accepted, unknown = intune.OutcomeAccepted, intune.OutcomeUnknown
	for name, c := range map[string]struct {
		stop, delay, ends time.Duration
		outcome           intune.Outcome
	}{
		"during the request":             {stop: time.Second, delay: 5 * time.Second, ends: 5 * time.Second, outcome: accepted},
		"during a request without end":   {stop: time.Second, delay: time.Hour, ends: 16 * time.Second, outcome: unknown},
		"during the wait":                {stop: time.Minute, ends: time.Minute, outcome: accepted},
		"during the wait, after a while": {stop: time.Minute, delay: time.Second, ends: time.Minute, outcome: accepted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tenant := intunetest.NewTenant(nil)
				device := tenant.AddDevice(intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
				tenant.Inject(intunetest.Fault{Method: http.MethodPost, Delay: c.delay})
				var journal memory
				client := journaled(t, tenant, &journal)
				stop, cancel := context.WithTimeout(t.Context(), c.stop)
				defer cancel()
				devices := make(chan intune.DeviceRef, 1)
				devices <- device
				start, told := time.Now(), 0
				work(stop, client, devices, func(_ intune.RemoteAssistanceSession, err error) {
					told++
					if !errors.Is(err, intune.ErrSessionPending) {
						t.Errorf("got %v, want a PendingError", err)
					}
					if is := errors.Is(err, intune.ErrOutcomeUnknown); is != (c.outcome == unknown) {
						t.Errorf("the outcome is unknown: %t: %v", is, err)
					}
				})
				if took := time.Since(start); took != c.ends {
					t.Errorf("it took %v, want %v", took, c.ends)
				}
				if told != 1 {
					t.Errorf("%d results", told)
				}
				if _, asked := journal.pair(t); asked.Outcome != c.outcome {
					t.Errorf("the journal has %s, want %s", asked.Outcome, c.outcome)
				}
			})
		})
	}
}

// goOn continues the waits that earlier runs left, all at once, and asks nobody.
func goOn(
	ctx context.Context, client *intune.Client, entries iter.Seq2[intune.JournalEntry, error],
	tell func(intune.DeviceRef, intune.RemoteAssistanceSession, error),
) error {
	requests, err := intune.JournalRequests(entries)
	if err != nil {
		return err // the entry that cannot be read may name somebody who was asked
	}
	newest := map[string]intune.JournalRequest{} // a device has one id, at whatever address
	for _, r := range requests {
		if outcome := r.Outcome(); outcome == intune.OutcomeAccepted || outcome == intune.OutcomeUnknown {
			newest[r.Device().DeviceID()] = r
		}
	}
	var waits sync.WaitGroup
	for _, r := range newest {
		if r.Waiting() {
			waits.Go(func() {
				session, err := client.WaitForRemoteAssistance(ctx, r.ResumeToken(), nil)
				tell(r.Device(), session, err)
			})
		}
	}
	waits.Wait()
	return nil
}

func TestGoOn(t *testing.T) {
	t.Parallel()
	token := func(tenant *intunetest.Tenant, device intune.DeviceRef) string {
		poller, err := tenant.Client().BeginRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		text, err := poller.ResumeToken()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond})
	one, other := tenant.AddDevice(intune.ManagedDevice{}), tenant.AddDevice(intune.ManagedDevice{})
	third, older := tenant.AddDevice(intune.ManagedDevice{}), intune.UserDevice("anna@contoso.com", other.DeviceID())
	entry := func(device intune.DeviceRef, id string, change func(*intune.JournalEntry)) intune.JournalEntry {
		e := intune.JournalEntry{Device: device, ClientRequestID: id}
		change(&e)
		return e
	}
	outcome := func(o intune.Outcome) func(*intune.JournalEntry) {
		return func(e *intune.JournalEntry) { e.Outcome = o }
	}
	ended := func(s intune.SessionOutcome) func(*intune.JournalEntry) {
		return func(e *intune.JournalEntry) { e.Session = s }
	}
	asking := func(text string) func(*intune.JournalEntry) {
		return func(e *intune.JournalEntry) { e.ResumeToken = text }
	}
	entries := []intune.JournalEntry{
		// The second request of one device was refused, so that the first one still stands.
		entry(one, "1", asking(token(tenant, one))), entry(one, "1", outcome(intune.OutcomeAccepted)),
		entry(one, "2", asking("refused")), entry(one, "2", outcome(intune.OutcomeRejected)),
		// The newer request of the other has its link, which is not that of the older one, at another address.
		entry(older, "3", asking(token(tenant, other))), entry(older, "3", ended(intune.SessionLeft)),
		entry(other, "4", asking(token(tenant, other))), entry(other, "4", ended(intune.SessionReady)),
		// A crash left the third with the first entry, and a damaged token.
		entry(third, "5", asking("damaged")),
	}
	sequence := func(yield func(intune.JournalEntry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
	before := tenant.Prompts(one) + tenant.Prompts(other) + tenant.Prompts(third)
	var mu sync.Mutex
	told := map[intune.DeviceRef]error{}
	err := goOn(t.Context(), tenant.Client(), sequence, func(device intune.DeviceRef, _ intune.RemoteAssistanceSession, err error) {
		mu.Lock()
		defer mu.Unlock()
		told[device] = err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(told) != 2 {
		t.Errorf("results of %v, want those of one device and the third", told)
	}
	if told[one] != nil {
		t.Errorf("one device: %v", told[one])
	}
	checkRefused(t, told[third], "resumeToken")
	if n := tenant.Prompts(one) + tenant.Prompts(other) + tenant.Prompts(third); n != before {
		t.Errorf("%d prompts more", n-before)
	}

	broken := errors.New("broken")
	err = goOn(t.Context(), tenant.Client(), func(yield func(intune.JournalEntry, error) bool) { yield(intune.JournalEntry{}, broken) }, nil)
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want that of the entries", err)
	}
}

// counted is a journal that counts what is told to the journal below it.
type counted struct {
	intune.Journal

	outcomes, sessions, failures *expvar.Map
}

func (c counted) Asked(ctx context.Context, entry intune.JournalEntry) error {
	c.outcomes.Add(string(entry.Outcome), 1)
	err := c.Journal.Asked(ctx, entry)
	if err != nil {
		c.failures.Add("asked", 1)
	}
	return err
}

func (c counted) Ended(ctx context.Context, entry intune.JournalEntry) error {
	c.sessions.Add(string(entry.Session), 1)
	err := c.Journal.Ended(ctx, entry)
	if err != nil {
		c.failures.Add("ended", 1)
	}
	return err
}

// What a program counts, without looking into its results.
func ExampleJournal_counted() {
	ctx := context.Background()
	tenant, _, device := slowTenant()
	journal := counted{&memory{}, new(expvar.Map), new(expvar.Map), new(expvar.Map)}
	options := tenant.ClientOptions()
	options.Journal = journal
	client, err := intune.NewClient(tenant.Credential(), options)
	if err != nil {
		fmt.Println(err)
		return
	}

	pending := &intune.PendingError{}
	_, err = client.OpenRemoteAssistance(ctx, device, &intune.OpenRemoteAssistanceOptions{MaxWait: time.Millisecond})
	if errors.As(err, &pending) {
		tenant.Advance(time.Hour)
		_, err = client.WaitForRemoteAssistance(ctx, pending.ResumeToken, nil)
	}
	fmt.Println(journal.outcomes, journal.sessions, err)
	// Output:
	// {"accepted": 1} {"left": 1, "ready": 1} <nil>
}

// Copies of one program share what the service allows the app. Each is told how many there are, for example by rows in a
// database that every copy renews, and takes its part.
func ExampleClient_SetSessionReadsPerSecond() {
	_, client, _ := exampleTenant()
	const forTheApp = 25 // reads a second
	for _, copies := range []int{1, 2, 3} {
		err := client.SetSessionReadsPerSecond(forTheApp / float64(copies))
		fmt.Println(copies, err)
	}
	// Output:
	// 1 <nil>
	// 2 <nil>
	// 3 <nil>
}
