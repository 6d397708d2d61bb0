package main

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// devicesIn are the texts that name devices, with the numbers of their lines.
func devicesIn(t *testing.T, o bulkOptions, content string) (devices []string, got input) {
	t.Helper()
	got, err := readRows(&o, "in.csv", []byte(content))
	if err != nil {
		t.Fatalf("%q: %v", content, err)
	}
	for _, r := range got.rows {
		devices = append(devices, fmt.Sprintf("%d %s", r.line, r.text))
	}
	return devices, got
}

// TestBulkInputEncodings has what Excel and others save, by the names that they have in their dialogs.
func TestBulkInputEncodings(t *testing.T) {
	t.Parallel()
	const text = "Asset\tGerätename – Name\r\n1\tMüller-PC1\r\n2\t電脳-2\r\n"
	const western = "Asset;Gerätename – Name\r\n1;Müller-PC1\r\n2;€-2\r\n"
	encoded := func(e encoding.Encoding, text string) string {
		out, err := e.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for name, c := range map[string]struct{ content, last, guess string }{
		"UTF-8":                 {text, "電脳-2", ""},
		"CSV UTF-8":             {"\xef\xbb\xbf" + text, "電脳-2", ""},
		"Unicode Text":          {encoded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), text), "電脳-2", ""},
		"big endian":            {encoded(unicode.UTF16(unicode.BigEndian, unicode.UseBOM), text), "電脳-2", ""},
		"CSV":                   {encoded(charmap.Windows1252, western), "€-2", `Windows-1252, in which line 1 reads "Asset;Gerätename – Name"`},
		"CSV (Macintosh)":       {strings.ReplaceAll(text, "\r\n", "\r"), "電脳-2", ""},
		"sep= and UTF-8":        {"sep=;\r\n" + western, "€-2", ""},
		"sep= and Windows-1252": {encoded(charmap.Windows1252, "sep=;\r\n"+western), "€-2", "in which line 2 reads"},
	} {
		devices, got := devicesIn(t, bulkOptions{column: "Gerätename – Name"}, c.content)
		first := 2
		if strings.HasPrefix(name, "sep=") {
			first = 3
		}
		if want := fmt.Sprintf("%d Müller-PC1,%d %s", first, first+1, c.last); strings.Join(devices, ",") != want {
			t.Errorf("%s: %q, want %q", name, devices, want)
		}
		if (got.guess == "") != (c.guess == "") || !strings.Contains(got.guess, c.guess) {
			t.Errorf("%s: the guess is %q, want %q", name, got.guess, c.guess)
		}
	}
}

// TestBulkInputLines has lists that are odd and right.
func TestBulkInputLines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options bulkOptions
		content string
		want    string
	}{
		"sep= alone":               {bulkOptions{}, "sep=;\nAsset;Serial\n1,5;S-1\n", "3 S-1"},
		"sep= in quotes":           {bulkOptions{}, "\"SEP=|\"\r\nAsset|Serial\r\n1|S-1\r\n", "3 S-1"},
		"sep= with cells":          {bulkOptions{}, "sep=;,,,\nAsset;Serial\n1;S-1\n", "3 S-1"},
		"sep= with a tab":          {bulkOptions{}, "sep=\t\nAsset\tSerial\n1;2;3\tS-1\n", "3 S-1"},
		"sep= and --delimiter":     {bulkOptions{delimiter: ';'}, "sep=,\nAsset;Serial\n1,5;S-1\n", "3 S-1"},
		"blank lines":              {bulkOptions{}, "\n \n;;\nAsset;Serial\n\n;\n1;S-1\n", "7 S-1"},
		"one column in use":        {bulkOptions{}, "PC-1,,\nPC-2,,\n", "1 PC-1,2 PC-2"},
		"no heading, said":         {bulkOptions{noHeader: true}, "RECEPTION\nKITCHEN\n", "1 RECEPTION,2 KITCHEN"},
		"a device like a heading":  {bulkOptions{noHeader: true, column: "1"}, "name,x\nPC-1,y\n", "1 name,2 PC-1"},
		"users":                    {bulkOptions{}, "anna.berg@contoso.com\nbo@contoso.com\n", "1 anna.berg@contoso.com,2 bo@contoso.com"},
		"text in quotes":           {bulkOptions{}, "\"Serial\nnumber\",x\n\"S-1\",\"a\nb\"\nS-2,\n", "3 S-1,5 S-2"},
		"decomposed accent":        {bulkOptions{column: "Gerätename"}, "Gera\u0308tename\nPC-1\n", "2 PC-1"},
		"invisible in the heading": {bulkOptions{column: "Rechner Nummer"}, "\u200bRechner\u00a0 Nummer,x\nPC-1,y\n", "2 PC-1"},
		"spaces around":            {bulkOptions{}, "Serial\n\u00a0 S-1\t\n", "2 S-1"},
		"twice the same":           {bulkOptions{}, "S-1\nS-1\n", "1 S-1,2 S-1"},
		"more than the heading":    {bulkOptions{}, "Serial\nS-1,a comment\n", "2 S-1"},
	} {
		devices, got := devicesIn(t, c.options, c.content)
		if strings.Join(devices, ",") != c.want {
			t.Errorf("%s: %q, want %q", name, devices, c.want)
		}
		for _, r := range got.rows {
			if r.fault != "" {
				t.Errorf("%s: line %d: %s", name, r.line, r.fault)
			}
		}
	}
}

// TestBulkInputRefused has files of which it is not known which devices are meant. The errors say where, and what is right.
func TestBulkInputRefused(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"":                  "in.csv holds no line with a text; right is one device a line",
		"\xef\xbb\xbf":      "in.csv holds no line",
		" \n\t\r\n\u00a0\n": "in.csv holds no line",
		"sep=;\n":           "in.csv holds no line",
		"sep=\nid\n":        `in.csv, line 1: "sep=" must name one character`,
		"sep=ab\nid\n":      `in.csv, line 1: "sep=ab" must name one character`,
		"Serial\n":          "in.csv holds a heading and no device",
		"Serial\n , \n":     "in.csv holds a heading and no device",
		"Computer\nPC-1\n":  `in.csv, line 1, column 1: "Computer" looks like a heading, and not one that says`,
		"\n\nComputer\n": `line 3, column 1: "Computer" looks like a heading, and not one that says what is below it; ` +
			`if it is a heading, say --column "Computer", and if it is a device, --header=false`,
		"Gerätename":                       `if it is a device, --header=false`,
		"Ger\xe4tename\nPC-1\n":            `--column "Gerätename"`,
		"Asset,Computer\n1,PC-1\n":         `in.csv, line 1: no heading that says what names the devices, but "Asset", "Computer"; say`,
		"PC-1,Anna\nPC-2,Bo\n":             "--column 1",
		"PK\x03\x04\x14\x00\x06\x00[":      `in.csv is a workbook of Excel (.xlsx) or another zip archive; right is a CSV: in Excel,`,
		"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "old or protected workbook",
		"i\x00d\x00\n\x00P\x00C\x001\x00":  "in.csv holds a NUL in line 1: it is no text, or UTF-16 without a byte-order mark",
		"Serial\nS-1\nS-\x002\xff\n":       "in.csv holds a NUL in line 3",
		"Serial\nS-1\n\"S-2\nS-3\n":        "in.csv, line 3: a text begins with a quote, and no quote ends it before the file ends; right is",
		"Serial,x\nS-1,ä27\" screen\n":     "in.csv, line 2, character 8: a quote in a text that does not begin with one; right is",
		"Serial,x\nS-1,\"a\nb\"c\n":        "in.csv, line 3, character 2, of what begins in line 2: the quote ends the text, and more",
	} {
		got, err := readRows(&bulkOptions{}, "in.csv", []byte(content))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", content, err, want)
		}
		if len(got.rows) > 0 {
			t.Errorf("%q: %d lines", content, len(got.rows))
		}
	}
}

// TestBulkInputFaults are lines that name no device, among others that do.
func TestBulkInputFaults(t *testing.T) {
	t.Parallel()
	const content = "\xef\xbb\xbfAsset;Serial\n1;S-1\n2\n3;Berg; Anna;S-3\n4;\n5;S\xfc5\n6;S-6;;\n"
	_, got := devicesIn(t, bulkOptions{}, content)
	if got.guess != "" {
		t.Errorf("the file says that it is UTF-8, and yet: %s", got.guess)
	}
	for i, want := range []string{
		"", "the line has 1 column, and the devices are in column 2", "the line has 4 columns, and the heading 2; a text",
		"the line names no device", "a character that was lost", "",
	} {
		r := got.rows[i]
		if _, err := r.look(t.Context(), inventory{}); err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = "no device has this serial number"
		}
		if !strings.Contains(r.detail, want) {
			t.Errorf("line %d: %q, want %q", r.line, r.detail, want)
		}
	}
}

// TestBulkInputMany reads 100,000 lines of which most are the same.
func TestBulkInputMany(t *testing.T) {
	t.Parallel()
	const lines = 100_000
	var b strings.Builder
	b.WriteString("Serial;Note\r\n")
	for i := range lines {
		fmt.Fprintf(&b, "S-%03d;ä\r\n", 1+i%3)
	}
	content, err := charmap.Windows1252.NewEncoder().String(b.String())
	if err != nil {
		t.Fatal(err)
	}
	if utf8.ValidString(content) {
		t.Fatal("the content is UTF-8")
	}
	p := newPlace(t, fleetOf(3, nil))
	p.write("in.csv", content)
	got := p.run("-yes", "in.csv").wants(exitDone, "in which line 2 reads \"S-001;ä\"", "100000 lines, 3 devices: 3 accepted")
	if n := len(results(t, got.stdout)); n != lines {
		t.Errorf("%d results, want %d", n, lines)
	}
	if n := p.tenant.RequestCount(); n > 5 {
		t.Errorf("%d requests", n)
	}
	p.prompts(1, 1, 1)
}

// TestBulkUsers names devices by their users. One with several devices is listed, and nobody is asked.
func TestBulkUsers(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(quick())
	for i, user := range []string{"anna@contoso.com", "bo@contoso.com", "Bo@contoso.com", "", "pc@home"} {
		tenant.AddDevice(intune.ManagedDevice{ID: idOf(i + 1), DeviceName: nameOf(i + 1), UserPrincipalName: user})
	}
	tenant.AddDevice(intune.ManagedDevice{ID: idOf(6), DeviceName: "kiosk@home"})
	p := newPlace(t, tenant)
	const users = "ANNA@contoso.com\nbo@contoso.com\nnobody@contoso.com\nkiosk@home\npc@home\n"
	want := []string{
		"ANNA@contoso.com " + idOf(1) + " wouldAsk", "bo@contoso.com  ambiguous", "nobody@contoso.com  notFound",
		"kiosk@home " + idOf(6) + " wouldAsk", "pc@home " + idOf(5) + " wouldAsk",
	}
	p.write("in.csv", users)
	p.run("-dry-run", "in.csv").wants(exitAmbiguous, `"bo@contoso.com": 2 devices match: PC-00`, "would be asked: 3").
		wantsColumns("device deviceId outcome", want...)
	// The same from the list of all devices, which many lines are looked up in.
	p.write("many.csv", users+strings.Repeat("none\n", manyLookups))
	many := p.run("-dry-run", "many.csv").wants(exitAmbiguous, `"bo@contoso.com": 2 devices match: PC-00`)
	if got := many.columns("device", "deviceId", "outcome"); !strings.HasPrefix(got, strings.Join(want, "\n")+"\n") {
		t.Errorf("%s", got)
	}
	// A column of users holds nothing else.
	p.write("upn.csv", "Display name,UPN\nAnna,anna@contoso.com\nKiosk,kiosk@home\nBo,bo@contoso.com\n")
	p.run("-yes", "upn.csv").wants(exitAmbiguous, `column 2, "UPN", as sign-in names of the users`, "may differ from the mail address").
		wantsColumns("outcome", "accepted", "notFound", "ambiguous")
	p.prompts(1, 0, 0, 0, 0, 0)
	p.write("user.csv", "User\nanna@contoso.com\n")
	p.run("-yes", "user.csv").wants(exitUsage, `--column "User"`)
	p.run("-yes", "-ask-again", "-column", "user", "-by", "user", "user.csv").wants(exitDone)
	p.prompts(2, 0, 0, 0, 0, 0)
}
