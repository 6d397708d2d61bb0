package intune

import "github.com/go-intune/intune/internal/graphjson"

// DetectedApp is an application that Intune found on devices; each version is one of its own. On devices that a person
// owns, only applications that Intune deployed are listed.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-devices-detectedapp
type DetectedApp struct {
	// ID is the id of the application, opaque text and not a GUID: what [DetectedAppDevice] takes.
	ID string `json:"id,omitzero"`

	// DisplayName is the name of the application.
	DisplayName string `json:"displayName,omitzero"`

	// Version is the version of the application as text.
	Version string `json:"version,omitzero"`

	// SizeInByte is the size of the application in bytes, 0 when not known.
	SizeInByte int64 `json:"sizeInByte,omitzero"`

	// DeviceCount is on how many devices the application was found. A read of a single application may show 0 where
	// the list has the true count.
	DeviceCount int32 `json:"deviceCount,omitzero"`

	// Publisher is who published the application.
	Publisher string `json:"publisher,omitzero"`

	// Platform is the platform the application runs on.
	Platform DetectedAppPlatformType `json:"platform,omitzero"`
}

// UnmarshalJSON reads an application as the service sends it; see [ManagedDevice.UnmarshalJSON].
func (a *DetectedApp) UnmarshalJSON(data []byte) error {
	return graphjson.Unmarshal(data, a)
}
