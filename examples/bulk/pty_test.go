//go:build unix

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/go-intune/intune/intunetest"
	"github.com/mattn/go-runewidth"
)

// terminal is the program on a terminal of 70 columns.
type terminal struct {
	t    *testing.T
	file *os.File

	mu   sync.Mutex
	seen bytes.Buffer
	more chan struct{}
}

func (p *place) terminal(args ...string) *terminal {
	p.t.Helper()
	cmd := p.command(args...)
	// A shell leads the session: when the leader ends, Linux throws away what the terminal has not given out yet.
	const script = `trap : INT; "$@"; echo "[exit $?]"; read line`
	cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh", "-c", script, "sh"}, cmd.Args...)
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 71})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		file.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	x := &terminal{t: p.t, file: file, more: make(chan struct{}, 1)}
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
		if runewidth.StringWidth(line) > lineWidth {
			x.t.Errorf("wider than %d columns: %s", lineWidth, line)
		}
	}
	return x.screen()
}

func TestTerminal(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(12, nil))
	p.write("in.csv", list(12)+"PC-999\n")
	screen := p.terminal("in.csv", "-o", "out.csv", "-per-second", "8").
		shows(`line 14, "PC-999": no device has this name`).
		shows("Ask the users of 12 devices for remote assistance").shows("[y/N]").types("y\n").ends(exitNotFound)
	for _, part := range []string{" / 12 [", "/s", "s left", "12 accepted"} {
		if !strings.Contains(screen, part) {
			t.Errorf("%q was not on the screen:\n%q", part, screen)
		}
	}
	p.prompts(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
	if all := results(t, p.read("out.csv")); len(all) != 13 {
		t.Errorf("%d lines of results", len(all))
	}
}

func TestTerminalNoColor(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{"NO_COLOR": "1", "TERM": "dumb"} {
		p := newPlace(t, fleetOf(3, nil))
		p.env[name] = value
		p.write("in.csv", list(3)+"none\n")
		screen := p.terminal("in.csv", "-o", "out.csv", "-yes").ends(exitNotFound)
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
	for name, c := range map[string]struct {
		answer string
		code   int
	}{"nothing": {"\n", exitFailure}, "no": {"no\n", exitFailure}, "end": {"\x04", exitFailure}, "Ctrl-C": {"\x03", 130}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, fleetOf(2, nil))
			p.write("in.csv", list(2))
			p.terminal("in.csv").shows("[y/N]").types(c.answer).ends(c.code)
			p.prompts(0, 0)
		})
	}
}

// TestTerminalCtrlC stops in the middle, and goes on.
func TestTerminalCtrlC(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(40, nil, intunetest.SessionScript{After: 1000 * time.Hour}))
	p.write("in.csv", list(40))
	screen := p.terminal("in.csv", "-o", "out.csv", "-per-second", "10", "-yes").shows(" / 40 [=").types("\x03").ends(130)
	if !strings.Contains(screen, "the same command goes on") {
		t.Errorf("screen:\n%s", screen)
	}
	p.terminal("in.csv", "-o", "out.csv", "-per-second", "500", "-yes").ends(exitDone)
	for i := range 40 {
		if n := p.tenant.Prompts(deviceOf(i + 1)); n != 1 {
			t.Errorf("%s was asked %d times", nameOf(i+1), n)
		}
	}
}

// TestTerminalCtrlCTwice breaks off a request that does not end. Its user may have been asked, and is not asked again.
func TestTerminalCtrlCTwice(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(2, nil))
	p.write("in.csv", list(2))
	arrived := make(chan struct{}, 2)
	p.intercept(func(_ http.ResponseWriter, r *http.Request, serve func()) {
		serve()
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	x := p.terminal("in.csv", "-o", "out.csv", "-yes")
	<-arrived
	<-arrived
	x.types("\x03").shows("once more").types("\x03").ends(130)
	all := results(t, p.read("out.csv"))
	if all[0]["outcome"] != "unknown" || all[1]["outcome"] != "unknown" {
		t.Errorf("results: %v", all)
	}
	p.run("in.csv", "-yes").wants(exitUnknown).wantsColumns("outcome run", "unknown earlier", "unknown earlier")
	p.prompts(1, 1)
}
