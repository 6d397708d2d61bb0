package intunetest_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// atCall does something before the nth call.
type atCall struct {
	nth   int
	do    func()
	calls *int
}

func (p atCall) Do(req *policy.Request) (*http.Response, error) {
	if *p.calls++; *p.calls == p.nth {
		p.do()
	}
	return req.Next()
}

// TestMaxWaitPassesWithTheTenantsClock shows the wait of code that sets no option, outside of a testing/synctest bubble.
func TestMaxWaitPassesWithTheTenantsClock(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		advance     time.Duration
		least, most int // looks
	}{
		"look by look":       {0, 110, 125},
		"at once":            {10 * time.Minute, 1, 2},
		"most of it at once": {9 * time.Minute, 10, 15},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond})
			device := tenant.AddDevice(intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
			options := tenant.ClientOptions()
			options.PerCallPolicies = []policy.Policy{atCall{3, func() { tenant.Advance(c.advance) }, new(int)}}
			client, err := intune.NewClient(tenant.Credential(), options)
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.OpenRemoteAssistance(t.Context(), device, nil)
			looks := len(tenant.Requests()) - 2 // less the look before the request, and the request
			if !errors.Is(err, intune.ErrSessionPending) || errors.Is(err, intune.ErrOutcomeUnknown) {
				t.Errorf("got %v, want a pending session of a known outcome", err)
			}
			if looks < c.least || looks > c.most {
				t.Errorf("%d looks, want %d to %d", looks, c.least, c.most)
			}
		})
	}
}

// TestOldTokenByTheTenantsClock: a token is too old after MaxAge, a day unless told otherwise.
func TestOldTokenByTheTenantsClock(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond})
	device := tenant.AddDevice(intune.ManagedDevice{})
	client := tenant.Client()
	poller, err := client.BeginRemoteAssistance(t.Context(), device, nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := poller.ResumeToken()
	if err != nil {
		t.Fatal(err)
	}
	tenant.Advance(25 * time.Hour)
	if _, err := client.WaitForRemoteAssistance(t.Context(), token, nil); !errors.Is(err, intune.ErrInvalidArgument) {
		t.Errorf("got %v", err)
	}
	longer := intune.WaitForRemoteAssistanceOptions{MaxAge: 26 * time.Hour}
	if _, err := client.WaitForRemoteAssistance(t.Context(), token, &longer); err != nil {
		t.Errorf("got %v", err)
	}
}

// TestClientsClockIsItsOwnWithoutTheOption: a wait in real time or in a bubble does not see what Advance adds.
func TestClientsClockIsItsOwnWithoutTheOption(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	tenant.Advance(time.Hour)
	if ahead := tenant.ClockAhead(); ahead != 0 {
		t.Errorf("the clock is %v ahead", ahead)
	}
}
