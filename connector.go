package intune

import (
	"context"
	"slices"
	"strings"
)

// ConnectorState says whether the tenant's TeamViewer connector can make sessions.
type ConnectorState string

const (
	// ConnectorStateOnboarded means that sessions can be made.
	ConnectorStateOnboarded ConnectorState = "onboarded"
	// ConnectorStateOnboarding means that setup has begun and the partner has not confirmed it yet.
	ConnectorStateOnboarding ConnectorState = "onboarding"
	// ConnectorStateNotOnboarded means that there is no active connector, or no partner at all.
	ConnectorStateNotOnboarded ConnectorState = "notOnboarded"
	// ConnectorStateUnknown means that the caller lacks the permission to read the connector, which is not the one that
	// the action needs, or that the service gave a state that this package does not know.
	ConnectorStateUnknown ConnectorState = "unknown"
)

// PossibleConnectorStateValues returns the possible values of ConnectorState.
func PossibleConnectorStateValues() []ConnectorState {
	return []ConnectorState{ConnectorStateOnboarded, ConnectorStateOnboarding, ConnectorStateNotOnboarded, ConnectorStateUnknown}
}

// RemoteAssistanceConnectorOptions is a placeholder for future optional parameters of
// [Client.RemoteAssistanceConnector].
type RemoteAssistanceConnectorOptions struct{}

// RemoteAssistanceConnector says whether the tenant's connector can make sessions. If there are several partners, the
// one that has come furthest counts; if there is none, the state is [ConnectorStateNotOnboarded].
//
// Needs DeviceManagementServiceConfig.Read.All, which many callers of the action lack. A 403 therefore gives
// [ConnectorStateUnknown] with a nil error; the action may work all the same. Errors: [*Error] for every other failure,
// with [ConnectorStateUnknown].
func (c *Client) RemoteAssistanceConnector(ctx context.Context, options *RemoteAssistanceConnectorOptions) (state ConnectorState, err error) {
	_ = options
	if err := c.check(ctx); err != nil {
		return ConnectorStateUnknown, err
	}
	ctx, endSpan := c.startSpan(ctx, opConnector)
	defer func() { endSpan(err) }()
	return c.connectorState(ctx)
}

// connectorState is [Client.RemoteAssistanceConnector] with the error of a caller who may not look.
func (c *Client) connectorState(ctx context.Context) (ConnectorState, error) {
	best := ConnectorStateNotOnboarded
	for pager := c.NewListRemoteAssistancePartnersPager(nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return ConnectorStateUnknown, err
		}
		for i := range page.Value {
			if state := connectorStateOf(page.Value[i].OnboardingStatus); state.rank() > best.rank() {
				best = state
			}
		}
	}
	return best, nil
}

func connectorStateOf(status RemoteAssistanceOnboardingStatus) ConnectorState {
	for _, state := range PossibleConnectorStateValues() {
		if strings.EqualFold(string(state), string(status)) {
			return state
		}
	}
	return ConnectorStateUnknown
}

// rank orders states by how far onboarding has come. An unknown state ranks above not onboarded, because it may be any.
func (s ConnectorState) rank() int {
	return slices.Index([]ConnectorState{ConnectorStateNotOnboarded, ConnectorStateUnknown, ConnectorStateOnboarding, ConnectorStateOnboarded}, s)
}
