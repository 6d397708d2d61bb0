package intunetest_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

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
		if row["displayName"] != "TeamViewer" || row["onboardingStatus"] != "onboarded" || !guid.MatchString(row["id"].(string)) ||
			row["onboardingUrl"] == nil || row["lastConnectionDateTime"] == "0001-01-01T00:00:00Z" || len(row) != 5 {
			t.Errorf("by default: %v", row)
		}
		for _, state := range []intune.ConnectorState{intune.ConnectorStateNotOnboarded, intune.ConnectorStateOnboarding, "someday"} {
			tenant.SetConnector(state)
			list := partners(t, client, root)
			if row := list[0].(map[string]any); len(list) != 1 || row["onboardingStatus"] != string(state) || row["lastConnectionDateTime"] != "0001-01-01T00:00:00Z" {
				t.Errorf("%s: %v", state, list)
			}
		}
		tenant.SetConnector("")
		if list := partners(t, client, root); len(list) != 0 {
			t.Errorf("none: %v", list)
		}
		tenant.SetConnector(intune.ConnectorStateUnknown)
		for _, c := range [][2]string{{"GET", ""}, {"POST", ""}, {"GET", "/1"}, {"POST", "/1/disconnect"}} {
			r := send(t, client, c[0], root+partnersPath+c[1], "{}")
			if r.status != http.StatusForbidden || r.envelope(t).Error.Code != "Forbidden" || !trailer.MatchString(r.nested(t)) {
				t.Errorf("%s %s: %d %s", c[0], c[1], r.status, r.body)
			}
		}
	})
}

// C§4.3: the seven operations.
func TestPartnerOperations(t *testing.T) {
	t.Parallel()
	throughEveryDoor(t, nil, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
		tenant.SetConnector("")
		collection := root + partnersPath
		created := send(t, client, http.MethodPost, collection, `{"@odata.type":"#microsoft.graph.remoteAssistancePartner","displayName":"TV","onboardingUrl":"https://x","lastConnectionDateTime":"2017-01-01T00:01:04Z"}`)
		o := created.json(t)
		id, _ := o["id"].(string)
		if created.status != http.StatusCreated || !guid.MatchString(id) || o["displayName"] != "TV" || o["onboardingUrl"] != "https://x" ||
			o["onboardingStatus"] != "notOnboarded" || o["lastConnectionDateTime"] != "2017-01-01T00:01:04Z" || o["@odata.context"] == nil {
			t.Fatalf("create: %d %v", created.status, o)
		}
		if r := send(t, client, http.MethodPatch, collection+"/"+id, `{"displayName":"New","onboardingStatus":"onboarded"}`); r.status != http.StatusOK || r.json(t)["displayName"] != "New" || r.json(t)["onboardingUrl"] != "https://x" {
			t.Errorf("update: %d %s", r.status, r.body)
		}
		if o := get(t, client, collection+"('"+id+"')?$select=onboardingStatus"); o["onboardingStatus"] != "onboarded" || len(o) != 2 {
			t.Errorf("get: %v", o)
		}
		for _, c := range []struct{ action, want string }{
			{"/beginOnboarding", "onboarding"}, {"/disconnect", "notOnboarded"}, {"/microsoft.graph.beginOnboarding", "onboarding"}, {"/microsoft.graph.disconnect", "notOnboarded"},
		} {
			r := send(t, client, http.MethodPost, collection+"/"+id+c.action, "")
			if got := get(t, client, collection+"/"+id)["onboardingStatus"]; r.status != http.StatusNoContent || got != c.want {
				t.Errorf("%s: %d, then %v", c.action, r.status, got)
			}
			if r := send(t, client, http.MethodGet, collection+"/"+id+c.action, ""); r.status != http.StatusMethodNotAllowed {
				t.Errorf("GET %s: %d", c.action, r.status)
			}
		}
		for _, body := range []string{
			"", "{", `[]`, "null", `{"displayName":1}`,
			// C§4.2 [CSDL]: the type is not open, and its enum has three members.
			`{"displayName":"X","color":"red"}`, `{"onboardingStatus":"someday"}`, `{"onboardingStatus":""}`, `{"onboardingStatus":2}`,
		} {
			for _, c := range [][2]string{{"POST", ""}, {"PATCH", "/" + id}} {
				if r := send(t, client, c[0], collection+c[1], body); r.status != http.StatusBadRequest || r.envelope(t).Error.Code != "BadRequest" {
					t.Errorf("%s %q: %d %s", c[0], body, r.status, r.body)
				}
			}
		}
		if row := partners(t, client, root)[0].(map[string]any); row["displayName"] != "New" || len(partners(t, client, root)) != 1 {
			t.Errorf("a refused body changed something: %v", row)
		}
		// What a client sends of its own account is taken: annotations, the id, null.
		if r := send(t, client, http.MethodPatch, collection+"/"+id, `{"@odata.type":"#x","displayName@odata.type":"String","id":"other","onboardingStatus":null}`); r.status != http.StatusOK || r.json(t)["id"] != id {
			t.Errorf("annotations: %d %s", r.status, r.body)
		}
		if r := send(t, client, http.MethodDelete, collection+"/"+id, ""); r.status != http.StatusNoContent || len(partners(t, client, root)) != 0 {
			t.Errorf("delete: %d %s", r.status, r.body)
		}
		for _, c := range [][2]string{{"GET", ""}, {"PATCH", ""}, {"DELETE", ""}, {"POST", "/beginOnboarding"}, {"POST", "/disconnect"}} {
			if r := send(t, client, c[0], collection+"/"+id+c[1], "{}"); r.status != http.StatusNotFound || r.envelope(t).Error.Code != "ResourceNotFound" || r.nested(t) == "" {
				t.Errorf("%s %s: %d %s", c[0], c[1], r.status, r.body)
			}
		}
	})
}

// C§4.2: onboarding ends when the partner confirms, which takes as long as the option says, or for ever.
func TestOnboardingCompletes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, after := range []time.Duration{0, time.Hour} {
			tenant := intunetest.NewTenant(&intunetest.TenantOptions{OnboardingCompletesAfter: after})
			tenant.SetConnector(intune.ConnectorStateNotOnboarded)
			ref := populate(tenant, intunetest.SessionScript{AfterReads: 1})
			id := partners(t, inProcess(tenant), graph)[0].(map[string]any)["id"].(string)
			send(t, inProcess(tenant), http.MethodPost, graph+partnersPath+"/"+id+"/beginOnboarding", "")
			expect := func(want string) {
				t.Helper()
				row := get(t, inProcess(tenant), graph+partnersPath+"/"+id)
				if row["onboardingStatus"] != want || (want == "onboarded") != (row["lastConnectionDateTime"] != "0001-01-01T00:00:00Z") {
					t.Errorf("after %v: %v, want %s", after, row, want)
				}
			}
			<-time.After(30 * time.Minute)
			expect("onboarding")
			tenant.Advance(30 * time.Minute)
			if after == 0 {
				tenant.Advance(1000 * time.Hour)
				expect("onboarding")
				continue
			}
			// The action need not wait until somebody looks at the partner.
			ask(t, tenant, ref)
			if got := sessionOf(t, tenant, ref); got[0] == "" {
				t.Errorf("no session: %q", got)
			}
			expect("onboarded")
		}
	})
}
