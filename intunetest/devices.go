package intunetest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/go-intune/intune"
)

// device is a managed device of the tenant.
type device struct {
	serial  int // position in lists, and in skip tokens
	record  intune.ManagedDevice
	session session
}

// AddDevice adds a device and returns its plain address. A device without an ID gets a GUID that is the same in every
// run. A device with the ID of another replaces that one in the list; the session is forgotten, but [Tenant.Prompts]
// keeps its count. The tenant keeps a copy of d.
//
// The scripts say what becomes of the requests for remote assistance that are accepted for the device: each request
// takes the next script, and the last script repeats. Without scripts, every request takes the default [SessionScript].
//
// RemoteAssistanceSessionURL and RemoteAssistanceSessionErrorDetails of d are those that an earlier session left
// behind; they are visible from the start. UserID and UserPrincipalName make the device's user known, as
// [Tenant.AddUser] does. An enum that is not set is sent as its neutral member ("unknown", "none", "managed"), since
// the service has no blank enums. Any other property that is not set is sent as null, "", "Unknown" or the year 1, as
// users have recorded it for each property. DeviceActionResults, DeviceHealthAttestationState and
// ConfigurationManagerClientEnabledFeatures are sent whole, in lists too.
func (t *Tenant) AddDevice(d intune.ManagedDevice, s ...SessionScript) intune.DeviceRef {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d.ID == "" {
		d.ID = t.nextGUID("device")
	}
	added := &device{record: unshared(d), session: session{
		link:         d.RemoteAssistanceSessionURL.Reveal(),
		errorDetails: d.RemoteAssistanceSessionErrorDetails,
		scripts:      slices.Clone(s),
	}}
	key := foldID(d.ID)
	if old := t.devices[key]; old != nil {
		added.serial = old.serial
		t.sequence[t.index(old.serial)] = added
	} else {
		added.serial = t.nextSerial("place")
		t.sequence = append(t.sequence, added)
	}
	t.devices[key] = added
	t.users.add(d.UserID, d.UserPrincipalName)
	return intune.Device(d.ID)
}

// unshared is a copy of a device that has no memory in common with it.
func unshared(d intune.ManagedDevice) intune.ManagedDevice {
	d.AzureADRegistered = clone(d.AzureADRegistered)
	d.RequireUserEnrollmentApproval = clone(d.RequireUserEnrollmentApproval)
	d.DeviceActionResults = slices.Clone(d.DeviceActionResults)
	for i := range d.DeviceActionResults {
		location := &d.DeviceActionResults[i].DeviceLocation
		*location = clone(*location)
	}
	return d
}

func clone[T any](pointer *T) *T {
	if pointer == nil {
		return nil
	}
	return new(*pointer)
}

// RemoveDevice removes a device, as retiring or enrolling it again does. Only the device id of the reference counts;
// an unknown one is ignored. Its user stays known.
func (t *Tenant) RemoveDevice(ref intune.DeviceRef) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := foldID(ref.DeviceID())
	if old := t.devices[key]; old != nil {
		delete(t.devices, key)
		at := t.index(old.serial)
		t.sequence = slices.Delete(t.sequence, at, at+1)
	}
}

// index is the position in the sequence that the device with a serial number has, or would have. The caller holds the
// lock.
func (t *Tenant) index(serial int) int {
	at, _ := slices.BinarySearchFunc(t.sequence, serial, func(d *device, serial int) int { return cmp.Compare(d.serial, serial) })
	return at
}

// foldID makes ids comparable: GUIDs are compared without case.
func foldID(id string) string { return strings.ToLower(id) }

// findDevice returns the device of an address, if it belongs to every part of the address. The caller holds the lock.
func (t *Tenant) findDevice(x *exchange, where *target) (*device, *answer) {
	u, refused := t.findUser(x, where)
	if refused != nil {
		return nil, refused
	}
	d := t.devices[foldID(where.keys[keyDevice])]
	if d == nil || u != nil && !u.owns(d) {
		return nil, x.notFound(where.backend(true))
	}
	if where.has[keyApp] {
		if a := t.findApp(where.keys[keyApp]); a == nil || !a.has(d) {
			return nil, x.notFound(where.backend(true))
		}
	}
	return d, nil
}

// noDevice has the default of every property.
var noDevice intune.ManagedDevice
