package journalpg_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune"

	"github.com/go-intune/intune/journalpg"
)

// The answer to the commit of Asked is lost, and before it is tried again, somebody asks with the same client-request-id, which is
// free now. The outcome is that of the first request, or the second one's user would be asked once more.
func TestJournalAsked_LostCommitIsOfItsOwnRequest(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j, other := f.journal(), f.journal()
	entry := bare(device())
	var p *proxy
	asking := make(chan error, 1)
	var lose bool
	p, dsn := newProxy(t, server(t), func(int64) bool {
		if !lose {
			return false
		}
		lose = false
		go func() { // nobody else is connected to the proxy
			asking <- retried(t, func() error { return other.Asking(t.Context(), entry) })
			p.reach(true)
		}()
		p.mu.Lock()
		p.down = true
		p.mu.Unlock()
		return true
	})
	through := open(t, "pgx", dsn)
	through.SetMaxOpenConns(2)
	slow := f.journalOn(through)
	must(t, slow.Asking(t.Context(), entry))
	lose = true
	_ = slow.Asked(t.Context(), asked(entry, intune.OutcomeRejected)) // it may give up, and is recorded later then
	must(t, <-asking)
	eventually(t, func() bool { return f.count(`SELECT count(*) FROM {request} WHERE outcome = 'rejected'`) >= 1 })
	pause(t, time.Second)
	wantBusy(t, j.Asking(t.Context(), bare(entry.Device)))
	if n := f.count(`SELECT count(*) FROM {request} WHERE outcome IS NULL`); n != 1 {
		t.Errorf("%d requests have no outcome yet instead of 1", n)
	}
}

// An entry whose request is unknown is kept once, however often the answer to its commit is lost.
func TestJournal_LostCommitOfEntriesAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, dsn := newProxy(t, server(t), func(n int64) bool { return n > 2 && n%2 == 0 })
	db := open(t, "pgx", dsn)
	j := f.journalOn(db)
	for range 5 {
		must(t, j.Asked(t.Context(), asked(bare(device()), intune.OutcomeAccepted)))
		must(t, j.Ended(t.Context(), ended(bare(device()), intune.SessionReady)))
	}
	if n := f.count(`SELECT count(*) FROM {request}`); n != 10 {
		t.Errorf("there are %d rows instead of 10", n)
	}
}

// What is learned after Forget brings no person back into the record.
func TestJournalAsked_AfterForget(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal()
	entry := asking(intune.UserDevice("kim@example.com", device().DeviceID()))
	must(t, j.Asking(t.Context(), entry))
	must(t, j.Asked(t.Context(), asked(entry, intune.OutcomeUnknown)))
	must(t, j.Ended(t.Context(), ended(entry, intune.SessionLeft)))
	must(t, j.Forget(t.Context(), time.Now().Add(time.Hour)))
	of := asked(entry, intune.OutcomeAccepted)
	of.CallerID, of.Error = "caller", "text"
	must(t, j.Asked(t.Context(), of))
	var all string
	must(t, f.db.QueryRowContext(t.Context(), `SELECT string_agg(r::text, ' ') FROM `+f.schema+`.request AS r`).Scan(&all))
	for _, word := range []string{"kim@", "Kim", "INC-1", "caller", "text", "RemoteAssistanceSession"} {
		if strings.Contains(all, word) {
			t.Errorf("the row holds %q", word)
		}
	}
	if got := summary(requests(t, j)[0]); got != "accepted left waiting=false" {
		t.Errorf("the record says %q", got)
	}
}

// A request that asked nobody, as somebody learned later, does not come back.
func TestJournalAsked_RejectedWhileSuperseded(t *testing.T) {
	t.Parallel()
	for name, waits := range map[string]bool{"with a wait": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			j := f.journal()
			d := device()
			first := ask(t, j, d)
			must(t, j.Ended(t.Context(), ended(first, intune.SessionLeft)))
			second := bare(d)
			if waits {
				second = asking(d)
			}
			must(t, j.Asking(t.Context(), second))
			must(t, j.Asked(t.Context(), asked(second, intune.OutcomeUnknown)))
			if waits {
				must(t, j.Ended(t.Context(), ended(second, intune.SessionLeft)))
			}
			third := asking(d)
			must(t, j.Asking(journalpg.Again(t.Context()), third))
			must(t, j.Asked(t.Context(), asked(second, intune.OutcomeRejected)))
			must(t, j.Asked(t.Context(), asked(third, intune.OutcomeRejected)))
			for i, want := range []string{"accepted left waiting=true", "rejected", "rejected"} {
				if got := summary(requests(t, j)[i]); !strings.HasPrefix(got, want) {
					t.Errorf("request %d is %q instead of %q", i, got, want)
				}
			}
			if got := claimOne(t, f.journal()).Request.Asking.ClientRequestID; got != first.ClientRequestID {
				t.Errorf("claimed %s instead of the first", got)
			}
		})
	}
}

// A correction of a request whose client-request-id was used again is recorded, and at once.
func TestJournalAsked_CorrectsAfterTheKeyWasUsedAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal()
	first := bare(device())
	must(t, j.Asking(t.Context(), first))
	must(t, j.Asked(t.Context(), asked(first, intune.OutcomeRejected)))
	second := first
	second.Device = device()
	must(t, j.Asking(t.Context(), second))
	start := time.Now()
	must(t, j.Asked(t.Context(), asked(first, intune.OutcomeAccepted)))
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if got := requests(t, j)[0].Outcome(); got != intune.OutcomeAccepted {
		t.Errorf("the outcome is %s", got)
	}
	var already *intune.AlreadyAskedError
	if err := j.Asking(t.Context(), first); !errors.As(err, &already) {
		t.Errorf("the key can be used again: %v", err)
	}
}

// Whoever asks with the context of a claim has a wait of his own.
func TestClaimed_ContextOfAnotherRequest(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal()
	left := ask(t, j, device())
	must(t, j.Ended(t.Context(), ended(left, intune.SessionLeft)))
	claimed := claimOne(t, j)
	must(t, j.Ended(claimed.Context, ended(left, intune.SessionLeft)))
	for name, d := range map[string]intune.DeviceRef{"the same device": left.Device, "another device": device()} {
		entry := asking(d)
		must(t, j.Asking(claimed.Context, entry))
		must(t, j.Asked(claimed.Context, asked(entry, intune.OutcomeAccepted)))
		if err := j.Ended(claimed.Context, ended(entry, intune.SessionReady)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, r := range requests(t, j)[1:] {
		if got := summary(r); got != "accepted ready waiting=false" {
			t.Errorf("the record says %q", got)
		}
	}
}
