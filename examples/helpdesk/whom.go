package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-intune/intune"
	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The kinds of name that a device is looked for by; they are flags too.
const (
	bySerial = "serial"
	byName   = "name"
	byUser   = "user"
	byID     = "id"
	byItself = "" // what it is shows by itself
)

// whom is how a command line names a device.
type whom struct {
	kind, value string
	system      string
}

const whomHelp = "WHO is a serial number, a device name, a user's sign-in name or an Intune id; which one is recognized by itself. " +
	"Texts are compared whole and without regard to case; there are no wildcards."

func (w *whom) register(flags *pflag.FlagSet) {
	flags.String(bySerial, "", "the device with serial number `S`, from its label or firmware")
	flags.String(byName, "", "the device with the name `N`")
	flags.String(byUser, "", "the device of the user with the sign-in name `UPN`")
	flags.String(byID, "", "the device with the Intune id `ID`")
	flags.StringVar(&w.system, "os", "", "only devices with `SYSTEM`, as Intune calls it: Windows, iOS, macOS, Android")
}

// take reads what was given. None at all is left to the caller.
func (w *whom) take(cmd *cobra.Command, args []string) error {
	var given []string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if slices.Contains([]string{bySerial, byName, byUser, byID}, f.Name) {
			given = append(given, "--"+f.Name)
			w.kind, w.value = f.Name, strings.TrimSpace(f.Value.String()) // spaces come along when copying
		}
	})
	if len(args) > 0 {
		given = append(given, fmt.Sprintf("%q", args[0]))
		w.kind, w.value = byItself, strings.TrimSpace(args[0])
	}
	w.system = strings.TrimSpace(w.system)
	switch {
	case len(given) > 1:
		return failed(exitUsage, "give only one of %s", strings.Join(given, ", "))
	case len(given) == 1 && w.value == "":
		return failed(exitUsage, "%s is blank", given[0])
	case cmd.Flags().Changed("os") && w.system == "":
		return failed(exitUsage, "--os is blank; give a system such as Windows")
	}
	return nil
}

// need is take for a command that is of no use without a device.
func (w *whom) need(cmd *cobra.Command, args []string) error {
	err := w.take(cmd, args)
	if err == nil && w.value == "" {
		err = failed(exitUsage,
			"say whose device: a serial number, a device name, a sign-in name or an Intune id; to try it: %s LT-4F7K2 --demo",
			cmd.CommandPath())
	}
	return err
}

// String is what is looked for, in words.
func (w *whom) String() string {
	words := map[string]string{bySerial: "the serial number", byName: "the name", byUser: "the user", byID: "the Intune id"}
	text := fmt.Sprintf("%q", w.value)
	if word := words[w.kind]; word != "" {
		text = word + " " + text
	}
	if w.system != "" {
		text += fmt.Sprintf(" and the system %q", w.system)
	}
	return text
}

// finder looks for devices.
type finder struct {
	graph   *intune.Client
	dropped int // rows that the service sent although they do not match
	entraID bool
}

// find lists the devices that match, those in use before old records of the same name.
func (f *finder) find(ctx context.Context, w *whom) ([]intune.ManagedDevice, error) {
	devices, err := f.byKind(ctx, w)
	sortDevices(devices)
	return devices, err
}

func (f *finder) byKind(ctx context.Context, w *whom) ([]intune.ManagedDevice, error) {
	filter := intune.DeviceFilter{OperatingSystem: w.system}
	switch w.kind {
	case bySerial:
		filter.SerialNumber = w.value
	case byName:
		filter.DeviceName = w.value
	case byUser:
		filter.UserPrincipalName = w.value
	case byID:
		return f.byID(ctx, w)
	default:
		return f.recognized(ctx, w)
	}
	return f.list(ctx, filter)
}

// recognized tries what the text may be, the likeliest first.
func (f *finder) recognized(ctx context.Context, w *whom) ([]intune.ManagedDevice, error) {
	system := w.system
	if uuid.Validate(w.value) == nil {
		found, err := f.byID(ctx, w)
		if len(found) > 0 || err != nil {
			return found, err
		}
		// Entra's id of the device looks the same and is easier to come by; so does the serial number of some virtual machines.
		found, err = f.list(ctx, intune.DeviceFilter{AzureADDeviceID: w.value, OperatingSystem: system})
		f.entraID = len(found) > 0
		if len(found) > 0 || err != nil {
			return found, err
		}
	}
	if strings.Contains(w.value, "@") {
		found, err := f.list(ctx, intune.DeviceFilter{UserPrincipalName: w.value, OperatingSystem: system})
		if len(found) > 0 || err != nil {
			return found, err
		}
		return f.list(ctx, intune.DeviceFilter{DeviceName: w.value, OperatingSystem: system})
	}
	// A text can be the serial number of one device and the name of another, and only a person can tell which is meant.
	found, err := f.list(ctx, intune.DeviceFilter{SerialNumber: w.value, OperatingSystem: system})
	if err != nil && !errors.Is(err, intune.ErrInvalidArgument) { // a serial of zeros, say, can still be a name
		return nil, err
	}
	named, err := f.list(ctx, intune.DeviceFilter{DeviceName: w.value, OperatingSystem: system})
	if err != nil {
		return nil, err
	}
	for i := range named {
		if !slices.ContainsFunc(found, func(d intune.ManagedDevice) bool { return d.ID == named[i].ID }) {
			found = append(found, named[i])
		}
	}
	return found, nil
}

// byID reads one device. None is no error.
func (f *finder) byID(ctx context.Context, w *whom) ([]intune.ManagedDevice, error) {
	device, err := f.graph.GetDevice(ctx, intune.Device(w.value), &intune.GetDeviceOptions{Select: shownProperties()})
	switch {
	case errors.Is(err, intune.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case w.system != "" && !strings.EqualFold(w.system, device.OperatingSystem):
		return nil, nil
	}
	return []intune.ManagedDevice{device.ManagedDevice}, nil
}

// list lets the service search. It uses the pager rather than Client.Devices, because only a page tells how many of its
// rows were wrong.
func (f *finder) list(ctx context.Context, filter intune.DeviceFilter) ([]intune.ManagedDevice, error) {
	var devices []intune.ManagedDevice
	pager := f.graph.NewListDevicesPager(intune.AllDevices(), &intune.ListDevicesOptions{Filter: filter, Select: shownProperties()})
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		devices = append(devices, page.Value...)
		f.dropped += page.Dropped
	}
	return devices, nil
}

// sayOdd tells what the devices alone do not.
func (f *finder) sayOdd(c *console, w *whom) {
	if f.dropped > 0 {
		c.warn("the service also sent %s not matching %s; it seems to ignore the filter, and those are left out", plural(f.dropped, "device"), w)
	}
	if f.entraID {
		c.warn("%s is Entra's id of the device; Intune's own is another", w.value)
	}
}

// none is the error of a search without a match.
func (w *whom) none(demo bool) error {
	text := "no device matches " + w.String()
	switch {
	case w.kind == byUser || w.kind == byItself && strings.Contains(w.value, "@"):
		text += "; it must be the user principal name, which may differ from the mail address"
	case w.kind != byID:
		text += "; texts are compared whole, without wildcards"
	}
	if demo {
		text += "; the demo has LT-4F7K2, 5CG1234ABC and anna.berg@contoso.com"
	}
	return failed(exitNothing, "%s", text)
}
