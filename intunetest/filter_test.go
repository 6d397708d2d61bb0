package intunetest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// C§3.1: documented operators work, malformed text is refused, and all else is ignored: every device comes back.
func TestFilter(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	at := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	tenant.AddDevice(intune.ManagedDevice{
		ID: "1", DeviceName: "DESKTOP-1", SerialNumber: "A'1", OperatingSystem: "Windows", OSVersion: "10.0.1", Model: "Latitude 5",
		Manufacturer: "Dell", UserPrincipalName: "anna@contoso.com", EmailAddress: "anna@contoso.com", AzureADDeviceID: "e1",
		IMEI: "i1", JailBroken: "True",
		ComplianceState: "compliant", ManagementAgent: "mdm", ManagementState: "managed", ExchangeAccessState: "allowed",
		DeviceCategoryDisplayName: "Sales",
		PhoneNumber:               "+49 1", LastSyncDateTime: at, EnrolledDateTime: at, ComplianceGracePeriodExpirationDateTime: at,
	})
	tenant.AddDevice(intune.ManagedDevice{
		ID: "2", DeviceName: "iPhone", SerialNumber: "B2", OperatingSystem: "iOS", OSVersion: "18", Model: "iPhone 9",
		Manufacturer: "Apple", UserPrincipalName: "bob@contoso.com", LastSyncDateTime: at.AddDate(1, 0, 0),
		EnrolledDateTime: at.AddDate(1, 0, 0), ComplianceGracePeriodExpirationDateTime: at.AddDate(1, 0, 0),
	})
	tenant.AddDevice(intune.ManagedDevice{ID: "3", OperatingSystem: "macOS"})
	const all = "123"
	for filter, want := range map[string]string{
		"deviceName eq 'DESKTOP-1'":                                       "1",
		"DeviceName eq 'desktop-1'":                                       "1", // compared without case
		"deviceName eq 'DESKTOP'":                                         "",
		"contains(deviceName,'top')":                                      "1",
		"contains( deviceName , 'PHONE' )":                                "2",
		"contains(model,'latitude 5')":                                    "1",
		"contains(osVersion,'10.')":                                       "1",
		"contains(emailAddress,'anna@')":                                  "1",
		"contains(phoneNumber,'+49')":                                     "1",
		"serialNumber eq 'a''1'":                                          "1",
		"serialNumber eq 'B2'":                                            "2",
		"imei eq 'i1'":                                                    "1",
		"jailBroken eq 'True'":                                            "1",
		"jailBroken eq 'Unknown'":                                         "23",
		"model eq 'iPhone 9'":                                             "2",
		"manufacturer eq 'apple'":                                         "2",
		"azureADDeviceId eq 'E1'":                                         "1",
		"userPrincipalName eq 'ANNA@contoso.com'":                         "1",
		"userPrincipalName ne 'anna@contoso.com'":                         "23",
		"complianceState eq 'compliant'":                                  "1",
		"complianceState eq 'unknown'":                                    "23",
		"managementAgent eq 'mdm'":                                        "1",
		"managementState eq 'managed'":                                    all,
		"exchangeAccessState eq 'allowed'":                                "1",
		"deviceCategoryDisplayName eq 'Sales'":                            "1",
		"lastSyncDateTime gt 2025-12-31T00:00:00Z":                        "2",
		"lastSyncDateTime lt 2025-12-31T00:00:00Z":                        "13", // never is year 1
		"lastSyncDateTime gt 2025-06-01T01:59:59.999%2B02:00":             "12",
		"enrolledDateTime gt 2025-06-01T00:00:00Z":                        "2",
		"complianceGracePeriodExpirationDateTime lt 2026-01-01T00:00:00Z": "13",
		"operatingSystem eq 'iOS' or operatingSystem eq 'macOS'":          "23",
		"serialNumber eq 'B2' or operatingSystem eq 'macOS'":              "23",
		"deviceName eq 'iPhone' and operatingSystem eq 'ios'":             "2",
		"deviceName eq 'iPhone' and operatingSystem eq 'mac'":             "",
		"(deviceName eq 'iPhone') and (contains(model,'9'))":              "2",
		"(operatingSystem eq 'iOS' or operatingSystem eq 'macOS') and enrolledDateTime gt 2025-06-02T00:00:00Z": "2",
		"(operatingSystem eq 'iOS') or operatingSystem eq 'macOS'":                                              "23",
		"contains(model,'9') and (operatingSystem eq 'iOS' or operatingSystem eq 'macOS')":                      "2",
		strings.Repeat("(", 50) + "imei eq 'i1'" + strings.Repeat(")", 50):                                      "1",
		"": all, " ": all,

		// Ignored: properties without a documented operator, and operators that are not documented for the property.
		"userId eq 'x'": all,
		"id eq '1'":     all,
		"deviceEnrollmentType eq 'userEnrollment'":                                  all,
		"skuFamily eq 'Pro'":                                                        all,
		"deviceName EQ 'iPhone'":                                                    all,
		"startswith(model,'i')":                                                     all,
		"startswith(deviceName)":                                                    all,
		"contains(serialNumber,'B')":                                                all,
		"contains(tolower(deviceName),'b')":                                         all,
		"not (deviceName eq 'iPhone')":                                              all,
		"lastSyncDateTime ge 2025-12-31T00:00:00Z":                                  all,
		"lastSyncDateTime gt '2025-12-31T00:00:00Z'":                                all,
		"lastSyncDateTime gt yesterday":                                             all,
		"isEncrypted eq true":                                                       all,
		"complianceState eq compliant":                                              all,
		"deviceName eq 'a' or model eq 'b'":                                         all, // or is stated for neither
		"operatingSystem eq 'iOS' or contains(model,'b')":                           all,
		"operatingSystem eq 'iOS' or manufacturer eq 'a' and imei eq 'b'":           all,
		"userPrincipalName eq ''":                                                   all,
		"contains(deviceName,' ')":                                                  all,
		"deviceName eq 'iPhone' and userId eq 'x'":                                  all, // as a whole
		"deviceName eq 'iPhone' deviceName":                                         all,
		"'iPhone' eq deviceName":                                                    all,
		"deviceName 'eq' 'iPhone'":                                                  all,
		"deviceName eq 'iPhone' 'and' model eq 'x'":                                 all,
		"operatingSystem or 'iOS'":                                                  all, // or is listed as an operator and is none here
		"contains(model,'b') or (operatingSystem eq 'iOS')":                         all,
		"(contains(model,'9')) or operatingSystem eq 'iOS'":                         all,
		"operatingSystem eq 'iOS' or (operatingSystem eq 'macOS' and imei eq 'i1')": all,
		"contains deviceName eq 'iPhone'":                                           all,
		"contains":                                                                  all,
		"contains(deviceName 'iPhone')":                                             all,
		"contains(deviceName,'iPhone' 'x')":                                         all,
		"contains(deviceName,'iPhone' and imei eq 'i1')":                            all,
		"(imei eq 'i1' imei)":                                                       all,
		"'imei' eq 'i1'":                                                            all,
		"()()()":                                                                    all,
		strings.Repeat("(", 51) + "imei eq 'i1'" + strings.Repeat(")", 51):          all,
		strings.Repeat("(", 99) + "imei eq 'i1'" + strings.Repeat(")", 99):          all,

		// Refused: no OData.
		"deviceName eq 'iPhone":         "400",
		"(deviceName eq 'iPhone'":       "400",
		"deviceName eq 'iPhone')":       "400",
		"imei eq 'a') and (imei eq 'b'": "400",
		")(":                            "400",
		"deviceName eq":                 "400",
		"deviceName eq 'a' and":         "400",
		"contains(deviceName,'a') or":   "400",
	} {
		for _, url := range []string{
			devicesURL + "?$filter=" + strings.NewReplacer("%2B", "%2B", " ", "%20", "+", "%2B", "'", "%27").Replace(filter),
			devicesURL + "?$top=1000&$filter=" + strings.ReplaceAll(url.QueryEscape(strings.ReplaceAll(filter, "%2B", "+")), "%20", "+"),
		} {
			r := send(t, inProcess(tenant), http.MethodGet, url, "")
			got := "400"
			if r.status == http.StatusOK {
				var ids []string
				for _, item := range r.json(t)["value"].([]any) {
					ids = append(ids, item.(map[string]any)["id"].(string))
				}
				got = strings.Join(ids, "")
			} else if r.status != http.StatusBadRequest || r.envelope(t).Error.Message != "Invalid filter clause" {
				got = r.body
			}
			if got != want {
				t.Errorf("%s: got %q, want %q", filter, got, want)
			}
		}
	}
	// C§3.1: eq by Entra device id does not go together with $count.
	for query, want := range map[string]int{"": 1, "&$count=false": 1, "&$count=true": 3} {
		if got := len(get(t, inProcess(tenant), devicesURL+"?$filter=azureADDeviceId%20eq%20'e1'"+query)["value"].([]any)); got != want {
			t.Errorf("%s: %d devices, want %d", query, got, want)
		}
	}
	// Any other filter does.
	if got := len(get(t, inProcess(tenant), devicesURL+"?$filter=imei%20eq%20'i1'&$count=true")["value"].([]any)); got != 1 {
		t.Errorf("by IMEI with $count: %d devices", got)
	}
}

// [R] What users report of operators that the documentation does not state: ne behaves like eq (C§3.1,
// Intune-PowerShell-SDK #114 and microsoft-graph-docs #9953), startswith like contains, and the apps' contains works.
func TestFilterAsReported(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	tenant.AddDevice(intune.ManagedDevice{ID: "1", DeviceName: "DESKTOP-1", OperatingSystem: "Windows", ManagedDeviceOwnerType: "company"})
	tenant.AddDevice(intune.ManagedDevice{
		ID: "2", DeviceName: "iPhone", OperatingSystem: "iOS", ManagementAgent: "mdm", ManagedDeviceOwnerType: "personal",
	})
	tenant.AddDevice(intune.ManagedDevice{ID: "3", DeviceName: "old-desktop"})
	tenant.AddDetectedApp(intune.DetectedApp{ID: "4", DisplayName: "Notepad"})
	tenant.AddDetectedApp(intune.DetectedApp{ID: "5", DisplayName: "Word", Publisher: "Notepad"})
	for _, c := range []struct{ path, filter, want string }{
		{devicesPath, "operatingSystem ne 'iOS'", "2"},
		{devicesPath, "(managementAgent eq 'mdm') and (operatingSystem ne 'iOS')", "2"},
		{devicesPath, "deviceName ne 'iPhone'", "2"},
		{devicesPath, "managedDeviceOwnerType eq 'company'", "1"},
		{devicesPath, "managedDeviceOwnerType ne 'company'", "1"},
		{devicesPath, "userId ne 'x'", "123"},
		{devicesPath, "startswith(deviceName,'desk')", "13"},
		{devicesPath, "startswith(deviceName,'phone')", "2"},
		{devicesPath, "startswith(deviceName,'desk') and operatingSystem eq 'Windows'", "1"},
		{appsPath, "contains(displayName,'NOTE')", "4"},
		{appsPath, "contains(displayName,'x')", ""},
		{appsPath, "displayName eq 'Word'", "45"},
		{appsPath, "contains(publisher,'Note')", "45"},
		{appsPath, "", "45"},
	} {
		var ids strings.Builder
		for _, item := range get(t, inProcess(tenant), graph+c.path+"?$filter="+url.PathEscape(c.filter))["value"].([]any) {
			ids.WriteString(item.(map[string]any)["id"].(string))
		}
		if ids.String() != c.want {
			t.Errorf("%s %s: got %q, want %q", c.path, c.filter, ids.String(), c.want)
		}
	}
	open := "?$filter=" + url.PathEscape("contains(displayName,'")
	if r := send(t, inProcess(tenant), http.MethodGet, graph+appsPath+open, ""); r.status != http.StatusBadRequest {
		t.Errorf("an open quote: %d %s", r.status, r.body)
	}
}
