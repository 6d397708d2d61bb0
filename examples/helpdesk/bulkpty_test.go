//go:build unix

package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune/intunetest"
)

// terminal is bulk on a terminal.
func (p *place) terminal(args ...string) *terminal {
	p.t.Helper()
	return p.desk.terminal(append([]string{"bulk"}, args...)...)
}

func TestBulkTerminal(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(12, nil))
	p.write("in.csv", list(12)+"PC-999\n")
	screen := p.terminal("in.csv", "-o", "out.csv", "-per-second", "8").
		shows(`line 14, "PC-999": no device has this name`).
		shows("Ask the users of 12 devices for remote assistance").shows("[y/N]").types("y\n").ends(exitNothing)
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

func TestBulkTerminalNoColor(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{"NO_COLOR": "1", "TERM": "dumb"} {
		p := newPlace(t, fleetOf(3, nil))
		p.env[name] = value
		p.write("in.csv", list(3)+"none\n")
		screen := p.terminal("in.csv", "-o", "out.csv", "-yes").ends(exitNothing)
		if name == "NO_COLOR" {
			screen = strings.ReplaceAll(screen, "\x1b[K", "") // clears a line, which is no color
		}
		if strings.Contains(screen, "\x1b") {
			t.Errorf("%s=%s, and yet:\n%q", name, value, screen)
		}
	}
}

func TestBulkTerminalDeclined(t *testing.T) {
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

// TestBulkTerminalCtrlC stops in the middle, and goes on.
func TestBulkTerminalCtrlC(t *testing.T) {
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

// TestBulkTerminalCtrlCTwice breaks off a request that does not end. Its user may have been asked, and is not asked again.
func TestBulkTerminalCtrlCTwice(t *testing.T) {
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

// TestBulkTerminalTable is for a person: a table, and the summary last. CSV is for programs.
func TestBulkTerminalTable(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(2, nil, intunetest.SessionScript{URL: link}))
	p.write("in.csv", "Device\nS-001\nPC-002\nPC-001\nPC-999 "+strings.Repeat("電脳", 40)+"\n")
	screen := p.terminal("in.csv", "-dry-run").ends(exitNothing)
	for _, part := range []string{
		"LINE  DEVICE", "  NAME ", "2     S-001 ", "PC-001  would ask ", "the same device as", "  no device ", "…",
	} {
		if !strings.Contains(screen, part) {
			t.Errorf("%q was not on the screen:\n%s", part, screen)
		}
	}
	if strings.Contains(screen, "deviceId") {
		t.Errorf("CSV on the screen:\n%s", screen)
	}
	p.write("in.csv", "PC-001\nPC-002\n")
	screen = p.terminal("in.csv", "-yes", "-wait", "-write-links").ends(exitDone)
	table, summary := strings.Index(screen, "LINE  DEVICE  RESULT    SESSION  DETAIL"), strings.Index(screen, "2 lines, 2 devices: 2 accepted")
	if table < 0 || summary < table {
		t.Errorf("the table at %d, the summary at %d:\n%s", table, summary, screen)
	}
	if n := strings.Count(screen, "\r\n      "+link+"\r\n"); n != 2 {
		t.Errorf("%d links, want 2:\n%s", n, screen)
	}
	if screen := p.terminal("in.csv", "-yes").ends(exitDone); !strings.Contains(screen, "accepted earlier") || strings.Contains(screen, link) {
		t.Errorf("screen:\n%s", screen)
	}
	p.prompts(1, 1)
	screen = p.terminalOf(299, "bulk", "in.csv", "-yes", "-o", "-").
		shows("1,PC-001," + idOf(1) + ",PC-001,S-001,accepted,earlier,").ends(exitDone)
	if strings.Contains(screen, "LINE") {
		t.Errorf("a table in the place of CSV:\n%s", screen)
	}
}

// TestBulkTerminalDetail is whole on a narrow terminal too: it says what went wrong, and the run after this one asks again.
func TestBulkTerminalDetail(t *testing.T) {
	t.Parallel()
	p := newPlace(t, fleetOf(1, nil))
	const why = "The device is one that the partner does not support, for a reason that takes long to tell, until the very end."
	p.tenant.Inject(intunetest.Fault{Method: http.MethodPost, Status: http.StatusBadRequest, Code: "BadRequest", Message: why, Times: -1})
	p.write("in.csv", list(1))
	screen := p.terminalOf(49, "bulk", "in.csv", "-yes").ends(exitRefused)
	if !strings.Contains(screen, "PC-001  refused  -") {
		t.Errorf("the row is not on the screen:\n%s", screen)
	}
	if words := strings.Join(strings.Fields(screen), " "); !strings.Contains(words, why) {
		t.Errorf("the detail is not on the screen:\n%s", screen)
	}
}
