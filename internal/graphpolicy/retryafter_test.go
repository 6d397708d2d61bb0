package graphpolicy_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/go-intune/intune/internal/graphpolicy"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// C§7.2: fractions such as 2.128 and 0.249 were seen, and RFC 9110 allows three forms of dates.
func TestParseRetryAfter(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"2":                               2 * time.Second,
		"0.249":                           249 * time.Millisecond,
		"2.128":                           2128 * time.Millisecond,
		" 7 ":                             7 * time.Second,
		"1e1":                             10 * time.Second,
		"0.0000000001":                    time.Nanosecond,
		"0":                               0,
		"-1":                              0,
		"NaN":                             0,
		"":                                0,
		"soon":                            0,
		"1 minute":                        0,
		"99999999999999999999":            365 * 24 * time.Hour,
		"1e999":                           365 * 24 * time.Hour,
		"Inf":                             365 * 24 * time.Hour,
		"Mon, 23 Nov 2026 12:00:05 GMT":   5 * time.Second,
		"Monday, 23-Nov-26 12:00:05 GMT":  5 * time.Second,
		"Mon Nov 23 12:00:05 2026":        5 * time.Second,
		"Mon, 23 Nov 2026 11:59:00 GMT":   0,
		"Mon, 23 Nov 2099 11:59:00 GMT":   365 * 24 * time.Hour,
		"  Mon, 23 Nov 2026 12:00:05 GMT": 5 * time.Second,
	} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			if got := graphpolicy.ParseRetryAfter(value, "", noon); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestRetryAfterTakesTheLongest(t *testing.T) {
	t.Parallel()
	header := http.Header{"Retry-After": {"1.5"}, "Retry-After-Ms": {"250"}, "X-Ms-Retry-After-Ms": {"2000"}}
	if got := graphpolicy.RetryAfter(header, noon); got != 2*time.Second {
		t.Errorf("got %v", got)
	}
	// A Date that is days off is a cached answer's, not a clock's.
	if got := graphpolicy.ParseRetryAfter("Mon, 23 Nov 2026 12:00:05 GMT", "Mon, 16 Nov 2026 12:00:00 GMT", noon); got != 5*time.Second {
		t.Errorf("got %v", got)
	}
}

func FuzzParseRetryAfter(f *testing.F) {
	f.Add("2.128", "Mon, 23 Nov 2026 12:00:00 GMT")
	f.Add("Mon, 23 Nov 2026 12:00:05 GMT", "")
	f.Fuzz(func(t *testing.T, value, date string) {
		if got := graphpolicy.ParseRetryAfter(value, date, noon); got < 0 || got > 365*24*time.Hour {
			t.Errorf("%q: %v", value, got)
		}
	})
}
