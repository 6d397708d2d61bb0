package intunetest_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// Without a bubble, a whole wait takes milliseconds although a minute passes for the tenant.
func TestLookAgainAfter(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond})
	ref := tenant.AddDevice(intune.ManagedDevice{}, intunetest.SessionScript{URL: "https://x", After: time.Minute}, intunetest.SessionScript{
		URL: "https://y", AfterReads: 3,
	})
	client := tenant.Client()
	start := time.Now()
	session, err := client.OpenRemoteAssistance(t.Context(), ref, nil)
	if err != nil || session.URL.Reveal() != "https://x" {
		t.Errorf("got %v, %v", session, err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	if looks := len(tenant.Requests()) - 2; looks < int(time.Minute/intunetest.LookInterval) {
		t.Errorf("%d looks in a minute", looks)
	}

	poller, err := client.BeginRemoteAssistance(t.Context(), ref, nil)
	if err != nil {
		t.Fatal(err)
	}
	start = time.Now()
	resp, err := poller.Poll(t.Context())
	if err != nil || resp.Header.Get("Retry-After-Ms") != "1" {
		t.Errorf("asks for %v, %v", resp.Header, err)
	}
	session, err = poller.PollUntilDone(t.Context(), &runtime.PollUntilDoneOptions{Frequency: time.Hour})
	if err != nil || session.URL.Reveal() != "https://y" {
		t.Errorf("got %v, %v", session, err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

// A client asks the tenant for its pace, whatever Frequency the code under test sets, also through an http.Client. One
// that the tenant cannot reach has its own pace.
func TestLookAgainAfter_ReachesTheClient(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after     time.Duration
		transport func(*intunetest.Tenant) policy.Transporter
		took      time.Duration // by the bubble's clock
	}{
		"the tenant": {20 * time.Millisecond, func(tenant *intunetest.Tenant) policy.Transporter { return tenant }, 60 * time.Millisecond},
		"below an http.Client": {
			20 * time.Millisecond, func(tenant *intunetest.Tenant) policy.Transporter { return &http.Client{Transport: tenant} },
			60 * time.Millisecond,
		},
		"behind something else": {
			20 * time.Millisecond, func(tenant *intunetest.Tenant) policy.Transporter { return hidden{tenant} }, 3 * time.Hour,
		},
		"not told":                {0, func(tenant *intunetest.Tenant) policy.Transporter { return tenant }, 3 * time.Hour},
		"told less than nothing":  {-time.Second, func(tenant *intunetest.Tenant) policy.Transporter { return tenant }, 3 * time.Hour},
		"told more than it takes": {2 * time.Hour, func(tenant *intunetest.Tenant) policy.Transporter { return tenant }, 6 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: c.after})
				device := tenant.AddDevice(intune.ManagedDevice{}, intunetest.SessionScript{AfterReads: 3})
				options := tenant.ClientOptions()
				options.Transport = c.transport(tenant)
				client, err := intune.NewClient(tenant.Credential(), options)
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				_, err = client.OpenRemoteAssistance(t.Context(), device, &intune.OpenRemoteAssistanceOptions{
					Frequency: time.Hour, MaxWait: 24 * time.Hour,
				})
				if err != nil {
					t.Error(err)
				}
				if took := time.Since(start); took != c.took {
					t.Errorf("three reads took %v, want %v", took, c.took)
				}
			})
		})
	}
}

// hidden is a transport that tells nothing about the tenant behind it.
type hidden struct{ tenant *intunetest.Tenant }

func (h hidden) Do(req *http.Request) (*http.Response, error) { return h.tenant.Do(req) }

// Only a session is asked to be read again, and only of a tenant that was told so.
func TestWhatIsToBeReadAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after       time.Duration
		query, want string
	}{
		"session":             {20 * time.Millisecond, "?$select=id,remoteAssistanceSessionUrl", "20"},
		"less than there is":  {time.Nanosecond, "?$select=remoteAssistanceSessionErrorDetails", "1"},
		"plain":               {time.Millisecond, "", ""},
		"not told":            {0, "?$select=id,remoteAssistanceSessionUrl", ""},
		"a negative duration": {-time.Second, "?$select=id,remoteAssistanceSessionUrl", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Date(2026, 8, 20, 0, 0, 0, 0, time.UTC)
			tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: c.after, Clock: func() time.Time { return now }})
			ref := tenant.AddDevice(intune.ManagedDevice{ID: deviceID})
			for range 2 {
				r := send(t, &http.Client{Transport: tenant}, http.MethodGet, "https://graph.microsoft.com/v1.0"+ref.String()+c.query, "")
				if got := r.header.Get("Retry-After-Ms"); got != c.want {
					t.Errorf("asks for %q, want %q", got, c.want)
				}
			}
			requests := tenant.Requests()
			moved, want := requests[1].Time.Sub(requests[0].Time), time.Duration(0)
			if c.want != "" {
				want = intunetest.LookInterval
			}
			if moved != want {
				t.Errorf("the clock moved by %v, want %v", moved, want)
			}
		})
	}
}
