package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// kind is what a text names a device by.
type kind string

const (
	kindAny    kind = "" // recognized by itself
	kindID     kind = "id"
	kindSerial kind = "serial"
	kindName   kind = "name"
	kindEntra  kind = "entra"
	kindUser   kind = "user"
)

// kindNames are the words of --by.
func kindNames() []string {
	return []string{string(kindID), string(kindSerial), string(kindName), string(kindUser), string(kindEntra)}
}

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
	case kindUser:
		return "sign-in names of the users"
	default:
		return "ids, serial numbers, device names or sign-in names"
	}
}

// headings are those that say what a column holds, in lower case and without spaces and marks. The order is that of trust:
// an id is never ambiguous, and a user may have several devices. "deviceid" is Intune's in exports of Intune and Entra's in
// those of Entra; a line of ids is looked up as both.
var headings = []struct { //nolint:gochecknoglobals // a table
	kind  kind
	names []string
}{
	{kindID, []string{"intunedeviceid", "manageddeviceid", "intuneid", "deviceid", "id"}},
	{kindEntra, []string{"azureaddeviceid", "entradeviceid", "azureadid", "entraid", "aaddeviceid"}},
	{kindSerial, []string{"serialnumber", "serial", "serialno", "sn"}},
	{kindName, []string{"devicename", "computername", "hostname", "name"}},
	{kindAny, []string{"device", "devices"}},
	{kindUser, []string{"userprincipalname", "upn", "primaryuserupn", "primaryuserprincipalname", "signinname"}},
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

// chooseColumn finds the column that was asked for, or the one whose heading is the most trustworthy. A first line that may
// be a heading that nobody knows is no device, and among several columns none is guessed.
func chooseColumn(o *bulkOptions, place string, first []string) (column, error) {
	t := column{kind: o.by, index: -1, header: o.header}
	known := -1
	for i, text := range first {
		if _, rank, ok := headingKind(text); ok && !o.noHeader && (known < 0 || rank < known) {
			known, t.index, t.header = rank, i, true
		}
	}
	switch only, several := filled(first); {
	case o.column != "":
		index, byHeading, err := columnNamed(o.column, place, first)
		if err != nil {
			return t, err
		}
		t.index, t.header = index, t.header || byHeading && !o.noHeader
	case t.index >= 0:
	case several:
		return t, failed(exitUsage, "%s: no heading that says what names the devices, but %s; say which column does, by its heading "+
			"or its number, such as --column %q or --column 1", place, quoted(first), clean(first[only]))
	default:
		t.index = only
	}
	switch text := clean(first[t.index]); {
	case t.header:
		t.heading = text
		if k, _, _ := headingKind(text); t.kind == kindAny {
			t.kind = k
		}
	case !o.noHeader && maybeHeading(text):
		return t, failed(exitUsage, "%s, column %d: %q looks like a heading, and not one that says what is below it; "+
			"if it is a heading, say --column %q, and if it is a device, --header=false", place, t.index+1, text, text)
	}
	return t, nil
}

// filled is the first column that holds something, and whether others do.
func filled(record []string) (first int, several bool) {
	first = -1
	for i, text := range record {
		switch {
		case strings.TrimSpace(text) == "":
		case first < 0:
			first = i
		default:
			return first, true
		}
	}
	return max(first, 0), false
}

// maybeHeading reports that a text may be a heading in any language: ids, serial numbers and nearly all names of devices
// have digits, and sign-in names an @.
func maybeHeading(text string) bool {
	return strings.ContainsFunc(text, unicode.IsLetter) && !strings.ContainsFunc(text, unicode.IsDigit) && !strings.Contains(text, "@")
}

// columnNamed is the index of a column, by its heading or its number. A heading that is a number takes precedence.
func columnNamed(wanted, place string, first []string) (index int, byHeading bool, err error) {
	index = -1
	for i, text := range first {
		if strings.EqualFold(plain(text), plain(wanted)) {
			if index >= 0 {
				return 0, false, failed(exitUsage, "%s: two columns have the heading %q; say --column %d or --column %d",
					place, wanted, index+1, i+1)
			}
			index = i
		}
	}
	if index >= 0 {
		return index, true, nil
	}
	if n, err := strconv.Atoi(strings.TrimSpace(wanted)); err == nil {
		if n < 1 || n > len(first) {
			return 0, false, failed(exitUsage, "%s: --column %d is not there: the first line has %s", place, n, plural(len(first), "column"))
		}
		return n - 1, false, nil
	}
	return 0, false, failed(exitUsage, "%s: no column has the heading %q; the first line has %s", place, wanted, quoted(first))
}

// plain is a heading as people type it: without invisible characters, and with each accent on its letter.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(norm.NFC.String(text)), " ")
}

// maxQuoted is how many headings are shown.
const maxQuoted = 12

func quoted(record []string) string {
	var all []string
	for i, text := range record {
		if i == maxQuoted {
			all = append(all, fmt.Sprintf("and %d more", len(record)-maxQuoted))
			break
		}
		all = append(all, strconv.Quote(cut(clean(text), lineWidth)))
	}
	return strings.Join(all, ", ")
}
