package graphpolicy_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-intune/intune/internal/graphpolicy"
)

func get(t *testing.T, call *graphpolicy.Call, transport *graphpolicy.Transport) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(call, http.MethodGet, "https://graph.microsoft.com/v1.0/x", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return transport.Do(req)
}

func gives(status int, body io.Reader, length int64) *graphpolicy.Transport {
	return graphpolicy.NewTransport(doer(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Body: io.NopCloser(body), ContentLength: length, Request: req, Header: http.Header{}}, nil
	}))
}

// azcore reads every body whole.
func TestBodiesAreLimited(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status   int
		size     int
		declared bool
		read     int
		fails    bool
	}{
		"page":                  {200, 1000, true, 1000, false},
		"page at the limit":     {200, 8 << 20, false, 8 << 20, false},
		"page beyond the limit": {200, 8<<20 + 1, false, 8 << 20, true},
		"page that says so":     {200, 8<<20 + 1, true, 8 << 20, true},
		"error is cut":          {400, 100 << 10, false, 64 << 10, false},
		"small error":           {400, 100, true, 100, false},
		"redirect page is cut":  {302, 100 << 10, true, 64 << 10, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			length := int64(-1)
			if c.declared {
				length = int64(c.size)
			}
			call := &graphpolicy.Call{Context: t.Context()}
			resp, err := get(t, call, gives(c.status, strings.NewReader(strings.Repeat("x", c.size)), length))
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

// A request that is not of one of the client's calls, such as a credential's, passes as it is.
func TestForeignRequestsPass(t *testing.T) {
	t.Parallel()
	transport := gives(http.StatusForbidden, strings.NewReader(strings.Repeat("x", 100<<10)), -1)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://login.example/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(resp.Body); len(body) != 100<<10 {
		t.Errorf("read %d bytes", len(body))
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]graphpolicy.Verdict{
		200: graphpolicy.Answered, 202: graphpolicy.Answered, 204: graphpolicy.Answered,
		301: graphpolicy.Open, 302: graphpolicy.Open, 303: graphpolicy.Open, 307: graphpolicy.Refused, 308: graphpolicy.Refused,
		400: graphpolicy.Refused, 401: graphpolicy.Refused, 403: graphpolicy.Refused, 404: graphpolicy.Refused, 408: graphpolicy.Open,
		409: graphpolicy.Refused, 411: graphpolicy.Refused, 429: graphpolicy.Refused,
		500: graphpolicy.Open, 501: graphpolicy.Refused, 502: graphpolicy.Open, 503: graphpolicy.Refused, 504: graphpolicy.Open,
		507: graphpolicy.Refused, 509: graphpolicy.Refused, 520: graphpolicy.Open, 598: graphpolicy.Open,
	} {
		call := &graphpolicy.Call{Context: t.Context(), Write: true}
		req, err := http.NewRequestWithContext(call, http.MethodPost, "https://graph.microsoft.com/v1.0/x", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := gives(status, http.NoBody, 0).Do(req); err != nil || call.Verdict != want {
			t.Errorf("status %d: verdict %d, want %d, error %v", status, call.Verdict, want, err)
		}
	}
}
