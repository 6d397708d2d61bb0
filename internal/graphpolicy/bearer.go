package graphpolicy

import (
	"context"
	"net/url"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// Bearer is azcore's bearer token policy for one scope, with three additions. It refuses a request to any other place
// than root before a token is attached, whether a next link or a caller's policy led there. A goroutine that waits
// while another one gets the token keeps its own deadline; azcore alone would make it wait for as long as the
// credential takes, which is minutes for a device code. A call that was asked for claims gets a token with these
// claims, even if another goroutine's token arrived in between. The credential is asked through a source.
type Bearer struct {
	policy.Policy

	source source
	scopes []string
	root   *url.URL
	gate   chan struct{} // held by the one goroutine that may ask for a token

	mu      sync.Mutex
	current azcore.AccessToken // the latest token, zero once the service refused one
	asked   string             // the claims of the latest request to the credential
}

// NewBearer makes the policy.
func NewBearer(credential azcore.TokenCredential, scope string, root *url.URL, allowHTTP bool) *Bearer {
	b := &Bearer{source: source{credential: credential}, scopes: []string{scope}, root: root, gate: make(chan struct{}, 1)}
	b.Policy = runtime.NewBearerTokenPolicy(credentialFunc(b.getToken), b.scopes, &policy.BearerTokenOptions{
		InsecureAllowCredentialWithHTTP: allowHTTP,
		AuthorizationHandler:            policy.AuthorizationHandler{OnRequest: b.authorize},
	})
	return b
}

// authorize is called by azcore for every try, and once more for a claims challenge.
func (b *Bearer) authorize(req *policy.Request, authorize func(policy.TokenRequestOptions) error) error {
	if err := checkRequest(b.root, req.Raw()); err != nil {
		return &finalError{err}
	}
	ctx := req.Raw().Context()
	call := callOf(ctx)
	if call == nil { // the guard above should have put it there
		return errNoCall
	}
	claims := call.takeClaims()
	select {
	case b.gate <- struct{}{}:
	default:
		if token := b.usable(); token != "" && claims == "" {
			// Another goroutine renews the token early, and the current one is still valid.
			req.Raw().Header.Set("Authorization", "Bearer "+token)
			return nil
		}
		select {
		case b.gate <- struct{}{}:
		case <-ctx.Done():
			return newTokenError(call, ctx.Err())
		}
	}
	defer func() { <-b.gate }()
	b.asked = ""
	if err := authorize(policy.TokenRequestOptions{Scopes: b.scopes}); err != nil {
		return newTokenError(call, err)
	}
	if claims != "" && b.asked != claims {
		// azcore took the token that another goroutine had just put into its cache, without the claims.
		token, err := b.getToken(ctx, policy.TokenRequestOptions{Scopes: b.scopes, Claims: claims, EnableCAE: true})
		if err != nil {
			return newTokenError(call, err)
		}
		req.Raw().Header.Set("Authorization", "Bearer "+token.Token)
	}
	return nil
}

// getToken asks the credential. The caller holds the gate.
func (b *Bearer) getToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	b.asked = options.Claims
	token, err := b.GetToken(ctx, options)
	if err == nil {
		b.mu.Lock()
		b.current = token
		b.mu.Unlock()
	}
	return token, err
}

// GetToken asks the credential, and returns when the context ends even if the credential does not.
func (b *Bearer) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return b.source.get(ctx, options)
}

// usable is the latest token if it is valid for another minute, long enough for a request.
func (b *Bearer) usable() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if time.Until(b.current.ExpiresOn) < time.Minute {
		return ""
	}
	return b.current.Token
}

// drop forgets the latest token when the service has refused one.
func (b *Bearer) drop() {
	b.source.forget()
	b.mu.Lock()
	b.current = azcore.AccessToken{}
	b.mu.Unlock()
}

type credentialFunc func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error)

// GetToken implements azcore.TokenCredential.
func (f credentialFunc) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return f(ctx, options)
}

// TokenError means that no token could be obtained, so that nothing was sent.
type TokenError struct {
	cause error
	text  string
}

// newTokenError cleans the credential's text, which azcore's retry policy logs.
func newTokenError(call *Call, cause error) *TokenError {
	e := &TokenError{cause: cause, text: call.Redact(cause, call.Asked, nil, "").Error()}
	call.mu.Lock()
	call.record.Token = e
	call.mu.Unlock()
	return e
}

// Error implements error.
func (e *TokenError) Error() string { return "while getting a token: " + e.text }

// Unwrap gives the credential's error.
func (e *TokenError) Unwrap() error { return e.cause }

// NonRetriable keeps azcore from trying again: the credential has made its own retries.
func (*TokenError) NonRetriable() {}
