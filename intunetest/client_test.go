package intunetest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/intunetest"
)

// The options serve any azcore client, whose own transport does not tidy the headers up first.
func TestClientOptionsForAnyAzcoreClient(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header http.Header
		moved  time.Duration
	}{
		"milliseconds":   {http.Header{"Retry-After-Ms": {"1500"}, "Retry-After": {"90"}}, 1500 * time.Millisecond},
		"other spelling": {http.Header{"X-Ms-Retry-After-Ms": {"50000"}, "Retry-After": {"2"}}, 2 * time.Second},
		"seconds":        {http.Header{"Retry-After": {"30"}}, 30 * time.Second},
		"fraction":       {http.Header{"Retry-After": {" 0.249 "}}, 249 * time.Millisecond},
		"date": {
			http.Header{"Retry-After": {"Mon, 01 Jan 2024 00:00:30 GMT"}, "Date": {"Mon, 01 Jan 2024 00:00:00 GMT"}}, 30 * time.Second,
		},
		"nonsense":        {http.Header{"Retry-After": {"soon"}}, 0},
		"negative":        {http.Header{"Retry-After": {"-5"}}, 0},
		"beyond counting": {http.Header{"Retry-After": {"1e300"}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tenant := intunetest.NewTenant(nil)
				ref := populate(tenant)
				tenant.Inject(intunetest.Fault{Status: http.StatusServiceUnavailable, Header: c.header})
				client, err := azcore.NewClient("other", "v1.0.0", runtime.PipelineOptions{}, &tenant.ClientOptions().ClientOptions)
				if err != nil {
					t.Fatal(err)
				}
				req, err := runtime.NewRequest(t.Context(), http.MethodGet, graph+"/v1.0"+ref.String())
				if err != nil {
					t.Fatal(err)
				}
				req.Raw().Header.Set("Authorization", "Bearer x")
				start := time.Now()
				resp, err := client.Pipeline().Do(req)
				if err != nil || resp.StatusCode != http.StatusOK {
					t.Fatalf("%v, %v", resp, err)
				}
				if took := time.Since(start); took > 2*time.Millisecond {
					t.Errorf("took %v", took)
				}
				requests := tenant.Requests()
				if len(requests) != 2 {
					t.Fatalf("%d requests, want 2", len(requests))
				}
				if moved := requests[1].Time.Sub(requests[0].Time); moved < c.moved || moved > c.moved+2*time.Millisecond {
					t.Errorf("the tenant's clock moved by %v, want %v", moved, c.moved)
				}
			})
		})
	}
}

// A body in process ends with the request's context, as that of a connection does.
func TestBodyEndsWithContext(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	ref := populate(tenant)
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, graph+"/v1.0"+ref.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer x")
	resp, err := tenant.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if body, err := io.ReadAll(resp.Body); !errors.Is(err, context.Canceled) {
		t.Errorf("read %q, %v", body, err)
	}
}
