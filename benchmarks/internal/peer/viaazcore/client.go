// Package viaazcore does the job with a client as Azure's generator writes them.
package viaazcore

import (
	"context"
	"net/http"
	"net/url"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/benchmarks/internal/peer"
	"github.com/go-intune/intune/benchmarks/internal/peer/azuretoken"
)

// Client is azcore's pipeline with its defaults and the bearer token policy. It sends the same headers as this library.
type Client struct {
	client *azcore.Client
	root   string
}

// New makes a client.
func New(s peer.Setup) (Client, error) {
	bearer := runtime.NewBearerTokenPolicy(azuretoken.Credential(s.Token), []string{"https://graph.microsoft.com/.default"}, nil)
	options := &azcore.ClientOptions{}
	if s.Transport != nil {
		options.Transport = &http.Client{Transport: s.Transport}
	}
	client, err := azcore.NewClient("peer", "v1.0.0", runtime.PipelineOptions{PerRetry: []policy.Policy{bearer}}, options)
	return Client{client, s.Address()}, err
}

func (c Client) new(ctx context.Context, method, path string) (*policy.Request, error) {
	req, err := runtime.NewRequest(ctx, method, runtime.JoinPaths(c.root, path))
	if err != nil {
		return nil, err
	}
	req.Raw().Header["Accept"] = []string{"application/json"}
	id, err := runtime.NewUUID()
	if err != nil {
		return nil, err
	}
	req.Raw().Header["Client-Request-Id"] = []string{id}
	return req, nil
}

func (c Client) do(req *policy.Request, status int, into any) error {
	resp, err := c.client.Pipeline().Do(req)
	if err != nil {
		return err
	}
	if !runtime.HasStatusCode(resp, status) {
		return runtime.NewResponseError(resp)
	}
	if into == nil {
		return nil
	}
	return runtime.UnmarshalAsJSON(resp, into)
}

// Request asks for remote assistance.
func (c Client) Request(ctx context.Context, id string) error {
	req, err := c.new(ctx, http.MethodPost, "/deviceManagement/managedDevices/"+url.PathEscape(id)+"/requestRemoteAssistance")
	if err != nil {
		return err
	}
	return c.do(req, http.StatusNoContent, nil)
}

// Session reads the session.
func (c Client) Session(ctx context.Context, id string) (peer.Session, error) {
	req, err := c.new(ctx, http.MethodGet, "/deviceManagement/managedDevices/"+url.PathEscape(id))
	if err != nil {
		return peer.Session{}, err
	}
	req.Raw().URL.RawQuery = url.Values{"$select": {peer.SessionSelect}}.Encode()
	var d peer.Device
	err = c.do(req, http.StatusOK, &d)
	return d.Session(), err
}

// List lists all devices.
func (c Client) List(ctx context.Context, see func(peer.Row)) error {
	pager := runtime.NewPager(runtime.PagingHandler[peer.Page]{
		More: func(p peer.Page) bool { return p.NextLink != "" },
		Fetcher: func(ctx context.Context, p *peer.Page) (peer.Page, error) {
			next := ""
			if p != nil {
				next = p.NextLink
			}
			resp, err := runtime.FetcherForNextLink(ctx, c.client.Pipeline(), next, func(ctx context.Context) (*policy.Request, error) {
				return c.new(ctx, http.MethodGet, "/deviceManagement/managedDevices")
			}, nil)
			if err != nil {
				return peer.Page{}, err
			}
			var into peer.Page
			return into, runtime.UnmarshalAsJSON(resp, &into)
		},
	})
	for pager.More() {
		p, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		for i := range p.Value {
			see(p.Value[i].Row())
		}
	}
	return nil
}
