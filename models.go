package intune

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"time"

	"github.com/go-intune/intune/internal/graphjson"
)

// DeviceActionResult is the result of a remote action on a device. Graph sends one of several derived types;
// DeviceActionResult holds the members of all of them, and ODataType tells which one Graph sent. Some members are
// secrets or tell who or where the user is, so fmt and slog show only the action, its state and its times. JSON shows
// all.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-devices-deviceactionresult and the types derived from
// it.
type DeviceActionResult struct {
	// ODataType is the derived type, such as "#microsoft.graph.locateDeviceActionResult"; "" for a plain result.
	ODataType string `json:"@odata.type,omitzero"`

	// ActionName is the action in the service's words. No list of its values is published.
	ActionName string `json:"actionName,omitzero"`

	// ActionState is how far the action has come.
	ActionState ActionState `json:"actionState,omitzero"`

	// StartDateTime is when the action was asked for.
	StartDateTime time.Time `json:"startDateTime,omitzero"`

	// LastUpdatedDateTime is when ActionState last changed.
	LastUpdatedDateTime time.Time `json:"lastUpdatedDateTime,omitzero"`

	// DeviceLocation is where a locate action found the device, nil for other actions. Personal data.
	DeviceLocation *DeviceGeoLocation `json:"deviceLocation,omitzero"`

	// UnlockPIN opens a Mac that was locked remotely.
	UnlockPIN Secret `json:"unlockPin,omitzero"`

	// ErrorCode is the error of a passcode reset or of a rotation of BitLocker keys, 0 for none.
	ErrorCode int32 `json:"errorCode,omitzero"`

	// Passcode is the new passcode after a reset.
	Passcode Secret `json:"passcode,omitzero"`

	// ScanType is the kind of a Windows Defender scan, such as "quick" or "full".
	ScanType string `json:"scanType,omitzero"`

	// UserPrincipalName is the user who was removed from a shared Apple device. Personal data.
	UserPrincipalName string `json:"userPrincipalName,omitzero"`
}

// String shows the action, its state and when that last changed, and no secrets, places or users.
func (a DeviceActionResult) String() string {
	return describe("action result", "action", a.ActionName, "state", string(a.ActionState), "updated", timeText(a.LastUpdatedDateTime))
}

// GoString is [DeviceActionResult.String], so that %#v shows no more.
func (a DeviceActionResult) GoString() string { return a.String() }

// Format shows [DeviceActionResult.String] whatever the verb.
func (a DeviceActionResult) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, a.String()) }

// LogValue groups the action, its state and its times.
func (a DeviceActionResult) LogValue() slog.Value {
	attributes := []slog.Attr{slog.String("action", a.ActionName), slog.String("state", string(a.ActionState))}
	attributes = appendTime(attributes, "started", a.StartDateTime)
	attributes = appendTime(attributes, "updated", a.LastUpdatedDateTime)
	return slog.GroupValue(attributes...)
}

// UnmarshalJSON reads a result as the service sends it; see [ManagedDevice.UnmarshalJSON].
func (a *DeviceActionResult) UnmarshalJSON(data []byte) error {
	return graphjson.Unmarshal(data, a)
}

// DeviceGeoLocation is where a device was found. A value that the device did not know is 0, NaN or an infinity, as the
// service sent it; JSON writes NaN and infinities the way OData does ("NaN", "INF", "-INF"). Printing the location with
// fmt or slog shows only when it was collected.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-devices-devicegeolocation
type DeviceGeoLocation struct {
	// Altitude is meters above sea level.
	Altitude float64 `json:"altitude,omitzero"`

	// Heading is the direction of travel in degrees clockwise from true north.
	Heading float64 `json:"heading,omitzero"`

	// HorizontalAccuracy is the accuracy of Latitude and Longitude in meters.
	HorizontalAccuracy float64 `json:"horizontalAccuracy,omitzero"`

	// LastCollectedDateTime is when the location was taken.
	LastCollectedDateTime time.Time `json:"lastCollectedDateTime,omitzero"`

	// Latitude is degrees, positive to the north.
	Latitude float64 `json:"latitude,omitzero"`

	// Longitude is degrees, positive to the east.
	Longitude float64 `json:"longitude,omitzero"`

	// Speed is meters per second.
	Speed float64 `json:"speed,omitzero"`

	// VerticalAccuracy is the accuracy of Altitude in meters.
	VerticalAccuracy float64 `json:"verticalAccuracy,omitzero"`
}

// String shows when the location was collected, and not where.
func (l DeviceGeoLocation) String() string {
	return describe("location", "collected", timeText(l.LastCollectedDateTime))
}

// GoString is [DeviceGeoLocation.String], so that %#v shows no more.
func (l DeviceGeoLocation) GoString() string { return l.String() }

// Format shows [DeviceGeoLocation.String] whatever the verb.
func (l DeviceGeoLocation) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, l.String()) }

// LogValue shows when the location was collected.
func (l DeviceGeoLocation) LogValue() slog.Value {
	return slog.GroupValue(appendTime(nil, "collected", l.LastCollectedDateTime)...)
}

// MarshalJSON writes the location as the service does, including values that are not JSON numbers.
func (l DeviceGeoLocation) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Altitude              odataDouble `json:"altitude,omitzero"`
		Heading               odataDouble `json:"heading,omitzero"`
		HorizontalAccuracy    odataDouble `json:"horizontalAccuracy,omitzero"`
		LastCollectedDateTime time.Time   `json:"lastCollectedDateTime,omitzero"`
		Latitude              odataDouble `json:"latitude,omitzero"`
		Longitude             odataDouble `json:"longitude,omitzero"`
		Speed                 odataDouble `json:"speed,omitzero"`
		VerticalAccuracy      odataDouble `json:"verticalAccuracy,omitzero"`
	}{
		odataDouble(l.Altitude), odataDouble(l.Heading), odataDouble(l.HorizontalAccuracy), l.LastCollectedDateTime,
		odataDouble(l.Latitude), odataDouble(l.Longitude), odataDouble(l.Speed), odataDouble(l.VerticalAccuracy),
	})
}

// UnmarshalJSON reads a location as the service sends it; see [ManagedDevice.UnmarshalJSON].
func (l *DeviceGeoLocation) UnmarshalJSON(data []byte) error {
	return graphjson.Unmarshal(data, l)
}

// odataDouble writes NaN and the infinities, which are not JSON numbers, as OData does.
type odataDouble float64

func (d odataDouble) MarshalJSON() ([]byte, error) {
	switch f := float64(d); {
	case math.IsNaN(f):
		return []byte(`"NaN"`), nil
	case math.IsInf(f, 1):
		return []byte(`"INF"`), nil
	case math.IsInf(f, -1):
		return []byte(`"-INF"`), nil
	default:
		return json.Marshal(f)
	}
}

// ConfigurationManagerClientEnabledFeatures tells, for a device that Configuration Manager and Intune manage together,
// which workloads Intune has taken over.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-devices-configurationmanagerclientenabledfeatures
type ConfigurationManagerClientEnabledFeatures struct {
	// CompliancePolicy reports that Intune manages the compliance policies.
	CompliancePolicy bool `json:"compliancePolicy,omitzero"`

	// DeviceConfiguration reports that Intune manages the device configuration.
	DeviceConfiguration bool `json:"deviceConfiguration,omitzero"`

	// Inventory reports that Intune manages the inventory.
	Inventory bool `json:"inventory,omitzero"`

	// ModernApps reports that Intune manages modern applications.
	ModernApps bool `json:"modernApps,omitzero"`

	// ResourceAccess reports that Intune manages access to resources (certificates, Wi-Fi, VPN, mail profiles).
	ResourceAccess bool `json:"resourceAccess,omitzero"`

	// WindowsUpdateForBusiness reports that Intune manages Windows Update for Business.
	WindowsUpdateForBusiness bool `json:"windowsUpdateForBusiness,omitzero"`
}

// UnmarshalJSON reads the features as the service sends them; see [ManagedDevice.UnmarshalJSON].
func (f *ConfigurationManagerClientEnabledFeatures) UnmarshalJSON(data []byte) error {
	return graphjson.Unmarshal(data, f)
}

// describe names a thing by the pairs that have a value. It quotes the values, because they come from the service and
// go into logs.
func describe(kind string, pairs ...string) string {
	var text strings.Builder
	text.WriteString(kind)
	for i := 0; i+1 < len(pairs); i += 2 {
		if value := pairs[i+1]; value != "" {
			_, _ = fmt.Fprintf(&text, " %s=%q", pairs[i], value)
		}
	}
	return text.String()
}

// timeText is a time for describe, "" if it is not set.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// appendText adds a text to the attributes of a group, if it is not blank.
func appendText(to []slog.Attr, key, text string) []slog.Attr {
	if text == "" {
		return to
	}
	return append(to, slog.String(key, text))
}

// appendRequest adds what identifies a request, and when it was made.
func appendRequest(to []slog.Attr, requestID, clientRequestID string, at time.Time) []slog.Attr {
	to = appendText(to, "request_id", requestID)
	to = appendText(to, "client_request_id", clientRequestID)
	return appendTime(to, "requested_at", at)
}

// appendTime adds a time to the attributes of a group, if it is set.
func appendTime(to []slog.Attr, key string, t time.Time) []slog.Attr {
	if t.IsZero() {
		return to
	}
	return append(to, slog.Time(key, t))
}

// DeviceHealthAttestationState is what a Windows device attested about its own start: which protections were on, and
// in which version. Most members are text in the service's words, such as "Enabled" and "Disabled" or "1" and "0". The
// zero value means no attestation, as on most devices.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-devices-devicehealthattestationstate
type DeviceHealthAttestationState struct {
	// AttestationIdentityKey tells whether the device has a key that proves its hardware is genuine.
	AttestationIdentityKey string `json:"attestationIdentityKey,omitzero"`

	// BitLockerStatus is whether BitLocker was on when the device started.
	BitLockerStatus string `json:"bitLockerStatus,omitzero"`

	// BootAppSecurityVersion is the security version of the boot application.
	BootAppSecurityVersion string `json:"bootAppSecurityVersion,omitzero"`

	// BootDebugging is whether debugging of the start was on.
	BootDebugging string `json:"bootDebugging,omitzero"`

	// BootManagerSecurityVersion is the security version of the boot manager.
	BootManagerSecurityVersion string `json:"bootManagerSecurityVersion,omitzero"`

	// BootManagerVersion is the version of the boot manager.
	BootManagerVersion string `json:"bootManagerVersion,omitzero"`

	// BootRevisionListInfo is the list of revoked boot components that was in force.
	BootRevisionListInfo string `json:"bootRevisionListInfo,omitzero"`

	// CodeIntegrity is whether drivers and system files were checked when loaded.
	CodeIntegrity string `json:"codeIntegrity,omitzero"`

	// CodeIntegrityCheckVersion is the version of that check.
	CodeIntegrityCheckVersion string `json:"codeIntegrityCheckVersion,omitzero"`

	// CodeIntegrityPolicy is the policy of that check.
	CodeIntegrityPolicy string `json:"codeIntegrityPolicy,omitzero"`

	// ContentNamespaceURL is the address of the schema of the attestation report.
	ContentNamespaceURL string `json:"contentNamespaceUrl,omitzero"`

	// ContentVersion is the version of the attestation report.
	ContentVersion string `json:"contentVersion,omitzero"`

	// DataExecutionPolicy is the policy for data execution prevention. Graph spells the property dataExcutionPolicy.
	DataExecutionPolicy string `json:"dataExcutionPolicy,omitzero"`

	// DeviceHealthAttestationStatus is the verdict of the attestation.
	DeviceHealthAttestationStatus string `json:"deviceHealthAttestationStatus,omitzero"`

	// EarlyLaunchAntiMalwareDriverProtection is whether protection against malware ran before other drivers.
	EarlyLaunchAntiMalwareDriverProtection string `json:"earlyLaunchAntiMalwareDriverProtection,omitzero"`

	// HealthAttestationSupportedStatus is whether the device can attest at all.
	HealthAttestationSupportedStatus string `json:"healthAttestationSupportedStatus,omitzero"`

	// HealthStatusMismatchInfo is where the device and the attestation service disagree.
	HealthStatusMismatchInfo string `json:"healthStatusMismatchInfo,omitzero"`

	// IssuedDateTime is when the attestation report was issued.
	IssuedDateTime time.Time `json:"issuedDateTime,omitzero"`

	// LastUpdateDateTime is when the report was last updated. It is text in the schema, in no promised format.
	LastUpdateDateTime string `json:"lastUpdateDateTime,omitzero"`

	// OperatingSystemKernelDebugging is whether debugging of the kernel was on.
	OperatingSystemKernelDebugging string `json:"operatingSystemKernelDebugging,omitzero"`

	// OperatingSystemRevListInfo is the list of revoked system components that was in force.
	OperatingSystemRevListInfo string `json:"operatingSystemRevListInfo,omitzero"`

	// PCR0 is the measurement in the first platform configuration register of the TPM.
	PCR0 string `json:"pcr0,omitzero"`

	// PCRHashAlgorithm is the hash that the platform configuration registers use.
	PCRHashAlgorithm string `json:"pcrHashAlgorithm,omitzero"`

	// ResetCount is how often the device hibernated or resumed.
	ResetCount int64 `json:"resetCount,omitzero"`

	// RestartCount is how often the device restarted.
	RestartCount int64 `json:"restartCount,omitzero"`

	// SafeMode is whether Windows started in safe mode.
	SafeMode string `json:"safeMode,omitzero"`

	// SecureBoot is whether Secure Boot was on.
	SecureBoot string `json:"secureBoot,omitzero"`

	// SecureBootConfigurationPolicyFingerPrint is the fingerprint of a custom Secure Boot policy.
	SecureBootConfigurationPolicyFingerPrint string `json:"secureBootConfigurationPolicyFingerPrint,omitzero"`

	// TestSigning is whether the device accepts drivers with test signatures.
	TestSigning string `json:"testSigning,omitzero"`

	// TPMVersion is the version of the trusted platform module.
	TPMVersion string `json:"tpmVersion,omitzero"`

	// VirtualSecureMode is whether secrets were isolated by virtualization.
	VirtualSecureMode string `json:"virtualSecureMode,omitzero"`

	// WindowsPE is whether the device ran Windows PE, the environment for setup and repair.
	WindowsPE string `json:"windowsPE,omitzero"`
}

// UnmarshalJSON reads the attestation as the service sends it; see [ManagedDevice.UnmarshalJSON].
func (s *DeviceHealthAttestationState) UnmarshalJSON(data []byte) error {
	return graphjson.Unmarshal(data, s)
}
