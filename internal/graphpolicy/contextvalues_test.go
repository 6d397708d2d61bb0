package graphpolicy_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/graphtest"
)

type ownKey struct{}

// asksAService is a credential with a pipeline of its own, as those of azidentity have.
type asksAService struct {
	t    *testing.T
	seen *http.Request
}

func (a *asksAService) GetToken(ctx context.Context, _ policy.TokenRequestOptions) (azcore.AccessToken, error) {
	pipeline := runtime.NewPipeline("test", "v1.0.0", runtime.PipelineOptions{}, &policy.ClientOptions{
		Transport: graphtest.Transport(func(req *http.Request) (*http.Response, error) {
			a.seen = req
			return says(http.StatusOK)(req)
		}),
	})
	req, err := runtime.NewRequest(ctx, http.MethodPost, "https://login.example.com/token")
	if err != nil {
		a.t.Fatal(err)
	}
	if _, err := pipeline.Do(req); err != nil {
		a.t.Error(err)
	}
	return azcore.AccessToken{Token: "token"}, nil
}

// What a caller wants of the answer is not meant for the credential's, which holds the token.
func TestCredentialSeesNothingOfTheCallersPolicies(t *testing.T) {
	t.Parallel()
	credential := &asksAService{t: t}
	bearer := graphpolicy.NewBearer(credential, "the scope", graphRoot(t), false)
	var captured *http.Response
	ctx := policy.WithCaptureResponse(context.WithValue(t.Context(), ownKey{}, "kept"), &captured)
	ctx = policy.WithHTTPHeader(ctx, http.Header{"X-Secret": {"of Graph"}})
	if _, err := bearer.GetToken(ctx, policy.TokenRequestOptions{}); err != nil {
		t.Fatal(err)
	}
	if captured != nil {
		t.Errorf("captured the answer to %s", captured.Request.URL)
	}
	if got := credential.seen.Header.Get("X-Secret"); got != "" {
		t.Errorf("the caller's header went along: %q", got)
	}
	if got := credential.seen.Context().Value(ownKey{}); got != "kept" {
		t.Errorf("a value of the context is %v", got)
	}
}

// azcore keeps a header of the caller's in a context. A header that somebody else keeps there stays as it is.
func TestOthersHeaderInAContextStays(t *testing.T) {
	t.Parallel()
	others := http.Header{"X-None": nil}
	call := newCall(true)
	ctx := call.Start(context.WithValue(t.Context(), ownKey{}, others))
	if got, _ := ctx.Value(ownKey{}).(http.Header); len(got) != 1 {
		t.Errorf("got %v", got)
	}
	if got := ctx.Value(nil); got != nil {
		t.Errorf("got %v", got)
	}
}

// A request of no call has no name for azcore's tracing either.
func TestContextOfNoCall(t *testing.T) {
	t.Parallel()
	var api any
	pipeline := runtime.NewPipeline("test", "v1.0.0", runtime.PipelineOptions{
		PerRetry: []policy.Policy{graphpolicy.Sentry{}},
	}, &policy.ClientOptions{
		Transport: graphtest.Transport(func(req *http.Request) (*http.Response, error) {
			api = req.Context().Value(runtime.CtxAPINameKey{})
			return says(http.StatusOK)(req)
		}),
	})
	req, err := runtime.NewRequest(newCall(true).Start(t.Context()), http.MethodPost, address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pipeline.Do(req); err != nil || api != nil {
		t.Errorf("API %v, error %v", api, err)
	}
}
