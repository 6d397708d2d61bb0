package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"github.com/go-intune/intune"
)

const usage = `quickstart asks for remote assistance on a device that Microsoft Intune manages.

    go run ./examples/quickstart                            on an in-memory tenant: no network, no account
    go run ./examples/quickstart -live -device ID -yes      on a real tenant: a real user is asked

The address of the device:
    -device ID       the Intune device id, not one of Entra's two ids of the same machine
    -user USER       go through this user: a user principal name or an object id
    -app ID          go through this detected app
                     without -user and -app: the device itself; on the in-memory tenant all three in turn

A real tenant:
    -live            call Microsoft Graph
    -yes             yes, ask the user of the device
    -auth METHOD     how to sign in: default, browser, devicecode, azurecli, managedidentity, environment
                     (default "default": environment, workload or managed identity, developer tools)
    -tenant ID       the Entra tenant: an id or a domain
    -client-id ID    the app registration; needed with browser and devicecode
    -cloud CLOUD     public, usgov, dod, china, france, germany (default "public"); Microsoft says that remote assistance
                     does not work in usgov and dod
    -timeout TIME    how long to wait for the link, such as 90s or 5m (default 5m)

The app registration or the signed-in user needs the Graph permission DeviceManagementManagedDevices.ReadWrite.All.
The session's link is printed on standard output, everything else with -live on standard error.
Exit codes: 0 done, 1 failed, 2 wrong usage.
`

var errHelp = flag.ErrHelp

// options is a command line that can be used.
type options struct {
	live      bool
	auth      intune.CredentialMethod
	tenant    string
	clientID  string
	cloud     cloud.Configuration
	timeout   time.Duration
	device    string
	user, app string
}

// clouds are the names of -cloud.
var clouds = map[string]cloud.Configuration{
	"public":  intune.CloudPublic,
	"usgov":   intune.CloudUSGovernment,
	"dod":     intune.CloudUSGovernmentDoD,
	"china":   intune.CloudChina,
	"france":  intune.CloudFrance,
	"germany": intune.CloudGermany,
}

func parseFlags(args []string) (options, error) {
	var o options
	var auth, cloudName string
	var yes bool
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // run prints the error, and the usage where it was asked for
	flags.BoolVar(&o.live, "live", false, "")
	flags.BoolVar(&yes, "yes", false, "")
	flags.StringVar(&auth, "auth", "default", "")
	flags.StringVar(&o.tenant, "tenant", "", "")
	flags.StringVar(&o.clientID, "client-id", "", "")
	flags.StringVar(&o.device, "device", "", "")
	flags.StringVar(&o.user, "user", "", "")
	flags.StringVar(&o.app, "app", "", "")
	flags.StringVar(&cloudName, "cloud", "public", "")
	flags.DurationVar(&o.timeout, "timeout", 5*time.Minute, "")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q: everything is given by flags", flags.Arg(0))
	}
	if err := checkLiveOnly(flags, o.live); err != nil {
		return o, err
	}
	o.auth = intune.CredentialMethod(auth)
	if !slices.Contains(intune.PossibleCredentialMethodValues(), o.auth) {
		return o, fmt.Errorf("unknown -auth %q", auth)
	}
	var known bool
	if o.cloud, known = clouds[cloudName]; !known {
		return o, fmt.Errorf("unknown -cloud %q", cloudName)
	}
	if o.timeout <= 0 {
		return o, errors.New("-timeout must be above zero")
	}
	if o.user != "" && o.app != "" {
		return o, errors.New("-user and -app exclude each other: each is an address of its own")
	}
	return o, o.checkDevice(yes)
}

// checkLiveOnly refuses flags that mean nothing on the in-memory tenant, so that nobody takes its answers for real ones.
func checkLiveOnly(flags *flag.FlagSet, live bool) error {
	var stray []string
	flags.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "yes", "auth", "tenant", "client-id", "cloud", "timeout":
			stray = append(stray, "-"+f.Name)
		}
	})
	if !live && len(stray) > 0 {
		return fmt.Errorf("%s: only together with -live", strings.Join(stray, ", "))
	}
	return nil
}

func (o *options) checkDevice(yes bool) error {
	switch {
	case o.live && o.device == "":
		return errors.New("-live needs -device, the Intune id of the device")
	case o.live && !yes:
		return errors.New("this will prompt the user of device " + o.device + " on a real screen; add -yes to go on")
	case o.device != "" || o.user != "" || o.app != "":
		_, err := o.address(o.device).MarshalText() // refuses what no method would send
		if o.device == "" {
			_, err = o.address(tourDeviceID).MarshalText()
		}
		return err
	}
	return nil
}

// address is the one that the flags choose.
func (o *options) address(id string) intune.DeviceRef {
	switch {
	case o.user != "":
		return intune.UserDevice(o.user, id)
	case o.app != "":
		return intune.DetectedAppDevice(o.app, id)
	default:
		return intune.Device(id)
	}
}
