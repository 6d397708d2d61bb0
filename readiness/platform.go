package readiness

import (
	"slices"
	"strings"

	"github.com/go-intune/intune"
)

type platform int

const (
	platformUnknown platform = iota
	platformWindows
	platformApple
	platformAndroid
	platformOther // known, and not in Microsoft's list
)

// platform reads the operating system, for which Intune has several names in some cases.
func (f *deviceFacts) platform() platform {
	name := strings.ReplaceAll(strings.ToLower(f.record.OperatingSystem), " ", "")
	others := []string{"linux", "ubuntu", "chromeos", "tvos", "visionos", "windowsphone", "windowsmobile", "windows10mobile"}
	switch {
	case slices.Contains(others, name):
		return platformOther
	case strings.HasPrefix(name, "windows"):
		return platformWindows
	case slices.Contains([]string{"ios", "ipados", "macos", "macmdm", "macosx"}, name):
		return platformApple
	case strings.HasPrefix(name, "android"):
		return platformAndroid
	}
	return platformUnknown
}

func (f *deviceFacts) platformCheck() Result {
	name := f.shown(f.record.OperatingSystem)
	switch f.platform() {
	case platformWindows:
		device := strings.ToLower(f.record.OperatingSystem + " " + f.record.Model)
		if strings.Contains(device, "holo") || strings.Contains(device, "surface hub") {
			return warns(name+" on "+f.shown(f.record.Model)+"; Microsoft says that HoloLens and Surface Hub may not work", "try it")
		}
		return passes(name)
	case platformApple:
		return passes(name)
	case platformAndroid:
		return f.androidCheck(name)
	case platformOther:
		return fails(name+" is not among the platforms that Microsoft lists: Windows, macOS, iOS, iPadOS, Android",
			"help the user in another way")
	default:
		return unsure("the record names a platform that this library does not know: "+name, "try it")
	}
}

// androidCheck looks for the company-owned modes of Android Enterprise, which have no Company Portal. Graph v1.0 does not give
// the mode itself, so the owner and the agent have to tell.
func (f *deviceFacts) androidCheck(name string) Result {
	const remedy = "help the user in another way, such as the newer TeamViewer integration, which has all modes of Android"
	agent := member(f.record.ManagementAgent, intune.PossibleManagementAgentTypeValues())
	switch member(f.record.ManagedDeviceOwnerType, intune.PossibleManagedDeviceOwnerTypeValues()) {
	case intune.ManagedDeviceOwnerTypePersonal:
		return passes(name + ", personally owned")
	case intune.ManagedDeviceOwnerTypeCompany:
		if agent == intune.ManagementAgentTypeGoogleCloudDevicePolicyController {
			return fails(name+", company-owned and managed through Google's Cloud DPC; company-owned Android Enterprise is not supported", remedy)
		}
	default:
	}
	return warns(name+", not personally owned; company-owned Android Enterprise is not supported, Android device administrator is",
		"look at how the device was enrolled")
}
