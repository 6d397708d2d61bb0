package intune_test

import (
	"context"
	"fmt"

	"github.com/go-intune/intune"
)

// Can the tenant make sessions at all? If the state is unknown, the action may still work, because reading the state
// needs another permission.
func ExampleClient_RemoteAssistanceConnector() {
	ctx := context.Background()
	tenant, client, _ := exampleTenant()

	state, err := client.RemoteAssistanceConnector(ctx, nil)
	fmt.Println(state, err)

	tenant.SetConnector(intune.ConnectorStateNotOnboarded)
	state, err = client.RemoteAssistanceConnector(ctx, nil)
	fmt.Println(state, err)
	// Output:
	// onboarded <nil>
	// notOnboarded <nil>
}

// The partners behind the connector, of which TeamViewer is the only one known.
func ExampleClient_NewListRemoteAssistancePartnersPager() {
	ctx := context.Background()
	_, client, _ := exampleTenant()

	for pager := client.NewListRemoteAssistancePartnersPager(nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, partner := range page.Value {
			fmt.Println(partner.DisplayName, partner.OnboardingStatus)
		}
	}
	// Output:
	// TeamViewer onboarded
}

// Set up a connector. The service only begins to: an administrator then signs in at the partner, through OnboardingURL.
func ExampleClient_OnboardRemoteAssistancePartner() {
	ctx := context.Background()
	tenant, client, _ := exampleTenant()
	tenant.SetConnector(intune.ConnectorStateNotOnboarded)

	made, err := client.CreateRemoteAssistancePartner(ctx, intune.RemoteAssistancePartner{DisplayName: "TeamViewer"}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := client.OnboardRemoteAssistancePartner(ctx, made.ID, nil); err != nil {
		fmt.Println(err)
		return
	}
	partner, err := client.GetRemoteAssistancePartner(ctx, made.ID, nil)
	fmt.Println(partner.DisplayName, partner.OnboardingStatus, err)
	// Output:
	// TeamViewer onboarding <nil>
}

// Take a connector away. This ends remote assistance for the whole tenant, not one session.
func ExampleClient_DisconnectRemoteAssistancePartner() {
	ctx := context.Background()
	_, client, _ := exampleTenant()

	page, err := client.NewListRemoteAssistancePartnersPager(nil).NextPage(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	id := page.Value[0].ID
	_, err = client.UpdateRemoteAssistancePartner(ctx, id, intune.RemoteAssistancePartner{DisplayName: "TeamViewer, on its way out"}, nil)
	fmt.Println("renamed:", err == nil)
	_, err = client.DisconnectRemoteAssistancePartner(ctx, id, nil)
	fmt.Println("disconnected:", err == nil)
	_, err = client.DeleteRemoteAssistancePartner(ctx, id, nil)
	fmt.Println("deleted:", err == nil)
	fmt.Println(client.RemoteAssistanceConnector(ctx, nil))
	// Output:
	// renamed: true
	// disconnected: true
	// deleted: true
	// notOnboarded <nil>
}
