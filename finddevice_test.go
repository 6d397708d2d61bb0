package intune_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// fleet is a service that ignores what it is asked for and sends five devices on three pages.
func fleet() *listService {
	next := graphLists + "managedDevices?$skiptoken="
	row := func(id, name, serial, user string) string {
		return fmt.Sprintf(`{"id":%q,"deviceName":%q,"serialNumber":%q,"userPrincipalName":%q,`, id, name, serial, user) +
			`"azureADDeviceId":"00000000-0000-0000-0000-000000000000","imei":""}`
	}
	bodies := []string{
		pageOf(next+"2", row("1", "PC-1", "S1", "anna@contoso.com"), row("2", "PC-2", "S2", "ben@contoso.com")),
		pageOf(next+"3", row("1", "PC-1", "S1", "anna@contoso.com"), row("3", "PC-3", "0", "")),
		pageOf("", row("4", "PC-2", "S4", "ben@contoso.com"), row("5", "PC-11", "S11", "anna@contoso.com.example"),
			row("2", "PC-2", "S2", "ben@contoso.com")),
	}
	return &listService{body: func(n int, _ string) string { return bodies[(n-1)%len(bodies)] }}
}

// A device that cannot be asked is neither handed out nor passed over: it may be the one.
func TestFindDevice_DeviceWithoutAnID(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string][]string{
		"alone":        {`{"deviceName":"PC-1"}`},
		"blank":        {`{"id":"","deviceName":"PC-1"}`},
		"null":         {`{"id":null,"deviceName":"PC-1"}`},
		"before a one": {`{"deviceName":"PC-1"}`, deviceRow("1", "PC-1")},
		"behind a one": {deviceRow("1", "PC-1"), `{"deviceName":"PC-1"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			device, err := newClient(t, inTurn(pageOf("", rows...))).FindDevice(t.Context(), intune.DeviceFilter{DeviceName: "PC-1"}, nil)
			e := asError(t, err)
			checkKinds(t, err)
			if e.Op != "find device" || !strings.Contains(e.Message, "without its id") {
				t.Errorf("operation %q, message %q", e.Op, e.Message)
			}
			if device.DeviceName != "" {
				t.Errorf("got %v beside the error", device)
			}
		})
	}
	service := inTurn(pageOf("", `{"deviceName":"PC-2"}`, deviceRow("1", "PC-1")))
	device, err := newClient(t, service).FindDevice(t.Context(), intune.DeviceFilter{DeviceName: "PC-1"}, nil)
	if err != nil || device.ID != "1" {
		t.Errorf("a row that does not match is in the way: %v, %v", device, err)
	}
}

// C§3.1: an unsupported filter is ignored and every device comes. Whoever asks for one device gets that one or none.
func TestFindDevice_ServiceThatIgnoresFilters(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		filter intune.DeviceFilter
		want   string // id; "" for none, "*" for several
	}{
		"the first, who comes twice":   {intune.DeviceFilter{DeviceName: "pc-1"}, "1"},
		"one on the last page":         {intune.DeviceFilter{SerialNumber: "S11"}, "5"},
		"on the second page":           {intune.DeviceFilter{DeviceName: "PC-3"}, "3"},
		"two names alike":              {intune.DeviceFilter{DeviceName: "PC-2"}, "*"},
		"told apart by their serials":  {intune.DeviceFilter{DeviceName: "PC-2", SerialNumber: "s4"}, "4"},
		"no such name":                 {intune.DeviceFilter{DeviceName: "PC"}, ""},
		"a prefix is no match":         {intune.DeviceFilter{UserPrincipalName: "anna@contoso"}, ""},
		"a user with one device":       {intune.DeviceFilter{UserPrincipalName: "Anna@Contoso.com"}, "1"},
		"no such serial":               {intune.DeviceFilter{SerialNumber: "S"}, ""},
		"of one field both must match": {intune.DeviceFilter{DeviceName: "PC-1", SerialNumber: "S2"}, ""},
		"no such Entra id":             {intune.DeviceFilter{AzureADDeviceID: "00000000-0000-0000-0000-000000000001"}, ""},
		"no such phone":                {intune.DeviceFilter{IMEI: "490154203237518"}, ""},
		"never synced":                 {intune.DeviceFilter{LastSyncBefore: time.Now()}, ""},
		"nor enrolled":                 {intune.DeviceFilter{EnrolledAfter: time.Unix(0, 0)}, ""},
		"no such platform":             {intune.DeviceFilter{OperatingSystem: "Windows"}, ""},
		"no verdict":                   {intune.DeviceFilter{ComplianceState: intune.ComplianceStateCompliant}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := fleet()
			device, err := newClient(t, service).FindDevice(t.Context(), c.filter, nil)
			switch c.want {
			case "":
				checkKinds(t, err, intune.ErrNotFound)
				if e := asError(t, err); e.Op != "find device" || e.StatusCode != 0 {
					t.Errorf("operation %q, status %d", e.Op, e.StatusCode)
				}
			case "*":
				checkKinds(t, err, intune.ErrAmbiguousDevice)
				ambiguous, ok := errors.AsType[*intune.AmbiguousDeviceError](err)
				if !ok {
					t.Fatalf("got %v, want an *AmbiguousDeviceError", err)
				}
				var candidates []string
				for _, candidate := range ambiguous.Candidates {
					candidates = append(candidates, candidate.ID)
				}
				if !slices.Equal(candidates, []string{"2", "4"}) {
					t.Errorf("the candidates are %q", candidates)
				}
			default:
				if err != nil {
					t.Error(err)
				}
			}
			if want := strings.Trim(c.want, "*"); device.ID != want {
				t.Errorf("got the device %q, want %q", device.ID, want)
			}
			if len(service.asked) != 3 {
				t.Errorf("asked %q: the device could be on any page", service.asked)
			}
		})
	}
}

// A service on which "ne" acts like "eq" was seen; here "eq" acts like "ne".
func TestFindDevice_ServiceThatSendsTheOthers(t *testing.T) {
	t.Parallel()
	others := inTurn(pageOf("", `{"id":"2","serialNumber":"S2"}`, `{"id":"3"}`))
	client, filter := newClient(t, others), intune.DeviceFilter{SerialNumber: "S1"}
	device, err := client.FindDevice(t.Context(), filter, nil)
	checkKinds(t, err, intune.ErrNotFound)
	checkSays(t, err, "serialNumber")
	if device.ID != "" || strings.Contains(fmt.Sprint(err), "S1") {
		t.Errorf("got %v, %v, want no device and not the number", device, err)
	}
	one := inTurn(pageOf("", `{"id":"2","serialNumber":"S2"}`))
	if device, err = newClient(t, one).FindDevice(t.Context(), filter, nil); !errors.Is(err, intune.ErrNotFound) || device.ID != "" {
		t.Errorf("a single wrong device: got %v, %v", device, err)
	}
	pages, err := allPages(t, client.NewListDevicesPager(intune.AllDevices(), &intune.ListDevicesOptions{Filter: filter}))
	if err != nil {
		t.Fatal(err)
	}
	if len(pages[0].Value) != 0 || pages[0].Dropped != 2 {
		t.Errorf("got %v, and %d dropped, want none and 2", pages[0].Value, pages[0].Dropped)
	}
}

// A search that found nothing says what came instead, and why that can be: how many devices, and nothing about them.
func TestFindDevice_SaysWhatCameInstead(t *testing.T) {
	t.Parallel()
	rows := func(n int) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(`{"id":"%d","deviceName":"SECRET-%d","serialNumber":"S%d","userPrincipalName":"secret@contoso.com"}`, i, i, i)
		}
		return list
	}
	const none, ignored, enrolled = "no device matches the filter on ", "ignored the filter", "enrolled the device"
	serial, user := intune.DeviceFilter{SerialNumber: "SECRET"}, intune.DeviceFilter{UserPrincipalName: "anna.secret@contoso.com"}
	for name, c := range map[string]struct {
		filter  intune.DeviceFilter
		in      intune.DeviceCollection
		pages   [][]string
		message string
		says    []string // nil: no hint
		not     []string
	}{
		"nothing": {serial, intune.AllDevices(), [][]string{{}}, none + "serialNumber", nil, nil},
		"one": {
			serial, intune.AllDevices(),
			[][]string{rows(1)},
			none + "serialNumber; the service sent 1 device that does not match",
			[]string{"compares in another way", ignored, "another field"},
			[]string{enrolled, "every device"},
		},
		"twenty": {
			serial, intune.AllDevices(),
			[][]string{rows(20)},
			none + "serialNumber; the service sent 20 devices that do not match",
			[]string{"compares in another way"},
			[]string{"every device"},
		},
		"the tenant": {
			serial, intune.AllDevices(),
			[][]string{rows(21)},
			none + "serialNumber; the service sent 21 devices that do not match",
			[]string{ignored, "every device that the caller may see", "but for DeviceNameContains"},
			[]string{enrolled, "compares"},
		},
		"the tenant in pages": {
			serial, intune.AllDevices(),
			[][]string{rows(12), rows(12)},
			none + "serialNumber; the service sent 24 devices that do not match",
			[]string{"every device"},
			nil,
		},
		"a user's, by another": {
			user, intune.AllDevices(),
			[][]string{rows(2)},
			none + "userPrincipalName; the service sent 2 devices that do not match",
			[]string{enrolled, "primary user", "search by SerialNumber or DeviceName"},
			[]string{"every device"},
		},
		"no date": {
			intune.DeviceFilter{LastSyncBefore: time.Now()},
			intune.AllDevices(),
			[][]string{rows(30)},
			none + "lastSyncDateTime; the service sent 30 devices that do not match",
			[]string{"without a date", "LastSyncBefore"},
			[]string{"every device"},
		},
		"not enrolled": {
			intune.DeviceFilter{EnrolledBefore: time.Now()},
			intune.AllDevices(),
			[][]string{rows(2)},
			none + "enrolledDateTime; the service sent 2 devices that do not match",
			[]string{"EnrolledBefore"},
			nil,
		},
		"below an app": {
			serial, intune.DetectedAppDevices("a"),
			[][]string{rows(2)},
			none + "serialNumber; the service sent 2 devices that do not match",
			[]string{"few properties", "DeviceName", "AllDevices"},
			nil,
		},
		"below an app, by two parts of a name": {
			intune.DeviceFilter{DeviceName: "SECRET-PC", DeviceNameContains: "PC"},
			intune.DetectedAppDevices("a"),
			[][]string{rows(2)},
			none + "deviceName; the service sent 2 devices that do not match",
			[]string{"compares in another way"},
			[]string{"few properties"},
		},
		"below an app, by name": {
			intune.DeviceFilter{DeviceName: "SECRET"},
			intune.DetectedAppDevices("a"),
			[][]string{rows(2)},
			none + "deviceName; the service sent 2 devices that do not match",
			[]string{"compares in another way"},
			[]string{"few properties"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var bodies []string
			for i, page := range c.pages {
				next := ""
				if i+1 < len(c.pages) {
					next = graphLists + "managedDevices?$skiptoken=" + strings.Repeat("x", i+1)
				}
				bodies = append(bodies, pageOf(next, page...))
			}
			_, err := newClient(t, inTurn(bodies...)).FindDevice(t.Context(), c.filter, &intune.FindDeviceOptions{In: c.in})
			if e := asError(t, err); e.Message != c.message {
				t.Errorf("message %q, want %q", e.Message, c.message)
			}
			if !errors.Is(err, intune.ErrNotFound) {
				t.Errorf("got %v", err)
			}
			hintOf(t, err, c.says, c.not)
			if text := strings.ToLower(err.Error()); strings.Contains(text, "secret") {
				t.Errorf("the error shows a name: %s", text)
			}
		})
	}
}

func TestFindDevice_AsksForWhatItNeeds(t *testing.T) {
	t.Parallel()
	const filter, selected = "?$filter=serialNumber%20eq%20%27S1%27", "&$select=id,deviceName,serialNumber,lastSyncDateTime"
	for address, options := range map[string]*intune.FindDeviceOptions{
		"deviceManagement/managedDevices" + filter:                           nil,
		"deviceManagement/managedDevices" + filter + selected + ",model":     {Select: []string{"model"}},
		"users/u1/managedDevices" + filter:                                   {In: intune.UserDevices("u1")},
		"deviceManagement/detectedApps/a/managedDevices" + filter + selected: {In: intune.DetectedAppDevices("a")},
	} {
		service := inTurn(pageOf("", `{"id":"1","serialNumber":"S1"}`))
		device, err := newClient(t, service).FindDevice(t.Context(), intune.DeviceFilter{SerialNumber: "S1"}, options)
		if err != nil || device.ID != "1" {
			t.Errorf("got %v, %v", device, err)
		}
		service.saw(t, "https://graph.microsoft.com/v1.0/"+address)
	}
	service := inTurn(pageOf("", deviceRow("1", "A")))
	device, err := newClient(t, service).FindDevice(t.Context(), intune.DeviceFilter{}, nil)
	checkRefused(t, err, "empty")
	if device.ID != "" {
		t.Errorf("no filter: got %v", device)
	}
	service.saw(t)
}

// One match is not the answer as long as a page could not be read.
func TestFindDevice_FailsWithTheListing(t *testing.T) {
	t.Parallel()
	first := pageOf(graphLists+"managedDevices?$skiptoken=2", deviceRow("1", "A"))
	for name, c := range map[string]struct {
		service policy.Transporter
		kinds   []error
	}{
		"refused":    {newScript(always(http.StatusOK, first), status(http.StatusForbidden)), []error{intune.ErrForbidden}},
		"breaks off": {always(http.StatusOK, pageOf("", deviceRow("1", "A"), `{"id":5.5.5`)), nil},
	} {
		device, err := newClient(t, c.service).FindDevice(t.Context(), intune.DeviceFilter{DeviceName: "A"}, nil)
		checkKinds(t, err, c.kinds...)
		if e := asError(t, err); e.Op != "find device" || device.ID != "" {
			t.Errorf("%s: operation %q, device %v", name, e.Op, device)
		}
	}
}

// The message is for a technician who has to choose: name, serial, last sync. It is one line and names nobody.
func TestAmbiguousDeviceError_IsForATechnician(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{PageSize: 3})
	for i := range 25 {
		d := intune.ManagedDevice{
			DeviceName: "PC", SerialNumber: fmt.Sprint("S", i), Model: fmt.Sprint("m", min(i/2, 3)),
			UserPrincipalName: "secret@contoso.com", UserDisplayName: "secret",
		}
		if i > 0 {
			d.LastSyncDateTime = inZone.Add(time.Duration(i) * time.Hour)
		}
		tenant.AddDevice(d)
	}
	find := func(filter intune.DeviceFilter, in intune.DeviceCollection) *intune.AmbiguousDeviceError {
		device, err := tenant.Client().FindDevice(t.Context(), filter, &intune.FindDeviceOptions{In: in})
		ambiguous, ok := errors.AsType[*intune.AmbiguousDeviceError](err)
		if !ok || device.ID != "" {
			t.Fatalf("got %v, %v, want an *AmbiguousDeviceError", device, err)
		}
		checkKinds(t, err, intune.ErrAmbiguousDevice)
		if text := err.Error(); strings.Contains(text, "secret") || strings.ContainsFunc(text, unicode.IsControl) {
			t.Errorf("%q", text)
		}
		return ambiguous
	}
	two := find(intune.DeviceFilter{DeviceName: "PC", Model: "m0"}, intune.DeviceCollection{})
	want := fmt.Sprintf("2 devices match: PC (serial S0, last sync unknown, id %s); "+
		"PC (serial S1, last sync 2026-03-01 09:00:00 UTC, id %s)", two.Candidates[0].ID, two.Candidates[1].ID)
	if two.Error() != want {
		t.Errorf("got  %s\nwant %s", two, want)
	}
	tenant.ResetRequests()
	many := find(intune.DeviceFilter{DeviceName: "pc"}, intune.UserDevices("secret@contoso.com"))
	if n := len(many.Candidates); n != 20 {
		t.Errorf("%d candidates", n)
	}
	checkSays(t, many, "15 more")
	if text := many.Error(); !strings.HasPrefix(text, "20 or more devices match: ") || strings.Count(text, "serial") != 5 {
		t.Errorf("want the first five of at least 20: %s", text)
	}
	if n := len(tenant.Requests()); n != 7 {
		t.Errorf("%d requests, though it was settled after 7 pages", n)
	}
	odd := &intune.AmbiguousDeviceError{Candidates: []intune.ManagedDevice{
		{DeviceName: "a\nb\x1b[31m" + strings.Repeat("x", 500), LastSyncDateTime: inZone}, {},
	}}
	checkSays(t, odd, "unknown (serial unknown, last sync unknown, id unknown)", "2026-03-01 08:00:00 UTC")
	if text := odd.Error(); len(text) > 400 || strings.ContainsFunc(text, unicode.IsControl) {
		t.Errorf("not one short line: %q", text)
	}
}
