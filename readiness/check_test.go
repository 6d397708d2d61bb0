package readiness_test

import (
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/readiness"
)

// The ends of the paths of the two reads.
const (
	partnersEnd = "/remoteAssistancePartners"
	deviceEnd   = "/managedDevices/" + graphtest.DeviceID
)

// readinessFinding is what one check finds once one thing was changed.
type readinessFinding struct {
	status readiness.Status
	text   string // within detail and remedy, behind which there is a line break
	change func(*readinessCase)
}

func checkFindings(t *testing.T, name string, findings []readinessFinding) {
	t.Helper()
	for _, f := range findings {
		t.Run(string(f.status)+" "+strings.TrimSpace(f.text[:min(len(f.text), 30)]), func(t *testing.T) {
			t.Parallel()
			c := newReadinessCase()
			f.change(c)
			_, checks := c.check(t)
			if text := checks[name].Detail + " " + checks[name].Remedy + "\n"; checks[name].Status != f.status || !strings.Contains(text, f.text) {
				t.Errorf("%s: %s", checks[name].Status, text)
			}
		})
	}
}

func (c *readinessCase) fault(path string, fault intunetest.Fault) {
	fault.PathSuffix, fault.Times = path, -1
	c.tenant.Inject(fault)
}

func withFault(path string, fault intunetest.Fault) func(*readinessCase) {
	return func(c *readinessCase) { c.fault(path, fault) }
}

func withConnector(state intune.ConnectorState) func(*readinessCase) {
	return func(c *readinessCase) { c.tenant.SetConnector(state) }
}

func withRoles(names ...string) func(*readinessCase) {
	return func(c *readinessCase) { c.claims = map[string]any{"roles": names} }
}

func withScopes(names, app string) func(*readinessCase) {
	return func(c *readinessCase) {
		c.claims = map[string]any{"scp": names, "appid": app, "upn": "anna@contoso.com"}
	}
}

func withClaim(name string, value any) func(*readinessCase) {
	return func(c *readinessCase) { c.claims = map[string]any{name: value} }
}

func withCloud(configuration cloud.Configuration) func(*readinessCase) {
	return func(c *readinessCase) { c.cloud = configuration }
}

func withRecord(change func(*intune.ManagedDevice)) func(*readinessCase) {
	return func(c *readinessCase) { change(&c.device) }
}

func withState(state intune.ManagementState) func(*readinessCase) {
	return withRecord(func(d *intune.ManagedDevice) { d.ManagementState = state })
}

func withAgent(agent intune.ManagementAgentType) func(*readinessCase) {
	return withRecord(func(d *intune.ManagedDevice) { d.ManagementAgent = agent })
}

func withEnrollment(kind intune.DeviceEnrollmentType) func(*readinessCase) {
	return withRecord(func(d *intune.ManagedDevice) { d.DeviceEnrollmentType = kind })
}

func withLink(link string) func(*readinessCase) {
	return withRecord(func(d *intune.ManagedDevice) { d.RemoteAssistanceSessionURL = intune.NewSessionURL(link) })
}

func withPlatform(os, model string) func(*readinessCase) {
	return withRecord(func(d *intune.ManagedDevice) { d.OperatingSystem, d.Model = os, model })
}

func withAndroid(os string, owner intune.ManagedDeviceOwnerType, agent intune.ManagementAgentType) func(*readinessCase) {
	return withRecord(func(d *intune.ManagedDevice) {
		d.OperatingSystem, d.ManagedDeviceOwnerType, d.ManagementAgent = os, owner, agent
	})
}

func withSync(ago, allowed time.Duration) func(*readinessCase) {
	return func(c *readinessCase) {
		c.device.LastSyncDateTime = time.Now().Add(-ago)
		c.options = &readiness.Options{MaxSyncAge: allowed}
	}
}

func withoutUser(os string) func(*readinessCase) {
	return withRecord(func(d *intune.ManagedDevice) { d.OperatingSystem, d.UserID, d.UserPrincipalName = os, "", "" })
}

func below(app string) func(*readinessCase) {
	return func(c *readinessCase) {
		c.tenant.AddDevice(c.device)
		c.tenant.AddDetectedApp(intune.DetectedApp{ID: app}, intune.Device(c.device.ID))
		c.address = func(d intune.DeviceRef) intune.DeviceRef { return intune.DetectedAppDevice(app, d.DeviceID()) }
	}
}

func TestReadinessOfTheCloud(t *testing.T) {
	t.Parallel()
	checkFindings(t, readiness.Cloud, []readinessFinding{
		{"pass", "https://graph.microsoft.com, the worldwide cloud", withCloud(cloud.AzurePublic)},
		{"fail", "GCC High and DoD", withCloud(intune.CloudUSGovernment)},
		{"fail", "https://dod-graph.microsoft.us", withCloud(intune.CloudUSGovernmentDoD)},
		{"unknown", "https://microsoftgraph.chinacloudapi.cn; Microsoft does not say", withCloud(intune.CloudChina)},
		{"unknown", "https://graph.example.com", withCloud(graphtest.Cloud(intune.ServiceGraph, "https://graph.example.com"))},
	})
}

func TestReadinessOfTheToken(t *testing.T) {
	t.Parallel()
	checkFindings(t, readiness.Token, []readinessFinding{
		{"pass", "the token is app-only, from app 5a9c2f31-1b7e-4d0a-8c44-6e2b9d8f3a57, with " + manageDevices, withRoles(manageDevices)},
		{"pass", "Remote tasks / Offer remote assistance, which no read shows", withScopes(manageDevices+" openid", "5a9c")},
		{"pass", "app-only", withClaim("aud", "00000003-0000-0000-c000-000000000000")},
		{"warn", "names only " + manageDevices, withRoles(manageConfigAll)},
		{"fail", "give the app " + manageDevices + " as an application permission", withRoles("x", "DeviceManagementManagedDevices.Read.All")},
		{"fail", "with roles " + manageConfigAll + "; the action needs " + manageDevices, func(c *readinessCase) {
			below("a1b2c3")(c)
			withRoles(manageConfigAll)(c)
		}},
		{"fail", "the token is app-only, from app 5a9c2f31-1b7e-4d0a-8c44-6e2b9d8f3a57, without permissions", withRoles()},
		{"fail", "from app 04b07795-8ddb-461a-bbee-02f9e1bf7b46 (Azure CLI), with scopes openid User.Read; the action needs " + manageDevices + " give the app " + manageDevices + " as a delegated permission", withScopes("openid User.Read", "04b07795-8ddb-461a-bbee-02f9e1bf7b46")},
		{"fail", "the token has expired", withClaim("exp", time.Now().Add(-time.Minute).Unix())},
		{"fail", "the token is for https://graph.microsoft.us/, and the client calls https://graph.microsoft.com", withClaim("aud", "https://graph.microsoft.us/")},
		{"fail", "there is none: the static token expired", func(c *readinessCase) {
			c.token = intune.StaticToken(graphtest.JWT(map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}))
		}},
		{"unknown", "cannot be read", func(c *readinessCase) { c.token = intune.StaticToken("opaque-token") }},
	})
}

func TestReadinessOfTheConnector(t *testing.T) {
	t.Parallel()
	checkFindings(t, readiness.Connector, []readinessFinding{
		{"warn", "Microsoft retires this connector and wants customers to have moved by about April 2027", withConnector(intune.ConnectorStateOnboarded)},
		{"fail", "has to finish the sign-in at TeamViewer", withConnector(intune.ConnectorStateOnboarding)},
		{"fail", "no active TeamViewer connector", withConnector(intune.ConnectorStateNotOnboarded)},
		{"fail", "no active TeamViewer connector", withConnector("")},
		{"unknown", "403 Forbidden", withConnector(intune.ConnectorStateUnknown)},
		{"unknown", "give the app " + readConnector + ", with an administrator's consent; or do without: the action does not need it", withRoles(manageDevices)},
		{"unknown", "this version of the library does not know", withConnector("retired")},
		{"unknown", "429 Too Many Requests", withFault(partnersEnd, intunetest.Fault{Status: 429, Code: "TooManyRequests"})},
		{"unknown", "503 Service Unavailable", withFault(partnersEnd, intunetest.Fault{Status: 503})},
		{"unknown", "look at the network and the proxy\n", withFault(partnersEnd, intunetest.Fault{Drop: intunetest.DropConnect})},
		{"unknown", "remote-assistance partners", withFault(partnersEnd, intunetest.Fault{Status: 200, Body: "<html>sign in</html>"})},
	})
}
