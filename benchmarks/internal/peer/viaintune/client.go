// Package viaintune does the job with this library.
package viaintune

import (
	"context"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/go-intune/intune"

	"github.com/go-intune/intune/benchmarks/internal/peer"
)

// Client is the library's.
type Client struct{ client *intune.Client }

// New makes a client.
func New(s peer.Setup) (Client, error) {
	options := &intune.ClientOptions{}
	if s.Transport != nil {
		options.Transport = &http.Client{Transport: s.Transport}
	}
	if s.Root != "" {
		root := strings.TrimSuffix(s.Root, "/v1.0")
		options.Cloud = cloud.Configuration{
			ActiveDirectoryAuthorityHost: root,
			Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
				intune.ServiceGraph: {Endpoint: root, Audience: "https://graph.microsoft.com"},
			},
		}
	}
	client, err := intune.NewClient(intune.StaticToken(s.Token), options)
	return Client{client}, err
}

// Request asks for remote assistance.
func (c Client) Request(ctx context.Context, device string) error {
	_, err := c.client.RequestRemoteAssistance(ctx, intune.Device(device), nil)
	return err
}

// Session reads the session.
func (c Client) Session(ctx context.Context, device string) (peer.Session, error) {
	session, err := c.client.GetRemoteAssistanceSession(ctx, intune.Device(device), nil)
	return peer.Session{URL: session.URL.Reveal(), ErrorDetails: session.ErrorDetails}, err
}

// List lists all devices.
func (c Client) List(ctx context.Context, see func(peer.Row)) error {
	for device, err := range c.client.Devices(ctx, intune.AllDevices(), nil) {
		if err != nil {
			return err
		}
		see(peer.Row{
			ID: device.ID, Name: device.DeviceName, User: device.UserPrincipalName, System: device.OperatingSystem,
			LastSync: device.LastSyncDateTime, Encrypted: device.IsEncrypted,
		})
	}
	return nil
}
