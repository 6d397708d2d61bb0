package intune_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-intune/intune"
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

func TestDetectedApps_AppsAndTheirDevices(t *testing.T) {
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

func TestNewListDetectedAppsPager_OnTheWire(t *testing.T) {
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

func TestDetectedApps_Stop(t *testing.T) {
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
			const row = `{"id":"2","displayName":"b"}`
			return answer(req, http.StatusOK, nil, pageOf(graphLists+"detectedApps?$skiptoken=3", row, row)), nil
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
