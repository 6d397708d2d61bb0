package intune

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/graphjson"
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
	// ConnectorStateUnknown comes with an error if the connector could not be read, often because the caller lacks the
	// permission, which is not the one that the action needs. Without an error, the service gave a state that this package
	// does not know.
	ConnectorStateUnknown ConnectorState = "unknown"
)

// PossibleConnectorStateValues returns the possible values of ConnectorState.
func PossibleConnectorStateValues() []ConnectorState {
	return []ConnectorState{
		ConnectorStateOnboarded, ConnectorStateOnboarding, ConnectorStateNotOnboarded, ConnectorStateUnknown,
	}
}

// RemoteAssistanceConnectorOptions is a placeholder for future optional parameters of
// [Client.RemoteAssistanceConnector].
type RemoteAssistanceConnectorOptions struct{}

// RemoteAssistanceConnector says whether the tenant's connector can make sessions. If there are several partners, the
// one that has come furthest counts; if there is none, the state is [ConnectorStateNotOnboarded]. The connector is set up
// in the Intune admin center; this package only reads it.
//
// Needs DeviceManagementServiceConfig.Read.All, which many callers of the action lack. They get [ConnectorStateUnknown]
// and an error that is [ErrForbidden]; the action may work all the same. Errors: [ErrInvalidArgument], else [*Error], each
// with [ConnectorStateUnknown].
func (c *Client) RemoteAssistanceConnector(
	ctx context.Context, options *RemoteAssistanceConnectorOptions,
) (state ConnectorState, err error) {
	_ = options
	if err := c.check(ctx); err != nil {
		return ConnectorStateUnknown, err
	}
	ctx, endSpan := c.startSpan(ctx, opConnector)
	defer func() { endSpan(err) }()
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
	return slices.Index([]ConnectorState{
		ConnectorStateNotOnboarded, ConnectorStateUnknown, ConnectorStateOnboarding, ConnectorStateOnboarded,
	}, s)
}

// RemoteAssistancePartner is the tenant's connector to a remote-assistance product, of which TeamViewer is the only
// one known. Printing one hides OnboardingURL. Source:
// https://learn.microsoft.com/graph/api/resources/intune-remoteassistance-remoteassistancepartner (v1.0).
type RemoteAssistancePartner struct {
	// ID is the key. READ-ONLY.
	ID string `json:"id,omitzero"`

	// DisplayName is the partner's name.
	DisplayName string `json:"displayName,omitzero"`

	// OnboardingURL is where an administrator signs in at the partner to finish onboarding. It is a secret: JSON shows
	// REDACTED too.
	OnboardingURL Secret `json:"onboardingUrl,omitzero"`

	// OnboardingStatus says how far onboarding has come. Members this package does not know are kept.
	OnboardingStatus RemoteAssistanceOnboardingStatus `json:"onboardingStatus,omitzero"`

	// LastConnectionDateTime is the last exchange with the partner; zero means never.
	LastConnectionDateTime time.Time `json:"lastConnectionDateTime,omitzero"`
}

// String shows all but OnboardingURL.
func (p RemoteAssistancePartner) String() string {
	return describe("remote-assistance partner", "id", p.ID, "name", p.DisplayName, "onboarding_url", p.OnboardingURL.String(),
		"status", string(p.OnboardingStatus), "last_connection", timeText(p.LastConnectionDateTime))
}

// GoString is [RemoteAssistancePartner.String], so that %#v hides the URL too.
func (p RemoteAssistancePartner) GoString() string { return p.String() }

// Format shows [RemoteAssistancePartner.String] whatever the verb.
func (p RemoteAssistancePartner) Format(state fmt.State, _ rune) {
	_, _ = io.WriteString(state, p.String())
}

// LogValue is [RemoteAssistancePartner.String].
func (p RemoteAssistancePartner) LogValue() slog.Value { return slog.StringValue(p.String()) }

// UnmarshalJSON reads a partner as the service sends it: null, "" and a date in the year 1 give the zero value.
func (p *RemoteAssistancePartner) UnmarshalJSON(data []byte) error {
	return graphjson.Unmarshal(data, p)
}

// ListRemoteAssistancePartnersOptions is a placeholder for future optional parameters of
// [Client.NewListRemoteAssistancePartnersPager].
type ListRemoteAssistancePartnersOptions struct{}

// ListRemoteAssistancePartnersResponse is one page of partners.
type ListRemoteAssistancePartnersResponse struct {
	// Value are the partners of the page, which may be none.
	Value []RemoteAssistancePartner `json:"value"`

	// NextLink leads to the next page; blank on the last.
	NextLink string `json:"@odata.nextLink,omitempty"`

	// RequestID and ClientRequestID identify the request of the page, as in [RequestRemoteAssistanceResponse].
	RequestID       string `json:"requestId,omitempty"`
	ClientRequestID string `json:"clientRequestId,omitempty"`
}

func (r ListRemoteAssistancePartnersResponse) stored() (rows []RemoteAssistancePartner, next string) {
	return r.Value, r.NextLink
}

// NewListRemoteAssistancePartnersPager lists the tenant's partners. A tenant without TeamViewer has an empty list, or a
// partner that is not onboarded. Needs DeviceManagementServiceConfig.Read.All, delegated or application. That is
// another family of permissions than the action's. Errors of NextPage: [*Error].
//
// Source: https://learn.microsoft.com/graph/api/intune-remoteassistance-remoteassistancepartner-list (v1.0).
func (c *Client) NewListRemoteAssistancePartnersPager(
	options *ListRemoteAssistancePartnersOptions,
) *runtime.Pager[ListRemoteAssistancePartnersResponse] {
	_ = options
	return listing[RemoteAssistancePartner, ListRemoteAssistancePartnersResponse]{
		op:    opListPartners,
		first: func() (url.URL, error) { return c.at(partnersPath), nil },
		page: func(p page[RemoteAssistancePartner]) ListRemoteAssistancePartnersResponse {
			return ListRemoteAssistancePartnersResponse{
				Value: p.rows, NextLink: p.next, RequestID: p.RequestID, ClientRequestID: p.ClientRequestID,
			}
		},
	}.pager(c)
}

const partnersPath = "/deviceManagement/remoteAssistancePartners"

// RemoteAssistanceOnboardingStatus is how far the connector to a remote-assistance partner has come. A member that
// is not listed here is kept as received.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-remoteassistance-remoteassistanceonboardingstatus
type RemoteAssistanceOnboardingStatus string

const (
	// RemoteAssistanceOnboardingStatusNotOnboarded means: not connected.
	RemoteAssistanceOnboardingStatusNotOnboarded RemoteAssistanceOnboardingStatus = "notOnboarded"

	// RemoteAssistanceOnboardingStatusOnboarding means: connecting, until somebody finishes at the partner's page.
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
