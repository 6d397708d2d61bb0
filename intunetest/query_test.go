package intunetest_test

import (
	"net/http"
	"testing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// Option names may be encoded ([R]: Graph emits %24top in next links, docs-contrib #658 and msgraph-sdk-dotnet #1102;
// [C]: hashicorp's client and Python's urlencode send them so). One sentence of the SDK design says that they may not,
// C§3.3 [M], which a strict tenant keeps to.
func TestEncodedOptionNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, query             string
		devices, members        int
		strictDevices, strictOf int
	}{
		{"$filter", "%24filter=deviceName%20eq%20'A'&$select=id", 1, 1, 3, 1},
		{"$select", "%24select=id", 3, 1, 3, 56},
		{"$top", "%24top=2&%24select=id", 2, 1, 3, 56},
		{"all of urlencode", "%24select=id%2CdeviceName&%24filter=deviceName+eq+%27B%27", 1, 2, 3, 56},
		{"lower-case hex of nothing", "%2424top=1", 3, 56, 3, 56},
		{"malformed", "%2=1&%zz", 3, 56, 3, 56},
	} {
		for _, strict := range []bool{false, true} {
			tenant := intunetest.NewTenant(&intunetest.TenantOptions{Strict: strict})
			for _, name := range []string{"A", "B", "C"} {
				tenant.AddDevice(intune.ManagedDevice{DeviceName: name})
			}
			devices, members := c.devices, c.members
			if strict {
				devices, members = c.strictDevices, c.strictOf
			}
			list := get(t, inProcess(tenant), devicesURL+"?"+c.query)["value"].([]any)
			if len(list) != devices || len(list[0].(map[string]any)) != members {
				t.Errorf("%s, strict %v: %d devices with %d members", c.name, strict, len(list), len(list[0].(map[string]any)))
			}
		}
	}
	// What is malformed stays so under either name.
	for _, option := range []string{"$top=0", "%24top=0", "%24select=%zz"} {
		if r := send(t, inProcess(intunetest.NewTenant(nil)), http.MethodGet, devicesURL+"?"+option, ""); r.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", option, r.status, r.body)
		}
	}
}

// A client that re-encodes every next link, as hashicorp's does ([C]), reads the whole list.
func TestReencodedNextLinks(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{PageSize: 2})
	fill(tenant, 5)
	seen := 0
	for next := devicesURL + "?%24select=id"; next != ""; {
		req, err := http.NewRequest(http.MethodGet, next, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.URL.RawQuery = req.URL.Query().Encode()
		page := get(t, inProcess(tenant), req.URL.String())
		seen += len(page["value"].([]any))
		next, _ = page["@odata.nextLink"].(string)
	}
	if seen != 5 {
		t.Errorf("%d devices", seen)
	}
}
