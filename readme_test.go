package intune_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every Go snippet of the README stands in a file that is compiled, so that none of them is wrong.
func TestReadmeSnippets(t *testing.T) {
	t.Parallel()
	var sources []string
	files, err := filepath.Glob("example*_test.go")
	if err != nil {
		t.Fatal(err)
	}
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
