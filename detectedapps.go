package intune

import (
	"context"
	"iter"
	"net/url"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/graphjson"
)

// DetectedApp is an application that Intune found on devices; each version is an application of its own. On devices
// that a person owns, only applications that Intune deployed are listed.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-devices-detectedapp
type DetectedApp struct {
	// ID is the id of the application, which DetectedAppDevice takes. It is opaque text and not a GUID.
	ID string `json:"id,omitzero"`

	// DisplayName is the name of the application.
	DisplayName string `json:"displayName,omitzero"`

	// Version is the version of the application as text.
	Version string `json:"version,omitzero"`

	// SizeInByte is the size of the application in bytes, 0 when not known.
	SizeInByte int64 `json:"sizeInByte,omitzero"`

	// DeviceCount is the number of devices on which the application was found. A read of a single application may show 0
	// where the list has the true count.
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

// ListDetectedAppsOptions narrows a list of detected apps.
type ListDetectedAppsOptions struct {
	// Top is the number of apps per page, 1 to 1000; zero leaves it to the service.
	Top int32

	// ContinueFrom, if not blank, is the NextLink of an earlier page, from which to continue.
	ContinueFrom string

	// OnPage, if not nil, is called by Client.DetectedApps with each page before its apps are yielded. The page shows from
	// where to continue (NextLink).
	OnPage func(ListDetectedAppsResponse)
}

// ListDetectedAppsResponse is one page of detected apps.
type ListDetectedAppsResponse struct {
	// Value are the apps of the page. It may be empty even if there are more pages.
	Value []DetectedApp `json:"value"`

	// NextLink leads to the next page; blank on the last.
	NextLink string `json:"@odata.nextLink,omitempty"`

	// Repeated is how many rows of the page had come on an earlier page already.
	Repeated int `json:"repeated,omitempty"`

	// RequestID and ClientRequestID identify the request of the page, as in RequestRemoteAssistanceResponse.
	RequestID       string `json:"requestId,omitempty"`
	ClientRequestID string `json:"clientRequestId,omitempty"`
}

func (r ListDetectedAppsResponse) stored() (rows []DetectedApp, next string) {
	return r.Value, r.NextLink
}

// NewListDetectedAppsPager lists the apps that Intune found on devices, page by page. Each version of an app is a row
// with an id of its own, so it may take several ids to find all devices with an app. The service throttles this list
// early. It fills DeviceCount in this list, but not in reads of a single app.
//
// Needs DeviceManagementManagedDevices.Read.All, delegated or application. Errors of NextPage: [ErrInvalidArgument],
// else [*Error].
//
// Source: https://learn.microsoft.com/graph/api/intune-devices-detectedapp-list (v1.0).
func (c *Client) NewListDetectedAppsPager(options *ListDetectedAppsOptions) *runtime.Pager[ListDetectedAppsResponse] {
	var o ListDetectedAppsOptions
	if options != nil {
		o = *options
	}
	return c.appList(opListApps, o).pager(c)
}

// DetectedApps yields every detected app, fetching pages as they are needed. It stops at the first error, which it
// yields with a zero app after the apps read so far. A new loop starts from the beginning, unless it is given the NextLink
// of the last page that OnPage saw: the service throttles this list early, and a new beginning is throttled again. Needs
// DeviceManagementManagedDevices.Read.All. Errors: [ErrInvalidArgument], else [*Error].
func (c *Client) DetectedApps(ctx context.Context, options *ListDetectedAppsOptions) iter.Seq2[DetectedApp, error] {
	var o ListDetectedAppsOptions
	if options != nil {
		o = *options
	}
	return c.appList(opApps, o).all(ctx, c, o.OnPage)
}

func (c *Client) appList(op *operation, o ListDetectedAppsOptions) listing[DetectedApp, ListDetectedAppsResponse] {
	return listing[DetectedApp, ListDetectedAppsResponse]{
		op:    op,
		from:  o.ContinueFrom,
		first: func() (url.URL, error) { return c.firstPage(detectedAppsPath, nil, o.Top) },
		id:    func(a *DetectedApp) string { return a.ID },
		page: func(p page[DetectedApp]) ListDetectedAppsResponse {
			return ListDetectedAppsResponse{
				Value: p.rows, NextLink: p.next, Repeated: p.repeated, RequestID: p.RequestID, ClientRequestID: p.ClientRequestID,
			}
		},
	}
}

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
