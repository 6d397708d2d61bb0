package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-intune/intune"
)

// shownProperties are the properties that the tool shows. Asking for them alone makes the pages of large tenants small.
func shownProperties() []string {
	return []string{
		"deviceName", "serialNumber", "manufacturer", "model", "operatingSystem", "osVersion",
		"userPrincipalName", "userDisplayName", "complianceState", "lastSyncDateTime", "enrolledDateTime",
	}
}

// sortDevices puts devices in an order that stays the same, since the service promises none. With equal names, the device
// that is in use comes before an old record of it.
func sortDevices(devices []intune.ManagedDevice) {
	slices.SortStableFunc(devices, func(a, b intune.ManagedDevice) int {
		return cmp.Or(
			strings.Compare(strings.ToLower(a.DeviceName), strings.ToLower(b.DeviceName)),
			b.LastSyncDateTime.Compare(a.LastSyncDateTime),
			strings.Compare(a.ID, b.ID),
		)
	})
}

// theOne finds the one device that is meant: for something that shows on a person's screen, the first of several will
// not do. Where nobody can be asked, several are an error.
func (a *app) theOne(ctx context.Context, client *intune.Client, w *whom) (intune.ManagedDevice, error) {
	limited, cancel := a.limited(ctx)
	defer cancel()
	f := &finder{graph: client}
	devices, err := f.find(limited, w)
	if err != nil {
		return intune.ManagedDevice{}, a.inTime(limited, err)
	}
	f.sayOdd(a.console, w)
	switch len(devices) {
	case 0:
		return intune.ManagedDevice{}, w.none(a.demo)
	case 1:
		return devices[0], nil
	}
	lines := choiceLines(devices, less(a.width, len("  1  ")))
	i, err := a.choose(ctx, plural(len(devices), "device")+" match "+w.String(), lines, "pass --id with its Intune id")
	if err != nil {
		return intune.ManagedDevice{}, err
	}
	return devices[i], nil
}

// choiceLines tell devices from others like them, two lines each. The user is shown on purpose, although it is personal
// data: names and serial numbers can repeat, and a technician must make sure to act on the device of the person who called.
func choiceLines(devices []intune.ManagedDevice, width int) []string {
	rows, seconds := make([][]string, len(devices)), make([]string, len(devices))
	for i := range devices {
		d := &devices[i]
		rows[i] = []string{d.DeviceName, d.SerialNumber, d.OperatingSystem, syncAge(d.LastSyncDateTime, time.Now())}
		// The id is never shortened: it is there to be copied.
		id := orDash(clean(d.ID))
		user := cut(orDash(clean(firstOf(d.UserPrincipalName, d.UserDisplayName))), less(width, columnGap+len(id)))
		seconds[i] = "     " + user + "  " + id
	}
	lines := aligned(rows, width)
	for i := range lines {
		lines[i] += "\n" + seconds[i]
	}
	return lines
}

// choose lets the person at the terminal choose a line. In a pipe the lines are part of the error.
func (a *app) choose(ctx context.Context, title string, lines []string, otherwise string) (int, error) {
	if a.asks {
		a.say("%s:", title)
	}
	for i, line := range lines {
		fmt.Fprintf(a.err, "%3d  %s\n", i+1, line)
	}
	if !a.asks {
		return 0, failed(exitAmbiguous, "%s; to choose one of them, %s", title, otherwise)
	}
	for {
		answer, err := a.ask(ctx, fmt.Sprintf("Which one? Its number, or nothing to stop [1-%d]:", len(lines)))
		if errors.Is(err, errNoAnswer) || err == nil && answer == "" {
			return 0, failed(exitAmbiguous, "none was chosen, and nothing was done")
		}
		if err != nil {
			return 0, err
		}
		if n, err := strconv.Atoi(answer); err == nil && n >= 1 && n <= len(lines) {
			return n - 1, nil
		}
		a.say("%q is no number from 1 to %d.", answer, len(lines))
	}
}

func complianceWords(state intune.ComplianceState) string {
	switch state {
	case intune.ComplianceStateNoncompliant:
		return "not compliant"
	case intune.ComplianceStateInGracePeriod:
		return "in grace period"
	case intune.ComplianceStateConfigManager:
		return "Configuration Manager"
	default:
		return string(state)
	}
}

// card shows one device.
func card(d *intune.ManagedDevice, now time.Time, width int) string {
	user := firstOf(d.UserPrincipalName, d.UserDisplayName)
	if user != d.UserDisplayName && strings.TrimSpace(d.UserDisplayName) != "" {
		user = d.UserDisplayName + ", " + user
	}
	return facts([][2]string{
		{"Name", d.DeviceName},
		{"Serial", d.SerialNumber},
		{"User", user},
		{"System", strings.TrimSpace(d.OperatingSystem + " " + d.OSVersion)},
		{"Model", strings.TrimSpace(d.Manufacturer + " " + d.Model)},
		{"Compliance", complianceWords(d.ComplianceState)},
		{"Last sync", lastSync(d.LastSyncDateTime, now)},
		{"Intune id", d.ID},
	}, width)
}
