package graphpolicy_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/graphpolicy"
)

// A read is repeated if its answer holds an error that may pass, though its status is a success.
func TestGuardRepeatsAReadThatIsBrokenOff(t *testing.T) {
	t.Parallel()
	const throttled = `{"value":[{"id":"1"},{"error":{"code":"TooManyRequests","RetryAfter":"1.5"}}`
	for name, c := range map[string]struct {
		write   bool
		status  int
		header  string // Retry-After
		body    string
		broken  bool
		waiting string // Retry-After-Ms as azcore sees it
	}{
		"throttled":             {false, 200, "", throttled, true, "1500"},
		"throttled for longer":  {false, 200, "2", throttled, true, "2000"},
		"throttled for shorter": {false, 200, "1", throttled, true, "1500"},
		"unavailable":           {false, 206, "", `{"error":{"code":"serviceNotAvailable"}}`, true, ""},
		"failed":                {false, 200, "", `{"value":[{"error":{"code":"InternalServerError"}}`, true, ""},
		"refused":               {false, 200, "", `{"value":[{"error":{"code":"Forbidden"}}`, false, ""},
		"unknown":               {false, 200, "", `{"value":[{"error":{"code":"x"}}`, false, ""},
		"broken off":            {false, 200, "", `{"value":[{"id":"1"}`, false, ""},
		"whole":                 {false, 200, "", `{"value":[]}`, false, ""},
		"empty":                 {false, 200, "", "", false, ""},
		"no success":            {false, 403, "", throttled, false, ""},
		"a write":               {true, 200, "", throttled, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := newCall(c.write)
			transport := newTransport(t, func(req *http.Request) (*http.Response, error) {
				header := http.Header{}
				if c.header != "" {
					header.Set("Retry-After", c.header)
				}
				return &http.Response{StatusCode: c.status, Header: header, Body: io.NopCloser(strings.NewReader(c.body)), Request: req}, nil
			})
			pipeline := runtime.NewPipeline("test", "v1.0.0", runtime.PipelineOptions{PerRetry: []policy.Policy{graphpolicy.NewGuard(next{})}},
				&policy.ClientOptions{Transport: transport, Retry: policy.RetryOptions{MaxRetries: -1}})
			method := map[bool]string{false: http.MethodGet, true: http.MethodPost}[c.write]
			req, err := runtime.NewRequest(call.Start(t.Context()), method, address)
			if err != nil {
				t.Fatal(err)
			}
			call.Attach(req)
			resp, err := pipeline.Do(req)
			if errors.Is(err, graphpolicy.ErrBroken) != c.broken || (err != nil) != c.broken {
				t.Errorf("error %v", err)
			}
			if call.Record().Broken != c.broken {
				t.Errorf("the record says %v", call.Record().Broken)
			}
			if got := resp.Header.Get("Retry-After-Ms"); got != c.waiting && !c.write {
				t.Errorf("Retry-After-Ms is %q", got)
			}
			if body, err := runtime.Payload(resp); err != nil || string(body) != c.body {
				t.Errorf("the body is %q, %v", body, err)
			}
		})
	}
}

// What is known of a call is about its latest try.
func TestRecordAfterABrokenTry(t *testing.T) {
	t.Parallel()
	broken := func(req *http.Request) (*http.Response, error) {
		body := io.NopCloser(strings.NewReader(`{"error":{"code":"TooManyRequests"}}`))
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: body, Request: req}, nil
	}
	call := newCall(false)
	tries, resp, err := send(t, call, http.MethodGet, broken, broken, says(http.StatusNotFound))
	if err != nil {
		t.Fatal(err)
	}
	if tries != 3 || resp.StatusCode != http.StatusNotFound {
		t.Errorf("%d tries, the last one's status is %d", tries, resp.StatusCode)
	}
	if call.Record().Broken {
		t.Error("the record is of an earlier try")
	}
}
