package main

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

const byteOrderMark = "\ufeff"

// decoded gives the content of a file as UTF-8 without a mark of its order, with one kind of line ends. guess tells of an
// encoding that the file does not name.
func decoded(name string, content []byte) (text []byte, guess string, err error) {
	switch {
	case bytes.HasPrefix(content, []byte("PK\x03\x04")):
		return nil, "", noText(name, "is a workbook of Excel (.xlsx) or another zip archive")
	case bytes.HasPrefix(content, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
		return nil, "", noText(name, "is an old or protected workbook of Excel, or another file of Office")
	case bytes.HasPrefix(content, []byte("\xff\xfe")), bytes.HasPrefix(content, []byte("\xfe\xff")):
		// What is no character becomes U+FFFD, which no device may have in what names it.
		if content, _, err = transform.Bytes(unicode.BOMOverride(transform.Nop), content); err != nil {
			return nil, "", failed(exitFailure, "%s cannot be read as UTF-16: %v; save it as CSV UTF-8", name, err)
		}
	case utf8.Valid(content):
	case bytes.HasPrefix(content, []byte(byteOrderMark)): // says that it is UTF-8, so that it is damaged
		content = bytes.ToValidUTF8(content, []byte(string(utf8.RuneError)))
	case bytes.IndexByte(content, 0) < 0:
		if content, guess, err = asWindows1252(name, content); err != nil {
			return nil, "", err
		}
	}
	if at := bytes.IndexByte(content, 0); at >= 0 {
		return nil, "", noText(name, fmt.Sprintf("holds a NUL in line %d: it is no text, or UTF-16 without a byte-order mark",
			1+bytes.Count(content[:at], []byte("\n"))))
	}
	content = bytes.TrimPrefix(content, []byte(byteOrderMark))
	if !bytes.Contains(content, []byte("\n")) {
		content = bytes.ReplaceAll(content, []byte("\r"), []byte("\n")) // "CSV (Macintosh)"
	}
	return content, guess, nil
}

func noText(name, what string) error {
	return failed(exitFailure, "%s %s; right is a CSV: in Excel, choose Save As and the type \"CSV UTF-8 (Comma delimited)\"", name, what)
}

// asWindows1252 is for what Excel saves as plain CSV in Western countries. Other countries have other encodings, which the
// bytes do not tell apart, so that a person has to look.
func asWindows1252(name string, content []byte) (text []byte, guess string, err error) {
	text, err = charmap.Windows1252.NewDecoder().Bytes(content)
	if err != nil {
		return nil, "", failed(exitFailure, "%s is not UTF-8: %v; save it as CSV UTF-8", name, err)
	}
	number, line := 0, ""
	for raw := range bytes.Lines(content) {
		if number++; !utf8.Valid(raw) {
			read, _ := charmap.Windows1252.NewDecoder().Bytes(raw) // as the whole was
			line = clean(string(read))
			break
		}
	}
	return text, fmt.Sprintf("%s is not UTF-8 and is taken for Windows-1252, in which line %d reads %q; "+
		"if that is wrong, save it as CSV UTF-8", name, number, cut(line, lineWidth)), nil
}

// splitMark takes the line "sep=;" off, which tells Excel the delimiter. An empty line stays, so that the numbers of the
// lines are those of the file.
func splitMark(name string, content []byte) (rest []byte, delimiter rune, err error) {
	line, rest, _ := bytes.Cut(content, []byte("\n"))
	mark := strings.Trim(strings.TrimSuffix(string(line), "\r"), `"`)
	if len(mark) < len("sep=") || !strings.EqualFold(mark[:len("sep=")], "sep=") {
		return content, 0, nil
	}
	mark = mark[len("sep="):]
	if first, size := utf8.DecodeRuneInString(mark); strings.Trim(mark[size:], ",;\t") == "" { // cells that a spreadsheet added
		mark = string(first)
	}
	delimiter, ok := delimiterOf(mark)
	if !ok {
		return nil, 0, failed(exitFailure, "%s, line 1: %q must name one character between columns, such as sep=;", name, clean(string(line)))
	}
	return append([]byte("\n"), rest...), delimiter, nil
}

// delimiterOf is the one character of a text, if it can be between columns.
func delimiterOf(text string) (rune, bool) {
	r, size := utf8.DecodeRuneInString(text)
	return r, text != "" && size == len(text) && r != utf8.RuneError && !strings.ContainsRune("\"\r\n", r)
}
