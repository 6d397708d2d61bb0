package intunetest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// The library against the tenant: two readings of the same contract, which must agree.
func TestLibraryReads(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{PageSize: 4, ShortPages: true})
	fill(tenant, 7)
	added := full()
	ref := tenant.AddDevice(added)
	tenant.AddDetectedApp(intune.DetectedApp{ID: appID, DisplayName: "Notepad"}, ref)
	client := tenant.Client()

	var ids []string
	for device, err := range client.Devices(t.Context(), intune.AllDevices(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, device.ID)
	}
	if want := []string{"0", "1", "2", "3", "4", "5", "6", deviceID}; !slices.Equal(ids, want) {
		t.Errorf("listed %v, want %v", ids, want)
	}

	got, err := client.GetDevice(t.Context(), ref, &intune.GetDeviceOptions{Select: propertyNames})
	if err != nil {
		t.Fatal(err)
	}
	for property, values := range map[string][2]any{
		"RemoteAssistanceSessionURL": {got.RemoteAssistanceSessionURL.Reveal(), "https://old"},
		"Notes":                      {got.Notes, "notes"},
		"PhysicalMemoryInBytes":      {got.PhysicalMemoryInBytes, added.PhysicalMemoryInBytes},
		"ManagedDeviceName":          {got.ManagedDeviceName, added.ManagedDeviceName},
		"LastSyncDateTime":           {got.LastSyncDateTime.UTC(), added.LastSyncDateTime.UTC()},
		"ComplianceState":            {got.ComplianceState, intune.ComplianceStateCompliant},
		"AzureADRegistered":          {got.AzureADRegistered != nil && *got.AzureADRegistered, true},
	} {
		if values[0] != values[1] {
			t.Errorf("%s: %v, want %v", property, values[0], values[1])
		}
	}

	found, err := client.FindDevice(t.Context(), intune.DeviceFilter{DeviceName: "O'HARA's PC+3,~%27"}, nil)
	if err != nil || found.ID != "3" {
		t.Errorf("found %q, %v", found.ID, err)
	}
	for app, err := range client.DetectedApps(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if app.DisplayName != "Notepad" || app.DeviceCount != 1 {
			t.Errorf("%+v", app)
		}
	}
	for _, state := range []intune.ConnectorState{
		intune.ConnectorStateOnboarded, intune.ConnectorStateOnboarding, intune.ConnectorStateNotOnboarded, intune.ConnectorStateUnknown,
	} {
		tenant.SetConnector(state)
		got, err := client.RemoteAssistanceConnector(t.Context(), nil)
		if got != state || (err != nil) != (state == intune.ConnectorStateUnknown) {
			t.Errorf("connector %s, %v, want %s", got, err, state)
		}
	}
}

// A whole session, on a fake clock: nothing is waited for, and the user is asked once.
func TestLibrarySession(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script intunetest.SessionScript
		fault  intunetest.Fault
		link   string
	}{
		"default":     {intunetest.SessionScript{}, intunetest.Fault{}, "https://get.teamviewer.com/"},
		"given":       {intunetest.SessionScript{URL: "https://x", After: time.Minute}, intunetest.Fault{}, "https://x"},
		"failed":      {intunetest.SessionScript{ErrorDetails: "no"}, intunetest.Fault{}, ""},
		"answer lost": {intunetest.SessionScript{}, intunetest.Fault{Method: "POST", Drop: intunetest.DropAfter}, "https://get.teamviewer.com/"},
		"reads fail for a while": {
			intunetest.SessionScript{},
			intunetest.Fault{
				Match: func(r intunetest.RecordedRequest) bool { return strings.Contains(r.RawQuery, "Session") }, Status: 503, Times: 3,
			},
			"https://get.teamviewer.com/",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tenant := intunetest.NewTenant(nil)
				ref := populate(tenant, c.script)
				tenant.Inject(c.fault)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				session, err := tenant.Client().OpenRemoteAssistance(ctx, ref, nil)
				var failed *intune.SessionError
				switch {
				case c.link == "" && !errors.As(err, &failed), c.link != "" && err != nil, !strings.HasPrefix(session.URL.Reveal(), c.link):
					t.Errorf("session %+v, %v", session, err)
				}
				if n := tenant.Prompts(ref); n != 1 {
					t.Errorf("%d prompts; %v", n, tenant.Requests())
				}
			})
		})
	}
}
