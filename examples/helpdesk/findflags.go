package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/go-intune/intune"
)

const findUsage = `Usage: helpdesk find -serial S | -name N | -user UPN | -app NAME_OR_ID [-os OS] [-json] [FLAGS]
helpdesk find -h explains every flag.
`

const findHelp = `helpdesk find lists the devices that match, so that you can check which one is in front of the person who calls.

    helpdesk find -demo -name LT-4F7K2                      on an in-memory tenant: no network, no account
    helpdesk find -auth browser -tenant contoso.com -client-id 11111111-2222-3333-4444-555555555555 -serial 5CG1234ABC

What to look for, exactly one of:
    -serial S        the serial number, from the label or the firmware:    -serial 5CG1234ABC
    -name N          the name of the device:                               -name LT-4F7K2
    -user UPN        the sign-in name of its user, or of whoever enrolled
                     it, which is what Intune may have on record:          -user anna.berg@contoso.com
    -app NAME_OR_ID  an app that Intune found on it, by the app's name or
                     by the id of one of its versions:                     -app "Contoso VPN"
Texts are compared whole and without regard to case; there are no wildcards.

What else must hold:
    -os OS           the operating system, as Intune calls it:             -os Windows     (or iOS, macOS, Android)

What to print:
    -json            one JSON array for programs instead of a table:       -json
    -all             with -app, every device. Devices with an app are
                     read one by one; without -all, the first 100:         -all

Where to look and how to sign in:
    -auth METHOD     default, browser, devicecode, azurecli, managedidentity or environment; default tries the
                     environment, the identity of the machine, and developer tools:  -auth browser
    -tenant ID       the Entra tenant, an id or a domain:                  -tenant contoso.com
    -client-id ID    the app registration, needed with browser and
                     devicecode:                                           -client-id 11111111-2222-3333-4444-555555555555
    -cloud CLOUD     public, usgov, dod, china, france or germany
                     (default public):                                     -cloud usgov
    -timeout TIME    how long the search may take, without the sign-in in
                     browser and devicecode (default 1m):                  -timeout 5m
    -demo            a made-up tenant in memory, to try the tool:          -demo

The app registration or the person who signs in needs the Graph permission DeviceManagementManagedDevices.Read.All, and in
Intune the role right "Managed devices / Read".

Devices go to standard output, everything else to standard error. Exit codes: 0 found, 1 failed, 2 wrong usage,
3 nothing found. If several devices match, all are listed; names and serial numbers can repeat, the Intune id cannot.

A JSON object has id, deviceName, serialNumber, manufacturer, model, operatingSystem, osVersion, userPrincipalName,
userDisplayName, complianceState, and lastSyncDateTime, which is null for a device that never reported. Texts that Intune
does not know are "".
`

// The flags that say what to look for.
const (
	bySerial = "serial"
	byName   = "name"
	byUser   = "user"
	byApp    = "app"
)

// findOptions is a command line of find that can be used.
type findOptions struct {
	connection

	selector, value string // one of the four flags above, and what it was given
	system          string
	json, all, demo bool
	timeout         time.Duration
}

func parseFind(args []string) (findOptions, error) {
	var o findOptions
	flags := newFindFlags(&o)
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q: say what it is with -serial, -name, -user or -app", flags.Arg(0))
	}
	var selectors, stray []string
	given := false
	flags.Visit(func(f *flag.Flag) {
		switch {
		case slices.Contains([]string{bySerial, byName, byUser, byApp}, f.Name):
			selectors = append(selectors, "-"+f.Name)
			o.selector, o.value = f.Name, strings.TrimSpace(f.Value.String()) // spaces come along when copying
		case isConnectionFlag(f.Name):
			stray = append(stray, "-"+f.Name)
		case f.Name == "os":
			given = true
		}
	})
	o.system = strings.TrimSpace(o.system)
	switch {
	case len(selectors) == 0:
		return o, errors.New("say what to look for: one of -serial, -name, -user and -app")
	case len(selectors) > 1:
		return o, errors.New("give only one of " + strings.Join(selectors, ", "))
	case o.value == "":
		return o, errors.New("-" + o.selector + " is blank")
	case given && o.system == "":
		return o, errors.New("-os is blank")
	case o.timeout <= 0:
		return o, errors.New("-timeout must be above zero, such as 1m")
	case o.demo && len(stray) > 0:
		// Nobody should take the demo's devices for those of their tenant.
		return o, errors.New("-demo does not sign in anywhere; leave out " + strings.Join(stray, ", "))
	}
	return o, o.check()
}

func newFindFlags(o *findOptions) *flag.FlagSet {
	flags := flag.NewFlagSet("find", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // runFind prints the error, and the help where it was asked for
	for _, name := range []string{bySerial, byName, byUser, byApp} {
		flags.String(name, "", "")
	}
	flags.StringVar(&o.system, "os", "", "")
	flags.BoolVar(&o.json, "json", false, "")
	flags.BoolVar(&o.all, "all", false, "")
	flags.BoolVar(&o.demo, "demo", false, "")
	flags.DurationVar(&o.timeout, "timeout", time.Minute, "")
	o.register(flags)
	return flags
}

// filter is what a device must match, except for the app.
func (o *findOptions) filter() intune.DeviceFilter {
	f := intune.DeviceFilter{OperatingSystem: o.system}
	switch o.selector {
	case bySerial:
		f.SerialNumber = o.value
	case byName:
		f.DeviceName = o.value
	case byUser:
		f.UserPrincipalName = o.value
	}
	return f
}

// String is the search in the words of the command line.
func (o *findOptions) String() string {
	text := fmt.Sprintf("-%s %q", o.selector, o.value)
	if o.system != "" {
		text += fmt.Sprintf(" and -os %q", o.system)
	}
	return text
}
