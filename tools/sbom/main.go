// Sbom writes down what built programs are made of: for each PROGRAM a CycloneDX bill of materials, PROGRAM.cdx.json, from
// what Go has put into the program (go version -m shows the same). The bill of a program is the same each time.
//
//	go run -C tools ./sbom -C .. -version v0.1.0 dist/helpdesk dist/service
//
// It fails, with all reasons, if a program was built without -trimpath or from a checkout with changes of its own, or if
// the text of a license of what is linked is not among those in licenses.txt: a person reads a new text, and adds a line
// with its hash and its SPDX id, or does without the module.
//
// Why no tool of others: cyclonedx-gomod and go-licenses do more, with dozens of modules of their own, and guess a license
// by likeness. Here a text is known or it is not.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	root := flag.String("C", ".", "take all paths from this `folder`, which holds this repository")
	version := flag.String("version", "", "the `version` of the programs, if Go did not put it in")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: sbom [flags] PROGRAM...")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	failed := false
	for _, program := range flag.Args() {
		if !filepath.IsAbs(program) {
			program = filepath.Join(*root, program)
		}
		if err := run(program, *root, *version); err != nil {
			fmt.Fprintf(os.Stderr, "sbom: %s: %v\n", filepath.Base(program), err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

// run writes the bill of one program, unless something is wrong with the program.
func run(program, root, version string) error {
	parts, err := read(program, root, version)
	if err != nil {
		return err
	}
	var problems []error
	for i := range parts.modules {
		m := &parts.modules[i]
		if m.license != "" {
			continue
		}
		if m.license, err = licenseOf(m.folder); err != nil {
			problems = append(problems, fmt.Errorf("%s %s: %w", m.path, m.version, err))
		}
	}
	if err := errors.Join(append(problems, parts.faults()...)...); err != nil {
		return err
	}
	text, err := bill(parts)
	if err != nil {
		return err
	}
	return os.WriteFile(program+".cdx.json", text, 0o644)
}
