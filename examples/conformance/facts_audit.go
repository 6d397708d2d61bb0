package main

import (
	"context"
	"time"
)

const (
	auditPath = "/deviceManagement/auditEvents"
	docsAudit = "documented: https://learn.microsoft.com/graph/api/resources/intune-auditing-auditevent"
)

func auditFacts() []fact {
	facts := []fact{
		{
			id: "audit-permission", source: "documented: https://learn.microsoft.com/graph/api/intune-auditing-auditevent-list",
			claim: "Audit events can be read with DeviceManagementApps, and answer 403 without.",
			check: func(ctx context.Context, p *probe) finding {
				return checkPermission(ctx, p, auditPath, "DeviceManagementApps")
			},
		},
		{
			id: "audit-shape", source: docsAudit,
			claim: "An audit event has an id, a time, an activityType, an actor, resources, and a correlationId that is a GUID.",
			check: func(ctx context.Context, p *probe) finding {
				event, f := p.event(ctx)
				if f != nil {
					return *f
				}
				_, timeErr := time.Parse(time.RFC3339, event.text("activityDateTime"))
				_, actor := event["actor"].(map[string]any)
				_, resources := event["resources"].([]any)
				guid := guidForm.MatchString(event.text("correlationId"))
				whole := event.filled("id") && timeErr == nil && event.filled("activityType") && actor && resources && guid
				return p.judge(whole, "id: %t; time: %t; activityType: %t; actor: %t; resources: %t; correlationId: %t",
					event.filled("id"), timeErr == nil, event.filled("activityType"), actor, resources, guid)
			},
		},
	}
	const seen = "reported: public clients"
	for _, c := range []struct {
		id, filter plain
		applied    bool
		source     plain
	}{
		{"activityType", "activityType eq 'conformance'", true, seen},
		{"category", "category eq 'conformance'", true, seen},
		{"actor", "actor/userPrincipalName eq 'conformance@invalid'", true, seen},
		{"resource", "resources/any(r: r/resourceId eq '" + nobody + "')", true, seen},
		{"after", "activityDateTime gt 9999-01-01T00:00:00Z", true, seen},
		{"before", "activityDateTime le 1999-01-01T00:00:00Z", true, seen},
		{"ignored", "correlationId eq '" + nobody + "'", false, "inferred: the other lists of Intune do so"},
	} {
		claim := "The service applies the filter " + c.filter + " to audit events: none is left."
		if !c.applied {
			claim = "The service ignores the filter " + c.filter + ": every audit event is left."
		}
		facts = append(facts, fact{
			id: "audit-filter-" + c.id, claim: claim, source: c.source,
			check: func(ctx context.Context, p *probe) finding {
				if _, f := p.event(ctx); f != nil {
					return *f
				}
				page, f := p.list(ctx, auditPath, "$filter="+escaped(string(c.filter))+"&$top=1")
				if f != nil {
					return *f
				}
				return p.judge(len(page.rows()) == 0 == c.applied, "events: %d", len(page.rows()))
			},
		})
	}
	return facts
}

// event is one of the tenant's events. Without one, no filter can be judged.
func (p *probe) event(ctx context.Context) (record, *finding) {
	page, f := p.list(ctx, auditPath, "$top=1")
	if f != nil {
		return nil, f
	}
	if len(page.rows()) == 0 {
		none := p.notTried("the tenant has no audit event")
		return nil, &none
	}
	return page.rows()[0], nil
}
