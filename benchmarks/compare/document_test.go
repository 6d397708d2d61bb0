package compare

import (
	"flag"
	"strings"
	"sync"
	"testing"

	"github.com/go-intune/intune/benchmarks/internal/document"
)

var update = flag.Bool("update", false, "write the tables of docs/comparison.md that tests make")

// writing is held while one of the parallel tests writes the document.
var writing sync.Mutex

// hold compares a table of docs/comparison.md with what the libraries do now.
func hold(t *testing.T, name, table string) {
	t.Helper()
	const file = "../../docs/comparison.md"
	if *update {
		writing.Lock()
		defer writing.Unlock()
		if err := document.SetTable(file, name, table); err != nil {
			t.Fatal(err)
		}
		return
	}
	held, err := document.Table(file, name)
	if err != nil {
		t.Fatal(err)
	}
	if held != strings.TrimSpace(table) {
		t.Errorf("docs/comparison.md says otherwise; go test -run '^%s$' ./compare -update writes it. Now it is:\n%s", t.Name(), table)
	}
}
