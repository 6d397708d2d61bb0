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
