// Command minimal is the program at the top of the README: sign in, ask, wait, show the link.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/go-intune/intune"
)

func main() {
	credential, err := azidentity.NewInteractiveBrowserCredential(&azidentity.InteractiveBrowserCredentialOptions{
		TenantID: "YOUR-TENANT-ID", ClientID: "YOUR-APP-ID",
	})
	if err != nil {
		log.Fatal(err)
	}
	client, err := intune.NewClient(credential, nil)
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	session, err := client.OpenRemoteAssistance(ctx, intune.Device("INTUNE-DEVICE-ID"), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Open this link:", session.URL.Reveal())
}
