package intune

// ActionState is how far a remote action has come. Done, failed, canceled and not supported are final. A member that
// is not listed here is kept as received.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-devices-actionstate
type ActionState string

const (
	// ActionStateNone: not a valid state.
	ActionStateNone ActionState = "none"

	// ActionStatePending: the device has not picked the action up yet.
	ActionStatePending ActionState = "pending"

	// ActionStateCanceled: canceled.
	ActionStateCanceled ActionState = "canceled"

	// ActionStateActive: under way on the device.
	ActionStateActive ActionState = "active"

	// ActionStateDone: completed without errors.
	ActionStateDone ActionState = "done"

	// ActionStateFailed: failed.
	ActionStateFailed ActionState = "failed"

	// ActionStateNotSupported: the device cannot do it.
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
	// ManagedDevicePartnerReportedHealthStateUnknown: the partner said nothing.
	ManagedDevicePartnerReportedHealthStateUnknown ManagedDevicePartnerReportedHealthState = "unknown"

	// ManagedDevicePartnerReportedHealthStateActivated: the partner's agent is active.
	ManagedDevicePartnerReportedHealthStateActivated ManagedDevicePartnerReportedHealthState = "activated"

	// ManagedDevicePartnerReportedHealthStateDeactivated: the partner's agent is switched off.
	ManagedDevicePartnerReportedHealthStateDeactivated ManagedDevicePartnerReportedHealthState = "deactivated"

	// ManagedDevicePartnerReportedHealthStateSecured: no threat.
	ManagedDevicePartnerReportedHealthStateSecured ManagedDevicePartnerReportedHealthState = "secured"

	// ManagedDevicePartnerReportedHealthStateLowSeverity: a low threat.
	ManagedDevicePartnerReportedHealthStateLowSeverity ManagedDevicePartnerReportedHealthState = "lowSeverity"

	// ManagedDevicePartnerReportedHealthStateMediumSeverity: a medium threat.
	ManagedDevicePartnerReportedHealthStateMediumSeverity ManagedDevicePartnerReportedHealthState = "mediumSeverity"

	// ManagedDevicePartnerReportedHealthStateHighSeverity: a high threat.
	ManagedDevicePartnerReportedHealthStateHighSeverity ManagedDevicePartnerReportedHealthState = "highSeverity"

	// ManagedDevicePartnerReportedHealthStateUnresponsive: the partner's agent does not answer.
	ManagedDevicePartnerReportedHealthStateUnresponsive ManagedDevicePartnerReportedHealthState = "unresponsive"

	// ManagedDevicePartnerReportedHealthStateCompromised: the device is compromised.
	ManagedDevicePartnerReportedHealthStateCompromised ManagedDevicePartnerReportedHealthState = "compromised"

	// ManagedDevicePartnerReportedHealthStateMisconfigured: the partner's agent is not set up right.
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
	// DeviceManagementExchangeAccessStateNone: Exchange has no record of the device.
	DeviceManagementExchangeAccessStateNone DeviceManagementExchangeAccessState = "none"

	// DeviceManagementExchangeAccessStateUnknown: not known.
	DeviceManagementExchangeAccessStateUnknown DeviceManagementExchangeAccessState = "unknown"

	// DeviceManagementExchangeAccessStateAllowed: let in.
	DeviceManagementExchangeAccessStateAllowed DeviceManagementExchangeAccessState = "allowed"

	// DeviceManagementExchangeAccessStateBlocked: kept out.
	DeviceManagementExchangeAccessStateBlocked DeviceManagementExchangeAccessState = "blocked"

	// DeviceManagementExchangeAccessStateQuarantined: held until an administrator decides.
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
	// DeviceManagementExchangeAccessStateReasonNone: no reason given.
	DeviceManagementExchangeAccessStateReasonNone DeviceManagementExchangeAccessStateReason = "none"

	// DeviceManagementExchangeAccessStateReasonUnknown: not known.
	DeviceManagementExchangeAccessStateReasonUnknown DeviceManagementExchangeAccessStateReason = "unknown"

	// DeviceManagementExchangeAccessStateReasonExchangeGlobalRule: the rule for all devices.
	DeviceManagementExchangeAccessStateReasonExchangeGlobalRule DeviceManagementExchangeAccessStateReason = "exchangeGlobalRule"

	// DeviceManagementExchangeAccessStateReasonExchangeIndividualRule: a rule for this device or user.
	DeviceManagementExchangeAccessStateReasonExchangeIndividualRule DeviceManagementExchangeAccessStateReason = "exchangeIndividualRule"

	// DeviceManagementExchangeAccessStateReasonExchangeDeviceRule: a rule for this kind of device.
	DeviceManagementExchangeAccessStateReasonExchangeDeviceRule DeviceManagementExchangeAccessStateReason = "exchangeDeviceRule"

	// DeviceManagementExchangeAccessStateReasonExchangeUpgrade: Exchange is being upgraded.
	DeviceManagementExchangeAccessStateReasonExchangeUpgrade DeviceManagementExchangeAccessStateReason = "exchangeUpgrade"

	// DeviceManagementExchangeAccessStateReasonExchangeMailboxPolicy: the policy of the mailbox.
	DeviceManagementExchangeAccessStateReasonExchangeMailboxPolicy DeviceManagementExchangeAccessStateReason = "exchangeMailboxPolicy"

	// DeviceManagementExchangeAccessStateReasonOther: another reason.
	DeviceManagementExchangeAccessStateReasonOther DeviceManagementExchangeAccessStateReason = "other"

	// DeviceManagementExchangeAccessStateReasonCompliant: the device is compliant.
	DeviceManagementExchangeAccessStateReasonCompliant DeviceManagementExchangeAccessStateReason = "compliant"

	// DeviceManagementExchangeAccessStateReasonNotCompliant: the device is not compliant.
	DeviceManagementExchangeAccessStateReasonNotCompliant DeviceManagementExchangeAccessStateReason = "notCompliant"

	// DeviceManagementExchangeAccessStateReasonNotEnrolled: the device is not enrolled.
	DeviceManagementExchangeAccessStateReasonNotEnrolled DeviceManagementExchangeAccessStateReason = "notEnrolled"

	// DeviceManagementExchangeAccessStateReasonUnknownLocation: the location is not known.
	DeviceManagementExchangeAccessStateReasonUnknownLocation DeviceManagementExchangeAccessStateReason = "unknownLocation"

	// DeviceManagementExchangeAccessStateReasonMFARequired: multi-factor authentication is missing.
	DeviceManagementExchangeAccessStateReasonMFARequired DeviceManagementExchangeAccessStateReason = "mfaRequired"

	// DeviceManagementExchangeAccessStateReasonAzureADBlockDueToAccessPolicy: a Conditional Access policy blocks it.
	DeviceManagementExchangeAccessStateReasonAzureADBlockDueToAccessPolicy DeviceManagementExchangeAccessStateReason = "azureADBlockDueToAccessPolicy"

	// DeviceManagementExchangeAccessStateReasonCompromisedPassword: the password is compromised.
	DeviceManagementExchangeAccessStateReasonCompromisedPassword DeviceManagementExchangeAccessStateReason = "compromisedPassword"

	// DeviceManagementExchangeAccessStateReasonDeviceNotKnownWithManagedApp: the device is not known, and a managed app is asked for.
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
