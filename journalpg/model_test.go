package journalpg_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/go-intune/intune/journalpg"
)

// modelRequest is a request as the table of states has it.
type modelRequest struct {
	entry     intune.JournalEntry
	waits     bool
	outcome   intune.Outcome
	session   intune.SessionOutcome
	age       time.Duration
	leftAt    time.Duration      // its age then
	holder    *journalpg.Journal // whose wait it is, or was until the lease ended; nil if nobody has taken it
	lives     bool               // the lease
	hasCopy   bool               // whose wait has not ended otherwise than by its death
	fence     int
	by        *modelRequest // that has superseded it
	forgotten bool
}

func (r *modelRequest) askedNobody() bool {
	return r.outcome == intune.OutcomeRejected || r.outcome == intune.OutcomeNotSent
}

// over reports whether the device is free of the request for good, unless what followed it asked nobody.
func (r *modelRequest) over() bool {
	return r.askedNobody() || r.by != nil || r.session == intune.SessionReady || r.session == intune.SessionFailed || r.forgotten
}

func (r *modelRequest) busy(again bool) bool {
	switch {
	case r.over():
		return false
	case r.lives:
		return true
	case r.age >= 30*time.Minute:
		return false
	case r.outcome == "":
		return true
	default:
		return !r.waits && r.session == "" && !again
	}
}

func (r *modelRequest) claimable() bool {
	switch {
	case r.over(), r.lives, r.entry.ResumeToken == "", r.age >= 24*time.Hour:
		return false
	case r.outcome != intune.OutcomeAccepted && r.session == intune.SessionLeft && r.leftAt >= 2*time.Minute:
		return false
	default:
		return r.waits || r.session == intune.SessionLeft || r.age >= 30*time.Minute
	}
}

func (r *modelRequest) says() string {
	session := r.session
	if r.by != nil && r.entry.ResumeToken != "" && !r.askedNobody() {
		session = intune.SessionSuperseded
	}
	outcome := r.outcome
	if outcome == "" {
		outcome = intune.OutcomeUnknown
		if session == intune.SessionReady || session == intune.SessionFailed {
			outcome = intune.OutcomeAccepted
		}
	}
	waiting := !r.over() && r.entry.ResumeToken != ""
	if r.askedNobody() {
		session = "" // whatever it was before
	}
	return fmt.Sprintf("%s %s waiting=%t", outcome, session, waiting)
}

// modelClaim is a claim, and the fence of its request then.
type modelClaim struct {
	claimed journalpg.Claimed
	by      *journalpg.Journal
	of      *modelRequest
	fence   int
	ended   bool // its Ended was called
}

// some draws one of a list.
func some[T any](t *rapid.T, name string, list []T) T {
	return list[rapid.IntRange(0, len(list)-1).Draw(t, name)]
}

// model is a record and what it should be.
type model struct {
	f        *fixture
	scope    string
	devices  []intune.DeviceRef
	keys     []string
	copies   []*journalpg.Journal
	requests []*modelRequest
	holds    map[*journalpg.Journal]map[*modelRequest]bool // that began with Asking
	claims   []*modelClaim
}

func (m *model) open() *journalpg.Journal {
	return m.f.journal(lease(time.Hour), func(o *journalpg.Options) { o.Scope = m.scope })
}

func (m *model) latest(device intune.DeviceRef) *modelRequest {
	for _, r := range slices.Backward(m.requests) {
		if r.entry.Device == device && !r.over() {
			return r
		}
	}
	return nil
}

func (m *model) keyUsed(key string) bool {
	return slices.ContainsFunc(m.requests, func(r *modelRequest) bool { return r.entry.ClientRequestID == key && !r.askedNobody() })
}

func (m *model) ask(t *rapid.T) {
	j := some(t, "copy", m.copies)
	entry := intune.JournalEntry{
		Time: time.Now(), Device: rapid.SampledFrom(m.devices).Draw(t, "device"), ClientRequestID: rapid.SampledFrom(m.keys).Draw(t, "key"),
	}
	kind := rapid.SampledFrom([]string{"waits", "waits", "poller", "bare"}).Draw(t, "kind")
	entry.Waits = kind == "waits"
	if kind != "bare" {
		entry.ResumeToken = token(entry, "")
	}
	again := rapid.IntRange(0, 3).Draw(t, "again") == 0
	ctx := m.f.t.Context()
	if again {
		ctx = journalpg.Again(ctx)
	}
	err := j.Asking(ctx, entry)
	_, already := errors.AsType[*intune.AlreadyAskedError](err)
	_, busy := errors.AsType[*intune.DeviceBusyError](err)
	before := m.latest(entry.Device)
	switch {
	case m.keyUsed(entry.ClientRequestID):
		if !already {
			t.Fatalf("the key is used, and Asking returns %v", err)
		}
		return
	case before != nil && before.busy(again):
		if !busy {
			t.Fatalf("the device is busy, and Asking returns %v", err)
		}
		return
	case err != nil:
		t.Fatalf("the device is free, and Asking returns %v", err)
	}
	r := &modelRequest{entry: entry, waits: entry.Waits, lives: entry.Waits, hasCopy: entry.Waits, fence: 1}
	if entry.Waits {
		r.holder = j
		m.holds[j][r] = true
	}
	if before != nil {
		before.by, before.holder, before.lives, before.hasCopy = r, nil, false, false
	}
	m.requests = append(m.requests, r)
}

// named is the request that the entries of a device and a key are of.
func (m *model) named(of *modelRequest) *modelRequest {
	var found *modelRequest
	for _, r := range m.requests {
		if r.entry.Device != of.entry.Device || r.entry.ClientRequestID != of.entry.ClientRequestID {
			continue
		}
		if found == nil || found.askedNobody() || !r.askedNobody() {
			found = r
		}
	}
	return found
}

func (m *model) request(t *rapid.T) *modelRequest {
	if len(m.requests) == 0 {
		t.Skip("no request yet")
	}
	return m.named(some(t, "request", m.requests))
}

func (m *model) asked(t *rapid.T) {
	r := m.request(t)
	j := some(t, "copy", m.copies)
	outcome := rapid.SampledFrom(intune.PossibleOutcomeValues()).Draw(t, "outcome")
	if r.outcome != "" && r.outcome != intune.OutcomeUnknown {
		t.Skip("the outcome is known")
	}
	if r.session == intune.SessionReady || r.session == intune.SessionFailed {
		t.Skip("the end tells that it was accepted")
	}
	if err := j.Asked(m.f.t.Context(), asked(r.entry, outcome)); err != nil {
		t.Fatal(err)
	}
	r.outcome = outcome
	if !r.askedNobody() {
		return
	}
	r.holder, r.lives = nil, false
	delete(m.holds[j], r)
	for _, earlier := range m.requests { // what it ended was ended by the next, or is left again
		if earlier.by == r {
			earlier.by, earlier.leftAt = r.by, 0
		}
	}
	r.by = nil
}

// fate is what Ended should say of a wait, by the fence of its copy: 0 for a wait that the copy does not know.
func (r *modelRequest) mayEnd(j *journalpg.Journal, fence int) bool {
	switch {
	case r.over():
		return false
	case fence != 0:
		return r.fence == fence && (r.holder == nil || r.holder == j)
	default:
		return !r.lives || r.holder == j
	}
}

func (m *model) ended(t *rapid.T) {
	session := rapid.SampledFrom([]intune.SessionOutcome{intune.SessionReady, intune.SessionFailed, intune.SessionLeft}).Draw(t, "session")
	var r *modelRequest
	var j *journalpg.Journal
	ctx, fence := context.WithoutCancel(m.f.t.Context()), 0
	if len(m.claims) > 0 && rapid.Bool().Draw(t, "claimed") {
		c := some(t, "claim", m.claims)
		r, j, fence, ctx = c.of, c.by, c.fence, context.WithoutCancel(c.claimed.Context)
		c.ended = true
	} else {
		r, j = m.request(t), some(t, "copy", m.copies)
		if !m.holds[j][r] { // the copy may still have an earlier one of that name
			for earlier := range m.holds[j] {
				if earlier.entry.Device == r.entry.Device && earlier.entry.ClientRequestID == r.entry.ClientRequestID {
					r = earlier
					break
				}
			}
		}
		if m.holds[j][r] {
			fence = 1
		}
	}
	if r.entry.ResumeToken == "" {
		t.Skip("nobody waits")
	}
	err := j.Ended(ctx, ended(r.entry, session))
	may := r.mayEnd(j, fence) && slices.Contains(m.copies, j)
	delete(m.holds[j], r)
	if !may {
		if !errors.Is(err, intune.ErrSuperseded) {
			t.Fatalf("the wait is not its own any more, and Ended returns %v", err)
		}
		return
	}
	if err != nil {
		t.Fatalf("the wait is its own, and Ended returns %v", err)
	}
	r.session, r.holder, r.lives, r.hasCopy, r.leftAt = session, nil, false, false, r.age
}

func (m *model) claim(t *rapid.T) {
	i := rapid.IntRange(0, len(m.copies)-1).Draw(t, "copy")
	limit := rapid.IntRange(1, 3).Draw(t, "limit")
	j := m.copies[i]
	list, err := j.Claim(m.f.t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	var want []*modelRequest
	for _, r := range m.requests {
		if len(want) < limit && r.claimable() && !m.has(j, r) {
			want = append(want, r)
		}
	}
	if len(list) != len(want) {
		t.Fatalf("claimed %d waits instead of %d", len(list), len(want))
	}
	for k, r := range want {
		if got := list[k].Request; got.Asking.ClientRequestID != r.entry.ClientRequestID || got.Device() != r.entry.Device {
			t.Fatalf("claimed %v instead of %v", got, r.entry)
		}
		r.holder, r.lives, r.hasCopy, r.waits = j, true, true, true
		r.fence++
		m.claims = append(m.claims, &modelClaim{claimed: list[k], by: j, of: r, fence: r.fence})
	}
}

func (m *model) claimOne(t *rapid.T) {
	j := some(t, "copy", m.copies)
	key := some(t, "key", m.keys)
	var r *modelRequest
	for _, one := range m.requests {
		if one.entry.ClientRequestID == key && !one.askedNobody() && one.age < 24*time.Hour {
			r = one
		}
	}
	busy := false
	if r != nil {
		switch open := m.latest(r.entry.Device); open {
		case nil:
		case r:
			busy = r.lives || m.has(j, r) || !r.waits && r.session == "" && r.age < 30*time.Minute
		default:
			busy = open.busy(false)
		}
	}
	claimed, err := j.ClaimRequest(m.f.t.Context(), key)
	switch {
	case busy:
		if _, ok := errors.AsType[*intune.DeviceBusyError](err); !ok {
			t.Fatalf("the device is busy, and ClaimRequest returns %v", err)
		}
	case r == nil || r.over() || r.entry.ResumeToken == "":
		if !errors.Is(err, journalpg.ErrNotWaiting) {
			t.Fatalf("there is nothing to go on with, and ClaimRequest returns %v", err)
		}
	case err != nil:
		t.Fatalf("nobody waits, and ClaimRequest returns %v", err)
	default:
		if got := claimed.Request; got.Asking.ClientRequestID != key {
			t.Fatalf("claimed %v instead of %v", got, r.entry)
		}
		r.holder, r.lives, r.hasCopy, r.waits = j, true, true, true
		r.fence++
		m.claims = append(m.claims, &modelClaim{claimed: claimed, by: j, of: r, fence: r.fence})
	}
}

// has reports whether a copy takes a wait for its own. The clock of its lease goes on when the test ends the leases in the database.
func (m *model) has(j *journalpg.Journal, r *modelRequest) bool {
	if m.holds[j][r] {
		return true
	}
	return slices.ContainsFunc(m.claims, func(c *modelClaim) bool { return c.by == j && c.of == r && !c.ended })
}

func (m *model) die(*rapid.T) {
	m.f.exec(`UPDATE {request} SET lease_until = clock_timestamp() - interval '1 second' WHERE copy IS NOT NULL AND scope = $1`, m.scope)
	for _, r := range m.requests {
		r.lives = false
	}
}

func (m *model) close(t *rapid.T) {
	i := rapid.IntRange(0, len(m.copies)-1).Draw(t, "copy")
	j := m.copies[i]
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for _, r := range m.requests {
		if r.holder == j {
			r.holder, r.lives = nil, false
		}
	}
	delete(m.holds, j)
	m.copies[i] = m.open()
	m.holds[m.copies[i]] = map[*modelRequest]bool{}
}

func (m *model) wait(t *rapid.T) {
	d := rapid.SampledFrom([]time.Duration{3 * time.Minute, 31 * time.Minute, 10 * time.Hour}).Draw(t, "time")
	m.f.exec(`UPDATE {request} SET asking_at = asking_at - $1::bigint * interval '1 microsecond',
		busy_until = busy_until - $1::bigint * interval '1 microsecond', confirm_until = confirm_until - $1::bigint * interval '1 microsecond',
		asked_at = asked_at - $1::bigint * interval '1 microsecond', ended_at = ended_at - $1::bigint * interval '1 microsecond'
		WHERE scope = $2`, d.Microseconds(), m.scope)
	for _, r := range m.requests {
		r.age += d
	}
}

func (m *model) forget(t *rapid.T) {
	j := some(t, "copy", m.copies)
	d := rapid.SampledFrom([]time.Duration{time.Minute, time.Hour}).Draw(t, "older than")
	if err := j.Forget(m.f.t.Context(), time.Now().Add(-d)); err != nil {
		t.Fatal(err)
	}
	for _, r := range m.requests {
		if r.age > d && !r.busy(false) {
			r.forgotten, r.holder, r.lives = true, nil, false
		}
	}
}

// check compares what can be seen.
func (m *model) check(t *rapid.T) {
	i := 0
	for got, err := range m.copies[0].Requests(m.f.t.Context(), time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		want := m.requests[i]
		if got.Asking.ClientRequestID != want.entry.ClientRequestID {
			t.Fatalf("request %d is %v instead of %v", i, got, want.entry)
		}
		if want.askedNobody() {
			got.Ended.Session = ""
		}
		if said := summary(got); !want.forgotten && said != want.says() {
			t.Fatalf("the record says of request %d %q instead of %q", i, said, want.says())
		}
		i++
	}
	m.checkFound(t)
	if i != len(m.requests) {
		t.Fatalf("the record has %d requests instead of %d", i, len(m.requests))
	}
}

// checkFound compares what Find returns with the model.
func (m *model) checkFound(t *rapid.T) {
	found, err := m.copies[0].Find(m.f.t.Context(), m.keys...)
	if err != nil {
		t.Fatal(err)
	}
	byKey := map[string]journalpg.Found{}
	for _, f := range found {
		byKey[f.Request.Asking.ClientRequestID] = f
	}
	for _, key := range m.keys {
		var want *modelRequest
		for _, r := range m.requests {
			if r.entry.ClientRequestID == key && (want == nil || want.askedNobody()) {
				want = r
			}
		}
		got, ok := byKey[key]
		if ok != (want != nil) {
			t.Fatalf("whether the request is found is %t", ok)
		}
		if !ok || want.forgotten {
			continue
		}
		said := fmt.Sprintf("%v held=%t asking=%t interrupted=%t later=%t",
			got.Request.Device(), got.Held, got.Asking, got.Interrupted, got.Later)
		if says := m.found(want); said != says {
			t.Fatalf("it finds %q instead of %q", said, says)
		}
	}
}

func (m *model) found(r *modelRequest) string {
	later, after := false, false
	for _, other := range m.requests {
		later = later || after && other.entry.Device == r.entry.Device && !other.askedNobody()
		after = after || other == r
	}
	waits := !r.over() && r.entry.ResumeToken != "" && r.waits && r.age < 24*time.Hour
	interrupted := waits && !r.lives && (r.session == "" || r.hasCopy)
	held := r.lives && !r.over()
	return fmt.Sprintf("%v held=%t asking=%t interrupted=%t later=%t",
		r.entry.Device, held, held && r.outcome == "" && r.fence == 1, interrupted, later)
}

// Histories at random, compared with the table of states.
func TestJournal_Model(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	rapid.Check(t, func(t *rapid.T) {
		m := &model{
			f: f, scope: "graph.microsoft.com/" + uuid.NewString(), devices: []intune.DeviceRef{device(), device()},
			holds: map[*journalpg.Journal]map[*modelRequest]bool{},
		}
		for range 5 {
			m.keys = append(m.keys, uuid.NewString())
		}
		for range 3 {
			j := m.open()
			m.copies = append(m.copies, j)
			m.holds[j] = map[*modelRequest]bool{}
		}
		defer func() {
			for _, j := range m.copies {
				_ = j.Close()
			}
		}()
		t.Repeat(map[string]func(*rapid.T){
			"ask": m.ask, "ask again": m.ask, "asked": m.asked, "ended": m.ended, "claim": m.claim, "claim one": m.claimOne, "die": m.die,
			"close": m.close, "wait": m.wait, "forget": m.forget, "": m.check,
		})
	})
}
