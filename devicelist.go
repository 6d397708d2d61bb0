package intune

import (
	"context"
	"iter"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/graphjson"
	"github.com/go-intune/intune/internal/redact"
)

// DeviceCollection is a collection of devices to list. Make one with [AllDevices], [UserDevices] or
// [DetectedAppDevices]; the zero value is refused with [ErrInvalidArgument].
type DeviceCollection struct {
	form addressForm
	key  Secret // user or detected app, as in DeviceRef
}

// AllDevices is /deviceManagement/managedDevices: every device of the tenant that the caller may see.
func AllDevices() DeviceCollection { return DeviceCollection{form: formDevice} }

// UserDevices is /users/{user}/managedDevices, where user is an Entra object id or a user principal name. Graph's
// reference no longer names it and publishes no permission for it; AllDevices with DeviceFilter.UserPrincipalName
// stays on documented ground. Prefer the object id to the name: azcore's own log of requests and its HTTP spans show the
// path.
func UserDevices(user string) DeviceCollection {
	return DeviceCollection{form: formUser, key: NewSecret(user)}
}

// DetectedAppDevices is /deviceManagement/detectedApps/{app}/managedDevices: the devices on which Intune found the
// app. They come with few of their properties; read each by its own id ([Client.GetDevice] with [ManagedDevice.Ref])
// for the others.
func DetectedAppDevices(app string) DeviceCollection {
	return DeviceCollection{form: formDetectedApp, key: NewSecret(app)}
}

// path is the escaped path of the collection, or why there is none.
func (in DeviceCollection) path() (string, error) {
	switch in.form {
	case formDevice:
		return "/deviceManagement/managedDevices", nil
	case formUser:
		return joinPath("", "/users", in.key.Reveal(), "/managedDevices"), checkKey("user", in.key.Reveal())
	case formDetectedApp:
		return joinPath("", "/deviceManagement/detectedApps", in.key.Reveal(), "/managedDevices"), checkKey("app", in.key.Reveal())
	default:
		return "", invalidArgument("in", "is the zero DeviceCollection; use intune.AllDevices, UserDevices or DetectedAppDevices")
	}
}

// ListDevicesOptions narrows a list of devices.
type ListDevicesOptions struct {
	// Filter picks devices. Each row is checked against it again.
	Filter DeviceFilter

	// Select names the properties to fill, as the schema spells them ("deviceName"); empty means all that a list has.
	// The id and what Filter compares are always added. A name that the schema does not have is an
	// ErrInvalidArgument, and so is one of the eight properties that the service fills only in a read of one device.
	Select []string

	// Top is the number of devices a page, 1 to 1000; zero leaves it to the service, whose default is 1000.
	Top int32

	// ContinueFrom, if not blank, is the NextLink of an earlier page, from which to go on. It is followed exactly as
	// given, and only to the client's own Graph root. Filter is still checked; Select and Top are those in the link.
	ContinueFrom string
}

// ListDevicesResponse is one page of devices. It reads and writes itself as JSON, so that a pager can be stored and
// go on elsewhere: azcore's pager, once it has read a stored page, gives that page once more and then goes on.
type ListDevicesResponse struct {
	// Value are the devices of the page that match the filter and did not come before. It may be empty though there
	// are more pages.
	Value []ManagedDevice `json:"value"`

	// NextLink leads to the next page; blank on the last. It holds names of devices: do not log it.
	NextLink string `json:"@odata.nextLink,omitempty"`

	// Dropped is how many rows of the page did not match the filter although the service sent them. More than none
	// means that the service ignored the filter.
	Dropped int `json:"dropped,omitempty"`

	// Repeated is how many rows of the page had come on an earlier page already.
	Repeated int `json:"repeated,omitempty"`
}

func (r ListDevicesResponse) nextLink() string { return r.NextLink }

// NewListDevicesPager lists a collection page by page. A page may be short or empty and still have a next one. What
// is wrong with the arguments is said by the first NextPage. After an error a pager is at its end; go on with
// ListDevicesOptions.ContinueFrom. Devices that come on several pages, as they may while others enroll, are given
// once; the ids of all devices so far are kept for that.
//
// Needs DeviceManagementManagedDevices.Read.All, delegated or application. Errors of NextPage: [ErrInvalidArgument],
// else [*Error].
//
// Source: https://learn.microsoft.com/graph/api/intune-devices-manageddevice-list (v1.0).
func (c *Client) NewListDevicesPager(in DeviceCollection, options *ListDevicesOptions) *runtime.Pager[ListDevicesResponse] {
	return newPager(c, c.deviceList(opListDevices, in, options))
}

// Devices yields every device of a collection, fetching pages as they are needed; empty pages are passed over. It
// stops at the first error, which comes with a zero device after the devices read so far, those of a page that broke
// off included. Ranging again begins anew.
//
// Needs DeviceManagementManagedDevices.Read.All. Errors: [ErrInvalidArgument], else [*Error].
func (c *Client) Devices(ctx context.Context, in DeviceCollection, options *ListDevicesOptions) iter.Seq2[ManagedDevice, error] {
	o := copyOptions(options)
	return func(yield func(ManagedDevice, error) bool) {
		for page, err := range pages(ctx, c, c.deviceList(opDevices, in, &o)) {
			for i := range page.Value {
				if !yield(page.Value[i], nil) {
					return
				}
			}
			if err != nil {
				yield(ManagedDevice{}, err)
				return
			}
		}
	}
}

func copyOptions(options *ListDevicesOptions) (o ListDevicesOptions) {
	if options != nil {
		o = *options
		o.Select = slices.Clone(o.Select)
	}
	return o
}

// deviceList describes the listing for a pager, with a state of its own.
func (c *Client) deviceList(op *operation, in DeviceCollection, options *ListDevicesOptions) list[ListDevicesResponse] {
	o := copyOptions(options)
	seen := idSet{}
	return list[ListDevicesResponse]{
		op:    op,
		first: func() (string, error) { return c.firstDevicePage(in, &o) },
		resume: func(page ListDevicesResponse) {
			for i := range page.Value {
				seen.add(page.Value[i].ID)
			}
		},
		decode: func(resp *http.Response) (ListDevicesResponse, error) {
			body, err := runtime.Payload(resp)
			if err != nil {
				return ListDevicesResponse{}, err
			}
			devices, next, err := graphjson.Page[ManagedDevice](body)
			page := ListDevicesResponse{NextLink: next}
			page.Value = slices.DeleteFunc(devices, func(d ManagedDevice) bool {
				switch {
				case !o.Filter.matches(&d):
					page.Dropped++
				case !seen.add(d.ID):
					page.Repeated++
				default:
					return false
				}
				return true
			})
			return page, err
		},
	}
}

func (c *Client) firstDevicePage(in DeviceCollection, o *ListDevicesOptions) (string, error) {
	path, err := in.path()
	if err != nil {
		return "", err
	}
	filter, err := o.Filter.render()
	if err != nil {
		return "", err
	}
	if err := c.checkPaging(o.Top, o.ContinueFrom); err != nil {
		return "", err
	}
	selected := o.Select
	if len(selected) == 0 && in.form == formDetectedApp && filter != "" {
		// Devices below an app come with few properties; without these, the rows could not be checked.
		selected = []string{"deviceName"}
	}
	if selected, err = selectProperties(selected, o.Filter.properties(), onlyByID); err != nil {
		return "", err
	}
	if o.ContinueFrom != "" {
		return o.ContinueFrom, nil
	}
	var query []string
	if filter != "" {
		query = append(query, "$filter="+escapeQuery(filter))
	}
	if len(selected) > 0 {
		query = append(query, "$select="+strings.Join(selected, ","))
	}
	if o.Top > 0 {
		query = append(query, "$top="+strconv.Itoa(int(o.Top)))
	}
	return joinQuery(c.base+path, query), nil
}

// joinQuery puts query options behind a URL. Their names begin with a bare dollar sign, which the service does not
// decode.
func joinQuery(url string, options []string) string {
	if len(options) == 0 {
		return url
	}
	return url + "?" + strings.Join(options, "&")
}

// onlyByID are the properties that a list leaves empty, whatever it is asked for. The documentation says so of the
// first seven; the last goes with the link.
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

// selectProperties checks the names of a $select and adds the id and what else is needed. An empty selection stays
// empty: it means all.
func selectProperties(given, needed, refused []string) ([]string, error) {
	if len(given) == 0 {
		return nil, nil
	}
	selected := []string{"id"}
	for _, name := range slices.Concat(given, needed) {
		if !deviceProperties()[name] {
			return nil, invalidArgument("options.Select", "names "+strconv.Quote(redact.OneLine(name, 64))+", which is no property of a managed device; "+
				"names are as in the schema, such as deviceName")
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

// idSet is a set of ids, compact for the GUIDs that device ids are.
type idSet struct {
	guids  map[[16]byte]struct{}
	others map[string]struct{}
}

// add reports whether the id is new. A blank id is always: nothing tells two of them apart.
func (s *idSet) add(id string) bool {
	if id == "" {
		return true
	}
	if guid, ok := parseGUID(id); ok {
		if s.guids == nil {
			s.guids = map[[16]byte]struct{}{}
		}
		before := len(s.guids)
		s.guids[guid] = struct{}{}
		return len(s.guids) > before
	}
	if s.others == nil {
		s.others = map[string]struct{}{}
	}
	before := len(s.others)
	s.others[strings.ToLower(id)] = struct{}{}
	return len(s.others) > before
}

// parseGUID reads the form 8-4-4-4-12 in either case.
func parseGUID(text string) (guid [16]byte, ok bool) {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return guid, false
	}
	digits := 0
	for i := range len(text) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			continue
		}
		c := text[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return guid, false
		}
		guid[digits/2] = guid[digits/2]<<4 | c
		digits++
	}
	return guid, true
}
