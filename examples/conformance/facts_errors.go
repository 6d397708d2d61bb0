package main

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
)

const reportedNesting = "reported: microsoftgraph/microsoft-graph-docs#13096 and #4528, microsoftgraph/microsoft-graph-explorer-v4#2242"

func errorFacts() []fact {
	return []fact{
		{
			id: "error-not-found", source: docsErrors,
			claim: "A device that does not exist answers 404.",
			check: func(ctx context.Context, p *probe) finding {
				return p.refused(p.missingDevice(ctx), http.StatusNotFound)
			},
		},
		{
			id: "error-nested", source: reportedNesting,
			claim: "The message of Intune's error is JSON with a Message in it, one or two levels deep.",
			check: func(ctx context.Context, p *probe) finding {
				a := p.missingDevice(ctx)
				if a.mute() || a.status < http.StatusBadRequest {
					return p.notTried("%s", p.describe(a))
				}
				depth, _ := a.graphError().nested()
				return p.judge(depth == 1 || depth == 2, "%s", p.describe(a))
			},
		},
		{
			id: "error-activity", source: reportedNesting,
			claim: "The innermost message names the activity id, a GUID.",
			check: func(ctx context.Context, p *probe) finding {
				depth, sentence := p.missingDevice(ctx).graphError().nested()
				if depth == 0 {
					return p.notTried("the message is not nested")
				}
				found := activityForm.MatchString(sentence)
				return p.judge(found, "activity id: %t", found)
			},
		},
		{
			id: "error-ids", source: docsErrors,
			claim: "innerError has the date, the request-id and the client-request-id of the headers.",
			check: func(ctx context.Context, p *probe) finding {
				a := p.missingDevice(ctx)
				if a.mute() || a.status < http.StatusBadRequest {
					return p.notTried("%s", p.describe(a))
				}
				inner := a.graphError().InnerError
				request := inner.RequestID != "" && strings.EqualFold(inner.RequestID, a.header.Get("request-id"))
				client := strings.EqualFold(inner.ClientRequestID, a.sentID)
				return p.judge(inner.Date != "" && request && client,
					"date: %t; request-id: %t; client-request-id: %t", inner.Date != "", request, client)
			},
		},
		{
			id: "error-segment", source: "reported: users; documented: Microsoft's CSDL of v1.0",
			claim: "A segment that v1.0 does not have, such as detectedApps below a device, answers 400 with Resource not found for the segment.",
			check: func(ctx context.Context, p *probe) finding {
				id, f := p.deviceID(ctx)
				if f != nil {
					return *f
				}
				a := p.wire.get(ctx, devicePath(id)+"/detectedApps")
				if a.mute() {
					return p.notTried("%s", p.describe(a))
				}
				said := strings.Contains(a.graphError().Message, "Resource not found for the segment")
				return p.judge(a.status == http.StatusBadRequest && said, "%s", p.describe(a))
			},
		},
		{
			id: "error-no-token", source: docsErrors,
			claim: "A request without a token answers 401 with InvalidAuthenticationToken and a Bearer challenge.",
			check: func(ctx context.Context, p *probe) finding {
				a := p.wire.getAnonymously(ctx, devicesPath+"?$select=id&$top=1")
				if a.mute() && (a.status != http.StatusUnauthorized || a.foreign()) {
					return p.notTried("%s", p.describe(a))
				}
				challenge := strings.HasPrefix(strings.ToLower(a.header.Get("WWW-Authenticate")), "bearer")
				code := strings.EqualFold(a.graphError().Code, "InvalidAuthenticationToken")
				return p.judge(a.status == http.StatusUnauthorized && challenge && code, "%s; challenge: %t", p.describe(a), challenge)
			},
		},
	}
}

var activityForm = regexp.MustCompile(`(?i)activity id:\s*[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}`)

// missingDevice is the answer for a device that does not exist.
func (p *probe) missingDevice(ctx context.Context) *answer {
	if p.noDevice == nil {
		p.noDevice = p.wire.get(ctx, devicePath(nobody))
	}
	return p.noDevice
}

func headerFacts() []fact {
	header := func(id, claim, source plain, ok func(a *answer) (bool, plain)) fact {
		return fact{id: id, claim: claim, source: source, check: func(ctx context.Context, p *probe) finding {
			a := p.wire.get(ctx, devicesPath+"?$select=id&$top=1")
			if a.mute() {
				return p.notTried("%s", p.describe(a))
			}
			fine, seen := ok(a)
			return p.judge(fine, "HTTP %d; %s", a.status, seen)
		}}
	}
	yes := func(is bool, what plain) (bool, plain) {
		if is {
			return true, what + ": yes"
		}
		return false, what + ": no"
	}
	return []fact{
		header("header-request-id", "An answer has a request-id, a GUID.", docsErrors, func(a *answer) (bool, plain) {
			return yes(guidForm.MatchString(a.header.Get("request-id")), "a GUID")
		}),
		header("header-client-request-id", "An answer repeats the client-request-id of the request.", docsErrors, func(a *answer) (bool, plain) {
			return yes(strings.EqualFold(a.header.Get("client-request-id"), a.sentID), "the same")
		}),
		header("header-diagnostic", "An answer has x-ms-ags-diagnostic, JSON with a ServerInfo.", docsErrors, func(a *answer) (bool, plain) {
			var diagnostic map[string]map[string]any
			err := json.Unmarshal([]byte(a.header.Get("x-ms-ags-diagnostic")), &diagnostic)
			return yes(err == nil && diagnostic["ServerInfo"] != nil, "ServerInfo")
		}),
		header("header-date", "An answer has a Date that can be read.", docsErrors, func(a *answer) (bool, plain) {
			_, err := http.ParseTime(a.header.Get("Date"))
			return yes(err == nil, "a date")
		}),
		header("header-json", "An answer with content has a Content-Type of JSON.", docsGetDevice, func(a *answer) (bool, plain) {
			return yes(strings.HasPrefix(strings.ToLower(a.header.Get("Content-Type")), "application/json"), "JSON")
		}),
	}
}
