package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// built builds this program with flags.
func built(t *testing.T, flags ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "program.exe")
	args := append([]string{"build", "-buildvcs=false", "-o", name}, flags...)
	if out, err := exec.CommandContext(t.Context(), "go", append(args, ".")...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return name
}

func TestRun(t *testing.T) {
	t.Parallel()
	name := built(t, "-trimpath")
	var bills [2]string
	for i := range bills {
		if err := run(name, root, "v1.2.3"); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(name + ".cdx.json")
		if err != nil {
			t.Fatal(err)
		}
		bills[i] = string(text)
	}
	if bills[0] != bills[1] {
		t.Error("two bills of one program differ")
	}
	var got document
	if err := json.Unmarshal([]byte(bills[0]), &got); err != nil {
		t.Fatal(err)
	}
	main := got.Metadata.Component
	if main.Name != "sbom" || main.Version != "v1.2.3" {
		t.Errorf("the program is %s %s", main.Name, main.Version)
	}
	if want := "pkg:golang/github.com/go-intune/intune/tools@v1.2.3#sbom"; main.PURL != want {
		t.Errorf("its package URL is %s, want %s", main.PURL, want)
	}
	if len(got.Components) != 1 || got.Components[0].Name != "std" {
		t.Errorf("it is made of %+v", got.Components)
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	if err := run(built(t), root, ""); err == nil || !strings.Contains(err.Error(), "-trimpath") {
		t.Errorf("without -trimpath: %v", err)
	}
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	if run(text, root, "") == nil {
		t.Error("a text is a program")
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	p := program{settings: map[string]string{"-trimpath": "true", "vcs.modified": "true"}}
	if list := p.faults(); len(list) != 1 || !strings.Contains(list[0].Error(), "not committed") {
		t.Errorf("%v", list)
	}
}

func TestBill(t *testing.T) {
	t.Parallel()
	text, err := bill(program{path: "example.com/a/cmd/Prog", modules: []module{
		{path: "example.com/a", version: "v1.0.0", license: "MIT"},
		{path: "example.com/B", version: "v2.0.0+incompatible", sum: "h1:x=", license: "Apache-2.0 AND BSD-3-Clause"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`"bom-ref": "pkg:golang/example.com/a@v1.0.0#cmd/Prog"`, `"name": "Prog"`, `"name": "example.com/B"`,
		`"purl": "pkg:golang/example.com/b@v2.0.0%2Bincompatible"`, `"expression": "Apache-2.0 AND BSD-3-Clause"`, `"value": "h1:x="`,
	} {
		if !strings.Contains(string(text), part) {
			t.Errorf("%s is missing from\n%s", part, text)
		}
	}
}

// A text is known whoever holds the copyright, and is not if anything else differs.
func TestLicenseOf(t *testing.T) {
	t.Parallel()
	ours, err := os.ReadFile(filepath.Join(root, "LICENSE"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		files map[string]string
		want  string // blank: refused
	}{
		"known":             {map[string]string{"LICENSE": string(ours)}, "MIT"},
		"somebody else's":   {map[string]string{"license.md": strings.Replace(string(ours), "2026", "1999", 1)}, "MIT"},
		"other line breaks": {map[string]string{"COPYING": strings.ReplaceAll(string(ours), "\n", "\r\n  ")}, "MIT"},
		"one more clause":   {map[string]string{"LICENSE": string(ours) + "\nThe Software shall not be sold.\n"}, ""},
		"one more file":     {map[string]string{"LICENSE": string(ours), "LICENSE-GPL": "GNU General Public License"}, ""},
		"no file":           {map[string]string{"README.md": string(ours)}, ""},
	} {
		folder := t.TempDir()
		for file, text := range c.files {
			if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := licenseOf(folder); got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q, error %v", name, got, err)
		}
	}
}

// Each line of the list has a hash of its own and a license that needs nothing of those who link it but its text.
func TestLicenses(t *testing.T) {
	t.Parallel()
	var seen []string
	for line := range strings.Lines(licenses) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) != 3 || len(fields[0]) != 32 {
			t.Errorf("%q is not hash, license and module", line)
			continue
		}
		if slices.Contains(seen, fields[0]) {
			t.Errorf("%s is listed twice", fields[0])
		}
		seen = append(seen, fields[0])
		for id := range strings.SplitSeq(fields[1], "_AND_") {
			if !slices.Contains([]string{"MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0"}, id) {
				t.Errorf("%s is not a license that may be linked", id)
			}
		}
	}
}
