package intunetest_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

const partnersPath = "/v1.0/deviceManagement/remoteAssistancePartners"

// partners are the rows of the list.
func partners(t *testing.T, client *http.Client, root string) []any {
	t.Helper()
	return get(t, client, root+partnersPath)["value"].([]any)
}

// C§4.2, C§4.3: a tenant has one row, or none, and the caller may not be allowed to look.
func TestSetConnector(t *testing.T) {
	t.Parallel()
	throughEveryDoor(t, nil, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
		row := partners(t, client, root)[0].(map[string]any)
		expectMembers(t, "by default", row, map[string]any{"displayName": "TeamViewer", "onboardingStatus": "onboarded"})
		expectLen(t, "by default", row, 5)
		if id := row["id"].(string); !guid.MatchString(id) {
			t.Errorf("by default: id %s", id)
		}
		if row["onboardingUrl"] == nil || row["lastConnectionDateTime"] == "0001-01-01T00:00:00Z" {
			t.Errorf("by default: %v", row)
		}
		for _, state := range []intune.ConnectorState{intune.ConnectorStateNotOnboarded, intune.ConnectorStateOnboarding, "someday"} {
			tenant.SetConnector(state)
			list := partners(t, client, root)
			if len(list) != 1 {
				t.Fatalf("%s: %v", state, list)
			}
			expectMembers(t, string(state), list[0].(map[string]any), map[string]any{
				"onboardingStatus": string(state), "lastConnectionDateTime": "0001-01-01T00:00:00Z",
			})
		}
		tenant.SetConnector("")
		if list := partners(t, client, root); len(list) != 0 {
			t.Errorf("none: %v", list)
		}
		tenant.SetConnector(intune.ConnectorStateUnknown)
		for _, path := range []string{partnersPath, partnersPath + "/1"} {
			r := send(t, client, http.MethodGet, root+path, "")
			if r.status != http.StatusForbidden || r.envelope(t).Error.Code != "Forbidden" {
				t.Errorf("%s: %d %s", path, r.status, r.body)
			}
			if sentence := r.nested(t); !trailer.MatchString(sentence) {
				t.Errorf("%s: %q", path, sentence)
			}
		}
	})
}

// C§4.3: one partner can be read as well. Graph has operations that change it too, and the kit does not.
func TestPartner(t *testing.T) {
	t.Parallel()
	throughEveryDoor(t, nil, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
		tenant.SetConnector(intune.ConnectorStateOnboarding)
		row := partners(t, client, root)[0].(map[string]any)
		id := row["id"].(string)
		address := root + partnersPath + "/" + id
		one := get(t, client, address)
		if one["@odata.context"] == nil {
			t.Errorf("no context: %v", one)
		}
		if delete(one, "@odata.context"); !maps.Equal(one, row) {
			t.Errorf("got %v, want %v", one, row)
		}
		selected := get(t, client, root+partnersPath+"('"+strings.ToUpper(id)+"')?$select=onboardingStatus")
		if selected["onboardingStatus"] != "onboarding" || len(selected) != 2 {
			t.Errorf("with $select: %v", selected)
		}
		for _, c := range [][2]string{
			{"POST", partnersPath},
			{"PATCH", partnersPath + "/" + id},
			{"DELETE", partnersPath + "/" + id},
			{"POST", partnersPath + "/" + id + "/beginOnboarding"},
			{"POST", partnersPath + "/" + id + "/microsoft.graph.disconnect"},
		} {
			r := send(t, client, c[0], root+c[1], `{"displayName":"New"}`)
			if r.status != http.StatusNotImplemented {
				t.Errorf("%s %s: %d", c[0], c[1], r.status)
			}
			if got := r.envelope(t).Error.Message; got != unmodeled(c[0]+" "+c[1]) {
				t.Errorf("%s %s: %s", c[0], c[1], got)
			}
		}
		if after := partners(t, client, root); len(after) != 1 || !maps.Equal(after[0].(map[string]any), row) {
			t.Errorf("what was refused changed something: %v", after)
		}
		if r := send(t, client, http.MethodGet, root+partnersPath+"/gone", ""); r.status != http.StatusNotFound || r.nested(t) == "" {
			t.Errorf("another: %d %s", r.status, r.body)
		}
		tenant.SetConnector("")
		r := send(t, client, http.MethodGet, address, "")
		if r.status != http.StatusNotFound || r.envelope(t).Error.Code != "ResourceNotFound" {
			t.Errorf("none: %d %s", r.status, r.body)
		}
	})
}
