package readiness_test

import (
	"testing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/readiness"
)

func TestCheck_Platform(t *testing.T) {
	t.Parallel()
	const cloudDPC = intune.ManagementAgentTypeGoogleCloudDevicePolicyController
	const company, personal = intune.ManagedDeviceOwnerTypeCompany, intune.ManagedDeviceOwnerTypePersonal
	checkFindings(t, readiness.NamePlatform, []finding{
		{"pass", "windows", withPlatform("windows", "Surface Laptop")},
		{"pass", "macOS", withPlatform("macOS", "")},
		{"pass", "MacMDM", withPlatform("MacMDM", "")},
		{"pass", "Mac OS X", withPlatform("Mac OS X", "")},
		{"pass", "iPadOS", withPlatform("iPadOS", "")},
		{"pass", "iOS", withPlatform("iOS", "")},
		{"pass", "personally owned", withAndroid("AndroidForWork", personal, cloudDPC)},
		{"warn", "HoloLens and Surface Hub may not work", withPlatform("Windows", "HoloLens 2")},
		{"warn", "Surface Hub 2S", withPlatform("Windows", "Surface Hub 2S")},
		{"warn", "HoloLens and Surface Hub may not work", withPlatform("WindowsHolographic", "")},
		{"warn", "look at how the device was enrolled", withAndroid("Android", company, intune.ManagementAgentTypeMDM)},
		{"warn", "look at how the device was enrolled", withAndroid("Android", intune.ManagedDeviceOwnerTypeUnknown, cloudDPC)},
		{"fail", "company-owned Android Enterprise is not supported", withAndroid("AndroidEnterprise", "Company", cloudDPC)},
		{"fail", "Linux is not among the platforms", withPlatform("Linux", "")},
		{"fail", "Ubuntu is not among the platforms", withPlatform("Ubuntu", "")},
		{"fail", "Chrome OS is not among the platforms", withPlatform("Chrome OS", "")},
		{"fail", "tvOS is not among the platforms", withPlatform("tvOS", "")},
		{"fail", "visionOS is not among the platforms", withPlatform("visionOS", "")},
		{"fail", "Windows Phone is not among the platforms", withPlatform("Windows Phone", "")},
		{"fail", "WindowsMobile is not among the platforms", withPlatform("WindowsMobile", "")},
		{"fail", "Windows10Mobile is not among the platforms", withPlatform("Windows10Mobile", "")},
		{"unknown", "(blank)", withPlatform("", "")},
		{"unknown", "Symbian", withPlatform("Symbian", "")},
	})
}
