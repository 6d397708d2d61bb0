package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-intune/intune/intunetest"
)

func TestConnect(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"S-NEW"},
		{"s-new"},
		{annasNew},
		{"11111111-2222-4333-8444-555555555555"},
		{"--serial", " S-NEW "},
		{"-serial=S-NEW"},
		{"--id", annasNew},
		{"anna@contoso.com", "--serial", "x"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, office())
			got := d.run(append([]string{"connect", "-yes"}, args...)...)
			if len(args) == 3 {
				got.wants(t, exitUsage, nil, []string{`only one of --serial, "anna@contoso.com"`})
				d.prompts(annasNew, 0)
				return
			}
			got.wants(t, exitDone, []string{link + "\n"}, []string{
				"S-NEW", "Anna Berg, anna@contoso.com", "Windows 10.0.2", "compliant", "3 days ago", "Company Portal",
			})
			if got.stdout != link+"\n" {
				t.Errorf("more than the link on stdout: %q", got.stdout)
			}
			d.prompts(annasNew, 1)
			for _, text := range []string{got.stderr, d.journal()} {
				if strings.Contains(text, "SECRET") {
					t.Errorf("the link is in:\n%s", text)
				}
			}
		})
	}
}

func TestConnectDoesNotAsk(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args   string
		code   int
		stderr []string
	}{
		"not confirmed": {"connect S-NEW", exitUsage, []string{"add --yes"}},
		"nobody meant":  {"connect -yes", exitUsage, []string{"say whose device"}},
		"blank":         {"connect --serial= -yes", exitUsage, []string{"--serial is blank"}},
		"none":          {"connect LT-9 -yes", exitNothing, []string{`no device matches "LT-9"`, "without wildcards"}},
		"no user":       {"connect bo@contoso.com -yes", exitNothing, []string{"user principal name"}},
		"no id":         {"connect 00000000-0000-4000-8000-00000000000f -yes", exitNothing, []string{"no device matches"}},
		"several": {"connect LT-1 -yes", exitAmbiguous, []string{
			"S-OLD", annasOld, "S-NEW", annasNew, "3 days ago", "3 months ago", `2 devices match "LT-1"`, "--id",
		}},
		"by user":      {"connect anna@contoso.com -yes", exitAmbiguous, []string{"3 devices match", "PHONE-9"}},
		"other system": {"connect S-NEW --os iOS -yes", exitNothing, []string{`"S-NEW" and the system "iOS"`}},
		"no wait":      {"connect S-NEW -yes --wait 0s", exitUsage, []string{"--wait must be above zero"}},
		"journal":      {"connect S-NEW -yes --journal state/none/../none", exitFailure, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, office())
			if name == "journal" {
				if err := os.WriteFile(filepath.Join(d.folder, "state"), nil, 0o600); err != nil {
					t.Fatal(err)
				}
				c.stderr = []string{"journal cannot be opened", "nobody was asked", "--journal"}
			}
			d.run(strings.Fields(c.args)...).wants(t, c.code, nil, c.stderr)
			if n := d.tenant.TotalPrompts(); n > 0 {
				t.Errorf("%d prompts", n)
			}
		})
	}
}

func TestConnectJSON(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	var session map[string]any
	d.run("connect", "S-NEW", "--yes", "--json").decode(t, exitDone, &session)
	for name, want := range map[string]any{"link": link, "deviceId": annasNew, "deviceName": "LT-1"} {
		if got := session[name]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	for _, name := range []string{"requestId", "clientRequestId"} {
		if id, _ := session[name].(string); id == "" {
			t.Errorf("%s is missing in %v", name, session)
		}
	}
	if at, err := time.Parse(time.RFC3339Nano, session["requestedAt"].(string)); err != nil || time.Since(at) > time.Hour {
		t.Errorf("requestedAt is %v", session["requestedAt"])
	}
}

func TestConnectOddLink(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office(intunetest.SessionScript{URL: "https://get.teamviewer.com/ѕ1"})) // the s is Cyrillic
	d.run("connect", "S-NEW", "-yes").wants(t, exitDone, []string{"https://get.teamviewer.com/%D1%951\n"}, nil)

	hidden := newDesk(t, office(intunetest.SessionScript{URL: "https://get.teamviewer.com/s\u202e1?x=\u009b31m"}))
	hidden.run("connect", "S-NEW", "-yes").wants(t, exitRefused, nil, []string{"withheld"})
}

func TestConnectRefused(t *testing.T) {
	t.Parallel()
	t.Run("permission", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, office())
		d.as(d.tenant.CredentialWith(map[string]any{"scp": "DeviceManagementManagedDevices.Read.All"}))
		got := d.run("connect", "S-NEW", "-yes")
		got.wants(t, exitRefused, nil, []string{"403", "hint:", "DeviceManagementManagedDevices.ReadWrite.All", "Nobody was asked."})
		d.prompts(annasNew, 0)
		d.run("resume").wants(t, exitNothing, nil, []string{"no request of the last 24 hours is open"})
	})
	t.Run("session", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, office(intunetest.SessionScript{ErrorDetails: "The account is not configured."}))
		d.run("connect", "S-NEW", "-yes", "-tenant", "contoso.com").wants(t, exitRefused, nil, []string{
			"The account is not configured.", "hint:", "helpdesk check --id " + annasNew + ` --tenant "contoso.com"`,
		})
		d.prompts(annasNew, 1)
		d.run("resume").wants(t, exitNothing, nil, []string{"no request"})
		var rows []asking
		d.run("history", "--local", "--json").decode(t, exitDone, &rows)
		if len(rows) != 1 || rows[0].Result != "no session" || !strings.Contains(rows[0].Error, "not configured") {
			t.Errorf("history: %+v", rows)
		}
	})
}

func TestConnectFullDisk(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	cmd := d.command("connect", "S-NEW", "-yes")
	var stderr strings.Builder
	cmd.Stdout, cmd.Stderr = full(t), &stderr
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != exitFailure {
		t.Fatal(err)
	}
	for _, part := range []string{"no space left", "helpdesk resume"} {
		if !strings.Contains(stderr.String(), part) {
			t.Errorf("%q is missing from stderr:\n%s", part, &stderr)
		}
	}
	if strings.Contains(stderr.String(), "SECRET") {
		t.Errorf("the link is in stderr:\n%s", &stderr)
	}
	d.run("resume").wants(t, exitDone, []string{link}, nil)
	d.prompts(annasNew, 1)

	d.run("connect", "S-NEW", "-yes", "-ask-again", "-journal", "/dev/full").
		wants(t, exitFailure, nil, []string{"the journal cannot be opened", "no regular file", "nobody was asked"})
	limited := d.command("connect", "S-NEW", "-yes", "-ask-again")
	limited.Path, limited.Args = "/bin/sh", append([]string{"sh", "-c", `trap '' XFSZ; ulimit -f 0; exec "$@"`, "sh"}, limited.Args...)
	output, err := limited.CombinedOutput()
	if code := limited.ProcessState.ExitCode(); code != exitFailure {
		t.Errorf("exit code %d, %v", code, err)
	}
	for _, part := range []string{"could not be recorded", "file too large", "Nobody was asked."} {
		if !strings.Contains(string(output), part) {
			t.Errorf("%q is missing from the output:\n%s", part, output)
		}
	}
	d.prompts(annasNew, 1)
}

// TestConnectThrottled is a service that is busy at first.
func TestConnectThrottled(t *testing.T) {
	t.Parallel()
	busy := func(times int, suffix string) intunetest.Fault {
		return intunetest.Fault{
			PathSuffix: suffix, Status: http.StatusTooManyRequests, Code: "TooManyRequests", Message: "slow down", Nested: true,
			Header: http.Header{"Retry-After-Ms": {"1"}}, Times: times,
		}
	}
	d := newDesk(t, office())
	d.tenant.Inject(busy(2, "/managedDevices"))
	d.tenant.Inject(busy(2, "/requestRemoteAssistance"))
	d.tenant.Inject(busy(2, annasNew))
	d.run("connect", "S-NEW", "-yes").wants(t, exitDone, []string{link}, nil)
	d.prompts(annasNew, 1)

	d.tenant.Inject(busy(-1, "/requestRemoteAssistance"))
	d.run("connect", "S-NEW", "-yes", "-ask-again").wants(t, exitFailure, nil, []string{"429", "Nobody was asked."})
	d.prompts(annasNew, 1)
}

// TestConnectServiceDown is a service that goes down once the user was asked.
func TestConnectServiceDown(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office(never))
	r := d.start("connect", "S-NEW", "-yes", "-wait", "1s")
	comes(t, "the request", d.asked)
	d.tenant.Inject(intunetest.Fault{Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After-Ms": {"1"}}, Times: -1})
	r.wait().wants(t, exitPending, nil, []string{"503", "the user was asked, and there is no link yet", "helpdesk resume"})
	d.tenant.ClearFaults()
	come(d.tenant)
	d.run("resume").wants(t, exitDone, []string{link}, []string{"Nobody is asked again."})
	d.prompts(annasNew, 1)
}

// TestConnectUnknown is a service that breaks down over the request itself.
func TestConnectUnknown(t *testing.T) {
	t.Parallel()
	for name, acted := range map[string]bool{"acted": true, "did not": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, office(never))
			d.tenant.Inject(intunetest.Fault{PathSuffix: "/requestRemoteAssistance", Drop: intunetest.DropBefore, Effect: acted})
			d.run("connect", "S-NEW", "-yes", "-wait", "500ms", "-cloud", "public").wants(t, exitUnknown, nil, []string{
				"Nobody knows whether Intune took the request", "nobody knows whether the user was asked", `helpdesk resume --cloud "public"`,
			})
			d.run("history", "--local").wants(t, exitDone, []string{"perhaps asked: n"}, nil)
			if !acted {
				d.run("resume", "-wait", "500ms").wants(t, exitUnknown, nil, nil)
				d.prompts(annasNew, 0)
				return
			}
			come(d.tenant)
			d.run("resume").wants(t, exitDone, []string{link}, nil)
			d.prompts(annasNew, 1)
			d.write("journal.jsonl.notes", "") // the journal alone knows what became of it
			d.run("history", "--local").wants(t, exitDone, []string{"the link after 0"}, nil)
		})
	}
}

// TestConnectStopped stops the tool while it waits, in each way, and goes on.
func TestConnectStopped(t *testing.T) {
	t.Parallel()
	for s, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143, syscall.SIGHUP: 129, syscall.SIGKILL: -1} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, office(never))
			r := d.start("connect", "S-NEW", "-yes")
			comes(t, "the request", d.asked)
			comes(t, "a look", d.reads)
			r.signal(s)
			got := r.wait()
			got.wants(t, code, nil, nil)
			if code > 0 {
				got.wants(t, code, nil, []string{"stopped; the user was asked, and there is no link yet", "helpdesk resume"})
			}
			// Asking for it again goes on as well.
			again := d.start("connect", "S-NEW", "-yes")
			comes(t, "a look", d.reads)
			again.signal(syscall.SIGKILL)
			again.wait()
			d.prompts(annasNew, 1)

			d.run("resume", "-wait", "200ms").wants(t, exitPending, nil, []string{"the user was asked, and there is no link yet"})
			come(d.tenant)
			d.run("resume").wants(t, exitDone, []string{link}, []string{"Going on with LT-1"})
			d.run("resume").wants(t, exitNothing, nil, nil)
			d.prompts(annasNew, 1)
			d.run("connect", "S-NEW", "-yes", "-wait", "300ms").wants(t, exitRefused, nil, []string{"you asked this user just now (the link after "})
			d.prompts(annasNew, 1)
			d.run("connect", "S-NEW", "-yes", "-wait", "300ms", "-ask-again").wants(t, exitPending, nil, nil)
			d.prompts(annasNew, 2)
		})
	}
}

// TestConnectJSONPending prints the request where a program reads the answer, and it is enough to go on.
func TestConnectJSONPending(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office(never))
	var request, again map[string]any
	d.run("connect", "S-NEW", "-yes", "-wait", "200ms", "-json").decode(t, exitPending, &request)
	for name, want := range map[string]any{"pending": true, "asked": "yes", "deviceId": annasNew, "deviceName": "LT-1"} {
		if got := request[name]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if text := fmt.Sprint(request); strings.Contains(text, "salt") {
		t.Errorf("it holds the resume token: %s", text)
	}
	id, _ := request["clientRequestId"].(string)
	if want := "helpdesk resume " + id + " --json"; request["resume"] != want {
		t.Errorf("resume is %v, want %s", request["resume"], want)
	}
	d.run("resume", id, "-wait", "200ms", "-json").decode(t, exitPending, &again)
	if again["clientRequestId"] != id {
		t.Errorf("resume prints %v, want %s", again["clientRequestId"], id)
	}
	come(d.tenant)
	words := strings.Fields(request["resume"].(string))
	d.run(words[1:]...).wants(t, exitDone, []string{link}, nil)

	lost := newDesk(t, office(never))
	lost.tenant.Inject(intunetest.Fault{PathSuffix: "/requestRemoteAssistance", Drop: intunetest.DropBefore})
	lost.run("connect", "S-NEW", "-yes", "-wait", "200ms", "-json").decode(t, exitUnknown, &request)
	if request["asked"] != "unknown" {
		t.Errorf("asked is %v", request["asked"])
	}
}

// TestConnectKilledWhileAsking kills the tool between the request and its answer.
func TestConnectKilledWhileAsking(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	arrived := make(chan struct{})
	d.tenant.Inject(intunetest.Fault{
		PathSuffix: "/requestRemoteAssistance", Effect: true, Delay: time.Hour,
		Match: func(intunetest.RecordedRequest) bool { close(arrived); return true },
	})
	r := d.start("connect", "S-NEW", "-yes")
	comes(t, "the request", arrived)
	r.signal(syscall.SIGKILL)
	r.wait()
	d.run("history", "--local").wants(t, exitDone, []string{"perhaps asked: t"}, nil)
	d.run("resume", "S-NEW", "-json").wants(t, exitDone, []string{link, `"deviceName": "LT-1"`}, nil)
	d.prompts(annasNew, 1)
}

func TestConnectAskAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office(never))
	d.run("connect", "S-NEW", "-yes", "-wait", "300ms").wants(t, exitPending, nil, nil)
	d.run("connect", "S-NEW", "-yes", "-wait", "300ms").
		wants(t, exitPending, nil, []string{"you asked this user just now", "Nobody is asked again."})
	d.prompts(annasNew, 1)
	d.run("connect", "S-NEW", "-yes", "-wait", "300ms", "-ask-again").wants(t, exitPending, nil, nil)
	d.prompts(annasNew, 2)
}
