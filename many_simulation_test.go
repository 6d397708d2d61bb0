package intune_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// simulation is a tenant with the published limits (C§7.1) on a bad network, in the fake time of a bubble.
type simulation struct {
	tenant  *intunetest.Tenant
	devices []intune.DeviceRef

	mu      sync.Mutex
	dropped map[string]bool // paths of requests whose connection broke after they went out
	refused int             // with 429
	posts   int
	last    time.Time
}

func newSimulation(devices int) *simulation {
	s := &simulation{
		tenant:  intunetest.NewTenant(&intunetest.TenantOptions{ThrottleLimits: true, KeepRequests: -1}),
		dropped: map[string]bool{},
	}
	for i := range devices {
		s.devices = append(s.devices, s.tenant.AddDevice(intune.ManagedDevice{ID: fmt.Sprintf("device-%06d", i)}))
	}
	dice := rand.New(rand.NewPCG(1, uint64(devices)))
	oneIn := func(n int, drops bool) func(intunetest.RecordedRequest) bool {
		return func(r intunetest.RecordedRequest) bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			hit := dice.IntN(n) == 0
			if hit && drops {
				s.dropped[r.Path] = true
			}
			return hit
		}
	}
	const action = "/requestRemoteAssistance"
	s.tenant.Inject(intunetest.Fault{PathSuffix: action, Match: oneIn(50, true), Drop: intunetest.DropBefore, Times: -1})
	s.tenant.Inject(intunetest.Fault{PathSuffix: action, Match: oneIn(50, true), Drop: intunetest.DropAfter, Times: -1})
	s.tenant.Inject(intunetest.Fault{PathSuffix: action, Match: oneIn(50, false), Status: http.StatusServiceUnavailable, Times: -1})
	return s
}

// client sends with a delay, so that answers come in another order than requests.
func (s *simulation) client(tb testing.TB) *intune.Client {
	options := s.tenant.ClientOptions()
	options.Transport = transportFunc(func(req *http.Request) (*http.Response, error) {
		s.mu.Lock()
		s.posts, s.last = s.posts+1, time.Now()
		s.mu.Unlock()
		time.Sleep(time.Duration(50+rand.IntN(350)) * time.Millisecond) //nolint:forbidigo // fake time
		resp, err := s.tenant.RoundTrip(req)
		if err == nil && resp.StatusCode == http.StatusTooManyRequests {
			s.mu.Lock()
			s.refused++
			s.mu.Unlock()
		}
		return resp, err
	})
	client, err := intune.NewClient(s.tenant.Credential(), options)
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

// run asks and checks that every result is true.
func (s *simulation) run(t *testing.T, results iter.Seq[intune.RequestResult]) (tries int) {
	t.Helper()
	seen := map[intune.DeviceRef]bool{}
	outcomes := map[intune.Outcome]int{}
	for r := range results {
		if seen[r.Device] {
			t.Errorf("%v: a second result", r.Device)
		}
		seen[r.Device] = true
		outcomes[r.Outcome]++
		tries += r.Attempts
		s.mu.Lock()
		prompts, broke := s.tenant.Prompts(r.Device), s.dropped["/v1.0"+r.Device.String()+"/requestRemoteAssistance"]
		s.mu.Unlock()
		switch r.Outcome {
		case intune.OutcomeAccepted:
			if prompts != 1 || r.Err != nil || r.RequestID == "" {
				t.Errorf("%v: accepted with %d prompts, %v", r.Device, prompts, r.Err)
			}
		case intune.OutcomeUnknown:
			if !broke || prompts > 1 || !errors.Is(r.Err, intune.ErrOutcomeUnknown) {
				t.Errorf("%v: unknown with %d prompts, broken %t, %v", r.Device, prompts, broke, r.Err)
			}
		default:
			t.Errorf("%v: %s, %v", r.Device, r.Outcome, r.Err)
		}
	}
	if len(seen) != len(s.devices) {
		t.Errorf("%d results for %d devices", len(seen), len(s.devices))
	}
	if n := len(s.devices); outcomes[intune.OutcomeUnknown] < n/50 || outcomes[intune.OutcomeUnknown] > n/12 {
		t.Errorf("outcomes %v", outcomes)
	}
	return tries
}

// simulated is how many devices a simulation has: a thousand, or with SOAK=1 a hundred thousand.
func simulated() int {
	if os.Getenv("SOAK") != "" {
		return 100_000
	}
	if smaller > 1 {
		return 400
	}
	return 1000
}

// C§7.1: at the default pace a thousand devices take as long as they must, and hardly anything is throttled.
func TestManySimulation(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0} {
		t.Run(fmt.Sprintf("batches of %d", size), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSimulation(simulated())
				start := time.Now()
				tries := s.run(t, s.client(t).RequestRemoteAssistanceMany(t.Context(), slices.Values(s.devices), &intune.RequestManyOptions{}))
				took, least := time.Since(start), time.Duration(len(s.devices)-1)*time.Second/5
				t.Logf("%v for %d tries, %v at least; %d refused", took, tries, least, s.refused)
				if took > least*105/100 || took < least-20*time.Second/5 {
					t.Errorf("took %v, want %v and at most 5%% more", took, least)
				}
				if s.refused*100 >= tries {
					t.Errorf("%d of %d tries were throttled", s.refused, tries)
				}
			})
		})
	}
}

// C§7.1: other apps use up the tenant's allowance for a while. The pace drops and recovers.
func TestManySimulationOfACrowdedTenant(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0} {
		t.Run(fmt.Sprintf("batches of %d", size), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSimulation(1000)
				const crowded = 45 * time.Second
				ctx, cancel := context.WithTimeout(t.Context(), crowded)
				defer cancel()
				for _, app := range []string{"app-1", "app-2"} {
					go s.crowd(ctx, t, app, 7)
				}
				start, slowest, final := time.Now(), 10., 0.
				s.run(t, s.client(t).RequestRemoteAssistanceMany(t.Context(), slices.Values(s.devices), &intune.RequestManyOptions{
					PerSecond: 8,
					OnProgress: func(p intune.Progress) {
						final, slowest = p.PerSecond, min(slowest, p.PerSecond)
						if time.Since(start) < crowded/2 && p.Done() > 700 {
							t.Errorf("%d results after %v", p.Done(), time.Since(start))
						}
					},
				}))
				t.Logf("%v, %d of %d refused, pace %.2f at the lowest", time.Since(start), s.refused, s.posts, slowest)
				if slowest > 4 || final < 6 {
					t.Errorf("pace %v at the lowest, %v at the end, want at most 4 and 6 or more", slowest, final)
				}
				<-ctx.Done()
			})
		})
	}
}

// crowd sends writes of another app until the context ends.
func (s *simulation) crowd(ctx context.Context, t *testing.T, app string, perSecond int) {
	options := s.tenant.ClientOptions()
	options.Retry.MaxRetries = -1
	client, err := intune.NewClient(s.tenant.CredentialWith(map[string]any{"appid": app}), options)
	if err != nil {
		t.Error(err)
		return
	}
	for ctx.Err() == nil {
		_, _ = client.RequestRemoteAssistance(ctx, intune.Device("of "+app), nil)
		time.Sleep(time.Second / time.Duration(perSecond)) //nolint:forbidigo // fake time
	}
}
