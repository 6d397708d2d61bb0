package graphpolicy_test

import (
	"net/http"
	"slices"
	"testing"
)

// What leaves is one id, without what HTTP does not carry, and it is the one that is recorded.
func TestRequestIDIsTheOneThatLeaves(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given http.Header
		left  []string
		want  string // recorded
	}{
		"plain":           {http.Header{"Client-Request-Id": {"own"}}, []string{"own"}, "own"},
		"white space":     {http.Header{"Client-Request-Id": {" \t own \r\n"}}, []string{"own"}, "own"},
		"within":          {http.Header{"Client-Request-Id": {"my own"}}, []string{"my own"}, "my own"},
		"two":             {http.Header{"Client-Request-Id": {"own", "other"}}, []string{"own"}, "own"},
		"blank, then one": {http.Header{"Client-Request-Id": {" ", "other"}}, []string{"other"}, "other"},
		"blank":           {http.Header{"Client-Request-Id": {" "}}, []string{"made"}, "made"},
		"empty":           {http.Header{"Client-Request-Id": {""}}, []string{"made"}, "made"},
		"other letters":   {http.Header{"client-request-id": {" own"}}, []string{"own"}, "own"},
		"other letters too": {
			http.Header{"client-request-id": {"other"}, "Client-Request-Id": {"own"}, "CLIENT-REQUEST-ID": {"third"}},
			[]string{"own"},
			"own",
		},
		"in no usual one":  {http.Header{"client-request-id": {"second"}, "CLIENT-REQUEST-ID": {"first"}}, []string{"first"}, "first"},
		"taken away":       {http.Header{}, nil, "made"},
		"without a value":  {http.Header{"Client-Request-Id": {}}, nil, "made"},
		"without a header": {nil, nil, "made"},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			call := newCall(method == http.MethodPost)
			call.RequestID = "made"
			req := request(t, call, method)
			req.Header = c.given.Clone()
			var left [][]string
			if _, err := newTransport(t, func(req *http.Request) (*http.Response, error) {
				for header, values := range req.Header {
					if len(values) > 0 && http.CanonicalHeaderKey(header) == "Client-Request-Id" {
						left = append(left, values)
					}
				}
				return says(http.StatusNoContent)(req)
			}).Do(req); err != nil {
				t.Fatal(err)
			}
			if len(left) > 1 || !slices.Equal(slices.Concat(left...), c.left) {
				t.Errorf("%s, %s: left with %q, want %q", name, method, left, c.left)
			}
			if got := call.Record().RequestID; got != c.want {
				t.Errorf("%s, %s: recorded %q, want %q", name, method, got, c.want)
			}
		}
	}
}
