package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/go-intune/intune"
	"github.com/google/uuid"
)

// lookup looks for the devices that a text of one kind names. None is no error; [intune.ErrInvalidArgument] is a text that
// cannot name any.
type lookup interface {
	find(ctx context.Context, k kind, text string) ([]match, error)
}

// match is what is kept of a device that a text names. The model of a device is a hundred times larger. The id is as in
// addresses, where a GUID is in lower case, so that ids can be compared.
type match struct {
	id, name, serial string
	synced           time.Time
}

func matchOf(d *intune.ManagedDevice) match {
	return match{d.Ref().DeviceID(), d.DeviceName, d.SerialNumber, d.LastSyncDateTime}
}

// selected are the properties that are needed of a device.
func selected() []string {
	return []string{"id", "deviceName", "serialNumber", "azureADDeviceId", "userPrincipalName", "lastSyncDateTime"}
}

// manyLookups is from how many lines on it is quicker to read the list of all devices, a thousand on a page.
const manyLookups = 100

// newLookup chooses how to look for the devices of n lines.
func newLookup(ctx context.Context, client *intune.Client, n int) (lookup, error) {
	if n <= manyLookups {
		return oneByOne{client}, nil
	}
	return readInventory(ctx, client)
}

// oneByOne lets the service search.
type oneByOne struct{ client *intune.Client }

func (f oneByOne) find(ctx context.Context, k kind, text string) ([]match, error) {
	var filter intune.DeviceFilter
	switch k {
	case kindID:
		found, err := f.client.GetDevice(ctx, intune.Device(text), &intune.GetDeviceOptions{Select: selected()})
		if errors.Is(err, intune.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return []match{matchOf(&found.ManagedDevice)}, nil
	case kindSerial:
		filter.SerialNumber = text
	case kindEntra:
		filter.AzureADDeviceID = text
	case kindUser:
		filter.UserPrincipalName = text
	default:
		filter.DeviceName = text
	}
	found, err := f.client.FindDevice(ctx, filter, &intune.FindDeviceOptions{Select: selected()})
	if several, ok := errors.AsType[*intune.AmbiguousDeviceError](err); ok {
		var all []match
		for i := range several.Candidates {
			all = append(all, matchOf(&several.Candidates[i]))
		}
		return all, nil
	}
	if errors.Is(err, intune.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []match{matchOf(&found)}, nil
}

// inventory is the list of all devices.
type inventory map[kind]map[string][]*match

func readInventory(ctx context.Context, client *intune.Client) (inventory, error) {
	all := inventory{kindID: {}, kindSerial: {}, kindName: {}, kindEntra: {}, kindUser: {}}
	for d, err := range client.Devices(ctx, intune.AllDevices(), &intune.ListDevicesOptions{Select: selected()}) {
		if err != nil {
			return nil, err
		}
		m := matchOf(&d)
		for k, text := range map[kind]string{
			kindID: m.id, kindSerial: d.SerialNumber, kindName: d.DeviceName, kindEntra: d.AzureADDeviceID,
			kindUser: d.UserPrincipalName,
		} {
			text = strings.ToLower(text)
			all[k][text] = append(all[k][text], &m)
		}
	}
	return all, nil
}

func (all inventory) find(_ context.Context, k kind, text string) ([]match, error) {
	if (k == kindSerial || k == kindEntra) && strings.Trim(text, "0- ") == "" {
		return nil, fmt.Errorf("%w: it is all zeros, a placeholder that many devices share", intune.ErrInvalidArgument)
	}
	var found []match
	for _, m := range all[k][strings.ToLower(text)] {
		found = append(found, *m)
	}
	if len(found) == 0 && strings.ContainsFunc(text, invisible) {
		return nil, fmt.Errorf("%w: it holds an invisible character, such as a byte-order mark: %+q", intune.ErrInvalidArgument, text)
	}
	return found, nil
}

// invisible reports what the library refuses in a search. The inventory looks first, since a name may really have it.
func invisible(r rune) bool { return unicode.Is(unicode.Cf, r) }

// kinds are what a text may be, the likeliest first. Those of one step are tried together: a text can be the serial number
// of one device and the name of another, and only a person can tell which is meant.
func kinds(k kind, text string) [][]kind {
	isGUID := uuid.Validate(text) == nil
	switch {
	case k == kindAny && isGUID:
		return [][]kind{{kindID}, {kindEntra}, {kindSerial, kindName}}
	case k == kindAny && strings.Contains(text, "@"):
		return [][]kind{{kindUser}, {kindSerial, kindName}}
	case k == kindAny:
		return [][]kind{{kindSerial, kindName}}
	case k == kindID && isGUID:
		return [][]kind{{kindID}, {kindEntra}} // it is easier to come by, and looks the same
	default:
		return [][]kind{{k}}
	}
}

// look finds the devices that a line names. An error is one of the service.
func (r *row) look(ctx context.Context, f lookup) ([]match, error) {
	if r.detail = cmp.Or(r.fault, unusable(r.text)); r.detail != "" {
		r.outcome = outcomeInvalid
		return nil, nil
	}
	refused, tried := "", 0
	for _, step := range kinds(r.kind, r.text) {
		var found []match
		for _, k := range step {
			some, err := f.find(ctx, k, r.text)
			if errors.Is(err, intune.ErrInvalidArgument) {
				refused = words(err.Error())
				continue
			}
			if err != nil {
				return nil, err
			}
			tried++
			for _, m := range some {
				if m.id != "" && !slices.ContainsFunc(found, func(other match) bool { return other.id == m.id }) {
					found = append(found, m)
				}
			}
		}
		if len(found) > 0 {
			return found, nil
		}
	}
	if tried == 0 {
		r.outcome, r.detail = outcomeInvalid, refused
	} else {
		r.outcome, r.detail = outcomeNotFound, "no device has this "+r.kind.single()
	}
	return nil, nil
}

func (k kind) single() string {
	switch k {
	case kindID:
		return "Intune id"
	case kindSerial:
		return "serial number"
	case kindName:
		return "name"
	case kindEntra:
		return "Entra device id"
	case kindUser:
		return "user; right is the user principal name, which may differ from the mail address"
	default:
		return "id, serial number, name or user"
	}
}

// resolve finds the device of each line.
func resolve(ctx context.Context, f lookup, rows []*row, all *fleet) error {
	for _, r := range rows {
		found, err := r.look(ctx, f)
		if err != nil {
			return fmt.Errorf("line %d: %w", r.line, err)
		}
		switch len(found) {
		case 0:
		case 1:
			all.add(r, found[0])
		default:
			r.outcome = outcomeAmbiguous
			r.detail = candidates(found)
		}
	}
	return nil
}

// candidates lists devices so that a person can choose.
func candidates(found []match) string {
	var several intune.AmbiguousDeviceError
	for _, m := range found {
		several.Candidates = append(several.Candidates, intune.ManagedDevice{
			ID: m.id, DeviceName: m.name, SerialNumber: m.serial, LastSyncDateTime: m.synced,
		})
	}
	return several.Error()
}

// fleet is the devices of all lines, each once, in the order of the input.
type fleet struct {
	list []*device
	byID map[string]*device
}

func (f *fleet) add(r *row, found match) {
	if f.byID == nil {
		f.byID = map[string]*device{}
	}
	d := f.byID[found.id]
	if d == nil {
		d = &device{id: found.id, name: found.name, serial: found.serial, line: r.line}
		f.byID[found.id] = d
		f.list = append(f.list, d)
		r.first = true
	}
	r.device = d
}
