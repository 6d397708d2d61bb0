package graphpolicy_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-intune/intune/internal/graphpolicy"
)

func gives(t *testing.T, status int, body io.Reader, length int64) *graphpolicy.Transport {
	t.Helper()
	return newTransport(t, func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Body: io.NopCloser(body), ContentLength: length, Request: req, Header: http.Header{}}, nil
	})
}

// azcore reads every body whole.
func TestBodiesAreLimited(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status   int
		size     int
		declares int
		read     int
		fails    bool
	}{
		"page":                  {200, 1000, 1000, 1000, false},
		"page at the limit":     {200, 8 << 20, -1, 8 << 20, false},
		"page beyond the limit": {200, 8<<20 + 1, -1, 8 << 20, true},
		"page that says so":     {200, 8<<20 + 1, 8<<20 + 1, 8 << 20, true},
		"error is cut":          {400, 100 << 10, -1, 64 << 10, false},
		"small error":           {400, 100, 100, 100, false},
		"page that says less":   {200, 8<<20 + 1, 100, 8 << 20, true},
		"error that says less":  {400, 100 << 10, 100, 64 << 10, false},
		"redirect page is cut":  {302, 100 << 10, 100 << 10, 64 << 10, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			length := int64(c.declares)
			resp, err := gives(t, c.status, strings.NewReader(strings.Repeat("x", c.size)), length).Do(request(t, newCall(false), http.MethodGet))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			if len(body) != c.read || (err != nil) != c.fails {
				t.Errorf("read %d bytes, error %v", len(body), err)
			}
			if retriable := err != nil && !isNonRetriable(err); retriable {
				t.Error("azcore would read the same again")
			}
		})
	}
}

func isNonRetriable(err error) bool {
	var marker interface{ NonRetriable() }
	return errors.As(err, &marker)
}

// However a body comes, the bound is kept to the byte.
func TestLimitOfABodyInPieces(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   io.Reader
		read   int
		text   string
	}{
		"error": {400, iotest.OneByteReader(strings.NewReader(strings.Repeat("x", 64<<10+1))), 64 << 10, "<nil>"},
		"page": {
			200, io.MultiReader(strings.NewReader(strings.Repeat("x", 8<<20-1)), strings.NewReader("y"), strings.NewReader("z")), 8 << 20,
			"the answer is longer than 8388608 bytes",
		},
		"page that breaks at the limit": {
			200, io.MultiReader(strings.NewReader(strings.Repeat("x", 8<<20)), iotest.ErrReader(io.ErrUnexpectedEOF)), 8 << 20, "unexpected EOF",
		},
		"the last success":     {299, strings.NewReader(strings.Repeat("x", 100<<10)), 100 << 10, "<nil>"},
		"the first redirect":   {300, strings.NewReader(strings.Repeat("x", 100<<10)), 64 << 10, "<nil>"},
		"before the successes": {199, strings.NewReader(strings.Repeat("x", 100<<10)), 64 << 10, "<nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resp, err := gives(t, c.status, c.body, -1).Do(request(t, newCall(false), http.MethodGet))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			if got := fmt.Sprint(err); len(body) != c.read || got != c.text {
				t.Errorf("read %d bytes, want %d; error %s, want %s", len(body), c.read, got, c.text)
			}
		})
	}
}

// The answer to a write is read within the same bounds, and a success that is longer is no answer.
func TestLimitOfTheAnswerToAWrite(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]int{http.StatusBadRequest: 64 << 10, http.StatusOK: 0} {
		call := newCall(true)
		resp, err := gives(t, status, strings.NewReader(strings.Repeat("x", 8<<20+1)), -1).Do(request(t, call, http.MethodPost))
		if want == 0 {
			if err == nil || !strings.Contains(err.Error(), "longer than 8388608 bytes") {
				t.Errorf("%d: %v", status, err)
			}
			if verdict := call.Record().Verdict; verdict != graphpolicy.Open {
				t.Errorf("%d: verdict %d", status, verdict)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); len(body) != want || err != nil {
			t.Errorf("%d: %d bytes, error %v", status, len(body), err)
		}
	}
}

// A transport that returns nothing is named, and not asked again.
func TestTransportThatReturnsNothing(t *testing.T) {
	t.Parallel()
	for _, write := range []bool{false, true} {
		transport := newTransport(t, func(*http.Request) (*http.Response, error) { return nil, nil })
		_, err := transport.Do(request(t, newCall(write), http.MethodPost))
		if !isNonRetriable(err) || !strings.Contains(err.Error(), "the transport graphtest.Transport returned neither") {
			t.Errorf("write %v: %v", write, err)
		}
	}
}
