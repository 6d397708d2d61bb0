package intune_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/go-intune/intune"
)

// sequence gives entries as a store does, and then the error, if there is one.
func sequence(entries []intune.JournalEntry, err error) iter.Seq2[intune.JournalEntry, error] {
	return func(yield func(intune.JournalEntry, error) bool) {
		for _, entry := range entries {
			if !yield(entry, nil) {
				return
			}
		}
		if err != nil {
			yield(intune.JournalEntry{}, err)
		}
	}
}

// idOf is the id of a request, whichever entry is missing.
func idOf(r intune.JournalRequest) string {
	return cmp.Or(r.Asking.ClientRequestID, r.Asked.ClientRequestID, r.Ended.ClientRequestID)
}

// unfinished is what a program has to look after: the requests whose outcome nobody knows, but for those before one that
// was accepted for the same device.
func unfinished(requests []intune.JournalRequest) (open []string) {
	accepted := map[string]bool{}
	for _, r := range slices.Backward(requests) {
		device := r.Device().DeviceID()
		switch {
		case r.Outcome() == intune.OutcomeAccepted:
			accepted[device] = true
		case r.Outcome() == intune.OutcomeUnknown && !accepted[device]:
			open = append(open, strings.TrimSpace(idOf(r)+" "+string(r.Asked.Outcome)))
		}
	}
	slices.Reverse(open)
	return open
}

// entriesOf writes entries: "a" is the first one of the request a for the device d1, "a@d2:accepted" the outcome of that
// for d2, "a!ready" the end of a wait for a, and "a@u/d1" is for the user address of d1.
func entriesOf(text string) (entries []intune.JournalEntry) {
	for word := range strings.FieldsSeq(text) {
		word, session, isEnded := strings.Cut(word, "!")
		word, outcome, isAsked := strings.Cut(word, ":")
		id, name, _ := strings.Cut(word, "@")
		entry := intune.JournalEntry{Device: intune.Device(cmp.Or(name, "d1")), ClientRequestID: id}
		entry.Outcome, entry.Session = intune.Outcome(outcome), intune.SessionOutcome(session)
		if user, name, found := strings.Cut(name, "/"); found {
			entry.Device = intune.UserDevice(user, name)
		}
		if !isAsked && !isEnded {
			entry.ResumeToken = "token"
		}
		entries = append(entries, entry)
	}
	return entries
}

func TestJournalRequests_Pairs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		entries    string
		want       string // all requests; "+" is one whose wait may go on, "?" one without its first entry
		unfinished string
	}{
		"none":                               {"", "", ""},
		"crashed":                            {"a", "+a unknown", "a"},
		"accepted":                           {"a a:accepted", "+a accepted", ""},
		"rejected":                           {"a a:rejected", "a rejected", ""},
		"not sent":                           {"a a:notSent", "a notSent", ""},
		"unknown":                            {"a a:unknown", "+a unknown", "a unknown"},
		"an outcome of a later version":      {"a a:postponed", "+a unknown", "a postponed"},
		"unknown, and its first entry lost":  {"a:unknown", "?a unknown", "a unknown"},
		"known, and its first entry lost":    {"a:rejected", "?a rejected", ""},
		"of another device":                  {"a a@d2:accepted", "+a unknown, ?a@d2 accepted", "a"},
		"of another address":                 {"a a@u/d1:rejected", "+a unknown, ?a rejected", "a"},
		"of another request":                 {"a b:rejected", "+a unknown, ?b rejected", "a"},
		"two at once":                        {"a b@d2 b@d2:accepted", "+a unknown, +b@d2 accepted", "a"},
		"in the order of asking":             {"b@d2 a b@d2:unknown", "+b@d2 unknown, +a unknown", "b unknown, a"},
		"accepted later":                     {"a b b:accepted", "+a unknown, +b accepted", ""},
		"accepted before":                    {"a a:accepted b", "+a accepted, +b unknown", "b"},
		"accepted while another is made":     {"a b a:accepted", "+a accepted, +b unknown", "b"},
		"both accepted":                      {"a b a:accepted b:accepted", "+a accepted, +b accepted", ""},
		"accepted, and no first entry":       {"a b@d2 c:accepted", "+a unknown, +b@d2 unknown, ?c accepted", "b"},
		"accepted later at another address":  {"a b@u/d1 b@u/d1:accepted", "+a unknown, +b accepted", ""},
		"rejected later":                     {"a b b:rejected", "+a unknown, b rejected", "a"},
		"not sent later":                     {"a a:unknown b b:notSent", "+a unknown, b notSent", "a unknown"},
		"unknown, then learned":              {"a a:unknown a:rejected", "a rejected", ""},
		"crashed, then learned":              {"a b@d2 a:accepted", "+a accepted, +b@d2 unknown", "b"},
		"lost, then learned":                 {"a:unknown a:rejected", "?a rejected", ""},
		"learned, then learned better":       {"a a:rejected a:accepted", "+a accepted", ""},
		"known, then unknown":                {"a a:accepted a:unknown", "+a accepted", ""},
		"known, then of a later version":     {"a a:rejected a:postponed", "a rejected", ""},
		"accepted twice, another between":    {"a a:accepted b a:accepted", "+a accepted, +b unknown", "b"},
		"an id used twice":                   {"a a a:rejected", "+a unknown, a rejected", "a"},
		"an id used twice, unknown at first": {"a a:unknown a a:rejected", "+a unknown, a rejected", "a unknown"},
		"an id used twice, unknown at last":  {"a a a:unknown a:rejected", "a rejected, +a unknown", "a unknown"},
		"an id used twice, learned":          {"a a:unknown a a:rejected a:notSent", "a notSent, a rejected", ""},
		"an id used twice, learned at last":  {"a a a:unknown a:unknown a:rejected", "+a unknown, a rejected", "a unknown"},
		"an id used twice, crashed at last":  {"a a:rejected a", "a rejected, +a unknown", "a"},
		"an id for two devices":              {"a a@d2 a:rejected", "a rejected, +a@d2 unknown", "a"},
		"no id":                              {"@d1 @d1:rejected @d2", "rejected, +@d2 unknown", ""},

		"ready":                                 {"a a:accepted a!ready", "a accepted ready", ""},
		"failed":                                {"a a:accepted a!failed", "a accepted failed", ""},
		"left":                                  {"a a:accepted a!left", "+a accepted left", ""},
		"superseded":                            {"a a:accepted a!superseded", "a accepted superseded", ""},
		"an end of a later version":             {"a a:accepted a!snoozed", "a accepted snoozed", ""},
		"unknown and left":                      {"a a:unknown a!left", "+a unknown left", "a unknown"},
		"left twice":                            {"a a:accepted a!left a!left", "+a accepted left", ""},
		"left, then ready":                      {"a a:accepted a!left a!ready", "a accepted ready", ""},
		"ready, then left":                      {"a a:accepted a!ready a!left", "a accepted ready", ""},
		"failed, then left":                     {"a a:accepted a!failed a!left", "a accepted failed", ""},
		"ready, then failed":                    {"a a:accepted a!ready a!failed", "a accepted ready", ""},
		"failed, then ready":                    {"a a:accepted a!failed a!ready", "a accepted failed", ""},
		"superseded, then left again":           {"a a:accepted a!superseded a!left", "+a accepted left", ""},
		"superseded, then ready":                {"a a:accepted a!superseded a!ready", "a accepted ready", ""},
		"ready, then superseded":                {"a a:accepted a!ready a!superseded", "a accepted ready", ""},
		"ready, and no outcome":                 {"a a!ready", "a accepted ready", ""},
		"failed, and no outcome":                {"a a!failed", "a accepted failed", ""},
		"left, and no outcome":                  {"a a!left", "+a unknown left", "a"},
		"superseded, and no outcome":            {"a a!superseded", "a unknown superseded", "a"},
		"ready, and the outcome is unknown":     {"a a:unknown a!ready", "a unknown ready", "a unknown"},
		"ready, then rejected":                  {"a a!ready a:rejected", "a rejected ready", ""},
		"left, then rejected":                   {"a a:unknown a!left a:rejected", "a rejected left", ""},
		"rejected and left, then accepted":      {"a a:rejected a!left a:accepted", "+a accepted left", ""},
		"nothing but an end":                    {"a!ready", "?a accepted ready", ""},
		"nothing but being left":                {"a!left", "?a unknown left", "a"},
		"left and ready, and nothing before":    {"a!left a!ready", "?a accepted ready", ""},
		"an end before its outcome":             {"a!left a:accepted", "?a accepted left", ""},
		"the end of another device":             {"a a@d2!ready", "+a unknown, ?a@d2 accepted ready", "a"},
		"the end of another address":            {"a a@u/d1!ready", "+a unknown, ?a accepted ready", ""},
		"the end of another request":            {"a b b!ready", "+a unknown, b accepted ready", ""},
		"an id used twice, one end":             {"a a a!ready", "+a unknown, a accepted ready", ""},
		"an id used twice, two ends":            {"a a a!ready a!failed", "a accepted failed, a accepted ready", ""},
		"an id used twice, three ends":          {"a a a!ready a!failed a!left", "a accepted failed, a accepted ready", ""},
		"an id used twice, rejected at last":    {"a a:accepted a a:rejected a!ready", "a accepted ready, a rejected", ""},
		"an id used twice, both rejected":       {"a a:rejected a a:rejected a!left", "a rejected, a rejected left", ""},
		"an id used twice, left and then ready": {"a a:accepted a a:accepted a!left a!ready", "+a accepted, a accepted ready", ""},
		"an id used twice, corrected": {
			"a a:accepted a a:rejected a!left a:accepted a!ready", "+a accepted left, a accepted ready", "",
		},
		"an id used three times, corrected": {
			"a a:accepted a a:rejected a!left a:accepted a a:accepted a!ready a!failed", "+a accepted left, a accepted failed, a accepted ready", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requests, err := intune.JournalRequests(sequence(entriesOf(c.entries), nil))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range requests {
				got = append(got, shortOf(r))
			}
			if text := strings.Join(got, ", "); text != c.want {
				t.Errorf("got %q, want %q", text, c.want)
			}
			if text := strings.Join(unfinished(requests), ", "); text != c.unfinished {
				t.Errorf("unfinished are %q, want %q", text, c.unfinished)
			}
		})
	}
}

// shortOf is a request in a few words.
func shortOf(r intune.JournalRequest) string {
	text := idOf(r)
	if device := r.Device().DeviceID(); device != "d1" {
		text += "@" + device
	}
	text = strings.TrimSpace(strings.TrimSpace(text+" "+string(r.Outcome())) + " " + string(r.Ended.Session))
	switch {
	case r.Asking.Device.IsZero():
		return "?" + text
	case r.Waiting():
		return "+" + text
	default:
		return text
	}
}

// endedEntry ends a wait for the request of askingEntry.
var endedEntry = intune.JournalEntry{
	Time: time.Date(2026, 3, 4, 5, 7, 8, 0, time.UTC), Device: askingEntry.Device, ClientRequestID: askingEntry.ClientRequestID,
	Session: intune.SessionFailed, RequestID: "r2", Error: "the device is offline",
}

func TestJournalRequests_KeepsTheEntries(t *testing.T) {
	t.Parallel()
	requests, err := intune.JournalRequests(sequence([]intune.JournalEntry{askingEntry, askedEntry, endedEntry}, nil))
	if err != nil || len(requests) != 1 {
		t.Fatalf("got %+v, error %v", requests, err)
	}
	if got, want := requests[0], (intune.JournalRequest{Asking: askingEntry, Asked: askedEntry, Ended: endedEntry}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// What cannot be read may be one more request, so that the others are no answer.
func TestJournalRequests_Damage(t *testing.T) {
	t.Parallel()
	damage := errors.New("line 2 is damaged")
	for _, before := range [][]intune.JournalEntry{nil, {askingEntry}, {askingEntry, askedEntry}} {
		damaged := func(yield func(intune.JournalEntry, error) bool) {
			for entry, err := range sequence(before, damage) {
				if !yield(entry, err) {
					return
				}
			}
			t.Error("entries are read after the damage")
		}
		if requests, err := intune.JournalRequests(damaged); !errors.Is(err, damage) || requests != nil {
			t.Errorf("after %d entries: got %+v, error %v", len(before), requests, err)
		}
	}
}

// Entries that an earlier version wrote belong to those of this one.
func TestJournalRequests_OldEntriesInUpperCase(t *testing.T) {
	t.Parallel()
	const asking = `{"time":"2026-03-04T05:06:07Z","device":"/deviceManagement/managedDevices/` + upperGUID +
		`","clientRequestId":"id","resumeToken":"t"}`
	var entry intune.JournalEntry
	if err := json.Unmarshal([]byte(asking), &entry); err != nil {
		t.Fatal(err)
	}
	asked := intune.JournalEntry{Device: intune.Device(lowerGUID), ClientRequestID: "id", Outcome: intune.OutcomeAccepted}
	requests, err := intune.JournalRequests(sequence([]intune.JournalEntry{entry, asked}, nil))
	if err != nil || len(requests) != 1 {
		t.Fatalf("got %v, error %v", requests, err)
	}
	if r := requests[0]; r.Device() != intune.Device(lowerGUID) || r.Outcome() != intune.OutcomeAccepted {
		t.Errorf("got %v", r)
	}
}

func TestJournalRequests_NoEntries(t *testing.T) {
	t.Parallel()
	if _, err := intune.JournalRequests(nil); !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), "entries is nil") {
		t.Errorf("got %v", err)
	}
}

// history is a random journal: what each of some requests writes, in any order of requests, until a crash.
type history struct {
	entries []intune.JournalEntry
	by      []int // the request that wrote each entry
}

var (
	entryOutcomes = append(intune.PossibleOutcomeValues(), "postponed")
	entrySessions = append(intune.PossibleSessionOutcomeValues(), "snoozed")
)

// historyOf draws a history. Without repeats, no two requests have the same id.
func historyOf(t *rapid.T, repeats bool) (h history) {
	var scripts [][]intune.JournalEntry
	devices := []intune.DeviceRef{intune.Device("d1"), intune.Device("d2"), intune.UserDevice("u", "d1")}
	for n := range rapid.IntRange(0, 8).Draw(t, "requests") {
		entry := intune.JournalEntry{Device: rapid.SampledFrom(devices).Draw(t, "device"), ClientRequestID: strconv.Itoa(n)}
		if repeats {
			entry.ClientRequestID = rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "id")
		}
		// Outcomes after the first one are those that the program learned later, and ends those of several waits.
		script := make([]intune.JournalEntry, rapid.IntRange(1, 5).Draw(t, "entries"))
		for i := range script {
			script[i] = entry
			script[i].RequestID = strconv.Itoa(n) + "-" + strconv.Itoa(i) // tells the entry from all others
			if rapid.Bool().Draw(t, "token") {
				script[i].ResumeToken = "token-" + script[i].RequestID
			}
			switch {
			case i == 0:
			case rapid.Bool().Draw(t, "ends"):
				script[i].Session = rapid.SampledFrom(entrySessions).Draw(t, "session")
			default:
				script[i].Outcome = rapid.SampledFrom(entryOutcomes).Draw(t, "outcome")
			}
		}
		scripts = append(scripts, script)
	}
	for at := make([]int, len(scripts)); ; {
		var left []int
		for n := range scripts {
			if at[n] < len(scripts[n]) {
				left = append(left, n)
			}
		}
		if len(left) == 0 {
			break
		}
		n := rapid.SampledFrom(left).Draw(t, "next")
		h.entries, h.by = append(h.entries, scripts[n][at[n]]), append(h.by, n)
		at[n]++
	}
	begin := rapid.IntRange(0, len(h.entries)).Draw(t, "entries in an older file")
	if rapid.Bool().Draw(t, "no older file") {
		begin = 0
	}
	end := rapid.IntRange(begin, len(h.entries)).Draw(t, "entries before the crash")
	return history{h.entries[begin:end], h.by[begin:end]}
}

// told is the model of a request: all its entries.
type told struct {
	asking []intune.JournalEntry // one or none
	asked  []intune.JournalEntry
	ended  []intune.JournalEntry
}

func (m *told) take(entry intune.JournalEntry) {
	switch {
	case entry.Outcome != "":
		m.asked = append(m.asked, entry)
	case entry.Session != "":
		m.ended = append(m.ended, entry)
	default:
		m.asking = append(m.asking, entry)
	}
}

// of reports whether an entry is of a request with the same id and device.
func (m *told) of(entry intune.JournalEntry) bool {
	first := slices.Concat(m.asking, m.asked, m.ended)[0]
	return first.ClientRequestID == entry.ClientRequestID && first.Device == entry.Device
}

func isKnown(entry intune.JournalEntry) bool {
	return entry.Outcome != intune.OutcomeUnknown && slices.Contains(intune.PossibleOutcomeValues(), entry.Outcome)
}

// hasLink reports whether a wait saw what became of the request.
func hasLink(entry intune.JournalEntry) bool {
	return entry.Session == intune.SessionReady || entry.Session == intune.SessionFailed
}

// latestAsked is the latest entry that knows the outcome, or else the latest.
func (m *told) latestAsked() (latest intune.JournalEntry) {
	for _, entry := range m.asked {
		if isKnown(entry) || !isKnown(latest) {
			latest = entry
		}
	}
	return latest
}

func (m *told) outcome() intune.Outcome {
	switch latest := m.latestAsked(); {
	case isKnown(latest):
		return latest.Outcome
	case len(m.asked) == 0 && slices.ContainsFunc(m.ended, hasLink):
		return intune.OutcomeAccepted
	default:
		return intune.OutcomeUnknown
	}
}

// end is the first end that says what became of the session, or else the latest.
func (m *told) end() (end intune.JournalEntry) {
	if i := slices.IndexFunc(m.ended, hasLink); i >= 0 {
		return m.ended[i]
	}
	if len(m.ended) > 0 {
		end = m.ended[len(m.ended)-1]
	}
	return end
}

// mayWait reports whether a wait may go on, if there is a token.
func (m *told) mayWait() bool {
	outcomes := []intune.Outcome{intune.OutcomeAccepted, intune.OutcomeUnknown}
	sessions := []intune.SessionOutcome{"", intune.SessionLeft}
	return slices.Contains(outcomes, m.outcome()) && slices.Contains(sessions, m.end().Session)
}

// compare says what of a request is not as its entries tell.
func (m *told) compare(t *rapid.T, got intune.JournalRequest) {
	t.Helper()
	token := ""
	for _, entry := range slices.Concat(m.asking, m.asked) {
		token = cmp.Or(entry.ResumeToken, token)
	}
	asking := intune.JournalEntry{}
	if len(m.asking) > 0 {
		asking = m.asking[0]
	}
	if got.Asking != asking {
		t.Errorf("Asking is %+v, want %+v", got.Asking, asking)
	}
	if latest := m.latestAsked(); got.Asked.RequestID != latest.RequestID {
		t.Errorf("Asked is %+v, want %+v", got.Asked, latest)
	}
	if end := m.end(); got.Ended != end {
		t.Errorf("Ended is %+v, want %+v", got.Ended, end)
	}
	if outcome := m.outcome(); got.Outcome() != outcome {
		t.Errorf("the outcome is %q, want %q", got.Outcome(), outcome)
	}
	if got.ResumeToken() != token {
		t.Errorf("the token is %q, want %q", got.ResumeToken(), token)
	}
	if want := m.mayWait() && token != ""; got.Waiting() != want {
		t.Errorf("Waiting is %t with %+v", got.Waiting(), got)
	}
}

func compareAll(t *rapid.T, got []intune.JournalRequest, want []*told) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d requests, want %d: %+v", len(got), len(want), got)
	}
	for i := range want {
		want[i].compare(t, got[i])
	}
}

// With ids of their own, each request is told what it wrote, whatever came between, was lost, or was never written.
func TestJournalRequests_OfRandomHistories(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := historyOf(t, false)
		var want []*told
		of := map[int]*told{}
		for i, entry := range h.entries {
			if of[h.by[i]] == nil {
				of[h.by[i]] = &told{}
				want = append(want, of[h.by[i]])
			}
			of[h.by[i]].take(entry)
		}
		got, err := intune.JournalRequests(sequence(h.entries, nil))
		if err != nil {
			t.Fatal(err)
		}
		compareAll(t, got, want)
	})
}

// Repeated ids are paired as the documentation says.
func TestJournalRequests_OfRepeatedIDs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := historyOf(t, true)
		var want []*told
		for _, entry := range h.entries {
			var without, unsure, waits, latest *told
			for _, m := range want {
				if !m.of(entry) {
					continue
				}
				latest = m
				if m.mayWait() {
					waits = m
				}
				if len(m.asked) == 0 {
					without = m
				}
				if !slices.ContainsFunc(m.asked, isKnown) {
					unsure = m
				}
			}
			var own *told
			switch {
			case entry.Outcome != "":
				own = cmp.Or(without, unsure, latest)
			case entry.Session != "":
				own = cmp.Or(waits, latest)
			}
			if own == nil {
				own = &told{}
				want = append(want, own)
			}
			own.take(entry)
		}
		got, err := intune.JournalRequests(sequence(h.entries, nil))
		if err != nil {
			t.Fatal(err)
		}
		compareAll(t, got, want)
		damage := errors.New("damage")
		readable := rapid.IntRange(0, len(h.entries)).Draw(t, "entries before the damage")
		if got, err := intune.JournalRequests(sequence(h.entries[:readable], damage)); got != nil || !errors.Is(err, damage) {
			t.Errorf("of a damaged journal: %+v, error %v", got, err)
		}
	})
}

func TestJournalRequest_ResumeToken(t *testing.T) {
	t.Parallel()
	before, after, learned := askingEntry, askedEntry, askedEntry
	before.ResumeToken, after.ResumeToken, learned.ResumeToken = "old", "new", ""
	after.Outcome, learned.Outcome = intune.OutcomeUnknown, intune.OutcomeAccepted
	for name, c := range map[string]struct {
		entries []intune.JournalEntry
		want    string
	}{
		"of Asking":            {[]intune.JournalEntry{before}, "old"},
		"of Asked":             {[]intune.JournalEntry{before, after}, "new"},
		"of Asked, then known": {[]intune.JournalEntry{before, after, learned}, "new"},
		"not of Asked":         {[]intune.JournalEntry{before, learned}, "old"},
		"known, then newer":    {[]intune.JournalEntry{before, learned, after}, "new"},
		"of Asked only":        {[]intune.JournalEntry{after}, "new"},
		"none":                 {[]intune.JournalEntry{learned}, ""},
	} {
		requests, err := intune.JournalRequests(sequence(c.entries, nil))
		if err != nil || len(requests) != 1 {
			t.Fatalf("%s: got %+v, error %v", name, requests, err)
		}
		if got := requests[0].ResumeToken(); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestJournalRequest_Zero(t *testing.T) {
	t.Parallel()
	var none intune.JournalRequest
	if none.Outcome() != intune.OutcomeUnknown {
		t.Errorf("the outcome is %q", none.Outcome())
	}
	if none.Waiting() {
		t.Error("it waits")
	}
	if text, err := json.Marshal(none); err != nil || string(text) != "{}" {
		t.Errorf("as JSON: %s, %v", text, err)
	}
}

// A log shows a request without the resume token and the user.
func TestJournalRequest_LogValue(t *testing.T) {
	t.Parallel()
	const device, at = `request.device="device 1 (user address)" `, " request.requested_at=2026-03-04T05:06:07.000Z\n"
	const crashed = device + `request.outcome=unknown request.waiting=true request.reference="ticket 1" request.actor=bert ` +
		"request.client_request_id=id-1" + at
	referring := askingEntry
	referring.Reference = "ticket 1"
	const rejected = device + `request.outcome=rejected request.waiting=false request.error="not allowed <&>" request.actor=bert ` +
		"request.request_id=r1 request.client_request_id=id-1"
	const failed = device + `request.outcome=accepted request.waiting=false request.session=failed request.error="the device is offline" ` +
		"request.actor=bert request.request_id=r2 request.client_request_id=id-1"
	const onlyEnd = device + `request.outcome=accepted request.waiting=false request.session=failed request.error="the device is offline" ` +
		"request.request_id=r2 request.client_request_id=id-1\n"
	for name, c := range map[string]struct {
		request intune.JournalRequest
		want    string
	}{
		"crashed":          {intune.JournalRequest{Asking: referring}, crashed},
		"rejected":         {intune.JournalRequest{Asking: askingEntry, Asked: askedEntry}, rejected + at},
		"failed":           {intune.JournalRequest{Asking: askingEntry, Ended: endedEntry}, failed + at},
		"only an end":      {intune.JournalRequest{Ended: endedEntry}, onlyEnd},
		"first entry lost": {intune.JournalRequest{Asked: askedEntry}, rejected + "\n"},
	} {
		var b strings.Builder
		slog.New(slog.NewTextHandler(&b, nil)).Info("x", "request", c.request)
		if _, got, _ := strings.Cut(b.String(), "msg=x "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// BenchmarkJournalRequests puts 100,000 entries together, whose ids differ as the library's do, or are all the same.
func BenchmarkJournalRequests(b *testing.B) {
	const entries = 100_000
	var differ, same []intune.JournalEntry
	for i := range entries / 2 {
		entry := intune.JournalEntry{Device: intune.Device(benchmarkDevice), ClientRequestID: strconv.Itoa(i)}
		asked := entry
		asked.Outcome = intune.OutcomeAccepted
		differ = append(differ, entry, asked)
	}
	for _, entry := range []intune.JournalEntry{
		{}, {Outcome: intune.OutcomeUnknown}, {Session: intune.SessionLeft}, {Outcome: intune.OutcomeAccepted}, {Session: intune.SessionReady},
	} {
		entry.Device = intune.Device(benchmarkDevice)
		same = append(same, slices.Repeat([]intune.JournalEntry{entry}, entries/5)...)
	}
	for name, history := range map[string][]intune.JournalEntry{"differ": differ, "same": same} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := intune.JournalRequests(sequence(history, nil)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// busy is a refusal whose every member is set.
var busy = intune.DeviceBusyError{
	Device: intune.UserDevice("anna@contoso.com", "1"), Actor: "bert", Reference: "ticket 4711",
	Since:  time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
	FreeAt: time.Date(2026, 3, 4, 6, 36, 7, 0, time.FixedZone("CET", 3600)),
}

// One line, in any form, and nothing of the user of the address.
func TestDeviceBusyError_InWords(t *testing.T) {
	t.Parallel()
	const begin, advice = "remote assistance on device 1 (user address) is being requested or waited for already",
		": nobody was asked; agree with them, or ask again when their wait has ended"
	with := func(change func(*intune.DeviceBusyError)) *intune.DeviceBusyError {
		err := busy
		change(&err)
		return &err
	}
	for name, c := range map[string]struct {
		err  *intune.DeviceBusyError
		text string
		log  string // after the device
	}{
		"whole": {
			&busy, begin + " by bert (ticket 4711) since 2026-03-04T05:06:07Z" + advice + ", at the latest after 2026-03-04T05:36:07Z",
			`,"actor":"bert","reference":"ticket 4711","since":"2026-03-04T05:06:07Z","free_at":"2026-03-04T06:36:07+01:00"`,
		},
		"only the device": {&intune.DeviceBusyError{Device: busy.Device}, begin + advice, ""},
		"control characters": {
			with(func(e *intune.DeviceBusyError) {
				e.Actor, e.Reference, e.FreeAt = "be\x1b[2Jrt\n", "ticket\r\n\x004711\u202e", time.Time{}
			}),
			begin + " by be [2Jrt (ticket 4711) since 2026-03-04T05:06:07Z" + advice,
			`,"actor":"be\u001b[2Jrt\n","reference":"ticket\r\n\u00004711` + "\u202e" + `","since":"2026-03-04T05:06:07Z"`,
		},
		"long": {
			with(func(e *intune.DeviceBusyError) {
				e.Actor, e.Reference, e.FreeAt = strings.Repeat("é", 101), strings.Repeat("x", 201), time.Time{}
			}),
			begin + " by " + strings.Repeat("é", 100) + "… (" + strings.Repeat("x", 200) + "…) since 2026-03-04T05:06:07Z" + advice,
			`,"actor":"` + strings.Repeat("é", 101) + `","reference":"` + strings.Repeat("x", 201) + `","since":"2026-03-04T05:06:07Z"`,
		},
	} {
		if got := c.err.Error(); got != c.text {
			t.Errorf("%s: %s, want %s", name, got, c.text)
		}
		if got := inJSON(c.err); got != `{"device":"device 1 (user address)"`+c.log+"}" {
			t.Errorf("%s: as JSON %s, want %s", name, got, c.log)
		}
		expectNoSecret(t, name, c.err)
	}
}

// The earlier request tells how to go on, and its token stays in the field.
func TestAlreadyAskedError_InWords(t *testing.T) {
	t.Parallel()
	asking, accepted, rejected, ready := askingEntry, askedEntry, askedEntry, endedEntry
	asking.ResumeToken, asking.Actor, asking.Reference = "token-of-asking", "be\x1b[2Jrt\n", "ticket\r\n4711"
	accepted.Outcome, accepted.ResumeToken, accepted.Error, ready.Session = intune.OutcomeAccepted, "token-of-asked", "", intune.SessionReady
	const begin, wait, anew = "remote assistance on device 1 (user address): the client-request-id id-1 was used before",
		"nobody was asked again; go on with WaitForRemoteAssistance and the request's ResumeToken, or use a new id to ask anew",
		"nobody was asked again; use a new id to ask anew"
	const at = ", at 2026-03-04T05:06:07Z"
	late := intune.JournalEntry{Device: asking.Device, ClientRequestID: "id-1", Outcome: "post\nponed"}
	odd := intune.JournalEntry{Device: asking.Device, ClientRequestID: "id\x1b\n-1"}
	for name, c := range map[string]struct {
		request intune.JournalRequest
		text    string
	}{
		"waits":                {intune.JournalRequest{Asking: asking, Asked: accepted}, begin + at + " (accepted): " + wait},
		"crashed":              {intune.JournalRequest{Asking: asking}, begin + at + " (unknown): " + wait},
		"ended":                {intune.JournalRequest{Asking: asking, Asked: accepted, Ended: ready}, begin + at + " (accepted): " + anew},
		"rejected":             {intune.JournalRequest{Asking: asking, Asked: rejected}, begin + at + " (rejected): " + anew},
		"no entry from before": {intune.JournalRequest{Asked: accepted}, begin + " (accepted): " + wait},
		"nothing but its end":  {intune.JournalRequest{Ended: ready}, begin + " (accepted): " + anew},
		"of a later version":   {intune.JournalRequest{Asked: late}, begin + " (unknown): " + anew},
		"control characters":   {intune.JournalRequest{Asking: odd}, strings.Replace(begin, "id-1", "id -1", 1) + " (unknown): " + anew},
	} {
		err := &intune.AlreadyAskedError{Request: c.request}
		if got := err.Error(); got != c.text {
			t.Errorf("%s: %s, want %s", name, got, c.text)
		}
		if got, want := inJSON(err), inJSON(c.request); got != want {
			t.Errorf("%s: as JSON %s, want %s", name, got, want)
		}
		expectNoSecret(t, name, err)
	}
}

// expectNoSecret looks in all forms of an error for a resume token, the user of an address, and more than one line.
func expectNoSecret(tb testing.TB, name string, err error) {
	tb.Helper()
	for form, text := range map[string]string{
		"%v": fmt.Sprintf("%v", err), "%+v": fmt.Sprintf("%+v", err), "%#v": fmt.Sprintf("%#v", err), "%q": fmt.Sprintf("%q", err),
		"wrapped": fmt.Errorf("wrapped: %w", err).Error(), "JSON": inJSON(err), "text": logged(err), "joined": errors.Join(err, nil).Error(),
	} {
		for _, secret := range []string{"token-of-", "anna", "\n", "\r", "\x00", "\x1b"} {
			if strings.Contains(text, secret) {
				tb.Errorf("%s: %q is in %s: %s", name, secret, form, text)
			}
		}
	}
}

// inJSON is a value in a log of JSON.
func inJSON(value any) string {
	var b strings.Builder
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "value", value)
	_, text, _ := strings.Cut(b.String(), `"value":`)
	return strings.TrimSuffix(text, "}\n")
}
