// Command migration is the program of docs/from-msgraph-sdk-go.md before it is changed: it finds a device by its serial
// number, asks its user for remote assistance, and shows the link, with Microsoft's msgraph-sdk-go.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	msgraphsdk "github.com/microsoftgraph/msgraph-sdk-go"
	"github.com/microsoftgraph/msgraph-sdk-go/devicemanagement"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"
)

func main() {
	credential, err := azidentity.NewInteractiveBrowserCredential(&azidentity.InteractiveBrowserCredentialOptions{
		TenantID: "YOUR-TENANT-ID", ClientID: "YOUR-APP-ID",
	})
	if err != nil {
		log.Fatal(err)
	}
	graph, err := msgraphsdk.NewGraphServiceClientWithCredentials(credential, nil)
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	link, err := open(ctx, graph, "YOUR-SERIAL-NUMBER")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Open this link:", link)
}

func open(ctx context.Context, graph *msgraphsdk.GraphServiceClient, serial string) (string, error) {
	filter := "serialNumber eq '" + strings.ReplaceAll(serial, "'", "''") + "'"
	devices := graph.DeviceManagement().ManagedDevices()
	found, err := devices.Get(ctx, &devicemanagement.ManagedDevicesRequestBuilderGetRequestConfiguration{
		QueryParameters: &devicemanagement.ManagedDevicesRequestBuilderGetQueryParameters{Filter: &filter},
	})
	if err != nil {
		return "", err
	}
	if len(found.GetValue()) != 1 || found.GetValue()[0].GetId() == nil {
		return "", errors.New("not exactly one device has this serial number")
	}
	device := devices.ByManagedDeviceId(*found.GetValue()[0].GetId())
	if err := device.RequestRemoteAssistance().Post(ctx, nil); err != nil {
		if failed, ok := errors.AsType[*odataerrors.ODataError](err); ok && failed.GetStatusCode() == http.StatusNotFound {
			return "", errors.New("the device is gone")
		}
		return "", err
	}
	for {
		got, err := device.Get(ctx, &devicemanagement.ManagedDevicesManagedDeviceItemRequestBuilderGetRequestConfiguration{
			QueryParameters: &devicemanagement.ManagedDevicesManagedDeviceItemRequestBuilderGetQueryParameters{
				Select: []string{"id", "remoteAssistanceSessionUrl"},
			},
		})
		if err != nil {
			return "", err
		}
		if link := got.GetRemoteAssistanceSessionUrl(); link != nil && *link != "" {
			return *link, nil
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(3 * time.Second):
		}
	}
}
