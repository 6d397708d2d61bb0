package intune

// DetectedAppPlatformType is the platform of an application found on devices. A member that is not listed here is
// kept as received.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-devices-detectedappplatformtype
type DetectedAppPlatformType string

const (
	// DetectedAppPlatformTypeUnknown: not known.
	DetectedAppPlatformTypeUnknown DetectedAppPlatformType = "unknown"

	// DetectedAppPlatformTypeWindows: Windows.
	DetectedAppPlatformTypeWindows DetectedAppPlatformType = "windows"

	// DetectedAppPlatformTypeWindowsMobile: Windows Mobile.
	DetectedAppPlatformTypeWindowsMobile DetectedAppPlatformType = "windowsMobile"

	// DetectedAppPlatformTypeWindowsHolographic: Windows Holographic.
	DetectedAppPlatformTypeWindowsHolographic DetectedAppPlatformType = "windowsHolographic"

	// DetectedAppPlatformTypeIOS: iOS and iPadOS.
	DetectedAppPlatformTypeIOS DetectedAppPlatformType = "ios"

	// DetectedAppPlatformTypeMacOS: macOS.
	DetectedAppPlatformTypeMacOS DetectedAppPlatformType = "macOS"

	// DetectedAppPlatformTypeChromeOS: ChromeOS.
	DetectedAppPlatformTypeChromeOS DetectedAppPlatformType = "chromeOS"

	// DetectedAppPlatformTypeAndroidOSP: Android Open Source Project.
	DetectedAppPlatformTypeAndroidOSP DetectedAppPlatformType = "androidOSP"

	// DetectedAppPlatformTypeAndroidDeviceAdministrator: Android managed by device administrator.
	DetectedAppPlatformTypeAndroidDeviceAdministrator DetectedAppPlatformType = "androidDeviceAdministrator"

	// DetectedAppPlatformTypeAndroidWorkProfile: Android work profile.
	DetectedAppPlatformTypeAndroidWorkProfile DetectedAppPlatformType = "androidWorkProfile"

	// DetectedAppPlatformTypeAndroidDedicatedAndFullyManaged: Android dedicated and fully managed devices.
	DetectedAppPlatformTypeAndroidDedicatedAndFullyManaged DetectedAppPlatformType = "androidDedicatedAndFullyManaged"

	// DetectedAppPlatformTypeUnknownFutureValue: a member that this version of Graph does not show.
	DetectedAppPlatformTypeUnknownFutureValue DetectedAppPlatformType = "unknownFutureValue"
)

// PossibleDetectedAppPlatformTypeValues lists the members in the order of the schema.
func PossibleDetectedAppPlatformTypeValues() []DetectedAppPlatformType {
	return []DetectedAppPlatformType{
		DetectedAppPlatformTypeUnknown,
		DetectedAppPlatformTypeWindows,
		DetectedAppPlatformTypeWindowsMobile,
		DetectedAppPlatformTypeWindowsHolographic,
		DetectedAppPlatformTypeIOS,
		DetectedAppPlatformTypeMacOS,
		DetectedAppPlatformTypeChromeOS,
		DetectedAppPlatformTypeAndroidOSP,
		DetectedAppPlatformTypeAndroidDeviceAdministrator,
		DetectedAppPlatformTypeAndroidWorkProfile,
		DetectedAppPlatformTypeAndroidDedicatedAndFullyManaged,
		DetectedAppPlatformTypeUnknownFutureValue,
	}
}
