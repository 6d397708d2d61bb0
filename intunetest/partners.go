package intunetest

import (
	"encoding/json"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-intune/intune"
)

// partner is a remoteAssistancePartner.
type partner struct {
	serial         int
	id             string
	displayName    string
	onboardingURL  string
	status         string
	lastConnection time.Time
	completes      time.Time // when onboarding ends by itself; zero: never
}

const (
	statusNotOnboarded = string(intune.ConnectorStateNotOnboarded)
	statusOnboarding   = string(intune.ConnectorStateOnboarding)
	statusOnboarded    = string(intune.ConnectorStateOnboarded)
)

// SetConnector replaces the remote-assistance partners of the tenant by one, TeamViewer, in the given state. Two states
// are special. "" gives a tenant without any partner, whose list is empty. intune.ConnectorStateUnknown gives a tenant
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
	t.partners = nil
	t.invisible = state == intune.ConnectorStateUnknown
	if state == "" {
		return
	}
	if t.invisible {
		state = intune.ConnectorStateOnboarded
	}
	p := t.addPartner("TeamViewer")
	p.status = string(state)
	if state == intune.ConnectorStateOnboarded {
		p.lastConnection = t.now().Truncate(time.Second)
	}
}

func (t *Tenant) addPartner(name string) *partner {
	p := &partner{
		serial:        t.nextSerial("place"),
		id:            t.nextGUID("partner"),
		displayName:   name,
		onboardingURL: "https://login.teamviewer.com/oauth2/authorize?client_id=" + guid("onboarding", 1),
		status:        statusNotOnboarded,
	}
	t.partners = append(t.partners, p)
	return p
}

// connected reports whether sessions can be made. The caller holds the lock.
func (t *Tenant) connected(now time.Time) bool {
	return slices.ContainsFunc(t.partners, func(p *partner) bool {
		p.settle(now)
		return p.status == statusOnboarded
	})
}

func (p *partner) settle(now time.Time) {
	if p.status == statusOnboarding && !p.completes.IsZero() && !now.Before(p.completes) {
		p.status, p.lastConnection, p.completes = statusOnboarded, p.completes, time.Time{}
	}
}

func (p *partner) members() []namedValue {
	return []namedValue{
		{"id", p.id},
		{"displayName", orNull(p.displayName)},
		{"onboardingUrl", orNull(p.onboardingURL)},
		{"onboardingStatus", p.status},
		{"lastConnectionDateTime", p.lastConnection},
	}
}

func isPartnerProperty(name string) bool { return hasMember((&partner{}).members(), name) }

// findPartner returns the partner of an address. The caller holds the lock.
func (t *Tenant) findPartner(x *exchange, where *target) (*partner, *answer) {
	if t.invisible {
		return nil, x.forbidden(where, mayReadPartner)
	}
	for _, p := range t.partners {
		if foldID(p.id) == foldID(where.keys[keyPartner]) {
			p.settle(t.now())
			return p, nil
		}
	}
	return nil, x.notFound(where.backend(true))
}

func (t *Tenant) listPartners(x *exchange, where *target) *answer {
	if t.invisible {
		return x.forbidden(where, mayReadPartner)
	}
	q, err := x.queryOn("remoteAssistancePartner", isPartnerProperty)
	if err != nil {
		return x.badQuery(err)
	}
	rows := make([]row, 0, len(t.partners))
	for _, p := range t.partners {
		p.settle(t.now())
		rows = append(rows, row{serial: p.serial, name: p.displayName, id: p.id, write: func(o *object) { o.members(q, p.members()) }})
	}
	return t.page(x, where, q, func(after int) iter.Seq[row] {
		return func(yield func(row) bool) {
			for _, r := range rows {
				if r.serial > after && !yield(r) {
					return
				}
			}
		}
	})
}

func (t *Tenant) getPartner(x *exchange, where *target) *answer {
	p, refused := t.findPartner(x, where)
	if refused != nil {
		return refused
	}
	q, err := x.queryOn("remoteAssistancePartner", isPartnerProperty)
	if err != nil {
		return x.badQuery(err)
	}
	return x.partnerAnswer(http.StatusOK, where, q, p)
}

func (x *exchange) partnerAnswer(status int, where *target, q *query, p *partner) *answer {
	o := &object{}
	o.member("@odata.context", x.context(where, q, "/$entity"))
	o.members(q, p.members())
	return newAnswer(status, contentOData, o.end())
}

// partnerBody holds the members that a client may set.
type partnerBody struct {
	DisplayName            *string    `json:"displayName"`
	OnboardingURL          *string    `json:"onboardingUrl"`
	OnboardingStatus       *string    `json:"onboardingStatus"`
	LastConnectionDateTime *time.Time `json:"lastConnectionDateTime"`
}

func (x *exchange) partnerBody() (partnerBody, *answer) {
	var body partnerBody
	var sent map[string]json.RawMessage
	switch {
	case len(x.request.Body) == 0:
		return body, x.badQuery(refusal("Empty Payload. JSON content expected."))
	case json.Unmarshal(x.request.Body, &sent) != nil || sent == nil:
		return body, x.badQuery(errNoJSON)
	}
	for name := range sent {
		// Annotations may be anything; the id is the service's.
		if !strings.Contains(name, "@") && !isPartnerProperty(name) {
			return body, x.badQuery(refusal("The property '" + name + "' does not exist on type 'microsoft.graph.remoteAssistancePartner'. " +
				"Make sure to only use property names that are defined by the type or mark the type as open type."))
		}
	}
	if json.Unmarshal(x.request.Body, &body) != nil {
		return body, x.badQuery(errNoJSON)
	}
	if status := body.OnboardingStatus; status != nil && !slices.Contains(partnerStatuses, *status) {
		return body, x.badQuery(refusal("Requested value '" + *status + "' was not found."))
	}
	return body, nil
}

// partnerStatuses are the members of remoteAssistanceOnboardingStatus.
var partnerStatuses = []string{statusNotOnboarded, statusOnboarding, statusOnboarded}

// errNoJSON is what Graph answers to a body that it cannot read.
const errNoJSON = refusal("Unable to read JSON request payload. " +
	"Please ensure Content-Type header is set and payload is of valid JSON format.")

func (p *partner) set(body partnerBody) {
	if body.DisplayName != nil {
		p.displayName = *body.DisplayName
	}
	if body.OnboardingURL != nil {
		p.onboardingURL = *body.OnboardingURL
	}
	if body.OnboardingStatus != nil {
		p.status, p.completes = *body.OnboardingStatus, time.Time{}
	}
	if body.LastConnectionDateTime != nil {
		p.lastConnection = *body.LastConnectionDateTime
	}
}

func (t *Tenant) createPartner(x *exchange, where *target) *answer {
	if t.invisible {
		return x.forbidden(where, maySetPartner)
	}
	body, refused := x.partnerBody()
	if refused != nil {
		return refused
	}
	p := t.addPartner("")
	p.set(body)
	return x.partnerAnswer(http.StatusCreated, where, &query{}, p)
}

func (t *Tenant) updatePartner(x *exchange, where *target) *answer {
	p, refused := t.findPartner(x, where)
	if refused != nil {
		return refused
	}
	body, refused := x.partnerBody()
	if refused != nil {
		return refused
	}
	p.set(body)
	return x.partnerAnswer(http.StatusOK, where, &query{}, p)
}

func (t *Tenant) deletePartner(x *exchange, where *target) *answer {
	p, refused := t.findPartner(x, where)
	if refused != nil {
		return refused
	}
	t.partners = slices.DeleteFunc(t.partners, func(other *partner) bool { return other == p })
	return noContent()
}

// beginOnboarding starts the handshake; an administrator still has to sign in at the partner.
func (t *Tenant) beginOnboarding(x *exchange, where *target) *answer {
	p, refused := t.findPartner(x, where)
	if refused != nil {
		return refused
	}
	p.status, p.completes = statusOnboarding, time.Time{}
	if after := t.options.OnboardingCompletesAfter; after > 0 {
		p.completes = t.now().Add(after)
	}
	return noContent()
}

// disconnect takes remote assistance away from the whole tenant.
func (t *Tenant) disconnect(x *exchange, where *target) *answer {
	p, refused := t.findPartner(x, where)
	if refused != nil {
		return refused
	}
	p.status, p.completes = statusNotOnboarded, time.Time{}
	return noContent()
}
