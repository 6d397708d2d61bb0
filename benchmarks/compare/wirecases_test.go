package compare

import (
	"context"
	"iter"
	"slices"

	"github.com/go-intune/intune"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	msgraphsdk "github.com/microsoftgraph/msgraph-sdk-go"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go/devicemanagement"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
)

type graphClient = msgraphsdk.GraphServiceClient

// wireCase is one call, made with both libraries.
type wireCase struct {
	name   string
	ours   func(context.Context, *intune.Client) error
	theirs func(context.Context, *graphClient) error
	why    string // they differ
	fails  bool   // what msgraph-sdk-go sends is refused
}

func wireCases() []wireCase {
	return slices.Concat(actionCases(), deviceCases(), listCases())
}

// through uses up a sequence.
func through[T any](sequence iter.Seq2[T, error]) error {
	for _, err := range sequence {
		if err != nil {
			return err
		}
	}
	return nil
}

// iterate goes through all pages as msgraph-sdk-go's documentation has it. It takes the two results of a Get.
func iterate[T any](ctx context.Context, c *graphClient, factory serialization.ParsableFactory) func(any, error) error {
	return func(first any, err error) error {
		if err != nil {
			return err
		}
		pages, err := core.NewPageIterator[T](first, c.GetAdapter(), factory)
		if err != nil {
			return err
		}
		return pages.Iterate(ctx, func(T) bool { return true })
	}
}

// second drops the first of two results.
func second[T any](_ T, err error) error { return err }

func actionCases() []wireCase {
	const at = "an @ needs no escape in a path (RFC 3986, 3.3); it means the same"
	return []wireCase{
		{
			name: "action on a device",
			ours: func(ctx context.Context, c *intune.Client) error {
				return second(c.RequestRemoteAssistance(ctx, intune.Device(deviceID), nil))
			},
			theirs: func(ctx context.Context, c *graphClient) error {
				return c.DeviceManagement().ManagedDevices().ByManagedDeviceId(deviceID).RequestRemoteAssistance().Post(ctx, nil)
			},
		},
		{
			name: "action on a user's device",
			ours: func(ctx context.Context, c *intune.Client) error {
				return second(c.RequestRemoteAssistance(ctx, intune.UserDevice(user, deviceID), nil))
			},
			theirs: func(ctx context.Context, c *graphClient) error {
				return c.Users().ByUserId(user).ManagedDevices().ByManagedDeviceId(deviceID).RequestRemoteAssistance().Post(ctx, nil)
			},
			why: at,
		},
		{
			name: "action on a guest's device",
			ours: func(ctx context.Context, c *intune.Client) error {
				return second(c.RequestRemoteAssistance(ctx, intune.UserDevice(guest, "1"+deviceID[1:]), nil))
			},
			theirs: func(ctx context.Context, c *graphClient) error {
				return c.Users().ByUserId(guest).ManagedDevices().ByManagedDeviceId("1"+deviceID[1:]).RequestRemoteAssistance().Post(ctx, nil)
			},
			why: at,
		},
		{
			name: "action on the device of a user whose name starts with $",
			ours: func(ctx context.Context, c *intune.Client) error {
				return second(c.RequestRemoteAssistance(ctx, intune.UserDevice(dollar, "2"+deviceID[1:]), nil))
			},
			theirs: func(ctx context.Context, c *graphClient) error {
				return c.Users().ByUserId(dollar).ManagedDevices().ByManagedDeviceId("2"+deviceID[1:]).RequestRemoteAssistance().Post(ctx, nil)
			},
			why: "a name that starts with $ needs the parentheses, says Microsoft's documentation of users; without them the tenant " +
				"answers that there is no such segment",
			fails: true,
		},
	}
}

func deviceCases() []wireCase {
	return []wireCase{
		{
			name: "read a device",
			ours: func(ctx context.Context, c *intune.Client) error {
				return second(c.GetDevice(ctx, intune.Device(deviceID), nil))
			},
			theirs: func(ctx context.Context, c *graphClient) error {
				return second(c.DeviceManagement().ManagedDevices().ByManagedDeviceId(deviceID).Get(ctx, nil))
			},
		},
		{
			name: "read two properties of a user's device",
			ours: func(ctx context.Context, c *intune.Client) error {
				return second(c.GetDevice(ctx, intune.UserDevice(userID, deviceID), &intune.GetDeviceOptions{Select: []string{"id", "iccid"}}))
			},
			theirs: func(ctx context.Context, c *graphClient) error {
				return second(c.Users().ByUserId(userID).ManagedDevices().ByManagedDeviceId(deviceID).Get(ctx,
					&users.ItemManagedDevicesManagedDeviceItemRequestBuilderGetRequestConfiguration{
						QueryParameters: &users.ItemManagedDevicesManagedDeviceItemRequestBuilderGetQueryParameters{Select: []string{"id", "iccid"}},
					}))
			},
		},
		{
			name: "read a device below a detected app",
			ours: func(ctx context.Context, c *intune.Client) error {
				return second(c.GetDevice(ctx, intune.DetectedAppDevice(appID, deviceID), nil))
			},
			theirs: func(ctx context.Context, c *graphClient) error {
				return second(c.DeviceManagement().DetectedApps().ByDetectedAppId(appID).ManagedDevices().ByManagedDeviceId(deviceID).Get(ctx, nil))
			},
			why:   "reported to answer 400, as on the tenant; this library then reads the device at its plain address",
			fails: true,
		},
		{
			name: "read a session",
			ours: func(ctx context.Context, c *intune.Client) error {
				return second(c.GetRemoteAssistanceSession(ctx, intune.Device(deviceID), nil))
			},
			theirs: func(ctx context.Context, c *graphClient) error {
				return second(c.DeviceManagement().ManagedDevices().ByManagedDeviceId(deviceID).Get(ctx,
					selecting("id", "remoteAssistanceSessionUrl", "remoteAssistanceSessionErrorDetails")))
			},
		},
	}
}

func listCases() []wireCase {
	device := models.CreateManagedDeviceCollectionResponseFromDiscriminatorValue
	filter, top := "deviceName eq 'LT-4F7K2'", int32(2)
	return []wireCase{
		{
			name: "list devices, all pages",
			ours: func(ctx context.Context, c *intune.Client) error {
				return through(c.Devices(ctx, intune.AllDevices(), nil))
			},
			theirs: func(ctx context.Context, c *graphClient) error {
				first, err := c.DeviceManagement().ManagedDevices().Get(ctx, nil)
				return iterate[models.ManagedDeviceable](ctx, c, device)(first, err)
			},
		},
		{
			name: "list devices with filter, properties and page size",
			ours: func(ctx context.Context, c *intune.Client) error {
				return through(c.Devices(ctx, intune.AllDevices(), &intune.ListDevicesOptions{
					Filter: intune.DeviceFilter{DeviceName: "LT-4F7K2"}, Select: []string{"id", "deviceName"}, Top: top,
				}))
			},
			theirs: func(ctx context.Context, c *graphClient) error {
				first, err := c.DeviceManagement().ManagedDevices().Get(ctx, &devicemanagement.ManagedDevicesRequestBuilderGetRequestConfiguration{
					QueryParameters: &devicemanagement.ManagedDevicesRequestBuilderGetQueryParameters{
						Filter: &filter, Select: []string{"id", "deviceName"}, Top: &top,
					},
				})
				return iterate[models.ManagedDeviceable](ctx, c, device)(first, err)
			},
		},
		{
			name: "list a user's devices",
			ours: func(ctx context.Context, c *intune.Client) error {
				return through(c.Devices(ctx, intune.UserDevices(userID), nil))
			},
			theirs: func(ctx context.Context, c *graphClient) error {
				first, err := c.Users().ByUserId(userID).ManagedDevices().Get(ctx, nil)
				return iterate[models.ManagedDeviceable](ctx, c, device)(first, err)
			},
		},
		{
			name: "list detected apps",
			ours: func(ctx context.Context, c *intune.Client) error {
				return through(c.DetectedApps(ctx, nil))
			},
			theirs: func(ctx context.Context, c *graphClient) error {
				return second(c.DeviceManagement().DetectedApps().Get(ctx, nil))
			},
		},
		{
			name: "list the devices of a detected app",
			ours: func(ctx context.Context, c *intune.Client) error {
				return through(c.Devices(ctx, intune.DetectedAppDevices(appID), nil))
			},
			theirs: func(ctx context.Context, c *graphClient) error {
				return second(c.DeviceManagement().DetectedApps().ByDetectedAppId(appID).ManagedDevices().Get(ctx, nil))
			},
		},
		{
			name: "list partners",
			ours: func(ctx context.Context, c *intune.Client) error {
				return second(c.NewListRemoteAssistancePartnersPager(nil).NextPage(ctx))
			},
			theirs: func(ctx context.Context, c *graphClient) error {
				return second(c.DeviceManagement().RemoteAssistancePartners().Get(ctx, nil))
			},
		},
		{
			name: "list audit events",
			ours: func(ctx context.Context, c *intune.Client) error {
				return through(c.AuditEvents(ctx, &intune.ListAuditEventsOptions{Top: top}))
			},
			theirs: func(ctx context.Context, c *graphClient) error {
				return second(c.DeviceManagement().AuditEvents().Get(ctx, &devicemanagement.AuditEventsRequestBuilderGetRequestConfiguration{
					QueryParameters: &devicemanagement.AuditEventsRequestBuilderGetQueryParameters{Top: &top},
				}))
			},
		},
	}
}

// selecting names the properties of a read.
func selecting(properties ...string) *devicemanagement.ManagedDevicesManagedDeviceItemRequestBuilderGetRequestConfiguration {
	return &devicemanagement.ManagedDevicesManagedDeviceItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &devicemanagement.ManagedDevicesManagedDeviceItemRequestBuilderGetQueryParameters{Select: properties},
	}
}
