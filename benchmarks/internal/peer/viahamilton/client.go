// Package viahamilton does the job with manicminer/hamilton.
package viahamilton

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/hashicorp/go-azure-sdk/sdk/odata"
	"github.com/manicminer/hamilton/msgraph"

	"github.com/go-intune/intune/benchmarks/internal/peer"
	"github.com/go-intune/intune/benchmarks/internal/peer/oauthtoken"
)

// Client is the base client. The library has no managed devices, so the addresses are strings.
type Client struct{ client msgraph.Client }

// New makes a client.
func New(s peer.Setup) (Client, error) {
	client := msgraph.NewClient(msgraph.Version10)
	if s.Root != "" {
		client.Endpoint = strings.TrimSuffix(s.Root, "/v1.0")
	}
	if s.Transport != nil {
		client.RetryableClient.HTTPClient.Transport = s.Transport
	}
	client.Authorizer = oauthtoken.Authorizer(s.Token)
	return Client{client}, nil
}

// Request asks for remote assistance.
func (c Client) Request(ctx context.Context, id string) error {
	_, _, _, err := c.client.Post(ctx, msgraph.PostHttpRequestInput{
		ValidStatusCodes: []int{http.StatusNoContent},
		Uri:              msgraph.Uri{Entity: "/deviceManagement/managedDevices/" + id + "/requestRemoteAssistance"},
	})
	return err
}

func (c Client) get(ctx context.Context, entity string, query odata.Query, into any) error {
	resp, _, _, err := c.client.Get(ctx, msgraph.GetHttpRequestInput{
		OData: query, ValidStatusCodes: []int{http.StatusOK}, Uri: msgraph.Uri{Entity: entity},
	})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(into)
}

// Session reads the session.
func (c Client) Session(ctx context.Context, id string) (peer.Session, error) {
	var d peer.Device
	err := c.get(ctx, "/deviceManagement/managedDevices/"+id, odata.Query{Select: strings.Split(peer.SessionSelect, ",")}, &d)
	return d.Session(), err
}

// List lists all devices.
func (c Client) List(ctx context.Context, see func(peer.Row)) error {
	var all peer.Page
	if err := c.get(ctx, "/deviceManagement/managedDevices", odata.Query{}, &all); err != nil {
		return err
	}
	for i := range all.Value {
		see(all.Value[i].Row())
	}
	return nil
}
