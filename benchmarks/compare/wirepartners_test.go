package compare

import (
	"context"

	"github.com/go-intune/intune"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
)

func partnerCases(id string) []wireCase {
	const name = "TeamViewer of Contoso"
	named := func() models.RemoteAssistancePartnerable {
		partner, name := models.NewRemoteAssistancePartner(), name
		partner.SetDisplayName(&name)
		return partner
	}
	const typed = "this library names the type, as the examples of Microsoft's documentation do; the tenant takes both. msgraph-sdk-go also compresses the body"
	return []wireCase{
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
			name: "read a partner",
			ours: func(ctx context.Context, c *intune.Client) error {
				return second(c.GetRemoteAssistancePartner(ctx, id, nil))
			},
			theirs: func(ctx context.Context, c *graphClient) error {
				return second(c.DeviceManagement().RemoteAssistancePartners().ByRemoteAssistancePartnerId(id).Get(ctx, nil))
			},
		},
		{
			name: "make a partner",
			ours: func(ctx context.Context, c *intune.Client) error {
				return second(c.CreateRemoteAssistancePartner(ctx, intune.RemoteAssistancePartner{DisplayName: name}, nil))
			},
			theirs: func(ctx context.Context, c *graphClient) error {
				return second(c.DeviceManagement().RemoteAssistancePartners().Post(ctx, named(), nil))
			},
			why: typed,
		},
		{
			name: "change a partner",
			ours: func(ctx context.Context, c *intune.Client) error {
				return second(c.UpdateRemoteAssistancePartner(ctx, id, intune.RemoteAssistancePartner{DisplayName: name}, nil))
			},
			theirs: func(ctx context.Context, c *graphClient) error {
				return second(c.DeviceManagement().RemoteAssistancePartners().ByRemoteAssistancePartnerId(id).Patch(ctx, named(), nil))
			},
			why: typed,
		},
		{
			name: "onboard a partner",
			ours: func(ctx context.Context, c *intune.Client) error {
				return second(c.OnboardRemoteAssistancePartner(ctx, id, nil))
			},
			theirs: func(ctx context.Context, c *graphClient) error {
				return c.DeviceManagement().RemoteAssistancePartners().ByRemoteAssistancePartnerId(id).BeginOnboarding().Post(ctx, nil)
			},
		},
		{
			name: "disconnect a partner",
			ours: func(ctx context.Context, c *intune.Client) error {
				return second(c.DisconnectRemoteAssistancePartner(ctx, id, nil))
			},
			theirs: func(ctx context.Context, c *graphClient) error {
				return c.DeviceManagement().RemoteAssistancePartners().ByRemoteAssistancePartnerId(id).Disconnect().Post(ctx, nil)
			},
		},
		{
			name: "delete a partner",
			ours: func(ctx context.Context, c *intune.Client) error {
				return second(c.DeleteRemoteAssistancePartner(ctx, id, nil))
			},
			theirs: func(ctx context.Context, c *graphClient) error {
				return c.DeviceManagement().RemoteAssistancePartners().ByRemoteAssistancePartnerId(id).Delete(ctx, nil)
			},
		},
	}
}
