package intune_test

import (
	"context"
	"fmt"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/go-intune/intune"
)

// A service: workload identity, managed identity or AZURE_… variables. The app needs the application permission
// DeviceManagementManagedDevices.ReadWrite.All. On a developer's machine the chain may end at the Azure CLI, whose token
// normally has no Intune permission.
func ExampleNewClient() {
	credential, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := intune.NewClient(credential, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(client)
}

// A technician at a desk. The app registration needs the delegated permission DeviceManagementManagedDevices.ReadWrite.All
// and the redirect URI http://localhost; the technician needs the Intune role right.
func ExampleNewClient_interactiveBrowser() {
	credential, err := azidentity.NewInteractiveBrowserCredential(&azidentity.InteractiveBrowserCredentialOptions{
		TenantID: "contoso.onmicrosoft.com",
		ClientID: "5a9c2f31-1b7e-4d0a-8c44-6e2b9d8f3a57",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := intune.NewClient(credential, nil)
	fmt.Println(client, err)
	// Output:
	// intune.Client(https://graph.microsoft.com/v1.0) <nil>
}

// A technician at a terminal without a browser. The app registration needs the delegated permission and must allow public
// client flows. Signing in beforehand keeps the prompt out of the first call; without the client's options the user would be
// prompted twice.
func ExampleNewClient_deviceCode() {
	ctx := context.Background()
	credential, err := azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
		TenantID: "contoso.onmicrosoft.com",
		ClientID: "5a9c2f31-1b7e-4d0a-8c44-6e2b9d8f3a57",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := intune.NewClient(credential, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	options := client.TokenRequestOptions()
	if _, err := credential.Authenticate(ctx, &options); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("signed in")
}

// A web API that acts for the user who called it. The API's app needs the delegated permission
// DeviceManagementManagedDevices.ReadWrite.All; the user needs the Intune role right. [intune.Client.WithCredential] makes
// the client of the next user.
func ExampleNewClient_onBehalfOf() {
	userAssertion := "the access token that the user's browser sent to this API"
	credential, err := azidentity.NewOnBehalfOfCredentialWithSecret(
		"0c1f4c6e-7d3a-4f0b-9a53-2f6a4f1d7b10", "5a9c2f31-1b7e-4d0a-8c44-6e2b9d8f3a57", userAssertion, "the app's secret", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := intune.NewClient(credential, nil)
	fmt.Println(client, err)
	// Output:
	// intune.Client(https://graph.microsoft.com/v1.0) <nil>
}

// A web service in which people sign in: one client for the program, and one from it for each of them. It takes some ten
// microseconds, and all use the same connections, the same journal, and the same budget of reads.
func ExampleClient_WithCredential() {
	ctx := context.Background()
	tenant, client, device := exampleTenant() // the client of the app itself

	// In a program: azidentity.NewOnBehalfOfCredentialWithSecret.
	onBehalfOf := tenant.CredentialWith(map[string]any{"scp": "DeviceManagementManagedDevices.ReadWrite.All"})
	technician, err := client.WithCredential(onBehalfOf)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = technician.RequestRemoteAssistance(ctx, device, nil)
	fmt.Println("asked:", err == nil)
	for _, client := range []*intune.Client{client, technician} {
		info, err := client.TokenInfo(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("the token is of kind", info.Kind)
	}
	// Output:
	// asked: true
	// the token is of kind application
	// the token is of kind delegated
}

// An app with a secret. It needs the application permission DeviceManagementManagedDevices.ReadWrite.All. A certificate or
// a managed identity is better than a secret where there is a choice.
func ExampleNewClient_clientSecret() {
	credential, err := azidentity.NewClientSecretCredential(
		"0c1f4c6e-7d3a-4f0b-9a53-2f6a4f1d7b10", "5a9c2f31-1b7e-4d0a-8c44-6e2b9d8f3a57", "the app's secret", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := intune.NewClient(credential, nil)
	fmt.Println(client, err)
	// Output:
	// intune.Client(https://graph.microsoft.com/v1.0) <nil>
}

// The credential and the client need the same cloud: a token of one is refused in every other.
func ExampleNewClient_cloud() {
	options := azcore.ClientOptions{Cloud: intune.CloudChina}
	credential, err := intune.NewCredential(&intune.CredentialOptions{
		ClientOptions: options,
		Method:        intune.CredentialMethodDeviceCode,
		TenantID:      "contoso.partner.onmschina.cn",
		ClientID:      "5a9c2f31-1b7e-4d0a-8c44-6e2b9d8f3a57",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := intune.NewClient(credential, &intune.ClientOptions{ClientOptions: options})
	fmt.Println(client, err)
	// Output:
	// intune.Client(https://microsoftgraph.chinacloudapi.cn/v1.0) <nil>
}

// A cloud that this package does not name.
func ExampleNewClient_customCloud() {
	options := &intune.ClientOptions{}
	options.Cloud = cloud.Configuration{
		ActiveDirectoryAuthorityHost: "https://login.example.org/",
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			intune.ServiceGraph: {Endpoint: "https://graph.example.org", Audience: "https://graph.example.org"},
		},
	}
	client, err := intune.NewClient(intune.StaticToken(os.Getenv("GRAPH_TOKEN")), options)
	fmt.Println(client, err)
	// Output:
	// intune.Client(https://graph.example.org/v1.0) <nil>
}

// The permissions are the same whichever way the credential is made.
func ExampleNewCredential() {
	credential, err := intune.NewCredential(&intune.CredentialOptions{
		Method:   intune.CredentialMethodBrowser,
		TenantID: "contoso.onmicrosoft.com",
		ClientID: "5a9c2f31-1b7e-4d0a-8c44-6e2b9d8f3a57",
	})
	fmt.Println(credential != nil, err)
	// Output:
	// true <nil>
}

// A token that the program already holds, with the permission of the methods it calls. Printing the credential does not
// show it.
func ExampleStaticToken() {
	credential := intune.StaticToken("Bearer eyJ0eXAiOiJKV1Qi…")
	fmt.Println(credential)

	client, err := intune.NewClient(credential, nil)
	fmt.Println(client, err)
	// Output:
	// StaticToken(REDACTED)
	// intune.Client(https://graph.microsoft.com/v1.0) <nil>
}

// Who is calling? Here the token of the Azure CLI, with which the action ends in 403.
func ExampleClient_TokenInfo() {
	ctx := context.Background()
	tenant, _, device := exampleTenant()
	azureCLI := tenant.CredentialWith(map[string]any{"scp": "User.Read", "appid": "04b07795-8ddb-461a-bbee-02f9e1bf7b46"})
	client, err := intune.NewClient(azureCLI, tenant.ClientOptions())
	if err != nil {
		fmt.Println(err)
		return
	}

	info, err := client.TokenInfo(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.Kind, info.Scopes)
	fmt.Println(info)

	_, err = client.RequestRemoteAssistance(ctx, device, nil)
	fmt.Println(err != nil)
	// Output:
	// delegated [User.Read]
	// the token is delegated, from app 04b07795-8ddb-461a-bbee-02f9e1bf7b46 (Azure CLI), with scopes User.Read
	// true
}
