package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/go-intune/intune"
)

// livePlace signs in to a real tenant.
func livePlace(ctx context.Context, o options, stderr io.Writer) (place, error) {
	credential, err := intune.NewCredential(&intune.CredentialOptions{
		ClientOptions: azcore.ClientOptions{Cloud: o.cloud},
		Method:        o.auth,
		TenantID:      o.tenant,
		ClientID:      o.clientID,
		Prompt: func(_ context.Context, message azidentity.DeviceCodeMessage) error {
			_, err := fmt.Fprintln(stderr, message.Message) // standard output is for the report
			return err
		},
	})
	if err != nil {
		return place{}, err
	}
	return placeWith(ctx, credential, o, azcore.ClientOptions{Cloud: o.cloud}, &http.Client{
		// A redirect is an answer like any other here, and the token must not follow it.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
}

// placeWith makes the two clients of a tenant. raw is the transport of the requests that do not go through the library.
func placeWith(ctx context.Context, credential azcore.TokenCredential, o options, graph azcore.ClientOptions, raw interface {
	Do(req *http.Request) (*http.Response, error)
},
) (place, error) {
	client, err := intune.NewClient(credential, &intune.ClientOptions{ClientOptions: graph})
	if err != nil {
		return place{}, err
	}
	token, err := client.TokenInfo(ctx)
	if err != nil {
		return place{}, err
	}
	graph.Transport = raw
	return place{
		wire:   newWire(o.cloud.Services[intune.ServiceGraph].Endpoint, credential, client.TokenRequestOptions().Scopes, &graph),
		client: client,
		token:  token,
		now:    time.Now,
		pause:  pause,
	}, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
