package graphpolicy_test

import (
	"net/http"
	"reflect"
	"slices"
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
		"1e-999":                          0,
		"-1e999":                          0,
		"31536000":                        365 * 24 * time.Hour,
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
	for name, c := range map[string]struct {
		header http.Header
		want   time.Duration
	}{
		"none":    {http.Header{}, 0},
		"seconds": {http.Header{"Retry-After": {"3"}, "Retry-After-Ms": {"250"}, "X-Ms-Retry-After-Ms": {"2000"}}, 3 * time.Second},
		"milliseconds": {
			http.Header{"Retry-After": {"1.5"}, "Retry-After-Ms": {"2500"}, "X-Ms-Retry-After-Ms": {"2000"}},
			2500 * time.Millisecond,
		},
		"Microsoft's": {http.Header{"Retry-After": {"1.5"}, "Retry-After-Ms": {"250"}, "X-Ms-Retry-After-Ms": {"2000"}}, 2 * time.Second},
		"given twice": {http.Header{"Retry-After": {"1", "2"}}, 2 * time.Second},
		"negative":    {http.Header{"Retry-After": {"-2"}, "Retry-After-Ms": {"-250"}}, 0},
	} {
		if got := graphpolicy.RetryAfter(c.header, noon); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// A date counts from the answer's own, unless that is days off: a cached answer's, not a clock's.
func TestRetryAfterCountsFromTheDateOfTheAnswer(t *testing.T) {
	t.Parallel()
	const value = "Mon, 23 Nov 2026 12:00:05 GMT"
	for date, want := range map[string]time.Duration{
		"":                              5 * time.Second,
		"noon":                          5 * time.Second,
		"Mon, 23 Nov 2026 12:00:02 GMT": 3 * time.Second,
		"Mon, 23 Nov 2026 11:00:05 GMT": time.Hour,
		"Sun, 22 Nov 2026 12:00:01 GMT": 24*time.Hour + 4*time.Second,
		"Sun, 22 Nov 2026 12:00:00 GMT": 5 * time.Second,
		"Tue, 24 Nov 2026 12:00:00 GMT": 5 * time.Second,
		"Tue, 24 Nov 2026 11:59:59 GMT": 0,
		"Mon, 16 Nov 2026 12:00:00 GMT": 5 * time.Second,
	} {
		if got := graphpolicy.ParseRetryAfter(value, date, noon); got != want {
			t.Errorf("%q: %v, want %v", date, got, want)
		}
	}
}

// azcore reads whole milliseconds: what the service asks for is written as such, and never as less. C§7.2.
func TestRetryAfterIsMadeReadable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header http.Header
		want   []string
	}{
		"none":                     {http.Header{}, nil},
		"no wait":                  {http.Header{"Retry-After": {"0"}}, nil},
		"nonsense":                 {http.Header{"Retry-After": {"soon"}}, nil},
		"fraction":                 {http.Header{"Retry-After": {"0.249"}}, []string{"249"}},
		"whole":                    {http.Header{"Retry-After": {"7"}}, []string{"7000"}},
		"the least":                {http.Header{"Retry-After": {"0.000000001"}}, []string{"1"}},
		"a bit more than one":      {http.Header{"Retry-After": {"0.001000001"}}, []string{"2"}},
		"fraction of milliseconds": {http.Header{"Retry-After-Ms": {" 250.5"}}, []string{"251"}},
		"Microsoft's alone":        {http.Header{"X-Ms-Retry-After-Ms": {"0.5"}}, []string{"1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			given := c.header.Clone()
			resp, err := newTransport(t, func(req *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusTooManyRequests, Header: c.header, Body: http.NoBody, Request: req}, nil
			}).Do(request(t, newCall(false), http.MethodGet))
			if err != nil {
				t.Fatal(err)
			}
			if got := resp.Header["Retry-After-Ms"]; !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if !reflect.DeepEqual(c.header, given) {
				t.Errorf("the header that other answers may share became %v", c.header)
			}
		})
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
