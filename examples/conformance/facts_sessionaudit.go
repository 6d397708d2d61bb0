package main

import (
	"context"
	"strings"
	"time"

	"github.com/go-intune/intune"
)

func sessionAuditFacts() []fact {
	about := func(id, claim, source plain, check func(p *probe, event record) finding) fact {
		return fact{id: id, claim: claim, source: source, need: needSession, check: func(ctx context.Context, p *probe) finding {
			event, f := p.ownEvent(ctx)
			switch {
			case f != nil:
				return *f
			case event == nil:
				return p.notTried("there is no event")
			default:
				return check(p, event)
			}
		}}
	}
	return []fact{
		{
			id: "audit-event", claim: "The action writes an audit event.", need: needSession,
			source: "documented in general: https://learn.microsoft.com/intune/governance/monitor-audit-logs; " +
				"reported otherwise for sessions: MicrosoftDocs/memdocs#2498",
			check: func(ctx context.Context, p *probe) finding {
				event, f := p.ownEvent(ctx)
				if f != nil {
					return *f
				}
				switch took := p.session.eventTook; {
				case event != nil:
					return p.confirmed("an event after %s", took)
				case took < eventWithin:
					return p.notTried("no event within %s, which is too short to tell", took)
				default:
					return p.contradicted("no event within %s", took)
				}
			},
		},
		about("audit-event-type", "Its activityType is requestRemoteAssistance ManagedDevice.",
			"inferred: the events of other actions are named so", func(p *probe, event record) finding {
				got := event.text("activityType")
				return p.judge(strings.EqualFold(got, intune.ActivityRequestRemoteAssistance), "%s", got)
			}),
		about("audit-event-correlation", "Its correlationId is the client-request-id of the request.",
			"inferred: the schema's description of the property", func(p *probe, event record) finding {
				same := strings.EqualFold(event.text("correlationId"), p.session.asked.sentID)
				return p.judge(same, "the same: %t", same)
			}),
		about("audit-event-device", "Its resources have the Intune id of the device.",
			"reported: public clients, for other actions", func(p *probe, event record) finding {
				names := names(event, p.options.device)
				return p.judge(names, "the id of the device: %t", names)
			}),
	}
}

const (
	eventWithin = 15 * time.Minute // how soon an event is taken to appear
	auditPause  = 30 * time.Second
	auditMargin = time.Minute // between the clocks of the service's machines
	auditPages  = 10
)

// ownEvent is the event of the request for a session, nil if none appeared in time.
func (p *probe) ownEvent(ctx context.Context) (record, *finding) {
	s := p.openSession(ctx)
	if s.problem != nil {
		return nil, s.problem
	}
	if s.looked {
		return s.event, s.eventProblem
	}
	s.looked = true
	for begin := p.now(); ; {
		s.event, s.eventProblem = p.findEvent(ctx, s)
		s.eventTook = p.now().Sub(begin)
		if s.event != nil || s.eventProblem != nil || s.eventTook >= p.options.auditWait {
			return s.event, s.eventProblem
		}
		if err := p.pause(ctx, auditPause); err != nil {
			interrupted := p.notTried("interrupted while waiting for the event")
			s.eventProblem = &interrupted
			return nil, s.eventProblem
		}
	}
}

// findEvent looks for an event with the id of the request, or else for one of the kind and about the device: of three
// marks, one may be other than expected. Events of earlier requests have all but the id, so that their time counts too,
// and is compared here as well, since the service may ignore the filter.
func (p *probe) findEvent(ctx context.Context, s *sessionTrace) (record, *finding) {
	since := s.askedAt.Add(-auditMargin)
	var likely record
	page, f := p.list(ctx, auditPath, "$filter=activityDateTime%20gt%20"+escaped(since.UTC().Format(time.RFC3339)))
	for n := 0; f == nil; n++ {
		for _, event := range page.rows() {
			if strings.EqualFold(event.text("correlationId"), s.asked.sentID) {
				return event, nil
			}
			kind := strings.Contains(strings.ToLower(event.text("activityType")), "remoteassistance")
			at, err := time.Parse(time.RFC3339, event.text("activityDateTime"))
			if likely == nil && kind && names(event, p.options.device) && err == nil && at.After(since) {
				likely = event
			}
		}
		next := page.next()
		if next == "" || n == auditPages {
			return likely, nil
		}
		page, f = p.object(p.wire.follow(ctx, next))
	}
	unread := p.notTried("the events cannot be read: %s", f.seen)
	return nil, &unread
}

// names reports whether an event is about a device.
func names(event record, id string) bool {
	resources, _ := event["resources"].([]any)
	for _, item := range resources {
		if resource, _ := item.(map[string]any); strings.EqualFold(record(resource).text("resourceId"), id) {
			return true
		}
	}
	return false
}
