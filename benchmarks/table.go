package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-intune/intune/benchmarks/internal/peer"
)

// row is a line of a table. The first column is absolute, the others are multiples of it.
type row struct {
	title  string
	own    string    // this library's, with its unit
	ratios []float64 // of the other peers; 0 is not known
}

func render(rows []row) string {
	var b strings.Builder
	b.WriteString("| | " + strings.Join(peer.Titles, " | ") + " |\n|" + strings.Repeat(" --- |", len(peer.Titles)+1) + "\n")
	for _, r := range rows {
		b.WriteString("| " + r.title + " | " + r.own + " |")
		for _, ratio := range r.ratios {
			b.WriteString(" " + times(ratio) + " |")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// times writes a multiple with two digits that mean something.
func times(ratio float64) string {
	switch {
	case ratio == 0:
		return "–"
	case ratio < 9.95:
		return fmt.Sprintf("× %.1f", ratio)
	case ratio < 100:
		return fmt.Sprintf("× %.0f", ratio)
	default:
		return fmt.Sprintf("× %.0f0", ratio/10)
	}
}

// small writes a multiple near 1.
func small(ratio float64) string { return strconv.FormatFloat(ratio, 'f', 2, 64) }

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	values = slices.Sorted(slices.Values(values))
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

func unit(value float64, units ...string) string {
	i := 0
	for value >= 1000 && i < len(units)-1 {
		value /= 1000
		i++
	}
	if value < 10 {
		return fmt.Sprintf("%.1f %s", value, units[i])
	}
	return fmt.Sprintf("%.0f %s", value, units[i])
}

// verdict says how an expectation came out.
func verdict(what string, met bool) string {
	if met {
		return what + ": met."
	}
	return what + ": **missed**."
}
