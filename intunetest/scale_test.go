package intunetest_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// One tenant of sixteen times as much takes about as long as sixteen tenants, not sixteen times as long, which 100,000
// devices in under two seconds need; BenchmarkAddDevice measures that.
func TestAddingTakesLinearTime(t *testing.T) { //nolint:paralleltest // it takes the time
	for name, add := range map[string]func(n int){
		"devices with users": func(n int) { add(n) },
		"detected apps": func(n int) {
			tenant := intunetest.NewTenant(nil)
			for i := range n {
				tenant.AddDetectedApp(intune.DetectedApp{DisplayName: strconv.Itoa(i)})
			}
		},
	} {
		const few, times, attempts = 2000, 16, 5
		many, one := time.Hour, time.Hour
		for range attempts { // the shortest is what other work on the machine disturbed least
			begin := time.Now()
			for range times {
				add(few)
			}
			many = min(many, time.Since(begin))
			begin = time.Now()
			add(times * few)
			if one = min(one, time.Since(begin)); one < 5*many {
				break
			}
		}
		if one >= 5*many {
			t.Errorf("%s: %v in one tenant, %v in %d", name, one, many, times)
		}
	}
}

// A page of one is not more work in a larger tenant: no row is made that no page shows.
func TestSmallPagesOfLargeLists(t *testing.T) { //nolint:paralleltest // it counts allocations
	work := func(n int, path string) float64 {
		tenant := add(n)
		for i := range n {
			tenant.AddDetectedApp(intune.DetectedApp{DisplayName: strconv.Itoa(i)})
		}
		client := inProcess(tenant)
		return testing.AllocsPerRun(10, func() { get(t, client, graph+path) })
	}
	for _, path := range []string{
		devicesPath + "?$top=1", devicesPath + "?$top=1&$filter=contains(deviceName,'DESKTOP')", appsPath + "?$top=1",
	} {
		if few, many := work(10, path), work(3000, path); many > few+20 {
			t.Errorf("%s: %v allocations among 10, %v among 3000", path, few, many)
		}
	}
}

// The log of requests is bounded; the count is not.
func TestKeepRequests(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		keep, requests int
		want           string
	}{
		{3, 0, "[]"},
		{3, 2, "[$top=1 $top=2]"},
		{3, 3, "[$top=1 $top=2 $top=3]"},
		{3, 5, "[$top=3 $top=4 $top=5]"},
		{3, 7, "[$top=5 $top=6 $top=7]"},
		{1, 2, "[$top=2]"},
		{-1, 2, "[]"},
	} {
		tenant := intunetest.NewTenant(&intunetest.TenantOptions{KeepRequests: c.keep})
		client := inProcess(tenant)
		for round := range 2 {
			for i := range c.requests {
				send(t, client, http.MethodGet, fmt.Sprintf("%s?$top=%d", devicesURL, i+1), "")
			}
			queries := []string{}
			for _, r := range tenant.Requests() {
				queries = append(queries, r.RawQuery)
				if r.Status != http.StatusOK {
					t.Errorf("keep %d: %s", c.keep, r)
				}
			}
			if got := fmt.Sprint(queries); got != c.want || tenant.RequestCount() != c.requests {
				t.Errorf("keep %d, round %d: %s of %d, want %s", c.keep, round, got, tenant.RequestCount(), c.want)
			}
			tenant.ResetRequests()
			if len(tenant.Requests()) != 0 || tenant.RequestCount() != 0 {
				t.Errorf("keep %d: not forgotten", c.keep)
			}
		}
	}
	// The default.
	tenant := intunetest.NewTenant(nil)
	client := inProcess(tenant)
	for range 10_001 {
		send(t, client, http.MethodGet, graph+"/v1.0/groups", "")
	}
	if n := len(tenant.Requests()); n != 10_000 || tenant.RequestCount() != 10_001 {
		t.Errorf("by default %d of %d", n, tenant.RequestCount())
	}
}

// A fault that is used up is gone.
func TestPendingFaults(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	client := inProcess(tenant)
	tenant.Inject(intunetest.Fault{Status: 503, Times: 2})
	tenant.Inject(intunetest.Fault{Status: 502})
	tenant.Inject(intunetest.Fault{Status: 500, Times: -1})
	for i, want := range []struct{ pending, status int }{{3, 503}, {3, 503}, {2, 502}, {1, 500}, {1, 500}} {
		if n := tenant.PendingFaults(); n != want.pending {
			t.Errorf("before request %d: %d faults", i, n)
		}
		if r := send(t, client, http.MethodGet, devicesURL, ""); r.status != want.status {
			t.Errorf("request %d: %d", i, r.status)
		}
	}
	tenant.ClearFaults()
	if n := tenant.PendingFaults(); n != 0 {
		t.Errorf("%d faults after ClearFaults", n)
	}
}

// Accounts found through an index are the ones found by looking at all of them.
func TestUsersThatShareAName(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	tenant.AddDevice(intune.ManagedDevice{ID: "1", UserID: "a", UserPrincipalName: "anna@contoso.com"})
	tenant.AddDevice(intune.ManagedDevice{ID: "2", UserID: "b", UserPrincipalName: "Anna@contoso.com"}) // her account was made anew
	owner := func(name string) string {
		r := send(t, inProcess(tenant), http.MethodGet, graph+"/v1.0/users/"+name+"/managedDevices?$select=id", "")
		if r.status != http.StatusOK {
			return http.StatusText(r.status)
		}
		return fmt.Sprint(r.json(t)["value"])
	}
	steps := []struct {
		name, id, upn string
		want          map[string]string
	}{
		{"at first", "", "", map[string]string{"a": "[map[id:1]]", "B": "[map[id:2]]", "ANNA@contoso.com": "[map[id:1]]"}},
		{"the first renamed", "a", "old@contoso.com", map[string]string{"old@contoso.com": "[map[id:1]]", "anna@contoso.com": "[map[id:2]]"}},
		{"the second renamed", "b", "new@contoso.com", map[string]string{"new@contoso.com": "[map[id:2]]", "anna@contoso.com": "Not Found"}},
		{"known by its name", "", "NEW@contoso.com", map[string]string{"new@contoso.com": "[map[id:2]]"}},
	}
	for _, step := range steps {
		tenant.AddUser(step.id, step.upn)
		for name, want := range step.want {
			if got := owner(name); got != want {
				t.Errorf("%s, %s: %s, want %s", step.name, name, got, want)
			}
		}
	}
}
