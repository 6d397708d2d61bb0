package intune

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
