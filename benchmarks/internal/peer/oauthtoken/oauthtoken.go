// Package oauthtoken gives a fixed token to hashicorp's clients and those that grew from them.
package oauthtoken

import (
	"context"
	"net/http"

	"golang.org/x/oauth2"
)

// Authorizer is the token.
type Authorizer string

// Token gives it.
func (a Authorizer) Token(context.Context, *http.Request) (*oauth2.Token, error) {
	return &oauth2.Token{AccessToken: string(a), TokenType: "Bearer"}, nil
}

// AuxiliaryTokens gives none.
func (a Authorizer) AuxiliaryTokens(context.Context, *http.Request) ([]*oauth2.Token, error) {
	return nil, nil
}
