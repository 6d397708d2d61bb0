package graphcall_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/graphcall"
	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/internal/redact"
)

const root = "https://graph.microsoft.com/v1.0"

// newCaller is a caller whose requests pass azcore's pipeline, with the policies of this library, to a transport.
func newCaller(tb testing.TB, transport graphtest.Transport, change ...func(*azcore.ClientOptions)) *graphcall.Caller {
	tb.Helper()
	return newCallerWith(tb, &credential{}, transport, change...)
}

func newCallerWith(
	tb testing.TB, tokens *credential, transport graphtest.Transport, change ...func(*azcore.ClientOptions),
) *graphcall.Caller {
	tb.Helper()
	below := parsed(tb, root)
	host := &url.URL{Scheme: below.Scheme, Host: below.Host}
	bearer := graphpolicy.NewBearer(tokens, "https://graph.microsoft.com/.default", host, false)
	options := azcore.ClientOptions{
		Transport: graphpolicy.NewTransport(transport, host, bearer),
		Retry:     policy.RetryOptions{RetryDelay: time.Nanosecond},
	}
	for _, f := range change {
		f(&options)
	}
	own := runtime.PipelineOptions{PerRetry: []policy.Policy{graphpolicy.NewGuard(bearer)}}
	client, err := azcore.NewClient("graphcall", "v1.0.0", own, &options)
	if err != nil {
		tb.Fatal(err)
	}
	return &graphcall.Caller{
		Pipeline: client.Pipeline(), Tracer: client.Tracer(), Root: below,
		Redact: func(err error, _ graphpolicy.Asked, _ *url.URL, _ string) error { return err },
		Clean: func(text string, asked graphpolicy.Asked, address *url.URL, authorization string) string {
			return redact.Of(asked.Query, asked.User, address.Path, authorization).Clean(text)
		},
	}
}

func parsed(tb testing.TB, text string) *url.URL {
	tb.Helper()
	u, err := url.Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	return u
}

// credential gives token-1, token-2 and so on, at most so many if that is not 0.
type credential struct {
	most  int32
	asked atomic.Int32
}

func (c *credential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	n := c.asked.Add(1)
	if c.most != 0 && n > c.most {
		return azcore.AccessToken{}, fmt.Errorf("no token %d", n)
	}
	return azcore.AccessToken{Token: fmt.Sprint("token-", n), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// policyFunc is a policy of the caller's.
type policyFunc func(*policy.Request) (*http.Response, error)

func (f policyFunc) Do(req *policy.Request) (*http.Response, error) { return f(req) }

// perCall puts a policy above azcore's retries.
func perCall(f policyFunc) func(*azcore.ClientOptions) {
	return func(o *azcore.ClientOptions) { o.PerCallPolicies = append(o.PerCallPolicies, f) }
}

func noRetries(o *azcore.ClientOptions) { o.Retry.MaxRetries = -1 }

// always answers every request alike.
func always(status int, body string) graphtest.Transport {
	return func(req *http.Request) (*http.Response, error) { return graphtest.Answer(req, status, nil, body), nil }
}

// read is a request without an effect.
func read(c *graphcall.Caller) *graphcall.Request {
	return &graphcall.Request{API: "Client.Read", URL: c.At("/x", "$select=id")}
}

// write is a request with one.
func write(c *graphcall.Caller) *graphcall.Request {
	return &graphcall.Request{API: "Client.Write", Write: true, URL: c.At("/x/act")}
}
