package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// clean makes one line of text that is safe on a terminal. What a device calls itself is for its user to choose: an escape
// sequence could clear the screen or rewrite other rows, a mark that reverses the direction of text could make one serial
// number look like another, and runs of spaces could fake columns.
func clean(text string) string {
	var b strings.Builder
	space := false
	for _, r := range strings.TrimSpace(text) {
		if unicode.Is(unicode.Zs, r) {
			space = true
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		if !unicode.IsPrint(r) {
			r = utf8.RuneError // shown, so that the technician sees that there is something odd
		}
		b.WriteRune(r)
	}
	return b.String()
}

// cell is a text for a column of a table, cut to its width on the screen.
func cell(text string, width int) string {
	return runewidth.FillRight(cut(orDash(clean(text)), width), width)
}

// cut shortens a text to a width on the screen. A width of 0 is no limit.
func cut(text string, width int) string {
	if width == 0 {
		return text
	}
	return runewidth.Truncate(text, width, "…")
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if strings.TrimSpace(text) != "" {
			return text
		}
	}
	return ""
}

// wrapped breaks a text at spaces into lines of a width, each with its end; the lines after the first begin with indent. A
// word that is too long, such as a link, stays whole. A width of 0 is no limit.
func wrapped(text string, width int, indent string) string {
	if width == 0 {
		return text + "\n"
	}
	var b strings.Builder
	column := 0
	for word := range strings.SplitSeq(text, " ") {
		size := runewidth.StringWidth(word)
		switch {
		case column == 0:
		case column+1+size > width:
			b.WriteString("\n" + indent)
			column = len(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += size
	}
	b.WriteByte('\n')
	return b.String()
}

// synced reports whether a time is that of a sync. Intune also says "never" with the year 9999.
func synced(at time.Time) bool { return !at.IsZero() && at.Year() < 9999 }

// moment is a time as Intune's own reports show it, in UTC.
func moment(at time.Time) string { return at.UTC().Format("2006-01-02 15:04") + " UTC" }

// lastSync is the time and the age of a sync; the age is what tells a device in use from a forgotten record of it.
func lastSync(at, now time.Time) string {
	if !synced(at) {
		return "never"
	}
	return moment(at) + ", " + age(now.Sub(at))
}

// syncAge is the age alone.
func syncAge(at, now time.Time) string {
	if !synced(at) {
		return "never"
	}
	return age(now.Sub(at))
}

// age says how long ago something was, in plain words.
func age(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < -5*time.Minute: // less is an everyday difference between clocks
		return "in the future"
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return plural(int(d/time.Minute), "minute") + " ago"
	case d < day:
		return plural(int(d/time.Hour), "hour") + " ago"
	case d < 60*day:
		return plural(int(d/day), "day") + " ago"
	case d < 730*day:
		return plural(int(d/(30*day)), "month") + " ago"
	default:
		return plural(int(d/(365*day)), "year") + " ago"
	}
}

// clock is a duration as a stopwatch shows it.
func clock(d time.Duration) string {
	seconds := int(d / time.Second)
	return strconv.Itoa(seconds/60) + ":" + strconv.Itoa(seconds%60/10) + strconv.Itoa(seconds%10)
}

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// facts are names and values, one a line, cut to a width. A width of 0 is no limit.
func facts(rows [][2]string, width int) string {
	const indent = 12
	var b strings.Builder
	for _, row := range rows {
		value := cut(cmp.Or(clean(row[1]), "-"), less(width, indent))
		fmt.Fprintf(&b, "%-*s%s\n", indent, row[0], value)
	}
	return b.String()
}
