package intunetest

import (
	"iter"
	"net/http"
	"time"

	"github.com/go-intune/intune"
)

// partner is a remoteAssistancePartner.
type partner struct {
	serial         int
	id             string
	status         intune.ConnectorState
	lastConnection time.Time
}

// SetConnector replaces the remote-assistance partner of the tenant by a new one, TeamViewer, in the given state. Two
// states are special. "" gives a tenant without a partner, whose list is empty. intune.ConnectorStateUnknown gives a tenant
// whose partners the caller must not read, so that their addresses answer 403 while sessions work. Any other text is
// sent as it is, like a state that Microsoft adds later.
//
// Without an onboarded partner the action is still accepted with 204 and counted as a prompt, but the session ends in
// an error text, which is visible from the second read. The request uses up no [SessionScript]. Source of the states:
// https://learn.microsoft.com/graph/api/resources/intune-remoteassistance-remoteassistancepartner; the behavior of the
// action without a connector is not documented.
func (t *Tenant) SetConnector(state intune.ConnectorState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.partner = nil
	t.invisible = state == intune.ConnectorStateUnknown
	if state == "" {
		return
	}
	if t.invisible {
		state = intune.ConnectorStateOnboarded
	}
	t.partner = &partner{serial: t.nextSerial("place"), id: t.nextGUID("partner"), status: state}
	if state == intune.ConnectorStateOnboarded {
		t.partner.lastConnection = t.now().Truncate(time.Second)
	}
}

// connector is the state of the partner, "" without one. The caller holds the lock.
func (t *Tenant) connector() intune.ConnectorState {
	if t.partner == nil {
		return ""
	}
	return t.partner.status
}

const partnerName = "TeamViewer"

func (p *partner) members() []namedValue {
	return []namedValue{
		{"id", p.id},
		{"displayName", partnerName},
		{"onboardingUrl", "https://login.teamviewer.com/oauth2/authorize?client_id=" + guid("onboarding", 1)},
		{"onboardingStatus", string(p.status)},
		{"lastConnectionDateTime", p.lastConnection},
	}
}

func isPartnerProperty(name string) bool { return hasMember((&partner{}).members(), name) }

func (t *Tenant) listPartners(x *exchange, where *target) *answer {
	if t.invisible {
		return x.forbidden(where, mayReadPartner)
	}
	q, err := x.queryOn("remoteAssistancePartner", isPartnerProperty)
	if err != nil {
		return x.badQuery(err)
	}
	p := t.partner
	return t.page(x, where, q, func(after int) iter.Seq[row] {
		return func(yield func(row) bool) {
			if p != nil && p.serial > after {
				yield(row{serial: p.serial, name: partnerName, id: p.id, write: func(o *object) { o.members(q, p.members()) }})
			}
		}
	})
}

func (t *Tenant) getPartner(x *exchange, where *target) *answer {
	p := t.partner
	switch {
	case t.invisible:
		return x.forbidden(where, mayReadPartner)
	case p == nil || foldID(p.id) != foldID(where.keys[keyPartner]):
		return x.notFound(where.backend(true))
	}
	q, err := x.queryOn("remoteAssistancePartner", isPartnerProperty)
	if err != nil {
		return x.badQuery(err)
	}
	o := &object{}
	o.member("@odata.context", x.context(where, q, "/$entity"))
	o.members(q, p.members())
	return newAnswer(http.StatusOK, contentOData, o.end())
}
