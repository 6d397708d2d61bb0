package intune_test

import (
	"context"
	"fmt"
	"time"

	"github.com/go-intune/intune"
)

// requestAll asks the users of many devices, five a second, and returns the result for each. If the context ends, the
// devices that are left have the context's error.
func requestAll(ctx context.Context, client *intune.Client, devices []intune.DeviceRef) map[intune.DeviceRef]error {
	results := make(map[intune.DeviceRef]error, len(devices))
	pace := time.NewTicker(time.Second / 5) // the service allows an app 10 a second
	defer pace.Stop()
	for _, device := range devices {
		if _, asked := results[device]; asked {
			continue // each user is asked once
		}
		select {
		case <-pace.C:
			_, results[device] = client.RequestRemoteAssistance(ctx, device, nil)
		case <-ctx.Done():
			results[device] = ctx.Err()
		}
	}
	return results
}

// A plain loop with a pace. It takes a fifth of a second per device.
func ExampleClient_RequestRemoteAssistance_manyDevices() {
	ctx := context.Background()
	_, client, device := exampleTenant()
	for device, err := range requestAll(ctx, client, []intune.DeviceRef{device, intune.Device("no-such-device")}) {
		fmt.Println(device, err)
	}
}
