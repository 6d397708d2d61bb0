package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-intune/intune"
)

// shownProperties are the properties that find prints. Asking for them alone makes the pages of large tenants small.
func shownProperties() []string {
	return []string{
		"deviceName", "serialNumber", "manufacturer", "model", "operatingSystem", "osVersion",
		"userPrincipalName", "userDisplayName", "complianceState", "lastSyncDateTime",
	}
}

// runFind is the command find.
func runFind(ctx context.Context, args []string, stdout, stderr io.Writer, env environment) int {
	o, err := parseFind(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, findHelp)
		return exitFound
	case err != nil:
		fmt.Fprintf(stderr, "helpdesk find: %s\n\n%s", clean(err.Error()), findUsage)
		return exitUsage
	}
	s := &search{options: o, stderr: stderr}
	if o.demo {
		s.note("demo: these devices are made up and live in memory; nothing was asked of Microsoft Graph")
		s.client = demoTenant(env.now()).Client()
	} else if s.client, err = env.connect(ctx, o.connection, stderr); err != nil {
		return s.fail(ctx, err)
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	if err := s.run(ctx); err != nil {
		// Nothing on stdout: part of an answer would look like all of it.
		return s.fail(ctx, err)
	}
	if err := s.print(stdout, env); err != nil {
		return s.fail(ctx, err)
	}
	return s.conclude()
}

// search is one search for devices, and what it came to.
type search struct {
	client  *intune.Client
	options findOptions
	stderr  io.Writer

	devices []intune.ManagedDevice
	dropped int // rows that the service sent although they do not match

	// Of a search by app:
	skipped int      // devices that could not be read again because they are gone
	cut     bool     // the app is on more devices than were read
	noApp   bool     // no app has this name or id
	similar []string // names of apps that contain the one looked for
}

// note tells the technician something in one line on stderr, also when it is the text of an error with several lines.
func (s *search) note(format string, args ...any) {
	text := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
	fmt.Fprintln(s.stderr, "helpdesk: "+clean(text))
}

func (s *search) run(ctx context.Context) error {
	var err error
	if s.options.selector == byApp {
		err = s.findByApp(ctx)
	} else {
		err = s.findByFilter(ctx)
	}
	// The service promises no order. With equal names, the device that is in use comes before an old record of it.
	slices.SortStableFunc(s.devices, func(a, b intune.ManagedDevice) int {
		return cmp.Or(
			strings.Compare(strings.ToLower(a.DeviceName), strings.ToLower(b.DeviceName)),
			b.LastSyncDateTime.Compare(a.LastSyncDateTime),
			strings.Compare(a.ID, b.ID),
		)
	})
	return err
}

// findByFilter lets the service search. It uses the pager rather than Client.Devices, because only a page tells how many of
// its rows were wrong.
func (s *search) findByFilter(ctx context.Context) error {
	pager := s.client.NewListDevicesPager(intune.AllDevices(), &intune.ListDevicesOptions{
		Filter: s.options.filter(),
		Select: shownProperties(),
	})
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		s.devices = append(s.devices, page.Value...)
		s.dropped += page.Dropped
	}
	return nil
}

// print writes the devices to stdout in one go.
func (s *search) print(stdout io.Writer, env environment) error {
	var b bytes.Buffer
	if s.options.json {
		if err := writeJSON(&b, s.devices); err != nil {
			return err
		}
	} else if len(s.devices) > 0 {
		if err := writeTable(&b, s.devices, env.now()); err != nil {
			return err
		}
	}
	_, err := stdout.Write(b.Bytes())
	return err
}

// conclude says on stderr what the devices alone do not tell, and gives the exit code.
func (s *search) conclude() int {
	if s.dropped > 0 {
		s.note("the service also sent %s not matching %s; it seems to ignore the filter, and those are not shown",
			plural(s.dropped, "device"), &s.options)
	}
	if s.skipped > 0 {
		s.note("%s with the app could not be read, having left Intune since; not shown", plural(s.skipped, "device"))
	}
	switch {
	case s.cut && len(s.devices) == 0:
		s.note("the app is on more than %d devices, and none of the first %d is a match; read the others too with -all", maxReads, maxReads)
		return exitFailure // not exitNothing: there may well be one
	case s.cut:
		s.note("the app is on more than %d devices; only those among the first %d are listed. For every one: -all -timeout 10m", maxReads, maxReads)
	case len(s.devices) == 0:
		s.sayNothing()
		return exitNothing
	}
	if len(s.devices) > 1 {
		s.note("%d devices match; to act on exactly one of them, pass its Intune id", len(s.devices))
	}
	return exitFound
}

func (s *search) sayNothing() {
	switch {
	case s.noApp && len(s.similar) > 0:
		s.note("no app that Intune found has the name or id %q; names that contain it: %s", s.options.value, strings.Join(s.similar, ", "))
	case s.noApp:
		s.note("no app that Intune found has the name or id %q", s.options.value)
	case s.options.selector == byUser:
		s.note("no device matches %s; it must be the user principal name, which may differ from the mail address", &s.options)
	default:
		s.note("no device matches %s; texts are compared whole, without wildcards", &s.options)
	}
	if s.options.demo {
		s.note("demo: try -name LT-4F7K2, -serial 5CG1234ABC, -user anna.berg@contoso.com or -app \"Contoso VPN\"")
	}
}

// fail reports an error in one line. The library's errors carry a hint on what to do.
func (s *search) fail(ctx context.Context, err error) int {
	switch {
	case errors.Is(err, intune.ErrInvalidArgument):
		s.note("%v", err)
		return exitUsage
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		s.note("not done within %v; allow more time with -timeout, such as -timeout 5m: %v", s.options.timeout, err)
	case ctx.Err() != nil:
		s.note("stopped before the search was over: %v", err)
	default:
		s.note("%v", err)
	}
	return exitFailure
}
