package journalpg_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/jackc/pgx/v5"

	"github.com/go-intune/intune/journalpg"
)

// find is what Find says of one request.
func find(t *testing.T, j *journalpg.Journal, clientRequestID string) journalpg.Found {
	t.Helper()
	list, err := j.Find(t.Context(), clientRequestID)
	must(t, err)
	if len(list) != 1 {
		t.Fatalf("it finds %d requests", len(list))
	}
	return list[0]
}

// Each change of a request has a higher number than all before it; a renewal of its lease is none.
func TestJournalFind_Change(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j, other := f.journal(lease(shortLease)), f.journal()
	entry := asking(device())
	var last int64
	step := func(name string, change func() error) {
		t.Helper()
		must(t, change())
		if got := find(t, other, entry.ClientRequestID).Change; got <= last {
			t.Errorf("after %s the number is %d, and it was %d", name, got, last)
		} else {
			last = got
		}
	}
	step("Asking", func() error { return j.Asking(t.Context(), entry) })
	step("Asked", func() error { return j.Asked(t.Context(), asked(entry, intune.OutcomeAccepted)) })
	until := f.count(`SELECT (extract(epoch FROM lease_until) * 1000)::bigint FROM {request}`)
	eventually(t, func() bool {
		return f.count(`SELECT (extract(epoch FROM lease_until) * 1000)::bigint FROM {request}`) > until
	})
	if got := find(t, other, entry.ClientRequestID).Change; got != last {
		t.Errorf("after a renewal the number is %d, and it was %d", got, last)
	}
	f.die()
	step("a renewal of a lease that had lapsed", func() error {
		eventually(t, func() bool { return find(t, other, entry.ClientRequestID).Held })
		return nil
	})
	step("Ended", func() error { return j.Ended(t.Context(), ended(entry, intune.SessionLeft)) })
	var claimed journalpg.Claimed
	step("ClaimRequest", func() (err error) {
		claimed, err = j.ClaimRequest(t.Context(), entry.ClientRequestID)
		return err
	})
	step("Close", j.Close)
	step("another ClaimRequest", func() (err error) {
		claimed, err = other.ClaimRequest(t.Context(), entry.ClientRequestID)
		return err
	})
	step("ready", func() error { return other.Ended(claimed.Context, ended(entry, intune.SessionReady)) })
	next := asking(entry.Device)
	step("the next Asking", func() error { return other.Asking(t.Context(), next) })
	if !find(t, other, entry.ClientRequestID).Later {
		t.Error("nobody asked later")
	}
	step("its rejection", func() error { return other.Asked(t.Context(), asked(next, intune.OutcomeRejected)) })
	if find(t, other, entry.ClientRequestID).Later {
		t.Error("somebody asked later")
	}
	step("Forget", func() error { return other.Forget(t.Context(), time.Now().Add(time.Hour)) })
	list, err := other.Find(t.Context(), `"`, `\`, "\x00", "", "nobody's,{}")
	must(t, err)
	if len(list) != 0 {
		t.Errorf("it finds %v", list)
	}
}

// What changes is announced, also where another request is the cause.
func TestJournal_Announces(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	conn, err := pgx.Connect(t.Context(), server(t))
	must(t, err)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	_, err = conn.Exec(t.Context(), `LISTEN `+f.schema)
	must(t, err)
	j := f.journal()
	hears := func(name string, entries ...intune.JournalEntry) {
		t.Helper()
		var want, got []string
		for _, entry := range entries {
			want = append(want, strconv.Itoa(f.count(`SELECT id FROM {request} WHERE client_request_id = $1`, entry.ClientRequestID)))
		}
		_, err := f.db.ExecContext(t.Context(), `SELECT pg_notify($1, 'end')`, f.schema)
		must(t, err)
		for {
			heard, err := conn.WaitForNotification(t.Context())
			must(t, err)
			if heard.Payload == "end" {
				break
			}
			got = append(got, heard.Payload)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(slices.Compact(got), want) {
			t.Errorf("%s announces %v instead of %v", name, got, want)
		}
	}
	first := ask(t, j, device())
	hears("a request", first)
	must(t, j.Ended(t.Context(), ended(first, intune.SessionLeft)))
	hears("its end", first)
	second := asking(first.Device)
	must(t, j.Asking(t.Context(), second))
	hears("the next request", first, second)
	wantBusy(t, j.Asking(t.Context(), asking(first.Device)))
	hears("what is refused")
	must(t, j.Asked(t.Context(), asked(second, intune.OutcomeNotSent)))
	hears("its rejection", first, second)
}

// A wait is interrupted if its copy died or was closed, and not if it was left.
func TestJournalInterrupted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j, other := f.journal(), f.journal()
	want := func(name string, entries ...intune.JournalEntry) {
		t.Helper()
		list, err := other.Interrupted(t.Context(), 10)
		must(t, err)
		var ids, wants []string
		for _, found := range list {
			ids = append(ids, found.Request.Asking.ClientRequestID)
		}
		for _, entry := range entries {
			wants = append(wants, entry.ClientRequestID)
		}
		if !slices.Equal(ids, wants) {
			t.Errorf("%s: %v instead of %v", name, ids, wants)
		}
	}
	left, again, waiting := ask(t, j, device()), ask(t, j, device()), ask(t, j, device())
	must(t, j.Ended(t.Context(), ended(left, intune.SessionLeft)))
	must(t, j.Ended(t.Context(), ended(again, intune.SessionLeft)))
	want("all live")
	_, err := j.ClaimRequest(t.Context(), again.ClientRequestID)
	must(t, err)
	must(t, j.Close())
	want("closed", again, waiting)
	claimed, err := other.ClaimRequest(t.Context(), again.ClientRequestID)
	must(t, err)
	want("taken", waiting)
	must(t, other.Ended(claimed.Context, ended(again, intune.SessionReady)))
	f.exec(`UPDATE {request} SET asking_seal = 'x' WHERE client_request_id = $1`, waiting.ClientRequestID)
	want("changed by somebody")
	if found := find(t, other, waiting.ClientRequestID); found.Err == nil {
		t.Error("it does not say that somebody changed the row")
	}
	if _, err := other.Interrupted(t.Context(), 0); !errors.Is(err, intune.ErrInvalidArgument) {
		t.Errorf("limit 0: %v", err)
	}
}

// What is refused says why.
func TestJournalClaimRequest(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j, other := f.journal(), f.journal()
	first := ask(t, j, device())
	_, err := other.ClaimRequest(t.Context(), first.ClientRequestID)
	if busy := wantBusy(t, err); busy.Actor != first.Actor {
		t.Errorf("the actor is %q", busy.Actor)
	}
	_, err = j.ClaimRequest(t.Context(), first.ClientRequestID)
	wantBusy(t, err)
	f.die()
	_, err = j.ClaimRequest(t.Context(), first.ClientRequestID) // whose own wait goes on
	wantBusy(t, err)
	claimed, err := other.ClaimRequest(t.Context(), first.ClientRequestID)
	must(t, err)
	wantSuperseded(t, j.Ended(t.Context(), ended(first, intune.SessionReady)))
	must(t, other.Ended(claimed.Context, ended(first, intune.SessionLeft)))
	second := asking(first.Device)
	must(t, j.Asking(t.Context(), second))
	_, err = other.ClaimRequest(t.Context(), first.ClientRequestID)
	wantBusy(t, err)
	must(t, j.Asked(t.Context(), asked(second, intune.OutcomeAccepted)))
	must(t, j.Ended(t.Context(), ended(second, intune.SessionLeft)))
	for name, id := range map[string]string{"superseded": first.ClientRequestID, "not known": "x", "no text": "\x00", "blank": ""} {
		if _, err := other.ClaimRequest(t.Context(), id); !errors.Is(err, journalpg.ErrNotWaiting) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f.age(3 * time.Minute) // a person may go on after the time of confirmation, too
	claimed, err = other.ClaimRequest(t.Context(), second.ClientRequestID)
	must(t, err)
	must(t, other.Close())
	if claimed.Context.Err() == nil {
		t.Error("the context of a claim goes on after Close")
	}
}

// What is like the request, or looks as if its wait were nobody's, is not taken for it.
func TestJournalClaimRequest_TakesTheRightOne(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal()
	rejected := asking(device())
	must(t, j.Asking(t.Context(), rejected))
	must(t, j.Asked(t.Context(), asked(rejected, intune.OutcomeRejected)))
	again := asking(device())
	again.ClientRequestID = rejected.ClientRequestID
	again.ResumeToken = token(again, "")
	must(t, j.Asking(t.Context(), again))
	must(t, j.Asked(t.Context(), asked(again, intune.OutcomeAccepted)))
	must(t, j.Ended(t.Context(), ended(again, intune.SessionLeft)))
	claimed, err := j.ClaimRequest(t.Context(), again.ClientRequestID)
	must(t, err)
	if claimed.Request.Device() != again.Device {
		t.Errorf("it claims %v", claimed.Request.Device())
	}
	poller := asking(device()) // whose program may look at any time
	poller.Waits = false
	must(t, j.Asking(t.Context(), poller))
	must(t, j.Asked(t.Context(), asked(poller, intune.OutcomeAccepted)))
	_, err = j.ClaimRequest(t.Context(), poller.ClientRequestID)
	wantBusy(t, err)
}

// A row that is passed over makes room for one more, and not for two.
func TestJournalClaim_LimitAfterARefusedRow(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal()
	for range 4 {
		ask(t, j, device())
	}
	f.die()
	f.exec(`UPDATE {request} SET asking_seal = 'x' WHERE id = (SELECT min(id) FROM {request})`)
	list, err := f.journal().Claim(t.Context(), 2)
	must(t, err)
	if len(list) != 2 {
		t.Errorf("it claims %d waits", len(list))
	}
}
