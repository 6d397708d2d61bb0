package intunetest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-intune/intune/intunetest"
)

// A $select of what the type does not have is refused for every type alike. [R] of devices: the text of the refusal
// is the one that users quote for Graph's own parser.
func TestSelectOfUnknownProperties(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, path, typeName string }{
		{"devices", devicesPath, "managedDevice"},
		{"device", devicesPath + "/" + deviceID, "managedDevice"},
		{"apps", "/v1.0/deviceManagement/detectedApps", "detectedApp"},
		{"app", "/v1.0/deviceManagement/detectedApps/" + appID, "detectedApp"},
		{"devices of an app", "/v1.0/deviceManagement/detectedApps/" + appID + "/managedDevices", "managedDevice"},
		{"partners", partnersPath, "remoteAssistancePartner"},
		{"audit events", auditPath, "auditEvent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tenant := intunetest.NewTenant(nil)
			populate(tenant)
			r := send(t, inProcess(tenant), http.MethodGet, graph+c.path+"?$select=nope", "")
			if want := "Could not find a property named 'nope' on type 'microsoft.graph." + c.typeName + "'."; r.status != http.StatusBadRequest ||
				!strings.HasSuffix(r.envelope(t).Error.Message, want) {
				t.Errorf("got %d %s", r.status, r.body)
			}
			if r := send(t, inProcess(tenant), http.MethodGet, graph+c.path+"?$select=ID", ""); r.status != http.StatusOK || r.json(t) == nil {
				t.Errorf("$select=ID: %d %s", r.status, r.body)
			}
		})
	}
	tenant := intunetest.NewTenant(nil)
	partner := partners(t, inProcess(tenant), graph)[0].(map[string]any)["id"].(string)
	if r := send(t, inProcess(tenant), http.MethodGet, graph+partnersPath+"/"+partner+"?$select=nope", ""); r.status != http.StatusBadRequest {
		t.Errorf("partner: %d %s", r.status, r.body)
	}
}
