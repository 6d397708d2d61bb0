package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/go-intune/intune"
	"golang.org/x/oauth2"
)

const (
	// errSignInAgain means that a technician's token cannot be renewed without the technician.
	errSignInAgain = plainError("the technician has to sign in again")
	// errNoToken means that Entra gave no token, for a reason that is not the technician's.
	errNoToken = plainError("Entra gave no token")

	// renewBefore is how long before its end a token is renewed, so that an Entra which is away for a moment stops nobody.
	// azcore asks for a new one five minutes before the end.
	renewBefore = 6 * time.Minute
	renewWithin = 15 * time.Second
)

// clientMaker makes a client of the library that acts for the person of a credential.
type clientMaker func(azcore.TokenCredential) (*intune.Client, error)

// renewer gets new tokens from Entra.
type renewer func(ctx context.Context, refresh string) (*oauth2.Token, error)

// refreshTokens keeps the refresh token of a login. renew calls with once at a time, and keeps the token that comes.
type refreshTokens interface {
	renew(ctx context.Context, with renewer) (*oauth2.Token, error)
}

// identityMaker makes what acts for a technician who has signed in. The token may be nil: the first use gets one.
type identityMaker func(who technician, tokens refreshTokens, token *oauth2.Token) (*identity, error)

// makeIdentities is an [identityMaker].
func makeIdentities(newClient clientMaker, with renewer) identityMaker {
	return func(who technician, tokens refreshTokens, token *oauth2.Token) (*identity, error) {
		client, err := newClient(&signedInCredential{tokens: tokens, with: with, turn: make(chan struct{}, 1), token: token})
		if err != nil {
			return nil, err
		}
		return &identity{key: who.owner, name: who.name, client: client}, nil
	}
}

// signedInCredential is the token of a technician who has signed in with a browser. The refresh token renews it.
type signedInCredential struct {
	tokens refreshTokens
	with   renewer
	turn   chan struct{} // full while somebody renews

	mu    sync.Mutex
	token *oauth2.Token // for Graph
}

// GetToken cannot answer a claims challenge, for which the technician has to be present.
func (c *signedInCredential) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if options.Claims != "" {
		return azcore.AccessToken{}, errSignInAgain
	}
	if token, ok := c.valid(renewBefore); ok {
		return token, nil
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return azcore.AccessToken{}, ctx.Err()
	}
	if token, ok := c.valid(renewBefore); ok { // somebody else has renewed it meanwhile
		return token, nil
	}
	// A caller who goes away must not lose a token that Entra gives once.
	renewing, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewWithin)
	defer cancel()
	token, err := c.tokens.renew(renewing, c.with)
	if err != nil {
		if token, ok := c.valid(0); ok && !errors.Is(err, errSignInAgain) {
			return token, nil
		}
		return azcore.AccessToken{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = token
	return azcore.AccessToken{Token: token.AccessToken, ExpiresOn: token.Expiry}, nil
}

// valid is the token, if it is good for longer than that.
func (c *signedInCredential) valid(longer time.Duration) (azcore.AccessToken, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token == nil || time.Until(c.token.Expiry) <= longer {
		return azcore.AccessToken{}, false
	}
	return azcore.AccessToken{Token: c.token.AccessToken, ExpiresOn: c.token.Expiry}, true
}

// renewError says whether the technician can do something about a token that did not come. It leaves out the answer of the
// token endpoint, except for its code.
func renewError(err error) error {
	if failed, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		switch failed.ErrorCode {
		case "invalid_grant", "interaction_required", "login_required", "consent_required":
			return errSignInAgain
		}
	}
	return fmt.Errorf("%w: %w", errNoToken, exchangeError(err))
}

// exchangeError is the code of an answer of the token endpoint.
func exchangeError(err error) error {
	if failed, ok := errors.AsType[*oauth2.RetrieveError](err); ok && isPlain(failed.ErrorCode, 64) {
		return plainError("the token endpoint answered: " + failed.ErrorCode)
	}
	return plainError("the token endpoint could not be asked")
}
