//go:build unix

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestFirstMinutes is a person who has never seen this program. The help of helpdesk alone leads to a first session on the
// rehearsal tenant: it names the program that serves one, which prints the command to paste.
func TestFirstMinutes(t *testing.T) {
	t.Parallel()
	d := bare(t)
	if err := os.MkdirAll(filepath.Join(d.folder, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(binary, filepath.Join(d.folder, "bin", "helpdesk")); err != nil {
		t.Fatal(err)
	}
	help := d.run("-h").stdout
	named := regexp.MustCompile(`(?m)^  go run \./(\S+)$`).FindStringSubmatch(help)
	if named == nil {
		t.Fatalf("the help names no tenant to rehearse with:\n%s", help)
	}
	if named[1] != "examples/tenant" { // which startTenant builds
		t.Fatalf("the help names %s", named[1])
	}
	root, talk := startTenant(t, filepath.Join(d.folder, "ca.pem"))
	printed := regexp.MustCompile(`(?m)^  helpdesk +(helpdesk .*)$`).FindStringSubmatch(talk)
	if printed == nil {
		t.Fatalf("the tenant prints no command:\n%s", talk)
	}
	command := printed[1]

	x := d.onTerminal(24, 80, "/bin/sh", "-c", command).shows("rehearsal at " + root).shows("nobody is really").
		shows("LT-4F7K2").shows("[y/N]").types("y\n").shows("https://get.teamviewer.com/")
	x.ends(exitDone)
	files, _ := filepath.Glob(filepath.Join(d.folder, "state", folderName, "*.jsonl"))
	want := "rehearsal-" + strings.ReplaceAll(strings.TrimPrefix(root, "https://"), ":", "-") + ".jsonl"
	if len(files) != 1 {
		t.Fatalf("records: %v", files)
	}
	if name := filepath.Base(files[0]); name != want {
		t.Errorf("the record is %s, want %s", name, want)
	}
	if !strings.Contains(x.screen(), want) {
		t.Errorf("the screen does not say where the record is:\n%s", x.screen())
	}

	// The same flags point every other command there.
	flags := strings.Fields(strings.ReplaceAll(command, "'", ""))[3:]
	for _, c := range []struct {
		args string
		code int
	}{
		{"find LT-4F7K2", exitDone},
		{"show LT-4F7K2", exitDone},
		{"check LT-4F7K2", exitDone},
		{"connector", exitDone},
		{"whoami", exitDone},
		{"history", exitDone},
		{"history --local", exitDone},
		{"resume", exitNothing},
		{"connect KIOSK-1 --yes --wait 1s", exitPending},
	} {
		got := d.run(append(strings.Fields(c.args), flags...)...)
		if got.code != c.code {
			t.Errorf("%s: exit code %d, want %d:\n%s", c.args, got.code, c.code, got.stderr)
		}
	}
	d.run("history", "--local").wants(t, exitNothing, nil, nil) // the real record knows of nothing
	again := d.run(append([]string{"resume", "--wait", "1s"}, flags...)...)
	again.wants(t, exitPending, nil, []string{"Going on with KIOSK-1", `helpdesk resume --graph "` + root + `" --ca "`})
}

// TestRehearsalOfBulk has one memory with connect, also in a rehearsal.
func TestRehearsalOfBulk(t *testing.T) {
	t.Parallel()
	d := bare(t)
	p := &place{d}
	authority := filepath.Join(d.folder, "ca.pem")
	root, _ := startTenant(t, authority)
	with := func(args ...string) []string { return append(args, "--graph", root, "--ca", authority) }
	p.write("in.csv", "Device name\nLT-4F7K2\nKIOSK-1\n")
	p.run("--yes", "in.csv").wants(exitRefused, "not signed in; first: helpdesk login --tenant")
	p.run(with("--yes", "--reference", "INC-4711", "in.csv")...).
		wants(exitDone, "rehearsal at "+root, "2 lines, 2 devices: 2 accepted.").
		wantsColumns("device outcome", "LT-4F7K2 accepted", "KIOSK-1 accepted")
	p.run(with("--yes", "in.csv")...).wants(exitDone, "2 devices were asked before")

	connect := with("connect", "KIOSK-1", "--yes", "--wait", "1s") // whose session never comes
	d.run(connect...).wants(t, exitRefused, nil, []string{"you asked this user just now for INC-4711", "--ask-again"})
	d.run(append(connect, "--ask-again")...).wants(t, exitPending, nil, []string{"Intune asks TeamViewer"})
	history := d.run(with("history", "--local", "KIOSK-1")...)
	history.wants(t, exitDone, []string{"INC-4711", "still open"}, nil)
	if n := strings.Count(history.stdout, "KIOSK-1"); n != 2 {
		t.Errorf("%d requests for KIOSK-1:\n%s", n, history.stdout)
	}

	// Its round is none of the real requests.
	rounds, _ := filepath.Glob(p.file("in.csv.rehearsal-127.0.0.1-*.round"))
	if len(rounds) != 1 {
		t.Fatalf("rounds: %v", rounds)
	}
	p.run("--demo", "--yes", "--round", rounds[0], "in.csv").wants(exitFailure, "is that of rehearsal-127.0.0.1-")
	d.run("history", "--local").wants(t, exitNothing, nil, nil)
}

// TestRehearsalOfTheSignIn keeps the account of the rehearsal apart from the real one.
func TestRehearsalOfTheSignIn(t *testing.T) {
	t.Parallel()
	d := bare(t)
	authority := filepath.Join(d.folder, "ca.pem")
	root, _ := startTenant(t, authority)
	answer := d.approver(root, authority)
	flags := []string{"--graph", root + "/", "--authority", root, "--ca", authority}
	with := func(args ...string) []string { return append(args, flags...) }
	d.run(with("find", "LT-4F7K2")...).wants(t, exitRefused, nil, []string{"not signed in at contoso.com; first: helpdesk login --graph"})

	x := d.terminal(with("login", "--device-code")...)
	answer(x.shownCode(), false)
	if strings.Contains(x.shows("Signed in as tech@contoso.com").ends(exitDone), "cannot be kept") {
		t.Skip("this machine has no place for secrets")
	}
	d.run(with("whoami")...).wants(t, exitDone, []string{"tech@contoso.com"}, nil)
	d.run("find", "LT-4F7K2").wants(t, exitRefused, nil, []string{"not signed in; first: helpdesk login --tenant"})
	files, _ := filepath.Glob(filepath.Join(d.folder, "config", folderName, "*"))
	if len(files) != 1 {
		t.Fatalf("files: %v", files)
	}
	if name := filepath.Base(files[0]); !strings.HasPrefix(name, "rehearsal-127.0.0.1-") {
		t.Errorf("the account is in %s", name)
	}
	d.run("logout").wants(t, exitDone, nil, []string{"No account was kept."})
	d.run(with("logout")...).wants(t, exitDone, nil, nil)
	d.run(with("find", "LT-4F7K2")...).wants(t, exitRefused, nil, []string{"not signed in at contoso.com; first: helpdesk login"})
}

// TestRehearsalHasNoRealToken keeps the sign-in of a service, and the tools of a developer, from the stand-in.
func TestRehearsalHasNoRealToken(t *testing.T) {
	t.Parallel()
	d := bare(t)
	d.env["AZURE_TENANT_ID"], d.env["AZURE_CLIENT_ID"], d.env["AZURE_CLIENT_SECRET"] = "contoso.com", registration, "real-secret"
	arguments, _ := d.program("az")
	flags := []string{"--graph", "https://127.0.0.1:1", "--authority", "https://127.0.0.1:1"}
	for _, method := range []string{"azurecli", "default", "environment", "managedidentity"} {
		d.run(append([]string{"find", "LT-1", "--auth", method}, flags...)...).
			wants(t, exitUsage, nil, []string{"a rehearsal signs in a person or nobody: leave out --auth " + method})
	}
	find, loginFirst := append([]string{"find", "LT-1"}, flags...), []string{"not signed in at contoso.com; first: helpdesk login"}
	d.run(find...).wants(t, exitRefused, nil, loginFirst)
	d.run("config", "auth", "azurecli").wants(t, exitDone, nil, nil)
	d.run(find...).wants(t, exitRefused, nil, loginFirst)
	if got := arguments(); got != "" {
		t.Errorf("the Azure CLI was asked: %s", got)
	}
}

// TestRehearsalRecord refuses to write a rehearsal into the record of real requests.
func TestRehearsalRecord(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	server := d.env["HELPDESK_TEST_GRAPH"]
	d.run("connect", "S-NEW", "-yes").wants(t, exitDone, []string{link}, nil)
	before := d.read("journal.jsonl")
	for _, name := range []string{"journal.jsonl", "../" + folderName + "/journal.jsonl"} {
		d.run("connect", "S-PHONE", "-yes", "--graph", server, "--journal", filepath.Join("state", folderName, name)).
			wants(t, exitUsage, nil, []string{"is the record of real requests"})
	}
	d.prompts(annasPhone, 0)
	d.run("connect", "S-PHONE", "-yes", "--graph", server, "--journal", "mine.jsonl").
		wants(t, exitDone, []string{link}, []string{"mine.jsonl"})
	if after := d.read("journal.jsonl"); after != before {
		t.Errorf("the record changed:\n%s", after)
	}
}
