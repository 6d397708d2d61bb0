package intune

import (
	"context"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

var opRequestRemoteAssistance = &operation{
	api:        "Client.RequestRemoteAssistance",
	text:       "request remote assistance",
	permission: permissionManageDevices,
	right:      "Remote tasks / Offer remote assistance",
	session:    true,
}

// RequestRemoteAssistanceOptions is a placeholder for future optional parameters of [Client.RequestRemoteAssistance].
type RequestRemoteAssistanceOptions struct{}

// RequestRemoteAssistanceResponse is what the service said when it accepted the request.
type RequestRemoteAssistanceResponse struct {
	// RequestID identifies the request at Microsoft; their support asks for it.
	RequestID string

	// ClientRequestID is the GUID under which the library, or the caller through policy.WithHTTPHeader, sent it.
	ClientRequestID string

	// Deprecation and Sunset are the headers of those names as received, blank today. Microsoft has called the
	// connector behind this action legacy; one day these may say when it goes.
	Deprecation, Sunset string
}

// RequestRemoteAssistance asks Intune to open a remote-assistance session on device. A nil error means that Intune
// accepted the request, not that there is a session: the link appears on the device's record later, or an error text
// does. [Client.OpenRemoteAssistance] asks and waits for it.
//
//   - device: any of the three addresses; [Device] is the one to prefer.
//   - options: may be nil.
//
// Each accepted call may show a prompt to the device's user, and the service knows no idempotency key, so the library
// never sends the request a second time unless the first was refused (429, 503) or never sent. When it cannot know,
// the error answers [errors.Is] for [ErrOutcomeUnknown]: look at the session before asking again. A success is 204,
// or 200 without a body, as some proxies rewrite it.
//
// Needs the Graph permission DeviceManagementManagedDevices.ReadWrite.All, delegated or application, and for a
// delegated caller the Intune role right "Remote tasks / Offer remote assistance". Errors: [ErrInvalidArgument], else
// [*Error].
//
// Source: https://learn.microsoft.com/graph/api/intune-devices-manageddevice-requestremoteassistance (v1.0). The page
// of 2020 said that application permissions are not supported; since about 2021 they are.
func (c *Client) RequestRemoteAssistance(ctx context.Context, device DeviceRef, options *RequestRemoteAssistanceOptions) (response RequestRemoteAssistanceResponse, err error) {
	_ = options
	if err := c.check(ctx); err != nil {
		return RequestRemoteAssistanceResponse{}, err
	}
	if err := device.check(); err != nil {
		return RequestRemoteAssistanceResponse{}, err
	}
	ctx, endSpan := c.startSpan(ctx, opRequestRemoteAssistance)
	defer func() { endSpan(err) }()
	return c.requestRemoteAssistance(ctx, device)
}

func (c *Client) requestRemoteAssistance(ctx context.Context, device DeviceRef) (RequestRemoteAssistanceResponse, error) {
	r := &request{
		op:     opRequestRemoteAssistance,
		device: device,
		method: http.MethodPost,
		url:    device.within(c.base, "/requestRemoteAssistance"),
	}
	resp, err := c.send(ctx, r)
	if err == nil && !emptySuccess(resp) {
		err = c.unexpectedAnswer(r, resp, "the answer is neither 204 nor an empty 200, so a proxy or sign-in page may have given it")
	}
	if err != nil {
		return RequestRemoteAssistanceResponse{}, err
	}
	return RequestRemoteAssistanceResponse{
		RequestID:       resp.Header.Get("Request-Id"),
		ClientRequestID: clientRequestID(resp),
		Deprecation:     resp.Header.Get("Deprecation"),
		Sunset:          resp.Header.Get("Sunset"),
	}, nil
}

func emptySuccess(resp *http.Response) bool {
	if resp.StatusCode == http.StatusNoContent {
		return true
	}
	body, err := runtime.Payload(resp)
	return resp.StatusCode == http.StatusOK && err == nil && len(body) == 0
}
