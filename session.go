package intune

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-intune/intune/internal/graphcall"
	"github.com/go-intune/intune/internal/graphjson"
	"github.com/go-intune/intune/internal/redact"
)

// RemoteAssistanceSession is what the service says about a device's session: two properties of the device's record,
// without a time. A link or an error text may be left over from an earlier session; only
// [Client.BeginRemoteAssistance] and [Client.OpenRemoteAssistance] tell a new one from an old one.
type RemoteAssistanceSession struct {
	// Device is the address that was asked for.
	Device DeviceRef `json:",omitzero"`

	// URL is the link that opens the session, zero if there is none. It is a secret.
	URL SessionURL

	// ErrorDetails is why there is no session, in the service's words, with links taken out; blank if it did not say.
	ErrorDetails string

	// Reused says that the link was there before the request and never changed, so that it may be stale.
	// It is set only by a wait with AcceptExistingAfter.
	Reused bool

	// RequestID and ClientRequestID identify the request that asked for the session. Microsoft's support asks for
	// RequestID; ClientRequestID is for the caller's own records. Only a wait sets them; RequestID is blank when no answer
	// came.
	RequestID       string `json:",omitzero"`
	ClientRequestID string `json:",omitzero"`

	// RequestedAt is when that request was made, on the local clock. Only a wait sets it.
	RequestedAt time.Time `json:",omitzero"`
}

// LogValue groups the fields for structured logs. The link shows as REDACTED, and what is not set is left out.
func (s RemoteAssistanceSession) LogValue() slog.Value {
	attributes := []slog.Attr{slog.String("device", s.Device.redacted()), slog.Any("url", s.URL)}
	attributes = appendText(attributes, "error_details", s.ErrorDetails)
	if s.Reused {
		attributes = append(attributes, slog.Bool("reused", true))
	}
	return slog.GroupValue(appendRequest(attributes, s.RequestID, s.ClientRequestID, s.RequestedAt)...)
}

// GetRemoteAssistanceSessionOptions is a placeholder for future optional parameters of
// [Client.GetRemoteAssistanceSession].
type GetRemoteAssistanceSessionOptions struct{}

// GetRemoteAssistanceSessionResponse is the device's session.
type GetRemoteAssistanceSessionResponse struct {
	RemoteAssistanceSession

	// RequestID and ClientRequestID identify this read, as in RequestRemoteAssistanceResponse; those of the embedded
	// session are blank.
	RequestID       string
	ClientRequestID string
}

// GetRemoteAssistanceSession reads the device's current link and error text. The record does not say when they were
// set, so both may be left over from an earlier session. The method returns an [*Error] for a link that is not https,
// because a person is going to open it, and for an answer without the device's id or without the two properties, which
// a sign-in page may have given.
//
// The service gives the two properties only to a GET of one device that names them in $select, so this method sends
// such a GET. Users reported that the service answers 400 at user and detected-app addresses; the method then reads at
// the plain address.
//
// Needs DeviceManagementManagedDevices.Read.All, delegated or application. Errors: [ErrInvalidArgument], else [*Error].
//
// Source: https://learn.microsoft.com/graph/api/intune-devices-manageddevice-get (v1.0).
func (c *Client) GetRemoteAssistanceSession(
	ctx context.Context, device DeviceRef, options *GetRemoteAssistanceSessionOptions,
) (response GetRemoteAssistanceSessionResponse, err error) {
	if err := c.check(ctx); err != nil {
		return GetRemoteAssistanceSessionResponse{}, err
	}
	if err := device.check(); err != nil {
		return GetRemoteAssistanceSessionResponse{}, err
	}
	ctx, endSpan := c.startSpan(ctx, opGetSession)
	defer func() { endSpan(err) }()
	record, err := c.readSession(ctx, device, device)
	if err != nil {
		return GetRemoteAssistanceSessionResponse{}, err
	}
	if err := checkSessionLink(record.link); err != nil {
		asked := newRequest(opGetSession, device, url.URL{})
		return GetRemoteAssistanceSessionResponse{}, c.unexpectedAnswer(asked, record.resp, err.Error())
	}
	return GetRemoteAssistanceSessionResponse{
		RemoteAssistanceSession: RemoteAssistanceSession{
			Device:       device,
			URL:          NewSessionURL(record.link),
			ErrorDetails: device.clean(record.details),
		},
		RequestID: record.ids.RequestID, ClientRequestID: record.ids.ClientRequestID,
	}, nil
}

// sessionRecord is the session as the device's record has it; "" and null are the same.
type sessionRecord struct {
	link, details string
	at            DeviceRef // where it was read
	resp          *http.Response
	ids           graphcall.IDs
}

const sessionQuery = "$select=id,remoteAssistanceSessionUrl,remoteAssistanceSessionErrorDetails"

// sessionProperties are what a read of the session asks for. null and "" say that there is none; a property that is
// missing says nothing.
type sessionProperties struct {
	ID      string                      `json:"id"`
	Link    graphjson.Field[SessionURL] `json:"remoteAssistanceSessionUrl"`
	Details graphjson.Field[string]     `json:"remoteAssistanceSessionErrorDetails"`
}

// readSession reads the session of a device at an address, and at the plain one if the service refuses reads there.
func (c *Client) readSession(ctx context.Context, device, at DeviceRef) (sessionRecord, error) {
	return whereServed(at, func(at DeviceRef) (sessionRecord, error) {
		r := newRequest(opGetSession, at, c.at(at.String(), sessionQuery)).askedOf(device)
		var answer sessionProperties
		resp, err := fetchDevice(ctx, c, r, &answer, &answer.ID)
		if err != nil {
			return sessionRecord{}, err
		}
		if !answer.Link.Present || !answer.Details.Present {
			return sessionRecord{}, c.unexpectedAnswer(r, resp, "the answer does not give the device's session")
		}
		return sessionRecord{
			link:    strings.TrimSpace(answer.Link.Value.Reveal()),
			details: strings.TrimSpace(answer.Details.Value),
			at:      at,
			resp:    resp,
			ids:     r.ids,
		}, nil
	})
}

// bare copies a response without its body and most of its headers, which may hold the link or keep memory in use while
// a poller waits.
func bare(resp *http.Response) *http.Response {
	header := http.Header{}
	for _, name := range [...]string{"Request-Id", "Client-Request-Id", "Retry-After", "Retry-After-Ms"} {
		if value, ok := resp.Header[name]; ok {
			header[name] = value
		}
	}
	return &http.Response{
		Status: resp.Status, StatusCode: resp.StatusCode, Proto: resp.Proto, ProtoMajor: resp.ProtoMajor, ProtoMinor: resp.ProtoMinor,
		Header: header, Body: http.NoBody,
	}
}

// bareFailure is the response for a failed read that is tolerated.
func bareFailure(failed *Error) *http.Response {
	if failed.response != nil {
		return bare(failed.response.RawResponse)
	}
	return &http.Response{Header: http.Header{}, Body: http.NoBody}
}

// checkSessionLink refuses a link that a person must not open. Its errors do not quote the link.
func checkSessionLink(link string) error {
	if link == "" {
		return nil
	}
	u, err := url.Parse(link)
	switch {
	case err != nil || u.Hostname() == "":
		return errors.New("the service gave a session link that is not a URL; it is withheld")
	case strings.ContainsFunc(strings.TrimSpace(link), redact.BlankOrHidden):
		return errors.New("the service gave a session link that holds a space or a character that does not show; it is withheld")
	case u.Scheme != "https":
		return errors.New("the service gave a session link that is not https; it is withheld")
	case u.User != nil:
		return errors.New("the service gave a session link that holds a user name; it is withheld")
	}
	return nil
}
