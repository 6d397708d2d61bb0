package main

import (
	"reflect"
	"strings"

	"github.com/go-intune/intune"
)

// knownWords are the words of texts that are the same in every tenant: Microsoft's error codes and sentences, the names
// of permissions, the states and activity types, the names of remote actions, the properties of a device that only beta
// documents, and what Go's network errors say. No word belongs here that could be a
// person's, a device's or a company's name.
const knownWords = `
a an and any are at be body by call can code could does error errors exist exists failed find for found from get given has have
header headers if in information is it its must not of on one only or path please present query request requested required
resource response service such supported than that the this to true false null unknown used was were with without you your

accessDenied activityLimitReached badRequest BadRequest Forbidden generalException InternalServerError invalidRequest
InvalidAuthenticationToken itemNotFound NotFound notAllowed notSupported NotImplemented quotaLimitReached
Request_ResourceNotFound Request_BadRequest ResourceNotFound resourceModified serviceNotAvailable ServiceUnavailable
throttledRequest TooManyRequests unauthenticated Unauthorized UnknownError Authorization_RequestDenied
Authentication_RequestFromNonPremiumTenantOrB2CTenant
insufficient privileges complete operation access token empty expired invalid

No method match route template OData http verb GET POST segment An has occurred Application authorized perform following scopes
Operation ID (for customer support Activity Url /me delegated authentication flow valid filter clause next link leads elsewhere
Parsing Select Expand
property named type microsoft.graph.managedDevice microsoft.graph.auditEvent microsoft.graph.detectedApp value $top between
malformed option noSuchProperty 1 1000 1001 - reference-property objects their queried version user device devices

DeviceManagementManagedDevices.Read.All DeviceManagementManagedDevices.ReadWrite.All
DeviceManagementManagedDevices.PrivilegedOperations.All
DeviceManagementConfiguration.Read.All DeviceManagementConfiguration.ReadWrite.All
DeviceManagementServiceConfig.Read.All DeviceManagementServiceConfig.ReadWrite.All
DeviceManagementApps.Read.All DeviceManagementApps.ReadWrite.All
User.Read User.Read.All User.ReadBasic.All User.ReadWrite.All Directory.Read.All Directory.ReadWrite.All openid profile email offline_access

onboarded onboarding notOnboarded TeamViewer connector configured account remote assistance session created because
retire wipe resetPasscode remoteLock disableLostMode locateDevice bypassActivationLock rebootNow shutDown recoverPasscode
cleanWindowsDevice logoutSharedAppleDeviceActiveUser deleteUserFromSharedAppleDevice syncDevice windowsDefenderScan
windowsDefenderUpdateSignatures updateWindowsDeviceAccount

aadRegistered autopilotEnrolled azureActiveDirectoryDeviceId bootstrapTokenEscrowed chassisType chromeOSDeviceInfo
configurationManagerClientHealthState configurationManagerClientInformation deviceCategory
deviceFirmwareConfigurationInterfaceManaged deviceType hardwareInformation joinType logCollectionRequests lostModeState
managementFeatures ownerType preferMdmOverGroupPolicyAppliedDateTime processorArchitecture retireAfterDateTime
roleScopeTagIds securityPatchLevel skuFamily skuNumber specificationVersion usersLoggedOn windowsActiveMalwareCount
windowsProtectionState windowsRemediatedMalwareCount

requestRemoteAssistance launchRemoteHelp remoteAssistance ManagedDevice ManagedDevices detectedApps remoteAssistancePartners
auditEvents deviceManagement users Patch Create Delete Action Success Failure
application/json text/html Bearer JSON

EOF unexpected connection refused reset peer timeout deadline exceeded context canceled dial tcp tls i/o lookup host
certificate signed authority handshake
`

var vocabulary = words()

// words adds to the known words the property names of Microsoft's schema.
func words() map[string]bool {
	all := map[string]bool{}
	for word := range strings.FieldsSeq(knownWords) {
		all[strings.ToLower(strings.Trim(word, margin))] = true
	}
	for _, model := range []any{
		intune.ManagedDevice{}, intune.DetectedApp{}, intune.RemoteAssistancePartner{}, intune.AuditEvent{},
	} {
		for _, name := range propertyNames(model) {
			all[strings.ToLower(name)] = true
		}
	}
	delete(all, "")
	return all
}

// propertyNames are the names of the properties of a model, in the order of its fields.
func propertyNames(model any) []string {
	var names []string
	for field := range reflect.TypeOf(model).Fields() {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" && name != "-" && !strings.HasPrefix(name, "@") {
			names = append(names, name)
		}
	}
	return names
}
