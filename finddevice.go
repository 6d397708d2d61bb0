package intune

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-intune/intune/internal/odata"
	"github.com/go-intune/intune/internal/redact"
)

// ErrAmbiguousDevice marks a search for one device that found several. The error is an [*AmbiguousDeviceError].
var ErrAmbiguousDevice = errors.New("more than one device matches")

// tellingApart are the properties by which a technician knows a device.
var tellingApart = []string{"deviceName", "serialNumber", "lastSyncDateTime"}

// maxCandidatesShown is how many candidates the text of an error shows.
const maxCandidatesShown = 5

// maxCandidates is how many matches a search collects before it gives up.
const maxCandidates = 20

// FindDeviceOptions configures [Client.FindDevice].
type FindDeviceOptions struct {
	// In narrows the search to a collection. When it is not set, the search is in [AllDevices]. In [DetectedAppDevices],
	// ErrNotFound is certain only for a filter on DeviceName, since the list may lack the other properties.
	In DeviceCollection

	// Select is as in [ListDevicesOptions]. The properties that tell candidates apart are always added.
	Select []string

	// OnPage is as in [ListDevicesOptions].
	OnPage func(ListDevicesResponse)
}

// FindDevice returns the device that matches a filter, if exactly one does. It never picks one of several, because the
// action shows a prompt on somebody's screen: it returns [ErrNotFound] if no device matches, and an
// [*AmbiguousDeviceError] that lists the matches if several do. It returns [ErrInvalidArgument] for an empty filter,
// and an [*Error] for a match without an id, which no method could use.
//
// FindDevice reads every page and checks every row, so a filter that the service ignores makes it slow, but not wrong.
// Needs DeviceManagementManagedDevices.Read.All. Errors otherwise: [*Error].
func (c *Client) FindDevice(ctx context.Context, filter DeviceFilter, options *FindDeviceOptions) (device ManagedDevice, err error) {
	if err := c.check(ctx); err != nil {
		return ManagedDevice{}, err
	}
	if filter.IsZero() {
		return ManagedDevice{}, invalidArgument("filter", "is empty and would match every device; set at least one field")
	}
	in, list := AllDevices(), ListDevicesOptions{Filter: filter}
	if options != nil {
		list.OnPage = options.OnPage
		if options.In != (DeviceCollection{}) {
			in = options.In
		}
		list.Select = options.Select
	}
	if len(list.Select) > 0 || in.form == formDetectedApp { // whose list has few properties unless they are selected
		list.Select = slices.Concat(tellingApart, list.Select)
	}
	ctx, endSpan := c.startSpan(ctx, opFindDevice)
	defer func() { endSpan(err) }()
	var found []ManagedDevice
	for candidate, err := range c.Devices(ctx, in, &list) {
		if err != nil {
			if failed, ok := errors.AsType[*Error](err); ok {
				failed.Op = opFindDevice.text
			}
			return ManagedDevice{}, err
		}
		if candidate.ID == "" {
			// It may be the only match, or one of several, and no method could use it.
			return ManagedDevice{}, &Error{Op: opFindDevice.text, Message: "a device that matches came without its id"}
		}
		if found = append(found, candidate); len(found) == maxCandidates {
			break
		}
	}
	switch len(found) {
	case 0:
		return ManagedDevice{}, &Error{Op: opFindDevice.text, Message: "no device matches the filter on " + strings.Join(filter.properties(), ", "), kind: ErrNotFound}
	case 1:
		return found[0], nil
	default:
		return ManagedDevice{}, &AmbiguousDeviceError{Candidates: found}
	}
}

// AmbiguousDeviceError means that several devices match a search for a single one. [errors.Is] finds
// [ErrAmbiguousDevice] in it.
type AmbiguousDeviceError struct {
	// Candidates are the matches, at most 20 of them.
	Candidates []ManagedDevice
}

// Error names the candidates by name, serial and last sync, so that a technician can choose. It is one line, and
// holds no user. What a candidate lacks is unknown: the device may have none, or the service did not send it.
func (e *AmbiguousDeviceError) Error() string {
	const most = maxCandidatesShown
	var b strings.Builder
	if len(e.Candidates) >= maxCandidates {
		fmt.Fprintf(&b, "%d or more devices match: ", len(e.Candidates))
	} else {
		fmt.Fprintf(&b, "%d devices match: ", len(e.Candidates))
	}
	for i := range e.Candidates {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(e.Candidates)-most)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		d := &e.Candidates[i]
		synced := unknownText
		if !d.LastSyncDateTime.IsZero() {
			synced = d.LastSyncDateTime.UTC().Format(time.DateTime) + " UTC"
		}
		fmt.Fprintf(&b, "%s (serial %s, last sync %s, id %s)", orUnknown(d.DeviceName), orUnknown(d.SerialNumber), synced, orUnknown(d.ID))
	}
	return b.String()
}

// LogValue groups the candidates, at most five of them, without their users.
func (e *AmbiguousDeviceError) LogValue() slog.Value {
	attributes := []slog.Attr{slog.Int("count", len(e.Candidates))}
	for i := range min(len(e.Candidates), maxCandidatesShown) {
		d := &e.Candidates[i]
		candidate := []slog.Attr{slog.String("id", d.ID), slog.String("name", d.DeviceName)}
		candidate = appendText(candidate, "serial", d.SerialNumber)
		candidate = appendTime(candidate, "last_sync", d.LastSyncDateTime)
		attributes = append(attributes, slog.Attr{Key: "candidate_" + strconv.Itoa(i+1), Value: slog.GroupValue(candidate...)})
	}
	return slog.GroupValue(attributes...)
}

// Is reports whether target is [ErrAmbiguousDevice].
func (e *AmbiguousDeviceError) Is(target error) bool { return target == ErrAmbiguousDevice }

const unknownText = "unknown"

func orUnknown(text string) string {
	return cmp.Or(redact.OneLine(text, 64), unknownText)
}

// DeviceFilter picks devices by the properties and operators that the service documents for $filter. It has no others,
// because the service answers an unsupported filter with every device of the tenant instead of an error. Fields that
// are not zero are combined with "and". The zero filter picks every device.
//
// The library checks each device that comes back against the filter again, and drops it if it does not match. Texts are
// compared as a whole and without regard to case, as the service does. Source: the property descriptions on
// https://learn.microsoft.com/graph/api/resources/intune-devices-manageddevice.
//
// Printed or logged, a filter shows the names of its fields only. JSON shows its values, so that a filter can be part
// of a configuration file.
type DeviceFilter struct {
	// DeviceName is the name the device reports. It is not unique.
	DeviceName string
	// SerialNumber is the maker's serial number. Virtual machines may share one; a number that is all zeros is refused.
	SerialNumber string
	// UserPrincipalName is the user on the device's record, who may be the one that enrolled it rather than the
	// primary user.
	UserPrincipalName string
	// AzureADDeviceID is the Entra device id. An id that is all zeros, which many devices share as a placeholder, is
	// refused.
	AzureADDeviceID string
	// IMEI is the equipment identity of the cellular modem. One that is all zeros is refused.
	IMEI string
	// Manufacturer, Model and OperatingSystem are as the device reports them, such as "Windows".
	Manufacturer, Model, OperatingSystem string
	// ComplianceState is the verdict on compliance.
	ComplianceState ComplianceState
	// ManagementAgent is the channel that manages the device.
	ManagementAgent ManagementAgentType
	// LastSyncAfter and LastSyncBefore bound the last check-in with Intune, both exclusive. A device that never checked in
	// matches neither.
	LastSyncAfter, LastSyncBefore time.Time
	// EnrolledAfter and EnrolledBefore bound the enrollment, both exclusive. A device without a date of enrollment matches
	// neither.
	EnrolledAfter, EnrolledBefore time.Time
}

// IsZero reports whether the filter picks every device.
func (f DeviceFilter) IsZero() bool { return len(f.terms(&ManagedDevice{})) == 0 }

// String names the fields that are set and not their values, which may be names of people.
func (f DeviceFilter) String() string {
	var names []string
	for _, term := range f.terms(&ManagedDevice{}) {
		names = append(names, term.property)
	}
	return "{" + strings.Join(names, " ") + "}"
}

// GoString is [DeviceFilter.String].
func (f DeviceFilter) GoString() string { return f.String() }

// LogValue is [DeviceFilter.String]. slog does not call it for a filter in a struct that is logged as JSON.
func (f DeviceFilter) LogValue() slog.Value { return slog.StringValue(f.String()) }

// filterTerm is one comparison of a filter with a device.
type filterTerm struct {
	field    string // Go name, for errors
	property string
	operator string
	text     string // operand, for eq
	moment   time.Time
	serial   bool // an operand of zeros is a placeholder that many devices share
	matches  bool
}

// terms lists the comparisons that are set, with their results for a device.
func (f DeviceFilter) terms(d *ManagedDevice) []filterTerm {
	list := make([]filterTerm, 0, 4)
	equal := func(field, property, want, got string, serial bool) {
		if want != "" {
			list = append(list, filterTerm{field: field, property: property, operator: "eq", text: want, serial: serial, matches: strings.EqualFold(want, got)})
		}
	}
	equal("DeviceName", "deviceName", f.DeviceName, d.DeviceName, false)
	equal("SerialNumber", "serialNumber", f.SerialNumber, d.SerialNumber, true)
	equal("UserPrincipalName", "userPrincipalName", f.UserPrincipalName, d.UserPrincipalName, false)
	equal("AzureADDeviceID", "azureADDeviceId", f.AzureADDeviceID, d.AzureADDeviceID, true)
	equal("IMEI", "imei", f.IMEI, d.IMEI, true)
	equal("Manufacturer", "manufacturer", f.Manufacturer, d.Manufacturer, false)
	equal("Model", "model", f.Model, d.Model, false)
	equal("OperatingSystem", "operatingSystem", f.OperatingSystem, d.OperatingSystem, false)
	equal("ComplianceState", "complianceState", string(f.ComplianceState), string(d.ComplianceState), false)
	equal("ManagementAgent", "managementAgent", string(f.ManagementAgent), string(d.ManagementAgent), false)
	bound := func(field, property, operator string, want, got time.Time) {
		if !want.IsZero() {
			matches := !got.IsZero() && (operator == "gt" && got.After(want) || operator == "lt" && got.Before(want))
			list = append(list, filterTerm{field: field, property: property, operator: operator, moment: want, matches: matches})
		}
	}
	bound("LastSyncAfter", "lastSyncDateTime", "gt", f.LastSyncAfter, d.LastSyncDateTime)
	bound("LastSyncBefore", "lastSyncDateTime", "lt", f.LastSyncBefore, d.LastSyncDateTime)
	bound("EnrolledAfter", "enrolledDateTime", "gt", f.EnrolledAfter, d.EnrolledDateTime)
	bound("EnrolledBefore", "enrolledDateTime", "lt", f.EnrolledBefore, d.EnrolledDateTime)
	return list
}

// matches checks a device against the filter.
func (f DeviceFilter) matches(d *ManagedDevice) bool {
	if f == (DeviceFilter{}) {
		return true
	}
	for _, term := range f.terms(d) {
		if !term.matches {
			return false
		}
	}
	return true
}

// properties are the names of the properties that a row must have, so that the filter can be checked again.
func (f DeviceFilter) properties() []string {
	var names []string
	for _, term := range f.terms(&ManagedDevice{}) {
		names = append(names, term.property)
	}
	return names
}

// render is the OData text of the filter, not yet escaped for a URL.
func (f DeviceFilter) render() (string, error) {
	if !f.LastSyncAfter.IsZero() && !f.LastSyncBefore.IsZero() && !f.LastSyncAfter.Before(f.LastSyncBefore) {
		return "", invalidArgument("filter.LastSyncAfter", "is not before LastSyncBefore, so that no device can match")
	}
	if !f.EnrolledAfter.IsZero() && !f.EnrolledBefore.IsZero() && !f.EnrolledAfter.Before(f.EnrolledBefore) {
		return "", invalidArgument("filter.EnrolledAfter", "is not before EnrolledBefore, so that no device can match")
	}
	var b strings.Builder
	for _, term := range f.terms(&ManagedDevice{}) {
		operand, err := term.operand()
		if err != nil {
			return "", err
		}
		if b.Len() > 0 {
			b.WriteString(" and ")
		}
		b.WriteString(term.property + " " + term.operator + " " + operand)
	}
	return b.String(), nil
}

func (t filterTerm) operand() (operand string, err error) {
	var problem string
	if t.operator == "eq" {
		operand, problem = odata.Text(t.text, t.serial)
	} else {
		operand, problem = odata.Moment(t.moment, t.operator == "lt")
	}
	if problem != "" {
		return "", invalidArgument("filter."+t.field, problem)
	}
	return operand, nil
}
