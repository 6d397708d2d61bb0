package intune

// RemoteAssistanceOnboardingStatus is how far the connector to a remote-assistance partner has come. A member that
// is not listed here is kept as received.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-remoteassistance-remoteassistanceonboardingstatus
type RemoteAssistanceOnboardingStatus string

const (
	// RemoteAssistanceOnboardingStatusNotOnboarded means: not connected.
	RemoteAssistanceOnboardingStatusNotOnboarded RemoteAssistanceOnboardingStatus = "notOnboarded"

	// RemoteAssistanceOnboardingStatusOnboarding means: connecting: somebody has to finish at the partner's page.
	RemoteAssistanceOnboardingStatusOnboarding RemoteAssistanceOnboardingStatus = "onboarding"

	// RemoteAssistanceOnboardingStatusOnboarded means: connected.
	RemoteAssistanceOnboardingStatusOnboarded RemoteAssistanceOnboardingStatus = "onboarded"
)

// PossibleRemoteAssistanceOnboardingStatusValues lists the members in the order of the schema.
func PossibleRemoteAssistanceOnboardingStatusValues() []RemoteAssistanceOnboardingStatus {
	return []RemoteAssistanceOnboardingStatus{
		RemoteAssistanceOnboardingStatusNotOnboarded,
		RemoteAssistanceOnboardingStatusOnboarding,
		RemoteAssistanceOnboardingStatusOnboarded,
	}
}
