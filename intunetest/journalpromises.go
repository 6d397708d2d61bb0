package intunetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-intune/intune"
)

// journalPromises are what TestJournal checks, one after the other on one journal.
var journalPromises = []struct {
	text  string
	check func(*journalSuite)
}{
	{"the entries of a request are read back and belong together", (*journalSuite).together},
	{"an outcome that is learned later corrects unknown, and unknown corrects nothing", (*journalSuite).learned},
	{"Asked and Ended may come without the entries before them", (*journalSuite).alone},
	{"ids are kept exactly as sent", (*journalSuite).ids},
	{"each of the three addresses of a device is kept", (*journalSuite).addresses},
	{"what is read back equals what was written, in every field", (*journalSuite).fields},
	{"entries of any size that the library makes are kept", (*journalSuite).sizes},
	{"the newest resume token comes back byte for byte", (*journalSuite).tokens},
	{"Asking whose context has ended returns an error and records nobody as asked", (*journalSuite).endedContext},
	{"a refused Asking says why and records nothing", (*journalSuite).refusals},
	{"the methods are safe for concurrent use", (*journalSuite).concurrency},
	{"the journal can be read while it is written", (*journalSuite).readWhileWritten},
	{"reading begins with the first entry each time, and can be broken off", (*journalSuite).readAnew},
	{"two journals on one store agree", (*journalSuite).secondOpen},
}

// journalCase is what the suite writes about one device that nobody else has.
type journalCase struct {
	suite   *journalSuite
	name    string
	device  intune.DeviceRef
	id      string
	written []intune.JournalEntry // that the journal took
	failed  bool                  // an entry was not taken, and that is told
}

func (s *journalSuite) newCase(name string) *journalCase {
	return &journalCase{suite: s, name: name, device: intune.Device(newKey()), id: newKey()}
}

// newKey is a new GUID.
func newKey() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	text := hex.EncodeToString(b[:])
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}

// newToken is a text like a resume token, which any change of its form would change.
func newToken() string {
	return `{"type":"RemoteAssistanceSession", "token":{"version":1,"b":"` + newKey() + `","a":1.50,"c":"<\u0026>\/é"}}`
}

func (c *journalCase) entry() intune.JournalEntry {
	return intune.JournalEntry{Time: time.Now().UTC().Round(0), Device: c.device, ClientRequestID: c.id}
}

func (c *journalCase) asking(token string) intune.JournalEntry {
	entry := c.entry()
	entry.ResumeToken, entry.Waits = token, token != ""
	return entry
}

func (c *journalCase) asked(outcome intune.Outcome, token string) intune.JournalEntry {
	entry := c.entry()
	entry.Outcome, entry.ResumeToken = outcome, token
	return entry
}

func (c *journalCase) ended(session intune.SessionOutcome) intune.JournalEntry {
	entry := c.entry()
	entry.Session = session
	return entry
}

// write gives the journal an entry that it has to take, unless one before was not.
func (c *journalCase) write(entry intune.JournalEntry) {
	c.writeTo(c.suite.store, entry, func(error) bool { return false })
}

// offer gives the journal an entry that it may refuse, and reports whether it was taken.
func (c *journalCase) offer(entry intune.JournalEntry, refuses func(error) bool) bool {
	return c.writeTo(c.suite.store, entry, refuses)
}

func (c *journalCase) writeTo(store *journalStore, entry intune.JournalEntry, refuses func(error) bool) bool {
	if c.failed {
		return false
	}
	err := c.suite.write(store, entry)
	if err == nil {
		c.written = append(c.written, entry)
		return true
	}
	_, panicked := errors.AsType[*panicError](err)
	if !panicked && !errors.Is(err, errExited) && !errors.Is(err, errStopped) && refuses(err) {
		return false
	}
	c.failed = true
	if !errors.Is(err, errStopped) {
		c.suite.fault("%s: %s returned an error: %w", c.name, methodOf(entry), err)
	}
	return false
}

// compare reads the journal, and tells what is not there as written.
func (s *journalSuite) compare(cases ...*journalCase) { s.compareIn(s.store, cases...) }

func (s *journalSuite) compareIn(store *journalStore, cases ...*journalCase) {
	got, ok := s.read(store, cases...)
	if !ok {
		return
	}
	for _, c := range cases {
		if c.failed {
			continue
		}
		for _, difference := range differences(got[c.device.DeviceID()], requestsOf(c.written)) {
			s.fault("%s: %s", c.name, difference)
		}
	}
}

func superseded(err error) bool { return errors.Is(err, intune.ErrSuperseded) }

// anyRefusal is for what a store may be unable to record.
func anyRefusal(error) bool { return true }

// together writes the entries of requests, one after the other. A second end may find the wait over.
func (s *journalSuite) together() {
	const accepted, rejected, unknown, notSent = intune.OutcomeAccepted, intune.OutcomeRejected, intune.OutcomeUnknown, intune.OutcomeNotSent
	const ready, failed, left = intune.SessionReady, intune.SessionFailed, intune.SessionLeft
	var cases []*journalCase
	for _, script := range []struct {
		tokens  bool
		outcome intune.Outcome
		ends    []intune.SessionOutcome
	}{
		{true, "", nil},
		{false, "", nil},
		{true, accepted, nil},
		{false, accepted, nil},
		{true, unknown, nil},
		{false, unknown, nil},
		{true, rejected, nil},
		{false, rejected, nil},
		{true, notSent, nil},
		{false, notSent, nil},
		{true, accepted, []intune.SessionOutcome{ready}},
		{true, accepted, []intune.SessionOutcome{failed}},
		{true, accepted, []intune.SessionOutcome{left}},
		{true, unknown, []intune.SessionOutcome{left}},
		{true, unknown, []intune.SessionOutcome{ready}},
		{true, accepted, []intune.SessionOutcome{left, ready}},
		{true, accepted, []intune.SessionOutcome{ready, left}},
		{true, accepted, []intune.SessionOutcome{failed, ready}},
		{true, accepted, []intune.SessionOutcome{left, left}},
	} {
		c, token, asked := s.newCase("Asking without a token"), "", ""
		if script.tokens {
			c.name, token, asked = "Asking with a token", newToken(), newToken()
		}
		c.write(c.asking(token))
		if script.outcome != "" {
			c.name += ", Asked (" + string(script.outcome) + ")"
			if script.outcome == rejected || script.outcome == notSent {
				asked = ""
			}
			c.write(c.asked(script.outcome, asked))
		}
		for i, session := range script.ends {
			c.name += ", Ended (" + string(session) + ")"
			c.offer(c.ended(session), func(err error) bool { return i > 0 && superseded(err) })
		}
		cases = append(cases, c)
	}
	s.compare(cases...)
}

// learned writes Asked twice, as a program does that has learned what became of a request.
func (s *journalSuite) learned() {
	var cases []*journalCase
	for _, outcomes := range [][2]intune.Outcome{
		{intune.OutcomeUnknown, intune.OutcomeAccepted},
		{intune.OutcomeUnknown, intune.OutcomeRejected},
		{intune.OutcomeUnknown, intune.OutcomeUnknown},
		{intune.OutcomeAccepted, intune.OutcomeUnknown},
		{intune.OutcomeRejected, intune.OutcomeUnknown},
	} {
		c := s.newCase("Asked (" + string(outcomes[0]) + "), then Asked (" + string(outcomes[1]) + ")")
		c.write(c.asking(newToken()))
		first := c.asked(outcomes[0], newToken())
		if outcomes[0] == intune.OutcomeRejected {
			first.ResumeToken = ""
		}
		c.write(first)
		c.offer(c.asked(outcomes[1], ""), anyRefusal)
		cases = append(cases, c)
	}
	s.compare(cases...)
}

// alone writes what lacks the entries before it, because they are in the journal of another program, or were lost.
func (s *journalSuite) alone() {
	before := s.newCase("the request before")
	before.write(before.asking(newToken()))
	cases := []*journalCase{before}
	for _, outcome := range intune.PossibleOutcomeValues() {
		c := s.newCase("nothing but Asked (" + string(outcome) + ")")
		c.offer(c.asked(outcome, ""), anyRefusal)
		cases = append(cases, c)
	}
	for _, session := range []intune.SessionOutcome{intune.SessionReady, intune.SessionFailed, intune.SessionLeft} {
		c := s.newCase("nothing but Ended (" + string(session) + ")")
		c.offer(c.ended(session), anyRefusal)
		withAsking := s.newCase("Asking, Ended (" + string(session) + ")")
		withAsking.write(withAsking.asking(newToken()))
		withAsking.offer(withAsking.ended(session), anyRefusal)
		cases = append(cases, c, withAsking)
	}
	s.compare(cases...)
}

// ids are client-request-ids that a caller may send, and ids of requests at Microsoft. Two of them differ in case only.
func (s *journalSuite) ids() {
	unique := newKey()
	var cases []*journalCase
	for _, id := range []string{
		strings.ToUpper(unique), unique, "{" + strings.ToUpper(newKey()) + "}", "00" + strings.Repeat("7", 12) + unique[:8],
		"1e5" + unique[:4], "ticket 4711/" + unique, `a'b"c\d%e_f;--` + unique, "É" + "e\u0301 ß 端末 " + unique,
		strings.Repeat(unique, 6)[:longestID],
	} {
		c := s.newCase("the id " + short(id))
		c.id = id
		c.write(c.asking(newToken()))
		asked := c.asked(intune.OutcomeAccepted, newToken())
		asked.RequestID = id
		c.write(asked)
		ended := c.ended(intune.SessionReady)
		ended.RequestID = id
		c.write(ended)
		cases = append(cases, c)
	}
	s.compare(cases...)
}

// namedDevice is an address with a word for it.
type namedDevice struct {
	name   string
	device intune.DeviceRef
}

// addresses differ in form, in case where that counts, and in what a path escapes.
func (s *journalSuite) addresses() {
	var cases []*journalCase
	for _, of := range []namedDevice{
		{"Device", intune.Device(newKey())},
		{"UserDevice by id", intune.UserDevice(newKey(), newKey())},
		{"UserDevice by name", intune.UserDevice("Anna.O'Brien+1@Contoso.com", newKey())},
		{"UserDevice of a guest", intune.UserDevice("anna_fabrikam.com#EXT#@contoso.onmicrosoft.com", newKey())},
		{"UserDevice with a dollar", intune.UserDevice("$anna%40 ä@contoso.com", newKey())},
		{"DetectedAppDevice", intune.DetectedAppDevice("0000aF"+strings.Repeat("c", 40), newKey())},
		{"an id that is no GUID", intune.Device("Device of " + newKey())},
	} {
		c := s.newCase(of.name)
		c.device = of.device
		c.write(c.asking(newToken()))
		c.write(c.asked(intune.OutcomeAccepted, newToken()))
		c.write(c.ended(intune.SessionLeft))
		cases = append(cases, c)
	}
	s.compare(cases...)
}

// full gives each field of the entries that the library sets a text of its own: the longest there is, or a short one.
func (c *journalCase) full(tokenBytes, idBytes, errorBytes, referenceBytes int) (asking, asked, ended intune.JournalEntry) {
	long := func(text string, n int) string { // ends between two runes
		text += strings.Repeat(`é"端'<&>\ 😀 `, n/10)
		for ; n > 0 && text[n]&0xc0 == 0x80; n-- {
		}
		return text[:n]
	}
	asking, asked, ended = c.asking(""), c.asked(intune.OutcomeUnknown, ""), c.ended(intune.SessionFailed)
	asking.ResumeToken, asking.Waits = (newToken() + strings.Repeat("QUJD", tokenBytes))[:tokenBytes], true
	asking.Reference = long("ticket ", referenceBytes)
	asked.ResumeToken = (newToken() + strings.Repeat("REVG", tokenBytes))[:tokenBytes]
	asked.StatusCode, asked.RequestID = 504, long("request-asked ", idBytes)
	asked.Error = long("Asked: it says \"no\"\r\n\tand `why`\n", errorBytes)
	asked.CallerID, asked.AppID, asked.TenantID = long("caller ", idBytes), long("app ", idBytes), long("tenant ", idBytes)
	ended.RequestID, ended.Error = long("request-ended ", idBytes), long("Ended: 'offline'\n\n%s ", errorBytes)
	return asking, asked, ended
}

// fields writes what differs in each field, so that none can stand for another.
func (s *journalSuite) fields() {
	var cases []*journalCase
	for _, outcome := range intune.PossibleOutcomeValues() {
		for _, status := range []int{0, 204, 599} {
			c := s.newCase(fmt.Sprintf("outcome %s, status %d", outcome, status))
			asking, asked, ended := c.full(100, 36, 80, 20)
			asking.Waits = status == 0
			asked.Outcome, asked.StatusCode = outcome, status
			c.write(asking)
			c.write(asked)
			if outcome == intune.OutcomeAccepted {
				c.write(ended)
			}
			cases = append(cases, c)
		}
	}
	s.compare(cases...)
}

// The longest texts: a token of 8 KiB is the longest that the library takes.
const (
	longestToken     = 8 << 10
	longestID        = 200
	longestError     = 4 << 10
	longestReference = 256
)

func (s *journalSuite) sizes() {
	var cases []*journalCase
	name := strings.Repeat("a", 64) + "@" + strings.Repeat("contoso.", 20) + "onmicrosoft.com"
	for _, of := range []namedDevice{
		{"Device", intune.Device(newKey())},
		{"UserDevice", intune.UserDevice(name, newKey())},
		{"DetectedAppDevice", intune.DetectedAppDevice(strings.Repeat("0a", 100), newKey())},
	} {
		c := s.newCase("the longest entries, with a " + of.name)
		c.device, c.id = of.device, strings.Repeat(newKey(), 6)[:longestID]
		for _, entry := range entriesOf(c.full(longestToken, longestID, longestError, longestReference)) {
			c.write(entry)
		}
		cases = append(cases, c)
	}
	s.compare(cases...)
}

func entriesOf(asking, asked, ended intune.JournalEntry) []intune.JournalEntry {
	return []intune.JournalEntry{asking, asked, ended}
}

func (s *journalSuite) tokens() {
	asking := s.newCase("of Asking, without Asked")
	asking.write(asking.asking(newToken()))
	newest := s.newCase("of Asked, after Asking")
	newest.write(newest.asking(newToken()))
	newest.write(newest.asked(intune.OutcomeAccepted, newToken()))
	older := s.newCase("of Asking, as Asked has none")
	older.write(older.asking(newToken()))
	older.write(older.asked(intune.OutcomeUnknown, ""))
	only := s.newCase("of Asked, as Asking has none")
	only.write(only.asking(""))
	only.write(only.asked(intune.OutcomeAccepted, newToken()))
	left := s.newCase("of Asked, after Ended")
	left.write(left.asking(newToken()))
	left.write(left.asked(intune.OutcomeAccepted, newToken()))
	left.write(left.ended(intune.SessionLeft))
	s.compare(asking, newest, older, only, left)
}

// endedContext allows an entry that says that nobody was asked.
func (s *journalSuite) endedContext() {
	canceled, cancel := context.WithCancel(s.ctx)
	cancel()
	late, cancelLate := context.WithDeadline(s.ctx, time.Now())
	defer cancelLate()
	<-late.Done()
	for _, ctx := range []context.Context{canceled, late} {
		c := s.newCase(ctx.Err().Error())
		err := s.call("Asking", func(context.Context) error { return s.store.journal.Asking(ctx, c.asking(newToken())) })
		if _, panicked := errors.AsType[*panicError](err); err == nil || panicked {
			s.fault("%s: Asking returned %v", c.name, err)
		}
		got, ok := s.read(s.store, c)
		if !ok {
			return
		}
		for _, r := range got[c.device.DeviceID()] {
			if outcome := r.Outcome(); outcome == intune.OutcomeAccepted || outcome == intune.OutcomeUnknown {
				s.fault("%s: the outcome is read as %s", c.name, outcome)
			}
		}
	}
}
