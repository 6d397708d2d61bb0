package intune

// DetectedAppPlatformType is the platform of an application found on devices. A member that is not listed here is
// kept as received.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-devices-detectedappplatformtype
type DetectedAppPlatformType string

const (
	// DetectedAppPlatformTypeUnknown means: not known.
	DetectedAppPlatformTypeUnknown DetectedAppPlatformType = "unknown"

	// DetectedAppPlatformTypeWindows means: Windows.
	DetectedAppPlatformTypeWindows DetectedAppPlatformType = "windows"

	// DetectedAppPlatformTypeWindowsMobile means: Windows Mobile.
	DetectedAppPlatformTypeWindowsMobile DetectedAppPlatformType = "windowsMobile"

	// DetectedAppPlatformTypeWindowsHolographic means: Windows Holographic.
	DetectedAppPlatformTypeWindowsHolographic DetectedAppPlatformType = "windowsHolographic"

	// DetectedAppPlatformTypeIOS means: iOS and iPadOS.
	DetectedAppPlatformTypeIOS DetectedAppPlatformType = "ios"

	// DetectedAppPlatformTypeMacOS means: macOS.
	DetectedAppPlatformTypeMacOS DetectedAppPlatformType = "macOS"

	// DetectedAppPlatformTypeChromeOS means: ChromeOS.
	DetectedAppPlatformTypeChromeOS DetectedAppPlatformType = "chromeOS"

	// DetectedAppPlatformTypeAndroidOSP means: Android Open Source Project.
	DetectedAppPlatformTypeAndroidOSP DetectedAppPlatformType = "androidOSP"

	// DetectedAppPlatformTypeAndroidDeviceAdministrator means: Android managed by device administrator.
	DetectedAppPlatformTypeAndroidDeviceAdministrator DetectedAppPlatformType = "androidDeviceAdministrator"

	// DetectedAppPlatformTypeAndroidWorkProfile means: Android work profile.
	DetectedAppPlatformTypeAndroidWorkProfile DetectedAppPlatformType = "androidWorkProfile"

	// DetectedAppPlatformTypeAndroidDedicatedAndFullyManaged means: Android dedicated and fully managed devices.
	DetectedAppPlatformTypeAndroidDedicatedAndFullyManaged DetectedAppPlatformType = "androidDedicatedAndFullyManaged"

	// DetectedAppPlatformTypeUnknownFutureValue means: a member that this version of Graph does not show.
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
