package main

import (
	"context"
	"net/http"
	"strings"
	"time"
)

const (
	reportedFilters = "reported: microsoftgraph/microsoft-graph-explorer-v4#3125, microsoftgraph/microsoft-graph-docs#19890, " +
		"microsoftgraph/microsoft-graph-docs-contrib#235"
	zeroID = "00000000-0000-0000-0000-000000000000"
)

func filterFacts() []fact {
	var facts []fact
	for _, name := range []plain{
		"deviceName", "serialNumber", "userPrincipalName", "azureADDeviceId", "imei", "manufacturer", "model", "operatingSystem",
		"complianceState", "managementAgent",
	} {
		facts = append(facts, fact{
			id: "filter-" + name, source: docsDevice,
			claim: "The service applies $filter=" + name + " eq.",
			check: func(ctx context.Context, p *probe) finding { return checkEqual(ctx, p, string(name)) },
		})
	}
	for _, name := range []plain{"lastSyncDateTime", "enrolledDateTime"} {
		facts = append(facts, fact{
			id: "filter-" + name, source: docsDevice,
			claim: "The service applies $filter=" + name + " gt.",
			check: func(ctx context.Context, p *probe) finding { return checkLater(ctx, p, string(name)) },
		})
	}
	facts = append(facts, fact{
		id: "filter-and", source: docsDevice,
		claim: "The service applies two comparisons combined with and.",
		check: checkAnd,
	})
	for _, name := range []plain{"id", "userId"} {
		facts = append(facts, fact{
			id: "filter-ignored-" + name, source: reportedFilters,
			claim: "The service ignores $filter=" + name + " eq, and every device comes back.",
			check: func(ctx context.Context, p *probe) finding {
				page, f := p.list(ctx, devicesPath, "$filter="+string(name)+"%20eq%20"+quoted(nobody)+"&$select=id&$top=5")
				if f != nil {
					return *f
				}
				return p.judge(len(page.rows()) > 0, "devices whose %s is that of nobody: %d", name, len(page.rows()))
			},
		})
	}
	return append(facts, oddFilterFacts()...)
}

func oddFilterFacts() []fact {
	return []fact{
		{
			id: "filter-contains", source: docsDevice,
			claim: "The service applies $filter=contains(deviceName,…).",
			check: func(ctx context.Context, p *probe) finding { return checkPart(ctx, p, "contains", 0) },
		},
		{
			id: "filter-startswith", source: "reported: users",
			claim: "$filter=startswith(deviceName,…) finds the same devices as contains.",
			check: func(ctx context.Context, p *probe) finding { return checkPart(ctx, p, "startswith", 1) },
		},
		{
			id: "filter-or", source: docsDevice + ", where the property says so and the type does not",
			claim: "The service applies two comparisons of serialNumber combined with or.",
			check: checkOr,
		},
		{
			id: "filter-ignored-blank", source: "reported: microsoftgraph/microsoft-graph-docs-contrib#1391",
			claim: "The service ignores a comparison with a blank operand.",
			check: func(ctx context.Context, p *probe) finding {
				if _, _, f := p.twoValues(ctx, "userPrincipalName"); f != nil {
					return *f
				}
				page, f := p.list(ctx, devicesPath, "$filter=userPrincipalName%20eq%20''&$select=id,userPrincipalName&"+sampleQuery)
				if f != nil {
					return *f
				}
				named := 0
				for _, row := range page.rows() {
					if row.filled("userPrincipalName") {
						named++
					}
				}
				return p.judge(named > 0, "devices: %d, of them with a user: %d", len(page.rows()), named)
			},
		},
		{
			id: "filter-ne-is-eq", source: "reported: microsoft/Intune-PowerShell-SDK#114",
			claim: "On a property without ne, such as operatingSystem, ne finds the same devices as eq.",
			check: func(ctx context.Context, p *probe) finding {
				value, _, f := p.twoValues(ctx, "operatingSystem")
				if f != nil {
					return *f
				}
				page, f := p.list(ctx, devicesPath, "$filter=operatingSystem%20ne%20"+quoted(value)+"&$select=id,operatingSystem&"+sampleQuery)
				if f != nil {
					return *f
				}
				same := count(page.rows(), "operatingSystem", value)
				return p.judge(same > 0 && same == len(page.rows()), "devices: %d, of them equal: %d", len(page.rows()), same)
			},
		},
		{
			id: "filter-malformed", source: "inferred: the test kit does so",
			claim: "A $filter that is not OData answers 400.",
			check: func(ctx context.Context, p *probe) finding {
				return p.refused(p.wire.get(ctx, devicesPath+"?$filter=deviceName%20eq%20'open&$select=id&$top=1"), http.StatusBadRequest)
			},
		},
	}
}

// twoValues gives a value of a property that a device of the sample has and another has not, since a filter tells nothing
// when all devices are alike.
func (p *probe) twoValues(ctx context.Context, name string) (value string, holder record, problem *finding) {
	rows, f := p.devices(ctx)
	if f != nil {
		return "", nil, f
	}
	for _, row := range rows {
		value := row.text(name)
		if value == "" || value == zeroID {
			continue
		}
		if count(rows, name, value) < len(rows) {
			return value, row, nil
		}
	}
	none := p.notTried("among %d devices, no two differ in %s", len(rows), name)
	return "", nil, &none
}

// count is how many rows have a value.
func count(rows []record, name, value string) int {
	n := 0
	for _, row := range rows {
		if strings.EqualFold(row.text(name), value) {
			n++
		}
	}
	return n
}

func checkEqual(ctx context.Context, p *probe, name string) finding {
	value, _, f := p.twoValues(ctx, name)
	if f != nil {
		return *f
	}
	page, f := p.list(ctx, devicesPath, "$filter="+name+"%20eq%20"+quoted(value)+"&$select=id,"+name+"&"+sampleQuery)
	if f != nil {
		return *f
	}
	rows, same := len(page.rows()), count(page.rows(), name, value)
	return p.judge(same > 0 && same == rows, "devices: %d, of them equal: %d", rows, same)
}

func checkLater(ctx context.Context, p *probe, name string) finding {
	rows, f := p.devices(ctx)
	if f != nil {
		return *f
	}
	var earliest, latest time.Time
	for _, row := range rows {
		at, err := time.Parse(time.RFC3339, row.text(name))
		if err != nil || at.Year() == 1 {
			continue
		}
		if earliest.IsZero() || at.Before(earliest) {
			earliest = at
		}
		if at.After(latest) {
			latest = at
		}
	}
	// Half way, and in whole seconds, as filters have them.
	bound := earliest.Add(latest.Sub(earliest) / 2).Truncate(time.Second).UTC()
	if !earliest.Before(bound) {
		return p.notTried("among %d devices, no two differ in %s", len(rows), name)
	}
	page, f := p.list(ctx, devicesPath, "$filter="+name+"%20gt%20"+escaped(bound.Format(time.RFC3339))+"&$select=id,"+name+"&"+sampleQuery)
	if f != nil {
		return *f
	}
	later := 0
	for _, row := range page.rows() {
		if at, err := time.Parse(time.RFC3339, row.text(name)); err == nil && at.After(bound) {
			later++
		}
	}
	return p.judge(later > 0 && later == len(page.rows()), "devices: %d, of them later: %d", len(page.rows()), later)
}

// checkPart filters by a part of a device's name that begins at a character of it.
func checkPart(ctx context.Context, p *probe, function string, from int) finding {
	const name = "deviceName"
	_, holder, f := p.twoValues(ctx, name)
	if f != nil {
		return *f
	}
	value := []rune(holder.text(name))
	if len(value) <= from {
		return p.notTried("the name of the device has %d characters", len(value))
	}
	part := strings.ToLower(string(value[from:]))
	page, f := p.list(ctx, devicesPath, "$filter="+function+"("+name+","+quoted(part)+")&$select=id,"+name+"&"+sampleQuery)
	if f != nil {
		return *f
	}
	having := 0
	for _, row := range page.rows() {
		if strings.Contains(strings.ToLower(row.text(name)), part) {
			having++
		}
	}
	return p.judge(having > 0 && having == len(page.rows()), "devices: %d, of them with the part: %d", len(page.rows()), having)
}

// checkOr needs three devices: two that are asked for, and one that is not.
func checkOr(ctx context.Context, p *probe) finding {
	const name = "serialNumber"
	rows, f := p.devices(ctx)
	if f != nil {
		return *f
	}
	var values []string
	for _, row := range rows {
		if value := row.text(name); value != "" && count(rows, name, value) == 1 && len(values) < 2 {
			values = append(values, value)
		}
	}
	if len(values) < 2 || len(rows) < 3 {
		return p.notTried("among %d devices, no three differ in %s", len(rows), name)
	}
	page, f := p.list(ctx, devicesPath, "$filter="+name+"%20eq%20"+quoted(values[0])+"%20or%20"+name+"%20eq%20"+quoted(values[1])+
		"&$select=id,"+name+"&"+sampleQuery)
	if f != nil {
		return *f
	}
	first, second := count(page.rows(), name, values[0]), count(page.rows(), name, values[1])
	return p.judge(first > 0 && second > 0 && first+second == len(page.rows()),
		"devices: %d, of them equal: %d and %d", len(page.rows()), first, second)
}

func checkAnd(ctx context.Context, p *probe) finding {
	const first, second = "operatingSystem", "deviceName"
	name, holder, f := p.twoValues(ctx, second)
	if f != nil {
		return *f
	}
	system := holder.text(first)
	if system == "" {
		return p.notTried("the device has no %s", first)
	}
	page, f := p.list(ctx, devicesPath, "$filter="+first+"%20eq%20"+quoted(system)+"%20and%20"+second+"%20eq%20"+quoted(name)+
		"&$select=id,"+first+","+second+"&"+sampleQuery)
	if f != nil {
		return *f
	}
	both := 0
	for _, row := range page.rows() {
		if strings.EqualFold(row.text(first), system) && strings.EqualFold(row.text(second), name) {
			both++
		}
	}
	return p.judge(both > 0 && both == len(page.rows()), "devices: %d, of them equal in both: %d", len(page.rows()), both)
}
