package intune

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// fullPage is a page of devices in which every property has a value, the rare ones included: more than the service
// sends in a list. It is the same at every call.
func fullPage(devices int) []byte {
	return buildPage(devices, fullDevice)
}

// listPage is a page as the service sends it: what is only read by id is null, empty or 0, and few devices attested.
func listPage(devices int) []byte {
	return buildPage(devices, func(i int) map[string]any {
		device := fullDevice(i)
		for _, name := range []string{
			"activationLockBypassCode", "ethernetMacAddress", "iccid", "notes", "remoteAssistanceSessionUrl", "udid",
			"remoteAssistanceSessionErrorDetails",
		} {
			device[name] = nil
		}
		device["physicalMemoryInBytes"] = 0
		device["easActivationDateTime"] = "0001-01-01T00:00:00Z"
		device["exchangeLastSuccessfulSyncDateTime"] = "0001-01-01T00:00:00Z"
		device["deviceActionResults"] = []any{}
		if i%20 != 0 {
			device["deviceHealthAttestationState"] = nil
			device["configurationManagerClientEnabledFeatures"] = nil
		}
		if i%4 != 0 {
			device["imei"], device["meid"], device["phoneNumber"], device["subscriberCarrier"] = "", "", "", ""
			device["androidSecurityPatchLevel"] = ""
		}
		return device
	})
}

func buildPage(devices int, device func(int) map[string]any) []byte {
	rows := make([]any, devices)
	for i := range rows {
		rows[i] = device(i)
	}
	return asJSON(map[string]any{
		"@odata.context":  "https://graph.microsoft.com/v1.0/$metadata#deviceManagement/managedDevices",
		"@odata.count":    devices,
		"@odata.nextLink": "https://graph.microsoft.com/v1.0/deviceManagement/managedDevices?$skiptoken=abc%27def",
		"value":           rows,
	})
}

func asJSON(value any) []byte {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // as the service writes it
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return []byte(text.String())
}

func fullDevice(i int) map[string]any {
	type list = []string
	pick := func(from list) string { return from[i%len(from)] }
	guid := func(kind int) string {
		return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", uint32(i)*2654435761, kind, i%4096, kind%4096, i*40503+kind)
	}
	date := func(hours int) string {
		return time.Date(2026, 3, 1, 8, 30, 15, 1234567*100*(hours%8), time.UTC).
			Add(time.Duration(hours*i) * time.Hour / 16).Format("2006-01-02T15:04:05.9999999Z07:00")
	}
	user := pick(list{"adele.vance", "megan.bowen", "jörg.müller", "diego.siciliani", "lidia.holloway"}) + strconv.Itoa(i)
	results := []any{
		map[string]any{
			"@odata.type": "#microsoft.graph.locateDeviceActionResult", "actionName": "locateDevice", "actionState": "done",
			"startDateTime": date(11), "lastUpdatedDateTime": date(12),
			"deviceLocation": map[string]any{
				"altitude": 35.5, "heading": "NaN", "horizontalAccuracy": 12, "lastCollectedDateTime": date(13),
				"latitude": 48.1371 + float64(i)/1000, "longitude": 11.5754, "speed": 0.5, "verticalAccuracy": 3,
			},
		},
		map[string]any{
			"@odata.type": "#microsoft.graph.resetPasscodeActionResult", "actionName": "resetPasscode",
			"actionState": "failed", "startDateTime": date(14), "lastUpdatedDateTime": date(15), "errorCode": -2016281111,
			"passcode": fmt.Sprintf("%06d", i),
		},
	}
	return map[string]any{
		"id":                        guid(1),
		"activationLockBypassCode":  fmt.Sprintf("%05X-%05X-%04X", i, i*7, i*3),
		"androidSecurityPatchLevel": pick(list{"2026-05-05", "2026-06-05", "2026-07-01"}),
		"azureADDeviceId":           guid(2),
		"azureADRegistered":         i%2 == 0,
		"complianceGracePeriodExpirationDateTime": pick(list{"9999-12-31T23:59:59.9999999Z", date(1)}),
		"complianceState":                         pick(list{"compliant", "noncompliant", "inGracePeriod"}),
		"configurationManagerClientEnabledFeatures": map[string]any{
			"inventory": true, "modernApps": i%2 == 0, "resourceAccess": false, "deviceConfiguration": true,
			"compliancePolicy": true, "windowsUpdateForBusiness": i%2 == 0,
		},
		"deviceActionResults":       results,
		"deviceCategoryDisplayName": pick(list{"Office", "Field", "Kiosk"}),
		"deviceEnrollmentType":      pick(list{"windowsAzureADJoin", "userEnrollment", "windowsCoManagement"}),
		"deviceHealthAttestationState": map[string]any{
			"lastUpdateDateTime":            "2026-06-01 10:11:12",
			"contentNamespaceUrl":           "http://schemas.microsoft.com/windows/security/healthcertificate/validation/response/v3",
			"deviceHealthAttestationStatus": "healthy", "contentVersion": "3.0", "issuedDateTime": date(2),
			"attestationIdentityKey": "present", "resetCount": i, "restartCount": 2 * i, "dataExcutionPolicy": "OptIn",
			"bitLockerStatus": "on", "bootManagerVersion": "10.0.26100.1", "codeIntegrityCheckVersion": "1",
			"secureBoot": "Enabled", "bootDebugging": "Disabled", "operatingSystemKernelDebugging": "Disabled",
			"codeIntegrity": "Enabled", "testSigning": "Disabled", "safeMode": "Disabled", "windowsPE": "Disabled",
			"earlyLaunchAntiMalwareDriverProtection": "Enabled", "virtualSecureMode": "Enabled",
			"pcrHashAlgorithm": "SHA256", "bootAppSecurityVersion": "1", "bootManagerSecurityVersion": "1",
			"tpmVersion": "2.0", "pcr0": "3F2A", "secureBootConfigurationPolicyFingerPrint": "A1B2C3",
			"codeIntegrityPolicy": "p", "bootRevisionListInfo": "b", "operatingSystemRevListInfo": "o",
			"healthStatusMismatchInfo": "none", "healthAttestationSupportedStatus": "supported",
		},
		"deviceName":                          fmt.Sprintf("%s-LAPTOP-%04d", strings.ToUpper(user), i),
		"deviceRegistrationState":             "registered",
		"easActivated":                        true,
		"easActivationDateTime":               date(3),
		"easDeviceId":                         fmt.Sprintf("%032X", i*99991),
		"emailAddress":                        user + "@contoso.example",
		"enrolledDateTime":                    date(4),
		"enrollmentProfileName":               pick(list{"Autopilot", "ADE iPad"}),
		"ethernetMacAddress":                  fmt.Sprintf("0050568%05X", i),
		"exchangeAccessState":                 pick(list{"allowed", "none"}),
		"exchangeAccessStateReason":           pick(list{"compliant", "unknown"}),
		"exchangeLastSuccessfulSyncDateTime":  date(5),
		"freeStorageSpaceInBytes":             int64(i) * 131072000,
		"iccid":                               fmt.Sprintf("8949020000%09d", i),
		"imei":                                fmt.Sprintf("35%013d", i),
		"isEncrypted":                         true,
		"isSupervised":                        i%2 == 0,
		"jailBroken":                          pick(list{"Unknown", "False"}),
		"lastSyncDateTime":                    date(6),
		"managedDeviceName":                   user + "_Windows_" + date(7),
		"managedDeviceOwnerType":              pick(list{"company", "personal"}),
		"managementAgent":                     pick(list{"mdm", "configurationManagerClientMdm", "futureAgent"}),
		"managementCertificateExpirationDate": date(9),
		"managementState":                     "managed",
		"manufacturer":                        pick(list{"Dell Inc.", "Apple", "LENOVO", "Microsoft Corporation"}),
		"meid":                                fmt.Sprintf("A%013d", i),
		"model":                               pick(list{"Latitude 7440", "iPhone 15", "21HMCTO1WW", "Surface Pro 9", `iPad Pro 12.9"`}),
		"notes":                               "Handed out at the\nmain desk, see ticket " + strconv.Itoa(i),
		"operatingSystem":                     pick(list{"Windows", "iOS", "Android"}),
		"osVersion":                           pick(list{"10.0.26100.4061", "18.5", "15"}),
		"partnerReportedThreatState":          pick(list{"secured", "activated"}),
		"phoneNumber":                         fmt.Sprintf("+49 89 %07d", i),
		"physicalMemoryInBytes":               int64(17179869184),
		"remoteAssistanceSessionErrorDetails": "The session could not be made " + strconv.Itoa(i),
		"remoteAssistanceSessionUrl":          "https://get.teamviewer.com/en/s" + strconv.Itoa(100000000+i),
		"requireUserEnrollmentApproval":       i%2 == 1,
		"serialNumber":                        fmt.Sprintf("SN%08X", i*7919),
		"subscriberCarrier":                   pick(list{"Telekom.de", "Vodafone"}),
		"totalStorageSpaceInBytes":            int64(511101108224),
		"udid":                                fmt.Sprintf("00008030-%016X", i*104729),
		"userDisplayName":                     strings.ReplaceAll(user, ".", " "),
		"userId":                              guid(3),
		"userPrincipalName":                   user + "@contoso.example",
		"wiFiMacAddress":                      fmt.Sprintf("A4C3F0%06X", i),
	}
}

// plainType is the type with the same fields and tags but none of this package's methods, so that encoding/json decodes
// it by reflection alone. leaf may exchange the types that are not structs of this package.
func plainType(t reflect.Type, leaf func(reflect.Type) reflect.Type) reflect.Type {
	switch {
	case t == reflect.TypeFor[SessionURL]() || t == reflect.TypeFor[Secret]() || t == reflect.TypeFor[time.Time]():
		return leaf(t)
	case t.Kind() == reflect.Slice:
		return reflect.SliceOf(plainType(t.Elem(), leaf))
	case t.Kind() == reflect.Pointer:
		return reflect.PointerTo(plainType(t.Elem(), leaf))
	case t.Kind() != reflect.Struct:
		return leaf(t)
	}
	var fields []reflect.StructField
	for field := range t.Fields() {
		fields = append(fields, reflect.StructField{
			Name: field.Name, Type: plainType(field.Type, leaf), Tag: field.Tag,
		})
	}
	return reflect.StructOf(fields)
}
