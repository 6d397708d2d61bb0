package journalfile_test

import (
	"os"
	"testing"
)

type contextKey struct{}

func readText(tb testing.TB, name string) string {
	tb.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}
