package intune

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/go-intune/intune/internal/claims"
	"github.com/go-intune/intune/internal/entra"
	"github.com/go-intune/intune/internal/redact"
)

// StaticToken is a credential for a token that the caller already holds, with or without the word Bearer before it.
// The token is used until its exp claim passes; then every call fails with an error that says so, and nothing is sent.
// A token without a readable exp claim is used as long as the service accepts it. The credential cannot answer a claims
// challenge. Printing or logging it never shows the token.
//
// The token must be for Microsoft Graph of the client's cloud, with the permission that each method names. The caller
// has to obtain it. Prefer a credential of azidentity where there is one, because it renews its tokens.
func StaticToken(token string) azcore.TokenCredential {
	token = strings.TrimSpace(token)
	if scheme, rest, _ := strings.Cut(token, " "); strings.EqualFold(scheme, "Bearer") {
		token = strings.TrimSpace(rest)
	}
	info, _ := parseToken(token) // a token that cannot be read has no known end
	return &staticToken{reveal: func() string { return token }, expires: info.ExpiresOn}
}

type staticToken struct {
	reveal  func() string // a func, because fmt prints only its address, while it would follow a pointer to a text
	expires time.Time
}

// GetToken implements azcore.TokenCredential.
func (s *staticToken) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if err := ctx.Err(); err != nil {
		return azcore.AccessToken{}, err
	}
	token := s.reveal()
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r < '!' || r > '~' }) {
		return azcore.AccessToken{}, invalidArgument("token",
			"of StaticToken is blank or holds characters that no access token has; pass the bare access token")
	}
	if options.Claims != "" {
		return azcore.AccessToken{}, signInError(
			"the service asks for a token with other claims, which a static token cannot give: sign in again")
	}
	now := time.Now()
	if s.expires.IsZero() {
		return azcore.AccessToken{Token: token, ExpiresOn: now.Add(time.Hour)}, nil
	}
	if !now.Before(s.expires) {
		return azcore.AccessToken{}, signInError("the static token expired at " + s.expires.UTC().Format(time.RFC3339))
	}
	return azcore.AccessToken{Token: token, ExpiresOn: s.expires}, nil
}

// signInError is a failure of a credential after which a person has to get a token.
type signInError string

// Error implements error.
func (e signInError) Error() string { return string(e) }

// signInNeeded reports whether the error of a credential stands until a person does something about it: signs in, passes
// another text, or changes the app's registration or secret. Other failures may pass.
func signInNeeded(err error) bool {
	if errors.Is(err, ErrInvalidArgument) {
		return true
	}
	if _, ok := errors.AsType[signInError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*azidentity.AuthenticationRequiredError](err); ok {
		return true
	}
	var answer []byte
	if failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); ok && failed.RawResponse != nil {
		answer, _ = runtime.Payload(failed.RawResponse) // azidentity has read it before
	}
	return entra.Final(answer, err.Error())
}

// String hides the token.
func (s *staticToken) String() string { return "StaticToken(" + redact.Placeholder + ")" }

// GoString hides the token.
func (s *staticToken) GoString() string { return s.String() }

// Format hides the token from every verb.
func (s *staticToken) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, s.String()) }

// TokenKind says on whose behalf a token was issued.
type TokenKind string

const (
	// TokenKindDelegated is a token of a signed-in user; permissions are in TokenInfo.Scopes.
	TokenKindDelegated TokenKind = "delegated"
	// TokenKindApplication is a token of an app by itself; permissions are in TokenInfo.Roles.
	TokenKindApplication TokenKind = "application"
	// TokenKindUnknown is a token whose claims cannot be read or do not tell.
	TokenKindUnknown TokenKind = "unknown"
)

// PossibleTokenKindValues returns the possible values of TokenKind.
func PossibleTokenKindValues() []TokenKind {
	return []TokenKind{TokenKindDelegated, TokenKindApplication, TokenKindUnknown}
}

// TokenInfo is what a token's claims say about the caller. The claims are read without checking the signature, for
// diagnosis only: nothing in this package decides anything by them, and no program should. It holds neither the
// token nor the user's name.
type TokenInfo struct {
	// Kind says whether the token is a user's or an app's.
	Kind TokenKind
	// Scopes are the delegated permissions (claim scp).
	Scopes []string
	// Roles are the application permissions (claim roles).
	Roles []string
	// TenantID is the Entra tenant (claim tid).
	TenantID string
	// AppID is the client id of the app that got the token (claim appid or azp).
	AppID string
	// Audience is what the token is for (claim aud): the Graph root, or 00000003-0000-0000-c000-000000000000.
	Audience string
	// ExpiresOn is when the token ends (claim exp); zero when not known. Of a token that cannot be read it is what the
	// credential says, which StaticToken does not know either: it says an hour from then on.
	ExpiresOn time.Time
}

// TokenInfo asks the credential for a token, from its cache if it has one, and reads the token's claims. A token that
// cannot be read gives Kind [TokenKindUnknown] and no error, because Graph's tokens are opaque to clients by contract.
// TokenInfo needs no permission and does not call Graph. Errors: those of the credential, as an [*Error]. It is an
// [ErrUnauthenticated], unless ctx ended first, or [StaticToken] was given what cannot be a token ([ErrInvalidArgument]).
func (c *Client) TokenInfo(ctx context.Context) (TokenInfo, error) {
	if err := c.check(ctx); err != nil {
		return TokenInfo{}, err
	}
	token, err := c.bearer.GetToken(ctx, c.TokenRequestOptions())
	if err != nil {
		return TokenInfo{}, &Error{
			Op: opToken.text, reason: "no token came while getting a token",
			cause: redact.Error(err, redact.Private{}), kind: kindWithoutToken(err), Hint: c.credentialHint(err),
		}
	}
	info, err := parseToken(token.Token)
	if err != nil {
		return TokenInfo{Kind: TokenKindUnknown, ExpiresOn: token.ExpiresOn}, nil //nolint:nilerr // an opaque token is no failure
	}
	return info, nil
}

// Expired reports whether the token has a known end that has passed.
func (i TokenInfo) Expired() bool { return !i.ExpiresOn.IsZero() && !time.Now().Before(i.ExpiresOn) }

// allows reports whether the token holds a permission, or the wider one of the same family.
func (i TokenInfo) allows(permission string) bool {
	wider := strings.ReplaceAll(permission, ".Read.All", ".ReadWrite.All")
	for _, list := range [...][]string{i.Scopes, i.Roles} {
		if slices.Contains(list, permission) || slices.Contains(list, wider) {
			return true
		}
	}
	return false
}

// String is one line for people. It holds neither the token nor the user.
func (i TokenInfo) String() string {
	list, kind := i.Scopes, "scopes"
	if i.Kind == TokenKindApplication {
		list, kind = i.Roles, "roles"
	}
	switch {
	case i.Kind != TokenKindDelegated && i.Kind != TokenKindApplication:
		return i.caller()
	case len(list) == 0:
		return i.caller() + ", without permissions"
	}
	return i.caller() + ", with " + kind + " " + redact.OneLine(strings.Join(list, " "), maxCodeText)
}

// caller is on whose behalf the token speaks, without its permissions.
func (i TokenInfo) caller() string {
	var text string
	switch i.Kind {
	case TokenKindDelegated:
		text = "the token is delegated"
	case TokenKindApplication:
		text = "the token is app-only"
	default:
		return "the token's claims cannot be read"
	}
	if i.AppID != "" {
		text += ", from app " + redact.OneLine(i.AppID, 64)
		if name := wellKnownApps[strings.ToLower(i.AppID)]; name != "" {
			text += " (" + name + ")"
		}
	}
	return text
}

// wellKnownApps are Microsoft's own clients, whose tokens lack Intune permissions unless an administrator consented.
var wellKnownApps = map[string]string{
	"04b07795-8ddb-461a-bbee-02f9e1bf7b46": "Azure CLI",
	"1950a258-227b-4e31-a9cf-717495945fc2": "Azure PowerShell",
	"14d82eec-204b-4c2f-b7e8-296a70dab67e": "Microsoft Graph Command Line Tools",
	"de8bc8b5-d9f9-48b1-a8ad-b748da725064": "Graph Explorer",
}

// tokenInfoOf reads the claims of an Authorization header.
func tokenInfoOf(authorization string) (TokenInfo, bool) {
	token, ok := strings.CutPrefix(authorization, "Bearer ")
	if !ok {
		return TokenInfo{}, false
	}
	info, err := parseToken(token)
	return info, err == nil
}

// parseToken reads the claims of a JSON web token without checking it. Its errors do not quote the token.
func parseToken(token string) (TokenInfo, error) {
	read, err := claims.Parse(token)
	if err != nil {
		return TokenInfo{}, err
	}
	info := TokenInfo{
		Kind:     TokenKindUnknown,
		Scopes:   strings.Fields(read.Scopes),
		Roles:    read.Roles,
		TenantID: read.Tenant,
		AppID:    read.AppID,
		Audience: read.Audience,
	}
	if read.Expires > 0 && read.Expires < 1<<40 {
		info.ExpiresOn = time.Unix(int64(read.Expires), 0)
	}
	switch {
	case len(info.Scopes) > 0 || read.Type == "user":
		info.Kind = TokenKindDelegated
	case len(info.Roles) > 0 || read.Type == "app" || info.AppID != "":
		// A delegated token always has scopes.
		info.Kind = TokenKindApplication
	}
	return info, nil
}

// CredentialMethod names a way to sign in.
type CredentialMethod string

const (
	// CredentialMethodDefault is azidentity's DefaultAzureCredential: environment, workload identity, managed
	// identity, then the developer tools. It is the choice for a service.
	CredentialMethodDefault CredentialMethod = "default"
	// CredentialMethodBrowser signs a user in with the system's browser. It needs an app registration of your own with
	// the redirect URI http://localhost.
	CredentialMethodBrowser CredentialMethod = "browser"
	// CredentialMethodDeviceCode signs a user in with a code typed on another device. It needs an app registration
	// of your own that allows public client flows; conditional access may forbid it.
	CredentialMethodDeviceCode CredentialMethod = "devicecode"
	// CredentialMethodAzureCLI takes the token of the user signed in to the Azure CLI. That token is issued to
	// Microsoft's own client, which normally has no Intune permission: expect 403.
	CredentialMethodAzureCLI CredentialMethod = "azurecli"
	// CredentialMethodManagedIdentity is the identity of the Azure resource the program runs on; ClientID selects a
	// user-assigned one.
	CredentialMethodManagedIdentity CredentialMethod = "managedidentity"
	// CredentialMethodEnvironment is an app whose tenant, id and secret or certificate are in the AZURE_… variables.
	CredentialMethodEnvironment CredentialMethod = "environment"
)

// PossibleCredentialMethodValues returns the possible values of CredentialMethod.
func PossibleCredentialMethodValues() []CredentialMethod {
	return []CredentialMethod{
		CredentialMethodDefault, CredentialMethodBrowser, CredentialMethodDeviceCode,
		CredentialMethodAzureCLI, CredentialMethodManagedIdentity, CredentialMethodEnvironment,
	}
}

// CredentialOptions configures [NewCredential].
type CredentialOptions struct {
	// ClientOptions configures the requests of the sign-in. Its Cloud gives the login authority; a zero Cloud means the
	// public one, or AZURE_AUTHORITY_HOST.
	azcore.ClientOptions

	// Method is how to sign in. Default: CredentialMethodDefault.
	Method CredentialMethod

	// TenantID is the Entra tenant. Default: the user's home tenant, or what the environment says. A managed identity
	// has its own, and CredentialMethodEnvironment takes it from AZURE_TENANT_ID only.
	TenantID string

	// ClientID is the app registration. Required for CredentialMethodBrowser and CredentialMethodDeviceCode:
	// azidentity's own default lacks Intune permissions, and nobody can grant them to it.
	// CredentialMethodManagedIdentity selects a user-assigned identity with it; the other methods do not use it.
	ClientID string

	// Prompt shows the code of CredentialMethodDeviceCode to the user. Default: print it on standard output.
	Prompt func(context.Context, azidentity.DeviceCodeMessage) error

	// DisableInstanceDiscovery stops the check of the authority with Microsoft's public cloud, for disconnected and
	// private clouds.
	DisableInstanceDiscovery bool
}

// NewCredential makes an azidentity credential set up for Microsoft Graph: the login authority of options.Cloud, the
// tenant and the app. It is a shorthand: any [azcore.TokenCredential] works. Make credentials that need a secret, a
// certificate or a user's token with azidentity directly (ClientSecretCredential, ClientCertificateCredential,
// OnBehalfOfCredential).
//
// Each method of [Client] names the permission that it needs: an app that acts by itself needs it as an application
// permission, a user as a delegated one. Both kinds need an administrator's consent. Nil options mean the default
// chain. NewCredential sends nothing. Errors: [ErrInvalidArgument], else those of azidentity.
func NewCredential(options *CredentialOptions) (azcore.TokenCredential, error) {
	var o CredentialOptions
	if options != nil {
		o = *options
	}
	if strings.TrimSpace(o.ClientID) == "" && (o.Method == CredentialMethodBrowser || o.Method == CredentialMethodDeviceCode) {
		return nil, invalidArgument("options.ClientID", "is blank; register an app in Entra with the delegated permission "+
			permissionManageDevices+" and pass its application (client) id")
	}
	switch o.Method {
	case "", CredentialMethodDefault:
		return wrapped(azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
			ClientOptions: o.ClientOptions, TenantID: o.TenantID, DisableInstanceDiscovery: o.DisableInstanceDiscovery,
		}))
	case CredentialMethodBrowser:
		return wrapped(azidentity.NewInteractiveBrowserCredential(&azidentity.InteractiveBrowserCredentialOptions{
			ClientOptions: o.ClientOptions, TenantID: o.TenantID, ClientID: o.ClientID, DisableInstanceDiscovery: o.DisableInstanceDiscovery,
		}))
	case CredentialMethodDeviceCode:
		return wrapped(azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
			ClientOptions: o.ClientOptions, TenantID: o.TenantID, ClientID: o.ClientID, DisableInstanceDiscovery: o.DisableInstanceDiscovery,
			UserPrompt: o.Prompt,
		}))
	case CredentialMethodAzureCLI:
		return wrapped(azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: o.TenantID}))
	case CredentialMethodManagedIdentity:
		managed := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: o.ClientOptions}
		if o.ClientID != "" {
			managed.ID = azidentity.ClientID(o.ClientID)
		}
		return wrapped(azidentity.NewManagedIdentityCredential(managed))
	case CredentialMethodEnvironment:
		return wrapped(azidentity.NewEnvironmentCredential(&azidentity.EnvironmentCredentialOptions{
			ClientOptions: o.ClientOptions, DisableInstanceDiscovery: o.DisableInstanceDiscovery,
		}))
	default:
		return nil, invalidArgument("options.Method", "is unknown; use one of the intune.CredentialMethod… values")
	}
}

// wrapped keeps a nil pointer from becoming a non-nil interface.
func wrapped[T azcore.TokenCredential](credential T, err error) (azcore.TokenCredential, error) {
	if err != nil {
		return nil, err
	}
	return credential, nil
}
