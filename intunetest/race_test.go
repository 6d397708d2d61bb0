package intunetest_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// Everything at once, for the race detector; what must add up does.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	options := intunetest.TenantOptions{ThrottleLimits: true, PageSize: 2}
	throughEveryDoor(t, &options, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
		ref := populate(tenant)
		const workers, rounds = 6, 8
		tenant.Inject(intunetest.Fault{
			Status: http.StatusServiceUnavailable, PathSuffix: action, Times: workers,
			Match: func(r intunetest.RecordedRequest) bool {
				return r.Body == nil && len(tenant.Requests()) >= 0 // the kit's methods may be called from here
			},
		})
		var group sync.WaitGroup
		var mu sync.Mutex
		accepted := 0
		for worker := range workers {
			group.Go(func() {
				for range rounds {
					r := send(t, client, http.MethodPost, root+"/v1.0"+ref.String()+action, "")
					if r.status == http.StatusNoContent {
						mu.Lock()
						accepted++
						mu.Unlock()
					}
					send(t, client, http.MethodGet, root+"/v1.0"+ref.String()+selectSession, "")
					send(t, client, http.MethodGet, root+"/v1.0/deviceManagement/managedDevices?$filter=deviceName%20eq%20'x'", "")
					send(t, client, http.MethodGet, root+partnersPath, "")
				}
			})
			group.Go(func() {
				for i := range rounds {
					id := fmt.Sprint(worker, "-", i)
					added := tenant.AddDevice(intune.ManagedDevice{ID: id, UserPrincipalName: id + "@contoso.com"})
					tenant.AddDetectedApp(intune.DetectedApp{ID: appID}, ref, added)
					tenant.AddUser(id, id+"@contoso.com")
					tenant.RemoveDevice(added)
					tenant.SetConnector(intune.ConnectorStateOnboarded)
					tenant.Advance(time.Millisecond)
					tenant.Prompts(ref)
					tenant.Requests()
					tenant.Inject(intunetest.Fault{PathSuffix: "/nowhere"})
				}
			})
		}
		group.Wait()
		const want = workers*rounds - workers
		if got := [3]int{accepted, tenant.Prompts(ref), tenant.TotalPrompts()}; got != [3]int{want, want, want} {
			t.Errorf("accepted, prompts of the device and in all: %d, want %d each", got, want)
		}
		sent := 0
		for _, r := range tenant.Requests() {
			if strings.HasSuffix(r.Path, action) {
				sent++
			}
		}
		if sent != workers*rounds {
			t.Errorf("recorded %d requests", sent)
		}
	})
}
