package main

import (
	"fmt"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/readiness"
	"github.com/spf13/cobra"
)

// readinessJSON is readiness.Report for programs, with the device that was found.
type readinessJSON struct {
	Ready   bool         `json:"ready"`
	Device  deviceJSON   `json:"device"`
	Results []resultJSON `json:"results"`
}

type resultJSON struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Detail string `json:"detail"`
	Remedy string `json:"remedy"`
}

func (a *app) checkCommand() *cobra.Command {
	var w whom
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check WHO",
		Short: "show what would keep a session from a device",
		Long: wrapped("Looks for what would keep a session from the device, and says what to do about it: the cloud, the token, "+
			"the connector, the device, and what an earlier session left. Nobody is asked, "+
			"and nothing changes. The exit code is 0 if nothing is in the way for certain, else 5.", lineWidth, "") + "\n" +
			wrapped(whomHelp, lineWidth, "") + "\n" +
			wrapped("Needs the Graph permission DeviceManagementManagedDevices.Read.All; to see the connector "+
				"also DeviceManagementServiceConfig.Read.All.", lineWidth, ""),
		Example: "  helpdesk check 8XK42Q3 --demo\n  helpdesk check anna.berg@contoso.com --os Windows\n" +
			"  helpdesk check LT-4F7K2 && helpdesk connect LT-4F7K2",
		Args: noMore(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := w.need(cmd, args); err != nil {
				return err
			}
			return a.checkReadiness(cmd, &w, asJSON)
		},
	}
	w.register(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object, for programs")
	return cmd
}

func (a *app) checkReadiness(cmd *cobra.Command, w *whom, asJSON bool) error {
	client, err := a.client(cmd.Context(), nil)
	if err != nil {
		return err
	}
	device, err := a.theOne(cmd.Context(), client, w)
	if err != nil {
		return err
	}
	ctx, cancel := a.limited(cmd.Context())
	defer cancel()
	report, err := readiness.Check(ctx, client, intune.Device(device.ID), nil)
	if err != nil {
		return a.inTime(ctx, err)
	}
	if asJSON {
		out := readinessJSON{Ready: report.OK(), Device: forPrograms(&device)}
		for _, r := range report.Results {
			out.Results = append(out.Results, resultJSON{Name: r.Name, Status: string(r.Status), Detail: r.Detail, Remedy: r.Remedy})
		}
		err = a.printJSON(out)
	} else {
		name := facts([][2]string{{"Name", device.DeviceName}, {"User", firstOf(device.UserPrincipalName, device.UserDisplayName)}}, a.columns)
		err = a.print(fmt.Sprintf("%s\n%s\n", name, report))
	}
	if err == nil && !report.OK() {
		return &failure{code: exitRefused}
	}
	return err
}
