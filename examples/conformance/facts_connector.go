package main

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/go-intune/intune"
)

const (
	partnersPath = "/deviceManagement/remoteAssistancePartners"
	docsPartner  = "documented: https://learn.microsoft.com/graph/api/resources/intune-remoteassistance-remoteassistancepartner"
)

func connectorFacts() []fact {
	return []fact{
		{
			id:     "connector-permission",
			source: "documented: https://learn.microsoft.com/graph/api/intune-remoteassistance-remoteassistancepartner-list",
			claim:  "The connector can be read with DeviceManagementServiceConfig or DeviceManagementConfiguration, and answers 403 without.",
			check: func(ctx context.Context, p *probe) finding {
				return checkPermission(ctx, p, partnersPath, "DeviceManagementServiceConfig", "DeviceManagementConfiguration")
			},
		},
		{
			id: "connector-states", source: docsPartner,
			claim: "The state of a connector is notOnboarded, onboarding or onboarded.",
			check: func(ctx context.Context, p *probe) finding {
				page, f := p.partners(ctx)
				if f != nil {
					return *f
				}
				known, states := true, []string{}
				for _, row := range page.rows() {
					state := row.text("onboardingStatus")
					states = append(states, state)
					known = known && slices.Contains(intune.PossibleConnectorStateValues(), intune.ConnectorState(state)) &&
						state != string(intune.ConnectorStateUnknown)
				}
				return p.judge(known, "%s", states)
			},
		},
		{
			id: "connector-teamviewer", source: "inferred: no other partner is known",
			claim: "TeamViewer is the only connector.",
			check: func(ctx context.Context, p *probe) finding {
				page, f := p.partners(ctx)
				if f != nil {
					return *f
				}
				others := 0
				for _, row := range page.rows() {
					if !strings.Contains(strings.ToLower(row.text("displayName")), "teamviewer") {
						others++
					}
				}
				return p.judge(others == 0, "connectors: %d, of them not TeamViewer: %d", len(page.rows()), others)
			},
		},
	}
}

// partners are the connectors of a tenant that has any.
func (p *probe) partners(ctx context.Context) (record, *finding) {
	page, f := p.list(ctx, partnersPath, "")
	if f == nil && len(page.rows()) == 0 {
		none := p.notTried("the tenant has no connector")
		f = &none
	}
	return page, f
}

// checkPermission reads a list of a permission family: 200 with a permission of the families, 403 without.
func checkPermission(ctx context.Context, p *probe, path string, families ...string) finding {
	if p.token.Kind == intune.TokenKindUnknown {
		return p.notTried("the token does not say what it holds")
	}
	var names []string
	for _, family := range families {
		names = append(names, family+".Read.All", family+".ReadWrite.All")
	}
	has := holds(p.token, names...)
	a := p.wire.get(ctx, path+"?$top=1")
	if a.mute() && !a.forbidden() {
		return p.notTried("%s", p.describe(a))
	}
	want := http.StatusForbidden
	if has {
		want = http.StatusOK
	}
	if has && a.forbidden() && p.token.Kind == intune.TokenKindDelegated {
		return p.notTried("the user may lack a right in Intune; %s", p.describe(a))
	}
	return p.judge(a.status == want, "the token has the permission: %t; %s", has, p.describe(a))
}
