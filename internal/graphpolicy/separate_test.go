package graphpolicy_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"

	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/graphtest"
)

// What azcore keeps of a request for the span of its operation shows in the text of that span: the URL is taken out of it.
func TestSeparate(t *testing.T) {
	t.Parallel()
	type contextKey struct{}
	for name, c := range map[string]struct {
		below func(context.Context) context.Context
		taken bool
	}{
		"azcore alone":    {func(ctx context.Context) context.Context { return ctx }, true},
		"with a separate": {graphpolicy.Separate, false},
	} {
		var texts []string
		provider := tracing.NewProvider(func(string, string) tracing.Tracer {
			return tracing.NewTracer(func(ctx context.Context, _ string, _ *tracing.SpanOptions) (context.Context, tracing.Span) {
				return ctx, tracing.NewSpan(tracing.SpanImpl{SetStatus: func(_ tracing.SpanStatus, text string) { texts = append(texts, text) }})
			}, nil)
		}, nil)
		client, err := azcore.NewClient("test", "v1.0.0", runtime.PipelineOptions{}, &policy.ClientOptions{
			TracingProvider: provider,
			Transport: graphtest.Transport(func(req *http.Request) (*http.Response, error) {
				if req.Context().Value(contextKey{}) != "kept" {
					t.Errorf("%s: a value of the context is lost", name)
				}
				return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), contextKey{}, "kept"))
		defer cancel()
		ctx, end := runtime.StartSpan(ctx, "Client.Operation", client.Tracer(), nil)
		below := c.below(ctx)
		const address = "https://graph.example.com/v1.0/devices?value=private"
		req, err := runtime.NewRequest(below, http.MethodGet, address)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Pipeline().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		end(&textError{"failed at " + address})
		if len(texts) != 1 || strings.Contains(texts[0], "private") == c.taken {
			t.Errorf("%s: the span says %q", name, texts)
		}
		if cancel(); below.Err() == nil || below.Value(nil) != nil {
			t.Errorf("%s: the context goes on", name)
		}
	}
}

type textError struct{ text string }

func (e *textError) Error() string { return e.text }
