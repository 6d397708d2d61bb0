package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/readiness"
)

// deviceWords are the plain sentences for the checks of a device: what was found, in a technician's words.
type deviceWords struct {
	record intune.ManagedDevice // as the check read it; zero if it could not
	err    error                // why it could not
	now    time.Time
}

// titles are the short names of the checks. A later version of the library may have more checks.
func title(check string) string {
	text, ok := map[string]string{
		readiness.NameCloud:      "Microsoft's cloud",
		readiness.NameToken:      "Your sign-in",
		readiness.NameConnector:  "Connection to TeamViewer",
		readiness.NameDevice:     "Device",
		readiness.NameManagement: "Management",
		readiness.NamePlatform:   "System",
		readiness.NameSync:       "Last sync",
		readiness.NameUser:       "User",
		readiness.NameSession:    "Earlier session",
	}[check]
	if !ok {
		return "Another check"
	}
	return text
}

// tenantSentence is about the tenant and the app. A warning about them is for the operator, and not among these statuses.
func tenantSentence(check string, status readiness.Status) string {
	in := func(pass, fail, unknown string) string {
		switch status {
		case readiness.StatusPass:
			return pass
		case readiness.StatusFail:
			return fail
		default:
			return unknown
		}
	}
	switch check {
	case readiness.NameCloud:
		return in("Remote assistance works in this cloud.", "Remote assistance does not work in this cloud.",
			"Nobody knows whether remote assistance works in this cloud.")
	case readiness.NameToken:
		return in("Your sign-in allows remote assistance.", "Your sign-in does not allow remote assistance.",
			"Your sign-in does not show whether it allows remote assistance.")
	case readiness.NameConnector:
		return in("The connection to TeamViewer is set up.", "The connection to TeamViewer is not set up.",
			"The connection to TeamViewer could not be checked.")
	}
	return in("This is in order.", "This is not in order.", "This could not be checked.")
}

// sentence is about the device; "" if the check is not.
func (d *deviceWords) sentence(check string, status readiness.Status) string {
	of := map[string]func(readiness.Status) string{
		readiness.NameManagement: d.management,
		readiness.NamePlatform:   d.platform,
		readiness.NameSync:       d.sync,
		readiness.NameUser:       d.user,
		readiness.NameSession:    d.session,
	}[check]
	switch {
	case check == readiness.NameDevice:
		return d.device(status)
	case of == nil:
		return ""
	case d.err != nil:
		return "Not known, since the device could not be read."
	}
	return of(status)
}

func (d *deviceWords) device(status readiness.Status) string {
	switch {
	case d.err == nil && status != readiness.StatusUnknown:
		return "Intune knows the device."
	case errors.Is(d.err, intune.ErrNotFound):
		return "Intune does not know the device any more."
	}
	return "Intune did not show the device."
}

func (d *deviceWords) management(status readiness.Status) string {
	is := func(states ...intune.ManagementState) bool {
		return slices.ContainsFunc(states, func(state intune.ManagementState) bool {
			return strings.EqualFold(string(state), string(d.record.ManagementState))
		})
	}
	switch {
	case status == readiness.StatusPass:
		return "Intune manages the device."
	case is(intune.ManagementStateRetirePending, intune.ManagementStateRetireIssued):
		return "The device is being removed from Intune."
	case is(intune.ManagementStateWipePending, intune.ManagementStateWipeIssued):
		return "The device is being wiped."
	case is(intune.ManagementStateDeletePending):
		return "The device is being deleted from Intune."
	case is(intune.ManagementStateDiscovered):
		return "Intune knows the device, but does not manage it."
	case is(intune.ManagementStateRetireFailed):
		return "Intune manages the device, after an attempt to remove it failed."
	case is(intune.ManagementStateWipeFailed):
		return "Intune manages the device, after an attempt to wipe it failed."
	case is(intune.ManagementStateUnhealthy):
		return "Intune manages the device, but has trouble with it."
	case status == readiness.StatusWarn:
		return "Another system than Intune manages the device" + d.agent() + "."
	}
	return "Nobody knows whether Intune manages the device."
}

// agent names the system that manages a device, if it is one that people know.
func (d *deviceWords) agent() string {
	for agent, name := range map[intune.ManagementAgentType]string{
		intune.ManagementAgentTypeEAS:                        "Exchange",
		intune.ManagementAgentTypeConfigurationManagerClient: "Configuration Manager",
		intune.ManagementAgentTypeJamf:                       "Jamf",
		intune.ManagementAgentTypeMSSense:                    "Microsoft Defender",
	} {
		if strings.EqualFold(string(agent), string(d.record.ManagementAgent)) {
			return ": " + name
		}
	}
	return ""
}

func (d *deviceWords) platform(status readiness.Status) string {
	name := cut(strings.TrimSpace(d.record.OperatingSystem))
	if name == "" {
		return "Intune does not say which system the device has."
	}
	if strings.HasPrefix(strings.ToLower(name), "android") && status != readiness.StatusPass {
		name += " on devices that the company owns"
	}
	switch status {
	case readiness.StatusPass:
		return "Remote assistance works with " + name + "."
	case readiness.StatusWarn:
		return "Remote assistance may not work with " + name + "."
	case readiness.StatusFail:
		return "Remote assistance does not work with " + name + "."
	default:
		return "Nobody knows whether remote assistance works with " + name + "."
	}
}

func (d *deviceWords) sync(readiness.Status) string {
	if d.record.LastSyncDateTime.Year() <= 1 {
		return "The device has never synced."
	}
	return "The last sync was " + ago(d.now.Sub(d.record.LastSyncDateTime)) + "."
}

// ago is an age as people say it, rounded down.
func ago(age time.Duration) string {
	units := []struct {
		length time.Duration
		one    string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}}
	for _, unit := range units {
		switch n := age / unit.length; {
		case n == 1:
			return "1 " + unit.one + " ago"
		case n > 1:
			return fmt.Sprintf("%d %ss ago", n, unit.one)
		}
	}
	return "a moment ago"
}

func (d *deviceWords) user(status readiness.Status) string {
	switch {
	case status == readiness.StatusPass:
		return "The device has a user who can be asked."
	case d.record.UserID == "" && d.record.UserPrincipalName == "":
		return "The device has no user who could be asked."
	}
	return "The device was set up without a user."
}

func (d *deviceWords) session(status readiness.Status) string {
	switch {
	case status == readiness.StatusPass:
		return "Nothing is left of an earlier session."
	case status == readiness.StatusUnknown:
		return "Intune did not say whether something is left of an earlier session."
	case d.record.RemoteAssistanceSessionURL.IsZero() && d.record.RemoteAssistanceSessionErrorDetails != "":
		return "An earlier session failed, and Intune still says so."
	}
	return "A link of an earlier request is still there."
}
