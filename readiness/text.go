package readiness

import (
	"strings"

	"github.com/go-intune/intune/internal/redact"
)

// tableColumns is the width of [Report.String].
const tableColumns = 70

// String is a table for a terminal: the device and the verdict, then each result with its remedy. A remedy that is the same
// as that of the result above is left out, and so is the user of an [intune.UserDevice]. Lines have at most 70 columns and no
// colors; there is no line break at the end.
func (r Report) String() string {
	statusWidth, nameWidth := 0, 0
	for i := range r.Results {
		statusWidth = max(statusWidth, columnsOf(string(r.Results[i].Status)))
		nameWidth = max(nameWidth, columnsOf(r.Results[i].Name))
	}
	const gap = 2
	margin := strings.Repeat(" ", statusWidth+gap+nameWidth+gap)
	columns := tableColumns - len(margin)
	lines := wrap(r.Device.LogValue().String()+": "+r.verdict(), tableColumns)
	remedy := ""
	for i := range r.Results {
		result := &r.Results[i]
		text := wrap(result.Detail, columns)
		if result.Remedy != remedy { // as those have that need the same read
			text = append(text, remedyLines(result.Remedy, columns)...)
		}
		remedy = result.Remedy
		first := padded(string(result.Status), statusWidth+gap) + padded(result.Name, nameWidth+gap)
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

func (r Report) verdict() string {
	switch {
	case len(r.Results) == 0:
		return "not checked"
	case !r.OK():
		return "not ready"
	case r.has(StatusUnknown):
		return "ready, as far as is known"
	default:
		return "ready"
	}
}

// wrap breaks a text into one or more lines of at most so many columns. It cuts words that are longer.
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

// columnsOf is the greatest width that a terminal may give a text. Characters of East Asia take two columns.
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
