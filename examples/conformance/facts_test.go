package main

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune/intunetest"
)

// allFlags allow everything.
var allFlags = []string{"-demo", "-i-own-this-device", "-prompt-again", "user,app,batch"}

// conformance runs the command and gives what it left.
func conformance(t *testing.T, d demo, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	code = run(t.Context(), args, &out, &errs, d)
	return code, out.String(), errs.String()
}

// verdicts reads them from a report.
func verdicts(t *testing.T, report string) map[string]verdict {
	t.Helper()
	found := map[string]verdict{}
	for line := range strings.Lines(report) {
		for _, v := range []verdict{confirmed, contradicted, notTried} {
			if id, ok := strings.CutPrefix(line, strings.ToUpper(string(v))+" "); ok {
				found[strings.TrimSpace(id)] = v
			}
		}
	}
	return found
}

func TestEveryFactHoldsOnTheTenant(t *testing.T) {
	t.Parallel()
	code, out, errs := conformance(t, demo{}, allFlags...)
	if code != exitOK || errs != "" {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	found := verdicts(t, out)
	if len(found) != len(allFacts()) {
		t.Errorf("%d verdicts for %d facts", len(found), len(allFacts()))
	}
	for id, v := range found {
		if v != confirmed {
			t.Errorf("%s: %s", id, v)
		}
	}
}

func TestReadingOnly(t *testing.T) {
	t.Parallel()
	var writes atomic.Int32
	count := demo{change: func(tenant policy.Transporter) policy.Transporter {
		return transport(func(req *http.Request) (*http.Response, error) {
			if req.Method != http.MethodGet {
				writes.Add(1)
			}
			return tenant.Do(req)
		})
	}}
	code, out, errs := conformance(t, count, "-demo")
	if code != exitOK || errs != "" {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	if writes.Load() != 0 {
		t.Errorf("%d requests were no GET", writes.Load())
	}
	found := verdicts(t, out)
	for _, f := range allFacts() {
		want := confirmed
		if f.need != needNothing {
			want = notTried
		}
		if got := found[string(f.id)]; got != want {
			t.Errorf("%s: %s, want %s", f.id, got, want)
		}
	}
}

// TestPrompts counts how often the user is asked: as often as the flags say.
func TestPrompts(t *testing.T) {
	t.Parallel()
	for flags, want := range map[string]int32{
		"-demo -i-own-this-device":                               1,
		"-demo -i-own-this-device -prompt-again user":            2,
		"-demo -i-own-this-device -prompt-again batch,app":       3,
		"-demo -i-own-this-device -prompt-again user,batch,app":  4,
		"-demo -i-own-this-device -timeout 1s -audit-wait 1s":    1,
		"-demo -prompt-again user":                               0,
		"-demo -i-own-this-device -prompt-again user,user":       0,
		"-demo -i-own-this-device -prompt-again everybody":       0,
		"-demo -device 705c034c-034c-705c-4c03-5c704c035c70":     0,
		"-demo -i-own-this-device -prompt-again user -cloud dod": 0,
	} {
		t.Run(flags, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			conformance(t, demo{change: func(tenant policy.Transporter) policy.Transporter {
				return transport(func(req *http.Request) (*http.Response, error) {
					if req.Method == http.MethodPost {
						asked.Add(1)
					}
					return tenant.Do(req)
				})
			}}, strings.Fields(flags)...)
			if asked.Load() != want {
				t.Errorf("%d requests, want %d", asked.Load(), want)
			}
		})
	}
}

// TestOneFactChanged changes one fact at a time: it must be contradicted, and no other.
func TestOneFactChanged(t *testing.T) {
	t.Parallel()
	cases := changes()
	for i, f := range allFacts() {
		d, ok := cases[string(f.id)]
		if !ok {
			t.Errorf("no tenant contradicts %s", f.id)
			continue
		}
		delete(cases, string(f.id))
		if i%smaller != 0 {
			continue
		}
		t.Run(string(f.id), func(t *testing.T) {
			t.Parallel()
			if d.devices = 8; strings.HasPrefix(string(f.id), "page-") {
				d.devices = 0 // more than a page
			}
			code, out, errs := conformance(t, d, allFlags...)
			if code != exitContradicted || errs != "" {
				t.Errorf("exit code %d: %s", code, errs)
			}
			leaks(t, out)
			found := verdicts(t, out)
			if found[string(f.id)] != contradicted {
				t.Errorf("not contradicted:\n%s", section(out, string(f.id)))
			}
			for id, v := range found {
				if v == contradicted && id != string(f.id) {
					t.Errorf("contradicted too:\n%s", section(out, id))
				}
			}
		})
	}
	if len(cases) > 0 {
		t.Errorf("changes of no fact: %v", slices.Collect(maps.Keys(cases)))
	}
}

// section is the part of a report about a fact.
func section(report, id string) string {
	for part := range strings.SplitSeq(report, "\n\n") {
		if line, _, _ := strings.Cut(part, "\n"); strings.HasSuffix(line, " "+id) {
			return part
		}
	}
	return ""
}

const (
	plainDevice = devicesPath + "/" + demoDevice
	firstRow    = "$select=id&$top=1"
	demoUser    = "/users/50000000-0000-4000-8000-000000000001"
)

// changes are tenants in which one fact does not hold, by its id.
func changes() map[string]demo {
	list := map[string]change{}
	for _, part := range []map[string]change{
		deviceChanges(), filterChanges(), pagingChanges(), errorChanges(), addressChanges(), sessionChanges(),
	} {
		maps.Copy(list, part)
	}
	all := map[string]demo{
		"session-not-yet":    {sessions: []intunetest.SessionScript{{AfterReads: 1}}},
		"session-link":       {sessions: []intunetest.SessionScript{{Never: true}}},
		"session-link-https": {sessions: []intunetest.SessionScript{{URL: "http://get.teamviewer.com/s1"}, {}}},
		"again-replaces":     {sessions: []intunetest.SessionScript{{}, {KeepOld: true}}},
		"audit-event":        {options: intunetest.TenantOptions{OmitAuditEvents: true}},
		"again-app":          {options: intunetest.TenantOptions{RefuseDetectedAppAction: true}},
	}
	for id, c := range list {
		all[id] = demo{change: c}
	}
	return all
}

func deviceChanges() map[string]change {
	whole := is(plainDevice, "")
	return map[string]change{
		"list-devices": answers(is(devicesPath, sampleQuery), func(r *reply) {
			rows := r.rows()
			delete(rows[len(rows)-1], "id")
		}),
		"get-bare":           answers(whole, func(r *reply) { r.body = record{"value": map[string]any(r.body)} }),
		"properties":         answers(whole, set("ownerType", "company")),
		"unset-dates":        answers(whole, set("exchangeLastSuccessfulSyncDateTime", nil)),
		"wire-types":         answers(whole, set("totalStorageSpaceInBytes", "1024")),
		"select-list":        answers(is(devicesPath, "$select=id,deviceName&$top=3"), inRows("serialNumber", "5CD1")),
		"select-unknown":     answers(has(devicesPath, "noSuchProperty"), status(http.StatusOK)),
		"select-by-id":       answers(whole, set("notes", "on loan")),
		"select-not-in-list": answers(has(devicesPath, lateSelect+"&"), inRows("notes", "on loan")),
		"select-session":     answers(is(plainDevice, sessionQuery[1:]), func(r *reply) { delete(r.body, propertyDetails) }),
	}
}

func filterChanges() map[string]change {
	list := map[string]change{}
	for _, name := range []string{
		"deviceName", "serialNumber", "userPrincipalName", "azureADDeviceId", "imei", "manufacturer", "model", "operatingSystem",
		"complianceState", "managementAgent",
	} {
		list["filter-"+name] = without("$filter", func(a asked) bool {
			return strings.Contains(a.query, "$filter="+name+" eq ") && !strings.Contains(a.query, " and ") && !strings.Contains(a.query, " or ") &&
				!strings.Contains(a.query, "'open")
		})
	}
	for _, name := range []string{"lastSyncDateTime", "enrolledDateTime"} {
		list["filter-"+name] = without("$filter", has(devicesPath, "$filter="+name))
	}
	list["filter-and"] = without("$filter", has(devicesPath, " and "))
	list["filter-ignored-id"] = answers(has(devicesPath, "$filter=id eq"), noRows)
	list["filter-ignored-userId"] = answers(has(devicesPath, "$filter=userId eq"), noRows)
	list["filter-ignored-blank"] = answers(has(devicesPath, "userPrincipalName eq ''"), noRows)
	list["filter-ne-is-eq"] = answers(has(devicesPath, "operatingSystem ne"), inRows("operatingSystem", "other"))
	list["filter-contains"] = without("$filter", has(devicesPath, "contains("))
	list["filter-startswith"] = answers(has(devicesPath, "startswith("), noRows)
	list["filter-or"] = without("$filter", has(devicesPath, " or "))
	list["apps-filter"] = without("$filter", has(appsPath, "contains("))
	list["filter-malformed"] = answers(has(devicesPath, "eq 'open"), status(http.StatusOK))
	for name, filter := range map[string]string{
		"activityType": "activityType eq", "category": "category eq", "actor": "actor/", "resource": "resources/any",
		"after": "gt 9999", "before": "le 1999",
	} {
		list["audit-filter-"+name] = without("$filter", has(auditPath, filter))
	}
	list["audit-filter-ignored"] = answers(has(auditPath, "correlationId eq"), noRows)
	return list
}

func pagingChanges() map[string]change {
	first := is(devicesPath, firstRow)
	signedIn := func(a asked) bool { return first(a) && !a.anonymous }
	return map[string]change{
		"page-size":  answers(is(devicesPath, "$select=id"), func(r *reply) { r.setRows(r.rows()[1:]...) }),
		"page-top":   answers(signedIn, func(r *reply) { r.setRows(append(r.rows(), record{"id": nobody})...) }),
		"page-count": answers(signedIn, set("@odata.count", 1002)),
		"page-top-limit": answers(has(devicesPath, "$top=1001"), func(r *reply) {
			r.status = http.StatusOK
			rows := make([]record, 1001)
			for i := range rows {
				rows[i] = record{"id": nobody}
			}
			r.setRows(rows...)
		}),
		"page-link": answers(signedIn, func(r *reply) {
			r.body["@odata.nextLink"] = strings.Replace(r.body.next(), "graph.microsoft.com", "graph.example.com", 1)
		}),
		"page-follow":    without("$skiptoken", has(devicesPath, "$skiptoken")),
		"page-skip":      answers(has(devicesPath, "$skip=1"), inRows("id", nobody)),
		"page-orderby":   answers(has(devicesPath, "deviceName desc"), inRows("id", nobody)),
		"option-encoded": without("%24", func(a asked) bool { return strings.Contains(a.raw, "%24top") }),
		"count-segment":  answers(has(devicesPath+"/$count", ""), status(http.StatusOK)),

		"header-request-id":        answers(signedIn, header("request-id", "1")),
		"header-client-request-id": answers(signedIn, header("client-request-id", nobody)),
		"header-diagnostic":        answers(signedIn, header("x-ms-ags-diagnostic", "none")),
		"header-date":              answers(signedIn, header("Date", "today")),
		"header-json":              answers(signedIn, header("Content-Type", "text/html")),
	}
}

func errorChanges() map[string]change {
	missing := has(devicesPath+"/"+nobody, "")
	inError := func(edit func(e record)) func(*reply) {
		return func(r *reply) { edit(r.body["error"].(map[string]any)) }
	}
	return map[string]change{
		"error-not-found": answers(missing, status(http.StatusBadRequest)),
		"error-nested":    answers(missing, inError(func(e record) { e["message"] = "An error has occurred" })),
		"error-activity": answers(missing, inError(func(e record) {
			e["message"] = strings.ReplaceAll(e.text("message"), "Activity ID", "Activity")
		})),
		"error-ids":      answers(missing, inError(func(e record) { delete(e, "innerError") })),
		"error-segment":  answers(has(plainDevice+"/detectedApps", ""), status(http.StatusNotFound)),
		"error-no-token": answers(func(a asked) bool { return a.anonymous }, header("WWW-Authenticate", "NTLM")),
	}
}

func addressChanges() map[string]change {
	app := appsPath + "/" + demoApp
	return map[string]change{
		"address-parentheses":  answers(has(devicesPath+"('", ""), status(http.StatusBadRequest)),
		"address-case":         answers(has("/devicemanagement/", ""), status(http.StatusNotFound)),
		"user-object-id":       answers(has(demoUser+"/managedDevices/", ""), status(http.StatusForbidden)),
		"user-principal-name":  answers(has("/users/user0@contoso.com/", ""), status(http.StatusBadRequest)),
		"user-list":            answers(is(demoUser+"/managedDevices", "$select=id"), noRows),
		"user-not-found":       answers(has("/users/"+nobody, ""), status(http.StatusBadRequest)),
		"user-me":              answers(has("/me/", ""), status(http.StatusNotFound)),
		"apps-count":           answers(is(appsPath, "$top=1"), set("@odata.count", 1)),
		"app-hollow":           answers(is(app, ""), set("displayName", "Contoso VPN")),
		"app-expand":           answers(is(app, "$expand=managedDevices"), set("managedDevices", []any{})),
		"app-devices":          answers(is(app+"/managedDevices", ""), status(http.StatusBadRequest)),
		"app-device-refused":   answers(has(app+"/managedDevices/", ""), status(http.StatusOK)),
		"connector-permission": answers(has(partnersPath, ""), status(http.StatusForbidden)),
		"connector-states":     answers(has(partnersPath, ""), inRows("onboardingStatus", "paused")),
		"connector-teamviewer": answers(has(partnersPath, ""), inRows("displayName", "Contoso Remote")),
		"audit-permission":     answers(has(auditPath, ""), status(http.StatusForbidden)),
		"audit-shape":          answers(is(auditPath, "$top=1"), inRows("correlationId", "1")),
		"apps-skip": answers(is(appsPath, "$top=1"), func(r *reply) {
			r.body["@odata.nextLink"] = strings.Replace(r.body.next(), "$skip=", "$skiptoken=", 1)
		}),
		"app-devices-thin": answers(is(app+"/managedDevices", ""), func(r *reply) {
			for _, name := range []string{"serialNumber", "userPrincipalName", "manufacturer", "model"} {
				inRows(name, "known")(r)
			}
		}),
	}
}

func sessionChanges() map[string]change {
	action := posts(devicesPath + "/" + demoDevice + "/requestRemoteAssistance")
	own := func(a asked) bool { return has(auditPath, "activityDateTime gt 2")(a) }
	return map[string]change{
		"action-accepted":    answers(action, status(http.StatusOK)),
		"action-no-sunset":   answers(action, header("Sunset", "Wed, 01 Apr 2027 00:00:00 GMT")),
		"session-hidden-get": answers(is(plainDevice, ""), set(propertyLink, "https://get.teamviewer.com/s1")),
		"session-hidden-list": answers(has(devicesPath, "$select=id,"+propertyLink), func(r *reply) {
			if _, list := r.body["value"]; list {
				inRows(propertyLink, "https://get.teamviewer.com/s1")(r)
			}
		}),
		"session-no-action-result": addActionResult,
		"audit-event-type":         answers(own, inRows("activityType", "rebootNow ManagedDevice")),
		"audit-event-correlation":  answers(own, inRows("correlationId", nobody)),
		"audit-event-device":       answers(own, inRows("resources", []any{})),
		"again-user":               answers(posts("/users/"), status(http.StatusForbidden)),
		"again-batch":              answers(posts("/$batch"), status(http.StatusBadRequest)),
	}
}

// addActionResult adds an entry once the user was asked.
func addActionResult(tenant policy.Transporter) policy.Transporter {
	var asked atomic.Bool
	added := answers(is(plainDevice, ""), set("deviceActionResults", []any{map[string]any{"actionName": "remoteAssistance"}}))(tenant)
	return transport(func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodPost {
			asked.Store(true)
		}
		if asked.Load() {
			return added.Do(req)
		}
		return tenant.Do(req)
	})
}
