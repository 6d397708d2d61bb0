package main

import (
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// program is a built program and what is linked into it.
type program struct {
	path     string            // of its main package
	hash     string            // SHA-256 of the file
	settings map[string]string // of the build
	modules  []module          // the program's own first, the standard library last
}

// module is a module that is linked.
type module struct {
	path, version string
	sum           string // as in go.sum; blank for this repository and the standard library
	folder        string // where its files are
	license       string // SPDX; read from the folder unless it is known
}

// read reads a program. A module that is replaced by a folder is one of this repository.
func read(name, root, version string) (program, error) {
	info, err := buildinfo.ReadFile(name)
	if err != nil {
		return program{}, err
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return program{}, err
	}
	sum := sha256.Sum256(content)
	p := program{path: info.Path, hash: hex.EncodeToString(sum[:]), settings: map[string]string{}}
	for _, s := range info.Settings {
		p.settings[s.Key] = s.Value
	}
	own := info.Main
	if version != "" {
		own.Version = version
	}
	p.modules = append(p.modules, module{path: own.Path, version: own.Version, folder: root})
	var others []string
	for _, dep := range info.Deps {
		m := module{path: dep.Path, version: dep.Version, sum: dep.Sum}
		switch r := dep.Replace; {
		case r == nil:
			others = append(others, m.path+"@"+m.version)
		case strings.HasPrefix(r.Path, "."), filepath.IsAbs(r.Path):
			m.version, m.sum, m.folder = own.Version, "", root
		default:
			m.path, m.version, m.sum = r.Path, r.Version, r.Sum
			others = append(others, m.path+"@"+m.version)
		}
		p.modules = append(p.modules, m)
	}
	folders, err := download(root, others)
	if err != nil {
		return program{}, err
	}
	for i, m := range p.modules {
		if m.folder == "" {
			p.modules[i].folder = folders[m.path+"@"+m.version]
		}
	}
	release, _, _ := strings.Cut(strings.TrimPrefix(info.GoVersion, "go"), " ")
	p.modules = append(p.modules, module{path: "std", version: release, license: "BSD-3-Clause"})
	return p, nil
}

// faults are what is wrong with the build.
func (p program) faults() (list []error) {
	if p.settings["-trimpath"] != "true" {
		list = append(list, errors.New("it was built without -trimpath, so it names folders of the machine"))
	}
	if p.settings["vcs.modified"] == "true" {
		list = append(list, errors.New("it was built from a checkout with changes that are not committed"))
	}
	return list
}

// download gives the folders of modules in Go's cache, by path@version. It is outside of any module, so that no go.mod has a
// say in it.
func download(root string, modules []string) (map[string]string, error) {
	folders := map[string]string{}
	if len(modules) == 0 {
		return folders, nil
	}
	out, err := goCommand(root, append([]string{"mod", "download", "-json"}, modules...)...)
	if err != nil {
		return nil, err
	}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var m struct{ Path, Version, Dir string }
		if err := decoder.Decode(&m); err != nil {
			return nil, err
		}
		folders[m.Path+"@"+m.Version] = m.Dir
	}
	return folders, nil
}

func goCommand(folder string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(context.Background(), "go", args...)
	cmd.Dir = folder
	out, err := cmd.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("go %s: %w: %s", args[0], err, failed.Stderr)
	}
	return out, err
}
