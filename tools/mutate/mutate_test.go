package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// The sample has tests for two of its functions, so what survives is known.
func TestSurvivors(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the test programs are started through sh")
	}
	var out strings.Builder
	s := settings{
		dir: filepath.Join("testdata", "sample"), pkg: ".", equivalents: "equivalent.txt",
		least: 5 * time.Second, workers: 2, json: true,
	}
	if err := run(t.Context(), s, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	var got report
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	var survivors []string
	for _, m := range got.Survivors {
		if m.Func == "untested" && m.Unreached {
			continue
		}
		survivors = append(survivors, m.key())
	}
	want := []string{
		"sample.go grade: true: o.Loud",
		`sample.go kind: case value: "HEAD"`,
		"sample.go kind: zero field: Loud: true",
	}
	if !slices.Equal(survivors, want) {
		t.Errorf("survivors %q, want %q", survivors, want)
	}
	if len(got.Files) != 1 || got.Files[0].Equivalent != 1 || got.Files[0].Noticed < 15 ||
		got.Files[0].Total != got.Files[0].Noticed+1+len(got.Survivors) {
		t.Errorf("files %+v with %d survivors", got.Files, len(got.Survivors))
	}
	if !slices.Equal(got.Unused, []string{"sample.go gone: flip: true"}) || !slices.Equal(got.Broken, []string{"TestBroken"}) {
		t.Errorf("unused %q, broken %q", got.Unused, got.Broken)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run(t.Context(), settings{dir: filepath.Join("testdata", "sample"), pkg: ".", equivalents: "none.txt", list: true}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"grade: bound: points < 0", "grade: off by one: 0", "grade: nil error: errNegative", "grade: false: o != nil && o.Loud",
		"grade: true: o != nil", "grade: empty case: case points >= 50", `grade: remove: word = "fail"`, "kind: off by one: 1 << 10",
		`untested: remove: defer println("done")`, "untested: remove: continue", "untested: remove: break",
		"untested: true: i > 1 || i+1 == 2", "untested: false: i+1 == 2", "untested: plus or minus: i+1", "untested: off by one: 2 * time.Second",
	} {
		if !strings.Contains(out.String(), "sample.go "+want+"\n") {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	for _, unwanted := range []string{"true: !(", "false: !(", "untested: true: i > 1\n"} {
		if strings.Contains(out.String(), unwanted) {
			t.Errorf("%q says the same as another change:\n%s", unwanted, out.String())
		}
	}
}

func TestEquivalentsNeedReasons(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"last without":    "a.go f: true: x\n",
		"first without":   "a.go f: true: x\na.go f: false: x\n\treason\n",
		"reason at first": "\treason\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "equivalent.txt")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := readEquivalents(path); err == nil {
				t.Errorf("got %q", got)
			}
		})
	}
}
