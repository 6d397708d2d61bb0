package main

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// keyLine is a line of a keys file, of a made-up key.
func keyLine(seed byte) string {
	root := make([]byte, keySize)
	for i := range root {
		root[i] = seed + byte(i)
	}
	return base64.StdEncoding.EncodeToString(root)
}

// writeKeys makes a keys file that only its owner can read.
func writeKeys(tb testing.TB, lines ...string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

func mustKeys(tb testing.TB, lines ...string) *keyRing {
	tb.Helper()
	keys, err := readKeys(writeKeys(tb, lines...))
	if err != nil {
		tb.Fatal(err)
	}
	return keys
}

func TestKeysCanBeRotated(t *testing.T) {
	t.Parallel()
	before := mustKeys(t, keyLine(1))
	both := mustKeys(t, "# the service's keys", keyLine(2)+" since June", "", keyLine(1)+"\tuntil June\r")
	after := mustKeys(t, keyLine(2))
	about := []byte("a row")
	old, fresh := before.seal(purposeLogin, []byte("old"), about), both.seal(purposeLogin, []byte("new"), about)
	for name, test := range map[string]struct {
		keys   *keyRing
		sealed []byte
		want   string
	}{
		"an old text with both keys":  {both, old, "old"},
		"a new text with both keys":   {both, fresh, "new"},
		"a new text with the new key": {after, fresh, "new"},
		"an old text after the end":   {after, old, ""},
		"a new text with the old key": {before, fresh, ""},
	} {
		if text, ok := test.keys.open(purposeLogin, test.sealed, about); string(text) != test.want || ok != (test.want != "") {
			t.Errorf("%s: %q %v, want %q", name, text, ok, test.want)
		}
	}
	if !bytes.Equal(both.journalKeys()[1], before.journalKeys()[0]) {
		t.Error("the journal's key of a root changes with its place")
	}
	if both.prints()[0] != after.prints()[0] {
		t.Error("the name of a key changes")
	}
}

func TestSealedTextsAreBound(t *testing.T) {
	t.Parallel()
	keys := randomKeys()
	sealed := keys.seal(purposeLogin, []byte("secret"), []byte("mine"))
	changed := bytes.Clone(sealed)
	changed[len(changed)-1] ^= 1
	for name, test := range map[string]struct {
		keys   *keyRing
		use    purpose
		sealed []byte
		about  string
	}{
		"another purpose":   {keys, purposeStart, sealed, "mine"},
		"another row":       {keys, purposeLogin, sealed, "yours"},
		"a changed byte":    {keys, purposeLogin, changed, "mine"},
		"a text cut off":    {keys, purposeLogin, sealed[:keySaltSize+3], "mine"},
		"a salt cut off":    {keys, purposeLogin, sealed[:3], "mine"},
		"another process":   {randomKeys(), purposeLogin, sealed, "mine"},
		"nothing whatever":  {keys, purposeLogin, nil, "mine"},
		"no row and a text": {keys, purposeLogin, sealed, ""},
	} {
		if text, ok := test.keys.open(test.use, test.sealed, []byte(test.about)); ok {
			t.Errorf("%s: opened %q", name, text)
		}
	}
	if bytes.Contains(sealed, []byte("secret")) {
		t.Error("the sealed text shows the secret")
	}
}

func TestKeysFilesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	short := base64.StdEncoding.EncodeToString([]byte("only twenty-four bytes!!"))
	same := base64.StdEncoding.EncodeToString(make([]byte, keySize))
	many := make([]string, maxKeys+1)
	for i := range many {
		many[i] = keyLine(byte(i))
	}
	for want, lines := range map[string][]string{
		"there is no key in it":                 {""},
		"no key in it; make one with: openssl":  {"# nothing", "  "},
		"line 2: the key is not in base64":      {keyLine(1), "s3cr3t-but-no-base64"},
		"line 1: the key has 24 bytes":          {short},
		"instead of 32":                         {short},
		"line 3: the key is one byte again":     {"", "", same},
		"lines 1 and 3 hold the same key":       {keyLine(1), keyLine(2), keyLine(1) + " again"},
		"it has 17 keys, and should have 16":    many,
		"is no file of keys: it has more than ": {strings.Repeat("x", maxKeysFile+1)},
	} {
		_, err := readKeys(writeKeys(t, lines...))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
			continue
		}
		if text := err.Error(); !strings.HasPrefix(text, "-keys-file: ") {
			t.Errorf("the flag is not named: %s", text)
		}
		for _, line := range lines {
			if len(line) > 10 && strings.Contains(err.Error(), line[:10]) {
				t.Errorf("the error shows a line: %v", err)
			}
		}
	}
	if _, err := readKeys(filepath.Join(t.TempDir(), "none")); err == nil || !strings.HasPrefix(err.Error(), "-keys-file: ") {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := readKeys(t.TempDir()); err == nil {
		t.Error("a folder is taken for a file of keys")
	}
}

func TestKeysFileIsNotForEverybody(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such permissions")
	}
	path := writeKeys(t, keyLine(1))
	for mode, good := range map[os.FileMode]bool{0o600: true, 0o640: true, 0o400: true, 0o644: false, 0o602: false, 0o777: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := readKeys(path); (err == nil) != good {
			t.Errorf("mode %o: %v", mode, err)
		} else if !good && !strings.Contains(err.Error(), "chmod 0640") {
			t.Errorf("mode %o: the error does not say what to do: %v", mode, err)
		}
	}
}
