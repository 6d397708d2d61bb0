package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/go-intune/intune"
	"github.com/spf13/cobra"
)

func (a *app) findCommand() *cobra.Command {
	s := &search{app: a}
	cmd := &cobra.Command{
		Use:   "find WHO",
		Short: "list the devices that match",
		Long: wrapped("Lists the devices that match, so that you can check which one is in front "+
			"of the person who calls.", lineWidth, "") + "\n" +
			wrapped(whomHelp, lineWidth, "") + "\n" +
			wrapped("Needs the Graph permission DeviceManagementManagedDevices.Read.All and, for a person, "+
				"the Intune role right \"Managed devices / Read\".", lineWidth, ""),
		Example: "  helpdesk find anna.berg@contoso.com --demo\n  helpdesk find --serial 5CG1234ABC --os Windows\n" +
			"  helpdesk find --app \"Contoso VPN\" --csv > devices.csv",
		Args: noMore(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := cmp.Or(s.take(cmd, args), oneOf(cmd, "json", "csv")); err != nil {
				return err
			}
			return s.run(cmd.Context())
		},
	}
	s.register(cmd.Flags())
	flags := cmd.Flags()
	flags.StringVar(&s.appName, "app", "", "devices with this app: its `NAME`, or the id of one version")
	flags.BoolVar(&s.all, "all", false, "with --app: every device, not the first 100; they are read one by one")
	flags.BoolVar(&s.asJSON, "json", false, "one JSON array, for programs")
	flags.BoolVar(&s.asCSV, "csv", false, "CSV with a header, for spreadsheets")
	return cmd
}

// search is one search for devices, and what it came to.
type search struct {
	*app
	whom
	finder

	appName            string
	all, asJSON, asCSV bool
	devices            []intune.ManagedDevice

	// Of a search by app:
	skipped int      // devices that could not be read again because they are gone
	cutOff  bool     // the app is on more devices than were read
	noApp   bool     // no app has this name or id
	similar []string // names of apps that contain the one looked for
}

// take reads the command line.
func (s *search) take(cmd *cobra.Command, args []string) error {
	if err := s.whom.take(cmd, args); err != nil {
		return err
	}
	s.appName = strings.TrimSpace(s.appName)
	switch byApp := cmd.Flags().Changed("app"); {
	case byApp && s.appName == "":
		return failed(exitUsage, "--app is blank")
	case byApp && s.value != "":
		return failed(exitUsage, "give only one of --app and %s", s.whom.String())
	case !byApp && s.value == "":
		return failed(exitUsage, "say what to look for: WHO, or --app; to try it: helpdesk find LT-4F7K2 --demo")
	}
	return nil
}

func (s *search) run(ctx context.Context) error {
	var err error
	if s.graph, err = s.app.client(ctx, nil); err != nil {
		return err
	}
	limited, cancel := s.limited(ctx)
	defer cancel()
	if s.appName != "" {
		err = s.findByApp(limited)
	} else {
		s.devices, err = s.find(limited, &s.whom)
	}
	if err != nil {
		// Nothing on stdout: part of an answer would look like all of it.
		return s.inTime(limited, err)
	}
	sortDevices(s.devices)
	if len(s.devices) > 0 || s.asJSON || s.asCSV {
		if err := s.devicesOut(s.devices, s.asJSON, s.asCSV); err != nil {
			return err
		}
	}
	return s.conclude()
}

// conclude says what the devices alone do not tell.
func (s *search) conclude() error {
	s.sayOdd(s.console, &s.whom)
	if s.skipped > 0 {
		s.warn("%s with the app could not be read, having left Intune since; not shown", plural(s.skipped, "device"))
	}
	switch {
	case s.cutOff && len(s.devices) == 0: // not exitNothing: there may well be one
		return failed(exitFailure,
			"the app is on more than %d devices, and none of the first %d is a match; read the others too with --all",
			maxReads, maxReads)
	case s.cutOff:
		s.warn("the app is on more than %d devices; only those among the first %d are listed. For every one: --all --timeout 10m",
			maxReads, maxReads)
	case len(s.devices) == 0 && s.appName != "":
		return s.noDeviceWithApp()
	case len(s.devices) == 0:
		return s.none(s.demo)
	}
	if len(s.devices) > 1 {
		s.warn("%d devices match; to act on exactly one of them, pass its Intune id", len(s.devices))
	}
	return nil
}

func (s *search) noDeviceWithApp() error {
	switch {
	case s.noApp && len(s.similar) > 0:
		return failed(exitNothing, "no app that Intune found has the name or id %q; names that contain it: %s",
			s.appName, strings.Join(s.similar, ", "))
	case s.noApp:
		return failed(exitNothing, "no app that Intune found has the name or id %q", s.appName)
	}
	text := fmt.Sprintf("no device has the app %q", s.appName)
	if s.system != "" {
		text += fmt.Sprintf(" and the system %q", s.system)
	}
	return failed(exitNothing, "%s", text)
}
