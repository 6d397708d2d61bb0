package graphpolicy_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	azruntime "github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

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
			pipeline := azruntime.NewPipeline("test", "v1.0.0", azruntime.PipelineOptions{PerRetry: policies}, &policy.ClientOptions{
				Transport: graphpolicy.NewTransport(graphtest.Transport(says(http.StatusNoContent)), root, bearer),
			})
			req, err := azruntime.NewRequest(ctx, http.MethodPost, c.address)
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

// A credential that panics, ends its goroutine, or gives what cannot stand in a header ends the call with an error.
func TestCredentialsThatMisbehave(t *testing.T) {
	t.Parallel()
	const noEnd, noToken = "ended its goroutine or panicked", "gave a token that is blank or holds characters that no access token has"
	gives := func(token string) credential { return func() (string, error) { return token, nil } }
	for name, c := range map[string]struct {
		credential credential
		want       string // in the error, blank for none
	}{
		"panics":           {func() (string, error) { panic("secret") }, noEnd},
		"ends":             {func() (string, error) { runtime.Goexit(); return "", nil }, noEnd},
		"fails":            {func() (string, error) { return "", errors.New("no account") }, "no account"},
		"fails with token": {func() (string, error) { return " ", errors.New("no account") }, "no account"},
		"no token":         {gives(""), noToken},
		"space":            {gives("a b"), noToken},
		"line break":       {gives("a\nb"), noToken},
		"DEL":              {gives("a\x7f"), noToken},
		"beyond ASCII":     {gives("\u00e9"), noToken},
		"all that may":     {gives("!~"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bearer := graphpolicy.NewBearer(c.credential, "the scope", &url.URL{Scheme: "https", Host: "graph.microsoft.com"}, false)
			token, err := bearer.GetToken(t.Context(), policy.TokenRequestOptions{})
			if (err == nil) != (c.want == "") {
				t.Fatalf("token %q, error %v", token.Token, err)
			}
			text := fmt.Sprint(err)
			if err != nil && !strings.Contains(text, c.want) {
				t.Errorf("got %s", text)
			}
			if strings.Contains(text, "secret") {
				t.Errorf("the error shows what the credential panicked with: %s", text)
			}
		})
	}
}

// credential gives a token, or an error.
type credential func() (string, error)

func (c credential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := c()
	return azcore.AccessToken{Token: token}, err
}

// A credential that does not return in time holds nobody.
func TestCredentialThatDoesNotReturn(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	bearer := graphpolicy.NewBearer(credential(func() (string, error) { cancel(); <-release; return "late", nil }), "the scope",
		&url.URL{Scheme: "https", Host: "graph.microsoft.com"}, false)
	if _, err := bearer.GetToken(ctx, policy.TokenRequestOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// Over plain http a token goes to a place for which the client has allowed it, and to no other.
func TestBearerOverPlainHTTP(t *testing.T) {
	t.Parallel()
	root := &url.URL{Scheme: "http", Host: "127.0.0.1"}
	for _, allow := range []bool{false, true} {
		bearer := graphpolicy.NewBearer(&desk{life: time.Hour}, "the scope", root, allow)
		pipeline := azruntime.NewPipeline("test", "v1.0.0", azruntime.PipelineOptions{PerRetry: []policy.Policy{graphpolicy.NewGuard(bearer)}},
			&policy.ClientOptions{Transport: graphpolicy.NewTransport(graphtest.Transport(says(http.StatusNoContent)), root, bearer)})
		call := newCall(true)
		req, err := azruntime.NewRequest(call.Start(t.Context()), http.MethodPost, "http://127.0.0.1/x")
		if err != nil {
			t.Fatal(err)
		}
		call.Attach(req)
		if _, err := pipeline.Do(req); (err == nil) != allow {
			t.Errorf("allowed %v: %v", allow, err)
		}
	}
}
