package main

import (
	"strings"
	"testing"

	"github.com/go-intune/intune"
)

func deviceOf(i int) intune.DeviceRef { return intune.Device(idOf(i)) }

// bareBulk is a place without a stand-in for Graph: as it is for users.
func bareBulk(t *testing.T) *place {
	t.Helper()
	return &place{bare(t)}
}

func TestBulkUsage(t *testing.T) {
	t.Parallel()
	for args, stderr := range map[string]string{
		"":                             "say which devices",
		"-bogus":                       "see: helpdesk bulk -h",
		"in.csv more.csv":              `too many arguments: "more.csv"`,
		"in.csv -app x":                "FILE or --app",
		"-app=":                        "say which devices",
		"-app=_ -round j":              "--app is blank",
		"-app x":                       "name the --round",
		"-":                            "name the --round",
		"-app x -round j -column 2":    "--column is about a file",
		"in.csv -by color":             `unknown --by "color"`,
		"in.csv -column=":              "--column is blank",
		"in.csv -column 5":             "--column 5 is not there: the first line has 2 columns",
		"in.csv -column Serial":        `no column has the heading "Serial"; the first line has "Device name", "x"`,
		"in.csv -delimiter ab":         "--delimiter must be one character",
		"in.csv -per-second 0":         "--per-second must be above zero",
		"in.csv -per-second NaN":       "--per-second must be above zero",
		"in.csv -give-up -1":           "--give-up must not be negative",
		"in.csv -write-links":          "--write-links needs --wait",
		"in.csv -max-wait 5m":          "--max-wait needs --wait",
		"in.csv -wait -max-wait 0s":    "--max-wait must be above zero",
		"in.csv -journal j -o j":       "--output is the same file as the journal",
		"in.csv -journal j -o j.notes": "--output is the same file as the notes of the journal",
		"in.csv -journal in.csv.round": "--round is the same file as the journal",
		"in.csv -wait -max-wait soon":  `--max-wait is a time with its unit, such as 90s or 10m, not "soon"`,
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			p := bareBulk(t)
			p.write("in.csv", "Device name,x\nPC-001,1\n")
			fields := strings.Fields(args)
			for i := range fields {
				fields[i] = strings.ReplaceAll(fields[i], "_", " ")
			}
			if got := p.run(fields...).wants(exitUsage, "helpdesk: ", stderr); got.stdout != "" {
				t.Errorf("stdout: %s", got.stdout)
			}
		})
	}
}

func TestBulkInputErrors(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(1, nil))
	for content, stderr := range map[string]string{
		"":                      "in.csv holds no line",
		"name\n":                "holds a heading and no device",
		"name\n\"PC\n":          "in.csv, line 2: a text begins with a quote",
		"name,name\nPC-001,1\n": "two columns have the heading",
	} {
		p.write("in.csv", content)
		code := exitFailure
		args := []string{"-yes", "in.csv"}
		if strings.Contains(stderr, "two columns") {
			code, args = exitUsage, append(args, "-column", "name")
		}
		p.run(args...).wants(code, stderr)
	}
	p.run("-yes", "none.csv").wants(exitFailure, "none.csv")
	p.run("-yes", ".").wants(exitFailure, ".")
	p.write("in.csv", "name\nM\xfcller\n")
	p.run("-yes", "in.csv").wants(exitNothing, "not UTF-8")
	p.prompts(0)
}

// TestBulkDemo needs no account, and its journal can be continued.
func TestBulkDemo(t *testing.T) {
	t.Parallel()
	p := bareBulk(t)
	got := p.run("-demo", "-yes", "-per-second", "200").wants(exitUnknown,
		"made-up tenant", "nobody is really asked", "36 accepted, 1 refused, 1 unknown", "PC-O40")
	all := results(t, got.stdout)
	if len(all) != demoDevices {
		t.Fatalf("%d results, want %d:\n%s", len(all), demoDevices, got.stdout)
	}
	for i, want := range map[int]string{0: "ambiguous", 8: "rejected", 39: "notFound"} {
		if outcome := all[i]["outcome"]; outcome != want {
			t.Errorf("result %d is %s, want %s", i, outcome, want)
		}
	}
	// The same command goes on, as it says, and its round is apart from others.
	p.run("-demo", "-yes", "-per-second", "200").wants(exitUnknown, "37 devices were asked before",
		"from earlier runs: 36 accepted, 1 unknown")
	p.run("-demo", "-wait", "-yes", "-per-second", "200", "-round", "j", "-app", "fabrikam agent").
		wants(exitRefused, "12 devices were asked outside of this round", "PC-003: you asked this user")
	p.write("in.csv", "5CG1234ABC\nPC-003\n")
	p.run("-demo", "-wait", "-write-links", "-round", "k", "-ask-again", "in.csv", "-yes").
		wants(exitAmbiguous, "links: 1").wantsColumns("outcome session", "ambiguous ", "accepted link")
	p.run("-demo", "-round", "k", "in.csv", "-ask-again").wants(exitAmbiguous, "from earlier runs: 1 accepted")
	p.run("-demo", "-round", "l", "-ask-again").wants(exitUsage, "--yes")
}
