package main

import (
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"
)

func TestAligned(t *testing.T) {
	t.Parallel()
	rows := [][]string{{"NAME", "N", "WHY"}, {"PC-電脳", "1", strings.Repeat("long ", 9) + "end"}, {"e\u0301e\u0301", "", "x\n"}}
	// In a pipe nothing is cut; wide and combining characters count as they show.
	if got, want := strings.Join(aligned(rows, 0), "\n"),
		"NAME     N  WHY\nPC-電脳  1  "+strings.Repeat("long ", 9)+"end\ne\u0301e\u0301       -  x"; got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	// The widest column gives way, and the others stay.
	if got, want := strings.Join(aligned(rows, 24), "\n"), "NAME     N  WHY\nPC-電脳  1  long long l…\ne\u0301e\u0301       -  x"; got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	for width := range 100 {
		lines := aligned([][]string{{"電脳電脳電脳電脳", "abcdefghijkl", "電a脳b電c脳d"}, {"a", "電脳", strings.Repeat("x", 1000)}}, width+1)
		for _, line := range lines {
			if n := runewidth.StringWidth(line); n > max(width+1, 3*leastCell+2*columnGap) {
				t.Errorf("%d columns in a terminal of %d: %s", n, width+1, line)
			}
		}
	}
	if lines := aligned(nil, 10); len(lines) > 0 {
		t.Errorf("lines of nothing: %q", lines)
	}
}
