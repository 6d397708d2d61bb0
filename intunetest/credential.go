package intunetest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// The tenant and the app of the tokens of [Tenant.Credential].
const (
	homeTenant = "0c1f4c6e-7d3a-4f0b-9a53-2f6a4f1d7b10"
	homeApp    = "5a9c2f31-1b7e-4d0a-8c44-6e2b9d8f3a57"
)

// Credential is the credential of an app that has the permissions DeviceManagementManagedDevices.ReadWrite.All,
// DeviceManagementServiceConfig.Read.All and DeviceManagementApps.Read.All. Its tokens are unsigned JSON web
// tokens that are valid for an hour from [time.Now]; only this kit accepts them.
func (t *Tenant) Credential() azcore.TokenCredential { return t.CredentialWith(nil) }

// CredentialWith is [Tenant.Credential] with other claims in the tokens. A claim replaces the default of the same name,
// and a nil value removes it. A scp claim makes the token a delegated one, without the default roles and with "user" as
// idtyp.
//
//	tenant.CredentialWith(map[string]any{"scp": "User.Read", "upn": "anna@contoso.com"}) // a user without the permission
//	tenant.CredentialWith(map[string]any{"roles": []string{}})                            // an app without permissions
func (t *Tenant) CredentialWith(claims map[string]any) azcore.TokenCredential {
	return &credential{claims: maps.Clone(claims)}
}

type credential struct{ claims map[string]any }

// GetToken implements azcore.TokenCredential.
func (c *credential) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if err := ctx.Err(); err != nil {
		return azcore.AccessToken{}, err
	}
	now := time.Now()
	expires := now.Add(time.Hour)
	claims := map[string]any{
		"aud":   "https://graph.microsoft.com",
		"tid":   homeTenant,
		"appid": homeApp,
		"idtyp": "app",
		"roles": []string{manageDevices, readService, readApps},
		"iat":   now.Unix(),
		"exp":   expires.Unix(),
	}
	if len(options.Scopes) == 1 && strings.HasSuffix(options.Scopes[0], "/.default") {
		claims["aud"] = strings.TrimSuffix(options.Scopes[0], "/.default")
	}
	if c.claims["scp"] != nil {
		claims["idtyp"] = "user"
		delete(claims, "roles")
	}
	for name, value := range c.claims {
		if value == nil {
			delete(claims, name)
			continue
		}
		claims[name] = value
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return azcore.AccessToken{}, fmt.Errorf("intunetest: the claims given to CredentialWith: %w", err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return azcore.AccessToken{
		Token:     encode([]byte(`{"typ":"JWT","alg":"none"}`)) + "." + encode(payload) + ".",
		ExpiresOn: expires,
	}, nil
}
