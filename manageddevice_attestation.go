package intune

import (
	"time"

	"github.com/go-intune/intune/internal/graphjson"
)

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
