package intune_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// Ask the users of many devices. The pace is five devices a second unless told otherwise.
func ExampleClient_RequestRemoteAssistanceMany() {
	ctx := context.Background()
	tenant := intunetest.NewTenant(nil)
	client := tenant.Client()
	devices := []intune.DeviceRef{
		tenant.AddDevice(intune.ManagedDevice{ID: "705c034c-034c-705c-4c03-5c704c035c70"}),
		intune.Device("0d3f9c1a-77b2-4c55-9a08-2f5c7b6e1d42"), // of which the tenant knows nothing
	}

	for result := range client.RequestRemoteAssistanceMany(ctx, slices.Values(devices), nil) {
		switch result.Outcome {
		case intune.OutcomeAccepted:
			fmt.Println(result.Device, "was asked")
		case intune.OutcomeUnknown:
			fmt.Println(result.Device, "may have been asked; look at its session first")
		default:
			fmt.Println(result.Device, "was not asked:", errors.Is(result.Err, intune.ErrNotFound))
		}
	}
	// Unordered output:
	// /deviceManagement/managedDevices/705c034c-034c-705c-4c03-5c704c035c70 was asked
	// /deviceManagement/managedDevices/0d3f9c1a-77b2-4c55-9a08-2f5c7b6e1d42 was not asked: true
}

// Every Windows device, as the pages of the list come in, in batches of twenty. The progress goes to standard error, every hundred
// devices.
func ExampleClient_RequestRemoteAssistanceMany_batches() {
	ctx := context.Background()
	tenant := intunetest.NewTenant(nil)
	client := tenant.Client()
	for i := range 45 {
		tenant.AddDevice(intune.ManagedDevice{DeviceName: fmt.Sprintf("PC-%02d", i), OperatingSystem: "Windows"})
	}

	var listErr error
	windows := func(yield func(intune.DeviceRef) bool) {
		options := &intune.ListDevicesOptions{Filter: intune.DeviceFilter{OperatingSystem: "Windows"}}
		for device, err := range client.Devices(ctx, intune.AllDevices(), options) {
			if listErr = err; err != nil || !yield(device.Ref()) {
				return
			}
		}
	}
	accepted := 0
	for result := range client.RequestRemoteAssistanceMany(ctx, windows, &intune.RequestManyOptions{
		PerSecond: 100, // of a real tenant, the service refuses more than 10
		OnProgress: func(p intune.Progress) {
			if p.Done()%100 == 0 {
				fmt.Fprintf(os.Stderr, "\r%d done, %.1f a second ", p.Done(), p.PerSecond)
			}
		},
	}) {
		if result.Outcome == intune.OutcomeAccepted {
			accepted++
		}
	}
	fmt.Println(accepted, "accepted; the list:", listErr)
	// Output: 45 accepted; the list: <nil>
}

// opened is what became of one device of openAll.
type opened struct {
	Session intune.RemoteAssistanceSession
	Err     error
}

// openAll asks the users of many devices, five a second, and waits for all links, for at most 500 at a time.
//
// The service allows an app 2,000 reads in 20 seconds. A wait that reads every 15 seconds takes 1.3 of them, so that 1,500
// waits use up all. 500 waits, with the first read of each, take some 800, and leave the rest to others.
func openAll(ctx context.Context, client *intune.Client, devices []intune.DeviceRef) map[intune.DeviceRef]opened {
	results := make(map[intune.DeviceRef]opened, len(devices))
	var mu sync.Mutex
	var waits errgroup.Group
	waits.SetLimit(500)
	pace := rate.NewLimiter(5, 1)
	for _, device := range devices {
		mu.Lock()
		_, asked := results[device]
		mu.Unlock()
		if asked {
			continue
		}
		err := pace.Wait(ctx)
		mu.Lock()
		results[device] = opened{Err: err} // until there is a result
		mu.Unlock()
		if err != nil {
			continue
		}
		waits.Go(func() error {
			session, err := client.OpenRemoteAssistance(ctx, device, &intune.OpenRemoteAssistanceOptions{Frequency: 15 * time.Second})
			mu.Lock()
			defer mu.Unlock()
			results[device] = opened{session, err}
			return nil // the others go on
		})
	}
	_ = waits.Wait() // each device has its own error
	return results
}

// Ask the users of many devices and wait for all links.
func ExampleClient_OpenRemoteAssistance_manyDevices() {
	ctx := context.Background()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond}) // in a program: a real one
	client := tenant.Client()
	devices := []intune.DeviceRef{
		tenant.AddDevice(intune.ManagedDevice{DeviceName: "PC-1"}, intunetest.SessionScript{AfterReads: 2, URL: "https://get.teamviewer.com/v15/s1"}),
		tenant.AddDevice(intune.ManagedDevice{DeviceName: "PC-2"}, intunetest.SessionScript{AfterReads: 1, ErrorDetails: "the user declined"}),
	}

	for device, result := range openAll(ctx, client, devices) {
		fmt.Println(device == devices[0], result.Session.URL.Reveal(), result.Err != nil)
	}
	// Unordered output:
	// true https://get.teamviewer.com/v15/s1 false
	// false  true
}
