package main

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/go-intune/intune"
	"golang.org/x/oauth2"
)

// errSignInAgain means that a technician's token cannot be renewed without the technician.
const errSignInAgain = plainError("the technician has to sign in again")

// clientMaker makes a client of the library that acts for the person of a credential.
type clientMaker func(azcore.TokenCredential) (*intune.Client, error)

// signedInCredential is the token of a technician who has signed in with a browser. The refresh token renews it.
type signedInCredential struct{ source oauth2.TokenSource }

// GetToken cannot answer a claims challenge, for which the technician has to be present.
func (c *signedInCredential) GetToken(_ context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if options.Claims != "" {
		return azcore.AccessToken{}, errSignInAgain
	}
	token, err := c.source.Token()
	if err != nil { // its text holds the answer of the token endpoint
		return azcore.AccessToken{}, errSignInAgain
	}
	return azcore.AccessToken{Token: token.AccessToken, ExpiresOn: token.Expiry}, nil
}
