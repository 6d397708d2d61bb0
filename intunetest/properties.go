package intunetest

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-intune/intune"
)

// property is one property of managedDevice as v1.0 has it.
type property struct {
	name string
	// value is what the service knows: a string, bool, *bool, int64, time.Time or literal.
	value func(d *intune.ManagedDevice) any
	// blank is sent for an empty string by a GET of the device, and inList by a list: the service uses null, "" and
	// "Unknown" without a visible rule, and never leaves an enum blank.
	blank, inList any
	// late marks the properties that only a GET by id with $select returns.
	late bool
}

// literal is JSON that is sent as it is.
type literal string

func text(name string, value func(d *intune.ManagedDevice) string) property {
	return property{name: name, value: func(d *intune.ManagedDevice) any { return value(d) }}
}

// present is a text property that is sent as "" and not as null when it is blank.
func present(name string, value func(d *intune.ManagedDevice) string) property {
	p := text(name, value)
	p.blank, p.inList = "", ""
	return p
}

// inLists sets the value that lists send for a blank property, if it differs from that of a GET.
func inLists(blank any, p property) property {
	p.inList = blank
	return p
}

func member[T ~string](name, unset string, value func(d *intune.ManagedDevice) T) property {
	return property{name: name, blank: unset, inList: unset, value: func(d *intune.ManagedDevice) any { return string(value(d)) }}
}

func other[T any](name string, value func(d *intune.ManagedDevice) T) property {
	return property{name: name, value: func(d *intune.ManagedDevice) any { return value(d) }}
}

// selected marks a property that is sent by a GET by id with $select only.
func selected(p property) property {
	p.late = true
	return p
}

// deviceProperties are the 56 properties of
// https://learn.microsoft.com/graph/api/resources/intune-devices-manageddevice.
var deviceProperties = []property{
	present("id", func(d *intune.ManagedDevice) string { return d.ID }),
	present("userId", func(d *intune.ManagedDevice) string { return d.UserID }),
	text("deviceName", func(d *intune.ManagedDevice) string { return d.DeviceName }),
	member("managedDeviceOwnerType", "unknown", func(d *intune.ManagedDevice) intune.ManagedDeviceOwnerType {
		return d.ManagedDeviceOwnerType
	}),
	other("enrolledDateTime", func(d *intune.ManagedDevice) time.Time { return d.EnrolledDateTime }),
	other("lastSyncDateTime", func(d *intune.ManagedDevice) time.Time { return d.LastSyncDateTime }),
	present("operatingSystem", func(d *intune.ManagedDevice) string { return d.OperatingSystem }),
	member("complianceState", "unknown", func(d *intune.ManagedDevice) intune.ComplianceState { return d.ComplianceState }),
	member("jailBroken", "Unknown", func(d *intune.ManagedDevice) string { return d.JailBroken }),
	member("managementAgent", "unknown", func(d *intune.ManagedDevice) intune.ManagementAgentType { return d.ManagementAgent }),
	present("osVersion", func(d *intune.ManagedDevice) string { return d.OSVersion }),
	other("easActivated", func(d *intune.ManagedDevice) bool { return d.EASActivated }),
	present("easDeviceId", func(d *intune.ManagedDevice) string { return d.EASDeviceID }),
	other("easActivationDateTime", func(d *intune.ManagedDevice) time.Time { return d.EASActivationDateTime }),
	other("azureADRegistered", func(d *intune.ManagedDevice) *bool { return d.AzureADRegistered }),
	member("deviceEnrollmentType", "unknown", func(d *intune.ManagedDevice) intune.DeviceEnrollmentType { return d.DeviceEnrollmentType }),
	selected(text("activationLockBypassCode", func(d *intune.ManagedDevice) string { return d.ActivationLockBypassCode.Reveal() })),
	present("emailAddress", func(d *intune.ManagedDevice) string { return d.EmailAddress }),
	text("azureADDeviceId", func(d *intune.ManagedDevice) string { return d.AzureADDeviceID }),
	member("deviceRegistrationState", "unknown", func(d *intune.ManagedDevice) intune.DeviceRegistrationState {
		return d.DeviceRegistrationState
	}),
	inLists("Unknown", present("deviceCategoryDisplayName", func(d *intune.ManagedDevice) string { return d.DeviceCategoryDisplayName })),
	other("isSupervised", func(d *intune.ManagedDevice) bool { return d.IsSupervised }),
	other("exchangeLastSuccessfulSyncDateTime", func(d *intune.ManagedDevice) time.Time { return d.ExchangeLastSuccessfulSyncDateTime }),
	member("exchangeAccessState", "none", func(d *intune.ManagedDevice) intune.DeviceManagementExchangeAccessState {
		return d.ExchangeAccessState
	}),
	member("exchangeAccessStateReason", "none", func(d *intune.ManagedDevice) intune.DeviceManagementExchangeAccessStateReason {
		return d.ExchangeAccessStateReason
	}),
	// The link and the error text come from the session, not from the record.
	selected(present(propertySessionURL, nil)),
	selected(present(propertySessionError, nil)),
	other("isEncrypted", func(d *intune.ManagedDevice) bool { return d.IsEncrypted }),
	present("userPrincipalName", func(d *intune.ManagedDevice) string { return d.UserPrincipalName }),
	text("model", func(d *intune.ManagedDevice) string { return d.Model }),
	text("manufacturer", func(d *intune.ManagedDevice) string { return d.Manufacturer }),
	present("imei", func(d *intune.ManagedDevice) string { return d.IMEI }),
	other("complianceGracePeriodExpirationDateTime", func(d *intune.ManagedDevice) time.Time {
		return d.ComplianceGracePeriodExpirationDateTime
	}),
	text("serialNumber", func(d *intune.ManagedDevice) string { return d.SerialNumber }),
	present("phoneNumber", func(d *intune.ManagedDevice) string { return d.PhoneNumber }),
	present("androidSecurityPatchLevel", func(d *intune.ManagedDevice) string { return d.AndroidSecurityPatchLevel }),
	present("userDisplayName", func(d *intune.ManagedDevice) string { return d.UserDisplayName }),
	other("configurationManagerClientEnabledFeatures", func(d *intune.ManagedDevice) literal {
		return complexValue(d.ConfigurationManagerClientEnabledFeatures)
	}),
	present("wiFiMacAddress", func(d *intune.ManagedDevice) string { return d.WiFiMACAddress }),
	other("deviceHealthAttestationState", func(d *intune.ManagedDevice) literal { return complexValue(d.DeviceHealthAttestationState) }),
	present("subscriberCarrier", func(d *intune.ManagedDevice) string { return d.SubscriberCarrier }),
	present("meid", func(d *intune.ManagedDevice) string { return d.MEID }),
	other("totalStorageSpaceInBytes", func(d *intune.ManagedDevice) int64 { return d.TotalStorageSpaceInBytes }),
	other("freeStorageSpaceInBytes", func(d *intune.ManagedDevice) int64 { return d.FreeStorageSpaceInBytes }),
	text("managedDeviceName", func(d *intune.ManagedDevice) string { return d.ManagedDeviceName }),
	member("partnerReportedThreatState", "unknown", func(d *intune.ManagedDevice) intune.ManagedDevicePartnerReportedHealthState {
		return d.PartnerReportedThreatState
	}),
	other("requireUserEnrollmentApproval", func(d *intune.ManagedDevice) *bool { return d.RequireUserEnrollmentApproval }),
	other("managementCertificateExpirationDate", func(d *intune.ManagedDevice) time.Time { return d.ManagementCertificateExpirationDate }),
	selected(present("iccid", func(d *intune.ManagedDevice) string { return d.ICCID })),
	selected(present("udid", func(d *intune.ManagedDevice) string { return d.UDID })),
	selected(text("notes", func(d *intune.ManagedDevice) string { return d.Notes })),
	selected(present("ethernetMacAddress", func(d *intune.ManagedDevice) string { return d.EthernetMACAddress })),
	selected(other("physicalMemoryInBytes", func(d *intune.ManagedDevice) int64 { return d.PhysicalMemoryInBytes })),
	inLists(nil, present("enrollmentProfileName", func(d *intune.ManagedDevice) string { return d.EnrollmentProfileName })),
	member("managementState", "managed", func(d *intune.ManagedDevice) intune.ManagementState { return d.ManagementState }),
	other("deviceActionResults", func(d *intune.ManagedDevice) literal { return actionResults(d.DeviceActionResults) }),
}

func findProperty(name string) *property {
	for i := range deviceProperties {
		if strings.EqualFold(deviceProperties[i].name, name) {
			return &deviceProperties[i]
		}
	}
	return nil
}

func isDeviceProperty(name string) bool { return findProperty(name) != nil }

// object writes a JSON object member by member, in the order given.
type object struct{ text []byte }

func (o *object) member(name string, value any) {
	if len(o.text) == 0 {
		o.text = append(o.text, '{')
	} else {
		o.text = append(o.text, ',')
	}
	o.text = append(appendText(o.text, name), ':')
	switch v := value.(type) {
	case nil:
		o.text = append(o.text, "null"...)
	case string:
		o.text = appendText(o.text, v)
	case literal:
		o.text = append(o.text, v...)
	case bool:
		o.text = strconv.AppendBool(o.text, v)
	case *bool:
		if v == nil {
			o.text = append(o.text, "null"...)
		} else {
			o.text = strconv.AppendBool(o.text, *v)
		}
	case int64:
		o.text = strconv.AppendInt(o.text, v, 10)
	case time.Time:
		o.text = appendText(o.text, dateTime(v))
	default:
		o.text = append(o.text, encode(v)...)
	}
}

func (o *object) end() []byte {
	if len(o.text) == 0 {
		return []byte("{}")
	}
	return append(o.text, '}')
}

// appendText writes a JSON string. Most need no escapes, and a page holds tens of thousands of them.
func appendText(to []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			return append(to, encode(s)...)
		}
	}
	to = append(to, '"')
	to = append(to, s...)
	return append(to, '"')
}

// dateTime is a date as the service writes it; the zero time becomes the year 1, which means that there is no date.
func dateTime(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.9999999Z") }
