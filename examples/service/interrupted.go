package main

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// whoWaits finds with whose sign-in the interrupted waits of an owner go on: the owner's own while it lasts, or else, if the
// operator wants that, the application's permission. nil is nobody's, and then the page says what to press.
func whoWaits(o *settings, known logins, newClient clientMaker) (func(ctx context.Context, owner string) *identity, error) {
	own := func(ctx context.Context, owner string) *identity {
		who, err := known.signedIn(ctx, owner)
		if err != nil {
			o.log.WarnContext(ctx, "nobody knows whether somebody is signed in", "who", owner, "error", err.Error())
		}
		return who
	}
	if !o.waitAsApp {
		return own, nil
	}
	app, err := azidentity.NewClientSecretCredential(o.tenantID, o.clientID, o.secret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: o.authority, DisableInstanceDiscovery: true})
	if err != nil {
		return nil, fmt.Errorf("-wait-as-app: %w", err)
	}
	client, err := newClient(app)
	if err != nil {
		return nil, fmt.Errorf("-wait-as-app: %w", err)
	}
	return func(ctx context.Context, owner string) *identity {
		if who := own(ctx, owner); who != nil {
			return who
		}
		return &identity{key: owner, client: client}
	}, nil
}
