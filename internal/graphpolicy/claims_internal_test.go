package graphpolicy

import (
	"strings"
	"testing"
)

// hostile are headers that cost a careless parser its stack or the square of their length.
var hostile = map[string]string{
	"separators":      strings.Repeat("=", 10<<20),
	"blanks":          "Bearer" + strings.Repeat(" \t", 5<<20),
	"open quotes":     strings.Repeat(`a="\`, 2<<20),
	"schemes":         strings.Repeat("Bearer ", 1<<20),
	"empty values":    strings.Repeat("a=,", 3<<20),
	"one long name":   strings.Repeat("a", 10<<20),
	"one long value":  `Bearer error="` + strings.Repeat(`\"`, 5<<20),
	"many challenges": strings.Repeat(`Bearer error="insufficient_claims", claims="{}", `, 200_000),
}

func TestHostileChallenges(t *testing.T) {
	t.Parallel()
	for name, header := range hostile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if claims, ok := insufficientClaims(header); ok {
				t.Errorf("found claims %q", claims)
			}
		})
	}
}

func FuzzInsufficientClaims(f *testing.F) {
	f.Add(`Bearer error="insufficient_claims", claims="e30="`)
	f.Add(`a b="c\"", bearer claims=e30,error=insufficient_claims`)
	f.Add(`Bearer error="insufficient_claims", claims="e30\`)
	for _, header := range hostile {
		f.Add(header[:4<<10])
	}
	f.Fuzz(func(t *testing.T, header string) {
		claims, ok := insufficientClaims(header)
		if !ok && claims != nil {
			t.Errorf("claims %q that were not found", claims)
		}
		if !ok || len(header) >= maxChallengeLength {
			return
		}
		if again, found := insufficientClaims(header + " "); !found || string(again) != string(claims) {
			t.Errorf("a blank at the end turned claims %q into %q", claims, again)
		}
	})
}
