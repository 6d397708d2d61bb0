package graphpolicy

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// NewBearer is azcore's bearer token policy for one scope, with two additions. A request to any other place than root
// is refused before a token is attached, be it a next link or a caller's policy that led there. And a goroutine that waits
// while another one gets the token keeps its own deadline: azcore's policy makes it wait for as long as the
// credential takes, which for a device code is minutes.
func NewBearer(credential azcore.TokenCredential, scope string, root *url.URL, allowHTTP bool) policy.Policy {
	gate := make(chan struct{}, 1)
	scopes := []string{scope}
	return runtime.NewBearerTokenPolicy(credential, scopes, &policy.BearerTokenOptions{
		InsecureAllowCredentialWithHTTP: allowHTTP,
		AuthorizationHandler: policy.AuthorizationHandler{
			OnRequest: func(req *policy.Request, authorize func(policy.TokenRequestOptions) error) error {
				if err := CheckHost(root, req.Raw().URL); err != nil {
					return &settledError{err}
				}
				done := req.Raw().Context().Done()
				select {
				case gate <- struct{}{}:
				case <-done:
					return req.Raw().Context().Err()
				}
				defer func() { <-gate }()
				if err := authorize(policy.TokenRequestOptions{Scopes: scopes}); err != nil {
					return &TokenError{cause: err}
				}
				return nil
			},
		},
	})
}

// TokenError marks that no token was to be had, so that nothing was sent.
type TokenError struct{ cause error }

// Error implements error.
func (e *TokenError) Error() string { return "no token: " + e.cause.Error() }

// Unwrap gives the credential's error.
func (e *TokenError) Unwrap() error { return e.cause }

// NonRetriable tells azcore that the credential has tried what could be tried.
func (*TokenError) NonRetriable() {}

// CheckHost refuses a URL whose scheme or host is not that of root. Its text does not quote the URL, whose query may
// hold a skip token or a filter.
func CheckHost(root, u *url.URL) error {
	if u == nil || u.Scheme != root.Scheme || !strings.EqualFold(hostPort(u), hostPort(root)) {
		return fmt.Errorf("refused to send a token anywhere but to %s://%s", root.Scheme, root.Host)
	}
	if u.User != nil {
		return errors.New("refused to send a token to a URL that holds a user name")
	}
	return nil
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "443" && u.Scheme == "https" || port == "80" && u.Scheme == "http" {
		return strings.TrimSuffix(u.Host, ":"+port)
	}
	return u.Host
}
