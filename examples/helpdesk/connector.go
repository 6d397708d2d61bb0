package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-intune/intune"
	"github.com/spf13/cobra"
)

// connectorAdvice says what a state means and what to do about it, and what exit code it is.
func connectorAdvice(state intune.ConnectorState) (advice string, code int) {
	switch state {
	case intune.ConnectorStateOnboarded:
		return "Sessions can be made. Microsoft calls this connector legacy and expects customers to have moved by about April 2027.", exitDone
	case intune.ConnectorStateOnboarding:
		return "Setup has begun. An administrator has to finish it at TeamViewer: Intune admin center, Tenant administration, " +
			"Connectors and tokens, TeamViewer connector.", exitPending
	case intune.ConnectorStateNotOnboarded:
		return "No sessions can be made. An administrator connects TeamViewer: Intune admin center, Tenant administration, " +
			"Connectors and tokens, TeamViewer connector. It needs a TeamViewer license with integration rights.", exitNothing
	default:
		return "You may not look, or the state is new. That needs the permission DeviceManagementServiceConfig.Read.All; " +
			"connect may work all the same.", exitUnknown
	}
}

type connectorJSON struct {
	State    string        `json:"state"`
	Advice   string        `json:"advice"`
	Partners []partnerJSON `json:"partners"`
}

type partnerJSON struct {
	DisplayName            string     `json:"displayName"`
	OnboardingStatus       string     `json:"onboardingStatus"`
	LastConnectionDateTime *time.Time `json:"lastConnectionDateTime"`
}

func (a *app) connectorCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "connector",
		Short: "show whether sessions can be made, and what to do",
		Long: wrapped("Shows the state of the tenant's TeamViewer connector, and what to do about it. The exit code is 0 "+
			"only if sessions can be made: 3 without a connector, 6 while it is being set up, 7 if you may not look.", lineWidth, "") + "\n" +
			wrapped("Needs the Graph permission DeviceManagementServiceConfig.Read.All.", lineWidth, ""),
		Example: "  helpdesk connector --demo",
		Args:    noMore(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.connector(cmd, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object, for programs")
	return cmd
}

func (a *app) connector(cmd *cobra.Command, asJSON bool) error {
	client, err := a.client(cmd.Context(), nil)
	if err != nil {
		return err
	}
	ctx, cancel := a.limited(cmd.Context())
	defer cancel()
	state, err := client.RemoteAssistanceConnector(ctx, nil)
	if err != nil && !errors.Is(err, intune.ErrForbidden) { // who may not look does not know
		return a.inTime(ctx, err)
	}
	advice, code := connectorAdvice(state)
	out := connectorJSON{State: string(state), Advice: advice, Partners: []partnerJSON{}}
	rows := [][2]string{{"Connector", string(state)}}
	if state != intune.ConnectorStateUnknown {
		for pager := client.NewListRemoteAssistancePartnersPager(nil); pager.More(); {
			page, err := pager.NextPage(ctx)
			if err != nil {
				return a.inTime(ctx, err)
			}
			for i := range page.Value {
				p := &page.Value[i]
				row := partnerJSON{DisplayName: p.DisplayName, OnboardingStatus: string(p.OnboardingStatus)}
				line := row.OnboardingStatus
				if synced(p.LastConnectionDateTime) {
					at := p.LastConnectionDateTime.UTC()
					row.LastConnectionDateTime = &at
					line = fmt.Sprintf("%s, last connected %s", line, age(time.Since(at)))
				}
				out.Partners = append(out.Partners, row)
				rows = append(rows, [2]string{"Partner", firstOf(p.DisplayName, "without a name") + ": " + line})
			}
		}
	}
	if asJSON {
		err = a.printJSON(out)
	} else {
		err = a.print(facts(rows, a.columns) + "\n" + wrapped(advice, lineWidth, ""))
	}
	if err != nil || code == exitDone {
		return err
	}
	return &failure{code: code}
}
