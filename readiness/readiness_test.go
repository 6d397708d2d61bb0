package readiness_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

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
	options *readiness.Options
}

func newReadinessCase() *readinessCase {
	return &readinessCase{tenant: intunetest.NewTenant(nil), device: intune.ManagedDevice{
		ID: graphtest.DeviceID, OperatingSystem: "Windows", ManagementState: intune.ManagementStateManaged, ManagementAgent: intune.ManagementAgentTypeMDM,
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
func (c *readinessCase) check(tb testing.TB) (readiness.Report, map[string]readiness.Result) {
	tb.Helper()
	ref := c.tenant.AddDevice(c.device)
	if c.address != nil {
		ref = c.address(ref)
	}
	found, err := readiness.Check(tb.Context(), c.client(tb), ref, c.options)
	if err != nil {
		tb.Fatal(err)
	}
	if found.Device != ref {
		tb.Errorf("it is about %#v", found.Device)
	}
	var names []string
	checks, failed := map[string]readiness.Result{}, false
	for _, check := range found.Checks {
		names = append(names, check.Name)
		checks[check.Name] = check
		failed = failed || check.Status == "fail"
		if !slices.Contains(readiness.PossibleStatusValues(), check.Status) {
			tb.Errorf("%s has the status %q", check.Name, check.Status)
		}
		if check.Detail == "" || (check.Remedy == "") != (check.Status == "pass") || strings.ContainsAny(check.Detail+check.Remedy, "\r\n") {
			tb.Errorf("%+v", check)
		}
		if strings.Contains(check.Detail, "hint:") || strings.Contains(check.Detail, "on device") {
			tb.Errorf("the detail says what is elsewhere: %+v", check)
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
		want := readiness.Pass
		if name == readiness.Connector {
			want = readiness.Warn // it will not be there for ever
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
	if len(requests) != 3 || !strings.HasSuffix(requests[0].Path, "/managedDevices/"+graphtest.DeviceID) || !strings.HasSuffix(requests[2].Path, "/remoteAssistancePartners") {
		t.Fatalf("requests %v", requests)
	}
}
