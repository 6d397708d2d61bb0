//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	"github.com/mattn/go-runewidth"
)

// terminal is the tool on a terminal.
type terminal struct {
	t       *testing.T
	file    *os.File
	columns int // that may be used; the last one may not

	mu   sync.Mutex
	seen bytes.Buffer
	more chan struct{}
}

func (d *desk) terminal(args ...string) *terminal {
	d.t.Helper()
	return d.terminalOf(lineWidth, args...)
}

// terminalOf is the tool on a terminal of so many columns and one.
func (d *desk) terminalOf(columns int, args ...string) *terminal {
	d.t.Helper()
	return d.onTerminal(24, columns+1, append([]string{binary}, args...)...)
}

// onTerminal runs a command on a terminal of a size.
func (d *desk) onTerminal(rows, columns int, command ...string) *terminal {
	d.t.Helper()
	cmd := d.command()
	// A shell leads the session: when the leader ends, Linux throws away what the terminal has not given out yet.
	const script = `trap : INT; "$@"; echo "[exit $?]"; read line`
	cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh", "-c", script, "sh"}, command...)
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: uint16(rows), Cols: uint16(columns)})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		file.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	x := &terminal{t: d.t, file: file, columns: columns - 1, more: make(chan struct{}, 1)}
	go func() {
		defer close(x.more)
		buffer := make([]byte, 4096)
		for {
			n, err := file.Read(buffer)
			x.mu.Lock()
			x.seen.Write(buffer[:n])
			x.mu.Unlock()
			select {
			case x.more <- struct{}{}:
			default:
			}
			if err != nil {
				return
			}
		}
	}()
	return x
}

func (x *terminal) screen() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.seen.String()
}

// shows waits for a text.
func (x *terminal) shows(text string) *terminal {
	x.t.Helper()
	for limit := time.After(patience); !strings.Contains(x.screen(), text); {
		select {
		case _, ok := <-x.more:
			if !ok && !strings.Contains(x.screen(), text) {
				x.t.Fatalf("ended without %q:\n%s", text, x.screen())
			}
		case <-limit:
			x.t.Fatalf("%q does not show:\n%s", text, x.screen())
		}
	}
	return x
}

func (x *terminal) types(text string) *terminal {
	x.t.Helper()
	if _, err := x.file.WriteString(text); err != nil {
		x.t.Fatal(err)
	}
	return x
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")

// ends waits for the end, and checks what was on the screen.
func (x *terminal) ends(code int) string {
	x.t.Helper()
	x.shows("[exit ")
	x.shows("]\r\n")
	if !strings.Contains(x.screen(), fmt.Sprintf("[exit %d]", code)) {
		x.t.Errorf("not exit code %d:\n%s", code, x.screen())
	}
	plain := strings.ReplaceAll(escapes.ReplaceAllString(x.screen(), ""), "^C", "") // which the terminal itself shows
	for line := range strings.FieldsFuncSeq(plain, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if runewidth.StringWidth(line) > x.columns && !strings.Contains(line, "https://") {
			x.t.Errorf("wider than %d columns: %s", x.columns, line)
		}
	}
	return x.screen()
}

// whichAgain is the end of a line and the question after it. An answer that is typed before the question shows would be on
// its line.
const whichAgain = "\r\nWhich one? Its number, or nothing to stop [1-2]: "

func TestTerminalConnect(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office(intunetest.SessionScript{URL: link, AfterReads: 40}))
	x := d.terminal("connect", "LT-1")
	x.shows("2 devices match").shows("Which one?").types("7\n").shows(`"7" is no number from 1 to 2.` + whichAgain).types("1\n")
	x.shows("Ask Anna Berg for remote assistance? [y/N]").types("y\n")
	screen := x.shows(link).ends(exitDone)
	for _, part := range []string{"Serial      S-NEW", "Waiting for the link, 0:00 of 10:00", "\x1b[1mThe link opens the session"} {
		if !strings.Contains(screen, part) {
			t.Errorf("%q was not on the screen:\n%s", part, screen)
		}
	}
	if strings.Count(screen, link) != 1 {
		t.Errorf("the link is to be shown once:\n%s", screen)
	}
	d.prompts(annasNew, 1)
}

func TestTerminalNoColor(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{"NO_COLOR": "1", "TERM": "dumb"} {
		d := newDesk(t, office())
		d.env[name] = value
		screen := d.terminal("connect", "S-NEW", "-y").shows(link).ends(exitDone)
		if name == "NO_COLOR" {
			screen = strings.ReplaceAll(screen, "\x1b[K", "") // clears a line, which is no color
		}
		if strings.Contains(screen, "\x1b") {
			t.Errorf("%s=%s, and yet:\n%q", name, value, screen)
		}
	}
}

func TestTerminalDeclined(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{"nothing": "\n", "no": "no\n", "end": "\x04"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, office())
			screen := d.terminal("connect", "S-NEW").shows("[y/N]").types(answer).ends(exitFailure)
			if !strings.Contains(screen, "nobody was asked") {
				t.Errorf("screen:\n%s", screen)
			}
			d.prompts(annasNew, 0)
		})
	}
}

// TestTerminalCtrlC types it at each place where the tool waits for something.
func TestTerminalCtrlC(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office(never))
	d.terminal("connect", "LT-1").shows("Which one?").types("\x03").shows("stopped; nobody was asked").ends(130)
	d.terminal("connect", "S-NEW").shows("[y/N]").types("\x03").shows("stopped; nobody was asked").ends(130)
	d.prompts(annasNew, 0)
	screen := d.terminal("connect", "S-NEW", "-y").shows("Waiting for the link").types("\x03").ends(130)
	if !strings.Contains(screen, "helpdesk resume") {
		t.Errorf("screen:\n%s", screen)
	}
	d.prompts(annasNew, 1)
	d.terminal("resume").shows("Waiting for the link").types("\x03").ends(130)
	come(d.tenant)
	d.terminal("resume").shows(link).ends(exitDone)
	d.prompts(annasNew, 1)
}

func TestTerminalOpenRequest(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office(never))
	d.run("connect", "S-NEW", "-yes", "-wait", "200ms").wants(t, exitPending, nil, nil)
	d.terminal("connect", "S-NEW").shows("[s]top: ").types("s\n").ends(exitFailure)
	d.prompts(annasNew, 1)
	d.terminal("connect", "S-NEW", "-wait", "200ms").shows("[s]top: ").types("a\n").ends(exitPending)
	d.prompts(annasNew, 2)
	come(d.tenant)
	d.terminal("connect", "S-NEW").shows("[s]top: ").types("\n").shows(link).ends(exitDone)
	d.prompts(annasNew, 2)
}

// TestTerminalWrongAnswer says why an answer at a choice will not do.
func TestTerminalWrongAnswer(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office(never))
	d.terminal("connect", "LT-1").shows("Which one?").types("3\n").shows(`"3" is no number from 1 to 2.` + whichAgain).
		types("S-NEW\n").shows(`"S-NEW" is no number from 1 to 2.` + whichAgain).types("\n").ends(exitAmbiguous)
	d.run("connect", "S-NEW", "-yes", "-wait", "200ms").wants(t, exitPending, nil, nil)
	d.terminal("connect", "S-NEW").shows("[s]top: ").types("maybe\n").
		shows(`"maybe" is none of y, a and s.` + "\r\nGo on waiting without asking again? [Y]es, [a]sk again, [s]top: ").
		types("s\n").ends(exitFailure)
	d.prompts(annasNew, 1)
}

// TestTerminalSizes keeps screens whole on a small, a usual and a wide terminal.
func TestTerminalSizes(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{20, 60}, {24, 80}, {50, 200}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, office())
			on := func(args ...string) *terminal {
				t.Helper()
				x := d.onTerminal(size[0], size[1], append([]string{binary}, args...)...)
				x.columns = min(x.columns, lineWidth)
				return x
			}
			for _, name := range append(names(), "") {
				on(strings.Fields(name + " -h")...).ends(exitDone)
			}
			on("help", "nope").ends(exitUsage)
			screen := on("connect", "LT-1").shows("Which one?").types("\n").ends(exitAmbiguous)
			for _, id := range []string{annasOld, annasNew} {
				if !strings.Contains(screen, id) {
					t.Errorf("%s is cut off:\n%s", id, screen)
				}
			}
			delete(d.env, "HELPDESK_TEST_TOKEN")
			delete(d.env, "HELPDESK_TEST_GRAPH")
			on("find", "LT-1").shows("--client-id").ends(exitRefused)
		})
	}
}

func TestTerminalResumeChoice(t *testing.T) {
	t.Parallel()
	d := twoOpen(t)
	come(d.tenant)
	d.terminal("resume").shows("2 requests are open").shows("Which one?").types("2\n").shows("Going on with LT-1").shows(link).ends(exitDone)
}

// TestTerminalTables are as wide as the terminal, and cut there only.
func TestTerminalTables(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("電脳-", 20) + "END"
	tenant := intunetest.NewTenant(quick())
	tenant.AddDevice(intune.ManagedDevice{
		ID: annasNew, DeviceName: long, SerialNumber: "S-1", UserPrincipalName: "anna.katharina.von.berg.zu.hohenstein@contoso.com",
		OperatingSystem: "Windows", OSVersion: strings.Repeat("9", 60), Model: long,
	}, intunetest.SessionScript{URL: link})
	d := newDesk(t, tenant)
	if got := d.run("connect", "S-1", "-yes"); got.code != exitDone {
		t.Fatalf("exit code %d:\n%s", got.code, got.stderr)
	}
	for _, args := range []string{"find S-1", "history", "show S-1"} {
		fields := strings.Fields(args)
		if got := d.run(fields...).stdout; !strings.Contains(got, long) || strings.Contains(got, "…") {
			t.Errorf("%s cuts in a pipe:\n%s", args, got)
		}
		for _, columns := range []int{49, lineWidth} {
			if screen := d.terminalOf(columns, fields...).ends(exitDone); !strings.Contains(screen, "…") || strings.Contains(screen, long) {
				t.Errorf("%s does not cut on a terminal of %d columns:\n%s", args, columns, screen)
			}
		}
		if screen := d.terminalOf(219, fields...).ends(exitDone); !strings.Contains(screen, long) || strings.Contains(screen, "…") {
			t.Errorf("%s cuts on a wide terminal:\n%s", args, screen)
		}
	}
	// An id is there to be copied.
	if screen := d.terminalOf(49, "find", "S-1").ends(exitDone); !strings.Contains(screen, annasNew) {
		t.Errorf("the id is cut:\n%s", screen)
	}
}

// TestOneMemory_TwoWindows is the third way: both have looked, both show the question, and both get a yes.
func TestOneMemory_TwoWindows(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office(never))
	one, other := d.terminal("connect", "S-NEW"), d.terminal("connect", "S-NEW")
	one.shows("[y/N]")
	other.shows("[y/N]")
	one.types("y\n").shows("Waiting for the link")
	other.types("y\n").shows("you are asking this user, or wait for the link").ends(exitRefused)
	d.prompts(annasNew, 1)
	// Nobody is displaced who waits, also not on purpose.
	d.run("connect", "S-NEW", "-yes", "-ask-again").wants(t, exitRefused, nil, []string{"in another window"})
	d.run("resume", "S-NEW").wants(t, exitRefused, nil, []string{"in another window"})
	d.prompts(annasNew, 1)
	one.types("\x03").ends(130)
	d.run("connect", "S-NEW", "-yes", "-ask-again", "-wait", "200ms").wants(t, exitPending, nil, nil)
	d.prompts(annasNew, 2)
}
