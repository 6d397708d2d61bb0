package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxInput bounds what is read into memory. A million lines of ids have 40 MB.
const maxInput = 64 << 20

// input is what a file holds.
type input struct {
	rows  []*row
	taken string // the column, in words
	guess string // what was guessed of the file, for a person to check
}

// readInput reads the lines of a file.
func readInput(o *bulkOptions, in io.Reader) (input, error) {
	name := o.file
	if name == "-" {
		name = "standard input"
	} else {
		file, err := os.Open(o.file)
		if err != nil {
			return input{}, err
		}
		defer file.Close()
		in = file
	}
	content, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	switch {
	case err != nil:
		return input{}, fmt.Errorf("read %s: %w", name, err)
	case len(content) > maxInput:
		return input{}, failed(exitFailure, "%s is larger than 64 MiB; split it", name)
	}
	return readRows(o, name, content)
}

// readRows is readInput for a content that is there.
func readRows(o *bulkOptions, name string, content []byte) (input, error) {
	text, guess, err := decoded(name, content)
	if err != nil {
		return input{}, err
	}
	lines, err := readLines(name, text, o.delimiter)
	if err != nil {
		return input{}, err
	}
	if len(lines) == 0 {
		return input{}, failed(exitFailure, "%s holds no line with a text; right is one device a line, below a heading or without", name)
	}
	first := lines[0].cells
	t, err := chooseColumn(o, fmt.Sprintf("%s, line %d", name, lines[0].line), first)
	if err != nil {
		return input{}, err
	}
	if t.header {
		lines = lines[1:]
	}
	if len(lines) == 0 {
		return input{}, failed(exitFailure, "%s holds a heading and no device", name)
	}
	rows := make([]*row, 0, len(lines))
	for _, line := range lines {
		r := &row{line: line.line, kind: t.kind}
		switch n := len(line.cells); {
		case n <= t.index:
			r.fault = fmt.Sprintf("the line has %s, and the devices are in column %d", plural(n, "column"), t.index+1)
		case t.header && t.index > 0 && n > len(first) && !blank(line.cells[len(first):]):
			r.fault = fmt.Sprintf("the line has %s, and the heading %d; a text that holds the delimiter needs quotes around it",
				plural(n, "column"), len(first))
			fallthrough
		default:
			r.text = strings.TrimSpace(line.cells[t.index])
		}
		rows = append(rows, r)
	}
	return input{rows, t.words(), guess}, nil
}

// csvLine is a line of a CSV, or several if a text in quotes has some.
type csvLine struct {
	line  int // the first
	cells []string
}

// readLines reads a CSV. Blank lines are left out.
func readLines(name string, content []byte, delimiter rune) ([]csvLine, error) {
	content, marked, err := splitMark(name, content)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(content))
	r.FieldsPerRecord = -1
	switch {
	case delimiter != 0:
		r.Comma = delimiter
	case marked != 0:
		r.Comma = marked
	default:
		r.Comma = likelyDelimiter(content)
	}
	var all []csvLine
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, badQuote(name, content, err)
		}
		if blank(cells) {
			continue
		}
		line, _ := r.FieldPos(0)
		all = append(all, csvLine{line, cells})
	}
}

// badQuote says where quotes are wrong, and what would be right.
func badQuote(name string, content []byte, err error) error {
	parse, ok := errors.AsType[*csv.ParseError](err)
	if !ok {
		return fmt.Errorf("read %s: %w", name, err)
	}
	const right = `right is "27"" screen": quotes around the text, and each quote within it twice`
	line, number := []byte(nil), 0
	for line = range bytes.Lines(content) {
		if number++; number == parse.Line {
			break
		}
	}
	at := parse.Column - 1
	if at >= len(line) || line[at] != '"' {
		return failed(exitFailure, "%s, line %d: a text begins with a quote, and no quote ends it before the file ends; %s",
			name, parse.StartLine, right)
	}
	place := fmt.Sprintf("%s, line %d, character %d", name, parse.Line, 1+utf8.RuneCount(line[:at]))
	if parse.StartLine != parse.Line {
		place += fmt.Sprintf(", of what begins in line %d", parse.StartLine)
	}
	if errors.Is(err, csv.ErrBareQuote) {
		return failed(exitFailure, "%s: a quote in a text that does not begin with one; %s", place, right)
	}
	return failed(exitFailure, "%s: the quote ends the text, and more text follows; %s", place, right)
}

// likelyDelimiter is the one that the first line with a text has most of, outside of quotes.
func likelyDelimiter(content []byte) rune {
	count := map[rune]int{}
	quoted := false
	content = bytes.TrimLeft(content, " \r\n")
	for _, r := range string(content[:min(len(content), 64<<10)]) {
		if r == '"' {
			quoted = !quoted
		}
		if quoted {
			continue
		}
		if r == '\n' {
			break
		}
		count[r]++
	}
	best := ','
	for _, r := range ";\t" {
		if count[r] > count[best] {
			best = r
		}
	}
	return best
}

func blank(cells []string) bool { return strings.TrimSpace(strings.Join(cells, "")) == "" }

// unusable is why a text can name no device, "" if it can.
func unusable(text string) string {
	switch {
	case text == "":
		return "the line names no device"
	case strings.ContainsRune(text, utf8.RuneError):
		return "the text holds a character that was lost when the file was written or converted; save it as CSV UTF-8 again"
	case strings.ContainsFunc(text, unicode.IsControl):
		return "the text holds a control character"
	}
	return ""
}
