// Package vianethttp does the job with net/http.
package vianethttp

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/go-intune/intune/benchmarks/internal/peer"
)

// Client is the few lines that somebody writes who needs no library.
type Client struct {
	client      *http.Client
	root, token string
}

// New makes a client.
func New(s peer.Setup) (Client, error) {
	return Client{&http.Client{Transport: s.Transport}, s.Address(), s.Token}, nil
}

func (c Client) do(ctx context.Context, method, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Accept", "application/json")
	resp, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %s", resp.Status, body)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}

// Request asks for remote assistance.
func (c Client) Request(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodPost, c.root+"/deviceManagement/managedDevices/"+url.PathEscape(id)+"/requestRemoteAssistance", nil)
}

// Session reads the session.
func (c Client) Session(ctx context.Context, id string) (peer.Session, error) {
	var d peer.Device
	err := c.do(ctx, http.MethodGet, c.root+"/deviceManagement/managedDevices/"+url.PathEscape(id)+"?$select="+peer.SessionSelect, &d)
	return d.Session(), err
}

// List lists all devices.
func (c Client) List(ctx context.Context, see func(peer.Row)) error {
	for next := c.root + "/deviceManagement/managedDevices"; next != ""; {
		var p peer.Page
		if err := c.do(ctx, http.MethodGet, next, &p); err != nil {
			return err
		}
		for i := range p.Value {
			see(p.Value[i].Row())
		}
		next = p.NextLink
	}
	return nil
}
