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

	// A round of bulk would else be taken for the real one of the same list.
	list := filepath.Join(d.folder, "list.csv")
	if err := os.WriteFile(list, []byte("serial\nDMPQ2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.run(append([]string{"bulk", "--yes", list}, flags...)...).wants(t, exitDone, []string{"DMPQ2"}, []string{"rehearsal at " + root})
	rounds, _ := filepath.Glob(list + "*.round")
	if len(rounds) != 1 {
		t.Fatalf("rounds: %v", rounds)
	}
	if name := filepath.Base(rounds[0]); name != "list.csv."+strings.TrimSuffix(want, ".jsonl")+".round" {
		t.Errorf("the round is in %s", name)
	}
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
