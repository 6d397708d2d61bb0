package journalpg_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// readmeSQL is the block of SQL of the README that begins with a word.
func readmeSQL(t *testing.T, begins string) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	must(t, err)
	for _, block := range regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		if strings.HasPrefix(block[1], begins) {
			return block[1]
		}
	}
	t.Fatalf("README.md has no block of SQL that begins with %q", begins)
	return ""
}

// The queries of the README can be run.
func TestREADME_Queries(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	entry := ask(t, f.journal(), device())
	text := readmeSQL(t, "-- who")
	n := 0
	for statement := range strings.SplitSeq(text, ";") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		n++
		statement = strings.ReplaceAll(statement, "6babcaad-604b-40ac-a9d7-9fd97c0b779f", entry.Device.DeviceID())
		rows, err := f.db.QueryContext(t.Context(), strings.ReplaceAll(statement, "intune.", f.schema+"."))
		if err != nil {
			t.Errorf("%v: %s", err, statement)
			continue
		}
		for rows.Next() {
		}
		if err := rows.Err(); err != nil {
			t.Errorf("%v: %s", err, statement)
		}
	}
	if n < 5 {
		t.Errorf("there are %d queries", n)
	}
}
