package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/go-intune/intune"
)

// runLive does the job on a real tenant.
func runLive(ctx context.Context, o options, stdout, stderr io.Writer) error {
	credential, err := intune.NewCredential(&intune.CredentialOptions{
		ClientOptions: azcore.ClientOptions{Cloud: o.cloud},
		Method:        o.auth,
		TenantID:      o.tenant,
		ClientID:      o.clientID,
		Prompt: func(_ context.Context, message azidentity.DeviceCodeMessage) error {
			_, err := fmt.Fprintln(stderr, message.Message) // standard output is for the link
			return err
		},
	})
	if err != nil {
		return fmt.Errorf("cannot sign in: %w", err)
	}
	client, err := intune.NewClient(credential, &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
		Cloud:            o.cloud,
		PerRetryPolicies: []policy.Policy{&trace{out: stderr}},
	}})
	if err != nil {
		return err
	}
	return openLive(ctx, client, o.address(o.device), o.timeout, stdout, stderr)
}

// openLive asks, waits, and gives the link to the caller alone.
func openLive(ctx context.Context, client *intune.Client, device intune.DeviceRef, timeout time.Duration, stdout, stderr io.Writer) error {
	// Signing in comes first, so that its time is not taken from the wait.
	info, err := client.TokenInfo(ctx)
	if err != nil {
		return err
	}
	printf(stderr, "Signed in: %v\n", info)

	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	session, err := client.OpenRemoteAssistance(ctx, device, &intune.OpenRemoteAssistanceOptions{
		OnRequested: func(requested intune.Requested) {
			asked := "Asked."
			if requested.Outcome != intune.OutcomeAccepted {
				asked = "Perhaps asked: no usable answer came, and a link will tell."
			}
			printf(stderr, "%s Waiting for the link, at most %v.\n", asked, timeout)
		},
	})
	if err != nil {
		return err
	}
	printf(stderr, "The link that opens the session, on standard output; whoever has it can join:\n")
	_, err = fmt.Fprintln(stdout, session.URL.Reveal())
	return err
}
