package intune

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/graphcall"
	"github.com/go-intune/intune/internal/graphjson"
	"github.com/go-intune/intune/internal/odata"
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

// RemoteAssistancePartner is the tenant's connector to a remote-assistance product, of which TeamViewer is the only
// one known. Printing one hides OnboardingURL. Source:
// https://learn.microsoft.com/graph/api/resources/intune-remoteassistance-remoteassistancepartner (v1.0).
type RemoteAssistancePartner struct {
	// ID is the key. READ-ONLY.
	ID string `json:"id,omitzero"`

	// DisplayName is the partner's name.
	DisplayName string `json:"displayName,omitzero"`

	// OnboardingURL is where an administrator signs in at the partner to finish onboarding. It is a secret: JSON shows
	// REDACTED too, but requests to the service carry the text itself.
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
func (c *Client) NewListRemoteAssistancePartnersPager(options *ListRemoteAssistancePartnersOptions) *runtime.Pager[ListRemoteAssistancePartnersResponse] {
	_ = options
	return listing[RemoteAssistancePartner, ListRemoteAssistancePartnersResponse]{
		op:    opListPartners,
		first: func() (url.URL, error) { return c.at(partnersPath), nil },
		page: func(p page[RemoteAssistancePartner]) ListRemoteAssistancePartnersResponse {
			return ListRemoteAssistancePartnersResponse{Value: p.rows, NextLink: p.next, RequestID: p.RequestID, ClientRequestID: p.ClientRequestID}
		},
	}.pager(c)
}

const partnersPath = "/deviceManagement/remoteAssistancePartners"

// GetRemoteAssistancePartnerOptions is a placeholder for future optional parameters of
// [Client.GetRemoteAssistancePartner].
type GetRemoteAssistancePartnerOptions struct{}

// GetRemoteAssistancePartnerResponse is one partner.
type GetRemoteAssistancePartnerResponse struct {
	RemoteAssistancePartner

	// RequestID and ClientRequestID identify the request, as in [RequestRemoteAssistanceResponse].
	RequestID       string `json:"-"`
	ClientRequestID string `json:"-"`
}

// GetRemoteAssistancePartner reads one partner. Needs DeviceManagementServiceConfig.Read.All. Errors:
// [ErrInvalidArgument], else [*Error].
//
// Source: https://learn.microsoft.com/graph/api/intune-remoteassistance-remoteassistancepartner-get (v1.0).
func (c *Client) GetRemoteAssistancePartner(ctx context.Context, id string, options *GetRemoteAssistancePartnerOptions) (GetRemoteAssistancePartnerResponse, error) {
	_ = options
	partner, ids, err := c.callPartner(ctx, opGetPartner, http.MethodGet, id, "", nil)
	return GetRemoteAssistancePartnerResponse{partner, ids.RequestID, ids.ClientRequestID}, err
}

// CreateRemoteAssistancePartnerOptions is a placeholder for future optional parameters of
// [Client.CreateRemoteAssistancePartner].
type CreateRemoteAssistancePartnerOptions struct{}

// CreateRemoteAssistancePartnerResponse is the partner as the service created it, zero if the service answered 204.
type CreateRemoteAssistancePartnerResponse struct {
	RemoteAssistancePartner

	// RequestID and ClientRequestID identify the request, as in [RequestRemoteAssistanceResponse].
	RequestID       string `json:"-"`
	ClientRequestID string `json:"-"`
}

// CreateRemoteAssistancePartner creates a partner from the fields of partner that are not zero; ID is left out. The
// portal itself creates the TeamViewer partner when an administrator connects it, so this method is rarely needed. Like
// every write it is not repeated when its outcome is unknown ([ErrOutcomeUnknown]). Needs
// DeviceManagementServiceConfig.ReadWrite.All. Errors: [ErrInvalidArgument], else [*Error].
//
// Source: https://learn.microsoft.com/graph/api/intune-remoteassistance-remoteassistancepartner-create (v1.0).
func (c *Client) CreateRemoteAssistancePartner(ctx context.Context, partner RemoteAssistancePartner, options *CreateRemoteAssistancePartnerOptions) (CreateRemoteAssistancePartnerResponse, error) {
	_ = options
	partner, ids, err := c.callPartner(ctx, opCreatePartner, http.MethodPost, "", "", &partner)
	return CreateRemoteAssistancePartnerResponse{partner, ids.RequestID, ids.ClientRequestID}, err
}

// UpdateRemoteAssistancePartnerOptions is a placeholder for future optional parameters of
// [Client.UpdateRemoteAssistancePartner].
type UpdateRemoteAssistancePartnerOptions struct{}

// UpdateRemoteAssistancePartnerResponse is the partner after the change, zero if the service answered 204.
type UpdateRemoteAssistancePartnerResponse struct {
	RemoteAssistancePartner

	// RequestID and ClientRequestID identify the request, as in [RequestRemoteAssistanceResponse].
	RequestID       string `json:"-"`
	ClientRequestID string `json:"-"`
}

// UpdateRemoteAssistancePartner sets those fields of the partner that are not zero in the argument partner. It affects
// every technician of the tenant. Needs DeviceManagementServiceConfig.ReadWrite.All. Errors: [ErrInvalidArgument], else
// [*Error].
//
// Source: https://learn.microsoft.com/graph/api/intune-remoteassistance-remoteassistancepartner-update (v1.0).
func (c *Client) UpdateRemoteAssistancePartner(ctx context.Context, id string, partner RemoteAssistancePartner, options *UpdateRemoteAssistancePartnerOptions) (UpdateRemoteAssistancePartnerResponse, error) {
	_ = options
	partner, ids, err := c.callPartner(ctx, opUpdatePartner, http.MethodPatch, id, "", &partner)
	return UpdateRemoteAssistancePartnerResponse{partner, ids.RequestID, ids.ClientRequestID}, err
}

// DeleteRemoteAssistancePartnerOptions is a placeholder for future optional parameters of
// [Client.DeleteRemoteAssistancePartner].
type DeleteRemoteAssistancePartnerOptions struct{}

// DeleteRemoteAssistancePartnerResponse is what the service said when it accepted the request.
type DeleteRemoteAssistancePartnerResponse struct {
	// RequestID and ClientRequestID identify the request, as in [RequestRemoteAssistanceResponse].
	RequestID       string `json:"-"`
	ClientRequestID string `json:"-"`
}

// DeleteRemoteAssistancePartner deletes the partner. WARNING: it takes remote assistance away from the whole tenant.
// Needs DeviceManagementServiceConfig.ReadWrite.All. Errors: [ErrInvalidArgument], else [*Error].
//
// Source: https://learn.microsoft.com/graph/api/intune-remoteassistance-remoteassistancepartner-delete (v1.0).
func (c *Client) DeleteRemoteAssistancePartner(ctx context.Context, id string, options *DeleteRemoteAssistancePartnerOptions) (DeleteRemoteAssistancePartnerResponse, error) {
	_ = options
	_, ids, err := c.callPartner(ctx, opDeletePartner, http.MethodDelete, id, "", nil)
	return DeleteRemoteAssistancePartnerResponse{ids.RequestID, ids.ClientRequestID}, err
}

// OnboardRemoteAssistancePartnerOptions is a placeholder for future optional parameters of
// [Client.OnboardRemoteAssistancePartner].
type OnboardRemoteAssistancePartnerOptions struct{}

// OnboardRemoteAssistancePartnerResponse is what the service said when it accepted the request.
type OnboardRemoteAssistancePartnerResponse struct {
	// RequestID and ClientRequestID identify the request, as in [RequestRemoteAssistanceResponse].
	RequestID       string `json:"-"`
	ClientRequestID string `json:"-"`
}

// OnboardRemoteAssistancePartner calls Graph's beginOnboarding. Its name does not start with Begin, because in Azure's
// Go modules that prefix promises a poller. It only starts the handshake: an administrator must still sign in at the
// partner through OnboardingURL. Needs DeviceManagementServiceConfig.ReadWrite.All. Errors: [ErrInvalidArgument], else
// [*Error].
//
// Source: https://learn.microsoft.com/graph/api/intune-remoteassistance-remoteassistancepartner-beginonboarding (v1.0).
func (c *Client) OnboardRemoteAssistancePartner(ctx context.Context, id string, options *OnboardRemoteAssistancePartnerOptions) (OnboardRemoteAssistancePartnerResponse, error) {
	_ = options
	_, ids, err := c.callPartner(ctx, opOnboardPartner, http.MethodPost, id, "/beginOnboarding", nil)
	return OnboardRemoteAssistancePartnerResponse{ids.RequestID, ids.ClientRequestID}, err
}

// DisconnectRemoteAssistancePartnerOptions is a placeholder for future optional parameters of
// [Client.DisconnectRemoteAssistancePartner].
type DisconnectRemoteAssistancePartnerOptions struct{}

// DisconnectRemoteAssistancePartnerResponse is what the service said when it accepted the request.
type DisconnectRemoteAssistancePartnerResponse struct {
	// RequestID and ClientRequestID identify the request, as in [RequestRemoteAssistanceResponse].
	RequestID       string `json:"-"`
	ClientRequestID string `json:"-"`
}

// DisconnectRemoteAssistancePartner drops the tenant's active connector. WARNING: it cuts off remote assistance for
// the whole tenant at once, not one session; no call ends a single session, and an administrator must sign in at the
// partner again to undo it. Needs DeviceManagementServiceConfig.ReadWrite.All. Errors: [ErrInvalidArgument], else
// [*Error].
//
// Source: https://learn.microsoft.com/graph/api/intune-remoteassistance-remoteassistancepartner-disconnect (v1.0).
func (c *Client) DisconnectRemoteAssistancePartner(ctx context.Context, id string, options *DisconnectRemoteAssistancePartnerOptions) (DisconnectRemoteAssistancePartnerResponse, error) {
	_ = options
	_, ids, err := c.callPartner(ctx, opDisconnectPartner, http.MethodPost, id, "/disconnect", nil)
	return DisconnectRemoteAssistancePartnerResponse{ids.RequestID, ids.ClientRequestID}, err
}

// callPartner sends one request to the collection (id "") or to a partner, and reads the partner it answers with.
func (c *Client) callPartner(ctx context.Context, op *operation, method, id, action string, body *RemoteAssistancePartner) (partner RemoteAssistancePartner, ids graphcall.IDs, err error) {
	if err := c.check(ctx); err != nil {
		return partner, ids, err
	}
	r := newRequest(op, DeviceRef{}, method, c.at(partnersPath))
	if op != opCreatePartner {
		if err := checkKey("id", id); err != nil {
			return partner, ids, err
		}
		r.URL = c.at(odata.Keyed(partnersPath, id) + action)
	}
	if body != nil {
		if r.Body, err = partnerBody(*body); err != nil {
			return partner, ids, err
		}
	}
	ctx, endSpan := c.startSpan(ctx, op)
	defer func() { endSpan(err) }()
	resp, err := c.send(ctx, r)
	if err != nil {
		return partner, ids, err
	}
	if partner, err = c.partnerOf(r, resp); err != nil {
		return partner, ids, err
	}
	return partner, graphcall.IDsOf(resp), nil
}

// partnerOf reads the partner in the answer to a request; only a request that reads or writes a partner is answered
// with one. A write may be answered with 204 instead.
func (c *Client) partnerOf(r *request, resp *http.Response) (partner RemoteAssistancePartner, err error) {
	if r.Method != http.MethodGet && (r.Body == nil || resp.StatusCode == http.StatusNoContent) {
		if !graphcall.EmptySuccess(resp) {
			return partner, c.unexpectedAnswer(r, resp, "the answer is neither 204 nor an empty 200")
		}
		return partner, nil
	}
	answer, err := runtime.Payload(resp)
	if err != nil || graphjson.UnmarshalEntity(answer, &partner) != nil || partner.ID == "" {
		return RemoteAssistancePartner{}, c.unexpectedAnswer(r, resp, "the answer is not a remote-assistance partner in JSON")
	}
	return partner, nil
}

func partnerBody(partner RemoteAssistancePartner) ([]byte, error) {
	partner.ID = ""
	if partner == (RemoteAssistancePartner{}) {
		return nil, invalidArgument("partner", "has no field to send; set at least DisplayName")
	}
	return json.Marshal(struct {
		Type string `json:"@odata.type"`
		RemoteAssistancePartner
		OnboardingURL string `json:"onboardingUrl,omitempty"` // replaces the embedded one, which is redact.Placeholder
	}{"#microsoft.graph.remoteAssistancePartner", partner, partner.OnboardingURL.Reveal()})
}

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
