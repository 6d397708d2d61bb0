package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// TestBulkAsks is the main path: each way to name a device, in the order of the input, each user once.
func TestBulkAsks(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(6, nil))
	p.write("in.csv", "Asset,Device\n7,"+nameOf(3)+"\n8,s-001\n9,"+idOf(2)+"\n10,eeeeeeee-0000-4000-8000-000000000004\n11,S-003\n")
	got := p.run("-yes", "in.csv").wants(exitDone,
		`Reading column 2, "Device", as ids, serial numbers, device names or sign-in names of 5 lines.`, "5 lines, 4 devices: 4 accepted.")
	got.wantsColumns("line device deviceId deviceName serialNumber outcome run",
		"2 PC-003 "+idOf(3)+" PC-003 S-003 accepted this",
		"3 s-001 "+idOf(1)+" PC-001 S-001 accepted this",
		"4 "+idOf(2)+" "+idOf(2)+" PC-002 S-002 accepted this",
		"5 eeeeeeee-0000-4000-8000-000000000004 "+idOf(4)+" PC-004 S-004 accepted this",
		"6 S-003 "+idOf(3)+" PC-003 S-003 accepted this",
	)
	all := results(t, got.stdout)
	if detail := all[4]["detail"]; detail != "the same device as line 2" {
		t.Errorf("the detail of line 6 is %q", detail)
	}
	for _, name := range []string{"requestId", "clientRequestId", "sentAt"} {
		if all[0][name] == "" {
			t.Errorf("%s is missing in %v", name, all[0])
		}
	}
	p.prompts(1, 1, 1, 1, 0, 0)

	// The same again asks nobody, and says so.
	again := p.run("-yes", "in.csv").
		wants(exitDone, "4 devices were asked before", "a new round needs a new --round", "from earlier runs: 4 accepted")
	again.wantsColumns("device outcome run", "PC-003 accepted earlier", "s-001 accepted earlier", idOf(2)+" accepted earlier",
		"eeeeeeee-0000-4000-8000-000000000004 accepted earlier", "S-003 accepted earlier")
	p.prompts(1, 1, 1, 1, 0, 0)

	// A new line is asked, and a new journal is a new round.
	p.write("in.csv", p.read("in.csv")+"12,PC-005\n")
	p.run("-yes", "in.csv").wants(exitDone, "1 accepted; from earlier runs: 4 accepted")
	p.prompts(1, 1, 1, 1, 1, 0)
	p.run("-yes", "-round", "second.round", "in.csv").wants(exitRefused, "5 devices were asked outside of this round",
		"PC-003: you asked this user just now", "--ask-again")
	p.prompts(1, 1, 1, 1, 1, 0)
	p.run("-yes", "-round", "second.round", "-ask-again", "in.csv").wants(exitDone).lacks("before")
	p.prompts(2, 2, 2, 2, 2, 0)
	info, err := os.Stat(p.file("in.csv.round"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the journal: %v, %v", info.Mode(), err)
	}
}

// TestBulkShowsWhatIsWrongFirst looks at what is said, and at the users who are not asked.
func TestBulkShowsWhatIsWrongFirst(t *testing.T) {
	t.Parallel()
	tenant := fleetOf(3, nil)
	tenant.AddDevice(intune.ManagedDevice{ID: idOf(4), DeviceName: nameOf(1), SerialNumber: "=1+1"})
	p := newPlace(t, tenant)
	p.write("in.csv", "name,serial\nPC-002,\nPC-001,\nPC-009,\n,\n,x\nbad\x01,\n")
	args := []string{"-column", "name", "in.csv"}
	const shown = `line 3, "PC-001": 2 devices match: PC-001 (serial`

	// In a pipe nobody is asked without -yes.
	piped := p.run(args...).wants(exitUsage, shown,
		`line 4, "PC-009": no device has this name`, `line 6, "": the line names no device`, "control character",
		"nobody was asked", "the users of 1 device", "-yes", "-dry-run")
	if piped.stdout != "" {
		t.Errorf("stdout:\n%s", piped.stdout)
	}
	p.run(append([]string{"-strict", "-yes"}, args...)...).wants(exitAmbiguous, shown, "because of --strict")
	dry := p.run(append([]string{"-dry-run"}, args...)...).
		wants(exitAmbiguous, shown, "would be asked: 1; asked before: 0; asked outside of this round: 0; lines without a device: 4",
			"Nobody was asked")
	dry.wantsColumns("line outcome", "2 wouldAsk", "3 ambiguous", "4 notFound", "6 invalid", "7 invalid")
	p.prompts(0, 0, 0, 0)
	for _, r := range tenant.Requests() {
		if r.Method != http.MethodGet {
			t.Errorf("%s %s", r.Method, r.Path)
		}
	}
	p.run(append([]string{"-yes"}, args...)...).wants(exitAmbiguous, shown).
		wantsColumns("line outcome run", "2 accepted this", "3 ambiguous ", "4 notFound ", "6 invalid ", "7 invalid ")
	p.prompts(0, 1, 0, 0)

	// What a device calls itself is no formula in a spreadsheet.
	p.write("odd.csv", idOf(4)+"\n")
	if got := p.run("-yes", "odd.csv").wants(exitDone); !strings.Contains(got.stdout, ",'=1+1,") {
		t.Errorf("stdout:\n%s", got.stdout)
	}
}

// TestBulkInputs reads what spreadsheets and programs save.
func TestBulkInputs(t *testing.T) {
	t.Parallel()
	utf16le := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune("Device name\tUser\r\nPC-001\tAnna\r\n")) {
		utf16le = append(utf16le, byte(u), byte(u>>8))
	}
	for name, c := range map[string]struct{ content, args string }{
		"one a line":            {"PC-001\n", ""},
		"no end of line":        {"PC-001", ""},
		"byte order mark":       {"\xef\xbb\xbfDevice name\r\nPC-001\r\n", ""},
		"UTF-16":                {string(utf16le), ""},
		"semicolons":            {"Asset;Serial number\n1,5;S-001\n", ""},
		"tabs":                  {"Asset\tdeviceName\n1\tPC-001\n", ""},
		"quotes":                {"\"Name, long\",\"Serial-Number\"\n\"a\n,b\",S-001\n", ""},
		"column by number":      {"x,PC-001\n", "-column 2"},
		"unknown heading":       {"Asset,Gerät\n1,PC-001\n", "-column Gerät"},
		"heading to skip":       {"Asset,Gerät\n1,PC-001\n", "-column 2 -header"},
		"id is trusted most":    {"Device name,Serial number,Device ID\nPC-003,S-003," + idOf(1) + "\n", ""},
		"Entra's export":        {"displayName,deviceId\nPC-001,eeeeeeee-0000-4000-8000-000000000001\n", ""},
		"said to be a name":     {"x\nPC-001\n", "-by name -header"},
		"other delimiter":       {"Asset|Serial\n1|S-001\n", "-delimiter |"},
		"results of its own":    {"line,device,deviceId,deviceName\n2,x," + idOf(1) + ",PC-003\n", ""},
		"blank lines":           {"\n\nname\n\nPC-001\n,\n", ""},
		"flags after the input": {"PC-001\n", "-yes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, fleetOf(3, nil))
			p.write("in.csv", c.content)
			p.run(append([]string{"-yes", "in.csv"}, strings.Fields(c.args)...)...).wants(exitDone)
			p.prompts(1, 0, 0)
			q := newPlace(t, fleetOf(3, nil))
			q.start(c.content, append([]string{"-yes", "-", "-round", "j"}, strings.Fields(c.args)...)...).wait().wants(exitDone)
			q.prompts(1, 0, 0)
		})
	}
}

// TestBulkManyLines reads the list of devices instead of asking for each, and finds the same.
func TestBulkManyLines(t *testing.T) {
	t.Parallel()
	tenant := fleetOf(120, nil)
	tenant.AddDevice(intune.ManagedDevice{ID: idOf(121), DeviceName: "twin"})
	tenant.AddDevice(intune.ManagedDevice{ID: idOf(122), DeviceName: "TWIN"})
	p := newPlace(t, tenant)
	var b strings.Builder
	for i := range 120 {
		switch i % 4 {
		case 0:
			fmt.Fprintln(&b, nameOf(i+1))
		case 1:
			fmt.Fprintf(&b, "s-%03d\n", i+1)
		case 2:
			fmt.Fprintln(&b, strings.ToUpper(idOf(i+1)))
		default:
			fmt.Fprintf(&b, "EEEEEEEE-0000-4000-8000-%012d\n", i+1)
		}
	}
	p.write("in.csv", b.String()+"Twin\nnone\n000\n")
	got := p.run("-dry-run", "in.csv").wants(exitAmbiguous, "would be asked: 120", `"Twin": 2 devices match`)
	all := results(t, got.stdout)
	for i := range 120 {
		if all[i]["deviceId"] != idOf(i+1) || all[i]["outcome"] != "wouldAsk" {
			t.Errorf("line %d: %v", i+1, all[i])
		}
	}
	if all[121]["outcome"] != "notFound" || all[122]["outcome"] != "notFound" {
		t.Errorf("%v\n%v", all[121], all[122])
	}
	if n := tenant.RequestCount(); n > 3 {
		t.Errorf("%d requests", n)
	}
	p.write("zeros.csv", "serial\n000\n")
	p.run("-dry-run", "zeros.csv").wants(exitNothing, "zeros").wantsColumns("outcome", "invalid")
}

// TestBulkInvisibleCharacters are those that people copy along. Both ways to look say so, instead of finding nothing.
func TestBulkInvisibleCharacters(t *testing.T) {
	t.Parallel()
	tenant := fleetOf(120, nil)
	tenant.AddDevice(intune.ManagedDevice{ID: idOf(121), DeviceName: "👩\u200d💻"})
	p := newPlace(t, tenant)
	p.write("few.csv", "serial\nS-001\u200b\n")
	p.run("-dry-run", "few.csv").wants(exitNothing, `S-001\u200b`).wantsColumns("outcome", "invalid")
	var b strings.Builder
	for i := range 120 {
		fmt.Fprintln(&b, nameOf(i+1))
	}
	p.write("many.csv", b.String()+"S-001\u200b\n👩\u200d💻\n")
	got := results(t, p.run("-dry-run", "many.csv").wants(exitNothing, `byte-order mark: "S-001\u200b"`).stdout)
	if got[120]["outcome"] != "invalid" || got[121]["deviceId"] != idOf(121) {
		t.Errorf("%v\n%v", got[120], got[121])
	}
}

func TestBulkApp(t *testing.T) {
	t.Parallel()
	tenant := fleetOf(4, nil)
	tenant.AddDetectedApp(intune.DetectedApp{ID: "vpn-5", DisplayName: "Contoso VPN", Version: "5"}, deviceOf(2), deviceOf(4))
	tenant.AddDetectedApp(intune.DetectedApp{ID: "vpn-6", DisplayName: "contoso vpn", Version: "6"}, deviceOf(4), deviceOf(1))
	p := newPlace(t, tenant)
	p.run("-app", "vpn", "-dry-run").wants(exitNothing, `similar: Contoso VPN, contoso vpn`)
	p.run("-app", "vpn-6", "-dry-run").wants(exitDone, "would be asked: 2")
	p.run("-app", "Contoso VPN", "-yes").wants(exitUsage, "name the --round")
	p.prompts(0, 0, 0, 0)
	p.run("-app", "Contoso VPN", "-yes", "-round", "j").wants(exitDone, "3 accepted", "2 detected apps")
	p.prompts(1, 1, 0, 1)
	for _, r := range tenant.Requests() {
		if r.Method == http.MethodPost && strings.Contains(r.Path, "detectedApps") {
			t.Errorf("asked at %s", r.Path)
		}
	}
}

// TestBulkWait collects links, which are nowhere but where -write-links says.
func TestBulkWait(t *testing.T) {
	t.Parallel()
	tenant := fleetOf(2, nil, intunetest.SessionScript{URL: link})
	tenant.AddDevice(intune.ManagedDevice{ID: idOf(3), DeviceName: nameOf(3)}, intunetest.SessionScript{ErrorDetails: "the partner said no"})
	tenant.AddDevice(intune.ManagedDevice{ID: idOf(4), DeviceName: nameOf(4)}, intunetest.SessionScript{URL: link, After: 1000 * time.Hour})
	p := newPlace(t, tenant)
	p.write("in.csv", list(4))
	args := []string{"-yes", "-wait", "-max-wait", "300ms", "in.csv"}
	got := p.run(args...).wants(exitPending, "links: 2, pending: 1", "--write-links")
	got.wantsColumns("device outcome session",
		"PC-001 accepted link", "PC-002 accepted link", "PC-003 accepted failed", "PC-004 accepted pending")
	p.prompts(1, 1, 1, 1)
	for _, secret := range []string{"SECRET", "get.teamviewer.com"} {
		if strings.Contains(got.stdout+got.stderr+p.read("in.csv.round"), secret) {
			t.Errorf("%s is where it should not be:\n%s%s%s", secret, got.stdout, got.stderr, p.read("in.csv.round"))
		}
	}
	if !strings.Contains(got.stdout, "the partner said no") {
		t.Errorf("stdout:\n%s", got.stdout)
	}

	// Started again it goes on, asks nobody, and gives all links, the one that came meanwhile too.
	tenant.Advance(1001 * time.Hour)
	p.run(append([]string{"-write-links"}, args...)...).wants(exitRefused).lacks("SECRET").wantsColumns("device run session link",
		"PC-001 earlier link "+link, "PC-002 earlier link "+link, "PC-003 earlier failed ", "PC-004 earlier link "+link)
	p.desk.run("resume").wants(t, exitNothing, nil, nil) // all links were handed over
	p.prompts(1, 1, 1, 1)
}

// TestBulkWaitAfterAsking cannot tell new links from old ones, and says so.
func TestBulkWaitAfterAsking(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(1, nil, intunetest.SessionScript{URL: link}))
	p.write("in.csv", list(1))
	p.run("-yes", "in.csv").wants(exitDone)
	p.run("-yes", "-wait", "-write-links", "in.csv").wants(exitPending).wantsColumns("outcome run session link detail",
		"accepted earlier none  asked in an earlier run, and not again; asked without --wait, so that a new link cannot be told from an old one")
	p.prompts(1)
}

// TestBulkResultsFile replaces the file as a whole, with what only its owner may read.
func TestBulkResultsFile(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(2, nil))
	p.write("in.csv", list(2))
	p.write("out.csv", "old")
	got := p.run("-yes", "in.csv", "-o", "out.csv").wants(exitDone)
	if got.stdout != "" {
		t.Errorf("stdout:\n%s", got.stdout)
	}
	if all := results(t, p.read("out.csv")); len(all) != 2 || all[1]["outcome"] != "accepted" {
		t.Errorf("results: %v", all)
	}
	info, err := os.Stat(p.file("out.csv"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	left, err := filepath.Glob(p.file(".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestBulkResultsThroughALink has a link that leads to a file which is not there yet. Later it is, and then the results take
// its place.
func TestBulkResultsThroughALink(t *testing.T) {
	t.Parallel()
	for to, same := range map[string]string{
		"j.jsonl": "the journal", "here/j.jsonl": "the journal", "link2": "the journal", "j.jsonl.notes": "the notes of the journal",
		"j.jsonl.lock": "the lock of the journal", "in.csv.round": "the round", "in.csv.round.lock": "the lock of the round", "new.csv": "",
	} {
		t.Run(to, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, fleetOf(1, nil))
			p.write("in.csv", list(1))
			for name, to := range map[string]string{"link": to, "link2": "here/../j.jsonl", "here": "."} {
				if err := os.Symlink(to, p.file(name)); err != nil {
					t.Skip(err)
				}
			}
			got := p.run("-yes", "in.csv", "-journal", "j.jsonl", "-o", "link")
			if same != "" {
				got.wants(exitUsage, "--output is the same file as "+same)
				p.prompts(0)
				return
			}
			got.wants(exitDone)
			if all := results(t, p.read(to)); len(all) != 1 {
				t.Errorf("results: %v", all)
			}
		})
	}
}

// TestBulkConnector warns before anybody is asked for a session that cannot be made.
func TestBulkConnector(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(1, nil))
	p.write("in.csv", list(1))
	p.run("-dry-run", "in.csv").wants(exitDone).lacks("connector")
	p.tenant.SetConnector(intune.ConnectorStateNotOnboarded)
	p.run("-dry-run", "in.csv").wants(exitDone, "connector is notOnboarded")
}

// TestBulkUnknownBecomesKnown: a session has come of a request whose answer was lost, or whose run was killed.
func TestBulkUnknownBecomesKnown(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(1, nil, intunetest.SessionScript{URL: link, AfterReads: 2}))
	p.write("in.csv", list(1))
	p.tenant.Inject(intunetest.Fault{Method: http.MethodPost, PathSuffix: action, Drop: intunetest.DropAfter})
	p.run("-yes", "-wait", "-max-wait", "1ms", "in.csv").wants(exitUnknown).wantsColumns("outcome session", "unknown pending")
	p.run("-yes", "-wait", "in.csv").wants(exitDone, "links: 1").wantsColumns("outcome run session", "accepted earlier link")
	p.run("-yes", "in.csv").wants(exitDone).wantsColumns("outcome run", "accepted earlier") // the journal knows it now
	p.prompts(1)
}
