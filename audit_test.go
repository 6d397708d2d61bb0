package intune_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// auditTenant has events of three requests: two for the first device, one for the second, a minute apart.
func auditTenant(t *testing.T, options *intunetest.TenantOptions) (tenant *intunetest.Tenant, devices [2]intune.DeviceRef, ids []string) {
	t.Helper()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	options.Clock = func() time.Time { return at }
	tenant = intunetest.NewTenant(options)
	for i := range devices {
		devices[i] = tenant.AddDevice(intune.ManagedDevice{DeviceName: fmt.Sprint("PC-", i)})
	}
	client := tenant.Client()
	for _, device := range []intune.DeviceRef{devices[0], devices[1], devices[0]} {
		response, err := client.RequestRemoteAssistance(t.Context(), device, nil)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, response.ClientRequestID)
		tenant.Advance(time.Minute)
	}
	return tenant, devices, ids
}

func eventIDs(t *testing.T, client *intune.Client, options *intune.ListAuditEventsOptions) (correlations []string, err error) {
	t.Helper()
	for event, err := range client.AuditEvents(t.Context(), options) {
		if err != nil {
			return correlations, err
		}
		correlations = append(correlations, event.CorrelationID)
	}
	return correlations, nil
}

// TestAuditFilter_OnTheWire: only the comparisons of C§11 are sent, and every event is checked again.
func TestAuditFilter_OnTheWire(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const device, after = "resources%2Fany%28r%3A%20r%2FresourceId%20eq%20%27%d%27%29", "activityDateTime%20gt%202026-03-01T12%3A00%3A00Z"
	first := intune.Device("first")
	for name, c := range map[string]struct {
		filter intune.AuditFilter // of the tenant's first device and its second request, if of any
		query  string             // %d is the first device's id
		found  []int
	}{
		"none":   {intune.AuditFilter{}, "", []int{0, 1, 2}},
		"device": {intune.AuditFilter{Device: first}, "$filter=" + device, []int{0, 2}},
		"activity type": {
			intune.AuditFilter{ActivityType: intune.ActivityRequestRemoteAssistance},
			"$filter=activityType%20eq%20%27requestRemoteAssistance%20ManagedDevice%27",
			[]int{0, 1, 2},
		},
		"other type": {
			intune.AuditFilter{ActivityType: "rebootNow ManagedDevice"}, "$filter=activityType%20eq%20%27rebootNow%20ManagedDevice%27", nil,
		},
		"category": {intune.AuditFilter{Category: "Device"}, "$filter=category%20eq%20%27Device%27", []int{0, 1, 2}},
		"actor": {
			intune.AuditFilter{ActorUserPrincipalName: "o'neill@contoso.com"},
			"$filter=actor%2FuserPrincipalName%20eq%20%27o%27%27neill%40contoso.com%27", nil,
		},
		"request": {intune.AuditFilter{ClientRequestID: "second"}, "", []int{1}},
		"after":   {intune.AuditFilter{After: at}, "$filter=" + after, []int{1, 2}},
		"before": {
			intune.AuditFilter{Before: at.Add(2 * time.Minute)}, "$filter=activityDateTime%20le%202026-03-01T12%3A02%3A00Z", []int{0, 1},
		},
		"several": {
			intune.AuditFilter{Category: "device", Device: first, After: at},
			"$filter=category%20eq%20%27device%27%20and%20" + device + "%20and%20" + after,
			[]int{2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tenant, devices, ids := auditTenant(t, &intunetest.TenantOptions{})
			filter := c.filter
			if filter.Device == first {
				filter.Device = devices[0]
			}
			if filter.ClientRequestID != "" {
				filter.ClientRequestID = strings.ToUpper(ids[1])
			}
			got, err := eventIDs(t, tenant.Client(), &intune.ListAuditEventsOptions{Filter: filter})
			var want []string
			for _, i := range c.found {
				want = append(want, ids[i])
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("got %v, want %v, error %v", got, want, err)
			}
			requests := tenant.Requests()
			last := requests[len(requests)-1]
			query := strings.ReplaceAll(c.query, "%d", devices[0].DeviceID())
			sent := [...]string{last.Method, last.Path, last.RawQuery, string(last.Body)}
			if want := [...]string{http.MethodGet, "/v1.0/deviceManagement/auditEvents", query, ""}; sent != want {
				t.Errorf("sent %q, want %q", sent, want)
			}
		})
	}
}

// TestAuditEvents_CheckedAgain: a service that ignores the filter, as Intune does elsewhere (C§3.1), gives all events.
func TestAuditEvents_CheckedAgain(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	event := func(id, changes string) string {
		whole := map[string]string{
			"activityType": `"a"`, "category": `"Device"`, "actor": `{"userPrincipalName":"anna@contoso.com"}`, "correlationId": `"c"`,
			"resources": `[{"resourceId":"other"},{"resourceId":"1"}]`, "activityDateTime": `"2026-03-01T12:00:00Z"`,
		}
		if name, value, ok := strings.Cut(changes, "="); ok {
			whole[name] = value
		}
		members := []string{`"id":"` + id + `"`}
		for name, value := range whole {
			members = append(members, `"`+name+`":`+value)
		}
		return "{" + strings.Join(members, ",") + "}"
	}
	rows := []string{
		event("good", ""), event("type", `activityType="b"`), event("category", `category="App"`),
		event("actor", `actor={"userPrincipalName":"bob@contoso.com"}`), event("nobody", `actor=null`), event("correlation", `correlationId="d"`),
		event("resource", `resources=[{"resourceId":"2"}]`), event("nothing", `resources=null`),
		event("early", `activityDateTime="2026-03-01T11:00:00Z"`), event("late", `activityDateTime="2026-03-01T13:00:00Z"`),
		event("timeless", `activityDateTime=null`), event("good", ""),
	}
	client := newClient(t, always(http.StatusOK, `{"value":[`+strings.Join(rows, ",")+`]}`))
	var pages []intune.ListAuditEventsResponse
	options := &intune.ListAuditEventsOptions{
		Filter: intune.AuditFilter{
			Device: intune.UserDevice("anna", "1"), ActivityType: "A", Category: "device", ActorUserPrincipalName: "Anna@contoso.com",
			ClientRequestID: "C", After: at.Add(-time.Minute), Before: at.Add(time.Minute),
		},
		OnPage: func(page intune.ListAuditEventsResponse) { pages = append(pages, page) },
	}
	var got []string
	for event, err := range client.AuditEvents(t.Context(), options) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, event.ID)
	}
	if !slices.Equal(got, []string{"good"}) || len(pages) != 1 {
		t.Fatalf("got %v on %d pages", got, len(pages))
	}
	if page := pages[0]; page.Dropped != len(rows)-2 || page.Repeated != 1 {
		t.Errorf("%d dropped and %d repeated, want %d and 1", page.Dropped, page.Repeated, len(rows)-2)
	}
}

func TestAuditFilter_Refuses(t *testing.T) {
	t.Parallel()
	now := time.Now()
	client := newClient(t, transportFunc(func(*http.Request) (*http.Response, error) {
		t.Error("a request was sent")
		return nil, errors.New("no")
	}))
	for name, options := range map[string]intune.ListAuditEventsOptions{
		"filter.After":                  {Filter: intune.AuditFilter{After: now, Before: now}},
		"filter.Before":                 {Filter: intune.AuditFilter{Before: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}},
		"filter.ClientRequestID":        {Filter: intune.AuditFilter{ClientRequestID: " "}},
		"filter.ActivityType":           {Filter: intune.AuditFilter{ActivityType: " "}},
		"filter.Category":               {Filter: intune.AuditFilter{Category: "a\nb"}},
		"filter.ActorUserPrincipalName": {Filter: intune.AuditFilter{ActorUserPrincipalName: "\xff"}},
		"device id":                     {Filter: intune.AuditFilter{Device: intune.Device("a/b")}},
		"options.Top":                   {Top: -1},
		"options.ContinueFrom":          {ContinueFrom: "https://example.com/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := client.NewListAuditEventsPager(&options).NextPage(t.Context())
			if !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// What a DeviceFilter refuses finds no event either, also where the service is not asked to compare.
func TestAuditFilter_RefusesWhatNobodySees(t *testing.T) {
	t.Parallel()
	client := newClient(t, transportFunc(func(*http.Request) (*http.Response, error) {
		t.Error("a request was sent")
		return nil, errors.New("no")
	}))
	for says, filter := range map[string]intune.AuditFilter{
		`filter.ActivityType has white space around it: "a "`:                                     {ActivityType: "a "},
		`filter.Category holds an invisible character, such as a byte-order mark: "\ufeffDevice"`: {Category: "\ufeffDevice"},
		`filter.ActorUserPrincipalName has white space around it: "****\u00a0"`:                   {ActorUserPrincipalName: "anna\u00a0"},
		`filter.ActorUserPrincipalName holds an invisible character, such as a byte-order mark: "*\u200b***************"`: {
			ActorUserPrincipalName: "a\u200bnna@contoso.com",
		},
		`filter.ClientRequestID has white space around it: "` + lowerGUID + ` "`: {ClientRequestID: lowerGUID + " "},
		`filter.ClientRequestID holds a control character: "a\n"`:                {ClientRequestID: "a\n"},
		`device id has white space around it: "1 "`:                              {Device: intune.Device("1 ")},
	} {
		_, err := client.NewListAuditEventsPager(&intune.ListAuditEventsOptions{Filter: filter}).NextPage(t.Context())
		if !errors.Is(err, intune.ErrInvalidArgument) || err.Error() != "invalid argument: "+says {
			t.Errorf("got %v, want %s", err, says)
		}
	}
}

// The service may write the id of a device in either case, and so may the caller.
func TestAuditFilter_DeviceInUpperCase(t *testing.T) {
	t.Parallel()
	for _, id := range []string{lowerGUID, upperGUID} {
		service := inTurn(`{"value":[{"id":"1","resources":[{"resourceId":"` + id + `"}]},` +
			`{"id":"2","resources":[{"resourceId":"` + otherGUID + `"}]}]}`)
		page, err := newClient(t, service).NewListAuditEventsPager(&intune.ListAuditEventsOptions{
			Filter: intune.AuditFilter{Device: intune.Device(upperGUID)},
		}).NextPage(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		if len(page.Value) != 1 || page.Value[0].ID != "1" {
			t.Errorf("%s: got %v", id, page.Value)
		}
		if got, want := sentFilter(t, service.asked[0]), "resources/any(r: r/resourceId eq '"+lowerGUID+"')"; got != want {
			t.Errorf("sent %s, want %s", got, want)
		}
	}
}

// TestAuditEvents_NeedAnotherPermission (C§11): the caller of the action often lacks it.
func TestAuditEvents_NeedAnotherPermission(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	credential := tenant.CredentialWith(map[string]any{"roles": []string{"DeviceManagementManagedDevices.ReadWrite.All"}})
	client, err := intune.NewClient(credential, tenant.ClientOptions())
	if err != nil {
		t.Fatal(err)
	}
	opaque := newClient(t, always(http.StatusForbidden, `{"error":{"code":"Forbidden"}}`))
	for name, client := range map[string]*intune.Client{"token without it": client, "token that cannot be read": opaque} {
		_, err := eventIDs(t, client, nil)
		checkKinds(t, err, intune.ErrForbidden)
		if hint := asError(t, err).Hint; !strings.Contains(hint, "DeviceManagementApps.Read.All") {
			t.Errorf("%s: hint %q", name, hint)
		}
	}
}

func TestNewListAuditEventsPager_PageByPage(t *testing.T) {
	t.Parallel()
	tenant, _, ids := auditTenant(t, &intunetest.TenantOptions{ShortPages: true})
	got, err := eventIDs(t, tenant.Client(), &intune.ListAuditEventsOptions{Top: 2})
	if err != nil || !slices.Equal(got, ids) {
		t.Errorf("got %v, want %v, error %v", got, ids, err)
	}
	page, err := tenant.Client().NewListAuditEventsPager(&intune.ListAuditEventsOptions{Top: 2}).NextPage(t.Context())
	if err != nil || page.NextLink == "" {
		t.Fatalf("got %+v, %v", page, err)
	}
	if len(page.RequestID) != 36 || len(page.ClientRequestID) != 36 {
		t.Errorf("the ids are %q and %q", page.RequestID, page.ClientRequestID)
	}
	got, err = eventIDs(t, tenant.Client(), &intune.ListAuditEventsOptions{ContinueFrom: page.NextLink})
	if err != nil || !slices.Equal(got, ids) { // the first page was an empty one
		t.Errorf("got %v, want %v, error %v", got, ids, err)
	}
}

// TestAuditEvents_TenantWithoutThem: nobody has confirmed that the service writes them (C§11).
func TestAuditEvents_TenantWithoutThem(t *testing.T) {
	t.Parallel()
	tenant, devices, _ := auditTenant(t, &intunetest.TenantOptions{OmitAuditEvents: true})
	if got, err := eventIDs(t, tenant.Client(), nil); len(got) > 0 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	if n := tenant.Prompts(devices[0]); n != 2 {
		t.Errorf("%d prompts", n)
	}
}

// TestAuditEvent_ShowsNeitherPeopleNorAddresses in any form of text.
func TestAuditEvent_ShowsNeitherPeopleNorAddresses(t *testing.T) {
	t.Parallel()
	const secret = "anna"
	event := intune.AuditEvent{
		ID: "e1", DisplayName: secret, ActivityType: "type", ActivityResult: "Success", CorrelationID: "c1",
		Actor: intune.AuditActor{
			AuditActorType: "ItPro", UserPrincipalName: secret, UserID: secret, IPAddress: secret,
			ServicePrincipalName: secret, ApplicationDisplayName: secret, ApplicationID: "app1",
		},
		Resources: []intune.AuditResource{{
			DisplayName: secret, ResourceID: "r1",
			ModifiedProperties: []intune.AuditProperty{{DisplayName: "p1", OldValue: secret, NewValue: secret}},
		}},
	}
	resource, property := event.Resources[0], event.Resources[0].ModifiedProperties[0]
	filter := intune.AuditFilter{ActorUserPrincipalName: secret, Device: intune.UserDevice(secret, "1"), After: time.Now()}
	for name, value := range map[string]any{
		"event": event, "pointer": &event, "actor": event.Actor, "resource": resource, "property": property,
		"filter": filter, "options": intune.ListAuditEventsOptions{Filter: filter},
		"page": intune.ListAuditEventsResponse{Value: []intune.AuditEvent{event}},
	} {
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&log, verb, value)
		}
		if text := log.String(); strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
			t.Errorf("%s: %s", name, text)
		}
	}
	if text := event.String(); text != `audit event id="e1" activity_type="type" activity_result="Success" correlation_id="c1"` {
		t.Error(text)
	}
	for want, filter := range map[string]intune.AuditFilter{
		"{}":                                    {},
		"{Device ActorUserPrincipalName After}": filter,
		"{ActivityType Category ClientRequestID Before}": {
			ActivityType: "a", Category: "b", ClientRequestID: "c", Before: time.Now(),
		},
	} {
		if got := fmt.Sprint(filter); got != want || filter.String() != want {
			t.Errorf("got %s and %s, want %s", got, filter, want)
		}
	}
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("x", "event", event, "actor", event.Actor, "resource", resource, "property", property, "filter", filter)
	const logged = `"event":{"id":"e1","activity_type":"type","activity_result":"Success","correlation_id":"c1"}`
	if strings.Contains(log.String(), secret) || !strings.Contains(log.String(), logged) {
		t.Error(log.String())
	}
}

// An event without a time is neither after nor before a time, and is no obstacle where none is given.
func TestAuditEvents_EventWithoutATime(t *testing.T) {
	t.Parallel()
	client := newClient(t, always(http.StatusOK, `{"value":[{"id":"e1","correlationId":"c1"}]}`))
	for name, filter := range map[string]intune.AuditFilter{
		"":       {ClientRequestID: "c1"},
		"after":  {After: time.Unix(0, 0)},
		"before": {Before: time.Now()},
	} {
		got, err := eventIDs(t, client, &intune.ListAuditEventsOptions{Filter: filter})
		if err != nil || (len(got) == 1) != (name == "") {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	event := intune.AuditEvent{ID: "kept"}
	if err := json.Unmarshal([]byte(`{"id":["secret"]}`), &event); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	if event.ID != "kept" {
		t.Errorf("the event became %v", event)
	}
}

// TestAuditFilter_StaysOutOfErrors: the operand is a name of a person.
func TestAuditFilter_StaysOutOfErrors(t *testing.T) {
	t.Parallel()
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		return nil, errors.New("dial " + req.URL.String())
	}), func(o *intune.ClientOptions) { o.Retry = policy.RetryOptions{MaxRetries: -1} })
	_, err := eventIDs(t, client, &intune.ListAuditEventsOptions{Filter: intune.AuditFilter{ActorUserPrincipalName: "anna@contoso.com"}})
	if err == nil || strings.Contains(err.Error(), "anna") {
		t.Errorf("got %v", err)
	}
}

// The words of a filter are words of an error's text too, which stay whole there.
func TestAuditFilter_KeepsOtherWordsOfAnErrorWhole(t *testing.T) {
	t.Parallel()
	const page = "https://learn.microsoft.com/windows"
	const permission = "DeviceManagementApps.Read.All"
	said := `{"error":{"code":"Forbidden","message":"the app needs ` + permission + `, see ` + page + `; nothing for Device"}}`
	client := newClient(t, transportFunc(says(http.StatusForbidden, said)))
	pager := client.NewListAuditEventsPager(&intune.ListAuditEventsOptions{Filter: intune.AuditFilter{Category: "Device"}})
	_, err := pager.NextPage(t.Context())
	failed, ok := errors.AsType[*intune.Error](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	if want := "the app needs " + permission + ", see " + page + "; nothing for REDACTED"; failed.Message != want {
		t.Errorf("the message is %q, want %q", failed.Message, want)
	}
	if strings.Contains(failed.Hint, "REDACTED") || !strings.Contains(failed.Hint, "DeviceManagementApps.Read.All") {
		t.Errorf("the hint is %q", failed.Hint)
	}
	for _, filter := range []intune.DeviceFilter{{OperatingSystem: "Windows"}, {Manufacturer: "Microsoft"}} {
		_, err := client.NewListDevicesPager(intune.AllDevices(), &intune.ListDevicesOptions{Filter: filter}).NextPage(t.Context())
		if failed, ok := errors.AsType[*intune.Error](err); !ok || !strings.Contains(failed.Message, page+";") {
			t.Errorf("%+v: got %v", filter, err)
		}
	}
}
