// Command byserial finds a device by its serial number, asks its user for remote assistance, and shows the link. It is the
// program of docs/from-msgraph-sdk-go.md after the change.
package main

import (
	"context"
	"fmt"
	"log"

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
	link, err := open(context.Background(), client, "YOUR-SERIAL-NUMBER")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Open this link:", link)
}

func open(ctx context.Context, client *intune.Client, serial string) (string, error) {
	device, err := client.FindDevice(ctx, intune.DeviceFilter{SerialNumber: serial}, nil)
	if err != nil {
		return "", err
	}
	session, err := client.OpenRemoteAssistance(ctx, device.Ref(), nil)
	return session.URL.Reveal(), err
}
