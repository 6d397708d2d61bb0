// Package document keeps made tables in a Markdown file, between a comment that names them and a comment that ends them.
package document

import (
	"fmt"
	"os"
	"strings"
)

// Table is the text of a table in a file.
func Table(file, name string) (string, error) {
	_, table, _, err := cut(file, name)
	return table, err
}

// SetTable replaces it.
func SetTable(file, name, table string) error {
	before, _, after, err := cut(file, name)
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(before+"\n"+strings.TrimSpace(table)+"\n\n"+after), 0o644)
}

func cut(file, name string) (before, table, after string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", "", "", err
	}
	start, end := fmt.Sprintf("<!-- table %s -->\n", name), "<!-- end -->"
	before, rest, found := strings.Cut(string(text), start)
	table, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return "", "", "", fmt.Errorf("%s has no table %q: it needs a line %q and below it a line %q", file, name, strings.TrimSpace(start), end)
	}
	return before + start, strings.TrimSpace(table), end + after, nil
}
