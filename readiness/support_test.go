package readiness_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/readiness"
)

const (
	manageDevices   = "DeviceManagementManagedDevices.ReadWrite.All"
	readConnector   = "DeviceManagementServiceConfig.Read.All"
	manageConfigAll = "DeviceManagementConfiguration.ReadWrite.All"
)

// The ends of the paths of the two reads.
const (
	partnersEnd = "/remoteAssistancePartners"
	deviceEnd   = "/managedDevices/" + graphtest.DeviceID
)

// names are the checks that every Report has, in their order.
var names = []string{"cloud", "token", "connector", "device", "management", "platform", "sync", "user", "session"}

// world is a tenant with one device with which all is well, to change one thing about it.
type world struct {
	tenant  *intunetest.Tenant
	device  intune.ManagedDevice
	address func(intune.DeviceRef) intune.DeviceRef
	claims  map[string]any
	token   azcore.TokenCredential // instead of one with the claims
	cloud   cloud.Configuration
	options *readiness.Options
}

func newWorld() *world {
	return &world{tenant: intunetest.NewTenant(nil), device: intune.ManagedDevice{
		ID: graphtest.DeviceID, DeviceName: "PC-ANNA", OperatingSystem: "Windows", UserID: "8b1c", UserPrincipalName: "anna@contoso.com",
		ManagementState: intune.ManagementStateManaged, ManagementAgent: intune.ManagementAgentTypeMDM,
		DeviceEnrollmentType: intune.DeviceEnrollmentTypeWindowsAutoEnrollment, LastSyncDateTime: time.Now().Add(-3 * time.Hour),
	}}
}

func (w *world) client(tb testing.TB, change ...func(*intune.ClientOptions)) *intune.Client {
	tb.Helper()
	options := w.tenant.ClientOptions()
	options.Cloud = w.cloud
	for _, f := range change {
		f(options)
	}
	credential := w.token
	if credential == nil {
		credential = w.tenant.CredentialWith(w.claims)
	}
	client, err := intune.NewClient(credential, options)
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

// through makes a client whose requests go through a transport first.
func (w *world) through(tb testing.TB, transport graphtest.Transport) *intune.Client {
	tb.Helper()
	return w.client(tb, func(o *intune.ClientOptions) { o.Transport = transport })
}

// check runs the checks, and looks at what holds of every outcome.
func (w *world) check(tb testing.TB) (readiness.Report, map[string]readiness.Result) {
	tb.Helper()
	ref := w.tenant.AddDevice(w.device)
	if w.address != nil {
		ref = w.address(ref)
	}
	found, err := readiness.Check(tb.Context(), w.client(tb), ref, w.options)
	if err != nil {
		tb.Fatal(err)
	}
	if found.Device != ref {
		tb.Errorf("it is about %#v", found.Device)
	}
	results := resultsOf(tb, found)
	failed := slices.ContainsFunc(found.Results, func(result readiness.Result) bool { return result.Status == "fail" })
	if found.OK() == failed {
		tb.Errorf("OK is %v of %+v", found.OK(), found.Results)
	}
	onlyReads(tb, w.tenant)
	for line := range strings.Lines(found.String()) {
		line = strings.TrimSuffix(line, "\n")
		if columns := len([]rune(line)); columns > 70 {
			tb.Errorf("%d columns: %q", columns, line)
		}
		if line == "" {
			tb.Errorf("a blank line in\n%s", found)
		}
	}
	return found, results
}

// resultsOf is the results of a Report by their names, which have to be complete and in order, and their texts fit to show.
func resultsOf(tb testing.TB, found readiness.Report) map[string]readiness.Result {
	tb.Helper()
	var got []string
	results := map[string]readiness.Result{}
	for _, result := range found.Results {
		got = append(got, result.Name)
		results[result.Name] = result
		if !slices.Contains(readiness.PossibleStatusValues(), result.Status) {
			tb.Errorf("%s has the status %q", result.Name, result.Status)
		}
		if result.Detail == "" {
			tb.Errorf("%s has no detail", result.Name)
		}
		if (result.Remedy == "") != (result.Status == "pass") {
			tb.Errorf("the remedy is of another status: %+v", result)
		}
		if strings.ContainsAny(result.Detail+result.Remedy, "\r\n") {
			tb.Errorf("a text of several lines: %+v", result)
		}
		if strings.Contains(result.Detail, "hint:") || strings.Contains(result.Detail, "on device") {
			tb.Errorf("the detail says what is elsewhere: %+v", result)
		}
	}
	if !slices.Equal(got, names) {
		tb.Errorf("results %q", got)
	}
	return results
}

// onlyReads fails if a tenant was asked for more than reads.
func onlyReads(tb testing.TB, tenant *intunetest.Tenant) {
	tb.Helper()
	for _, request := range tenant.Requests() {
		if request.Method != http.MethodGet || len(request.Body) > 0 {
			tb.Errorf("was sent: %s", request)
		}
		if strings.Contains(request.Path, "requestRemoteAssistance") {
			tb.Errorf("asked: %s", request)
		}
	}
	if n := tenant.TotalPrompts(); n != 0 {
		tb.Errorf("%d prompts", n)
	}
}

// reads are the paths of the requests to a tenant below deviceManagement, those for the device first.
func reads(tenant *intunetest.Tenant) []string {
	var device, others []string
	for _, request := range tenant.Requests() {
		path := strings.TrimPrefix(request.Path, "/v1.0/deviceManagement/")
		if strings.HasSuffix(path, partnersEnd[1:]) {
			others = append(others, path)
		} else {
			device = append(device, path)
		}
	}
	return append(device, others...)
}

// finding is what one check finds once one thing was changed.
type finding struct {
	status readiness.Status
	text   string // within detail and remedy, behind which there is a line break
	change func(*world)
}

func checkFindings(t *testing.T, name string, findings []finding) {
	t.Helper()
	for _, f := range findings {
		t.Run(string(f.status)+" "+strings.TrimSpace(f.text[:min(len(f.text), 30)]), func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			f.change(w)
			_, results := w.check(t)
			result := results[name]
			if result.Status != f.status {
				t.Errorf("%s: %+v", name, result)
			}
			if text := result.Detail + " " + result.Remedy + "\n"; !strings.Contains(text, f.text) {
				t.Errorf("%s: %+v", name, result)
			}
		})
	}
}

func (w *world) fault(path string, fault intunetest.Fault) {
	fault.PathSuffix, fault.Times = path, -1
	w.tenant.Inject(fault)
}

func withFault(path string, fault intunetest.Fault) func(*world) {
	return func(w *world) { w.fault(path, fault) }
}

// withAnswer has a body of its own for the read of the device.
func withAnswer(body string) func(*world) {
	return withFault(deviceEnd, intunetest.Fault{Status: http.StatusOK, Body: body})
}

func withConnector(state intune.ConnectorState) func(*world) {
	return func(w *world) { w.tenant.SetConnector(state) }
}

func withRoles(names ...string) func(*world) {
	return func(w *world) { w.claims = map[string]any{"roles": names} }
}

func withScopes(names, app string) func(*world) {
	return func(w *world) {
		w.claims = map[string]any{"scp": names, "appid": app, "upn": "anna@contoso.com"}
	}
}

func withClaim(name string, value any) func(*world) {
	return func(w *world) { w.claims = map[string]any{name: value} }
}

func withCloud(configuration cloud.Configuration) func(*world) {
	return func(w *world) { w.cloud = configuration }
}

// withEndpoint has Graph at an address of its own, with tokens for the public one.
func withEndpoint(endpoint string) func(*world) {
	return withCloud(graphtest.Cloud(intune.ServiceGraph, endpoint))
}

func withRecord(change func(*intune.ManagedDevice)) func(*world) {
	return func(w *world) { change(&w.device) }
}

func withState(state intune.ManagementState) func(*world) {
	return withRecord(func(d *intune.ManagedDevice) { d.ManagementState = state })
}

func withAgent(agent intune.ManagementAgentType) func(*world) {
	return withRecord(func(d *intune.ManagedDevice) { d.ManagementAgent = agent })
}

func withEnrollment(kind intune.DeviceEnrollmentType) func(*world) {
	return withRecord(func(d *intune.ManagedDevice) { d.DeviceEnrollmentType = kind })
}

func withLink(link string) func(*world) {
	return withRecord(func(d *intune.ManagedDevice) { d.RemoteAssistanceSessionURL = intune.NewSessionURL(link) })
}

func withPlatform(os, model string) func(*world) {
	return withRecord(func(d *intune.ManagedDevice) { d.OperatingSystem, d.Model = os, model })
}

func withAndroid(os string, owner intune.ManagedDeviceOwnerType, agent intune.ManagementAgentType) func(*world) {
	return withRecord(func(d *intune.ManagedDevice) {
		d.OperatingSystem, d.ManagedDeviceOwnerType, d.ManagementAgent = os, owner, agent
	})
}

func withSync(ago, allowed time.Duration) func(*world) {
	return func(w *world) {
		w.device.LastSyncDateTime = time.Now().Add(-ago)
		w.options = &readiness.Options{MaxSyncAge: allowed}
	}
}

func withoutUser(os string) func(*world) {
	return withRecord(func(d *intune.ManagedDevice) { d.OperatingSystem, d.UserID, d.UserPrincipalName = os, "", "" })
}

func below(app string) func(*world) {
	return func(w *world) {
		w.tenant.AddDevice(w.device)
		w.tenant.AddDetectedApp(intune.DetectedApp{ID: app}, intune.Device(w.device.ID))
		w.address = func(d intune.DeviceRef) intune.DeviceRef { return intune.DetectedAppDevice(app, d.DeviceID()) }
	}
}

func newClient(tb testing.TB, transport policy.Transporter) *intune.Client {
	tb.Helper()
	client, err := intune.NewClient(intune.StaticToken("opaque-token"), &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: transport,
		Retry:     policy.RetryOptions{RetryDelay: time.Nanosecond},
	}})
	if err != nil {
		tb.Fatal(err)
	}
	return client
}
