package graphpolicy

import "testing"

func TestEqualFold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b  string
		equal bool
	}{
		{"graph", "GRAPH", true},
		{"graph", "grapf", false},
		{"\u00e9", "\u00e9", true}, // the same, of whatever letters
		{"\u00e9", "\u00c9", false},
		{"a\x7f", "A\x7f", true}, // the last of ASCII
		{"s", "\u017f", false},
		{"\u212a", "k", false},
	} {
		if got := equalFold(c.a, c.b); got != c.equal {
			t.Errorf("%q and %q: %v", c.a, c.b, got)
		}
	}
}
