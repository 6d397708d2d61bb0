package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed runtime.go.txt
var runtimeSource string

// listed is what go list says of a package.
type listed struct {
	Dir, ImportPath, Name, Export string
	GoFiles                       []string
	Module                        *struct{ Dir string }
}

// source is one package whose files are rewritten.
type source struct {
	listed
	exports map[string]string
	fset    *token.FileSet
	files   []*ast.File
	bytes   map[string][]byte
	info    *types.Info
	types   *types.Package
}

func goTool(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, &stderr)
	}
	return out, nil
}

func list(ctx context.Context, dir string, args ...string) ([]listed, error) {
	out, err := goTool(ctx, dir, append([]string{"list", "-json=Dir,ImportPath,Name,Export,GoFiles,Module"}, args...)...)
	if err != nil {
		return nil, err
	}
	var all []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
}

// load parses a package and finds the types of everything in it.
func load(ctx context.Context, dir, pattern string) (*source, error) {
	named, err := list(ctx, dir, pattern)
	if err != nil {
		return nil, err
	}
	if len(named) != 1 {
		return nil, fmt.Errorf("%s is not one package", pattern)
	}
	all, err := list(ctx, dir, "-export", "-deps", pattern, "cmp", "os", "strconv", "sync") // what the runtime imports
	if err != nil {
		return nil, err
	}
	s := &source{listed: named[0], exports: map[string]string{}, bytes: map[string][]byte{}}
	for _, p := range all {
		s.exports[p.ImportPath] = p.Export
	}
	for _, name := range s.GoFiles {
		if s.bytes[name], err = os.ReadFile(filepath.Join(s.Dir, name)); err != nil {
			return nil, err
		}
	}
	return s, errors.Join(s.check(s.bytes)...)
}

// check parses and type-checks the package with the given contents of its files.
func (s *source) check(contents map[string][]byte) []error {
	s.fset, s.files = token.NewFileSet(), nil
	var found []error
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		file, err := parser.ParseFile(s.fset, name, contents[name], parser.SkipObjectResolution)
		if err != nil {
			return []error{err}
		}
		s.files = append(s.files, file)
	}
	s.info = &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{
		Importer: importer.ForCompiler(s.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(s.exports[path]) }),
		Error:    func(err error) { found = append(found, err) },
	}
	var err error
	if s.types, err = config.Check(s.ImportPath, s.fset, s.files, s.info); err != nil && len(found) == 0 {
		found = append(found, err)
	}
	return found
}

// schemata rewrites the chosen files, leaving out mutations until the result compiles, and returns the mutations and the
// new contents by file name.
func (s *source) schemata(chosen []string) ([]*mutation, map[string][]byte, error) {
	root := s.Dir
	if s.Module != nil {
		root = s.Module.Dir
	}
	folder, err := filepath.Rel(root, s.Dir)
	if err != nil {
		return nil, nil, err
	}
	type place struct {
		file string
		line int
	}
	bad := map[place]bool{}
	for range 20 {
		original := *s
		var all []*mutation
		contents := map[string][]byte{"mutate_runtime.go": []byte(strings.Replace(runtimeSource, "PACKAGE", s.Name, 1))}
		for _, file := range s.files {
			name := s.fset.Position(file.Package).Filename
			contents[name] = s.bytes[name]
			if !slices.Contains(chosen, name) {
				continue
			}
			r := &rewriter{
				source: s.bytes[name], name: filepath.ToSlash(filepath.Join(folder, name)), fset: s.fset, file: file, pkg: s.types, info: s.info,
				take: func(m *mutation) bool {
					m.ID, m.dropped = len(all)+1, bad[place{name, m.Line}]
					all = append(all, m)
					return !m.dropped
				},
			}
			contents[name] = r.rewrite()
		}
		found := s.check(contents)
		files := s.files
		*s = original
		if len(found) == 0 {
			return all, contents, nil
		}
		before := len(bad)
		for _, err := range found {
			var typed types.Error
			if !errors.As(err, &typed) {
				return nil, nil, fmt.Errorf("the mutations do not parse: %w", err)
			}
			at := typed.Fset.Position(typed.Pos)
			bad[place{at.Filename, at.Line}] = true
			// An expression that spans lines is blamed on one of them, so the statement's first line goes too.
			for _, file := range files {
				ast.Inspect(file, func(node ast.Node) bool {
					if stmt, ok := node.(ast.Stmt); ok && stmt.Pos() <= typed.Pos && typed.Pos < stmt.End() {
						if _, block := stmt.(*ast.BlockStmt); !block && typed.Fset.Position(stmt.End()).Line-typed.Fset.Position(stmt.Pos()).Line < 8 {
							bad[place{at.Filename, typed.Fset.Position(stmt.Pos()).Line}] = true
						}
					}
					return true
				})
			}
		}
		if len(bad) == before {
			return nil, nil, fmt.Errorf("the mutations do not compile: %w", errors.Join(found...))
		}
	}
	return nil, nil, errors.New("the mutations do not compile after twenty tries")
}

// binary is one compiled test program.
type binary struct {
	dir, path string
	tests     []string
}

// compile builds the test programs of packages with the rewritten files in the place of the originals.
func (s *source) compile(ctx context.Context, temp string, contents map[string][]byte, packages []string) ([]binary, error) {
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for name, content := range contents {
		path := filepath.Join(temp, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return nil, err
		}
		overlay.Replace[filepath.Join(s.Dir, name)] = path
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(temp, "overlay.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, err
	}
	root := s.Dir
	if s.Module != nil {
		root = s.Module.Dir
	}
	all, err := list(ctx, root, append([]string{s.ImportPath}, packages...)...)
	if err != nil {
		return nil, err
	}
	var binaries []binary
	for i, p := range all {
		b := binary{dir: p.Dir, path: filepath.Join(temp, fmt.Sprintf("%d.test", i))}
		if _, err := goTool(ctx, root, "test", "-vet=off", "-overlay", path, "-c", "-o", b.path, p.ImportPath); err != nil {
			return nil, err
		}
		if _, err := os.Stat(b.path); errors.Is(err, os.ErrNotExist) {
			continue // a package without tests
		}
		out, err := exec.CommandContext(ctx, b.path, "-test.list", ".").Output()
		if err != nil {
			return nil, err
		}
		for name := range strings.FieldsSeq(string(out)) {
			if !strings.HasPrefix(name, "Benchmark") {
				b.tests = append(b.tests, name)
			}
		}
		binaries = append(binaries, b)
	}
	return binaries, nil
}
