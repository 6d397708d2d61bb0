package main

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// licenses are the texts that may be linked: a hash, an SPDX expression, and a module that has the text.
//
//go:embed licenses.txt
var licenses string

// licenseFile is the name of a file with a license, such as LICENSE, LICENSE.md, LICENSE-MIT or COPYING.
var licenseFile = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying)([-.].*)?$`)

// holder is a line, in small letters, that says who has the copyright.
var holder = regexp.MustCompile(`^copyright (\(c\)|©|[0-9[{])`)

// licenseOf gives the license of a module by its files at the top of the folder, all of which have to be known.
func licenseOf(folder string) (string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "", err
	}
	var found []string
	for _, entry := range entries {
		if entry.IsDir() || !licenseFile.MatchString(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return "", err
		}
		id := known(text)
		if id == "" {
			return "", fmt.Errorf("the text of %s is not in licenses.txt; if it may be linked, add: %s", entry.Name(), hash(text))
		}
		if !slices.Contains(found, id) {
			found = append(found, id)
		}
	}
	if len(found) == 0 {
		return "", fmt.Errorf("there is no license in %s", folder)
	}
	return strings.Join(found, " AND "), nil
}

// known is the SPDX expression of a text, or blank.
func known(text []byte) string {
	for line := range strings.Lines(licenses) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[0] == hash(text) {
			return strings.ReplaceAll(fields[1], "_", " ")
		}
	}
	return ""
}

// hash is the hash of a text without what differs between equal licenses: who has the copyright, the breaks of lines, and
// case.
func hash(text []byte) string {
	var words []string
	for line := range strings.Lines(string(text)) {
		line = strings.ToLower(strings.TrimSpace(line))
		if holder.MatchString(line) || line == "all rights reserved." {
			continue
		}
		words = append(words, strings.Fields(line)...)
	}
	sum := sha256.Sum256([]byte(strings.Join(words, " ")))
	return hex.EncodeToString(sum[:16])
}
