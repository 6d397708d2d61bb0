package main

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

const (
	columnGap = 2
	leastCell = 4  // columns of a cell that is cut; less shows nothing
	mostSpace = 64 // columns that a cell is filled up to where none is cut, so that one long text does not stretch all rows
)

// aligned lays rows out in columns, each as wide as its widest text. What does not fit into the width is cut, the widest
// column first; a width of 0 is no limit, for a pipe, where something reads that can take it all.
func aligned(rows [][]string, width int) []string {
	var widths []int
	cells := make([][]string, len(rows))
	for i, row := range rows {
		cells[i] = make([]string, len(row))
		for k, text := range row {
			cells[i][k] = orDash(clean(text))
			if k == len(widths) {
				widths = append(widths, 0)
			}
			widths[k] = max(widths[k], runewidth.StringWidth(cells[i][k]))
		}
	}
	if width > 0 {
		narrow(widths, width-columnGap*(len(widths)-1))
	}
	lines := make([]string, len(rows))
	for i, row := range cells {
		for k, text := range row {
			if width > 0 {
				row[k] = runewidth.FillRight(cut(text, widths[k]), widths[k])
			} else {
				row[k] = runewidth.FillRight(text, min(widths[k], mostSpace))
			}
		}
		lines[i] = strings.TrimRight(strings.Join(row, strings.Repeat(" ", columnGap)), " ")
	}
	return lines
}

// narrow makes widths smaller until they fit into a room, as far as they can be.
func narrow(widths []int, room int) {
	sum := 0
	for k := range widths {
		widths[k] = min(widths[k], max(room, leastCell))
		sum += widths[k]
	}
	for ; sum > room; sum-- {
		widest := 0
		for k := range widths {
			if widths[k] > widths[widest] {
				widest = k
			}
		}
		if widths[widest] <= leastCell {
			return
		}
		widths[widest]--
	}
}

// less is the rest of a width. No limit stays none.
func less(width, taken int) int {
	if width == 0 {
		return 0
	}
	return max(width-taken, leastCell)
}
