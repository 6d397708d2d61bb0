package intune_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-intune/intune"
)

// documents are all Markdown files of the repository, with slashes. It skips the test in a copy of the module without the
// nested modules, such as one that go get downloaded, because the documents speak of them.
func documents(t *testing.T) []string {
	t.Helper()
	if nested, err := filepath.Glob("*/go.mod"); err != nil || len(nested) == 0 {
		t.Skip("the nested modules are missing, so this is no checkout")
	}
	var list []string
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && name != "." && strings.HasPrefix(entry.Name(), ".") {
			return filepath.SkipDir
		}
		if filepath.Ext(name) == ".md" {
			list = append(list, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 8 || !slices.Contains(list, "docs/sessions.md") {
		t.Fatalf("found %q", list)
	}
	return list
}

// Every link leads to a file and a heading that exist, and a link to our own documentation to an identifier. Other sites
// are not asked.
func TestLinks(t *testing.T) {
	t.Parallel()
	links := 0
	for _, document := range documents(t) {
		prose := withoutCode(readText(t, document))
		for _, link := range regexp.MustCompile(`\]\(([^)]*)\)`).FindAllStringSubmatch(prose, -1) {
			links++
			if problem := checkLink(t, document, link[1]); problem != "" {
				t.Errorf("%s: %s: %s", document, link[1], problem)
			}
		}
	}
	if links < 40 {
		t.Errorf("found %d links", links)
	}
	// A check that finds nothing is worth nothing.
	for _, broken := range []string{
		"", "none.md", "#none", "testing.md#none", "../README.md#none", "/README.md", "../README.md#Permissions", "http://example.com",
		"https://pkg.go.dev/github.com/go-intune/intune/none", "https://pkg.go.dev/github.com/go-intune/intune/intunetest#None",
	} {
		if checkLink(t, "docs/decoding.md", broken) == "" {
			t.Errorf("%q counts as a good link", broken)
		}
	}
}

// checkLink says what is wrong with a link of a document.
func checkLink(t *testing.T, document, link string) string {
	t.Helper()
	target, anchor, hasAnchor := strings.Cut(link, "#")
	const ours = "https://pkg.go.dev/github.com/go-intune/intune"
	switch {
	case target == ours || strings.HasPrefix(target, ours+"/"):
		return checkIdentifier(t, path.Join(".", strings.TrimPrefix(target, ours)), anchor)
	case strings.HasPrefix(target, "https://"):
		return ""
	case target == "" && !hasAnchor:
		return "is empty"
	case strings.Contains(target, ":"), strings.HasPrefix(target, "/"):
		return "is neither https nor a relative path"
	}
	file := document
	if target != "" {
		file = path.Join(path.Dir(document), target)
	}
	if _, err := os.Stat(filepath.FromSlash(file)); err != nil {
		return "there is no " + file
	}
	if hasAnchor && (path.Ext(file) != ".md" || !slices.Contains(anchors(readText(t, file)), anchor)) {
		return file + " has no such heading"
	}
	return ""
}

// checkIdentifier says what is wrong with a link to the documentation of a package of this module.
func checkIdentifier(t *testing.T, folder, name string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.FromSlash(folder), "*.go"))
	if err != nil || len(files) == 0 {
		return "there is no package in " + folder
	}
	declared := regexp.MustCompile(`(?m)^(?:func|type|const|var) ` + regexp.QuoteMeta(name) + `\b`)
	for _, file := range files {
		if name == "" || declared.MatchString(readText(t, file)) {
			return ""
		}
	}
	return folder + " declares no " + name
}

// CONTRIBUTING.md promises an example of every operation.
func TestEveryMethodIsInAnExample(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("example*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var examples strings.Builder
	for _, file := range files {
		examples.WriteString(readText(t, file))
	}
	for method := range reflect.TypeFor[*intune.Client]().Methods() {
		if method.Name != "String" && method.Name != "Endpoint" && !strings.Contains(examples.String(), "."+method.Name+"(") {
			t.Errorf("no example calls %s", method.Name)
		}
	}
}

// anchors are the headings of a document in the form that GitHub gives them: two of the same text differ by a number.
func anchors(text string) []string {
	var list []string
	seen := map[string]int{}
	text = regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(text, "")
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		anchor := regexp.MustCompile(`[^\p{L}\p{N}_ -]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		anchor = strings.ReplaceAll(anchor, " ", "-")
		if n := seen[anchor]; n > 0 {
			list = append(list, anchor+"-"+strconv.Itoa(n))
		} else {
			list = append(list, anchor)
		}
		seen[anchor]++
	}
	return list
}

// withoutCode leaves out code, which has brackets of its own. The text of a link may be code.
func withoutCode(text string) string {
	text = regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(text, "")
	text = regexp.MustCompile(`(?m)^    .*$`).ReplaceAllString(text, "")
	return regexp.MustCompile("`[^`\n]*`").ReplaceAllString(text, "code")
}
