package pages_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-intune/intune/internal/pages"
)

// reads reads a page. A row is its id and a slash and its text, with a minus in front if it is dropped. The result says which
// of the others are new.
func reads(rows *pages.Rows, page string) (isNew []bool) {
	for row := range strings.FieldsSeq(page) {
		given, dropped := strings.CutPrefix(row, "-")
		id, content, _ := strings.Cut(given, "/")
		text := func() string { return content }
		if dropped {
			rows.Drop(id, text)
			continue
		}
		isNew = append(isNew, rows.Keep(id, text))
	}
	rows.EndPage()
	return isNew
}

func TestRows_New(t *testing.T) {
	t.Parallel()
	var rows pages.Rows
	for i, c := range []struct {
		page string
		want []bool
	}{
		{"a/1 b/1", []bool{true, true}},
		{"a/2 c/1 c/1", []bool{false, true, false}},
		{"-d/1 d/1 d/1", []bool{true, false}}, // what was dropped may be kept later
		{"/1 /1", []bool{true, true}},         // what has no id can't be recognized
		{"", nil},
	} {
		if got := reads(&rows, c.page); !slices.Equal(got, c.want) {
			t.Errorf("page %d: new are %v, want %v", i, got, c.want)
		}
	}
}

func TestRows_Stale(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first, then string // the first page, and all that follow
		want        int    // pages until it is stale
	}{
		"no rows":                 {"", "", 100},
		"rows, then none":         {"a", "", 101},
		"dropped, then none":      {"-a", "", 101},
		"the same row":            {"a/1", "a/2", 101},
		"the same row, dropped":   {"-a/1", "-a/2", 101},
		"kept, then dropped":      {"a", "-a", 102},
		"dropped, then kept":      {"-a", "a", 102},
		"none with an id":         {"/1", "/1", 101},
		"none with an id, others": {"/1", "/2 /1", 102},
		"dropped without an id":   {"-/1", "-/1 /1", 101},
		"several, the first new":  {"a b", "c a", 102},
		"several, the last new":   {"a b", "a c", 102},
		"several, one dropped":    {"a b", "-c a", 102},
	} {
		var rows pages.Rows
		reads(&rows, c.first)
		n := 1
		for ; !rows.Stale() && n < 1000; n++ {
			reads(&rows, c.then)
		}
		if n != c.want {
			t.Errorf("%s: stale after %d pages, want %d", name, n, c.want)
		}
		reads(&rows, "fresh")
		if rows.Stale() {
			t.Errorf("%s: stale after a new row", name)
		}
	}
}
