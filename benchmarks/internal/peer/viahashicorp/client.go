// Package viahashicorp does the job with hashicorp/go-azure-sdk.
package viahashicorp

import (
	"context"
	"strings"
	"time"

	"github.com/hashicorp/go-azure-sdk/microsoft-graph/common-types/stable"
	"github.com/hashicorp/go-azure-sdk/microsoft-graph/devicemanagement/stable/manageddevice"
	"github.com/hashicorp/go-azure-sdk/sdk/environments"

	"github.com/go-intune/intune/benchmarks/internal/peer"
	"github.com/go-intune/intune/benchmarks/internal/peer/oauthtoken"
)

// Client has the typed operations. The base module is newer than the one that the generated package asks for: the first
// whose transport can be replaced.
type Client struct {
	devices *manageddevice.ManagedDeviceClient
}

// New makes a client.
func New(s peer.Setup) (Client, error) {
	root := strings.TrimSuffix(s.Address(), "/v1.0")
	devices, err := manageddevice.NewManagedDeviceClientWithBaseURI(environments.NewApiEndpoint("MicrosoftGraph", root, nil))
	if err != nil {
		return Client{}, err
	}
	devices.Client.SetAuthorizer(oauthtoken.Authorizer(s.Token))
	if s.Transport != nil {
		devices.Client.SetTransport(s.Transport)
	}
	return Client{devices}, nil
}

// Request asks for remote assistance.
func (c Client) Request(ctx context.Context, id string) error {
	_, err := c.devices.RequestManagedDeviceRemoteAssistance(ctx, stable.NewDeviceManagementManagedDeviceID(id),
		manageddevice.DefaultRequestManagedDeviceRemoteAssistanceOperationOptions())
	return err
}

// Session reads the session.
func (c Client) Session(ctx context.Context, id string) (peer.Session, error) {
	properties := strings.Split(peer.SessionSelect, ",")
	got, err := c.devices.GetManagedDevice(ctx, stable.NewDeviceManagementManagedDeviceID(id),
		manageddevice.GetManagedDeviceOperationOptions{Select: &properties})
	if err != nil || got.Model == nil {
		return peer.Session{}, err
	}
	return peer.Session{
		URL:          got.Model.RemoteAssistanceSessionUrl.GetOrZero(),
		ErrorDetails: got.Model.RemoteAssistanceSessionErrorDetails.GetOrZero(),
	}, nil
}

// List lists all devices. The library has all pages in memory before it returns.
func (c Client) List(ctx context.Context, see func(peer.Row)) error {
	all, err := c.devices.ListManagedDevices(ctx, manageddevice.DefaultListManagedDevicesOperationOptions())
	if err != nil || all.Model == nil {
		return err
	}
	for _, d := range *all.Model {
		lastSync, err := time.Parse(time.RFC3339, value(d.LastSyncDateTime))
		if err != nil {
			return err
		}
		see(peer.Row{
			ID: value(d.Id), Name: d.DeviceName.GetOrZero(), User: d.UserPrincipalName.GetOrZero(),
			System: d.OperatingSystem.GetOrZero(), LastSync: lastSync, Encrypted: value(d.IsEncrypted),
		})
	}
	return nil
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
