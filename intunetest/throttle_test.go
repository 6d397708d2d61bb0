package intunetest_test

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// clock is a clock that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func throttled(clock *clock) *intunetest.TenantOptions {
	return &intunetest.TenantOptions{ThrottleLimits: true, Clock: clock.now}
}

// C§7.1: the limits per app, for devices and for partners, writes and all.
func TestThrottleLimits(t *testing.T) {
	t.Parallel()
	const devices, partners = "/v1.0/deviceManagement/managedDevices", "/v1.0/deviceManagement/remoteAssistancePartners"
	for _, c := range []struct {
		method, path string
		limit        int
	}{
		{"POST", devices + "/" + deviceID + action, 200},
		{"GET", devices + "?$top=1", 2000},
		{"POST", partners + "/1/disconnect", 100},
		{"GET", partners, 1000},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			t.Parallel()
			clock := &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
			tenant := intunetest.NewTenant(throttled(clock))
			ref := populate(tenant)
			ask := func(change ...func(*http.Request)) reply {
				return send(t, inProcess(tenant), c.method, graph+c.path, "", change...)
			}
			for i := range c.limit {
				if r := ask(); r.status == http.StatusTooManyRequests {
					t.Fatalf("request %d of %d: %s", i+1, c.limit, r.body)
				}
			}
			r := ask()
			if r.status != http.StatusTooManyRequests || r.envelope(t).Error.Code != "TooManyRequests" {
				t.Fatalf("beyond the limit: %d %s", r.status, r.body)
			}
			if after := r.header.Get("Retry-After"); after != "20" {
				t.Errorf("Retry-After %q, want 20", after)
			}
			if s := r.nested(t); !trailer.MatchString(s) {
				t.Errorf("%q", s)
			}
			if n := tenant.Prompts(ref); n > c.limit {
				t.Errorf("%d prompts", n)
			}
			// Another app has an allowance of its own.
			if r := ask(header("Authorization", "Bearer other")); r.status == http.StatusTooManyRequests {
				t.Errorf("another app: %d", r.status)
			}
			// The rest of this app's has another allowance.
			rest := devices + "?$top=1"
			if strings.HasPrefix(c.path, devices) {
				rest = partners
			}
			if r := send(t, inProcess(tenant), "GET", graph+rest, ""); r.status != http.StatusOK {
				t.Errorf("%s: %d", rest, r.status)
			}
			// Waiting as long as asked helps; less does not.
			clock.at = clock.at.Add(19999 * time.Millisecond)
			if r := ask(); r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") != "0.001" {
				t.Errorf("too early: %d %s", r.status, r.header.Get("Retry-After"))
			}
			tenant.Advance(time.Millisecond)
			tenant.Advance(-time.Hour)
			if r := ask(); r.status == http.StatusTooManyRequests {
				t.Errorf("in time: %d %v", r.status, r.header)
			}
		})
	}
}

// Every way to write counts as a write, devices and partners each on their own; without the option nothing counts.
func TestWritesOfEveryKindAreThrottled(t *testing.T) {
	t.Parallel()
	const partner = graph + "/v1.0/deviceManagement/remoteAssistancePartners/1"
	const device = graph + "/v1.0/deviceManagement/managedDevices/" + deviceID + action
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		for limited, want := range map[bool]bool{true: true, false: false} {
			t.Run(method+" "+strconv.FormatBool(limited), func(t *testing.T) {
				t.Parallel()
				clock := &clock{time.Now()}
				options := throttled(clock)
				options.ThrottleLimits = limited
				tenant := intunetest.NewTenant(options)
				populate(tenant)
				for i := range 101 {
					r := send(t, inProcess(tenant), method, partner, "{}")
					if got := r.status == http.StatusTooManyRequests; got != (want && i == 100) {
						t.Fatalf("write %d: %d", i+1, r.status)
					}
				}
				for i := range 101 { // more than what is left, if partners and devices had one allowance
					if r := send(t, inProcess(tenant), http.MethodPost, device, ""); r.status != http.StatusNoContent {
						t.Fatalf("request %d: %d", i+1, r.status)
					}
				}
			})
		}
	}
}

// The window slides: each write leaves it twenty seconds after it came, to the nanosecond, and no other with it.
func TestThrottleWindowSlides(t *testing.T) {
	t.Parallel()
	clock := &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	tenant := intunetest.NewTenant(throttled(clock))
	write := func(n, want int, after string) {
		t.Helper()
		for i := range n {
			r := send(t, inProcess(tenant), http.MethodDelete, graph+"/v1.0/deviceManagement/remoteAssistancePartners/1", "")
			if (r.status == http.StatusTooManyRequests) != (want == http.StatusTooManyRequests) || r.header.Get("Retry-After") != after {
				t.Fatalf("write %d: %d, Retry-After %q, want %d and %q", i+1, r.status, r.header.Get("Retry-After"), want, after)
			}
		}
	}
	write(1, 0, "")
	clock.at = clock.at.Add(10 * time.Second)
	write(99, 0, "")
	clock.at = clock.at.Add(10 * time.Second)
	write(1, 0, "") // in the place of the first
	write(1, http.StatusTooManyRequests, "10")
	clock.at = clock.at.Add(20*time.Second - 1)
	write(98, 0, "") // beside the two before, the rejected one included
	write(1, http.StatusTooManyRequests, "0.001")
}

// What an app is: the appid claim, else azp, else the token itself.
func TestThrottlingCountsByApp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first, second string // tokens
		same          bool
	}{
		"same appid":         {unsigned(`{"appid":"a","n":1}`), unsigned(`{"appid":"a","n":2}`), true},
		"same azp":           {unsigned(`{"azp":"a","n":1}`), unsigned(`{"appid":"","azp":"a"}`), true},
		"other appid":        {unsigned(`{"appid":"a"}`), unsigned(`{"appid":"b"}`), false},
		"no appid":           {unsigned(`{"n":1}`), unsigned(`{"n":2}`), false},
		"other opaque token": {"a", "b", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := &clock{time.Now()}
			tenant := intunetest.NewTenant(throttled(clock))
			write := func(token string) int {
				return send(t, inProcess(tenant), http.MethodDelete, graph+"/v1.0/deviceManagement/remoteAssistancePartners/1", "",
					header("Authorization", "Bearer "+token)).status
			}
			for range 100 {
				write(c.first)
			}
			if got := write(c.second) == http.StatusTooManyRequests; got != c.same {
				t.Errorf("throttled together: %v", got)
			}
		})
	}
}

// C§7.2: rejected requests count, so that hammering never ends.
func TestRejectedRequestsCount(t *testing.T) {
	t.Parallel()
	clock := &clock{time.Now()}
	tenant := intunetest.NewTenant(throttled(clock))
	ref := populate(tenant)
	accepted := 0
	for range 2000 { // ten a second would pass; twenty do not
		if send(t, inProcess(tenant), http.MethodPost, graph+"/v1.0"+ref.String()+action, "").status == http.StatusNoContent {
			accepted++
		}
		clock.at = clock.at.Add(50 * time.Millisecond)
	}
	if accepted != 200 || tenant.Prompts(ref) != 200 {
		t.Errorf("%d accepted", accepted)
	}
}

// Retry-After is fractional, and missing when the tenant is told so.
func TestRetryAfterForms(t *testing.T) {
	t.Parallel()
	clock := &clock{time.Now()}
	options := throttled(clock)
	tenant := intunetest.NewTenant(options)
	options.OmitRetryAfter = true
	silent := intunetest.NewTenant(options)
	for _, tenant := range []*intunetest.Tenant{tenant, silent} {
		ref := populate(tenant)
		var r reply
		for i := range 202 {
			r = send(t, inProcess(tenant), http.MethodPost, graph+"/v1.0"+ref.String()+action, "")
			switch i {
			case 0:
				clock.at = clock.at.Add(time.Second)
			case 2: // its place is the one that the next request needs
				clock.at = clock.at.Add(17872500 * time.Microsecond)
			}
		}
		want := "2.128" // the wait is rounded up, or it would not help
		if tenant == silent {
			want = ""
		}
		if got := r.header.Get("Retry-After"); r.status != http.StatusTooManyRequests || got != want {
			t.Errorf("%d %q, want %q", r.status, got, want)
		}
	}
}

// A client with the kit's options gets through without waiting: the tenant's clock moves instead.
func TestInstantWaits(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{ThrottleLimits: true})
	ref := populate(tenant)
	client := tenant.Client()
	start := time.Now()
	for range 450 {
		if _, err := client.RequestRemoteAssistance(t.Context(), ref, nil); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(start); took > 15*time.Second || tenant.Prompts(ref) != 450 {
		t.Errorf("took %v, %d prompts", took, tenant.Prompts(ref))
	}
}

// What the tenant asked for is reported although nobody waited, and a wait beyond three minutes ends the call as in
// production.
func TestWaitsAreReported(t *testing.T) {
	t.Parallel()
	for after, sent := range map[time.Duration]int{
		0: 4, 249 * time.Millisecond: 4, 90 * time.Second: 4, 3 * time.Minute: 4, 181 * time.Second: 1, 90 * time.Minute: 1,
	} {
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tenant := intunetest.NewTenant(nil)
				ref := populate(tenant)
				fault := intunetest.Fault{Status: 429, Code: "TooManyRequests", Times: -1}
				if after > 0 {
					fault.Header = http.Header{"Retry-After": {strconv.FormatFloat(after.Seconds(), 'f', -1, 64)}}
				}
				tenant.Inject(fault)
				start := time.Now()
				_, err := tenant.Client().RequestRemoteAssistance(t.Context(), ref, nil)
				e, ok := errors.AsType[*intune.Error](err)
				if !ok || !errors.Is(err, intune.ErrThrottled) {
					t.Fatalf("got %v", err)
				}
				if e.RetryAfter != after {
					t.Errorf("RetryAfter %v, want %v", e.RetryAfter, after)
				}
				requests := tenant.Requests()
				if len(requests) != sent {
					t.Fatalf("sent %d times, want %d", len(requests), sent)
				}
				if took := time.Since(start); took > 10*time.Millisecond {
					t.Errorf("took %v", took)
				}
				waits := time.Duration(sent-1) * after
				if moved := requests[len(requests)-1].Time.Sub(requests[0].Time); moved < waits || moved > waits+10*time.Millisecond {
					t.Errorf("the tenant's clock moved by %v, want %v", moved, waits)
				}
			})
		})
	}
}
