package intune_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
)

// appNames ranges to the end and gives names with versions.
func appNames(tb testing.TB, client *intune.Client, options *intune.ListDetectedAppsOptions) (string, error) {
	tb.Helper()
	list, err := gather(tb, func(yield func(*string, error) bool) {
		for app, err := range client.DetectedApps(tb.Context(), options) {
			name := app.DisplayName + app.Version
			if !yield(&name, err) {
				return
			}
		}
	})
	return strings.Join(list, " "), err
}

func TestDetectedApps(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{PageSize: 2, ShortPages: true})
	one := tenant.AddDevice(intune.ManagedDevice{DeviceName: "A", SerialNumber: "S1"})
	two := tenant.AddDevice(intune.ManagedDevice{DeviceName: "B", SerialNumber: "S2"})
	vpn1 := intune.DetectedApp{
		ID: "vpn1", DisplayName: "VPN", Version: "1", SizeInByte: 1 << 40, Publisher: "P", Platform: intune.DetectedAppPlatformTypeWindows,
	}
	tenant.AddDetectedApp(vpn1, one, two)
	tenant.AddDetectedApp(intune.DetectedApp{ID: "vpn2", DisplayName: "VPN", Version: "2"}, two)
	tenant.AddDetectedApp(intune.DetectedApp{ID: "tv", DisplayName: "TeamViewer", Version: "15"})
	client := tenant.Client()
	for _, options := range []*intune.ListDetectedAppsOptions{nil, {}, {Top: 1}, {Top: 1000}} {
		if got, err := appNames(t, client, options); got != "VPN1 VPN2 TeamViewer15" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	}
	pages, err := allPages(t, client.NewListDetectedAppsPager(nil))
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) != 4 || len(pages[0].Value) != 0 {
		t.Fatalf("got %+v, want four pages, and no app on the first", pages)
	}
	vpn1.DeviceCount = 2
	if got := pages[1].Value[0]; got != vpn1 {
		t.Errorf("got %+v, want %+v", got, vpn1)
	}
	// The rows below an app are thin, whatever is selected. What they lack cannot be checked, so it matches nothing.
	in := &intune.FindDeviceOptions{In: intune.DetectedAppDevices("vpn1")}
	if device, err := client.FindDevice(t.Context(), intune.DeviceFilter{DeviceName: "B"}, in); err != nil || device.ID != two.DeviceID() {
		t.Errorf("got %v, %v", device, err)
	}
	device, err := client.FindDevice(t.Context(), intune.DeviceFilter{SerialNumber: "S2"}, in)
	if !errors.Is(err, intune.ErrNotFound) || device.ID != "" {
		t.Errorf("got %v, %v", device, err)
	}
}

func TestDetectedAppsAsk(t *testing.T) {
	t.Parallel()
	const next = graphLists + "detectedApps?$skiptoken=2"
	service := inTurn(pageOf(next, `{"id":"A","displayName":"a","@x":1}`, `{"id":"a","displayName":"again"}`),
		pageOf("", `{"id":"A","displayName":"again"}`, `{"ID":"b","displayname":"b","sizeInByte":"5","deviceCount":"7","platform":null}`))
	pages, err := allPages(t, newClient(t, service).NewListDetectedAppsPager(&intune.ListDetectedAppsOptions{Top: 3}))
	if err != nil || len(pages) != 2 {
		t.Fatalf("got %+v, %v", pages, err)
	}
	for i, want := range []intune.DetectedApp{
		{ID: "A", DisplayName: "a"},
		{ID: "b", DisplayName: "b", SizeInByte: 5, DeviceCount: 7},
	} {
		if page := pages[i]; !slices.Equal(page.Value, []intune.DetectedApp{want}) || page.Repeated != 1 {
			t.Errorf("page %d: got %+v, and %d repeated, want %+v and 1", i, page.Value, page.Repeated, want)
		}
	}
	service.saw(t, graphLists+"detectedApps?$top=3", next)
	for _, top := range []int32{-1, 1001} {
		service := inTurn(pageOf(""))
		got, err := appNames(t, newClient(t, service), &intune.ListDetectedAppsOptions{Top: top})
		if got != "" || !errors.Is(err, intune.ErrInvalidArgument) {
			t.Errorf("got %q, %v", got, err)
		}
		service.saw(t)
	}
}

func TestDetectedAppsStop(t *testing.T) {
	t.Parallel()
	endless := &listService{body: func(n int, _ string) string {
		x, y := strings.Repeat("x", n), strings.Repeat("y", n)
		return pageOf(graphLists+"detectedApps?$skiptoken="+x, `{"id":"`+x+`"}`, `{"id":"`+y+`"}`)
	}}
	apps := newClient(t, endless).DetectedApps(t.Context(), nil)
	for range 2 { // leaving early, and beginning anew
		n := 0
		for _, err := range apps {
			if n++; err != nil || n == 3 {
				break
			}
		}
		if n != 3 {
			t.Errorf("%d apps", n)
		}
	}
	address := graphLists + "detectedApps"
	endless.saw(t, address, address+"?$skiptoken=x", address, address+"?$skiptoken=xxx")

	broken := inTurn(pageOf(graphLists+"detectedApps?$skiptoken=2", `{"id":"1","displayName":"a"}`),
		`{"value":[{"id":"2","displayName":"b"},{"id":"3","disp`)
	if got, err := appNames(t, newClient(t, broken), nil); got != "a b" || asError(t, err).Op != "list detected apps" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := appNames(t, newClient(t, always(http.StatusOK, `{"error":{"code":"x"}}`)), nil); got != "" || asError(t, err) == nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// A list that broke off goes on from the last page that OnPage saw, so that no page is read twice.
func TestListDetectedAppsOptions_OnPageShowsWhereToContinue(t *testing.T) {
	t.Parallel()
	throttled := true
	var asked []string
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		asked = append(asked, req.URL.RawQuery)
		switch req.URL.RawQuery {
		case "":
			return answer(req, http.StatusOK, nil, pageOf(graphLists+"detectedApps?$skiptoken=2", `{"id":"1","displayName":"a"}`)), nil
		case "$skiptoken=2":
			return answer(req, http.StatusOK, nil, pageOf(graphLists+"detectedApps?$skiptoken=3", `{"id":"2","displayName":"b"}`, `{"id":"2","displayName":"b"}`)), nil
		}
		if throttled {
			return answer(req, http.StatusTooManyRequests, nil, ""), nil
		}
		return answer(req, http.StatusOK, nil, pageOf("", `{"id":"3","displayName":"c"}`)), nil
	}), noRetries)
	var pages []intune.ListDetectedAppsResponse
	options := &intune.ListDetectedAppsOptions{OnPage: func(page intune.ListDetectedAppsResponse) { pages = append(pages, page) }}
	before, err := appNames(t, client, options)
	if before != "a b" {
		t.Errorf("apps %q before the list broke off", before)
	}
	if !errors.Is(err, intune.ErrThrottled) {
		t.Errorf("got %v, want ErrThrottled", err)
	}
	if len(pages) != 2 {
		t.Fatalf("OnPage saw %+v, want the two pages that came", pages)
	}
	if n := pages[1].Repeated; n != 1 {
		t.Errorf("%d rows repeated on the second page, want 1", n)
	}
	throttled = false
	options.ContinueFrom = pages[1].NextLink
	rest, err := appNames(t, client, options)
	if rest != "c" {
		t.Errorf("apps %q afterwards", rest)
	}
	if err != nil {
		t.Error(err)
	}
	if last := pages[len(pages)-1]; last.NextLink != "" {
		t.Errorf("the last page that OnPage saw leads to %q", last.NextLink)
	}
	if want := []string{"", "$skiptoken=2", "$skiptoken=3", "$skiptoken=3"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
}

// A listing goes on elsewhere: from a next link, or from a page that was stored as JSON.
func TestListingsResume(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{PageSize: 2})
	for i, name := range []string{"A", "B", "it's", "D", "A"} {
		tenant.AddDevice(intune.ManagedDevice{ID: fmt.Sprint("id-", name, i), DeviceName: name, SerialNumber: "S"})
		tenant.AddDetectedApp(intune.DetectedApp{ID: "app-" + name, DisplayName: name})
	}
	client := tenant.Client()
	options := &intune.ListDevicesOptions{Filter: intune.DeviceFilter{SerialNumber: "S"}, Select: []string{"deviceName"}, Top: 2}
	first, err := client.NewListDevicesPager(intune.AllDevices(), options).NextPage(t.Context())
	if err != nil || len(first.Value) != 2 {
		t.Fatal(err)
	}
	from := *options
	from.ContinueFrom = first.NextLink
	got, err := ids(t, client.Devices(t.Context(), intune.AllDevices(), &from))
	if err != nil || got != "id-it's2 id-D3 id-A4" {
		t.Errorf("got %q, %v", got, err)
	}
	// The filter is checked still, whatever the link asks for.
	from.Filter = intune.DeviceFilter{DeviceName: "a"}
	if got, err := ids(t, client.Devices(t.Context(), intune.AllDevices(), &from)); err != nil || got != "id-A4" {
		t.Errorf("got %q, %v", got, err)
	}

	stored, err := json.Marshal(first)
	if err != nil || !strings.Contains(string(stored), `"@odata.nextLink"`) {
		t.Fatalf("%s, %v", stored, err)
	}
	restored := client.NewListDevicesPager(intune.AllDevices(), options)
	if err := json.Unmarshal(stored, restored); err != nil || !restored.More() {
		t.Fatal(err)
	}
	names := []string{}
	pages, err := allPages(t, restored)
	for _, page := range pages {
		for i := range page.Value {
			names = append(names, page.Value[i].DeviceName)
		}
	}
	// azcore gives the stored page first, from which a caller sees where it was.
	if err != nil || !slices.Equal(names, []string{"A", "B", "it's", "D", "A"}) {
		t.Errorf("got %q, %v", names, err)
	}

	apps, err := client.NewListDetectedAppsPager(nil).NextPage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := appNames(t, client, &intune.ListDetectedAppsOptions{ContinueFrom: apps.NextLink}); err != nil || got != "it's D" {
		t.Errorf("got %q, %v", got, err)
	}
}

// A stored page may come from anywhere. That its link is checked is a matter of TestStrangeLinksAreNotFollowed.
func TestHostileStoredPages(t *testing.T) {
	t.Parallel()
	for _, stored := range []string{
		`{`, `[]`, `"x"`, `5`, `{"value":{}}`, `{"value":[5]}`, `{"@odata.nextLink":{}}`, `{"@odata.nextLink":5}`, `{"dropped":"x"}`,
	} {
		service := inTurn(pageOf(""))
		pager := newClient(t, service).NewListDevicesPager(intune.AllDevices(), nil)
		if err := json.Unmarshal([]byte(stored), pager); err == nil {
			t.Errorf("%s is accepted", stored)
		}
		service.saw(t)
	}
	// A last page leads nowhere, and null is no page.
	for stored, asked := range map[string]int{`{}`: 0, `{"value":null}`: 0, `{"@odata.nextLink":""}`: 0, `null`: 1} {
		service := inTurn(pageOf(""))
		pager := newClient(t, service).NewListDevicesPager(intune.AllDevices(), nil)
		err := json.Unmarshal([]byte(stored), pager)
		_, pagesErr := allPages(t, pager)
		if err := errors.Join(err, pagesErr); err != nil {
			t.Errorf("%s: %v", stored, err)
		}
		if n := len(service.asked); n != asked {
			t.Errorf("%s: %d requests, want %d", stored, n, asked)
		}
	}
}

// What the pager was made with still counts after a page was restored, and so do the devices of that page.
func TestRestoredPagerKeepsItsArguments(t *testing.T) {
	t.Parallel()
	stored := []byte(`{"value":[{"id":"1"}],"@odata.nextLink":"` + graphLists + `managedDevices?$skiptoken=2"}`)
	zeros := intune.DeviceFilter{AzureADDeviceID: "00000000-0000-0000-0000-000000000000"}
	for name, list := range map[string]struct {
		in      intune.DeviceCollection
		options intune.ListDevicesOptions
	}{
		"filter":     {intune.AllDevices(), intune.ListDevicesOptions{Filter: zeros}},
		"select":     {intune.AllDevices(), intune.ListDevicesOptions{Select: []string{"notes"}}},
		"collection": {intune.DeviceCollection{}, intune.ListDevicesOptions{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := inTurn(pageOf("", `{"id":"2","azureADDeviceId":"00000000-0000-0000-0000-000000000000"}`))
			pager := newClient(t, service).NewListDevicesPager(list.in, &list.options)
			if err := json.Unmarshal(stored, pager); err != nil {
				t.Fatal(err)
			}
			if pages, err := allPages(t, pager); !errors.Is(err, intune.ErrInvalidArgument) || len(service.asked) != 0 {
				t.Errorf("%s: got %+v, %v after %q", name, pages, err, service.asked)
			}
		})
	}
	t.Run("repeated device", func(t *testing.T) {
		t.Parallel()
		service := inTurn(pageOf("", deviceRow("1", "A"), deviceRow("2", "B")))
		pager := newClient(t, service).NewListDevicesPager(intune.AllDevices(), nil)
		if err := json.Unmarshal(stored, pager); err != nil {
			t.Fatal(err)
		}
		pages, err := allPages(t, pager)
		if err != nil {
			t.Fatal(err)
		}
		if page := pages[1]; page.Repeated != 1 || len(page.Value) != 1 {
			t.Errorf("got %v, and %d repeated, want one of each", page.Value, page.Repeated)
		}
	})
}

func TestSpansOfReads(t *testing.T) {
	t.Parallel()
	collected := &graphtest.Spans{}
	apiNames := map[string]bool{}
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{PageSize: 1})
	tenant.AddDevice(intune.ManagedDevice{ID: "1", DeviceName: "secret-name-A"})
	tenant.AddDevice(intune.ManagedDevice{ID: "2", DeviceName: "secret-name-B"})
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		if name, ok := req.Context().Value(runtime.CtxAPINameKey{}).(string); ok {
			apiNames[name] = true
		}
		return tenant.Do(req)
	}), func(o *intune.ClientOptions) { o.TracingProvider = collected.Provider() })
	ctx := t.Context()
	check := func(want ...string) {
		t.Helper()
		if names := collected.Names(); !slices.Equal(names, want) {
			t.Errorf("spans %q, want %q", names, want)
		}
		for _, made := range collected.List {
			for key, value := range made.Attributes {
				if text := fmt.Sprint(value); strings.Contains(text, "secret-name") || strings.Contains(text, "skiptoken=Last") {
					t.Errorf("%s has %s = %s", made.Name, key, text)
				}
			}
		}
		collected.List = nil
	}
	_, _ = ids(t, client.Devices(ctx, intune.AllDevices(), nil))
	check("Client.Devices", "HTTP GET", "Client.Devices", "HTTP GET")
	_, _ = client.FindDevice(ctx, intune.DeviceFilter{DeviceName: "secret-name-A"}, nil)
	check("Client.FindDevice", "HTTP GET")
	_, _ = client.GetDevice(ctx, intune.Device("1"), nil)
	check("Client.GetDevice", "HTTP GET")
	for range client.DetectedApps(ctx, nil) {
		t.Error("an app")
	}
	check("Client.DetectedApps", "HTTP GET")
	_, _ = allPages(t, client.NewListDevicesPager(intune.AllDevices(), nil))
	check("Pager[ListDevicesResponse].NextPage", "HTTP GET", "Pager[ListDevicesResponse].NextPage", "HTTP GET")
	_, _ = allPages(t, client.NewListDetectedAppsPager(nil))
	check("Pager[ListDetectedAppsResponse].NextPage", "HTTP GET")
	_, err := client.GetDevice(ctx, intune.Device("3"), nil)
	checkKinds(t, err, intune.ErrNotFound)
	if failed := collected.List[0]; failed.Name != "Client.GetDevice" || failed.Code != tracing.SpanStatusError {
		t.Errorf("the span is %s and has the status %v", failed.Name, failed.Code)
	}
	for _, want := range []string{"Devices", "FindDevice", "GetDevice", "DetectedApps", "NewListDevicesPager", "NewListDetectedAppsPager"} {
		if !apiNames["Client."+want] && want != "FindDevice" {
			t.Errorf("no request of %s: %v", want, apiNames)
		}
	}
}

// Unlike the action, a read is repeated, on every page.
func TestReadsAreRetried(t *testing.T) {
	t.Parallel()
	const next = graphLists + "managedDevices?$skiptoken=2"
	fails := status(http.StatusInternalServerError)
	page := func(body string) func(*http.Request) (*http.Response, error) { return always(http.StatusOK, body) }
	service := newScript(fails, page(pageOf(next, deviceRow("1", "A"))), fails, broken(errRefused), page(pageOf("", deviceRow("2", "B"))))
	tried := func(want int32) {
		t.Helper()
		if n := service.calls.Load(); n != want {
			t.Errorf("%d requests, want %d", n, want)
		}
	}
	if got, err := ids(t, newClient(t, service).Devices(t.Context(), intune.AllDevices(), nil)); got != "1 2" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	tried(5)
	service = newScript(fails, fails, page(deviceRow("1", "A")))
	if device, err := newClient(t, service).GetDevice(t.Context(), intune.Device("1"), nil); err != nil || device.DeviceName != "A" {
		t.Errorf("got %v, %v", device, err)
	}
	tried(3)
	service = newScript(fails)
	thrice := func(o *intune.ClientOptions) { o.Retry = policy.RetryOptions{MaxRetries: 2, RetryDelay: 1} }
	got, err := ids(t, newClient(t, service, thrice).Devices(t.Context(), intune.AllDevices(), nil))
	checkKinds(t, err, intune.ErrServer)
	if e := asError(t, err); e.StatusCode != http.StatusInternalServerError || e.Op != "list devices" {
		t.Errorf("status %d, operation %q", e.StatusCode, e.Op)
	}
	if got != "" {
		t.Errorf("got %q", got)
	}
	tried(3)
}
