//go:build unix

package main

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/pgtest"
	"github.com/google/uuid"
)

// newWire is a network before a database, which ends with the test, and the DSN that leads through it.
func newWire(tb testing.TB, dsn string) (w *pgtest.Wire, through string) {
	tb.Helper()
	w, through, err := pgtest.NewWire(dsn)
	must(tb, err)
	tb.Cleanup(w.Cut)
	return w, through
}

// A network that has forgotten each connection of a copy, also the one on which it listens, holds up neither its pages nor its
// answers for long.
func TestPGStore_ForgottenConnections(t *testing.T) {
	t.Parallel()
	p := newPGPlace(t)
	one := p.copy()
	network, through := newWire(t, p.dsn)
	two := p.copy(func(o *pgOptions) { o.dsn = through })
	entry := storeAsk(t, one, "dana", intune.Device(uuid.NewString()))
	changed, stop := two.watch(entry.ClientRequestID)
	defer stop()
	var many sync.WaitGroup
	for range 8 {
		many.Go(func() {
			_, err := two.db.ExecContext(t.Context(), `SELECT pg_sleep(0.3)`)
			must(t, err)
		})
	}
	many.Wait()
	idle(t.Context(), pgLookEvery+500*time.Millisecond) // so that there has been a look
	if n := network.Forget(); n < 8 {
		t.Fatalf("%d connections", n)
	}
	for len(changed) > 0 {
		<-changed
	}
	must(t, one.Ended(t.Context(), endedAs(entry, intune.SessionReady)))
	select {
	case <-changed:
	case <-time.After(8 * time.Second):
		t.Error("a page is told nothing")
	}
	told := time.Now()
	wantState(t, two, entry.ClientRequestID, stateReady)
	if took := time.Since(told); took > 4*time.Second {
		t.Errorf("an answer took %v", took)
	}
}

// A wait whose lease lapsed because its copy could not renew it is not one that somebody left: the next look goes on with it.
func TestPGStore_LapsedIsNotLeft(t *testing.T) {
	t.Parallel()
	p := newPGPlace(t)
	one := p.copy()
	network, through := newWire(t, p.dsn)
	two := p.copy(func(o *pgOptions) { o.dsn, o.lease = through, 500*time.Millisecond })
	entry := storeAsk(t, one, "dana", intune.Device(uuid.NewString()))
	must(t, one.Ended(t.Context(), endedAs(entry, intune.SessionLeft)))
	held, _, err := two.take(t.Context(), entry.ClientRequestID)
	must(t, err)
	network.Forget()
	<-held.Done()
	err = two.Ended(context.WithoutCancel(held), endedAs(entry, intune.SessionLeft))
	if !errors.Is(err, intune.ErrSuperseded) {
		t.Errorf("the end of a wait that is not this copy's any more: %v", err)
	}
	for end := time.Now().Add(5 * time.Second); ; idle(t.Context(), 50*time.Millisecond) {
		list, err := one.interrupted(t.Context())
		must(t, err)
		if len(list) == 1 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("nobody goes on with the wait")
		}
	}
}
