package main

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
)

const (
	keySize     = 32
	keySaltSize = 32
	maxKeys     = 16
	maxKeysFile = 64 << 10
	howToMake   = "make one with: openssl rand -base64 32"
)

// purpose keeps what one part of the service sealed from being opened by another.
type purpose string

const (
	purposeStart   purpose = "the start of a sign-in"
	purposeLogin   purpose = "a sign-in"
	purposeJournal purpose = "the rows of journalpg"
)

// keyRing holds the secrets that all copies of the service share. The first one seals, and all of them open, so that a key is
// changed by putting the new one first, and later taking the old one out.
type keyRing struct{ roots [][]byte }

// randomKeys are those of one process: what they sealed is lost with it.
func randomKeys() *keyRing {
	root := make([]byte, keySize)
	_, _ = rand.Read(root) // never fails
	return &keyRing{roots: [][]byte{root}}
}

// readKeys reads a file with a key on each line: 32 bytes in base64, and a comment after white space if you like. Empty lines
// and lines that begin with # do not count. Its errors never show a line.
func readKeys(path string) (*keyRing, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("-keys-file: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("-keys-file: %w", err)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o007 != 0 {
		return nil, fmt.Errorf("-keys-file: everybody on this machine can use %s (mode %04o); chmod 0640 or less", path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxKeysFile+1))
	if err != nil {
		return nil, fmt.Errorf("-keys-file: %w", err)
	}
	if len(text) > maxKeysFile {
		return nil, fmt.Errorf("-keys-file: %s is no file of keys: it has more than %d bytes", path, maxKeysFile)
	}
	keys, err := parseKeys(string(text))
	if err != nil {
		return nil, fmt.Errorf("-keys-file: %s: %w", path, err)
	}
	return keys, nil
}

func parseKeys(text string) (*keyRing, error) {
	keys := &keyRing{}
	lineOf := map[string]int{}
	number := 0
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		number++
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		root, err := parseKey(fields[0])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if before := lineOf[string(root)]; before != 0 {
			return nil, fmt.Errorf("lines %d and %d hold the same key; take one out", before, number)
		}
		lineOf[string(root)] = number
		keys.roots = append(keys.roots, root)
	}
	switch {
	case len(keys.roots) == 0:
		return nil, errors.New("there is no key in it; " + howToMake)
	case len(keys.roots) > maxKeys:
		return nil, fmt.Errorf("it has %d keys, and should have %d or fewer; take out the oldest", len(keys.roots), maxKeys)
	}
	return keys, nil
}

func parseKey(field string) ([]byte, error) {
	root, err := base64.StdEncoding.DecodeString(field)
	switch {
	case err != nil:
		return nil, errors.New("the key is not in base64; " + howToMake)
	case len(root) != keySize:
		return nil, fmt.Errorf("the key has %d bytes instead of %d; %s", len(root), keySize, howToMake)
	case len(slices.Compact(slices.Clone(root))) == 1:
		return nil, errors.New("the key is one byte again and again, not a secret; " + howToMake)
	}
	return root, nil
}

// derived is a key for one purpose. The salt makes it a key for one text, so that no nonce can come twice under it.
func derived(root, salt []byte, use purpose) []byte {
	key, err := hkdf.Key(sha256.New, root, salt, "github.com/go-intune/intune/examples/service: "+string(use), keySize)
	if err != nil {
		panic(err) // only of sizes, which are constants
	}
	return key
}

func aead(root, salt []byte, use purpose) cipher.AEAD {
	block, err := aes.NewCipher(derived(root, salt, use))
	if err != nil {
		panic(err) // only of sizes
	}
	sealer, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return sealer
}

// seal hides a text, and binds it to a purpose and to what it is about.
func (k *keyRing) seal(use purpose, text, about []byte) []byte {
	salt := make([]byte, keySaltSize)
	_, _ = rand.Read(salt) // never fails
	return aead(k.roots[0], salt, use).Seal(salt, nil, text, about)
}

// open gives the text back, if one of the keys sealed it for the same purpose and about the same thing.
func (k *keyRing) open(use purpose, sealed, about []byte) ([]byte, bool) {
	if len(sealed) < keySaltSize {
		return nil, false
	}
	for _, root := range k.roots {
		if text, err := aead(root, sealed[:keySaltSize], use).Open(nil, nil, sealed[keySaltSize:], about); err == nil {
			return text, true
		}
	}
	return nil, false
}

// journalKeys are those that seal the rows of journalpg, each with the place of its root: the first seals, all of them open.
func (k *keyRing) journalKeys() [][]byte {
	keys := make([][]byte, len(k.roots))
	for i, root := range k.roots {
		keys[i] = derived(root, nil, purposeJournal)
	}
	return keys
}

// prints name the keys without telling them, so that the logs of two copies show whether they have the same.
func (k *keyRing) prints() []string {
	prints := make([]string, len(k.roots))
	for i, root := range k.roots {
		prints[i] = base64.RawURLEncoding.EncodeToString(derived(root, nil, "a name for logs"))[:8]
	}
	return prints
}
