package intune_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
)

// help stands for a program's own code.
func help(ctx context.Context, client *intune.Client, device intune.DeviceRef) error {
	_, err := client.RequestRemoteAssistance(ctx, device, nil)
	return err
}

func TestHelp(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	device := tenant.AddDevice(intune.ManagedDevice{DeviceName: "DESKTOP-1"})
	if err := help(t.Context(), tenant.Client(), device); err != nil || tenant.Prompts(device) != 1 {
		t.Errorf("error %v, user asked %d times", err, tenant.Prompts(device))
	}
}

func TestHelpWhenTheConnectionBreaks(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	device := tenant.AddDevice(intune.ManagedDevice{DeviceName: "DESKTOP-1"})
	tenant.Inject(intunetest.Fault{PathSuffix: "/requestRemoteAssistance", Drop: intunetest.DropAfter})
	err := help(t.Context(), tenant.Client(), device)
	if !errors.Is(err, intune.ErrOutcomeUnknown) || tenant.Prompts(device) != 1 {
		t.Errorf("error %v, user asked %d times", err, tenant.Prompts(device))
	}
}

// Code that waits runs in no time on a bubble's clock.
func TestOpenSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		device := tenant.AddDevice(intune.ManagedDevice{}, intunetest.SessionScript{URL: "https://get.teamviewer.com/v15/s1"})
		var screen strings.Builder
		if err := openSession(t.Context(), tenant.Client(), device, &screen); err != nil {
			t.Fatal(err)
		}
		if screen.String() != "Open this link: https://get.teamviewer.com/v15/s1\n" {
			t.Errorf("the technician sees %q", screen.String())
		}
	})
}

// A link that never comes: the ten minutes of MaxWait pass at once.
func TestNeverALink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		device := tenant.AddDevice(intune.ManagedDevice{}, intunetest.SessionScript{Never: true})
		err := openSession(t.Context(), tenant.Client(), device, io.Discard)
		if !errors.Is(err, intune.ErrSessionPending) || tenant.Prompts(device) != 1 {
			t.Errorf("error %v, user asked %d times", err, tenant.Prompts(device))
		}
	})
}

// Without a bubble, the tenant sets the pace at which its clients look again.
func TestOpenSessionWithoutABubble(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond})
	device := tenant.AddDevice(intune.ManagedDevice{}, intunetest.SessionScript{URL: "https://get.teamviewer.com/v15/s1"})
	var screen strings.Builder
	if err := openSession(t.Context(), tenant.Client(), device, &screen); err != nil || !strings.Contains(screen.String(), "/v15/s1") {
		t.Errorf("the technician sees %q, error %v", screen.String(), err)
	}
}

// C§7.1: with all the waits that it allows itself, openAll stays far below the service's limits.
func TestOpenAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(&intunetest.TenantOptions{ThrottleLimits: true, KeepRequests: -1})
		var devices []intune.DeviceRef
		count := 600
		if graphtest.Smaller > 1 {
			count = 200
		}
		for range count {
			devices = append(devices, tenant.AddDevice(intune.ManagedDevice{}, intunetest.SessionScript{After: 2 * time.Minute}))
		}
		most := 0
		watch, stop := context.WithCancel(t.Context())
		watched := make(chan struct{})
		go func() {
			defer close(watched)
			window := time.NewTicker(20 * time.Second)
			defer window.Stop()
			for before := 0; ; {
				select {
				case <-window.C:
					most, before = max(most, tenant.RequestCount()-before), tenant.RequestCount()
				case <-watch.Done():
					return
				}
			}
		}()
		for device, result := range openAll(t.Context(), tenant.Client(), append(devices, devices[0])) {
			if result.Err != nil || result.Session.URL.IsZero() {
				t.Fatalf("%v: got %v, error %v", device, result.Session, result.Err)
			}
			if n := tenant.Prompts(device); n != 1 {
				t.Fatalf("%v: the user was asked %d times", device, n)
			}
		}
		stop()
		<-watched
		if most < min(count, 500) || most > 1000 {
			t.Errorf("%d requests in 20 seconds", most)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for device, result := range openAll(ctx, tenant.Client(), devices[:3]) {
			if !errors.Is(result.Err, context.Canceled) || tenant.Prompts(device) != 1 {
				t.Errorf("%v: error %v, user asked %d times", device, result.Err, tenant.Prompts(device))
			}
		}
	})
}

// One answer, given by httpmock. The kit's options are used for their retries, which do not wait.
func ExampleNewClient_httpmock() {
	ctx := context.Background()

	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", `=~/requestRemoteAssistance$`,
		intunetest.IntuneError(http.StatusForbidden, "Forbidden", "The user has no role."))
	options := intunetest.NewTenant(nil).ClientOptions()
	options.Transport = &http.Client{Transport: mock}
	client, err := intune.NewClient(intune.StaticToken("test"), options)
	if err != nil {
		fmt.Println(err)
		return
	}

	_, err = client.RequestRemoteAssistance(ctx, intune.Device("1"), nil)
	fmt.Println(errors.Is(err, intune.ErrForbidden), mock.GetTotalCallCount())
	// Output:
	// true 1
}
