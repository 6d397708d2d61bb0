package journalpg_test

import (
	"testing"
	"time"

	"github.com/go-intune/intune"

	"github.com/go-intune/intune/journalpg"
)

// The table of states: whether the device is busy, whether the wait can be claimed, and what the record says.
func TestJournal_States(t *testing.T) {
	t.Parallel()
	const (
		accepted = intune.OutcomeAccepted
		unknown  = intune.OutcomeUnknown
		ready    = intune.SessionReady
		left     = intune.SessionLeft
	)
	type copyOf struct {
		f *fixture
		j *journalpg.Journal
	}
	dies := func(c copyOf, _ intune.JournalEntry) { c.f.die() }
	later := func(d time.Duration) func(copyOf, intune.JournalEntry) {
		return func(c copyOf, _ intune.JournalEntry) { c.f.age(d) }
	}
	outcome := func(o intune.Outcome) func(copyOf, intune.JournalEntry) {
		return func(c copyOf, e intune.JournalEntry) { must(c.f.t, c.j.Asked(c.f.t.Context(), asked(e, o))) }
	}
	session := func(o intune.SessionOutcome) func(copyOf, intune.JournalEntry) {
		return func(c copyOf, e intune.JournalEntry) { must(c.f.t, c.j.Ended(c.f.t.Context(), ended(e, o))) }
	}
	poller := func(e intune.JournalEntry) intune.JournalEntry {
		e.Waits = false
		return e
	}
	many := func(e intune.JournalEntry) intune.JournalEntry {
		e.Waits, e.ResumeToken = false, ""
		return e
	}
	type steps []func(copyOf, intune.JournalEntry)
	for name, c := range map[string]struct {
		entry           func(intune.JournalEntry) intune.JournalEntry
		steps           steps
		busy, claimable bool
		says            string
	}{
		"asking":                       {nil, nil, true, false, "unknown  waiting=true"},
		"asking, copy died":            {nil, steps{dies}, true, true, "unknown  waiting=true"},
		"asking, lapsed":               {nil, steps{dies, later(31 * time.Minute)}, false, true, "unknown  waiting=true"},
		"asking, lapsed, copy lives":   {nil, steps{later(31 * time.Minute)}, true, false, "unknown  waiting=true"},
		"waiting":                      {nil, steps{outcome(accepted)}, true, false, "accepted  waiting=true"},
		"waiting for a day, copy died": {nil, steps{outcome(accepted), dies, later(25 * time.Hour)}, false, false, "accepted  waiting=true"},
		"waiting, copy died":           {nil, steps{outcome(accepted), dies}, false, true, "accepted  waiting=true"},
		"waiting unsure":               {nil, steps{outcome(unknown)}, true, false, "unknown  waiting=true"},
		"waiting unsure, copy died":    {nil, steps{outcome(unknown), dies, later(3 * time.Minute)}, false, true, "unknown  waiting=true"},
		"left":                         {nil, steps{outcome(accepted), session(left)}, false, true, "accepted left waiting=true"},
		"left early without a sign":    {nil, steps{outcome(unknown), session(left)}, false, true, "unknown left waiting=true"},
		"left early without a sign, later": {
			nil,
			steps{outcome(unknown), session(left), later(3 * time.Minute)},
			false, true,
			"unknown left waiting=true",
		},
		"left without a sign": {
			nil,
			steps{outcome(unknown), later(3 * time.Minute), session(left)},
			false, false,
			"unknown left waiting=true",
		},
		"left, outcome never came": {nil, steps{session(left)}, true, true, "unknown left waiting=true"},
		"ready":                    {nil, steps{outcome(accepted), session(ready)}, false, false, "accepted ready waiting=false"},
		"failed": {
			nil,
			steps{outcome(accepted), session(intune.SessionFailed)},
			false, false,
			"accepted failed waiting=false",
		},
		"ready, outcome never came":     {nil, steps{session(ready)}, false, false, "accepted ready waiting=false"},
		"rejected":                      {nil, steps{outcome(intune.OutcomeRejected)}, false, false, "rejected  waiting=false"},
		"not sent":                      {nil, steps{outcome(intune.OutcomeNotSent)}, false, false, "notSent  waiting=false"},
		"without a wait, asking":        {many, nil, true, false, "unknown  waiting=false"},
		"without a wait":                {many, steps{outcome(accepted)}, true, false, "accepted  waiting=false"},
		"without a wait, lapsed":        {many, steps{outcome(accepted), later(31 * time.Minute)}, false, false, "accepted  waiting=false"},
		"without a wait, asking lapsed": {many, steps{later(31 * time.Minute)}, false, false, "unknown  waiting=false"},
		"poller":                        {poller, steps{outcome(accepted)}, true, false, "accepted  waiting=true"},
		"poller, lapsed":                {poller, steps{outcome(accepted), later(31 * time.Minute)}, false, true, "accepted  waiting=true"},
		"poller, ready":                 {poller, steps{outcome(accepted), session(ready)}, false, false, "accepted ready waiting=false"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			of := copyOf{f, f.journal()}
			entry := asking(device())
			if c.entry != nil {
				entry = c.entry(entry)
			}
			must(t, of.j.Asking(t.Context(), entry))
			for _, step := range c.steps {
				step(of, entry)
			}
			other := f.journal()
			list := requests(t, other)
			if len(list) != 1 {
				t.Fatalf("the record has %d requests", len(list))
			}
			if got := summary(list[0]); got != c.says {
				t.Errorf("the record says %q instead of %q", got, c.says)
			}
			second := asking(entry.Device)
			err := other.Asking(t.Context(), second)
			if c.busy {
				wantBusy(t, err)
			} else {
				must(t, err)
			}
			if !c.claimable {
				wantNoClaim(t, other)
				return
			}
			if !c.busy { // the new request has ended it
				wantNoClaim(t, other)
				must(t, other.Asked(t.Context(), asked(second, intune.OutcomeRejected))) // and it is left again
			}
			claimed := claimOne(t, other)
			if got := claimed.Request.ResumeToken(); got != entry.ResumeToken {
				t.Errorf("the token is %q", got)
			}
			wantBusy(t, f.journal().Asking(t.Context(), asking(entry.Device)))
		})
	}
}

// What a request has ended that then asks nobody is left again.
func TestJournal_SupersededIsLeftAgain(t *testing.T) {
	t.Parallel()
	for _, outcome := range []intune.Outcome{intune.OutcomeRejected, intune.OutcomeNotSent, intune.OutcomeAccepted} {
		f := newFixture(t)
		j := f.journal()
		first := ask(t, j, device())
		must(t, j.Ended(t.Context(), ended(first, intune.SessionLeft)))
		second := asking(first.Device)
		must(t, j.Asking(t.Context(), second))
		list := requests(t, j)
		if got := summary(list[0]); got != "accepted superseded waiting=false" {
			t.Errorf("after Asking the record says %q", got)
		}
		wantSuperseded(t, j.Ended(t.Context(), ended(first, intune.SessionReady)))
		must(t, j.Asked(t.Context(), asked(second, outcome)))
		want := "accepted left waiting=true"
		if outcome == intune.OutcomeAccepted {
			want = "accepted superseded waiting=false"
		}
		list = requests(t, j)
		if got := summary(list[0]); got != want {
			t.Errorf("%s: the record says %q instead of %q", outcome, got, want)
		}
	}
}

// What is read is what was written, but for the time.
func TestJournalRequests_AreWhatWasWritten(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal()
	entry := asking(intune.UserDevice("kim@example.com", "0A1b2c3d-0000-4000-8000-000000000001"))
	entry.Reference = "INC-1 <&> ü \u2028"
	must(t, j.Asking(t.Context(), entry))
	of := asked(entry, intune.OutcomeUnknown)
	of.StatusCode, of.RequestID, of.Error, of.CallerID, of.AppID, of.TenantID = 504, "r", "no answer", "c", "a", "t"
	must(t, j.Asked(t.Context(), of))
	end := ended(entry, intune.SessionFailed)
	end.Error = "the user declined"
	must(t, j.Ended(t.Context(), end))
	got := requests(t, j)[0]
	for name, at := range map[string]*time.Time{"Asking": &got.Asking.Time, "Asked": &got.Asked.Time, "Ended": &got.Ended.Time} {
		if age := time.Since(*at).Abs(); age > time.Minute {
			t.Errorf("%s: the time is off by %v", name, age)
		}
		if at.Location() != time.UTC {
			t.Errorf("%s: the time is not in UTC", name)
		}
	}
	got.Asking.Time, got.Asked.Time, got.Ended.Time = entry.Time, of.Time, end.Time
	if want := (intune.JournalRequest{Asking: entry, Asked: of, Ended: end}); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// A program that learns what became of a request says so later, to any copy.
func TestJournalAsked_Corrects(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal()
	entry := bare(device())
	must(t, j.Asking(t.Context(), entry))
	must(t, j.Asked(t.Context(), asked(entry, intune.OutcomeUnknown)))
	must(t, f.journal().Asked(t.Context(), asked(entry, intune.OutcomeRejected)))
	must(t, j.Asked(t.Context(), asked(entry, intune.OutcomeUnknown))) // knows less
	if got := requests(t, j)[0].Outcome(); got != intune.OutcomeRejected {
		t.Errorf("the outcome is %s", got)
	}
	must(t, j.Asking(t.Context(), entry)) // the key and the device are free
}

// Entries whose request began elsewhere are kept too.
func TestJournal_EntriesAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal()
	first, second := asking(device()), asking(device())
	must(t, j.Asked(t.Context(), asked(first, intune.OutcomeAccepted)))
	must(t, j.Ended(t.Context(), ended(second, intune.SessionReady)))
	list := requests(t, j)
	if len(list) != 2 {
		t.Fatalf("the record has %d requests", len(list))
	}
	if got := list[0].Asked.Outcome; got != intune.OutcomeAccepted {
		t.Errorf("the first outcome is %q", got)
	}
	if got := list[1].Ended.Session; got != intune.SessionReady {
		t.Errorf("the second end is %q", got)
	}
	must(t, j.Asking(t.Context(), asking(first.Device)))
	must(t, j.Ended(t.Context(), ended(first, intune.SessionReady)))
	if got := len(requests(t, j)); got != 3 {
		t.Errorf("the record has %d requests", got)
	}
}
