package intune

import (
	"context"
	"iter"
	"net/http"
	"strconv"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/graphjson"
)

// ListDetectedAppsOptions narrows a list of detected apps.
type ListDetectedAppsOptions struct {
	// Top is the number of apps a page, 1 to 1000; zero leaves it to the service.
	Top int32

	// ContinueFrom, if not blank, is the NextLink of an earlier page, from which to go on.
	ContinueFrom string
}

// ListDetectedAppsResponse is one page of detected apps.
type ListDetectedAppsResponse struct {
	// Value are the apps of the page. It may be empty though there are more pages.
	Value []DetectedApp `json:"value"`

	// NextLink leads to the next page; blank on the last.
	NextLink string `json:"@odata.nextLink,omitempty"`

	// Repeated is how many rows of the page had come on an earlier page already.
	Repeated int `json:"repeated,omitempty"`
}

func (r ListDetectedAppsResponse) nextLink() string { return r.NextLink }

// NewListDetectedAppsPager lists the apps that Intune found on devices, page by page. Each version of an app is a row
// of its own, so that the devices with an app may take several ids. The service throttles this list early, and fills
// DeviceCount here and not in reads of one app.
//
// Needs DeviceManagementManagedDevices.Read.All, delegated or application. Errors of NextPage: [ErrInvalidArgument],
// else [*Error].
//
// Source: https://learn.microsoft.com/graph/api/intune-devices-detectedapp-list (v1.0).
func (c *Client) NewListDetectedAppsPager(options *ListDetectedAppsOptions) *runtime.Pager[ListDetectedAppsResponse] {
	return newPager(c, c.appList(opListApps, options))
}

// DetectedApps yields every detected app, fetching pages as they are needed. It stops at the first error, which comes
// with a zero app after the apps read so far. Ranging again begins anew. Needs
// DeviceManagementManagedDevices.Read.All. Errors: [ErrInvalidArgument], else [*Error].
func (c *Client) DetectedApps(ctx context.Context, options *ListDetectedAppsOptions) iter.Seq2[DetectedApp, error] {
	var o ListDetectedAppsOptions
	if options != nil {
		o = *options
	}
	return func(yield func(DetectedApp, error) bool) {
		for page, err := range pages(ctx, c, c.appList(opApps, &o)) {
			for i := range page.Value {
				if !yield(page.Value[i], nil) {
					return
				}
			}
			if err != nil {
				yield(DetectedApp{}, err)
				return
			}
		}
	}
}

func (c *Client) appList(op *operation, options *ListDetectedAppsOptions) list[ListDetectedAppsResponse] {
	var o ListDetectedAppsOptions
	if options != nil {
		o = *options
	}
	seen := idSet{}
	return list[ListDetectedAppsResponse]{
		op: op,
		resume: func(page ListDetectedAppsResponse) {
			for i := range page.Value {
				seen.add(page.Value[i].ID)
			}
		},
		first: func() (string, error) {
			if err := c.checkPaging(o.Top, o.ContinueFrom); err != nil {
				return "", err
			}
			if o.ContinueFrom != "" {
				return o.ContinueFrom, nil
			}
			var query []string
			if o.Top > 0 {
				query = append(query, "$top="+strconv.Itoa(int(o.Top)))
			}
			return joinQuery(c.base+"/deviceManagement/detectedApps", query), nil
		},
		decode: func(resp *http.Response) (ListDetectedAppsResponse, error) {
			body, err := runtime.Payload(resp)
			if err != nil {
				return ListDetectedAppsResponse{}, err
			}
			apps, next, err := graphjson.Page[DetectedApp](body)
			page := ListDetectedAppsResponse{Value: apps[:0], NextLink: next}
			for _, app := range apps {
				if !seen.add(app.ID) {
					page.Repeated++
					continue
				}
				page.Value = append(page.Value, app)
			}
			return page, err
		},
	}
}
