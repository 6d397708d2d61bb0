package main

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzBulkInput reads any file. It may refuse it; what it reads must be lines that can be shown and looked up.
func FuzzBulkInput(f *testing.F) {
	for _, seed := range []string{
		"Device name,Serial\nPC-001,S-1\n", "PC-001", "a;b;c\n1;2;3\n", "\"x\ny\",2\n", "Ger\xe4t;id\r\nM\xfcller;1\r\n",
		"\xff\xfea\x00,\x00\n\x00", "\xfe\xff\x00a", "\xef\xbb\xbfid\n\n,\n", "id\tname\n\"", "2\n1\n",
		"sep=;\r\nid;UPN\r\n1;a@b\r\n", "\"SEP=\t\"\nid\tx\n", "id\r1\r2", "PK\x03\x04", "\xef\xbb\xbfid\nM\xfc\n", "id\x00", "id\n27\" x\n",
	} {
		f.Add([]byte(seed), "", "", false, false)
		f.Add([]byte(seed), "2", ";", true, false)
		f.Add([]byte(seed), "name", "\t", false, true)
	}
	f.Fuzz(func(t *testing.T, content []byte, column, delimiter string, header, noHeader bool) {
		o := bulkOptions{column: column, header: header, noHeader: noHeader && !header}
		if delimiter != "" && o.takeDelimiter(delimiter) != nil {
			return
		}
		got, err := readRows(&o, "in.csv", content)
		if err != nil {
			if len(got.rows) > 0 {
				t.Errorf("%d lines, and the error %v", len(got.rows), err)
			}
			if !strings.Contains(err.Error(), "in.csv") {
				t.Errorf("no file in the error %v", err)
			}
			return
		}
		if len(got.rows) == 0 || !strings.HasPrefix(got.taken, "column ") {
			t.Errorf("%d lines of %q", len(got.rows), got.taken)
		}
		if utf8.Valid(content) && got.guess != "" {
			t.Errorf("valid UTF-8, and the guess %q", got.guess)
		}
		line := 0
		for _, r := range got.rows {
			if r.line <= line || r.text != strings.TrimSpace(r.text) {
				t.Errorf("line %d after %d: %q", r.line, line, r.text)
			}
			line = r.line
			if !utf8.ValidString(r.text) {
				t.Errorf("line %d is not UTF-8: %q", r.line, r.text)
			}
			if unusable(r.text) == "" && r.text == "" {
				t.Errorf("line %d is blank", r.line)
			}
		}
	})
}
