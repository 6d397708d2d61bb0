package intune_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

const (
	manageDevices   = "DeviceManagementManagedDevices.ReadWrite.All"
	readConnector   = "DeviceManagementServiceConfig.Read.All"
	manageConfigAll = "DeviceManagementConfiguration.ReadWrite.All"
)

// readinessNames are the checks that every Readiness has, in their order.
var readinessNames = []string{"cloud", "token", "connector", "device", "management", "platform", "sync", "user", "session"}

// readinessCase is a tenant with one device with which all is well, to change one thing about it.
type readinessCase struct {
	tenant  *intunetest.Tenant
	device  intune.ManagedDevice
	address func(intune.DeviceRef) intune.DeviceRef
	claims  map[string]any
	token   azcore.TokenCredential // instead of one with the claims
	cloud   cloud.Configuration
	options *intune.CheckReadinessOptions
}

func newReadinessCase() *readinessCase {
	return &readinessCase{tenant: intunetest.NewTenant(nil), device: intune.ManagedDevice{
		ID: exampleID, OperatingSystem: "Windows", ManagementState: intune.ManagementStateManaged, ManagementAgent: intune.ManagementAgentTypeMDM,
		DeviceEnrollmentType: intune.DeviceEnrollmentTypeWindowsAutoEnrollment,
		LastSyncDateTime:     time.Now().Add(-3 * time.Hour), UserID: "8b1c", UserPrincipalName: "anna@contoso.com", DeviceName: "PC-ANNA",
	}}
}

func (c *readinessCase) client(tb testing.TB) *intune.Client {
	tb.Helper()
	options := c.tenant.ClientOptions()
	options.Cloud = c.cloud
	credential := c.token
	if credential == nil {
		credential = c.tenant.CredentialWith(c.claims)
	}
	client, err := intune.NewClient(credential, options)
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

// check runs the checks, and looks at what holds of every outcome.
func (c *readinessCase) check(tb testing.TB) (intune.Readiness, map[string]intune.ReadinessCheck) {
	tb.Helper()
	ref := c.tenant.AddDevice(c.device)
	if c.address != nil {
		ref = c.address(ref)
	}
	found, err := c.client(tb).CheckReadiness(tb.Context(), ref, c.options)
	if err != nil {
		tb.Fatal(err)
	}
	if found.Device != ref {
		tb.Errorf("it is about %#v", found.Device)
	}
	var names []string
	checks, failed := map[string]intune.ReadinessCheck{}, false
	for _, check := range found.Checks {
		names = append(names, check.Name)
		checks[check.Name] = check
		failed = failed || check.Status == "fail"
		if !slices.Contains(intune.PossibleReadinessStatusValues(), check.Status) {
			tb.Errorf("%s has the status %q", check.Name, check.Status)
		}
		if check.Detail == "" || (check.Remedy == "") != (check.Status == "pass") || strings.ContainsAny(check.Detail+check.Remedy, "\r\n") {
			tb.Errorf("%+v", check)
		}
	}
	if !slices.Equal(names, readinessNames) {
		tb.Errorf("checks %q", names)
	}
	if found.OK() == failed {
		tb.Errorf("OK is %v of %+v", found.OK(), found.Checks)
	}
	if err := onlyReads(c.tenant); err != "" {
		tb.Error(err)
	}
	for line := range strings.Lines(found.String()) {
		if columns := len([]rune(strings.TrimSuffix(line, "\n"))); columns > 70 || columns == 0 {
			tb.Errorf("%d columns: %q", columns, line)
		}
	}
	return found, checks
}

// onlyReads says what a tenant was asked for beyond reads.
func onlyReads(tenant *intunetest.Tenant) string {
	for _, request := range tenant.Requests() {
		if request.Method != http.MethodGet || len(request.Body) > 0 || strings.Contains(request.Path, "requestRemoteAssistance") {
			return "was sent: " + request.String()
		}
	}
	if tenant.TotalPrompts() != 0 {
		return "somebody was asked"
	}
	return ""
}

func TestReadinessWhenAllIsWell(t *testing.T) {
	t.Parallel()
	c := newReadinessCase()
	found, checks := c.check(t)
	for name, check := range checks {
		want := intune.ReadinessStatusPass
		if name == intune.ReadinessConnector {
			want = intune.ReadinessStatusWarn // it will not be there for ever
		}
		if check.Status != want {
			t.Errorf("%+v", check)
		}
	}
	if !found.OK() || !strings.Contains(checks["connector"].Detail, "April 2027") {
		t.Errorf("%v", found)
	}
	requests := c.tenant.Requests()
	slices.SortFunc(requests, func(a, b intunetest.RecordedRequest) int { return strings.Compare(a.Path, b.Path) })
	if len(requests) != 2 || !strings.HasSuffix(requests[0].Path, "/managedDevices/"+exampleID) || !strings.HasSuffix(requests[1].Path, "/remoteAssistancePartners") {
		t.Fatalf("requests %v", requests)
	}
	if query := requests[0].RawQuery; !strings.HasPrefix(query, "$select=id,remoteAssistanceSessionUrl,remoteAssistanceSessionErrorDetails,") || strings.Contains(query, "deviceName") {
		t.Errorf("the device was read with %q", query)
	}
}

func (c *readinessCase) connector(state intune.ConnectorState) { c.tenant.SetConnector(state) }

func (c *readinessCase) fault(path string, fault intunetest.Fault) {
	fault.PathSuffix, fault.Times = path, -1
	c.tenant.Inject(fault)
}

func below(app string) func(*readinessCase) {
	return func(c *readinessCase) {
		c.tenant.AddDevice(c.device)
		c.tenant.AddDetectedApp(intune.DetectedApp{ID: app}, intune.Device(c.device.ID))
		c.address = func(d intune.DeviceRef) intune.DeviceRef { return intune.DetectedAppDevice(app, d.DeviceID()) }
	}
}

// Each case changes one thing. Of every check there is one for each status it can have.
func TestReadinessChecks(t *testing.T) {
	t.Parallel()
	partners, device := "/remoteAssistancePartners", "/managedDevices/"+exampleID
	roles := func(names ...string) func(*readinessCase) {
		return func(c *readinessCase) { c.claims = map[string]any{"roles": names} }
	}
	scopes := func(names, app string) func(*readinessCase) {
		return func(c *readinessCase) {
			c.claims = map[string]any{"scp": names, "appid": app, "upn": "anna@contoso.com"}
		}
	}
	cloudOf := func(configuration cloud.Configuration) func(*readinessCase) {
		return func(c *readinessCase) { c.cloud = configuration }
	}
	record := func(change func(*intune.ManagedDevice)) func(*readinessCase) {
		return func(c *readinessCase) { change(&c.device) }
	}
	managed := func(state intune.ManagementState) func(*readinessCase) {
		return record(func(d *intune.ManagedDevice) { d.ManagementState = state })
	}
	platform := func(os, model string) func(*readinessCase) {
		return record(func(d *intune.ManagedDevice) { d.OperatingSystem, d.Model = os, model })
	}
	android := func(os string, owner intune.ManagedDeviceOwnerType, agent intune.ManagementAgentType) func(*readinessCase) {
		return record(func(d *intune.ManagedDevice) {
			d.OperatingSystem, d.ManagedDeviceOwnerType, d.ManagementAgent = os, owner, agent
		})
	}
	synced := func(ago, allowed time.Duration) func(*readinessCase) {
		return func(c *readinessCase) {
			c.device.LastSyncDateTime = time.Now().Add(-ago)
			c.options = &intune.CheckReadinessOptions{MaxSyncAge: allowed}
		}
	}
	noUser := func(os string) func(*readinessCase) {
		return record(func(d *intune.ManagedDevice) { d.OperatingSystem, d.UserID, d.UserPrincipalName = os, "", "" })
	}
	for _, c := range []struct {
		name   string
		status intune.ReadinessStatus
		text   string // of detail and remedy
		change func(*readinessCase)
	}{
		{"cloud", "pass", "https://graph.microsoft.com, the worldwide cloud", cloudOf(cloud.AzurePublic)},
		{"cloud", "fail", "GCC High and DoD", cloudOf(intune.CloudUSGovernment)},
		{"cloud", "fail", "https://dod-graph.microsoft.us", cloudOf(intune.CloudUSGovernmentDoD)},
		{"cloud", "unknown", "https://microsoftgraph.chinacloudapi.cn; Microsoft does not say", cloudOf(intune.CloudChina)},
		{"cloud", "unknown", "https://graph.example.com", cloudOf(graphAt("https://graph.example.com"))},

		{"token", "pass", "the token is app-only, from app 5a9c2f31-1b7e-4d0a-8c44-6e2b9d8f3a57, with " + manageDevices, roles(manageDevices)},
		{"token", "pass", "Remote tasks / Offer remote assistance, which no read shows", scopes(manageDevices+" openid", "5a9c")},
		{"token", "pass", "app-only", func(c *readinessCase) { c.claims = map[string]any{"aud": "00000003-0000-0000-c000-000000000000"} }},
		{"token", "warn", "names only " + manageDevices, roles(manageConfigAll)},
		{"token", "fail", "give the app " + manageDevices + " as an application permission", roles("x", "DeviceManagementManagedDevices.Read.All")},
		{"token", "fail", "with roles " + manageConfigAll + "; the action needs " + manageDevices, func(c *readinessCase) {
			below("a1b2c3")(c)
			roles(manageConfigAll)(c)
		}},
		{"token", "fail", "the token is app-only, from app 5a9c2f31-1b7e-4d0a-8c44-6e2b9d8f3a57, without permissions", roles()},
		{"token", "fail", "from app 04b07795-8ddb-461a-bbee-02f9e1bf7b46 (Azure CLI), with scopes openid User.Read; the action needs " + manageDevices + " give the app " + manageDevices + " as a delegated permission", scopes("openid User.Read", "04b07795-8ddb-461a-bbee-02f9e1bf7b46")},
		{"token", "fail", "the token has expired", func(c *readinessCase) { c.claims = map[string]any{"exp": time.Now().Add(-time.Minute).Unix()} }},
		{"token", "fail", "the token is for https://graph.microsoft.us/, and the client calls https://graph.microsoft.com", func(c *readinessCase) { c.claims = map[string]any{"aud": "https://graph.microsoft.us/"} }},
		{"token", "fail", "the static token expired", func(c *readinessCase) {
			c.token = intune.StaticToken(jwt(map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}))
		}},
		{"token", "unknown", "cannot be read", func(c *readinessCase) { c.token = intune.StaticToken("opaque-token") }},

		{"connector", "warn", "Microsoft ends the connector behind this action about April 2027", func(c *readinessCase) { c.connector(intune.ConnectorStateOnboarded) }},
		{"connector", "fail", "has to finish the sign-in at TeamViewer", func(c *readinessCase) { c.connector(intune.ConnectorStateOnboarding) }},
		{"connector", "fail", "no active TeamViewer connector", func(c *readinessCase) { c.connector(intune.ConnectorStateNotOnboarded) }},
		{"connector", "fail", "no active TeamViewer connector", func(c *readinessCase) { c.connector("") }},
		{"connector", "unknown", "403 Forbidden", func(c *readinessCase) { c.connector(intune.ConnectorStateUnknown) }},
		{"connector", "unknown", "give the app " + readConnector + ", with an administrator's consent; or do without: the action does not need it", roles(manageDevices)},
		{"connector", "unknown", "this version of the library does not know", func(c *readinessCase) { c.connector("retired") }},
		{"connector", "unknown", "429 Too Many Requests", func(c *readinessCase) { c.fault(partners, intunetest.Fault{Status: 429, Code: "TooManyRequests"}) }},
		{"connector", "unknown", "503 Service Unavailable", func(c *readinessCase) { c.fault(partners, intunetest.Fault{Status: 503}) }},
		{"connector", "unknown", "look at the network", func(c *readinessCase) { c.fault(partners, intunetest.Fault{Drop: intunetest.DropConnect}) }},
		{"connector", "unknown", "remote-assistance partners", func(c *readinessCase) { c.fault(partners, intunetest.Fault{Status: 200, Body: "<html>sign in</html>"}) }},

		{"device", "pass", "found", func(*readinessCase) {}},
		{"device", "warn", "no permission for it is published", func(c *readinessCase) {
			c.address = func(d intune.DeviceRef) intune.DeviceRef { return intune.UserDevice("anna@contoso.com", d.DeviceID()) }
		}},
		{"device", "warn", "use intune.Device(id)", below("a1b2c3")},
		{"device", "fail", "check that the id is the Intune device id", func(c *readinessCase) {
			c.address = func(intune.DeviceRef) intune.DeviceRef { return intune.Device("e1b2") }
		}},
		{"device", "fail", "lacks the Intune license", func(c *readinessCase) {
			c.fault(device, intunetest.Fault{Status: 400, Code: "BadRequest", Message: "Request not applicable to target tenant."})
		}},
		{"device", "unknown", "give the app DeviceManagementManagedDevices.Read.All, with an administrator's consent", roles(readConnector)},
		{"device", "unknown", "403 Forbidden", func(c *readinessCase) { c.fault(device, intunetest.Fault{Status: 403, Code: "Forbidden"}) }},
		{"device", "unknown", "401 Unauthorized", func(c *readinessCase) {
			c.fault(device, intunetest.Fault{Status: 401, Code: "InvalidAuthenticationToken"})
		}},
		{"device", "unknown", "500 Internal Server Error", func(c *readinessCase) { c.fault(device, intunetest.Fault{Status: 500}) }},
		{"device", "unknown", "another device than the one asked for", func(c *readinessCase) { c.fault(device, intunetest.Fault{Status: 200, Body: `{"status":"ok"}`}) }},

		{"management", "pass", "managed", managed("Managed")},
		{"management", "pass", "wipeCanceled", managed(intune.ManagementStateWipeCanceled)},
		{"management", "pass", "retireCanceled", managed(intune.ManagementStateRetireCanceled)},
		{"management", "warn", "managed, but wipeFailed", managed(intune.ManagementStateWipeFailed)},
		{"management", "warn", "managed, but retireFailed", managed(intune.ManagementStateRetireFailed)},
		{"management", "warn", "managed, but unhealthy", managed(intune.ManagementStateUnhealthy)},
		{"management", "warn", "through configurationManagerClient", record(func(d *intune.ManagedDevice) { d.ManagementAgent = "ConfigurationManagerClient" })},
		{"management", "warn", "through jamf", record(func(d *intune.ManagedDevice) { d.ManagementAgent = intune.ManagementAgentTypeJamf })},
		{"management", "warn", "through eas", record(func(d *intune.ManagedDevice) { d.ManagementAgent = intune.ManagementAgentTypeEAS })},
		{"management", "warn", "through msSense", record(func(d *intune.ManagedDevice) { d.ManagementAgent = intune.ManagementAgentTypeMSSense })},
		{"management", "fail", "on its way out of Intune: retirePending", managed(intune.ManagementStateRetirePending)},
		{"management", "fail", "on its way out of Intune: retireIssued", managed(intune.ManagementStateRetireIssued)},
		{"management", "fail", "on its way out of Intune: wipePending", managed(intune.ManagementStateWipePending)},
		{"management", "fail", "on its way out of Intune: wipeIssued", managed(intune.ManagementStateWipeIssued)},
		{"management", "fail", "on its way out of Intune: deletePending", managed(intune.ManagementStateDeletePending)},
		{"management", "fail", "enroll the device", managed(intune.ManagementStateDiscovered)},
		{"management", "unknown", "unknownFutureValue", managed(intune.ManagementStateUnknownFutureValue)},

		{"platform", "pass", "windows", platform("windows", "Surface Laptop")},
		{"platform", "pass", "macOS", platform("macOS", "")},
		{"platform", "pass", "iPadOS", platform("iPadOS", "")},
		{"platform", "pass", "iOS", platform("iOS", "")},
		{"platform", "pass", "personally owned", android("AndroidForWork", intune.ManagedDeviceOwnerTypePersonal, intune.ManagementAgentTypeGoogleCloudDevicePolicyController)},
		{"platform", "warn", "HoloLens and Surface Hub may not work", platform("Windows", "HoloLens 2")},
		{"platform", "warn", "Surface Hub 2S", platform("Windows", "Surface Hub 2S")},
		{"platform", "warn", "HoloLens and Surface Hub may not work", platform("WindowsHolographic", "")},
		{"platform", "warn", "look at how the device was enrolled", android("Android", intune.ManagedDeviceOwnerTypeCompany, intune.ManagementAgentTypeMDM)},
		{"platform", "warn", "look at how the device was enrolled", android("Android", intune.ManagedDeviceOwnerTypeUnknown, intune.ManagementAgentTypeGoogleCloudDevicePolicyController)},
		{"platform", "fail", "company-owned Android Enterprise is not supported", android("AndroidEnterprise", "Company", intune.ManagementAgentTypeGoogleCloudDevicePolicyController)},
		{"platform", "fail", "Linux is not among the platforms", platform("Linux", "")},
		{"platform", "fail", "Windows Phone is not among the platforms", platform("Windows Phone", "")},
		{"platform", "unknown", "(blank)", platform("", "")},
		{"platform", "unknown", "Symbian", platform("Symbian", "")},

		{"sync", "pass", "last 3 hours ago, at ", synced(3*time.Hour+time.Minute, 0)},
		{"sync", "pass", "last 23 hours ago", synced(24*time.Hour-time.Minute, 0)},
		{"sync", "pass", "last a moment ago", synced(-time.Hour, 0)}, // a clock that is wrong
		{"sync", "pass", "last 6 days ago", synced(7*24*time.Hour-time.Minute, 7*24*time.Hour)},
		{"sync", "warn", "last 24 hours ago", synced(24*time.Hour+time.Minute, 0)},
		{"sync", "warn", "last 60 minutes ago", synced(time.Hour+time.Second, time.Hour)},
		{"sync", "warn", "Company Portal", synced(30*24*time.Hour, 7*24*time.Hour)},
		{"sync", "warn", "no sync is on the record", record(func(d *intune.ManagedDevice) { d.LastSyncDateTime = time.Time{} })},

		{"user", "pass", "it has one", record(func(d *intune.ManagedDevice) { d.UserID = "" })},
		{"user", "pass", "it has one", record(func(d *intune.ManagedDevice) { d.UserPrincipalName = "" })},
		{"user", "warn", "see that somebody is signed in to Company Portal", noUser("iOS")},
		{"user", "warn", "windowsBulkUserless", record(func(d *intune.ManagedDevice) { d.DeviceEnrollmentType = intune.DeviceEnrollmentTypeWindowsBulkUserless })},
		{"user", "warn", "deviceEnrollmentManager", record(func(d *intune.ManagedDevice) {
			d.DeviceEnrollmentType = intune.DeviceEnrollmentTypeDeviceEnrollmentManager
		})},
		{"user", "warn", "appleBulkWithoutUser", record(func(d *intune.ManagedDevice) {
			d.DeviceEnrollmentType = intune.DeviceEnrollmentTypeAppleBulkWithoutUser
		})},
		{"user", "fail", "TeamViewer's own portal", noUser("Windows")},

		{"session", "pass", "no link and no error text", func(*readinessCase) {}},
		{"session", "warn", "a link is on the record already", record(func(d *intune.ManagedDevice) { d.RemoteAssistanceSessionURL = intune.NewSessionURL(oldLink) })},
		{"session", "warn", "a link is on the record already", record(func(d *intune.ManagedDevice) {
			d.RemoteAssistanceSessionURL = intune.NewSessionURL("javascript:old-secret")
		})},
		{"session", "warn", "an error text is on the record already: The user was away.", record(func(d *intune.ManagedDevice) {
			d.RemoteAssistanceSessionErrorDetails = " The user\n was away. "
		})},
		{"session", "unknown", "does not give the device's session", func(c *readinessCase) {
			c.fault(device, intunetest.Fault{Status: 200, Body: `{"id":"` + exampleID + `","operatingSystem":"Windows"}`})
		}},
	} {
		t.Run(c.name+" "+string(c.status)+" "+c.text[:min(len(c.text), 30)], func(t *testing.T) {
			t.Parallel()
			world := newReadinessCase()
			c.change(world)
			_, checks := world.check(t)
			check := checks[c.name]
			if text := check.Detail + " " + check.Remedy; check.Status != c.status || !strings.Contains(text, c.text) {
				t.Errorf("%s: %s", check.Status, text)
			}
		})
	}
}
