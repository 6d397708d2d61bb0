package main

import (
	"cmp"
	"time"

	"github.com/go-intune/intune"
	"github.com/spf13/cobra"
)

func (a *app) showCommand() *cobra.Command {
	var w whom
	var asJSON, asCSV bool
	cmd := &cobra.Command{
		Use:     "show WHO",
		Short:   "show one device",
		Long:    wrapped("Shows one device. "+whomHelp, lineWidth, ""),
		Example: "  helpdesk show 8XK42Q3 --demo\n  helpdesk show anna.berg@contoso.com --os iOS",
		Args:    noMore(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := cmp.Or(w.need(cmd, args), oneOf(cmd, "json", "csv")); err != nil {
				return err
			}
			client, err := a.client(cmd.Context(), nil)
			if err != nil {
				return err
			}
			device, err := a.theOne(cmd.Context(), client, &w)
			switch {
			case err != nil:
				return err
			case asJSON:
				return a.printJSON(forPrograms(&device))
			case asCSV:
				return a.devicesOut([]intune.ManagedDevice{device}, false, true)
			}
			return a.print(card(&device, time.Now(), a.columns))
		},
	}
	w.register(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object, for programs")
	cmd.Flags().BoolVar(&asCSV, "csv", false, "CSV with a header, for spreadsheets")
	return cmd
}
