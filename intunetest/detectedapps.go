package intunetest

import (
	"cmp"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

	"github.com/go-intune/intune"
)

// app is a detected app with the ids of the devices it was found on.
type app struct {
	position int // in the list, from which no app is ever removed
	record   intune.DetectedApp
	devices  map[string]bool
}

// AddDetectedApp adds an app that was found on devices. Only the device ids of the references count, and the devices
// may be added later. An app without an ID gets one of 64 hexadecimal digits, as users have seen; the list shows it.
// An app with the ID of another replaces it.
//
// Lists show the app as it is; unless a DeviceCount is given, it is the number of the devices that exist. Unlike the
// other lists, this list pages by $top and $skip, and its @odata.count is the number of all apps, or of those that a
// $filter with contains(displayName,…) leaves. A GET by id shows only the id, and a deviceCount of 0, as users report.
// A list of the app's devices shows few of their properties, a GET of one of them answers 400, and the action works
// there unless [TenantOptions.RefuseDetectedAppAction] is set. Source:
// https://learn.microsoft.com/graph/api/resources/intune-devices-detectedapp and reports.
func (t *Tenant) AddDetectedApp(a intune.DetectedApp, devices ...intune.DeviceRef) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.ID == "" {
		id := digest("app", t.nextSerial("app"))
		a.ID = hex.EncodeToString(id[:])
	}
	added := &app{record: a, devices: make(map[string]bool, len(devices))}
	for _, d := range devices {
		added.devices[foldID(d.DeviceID())] = true
	}
	old := t.findApp(a.ID)
	t.appsByID[foldID(a.ID)] = added
	if old != nil {
		added.position = old.position
		t.apps[old.position] = added
		return
	}
	added.position = len(t.apps)
	t.apps = append(t.apps, added)
}

func (t *Tenant) findApp(id string) *app { return t.appsByID[foldID(id)] }

func (a *app) has(d *device) bool { return a.devices[foldID(d.record.ID)] }

// value is a property that can be filtered on.
func (a *app) value(name string) any {
	if name != "displayname" {
		return nil
	}
	return a.record.DisplayName
}

func (t *Tenant) listApps(x *exchange, where *target) *answer {
	q, err := x.queryOn("detectedApp", isAppProperty)
	if err != nil {
		return x.badQuery(err)
	}
	matches, err := parseFilter(q.filter, q.count, appOperators)
	if err != nil {
		return x.badQuery(err)
	}
	var found []*app
	for _, a := range t.apps {
		if matches == nil || matches(a.value) {
			found = append(found, a)
		}
	}
	return t.pageBySkip(x, where, q, len(found), func(i int, o *object) {
		a := found[i]
		o.members(q, appMembers(&a.record, t.deviceCount(a)))
		if q.expands("managedDevices") {
			// Users report that $expand stays empty in lists.
			o.member("managedDevices", literal("[]"))
		}
	})
}

// deviceCount is the number of devices on which an app was found. The caller holds the lock.
func (t *Tenant) deviceCount(a *app) int64 {
	if a.record.DeviceCount != 0 {
		return int64(a.record.DeviceCount)
	}
	count := int64(0)
	for id := range a.devices {
		if t.devices[id] != nil {
			count++
		}
	}
	return count
}

func (t *Tenant) getApp(x *exchange, where *target) *answer {
	a := t.findApp(where.keys[keyApp])
	if a == nil {
		return x.notFound(where.backend(true))
	}
	q, err := x.queryOn("detectedApp", isAppProperty)
	if err != nil {
		return x.badQuery(err)
	}
	o := &object{}
	o.member("@odata.context", x.context(where, q, "/$entity"))
	o.members(q, appMembers(&intune.DetectedApp{ID: a.record.ID}, 0))
	if q.expands("managedDevices") {
		// In a GET by id, $expand works.
		var items []string
		for _, d := range t.sequence {
			if a.has(d) {
				item := &object{}
				writeDevice(item, d, viewThin, &query{}, "", "")
				items = append(items, string(item.end()))
			}
		}
		o.member("managedDevices", literal("["+strings.Join(items, ",")+"]"))
	}
	return newAnswer(http.StatusOK, contentOData, o.end())
}

func (t *Tenant) listAppDevices(x *exchange, where *target) *answer {
	a := t.findApp(where.keys[keyApp])
	if a == nil {
		return x.notFound(where.backend(true))
	}
	return t.listOf(x, where, viewThin, a.has)
}

// namedValue is a member of an object.
type namedValue struct {
	name  string
	value any
}

func appMembers(a *intune.DetectedApp, count int64) []namedValue {
	return []namedValue{
		{"id", a.ID},
		{"displayName", orNull(a.DisplayName)},
		{"version", orNull(a.Version)},
		{"sizeInByte", a.SizeInByte},
		{"deviceCount", count},
		{"publisher", orNull(a.Publisher)},
		{"platform", cmp.Or(string(a.Platform), "unknown")},
	}
}

func isAppProperty(name string) bool { return hasMember(appMembers(&intune.DetectedApp{}, 0), name) }

// hasMember compares names without case.
func hasMember(list []namedValue, name string) bool {
	return slices.ContainsFunc(list, func(m namedValue) bool { return strings.EqualFold(m.name, name) })
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// members writes the members that are selected, or all.
func (o *object) members(q *query, list []namedValue) {
	for _, m := range list {
		if len(q.selects) == 0 || containsFold(q.selects, m.name) {
			o.member(m.name, m.value)
		}
	}
}

func (q *query) expands(name string) bool {
	return slices.ContainsFunc(strings.Split(q.expand, ","), func(text string) bool {
		return strings.EqualFold(strings.TrimSpace(text), name)
	})
}
