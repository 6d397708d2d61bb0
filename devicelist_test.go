package intune_test

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune"
)

// graphLists is where lists of devices begin.
const graphLists = "https://graph.microsoft.com/v1.0/deviceManagement/"

// listService answers what it is asked for with 200 and a body, and keeps the addresses as they would go out.
type listService struct {
	body func(n int, asked string) string // n counts from 1

	mu    sync.Mutex
	asked []string
}

func (s *listService) Do(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	address := req.URL.Scheme + "://" + req.URL.Host + req.URL.RequestURI()
	if req.URL.User != nil {
		address = "with a user: " + address
	}
	s.asked = append(s.asked, address)
	return answer(req, http.StatusOK, http.Header{"Content-Type": {"application/json"}}, s.body(len(s.asked), address)), nil
}

// saw checks the addresses that were asked for.
func (s *listService) saw(tb testing.TB, want ...string) {
	tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.asked, want) {
		tb.Errorf("asked\n%s\nwant\n%s", strings.Join(s.asked, "\n"), strings.Join(want, "\n"))
	}
}

// inTurn answers with the bodies in turn, and then with the last again.
func inTurn(bodies ...string) *listService {
	return &listService{body: func(n int, _ string) string { return bodies[min(n, len(bodies))-1] }}
}

// pageOf is a page of rows; a blank next is the last one.
func pageOf(next string, rows ...string) string {
	link := ""
	if next != "" {
		link = `"@odata.nextLink":` + quote(next) + ","
	}
	return "{" + link + `"value":[` + strings.Join(rows, ",") + "]}"
}

func deviceRow(id, name string) string {
	return `{"id":` + quote(id) + `,"deviceName":` + quote(name) + `}`
}

// gather ranges to the end. An iterator gives one error at most, as the last thing and with a zero value.
func gather[T comparable](tb testing.TB, seq iter.Seq2[*T, error]) (list []T, err error) {
	tb.Helper()
	for item, failed := range seq {
		switch {
		case err != nil:
			tb.Fatalf("the iterator goes on after %v", err)
		case failed == nil:
			list = append(list, *item)
		default:
			var zero T
			if err = failed; *item != zero {
				tb.Errorf("a value comes with the error: %v", item)
			}
		}
	}
	return list, err
}

// ids ranges to the end and gives the ids.
func ids(tb testing.TB, devices iter.Seq2[intune.ManagedDevice, error]) (string, error) {
	tb.Helper()
	list, err := gather(tb, func(yield func(*string, error) bool) {
		for d, err := range devices {
			if !yield(&d.ID, err) {
				return
			}
		}
	})
	return strings.Join(list, " "), err
}

// allPages fetches to the end or the first error.
func allPages[P any](tb testing.TB, pager *runtime.Pager[P]) (pages []P, err error) {
	tb.Helper()
	for pager.More() {
		page, err := pager.NextPage(tb.Context())
		if err != nil {
			return pages, err
		}
		pages = append(pages, page)
	}
	return pages, nil
}

// C§3.1 to 3.3. Each collection both ways.
func TestWireOfLists(t *testing.T) {
	t.Parallel()
	named := intune.DeviceFilter{DeviceName: "it's 100% +1"}
	const name = "$filter=deviceName%20eq%20%27it%27%27s%20100%25%20%2B1%27"
	for label, c := range map[string]struct {
		in      intune.DeviceCollection
		options *intune.ListDevicesOptions
		want    string
	}{
		"all":               {intune.AllDevices(), nil, "deviceManagement/managedDevices"},
		"zero options":      {intune.AllDevices(), &intune.ListDevicesOptions{}, "deviceManagement/managedDevices"},
		"user":              {intune.UserDevices("anna+x_contoso.com#EXT#@contoso.com"), nil, "users/anna+x_contoso.com%23EXT%23@contoso.com/managedDevices"},
		"app":               {intune.DetectedAppDevices("ab/c"), nil, ""},
		"app, unfiltered":   {intune.DetectedAppDevices("abc"), nil, "deviceManagement/detectedApps/abc/managedDevices"},
		"select":            {intune.AllDevices(), &intune.ListDevicesOptions{Select: []string{"deviceName", "deviceName", "userId"}}, "deviceManagement/managedDevices?$select=id,deviceName,userId"},
		"select the id":     {intune.AllDevices(), &intune.ListDevicesOptions{Select: []string{"id"}}, "deviceManagement/managedDevices?$select=id"},
		"top":               {intune.AllDevices(), &intune.ListDevicesOptions{Top: 1000}, "deviceManagement/managedDevices?$top=1000"},
		"least top":         {intune.AllDevices(), &intune.ListDevicesOptions{Top: 1}, "deviceManagement/managedDevices?$top=1"},
		"filter":            {intune.AllDevices(), &intune.ListDevicesOptions{Filter: named}, "deviceManagement/managedDevices?" + name},
		"filter and select": {intune.AllDevices(), &intune.ListDevicesOptions{Filter: named, Select: []string{"model"}, Top: 5}, "deviceManagement/managedDevices?" + name + "&$select=id,model,deviceName&$top=5"},
		"user's, filtered":  {intune.UserDevices("u1"), &intune.ListDevicesOptions{Filter: named}, "users/u1/managedDevices?" + name},
		"app's, filtered":   {intune.DetectedAppDevices("abc"), &intune.ListDevicesOptions{Filter: intune.DeviceFilter{SerialNumber: "5"}}, "deviceManagement/detectedApps/abc/managedDevices?$filter=serialNumber%20eq%20%275%27&$select=id,deviceName,serialNumber"},
		"app's, selected":   {intune.DetectedAppDevices("abc"), &intune.ListDevicesOptions{Filter: intune.DeviceFilter{SerialNumber: "5"}, Select: []string{"model"}}, "deviceManagement/detectedApps/abc/managedDevices?$filter=serialNumber%20eq%20%275%27&$select=id,model,serialNumber"},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			service := inTurn(pageOf(""))
			client := newClient(t, service)
			got, err := ids(t, client.Devices(t.Context(), c.in, c.options))
			_, pagerErr := allPages(t, client.NewListDevicesPager(c.in, c.options))
			if c.want == "" {
				if !errors.Is(err, intune.ErrInvalidArgument) || !errors.Is(pagerErr, intune.ErrInvalidArgument) {
					t.Errorf("got %v, %v", err, pagerErr)
				}
				service.saw(t)
				return
			}
			if err != nil || pagerErr != nil || got != "" {
				t.Errorf("got %q, %v, %v", got, err, pagerErr)
			}
			address := "https://graph.microsoft.com/v1.0/" + c.want
			service.saw(t, address, address)
		})
	}
}

// What is wrong with the arguments is said before anything is sent, by the iterator, the pager and FindDevice alike.
func TestListArgumentsAreChecked(t *testing.T) {
	t.Parallel()
	onlyByID := func(name string) (intune.ListDevicesOptions, string) {
		return intune.ListDevicesOptions{Select: []string{"deviceName", name}}, name + ", which the service fills only in a read of one device; use GetDevice"
	}
	type refusal struct {
		in      intune.DeviceCollection
		options intune.ListDevicesOptions
		says    string
	}
	cases := map[string]refusal{
		"zero collection":    {intune.DeviceCollection{}, intune.ListDevicesOptions{}, "zero DeviceCollection"},
		"blank user":         {intune.UserDevices(" "), intune.ListDevicesOptions{}, "user"},
		"user with a slash":  {intune.UserDevices("a/b"), intune.ListDevicesOptions{}, "user"},
		"dot segment":        {intune.DetectedAppDevices(".."), intune.ListDevicesOptions{}, "app"},
		"blank app":          {intune.DetectedAppDevices(""), intune.ListDevicesOptions{}, "app"},
		"negative top":       {intune.AllDevices(), intune.ListDevicesOptions{Top: -1}, "options.Top must be 1 to 1000"},
		"large top":          {intune.AllDevices(), intune.ListDevicesOptions{Top: 1001}, "options.Top must be 1 to 1000"},
		"unknown property":   {intune.AllDevices(), intune.ListDevicesOptions{Select: []string{"hostName"}}, `"hostName", which is no property`},
		"Go name":            {intune.AllDevices(), intune.ListDevicesOptions{Select: []string{"DeviceName"}}, `"DeviceName", which is no property`},
		"blank name":         {intune.AllDevices(), intune.ListDevicesOptions{Select: []string{""}}, "which is no property"},
		"two names in one":   {intune.AllDevices(), intune.ListDevicesOptions{Select: []string{"id,deviceName"}}, "which is no property"},
		"an option smuggled": {intune.AllDevices(), intune.ListDevicesOptions{Select: []string{"id&$top=1"}}, "which is no property"},
		"star":               {intune.AllDevices(), intune.ListDevicesOptions{Select: []string{"*"}}, "which is no property"},
		"bad filter":         {intune.AllDevices(), intune.ListDevicesOptions{Filter: intune.DeviceFilter{DeviceName: " "}}, "filter.DeviceName is blank"},
		"bad link":           {intune.AllDevices(), intune.ListDevicesOptions{ContinueFrom: "https://elsewhere.example/v1.0/x?secret"}, "options.ContinueFrom"},
		"link and select":    {intune.AllDevices(), intune.ListDevicesOptions{ContinueFrom: graphLists + "managedDevices", Select: []string{"hostName"}}, "which is no property"},
		"link and filter":    {intune.AllDevices(), intune.ListDevicesOptions{ContinueFrom: graphLists + "managedDevices", Filter: intune.DeviceFilter{IMEI: "000"}}, "filter.IMEI is all zeros"},
	}
	// C§2.1: the documentation says it of the first seven, and nobody has seen the last in a list.
	for _, name := range []string{
		"activationLockBypassCode", "ethernetMacAddress", "iccid", "notes", "physicalMemoryInBytes", "remoteAssistanceSessionUrl", "udid",
		"remoteAssistanceSessionErrorDetails",
	} {
		options, says := onlyByID(name)
		cases[name] = refusal{intune.AllDevices(), options, says}
		cases[name+" of an app's"] = refusal{intune.DetectedAppDevices("abc"), options, says}
	}
	for label, c := range cases {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			service := inTurn(pageOf("", deviceRow("1", "A")))
			client := newClient(t, service)
			check := func(got string, err error) {
				t.Helper()
				if got != "" || !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "secret") {
					t.Errorf("got %q, %v; want %q", got, err, c.says)
				}
			}
			check(ids(t, client.Devices(t.Context(), c.in, &c.options)))
			pages, err := allPages(t, client.NewListDevicesPager(c.in, &c.options))
			check(strings.Repeat("page", len(pages)), err)
			if c.in != (intune.DeviceCollection{}) && c.options.Top == 0 && c.options.ContinueFrom == "" {
				filter := intune.DeviceFilter{Model: "M"}
				if !c.options.Filter.IsZero() {
					filter = c.options.Filter
				}
				found, err := client.FindDevice(t.Context(), filter, &intune.FindDeviceOptions{In: c.in, Select: c.options.Select})
				check(found.ID, err)
			}
			service.saw(t)
		})
	}
}

func TestNilContextOfReads(t *testing.T) {
	t.Parallel()
	service := inTurn(pageOf("", deviceRow("1", "A")))
	for _, client := range []*intune.Client{newClient(t, service), newClient(t, service, func(o *intune.ClientOptions) { o.TracingProvider = (&spans{}).provider() })} {
		var none context.Context
		_, get := client.GetDevice(none, intune.Device("1"), nil)
		_, find := client.FindDevice(none, intune.DeviceFilter{DeviceName: "A"}, nil)
		_, devices := ids(t, client.Devices(none, intune.AllDevices(), nil))
		apps := errors.New("nothing was yielded")
		for _, err := range client.DetectedApps(none, nil) {
			apps = err
		}
		for name, err := range map[string]error{"GetDevice": get, "FindDevice": find, "Devices": devices, "DetectedApps": apps} {
			if !errors.Is(err, intune.ErrInvalidArgument) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	_, err := newClient(t, service).NewListDevicesPager(intune.AllDevices(), nil).NextPage(nil) //nolint:staticcheck // nil is the point
	_, appsErr := newClient(t, service).NewListDetectedAppsPager(nil).NextPage(nil)             //nolint:staticcheck // nil is the point
	if !errors.Is(err, intune.ErrInvalidArgument) || !errors.Is(appsErr, intune.ErrInvalidArgument) {
		t.Errorf("pagers: %v, %v", err, appsErr)
	}
	service.saw(t)
}

// What the caller does with the options later changes nothing.
func TestListOptionsAreCopied(t *testing.T) {
	t.Parallel()
	service := inTurn(pageOf("", deviceRow("1", "A"), deviceRow("2", "B")))
	client := newClient(t, service)
	options := intune.ListDevicesOptions{Filter: intune.DeviceFilter{DeviceName: "A"}, Select: []string{"model"}, Top: 7}
	apps := intune.ListDetectedAppsOptions{Top: 7}
	devices, pager := client.Devices(t.Context(), intune.AllDevices(), &options), client.NewListDevicesPager(intune.AllDevices(), &options)
	found, appPager := client.DetectedApps(t.Context(), &apps), client.NewListDetectedAppsPager(&apps)
	options.Filter.DeviceName, options.Select[0], options.Top, apps.Top = "B", "hostName", -1, -1
	got, err := ids(t, devices)
	page, pagerErr := pager.NextPage(t.Context())
	if err != nil || pagerErr != nil || got != "1" || len(page.Value) != 1 || page.Value[0].ID != "1" {
		t.Errorf("got %q, %v, %v, %v", got, page, err, pagerErr)
	}
	for _, err := range found {
		if err != nil {
			t.Error(err)
		}
	}
	if _, err := appPager.NextPage(t.Context()); err != nil {
		t.Error(err)
	}
	address, appsAddress := graphLists+"managedDevices?$filter=deviceName%20eq%20%27A%27&$select=id,model,deviceName&$top=7", graphLists+"detectedApps?$top=7"
	service.saw(t, address, address, appsAddress, appsAddress)
}
