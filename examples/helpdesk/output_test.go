package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// TestHostileNames has a device whose user chose its name to fool the technician's terminal.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	const hostile = "PC\x1b[2J\x1b]0;owned\a\r\nKIOSK\t\u202e321\u009b31m\U000e0041      5CG0001      compliant\x7f\v\f"
	tenant := intunetest.NewTenant(nil)
	tenant.AddDevice(intune.ManagedDevice{
		DeviceName: hostile, SerialNumber: "S-1", UserPrincipalName: "eve\x1b[31m@contoso.com", OSVersion: strings.Repeat("9", 500),
		Model: hostile,
	})
	app := intune.DetectedApp{DisplayName: "x", Version: hostile, Publisher: hostile}
	tenant.AddDetectedApp(app)
	tenant.AddDetectedApp(app)
	find := on(tenant)

	table := find(t, "find", "-serial", "S-1")
	table.wants(t, exitFound, []string{"PC\ufffd[2J", "\ufffd321", " 5CG0001 compliant", "eve\ufffd[31m@contoso.com", "999…"}, nil)
	if strings.Count(table.stdout, "\n") != 2 {
		t.Errorf("the name broke the table:\n%q", table.stdout)
	}
	asJSON := find(t, "find", "-serial", "S-1", "-json")
	var list []deviceJSON
	if err := json.Unmarshal([]byte(asJSON.stdout), &list); err != nil || len(list) != 1 || list[0].DeviceName != hostile {
		t.Errorf("the name did not survive: %v\n%s", err, asJSON.stdout)
	}
	for _, text := range []string{table.stdout, asJSON.stdout, find(t, "find", "-app", "x").stderr} {
		for _, r := range strings.ReplaceAll(text, "\n", "") {
			if !unicode.IsPrint(r) {
				t.Errorf("%U reached the terminal:\n%q", r, text)
			}
		}
	}
}

func TestCell(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                      "-",
		" \u00a0 ":              "-",
		"Anna's  \u3000iPhone ": "Anna's iPhone",
		"Zoë 日本":                "Zoë 日本",
		"a\xffb":                "a\ufffdb",
		"a\u200bb":              "a\ufffdb",
		strings.Repeat("é", 64): strings.Repeat("é", 64),
		strings.Repeat("é", 65): strings.Repeat("é", 63) + "…",
	} {
		if got := cell(text); got != want {
			t.Errorf("cell(%q) is %q, want %q", text, got, want)
		}
	}
}

func TestLastSync(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for ago, want := range map[time.Duration]string{
		-time.Hour:       "in the future",
		-time.Minute:     "just now",
		59 * time.Second: "just now",
		time.Minute:      "1 minute ago",
		59 * time.Minute: "59 minutes ago",
		time.Hour:        "1 hour ago",
		25 * time.Hour:   "1 day ago",
		59 * day:         "59 days ago",
		60 * day:         "2 months ago",
		729 * day:        "24 months ago",
		800 * day:        "2 years ago",
	} {
		at := today().Add(-ago)
		if got := lastSync(at.In(time.FixedZone("", 3600)), today()); got != at.Format("2006-01-02 15:04")+" UTC, "+want {
			t.Errorf("%v ago is %q, want %q", ago, got, want)
		}
	}
	for _, never := range []time.Time{{}, time.Date(9999, 12, 31, 23, 59, 59, 999999900, time.UTC)} {
		if got := lastSync(never, today()); got != "never" {
			t.Errorf("%v is %q", never, got)
		}
	}
}
