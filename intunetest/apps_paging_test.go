package intunetest_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// [R] A verbatim page of July 2026 in rknightion/graph2otel: the list of detected apps says how many there are in all,
// and its next link is $top and $skip.
func TestDetectedAppsPageBySkip(t *testing.T) {
	t.Parallel()
	apps := func(tenant *intunetest.Tenant, n int) {
		for i := range n {
			tenant.AddDetectedApp(intune.DetectedApp{ID: strconv.Itoa(i), DisplayName: []string{"Notepad", "Word"}[i%2]})
		}
	}
	for _, c := range []struct {
		name    string
		options intunetest.TenantOptions
		apps    int
		query   string
		count   float64
		links   []string // of the pages, without the address
		want    string
	}{
		{
			"$top",
			intunetest.TenantOptions{},
			12, "?$top=5", 12,
			[]string{"?$top=5&$skip=5", "?$top=5&$skip=10", ""},
			"[[0 1 2 3 4] [5 6 7 8 9] [10 11]]",
		},
		{"%24top", intunetest.TenantOptions{}, 3, "?%24top=2", 3, []string{"?%24top=2&$skip=2", ""}, "[[0 1] [2]]"},
		{"own $skip", intunetest.TenantOptions{}, 4, "?$skip=1&$top=2", 4, []string{"?$top=2&$skip=3", ""}, "[[1 2] [3]]"},
		{"no $top", intunetest.TenantOptions{PageSize: 2}, 3, "", 3, []string{"?$skip=2", ""}, "[[0 1] [2]]"},
		{"exactly full", intunetest.TenantOptions{PageSize: 2}, 2, "", 2, []string{""}, "[[0 1]]"},
		{"skip all", intunetest.TenantOptions{}, 2, "?$skip=7", 2, []string{""}, "[[]]"},
		{"none", intunetest.TenantOptions{}, 0, "", 0, []string{""}, "[[]]"},
		{
			"filtered",
			intunetest.TenantOptions{},
			6, "?$filter=contains(displayName,'word')&$top=2", 3,
			[]string{"?$filter=contains(displayName,'word')&$top=2&$skip=2", ""},
			"[[1 3] [5]]",
		},
		{"short", intunetest.TenantOptions{PageSize: 4, ShortPages: true}, 3, "", 3, []string{"?$skip=0", "?$skip=2", ""}, "[[] [0 1] [2]]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			throughEveryDoor(t, &c.options, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
				apps(tenant, c.apps)
				next := root + appsPath + c.query
				pages := [][]string{}
				for i, link := range c.links {
					o := get(t, client, next)
					page := []string{}
					for _, item := range o["value"].([]any) {
						page = append(page, item.(map[string]any)["id"].(string))
					}
					pages = append(pages, page)
					next, _ = o["@odata.nextLink"].(string)
					if link != "" {
						link = root + appsPath + link
					}
					if o["@odata.count"] != c.count || next != link {
						t.Errorf("page %d: count %v, next link %q, want %v, %q", i, o["@odata.count"], next, c.count, link)
					}
				}
				if got := fmt.Sprint(pages); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
			})
		})
	}
	tenant := intunetest.NewTenant(nil)
	for _, option := range []string{"$skip=-1", "$skip=x", "$skip=", "$skiptoken=x"} {
		r := send(t, inProcess(tenant), http.MethodGet, graph+appsPath+"?"+option, "")
		if want := map[bool]int{true: 200, false: 400}[option == "$skip="]; r.status != want {
			t.Errorf("%s: %d %s", option, r.status, r.body)
		}
	}
}
