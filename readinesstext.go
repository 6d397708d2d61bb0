package intune

import (
	"strings"

	"github.com/go-intune/intune/internal/redact"
)

// readinessColumns is the width of [Readiness.String].
const readinessColumns = 70

// String is a table for a terminal: a line with the device and the verdict, then the checks with what to do about them.
// It has several lines of at most 70 columns, no colors, and no line break at its end. The user of a [UserDevice] is left
// out.
func (r Readiness) String() string {
	statusWidth, nameWidth := 0, 0
	for i := range r.Checks {
		statusWidth = max(statusWidth, columnsOf(string(r.Checks[i].Status)))
		nameWidth = max(nameWidth, columnsOf(r.Checks[i].Name))
	}
	const gap = 2
	margin := strings.Repeat(" ", statusWidth+gap+nameWidth+gap)
	columns := readinessColumns - len(margin)
	lines := wrap(r.Device.redacted()+": "+r.verdict(), readinessColumns)
	remedy := ""
	for i := range r.Checks {
		check := &r.Checks[i]
		text := wrap(check.Detail, columns)
		if check.Remedy != remedy { // several checks in a row may wait for the same thing
			text = append(text, remedyLines(check.Remedy, columns)...)
		}
		remedy = check.Remedy
		first := padded(string(check.Status), statusWidth+gap) + padded(check.Name, nameWidth+gap)
		for _, line := range text {
			lines = append(lines, strings.TrimRight(first+line, " "))
			first = margin
		}
	}
	return strings.Join(lines, "\n")
}

func remedyLines(remedy string, columns int) (lines []string) {
	if remedy == "" {
		return nil
	}
	lead := "-> "
	for _, line := range wrap(remedy, columns-len(lead)) {
		lines = append(lines, lead+line)
		lead = "   "
	}
	return lines
}

func (r Readiness) verdict() string {
	switch {
	case len(r.Checks) == 0:
		return "not checked"
	case !r.OK():
		return "not ready"
	case r.has(ReadinessStatusUnknown):
		return "ready, as far as is known"
	default:
		return "ready"
	}
}

// wrap breaks a text into lines of at most so many columns, at least one line. A word that is longer is cut.
func wrap(text string, columns int) []string {
	lines := []string{""}
	used := 0
	for word := range strings.FieldsSeq(redact.OneLine(text, len(text))) {
		width := columnsOf(word)
		last := len(lines) - 1
		switch {
		case used == 0:
		case used+1+width <= columns:
			lines[last] += " "
			used++
		default:
			lines, used = append(lines, ""), 0
		}
		for _, r := range word {
			if used+columnsOf(string(r)) > columns {
				lines, used = append(lines, ""), 0
			}
			lines[len(lines)-1] += string(r)
			used += columnsOf(string(r))
		}
	}
	return lines
}

// columnsOf is how wide a text is at most: letters of East Asia take two columns each, and what lies above them may.
func columnsOf(text string) int {
	const firstWide = 0x1100
	columns := 0
	for _, r := range text {
		columns++
		if r >= firstWide {
			columns++
		}
	}
	return columns
}

func padded(text string, columns int) string {
	return text + strings.Repeat(" ", max(columns-columnsOf(text), 0))
}
