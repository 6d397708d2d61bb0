package intune

// ConnectorState says whether the tenant's TeamViewer connector can make sessions.
type ConnectorState string

const (
	// ConnectorStateOnboarded means that sessions can be made.
	ConnectorStateOnboarded ConnectorState = "onboarded"
	// ConnectorStateOnboarding means that setup has begun and the partner has not confirmed it yet.
	ConnectorStateOnboarding ConnectorState = "onboarding"
	// ConnectorStateNotOnboarded means that there is no active connector; a tenant without any partner counts too.
	ConnectorStateNotOnboarded ConnectorState = "notOnboarded"
	// ConnectorStateUnknown means that the caller may not look, which needs another permission than the action does, or
	// that the service gave a state this package does not know.
	ConnectorStateUnknown ConnectorState = "unknown"
)

// PossibleConnectorStateValues returns the possible values of ConnectorState.
func PossibleConnectorStateValues() []ConnectorState {
	return []ConnectorState{ConnectorStateOnboarded, ConnectorStateOnboarding, ConnectorStateNotOnboarded, ConnectorStateUnknown}
}
