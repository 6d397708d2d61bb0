package intune_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
)

func TestGetDevice_OnTheWire(t *testing.T) {
	t.Parallel()
	const all = "activationLockBypassCode,ethernetMacAddress,iccid,notes,physicalMemoryInBytes,remoteAssistanceSessionUrl,udid," +
		"remoteAssistanceSessionErrorDetails"
	const plain = "/deviceManagement/managedDevices/1"
	for name, c := range map[string]struct {
		device   intune.DeviceRef
		selected []string
		refuse   bool // below users and apps
		want     []string
	}{
		"plain": {device: intune.Device("1"), want: []string{plain}},
		"select": {
			device: intune.Device("1"), selected: []string{"deviceName", "id", "deviceName"},
			want: []string{plain + "?$select=id,deviceName"},
		},
		"select the id": {device: intune.Device("1"), selected: []string{"id"}, want: []string{plain + "?$select=id"}},
		"only by id":    {device: intune.Device("1"), selected: strings.Split(all, ","), want: []string{plain + "?$select=id," + all}},
		"user":          {device: intune.UserDevice("anna@contoso.com", "1"), want: []string{"/users/anna@contoso.com/managedDevices/1"}},
		"user, refused": {
			device: intune.UserDevice("u", "1"), selected: []string{"model"}, refuse: true,
			want: []string{"/users/u/managedDevices/1?$select=id,model", plain + "?$select=id,model"},
		},
		"app, refused": {
			device: intune.DetectedAppDevice("a", "1"), refuse: true,
			want: []string{"/deviceManagement/detectedApps/a/managedDevices/1", plain},
		},
		"the id is escaped":  {device: intune.Device("a b#?%"), want: []string{"/deviceManagement/managedDevices/a%20b%23%3F%25"}},
		"refused altogether": {device: intune.Device("1"), refuse: true, want: []string{plain}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked []string
			device, err := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				path := strings.TrimPrefix(req.URL.RequestURI(), "/v1.0")
				asked = append(asked, path)
				if req.Method != http.MethodGet || req.Body != nil {
					t.Errorf("%s with a body", req.Method)
				}
				if c.refuse && (!strings.HasPrefix(path, plain) || name == "refused altogether") {
					return answer(req, http.StatusBadRequest, nil, `{"error":{"code":"BadRequest"}}`), nil
				}
				return answer(req, http.StatusOK, nil, deviceRow(c.device.DeviceID(), "A")), nil
			})).GetDevice(t.Context(), c.device, &intune.GetDeviceOptions{Select: c.selected})
			if strings.Join(asked, " ") != strings.Join(c.want, " ") {
				t.Errorf("asked %q, want %q", asked, c.want)
			}
			if failed := name == "refused altogether"; failed != (err != nil) || failed != (device.DeviceName == "") {
				t.Errorf("got %v, %v", device, err)
			}
		})
	}
}

func TestGetDevice_Refuses(t *testing.T) {
	t.Parallel()
	service := inTurn(deviceRow("1", "A"))
	client := newClient(t, service)
	for _, selected := range []string{"hostName", "DeviceName", "", "*", "id,deviceName", "$select", "deviceCategory"} {
		_, err := client.GetDevice(t.Context(), intune.Device("1"), &intune.GetDeviceOptions{Select: []string{"model", selected}})
		if !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), "options.Select") {
			t.Errorf("%q: %v", selected, err)
		}
	}
	for _, device := range []intune.DeviceRef{
		{}, intune.Device(""), intune.Device(".."), intune.UserDevice("", "1"), intune.ManagedDevice{}.Ref(),
	} {
		if _, err := client.GetDevice(t.Context(), device, nil); !errors.Is(err, intune.ErrInvalidArgument) {
			t.Errorf("%v: %v", device, err)
		}
	}
	service.saw(t)
}

// An answer that is not about the device that was asked for is an error, not a device.
func TestGetDevice_Answers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		says string // "" for the device
	}{
		"bare":                 {deviceRow("AB", "A"), ""},
		"id in other case":     {deviceRow("ab", "A"), ""},
		"wrapped (C§2.4)":      {`{"value":` + deviceRow("AB", "A") + `}`, ""},
		"byte-order mark":      {"\ufeff" + deviceRow("AB", "A"), ""},
		"unknown properties":   {`{"@odata.context":"x","new":{"a":[1,{}]},"id":"AB","deviceName":"A","x":null}`, ""},
		"another device":       {deviceRow("AC", "A"), "another device"},
		"no id":                {`{"deviceName":"A"}`, "another device"},
		"null":                 {"null", "another device"},
		"error envelope":       {`{"error":{"code":"x","message":"m"}}`, "200 OK (x): the service reported an error inside its answer: m"},
		"another device in it": {`{"value":` + deviceRow("AC", "A") + `}`, "another device"},
		"list":                 {pageOf("", deviceRow("AB", "A")), "not a device"},
		"empty":                {"", "not a device"},
		"HTML":                 {"<html>sign in</html>", "not a device"},
		"cut":                  {`{"id":"AB","deviceName":"A`, "not a device"},
		"cut at the end":       {`{"id":"AB","deviceName":"A"`, "not a device"},
		"two":                  {deviceRow("AB", "A") + deviceRow("AB", "B"), "not a device"},
		"http link":            {`{"id":"AB","remoteAssistanceSessionUrl":"http://get.teamviewer.com/secret"}`, "https"},
		"script link":          {`{"id":"AB","remoteAssistanceSessionUrl":"javascript:secret"}`, "not a URL"},
		"https link":           {`{"id":"AB","deviceName":"A","remoteAssistanceSessionUrl":"https://get.teamviewer.com/secret"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			device, err := newClient(t, always(http.StatusOK, c.body)).GetDevice(t.Context(), intune.Device("AB"), nil)
			if c.says == "" {
				if err != nil || device.DeviceName != "A" {
					t.Errorf("got %v, %v", device, err)
				}
				return
			}
			e := asError(t, err)
			if got, want := [...]any{e.Op, e.Device, e.StatusCode}, [...]any{"read device", intune.Device("AB"), http.StatusOK}; got != want {
				t.Errorf("operation, device and status are %v, want %v", got, want)
			}
			if device.ID != "" {
				t.Errorf("got %v beside the error", device)
			}
			checkSays(t, err, c.says)
			noSecret(t, err)
		})
	}
	device, err := newClient(t, newScript(status(http.StatusNotFound))).GetDevice(t.Context(), intune.UserDevice("u", "1"), nil)
	if !errors.Is(err, intune.ErrNotFound) || asError(t, err).Device != intune.UserDevice("u", "1") {
		t.Errorf("got %v, %v", device, err)
	}
}

// The service may send a link or an unlock code whatever was selected, so no body of a device read is logged. What the service quotes of
// other requests is no more fit for an error than what it quotes of this one.
func TestGetDevice_HidesSecrets(t *testing.T) { //nolint:paralleltest // azcore's log listener is the process's
	text := graphtest.CaptureLog(t)
	const link = "https://get.teamviewer.com/secret"
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		body := `{"id":"1","notes":"visible","activationLockBypassCode":"secret","remoteAssistanceSessionUrl":"` + link + `"}`
		return answer(req, http.StatusOK, http.Header{"Content-Type": {"application/json"}}, body), nil
	}), func(o *intune.ClientOptions) { o.Logging.IncludeBody = true })
	for _, selected := range []string{"activationLockBypassCode", "remoteAssistanceSessionUrl", "notes"} {
		text.Reset()
		device, err := client.GetDevice(t.Context(), intune.Device("1"), &intune.GetDeviceOptions{Select: []string{"notes", selected}})
		if err != nil {
			t.Fatal(err)
		}
		if code, url := device.ActivationLockBypassCode.Reveal(), device.RemoteAssistanceSessionURL.Reveal(); code != "secret" || url != link {
			t.Errorf("got the code %q and the link %q", code, url)
		}
		if strings.Contains(text.String(), "visible") || !strings.Contains(text.String(), "[Response]") {
			t.Errorf("%s: the body is in the log, or nothing is", selected)
		}
		if shown := fmt.Sprintf("%v %+v %#v %s", device, device, device, device); strings.Contains(shown, "secret") {
			t.Error(shown)
		}
	}
	const quoting = `{"error":{"code":"BadRequest","message":"$filter=deviceName eq 'secret'",` +
		`"details":[{"code":"d","message":"x?$skiptoken=secret"}]}}`
	_, err := newClient(t, always(http.StatusBadRequest, quoting)).GetDevice(t.Context(), intune.Device("1"), nil)
	noSecret(t, err)
	refused := errors.New("proxy refuses https://proxy.example/x?$skiptoken=secret")
	inner := &url.Error{Op: "Get", URL: "https://graph.microsoft.com/v1.0/x", Err: refused}
	_, err = newClient(t, newScript(broken(inner)), noRetries).GetDevice(t.Context(), intune.Device("1"), nil)
	noSecret(t, err)
}

// C§2.1 and §2.4, at the kit: only a read by id that names it fills a property of the eight.
func TestGetDevice_EightPropertiesComeOnlyByID(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	device := intune.ManagedDevice{DeviceName: "A", Notes: "n", ICCID: "i", UDID: "u", PhysicalMemoryInBytes: 1 << 34, EthernetMACAddress: "m"}
	ref := tenant.AddDevice(device)
	client := tenant.Client()
	names := []string{"notes", "iccid", "udid", "physicalMemoryInBytes", "ethernetMacAddress"}
	full, err := client.GetDevice(t.Context(), ref, &intune.GetDeviceOptions{Select: names})
	if err != nil {
		t.Fatal(err)
	}
	device.ID, device.DeviceName = ref.DeviceID(), ""
	if !reflect.DeepEqual(full.ManagedDevice, device) {
		t.Errorf("got %s\nwant %s", jsonText(full), jsonText(device))
	}
	plain, err := client.GetDevice(t.Context(), ref, nil)
	if err != nil {
		t.Fatal(err)
	}
	if plain.Notes != "" || plain.DeviceName != "A" {
		t.Errorf("got the notes %q and the name %q", plain.Notes, plain.DeviceName)
	}
}

// C§2.4: what is loose on the wire, through the public methods.
func TestDevices_Decoding(t *testing.T) {
	t.Parallel()
	body := "\ufeff" + pageOf("",
		`{"@odata.type":"#microsoft.graph.managedDevice","id":"1","unknown":[{"a":{}}],"deviceName":null,"userId":"",
		"totalStorageSpaceInBytes":"9007199254740993","freeStorageSpaceInBytes":9007199254740993,
		"lastSyncDateTime":"2026-03-01T08:00:00.1234567Z","enrolledDateTime":"0001-01-01T00:00:00Z",
		"complianceGracePeriodExpirationDateTime":"9999-12-31T23:59:59.9999999Z","managementCertificateExpirationDate":null,
		"easActivationDateTime":"","azureADRegistered":null,"complianceState":"brandNew","isEncrypted":true,"deviceActionResults":null}`,
		`null`, `{"id":"2","azureADRegistered":false,"physicalMemoryInBytes":0,"deviceName":"\u00e4\ud83d\ude00"}`)
	var devices []intune.ManagedDevice
	for device, err := range newClient(t, always(http.StatusOK, body)).Devices(t.Context(), intune.AllDevices(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		devices = append(devices, device)
	}
	no := false
	want := []intune.ManagedDevice{
		{
			ID: "1", TotalStorageSpaceInBytes: 9007199254740993, FreeStorageSpaceInBytes: 9007199254740993,
			LastSyncDateTime:                        time.Date(2026, 3, 1, 8, 0, 0, 123456700, time.UTC),
			ComplianceGracePeriodExpirationDateTime: time.Date(9999, 12, 31, 23, 59, 59, 999999900, time.UTC),
			ComplianceState:                         "brandNew", IsEncrypted: true,
		},
		{ID: "2", AzureADRegistered: &no, DeviceName: "ä😀"},
	}
	if !reflect.DeepEqual(devices, want) {
		t.Errorf("got %s\nwant %s", jsonText(devices), jsonText(want))
	}
}

// A page that breaks off, or is no page, is an error, and what was yielded before stays.
func TestDevices_PagesThatBreakOff(t *testing.T) {
	t.Parallel()
	rows := deviceRow("2", "B") + "," + deviceRow("3", "C")
	for name, c := range map[string]struct{ body, want string }{
		"in a name":        {`{"value":[` + rows + `,{"id":"4","devi`, "1 2 3"},
		"between rows":     {`{"value":[` + rows, "1 2 3"},
		"behind the rows":  {`{"value":[` + rows + `]`, "1 2 3"},
		"in the link":      {`{"value":[` + rows + `],"@odata.nextLink":"https://graph.mi`, "1 2 3"},
		"wrong type":       {`{"value":[` + rows + `,{"id":["4"]},` + deviceRow("5", "E") + `]}`, "1 2 3"},
		"garbage behind":   {pageOf("", rows) + "x", "1 2 3"},
		"not JSON":         {"<html>", "1"},
		"empty":            {"", "1"},
		"error envelope":   {`{"error":{"code":"x","message":"m"}}`, "1"},
		"other object":     {`{}`, "1"},
		"null":             {"null", "1"},
		"array":            {"[" + rows + "]", "1"},
		"value is no list": {`{"value":{"id":"2"}}`, "1"},
		"over 8 MB":        {`{"value":[` + rows + `],"x":"` + strings.Repeat("x", 8<<20) + `"}`, "1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := inTurn(pageOf(graphLists+"managedDevices?$skiptoken=2", deviceRow("1", "A")), c.body)
			client := newClient(t, service, noRetries)
			got, err := ids(t, client.Devices(t.Context(), intune.AllDevices(), nil))
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if op := asError(t, err).Op; op != "list devices" {
				t.Errorf("operation %q", op)
			}
			checkKinds(t, err)
			checkText(t, err)
			if len(service.asked) != 2 {
				t.Errorf("asked %q", service.asked)
			}
		})
	}
}

// intoErrors are the shapes in which a page with the devices 2 and 3, or without any, turns out to be an error.
var intoErrors = map[string]struct{ before, after, rows string }{
	"as a row":          {`{"value":[` + deviceRow("2", "B") + `,` + deviceRow("3", "C") + `,{`, ``, "1 2 3"},
	"as a row, closed":  {`{"value":[` + deviceRow("2", "B") + `,` + deviceRow("3", "C") + `,{`, `]}`, "1 2 3"},
	"in place of a row": {`{"value":[{`, `]}`, "1"},
	"behind a row":      {`{"value":[` + deviceRow("2", "B") + `,` + deviceRow("3", "C") + ` {`, ``, "1 2 3"},
	"behind a comma":    {`{"value":[` + deviceRow("2", "B") + `,` + deviceRow("3", "C") + `,`, ``, "1 2 3"},
	"within a row":      {`{"value":[` + deviceRow("2", "B") + `,` + deviceRow("3", "C") + `,{"id":"4","deviceName":{`, ``, "1 2 3"},
	"behind the link": {
		`{"@odata.nextLink":"https://graph.microsoft.com/v1.0/x","value":[` + deviceRow("2", "B") + `,` + deviceRow("3", "C") + `,{`,
		``, "1 2 3",
	},
	"beside the rows":  {`{"value":[` + deviceRow("2", "B") + `,` + deviceRow("3", "C") + `],`, ``, "1 2 3"},
	"alone":            {`{`, ``, "1"},
	"beside a context": {`{"@odata.context":"c",`, ``, "1"},
}

// A page that breaks off into an error of the service fails with this error, and is read again as after the status that
// the error would have had.
func TestDevices_PageThatBreaksOffIntoAnError(t *testing.T) {
	t.Parallel()
	for name, shape := range intoErrors {
		for what, c := range map[string]struct {
			member, code, message string
			kind                  error
			after                 time.Duration
			again                 bool
		}{
			"throttled": {
				`"error":{"code":"TooManyRequests","message":"slow down","RetryAfter":7}}`, "TooManyRequests", "slow down",
				intune.ErrThrottled, 7 * time.Second, true,
			},
			"unavailable": {
				`"error" : {"code":"serviceNotAvailable","message":"come back"}}`, "serviceNotAvailable", "come back",
				intune.ErrUnavailable, 0, true,
			},
			"failed": {`"odata.error":{"code":"InternalServerError","message":"no"}}`, "InternalServerError", "no", intune.ErrServer, 0, true},
			"forbidden": {
				`"error":{"code":"Forbidden","message":"not you","innerError":{"request-id":"r7"}}}`, "Forbidden", "not you",
				intune.ErrForbidden, 0, false,
			},
			"a link in it": {`"error":{"code":"x","message":"see ` + newLink + `"}}`, "x", "see https://get.teamviewer.com/REDACTED", nil, 0, false},
			"cut off":      {`"error":{"code":"x","message":"never said`, "x", "", nil, 0, false},
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					bad := shape.before + c.member + shape.after
					first, start := pageOf(graphLists+"managedDevices?$skiptoken=2", deviceRow("1", "A")), time.Now()
					service := inTurn(first, bad, bad, bad, bad, bad)
					got, err := ids(t, newClient(t, service).Devices(t.Context(), intune.AllDevices(), nil))
					e := asError(t, err)
					if got != shape.rows {
						t.Errorf("rows %q", got)
					}
					if e.StatusCode != http.StatusOK || e.RetryAfter != c.after {
						t.Errorf("status %d, RetryAfter %v, want %v", e.StatusCode, e.RetryAfter, c.after)
					}
					if e.Code != c.code || e.Message != c.message {
						t.Errorf("code %q, message %q, want %q, %q", e.Code, e.Message, c.code, c.message)
					}
					checkKinds(t, err, c.kind)
					if !strings.Contains(err.Error(), "inside its answer") || strings.Contains(err.Error(), "JSON") {
						t.Errorf("got %v", err)
					}
					checkText(t, err)
					tries := 1
					if c.again {
						tries = 4
					}
					if len(service.asked) != 1+tries {
						t.Errorf("asked %q", service.asked)
					}
					if waited := time.Since(start).Truncate(time.Second); waited != time.Duration(tries-1)*c.after {
						t.Errorf("waited %v", waited)
					}
					// A single one is made good.
					service = inTurn(first, bad, pageOf("", deviceRow("2", "B"), deviceRow("3", "C")))
					got, err = ids(t, newClient(t, service).Devices(t.Context(), intune.AllDevices(), nil))
					if (err == nil) != c.again {
						t.Errorf("then error %v", err)
					}
					if c.again && got != "1 2 3" {
						t.Errorf("then rows %q", got)
					}
				})
			})
		}
	}
}

// Only an object of that name counts, and not one within a row.
func TestDevices_PageWithTheWordError(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]string{
		"a member of a row": `{"id":"1","x":{"error":{"code":"TooManyRequests"}}}`,
		"the row itself":    `{"id":"1","error":{"code":"TooManyRequests"}}`,
		"a text":            `{"id":"1","notes":"{\"error\":{\"code\":\"TooManyRequests\"}}"}`,
		"no object":         `{"id":"1","error":"TooManyRequests"}`,
		"null":              `{"id":"1","error":null}`,
	} {
		service := inTurn(pageOf("", row))
		got, err := ids(t, newClient(t, service).Devices(t.Context(), intune.AllDevices(), nil))
		if err != nil || got != "1" {
			t.Errorf("%s: rows %q, error %v", name, got, err)
		}
		if len(service.asked) != 1 {
			t.Errorf("%s: asked %q", name, service.asked)
		}
	}
}

// The end of the context during the pause shows beside what the service said.
func TestDevices_ContextThatEndsAfterABrokenPage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		service := inTurn(`{"value":[` + deviceRow("1", "A") + `,{"error":{"code":"TooManyRequests","message":"slow down","RetryAfter":7}}`)
		_, err := ids(t, newClient(t, service).Devices(ctx, intune.AllDevices(), nil))
		checkKinds(t, err, context.DeadlineExceeded, intune.ErrThrottled)
		if len(service.asked) != 1 {
			t.Errorf("asked %q", service.asked)
		}
	})
}

// Reads of one device, and the action, fail with the service's own words too. The action is never sent again for them.
func TestError_InsideASuccess(t *testing.T) {
	t.Parallel()
	const body = `{"error":{"code":"TooManyRequests","message":"slow down, anna@contoso.com","innerError":{"request-id":"r7"}}}`
	device := intune.UserDevice("anna@contoso.com", "1")
	for name, c := range map[string]struct {
		call    func(context.Context, *intune.Client) error
		tries   int
		unknown bool
	}{
		"device": {func(ctx context.Context, c *intune.Client) error { _, err := c.GetDevice(ctx, device, nil); return err }, 4, false},
		"session": {func(ctx context.Context, c *intune.Client) error {
			_, err := c.GetRemoteAssistanceSession(ctx, device, nil)
			return err
		}, 4, false},
		"action": {func(ctx context.Context, c *intune.Client) error {
			_, err := c.RequestRemoteAssistance(ctx, device, nil)
			return err
		}, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tries := 0
			err := c.call(t.Context(), newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				tries++
				return answer(req, http.StatusOK, nil, body), nil
			})))
			e := asError(t, err)
			if tries != c.tries {
				t.Errorf("%d tries", tries)
			}
			if !errors.Is(err, intune.ErrThrottled) || errors.Is(err, intune.ErrOutcomeUnknown) != c.unknown {
				t.Errorf("the kind of %v", err)
			}
			if e.Message != "slow down, REDACTED" {
				t.Errorf("message %q", e.Message)
			}
			if e.RequestID != "r7" || e.Device != device {
				t.Errorf("request id %q, device %#v, want %#v", e.RequestID, e.Device, device)
			}
		})
	}
}

// Over a real connection, which announces more than it carries.
func TestDevices_ConnectionBreaksInAPage(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{PageSize: 2})
	for i := range 5 {
		tenant.AddDevice(intune.ManagedDevice{ID: strconv.Itoa(i), DeviceName: "A"})
	}
	second := func(r intunetest.RecordedRequest) bool { return strings.Contains(r.RawQuery, "skiptoken") }
	server := newServer(t, tenant.ServeHTTP, false)
	client := newServerClient(t, server)
	tenant.Inject(intunetest.Fault{Match: second, Truncate: 700, Times: -1})
	got, err := ids(t, client.Devices(t.Context(), intune.AllDevices(), nil))
	if asError(t, err); got != "0 1" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %q, %v", got, err)
	}
	if n := len(tenant.Requests()); n != 5 {
		t.Errorf("%d requests, want one and four tries of the second page", n)
	}
	// A single broken connection is made good.
	tenant.ClearFaults()
	tenant.Inject(intunetest.Fault{Match: second, Truncate: 700})
	if got, err := ids(t, client.Devices(t.Context(), intune.AllDevices(), nil)); got != "0 1 2 3 4" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// Leaving the loop fetches nothing more, and an error ends it.
func TestDevices_Stop(t *testing.T) {
	t.Parallel()
	service := &listService{body: func(n int, _ string) string {
		rows := []string{deviceRow(fmt.Sprint(n, "a"), "A"), deviceRow(fmt.Sprint(n, "b"), "B")}
		return pageOf(graphLists+"managedDevices?$skiptoken="+strings.Repeat("x", n), rows...)
	}}
	devices := newClient(t, service).Devices(t.Context(), intune.AllDevices(), nil)
	for i := range 2 {
		var got []string
		for device, err := range devices {
			if got = append(got, device.ID); err != nil || len(got) == 2 {
				break
			}
		}
		if len(got) != 2 || len(service.asked) != i+1 {
			t.Errorf("got %q after %q", got, service.asked)
		}
	}
	for range devices {
		break
	}
	service.saw(t, graphLists+"managedDevices", graphLists+"managedDevices", graphLists+"managedDevices")
}

func FuzzDevices_Pages(f *testing.F) {
	f.Add([]byte(pageOf(graphLists+"managedDevices?$skiptoken=2", deviceRow("1", "A"), deviceRow("2", "a"), deviceRow("3", "B"))), "A")
	f.Add([]byte(`{"value":[{"id":"1","deviceName":"A"},{"id":5}],"error":{"code":"x"}}`), "A")
	f.Add([]byte("\ufeff{\"VALUE\":[null,{\"DeviceName\":\"\\u212a\"}]}"), "k")
	f.Fuzz(func(t *testing.T, body []byte, name string) {
		requests := 0
		client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
			requests++
			if host := strings.TrimSuffix(req.URL.Host, ":443"); !strings.EqualFold(host, "graph.microsoft.com") || requests > 3 {
				t.Fatalf("request %d to %s", requests, req.URL)
			}
			resp := answer(req, http.StatusOK, nil, "")
			resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			return resp, nil
		}), noRetries)
		options := &intune.ListDevicesOptions{Filter: intune.DeviceFilter{DeviceName: name}}
		var last error
		for device, err := range client.Devices(t.Context(), intune.AllDevices(), options) {
			if last != nil {
				t.Fatal("the iterator goes on after an error")
			}
			if last = err; err != nil {
				continue
			}
			if name != "" && !strings.EqualFold(device.DeviceName, name) {
				t.Fatalf("%q is handed out for %q", device.DeviceName, name)
			}
		}
		if last != nil {
			checkText(t, last)
			if !errors.Is(last, intune.ErrInvalidArgument) {
				asError(t, last)
			}
		}
		device, err := client.GetDevice(t.Context(), intune.Device("1"), nil)
		if (err == nil) != (device.ID == "1") {
			t.Fatalf("got %v, %v", device, err)
		}
	})
}

// C§3.1 to 3.3. Each collection both ways.
func TestDevices_OnTheWire(t *testing.T) {
	t.Parallel()
	named, numbered := intune.DeviceFilter{DeviceName: "it's 100% +1"}, intune.DeviceFilter{SerialNumber: "5"}
	const name, serial = "$filter=deviceName%20eq%20%27it%27%27s%20100%25%20%2B1%27", "$filter=serialNumber%20eq%20%275%27"
	const all, app = "deviceManagement/managedDevices", "deviceManagement/detectedApps/abc/managedDevices"
	for label, c := range map[string]struct {
		in      intune.DeviceCollection
		options *intune.ListDevicesOptions
		want    string
	}{
		"all":          {intune.AllDevices(), nil, all},
		"zero options": {intune.AllDevices(), &intune.ListDevicesOptions{}, all},
		"user": {
			intune.UserDevices("anna+x_contoso.com#EXT#@contoso.com"), nil,
			"users/anna+x_contoso.com%23EXT%23@contoso.com/managedDevices",
		},
		"app":             {intune.DetectedAppDevices("ab/c"), nil, ""},
		"app, unfiltered": {intune.DetectedAppDevices("abc"), nil, app},
		"select": {
			intune.AllDevices(), &intune.ListDevicesOptions{Select: []string{"deviceName", "deviceName", "userId"}},
			all + "?$select=id,deviceName,userId",
		},
		"select the id": {intune.AllDevices(), &intune.ListDevicesOptions{Select: []string{"id"}}, all + "?$select=id"},
		"top":           {intune.AllDevices(), &intune.ListDevicesOptions{Top: 1000}, all + "?$top=1000"},
		"least top":     {intune.AllDevices(), &intune.ListDevicesOptions{Top: 1}, all + "?$top=1"},
		"filter":        {intune.AllDevices(), &intune.ListDevicesOptions{Filter: named}, all + "?" + name},
		"filter and select": {
			intune.AllDevices(), &intune.ListDevicesOptions{Filter: named, Select: []string{"model"}, Top: 5},
			all + "?" + name + "&$select=id,model,deviceName&$top=5",
		},
		"user's, filtered": {intune.UserDevices("u1"), &intune.ListDevicesOptions{Filter: named}, "users/u1/managedDevices?" + name},
		"app's, filtered": {
			intune.DetectedAppDevices("abc"), &intune.ListDevicesOptions{Filter: numbered},
			app + "?" + serial + "&$select=id,deviceName,serialNumber",
		},
		"app's, selected": {
			intune.DetectedAppDevices("abc"), &intune.ListDevicesOptions{Filter: numbered, Select: []string{"model"}},
			app + "?" + serial + "&$select=id,model,serialNumber",
		},
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
			if err := errors.Join(err, pagerErr); err != nil || got != "" {
				t.Errorf("got %q, %v", got, err)
			}
			address := "https://graph.microsoft.com/v1.0/" + c.want
			service.saw(t, address, address)
		})
	}
}

// What is wrong with the arguments is said before anything is sent, by the iterator, the pager and FindDevice alike.
func TestDevices_Refuse(t *testing.T) {
	t.Parallel()
	onlyByID := func(name string) (intune.ListDevicesOptions, string) {
		says := name + ", which the service fills only in a read of one device; use GetDevice"
		return intune.ListDevicesOptions{Select: []string{"deviceName", name}}, says
	}
	type refusal struct {
		in      intune.DeviceCollection
		options intune.ListDevicesOptions
		says    string
	}
	cases := map[string]refusal{
		"zero collection":   {intune.DeviceCollection{}, intune.ListDevicesOptions{}, "zero DeviceCollection"},
		"blank user":        {intune.UserDevices(" "), intune.ListDevicesOptions{}, "user"},
		"user with a slash": {intune.UserDevices("a/b"), intune.ListDevicesOptions{}, "user"},
		"dot segment":       {intune.DetectedAppDevices(".."), intune.ListDevicesOptions{}, "app"},
		"blank app":         {intune.DetectedAppDevices(""), intune.ListDevicesOptions{}, "app"},
		"negative top":      {intune.AllDevices(), intune.ListDevicesOptions{Top: -1}, "options.Top must be 1 to 1000"},
		"large top":         {intune.AllDevices(), intune.ListDevicesOptions{Top: 1001}, "options.Top must be 1 to 1000"},
		"unknown property":  {intune.AllDevices(), intune.ListDevicesOptions{Select: []string{"hostName"}}, `"hostName", which is no property`},
		"Go name": {
			intune.AllDevices(), intune.ListDevicesOptions{Select: []string{"DeviceName"}}, `"DeviceName", which is no property`,
		},
		"blank name":         {intune.AllDevices(), intune.ListDevicesOptions{Select: []string{""}}, "which is no property"},
		"two names in one":   {intune.AllDevices(), intune.ListDevicesOptions{Select: []string{"id,deviceName"}}, "which is no property"},
		"an option smuggled": {intune.AllDevices(), intune.ListDevicesOptions{Select: []string{"id&$top=1"}}, "which is no property"},
		"star":               {intune.AllDevices(), intune.ListDevicesOptions{Select: []string{"*"}}, "which is no property"},
		"bad filter": {
			intune.AllDevices(), intune.ListDevicesOptions{Filter: intune.DeviceFilter{DeviceName: " "}}, "filter.DeviceName is blank",
		},
		"bad link": {
			intune.AllDevices(), intune.ListDevicesOptions{ContinueFrom: "https://elsewhere.example/v1.0/x?secret"}, "options.ContinueFrom",
		},
		"link and select": {
			intune.AllDevices(),
			intune.ListDevicesOptions{ContinueFrom: graphLists + "managedDevices", Select: []string{"hostName"}},
			"which is no property",
		},
		"link and filter": {
			intune.AllDevices(),
			intune.ListDevicesOptions{ContinueFrom: graphLists + "managedDevices", Filter: intune.DeviceFilter{IMEI: "000"}},
			"filter.IMEI is all zeros",
		},
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
				checkRefused(t, err, c.says)
				if got != "" || strings.Contains(fmt.Sprint(err), "secret") {
					t.Errorf("got %q and the error %v, want neither a device nor the link", got, err)
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

// What the caller does with the options later changes nothing.
func TestListDevicesOptions_AreCopied(t *testing.T) {
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
	if err := errors.Join(err, pagerErr); err != nil || got != "1" {
		t.Errorf("got %q, %v", got, err)
	}
	if len(page.Value) != 1 || page.Value[0].ID != "1" {
		t.Errorf("the pager got %v", page)
	}
	for _, err := range found {
		if err != nil {
			t.Error(err)
		}
	}
	if _, err := appPager.NextPage(t.Context()); err != nil {
		t.Error(err)
	}
	address := graphLists + "managedDevices?$filter=deviceName%20eq%20%27A%27&$select=id,model,deviceName&$top=7"
	appsAddress := graphLists + "detectedApps?$top=7"
	service.saw(t, address, address, appsAddress, appsAddress)
}

func TestListDevicesOptions_OnPageIsNotCalledForAPageThatFailed(t *testing.T) {
	t.Parallel()
	client := newClient(t, always(http.StatusNotFound, ""))
	options := &intune.ListDevicesOptions{OnPage: func(intune.ListDevicesResponse) { t.Error("called") }}
	for _, err := range client.Devices(t.Context(), intune.AllDevices(), options) {
		if err == nil {
			t.Error("no error")
		}
	}
}

func TestGetDevice_LongArgumentsAreQuotedInPart(t *testing.T) {
	t.Parallel()
	client := newClient(t, always(http.StatusOK, `{}`))
	_, err := client.GetDevice(t.Context(), intune.Device(" "+strings.Repeat("x", 200)), nil)
	if err == nil || strings.Count(err.Error(), "x") != 79 {
		t.Errorf("got %v", err)
	}
	_, err = client.GetDevice(t.Context(), intune.Device("1"), &intune.GetDeviceOptions{Select: []string{strings.Repeat("z", 200)}})
	if err == nil || strings.Count(err.Error(), "z") != 64 {
		t.Errorf("got %v", err)
	}
}
