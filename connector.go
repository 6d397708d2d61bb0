package intune

import (
	"context"
	"errors"
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

// RemoteAssistanceConnectorOptions is a placeholder for future optional parameters of
// [Client.RemoteAssistanceConnector].
type RemoteAssistanceConnectorOptions struct{}

// RemoteAssistanceConnector says whether the tenant's connector can make sessions. Of several partners the one that
// has come furthest counts; none at all is [ConnectorStateNotOnboarded].
//
// Looking needs DeviceManagementServiceConfig.Read.All, which many callers of the action lack: a 403 is therefore
// [ConnectorStateUnknown] with a nil error, and no reason not to try the action. Errors: [*Error] for every other
// failure, with [ConnectorStateUnknown].
func (c *Client) RemoteAssistanceConnector(ctx context.Context, options *RemoteAssistanceConnectorOptions) (state ConnectorState, err error) {
	_ = options
	if err := c.check(ctx); err != nil {
		return ConnectorStateUnknown, err
	}
	ctx, endSpan := c.startSpan(ctx, opConnector)
	defer func() { endSpan(err) }()
	state, err = c.connectorState(ctx)
	if errors.Is(err, ErrForbidden) {
		return ConnectorStateUnknown, nil
	}
	return state, err
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

// rank orders states by how far onboarding has come. A state that is not known may be any.
func (s ConnectorState) rank() int {
	return slices.Index([]ConnectorState{ConnectorStateNotOnboarded, ConnectorStateUnknown, ConnectorStateOnboarding, ConnectorStateOnboarded}, s)
}
