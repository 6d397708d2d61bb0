package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-intune/intune"
	"github.com/mattn/go-runewidth"
)

func deviceOf(i int) intune.DeviceRef { return intune.Device(idOf(i)) }

// bare is a place without a stand-in for Graph: as it is for users.
func bare(t *testing.T) *place {
	t.Helper()
	p := newPlace(t, fleetOf(0, nil))
	delete(p.env, "BULK_TEST_GRAPH")
	delete(p.env, "BULK_TEST_TOKEN")
	delete(p.env, "BULK_TEST_FREQUENCY")
	return p
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for args, stderr := range map[string]string{
		"":                                     "say which devices",
		"-bogus":                               "see: bulk -h",
		"in.csv more.csv":                      `also "more.csv"`,
		"in.csv -app x":                        "FILE or -app",
		"-app=":                                "say which devices",
		"-app=_ -journal j":                    "-app is blank",
		"-app x":                               "name the -journal",
		"-":                                    "name the -journal",
		"-app x -journal j -column 2":          "-column is about a file",
		"in.csv -by color":                     `unknown -by "color"`,
		"in.csv -column=":                      "-column is blank",
		"in.csv -column 5":                     "-column 5 is not there: the first line has 2 columns",
		"in.csv -column Serial":                `no column has the heading "Serial"; the first line has "Device name", "x"`,
		"in.csv -delimiter ab":                 "-delimiter must be one character",
		"in.csv -per-second 0":                 "-per-second must be above zero",
		"in.csv -per-second NaN":               "-per-second must be above zero",
		"in.csv -give-up -1":                   "-give-up must not be negative",
		"in.csv -write-links":                  "-write-links needs -wait",
		"in.csv -max-wait 5m":                  "-max-wait needs -wait",
		"in.csv -wait -max-wait 0s":            "-max-wait must be above zero",
		"in.csv -wait -max-wait soon":          "invalid value",
		"in.csv -cloud mars":                   `unknown -cloud "mars"`,
		"in.csv -auth password":                `unknown -auth "password"`,
		"in.csv -auth browser":                 "-auth browser needs -client-id",
		"-demo -tenant contoso.com -cloud dod": "leave out -tenant, -cloud",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			p := bare(t)
			p.write("in.csv", "Device name,x\nPC-001,1\n")
			fields := strings.Fields(args)
			for i := range fields {
				fields[i] = strings.ReplaceAll(fields[i], "_", " ")
			}
			if got := p.run(fields...).wants(exitUsage, "bulk: ", stderr); got.stdout != "" {
				t.Errorf("stdout: %s", got.stdout)
			}
		})
	}
}

func TestInputErrors(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(1, nil))
	for content, stderr := range map[string]string{
		"":                      "in.csv holds no line",
		"name\n":                "holds a heading and no device",
		"name\n\"PC\n":          "in.csv: ",
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
	p.run("-yes", "in.csv").wants(exitNotFound, "not UTF-8")
	p.prompts(0)
}

func TestTestPlaceIsLocal(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(1, nil))
	p.write("in.csv", list(1))
	p.env["BULK_TEST_GRAPH"] = "https://graph.example.com"
	p.run("in.csv", "-yes").wants(exitUsage, "must be an address of this machine")
}

// TestHelp fits a narrow terminal, and knows every flag and exit code.
func TestHelp(t *testing.T) {
	t.Parallel()
	got := bare(t).run("-h").wants(exitDone)
	if got.stdout != usage || got.stderr != "" {
		t.Errorf("stdout:\n%s\nstderr:\n%s", got.stdout, got.stderr)
	}
	for line := range strings.Lines(usage) {
		if runewidth.StringWidth(strings.TrimSuffix(line, "\n")) > lineWidth {
			t.Errorf("wider than %d columns: %s", lineWidth, line)
		}
	}
	source, err := os.ReadFile("options.go")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range regexp.MustCompile(`flags\.\w+Var\(&[\w.]+, "([\w-]+)"`).FindAllStringSubmatch(string(source), -1) {
		if !strings.Contains(usage, "  -"+flag[1]+" ") || !strings.Contains(string(readme), "`-"+flag[1]) {
			t.Errorf("-%s is missing from the usage or README.md", flag[1])
		}
	}
	for _, code := range []string{"0", "1", "2", "3", "4", "5", "6", "7", "130"} {
		if !strings.Contains(string(readme), "| "+code+" |") {
			t.Errorf("exit code %s is missing from README.md", code)
		}
	}
}

// TestDemo needs no account, and its journal can be continued.
func TestDemo(t *testing.T) {
	t.Parallel()
	p := bare(t)
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
	if left, err := filepath.Glob(p.file("*")); err != nil || len(left) > 0 {
		t.Errorf("the demo left %v, %v", left, err)
	}
	p.run("-demo", "-app", "contoso vpn", "-yes", "-per-second", "200", "-journal", "j").wants(exitRefused)
	p.run("-demo", "-app", "contoso vpn", "-yes", "-per-second", "200", "-journal", "j").wants(exitRefused, "from earlier runs: 12 accepted")
	p.write("in.csv", "5CG0001002\nPC-003\n")
	p.run("-demo", "-wait", "-write-links", "in.csv", "-yes").wants(exitDone, "links: 2")
	p.run("-demo").wants(exitUsage, "-yes")
}

// TestExamples pastes what the usage says into a shell: the lines that need no account.
func TestExamples(t *testing.T) {
	t.Parallel()
	p := bare(t)
	if err := os.MkdirAll(p.file("bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program(t), p.file("bin/bulk")); err != nil {
		t.Fatal(err)
	}
	p.env["PATH"] = p.file("bin") + ":/usr/bin:/bin"
	p.write("devices.csv", "PC-002\n")
	for _, line := range regexp.MustCompile(`(?m)^    (bulk -.*?)(  .*)?$`).FindAllStringSubmatch(usage, -1) {
		cmd := p.command()
		cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", line[1] + " -demo -yes -per-second 300"}
		output, err := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); !slices.Contains([]int{exitDone, exitUnknown, exitRefused}, code) {
			t.Errorf("%s: exit code %d, %v\n%s", line[1], code, err, output)
		}
	}
}
