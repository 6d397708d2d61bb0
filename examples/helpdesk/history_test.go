package main

import (
	"encoding/csv"
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
	d.run("connect", "S-NEW", "-yes", "-ask-again", "-wait", "200ms").wants(t, exitPending, nil, nil)
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
	got.wants(t, exitDone, []string{
		"WHEN (UTC)", "LT-1", "PHONE-9", "the link after 0", "still open", "refused: 403 Forbidden", "by dana@contoso.com",
	}, nil)
	if n := strings.Count(got.stdout, "\n"); n != 5 {
		t.Errorf("want a header and four rows:\n%s", got.stdout)
	}
	var rows []asking
	d.run("history", "-json").decode(t, exitDone, &rows)
	if len(rows) != 4 {
		t.Fatalf("%d rows, want 4: %+v", len(rows), rows)
	}
	for _, r := range rows {
		rejected := r.Result == "rejected"
		if r.InIntune == nil || *r.InIntune == rejected {
			t.Errorf("in Intune: %s, in %+v", yesNo(r.InIntune, "?"), r)
		}
		if r.InJournal == (r.Result == "elsewhere") {
			t.Errorf("in the journal: %t, in %+v", r.InJournal, r)
		}
		if rejected && r.Error == "" {
			t.Errorf("no error in %+v", r)
		}
		if rejected && r.RequestID == "" {
			t.Errorf("no request id in %+v", r)
		}
	}
	table, err := csv.NewReader(strings.NewReader(d.run("history", "-csv").stdout)).ReadAll() // which sees that all rows have the same length
	if err != nil || len(table) != 5 {
		t.Errorf("want a head and four rows: %v %v", err, table)
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
	d.run("history", "S-NEW").wants(t, exitDone, []string{"LT-1", "the link after 0"}, nil)
}

func TestHistoryWithoutThePermission(t *testing.T) {
	t.Parallel()
	d := past(t)
	d.as(d.tenant.CredentialWith(map[string]any{"roles": []string{"DeviceManagementManagedDevices.ReadWrite.All"}}))
	got := d.run("history")
	got.wants(t, exitDone, []string{"the link after 0"}, []string{"DeviceManagementApps.Read.All"})
	if strings.Contains(got.stdout, "dana@") {
		t.Errorf("got:\n%s", got.stdout)
	}
}

func TestHistoryIsLocal(t *testing.T) {
	t.Parallel()
	d := past(t)
	before := d.tenant.RequestCount()
	d.run("history", "-local").wants(t, exitDone, []string{"still open"}, nil)
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

// TestHistoryOfATeam has a record that several people write.
func TestHistoryOfATeam(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office(never))
	for _, args := range []string{"S-OLD -reference INC-1", "S-NEW"} {
		d.run(append([]string{"connect", "-yes", "-wait", "200ms"}, strings.Fields(args)...)...).wants(t, exitPending, nil, nil)
	}
	var shared strings.Builder
	for line := range strings.Lines(d.read("journal.jsonl")) {
		if strings.Contains(line, "INC-1") {
			line = strings.Replace(line, `"actor":"`, `"actor":"dana of `, 1)
		}
		shared.WriteString(line)
	}
	d.write("journal.jsonl", shared.String())
	// Who asks now is told who asked then, and does not go on with a wait that is not theirs.
	d.run("connect", "S-OLD", "-yes").wants(t, exitRefused, nil, []string{
		"dana of ", "asked this user just now for INC-1 (still open)", "--ask-again",
	})
	d.prompts(annasOld, 1)
	mine, all := d.run("history", "-local"), d.run("history", "-local", "-all")
	if strings.Count(mine.stdout, "\n") != 2 {
		t.Errorf("without --all, want a header and one row:\n%s", mine.stdout)
	}
	all.wants(t, exitDone, []string{"BY", "dana of "}, nil)
}
