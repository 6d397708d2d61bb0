// Schemadrift compares the facts in testdata/schema with a newer file of Microsoft Graph's metadata (CSDL), says what
// changed for the library, deprecations included, and brings the facts up to date if asked.
//
//	go run -C tools ./schemadrift -C .. v1.0-Prod.csdl
//	go run -C tools ./schemadrift -C .. -w -source "microsoftgraph/msgraph-metadata, schemas/v1.0-Prod.csdl, commit 0123abc" v1.0-Prod.csdl
//
// The facts themselves say what the library uses: the entities in types.json, and the entry points, navigations and
// actions in service.json. A name added there by hand is followed from the next run on.
//
// The exit status is 0 if nothing changed, 1 if something did, and 2 if there was an error.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

type settings struct {
	dir, facts, file, source string
	write                    bool
}

func main() {
	var s settings
	flag.StringVar(&s.dir, "C", ".", "take all paths from this `folder`")
	flag.StringVar(&s.facts, "facts", filepath.Join("testdata", "schema"), "the `folder` of the facts")
	flag.BoolVar(&s.write, "w", false, "write the new facts")
	flag.StringVar(&s.source, "source", "", "where the CSDL file is from, with its `commit`; needed with -w")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: schemadrift [flags] FILE.csdl")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	s.file = flag.Arg(0)
	changes, err := run(s, os.Stdout)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "schemadrift:", err)
		os.Exit(2)
	case len(changes) > 0:
		os.Exit(1)
	}
}

func run(s settings, out io.Writer) ([]change, error) {
	if s.write && s.source == "" {
		return nil, errors.New("-w needs -source, which says where the file is from: repository, path and commit")
	}
	before, err := readFacts(filepath.Join(s.dir, s.facts))
	if err != nil {
		return nil, err
	}
	path := s.file
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.dir, path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	m, err := readCSDL(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.file, err)
	}
	after := factsOf(m, before)
	after.source = s.source

	changes := drift(before, after)
	missing := 0
	fmt.Fprintf(out, "changes since %s: %d\n", before.source, len(changes))
	for _, c := range changes {
		fmt.Fprintf(out, "\n%s\n    %s\n", c.what, c.todo)
		if c.missing {
			missing++
		}
	}
	if !s.write {
		return changes, nil
	}
	// A fact that is left out is never looked for again, so a person does that.
	if missing > 0 {
		return changes, fmt.Errorf("%d things that the library calls are not in %s, so nothing was written: "+
			"pass a complete CSDL file, or remove them from the library and from the facts first", missing, s.file)
	}
	return changes, after.write(filepath.Join(s.dir, s.facts))
}
