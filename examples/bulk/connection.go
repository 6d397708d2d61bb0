package main

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/go-intune/intune"
)

// connection says how to reach a tenant.
type connection struct {
	cloudName, auth    string
	tenantID, clientID string

	test testPlace
}

// clouds are the names of -cloud.
func clouds() map[string]cloud.Configuration {
	return map[string]cloud.Configuration{
		"public":  intune.CloudPublic,
		"usgov":   intune.CloudUSGovernment,
		"dod":     intune.CloudUSGovernmentDoD,
		"china":   intune.CloudChina,
		"france":  intune.CloudFrance,
		"germany": intune.CloudGermany,
	}
}

// client makes the client and signs in, before any clock runs and before the journal is needed.
func (c *connection) client(ctx context.Context, screen *console, journal intune.Journal) (_ *intune.Client, err error) {
	if c.test, err = testPlaceFromEnvironment(); err != nil {
		return nil, err
	}
	// azcore's options are for the sign-in and the client alike: a token of another cloud is refused.
	options := c.test.apply(azcore.ClientOptions{Cloud: clouds()[c.cloudName]})
	var credential azcore.TokenCredential
	if c.test.token != "" {
		credential = intune.StaticToken(c.test.token)
	} else {
		method := intune.CredentialMethod(c.auth)
		if method == intune.CredentialMethodBrowser {
			screen.say("Signing in: go on in the browser.")
		}
		credential, err = intune.NewCredential(&intune.CredentialOptions{
			ClientOptions: options, Method: method, TenantID: c.tenantID, ClientID: c.clientID,
			Prompt: func(_ context.Context, message azidentity.DeviceCodeMessage) error {
				screen.say("%s", message.Message)
				return nil
			},
		})
		if err != nil {
			return nil, err
		}
	}
	client, err := intune.NewClient(credential, &intune.ClientOptions{ClientOptions: options, Journal: journal})
	if err != nil {
		return nil, err
	}
	_, err = client.TokenInfo(ctx)
	return client, err
}
