package intune

// ComplianceState is whether a device keeps the company's rules. A member that is not listed here is kept as
// received.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-devices-compliancestate
type ComplianceState string

const (
	// ComplianceStateUnknown: the device has not been judged yet.
	ComplianceStateUnknown ComplianceState = "unknown"

	// ComplianceStateCompliant: it keeps the rules.
	ComplianceStateCompliant ComplianceState = "compliant"

	// ComplianceStateNoncompliant: it breaks a rule.
	ComplianceStateNoncompliant ComplianceState = "noncompliant"

	// ComplianceStateConflict: rules contradict each other.
	ComplianceStateConflict ComplianceState = "conflict"

	// ComplianceStateError: the judgment failed.
	ComplianceStateError ComplianceState = "error"

	// ComplianceStateInGracePeriod: it breaks a rule and has time to mend; access is not yet taken away.
	ComplianceStateInGracePeriod ComplianceState = "inGracePeriod"

	// ComplianceStateConfigManager: Configuration Manager judges the device, not Intune.
	ComplianceStateConfigManager ComplianceState = "configManager"
)

// PossibleComplianceStateValues lists the members in the order of the schema.
func PossibleComplianceStateValues() []ComplianceState {
	return []ComplianceState{
		ComplianceStateUnknown,
		ComplianceStateCompliant,
		ComplianceStateNoncompliant,
		ComplianceStateConflict,
		ComplianceStateError,
		ComplianceStateInGracePeriod,
		ComplianceStateConfigManager,
	}
}

// DeviceEnrollmentType is how a device was enrolled. A member that is not listed here is kept as received.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-shared-deviceenrollmenttype
type DeviceEnrollmentType string

const (
	// DeviceEnrollmentTypeUnknown: not known.
	DeviceEnrollmentTypeUnknown DeviceEnrollmentType = "unknown"

	// DeviceEnrollmentTypeUserEnrollment: the user enrolled the device.
	DeviceEnrollmentTypeUserEnrollment DeviceEnrollmentType = "userEnrollment"

	// DeviceEnrollmentTypeDeviceEnrollmentManager: an account for enrolling many devices did.
	DeviceEnrollmentTypeDeviceEnrollmentManager DeviceEnrollmentType = "deviceEnrollmentManager"

	// DeviceEnrollmentTypeAppleBulkWithUser: Apple bulk enrollment (Configurator, Automated Device Enrollment) with a user.
	DeviceEnrollmentTypeAppleBulkWithUser DeviceEnrollmentType = "appleBulkWithUser"

	// DeviceEnrollmentTypeAppleBulkWithoutUser: Apple bulk enrollment without a user.
	DeviceEnrollmentTypeAppleBulkWithoutUser DeviceEnrollmentType = "appleBulkWithoutUser"

	// DeviceEnrollmentTypeWindowsAzureADJoin: joined to Entra.
	DeviceEnrollmentTypeWindowsAzureADJoin DeviceEnrollmentType = "windowsAzureADJoin"

	// DeviceEnrollmentTypeWindowsBulkUserless: Windows bulk enrollment with a certificate, without a user.
	DeviceEnrollmentTypeWindowsBulkUserless DeviceEnrollmentType = "windowsBulkUserless"

	// DeviceEnrollmentTypeWindowsAutoEnrollment: enrolled automatically when a work account was added.
	DeviceEnrollmentTypeWindowsAutoEnrollment DeviceEnrollmentType = "windowsAutoEnrollment"

	// DeviceEnrollmentTypeWindowsBulkAzureDomainJoin: Windows bulk join to Entra.
	DeviceEnrollmentTypeWindowsBulkAzureDomainJoin DeviceEnrollmentType = "windowsBulkAzureDomainJoin"

	// DeviceEnrollmentTypeWindowsCoManagement: co-management, started by Autopilot or group policy.
	DeviceEnrollmentTypeWindowsCoManagement DeviceEnrollmentType = "windowsCoManagement"

	// DeviceEnrollmentTypeWindowsAzureADJoinUsingDeviceAuth: joined to Entra with the identity of the device.
	DeviceEnrollmentTypeWindowsAzureADJoinUsingDeviceAuth DeviceEnrollmentType = "windowsAzureADJoinUsingDeviceAuth"

	// DeviceEnrollmentTypeAppleUserEnrollment: Apple User Enrollment, for devices people own.
	DeviceEnrollmentTypeAppleUserEnrollment DeviceEnrollmentType = "appleUserEnrollment"

	// DeviceEnrollmentTypeAppleUserEnrollmentWithServiceAccount: Apple User Enrollment with a service account.
	DeviceEnrollmentTypeAppleUserEnrollmentWithServiceAccount DeviceEnrollmentType = "appleUserEnrollmentWithServiceAccount"

	// DeviceEnrollmentTypeUnknownFutureValue: a member that this version of Graph does not show.
	DeviceEnrollmentTypeUnknownFutureValue DeviceEnrollmentType = "unknownFutureValue"
)

// PossibleDeviceEnrollmentTypeValues lists the members in the order of the schema.
func PossibleDeviceEnrollmentTypeValues() []DeviceEnrollmentType {
	return []DeviceEnrollmentType{
		DeviceEnrollmentTypeUnknown,
		DeviceEnrollmentTypeUserEnrollment,
		DeviceEnrollmentTypeDeviceEnrollmentManager,
		DeviceEnrollmentTypeAppleBulkWithUser,
		DeviceEnrollmentTypeAppleBulkWithoutUser,
		DeviceEnrollmentTypeWindowsAzureADJoin,
		DeviceEnrollmentTypeWindowsBulkUserless,
		DeviceEnrollmentTypeWindowsAutoEnrollment,
		DeviceEnrollmentTypeWindowsBulkAzureDomainJoin,
		DeviceEnrollmentTypeWindowsCoManagement,
		DeviceEnrollmentTypeWindowsAzureADJoinUsingDeviceAuth,
		DeviceEnrollmentTypeAppleUserEnrollment,
		DeviceEnrollmentTypeAppleUserEnrollmentWithServiceAccount,
		DeviceEnrollmentTypeUnknownFutureValue,
	}
}

// DeviceRegistrationState is how far the registration of a device with Entra has come. A member that is not listed
// here is kept as received.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-devices-deviceregistrationstate
type DeviceRegistrationState string

const (
	// DeviceRegistrationStateNotRegistered: not registered.
	DeviceRegistrationStateNotRegistered DeviceRegistrationState = "notRegistered"

	// DeviceRegistrationStateRegistered: registered.
	DeviceRegistrationStateRegistered DeviceRegistrationState = "registered"

	// DeviceRegistrationStateRevoked: an administrator revoked the registration, or the device is locked out.
	DeviceRegistrationStateRevoked DeviceRegistrationState = "revoked"

	// DeviceRegistrationStateKeyConflict: the keys of the device conflict.
	DeviceRegistrationStateKeyConflict DeviceRegistrationState = "keyConflict"

	// DeviceRegistrationStateApprovalPending: waits for approval.
	DeviceRegistrationStateApprovalPending DeviceRegistrationState = "approvalPending"

	// DeviceRegistrationStateCertificateReset: the certificate of the device was reset.
	DeviceRegistrationStateCertificateReset DeviceRegistrationState = "certificateReset"

	// DeviceRegistrationStateNotRegisteredPendingEnrollment: not registered, waits for enrollment.
	DeviceRegistrationStateNotRegisteredPendingEnrollment DeviceRegistrationState = "notRegisteredPendingEnrollment"

	// DeviceRegistrationStateUnknown: not known.
	DeviceRegistrationStateUnknown DeviceRegistrationState = "unknown"
)

// PossibleDeviceRegistrationStateValues lists the members in the order of the schema.
func PossibleDeviceRegistrationStateValues() []DeviceRegistrationState {
	return []DeviceRegistrationState{
		DeviceRegistrationStateNotRegistered,
		DeviceRegistrationStateRegistered,
		DeviceRegistrationStateRevoked,
		DeviceRegistrationStateKeyConflict,
		DeviceRegistrationStateApprovalPending,
		DeviceRegistrationStateCertificateReset,
		DeviceRegistrationStateNotRegisteredPendingEnrollment,
		DeviceRegistrationStateUnknown,
	}
}

// ManagedDeviceOwnerType is who owns a device. A member that is not listed here is kept as received.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-devices-manageddeviceownertype
type ManagedDeviceOwnerType string

const (
	// ManagedDeviceOwnerTypeUnknown: not known.
	ManagedDeviceOwnerTypeUnknown ManagedDeviceOwnerType = "unknown"

	// ManagedDeviceOwnerTypeCompany: the company.
	ManagedDeviceOwnerTypeCompany ManagedDeviceOwnerType = "company"

	// ManagedDeviceOwnerTypePersonal: a person.
	ManagedDeviceOwnerTypePersonal ManagedDeviceOwnerType = "personal"

	// ManagedDeviceOwnerTypeUnknownFutureValue: a member that this version of Graph does not show.
	ManagedDeviceOwnerTypeUnknownFutureValue ManagedDeviceOwnerType = "unknownFutureValue"
)

// PossibleManagedDeviceOwnerTypeValues lists the members in the order of the schema.
func PossibleManagedDeviceOwnerTypeValues() []ManagedDeviceOwnerType {
	return []ManagedDeviceOwnerType{
		ManagedDeviceOwnerTypeUnknown,
		ManagedDeviceOwnerTypeCompany,
		ManagedDeviceOwnerTypePersonal,
		ManagedDeviceOwnerTypeUnknownFutureValue,
	}
}

// ManagementAgentType is the channel through which a device is managed. A member that is not listed here is kept as
// received.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-devices-managementagenttype
type ManagementAgentType string

const (
	// ManagementAgentTypeEAS: Exchange ActiveSync.
	ManagementAgentTypeEAS ManagementAgentType = "eas"

	// ManagementAgentTypeMDM: mobile device management.
	ManagementAgentTypeMDM ManagementAgentType = "mdm"

	// ManagementAgentTypeEASMDM: Exchange ActiveSync and mobile device management.
	ManagementAgentTypeEASMDM ManagementAgentType = "easMdm"

	// ManagementAgentTypeIntuneClient: the Intune client for PCs.
	ManagementAgentTypeIntuneClient ManagementAgentType = "intuneClient"

	// ManagementAgentTypeEASIntuneClient: Exchange ActiveSync and the Intune client for PCs.
	ManagementAgentTypeEASIntuneClient ManagementAgentType = "easIntuneClient"

	// ManagementAgentTypeConfigurationManagerClient: Configuration Manager.
	ManagementAgentTypeConfigurationManagerClient ManagementAgentType = "configurationManagerClient"

	// ManagementAgentTypeConfigurationManagerClientMDM: Configuration Manager and mobile device management.
	ManagementAgentTypeConfigurationManagerClientMDM ManagementAgentType = "configurationManagerClientMdm"

	// ManagementAgentTypeConfigurationManagerClientMDMEAS: Configuration Manager, mobile device management and Exchange ActiveSync.
	ManagementAgentTypeConfigurationManagerClientMDMEAS ManagementAgentType = "configurationManagerClientMdmEas"

	// ManagementAgentTypeUnknown: not known.
	ManagementAgentTypeUnknown ManagementAgentType = "unknown"

	// ManagementAgentTypeJamf: Jamf, which passes the attributes of the device on.
	ManagementAgentTypeJamf ManagementAgentType = "jamf"

	// ManagementAgentTypeGoogleCloudDevicePolicyController: Google's Cloud DPC.
	ManagementAgentTypeGoogleCloudDevicePolicyController ManagementAgentType = "googleCloudDevicePolicyController"

	// ManagementAgentTypeMicrosoft365ManagedMDM: Microsoft 365's own device management.
	ManagementAgentTypeMicrosoft365ManagedMDM ManagementAgentType = "microsoft365ManagedMdm"

	// ManagementAgentTypeMSSense: Microsoft Defender for Endpoint.
	ManagementAgentTypeMSSense ManagementAgentType = "msSense"
)

// PossibleManagementAgentTypeValues lists the members in the order of the schema.
func PossibleManagementAgentTypeValues() []ManagementAgentType {
	return []ManagementAgentType{
		ManagementAgentTypeEAS,
		ManagementAgentTypeMDM,
		ManagementAgentTypeEASMDM,
		ManagementAgentTypeIntuneClient,
		ManagementAgentTypeEASIntuneClient,
		ManagementAgentTypeConfigurationManagerClient,
		ManagementAgentTypeConfigurationManagerClientMDM,
		ManagementAgentTypeConfigurationManagerClientMDMEAS,
		ManagementAgentTypeUnknown,
		ManagementAgentTypeJamf,
		ManagementAgentTypeGoogleCloudDevicePolicyController,
		ManagementAgentTypeMicrosoft365ManagedMDM,
		ManagementAgentTypeMSSense,
	}
}

// ManagementState is whether a device is managed or on its way out. A member that is not listed here is kept as
// received.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-devices-managementstate
type ManagementState string

const (
	// ManagementStateManaged: managed.
	ManagementStateManaged ManagementState = "managed"

	// ManagementStateRetirePending: a retire command waits for the device.
	ManagementStateRetirePending ManagementState = "retirePending"

	// ManagementStateRetireFailed: a retire command failed on the device.
	ManagementStateRetireFailed ManagementState = "retireFailed"

	// ManagementStateWipePending: a wipe command waits for the device.
	ManagementStateWipePending ManagementState = "wipePending"

	// ManagementStateWipeFailed: a wipe command failed on the device.
	ManagementStateWipeFailed ManagementState = "wipeFailed"

	// ManagementStateUnhealthy: the device is not healthy.
	ManagementStateUnhealthy ManagementState = "unhealthy"

	// ManagementStateDeletePending: the record is about to be deleted.
	ManagementStateDeletePending ManagementState = "deletePending"

	// ManagementStateRetireIssued: a retire command was sent.
	ManagementStateRetireIssued ManagementState = "retireIssued"

	// ManagementStateWipeIssued: a wipe command was sent.
	ManagementStateWipeIssued ManagementState = "wipeIssued"

	// ManagementStateWipeCanceled: a wipe command was canceled.
	ManagementStateWipeCanceled ManagementState = "wipeCanceled"

	// ManagementStateRetireCanceled: a retire command was canceled.
	ManagementStateRetireCanceled ManagementState = "retireCanceled"

	// ManagementStateDiscovered: found, for instance by Jamf, and not fully managed.
	ManagementStateDiscovered ManagementState = "discovered"

	// ManagementStateUnknownFutureValue: a member that this version of Graph does not show.
	ManagementStateUnknownFutureValue ManagementState = "unknownFutureValue"
)

// PossibleManagementStateValues lists the members in the order of the schema.
func PossibleManagementStateValues() []ManagementState {
	return []ManagementState{
		ManagementStateManaged,
		ManagementStateRetirePending,
		ManagementStateRetireFailed,
		ManagementStateWipePending,
		ManagementStateWipeFailed,
		ManagementStateUnhealthy,
		ManagementStateDeletePending,
		ManagementStateRetireIssued,
		ManagementStateWipeIssued,
		ManagementStateWipeCanceled,
		ManagementStateRetireCanceled,
		ManagementStateDiscovered,
		ManagementStateUnknownFutureValue,
	}
}
