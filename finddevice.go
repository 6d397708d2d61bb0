package intune

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-intune/intune/internal/redact"
)

// ErrAmbiguousDevice marks a search for one device that found several. The error is an [*AmbiguousDeviceError].
var ErrAmbiguousDevice = errors.New("more than one device matches")

// tellingApart are the properties by which a technician knows a device.
var tellingApart = []string{"deviceName", "serialNumber", "lastSyncDateTime"}

// maxCandidatesShown is how many candidates the text of an error shows.
const maxCandidatesShown = 5

// maxCandidates is how many matches a search collects before it gives up.
const maxCandidates = 20

// FindDeviceOptions configures [Client.FindDevice].
type FindDeviceOptions struct {
	// In narrows the search to a collection. When it is not set, the search is in AllDevices. In DetectedAppDevices,
	// ErrNotFound is certain only for a filter on the device's name, since the list may lack the other properties.
	In DeviceCollection

	// Select is as in ListDevicesOptions. The properties that tell candidates apart are always added.
	Select []string

	// OnPage is as in ListDevicesOptions.
	OnPage func(ListDevicesResponse)
}

// FindDevice returns the device that matches a filter, if exactly one does. It never picks one of several, because the
// action shows a prompt on somebody's screen: it returns [ErrNotFound] if no device matches, and an
// [*AmbiguousDeviceError] that lists the matches if several do. It returns [ErrInvalidArgument] for an empty filter,
// and an [*Error] for a match without an id, which no method could use.
//
// FindDevice reads every page and checks every row, so a filter that the service ignores makes it slow, but not wrong. If
// the service sent only devices that do not match, the error says how many, and its Hint why that can be.
// Needs DeviceManagementManagedDevices.Read.All. Errors otherwise: [*Error].
func (c *Client) FindDevice(ctx context.Context, filter DeviceFilter, options *FindDeviceOptions) (device ManagedDevice, err error) {
	if err := c.check(ctx); err != nil {
		return ManagedDevice{}, err
	}
	if filter.IsZero() {
		return ManagedDevice{}, invalidArgument("filter", "is empty and would match every device; set at least one field")
	}
	in, list := AllDevices(), ListDevicesOptions{Filter: filter}
	var onPage func(ListDevicesResponse)
	if options != nil {
		onPage = options.OnPage
		if options.In != (DeviceCollection{}) {
			in = options.In
		}
		list.Select = options.Select
	}
	if len(list.Select) > 0 || in.form == formDetectedApp { // whose list has few properties unless they are selected
		list.Select = slices.Concat(tellingApart, list.Select)
	}
	dropped := 0
	list.OnPage = func(page ListDevicesResponse) {
		dropped += page.Dropped
		if onPage != nil {
			onPage(page)
		}
	}
	ctx, endSpan := c.startSpan(ctx, opFindDevice)
	defer func() { endSpan(err) }()
	var found []ManagedDevice
	for candidate, err := range c.deviceList(opFindDevice, in, list).all(ctx, c, list.OnPage) {
		if err != nil {
			return ManagedDevice{}, err
		}
		if candidate.ID == "" {
			// It may be the only match, or one of several, and no method could use it.
			return ManagedDevice{}, &Error{Op: opFindDevice.text, Message: "a device that matches came without its id"}
		}
		if found = append(found, candidate); len(found) == maxCandidates {
			break
		}
	}
	switch len(found) {
	case 0:
		return ManagedDevice{}, foundNone(filter, in, dropped)
	case 1:
		return found[0], nil
	default:
		return ManagedDevice{}, &AmbiguousDeviceError{Candidates: found}
	}
}

// foundNone is the error of a search without a match. Devices that came all the same tell why there is none.
func foundNone(filter DeviceFilter, in DeviceCollection, dropped int) *Error {
	properties := filter.properties()
	e := &Error{Op: opFindDevice.text, kind: ErrNotFound, Message: "no device matches the filter on " + strings.Join(properties, ", ")}
	switch dropped {
	case 0:
		return e
	case 1:
		e.Message += "; the service sent 1 device that does not match"
	default:
		e.Message += "; the service sent " + strconv.Itoa(dropped) + " devices that do not match"
	}
	switch {
	case in.form == formDetectedApp && !slices.Equal(properties, []string{"deviceName"}):
		e.Hint = "the devices of a detected app come with few properties, and what is missing matches nothing; " +
			"search by DeviceName alone, or in AllDevices"
	case filter.UserPrincipalName != "":
		e.Hint = "the user on a row may be the one who enrolled the device and not its primary user, or the service ignored the filter; " +
			"search by SerialNumber or DeviceName"
	case !filter.LastSyncBefore.IsZero() || !filter.EnrolledBefore.IsZero():
		e.Hint = "the service may send devices without a date, which match no bound, or it ignored the filter; " +
			"search without LastSyncBefore and EnrolledBefore"
	case dropped > maxCandidates:
		e.Hint = "the service seems to have ignored the filter and to have sent every device that the caller may see; " +
			"check the values of the filter: a text matches as a whole only, but for DeviceNameContains"
	default:
		e.Hint = "the service compares in another way than the library, or it ignored the filter; " +
			"check the values of the filter, or search by another field"
	}
	return e
}

// AmbiguousDeviceError means that several devices match a search for a single one. [errors.Is] finds
// [ErrAmbiguousDevice] in it.
type AmbiguousDeviceError struct {
	// Candidates are the matches, at most 20 of them.
	Candidates []ManagedDevice
}

// Error names the candidates by name, serial and last sync, so that a technician can choose. It is one line, and
// holds no user. What a candidate lacks is unknown: the device may have none, or the service did not send it.
func (e *AmbiguousDeviceError) Error() string {
	const most = maxCandidatesShown
	var b strings.Builder
	if len(e.Candidates) >= maxCandidates {
		fmt.Fprintf(&b, "%d or more devices match: ", len(e.Candidates))
	} else {
		fmt.Fprintf(&b, "%d devices match: ", len(e.Candidates))
	}
	for i := range e.Candidates {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(e.Candidates)-most)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		d := &e.Candidates[i]
		synced := unknownText
		if !d.LastSyncDateTime.IsZero() {
			synced = d.LastSyncDateTime.UTC().Format(time.DateTime) + " UTC"
		}
		fmt.Fprintf(&b, "%s (serial %s, last sync %s, id %s)", orUnknown(d.DeviceName), orUnknown(d.SerialNumber), synced, orUnknown(d.ID))
	}
	return b.String()
}

// LogValue groups the candidates, at most five of them, without their users.
func (e *AmbiguousDeviceError) LogValue() slog.Value {
	attributes := []slog.Attr{slog.Int("count", len(e.Candidates))}
	for i := range min(len(e.Candidates), maxCandidatesShown) {
		d := &e.Candidates[i]
		candidate := []slog.Attr{slog.String("id", d.ID), slog.String("name", d.DeviceName)}
		candidate = appendText(candidate, "serial", d.SerialNumber)
		candidate = appendTime(candidate, "last_sync", d.LastSyncDateTime)
		attributes = append(attributes, slog.Attr{Key: "candidate_" + strconv.Itoa(i+1), Value: slog.GroupValue(candidate...)})
	}
	return slog.GroupValue(attributes...)
}

// Is reports whether target is [ErrAmbiguousDevice].
func (e *AmbiguousDeviceError) Is(target error) bool { return target == ErrAmbiguousDevice }

const unknownText = "unknown"

func orUnknown(text string) string {
	return cmp.Or(redact.OneLine(text, 64), unknownText)
}
