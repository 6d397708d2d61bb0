package compare

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	abstractions "github.com/microsoft/kiota-abstractions-go"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"
)

// graphOn is msgraph-sdk-go on a tenant.
func graphOn(t *testing.T, tenant *intunetest.Tenant) *graphClient {
	t.Helper()
	b := newBench(t)
	b.tenant.Store(tenant)
	return b.theirs
}

func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// The tenant is good enough for a client that it was not made for: what msgraph-sdk-go reads is what is there.
func TestTenantListsForMsgraph(t *testing.T) {
	t.Parallel()
	tenant := tenantOf()
	graph := graphOn(t, tenant)
	first, err := graph.DeviceManagement().ManagedDevices().Get(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := core.NewPageIterator[models.ManagedDeviceable](first, graph.GetAdapter(),
		models.CreateManagedDeviceCollectionResponseFromDiscriminatorValue)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	if err := pages.Iterate(t.Context(), func(d models.ManagedDeviceable) bool {
		names = append(names, text(d.GetDeviceName()))
		return true
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"LT-4F7K2", "LT-4F7K3", "LT-4F7K4"}) || tenant.RequestCount() != 2 {
		t.Errorf("%q with %d requests", names, tenant.RequestCount())
	}
}

func TestTenantOpensSessionsForMsgraph(t *testing.T) {
	t.Parallel()
	tenant := tenantOf()
	graph := graphOn(t, tenant)
	device := graph.DeviceManagement().ManagedDevices().ByManagedDeviceId(deviceID)
	if err := device.RequestRemoteAssistance().Post(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	link := ""
	for range 2 { // the second read after the request has it
		got, err := device.Get(t.Context(), selecting("id", "remoteAssistanceSessionUrl"))
		if err != nil || text(got.GetId()) != deviceID {
			t.Fatal(err)
		}
		link = text(got.GetRemoteAssistanceSessionUrl())
	}
	if !strings.HasPrefix(link, "https://") || tenant.Prompts(intune.Device(deviceID)) != 1 {
		t.Errorf("link %q, %d prompts", link, tenant.TotalPrompts())
	}
	got, err := device.Get(t.Context(), nil)
	if err != nil || text(got.GetRemoteAssistanceSessionUrl()) != "" {
		t.Errorf("a read that does not name the link has it: %v", err)
	}
}

func TestTenantFailsForMsgraph(t *testing.T) {
	t.Parallel()
	tenant := tenantOf()
	graph := graphOn(t, tenant)
	err := graph.DeviceManagement().ManagedDevices().ByManagedDeviceId("3"+deviceID[1:]).RequestRemoteAssistance().Post(t.Context(), nil)
	var typed *odataerrors.ODataError
	if !errors.As(err, &typed) {
		t.Fatalf("got %T %v", err, err)
	}
	if status := typed.GetStatusCode(); status != http.StatusNotFound || typed.GetErrorEscaped() == nil {
		t.Errorf("status %d, error %v", status, typed.GetErrorEscaped())
	}
	if tenant.TotalPrompts() != 0 {
		t.Error("somebody was asked")
	}
}

// A write in a batch needs a body and a content type, and one without takes the whole batch down: so says Microsoft's page on
// batches. msgraph-sdk-go leaves both out of an action that has no body, so that its batch of actions is refused, and
// nobody is asked.
func TestTenantRefusesBatchOfMsgraph(t *testing.T) {
	t.Parallel()
	tenant := tenantOf()
	graph := graphOn(t, tenant)
	batch := newBatch(t, graph)
	device := graph.DeviceManagement().ManagedDevices().ByManagedDeviceId(deviceID)
	batch.add(device.RequestRemoteAssistance().ToPostRequestInformation(t.Context(), nil))
	batch.add(device.ToGetRequestInformation(t.Context(), nil))
	if _, err := batch.Send(t.Context(), graph.GetAdapter()); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("got %v", err)
	}
	if tenant.RequestCount() != 1 || tenant.TotalPrompts() != 0 {
		t.Errorf("%d requests, %d prompts", tenant.RequestCount(), tenant.TotalPrompts())
	}
}

// With an empty object for a body each item is carried out and has a status of its own. But msgraph-sdk-go writes
// content-type in small letters, which the service is said to refuse, and so does a tenant with the Strict option.
func TestTenantBatchesForMsgraph(t *testing.T) {
	t.Parallel()
	for _, strict := range []bool{false, true} {
		tenant := intunetest.NewTenant(&intunetest.TenantOptions{Strict: strict})
		tenant.AddDevice(intune.ManagedDevice{ID: deviceID, DeviceName: "LT-4F7K2"})
		graph := graphOn(t, tenant)
		batch := newBatch(t, graph)
		devices := graph.DeviceManagement().ManagedDevices()
		action := func(id string) string {
			info, err := devices.ByManagedDeviceId(id).RequestRemoteAssistance().ToPostRequestInformation(t.Context(), nil)
			if err == nil {
				info.SetStreamContentAndContentType([]byte("{}"), "application/json")
			}
			return batch.add(info, err)
		}
		accepted, unknown := action(deviceID), action("3"+deviceID[1:])
		read := batch.add(devices.ByManagedDeviceId(deviceID).ToGetRequestInformation(t.Context(), nil))
		answer, err := batch.Send(t.Context(), graph.GetAdapter())
		if strict {
			if err == nil || tenant.TotalPrompts() != 0 {
				t.Errorf("strict: %v, %d prompts", err, tenant.TotalPrompts())
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string]int32{accepted: http.StatusNoContent, unknown: http.StatusNotFound, read: http.StatusOK} {
			if got := answer.GetStatusCodes()[id]; got != want {
				t.Errorf("item %s: %d, want %d", id, got, want)
			}
		}
		device, err := core.GetBatchResponseById[models.ManagedDeviceable](answer, read, models.CreateManagedDeviceFromDiscriminatorValue)
		if err != nil {
			t.Fatal(err)
		}
		if name, n := text(device.GetDeviceName()), tenant.TotalPrompts(); name != "LT-4F7K2" || n != 1 {
			t.Errorf("device %q, %d prompts", name, n)
		}
	}
}

type batch struct {
	core.BatchRequest
	t *testing.T
}

func newBatch(t *testing.T, graph *graphClient) batch {
	t.Helper()
	return batch{core.NewBatchRequest(graph.GetAdapter()), t}
}

// add takes the two results of a request builder and gives the id of the item.
func (b batch) add(info *abstractions.RequestInformation, err error) string {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	item, err := b.AddBatchRequestStep(*info)
	if err != nil {
		b.t.Fatal(err)
	}
	return *item.GetId()
}

func TestTenantShowsPartnersToMsgraph(t *testing.T) {
	t.Parallel()
	partners := graphOn(t, tenantOf()).DeviceManagement().RemoteAssistancePartners()
	list, err := partners.Get(t.Context(), nil)
	if err != nil || len(list.GetValue()) != 1 {
		t.Fatal(list, err)
	}
	one, err := partners.ByRemoteAssistancePartnerId(*list.GetValue()[0].GetId()).Get(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := text(one.GetDisplayName()) + " " + one.GetOnboardingStatus().String(); got != "TeamViewer onboarded" {
		t.Errorf("got %q", got)
	}
}
