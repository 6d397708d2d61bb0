package main

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxCell is how many characters of a text a column shows, so that a long name does not push the others off the screen.
const maxCell = 64

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

// cell is a text for a column of the table.
func cell(text string) string {
	text = clean(text)
	if utf8.RuneCountInString(text) > maxCell {
		text = string([]rune(text)[:maxCell-1]) + "…"
	}
	return orDash(text)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// synced reports whether a time is that of a sync. Intune also says "never" with the year 9999.
func synced(at time.Time) bool { return !at.IsZero() && at.Year() < 9999 }

// lastSync is the time and the age of a sync. The time is in UTC, as in Intune's own reports; the age is what tells a device
// in use from a forgotten record of it.
func lastSync(at, now time.Time) string {
	if !synced(at) {
		return "never"
	}
	return at.UTC().Format("2006-01-02 15:04") + " UTC, " + age(now.Sub(at))
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

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}
