package intunetest

import (
	"time"

	"github.com/go-intune/intune"
)

// DeviceState is what a tenant knows of a device at a point in time.
type DeviceState struct {
	// Device is what Tenant.AddDevice was given, with the session's link and error text as they are now.
	Device intune.ManagedDevice

	// Prompts is Tenant.Prompts of the device.
	Prompts int

	// Pending reports that a request for remote assistance was accepted, and that its result is not visible yet.
	Pending bool
}

// Devices are the devices of the tenant in order of arrival. The call does not count as a read or as a request, and
// advances no [SessionScript]. The result is a copy.
func (t *Tenant) Devices() []DeviceState {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	list := make([]DeviceState, 0, len(t.sequence))
	for _, d := range t.sequence {
		d.session.settle(now)
		state := DeviceState{Device: unshared(d.record), Prompts: t.prompts[foldID(d.record.ID)], Pending: d.session.pending != nil}
		state.Device.RemoteAssistanceSessionURL = intune.NewSessionURL(d.session.link)
		state.Device.RemoteAssistanceSessionErrorDetails = d.session.errorDetails
		list = append(list, state)
	}
	return list
}

// Now is the time of the tenant: [TenantOptions.Clock] plus what [Tenant.Advance] added.
func (t *Tenant) Now() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now()
}

// Connector is what [Tenant.SetConnector] set, or [intune.ConnectorStateOnboarded] if that hid the connector.
func (t *Tenant) Connector() intune.ConnectorState {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.connector()
}
