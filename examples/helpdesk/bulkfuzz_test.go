package main

import (
	"strings"
	"testing"
)

// FuzzBulkInput reads any file. It may refuse it; what it reads must be lines that can be shown and looked up.
func FuzzBulkInput(f *testing.F) {
	for _, seed := range []string{
		"Device name,Serial\nPC-001,S-1\n", "PC-001", "a;b;c\n1;2;3\n", "\"x\ny\",2\n",
		"\xff\xfea\x00,\x00\n\x00", "\xfe\xff\x00a", "\xef\xbb\xbfid\n\n,\n", "id\tname\n\"", "2\n1\n",
	} {
		f.Add([]byte(seed), "", "", false)
		f.Add([]byte(seed), "2", ";", true)
		f.Add([]byte(seed), "name", "\t", false)
	}
	f.Fuzz(func(t *testing.T, content []byte, column, delimiter string, header bool) {
		o := bulkOptions{column: column, header: header}
		if delimiter != "" && o.takeDelimiter(delimiter) != nil {
			return
		}
		rows, taken, err := readRows(&o, "in.csv", content)
		if err != nil {
			if len(rows) > 0 {
				t.Errorf("%d lines, and the error %v", len(rows), err)
			}
			return
		}
		if len(rows) == 0 || !strings.HasPrefix(taken, "column ") {
			t.Errorf("%d lines of %q", len(rows), taken)
		}
		line := 0
		for _, r := range rows {
			if r.line <= line || r.text != strings.TrimSpace(r.text) {
				t.Errorf("line %d after %d: %q", r.line, line, r.text)
			}
			line = r.line
			if unusable(r.text) == "" && r.text == "" {
				t.Errorf("line %d is blank", r.line)
			}
		}
	})
}
