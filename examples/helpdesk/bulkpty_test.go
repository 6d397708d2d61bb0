//go:build unix

package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune/intunetest"
)

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
