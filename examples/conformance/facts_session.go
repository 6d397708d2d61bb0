package main

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

func sessionFacts() []fact {
	// answered makes a fact about the answer to the request.
	answered := func(id, claim, source plain, check func(p *probe, a *answer) finding) fact {
		return fact{id: id, claim: claim, source: source, need: needSession, check: func(ctx context.Context, p *probe) finding {
			s := p.openSession(ctx)
			switch {
			case s.asked == nil:
				return *s.problem
			case s.asked.mute():
				return p.notTried("%s", p.describe(s.asked))
			default:
				return check(p, s.asked)
			}
		}}
	}
	// followed makes a fact about what follows an accepted request.
	followed := func(id, claim, source plain, check func(context.Context, *probe, *sessionTrace) finding) fact {
		return fact{id: id, claim: claim, source: source, need: needSession, check: func(ctx context.Context, p *probe) finding {
			s := p.openSession(ctx)
			switch {
			case s.problem != nil:
				return *s.problem
			case s.after.err != nil:
				return *s.after.err
			default:
				return check(ctx, p, s)
			}
		}}
	}
	return []fact{
		answered("action-accepted", "The action, sent without a body, answers 204 without content.", docsAction,
			func(p *probe, a *answer) finding {
				return p.judge(a.status == http.StatusNoContent && len(a.body) == 0, "%s; bytes: %d", p.describe(a), len(a.body))
			}),
		answered("action-no-sunset", "The action's answer announces no end: it has no header Sunset or Deprecation.",
			"inferred: Microsoft calls the connector legacy, and has set no date for the action",
			func(p *probe, a *answer) finding {
				sunset, deprecation := a.header.Get("Sunset"), a.header.Get("Deprecation")
				return p.judge(sunset+deprecation == "", "Sunset: %t; Deprecation: %t", sunset != "", deprecation != "")
			}),
		followed("session-not-yet", "The link is not there yet when the service has accepted the request.", docsAction,
			func(_ context.Context, p *probe, s *sessionTrace) finding {
				link := s.atOnce.link != "" && s.atOnce.link != s.before.link
				return p.judge(!link, "a new link: %t; the record is as before: %t", link, s.atOnce == s.before)
			}),
		followed("session-link", "A new link appears within ten minutes.", "inferred: Microsoft documents no time",
			func(_ context.Context, p *probe, s *sessionTrace) finding {
				return p.inTime(&s.after, s.before)
			}),
		followed("session-link-https", "The link is an https URL.", "inferred: no link was published",
			func(_ context.Context, p *probe, s *sessionTrace) finding {
				if !s.after.link {
					return p.notTried("there is no link")
				}
				link, err := url.Parse(s.after.sessionState.link)
				if err != nil {
					return p.contradicted("the link is no URL")
				}
				teamviewer := strings.HasSuffix("."+strings.ToLower(link.Hostname()), ".teamviewer.com")
				return p.judge(link.Scheme == "https" && link.Host != "", "https: %t; below teamviewer.com: %t", link.Scheme == "https", teamviewer)
			}),
		followed("session-hidden-get", "A plain GET of the device does not show the link.",
			docsDevice+"; reported: microsoftgraph/microsoft-graph-docs-contrib#5820",
			func(ctx context.Context, p *probe, s *sessionTrace) finding {
				if !s.after.link {
					return p.notTried("there is no link")
				}
				d, f := p.object(p.wire.get(ctx, devicePath(p.options.device)))
				if f != nil {
					return *f
				}
				return p.judge(!d.filled(propertyLink), "shown: %t", d.filled(propertyLink))
			}),
		followed("session-hidden-list", "A list does not show the link, even if $select names it.", docsDevice, checkHiddenInList),
		followed("session-no-action-result", "The request leaves no entry in deviceActionResults.",
			"inferred: no public answer has one",
			func(ctx context.Context, p *probe, s *sessionTrace) finding {
				d, f := p.object(p.wire.get(ctx, devicePath(p.options.device)))
				if f != nil {
					return *f
				}
				after, added := actions(d), []string{}
				for _, result := range after {
					if !slices.Contains(s.actionsBefore, result) {
						added = append(added, result.action)
					}
				}
				return p.judge(len(added) == 0, "entries before: %d, after: %d, of them new: %d (%s)",
					len(s.actionsBefore), len(after), len(added), added)
			}),
	}
}

// linkWithin is how soon a link is taken to appear.
const linkWithin = 10 * time.Minute

// inTime judges a wait for a new link. One that was over before linkWithin, because -timeout is less or the service wrote an
// error text, does not show that no link comes.
func (p *probe) inTime(c *changed, before sessionState) finding {
	switch {
	case c.link:
		return p.judge(c.took <= linkWithin, "after %s, at read %d; an old link was there: %t", c.took, c.reads, before.link != "")
	case c.details != "" && c.details != before.details:
		return p.notTried("after %s, at read %d, the service writes an error text: %s", c.took, c.reads, c.details)
	default:
		format := plain("after %s and %d reads no new link; an old link was there: %t, and is still there: %t")
		if c.took < linkWithin {
			return p.notTried(format, c.took, c.reads, before.link != "", c.sessionState.link != "")
		}
		return p.contradicted(format, c.took, c.reads, before.link != "", c.sessionState.link != "")
	}
}

func checkHiddenInList(ctx context.Context, p *probe, s *sessionTrace) finding {
	if !s.after.link {
		return p.notTried("there is no link")
	}
	d, f := p.device(ctx)
	if f != nil {
		return *f
	}
	page, f := p.list(ctx, devicesPath, "$filter=deviceName%20eq%20"+quoted(d.text("deviceName"))+"&$select=id,"+propertyLink)
	if f != nil {
		return *f
	}
	for _, row := range page.rows() {
		if strings.EqualFold(row.text("id"), p.options.device) {
			return p.judge(!row.filled(propertyLink), "shown: %t", row.filled(propertyLink))
		}
	}
	return p.notTried("the device is not on the page")
}

func againFacts() []fact {
	accepted := func(id, claim, source plain, n need, way string, ok func(a *answer) bool) fact {
		return fact{id: id, claim: claim, source: source, need: n, check: func(ctx context.Context, p *probe) finding {
			t := p.askAgain(ctx, way)
			switch {
			case t.asked == nil:
				return *t.problem
			case t.asked.mute() && !t.asked.forbidden():
				return p.notTried("%s", p.describe(t.asked))
			default:
				return p.judge(ok(t.asked), "%s; of the item: %d (-1 if there is none)", p.describe(t.asked), batchStatus(t.asked))
			}
		}}
	}
	noContent := func(a *answer) bool { return a.status == http.StatusNoContent }
	return []fact{
		accepted("again-user", "The action answers 204 below a user, with the permission for devices.",
			"inferred: the address is in Microsoft's CSDL, and no longer on the page of the action", needAgainUser, againUser, noContent),
		accepted("again-app", "The action answers 204 below a detected app.", docsAction, needAgainApp, againApp, noContent),
		accepted("again-batch", "The action with the body {} answers 204 within a JSON batch that answers 200.",
			"inferred: https://learn.microsoft.com/graph/json-batching has another action without parameters", needAgainBatch, againBatch,
			func(a *answer) bool { return a.status == http.StatusOK && batchStatus(a) == http.StatusNoContent }),
		{
			id: "again-replaces", claim: "A second request replaces the link by another within ten minutes.",
			source: "inferred: Microsoft does not document it", need: needAgain,
			check: func(ctx context.Context, p *probe) finding {
				for _, way := range p.options.again {
					p.askAgain(ctx, way)
				}
				r := p.replaced
				switch {
				case r == nil:
					return p.notTried("no second request was accepted")
				case r.before.link == "":
					return p.notTried("there was no link to replace")
				case r.err != nil:
					return *r.err
				default:
					return p.inTime(&r.changed, r.before)
				}
			},
		},
	}
}
