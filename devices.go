package intune

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/graphjson"
	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/odata"
	"github.com/go-intune/intune/internal/redact"
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

	// RequestID and ClientRequestID identify the read, as in RequestRemoteAssistanceResponse.
	RequestID       string `json:"-"`
	ClientRequestID string `json:"-"`
}

// GetDevice reads one device. Users reported that the service answers 400 at user and detected-app addresses; GetDevice
// then reads at the plain address. It returns an [*Error] if the answer is about another device than the one asked for,
// or has a session link that is not https.
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
	return whereServed(device, func(at DeviceRef) (GetDeviceResponse, error) {
		r := newRequest(opGetDevice, at, c.at(at.String(), query...)).askedOf(device)
		return c.readDevice(ctx, r)
	})
}

// whereServed reads at an address, and then at the plain one if the service answers 400, as it does where it does not
// serve reads.
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

// readDevice reads a device for the caller, and refuses one whose link is not fit to open.
func (c *Client) readDevice(ctx context.Context, r *request) (GetDeviceResponse, error) {
	var device ManagedDevice
	resp, err := fetchDevice(ctx, c, r, &device, &device.ID)
	if err != nil {
		return GetDeviceResponse{}, err
	}
	if err := checkSessionLink(device.RemoteAssistanceSessionURL.Reveal()); err != nil {
		return GetDeviceResponse{}, c.unexpectedAnswer(r, resp, err.Error())
	}
	return GetDeviceResponse{ManagedDevice: device, RequestID: r.ids.RequestID, ClientRequestID: r.ids.ClientRequestID}, nil
}

// fetchDevice reads a device, or some of its properties, as the service has them. id is where the device's id comes to
// stand. It refuses an answer without the id of the device that was asked for, because a sign-in page's {"status":"ok"}
// would otherwise pass for a device without a single property.
func fetchDevice[T any](ctx context.Context, c *Client, r *request, device *T, id *string) (*http.Response, error) {
	resp, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	body, err := runtime.Payload(resp)
	if err != nil {
		return nil, c.unexpectedAnswer(r, resp, "the answer could not be read")
	}
	if err := graphjson.UnmarshalEntity(body, device); err != nil {
		return nil, c.unreadable(r, resp, "the answer is not a device", err)
	}
	if !strings.EqualFold(*id, r.device.id) {
		return nil, c.unexpectedAnswer(r, resp, "the answer is about another device than the one asked for, or about none")
	}
	return resp, nil
}

// ListDevicesOptions narrows a list of devices.
type ListDevicesOptions struct {
	// Filter picks devices. Each row is checked against it again.
	Filter DeviceFilter

	// Select names the properties to fill, as the schema spells them ("deviceName"); empty means all that a list has, or,
	// with a Filter in DetectedAppDevices, the name alone. The id and what Filter compares are always added. A name that
	// the schema does not have is an ErrInvalidArgument, and so is one of the eight properties that the service fills only
	// in a read of one device.
	Select []string

	// Top is the number of devices per page, 1 to 1000; zero leaves it to the service, whose default is 1000.
	Top int32

	// ContinueFrom, if not blank, is the NextLink of an earlier page, from which to continue. It is followed exactly as
	// given, and only to the client's own Graph root. Filter is still checked; Select and Top are those in the link.
	ContinueFrom string

	// OnPage, if not nil, is called by Client.Devices with each page before its devices are yielded. The page shows what
	// the devices do not: whether the service ignored the filter (ListDevicesResponse.Dropped), and from where to continue
	// (NextLink).
	OnPage func(ListDevicesResponse)
}

// ListDevicesResponse is one page of devices. It can be stored as JSON, so that a listing can continue elsewhere: an
// azcore pager that was unmarshaled from a stored page returns that page once more and then continues.
type ListDevicesResponse struct {
	// Value are the devices of the page that match the filter and were not on an earlier page. It may be empty even if
	// there are more pages.
	Value []ManagedDevice `json:"value"`

	// NextLink leads to the next page; blank on the last. It holds names of devices: do not log it.
	NextLink string `json:"@odata.nextLink,omitempty"`

	// Dropped is how many rows of the page did not match the filter although the service sent them. More than zero means
	// that the service ignored the filter, except with UserPrincipalName, since the user on a row may be the one who enrolled
	// the device, and with LastSyncBefore and EnrolledBefore, since the service may send devices that have no such date.
	Dropped int `json:"dropped,omitempty"`

	// Repeated is how many rows of the page had come on an earlier page already.
	Repeated int `json:"repeated,omitempty"`

	// RequestID and ClientRequestID identify the request of the page, as in RequestRemoteAssistanceResponse.
	RequestID       string `json:"requestId,omitempty"`
	ClientRequestID string `json:"clientRequestId,omitempty"`
}

func (r ListDevicesResponse) stored() (rows []ManagedDevice, next string) { return r.Value, r.NextLink }

// NewListDevicesPager lists a collection page by page. A page may be short or empty and still have a next one. The
// first NextPage returns an error if an argument cannot be used. If the service breaks a page off with an error, the
// page is read again as after a 429 or 503 if that error may pass; what remains is an error with the service's code,
// sentence and RetryAfter. After an error the pager has ended; continue with a new one and the NextLink of the last good
// page as ListDevicesOptions.ContinueFrom. While devices enroll, a device may come on several pages. The pager returns it
// once, and keeps the ids of all devices so far for that. After 100 pages in a row without a device that was not there
// before, the listing ends with an error, since it would not end by itself; all lists do so.
//
// Needs DeviceManagementManagedDevices.Read.All, delegated or application. Errors of NextPage: [ErrInvalidArgument],
// else [*Error].
//
// Source: https://learn.microsoft.com/graph/api/intune-devices-manageddevice-list (v1.0).
func (c *Client) NewListDevicesPager(in DeviceCollection, options *ListDevicesOptions) *runtime.Pager[ListDevicesResponse] {
	return c.deviceList(opListDevices, in, copyOptions(options)).pager(c)
}

// Devices yields every device of a collection, fetching pages as they are needed; empty pages are skipped. It stops at
// the first error, which it yields with a zero device after the devices read so far, including those of a page that
// broke off. A new loop starts from the beginning, or, with the NextLink that OnPage saw last as ContinueFrom, with the
// page that failed.
//
// Needs DeviceManagementManagedDevices.Read.All. Errors: [ErrInvalidArgument], else [*Error].
func (c *Client) Devices(ctx context.Context, in DeviceCollection, options *ListDevicesOptions) iter.Seq2[ManagedDevice, error] {
	o := copyOptions(options)
	return c.deviceList(opDevices, in, o).all(ctx, c, o.OnPage)
}

func copyOptions(options *ListDevicesOptions) (o ListDevicesOptions) {
	if options != nil {
		o = *options
		o.Select = slices.Clone(o.Select)
	}
	return o
}

func (c *Client) deviceList(op *operation, in DeviceCollection, o ListDevicesOptions) listing[ManagedDevice, ListDevicesResponse] {
	return listing[ManagedDevice, ListDevicesResponse]{
		op:    op,
		asked: graphpolicy.Asked{User: in.user()},
		from:  o.ContinueFrom,
		first: func() (url.URL, error) { return c.firstDevicePage(in, &o) },
		keep:  o.Filter.matches,
		id:    func(d *ManagedDevice) string { return d.ID },
		page: func(p page[ManagedDevice]) ListDevicesResponse {
			return ListDevicesResponse{
				Value: p.rows, NextLink: p.next, Dropped: p.dropped, Repeated: p.repeated,
				RequestID: p.RequestID, ClientRequestID: p.ClientRequestID,
			}
		},
	}
}

func (c *Client) firstDevicePage(in DeviceCollection, o *ListDevicesOptions) (target url.URL, err error) {
	if err := in.check(); err != nil {
		return target, err
	}
	filter, err := o.Filter.render()
	if err != nil {
		return target, err
	}
	selected := o.Select
	if len(selected) == 0 && in.form == formDetectedApp && filter != "" {
		// Devices below an app have few properties unless others are selected, and the check of the rows needs those of the
		// filter.
		selected = []string{"deviceName"}
	}
	if selected, err = selectProperties(selected, o.Filter.properties(), onlyByID); err != nil {
		return target, err
	}
	var query []string
	if filter != "" {
		query = append(query, "$filter="+odata.EscapeQuery(filter))
	}
	if len(selected) > 0 {
		query = append(query, "$select="+strings.Join(selected, ","))
	}
	return c.firstPage(in.path(), query, o.Top)
}

// onlyByID are the properties that a list leaves empty even if they are selected. The documentation says so of the
// first seven; the last one behaves like the link, as far as is known.
var onlyByID = []string{
	"activationLockBypassCode", "ethernetMacAddress", "iccid", "notes", "physicalMemoryInBytes", "remoteAssistanceSessionUrl", "udid",
	"remoteAssistanceSessionErrorDetails",
}

// deviceProperties are the names of the schema, as the model has them.
var deviceProperties = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	for field := range reflect.TypeFor[ManagedDevice]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names[name] = true
	}
	return names
})

// selectProperties checks the names of a $select and adds the id and the properties that are needed. An empty selection
// stays empty, because it means all.
func selectProperties(given, needed, refused []string) ([]string, error) {
	if len(given) == 0 {
		return nil, nil
	}
	selected := []string{"id"}
	for _, name := range slices.Concat(given, needed) {
		if !deviceProperties()[name] {
			return nil, invalidArgument("options.Select", "names "+strconv.Quote(redact.OneLine(name, 64))+
				", which is no property of a managed device; names are as in the schema, such as deviceName")
		}
		if slices.Contains(refused, name) {
			return nil, invalidArgument("options.Select", "names "+name+", which the service fills only in a read of one device; use GetDevice")
		}
		if !slices.Contains(selected, name) {
			selected = append(selected, name)
		}
	}
	return selected, nil
}
