package intune

// ComplianceState is whether a device keeps the company's rules. A member that is not listed here is kept as
// received.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-devices-compliancestate
type ComplianceState string

const (
	// ComplianceStateUnknown means: the device has not been judged yet.
	ComplianceStateUnknown ComplianceState = "unknown"

	// ComplianceStateCompliant means: it keeps the rules.
	ComplianceStateCompliant ComplianceState = "compliant"

	// ComplianceStateNoncompliant means: it breaks a rule.
	ComplianceStateNoncompliant ComplianceState = "noncompliant"

	// ComplianceStateConflict means: rules contradict each other.
	ComplianceStateConflict ComplianceState = "conflict"

	// ComplianceStateError means: the judgment failed.
	ComplianceStateError ComplianceState = "error"

	// ComplianceStateInGracePeriod means: it breaks a rule, but still has time to comply and keeps its access.
	ComplianceStateInGracePeriod ComplianceState = "inGracePeriod"

	// ComplianceStateConfigManager means: Configuration Manager judges the device, not Intune.
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
	// DeviceEnrollmentTypeUnknown means: not known.
	DeviceEnrollmentTypeUnknown DeviceEnrollmentType = "unknown"

	// DeviceEnrollmentTypeUserEnrollment means: the user enrolled the device.
	DeviceEnrollmentTypeUserEnrollment DeviceEnrollmentType = "userEnrollment"

	// DeviceEnrollmentTypeDeviceEnrollmentManager means: an account for enrolling many devices enrolled it.
	DeviceEnrollmentTypeDeviceEnrollmentManager DeviceEnrollmentType = "deviceEnrollmentManager"

	// DeviceEnrollmentTypeAppleBulkWithUser means: Apple bulk enrollment (Configurator, Automated Device Enrollment)
	// with a user.
	DeviceEnrollmentTypeAppleBulkWithUser DeviceEnrollmentType = "appleBulkWithUser"

	// DeviceEnrollmentTypeAppleBulkWithoutUser means: Apple bulk enrollment without a user.
	DeviceEnrollmentTypeAppleBulkWithoutUser DeviceEnrollmentType = "appleBulkWithoutUser"

	// DeviceEnrollmentTypeWindowsAzureADJoin means: joined to Entra.
	DeviceEnrollmentTypeWindowsAzureADJoin DeviceEnrollmentType = "windowsAzureADJoin"

	// DeviceEnrollmentTypeWindowsBulkUserless means: Windows bulk enrollment with a certificate, without a user.
	DeviceEnrollmentTypeWindowsBulkUserless DeviceEnrollmentType = "windowsBulkUserless"

	// DeviceEnrollmentTypeWindowsAutoEnrollment means: enrolled automatically when a work account was added.
	DeviceEnrollmentTypeWindowsAutoEnrollment DeviceEnrollmentType = "windowsAutoEnrollment"

	// DeviceEnrollmentTypeWindowsBulkAzureDomainJoin means: Windows bulk join to Entra.
	DeviceEnrollmentTypeWindowsBulkAzureDomainJoin DeviceEnrollmentType = "windowsBulkAzureDomainJoin"

	// DeviceEnrollmentTypeWindowsCoManagement means: co-management, started by Autopilot or group policy.
	DeviceEnrollmentTypeWindowsCoManagement DeviceEnrollmentType = "windowsCoManagement"

	// DeviceEnrollmentTypeWindowsAzureADJoinUsingDeviceAuth means: joined to Entra with the identity of the device.
	DeviceEnrollmentTypeWindowsAzureADJoinUsingDeviceAuth DeviceEnrollmentType = "windowsAzureADJoinUsingDeviceAuth"

	// DeviceEnrollmentTypeAppleUserEnrollment means: Apple User Enrollment, for devices people own.
	DeviceEnrollmentTypeAppleUserEnrollment DeviceEnrollmentType = "appleUserEnrollment"

	// DeviceEnrollmentTypeAppleUserEnrollmentWithServiceAccount means: Apple User Enrollment with a service account.
	DeviceEnrollmentTypeAppleUserEnrollmentWithServiceAccount DeviceEnrollmentType = "appleUserEnrollmentWithServiceAccount"

	// DeviceEnrollmentTypeUnknownFutureValue means: a member that this version of Graph does not show.
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
	// DeviceRegistrationStateNotRegistered means: not registered.
	DeviceRegistrationStateNotRegistered DeviceRegistrationState = "notRegistered"

	// DeviceRegistrationStateRegistered means: registered.
	DeviceRegistrationStateRegistered DeviceRegistrationState = "registered"

	// DeviceRegistrationStateRevoked means: an administrator revoked the registration, or the device is locked out.
	DeviceRegistrationStateRevoked DeviceRegistrationState = "revoked"

	// DeviceRegistrationStateKeyConflict means: the keys of the device conflict.
	DeviceRegistrationStateKeyConflict DeviceRegistrationState = "keyConflict"

	// DeviceRegistrationStateApprovalPending means: waits for approval.
	DeviceRegistrationStateApprovalPending DeviceRegistrationState = "approvalPending"

	// DeviceRegistrationStateCertificateReset means: the certificate of the device was reset.
	DeviceRegistrationStateCertificateReset DeviceRegistrationState = "certificateReset"

	// DeviceRegistrationStateNotRegisteredPendingEnrollment means: not registered, waits for enrollment.
	DeviceRegistrationStateNotRegisteredPendingEnrollment DeviceRegistrationState = "notRegisteredPendingEnrollment"

	// DeviceRegistrationStateUnknown means: not known.
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
	// ManagedDeviceOwnerTypeUnknown means: not known.
	ManagedDeviceOwnerTypeUnknown ManagedDeviceOwnerType = "unknown"

	// ManagedDeviceOwnerTypeCompany means: the company.
	ManagedDeviceOwnerTypeCompany ManagedDeviceOwnerType = "company"

	// ManagedDeviceOwnerTypePersonal means: a person.
	ManagedDeviceOwnerTypePersonal ManagedDeviceOwnerType = "personal"

	// ManagedDeviceOwnerTypeUnknownFutureValue means: a member that this version of Graph does not show.
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
	// ManagementAgentTypeEAS means: Exchange ActiveSync.
	ManagementAgentTypeEAS ManagementAgentType = "eas"

	// ManagementAgentTypeMDM means: mobile device management.
	ManagementAgentTypeMDM ManagementAgentType = "mdm"

	// ManagementAgentTypeEASMDM means: Exchange ActiveSync and mobile device management.
	ManagementAgentTypeEASMDM ManagementAgentType = "easMdm"

	// ManagementAgentTypeIntuneClient means: the Intune client for PCs.
	ManagementAgentTypeIntuneClient ManagementAgentType = "intuneClient"

	// ManagementAgentTypeEASIntuneClient means: Exchange ActiveSync and the Intune client for PCs.
	ManagementAgentTypeEASIntuneClient ManagementAgentType = "easIntuneClient"

	// ManagementAgentTypeConfigurationManagerClient means: Configuration Manager.
	ManagementAgentTypeConfigurationManagerClient ManagementAgentType = "configurationManagerClient"

	// ManagementAgentTypeConfigurationManagerClientMDM means: Configuration Manager and mobile device management.
	ManagementAgentTypeConfigurationManagerClientMDM ManagementAgentType = "configurationManagerClientMdm"

	// ManagementAgentTypeConfigurationManagerClientMDMEAS means: Configuration Manager, mobile device management and
	// Exchange ActiveSync.
	ManagementAgentTypeConfigurationManagerClientMDMEAS ManagementAgentType = "configurationManagerClientMdmEas"

	// ManagementAgentTypeUnknown means: not known.
	ManagementAgentTypeUnknown ManagementAgentType = "unknown"

	// ManagementAgentTypeJamf means: Jamf, which passes the attributes of the device on.
	ManagementAgentTypeJamf ManagementAgentType = "jamf"

	// ManagementAgentTypeGoogleCloudDevicePolicyController means: Google's Cloud DPC.
	ManagementAgentTypeGoogleCloudDevicePolicyController ManagementAgentType = "googleCloudDevicePolicyController"

	// ManagementAgentTypeMicrosoft365ManagedMDM means: Microsoft 365's own device management.
	ManagementAgentTypeMicrosoft365ManagedMDM ManagementAgentType = "microsoft365ManagedMdm"

	// ManagementAgentTypeMSSense means: Microsoft Defender for Endpoint.
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
	// ManagementStateManaged means: managed.
	ManagementStateManaged ManagementState = "managed"

	// ManagementStateRetirePending means: a retire command waits for the device.
	ManagementStateRetirePending ManagementState = "retirePending"

	// ManagementStateRetireFailed means: a retire command failed on the device.
	ManagementStateRetireFailed ManagementState = "retireFailed"

	// ManagementStateWipePending means: a wipe command waits for the device.
	ManagementStateWipePending ManagementState = "wipePending"

	// ManagementStateWipeFailed means: a wipe command failed on the device.
	ManagementStateWipeFailed ManagementState = "wipeFailed"

	// ManagementStateUnhealthy means: the device is not healthy.
	ManagementStateUnhealthy ManagementState = "unhealthy"

	// ManagementStateDeletePending means: the record is about to be deleted.
	ManagementStateDeletePending ManagementState = "deletePending"

	// ManagementStateRetireIssued means: a retire command was sent.
	ManagementStateRetireIssued ManagementState = "retireIssued"

	// ManagementStateWipeIssued means: a wipe command was sent.
	ManagementStateWipeIssued ManagementState = "wipeIssued"

	// ManagementStateWipeCanceled means: a wipe command was canceled.
	ManagementStateWipeCanceled ManagementState = "wipeCanceled"

	// ManagementStateRetireCanceled means: a retire command was canceled.
	ManagementStateRetireCanceled ManagementState = "retireCanceled"

	// ManagementStateDiscovered means: found, for instance by Jamf, and not fully managed.
	ManagementStateDiscovered ManagementState = "discovered"

	// ManagementStateUnknownFutureValue means: a member that this version of Graph does not show.
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

// ActionState is how far a remote action has come. Done, failed, canceled and not supported are final. A member that
// is not listed here is kept as received.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-devices-actionstate
type ActionState string

const (
	// ActionStateNone means: not a valid state.
	ActionStateNone ActionState = "none"

	// ActionStatePending means: the device has not picked the action up yet.
	ActionStatePending ActionState = "pending"

	// ActionStateCanceled means: canceled.
	ActionStateCanceled ActionState = "canceled"

	// ActionStateActive means: under way on the device.
	ActionStateActive ActionState = "active"

	// ActionStateDone means: completed without errors.
	ActionStateDone ActionState = "done"

	// ActionStateFailed means: failed.
	ActionStateFailed ActionState = "failed"

	// ActionStateNotSupported means: the device cannot do it.
	ActionStateNotSupported ActionState = "notSupported"
)

// PossibleActionStateValues lists the members in the order of the schema.
func PossibleActionStateValues() []ActionState {
	return []ActionState{
		ActionStateNone,
		ActionStatePending,
		ActionStateCanceled,
		ActionStateActive,
		ActionStateDone,
		ActionStateFailed,
		ActionStateNotSupported,
	}
}

// ManagedDevicePartnerReportedHealthState is what a partner for threat defense says about a device. A member that is
// not listed here is kept as received.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-devices-manageddevicepartnerreportedhealthstate
type ManagedDevicePartnerReportedHealthState string

const (
	// ManagedDevicePartnerReportedHealthStateUnknown means: the partner said nothing.
	ManagedDevicePartnerReportedHealthStateUnknown ManagedDevicePartnerReportedHealthState = "unknown"

	// ManagedDevicePartnerReportedHealthStateActivated means: the partner's agent is active.
	ManagedDevicePartnerReportedHealthStateActivated ManagedDevicePartnerReportedHealthState = "activated"

	// ManagedDevicePartnerReportedHealthStateDeactivated means: the partner's agent is switched off.
	ManagedDevicePartnerReportedHealthStateDeactivated ManagedDevicePartnerReportedHealthState = "deactivated"

	// ManagedDevicePartnerReportedHealthStateSecured means: no threat.
	ManagedDevicePartnerReportedHealthStateSecured ManagedDevicePartnerReportedHealthState = "secured"

	// ManagedDevicePartnerReportedHealthStateLowSeverity means: a low threat.
	ManagedDevicePartnerReportedHealthStateLowSeverity ManagedDevicePartnerReportedHealthState = "lowSeverity"

	// ManagedDevicePartnerReportedHealthStateMediumSeverity means: a medium threat.
	ManagedDevicePartnerReportedHealthStateMediumSeverity ManagedDevicePartnerReportedHealthState = "mediumSeverity"

	// ManagedDevicePartnerReportedHealthStateHighSeverity means: a high threat.
	ManagedDevicePartnerReportedHealthStateHighSeverity ManagedDevicePartnerReportedHealthState = "highSeverity"

	// ManagedDevicePartnerReportedHealthStateUnresponsive means: the partner's agent does not answer.
	ManagedDevicePartnerReportedHealthStateUnresponsive ManagedDevicePartnerReportedHealthState = "unresponsive"

	// ManagedDevicePartnerReportedHealthStateCompromised means: the device is compromised.
	ManagedDevicePartnerReportedHealthStateCompromised ManagedDevicePartnerReportedHealthState = "compromised"

	// ManagedDevicePartnerReportedHealthStateMisconfigured means: the partner's agent is not set up right.
	ManagedDevicePartnerReportedHealthStateMisconfigured ManagedDevicePartnerReportedHealthState = "misconfigured"
)

// PossibleManagedDevicePartnerReportedHealthStateValues lists the members in the order of the schema.
func PossibleManagedDevicePartnerReportedHealthStateValues() []ManagedDevicePartnerReportedHealthState {
	return []ManagedDevicePartnerReportedHealthState{
		ManagedDevicePartnerReportedHealthStateUnknown,
		ManagedDevicePartnerReportedHealthStateActivated,
		ManagedDevicePartnerReportedHealthStateDeactivated,
		ManagedDevicePartnerReportedHealthStateSecured,
		ManagedDevicePartnerReportedHealthStateLowSeverity,
		ManagedDevicePartnerReportedHealthStateMediumSeverity,
		ManagedDevicePartnerReportedHealthStateHighSeverity,
		ManagedDevicePartnerReportedHealthStateUnresponsive,
		ManagedDevicePartnerReportedHealthStateCompromised,
		ManagedDevicePartnerReportedHealthStateMisconfigured,
	}
}

// DeviceManagementExchangeAccessState is whether Exchange lets a device in. A member that is not listed here is kept
// as received.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-devices-devicemanagementexchangeaccessstate
type DeviceManagementExchangeAccessState string

const (
	// DeviceManagementExchangeAccessStateNone means: Exchange has no record of the device.
	DeviceManagementExchangeAccessStateNone DeviceManagementExchangeAccessState = "none"

	// DeviceManagementExchangeAccessStateUnknown means: not known.
	DeviceManagementExchangeAccessStateUnknown DeviceManagementExchangeAccessState = "unknown"

	// DeviceManagementExchangeAccessStateAllowed means: let in.
	DeviceManagementExchangeAccessStateAllowed DeviceManagementExchangeAccessState = "allowed"

	// DeviceManagementExchangeAccessStateBlocked means: kept out.
	DeviceManagementExchangeAccessStateBlocked DeviceManagementExchangeAccessState = "blocked"

	// DeviceManagementExchangeAccessStateQuarantined means: held until an administrator decides.
	DeviceManagementExchangeAccessStateQuarantined DeviceManagementExchangeAccessState = "quarantined"
)

// PossibleDeviceManagementExchangeAccessStateValues lists the members in the order of the schema.
func PossibleDeviceManagementExchangeAccessStateValues() []DeviceManagementExchangeAccessState {
	return []DeviceManagementExchangeAccessState{
		DeviceManagementExchangeAccessStateNone,
		DeviceManagementExchangeAccessStateUnknown,
		DeviceManagementExchangeAccessStateAllowed,
		DeviceManagementExchangeAccessStateBlocked,
		DeviceManagementExchangeAccessStateQuarantined,
	}
}

// DeviceManagementExchangeAccessStateReason is why Exchange lets a device in or keeps it out. A member that is not
// listed here is kept as received.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-devices-devicemanagementexchangeaccessstatereason
type DeviceManagementExchangeAccessStateReason string

const (
	// DeviceManagementExchangeAccessStateReasonNone means: no reason given.
	DeviceManagementExchangeAccessStateReasonNone DeviceManagementExchangeAccessStateReason = "none"

	// DeviceManagementExchangeAccessStateReasonUnknown means: not known.
	DeviceManagementExchangeAccessStateReasonUnknown DeviceManagementExchangeAccessStateReason = "unknown"

	// DeviceManagementExchangeAccessStateReasonExchangeGlobalRule means: the rule for all devices.
	DeviceManagementExchangeAccessStateReasonExchangeGlobalRule DeviceManagementExchangeAccessStateReason = "exchangeGlobalRule"

	// DeviceManagementExchangeAccessStateReasonExchangeIndividualRule means: a rule for this device or user.
	DeviceManagementExchangeAccessStateReasonExchangeIndividualRule DeviceManagementExchangeAccessStateReason = "exchangeIndividualRule"

	// DeviceManagementExchangeAccessStateReasonExchangeDeviceRule means: a rule for this kind of device.
	DeviceManagementExchangeAccessStateReasonExchangeDeviceRule DeviceManagementExchangeAccessStateReason = "exchangeDeviceRule"

	// DeviceManagementExchangeAccessStateReasonExchangeUpgrade means: Exchange is being upgraded.
	DeviceManagementExchangeAccessStateReasonExchangeUpgrade DeviceManagementExchangeAccessStateReason = "exchangeUpgrade"

	// DeviceManagementExchangeAccessStateReasonExchangeMailboxPolicy means: the policy of the mailbox.
	DeviceManagementExchangeAccessStateReasonExchangeMailboxPolicy DeviceManagementExchangeAccessStateReason = "exchangeMailboxPolicy"

	// DeviceManagementExchangeAccessStateReasonOther means: another reason.
	DeviceManagementExchangeAccessStateReasonOther DeviceManagementExchangeAccessStateReason = "other"

	// DeviceManagementExchangeAccessStateReasonCompliant means: the device is compliant.
	DeviceManagementExchangeAccessStateReasonCompliant DeviceManagementExchangeAccessStateReason = "compliant"

	// DeviceManagementExchangeAccessStateReasonNotCompliant means: the device is not compliant.
	DeviceManagementExchangeAccessStateReasonNotCompliant DeviceManagementExchangeAccessStateReason = "notCompliant"

	// DeviceManagementExchangeAccessStateReasonNotEnrolled means: the device is not enrolled.
	DeviceManagementExchangeAccessStateReasonNotEnrolled DeviceManagementExchangeAccessStateReason = "notEnrolled"

	// DeviceManagementExchangeAccessStateReasonUnknownLocation means: the location is not known.
	DeviceManagementExchangeAccessStateReasonUnknownLocation DeviceManagementExchangeAccessStateReason = "unknownLocation"

	// DeviceManagementExchangeAccessStateReasonMFARequired means: multi-factor authentication is missing.
	DeviceManagementExchangeAccessStateReasonMFARequired DeviceManagementExchangeAccessStateReason = "mfaRequired"

	// DeviceManagementExchangeAccessStateReasonAzureADBlockDueToAccessPolicy means: a Conditional Access policy
	// blocks it.
	DeviceManagementExchangeAccessStateReasonAzureADBlockDueToAccessPolicy DeviceManagementExchangeAccessStateReason = "azureADBlockDueToAccessPolicy"

	// DeviceManagementExchangeAccessStateReasonCompromisedPassword means: the password is compromised.
	DeviceManagementExchangeAccessStateReasonCompromisedPassword DeviceManagementExchangeAccessStateReason = "compromisedPassword"

	// DeviceManagementExchangeAccessStateReasonDeviceNotKnownWithManagedApp means: the device is not known, and a
	// managed app is asked for.
	DeviceManagementExchangeAccessStateReasonDeviceNotKnownWithManagedApp DeviceManagementExchangeAccessStateReason = "deviceNotKnownWithManagedApp"
)

// PossibleDeviceManagementExchangeAccessStateReasonValues lists the members in the order of the schema.
func PossibleDeviceManagementExchangeAccessStateReasonValues() []DeviceManagementExchangeAccessStateReason {
	return []DeviceManagementExchangeAccessStateReason{
		DeviceManagementExchangeAccessStateReasonNone,
		DeviceManagementExchangeAccessStateReasonUnknown,
		DeviceManagementExchangeAccessStateReasonExchangeGlobalRule,
		DeviceManagementExchangeAccessStateReasonExchangeIndividualRule,
		DeviceManagementExchangeAccessStateReasonExchangeDeviceRule,
		DeviceManagementExchangeAccessStateReasonExchangeUpgrade,
		DeviceManagementExchangeAccessStateReasonExchangeMailboxPolicy,
		DeviceManagementExchangeAccessStateReasonOther,
		DeviceManagementExchangeAccessStateReasonCompliant,
		DeviceManagementExchangeAccessStateReasonNotCompliant,
		DeviceManagementExchangeAccessStateReasonNotEnrolled,
		DeviceManagementExchangeAccessStateReasonUnknownLocation,
		DeviceManagementExchangeAccessStateReasonMFARequired,
		DeviceManagementExchangeAccessStateReasonAzureADBlockDueToAccessPolicy,
		DeviceManagementExchangeAccessStateReasonCompromisedPassword,
		DeviceManagementExchangeAccessStateReasonDeviceNotKnownWithManagedApp,
	}
}
