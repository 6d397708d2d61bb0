package intune_test

import (
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Somebody who takes over an action's repository can move its tags, but not a commit. A workflow gets no more rights than it
// names.
func TestWorkflows(t *testing.T) {
	t.Parallel()
	documents(t) // skips a copy of the module that is no checkout
	files, err := filepath.Glob(".github/workflows/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %q, error %v", files, err)
	}
	pinned := regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	for _, file := range files {
		text := readText(t, file)
		for _, uses := range regexp.MustCompile(`(?m)\buses: (.*)$`).FindAllStringSubmatch(text, -1) {
			if !pinned.MatchString(uses[1]) {
				t.Errorf("%s: %q is not pinned to a commit, with its version behind it", file, uses[1])
			}
		}
		if !regexp.MustCompile(`(?m)^permissions:( \{\}|\n  contents: read\n\n)`).MatchString(text) {
			t.Errorf("%s does not begin with the least permissions", file)
		}
		if checkouts := strings.Count(text, "actions/checkout@"); strings.Count(text, "persist-credentials: false") != checkouts {
			t.Errorf("%s: a checkout leaves its token behind", file)
		}
	}
	if text := readText(t, ".github/workflows/ci.yml"); !strings.Contains(text, "bash .ci/run") {
		t.Error("ci.yml does not run .ci/run")
	}
}

// Every module gets updates.
func TestDependabot(t *testing.T) {
	t.Parallel()
	documents(t)
	var modules []string
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata") {
			return filepath.SkipDir
		}
		if entry.Name() == "go.mod" {
			modules = append(modules, path.Join("/", filepath.ToSlash(filepath.Dir(name))))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, folder := range regexp.MustCompile(`(?m)^      - (/.*)$`).FindAllStringSubmatch(readText(t, ".github/dependabot.yml"), -1) {
		listed = append(listed, folder[1])
	}
	slices.Sort(modules)
	if !slices.Equal(listed, modules) {
		t.Errorf("dependabot.yml lists\n%q, and the modules are in\n%q", listed, modules)
	}
}
