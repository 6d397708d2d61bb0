package intunetest

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/go-intune/intune"
)

// SessionScript describes the result of one accepted request for remote assistance. The zero value is the default: a
// new link becomes visible at the second read after the request.
//
// AfterReads, After and Never decide when the result becomes visible; URL, ErrorDetails and KeepOld decide what becomes
// visible. Until then the device shows what an earlier session left on it (see ManagedDevice.RemoteAssistanceSessionURL
// of [Tenant.AddDevice]), unless ClearOld removes that. The next accepted request replaces a result that is not visible
// yet.
//
// Microsoft documents neither how long a link takes nor whether it replaces an older one; all of these can happen.
type SessionScript struct {
	// URL is the link; "" means a new one of the form https://get.teamviewer.com/…, different each time. Any text is
	// allowed, including an http address and text that is not a URL.
	URL string

	// ErrorDetails is the error text of a session that failed. If URL is "", no link is made, and the link on the device
	// stays as it is. If URL is set, both become visible. If ErrorDetails is "", the text on the device is removed.
	ErrorDetails string

	// AfterReads makes the result visible at the n-th read after the request; 1 is the first. A read is a GET of one
	// device whose $select names remoteAssistanceSessionUrl or remoteAssistanceSessionErrorDetails, at any of its
	// addresses, that the tenant answers. 0 means 2, or no condition when After is set.
	AfterReads int

	// After is how long after the request, on the tenant's clock, the result becomes visible. If AfterReads is set too,
	// both conditions must be met.
	After time.Duration

	// Never means that nothing becomes visible.
	Never bool

	// KeepOld reuses the link that is on the device, so that the link does not change. A device without a link gets URL.
	KeepOld bool

	// ClearOld removes the link and the error text of an earlier session as soon as the request is accepted.
	ClearOld bool
}

// connectorMissing is the error text of a session without an onboarded connector. Microsoft publishes no texts.
const connectorMissing = "The remote assistance session could not be created " +
	"because the TeamViewer connector is not configured for this account."

// session is the remote-assistance state of a device.
type session struct {
	link, errorDetails string
	scripts            []SessionScript // the last one repeats
	pending            *pendingSession
}

type pendingSession struct {
	script SessionScript
	since  time.Time
	reads  int
	link   string // used if the script has none
}

// Prompts is how often the user of a device was asked: the number of requests for remote assistance that the service
// accepted for it, at any of its addresses and whatever became of the session. The count outlives
// [Tenant.RemoveDevice]. Only the device id of the reference counts.
func (t *Tenant) Prompts(d intune.DeviceRef) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.prompts[foldID(d.DeviceID())]
}

// TotalPrompts is the sum of [Tenant.Prompts] over all devices.
func (t *Tenant) TotalPrompts() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	total := 0
	for _, n := range t.prompts {
		total += n
	}
	return total
}

// errNoJSON is what Graph answers to a body that it cannot read.
const errNoJSON = refusal("Unable to read JSON request payload. " +
	"Please ensure Content-Type header is set and payload is of valid JSON format.")

// requestRemoteAssistance is the action. It has no parameters, and clients send nothing or {}.
func (t *Tenant) requestRemoteAssistance(x *exchange, where *target) *answer {
	if len(x.request.Body) > 0 && !json.Valid(x.request.Body) {
		return x.badQuery(errNoJSON)
	}
	d, refused := t.findDevice(x, where)
	if refused != nil {
		return refused
	}
	if where.has[keyApp] && t.options.RefuseDetectedAppAction {
		return x.noRoute(where)
	}
	t.prompts[foldID(d.record.ID)]++
	t.audit(x, d)
	s, now := &d.session, t.now()
	s.settle(now) // a result that was due before must not be lost
	pending := &pendingSession{since: now, link: t.nextLink()}
	if t.connector() == intune.ConnectorStateOnboarded {
		if len(s.scripts) > 0 {
			pending.script = s.scripts[0]
		}
		if len(s.scripts) > 1 {
			s.scripts = s.scripts[1:]
		}
	} else {
		pending.script = SessionScript{ErrorDetails: connectorMissing}
	}
	if pending.script.ClearOld {
		s.link, s.errorDetails = "", ""
	}
	s.pending = pending
	return noContent()
}

// nextLink makes a link that looks as hard to guess as a real one. The caller holds the lock.
func (t *Tenant) nextLink() string {
	secret := digest("session", t.nextSerial("session"))
	return "https://get.teamviewer.com/v15/s" + strings.ToUpper(hex.EncodeToString(secret[:4])) + "?access=" + hex.EncodeToString(secret[4:20])
}

// read counts a read and returns what the read sees.
func (s *session) read(now time.Time) (link, errorDetails string) {
	if s.pending != nil {
		s.pending.reads++
		s.settle(now)
	}
	return s.link, s.errorDetails
}

// settle makes a pending result visible when it is due.
func (s *session) settle(now time.Time) {
	p := s.pending
	if p == nil || !p.due(now) {
		return
	}
	s.pending = nil
	s.errorDetails = p.script.ErrorDetails
	switch {
	case p.script.KeepOld && s.link != "":
	case p.script.URL != "":
		s.link = p.script.URL
	case p.script.ErrorDetails == "":
		s.link = p.link
	}
}

func (p *pendingSession) due(now time.Time) bool {
	reads := p.script.AfterReads
	if reads <= 0 && p.script.After <= 0 {
		reads = 2
	}
	return !p.script.Never && p.reads >= reads && now.Sub(p.since) >= p.script.After
}

// isSessionProperty reports whether reading a property counts as reading the session.
func isSessionProperty(name string) bool {
	return strings.EqualFold(name, propertySessionURL) || strings.EqualFold(name, propertySessionError)
}

const (
	propertySessionURL   = "remoteAssistanceSessionUrl"
	propertySessionError = "remoteAssistanceSessionErrorDetails"
)
