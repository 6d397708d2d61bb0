package intunetest_test

import (
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

const (
	auditPath   = "/v1.0/deviceManagement/auditEvents"
	auditEvents = graph + auditPath
)

// TestAuditFilters: what public clients were seen to use works, with regard to case for the actor, and everything else is
// ignored as elsewhere in Intune (C§11, C§3.1).
func TestAuditFilters(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{Clock: func() time.Time { return at }})
	device := tenant.AddDevice(intune.ManagedDevice{ID: "d'1"})
	scp := "DeviceManagementManagedDevices.ReadWrite.All DeviceManagementApps.Read.All"
	anna, err := intune.NewClient(tenant.CredentialWith(map[string]any{"scp": scp, "upn": "Anna@contoso.com"}), tenant.ClientOptions())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := anna.RequestRemoteAssistance(t.Context(), device, nil); err != nil {
		t.Fatal(err)
	}
	for filter, found := range map[string]int{
		"": 1,
		"activityDateTime gt 2026-03-01T12:00:00Z":                0,
		"activityDateTime ge 2026-03-01T12:00:00Z":                1,
		"activityDateTime le 2026-03-01T11:59:59Z":                0,
		"activityDateTime lt 2026-03-01T11:59:59Z":                1, // not seen in use, so ignored
		"activityDateTime gt yesterday":                           1,
		"activityType eq 'rebootNow ManagedDevice'":               0,
		"activityType eq 'REQUESTRemoteAssistance ManagedDevice'": 1,
		"activityType ne 'requestRemoteAssistance ManagedDevice'": 1,
		"category eq 'App'":                                       0,
		"category eq 'App' or category eq 'x'":                    1,
		"category eq 'App' and displayName eq 'x'":                1,
		"category eq 'Device' and activityType eq 'a and b'":      0,
		"actor/userPrincipalName eq 'Anna@contoso.com'":           1,
		"actor/userPrincipalName eq 'anna@contoso.com'":           0,
		"resources/any(r: r/resourceId eq 'D''1')":                1,
		"resources/any(x:x/resourceId eq 'd2')":                   0,
		"resources/any(x:y/resourceId eq 'd''1')":                 0,
		"correlationId eq 'no'":                                   1,
	} {
		t.Run(filter, func(t *testing.T) {
			t.Parallel()
			got := send(t, inProcess(tenant), http.MethodGet, auditEvents+"?$filter="+url.QueryEscape(filter), "")
			if events, _ := got.json(t)["value"].([]any); got.status != http.StatusOK || len(events) != found {
				t.Errorf("status %d, %d events, want %d: %s", got.status, len(events), found, got.body)
			}
		})
	}
}

// C§11: an actor has an id and a name. What the token does not say, the tenant knows of its accounts.
func TestAuditActor(t *testing.T) {
	t.Parallel()
	const name = "anna@contoso.com"
	for _, c := range []struct {
		name   string
		claims map[string]any
		want   intune.AuditActor
	}{
		{
			"both claims",
			map[string]any{"oid": "id-9", "upn": "z@contoso.com"},
			intune.AuditActor{AuditActorType: "ItPro", UserID: "id-9", UserPrincipalName: "z@contoso.com"},
		},
		{"a known id", map[string]any{"oid": userID}, intune.AuditActor{AuditActorType: "ItPro", UserID: userID, UserPrincipalName: name}},
		{
			"a known name",
			map[string]any{"preferred_username": name},
			intune.AuditActor{AuditActorType: "ItPro", UserID: userID, UserPrincipalName: name},
		},
		{"an unknown id", map[string]any{"oid": "id-9"}, intune.AuditActor{AuditActorType: "ItPro", UserID: "id-9"}},
		{
			"an unknown name",
			map[string]any{"upn": "z@contoso.com"},
			intune.AuditActor{AuditActorType: "ItPro", UserPrincipalName: "z@contoso.com"},
		},
		{"a user without a name", nil, intune.AuditActor{AuditActorType: "ItPro"}},
		{"an app", map[string]any{"scp": nil, "oid": userID}, intune.AuditActor{AuditActorType: "Application"}}, // an app has an oid too
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tenant := intunetest.NewTenant(nil)
			tenant.AddUser(userID, name)
			device := tenant.AddDevice(intune.ManagedDevice{})
			claims := map[string]any{"appid": "app", "scp": "DeviceManagementManagedDevices.ReadWrite.All"}
			maps.Copy(claims, c.claims)
			bearer := header("Authorization", "Bearer "+token(t, tenant, claims))
			if r := send(t, inProcess(tenant), http.MethodPost, graph+"/v1.0"+device.String()+action, "", bearer); r.status != http.StatusNoContent {
				t.Fatalf("%d %s", r.status, r.body)
			}
			c.want.ApplicationID = "app"
			for event, err := range tenant.Client().AuditEvents(t.Context(), nil) {
				if got := event.Actor; err != nil || !reflect.DeepEqual(got, c.want) {
					t.Errorf("got %s %q %q %s, %v", got.AuditActorType, got.UserID, got.UserPrincipalName, got.ApplicationID, err)
				}
			}
		})
	}
}

func TestAuditEventAsGraphWritesIt(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	device := tenant.AddDevice(intune.ManagedDevice{ID: "d1", DeviceName: "PC"})
	response, err := tenant.Client().RequestRemoteAssistance(t.Context(), device, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := get(t, inProcess(tenant), auditEvents+"?$select=correlationId,resources")
	event, _ := got["value"].([]any)[0].(map[string]any)
	resource, _ := event["resources"].([]any)[0].(map[string]any)
	expectMembers(t, "event", event, map[string]any{"correlationId": response.ClientRequestID})
	expectLen(t, "event", event, 2)
	expectMembers(t, "resource", resource, map[string]any{"resourceId": "d1"})
	if refused := send(t, inProcess(tenant), http.MethodGet, auditEvents+"?$select=nope", ""); refused.status != http.StatusBadRequest {
		t.Errorf("got %d", refused.status)
	}
	event, _ = get(t, inProcess(tenant), auditEvents)["value"].([]any)[0].(map[string]any)
	if len(event) != 12 { // all that the schema has
		t.Errorf("got %v", event)
	}
}

// The events are bounded, and pages go on where they were when the oldest are forgotten.
func TestAuditEventsAreBounded(t *testing.T) {
	t.Parallel()
	if smaller > 1 {
		t.Skip("takes long under the race detector, which finds nothing more here")
	}
	tenant := intunetest.NewTenant(nil)
	ref := populate(tenant)
	client := inProcess(tenant)
	request := func(n int) {
		for range n {
			send(t, client, http.MethodPost, graph+"/v1.0"+ref.String()+action, "")
		}
	}
	request(10_000)
	page := get(t, client, auditEvents)
	for range 4 { // to after the 5000th
		page = get(t, client, page["@odata.nextLink"].(string))
	}
	next := page["@odata.nextLink"].(string)
	afterwards := get(t, client, next)["value"].([]any)[0].(map[string]any)["id"]
	request(1)
	if id := get(t, client, next)["value"].([]any)[0].(map[string]any)["id"]; id != afterwards {
		t.Errorf("the page begins with %v, not %v", id, afterwards)
	}
	events := 0
	for link, more := auditEvents+"?$select=ID", true; more; {
		page := get(t, client, link)
		events += len(page["value"].([]any))
		link, more = page["@odata.nextLink"].(string)
	}
	if events != 9001 {
		t.Errorf("%d events", events)
	}
}
