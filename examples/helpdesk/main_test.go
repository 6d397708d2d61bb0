package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-intune/intune/intunetest"
	"github.com/mattn/go-runewidth"
)

// names are the commands.
func names() []string {
	return []string{
		"bulk", "check", "config", "connect", "connector", "find", "history", "login", "logout", "resume", "show", "whoami",
	}
}

// bare is a desk without a stand-in for Graph: as it is for users.
func bare(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t, office())
	delete(d.env, "HELPDESK_TEST_GRAPH")
	delete(d.env, "HELPDESK_TEST_TOKEN")
	return d
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for args, stderr := range map[string]string{
		"":                                      "say what to do",
		"lose":                                  `unknown command "lose"`,
		"conect S-NEW":                          `unknown command "conect" (did you mean connect?)`,
		"help nope":                             `unknown command "nope"`,
		"help conector":                         "did you mean connector?",
		"bluk in.csv":                           `unknown command "bluk" (did you mean bulk?)`,
		"bulk in.csv --dryrun":                  "(did you mean --dry-run?)",
		"bulk in.csv --wait=5m":                 `helpdesk: --wait is true or false, not "5m"; see: helpdesk bulk -h`,
		"bulk in.csv --per-second fast":         `helpdesk: --per-second is a number, such as 5, not "fast"`,
		"history --days 3.5":                    `helpdesk: --days is a whole number, such as 30, not "3.5"`,
		"connect LT-1 --wait 5":                 `helpdesk: --wait is a time with its unit, such as 90s or 10m, not "5"`,
		"bulk in.csv --timeout 1m":              "--timeout does nothing for bulk",
		"find LT-1 --jsn":                       "unknown flag: --jsn (did you mean --json?)",
		"find LT-1 --cloud pubic":               "(did you mean public?)",
		"find LT-1 --auth devicecod":            "(did you mean devicecode?)",
		"find LT-1 --journal x":                 "--journal does nothing for find; leave it out",
		"--timeout 1m resume":                   "--timeout does nothing for resume; leave it out",
		"config tennant":                        `unknown setting "tennant" (did you mean tenant?)`,
		"config --unset clientid":               "(did you mean client-id?)",
		"config client-id mine":                 `"mine" is no application (client) id`,
		"config tenant https://contoso.com":     "is no tenant",
		"config cloud usgovt":                   "(did you mean usgov?)",
		"config require-reference perhaps":      "require-reference is true or false",
		"config journal a b":                    "too many arguments",
		"find LT-1 --graph https://example.com": "rehearsal on this machine",
		"find LT-1 --graph 127.0.0.1:8443":      "such as https://127.0.0.1:8443",
		"find LT-1 --ca x":                      "give --graph too",
		"find LT-1 --graph https://127.0.0.1:1 --ca none.pem":                 "--ca cannot be read",
		"find LT-1 --graph http://127.0.0.1:1 --authority http://127.0.0.1:1": "without -http",
		"login --graph https://127.0.0.1:1":                                   "add --authority https://127.0.0.1:1",
		"find LT-1 --graph https://127.0.0.1:1 --demo":                        "leave out --graph",
		"-x find":                             "unknown shorthand flag",
		"find":                                "WHO, or --app",
		"find -os Windows":                    "WHO, or --app",
		"find -bogus":                         "helpdesk find -h",
		"find LT-1 more":                      `too many arguments: "more"; a name with spaces needs quotes`,
		"find -name LT-1 -serial 5":           "only one of --name, --serial",
		"find -name LT-1 -app x":              "only one of --app and",
		"find -name=":                         "--name is blank",
		"find -app=":                          "--app is blank",
		"find LT-1 -os=":                      "--os is blank",
		"find LT-1 -json -csv":                "only one of --json, --csv",
		"show LT-1 -json -csv":                "only one of --json, --csv",
		"history -json -csv":                  "only one of --json, --csv",
		"history -days 0":                     "--days must be above zero",
		"history -days 3651":                  "--days must be above zero, such as 30, and at most 3650",
		"show":                                "say whose device",
		"check":                               "say whose device",
		"find LT-1 -timeout 0s":               "--timeout must be above zero",
		"find LT-1 -timeout soon":             `--timeout is a time with its unit, such as 90s or 10m, not "soon"`,
		"find LT-1 -cloud mars":               `unknown --cloud "mars"`,
		"find LT-1 -auth password":            `unknown --auth "password"`,
		"find LT-1 -auth browser":             "--auth browser needs --client-id",
		"find LT-1 -auth devicecode":          "--auth devicecode needs --client-id",
		"find LT-1 -demo -tenant contoso.com": "leave out --tenant",
		"login -demo":                         "leave it out",
		"login":                               "login needs --client-id",
		"login -auth azurecli":                "--auth browser or --auth devicecode",
		"resume -wait -1s":                    "--wait must be above zero",
		"connector x":                         "too many arguments",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			got := bare(t).run(strings.Fields(args)...)
			if args == "" {
				got.stdout = ""
			}
			got.wants(t, exitUsage, nil, []string{"helpdesk: ", stderr})
		})
	}
}

func TestTestPlaceIsLocal(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	d.env["HELPDESK_TEST_GRAPH"] = "https://graph.example.com"
	d.run("find", "LT-1").wants(t, exitUsage, nil, []string{"must be addresses of this machine"})
}

func TestHelp(t *testing.T) {
	t.Parallel()
	d := bare(t)
	texts := []string{d.run("-h").stdout, d.run("help").stdout}
	for _, name := range names() {
		if !strings.Contains(texts[0], "\n  "+name+" ") {
			t.Errorf("%s is not listed", name)
		}
		got := d.run(name, "-h")
		got.wants(t, exitDone, []string{"Usage:\n  helpdesk " + name, "Examples:", "Flags:"}, nil)
		texts = append(texts, got.stdout)
		if same := d.run("help", name); same.stdout != got.stdout {
			t.Errorf("help %s is other than %s -h", name, name)
		}
	}
	for _, text := range texts {
		for line := range strings.Lines(text) {
			if runewidth.StringWidth(strings.TrimSuffix(line, "\n")) > lineWidth {
				t.Errorf("wider than %d columns: %s", lineWidth, line)
			}
		}
	}
}

// TestExamples pastes what the help says into a shell: the lines that need no account of one's own.
func TestExamples(t *testing.T) {
	t.Parallel()
	example := regexp.MustCompile(`(?m)^  (helpdesk .*--demo.*)$`)
	for _, name := range append(names(), "") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := bare(t)
			if err := os.MkdirAll(filepath.Join(d.folder, "bin"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(binary, filepath.Join(d.folder, "bin", "helpdesk")); err != nil {
				t.Fatal(err)
			}
			lines := example.FindAllStringSubmatch(d.run(strings.Fields(name+" -h")...).stdout, -1)
			if noDemo := []string{"config", "login", "logout"}; len(lines) == 0 && !slices.Contains(noDemo, name) {
				t.Error("no example works when pasted")
			}
			for _, line := range lines {
				cmd := d.command()
				cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", line[1]}
				output, err := cmd.CombinedOutput()
				want := exitDone
				switch {
				case strings.Contains(line[1], "--wait 1s"):
					want = exitPending
				case name == "bulk": // an answer gets lost
					want = exitUnknown
				case name == "": // asks which of two, which nobody can answer here
					want = exitUsage
				}
				if code := cmd.ProcessState.ExitCode(); code != want {
					t.Errorf("%s: %v, exit code %d, want %d\n%s", line[1], err, code, want, output)
				}
			}
		})
	}
}

func TestDemo(t *testing.T) {
	t.Parallel()
	d := bare(t)
	for args, want := range map[string]string{
		"find lt-4f7k2":                        "LT-4F7K2",
		"find C02ZK1ABMD6T":                    "chloe.martin@contoso.com",
		"show anna.berg@contoso.com -os iOS":   "Anna's iPhone",
		"find -app Fabrikam\u00a0Reader -json": "MAC-DESIGN-1",
		"history":                              "by dana.cole@contoso.com",
		"whoami -json":                         `"connect": true`,
		"connector -json":                      `"state": "onboarded"`,
	} {
		fields := strings.Fields(strings.ReplaceAll(args, "\u00a0", "_"))
		for i := range fields {
			fields[i] = strings.ReplaceAll(fields[i], "_", " ")
		}
		d.run(append(fields, "-demo")...).wants(t, exitDone, []string{want}, []string{"made-up tenant", "nobody is really asked"})
	}
	d.run("find", "nope", "-demo").wants(t, exitNothing, nil, []string{"the demo has LT-4F7K2"})
}

// TestDemoJournal keeps the made-up requests apart, and goes on with them although their tenant is gone.
func TestDemoJournal(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	d.run("connect", "8XK42Q3", "-demo", "-yes", "-wait", "1s").wants(t, exitPending, nil, []string{"helpdesk resume --demo"})
	d.run("resume").wants(t, exitNothing, nil, nil)
	d.run("history", "-demo").wants(t, exitDone, []string{"DT-ACCOUNTS-03  -          still open"}, nil)
	d.run("resume", "-demo").wants(t, exitDone, []string{"https://get.teamviewer.com/"}, nil)
	d.run("history", "8xk42q3", "-demo").wants(t, exitDone, []string{"DT-ACCOUNTS-03", "the link after 0:0"}, nil)
	if n := d.tenant.RequestCount(); n > 0 {
		t.Errorf("the demo sent %d requests", n)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	bare(t).run("--version").wants(t, exitDone, []string{"helpdesk version "}, nil)
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here")
	}
	d := bare(t)
	script := d.run("completion", "bash")
	script.wants(t, exitDone, []string{"__start_helpdesk"}, nil)
	check := exec.Command(shell, "-n")
	check.Stdin = strings.NewReader(script.stdout)
	if output, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	d.run("__complete", "conn").wants(t, exitDone, []string{"connect", "connector"}, nil)
}

// TestCompletionOfValues asks for values as a shell does. Nothing is sent for them.
func TestCompletionOfValues(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office(never))
	d.run("connect", "S-NEW", "-yes", "-wait", "200ms").wants(t, exitPending, nil, nil)
	d.run("connect", "8XK42Q3", "-demo", "-yes").wants(t, exitDone, []string{"https://"}, nil)
	before := d.tenant.RequestCount()
	for args, want := range map[string]string{
		"find --auth |":       "browser devicecode default azurecli managedidentity environment",
		"find --auth d|":      "devicecode default",
		"login --cloud |":     "public usgov dod china france germany",
		"connect --os |":      "Windows iOS macOS Android",
		"connect |":           "LT-1",
		"bulk --by |":         "id serial name user entra",
		"bulk --write|":       "--write-links",
		"bulk --journ|":       "--journal",
		"bulk --column |":     "",
		"bulk in.csv |":       "",
		"connect l|":          "LT-1",
		"connect x|":          "",
		"show --serial |":     "S-NEW",
		"check --id |":        annasNew,
		"resume |":            "LT-1",
		"connect --demo |":    "DT-ACCOUNTS-03",
		"resume --demo |":     "",
		"connect LT-1 |":      "",
		"config |":            "tenant client-id cloud auth journal require-reference",
		"config cloud |":      "public usgov dod china france germany",
		"config --unset |":    "tenant client-id cloud auth journal require-reference",
		"help con|":           "config connect connector",
		"whoami |":            "",
		"connect --timeout |": "",
		"find --journ|":       "", // it does nothing there
		"history --journ|":    "--journal",
	} {
		words := strings.Split(strings.TrimSuffix(args, "|"), " ")
		var got []string
		for line := range strings.Lines(d.run(append([]string{"__complete"}, words...)...).stdout) {
			if word, _, _ := strings.Cut(strings.TrimSpace(line), "\t"); word != "" && word[0] != ':' {
				got = append(got, word)
			}
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s offers %q, want %q", args, text, want)
		}
	}
	if sent := d.tenant.RequestCount() - before; sent != 0 {
		t.Errorf("%d requests were sent", sent)
	}
}

// TestFlagsBeforeTheCommand takes flags on either side of the command.
func TestFlagsBeforeTheCommand(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	for _, args := range []string{
		"-demo find LT-4F7K2", "--demo --os Windows find LT-4F7K2", "-os=Windows -demo find LT-4F7K2 -json", "find -demo -- LT-4F7K2",
		"--demo find -- LT-4F7K2",
	} {
		d.run(strings.Fields(args)...).wants(t, exitDone, []string{"LT-4F7K2"}, []string{"made-up"})
	}
	d.run("-h", "find").wants(t, exitDone, []string{"Usage:\n  helpdesk find WHO"}, nil)
}

// TestFlagsOfCommands has a flag that takes a value in one command and none in another.
func TestFlagsOfCommands(t *testing.T) {
	t.Parallel()
	a := &app{console: &console{out: &strings.Builder{}, err: &strings.Builder{}}}
	for args, want := range map[string]string{
		"bulk -wait -max-wait 3s in.csv":   "bulk --wait --max-wait 3s in.csv",
		"-wait bulk in.csv -yes":           "bulk --wait in.csv --yes",
		"-wait -max-wait 3s bulk in.csv":   "bulk --wait --max-wait 3s in.csv",
		"-o out.csv bulk -":                "bulk -o out.csv -",
		"connect -wait -1s LT-1 -yes":      "connect --wait -1s LT-1 --yes",
		"-wait 3s connect LT-1 -y":         "connect --wait 3s LT-1 -y",
		"-serial find show":                "show --serial find",
		"connect -reference -yes LT-1":     "connect --reference -yes LT-1",
		"find -demo -- -yes":               "find --demo -- -yes",
		"-demo":                            "--demo",
		"-yes nope -wait -json":            "nope --yes --wait -json",
		"__complete bulk -by -demo -yes x": "__complete bulk --by -demo --yes x",
	} {
		if got := strings.Join(arranged(a.commands(), strings.Fields(args)), " "); got != want {
			t.Errorf("%s: %s, want %s", args, got, want)
		}
	}
}

func TestMeant(t *testing.T) {
	t.Parallel()
	words := []string{"connect", "connector", "config", "find", "history"}
	for word, want := range map[string]string{
		"conect": "connect", "CONNECT": "connect", "fnid": "find", "histroy": "history", "hist": "history", "conf": "config",
		"": "", "x": "", "banana": "", "findings-of-many-days": "", "é": "",
	} {
		if want != "" {
			want = " (did you mean " + want + "?)"
		}
		if got := meant(word, words); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestWithoutHome(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	for _, name := range []string{"HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"} {
		delete(d.env, name)
	}
	d.run("find", "S-NEW").wants(t, exitDone, []string{"S-NEW"}, nil)
	d.run("connect", "S-NEW", "-yes").wants(t, exitFailure, nil, []string{"no place for the journal", "--journal"})
	d.prompts(annasNew, 0)
	d.run("connect", "S-NEW", "-yes", "-journal", "j.jsonl").wants(t, exitDone, []string{link}, nil)
}

// TestNotSignedIn tells somebody without a sign-in where to go.
func TestNotSignedIn(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"find x", "connect x -yes", "history", "connector", "whoami", "bulk -app x -round r -yes"} {
		d := bare(t)
		got := d.run(strings.Fields(args)...)
		if files, err := filepath.Glob(filepath.Join(d.folder, "r*")); err != nil || len(files) > 0 {
			t.Errorf("%s: files of a round: %v %v", args, files, err)
		}
		got.wants(t, exitRefused, nil, []string{"helpdesk: not signed in; first: helpdesk login --tenant contoso.com --client-id …\n"})
		if n := strings.Count(got.stderr, "\n"); n != 1 {
			t.Errorf("%s: %d lines:\n%s", args, n, got.stderr)
		}
	}
	got := bare(t).run("find", "x", "-auth", "default", "-timeout", "10s")
	got.wants(t, exitRefused, nil, []string{"not signed in: --auth default found no account"})
	if n := strings.Count(got.stderr, "\n"); n != 1 {
		t.Errorf("%d lines:\n%s", n, got.stderr)
	}
	bare(t).run("find", "x", "-auth", "environment").
		wants(t, exitFailure, nil, []string{"cannot sign in: missing environment variable AZURE_TENANT_ID"})
	d := newDesk(t, office())
	d.tenant.Inject(intunetest.Fault{Status: http.StatusUnauthorized, Code: "InvalidAuthenticationToken", Message: "expired", Times: -1})
	d.run("connect", "S-NEW", "-yes").wants(t, exitRefused, nil, []string{"401", "helpdesk login -h"})
	d.prompts(annasNew, 0)
}
