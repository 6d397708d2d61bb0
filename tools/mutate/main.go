// Mutate changes the logic of one package, one change at a time, and reports the changes that no test notices.
//
// All changes are compiled into one set of test programs and switched on by an environment variable, so that a change
// costs the run of the tests that reach it and no build. Nothing in the source tree is touched.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

type settings struct {
	dir, pkg, equivalents string
	files, tests, only    []string
	least                 time.Duration
	workers               int
	list, json            bool
}

func main() {
	var s settings
	var files, tests, only string
	flag.StringVar(&s.dir, "C", ".", "run in this `folder`, which must be within the module of the package")
	flag.StringVar(&s.pkg, "pkg", ".", "the `package` to change")
	flag.StringVar(&files, "files", "", "the `files` of it, comma separated; empty means all")
	flag.StringVar(&tests, "tests", "", "`packages` besides it whose tests count, comma separated")
	flag.StringVar(&only, "only", "", "try these `ids` only, comma separated")
	flag.StringVar(&s.equivalents, "equivalent", filepath.Join("tools", "mutate", "equivalent.txt"), "a `file` of changes that no test can notice, with reasons")
	flag.DurationVar(&s.least, "timeout", 5*time.Second, "what a run of tests may take beyond four times its clean `duration`")
	flag.IntVar(&s.workers, "workers", 1, "how many test programs run at the same time")
	flag.BoolVar(&s.list, "list", false, "list the changes and run nothing")
	flag.BoolVar(&s.json, "json", false, "write the report as JSON")
	flag.Parse()
	s.files, s.tests, s.only = split(files), split(tests), split(only)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	if err := run(ctx, s, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		stop()
		os.Exit(1)
	}
	stop()
}

func split(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
}

// fileReport is how the changes of one file fared.
type fileReport struct {
	File       string `json:"file"`
	Total      int    `json:"total"`
	Noticed    int    `json:"noticed"`
	Equivalent int    `json:"equivalent"`
}

func (f fileReport) percent() float64 {
	return 100 * float64(f.Noticed+f.Equivalent) / float64(max(f.Total, 1))
}

type report struct {
	Survivors []*mutation  `json:"survivors"`
	Files     []fileReport `json:"files"`
	Unused    []string     `json:"unused,omitempty"` // equivalents that fit no change of the chosen files
	Broken    []string     `json:"broken,omitempty"` // tests that fail by themselves and were left out
}

func run(ctx context.Context, s settings, out, progress io.Writer) error {
	src, err := load(ctx, s.dir, s.pkg)
	if err != nil {
		return err
	}
	if len(s.files) == 0 {
		s.files = src.GoFiles
	}
	for _, name := range s.files {
		if !slices.Contains(src.GoFiles, name) {
			return fmt.Errorf("%s has no file %s", src.ImportPath, name)
		}
	}
	mutations, contents, err := src.schemata(s.files)
	if err != nil {
		return err
	}
	reasons, err := readEquivalents(filepath.Join(s.dir, s.equivalents))
	if err != nil {
		return err
	}
	mutations = slices.DeleteFunc(mutations, func(m *mutation) bool {
		return m.dropped || len(s.only) > 0 && !slices.Contains(s.only, strconv.Itoa(m.ID))
	})
	if s.list {
		for _, m := range mutations {
			fmt.Fprintf(out, "%d\t%s\n", m.ID, m)
		}
		return nil
	}
	temp, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	start := time.Now()
	binaries, err := src.compile(ctx, temp, contents, s.tests)
	if err != nil {
		return err
	}
	r := &runner{binaries: binaries, temp: temp, least: s.least, workers: s.workers}
	if err := r.trace(ctx); err != nil {
		return err
	}
	fmt.Fprintf(progress, "compiled and traced in %s\n", time.Since(start).Round(time.Second))

	result := report{Broken: r.broken}
	files, used, done := map[string]*fileReport{}, map[string]bool{}, 0
	err = each(s.workers, mutations, func(m *mutation) error {
		_, equivalent := reasons[m.key()]
		var noticed bool
		if !equivalent {
			var err error
			if noticed, err = r.noticed(ctx, m); err != nil {
				return err
			}
		}
		r.mutex.Lock()
		defer r.mutex.Unlock()
		if done++; done%50 == 0 {
			fmt.Fprintf(progress, "%d of %d, %s\n", done, len(mutations), time.Since(start).Round(time.Second))
		}
		f := files[m.File]
		if f == nil {
			f = &fileReport{File: m.File}
			files[m.File] = f
		}
		f.Total++
		switch {
		case equivalent:
			f.Equivalent++
			used[m.key()] = true
		case noticed:
			f.Noticed++
		default:
			m.Unreached = len(r.reach[m.ID]) == 0
			result.Survivors = append(result.Survivors, m)
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(result.Survivors, func(a, b *mutation) int { return a.ID - b.ID })
	for _, name := range slices.Sorted(maps.Keys(files)) {
		result.Files = append(result.Files, *files[name])
	}
	for _, key := range slices.Sorted(maps.Keys(reasons)) {
		file, _, _ := strings.Cut(key, " ")
		if files[file] != nil && !used[key] && len(s.only) == 0 {
			result.Unused = append(result.Unused, key)
		}
	}
	return write(result, s.json, out)
}

func write(result report, asJSON bool, out io.Writer) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(result)
	}
	for _, m := range result.Survivors {
		fmt.Fprintf(out, "survived %d\t%s\n", m.ID, m)
	}
	for _, name := range result.Broken {
		fmt.Fprintf(out, "left out, since it fails without a change: %s\n", name)
	}
	for _, key := range result.Unused {
		fmt.Fprintf(out, "equivalent, but not found: %s\n", key)
	}
	var all fileReport
	for _, f := range result.Files {
		fmt.Fprintf(out, "%5.1f%%  %d of %d noticed, %d equivalent  %s\n", f.percent(), f.Noticed, f.Total, f.Equivalent, f.File)
		all = fileReport{File: "all", Total: all.Total + f.Total, Noticed: all.Noticed + f.Noticed, Equivalent: all.Equivalent + f.Equivalent}
	}
	_, err := fmt.Fprintf(out, "%5.1f%%  %d of %d noticed, %d equivalent  %s\n", all.percent(), all.Noticed, all.Total, all.Equivalent, cmp.Or(all.File, "all"))
	return err
}
