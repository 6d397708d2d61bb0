package graphpolicy_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/graphtest"
)

// desk is a credential that gives token-1, token-2 and so on, which hold for life, and does first what is said for each.
type desk struct {
	life  time.Duration
	steps map[int]func(context.Context) error

	mu    sync.Mutex
	asked []policy.TokenRequestOptions
}

func (d *desk) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	d.mu.Lock()
	d.asked = append(d.asked, options)
	n := len(d.asked)
	d.mu.Unlock()
	if step := d.steps[n]; step != nil {
		if err := step(ctx); err != nil {
			return azcore.AccessToken{}, err
		}
	}
	return azcore.AccessToken{Token: "token-" + strconv.Itoa(n), ExpiresOn: time.Now().Add(d.life)}, nil
}

// sawClaims checks what was asked for, one request after the other.
func (d *desk) sawClaims(t *testing.T, want ...string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	var claims []string
	for _, options := range d.asked {
		claims = append(claims, options.Claims)
		if !options.EnableCAE || !slices.Equal(options.Scopes, []string{"the scope"}) {
			t.Errorf("asked for %+v", options)
		}
	}
	if !slices.Equal(claims, want) {
		t.Errorf("asked for the claims %q, want %q", claims, want)
	}
}

// waits is a step of a desk that takes until the channel is closed.
func waits(until <-chan struct{}) func(context.Context) error {
	return func(context.Context) error { <-until; return nil }
}

// office is a pipeline with a bearer policy, in front of a service that keeps the tokens that came.
type office struct {
	pipeline runtime.Pipeline

	mu     sync.Mutex
	tokens []string
}

// newOffice makes one whose service answers its nth request, of the first one, with answer; below stands between the
// bearer policy and the service.
func newOffice(
	t *testing.T, credential azcore.TokenCredential, answer func(n int, req *http.Request) (*http.Response, error), below ...policy.Policy,
) *office {
	t.Helper()
	o := &office{}
	root, err := url.Parse("https://graph.microsoft.com")
	if err != nil {
		t.Fatal(err)
	}
	bearer := graphpolicy.NewBearer(credential, "the scope", root, false)
	o.pipeline = runtime.NewPipeline("test", "v1.0.0", runtime.PipelineOptions{
		PerRetry: append([]policy.Policy{graphpolicy.NewGuard(bearer)}, below...),
	}, &policy.ClientOptions{
		Transport: graphpolicy.NewTransport(graphtest.Transport(func(req *http.Request) (*http.Response, error) {
			o.mu.Lock()
			o.tokens = append(o.tokens, req.Header.Get("Authorization"))
			n := len(o.tokens)
			o.mu.Unlock()
			return answer(n, req)
		}), root, bearer),
		Retry: policy.RetryOptions{MaxRetries: 2, RetryDelay: time.Nanosecond},
	})
	return o
}

// act sends one write of a call to an address.
func (o *office) act(ctx context.Context, call *graphpolicy.Call, address string) error {
	req, err := runtime.NewRequest(call.Start(ctx), http.MethodPost, address)
	if err != nil {
		return err
	}
	call.Attach(req)
	_, err = o.pipeline.Do(req)
	return err
}

// start does so in the background.
func (o *office) start(ctx context.Context) <-chan error {
	done := make(chan error, 1)
	go func() { done <- o.act(ctx, newCall(true), address) }()
	return done
}

// saw checks the tokens that came, one request after the other.
func (o *office) saw(t *testing.T, want ...string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range want {
		want[i] = "Bearer " + want[i]
	}
	if !slices.Equal(o.tokens, want) {
		t.Errorf("the service saw %q, want %q", o.tokens, want)
	}
}

// ended reports whether a call that was started is over, which must be a success.
func ended(t *testing.T, done <-chan error) bool {
	t.Helper()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
		return true
	default:
		return false
	}
}

// acts answers that the service acted.
func acts(_ int, req *http.Request) (*http.Response, error) { return says(http.StatusNoContent)(req) }

// challenges asks for the claims {}.
func challenges(req *http.Request) (*http.Response, error) {
	resp, err := says(http.StatusUnauthorized)(req)
	resp.Header.Set("Www-Authenticate", `Bearer error="insufficient_claims", claims="e30="`)
	return resp, err
}

type policyFunc func(*policy.Request) (*http.Response, error)

func (f policyFunc) Do(req *policy.Request) (*http.Response, error) { return f(req) }

// pass is how long some time of the bubble's clock takes.
func pass(d time.Duration) { <-time.After(d) }
