package intune

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/go-intune/intune/internal/graphjson"
)

// ManagedDevice is a device that Intune manages: all 56 properties of Graph v1.0 as plain values. A property that was
// not asked for, was not in the answer, or was null, "" or a date in the year 1 is the zero value; the two nullable
// Booleans are pointers, so that "not known" can be told from false.
//
// Eight properties are only filled by a read of one device by id that names them in $select; lists and plain reads
// leave them zero: ActivationLockBypassCode, EthernetMACAddress, ICCID, Notes, PhysicalMemoryInBytes,
// RemoteAssistanceSessionURL, UDID, and, as far as is known, RemoteAssistanceSessionErrorDetails.
//
// "Filterable" at a property names the operators that Microsoft documents for $filter; on any other property the service may
// ignore the filter and answer with every device. All properties but ManagedDeviceName, ManagedDeviceOwnerType and
// Notes are read-only.
//
// Printing a device with fmt or slog shows its id, operating system and model and nothing else.
// Marshaling it to JSON gives everything but what is a [Secret] or a [SessionURL]: names and phone numbers too. That is
// also what slog's JSONHandler does with a slice of devices, or with a struct that has a device in a field.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-devices-manageddevice
type ManagedDevice struct {
	// ID is Intune's id of the device, a GUID, which Device takes. It is neither AzureADDeviceID nor the Entra object
	// id, which look alike.
	ID string `json:"id,omitzero"`

	// DeviceName is the name the device reports. It is not unique, and often holds the name of a person. Filterable:
	// eq, contains.
	DeviceName string `json:"deviceName,omitzero"`

	// ManagedDeviceName is the name Intune generates for its own console; an administrator may change it.
	ManagedDeviceName string `json:"managedDeviceName,omitzero"`

	// Manufacturer is the maker of the device. Filterable: eq.
	Manufacturer string `json:"manufacturer,omitzero"`

	// Model is the model as the maker names it. Filterable: eq, contains.
	Model string `json:"model,omitzero"`

	// SerialNumber is the maker's serial number. Virtual machines may report "0" or nothing. Filterable: eq.
	SerialNumber string `json:"serialNumber,omitzero"`

	// OperatingSystem is the platform in words, such as "Windows" or "iOS". Filterable: eq.
	OperatingSystem string `json:"operatingSystem,omitzero"`

	// OSVersion is the version of the operating system as text. Filterable: contains.
	OSVersion string `json:"osVersion,omitzero"`

	// AndroidSecurityPatchLevel is the date of Android's security patch, as text such as "2026-07-05".
	AndroidSecurityPatchLevel string `json:"androidSecurityPatchLevel,omitzero"`

	// DeviceCategoryDisplayName is the label of the category the device was put in. Filterable: eq.
	DeviceCategoryDisplayName string `json:"deviceCategoryDisplayName,omitzero"`

	// Notes is free text that an administrator wrote about the device. Only filled by a read by id that selects it.
	Notes string `json:"notes,omitzero"`

	// UserID is the Entra object id of the associated user, "" for a device without one.
	UserID string `json:"userId,omitzero"`

	// UserPrincipalName is the sign-in name of the associated user, "" for a device without one. It can be the user who
	// enrolled the device rather than the one who uses it now. Filterable: eq, ne.
	UserPrincipalName string `json:"userPrincipalName,omitzero"`

	// UserDisplayName is the full name of the associated user.
	UserDisplayName string `json:"userDisplayName,omitzero"`

	// EmailAddress is the mail address of the associated user. Filterable: contains.
	EmailAddress string `json:"emailAddress,omitzero"`

	// PhoneNumber is the phone number of the device. Filterable: contains.
	PhoneNumber string `json:"phoneNumber,omitzero"`

	// SubscriberCarrier is the mobile network operator.
	SubscriberCarrier string `json:"subscriberCarrier,omitzero"`

	// IMEI is the equipment identity of the cellular modem. Filterable: eq.
	IMEI string `json:"imei,omitzero"`

	// MEID is the equipment identity of a CDMA modem.
	MEID string `json:"meid,omitzero"`

	// ICCID is the serial number of the SIM card. Only filled by a read by id that selects it.
	ICCID string `json:"iccid,omitzero"`

	// UDID is Apple's unique id of the device. Only filled by a read by id that selects it.
	UDID string `json:"udid,omitzero"`

	// WiFiMACAddress is the hardware address of the wireless adapter.
	WiFiMACAddress string `json:"wiFiMacAddress,omitzero"`

	// EthernetMACAddress is the hardware address of the wired adapter. Only filled by a read by id that selects it.
	EthernetMACAddress string `json:"ethernetMacAddress,omitzero"`

	// TotalStorageSpaceInBytes is the size of the storage in bytes, 0 when not known.
	TotalStorageSpaceInBytes int64 `json:"totalStorageSpaceInBytes,omitzero"`

	// FreeStorageSpaceInBytes is the free part of the storage in bytes, 0 when not known.
	FreeStorageSpaceInBytes int64 `json:"freeStorageSpaceInBytes,omitzero"`

	// PhysicalMemoryInBytes is the size of the main memory in bytes, 0 when not known. Only filled by a read by id
	// that selects it.
	PhysicalMemoryInBytes int64 `json:"physicalMemoryInBytes,omitzero"`

	// EnrolledDateTime is when the device was enrolled. Filterable: lt, gt.
	EnrolledDateTime time.Time `json:"enrolledDateTime,omitzero"`

	// LastSyncDateTime is when the device last completed a check-in with Intune. Filterable: lt, gt.
	LastSyncDateTime time.Time `json:"lastSyncDateTime,omitzero"`

	// ManagementCertificateExpirationDate is when the certificate expires that identifies the device to Intune.
	ManagementCertificateExpirationDate time.Time `json:"managementCertificateExpirationDate,omitzero"`

	// DeviceEnrollmentType is how the device was enrolled.
	DeviceEnrollmentType DeviceEnrollmentType `json:"deviceEnrollmentType,omitzero"`

	// EnrollmentProfileName is the profile the device was enrolled with, "" when there was none.
	EnrollmentProfileName string `json:"enrollmentProfileName,omitzero"`

	// DeviceRegistrationState is how far the registration with Entra has come.
	DeviceRegistrationState DeviceRegistrationState `json:"deviceRegistrationState,omitzero"`

	// AzureADDeviceID is the device id in Entra, which is not the object id there. Filterable: eq, not together with
	// $count.
	AzureADDeviceID string `json:"azureADDeviceId,omitzero"`

	// AzureADRegistered reports whether the device is registered in Entra; nil when that is not known.
	AzureADRegistered *bool `json:"azureADRegistered,omitzero"`

	// RequireUserEnrollmentApproval reports whether the user has to approve the management of an iOS device; nil on
	// other platforms.
	RequireUserEnrollmentApproval *bool `json:"requireUserEnrollmentApproval,omitzero"`

	// ManagedDeviceOwnerType is whether the company or a person owns the device; an administrator may change it.
	ManagedDeviceOwnerType ManagedDeviceOwnerType `json:"managedDeviceOwnerType,omitzero"`

	// ManagementAgent is the channel through which the device is managed. Filterable: eq.
	ManagementAgent ManagementAgentType `json:"managementAgent,omitzero"`

	// ManagementState is whether the device is managed or on its way out (retire, wipe, delete). Filterable: eq.
	ManagementState ManagementState `json:"managementState,omitzero"`

	// ComplianceState is whether the device keeps the company's rules. Filterable: eq.
	ComplianceState ComplianceState `json:"complianceState,omitzero"`

	// ComplianceGracePeriodExpirationDateTime is the time until which a device that breaks the rules still counts as
	// compliant. A date at the end of the year 9999 means that there is no such limit. Filterable: lt, gt.
	ComplianceGracePeriodExpirationDateTime time.Time `json:"complianceGracePeriodExpirationDateTime,omitzero"`

	// PartnerReportedThreatState is what a partner for threat defense says about the device.
	PartnerReportedThreatState ManagedDevicePartnerReportedHealthState `json:"partnerReportedThreatState,omitzero"`

	// JailBroken is whether the device is jailbroken or rooted, as text: "True", "False" or "Unknown". Filterable: eq.
	JailBroken string `json:"jailBroken,omitzero"`

	// IsEncrypted reports whether the storage is encrypted.
	IsEncrypted bool `json:"isEncrypted,omitzero"`

	// IsSupervised reports Apple's supervised mode. It is true for every Mac.
	IsSupervised bool `json:"isSupervised,omitzero"`

	// ActivationLockBypassCode opens Apple's Activation Lock. Only filled by a read by id that selects it.
	ActivationLockBypassCode Secret `json:"activationLockBypassCode,omitzero"`

	// EASActivated reports whether Exchange ActiveSync is switched on for the device.
	EASActivated bool `json:"easActivated,omitzero"`

	// EASActivationDateTime is when Exchange ActiveSync was switched on.
	EASActivationDateTime time.Time `json:"easActivationDateTime,omitzero"`

	// EASDeviceID is the id of the device in Exchange ActiveSync.
	EASDeviceID string `json:"easDeviceId,omitzero"`

	// ExchangeAccessState is whether Exchange lets the device in. Filterable: eq.
	ExchangeAccessState DeviceManagementExchangeAccessState `json:"exchangeAccessState,omitzero"`

	// ExchangeAccessStateReason is why Exchange decided so.
	ExchangeAccessStateReason DeviceManagementExchangeAccessStateReason `json:"exchangeAccessStateReason,omitzero"`

	// ExchangeLastSuccessfulSyncDateTime is when the device was last in touch with Exchange.
	ExchangeLastSuccessfulSyncDateTime time.Time `json:"exchangeLastSuccessfulSyncDateTime,omitzero"`

	// ConfigurationManagerClientEnabledFeatures are the workloads that Intune has taken over from Configuration
	// Manager; all false also when the device has no Configuration Manager client.
	ConfigurationManagerClientEnabledFeatures ConfigurationManagerClientEnabledFeatures `json:"configurationManagerClientEnabledFeatures,omitzero"`

	// DeviceHealthAttestationState is what Windows attested about its own start; zero on most devices.
	DeviceHealthAttestationState DeviceHealthAttestationState `json:"deviceHealthAttestationState,omitzero"`

	// DeviceActionResults are the results of the remote actions on this device, the last of each kind. Remote assistance
	// is not known to appear here; the next two fields show it.
	DeviceActionResults []DeviceActionResult `json:"deviceActionResults,omitzero"`

	// RemoteAssistanceSessionURL is the link that opens the remote-assistance session. Only filled by a read by id
	// that selects it.
	RemoteAssistanceSessionURL SessionURL `json:"remoteAssistanceSessionUrl,omitzero"`

	// RemoteAssistanceSessionErrorDetails is why no remote-assistance session came about, in the service's words. Only
	// filled by a read by id that selects it.
	RemoteAssistanceSessionErrorDetails string `json:"remoteAssistanceSessionErrorDetails,omitzero"`
}

// Ref is the address of the device, [Device] of its ID. It is the zero DeviceRef if the device has no ID, for example
// because the ID was not selected.
func (d ManagedDevice) Ref() DeviceRef {
	if d.ID == "" {
		return DeviceRef{}
	}
	return Device(d.ID)
}

// String names the device by id, operating system and model. Its name, user, numbers and secrets are left out: the
// name of a device often is the name of a person.
func (d ManagedDevice) String() string {
	return describe("device", "id", d.ID, "os", d.OperatingSystem, "model", d.Model)
}

// GoString is [ManagedDevice.String], so that %#v shows no more.
func (d ManagedDevice) GoString() string { return d.String() }

// Format shows [ManagedDevice.String] whatever the verb.
func (d ManagedDevice) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, d.String()) }

// LogValue groups what [ManagedDevice.String] shows.
func (d ManagedDevice) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("id", d.ID),
		slog.String("operating_system", d.OperatingSystem),
		slog.String("model", d.Model),
	)
}

// UnmarshalJSON reads a device as the service sends it, also when it is wrapped in a "value" member as in Microsoft's
// samples. It replaces the whole device, including properties that are not in the JSON; on error, and on null, the
// device keeps its value. Error texts name properties and quote no values.
func (d *ManagedDevice) UnmarshalJSON(data []byte) error {
	return graphjson.UnmarshalEntity(data, d)
}
