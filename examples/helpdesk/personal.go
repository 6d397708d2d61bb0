package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/go-intune/intune"
)

// personal is the credential of a person at this terminal. It says so before it waits for a browser or a code, and only
// then: with a token in the cache nobody has to do anything.
type personal struct {
	inner interface {
		azcore.TokenCredential
		Authenticate(ctx context.Context, options *policy.TokenRequestOptions) (azidentity.AuthenticationRecord, error)
	}
	screen *console
	notice string
	keep   func(azidentity.AuthenticationRecord)

	mu sync.Mutex // one sign-in at a time
}

// GetToken implements [azcore.TokenCredential].
func (p *personal) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	token, err := p.inner.GetToken(ctx, options)
	required, ok := errors.AsType[*azidentity.AuthenticationRequiredError](err)
	if !ok {
		return token, err
	}
	if err := p.signIn(ctx, required.TokenRequestOptions); err != nil {
		return azcore.AccessToken{}, err
	}
	return p.inner.GetToken(ctx, options)
}

func (p *personal) signIn(ctx context.Context, options policy.TokenRequestOptions) error {
	p.screen.say("%s", p.notice)
	record, err := p.inner.Authenticate(ctx, &options)
	if err != nil {
		return err
	}
	p.keep(record)
	return nil
}

// personal makes the credential. Without a persistent cache it works too, and asks the person each time.
func (c *connection) personal(screen *console) (*personal, error) {
	p := &personal{screen: screen, keep: func(record azidentity.AuthenticationRecord) {
		if c.account == nil {
			return
		}
		c.account.Record = record
		if err := c.writeAccount(); err != nil {
			screen.warn("the account could not be kept: %v", err)
		}
	}}
	stored, err := tokenCache()
	if err != nil && c.account != nil {
		screen.warn("the sign-in cannot be kept on this machine: %v", err)
	}
	var record azidentity.AuthenticationRecord
	if c.account != nil {
		record = c.account.Record
	}
	isolated := c.standIn()
	if c.method() == intune.CredentialMethodBrowser && hasBrowser() {
		p.notice = "Signing in … a browser window opens; finish there. Ctrl-C stops."
		p.inner, err = azidentity.NewInteractiveBrowserCredential(&azidentity.InteractiveBrowserCredentialOptions{
			ClientOptions: c.options(), TenantID: c.tenantID, ClientID: c.clientID, DisableInstanceDiscovery: isolated,
			Cache: stored, AuthenticationRecord: record, DisableAutomaticAuthentication: true,
		})
	} else {
		p.notice = "Signing in … with a code, on this or any other device. Ctrl-C stops."
		if c.method() == intune.CredentialMethodBrowser {
			p.notice = "There is no browser here. " + p.notice
		}
		p.inner, err = azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
			ClientOptions: c.options(), TenantID: c.tenantID, ClientID: c.clientID, DisableInstanceDiscovery: isolated,
			Cache: stored, AuthenticationRecord: record, DisableAutomaticAuthentication: true,
			UserPrompt: func(_ context.Context, message azidentity.DeviceCodeMessage) error {
				screen.say("%s", message.Message)
				return nil
			},
		})
	}
	if err != nil {
		return nil, fmt.Errorf("cannot sign in: %w", err)
	}
	return p, nil
}
