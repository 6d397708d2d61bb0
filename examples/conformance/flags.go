package main

import (
	"cmp"
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

const usage = `conformance checks on a tenant what package intune and its test kit take for facts about Microsoft Graph.

    go run ./examples/conformance -demo                              on an in-memory tenant: no network, no account
    go run ./examples/conformance -auth browser -tenant TENANT -client-id APP -report report.txt
    go run ./examples/conformance ... -device ID -i-own-this-device  also asks for a session: a real prompt on a real screen

Without -i-own-this-device it only reads. What it prints and writes holds no ids, names, addresses, links, tokens, or hosts
of the tenant, but hashes that mean nothing outside of one report.

What to look at:
    -device ID          the Intune id of a device (default: the first of the list that has a user)
    -app ID             a detected app that was found on the device (default: looked for)
    -report FILE        write the report to a file that does not exist yet

What prompts a user:
    -i-own-this-device  ask for a session on -device, once: its user sees a prompt
    -prompt-again LIST  ask again, once in each of these ways, separated by commas: user (below the user of the device), app
                        (below a detected app), batch (in a JSON batch); the user sees a prompt for each
    -timeout TIME       how long to wait for a link (default 10m)
    -audit-wait TIME    how long to wait for an audit event (default 15m)

How to sign in:
    -demo               use an in-memory tenant instead
    -auth METHOD        default, browser, devicecode, azurecli, managedidentity, environment (default "default")
    -tenant ID          the Entra tenant: an id or a domain
    -client-id ID       the app registration; needed with browser and devicecode
    -cloud CLOUD        public, usgov, dod, china, france, germany (default "public")

Permissions: DeviceManagementManagedDevices.Read.All; for the connector DeviceManagementServiceConfig.Read.All, and for audit
events DeviceManagementApps.Read.All; for a session DeviceManagementManagedDevices.ReadWrite.All.
Exit codes: 0 nothing contradicted, 1 something contradicted, 2 wrong usage, sign-in failed, interrupted, or no report.
`

// options is a command line that can be used.
type options struct {
	demo      bool
	auth      intune.CredentialMethod
	tenant    string
	clientID  string
	cloudName string
	cloud     cloud.Configuration

	device, app string
	report      string
	owned       bool
	again       []string
	timeout     time.Duration
	auditWait   time.Duration
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
	var auth, ways string
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // run prints the error, and the usage where it was asked for
	flags.BoolVar(&o.demo, "demo", false, "")
	flags.StringVar(&auth, "auth", "default", "")
	flags.StringVar(&o.tenant, "tenant", "", "")
	flags.StringVar(&o.clientID, "client-id", "", "")
	flags.StringVar(&o.cloudName, "cloud", "public", "")
	flags.StringVar(&o.device, "device", "", "")
	flags.StringVar(&o.app, "app", "", "")
	flags.StringVar(&o.report, "report", "", "")
	flags.BoolVar(&o.owned, "i-own-this-device", false, "")
	flags.StringVar(&ways, "prompt-again", "", "")
	flags.DurationVar(&o.timeout, "timeout", 10*time.Minute, "")
	flags.DurationVar(&o.auditWait, "audit-wait", 15*time.Minute, "")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q: everything is given by flags", flags.Arg(0))
	}
	o.auth = intune.CredentialMethod(auth)
	if !slices.Contains(intune.PossibleCredentialMethodValues(), o.auth) {
		return o, fmt.Errorf("unknown -auth %q", auth)
	}
	var known bool
	if o.cloud, known = clouds[o.cloudName]; !known {
		return o, fmt.Errorf("unknown -cloud %q", o.cloudName)
	}
	if o.timeout <= 0 || o.auditWait <= 0 {
		return o, errors.New("-timeout and -audit-wait must be above zero")
	}
	if err := checkDemo(flags, o.demo); err != nil {
		return o, err
	}
	if ways != "" {
		o.again = strings.Split(ways, ",")
	}
	return o, o.checkPrompts()
}

// checkDemo refuses flags that mean nothing on the in-memory tenant, so that nobody takes its answers for real ones.
func checkDemo(flags *flag.FlagSet, demo bool) error {
	var stray []string
	flags.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "auth", "tenant", "client-id", "cloud":
			stray = append(stray, "-"+f.Name)
		}
	})
	if demo && len(stray) > 0 {
		return fmt.Errorf("%s: not together with -demo, which needs no sign-in", strings.Join(stray, ", "))
	}
	return nil
}

// checkPrompts lets nobody be asked by mistake.
func (o *options) checkPrompts() error {
	if o.demo {
		o.device, o.app = cmp.Or(o.device, demoDevice), cmp.Or(o.app, demoApp)
	}
	for i, way := range o.again {
		switch {
		case way != againUser && way != againApp && way != againBatch:
			return fmt.Errorf("unknown way %q of -prompt-again; use user, app, batch, separated by commas", way)
		case slices.Contains(o.again[:i], way):
			return fmt.Errorf("-prompt-again has %s twice; each way asks the user once", way)
		}
	}
	switch {
	case o.owned && o.device == "":
		return errors.New("-i-own-this-device needs -device, the Intune id of your device")
	case len(o.again) > 0 && !o.owned:
		return errors.New("-prompt-again needs -i-own-this-device: the user of the device is asked several times")
	}
	if o.device != "" {
		if _, err := intune.Device(o.device).MarshalText(); err != nil {
			return fmt.Errorf("-device: %w", err)
		}
	}
	if o.app != "" {
		if _, err := intune.DetectedAppDevice(o.app, cmp.Or(o.device, nobody)).MarshalText(); err != nil {
			return fmt.Errorf("-app: %w", err)
		}
	}
	return nil
}
