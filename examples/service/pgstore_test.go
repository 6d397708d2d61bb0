//go:build unix

package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/pgtest"
	"github.com/google/uuid"
)

// pgPlace is a schema in which several copies keep their sessions.
type pgPlace struct {
	tb          testing.TB
	dsn, schema string
	log         *syncBuffer
}

func newPGPlace(tb testing.TB) *pgPlace {
	tb.Helper()
	return &pgPlace{tb: tb, dsn: postgres(tb), schema: schemaName(), log: &syncBuffer{}}
}

func (p *pgPlace) options(change ...func(*pgOptions)) *pgOptions {
	o := &pgOptions{
		dsn: p.dsn, schema: p.schema, scope: "graph.example/tenant", lease: 2 * time.Second,
		keys: mustKeys(p.tb, keyLine(1)).journalKeys(), log: slog.New(slog.NewJSONHandler(p.log, nil)),
	}
	for _, c := range change {
		c(o)
	}
	return o
}

// copy is the store of one more copy.
func (p *pgPlace) copy(change ...func(*pgOptions)) *pgStore {
	p.tb.Helper()
	s, err := openPGStore(p.tb.Context(), p.options(change...))
	if err != nil {
		p.tb.Fatal(err)
	}
	p.tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(p.tb.Context()), 5*time.Second)
		defer cancel()
		_ = s.close(ctx)
	})
	return s
}

// storeEntry is an entry of a request with a wait.
func storeEntry(device intune.DeviceRef) intune.JournalEntry {
	id := uuid.NewString()
	return intune.JournalEntry{
		Time: time.Now(), Device: device, ClientRequestID: id, Waits: true, Reference: "INC-1",
		ResumeToken: `{"token":{"clientRequestId":"` + id + `"}}`,
	}
}

func askedAs(entry intune.JournalEntry, outcome intune.Outcome) intune.JournalEntry {
	return intune.JournalEntry{Device: entry.Device, ClientRequestID: entry.ClientRequestID, Outcome: outcome}
}

func endedAs(entry intune.JournalEntry, session intune.SessionOutcome) intune.JournalEntry {
	return intune.JournalEntry{Device: entry.Device, ClientRequestID: entry.ClientRequestID, Session: session}
}

// storeAsk makes a request that is accepted.
func storeAsk(tb testing.TB, s store, owner string, device intune.DeviceRef) intune.JournalEntry {
	tb.Helper()
	entry := storeEntry(device)
	must(tb, s.Asking(withOwner(tb.Context(), owner), entry))
	must(tb, s.Asked(tb.Context(), askedAs(entry, intune.OutcomeAccepted)))
	return entry
}

func wantState(tb testing.TB, s store, id string, want state) *session {
	tb.Helper()
	got, err := s.get(tb.Context(), id)
	must(tb, err)
	if got == nil {
		tb.Fatal("there is no such session")
	}
	if got.state != want {
		tb.Errorf("the session is %s instead of %s", got.state, want)
	}
	return got
}

const (
	linkOne = "https://get.teamviewer.com/s-one"
	linkTwo = "https://get.teamviewer.com/s-two"
)

// What one copy does, the others see, with a number that grows.
func TestPGStore_States(t *testing.T) {
	t.Parallel()
	p := newPGPlace(t)
	one, two := p.copy(), p.copy()
	device := intune.Device(uuid.NewString())
	entry := storeEntry(device)
	ctx := withOwner(t.Context(), "dana")
	must(t, one.Asking(ctx, entry))
	last := wantState(t, two, entry.ClientRequestID, stateAsking)
	if last.owner != "dana" || last.reference != "INC-1" || last.device != device {
		t.Errorf("the session is %+v", last)
	}
	step := func(name string, err error, want state) {
		t.Helper()
		must(t, err)
		got := wantState(t, two, entry.ClientRequestID, want)
		if got.number <= last.number {
			t.Errorf("after %s the number is %d, and it was %d", name, got.number, last.number)
		}
		last = got
	}
	step("Asked", one.Asked(ctx, askedAs(entry, intune.OutcomeUnknown)), stateWaiting)
	if !last.unsure {
		t.Error("nobody knows whether the user was asked")
	}
	step("left", one.Ended(ctx, endedAs(entry, intune.SessionLeft)), stateNoLink)
	held, token, err := two.take(ctx, entry.ClientRequestID)
	step("take", err, stateWaiting)
	if token != entry.ResumeToken {
		t.Errorf("the token is %q", token)
	}
	step("ready", two.Ended(held, endedAs(entry, intune.SessionReady)), stateReady)
	must(t, two.ready(ctx, entry.ClientRequestID, hashLink(intune.NewSessionURL(linkOne))))
	step("open", one.open(ctx, entry.ClientRequestID, intune.NewSessionURL(linkOne)), stateOpened)
	if err := two.open(ctx, entry.ClientRequestID, intune.NewSessionURL(linkOne)); !errors.Is(err, errOpened) {
		t.Errorf("opened twice: %v", err)
	}
	list, err := two.history(ctx, "dana", 10)
	must(t, err)
	if len(list) != 1 {
		t.Fatalf("the history has %d sessions", len(list))
	}
	if list, err = two.history(ctx, "robin", 10); err != nil || len(list) != 0 {
		t.Errorf("others see %v, %v", list, err)
	}
	if s, err := two.get(ctx, uuid.NewString()); s != nil || err != nil {
		t.Errorf("what is not there is %v, %v", s, err)
	}
}

// readySession is a session of dana's that is ready, with a hash.
func readySession(tb testing.TB, s *pgStore, device intune.DeviceRef) intune.JournalEntry {
	tb.Helper()
	entry := storeAsk(tb, s, "dana", device)
	must(tb, s.Ended(tb.Context(), endedAs(entry, intune.SessionReady)))
	must(tb, s.ready(tb.Context(), entry.ClientRequestID, hashLink(intune.NewSessionURL(linkOne))))
	return entry
}

// Whose link it is: the latest asker's, if it is the one that came for him, once.
func TestPGStore_Open(t *testing.T) {
	t.Parallel()
	p := newPGPlace(t)
	one, two := p.copy(), p.copy()
	same, other := intune.NewSessionURL(linkOne), intune.NewSessionURL(linkTwo)
	t.Run("another link", func(t *testing.T) {
		t.Parallel()
		entry := readySession(t, one, intune.Device(uuid.NewString()))
		if err := two.open(t.Context(), entry.ClientRequestID, other); !errors.Is(err, errNotReady) {
			t.Errorf("another link: %v", err)
		}
		wantState(t, one, entry.ClientRequestID, stateSuperseded)
		if err := one.open(t.Context(), entry.ClientRequestID, same); !errors.Is(err, errNotReady) {
			t.Errorf("after another link: %v", err)
		}
	})
	t.Run("no link", func(t *testing.T) {
		t.Parallel()
		entry := readySession(t, one, intune.Device(uuid.NewString()))
		if err := two.open(t.Context(), entry.ClientRequestID, intune.SessionURL{}); !errors.Is(err, errNotReady) {
			t.Errorf("no link: %v", err)
		}
		wantState(t, one, entry.ClientRequestID, stateNoLink)
		if _, _, err := one.take(t.Context(), entry.ClientRequestID); !errors.Is(err, errNothingToWait) {
			t.Errorf("take: %v", err)
		}
	})
	t.Run("after a crash", func(t *testing.T) {
		t.Parallel()
		entry := storeAsk(t, one, "dana", intune.Device(uuid.NewString()))
		must(t, one.Ended(t.Context(), endedAs(entry, intune.SessionReady)))
		must(t, two.open(t.Context(), entry.ClientRequestID, other))
		wantState(t, one, entry.ClientRequestID, stateOpened)
		if err := one.ready(t.Context(), entry.ClientRequestID, hashLink(same)); !errors.Is(err, errNotReady) {
			t.Errorf("the hash after the link: %v", err)
		}
	})
	t.Run("asked again", func(t *testing.T) {
		t.Parallel()
		device := intune.Device(uuid.NewString())
		entry := readySession(t, one, device)
		before := wantState(t, two, entry.ClientRequestID, stateReady)
		next := storeEntry(device)
		must(t, two.Asking(withOwner(t.Context(), "robin"), next))
		after := wantState(t, one, entry.ClientRequestID, stateSuperseded)
		if err := one.open(t.Context(), entry.ClientRequestID, same); !errors.Is(err, errNotReady) {
			t.Errorf("while another one asks: %v", err)
		}
		must(t, two.Asked(t.Context(), askedAs(next, intune.OutcomeRejected)))
		again := wantState(t, one, entry.ClientRequestID, stateReady)
		if before.number >= after.number || after.number >= again.number {
			t.Errorf("the numbers are %d, %d, %d", before.number, after.number, again.number)
		}
		must(t, one.open(t.Context(), entry.ClientRequestID, same))
	})
	t.Run("while the hash comes", func(t *testing.T) {
		t.Parallel()
		for range 30 {
			entry := storeAsk(t, one, "dana", intune.Device(uuid.NewString()))
			must(t, one.Ended(t.Context(), endedAs(entry, intune.SessionReady)))
			kept := make(chan error, 1)
			go func() { kept <- one.ready(t.Context(), entry.ClientRequestID, hashLink(same)) }()
			if err := two.open(t.Context(), entry.ClientRequestID, same); err != nil {
				t.Error(err)
			}
			if err := <-kept; err != nil && !errors.Is(err, errNotReady) {
				t.Error(err)
			}
		}
	})
	t.Run("at the same time", func(t *testing.T) {
		t.Parallel()
		entry := readySession(t, one, intune.Device(uuid.NewString()))
		var calls sync.WaitGroup
		var opened atomic.Int64
		for i := range 16 {
			calls.Go(func() {
				switch err := []*pgStore{one, two}[i%2].open(t.Context(), entry.ClientRequestID, same); {
				case err == nil:
					opened.Add(1)
				case !errors.Is(err, errOpened):
					t.Error(err)
				}
			})
		}
		calls.Wait()
		if n := opened.Load(); n != 1 {
			t.Errorf("it was opened %d times", n)
		}
	})
	t.Run("not ready", func(t *testing.T) {
		t.Parallel()
		entry := storeAsk(t, one, "dana", intune.Device(uuid.NewString()))
		for name, err := range map[string]error{
			"open": two.open(t.Context(), entry.ClientRequestID, same), "ready": one.ready(t.Context(), entry.ClientRequestID, nil),
			"nobody's": two.open(t.Context(), uuid.NewString(), same),
		} {
			if !errors.Is(err, errNotReady) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// A copy that stops gives up its waits, and one that dies loses them; what was left is nobody's.
func TestPGStore_Interrupted(t *testing.T) {
	t.Parallel()
	p := newPGPlace(t)
	one, two := p.copy(), p.copy()
	waiting, left := storeAsk(t, one, "dana", intune.Device(uuid.NewString())), storeAsk(t, one, "robin", intune.Device(uuid.NewString()))
	must(t, one.Ended(t.Context(), endedAs(left, intune.SessionLeft)))
	list, err := two.interrupted(t.Context())
	must(t, err)
	if len(list) != 0 {
		t.Fatalf("%d waits are interrupted", len(list))
	}
	before := wantState(t, two, waiting.ClientRequestID, stateWaiting)
	if _, _, err := two.take(t.Context(), waiting.ClientRequestID); err == nil {
		t.Fatal("a wait was taken from a copy that lives")
	}
	must(t, one.close(t.Context()))
	list, err = two.interrupted(t.Context())
	must(t, err)
	if len(list) != 1 {
		t.Fatalf("%d waits are interrupted", len(list))
	}
	if list[0].id != waiting.ClientRequestID || list[0].owner != "dana" {
		t.Errorf("the wait is %+v", list[0])
	}
	now := wantState(t, two, waiting.ClientRequestID, stateNoLink)
	if now.number <= before.number {
		t.Errorf("the number is %d, and it was %d", now.number, before.number)
	}
	held, _, err := two.take(t.Context(), waiting.ClientRequestID)
	must(t, err)
	if taken := wantState(t, two, waiting.ClientRequestID, stateWaiting); taken.number <= now.number {
		t.Errorf("the number is %d, and it was %d", taken.number, now.number)
	}
	if err := held.Err(); err != nil {
		t.Error(err)
	}
	if err := one.Ended(t.Context(), endedAs(waiting, intune.SessionReady)); !errors.Is(err, intune.ErrSuperseded) {
		t.Errorf("the copy that stopped ends the wait: %v", err)
	}
}

// watched waits until a watcher is told of a state.
func watched(tb testing.TB, s *pgStore, key, id string, want state, within time.Duration, change func()) {
	tb.Helper()
	changed, stop := s.watch(key)
	defer stop()
	change()
	late := time.NewTimer(within)
	defer late.Stop()
	for {
		if got, err := s.get(tb.Context(), id); err == nil && got != nil && got.state == want {
			return
		}
		select {
		case <-changed:
		case <-late.C:
			tb.Fatalf("nobody tells in %v that it is %s", within, want)
		}
	}
}

// A watcher at any copy is told within five seconds: of what others do at once, if it hears of it, and of a lease that lapses.
func TestPGStore_Watch(t *testing.T) {
	t.Parallel()
	p := newPGPlace(t)
	one := p.copy()
	deaf := func(o *pgOptions) { o.listen = "postgres://owner@127.0.0.1:1/postgres" }
	for name, c := range map[string]struct {
		two    *pgStore
		within time.Duration
	}{
		"at once": {p.copy(), 3 * time.Second},
		"deaf":    {p.copy(deaf), pgLookEvery + 2*time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, owners := range []bool{false, true} {
				device, owner := intune.Device(uuid.NewString()), uuid.NewString()
				entry := storeAsk(t, one, owner, device)
				key := entry.ClientRequestID
				if owners {
					key = owner
				}
				watched(t, c.two, key, entry.ClientRequestID, stateReady, c.within, func() {
					must(t, one.Ended(t.Context(), endedAs(entry, intune.SessionReady)))
				})
				watched(t, c.two, key, entry.ClientRequestID, stateSuperseded, c.within, func() { storeAsk(t, one, "robin", device) })
				next := readySession(t, one, intune.Device(uuid.NewString()))
				key = next.ClientRequestID
				if owners {
					key = "dana"
				}
				watched(t, c.two, key, next.ClientRequestID, stateOpened, c.within, func() {
					must(t, one.open(t.Context(), next.ClientRequestID, intune.NewSessionURL(linkOne)))
				})
			}
		})
	}
	t.Run("a lease lapses", func(t *testing.T) {
		t.Parallel()
		entry := storeAsk(t, one, "dana", intune.Device(uuid.NewString()))
		two := p.copy()
		watched(t, two, entry.ClientRequestID, entry.ClientRequestID, stateNoLink, pgLookEvery+3*time.Second, func() {
			_, err := two.db.ExecContext(t.Context(), two.sql(`UPDATE {schema}.request SET copy = 'dead', fence = 7,
				lease_until = clock_timestamp() + interval '1 second' WHERE client_request_id = $1`), entry.ClientRequestID)
			must(t, err)
		})
	})
}

// Behind pgbouncer's transaction mode all is the same, with a listener that goes past it.
func TestPGStore_Pooler(t *testing.T) {
	t.Parallel()
	p := newPGPlace(t)
	direct := p.dsn
	through, stop, err := pgtest.NewPooler(direct)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(stop)
	p.dsn = through
	listen := func(o *pgOptions) { o.listen = direct }
	one, two := p.copy(listen), p.copy(listen)
	var asks sync.WaitGroup
	for range 8 {
		asks.Go(func() {
			device := intune.Device(uuid.NewString())
			entry := readySession(t, one, device)
			if err := two.open(t.Context(), entry.ClientRequestID, intune.NewSessionURL(linkOne)); err != nil {
				t.Error(err)
			}
		})
	}
	asks.Wait()
	entry := storeAsk(t, one, "dana", intune.Device(uuid.NewString()))
	watched(t, two, entry.ClientRequestID, entry.ClientRequestID, stateReady, 3*time.Second, func() {
		must(t, one.Ended(t.Context(), endedAs(entry, intune.SessionReady)))
	})
	must(t, two.check(t.Context()))
}

// Many copies start at once, also with tables of the version before; a newer version of the tables is accepted.
func TestPGStore_Migrate(t *testing.T) {
	t.Parallel()
	p := newPGPlace(t)
	var starts sync.WaitGroup
	for range 12 {
		starts.Go(func() {
			s, err := openPGStore(t.Context(), p.options())
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(s.check(t.Context()), s.close(t.Context())); err != nil {
				t.Error(err)
			}
		})
	}
	starts.Wait()
	s := p.copy()
	_, err := s.db.ExecContext(t.Context(), s.sql(`CREATE OR REPLACE VIEW {schema}.service_version AS SELECT 99 AS version`))
	must(t, err)
	must(t, p.copy().check(t.Context()))
	_, err = s.db.ExecContext(t.Context(), s.sql(`CREATE OR REPLACE VIEW {schema}.version AS SELECT 2 AS major, 0 AS minor`))
	must(t, err)
	if _, err := openPGStore(t.Context(), p.options()); err == nil || !strings.Contains(err.Error(), "version 2.0") {
		t.Errorf("a newer major version: %v", err)
	}
}

// Without its database a copy starts, says so, asks nobody, and goes on when it is there.
func TestPGStore_DatabaseAway(t *testing.T) {
	t.Parallel()
	c, err := pgtest.New()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(c.Stop)
	p := &pgPlace{tb: t, dsn: c.DSN("postgres"), schema: schemaName(), log: &syncBuffer{}}
	must(t, c.Kill(syscall.SIGINT))
	s := p.copy()
	if err := s.check(t.Context()); err == nil {
		t.Error("it can be written without a database")
	} else if !strings.Contains(err.Error(), "connect") {
		t.Errorf("it says %v", err)
	}
	begun := time.Now()
	if err := s.Asking(withOwner(t.Context(), "dana"), storeEntry(intune.Device(uuid.NewString()))); err == nil {
		t.Error("somebody is asked without a database")
	}
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	must(t, c.Start())
	for end := time.Now().Add(15 * time.Second); s.check(t.Context()) != nil; {
		if time.Now().After(end) {
			t.Fatal(s.check(t.Context()))
		}
		<-time.After(50 * time.Millisecond)
	}
	entry := storeAsk(t, s, "dana", intune.Device(uuid.NewString()))
	must(t, c.Kill(syscall.SIGKILL))
	must(t, c.Start())
	watched(t, s, entry.ClientRequestID, entry.ClientRequestID, stateNoLink, 20*time.Second, func() {
		// Its connection may be one from before, which is an error, and the entry is written later.
		_ = s.Ended(t.Context(), endedAs(entry, intune.SessionLeft))
	})
}

// Rows that were changed by somebody without the keys show nobody a session.
func TestPGStore_ChangedRows(t *testing.T) {
	t.Parallel()
	p := newPGPlace(t)
	s := p.copy()
	entry := storeAsk(t, s, "dana", intune.Device(uuid.NewString()))
	for _, statement := range []string{
		`UPDATE {schema}.service_session SET owner = 'robin'`, `UPDATE {schema}.request SET asking = replace(asking, 'dana', 'robin')`,
	} {
		_, err := s.db.ExecContext(t.Context(), s.sql(statement))
		must(t, err)
		list, err := s.history(t.Context(), "robin", 10)
		must(t, err)
		if len(list) != 0 {
			t.Errorf("after %s, robin sees %+v", statement, list[0])
		}
	}
	if got, err := s.get(t.Context(), entry.ClientRequestID); got != nil || err != nil {
		t.Errorf("the session is %v, %v", got, err)
	}
}

// A key that was refused is free for as long as it takes, and what it begins then is as new as any other.
func TestPGStore_KeyRefusedLongAgo(t *testing.T) {
	t.Parallel()
	p := newPGPlace(t)
	s := p.copy()
	entry := storeEntry(intune.Device(uuid.NewString()))
	ctx := withOwner(t.Context(), "dana")
	must(t, s.Asking(ctx, entry))
	must(t, s.Asked(ctx, askedAs(entry, intune.OutcomeRejected)))
	_, err := s.db.ExecContext(ctx, s.sql(`UPDATE {schema}.service_session SET begun = begun - interval '31 days', owner = ''`))
	must(t, err)
	must(t, s.Asking(ctx, entry))
	must(t, s.Asked(ctx, askedAs(entry, intune.OutcomeAccepted)))
	if list, err := s.history(ctx, "dana", 10); err != nil || len(list) != 1 {
		t.Errorf("the history has %d sessions, %v", len(list), err)
	}
	if err := s.Asking(withOwner(t.Context(), "robin"), entry); err == nil {
		t.Error("a key is used twice")
	}
	if list, err := s.history(ctx, "dana", 10); err != nil || len(list) != 1 {
		t.Errorf("somebody else has the session: %d sessions, %v", len(list), err)
	}
}

// A transaction that took its number early may commit late, after a page has seen higher numbers and lost its connection.
func TestPGStore_LateCommit(t *testing.T) {
	t.Parallel()
	p := newPGPlace(t)
	s := p.copy()
	late, soon := storeAsk(t, s, "dana", intune.Device(uuid.NewString())), storeAsk(t, s, "dana", intune.Device(uuid.NewString()))
	tx, err := s.db.BeginTx(t.Context(), nil)
	must(t, err)
	_, err = tx.ExecContext(t.Context(), s.sql(`UPDATE {schema}.request SET outcome = 'unknown' WHERE client_request_id = $1`),
		late.ClientRequestID)
	must(t, err)
	_, err = s.db.ExecContext(t.Context(), s.sql(`SELECT nextval('{schema}.change') FROM generate_series(1, 500)`)) // the others'
	must(t, err)
	must(t, s.Ended(t.Context(), endedAs(soon, intune.SessionReady)))
	seen := wantState(t, s, soon.ClientRequestID, stateReady).number
	must(t, tx.Commit())
	list, err := s.history(t.Context(), "dana", 10)
	must(t, err)
	if text := string(newEvents("", list, map[string]sessionView{}, seen-overlap)); !strings.Contains(text, late.ClientRequestID) {
		t.Errorf("the page that has seen %d is not told of the other session: %s", seen, text)
	}
}

// A link that is opened as soon as the session is ready, while its hash is being written, is handed out all the same.
func TestPGStore_OpenWhileTheHashComes(t *testing.T) {
	t.Parallel()
	p := newPGPlace(t)
	s := p.copy()
	link := intune.NewSessionURL(linkOne)
	entry := storeAsk(t, s, "dana", intune.Device(uuid.NewString()))
	must(t, s.Ended(t.Context(), endedAs(entry, intune.SessionReady)))
	tx, err := s.db.BeginTx(t.Context(), nil)
	must(t, err)
	_, err = tx.ExecContext(t.Context(), s.sql(`UPDATE {schema}.service_session SET link_hash = $1`), hashLink(link))
	must(t, err)
	opened := make(chan error, 1)
	go func() { opened <- s.open(t.Context(), entry.ClientRequestID, link) }()
	for waits := false; !waits; idle(t.Context(), 10*time.Millisecond) {
		must(t, s.db.QueryRowContext(t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1)`,
			`%"`+p.schema+`".service_session AS s SET fate%`).Scan(&waits))
	}
	must(t, tx.Commit())
	if err := <-opened; err != nil {
		t.Error(err)
	}
	wantState(t, s, entry.ClientRequestID, stateOpened)
}

// What a store has begun ends before its pool does.
func TestPGStore_CloseWaits(t *testing.T) {
	t.Parallel()
	s := newPGPlace(t).copy()
	release := make(chan struct{})
	defer close(release)
	s.goes.Go(func() { <-release })
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := s.close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it has closed before its goroutines ended: %v", err)
	}
}
