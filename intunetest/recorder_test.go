package intunetest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune/intunetest"
)

// What arrived is shown as it arrived, whichever way it came.
func TestRequestsAreRecordedRaw(t *testing.T) {
	t.Parallel()
	throughEveryDoor(t, nil, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
		populate(tenant)
		const path = "/v1.0/users/anna_fabrikam.com%23EXT%23@contoso.com/managedDevices/x%2Dy"
		const query = "%24select=id&$filter=deviceName%20eq%20'a+b'"
		send(t, client, http.MethodPatch, root+path+"?"+query, `{"a":1}`, header("X-Own", "1"))
		send(t, client, http.MethodGet, root+"/v1.0/deviceManagement/managedDevices", "")
		requests := tenant.Requests()
		if len(requests) != 2 {
			t.Fatalf("recorded %v", requests)
		}
		r := requests[0]
		for what, got := range map[string][2]string{ // and what is wanted
			"method":        {r.Method, "PATCH"},
			"path":          {r.Path, path},
			"query":         {r.RawQuery, query},
			"host":          {"https://" + r.Host, root},
			"own header":    {r.Header.Get("X-Own"), "1"},
			"Authorization": {r.Header.Get("Authorization"), "Bearer opaque"},
			"body":          {string(r.Body), `{"a":1}`},
			"status":        {strconv.Itoa(r.Status), "501"},
		} {
			if got[0] != got[1] {
				t.Errorf("%s: recorded %q, want %q", what, got[0], got[1])
			}
		}
		if ago := time.Since(r.Time); ago > time.Minute {
			t.Errorf("recorded %v ago", ago)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if text := fmt.Sprintf(verb, requests); strings.Contains(text, "opaque") || !strings.Contains(text, path) {
				t.Errorf("%s shows %s", verb, text)
			}
		}
		if want := "PATCH " + r.Host + path + "?" + query + ": 501"; r.String() != want {
			t.Errorf("got %s, want %s", r, want)
		}
		// A copy is a copy.
		r.Header.Set("X-Own", "2")
		r.Body[0] = 'x'
		requests[1].Method = "x"
		first, second := tenant.Requests()[0], tenant.Requests()[1]
		if first.Header.Get("X-Own") != "1" || first.Body[0] != '{' {
			t.Errorf("the log was changed from outside: %v %q", first.Header, first.Body)
		}
		if second.Method != "GET" || second.Body != nil {
			t.Errorf("the log was changed from outside: %v %q", second, second.Body)
		}
		tenant.ResetRequests()
		if left := tenant.Requests(); len(left) != 0 {
			t.Errorf("left %v", left)
		}
	})
}

// Whichever way a request comes, the names of its headers count in any case: azcore's generated clients write them into
// the map as the service's description has them.
func TestHeaderNamesInAnyCase(t *testing.T) {
	t.Parallel()
	throughEveryDoor(t, nil, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
		ref := populate(tenant)
		sent := http.Header{"authorization": {"Bearer raw"}, "client-request-id": {own}, "x-Own": {"1", "2"}}
		r := send(t, client, http.MethodPost, root+"/v1.0"+ref.String()+action, "", func(req *http.Request) { req.Header = sent })
		if r.status != http.StatusNoContent || r.header.Get("client-request-id") != own {
			t.Errorf("%d, client-request-id %q", r.status, r.header.Get("client-request-id"))
		}
		got := tenant.Requests()[0].Header
		if got.Get("Authorization") != "Bearer raw" || !slices.Equal(got.Values("X-Own"), []string{"1", "2"}) {
			t.Errorf("recorded %v", got)
		}
	})
}
