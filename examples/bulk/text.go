package main

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// clean makes one line of text that is safe on a terminal. What a device calls itself is for its user to choose: an escape
// sequence could clear the screen, and a mark that reverses the direction of text could make one name look like another.
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
			r = utf8.RuneError // shown, so that it is seen that there is something odd
		}
		b.WriteRune(r)
	}
	return b.String()
}

// wrapped breaks a text at spaces into lines of a width, each with its end; the lines after the first begin with indent. A
// word that is too long stays whole. A width of 0 is no limit.
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

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}
