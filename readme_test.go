package intune_test

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/go-intune/intune"
)

// Every Go snippet of the README stands in a file that is compiled, so that none of them is wrong.
func TestReadmeSnippets(t *testing.T) {
	t.Parallel()
	var sources []string
	files, err := filepath.Glob("example*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, "journalfile/example_test.go", "readiness/example_test.go")
	err = filepath.WalkDir("examples", func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".go" {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		sources = append(sources, flattened(readText(t, file)))
	}

	snippets := regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllStringSubmatch(readText(t, "README.md"), -1)
	if len(snippets) < 10 {
		t.Fatalf("found %d snippets", len(snippets))
	}
	for _, snippet := range snippets {
		if !containsAny(sources, flattened(snippet[1])) {
			t.Errorf("in none of the examples:\n%s", snippet[1])
		}
	}
}

func readText(t testing.TB, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(content), "\r\n", "\n")
}

// flattened leaves the indents out. It begins with a line break, so that a snippet is found at the begin of a line only.
func flattened(text string) string {
	var b strings.Builder
	b.WriteString("\n")
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimSpace(line) + "\n")
	}
	return b.String()
}

func containsAny(texts []string, part string) bool {
	for _, text := range texts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// The README's table of retries is true of every status: whether the action is sent again, and whether its outcome is
// unknown.
func TestReadmeRetries(t *testing.T) {
	t.Parallel()
	_, section, _ := strings.Cut(readText(t, "README.md"), "\n## Retries\n")
	section, _, _ = strings.Cut(section, "\n## ")
	type row struct{ again, unknown bool }
	read := func(cells []string) row {
		return row{again: strings.HasPrefix(cells[2], "yes"), unknown: strings.Contains(cells[3], "`ErrOutcomeUnknown`")}
	}
	named, classes := map[int]row{}, map[string]row{}
	for _, cells := range regexp.MustCompile(`(?m)^\| (.*?) \| (.*?) \| (.*?) \|$`).FindAllStringSubmatch(section, -1) {
		statuses, _, _ := strings.Cut(cells[1], " except ")
		if strings.Contains(statuses, "claims challenge") || strings.Contains(statuses, "proxy") {
			continue // these are of other answers than the one below
		}
		for _, status := range regexp.MustCompile(`\b\d{3}\b`).FindAllString(statuses, -1) {
			number, _ := strconv.Atoi(status)
			named[number] = read(cells)
		}
		for _, class := range regexp.MustCompile(`\b\dxx\b`).FindAllString(statuses, -1) {
			classes[class] = read(cells)
		}
	}
	if len(named) < 10 || len(classes) != 3 {
		t.Fatalf("read %v and %v", named, classes)
	}
	for status := 300; status < 600; status++ {
		want, ok := named[status]
		if !ok {
			want = classes[strconv.Itoa(status/100)+"xx"]
		}
		sent := 0
		client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
			sent++
			return answer(req, status, nil, "{}"), nil
		}))
		_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
		if got := (row{again: sent > 1, unknown: errors.Is(err, intune.ErrOutcomeUnknown)}); got != want {
			t.Errorf("%d: sent %d times, error %v; the README says %+v", status, sent, err, want)
		}
	}
}
