package journalpg_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/go-intune/intune"

	"github.com/go-intune/intune/journalpg"
)

// shortLease is one that lapses in a test, and that a busy machine can renew.
const shortLease = 3 * time.Second

// A wait is the copy's own for as long as it lives.
func TestJournal_LeasesAreRenewed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j, other := f.journal(lease(shortLease)), f.journal()
	entry := ask(t, j, device())
	second := ask(t, f.journal(), device())
	f.exec(`UPDATE {request} SET lease_until = clock_timestamp() WHERE client_request_id = $1`, second.ClientRequestID)
	claimed := claimOne(t, j)
	pause(t, 2*shortLease)
	wantNoClaim(t, other)
	wantBusy(t, other.Asking(t.Context(), asking(entry.Device)))
	if err := claimed.Context.Err(); err != nil {
		t.Error(err)
	}
	must(t, j.Ended(t.Context(), ended(entry, intune.SessionReady)))
	must(t, j.Ended(claimed.Context, ended(second, intune.SessionReady)))
}

// Somebody who uses up the pool can't take the leases away.
func TestJournal_DryPool(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	db := open(t, "pgx", server(t))
	db.SetMaxOpenConns(3)
	j, other := f.journalOn(db, lease(shortLease)), f.journal()
	ask(t, j, device())
	for range 2 {
		conn, err := db.Conn(t.Context())
		must(t, err)
		t.Cleanup(func() { conn.Close() })
	}
	pause(t, 2*shortLease)
	wantNoClaim(t, other)
	start := time.Now()
	if err := j.Asking(t.Context(), asking(device())); err == nil {
		t.Error("a request went out without a connection")
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	wantNoClaim(t, other)
}

// A row that somebody has locked does not hold up the leases of others.
func TestJournal_LockedRowHoldsUpNoLease(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j, other := f.journal(lease(shortLease)), f.journal()
	locked := ask(t, j, device())
	ask(t, j, device())
	tx, err := f.db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	must(t, err)
	_, err = tx.ExecContext(t.Context(), `SELECT FROM `+f.schema+`.request WHERE client_request_id = $1 FOR UPDATE`, locked.ClientRequestID)
	must(t, err)
	pause(t, 3*shortLease/2)
	must(t, tx.Rollback())
	list, err := other.Claim(t.Context(), 10)
	must(t, err)
	for _, claimed := range list {
		if claimed.Request.Asking.ClientRequestID != locked.ClientRequestID {
			t.Error("a lease was lost that nobody locked")
		}
	}
}

// A copy that was away learns it at Ended, and by the context of what it had claimed.
func TestJournal_StalledCopy(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	p, dsn := newProxy(t, server(t), nil)
	j, other := f.journalOn(open(t, "pgx", dsn), lease(shortLease)), f.journal()
	entry := ask(t, j, device())
	second := ask(t, other, device())
	must(t, other.Ended(t.Context(), ended(second, intune.SessionLeft)))
	claimed := claimOne(t, j)
	p.hold()
	select {
	case <-claimed.Context.Done():
	case <-time.After(4 * shortLease):
		t.Fatal("the context does not end with the lease")
	}
	if cause := context.Cause(claimed.Context); !errors.Is(cause, intune.ErrSuperseded) {
		t.Errorf("the cause is %v", cause)
	}
	var taken []journalpg.Claimed
	eventually(t, func() bool {
		list, err := other.Claim(t.Context(), 10)
		must(t, err)
		taken = append(taken, list...)
		return len(taken) == 2
	})
	p.resume()
	wantSuperseded(t, j.Ended(t.Context(), ended(entry, intune.SessionReady)))
	wantSuperseded(t, j.Ended(claimed.Context, ended(second, intune.SessionReady)))
	wantSuperseded(t, j.Ended(context.WithoutCancel(claimed.Context), ended(second, intune.SessionReady)))
	wantSuperseded(t, j.Ended(context.WithoutCancel(claimed.Context), ended(second, intune.SessionLeft)))
	for _, c := range taken {
		must(t, other.Ended(c.Context, ended(c.Request.Asking, intune.SessionReady)))
	}
}

// A copy whose lease is over goes on if nobody has taken the wait.
func TestJournal_LapsedButNotTaken(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal()
	entry := ask(t, j, device())
	f.die()
	must(t, j.Ended(t.Context(), ended(entry, intune.SessionReady)))
}

// Without the database nobody gets a link who may not hold the wait any more.
func TestJournalEnded_NoDatabase(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	p, dsn := newProxy(t, server(t), nil)
	j := f.journalOn(open(t, "pgx", dsn), lease(5*time.Second))
	entry, second := ask(t, j, device()), ask(t, j, device())
	p.reach(false)
	err := j.Ended(t.Context(), ended(entry, intune.SessionReady))
	if err == nil {
		t.Error("the end is recorded without a database")
	}
	if errors.Is(err, intune.ErrSuperseded) {
		t.Errorf("the lease lives, and the link is withheld: %v", err)
	}
	eventually(t, func() bool {
		return f.count(`SELECT count(*) FROM {request} WHERE client_request_id = $1 AND lease_until < clock_timestamp()`,
			second.ClientRequestID) == 1
	})
	wantSuperseded(t, j.Ended(t.Context(), ended(second, intune.SessionReady)))
	p.reach(true)
	eventually(t, func() bool { // what could not be recorded is recorded later
		return f.count(`SELECT count(*) FROM {request} WHERE client_request_id = $1 AND session = 'ready'`, entry.ClientRequestID) == 1
	})
}

func TestJournalAsked_IsRecordedLater(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	p, dsn := newProxy(t, server(t), nil)
	j := f.journalOn(open(t, "pgx", dsn))
	entry := asking(device())
	must(t, j.Asking(t.Context(), entry))
	p.reach(false)
	if err := j.Asked(t.Context(), asked(entry, intune.OutcomeRejected)); err == nil {
		t.Error("the outcome is recorded without a database")
	}
	p.reach(true)
	eventually(t, func() bool { return f.count(`SELECT count(*) FROM {request} WHERE outcome = 'rejected'`) == 1 })
}

// A link is handed out once.
func TestJournalEnded_Once(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j, other := f.journal(), f.journal()
	entry := ask(t, j, device())
	wantSuperseded(t, other.Ended(t.Context(), ended(entry, intune.SessionReady))) // by a token from the record
	end := ended(entry, intune.SessionReady)
	must(t, j.Ended(t.Context(), end))
	wantSuperseded(t, j.Ended(t.Context(), ended(entry, intune.SessionReady)))
	wantSuperseded(t, other.Ended(t.Context(), ended(entry, intune.SessionReady)))
	second := ask(t, j, device())
	must(t, j.Ended(t.Context(), ended(second, intune.SessionLeft)))
	must(t, other.Ended(t.Context(), ended(second, intune.SessionReady))) // nobody held it
}

// Many copies claim at the same time.
func TestJournalClaim_Race(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal()
	var order []string
	for range 30 {
		order = append(order, ask(t, j, device()).ClientRequestID)
	}
	must(t, j.Close())
	var mu sync.Mutex
	by := map[string]int{}
	var claims sync.WaitGroup
	for range 4 {
		other := f.journal()
		claims.Go(func() {
			for range 10 {
				list, err := other.Claim(t.Context(), 3)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				for _, c := range list {
					by[c.Request.Asking.ClientRequestID]++
				}
				mu.Unlock()
			}
		})
	}
	claims.Wait()
	for _, id := range order {
		if by[id] != 1 {
			t.Errorf("a wait was claimed %d times", by[id])
		}
	}
}

func TestJournalClaim_OldestFirst(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal()
	first := ask(t, j, device())
	ask(t, j, device())
	must(t, j.Close())
	list, err := f.journal().Claim(t.Context(), 1)
	must(t, err)
	if len(list) != 1 {
		t.Fatalf("claimed %d", len(list))
	}
	if got := list[0].Request.Asking.ClientRequestID; got != first.ClientRequestID {
		t.Error("the younger one came first")
	}
	if _, err := j.Claim(t.Context(), 0); err == nil {
		t.Error("a closed journal claims")
	}
	if _, err := f.journal().Claim(t.Context(), 0); !errors.Is(err, intune.ErrInvalidArgument) {
		t.Errorf("limit 0: %v", err)
	}
}

// Close lets others go on at once, and withholds what comes after it.
func TestJournalClose(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j, other := f.journal(), f.journal()
	entry := ask(t, j, device())
	ask(t, other, device())
	f.die()
	f.exec(`UPDATE {request} SET lease_until = clock_timestamp() + interval '1 minute' WHERE client_request_id = $1`, entry.ClientRequestID)
	claimed := claimOne(t, j)
	must(t, j.Close())
	must(t, j.Close())
	if err := claimed.Context.Err(); err == nil {
		t.Error("the context of a claim goes on")
	}
	list, err := f.journal().Claim(t.Context(), 10)
	must(t, err)
	if len(list) != 2 {
		t.Errorf("others claim %d waits", len(list))
	}
	wantSuperseded(t, j.Ended(t.Context(), ended(entry, intune.SessionReady)))
	if err := j.Asking(t.Context(), asking(device())); err == nil {
		t.Error("a closed journal asks")
	}
}
