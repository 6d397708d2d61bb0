package journalpg_test

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-intune/intune"

	"github.com/go-intune/intune/journalpg"
)

// with adds a parameter to a DSN.
func with(t *testing.T, dsn, name, value string) string {
	t.Helper()
	at, err := url.Parse(dsn)
	must(t, err)
	values := at.Query()
	values.Set(name, value)
	at.RawQuery = strings.ReplaceAll(values.Encode(), "+", "%20")
	return at.String()
}

// Four copies race for 500 devices. The database's default would make half of those who race fail.
func TestJournalAsking_Race(t *testing.T) {
	t.Parallel()
	for _, level := range []string{"read committed", "repeatable read", "serializable"} {
		t.Run(level, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			devices := make([]intune.DeviceRef, 500)
			if level != "read committed" {
				devices = devices[:100]
			}
			for i := range devices {
				devices[i] = device()
			}
			dsn := with(t, server(t), "default_transaction_isolation", level)
			won := make([]atomic.Int64, len(devices))
			var busy atomic.Int64
			var copies sync.WaitGroup
			for range 4 {
				db := open(t, "pgx", dsn)
				db.SetMaxOpenConns(6)
				db.SetMaxIdleConns(6)
				j := f.journalOn(db)
				next := make(chan int)
				for range 5 {
					copies.Go(func() {
						for i := range next {
							err := j.Asking(t.Context(), asking(devices[i]))
							if err == nil {
								won[i].Add(1)
							} else if _, ok := errors.AsType[*intune.DeviceBusyError](err); ok {
								busy.Add(1)
							} else {
								t.Error(err)
							}
						}
					})
				}
				copies.Go(func() {
					for i := range devices {
						next <- i
					}
					close(next)
				})
			}
			copies.Wait()
			for i := range won {
				if n := won[i].Load(); n != 1 {
					t.Errorf("device %d was asked %d times", i, n)
				}
			}
			if n := busy.Load(); n != int64(3*len(devices)) {
				t.Errorf("%d were refused as busy", n)
			}
			if n := f.count(`SELECT count(*) FROM {request}`); n != len(devices) {
				t.Errorf("there are %d rows", n)
			}
		})
	}
}

// The answer to every third commit is lost, with its connection.
func TestJournalAsking_LostCommits(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	p, dsn := newProxy(t, server(t), func(n int64) bool { return n > 20 && n%3 == 0 })
	devices := make([]intune.DeviceRef, 60)
	for i := range devices {
		devices[i] = device()
	}
	won := make([]atomic.Int64, len(devices))
	var askers sync.WaitGroup
	for range 8 {
		db := open(t, "pgx", dsn)
		db.SetMaxOpenConns(4)
		j := f.journalOn(db)
		askers.Go(func() {
			for i := range devices {
				err := j.Asking(t.Context(), asking(devices[i]))
				if err == nil {
					won[i].Add(1)
				} else if _, ok := errors.AsType[*intune.DeviceBusyError](err); !ok {
					t.Error(err)
				}
			}
		})
	}
	askers.Wait()
	for i := range won {
		if n := won[i].Load(); n != 1 {
			t.Errorf("device %d was asked %d times", i, n)
		}
	}
	if n := f.count(`SELECT count(*) FROM {request}`); n != len(devices) {
		t.Errorf("there are %d rows", n)
	}
	if n := p.lost.Load(); n < 20 {
		t.Errorf("only %d answers were lost", n)
	}
}

// A commit stays unclear, because the database can't be reached any more: nothing is sent, and the row says so later.
func TestJournalAsking_UnclearCommitIsSettled(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var p *proxy
	down := make(chan struct{})
	var once sync.Once
	var cut atomic.Bool
	p, dsn := newProxy(t, server(t), func(int64) bool {
		if cut.Load() {
			once.Do(func() {
				go func() {
					p.mu.Lock()
					p.down = true
					p.mu.Unlock()
					close(down)
				}()
				<-down
			})
			return true
		}
		return false
	})
	d := device()
	left := ask(t, f.journal(), d)
	f.die()
	j := f.journalOn(open(t, "pgx", dsn))
	must(t, j.Asking(t.Context(), asking(device()))) // all connections are there
	cut.Store(true)
	entry := asking(d)
	start := time.Now()
	err := j.Asking(t.Context(), entry)
	if err == nil {
		t.Fatal("nobody knows whether the row is there, and the request may go out")
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if n := f.count(`SELECT count(*) FROM {request} WHERE client_request_id = $1 AND outcome IS NULL`, entry.ClientRequestID); n != 1 {
		t.Fatalf("the commit was lost too (%d rows), which is another test", n)
	}
	cut.Store(false)
	p.reach(true)
	eventually(t, func() bool {
		return f.count(`SELECT count(*) FROM {request} WHERE client_request_id = $1 AND outcome = 'notSent'`, entry.ClientRequestID) == 1
	})
	for _, r := range requests(t, j) {
		if r.Asking.ClientRequestID == left.ClientRequestID && !r.Waiting() {
			t.Errorf("the request that was left before is %s", summary(r))
		}
	}
	must(t, j.Asking(t.Context(), entry)) // neither its id nor the device are taken
}

// eventually waits for what another goroutine does.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	eventuallyIn(t, 20*time.Second, ok)
}

func eventuallyIn(t *testing.T, most time.Duration, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(most); !ok(); {
		if time.Now().After(end) {
			t.Fatal("it does not come")
		}
		pause(t, 20*time.Millisecond)
	}
}

// pause lets the clock of the database go on.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}

// Whoever holds the row or the table, Asking returns in ten seconds.
func TestJournalAsking_Locks(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"row":   `SELECT FROM {request} FOR UPDATE`,
		"table": `LOCK TABLE {request} IN ACCESS EXCLUSIVE MODE`, // as ALTER TABLE does
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			j := f.journal()
			d := device()
			ask(t, j, d)
			f.die()
			tx, err := f.db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelReadCommitted})
			must(t, err)
			_, err = tx.ExecContext(t.Context(), strings.ReplaceAll(statement, "{request}", f.schema+".request"))
			must(t, err)
			entry := asking(d)
			start := time.Now()
			err = j.Asking(t.Context(), entry)
			if err == nil {
				t.Error("the request may go out")
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
			must(t, tx.Rollback())
			must(t, retried(t, func() error { return j.Asking(t.Context(), entry) })) // a row that was written is settled first
		})
	}
}

// A network that stalls holds up no call for longer than ten seconds, whatever the driver does, and leaves no request behind.
func TestJournal_StalledNetwork(t *testing.T) {
	t.Parallel()
	for _, driver := range []string{"pgx", "postgres"} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			p, dsn := newProxy(t, server(t), nil)
			j := f.journalOn(open(t, driver, dsn))
			entry := ask(t, j, device())
			second := asking(device())
			p.hold()
			var calls sync.WaitGroup
			for name, call := range map[string]func() error{
				"Asking": func() error { return j.Asking(t.Context(), second) },
				"Asked":  func() error { return j.Asked(t.Context(), asked(entry, intune.OutcomeUnknown)) },
				"Claim":  func() error { _, err := j.Claim(t.Context(), 1); return err },
			} {
				calls.Go(func() {
					start := time.Now()
					if err := call(); err == nil {
						t.Errorf("%s: no error", name)
					}
					if took := time.Since(start); took > 10*time.Second {
						t.Errorf("%s took %v", name, took)
					}
				})
			}
			calls.Wait()
			p.resume()
			must(t, retried(t, func() error { return j.Asking(t.Context(), second) }))
		})
	}
}

// retried tries until the network has recovered.
func retried(t *testing.T, call func() error) (err error) {
	t.Helper()
	for range 600 { // what is written later pauses between its attempts, and a busy machine takes longer
		if err = call(); err == nil {
			return nil
		}
		pause(t, 50*time.Millisecond)
	}
	return err
}

// When the database is away, nothing is asked, at once.
func TestJournalAsking_NoDatabase(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	p, dsn := newProxy(t, server(t), nil)
	j := f.journalOn(open(t, "pgx", dsn))
	must(t, j.Asking(t.Context(), asking(device())))
	must(t, p.listener.Close())
	p.cutAll()
	start := time.Now()
	if err := j.Asking(t.Context(), asking(device())); err == nil {
		t.Error("the request may go out")
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
}

// The settings of a transaction are the journal's, whatever those of the database are.
func TestJournalAsking_Settings(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.exec(`CREATE FUNCTION ` + f.schema + `.check() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF current_setting('transaction_isolation') <> 'read committed' THEN RAISE EXCEPTION 'level'; END IF;
		IF current_setting('synchronous_commit') <> 'on' THEN RAISE EXCEPTION 'synchronous_commit'; END IF;
		IF current_setting('lock_timeout') <> '3s' THEN RAISE EXCEPTION 'lock_timeout'; END IF;
		IF current_setting('idle_in_transaction_session_timeout') <> '5s' THEN RAISE EXCEPTION 'idle_in_transaction_session_timeout'; END IF;
		RETURN NEW; END $$`)
	f.exec(`CREATE TRIGGER settings BEFORE INSERT OR UPDATE ON {request} FOR EACH ROW EXECUTE FUNCTION ` + f.schema + `.check()`)
	dsn := with(t, with(t, server(t), "default_transaction_isolation", "serializable"), "synchronous_commit", "off")
	db := open(t, "pgx", dsn)
	j := f.journalOn(db)
	entry := ask(t, j, device())
	must(t, j.Ended(t.Context(), ended(entry, intune.SessionLeft)))
	claimOne(t, j)
	for range 5 { // and they do not stay with the connection
		var level, commit, timeout string
		must(t, db.QueryRowContext(t.Context(), `SELECT current_setting('transaction_isolation'), current_setting('synchronous_commit'),
			current_setting('lock_timeout')`).Scan(&level, &commit, &timeout))
		if got := level + " " + commit + " " + timeout; got != "serializable off 0" {
			t.Errorf("the connection keeps %s", got)
		}
	}
}

// Serialization failures and deadlocks are tried again.
func TestJournalAsking_FailuresThatPass(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"40001", "40P01", "55P03"} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.exec(`CREATE SEQUENCE ` + f.schema + `.failures`)
			f.exec(`CREATE FUNCTION ` + f.schema + `.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
				IF nextval('` + f.schema + `.failures') <= 2 THEN RAISE EXCEPTION 'on purpose' USING ERRCODE = '` + state + `'; END IF;
				RETURN NEW; END $$`)
			f.exec(`CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON {request} FOR EACH ROW EXECUTE FUNCTION ` + f.schema + `.fail()`)
			j := f.journal()
			entry := asking(device())
			must(t, j.Asking(t.Context(), entry))
			f.exec(`ALTER SEQUENCE ` + f.schema + `.failures RESTART`)
			must(t, j.Asked(t.Context(), asked(entry, intune.OutcomeAccepted)))
			f.exec(`ALTER SEQUENCE ` + f.schema + `.failures RESTART`)
			must(t, j.Ended(t.Context(), ended(entry, intune.SessionReady)))
		})
	}
}

// A real deadlock: the journal has one row and wants the other, and another transaction the other way round.
func TestJournalAsked_Deadlock(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal()
	left := ask(t, j, device())
	must(t, j.Ended(t.Context(), ended(left, intune.SessionLeft)))
	entry := asking(left.Device)
	must(t, j.Asking(t.Context(), entry))
	tx, err := f.db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	must(t, err)
	lock := func(id string) error {
		_, err := tx.ExecContext(t.Context(), `SELECT FROM `+f.schema+`.request WHERE client_request_id = $1 FOR UPDATE`, id)
		return err
	}
	_, err = tx.ExecContext(t.Context(), `SET LOCAL deadlock_timeout = '1min'`) // so that the journal is the victim
	must(t, err)
	must(t, lock(left.ClientRequestID))
	done := make(chan error, 1)
	go func() { done <- j.Asked(t.Context(), asked(entry, intune.OutcomeRejected)) }() // which leaves the first again
	eventually(t, func() bool {
		return f.count(`SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid' AND pid IN
			(SELECT pid FROM pg_stat_activity WHERE query LIKE '%`+f.schema+`%')`) > 0
	})
	before := f.count(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`)
	must(t, lock(entry.ClientRequestID))
	must(t, tx.Rollback())
	must(t, <-done)
	eventually(t, func() bool {
		return f.count(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`) > before
	})
	if got := summary(requests(t, j)[0]); got != "accepted left waiting=true" {
		t.Errorf("the first request is %q", got)
	}
}

func TestJournalAsking_EndedContext(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.journal().Asking(ctx, asking(device())); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if n := f.count(`SELECT count(*) FROM {request}`); n != 0 {
		t.Errorf("there are %d rows", n)
	}
}

// A client-request-id is used up once the user was or may have been asked.
func TestJournalAsking_KeysAreUsedOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j, other := f.journal(), f.journal()
	for _, outcome := range []intune.Outcome{
		intune.OutcomeAccepted, intune.OutcomeUnknown, intune.OutcomeRejected, intune.OutcomeNotSent, "",
	} {
		entry := asking(device())
		must(t, j.Asking(t.Context(), entry))
		if outcome != "" {
			must(t, j.Asked(t.Context(), asked(entry, outcome)))
		}
		again := entry
		again.Device = device()
		again.ResumeToken = token(again, "")
		err := other.Asking(t.Context(), again)
		if outcome == intune.OutcomeRejected || outcome == intune.OutcomeNotSent {
			must(t, err)
			continue
		}
		already, ok := errors.AsType[*intune.AlreadyAskedError](err)
		if !ok {
			t.Fatalf("%s: got %v instead of an AlreadyAskedError", outcome, err)
		}
		if got := already.Request.Device(); got != entry.Device {
			t.Errorf("%s: the earlier request is of %v", outcome, got)
		}
		if got := already.Request.ResumeToken(); got != entry.ResumeToken {
			t.Errorf("%s: the earlier request has the token %q", outcome, got)
		}
		if err := other.Asking(t.Context(), entry); !errors.As(err, &already) {
			t.Errorf("%s: for the same device: %v", outcome, err)
		}
	}
}

// One key, asked at once by all copies for different devices.
func TestJournalAsking_RaceForAKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	copies := make([]*journalpg.Journal, 6)
	for i := range copies {
		copies[i] = f.journal()
	}
	for range 20 {
		first := asking(device())
		var won, already atomic.Int64
		var askers sync.WaitGroup
		for _, j := range copies {
			entry := first
			entry.Device = device()
			entry.ResumeToken = token(entry, "")
			askers.Go(func() {
				err := j.Asking(t.Context(), entry)
				if err == nil {
					won.Add(1)
				} else if _, ok := errors.AsType[*intune.AlreadyAskedError](err); ok {
					already.Add(1)
				} else {
					t.Error(err)
				}
			})
		}
		askers.Wait()
		if won.Load() != 1 {
			t.Errorf("%d were asked", won.Load())
		}
		if already.Load() != 5 {
			t.Errorf("%d were told that it was asked before", already.Load())
		}
	}
}

func TestJournalAsking_BusyTellsWho(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	type person struct{}
	j := f.journal(func(o *journalpg.Options) {
		o.Actor = func(ctx context.Context) string { name, _ := ctx.Value(person{}).(string); return name }
	})
	d := device()
	entry := bare(d)
	must(t, j.Asking(context.WithValue(t.Context(), person{}, "Ada\nL."), entry))
	must(t, j.Asked(t.Context(), asked(entry, intune.OutcomeAccepted)))
	var now time.Time
	must(t, f.db.QueryRowContext(t.Context(), `SELECT clock_timestamp()`).Scan(&now))
	busy := wantBusy(t, f.journal().Asking(t.Context(), asking(d)))
	if busy.Actor != "Ada L." {
		t.Errorf("the actor is %q", busy.Actor)
	}
	if busy.Reference != "INC-1" {
		t.Errorf("the reference is %q", busy.Reference)
	}
	if age := now.Sub(busy.Since).Abs(); age > 10*time.Second {
		t.Errorf("asked %v ago", age)
	}
	if got := busy.FreeAt.Sub(busy.Since); got != 30*time.Minute {
		t.Errorf("it is free after %v", got)
	}
}

// What a person reads of a device whose copy died: who asked, when, that nobody knows whether it went out, and when it is free.
func TestJournalAsking_BusyAsAPersonReadsIt(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	entry := asking(device())
	must(t, f.journal().Asking(t.Context(), entry))
	f.die()
	j := f.journal()
	busy := wantBusy(t, j.Asking(t.Context(), asking(entry.Device)))
	line, err := busyLine(t.Context(), j, busy)
	must(t, err)
	at := busy.Since.Local()
	want := "Kim asked at " + at.Format("15:04") + "; nobody knows whether it went out; free at " + at.Add(30*time.Minute).Format("15:04")
	if line != want {
		t.Errorf("got %q instead of %q", line, want)
	}
	must(t, j.Asked(t.Context(), asked(entry, intune.OutcomeAccepted)))
	claimOne(t, f.journal())
	busy = wantBusy(t, j.Asking(t.Context(), asking(entry.Device)))
	line, err = busyLine(t.Context(), j, busy)
	must(t, err)
	if want := "Kim asked at " + at.Format("15:04") + "; the user was asked"; line != want {
		t.Errorf("got %q instead of %q", line, want)
	}
}

// Requests without a wait keep a device busy until Busy has passed, except for whoever says Again.
func TestAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal()
	d := device()
	first := bare(d)
	must(t, j.Asking(t.Context(), first))
	again := journalpg.Again(t.Context())
	wantBusy(t, j.Asking(again, asking(d))) // still being asked
	must(t, j.Asked(t.Context(), asked(first, intune.OutcomeAccepted)))
	wantBusy(t, j.Asking(t.Context(), asking(d)))
	second := asking(d)
	must(t, j.Asking(again, second))
	wantBusy(t, j.Asking(again, asking(d)))
	must(t, j.Asked(t.Context(), asked(second, intune.OutcomeRejected)))
	wantBusy(t, j.Asking(t.Context(), asking(d))) // by the first one, as before
	f.age(31 * time.Minute)
	must(t, j.Asking(t.Context(), asking(d)))
}

func TestOptions_ScopesAndSchemas(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal()
	other := f.journal(func(o *journalpg.Options) { o.Scope = "graph.microsoft.us/other" })
	entry := ask(t, j, device())
	must(t, other.Asking(t.Context(), entry)) // the same device and the same id
	left := ask(t, j, device())
	must(t, j.Ended(t.Context(), ended(left, intune.SessionLeft)))
	must(t, other.Asking(t.Context(), asking(left.Device)))
	if got := summary(requests(t, j)[1]); got != "accepted left waiting=true" {
		t.Errorf("a request of another scope made it %s", got)
	}
	if n := len(requests(t, other)); n != 2 {
		t.Errorf("the other scope has %d requests", n)
	}
	must(t, j.Close())
	wantNoClaim(t, other)
	must(t, other.Forget(t.Context(), time.Now().Add(time.Hour)))
	list, err := f.journal().Claim(t.Context(), 10)
	must(t, err)
	if len(list) != 2 {
		t.Errorf("claimed %d waits", len(list))
	}
}

// Hosts and tenants are the same however they are written. Two copies that differ there would ask twice.
func TestNew_ScopeInAnyCase(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	d := device()
	ask(t, f.journal(), d)
	other := f.journal(func(o *journalpg.Options) { o.Scope = strings.ToUpper(scope) })
	wantBusy(t, other.Asking(t.Context(), asking(d)))
}

// Whatever texts somebody gives, the record holds them, and the queries of README.md can read it.
func TestJournalAsking_HostileTexts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal(func(o *journalpg.Options) {
		o.Actor = func(context.Context) string { return strings.Repeat("ü\x00\xff';\n--", 100) }
	})
	entry := asking(device())
	entry.Reference = "a\x00b\xff'; DROP TABLE request; -- \\u0000"
	must(t, j.Asking(t.Context(), entry))
	of := asked(entry, intune.OutcomeAccepted)
	of.Error, of.RequestID = "\x00", "\x00\xff"
	must(t, j.Asked(t.Context(), of))
	n := f.count(`SELECT count(*) FROM {request} WHERE length(asking::jsonb->>'actor') > 50 AND asked::jsonb->>'error' IS NOT NULL`)
	if n != 1 {
		t.Errorf("%d rows can be read as JSON", n)
	}
	got := requests(t, j)[0]
	if n := len(got.Asking.Actor); n > 200 {
		t.Errorf("the actor has %d bytes", n)
	}
	if !strings.Contains(got.Asking.Reference, `'; DROP TABLE request; -- \u0000`) {
		t.Errorf("the reference is %q", got.Asking.Reference)
	}
	for _, id := range []string{"a\x00b", "a\xffb", strings.Repeat("x", 257), " a", ""} {
		entry := asking(device())
		entry.ClientRequestID, entry.ResumeToken = id, ""
		if err := j.Asking(t.Context(), entry); !errors.Is(err, intune.ErrInvalidArgument) {
			t.Errorf("the id %q: %v", id, err)
		}
	}
}

func TestNew_Refuses(t *testing.T) {
	t.Parallel()
	db := open(t, "pgx", "postgres://nobody@127.0.0.1:1/none")
	one := open(t, "pgx", "postgres://nobody@127.0.0.1:1/none")
	one.SetMaxOpenConns(1)
	good := journalpg.Options{Scope: scope, Key: key()}
	for name, c := range map[string]struct {
		db     *sql.DB
		change func(*journalpg.Options)
		word   string
	}{
		"no db":          {nil, func(*journalpg.Options) {}, "db"},
		"one connection": {one, func(*journalpg.Options) {}, "SetMaxOpenConns"},
		"schema":         {db, func(o *journalpg.Options) { o.Schema = `x"; DROP` }, "options.Schema"},
		"blank scope":    {db, func(o *journalpg.Options) { o.Scope = " " }, "options.Scope"},
		"space in scope": {db, func(o *journalpg.Options) { o.Scope = scope + " " }, "options.Scope"},
		"mark in scope":  {db, func(o *journalpg.Options) { o.Scope = "\ufeff" + scope }, "options.Scope"},
		"NUL in scope":   {db, func(o *journalpg.Options) { o.Scope = scope + "\x00" }, "options.Scope"},
		"busy":           {db, func(o *journalpg.Options) { o.Busy = 29 * time.Minute }, "options.Busy"},
		"lease":          {db, func(o *journalpg.Options) { o.Lease = -1 }, "options.Lease"},
		"no key":         {db, func(o *journalpg.Options) { o.Key = nil }, "options.Key"},
		"short key":      {db, func(o *journalpg.Options) { o.Key = make([]byte, 31) }, "options.Key"},
		"short old key":  {db, func(o *journalpg.Options) { o.OldKeys = [][]byte{key(), nil} }, "options.OldKeys"},
	} {
		o := good
		c.change(&o)
		_, err := journalpg.New(c.db, &o)
		if !errors.Is(err, intune.ErrInvalidArgument) {
			t.Errorf("%s: %v", name, err)
		} else if !strings.Contains(err.Error(), c.word) {
			t.Errorf("%s: the error does not name %s: %v", name, c.word, err)
		}
	}
	if _, err := journalpg.New(db, &good); err != nil {
		t.Error(err)
	}
	var none *journalpg.Journal
	ctx, errs := t.Context(), map[string]error{}
	errs["Asking"] = none.Asking(ctx, asking(device()))
	errs["Asked"] = none.Asked(ctx, asked(asking(device()), intune.OutcomeAccepted))
	errs["Ended"] = none.Ended(ctx, ended(asking(device()), intune.SessionReady))
	_, errs["Claim"] = none.Claim(ctx, 1)
	_, errs["ClaimRequest"] = none.ClaimRequest(ctx, "id")
	_, errs["Find"] = none.Find(ctx, "id")
	_, errs["Interrupted"] = none.Interrupted(ctx, 1)
	errs["Forget"], errs["Migrate"] = none.Forget(ctx, time.Now()), none.Migrate(ctx)
	errs["Resume"] = journalpg.Resume(ctx, none, &intune.Client{}, func(intune.OpenResult) {})
	for _, err := range none.Requests(ctx, time.Time{}) {
		errs["Requests"] = err
	}
	for name, err := range errs {
		if !errors.Is(err, intune.ErrInvalidArgument) {
			t.Errorf("%s of a nil journal: %v", name, err)
		}
	}
	must(t, none.Close())
}
