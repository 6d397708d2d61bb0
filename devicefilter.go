package intune

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/go-intune/intune/internal/odata"
)

// DeviceFilter picks devices by the properties and operators that the service documents for $filter. It has no others,
// because the service answers an unsupported filter with every device of the tenant instead of an error. Fields that
// are not zero are combined with "and". The zero filter picks every device.
//
// The library checks each device that comes back against the filter again, and drops it if it does not match. Texts are
// compared as a whole, but for DeviceNameContains, and without regard to case, as the service does. Source: the property
// descriptions on https://learn.microsoft.com/graph/api/resources/intune-devices-manageddevice.
//
// What nobody sees in a text would find nothing, and nobody would know why. So a text is refused with
// [ErrInvalidArgument] if it is blank, has white space around it, holds a control character or an invisible one (Unicode
// Cf), such as the byte-order mark of a spreadsheet's file, or is not UTF-8. The error names the field and quotes the text,
// but masks a user. A device whose own name has such a character, such as the joiner within an emoji or the non-joiner of
// Persian, is found by another property, or among the devices of a list.
//
// Characters that look alike are different. Apple devices name themselves with ’ (U+2019) and often a no-break space,
// where people type ' and a space; in a text from the source of a web page, &apos; or &#39; stands for an apostrophe. The
// library cannot tell which is meant.
//
// Printed or logged, a filter shows the names of its fields only. JSON shows its values, so that a filter can be part
// of a configuration file.
type DeviceFilter struct {
	// DeviceName is the name the device reports. It is not unique.
	DeviceName string
	// DeviceNameContains is a part of that name, of any length. In a large tenant, a short one matches many devices.
	DeviceNameContains string
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
		names = append(names, term.field)
	}
	return "{" + strings.Join(names, " ") + "}"
}

// GoString is [DeviceFilter.String].
func (f DeviceFilter) GoString() string { return f.String() }

// Format shows [DeviceFilter.String] whatever the verb.
func (f DeviceFilter) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, f.String()) }

// LogValue is [DeviceFilter.String]. slog does not call it for a filter in a struct that is logged as JSON.
func (f DeviceFilter) LogValue() slog.Value { return slog.StringValue(f.String()) }

// filterTerm is one comparison of a filter with a device.
type filterTerm struct {
	field    string // Go name, for errors
	property string
	operator string        // eq, contains, lt or gt
	text     string        // operand, for eq and contains
	meaning  odata.Meaning // of text
	moment   time.Time
	matches  bool
}

// terms lists the comparisons that are set, with their results for a device.
func (f DeviceFilter) terms(d *ManagedDevice) []filterTerm {
	list := make([]filterTerm, 0, 4)
	equal := func(field, property, want, got string, meaning odata.Meaning) {
		if want != "" {
			list = append(list, filterTerm{
				field: field, property: property, operator: "eq", text: want, meaning: meaning, matches: strings.EqualFold(want, got),
			})
		}
	}
	equal("DeviceName", "deviceName", f.DeviceName, d.DeviceName, odata.Anything)
	if part := f.DeviceNameContains; part != "" {
		list = append(list, filterTerm{
			field: "DeviceNameContains", property: "deviceName", operator: "contains", text: part,
			matches: strings.Contains(foldCase(d.DeviceName), foldCase(part)),
		})
	}
	equal("SerialNumber", "serialNumber", f.SerialNumber, d.SerialNumber, odata.Number)
	equal("UserPrincipalName", "userPrincipalName", f.UserPrincipalName, d.UserPrincipalName, odata.Person)
	equal("AzureADDeviceID", "azureADDeviceId", f.AzureADDeviceID, d.AzureADDeviceID, odata.Number)
	equal("IMEI", "imei", f.IMEI, d.IMEI, odata.Number)
	equal("Manufacturer", "manufacturer", f.Manufacturer, d.Manufacturer, odata.Anything)
	equal("Model", "model", f.Model, d.Model, odata.Anything)
	equal("OperatingSystem", "operatingSystem", f.OperatingSystem, d.OperatingSystem, odata.Anything)
	equal("ComplianceState", "complianceState", string(f.ComplianceState), string(d.ComplianceState), odata.Anything)
	equal("ManagementAgent", "managementAgent", string(f.ManagementAgent), string(d.ManagementAgent), odata.Anything)
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

// properties are the names of the properties that a row must have, so that the filter can be checked again, each once.
func (f DeviceFilter) properties() []string {
	var names []string
	for _, term := range f.terms(&ManagedDevice{}) {
		names = append(names, term.property)
	}
	return slices.Compact(names) // terms has those of one property side by side
}

// render is the OData text of the filter, not yet escaped for a URL.
func (f DeviceFilter) render() (string, error) {
	if !f.LastSyncAfter.IsZero() && !f.LastSyncBefore.IsZero() && !f.LastSyncAfter.Before(f.LastSyncBefore) {
		return "", invalidArgument("filter.LastSyncAfter", "is not before LastSyncBefore, so that no device can match")
	}
	if !f.EnrolledAfter.IsZero() && !f.EnrolledBefore.IsZero() && !f.EnrolledAfter.Before(f.EnrolledBefore) {
		return "", invalidArgument("filter.EnrolledAfter", "is not before EnrolledBefore, so that no device can match")
	}
	var comparisons []string
	for _, term := range f.terms(&ManagedDevice{}) {
		comparison, err := term.render()
		if err != nil {
			return "", err
		}
		comparisons = append(comparisons, comparison)
	}
	return strings.Join(comparisons, " and "), nil
}

func (t filterTerm) render() (comparison string, err error) {
	operand, err := t.operand()
	switch {
	case err != nil:
		return "", err
	case t.operator == "contains":
		return "contains(" + t.property + "," + operand + ")", nil
	}
	return t.property + " " + t.operator + " " + operand, nil
}

func (t filterTerm) operand() (operand string, err error) {
	var problem string
	switch t.operator {
	case "eq", "contains":
		operand, problem = odata.Text(t.text, t.meaning)
	default:
		operand, problem = odata.Moment(t.moment, t.operator == "lt")
	}
	if problem != "" {
		return "", invalidArgument("filter."+t.field, problem)
	}
	return operand, nil
}

// foldCase is a text in which letters that [strings.EqualFold] takes for the same are the same.
func foldCase(text string) string {
	return strings.Map(func(r rune) rune {
		first := r
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			first = min(first, other)
		}
		return first
	}, text)
}
