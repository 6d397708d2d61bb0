package main

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-intune/intune"
)

// allFacts are all facts in the order in which they are checked and reported.
func allFacts() []fact {
	return slices.Concat(
		deviceFacts(), filterFacts(), pagingFacts(), errorFacts(), headerFacts(), addressFacts(), userFacts(), appFacts(),
		connectorFacts(), auditFacts(), sessionFacts(), sessionAuditFacts(), againFacts(),
	)
}

const (
	docsDevice    = "documented: https://learn.microsoft.com/graph/api/resources/intune-devices-manageddevice"
	docsGetDevice = "documented: https://learn.microsoft.com/graph/api/intune-devices-manageddevice-get"
	docsPaging    = "documented: https://learn.microsoft.com/graph/paging"
	docsErrors    = "documented: https://learn.microsoft.com/graph/errors"
)

func deviceFacts() []fact {
	return []fact{
		{
			id: "list-devices", source: "documented: https://learn.microsoft.com/graph/api/intune-devices-manageddevice-list",
			claim: "The list of devices is an object whose value is an array of devices with ids.",
			check: func(ctx context.Context, p *probe) finding {
				_, f := p.devices(ctx)
				page, problem := p.object(p.sample)
				switch {
				case problem != nil:
					return *problem
				case f != nil:
					return p.notTried("the list is empty")
				}
				rows := page.rows()
				named := !slices.ContainsFunc(rows, func(r record) bool { return r.text("id") == "" })
				return p.judge(named, "%d devices, all with ids: %t", len(rows), named)
			},
		},
		{
			id:     "get-bare",
			source: "reported: public samples of answers, against that of https://learn.microsoft.com/graph/api/intune-devices-manageddevice-get",
			claim:  "A GET of one device answers with the device itself beside @odata.context, not below value.",
			check: func(ctx context.Context, p *probe) finding {
				if _, f := p.device(ctx); f != nil {
					return *f
				}
				r := p.entity.record()
				_, wrapped := r["value"]
				_, context := r["@odata.context"]
				return p.judge(!wrapped && context, "below value: %t; @odata.context: %t", wrapped, context)
			},
		},
		{
			id: "properties", source: docsDevice + " and Microsoft's CSDL of v1.0",
			claim: "A device has the 56 properties that the library knows, and no others.",
			check: checkProperties,
		},
		{
			id: "unset-dates", source: "reported: public samples of answers",
			claim: "A date that is not set is 0001-01-01T00:00:00Z and never null or missing.",
			check: checkUnsetDates,
		},
		{
			id: "wire-types", source: "documented: Microsoft's CSDL of v1.0",
			claim: "Sizes are JSON numbers, enumerations and jailBroken are JSON strings.",
			check: checkWireTypes,
		},
		{
			id: "select-list", source: docsDevice,
			claim: "In a list, $select gives the named properties and no others.",
			check: func(ctx context.Context, p *probe) finding {
				page, f := p.list(ctx, devicesPath, "$select=id,deviceName&$top=3")
				if f != nil {
					return *f
				}
				others := tally{}
				for _, row := range page.rows() {
					for name := range row {
						if name != "id" && name != "deviceName" && !strings.Contains(name, "@") {
							others[name]++
						}
					}
				}
				return p.judge(len(others) == 0, "other properties in %d devices: %d (%s)", len(page.rows()), len(others), others.names())
			},
		},
		{
			id: "select-unknown", source: "inferred: the test kit does so",
			claim: "$select with a property that the type does not have answers 400.",
			check: func(ctx context.Context, p *probe) finding {
				return p.refused(p.wire.get(ctx, devicesPath+"?$select=id,noSuchProperty&$top=1"), http.StatusBadRequest)
			},
		},
		{
			id: "select-by-id", source: docsDevice + "; reported: microsoftgraph/microsoft-graph-docs-contrib#5820",
			claim: "Five properties have a value only in a GET of one device that names them in $select; a plain GET gives a default.",
			check: checkLate,
		},
		{
			id: "select-not-in-list", source: docsDevice,
			claim: "A list gives a default for these properties even if $select names them.",
			check: checkLateList,
		},
		{
			id: "select-session", source: docsDevice,
			claim: "A GET of one device that names id and the two properties of the session in $select gives all three.",
			check: func(ctx context.Context, p *probe) finding {
				d, f := p.device(ctx)
				if f != nil {
					return *f
				}
				r, f := p.object(p.wire.get(ctx, devicePath(d.text("id"))+sessionQuery))
				if f != nil {
					return *f
				}
				_, link := r[propertyLink]
				_, details := r[propertyDetails]
				id := strings.EqualFold(r.text("id"), d.text("id"))
				return p.judge(id && link && details, "id: %t, link: %t, error text: %t", id, link, details)
			},
		},
	}
}

// refused judges an answer that should have an error status.
func (p *probe) refused(a *answer, status int) finding {
	if a.mute() && (a.status != status || a.foreign()) {
		return p.notTried("%s", p.describe(a))
	}
	return p.judge(a.status == status, "%s", p.describe(a))
}

func checkProperties(ctx context.Context, p *probe) finding {
	d, f := p.device(ctx)
	if f != nil {
		return *f
	}
	known := propertyNames(intune.ManagedDevice{})
	var missing []string
	for _, name := range known {
		if _, ok := d[name]; !ok {
			missing = append(missing, name)
		}
	}
	var others []string
	for name := range d {
		if !strings.Contains(name, "@") && !slices.Contains(known, name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	return p.judge(len(missing)+len(others) == 0, "missing: %d (%s); unknown: %d (%s)", len(missing), missing, len(others), others)
}

func checkUnsetDates(ctx context.Context, p *probe) finding {
	d, f := p.device(ctx)
	if f != nil {
		return *f
	}
	unset := 0
	var wrong []string
	for _, name := range propertyNames(intune.ManagedDevice{}) {
		if !strings.HasSuffix(name, "DateTime") && name != "managementCertificateExpirationDate" {
			continue
		}
		at, err := time.Parse(time.RFC3339, d.text(name))
		switch {
		case err != nil:
			wrong = append(wrong, name)
		case at.Year() == 1:
			unset++
		}
	}
	if unset+len(wrong) == 0 {
		return p.notTried("every date of the device is set")
	}
	return p.judge(len(wrong) == 0, "dates of the year 1: %d; dates that are no date: %d (%s)", unset, len(wrong), wrong)
}

func checkWireTypes(ctx context.Context, p *probe) finding {
	d, f := p.device(ctx)
	if f != nil {
		return *f
	}
	var wrong []string
	for _, name := range []string{"totalStorageSpaceInBytes", "freeStorageSpaceInBytes"} {
		if _, ok := d[name].(json.Number); !ok {
			wrong = append(wrong, name)
		}
	}
	for _, name := range []string{"complianceState", "managementAgent", "managedDeviceOwnerType", "deviceRegistrationState", "jailBroken"} {
		if _, ok := d[name].(string); !ok {
			wrong = append(wrong, name)
		}
	}
	return p.judge(len(wrong) == 0, "of 7 properties, of another type: %d (%s)", len(wrong), wrong)
}

// tally counts by the name of a property.
type tally map[string]int

func (t tally) names() []string { return slices.Sorted(maps.Keys(t)) }

// lateProperties are those that a GET shows only if $select names them. The sixth and seventh are secrets, which this
// program does not read without need.
var lateProperties = []string{"physicalMemoryInBytes", "ethernetMacAddress", "iccid", "udid", "notes"}

// lateValues are the devices that were looked at and have such values.
type lateValues struct{ ids map[string]bool }

const lateSelect = "$select=id,physicalMemoryInBytes,ethernetMacAddress,iccid,udid,notes"

func checkLate(ctx context.Context, p *probe) finding {
	d, f := p.device(ctx)
	if f != nil {
		return *f
	}
	ids := []string{d.text("id")}
	if rows, f := p.devices(ctx); f == nil {
		for _, row := range rows[:min(len(rows), 5)] {
			ids = append(ids, row.text("id"))
		}
	}
	p.late = &lateValues{ids: map[string]bool{}}
	values, shown := tally{}, tally{}
	for _, id := range ids {
		if p.late.ids[id] {
			continue
		}
		selected, f := p.object(p.wire.get(ctx, devicePath(id)+"?"+lateSelect))
		if f != nil {
			return *f
		}
		whole, f := p.object(p.wire.get(ctx, devicePath(id)))
		if f != nil {
			return *f
		}
		for _, name := range lateProperties {
			if selected.filled(name) {
				values[name]++
				p.late.ids[id] = true
			}
			if whole.filled(name) {
				shown[name]++
			}
		}
	}
	if len(values)+len(shown) == 0 {
		return p.notTried("none of %d devices has such a value", len(ids))
	}
	return p.judge(len(shown) == 0, "properties with a value with $select: %d (%s), without: %d (%s)",
		len(values), values.names(), len(shown), shown.names())
}

func checkLateList(ctx context.Context, p *probe) finding {
	if p.late == nil || len(p.late.ids) == 0 {
		return p.notTried("no device with such a value is known")
	}
	page, f := p.list(ctx, devicesPath, lateSelect+"&"+sampleQuery)
	if f != nil {
		return *f
	}
	known, shown := 0, tally{}
	for _, row := range page.rows() {
		if !p.late.ids[row.text("id")] {
			continue
		}
		known++
		for _, name := range lateProperties {
			if row.filled(name) {
				shown[name]++
			}
		}
	}
	if known == 0 {
		return p.notTried("no device with such a value is on the page")
	}
	return p.judge(len(shown) == 0, "properties with a value in the list, of %d devices: %d (%s)", known, len(shown), shown.names())
}

const (
	propertyLink    = "remoteAssistanceSessionUrl"
	propertyDetails = "remoteAssistanceSessionErrorDetails"
	sessionQuery    = "?$select=id," + propertyLink + "," + propertyDetails
)
