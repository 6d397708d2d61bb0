package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// kind is what a text names a device by.
type kind string

const (
	kindAny    kind = "" // recognized by itself
	kindID     kind = "id"
	kindSerial kind = "serial"
	kindName   kind = "name"
	kindEntra  kind = "entra"
)

// plurals are the kinds in words.
func (k kind) plurals() string {
	switch k {
	case kindID:
		return "Intune ids"
	case kindSerial:
		return "serial numbers"
	case kindName:
		return "device names"
	case kindEntra:
		return "Entra device ids"
	default:
		return "ids, serial numbers or device names"
	}
}

// headings are those that say what a column holds, in lower case and without spaces and marks. The order is that of trust:
// an id is never ambiguous. "deviceid" is Intune's in exports of Intune and Entra's in those of Entra; a line of ids is
// looked up as both.
var headings = []struct { //nolint:gochecknoglobals // a table
	kind  kind
	names []string
}{
	{kindID, []string{"intunedeviceid", "manageddeviceid", "intuneid", "deviceid", "id"}},
	{kindEntra, []string{"azureaddeviceid", "entradeviceid", "azureadid", "entraid", "aaddeviceid"}},
	{kindSerial, []string{"serialnumber", "serial", "serialno", "sn"}},
	{kindName, []string{"devicename", "computername", "hostname", "name"}},
	{kindAny, []string{"device", "devices"}},
}

// headingKind says what a heading means.
func headingKind(text string) (k kind, rank int, ok bool) {
	text = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, text)
	for _, h := range headings {
		for _, name := range h.names {
			if name == text {
				return h.kind, rank, true
			}
			rank++
		}
	}
	return kindAny, rank, false
}

// maxInput bounds what is read into memory. A million lines of ids have 40 MB.
const maxInput = 64 << 20

// readInput reads the lines of a file, and says which column it took.
func readInput(o *bulkOptions, in io.Reader) (rows []*row, taken string, err error) {
	name := o.file
	if name == "-" {
		name = "standard input"
	} else {
		file, err := os.Open(o.file)
		if err != nil {
			return nil, "", err
		}
		defer file.Close()
		in = file
	}
	content, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	switch {
	case err != nil:
		return nil, "", fmt.Errorf("read %s: %w", name, err)
	case len(content) > maxInput:
		return nil, "", failed(exitFailure, "%s is larger than 64 MiB; split it", name)
	}
	return readRows(o, name, content)
}

// readRows is readInput for a content that is there.
func readRows(o *bulkOptions, name string, content []byte) (rows []*row, taken string, err error) {
	records, lines, err := records(unmarked(content), o.delimiter)
	if err != nil {
		return nil, "", fmt.Errorf("read %s: %w", name, err)
	}
	if len(records) == 0 {
		return nil, "", failed(exitFailure, "%s holds no line", name)
	}
	t, err := chooseColumn(o, records[0])
	if err != nil {
		return nil, "", err
	}
	for i, record := range records {
		if i == 0 && t.header || blank(record) {
			continue
		}
		r := &row{line: lines[i], kind: t.kind}
		if t.index < len(record) {
			r.text = strings.TrimSpace(record[t.index])
		}
		rows = append(rows, r)
	}
	if len(rows) == 0 {
		return nil, "", failed(exitFailure, "%s holds a heading and no device", name)
	}
	return rows, t.words(), nil
}

// unmarked gives text as UTF-8 without a mark of its order. Spreadsheets also save UTF-16.
func unmarked(content []byte) []byte {
	var order func([]byte) uint16
	switch {
	case bytes.HasPrefix(content, []byte("\xff\xfe")):
		order = func(b []byte) uint16 { return uint16(b[0]) | uint16(b[1])<<8 }
	case bytes.HasPrefix(content, []byte("\xfe\xff")):
		order = func(b []byte) uint16 { return uint16(b[1]) | uint16(b[0])<<8 }
	default:
		return bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	}
	units := make([]uint16, 0, len(content)/2)
	for at := 2; at+1 < len(content); at += 2 {
		units = append(units, order(content[at:]))
	}
	return []byte(string(utf16.Decode(units)))
}

// records are the records of a CSV with the numbers of their lines. Blank lines are left out.
func records(content []byte, delimiter rune) (all [][]string, lines []int, err error) {
	r := csv.NewReader(bytes.NewReader(content))
	r.FieldsPerRecord = -1
	r.Comma = delimiter
	if delimiter == 0 {
		r.Comma = likelyDelimiter(content)
	}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return all, lines, nil
		}
		if err != nil {
			return nil, nil, err
		}
		line, _ := r.FieldPos(0)
		all, lines = append(all, record), append(lines, line)
	}
}

// likelyDelimiter is the one that the first line has most of, outside of quotes.
func likelyDelimiter(content []byte) rune {
	count := map[rune]int{}
	quoted := false
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

func blank(record []string) bool { return strings.TrimSpace(strings.Join(record, "")) == "" }

// column is where the devices are.
type column struct {
	index   int
	heading string
	header  bool // the first line is no device
	kind    kind
}

func (t column) words() string {
	text := "column " + strconv.Itoa(t.index+1)
	if t.heading != "" {
		text += fmt.Sprintf(", %q,", t.heading)
	}
	return text + " as " + t.kind.plurals()
}

// chooseColumn finds the column that was asked for, or the one whose heading is the most trustworthy.
func chooseColumn(o *bulkOptions, first []string) (column, error) {
	t := column{kind: o.by, header: o.header}
	best := -1
	for i, text := range first {
		if _, rank, ok := headingKind(text); ok {
			t.header = true
			if best < 0 || rank < best {
				best, t.index = rank, i
			}
		}
	}
	if o.column != "" {
		index, err := columnNamed(o.column, first)
		if err != nil {
			return t, err
		}
		t.index = index
		_, notNumber := strconv.Atoi(o.column)
		t.header = t.header || notNumber != nil
	}
	if t.header && t.index < len(first) {
		t.heading = clean(first[t.index])
		if k, _, _ := headingKind(t.heading); t.kind == kindAny {
			t.kind = k
		}
	}
	return t, nil
}

// columnNamed is the index of a column, by its heading or its number. A heading that is a number takes precedence.
func columnNamed(name string, first []string) (int, error) {
	found := -1
	for i, text := range first {
		if strings.EqualFold(strings.TrimSpace(text), strings.TrimSpace(name)) {
			if found >= 0 {
				return 0, failed(exitUsage, "two columns have the heading %q; say --column %d or --column %d", name, found+1, i+1)
			}
			found = i
		}
	}
	if found >= 0 {
		return found, nil
	}
	if n, err := strconv.Atoi(strings.TrimSpace(name)); err == nil {
		if n < 1 || n > len(first) {
			return 0, failed(exitUsage, "--column %d is not there: the first line has %s", n, plural(len(first), "column"))
		}
		return n - 1, nil
	}
	var all []string
	for _, text := range first {
		all = append(all, strconv.Quote(clean(text)))
	}
	return 0, failed(exitUsage, "no column has the heading %q; the first line has %s", name, strings.Join(all, ", "))
}

// unusable is why a text can name no device, "" if it can.
func unusable(text string) string {
	switch {
	case text == "":
		return "the line names no device"
	case !utf8.ValidString(text):
		return "the text is not UTF-8; save the file as CSV UTF-8"
	case strings.ContainsFunc(text, unicode.IsControl):
		return "the text holds a control character"
	}
	return ""
}
