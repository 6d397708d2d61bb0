package graphpolicy_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/graphtest"
)

// No token is made for a request that leads elsewhere or is of no call, and nobody below sees one.
func TestBearerRefusesBeforeItAsks(t *testing.T) {
	t.Parallel()
	root, err := url.Parse("https://graph.microsoft.com")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		guarded bool
		address string
		host    string
	}{
		"elsewhere":   {true, "https://elsewhere.example/v1.0/x", ""},
		"Host header": {true, address, "elsewhere.example"},
		"no call":     {false, address, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			desk := &desk{}
			bearer := graphpolicy.NewBearer(desk, "the scope", root, false)
			policies := []policy.Policy{bearer, policyFunc(func(req *policy.Request) (*http.Response, error) {
				t.Error("it went on")
				return req.Next()
			})}
			ctx, call := t.Context(), newCall(true)
			if c.guarded {
				policies[0], ctx = graphpolicy.NewGuard(bearer), call.Start(ctx)
			}
			pipeline := runtime.NewPipeline("test", "v1.0.0", runtime.PipelineOptions{PerRetry: policies}, &policy.ClientOptions{
				Transport: graphpolicy.NewTransport(graphtest.Transport(says(http.StatusNoContent)), root, bearer),
			})
			req, err := runtime.NewRequest(ctx, http.MethodPost, c.address)
			if err != nil {
				t.Fatal(err)
			}
			req.Raw().Host = c.host
			if c.guarded {
				call.Attach(req)
			}
			if _, err := pipeline.Do(req); err == nil || !isNonRetriable(err) {
				t.Errorf("got %v", err)
			}
			desk.sawClaims(t)
		})
	}
}
