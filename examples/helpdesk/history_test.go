package main

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// past has a request that got its link, one that was refused, one that waits, and one that a colleague made elsewhere.
func past(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t, office(intunetest.SessionScript{URL: link}, never))
	d.run("connect", "S-NEW", "-yes").wants(t, exitDone, []string{link}, nil)
	d.tenant.Inject(intunetest.Fault{PathSuffix: "/requestRemoteAssistance", Status: http.StatusForbidden, Code: "Forbidden", Message: "no"})
	d.run("connect", "S-PHONE", "-yes").wants(t, exitRefused, nil, nil)
	d.run("connect", "S-NEW", "-yes", "-wait", "200ms").wants(t, exitPending, nil, nil)
	colleague, err := intune.NewClient(d.tenant.CredentialWith(map[string]any{
		"scp": "DeviceManagementManagedDevices.ReadWrite.All", "upn": "dana@contoso.com",
	}), d.tenant.ClientOptions())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := colleague.RequestRemoteAssistance(t.Context(), intune.Device(annasOld), nil); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestHistory(t *testing.T) {
	t.Parallel()
	d := past(t)
	got := d.run("history")
	got.wants(t, exitDone, []string{"WHEN (UTC)", "LT-1", "PHONE-9", "  link  ", "no link", "rejected", "elsewhere", "dana@contoso.…"}, nil)
	if n := strings.Count(got.stdout, "\n"); n != 5 {
		t.Errorf("want a header and four rows:\n%s", got.stdout)
	}
	asJSON := d.run("history", "-json")
	var rows []asking
	if err := json.Unmarshal([]byte(asJSON.stdout), &rows); err != nil || len(rows) != 4 {
		t.Fatalf("%v\n%s", err, asJSON.stdout)
	}
	for _, r := range rows {
		if want := r.Result != "rejected"; r.InIntune == nil || *r.InIntune != want || r.InJournal == (r.Result == "elsewhere") {
			t.Errorf("got %+v", r)
		}
		if r.Result == "rejected" && (r.Error == "" || r.RequestID == "") {
			t.Errorf("got %+v", r)
		}
	}
	table, err := csv.NewReader(strings.NewReader(d.run("history", "-csv").stdout)).ReadAll()
	if err != nil || len(table) != 5 || len(table[0]) != len(table[1]) {
		t.Errorf("%v %v", err, table)
	}
}

func TestHistoryOfADevice(t *testing.T) {
	t.Parallel()
	d := past(t)
	for args, rows := range map[string]int{
		"S-NEW": 2, "PHONE-9": 1, annasOld: 1, "-serial S-OLD": 1, "LT-1": 3, "anna@contoso.com": 4,
		"S-NEW -local": 2, "lt-1 -local": 2, "-name S-NEW -local": 0, "S-NEW -os iOS": 0, "nobody": 0,
	} {
		code := exitDone
		if rows == 0 {
			code = exitNothing
		}
		got := d.run(append([]string{"history", "-csv"}, strings.Fields(args)...)...)
		got.wants(t, code, []string{"clientRequestId"}, nil)
		if n := strings.Count(got.stdout, "\n") - 1; n != rows {
			t.Errorf("%s: %d rows, want %d:\n%s", args, n, rows, got.stdout)
		}
	}
	// A device that has left Intune still has its history here.
	d.tenant.RemoveDevice(intune.Device(annasNew))
	d.run("history", "S-NEW").wants(t, exitDone, []string{"LT-1", "  link  "}, nil)
}

func TestHistoryWithoutThePermission(t *testing.T) {
	t.Parallel()
	d := past(t)
	d.as(d.tenant.CredentialWith(map[string]any{"roles": []string{"DeviceManagementManagedDevices.ReadWrite.All"}}))
	got := d.run("history")
	got.wants(t, exitDone, []string{"  link  ", "  ?  "}, []string{"DeviceManagementApps.Read.All"})
	if strings.Contains(got.stdout, "elsewhere") {
		t.Errorf("got:\n%s", got.stdout)
	}
}

func TestHistoryIsLocal(t *testing.T) {
	t.Parallel()
	d := past(t)
	before := d.tenant.RequestCount()
	d.run("history", "-local").wants(t, exitDone, []string{"  ?  "}, nil)
	if n := d.tenant.RequestCount() - before; n > 0 {
		t.Errorf("%d requests were sent", n)
	}
	newDesk(t, office()).run("history", "-local").wants(t, exitNothing, nil, []string{"nobody was asked in the last 30 days"})
}

func TestHistoryServiceDown(t *testing.T) {
	t.Parallel()
	d := past(t)
	d.tenant.Inject(intunetest.Fault{Status: http.StatusServiceUnavailable, Times: -1, Header: http.Header{"Retry-After-Ms": {"1"}}})
	d.run("history").wants(t, exitFailure, nil, []string{"503"})
}
