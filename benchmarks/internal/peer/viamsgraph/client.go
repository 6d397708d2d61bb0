// Package viamsgraph does the job with Microsoft's msgraph-sdk-go. Import it from as few packages as possible: it takes
// minutes to compile and gigabytes to link.
package viamsgraph

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	khttp "github.com/microsoft/kiota-http-go"
	msgraphsdk "github.com/microsoftgraph/msgraph-sdk-go"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go-core/authentication"
	"github.com/microsoftgraph/msgraph-sdk-go/devicemanagement"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"github.com/go-intune/intune/benchmarks/internal/peer"
	"github.com/go-intune/intune/benchmarks/internal/peer/azuretoken"
)

// Client has the fluent interface.
type Client struct {
	// Graph is the library's own client, for what [peer.Client] has no method for.
	Graph *msgraphsdk.GraphServiceClient
}

// New makes a client as NewGraphServiceClientWithCredentials does, but for the transport and, if Root is set, the address.
func New(s peer.Setup) (Client, error) {
	return NewWith(azuretoken.Credential(s.Token), s)
}

// NewWith is New with a credential.
func NewWith(credential azcore.TokenCredential, s peer.Setup) (Client, error) {
	var hosts []string // the library's own list
	if s.Root != "" {
		root, err := url.Parse(s.Root)
		if err != nil {
			return Client{}, err
		}
		hosts = []string{root.Hostname()}
	}
	auth, err := authentication.NewAzureIdentityAuthenticationProviderWithScopesAndValidHosts(credential,
		[]string{"https://graph.microsoft.com/.default"}, hosts)
	if err != nil {
		return Client{}, err
	}
	var client *http.Client
	if s.Transport != nil {
		options := msgraphsdk.GetDefaultClientOptions()
		client = core.GetDefaultClient(&options)
		client.Transport = khttp.NewCustomTransportWithParentTransport(s.Transport, core.GetDefaultMiddlewaresWithOptions(&options)...)
	}
	adapter, err := msgraphsdk.NewGraphRequestAdapterWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(auth, nil, nil, client)
	if err != nil {
		return Client{}, err
	}
	if s.Root != "" {
		adapter.SetBaseUrl(s.Root) // before the client is made, or batches go out with absolute addresses
	}
	return Client{msgraphsdk.NewGraphServiceClient(adapter)}, nil
}

// Request asks for remote assistance.
func (c Client) Request(ctx context.Context, id string) error {
	return c.Graph.DeviceManagement().ManagedDevices().ByManagedDeviceId(id).RequestRemoteAssistance().Post(ctx, nil)
}

// Session reads the session.
func (c Client) Session(ctx context.Context, id string) (peer.Session, error) {
	device, err := c.Graph.DeviceManagement().ManagedDevices().ByManagedDeviceId(id).Get(ctx,
		&devicemanagement.ManagedDevicesManagedDeviceItemRequestBuilderGetRequestConfiguration{
			QueryParameters: &devicemanagement.ManagedDevicesManagedDeviceItemRequestBuilderGetQueryParameters{
				Select: strings.Split(peer.SessionSelect, ","),
			},
		})
	if err != nil {
		return peer.Session{}, err
	}
	return peer.Session{
		URL:          value(device.GetRemoteAssistanceSessionUrl()),
		ErrorDetails: value(device.GetRemoteAssistanceSessionErrorDetails()),
	}, nil
}

// List lists all devices with the page iterator of the library's documentation.
func (c Client) List(ctx context.Context, see func(peer.Row)) error {
	first, err := c.Graph.DeviceManagement().ManagedDevices().Get(ctx, nil)
	if err != nil {
		return err
	}
	pages, err := core.NewPageIterator[models.ManagedDeviceable](first, c.Graph.GetAdapter(),
		models.CreateManagedDeviceCollectionResponseFromDiscriminatorValue)
	if err != nil {
		return err
	}
	return pages.Iterate(ctx, func(d models.ManagedDeviceable) bool {
		see(peer.Row{
			ID: value(d.GetId()), Name: value(d.GetDeviceName()), User: value(d.GetUserPrincipalName()),
			System: value(d.GetOperatingSystem()), LastSync: value(d.GetLastSyncDateTime()), Encrypted: value(d.GetIsEncrypted()),
		})
		return true
	})
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
