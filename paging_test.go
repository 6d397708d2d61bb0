package intune_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
)

// A skip token as the service makes them (C§3.2), with what parsing and encoding would change.
const awkwardQuery = "z=1&$skiptoken=LastDeviceName%3d%27secret%2bPC%27,+LastDeviceId%3D%27x%27,+MS41/==" +
	"&a=%zz'\"~!*();:@?/|&$top=2&%24x=%20+"

// Byte for byte over a real connection: nothing sorts, decodes or encodes the link.
func TestNewListDevicesPager_NextLinkIsFollowedVerbatim(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"/v1.0/deviceManagement/managedDevices", "/v1.0/deviceManagement/managedDevices('%27')/x%2Fy;v=1",
		"/v1.0/DEVICEMANAGEMENT//manageddevices/",
	} {
		var asked []string
		var link string
		server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.RequestURI)
			if r.Header.Get("Authorization") != "Bearer opaque-token" {
				t.Errorf("no token at %s", r.RequestURI)
			}
			next := ""
			if len(asked)%2 == 1 {
				next = link
			}
			_, _ = io.WriteString(w, pageOf(next))
		}, false)
		link = server.URL + path + "?" + awkwardQuery
		client := newServerClient(t, server)
		_, err := allPages(t, client.NewListDevicesPager(intune.AllDevices(), nil))
		_, devicesErr := ids(t, client.Devices(t.Context(), intune.AllDevices(), nil))
		_, appsErr := allPages(t, client.NewListDetectedAppsPager(nil))
		_, fromErr := allPages(t, client.NewListDevicesPager(intune.AllDevices(), &intune.ListDevicesOptions{ContinueFrom: link}))
		if err := errors.Join(err, devicesErr, appsErr); err != nil {
			t.Fatal(err)
		}
		if fromErr == nil || !strings.Contains(fromErr.Error(), "followed before") {
			t.Errorf("got %v", fromErr) // the service sends the link again
		}
		first, next := "/v1.0/deviceManagement/managedDevices", path+"?"+awkwardQuery
		if want := []string{first, next, first, next, "/v1.0/deviceManagement/detectedApps", next, next}; !slices.Equal(asked, want) {
			t.Errorf("asked\n%s\nwant\n%s", strings.Join(asked, "\n"), strings.Join(want, "\n"))
		}
	}
}

// strangeLinks lead elsewhere, or are not what a client may follow. Each holds the text secret.
var strangeLinks = map[string]string{
	"other host":           "https://elsewhere.example/v1.0/deviceManagement/managedDevices?$skiptoken=secret",
	"other Graph":          "https://graph.microsoft.us/v1.0/deviceManagement/managedDevices?$skiptoken=secret",
	"host below":           "https://graph.microsoft.com.elsewhere.example/v1.0/deviceManagement/managedDevices?secret",
	"host above":           "https://x.graph.microsoft.com/v1.0/deviceManagement/managedDevices?secret",
	"dot behind the host":  "https://graph.microsoft.com./v1.0/deviceManagement/managedDevices?secret",
	"http":                 "http://graph.microsoft.com/v1.0/deviceManagement/managedDevices?$skiptoken=secret",
	"http at 443":          "http://graph.microsoft.com:443/v1.0/deviceManagement/managedDevices?$skiptoken=secret",
	"other port":           "https://graph.microsoft.com:8443/v1.0/deviceManagement/managedDevices?secret",
	"port 80":              "https://graph.microsoft.com:80/v1.0/deviceManagement/managedDevices?secret",
	"user":                 "https://secret@graph.microsoft.com/v1.0/deviceManagement/managedDevices",
	"user and password":    "https://secret:x@graph.microsoft.com/v1.0/deviceManagement/managedDevices",
	"blank user":           "https://@graph.microsoft.com/v1.0/deviceManagement/managedDevices?secret",
	"host as the user":     "https://graph.microsoft.com:x@elsewhere.example/v1.0/deviceManagement/managedDevices?secret",
	"backslash":            `https://elsewhere.example\@graph.microsoft.com/v1.0/deviceManagement/managedDevices?secret`,
	"beta":                 "https://graph.microsoft.com/beta/deviceManagement/managedDevices?$skiptoken=secret",
	"other version":        "https://graph.microsoft.com/v1.01/deviceManagement/managedDevices?secret",
	"no version":           "https://graph.microsoft.com/deviceManagement/managedDevices?secret",
	"version only":         "https://graph.microsoft.com/v1.0?secret",
	"dot segments":         "https://graph.microsoft.com/v1.0/../beta/deviceManagement/managedDevices?secret",
	"trailing dots":        "https://graph.microsoft.com/v1.0/..?secret",
	"single dot":           "https://graph.microsoft.com/v1.0/./deviceManagement?secret",
	"escaped dots":         "https://graph.microsoft.com/v1.0/%2e%2E/beta/deviceManagement/managedDevices?secret",
	"escaped dots, slash":  "https://graph.microsoft.com/v1.0/x%2f..%2F..%2fbeta?secret",
	"escaped version":      "https://graph.microsoft.com/v1%2e0%2fdeviceManagement?secret",
	"fragment":             "https://graph.microsoft.com/v1.0/deviceManagement/managedDevices#secret",
	"query and fragment":   "https://graph.microsoft.com/v1.0/deviceManagement/managedDevices?a=1#secret",
	"relative":             "/v1.0/deviceManagement/managedDevices?$skiptoken=secret",
	"without a scheme":     "//graph.microsoft.com/v1.0/deviceManagement/managedDevices?secret",
	"query only":           "?$skiptoken=secret",
	"opaque":               "https:graph.microsoft.com/v1.0/deviceManagement/managedDevices?secret",
	"no host":              "https:///v1.0/deviceManagement/managedDevices?secret",
	"file":                 "file:///v1.0/secret",
	"script":               "javascript:secret",
	"space":                "https://graph.microsoft.com/v1.0/deviceManagement/managedDevices?a= secret",
	"line end":             "https://graph.microsoft.com/v1.0/deviceManagement/managedDevices?a=\r\nX-Secret:secret",
	"NUL":                  "https://graph.microsoft.com/v1.0/deviceManagement/managedDevices?\x00secret",
	"not ASCII":            "https://graph.microsoft.com/v1.0/deviceManagement/managedDevices?ä=secret",
	"bad escape":           "https://graph.microsoft.com/v1.0/%zz/secret",
	"bad port":             "https://graph.microsoft.com:secret/v1.0/deviceManagement/managedDevices",
	"blank":                " secret",
	"host with an escape":  "https://graph.microsoft%2ecom/v1.0/deviceManagement/managedDevices?secret",
	"host in another form": "https://graph。microsoft。com/v1.0/deviceManagement/managedDevices?secret",
}

// noSecret fails when an error, in any form, holds what the link held.
func noSecret(tb testing.TB, err error) {
	tb.Helper()
	if text := graphtest.Renderings(err); strings.Contains(text, "secret") || strings.Contains(text, "elsewhere") {
		tb.Errorf("the error quotes the link: %s", text)
	}
	checkText(tb, err)
}

// A link that leads elsewhere is not followed, from wherever it comes, and nothing of what was read is lost.
func TestNewListDevicesPager_StrangeLinksAreNotFollowed(t *testing.T) {
	t.Parallel()
	for name, link := range strangeLinks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := inTurn(pageOf(link, deviceRow("1", "A")))
			client := newClient(t, service)
			got, err := ids(t, client.Devices(t.Context(), intune.AllDevices(), nil))
			if got != "1" {
				t.Errorf("got %q", got)
			}
			if e := asError(t, err); e.StatusCode != 0 || e.Op != "list devices" {
				t.Errorf("status %d, operation %q", e.StatusCode, e.Op)
			}
			checkSays(t, err, "next link")
			noSecret(t, err)
			pager := client.NewListDevicesPager(intune.AllDevices(), nil)
			pages, err := allPages(t, pager)
			if len(pages) != 1 || err == nil {
				t.Errorf("got %v, %v", pages, err)
			}
			if _, err := pager.NextPage(t.Context()); err == nil || pager.More() {
				t.Errorf("the pager goes on: %v, and it has more: %v", err, pager.More())
			}
			noSecret(t, err)
			apps, err := allPages(t, client.NewListDetectedAppsPager(nil))
			if len(apps) != 1 || err == nil {
				t.Errorf("got %v, %v", apps, err)
			}
			noSecret(t, err)
			_, err = client.FindDevice(t.Context(), intune.DeviceFilter{DeviceName: "A"}, nil)
			if asError(t, err).Op != "find device" {
				t.Error(err)
			}
			noSecret(t, err)
			sent := len(service.asked)

			// From the caller, and from a page that was stored.
			_, err = ids(t, client.Devices(t.Context(), intune.AllDevices(), &intune.ListDevicesOptions{ContinueFrom: link}))
			_, appsErr := client.NewListDetectedAppsPager(&intune.ListDetectedAppsOptions{ContinueFrom: link}).NextPage(t.Context())
			for _, err := range []error{err, appsErr} {
				if !errors.Is(err, intune.ErrInvalidArgument) {
					t.Error(err)
				}
				noSecret(t, err)
			}
			stored, err := json.Marshal(intune.ListDevicesResponse{NextLink: link})
			if err != nil {
				t.Fatal(err)
			}
			restored, restoredApps := client.NewListDevicesPager(intune.AllDevices(), nil), client.NewListDetectedAppsPager(nil)
			if err := errors.Join(json.Unmarshal(stored, restored), json.Unmarshal(stored, restoredApps)); err != nil {
				t.Fatal(err)
			}
			_, err = allPages(t, restored)
			_, appsErr = allPages(t, restoredApps)
			for _, err := range []error{err, appsErr} {
				asError(t, err)
				noSecret(t, err)
			}
			if len(service.asked) != sent || sent != 4 {
				t.Errorf("%d requests, then %d", sent, len(service.asked))
			}
		})
	}
}

// The same host may be spelt otherwise.
func TestDevices_EqualHostsAreFollowed(t *testing.T) {
	t.Parallel()
	for _, root := range []string{"https://GRAPH.Microsoft.com", "HTTPS://graph.microsoft.com", "https://graph.microsoft.com:443"} {
		first := pageOf(root+"/v1.0/deviceManagement/managedDevices?$skiptoken=2", deviceRow("1", "A"))
		service := inTurn(first, pageOf("", deviceRow("2", "B")))
		if got, err := ids(t, newClient(t, service).Devices(t.Context(), intune.AllDevices(), nil)); got != "1 2" || err != nil {
			t.Errorf("%s: got %q, %v", root, got, err)
		}
	}
}

func TestDevices_LoopsOfLinksEnd(t *testing.T) {
	t.Parallel()
	const first = graphLists + "managedDevices"
	const a, b = first + "?$skiptoken=secret-a", first + "?$skiptoken=secret-b"
	for name, c := range map[string]struct {
		leads map[string]string
		want  int // requests
	}{
		"A to A":              {map[string]string{first: a, a: a}, 2},
		"A to B to A":         {map[string]string{first: a, a: b, b: a}, 3},
		"back to the start":   {map[string]string{first: a, a: first}, 2},
		"the start to itself": {map[string]string{first: first}, 1},
	} {
		service := &listService{body: func(_ int, asked string) string { return pageOf(c.leads[asked], deviceRow(asked, "A")) }}
		client := newClient(t, service)
		list, err := gather(t, func(yield func(*string, error) bool) {
			for d, err := range client.Devices(t.Context(), intune.AllDevices(), nil) {
				if !yield(&d.ID, err) {
					return
				}
			}
		})
		pages, pagerErr := allPages(t, client.NewListDevicesPager(intune.AllDevices(), nil))
		if got, want := [...]int{len(list), len(pages), len(service.asked)}, [...]int{c.want, c.want, 2 * c.want}; got != want {
			t.Errorf("%s: devices, pages and requests are %v, want %v", name, got, want)
		}
		for _, err := range []error{err, pagerErr} {
			if asError(t, err).Op != "list devices" || !strings.Contains(err.Error(), "followed before") {
				t.Errorf("%s: %v", name, err)
			}
			noSecret(t, err)
		}
	}
}

// endless gives each page a new link to a next one. rows are those of the nth page.
func endless(rows func(n int) []string) *listService {
	return &listService{body: func(n int, asked string) string {
		link, _, _ := strings.Cut(asked, "?")
		return pageOf(link+"?$skiptoken=secret-"+strconv.Itoa(n), rows(n)...)
	}}
}

// lists are the methods that read a list to its end.
var lists = map[string]func(*testing.T, *intune.Client) error{
	"Devices": func(t *testing.T, c *intune.Client) error {
		return exhaust(c.Devices(t.Context(), intune.AllDevices(), &intune.ListDevicesOptions{Filter: intune.DeviceFilter{DeviceName: "A"}}))
	},
	"NewListDevicesPager": func(t *testing.T, c *intune.Client) error {
		options := &intune.ListDevicesOptions{Filter: intune.DeviceFilter{DeviceName: "A"}}
		_, err := allPages(t, c.NewListDevicesPager(intune.UserDevices("anna"), options))
		return err
	},
	"DetectedApps": func(t *testing.T, c *intune.Client) error { return exhaust(c.DetectedApps(t.Context(), nil)) },
	"NewListDetectedAppsPager": func(t *testing.T, c *intune.Client) error {
		_, err := allPages(t, c.NewListDetectedAppsPager(nil))
		return err
	},
	"NewListRemoteAssistancePartnersPager": func(t *testing.T, c *intune.Client) error {
		_, err := allPages(t, c.NewListRemoteAssistancePartnersPager(nil))
		return err
	},
	"RemoteAssistanceConnector": func(t *testing.T, c *intune.Client) error {
		_, err := c.RemoteAssistanceConnector(t.Context(), nil)
		return err
	},
	"AuditEvents": func(t *testing.T, c *intune.Client) error {
		return exhaust(c.AuditEvents(t.Context(), &intune.ListAuditEventsOptions{Filter: intune.AuditFilter{ActivityType: "A"}}))
	},
	"NewListAuditEventsPager": func(t *testing.T, c *intune.Client) error {
		options := &intune.ListAuditEventsOptions{Filter: intune.AuditFilter{ActivityType: "A"}}
		_, err := allPages(t, c.NewListAuditEventsPager(options))
		return err
	},
}

func exhaust[T any](rows iter.Seq2[T, error]) error {
	for _, err := range rows {
		if err != nil {
			return err
		}
	}
	return nil
}

// anyRow is a row of any list, which matches the filters of lists.
func anyRow(id string) string {
	return `{"id":` + quote(id) + `,"deviceName":"A","activityType":"A","displayName":"A"}`
}

// A service may give new links for ever. A hundred pages without a row that was not there before end the listing.
func TestClient_ListsThatGetNoFurtherEnd(t *testing.T) {
	t.Parallel()
	other := func(id string) string {
		return `{"id":` + quote(id) + `,"deviceName":"B","activityType":"B","displayName":"B"}`
	}
	for name, c := range map[string]struct {
		rows func(n int) []string
		want int // pages
	}{
		"no rows":            {func(int) []string { return nil }, 100},
		"one row":            {func(int) []string { return []string{anyRow("1")} }, 101},
		"rows in turn":       {func(n int) []string { return []string{anyRow(strconv.Itoa(n % 3)), anyRow("4")} }, 103},
		"rows without an id": {func(int) []string { return []string{anyRow(""), `{}`} }, 101},
		"other rows":         {func(n int) []string { return []string{other(strconv.Itoa(n % 2))} }, 102},
		"other rows, no id":  {func(int) []string { return []string{other("")} }, 101},
		"after new rows":     {func(n int) []string { return []string{anyRow(strconv.Itoa(min(n/100, 5)))} }, 600},
	} {
		for method, list := range lists {
			t.Run(name+", "+method, func(t *testing.T) {
				t.Parallel()
				service := endless(c.rows)
				err := list(t, newClient(t, service))
				failed := asError(t, err)
				const want = "100 pages in a row without a row that was not there before"
				if failed.StatusCode != 0 || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v", err)
				}
				if got := len(service.asked); got != c.want {
					t.Errorf("%d pages, want %d", got, c.want)
				}
				noSecret(t, err)
			})
		}
	}
}

// What is new counts, though it is not given to the caller: the rows that a service sends which ignores the filter.
func TestClient_LongListsAreReadToTheirEnd(t *testing.T) {
	t.Parallel()
	const pages = 350
	for name, rows := range map[string]func(n int) []string{
		"rows that do not match": func(n int) []string {
			return []string{`{"id":"` + strconv.Itoa(n) + `","deviceName":"B","activityType":"B"}`}
		},
		"rows without an id": func(n int) []string {
			return []string{`{"deviceName":"A","activityType":"A","displayName":"` + strconv.Itoa(n) + `","model":"` + strconv.Itoa(n) + `"}`}
		},
		"one row in a hundred": func(n int) []string {
			if n%100 > 0 {
				return nil
			}
			return []string{anyRow(strconv.Itoa(n))}
		},
		"an empty end": func(n int) []string {
			if n > pages-100 {
				return nil
			}
			return []string{anyRow(strconv.Itoa(n))}
		},
	} {
		for method, list := range lists {
			t.Run(name+", "+method, func(t *testing.T) {
				t.Parallel()
				service := endless(rows)
				goesOn := service.body
				service.body = func(n int, asked string) string {
					if n == pages {
						return pageOf("", rows(n)...)
					}
					return goesOn(n, asked)
				}
				if err := list(t, newClient(t, service)); err != nil {
					t.Errorf("after %d pages: %v", len(service.asked), err)
				}
				if got := len(service.asked); got != pages {
					t.Errorf("%d pages, want %d", got, pages)
				}
			})
		}
	}
}

// A page that was stored is one of those in a row, and its rows were there before.
func TestNewListDevicesPager_NoFurtherAfterAStoredPage(t *testing.T) {
	t.Parallel()
	service := endless(func(int) []string { return []string{anyRow("1")} })
	client := newClient(t, service)
	first, err := client.NewListDevicesPager(intune.AllDevices(), nil).NextPage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stored, err := json.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	pager := client.NewListDevicesPager(intune.AllDevices(), nil)
	if err := json.Unmarshal(stored, pager); err != nil {
		t.Fatal(err)
	}
	if _, err := allPages(t, pager); err == nil || len(service.asked) != 1+100 {
		t.Errorf("%d pages, error %v", len(service.asked), err)
	}
}

// The kit's lists begin with an empty page, and every second is; its tokens break when they are changed.
func TestDevices_EmptyAndShortPagesArePassedOver(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{PageSize: 4, ShortPages: true})
	want := []string{}
	for _, name := range []string{"it's", "a+b", "100%", "ä", "\"'&#", " ", "g"} {
		want = append(want, tenant.AddDevice(intune.ManagedDevice{DeviceName: name, SerialNumber: "S"}).DeviceID())
	}
	client := tenant.Client()
	filter := intune.DeviceFilter{SerialNumber: "s"}
	for _, options := range []*intune.ListDevicesOptions{nil, {Top: 3, Select: []string{"model"}, Filter: filter}} {
		got, err := ids(t, client.Devices(t.Context(), intune.AllDevices(), options))
		if err != nil || got != strings.Join(want, " ") {
			t.Errorf("got %q, %v", got, err)
		}
		pages, err := allPages(t, client.NewListDevicesPager(intune.AllDevices(), options))
		if err != nil || len(pages) != 8 {
			t.Fatalf("got %d pages, %v", len(pages), err)
		}
		if first := pages[0]; len(first.Value) != 0 || first.NextLink == "" {
			t.Errorf("the first page has %v and the link %q, want no device and a link", first.Value, first.NextLink)
		}
	}
}

// C§3.2: devices may come twice while others enroll. Ids are compared without case, GUIDs and others.
func TestDevices_RepeatedDevicesAreDropped(t *testing.T) {
	t.Parallel()
	const guid = "a1b2c3d4-e5f6-4a5b-8c7d-9e0f1a2b3c4d"
	link := func(n string) string { return graphLists + "managedDevices?$skiptoken=" + n }
	bodies := []string{
		pageOf(link("2"), deviceRow(guid, "A"), deviceRow("Odd-Id", "B"), deviceRow(strings.ToUpper(guid), "A")),
		pageOf(link("3"), deviceRow("odd-id", "B"), deviceRow("C", "C"), `{"deviceName":"no id"}`, `{"deviceName":"no id either"}`),
		pageOf("", deviceRow(strings.ToUpper(guid), "A"), deviceRow("c", "C"), deviceRow(guid[:35]+"e", "D"), deviceRow("{"+guid+"}", "E")),
	}
	service := &listService{body: func(n int, _ string) string { return bodies[(n-1)%3] }}
	client := newClient(t, service)
	pages, err := allPages(t, client.NewListDevicesPager(intune.AllDevices(), nil))
	if err != nil {
		t.Fatal(err)
	}
	var repeated, dropped []int
	for _, page := range pages {
		repeated, dropped = append(repeated, page.Repeated), append(dropped, page.Dropped)
	}
	if !slices.Equal(repeated, []int{1, 1, 2}) || !slices.Equal(dropped, []int{0, 0, 0}) {
		t.Errorf("repeated are %v and dropped %v, want 1, 1 and 2, and none", repeated, dropped)
	}
	want := guid + " Odd-Id C   " + guid[:35] + "e {" + guid + "}"
	devices := client.Devices(t.Context(), intune.AllDevices(), nil)
	for range 2 { // ranging again begins anew
		if got, err := ids(t, devices); got != want || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	}
}

func TestDevices_CancelBetweenPages(t *testing.T) {
	t.Parallel()
	service := &listService{body: func(n int, _ string) string {
		return pageOf(graphLists+"managedDevices?$skiptoken="+strings.Repeat("x", n), deviceRow("1", "A"))
	}}
	client := newClient(t, service)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	pager := client.NewListDevicesPager(intune.AllDevices(), nil)
	if _, err := pager.NextPage(ctx); err != nil {
		t.Fatal(err)
	}
	var last error
	for _, err := range client.Devices(ctx, intune.AllDevices(), nil) {
		if last = err; err == nil {
			cancel()
		}
	}
	_, pagerErr := pager.NextPage(ctx)
	_, findErr := client.FindDevice(ctx, intune.DeviceFilter{DeviceName: "A"}, nil)
	for _, err := range []error{last, pagerErr, findErr} {
		if asError(t, err); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "not sent") {
			t.Errorf("got %v", err)
		}
	}
	if len(service.asked) != 2 {
		t.Errorf("asked %q", service.asked)
	}
}

func behindHost(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	_, rest, _ = strings.Cut(rest, "/")
	return rest
}

func FuzzDevices_NextLink(f *testing.F) {
	f.Add(graphLists + "managedDevices?" + awkwardQuery)
	for _, link := range strangeLinks {
		f.Add(link)
	}
	f.Fuzz(func(t *testing.T, link string) {
		link = strings.ToValidUTF8(link, "\ufffd") // as JSON has it
		ask := func(list func(*intune.Client) error, first string) {
			service := inTurn(pageOf(link), pageOf(""))
			if first == "" {
				service = inTurn(pageOf(""))
			}
			err := list(newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				if req.URL.Scheme != "https" || req.URL.User != nil {
					t.Fatalf("asked %s", req.URL)
				}
				host := strings.TrimSuffix(strings.ToLower(req.URL.Host), ":443")
				if host != "graph.microsoft.com" || req.Host != req.URL.Host {
					t.Fatalf("asked %s at %s", req.URL, req.Host)
				}
				path, err := url.PathUnescape(req.URL.EscapedPath())
				if err != nil || !strings.HasPrefix(path, "/v1.0/") {
					t.Fatalf("asked %s: path %q, %v", req.URL, path, err)
				}
				if strings.Contains(path+"/", "/../") || strings.Contains(path+"/", "/./") {
					t.Fatalf("asked %s: dots in %q", req.URL, path)
				}
				return service.Do(req)
			}), noRetries))
			rest := service.asked
			if first != "" {
				rest = rest[1:]
			}
			if (len(rest) == 0) != (err != nil) && link != "" {
				t.Fatalf("asked %q, error %v", service.asked, err)
			}
			if err != nil {
				if len(link) > 20 && strings.Contains(err.Error(), link) {
					t.Fatalf("the error quotes the link: %v", err)
				}
				return
			}
			// Where the host ends, what follows goes out as it is, unless it is no URI at all.
			if link == "" || strings.ContainsAny(link, "\\^\"<>{}|`[]#") {
				return
			}
			if behindHost(rest[0]) != behindHost(link) {
				t.Fatalf("asked %q for %q", rest[0], link)
			}
		}
		pagerOf := func(c *intune.Client) error {
			_, err := allPages(t, c.NewListDevicesPager(intune.AllDevices(), nil))
			return err
		}
		ask(pagerOf, "first")
		ask(func(c *intune.Client) error {
			_, err := ids(t, c.Devices(t.Context(), intune.AllDevices(), &intune.ListDevicesOptions{ContinueFrom: link}))
			return err
		}, "")
	})
}

// A list that repeats itself is told from one whose ids only look alike: no two ids are taken for one.
func TestNewListDevicesPager_IDsThatDifferInOneCharacter(t *testing.T) {
	t.Parallel()
	const id = "0a9f5c4e-1b2d-4e3f-8a7b-6c5d4e3f2aff" // its end is what a careless parser makes of letters that are no digits
	rows := []string{deviceRow(id, "PC")}
	for i := range id {
		for _, digit := range "0123456789abcdef" {
			if id[i] != '-' && rune(id[i]) != digit {
				rows = append(rows, deviceRow(id[:i]+string(digit)+id[i+1:], "PC"))
			}
		}
	}
	for name, other := range map[string]string{
		"shorter": id[:35], "longer": id + "0", "no hyphens": strings.ReplaceAll(id, "-", ""), "letter behind f": id[:35] + "g",
		"below 0": id[:35] + "/", "above 9": id[:35] + ":", "before a": id[:35] + "`", "before A": id[:35] + "@",
		"hyphen for a digit": id[:35] + "-", "digit for the first hyphen": id[:8] + "0" + id[9:], "for the second": id[:13] + "0" + id[14:],
		"for the third": id[:18] + "0" + id[19:], "for the fourth": id[:23] + "0" + id[24:], "word": "PC-1",
	} {
		if other == id {
			t.Fatal(name)
		}
		rows = append(rows, deviceRow(other, "PC"))
	}
	again := []string{deviceRow(strings.ToUpper(id), "PC"), deviceRow("pc-1", "PC"), deviceRow(id, "PC")}
	client := newClient(t, inTurn(pageOf("", append(rows, again...)...)))
	page, err := client.NewListDevicesPager(intune.AllDevices(), nil).NextPage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Value) != len(rows) || page.Repeated != len(again) {
		t.Errorf("%d devices, %d repeated, want %d and %d", len(page.Value), page.Repeated, len(rows), len(again))
	}
}

// A pager that knows which links it has followed keeps no link, since one can be as long as an answer may be.
func TestNewListDevicesPager_FollowedLinksAreNotKept(t *testing.T) { //nolint:paralleltest // it measures the heap of the process
	const pages, length = 40, 256 << 10
	filler := strings.Repeat("x", length)
	asked := 0
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		asked++
		return answer(req, http.StatusOK, nil, pageOf(fmt.Sprint(graphLists, "managedDevices?$skiptoken=", asked, filler))), nil
	}))
	pager := client.NewListDevicesPager(intune.AllDevices(), nil)
	before := 0
	for page := range pages {
		if _, err := pager.NextPage(t.Context()); err != nil {
			t.Fatal(err)
		}
		if page == 1 {
			before = heap()
		}
	}
	grown := heap() - before
	runtime.KeepAlive(pager)
	if grown > pages*length/4 || asked != pages {
		t.Errorf("the heap grew by %d bytes after %d pages", grown, asked)
	}
}

// The list goes on under the service's own address of the user, which quotes the name.
func TestDevices_UserInANextLinkIsHidden(t *testing.T) {
	t.Parallel()
	const user = "o'brien@contoso.com"
	for name, at := range map[string]string{
		"quoted": "/users('o''brien@contoso.com')/managedDevices", "a segment": "/users/o%27brien@contoso.com/managedDevices",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, reads(
				says(200, `{"value":[],"@odata.nextLink":"https://graph.microsoft.com/v1.0`+at+`?$skiptoken=x"}`),
				says(404, `{"error":{"code":"ResourceNotFound","message":"Resource '`+user+`' does not exist."}}`),
			), noRetries)
			failures := 0
			for _, err := range client.Devices(t.Context(), intune.UserDevices(user), nil) {
				e := asError(t, err)
				if e.StatusCode != 404 {
					t.Errorf("status %d", e.StatusCode)
				}
				for _, text := range []string{e.Error(), e.Message} {
					if strings.Contains(text, "brien") {
						t.Errorf("it shows the user: %s", text)
					}
				}
				failures++
			}
			if failures != 1 {
				t.Errorf("%d failures", failures)
			}
		})
	}
}

// TestDevices_EndAtABrokenPage although that page has a next link.
func TestDevices_EndAtABrokenPage(t *testing.T) {
	t.Parallel()
	requests := 0
	const page = `{"@odata.nextLink":"https://graph.microsoft.com/v1.0/deviceManagement/managedDevices?$skiptoken=2",` +
		`"value":[{"id":"1"},{"id":2`
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		requests++
		return answer(req, http.StatusOK, nil, page), nil
	}))
	var got []string
	for device, err := range client.Devices(t.Context(), intune.AllDevices(), nil) {
		if err != nil {
			got = append(got, "error")
			continue
		}
		got = append(got, device.ID)
	}
	if strings.Join(got, " ") != "1 error" || requests != 1 {
		t.Errorf("got %v after %d requests", got, requests)
	}
}

// A listing goes on elsewhere: from a next link, or from a page that was stored as JSON.
func TestNewListDevicesPager_ResumesFromALinkOrAStoredPage(t *testing.T) {
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

// A stored page may come from anywhere. That its link is checked is a matter of TestNewListDevicesPager_StrangeLinksAreNotFollowed.
func TestNewListDevicesPager_HostileStoredPages(t *testing.T) {
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
func TestNewListDevicesPager_RestoredPagerKeepsItsArguments(t *testing.T) {
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

// A next link and the answer to it come from outside and may both be large; what is looked for in what must stay cheap.
func TestError_HugeNextLinkAndTarget(t *testing.T) {
	t.Parallel()
	// Every operand fits nearly everywhere in the target, and the last character tells.
	link := graphLists + "managedDevices?$skiptoken=" + strings.Repeat("%27"+strings.Repeat("a", 6000)+"b%27,", 65)
	pages := 0
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		if pages++; pages == 1 {
			return answer(req, http.StatusOK, nil, pageOf(link, deviceRow("1", "A"))), nil
		}
		return answer(req, http.StatusBadRequest, nil, `{"error":{"code":"x","target":"`+strings.Repeat("a", 48<<10)+`"}}`), nil
	}), noRetries)
	began := time.Now()
	_, err := ids(t, client.Devices(t.Context(), intune.AllDevices(), nil))
	if e := asError(t, err); e.Code != "x" || len(link) < 390_000 {
		t.Errorf("got %v", err)
	}
	// It took 17 seconds once, and takes milliseconds; the rest is for busy machines.
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
}

// The link may hold a filter that is neither in the options nor in the links that follow.
func TestNewListDevicesPager_LaterErrorsHideTheFilterOfAContinuedList(t *testing.T) {
	t.Parallel()
	const root = "https://graph.microsoft.com/v1.0/deviceManagement/managedDevices?"
	const given = root + "$filter=deviceName%20eq%20%27Annas%20Surface%27&$skiptoken=first-token"
	type pager interface {
		NextPage(ctx context.Context) (intune.ListDevicesResponse, error)
	}
	for name, start := range map[string]func(*intune.Client) pager{
		"link": func(c *intune.Client) pager {
			return c.NewListDevicesPager(intune.AllDevices(), &intune.ListDevicesOptions{ContinueFrom: given})
		},
		"stored page": func(c *intune.Client) pager {
			stored := c.NewListDevicesPager(intune.AllDevices(), nil)
			if err := json.Unmarshal([]byte(`{"value":[],"@odata.nextLink":"`+given+`"}`), stored); err != nil {
				t.Error(err)
			}
			if _, err := stored.NextPage(t.Context()); err != nil { // the stored one
				t.Error(err)
			}
			return stored
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				if strings.Contains(req.URL.RawQuery, "first-token") {
					return answer(req, http.StatusOK, nil, `{"value":[{"id":"1"}],"@odata.nextLink":"`+root+`$skiptoken=second-token"}`), nil
				}
				return answer(req, http.StatusBadRequest, nil, `{"error":{"message":"bad: deviceName eq 'Annas Surface' after first-token"}}`), nil
			}))
			list := start(client)
			if _, err := list.NextPage(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, err := list.NextPage(t.Context())
			if got, want := asError(t, err).Message, "bad: REDACTED after REDACTED"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
