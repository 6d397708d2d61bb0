package intune

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

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

	// Method is how to sign in. Default: [CredentialMethodDefault].
	Method CredentialMethod

	// TenantID is the Entra tenant. Default: the user's home tenant, or what the environment says. A managed identity
	// has its own, and [CredentialMethodEnvironment] takes it from AZURE_TENANT_ID only.
	TenantID string

	// ClientID is the app registration. Required for [CredentialMethodBrowser] and [CredentialMethodDeviceCode]:
	// azidentity's own default lacks Intune permissions, and nobody can grant them to it.
	// [CredentialMethodManagedIdentity] selects a user-assigned identity with it; the other methods do not use it.
	ClientID string

	// Prompt shows the code of [CredentialMethodDeviceCode] to the user. Default: print it on standard output.
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
