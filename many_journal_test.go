package intune_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// Each device has one pair of entries, however often it was tried, with the id that is on the wire.
func TestManyJournal(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1} {
		synctest.Test(t, func(t *testing.T) {
			tenant := intunetest.NewTenant(nil)
			for _, name := range numbered(6) {
				tenant.AddDevice(intune.ManagedDevice{ID: name})
			}
			one := func(device string) func(intunetest.RecordedRequest) bool {
				return func(r intunetest.RecordedRequest) bool { return lastDevice(r.Path) == device }
			}
			tenant.Inject(intunetest.Fault{Match: one("d1"), Status: http.StatusTooManyRequests, Times: 2})
			tenant.Inject(intunetest.Fault{Match: one("d2"), Drop: intunetest.DropAfter})
			tenant.Inject(intunetest.Fault{Match: one("d3"), Status: http.StatusServiceUnavailable})
			journal := &memory{}
			options := tenant.ClientOptions()
			options.Journal = journal
			client, err := intune.NewClient(tenant.Credential(), options)
			if err != nil {
				t.Fatal(err)
			}
			results := collect(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed(append(numbered(6), "gone", "")...), &intune.RequestManyOptions{}))
			if len(results) != 8 || len(journal.asking) != 7 || len(journal.asked) != 7 {
				t.Fatalf("batches of %d: %d results, %d and %d entries", size, len(results), len(journal.asking), len(journal.asked))
			}
			for _, r := range results[1:] {
				is := func(e intune.JournalEntry) bool {
					return e.Device == r.Device && e.ClientRequestID == r.ClientRequestID
				}
				i, j := slices.IndexFunc(journal.asking, is), slices.IndexFunc(journal.asked, is)
				if i < 0 || j < 0 {
					t.Errorf("batches of %d: no pair for %+v", size, r)
					continue
				}
				asked := journal.asked[j]
				if asked.Outcome != r.Outcome || asked.RequestID != r.RequestID || (asked.Error == "") != (r.Err == nil) || asked.AppID == "" {
					t.Errorf("batches of %d: result %+v, entry %+v", size, r, asked)
				}
			}
			for _, r := range tenant.Requests() {
				if !strings.HasSuffix(r.Path, "/requestRemoteAssistance") {
					continue
				}
				if !slices.ContainsFunc(journal.asking, func(e intune.JournalEntry) bool {
					return e.ClientRequestID == r.Header.Get("Client-Request-Id") && strings.HasPrefix(r.Path, "/v1.0"+e.Device.String())
				}) {
					t.Errorf("batches of %d: %v went out without an entry", size, r)
				}
			}
		})
	}
}

// No record, no prompt: a device that the journal cannot record is not asked, and the others of its batch are.
func TestManyJournalRefuses(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	for _, size := range []int{1} {
		synctest.Test(t, func(t *testing.T) {
			tenant := intunetest.NewTenant(nil)
			for _, name := range numbered(6) {
				tenant.AddDevice(intune.ManagedDevice{ID: name})
			}
			journal := &memory{onAsking: func(_ context.Context, e intune.JournalEntry) error {
				if e.Device == intune.Device("d1") || e.Device == intune.Device("d4") {
					return full
				}
				return nil
			}}
			options := tenant.ClientOptions()
			options.Journal = journal
			client, err := intune.NewClient(tenant.Credential(), options)
			if err != nil {
				t.Fatal(err)
			}
			results := collect(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(6)...), &intune.RequestManyOptions{}))
			for i, r := range results {
				refused := i == 1 || i == 4
				if r.Attempts != 1 || errors.Is(r.Err, full) != refused || (r.Outcome == intune.OutcomeAccepted) == refused || (tenant.Prompts(r.Device) == 1) == refused {
					t.Errorf("batches of %d: %+v, %d prompts", size, r, tenant.Prompts(r.Device))
				}
				if e, ok := errors.AsType[*intune.Error](r.Err); ok && (r.Outcome != intune.OutcomeNotSent || e.Device != r.Device || !strings.Contains(e.Error(), "journal")) {
					t.Errorf("batches of %d: %v", size, e)
				}
			}
			if len(results) != 6 || len(journal.asking) != 6 || len(journal.asked) != 4 {
				t.Errorf("batches of %d: %d results, %d and %d entries", size, len(results), len(journal.asking), len(journal.asked))
			}
		})
	}
}

// A policy may give every request an id of its own; the entry and all tries of a device keep the first.
func TestManyJournalKeepsThePolicysID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		journal, count := &memory{}, 0
		sent := &manyScript{answers: map[string][]int{"x": {429, 503, 404}}}
		client := sent.client(t, journal.option, func(o *intune.ClientOptions) {
			o.PerCallPolicies = []policy.Policy{policyFunc(func(req *policy.Request) (*http.Response, error) {
				count++
				req.Raw().Header.Set("Client-Request-Id", fmt.Sprintf("mine-%d", count))
				return req.Next()
			})}
		})
		results := collect(client.RequestRemoteAssistanceMany(t.Context(), devicesNamed("x"), nil))
		asking, asked := journal.pair(t)
		if len(sent.requests) != 3 || count != 3 || asking.ClientRequestID != "mine-1" || asked.ClientRequestID != "mine-1" || results[0].ClientRequestID != "mine-1" || asError(t, results[0].Err).ClientRequestID != "mine-1" {
			t.Fatalf("%d policies, %+v, %+v, %+v", count, asking, asked, results[0])
		}
		for _, r := range sent.requests {
			if r.id != "mine-1" {
				t.Errorf("sent with %q", r.id)
			}
		}
	})
}

// What is in flight when the loop is left is in the journal alone.
func TestManyJournalOfALoopThatIsLeft(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1} {
		synctest.Test(t, func(t *testing.T) {
			journal := &memory{}
			sent := &manyScript{answers: map[string][]int{"d0": {204}}, delay: 1e9}
			for range sent.client(t, journal.option).RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(50)...), &intune.RequestManyOptions{}) {
				break
			}
			if len(journal.asking) == 0 || len(journal.asked) != len(journal.asking) {
				t.Fatalf("batches of %d: %d and %d entries", size, len(journal.asking), len(journal.asked))
			}
			if !slices.ContainsFunc(journal.asked, func(e intune.JournalEntry) bool { return e.Outcome == intune.OutcomeUnknown }) {
				t.Errorf("batches of %d: entries %+v", size, journal.asked)
			}
		})
	}
}

// A panic of the caller's code is one of the loop, and the devices it concerns are unknown.
func TestManyPanics(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1} {
		for name, end := range map[string]func(){"panic": func() { panic("of the transport") }, "goexit": runtime.Goexit} {
			t.Run(fmt.Sprint(name, size), func(t *testing.T) {
				t.Parallel()
				journal := &memory{}
				var once sync.Once
				client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
					once.Do(end)
					return answer(req, http.StatusForbidden, nil, ""), nil
				}), journal.option)
				unknown := 0
				recovered := func() (value any) {
					defer func() { value = recover() }()
					for r := range client.RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(size)...), &intune.RequestManyOptions{}) {
						if r.Outcome == intune.OutcomeUnknown && errors.Is(r.Err, intune.ErrOutcomeUnknown) && r.Attempts == 1 {
							unknown++
						}
					}
					return nil
				}()
				if unknown != size || (recovered != nil) != (name == "panic") {
					t.Errorf("%d unknown, recovered %v", unknown, recovered)
				}
				if len(journal.asking) != size || len(journal.asked) != size || journal.asked[0].Outcome != intune.OutcomeUnknown {
					t.Errorf("entries %+v and %+v", journal.asking, journal.asked)
				}
			})
		}
	}
}

// A panic of the journal is one of the loop too, and not of a worker's goroutine, where nobody can recover.
func TestManyJournalPanics(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1} {
		client := newClient(t, always(http.StatusForbidden, ""), func(o *intune.ClientOptions) { o.Journal = panicking{} })
		func() {
			defer func() {
				if recovered := recover(); recovered != "of the journal" {
					t.Errorf("batches of %d: recovered %v", size, recovered)
				}
			}()
			for r := range client.RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(3)...), &intune.RequestManyOptions{}) {
				t.Errorf("batches of %d: %+v", size, r)
			}
		}()
	}
}

type panicking struct{}

func (panicking) Asking(context.Context, intune.JournalEntry) error { return nil }

func (panicking) Asked(context.Context, intune.JournalEntry) error { panic("of the journal") }

// A panic of the loop's body leaves nothing behind.
func TestManyBodyPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := &manyScript{delay: 1e9}
		defer func() {
			if recover() == nil || sent.inFlight != 0 {
				t.Errorf("%d in flight", sent.inFlight)
			}
		}()
		for range sent.client(t).RequestRemoteAssistanceMany(t.Context(), devicesNamed(numbered(20)...), nil) {
			panic("of the body")
		}
	})
}
