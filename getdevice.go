package intune

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/graphjson"
)

// GetDeviceOptions configures [Client.GetDevice].
type GetDeviceOptions struct {
	// Select names the properties to fill, as the schema spells them ("deviceName"); empty means all but the eight
	// that the service fills only when they are named here. The id is always added. An unknown name is an
	// ErrInvalidArgument.
	Select []string
}

// GetDeviceResponse is one device.
type GetDeviceResponse struct {
	ManagedDevice
}

// GetDevice reads one device. At a user or detected-app address the service was reported to answer 400; the read is
// then made at the plain address. An answer about another device than the one asked for is an [*Error], and so is a
// session link that is not https.
//
// Needs DeviceManagementManagedDevices.Read.All, delegated or application. Errors: [ErrInvalidArgument], else [*Error].
//
// Source: https://learn.microsoft.com/graph/api/intune-devices-manageddevice-get (v1.0).
func (c *Client) GetDevice(ctx context.Context, device DeviceRef, options *GetDeviceOptions) (response GetDeviceResponse, err error) {
	if err := c.check(ctx); err != nil {
		return GetDeviceResponse{}, err
	}
	if err := device.check(); err != nil {
		return GetDeviceResponse{}, err
	}
	var query []string
	var selected []string
	if options != nil {
		if selected, err = selectProperties(options.Select, nil, nil); err != nil {
			return GetDeviceResponse{}, err
		}
		if len(selected) > 0 {
			query = append(query, "$select="+strings.Join(selected, ","))
		}
	}
	ctx, endSpan := c.startSpan(ctx, opGetDevice)
	defer func() { endSpan(err) }()
	read := func(at DeviceRef) (ManagedDevice, error) {
		r := &request{op: opGetDevice, device: at, method: http.MethodGet, url: joinQuery(at.within(c.base, ""), query)}
		return c.readDevice(ctx, r)
	}
	response.ManagedDevice, err = whereServed(device, read)
	return response, err
}

// whereServed reads at an address, and at the plain one if the service answers 400 there, as it does to reads that it
// does not serve.
func whereServed[T any](device DeviceRef, read func(DeviceRef) (T, error)) (T, error) {
	record, err := read(device)
	if isBadRequest(err) && device.form != formDevice {
		record, err = read(Device(device.id))
	}
	return record, err
}

func isBadRequest(err error) bool {
	failed, ok := errors.AsType[*Error](err)
	return ok && failed.StatusCode == http.StatusBadRequest
}

// readDevice reads a device for the caller: its link must be fit to open.
func (c *Client) readDevice(ctx context.Context, r *request) (ManagedDevice, error) {
	device, resp, err := c.fetchDevice(ctx, r)
	if err != nil {
		return ManagedDevice{}, err
	}
	if err := checkLink(device.RemoteAssistanceSessionURL.Reveal()); err != nil {
		return ManagedDevice{}, c.unexpectedAnswer(r, resp, err.Error())
	}
	return device, nil
}

// fetchDevice reads what the service has of a device. An answer that does not say by its id that it is about the one
// asked for is refused: a sign-in page's {"status":"ok"} would pass for a device without a single property.
func (c *Client) fetchDevice(ctx context.Context, r *request) (ManagedDevice, *http.Response, error) {
	resp, err := c.send(ctx, r)
	if err != nil {
		return ManagedDevice{}, nil, err
	}
	body, err := runtime.Payload(resp)
	if err != nil {
		return ManagedDevice{}, nil, c.unexpectedAnswer(r, resp, "the answer could not be read")
	}
	var device ManagedDevice
	if err := graphjson.UnmarshalEntity(body, &device); err != nil {
		e := c.unexpectedAnswer(r, resp, "the answer is not a device")
		e.cause = err
		return ManagedDevice{}, nil, e
	}
	if !strings.EqualFold(device.ID, r.device.id) {
		return ManagedDevice{}, nil, c.unexpectedAnswer(r, resp, "the answer is about another device than the one asked for, or about none")
	}
	return device, resp, nil
}
