package journalpg_test

import (
	"database/sql"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-intune/intune"

	"github.com/go-intune/intune/journalpg"
)

// 160 copies start at once.
func TestJournalMigrate_ManyStarts(t *testing.T) {
	t.Parallel()
	db := open(t, "pgx", server(t))
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20)
	f := &fixture{t: t, db: db, schema: schemaName()}
	t.Cleanup(func() { _, _ = db.Exec(`DROP SCHEMA IF EXISTS ` + f.schema + ` CASCADE`) })
	var starts sync.WaitGroup
	begin := make(chan struct{})
	for range 160 {
		j := f.journal()
		starts.Go(func() {
			<-begin
			if err := j.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	close(begin)
	starts.Wait()
	if n := f.count(`SELECT major FROM ` + f.schema + `.version`); n != 1 {
		t.Errorf("the version is %d", n)
	}
}

// One start works, and all others wait for it.
func TestJournalMigrate_WaitsForItsTurn(t *testing.T) {
	t.Parallel()
	f := &fixture{t: t, db: open(t, "pgx", server(t)), schema: schemaName()}
	t.Cleanup(func() { _, _ = f.db.Exec(`DROP SCHEMA IF EXISTS ` + f.schema + ` CASCADE`) })
	tx, err := f.db.BeginTx(t.Context(), nil)
	must(t, err)
	_, err = tx.ExecContext(t.Context(), `SELECT pg_advisory_xact_lock(hashtext($1))`, "journalpg "+f.schema)
	must(t, err)
	done := make(chan error, 1)
	j := f.journal()
	go func() { done <- j.Migrate(t.Context()) }()
	select {
	case err := <-done:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(500 * time.Millisecond):
	}
	must(t, tx.Rollback())
	must(t, <-done)
}

// During a deployment two versions run: a newer minor one has only added, a newer major one not.
func TestJournalMigrate_NewerVersions(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.exec(`CREATE OR REPLACE VIEW ` + f.schema + `.version AS SELECT 1 AS major, 7 AS minor`)
	f.exec(`ALTER TABLE {request} ADD COLUMN added text NOT NULL DEFAULT 'x'`)
	j := f.journal()
	must(t, j.Migrate(t.Context()))
	entry := ask(t, j, device())
	must(t, j.Ended(t.Context(), ended(entry, intune.SessionReady)))
	f.exec(`CREATE OR REPLACE VIEW ` + f.schema + `.version AS SELECT 2 AS major, 0 AS minor`)
	for name, err := range map[string]error{
		"Migrate": f.journal().Migrate(t.Context()), "Asking": f.journal().Asking(t.Context(), asking(device())),
	} {
		if err == nil {
			t.Errorf("%s accepts a newer major version", name)
		} else if !strings.Contains(err.Error(), "version 2.") {
			t.Errorf("%s does not name the version: %v", name, err)
		}
	}
}

// Copies of the version before write while the tables become those of the next one, and after it. The older copy is one that has
// seen its tables: what it does until its end, version 1.0 did too.
func TestJournalMigrate_From10(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	old, next := f.journal(), f.journal()
	before := ask(t, old, device())
	for _, statement := range []string{
		`DROP FUNCTION ` + f.schema + `.request_change CASCADE`, `DROP SEQUENCE ` + f.schema + `.change`,
		`ALTER TABLE {request} DROP COLUMN change`, `CREATE OR REPLACE VIEW ` + f.schema + `.version AS SELECT 1 AS major, 0 AS minor`,
	} {
		f.exec(statement)
	}
	var entries []intune.JournalEntry
	stop, stopped, warm := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			if n == 20 {
				close(warm)
			}
			entry := asking(device())
			err := old.Asking(t.Context(), entry)
			if err == nil {
				err = old.Asked(t.Context(), asked(entry, intune.OutcomeAccepted))
			}
			if err != nil {
				t.Error(err)
			}
			entries = append(entries, entry)
		}
	}()
	<-warm
	if err := next.Asking(t.Context(), asking(device())); err == nil || !strings.Contains(err.Error(), "1.0") {
		t.Errorf("it does not ask for Migrate: %v", err)
	}
	must(t, next.Migrate(t.Context()))
	migrated := f.count(`SELECT count(*) FROM {request}`)
	eventually(t, func() bool { return f.count(`SELECT count(*) FROM {request}`) > migrated+20 })
	close(stop)
	<-stopped
	numbered := map[int64]bool{}
	for _, entry := range entries {
		if change := find(t, next, entry.ClientRequestID).Change; change > 0 && numbered[change] {
			t.Errorf("two requests have the number %d", change)
		} else {
			numbered[change] = true
		}
	}
	if n := f.count(`SELECT count(*) FROM {request} WHERE change > 0`); n < 20 {
		t.Errorf("%d requests have a number", n)
	}
	if change := find(t, next, before.ClientRequestID).Change; change != 0 {
		t.Errorf("what was there before has the number %d", change)
	}
	must(t, old.Ended(t.Context(), ended(before, intune.SessionReady)))
	if change := find(t, next, before.ClientRequestID).Change; change == 0 {
		t.Error("the older copy gives no number")
	}
}

func TestJournal_WithoutTables(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal(func(o *journalpg.Options) { o.Schema = schemaName() })
	err := j.Asking(t.Context(), asking(device()))
	if err == nil || !strings.Contains(err.Error(), "Migrate") {
		t.Errorf("the error does not say what to do: %v", err)
	}
}

// The statements of the README make two roles.
func TestJournal_Roles(t *testing.T) {
	t.Parallel()
	admin := open(t, "pgx", server(t))
	schema, owner, app := schemaName(), schemaName()+"_o", schemaName()+"_a"
	names := strings.NewReplacer("intune_owner", owner, "intune_app", app, "SCHEMA intune", "SCHEMA "+schema)
	for statement := range strings.SplitSeq(readmeSQL(t, "CREATE ROLE"), ";") {
		if strings.TrimSpace(statement) != "" {
			_, err := admin.ExecContext(t.Context(), names.Replace(statement))
			must(t, err)
		}
	}
	t.Cleanup(func() {
		for _, statement := range []string{
			`DROP SCHEMA ` + schema + ` CASCADE`, `DROP OWNED BY ` + owner, `DROP OWNED BY ` + app, `DROP ROLE ` + app, `DROP ROLE ` + owner,
		} {
			if _, err := admin.Exec(statement); err != nil {
				t.Error(err)
			}
		}
	})
	as := func(role string) *sql.DB {
		at, err := url.Parse(server(t))
		must(t, err)
		at.User = url.User(role)
		db := open(t, "pgx", at.String())
		if err := db.PingContext(t.Context()); err != nil {
			t.Skipf("the server lets %s not in without a password: %v", role, err)
		}
		return db
	}
	f := &fixture{t: t, db: as(app), schema: schema}
	j := f.journal()
	if err := j.Migrate(t.Context()); err == nil {
		t.Error("the application may make tables")
	}
	must(t, f.journalOn(as(owner)).Migrate(t.Context()))
	must(t, j.Migrate(t.Context())) // nothing is to be done
	entry := ask(t, j, device())
	must(t, j.Ended(t.Context(), ended(entry, intune.SessionLeft)))
	claimed := claimOne(t, j)
	must(t, j.Ended(claimed.Context, ended(entry, intune.SessionReady)))
	must(t, j.Asked(t.Context(), asked(asking(device()), intune.OutcomeUnknown)))
	must(t, j.Forget(t.Context(), time.Now().Add(time.Hour)))
	if n := len(requests(t, j)); n != 2 {
		t.Errorf("the record has %d requests", n)
	}
	for _, statement := range []string{
		`DELETE FROM {request}`, `TRUNCATE {request}`, `DROP TABLE {request}`, `ALTER TABLE {request} ADD COLUMN x int`,
		`CREATE TABLE ` + schema + `.other (x int)`, `CREATE INDEX ON {request} (outcome)`, `UPDATE ` + schema + `.version SET major = 7`,
		`DELETE FROM ` + schema + `.version`,
	} {
		if _, err := f.db.ExecContext(t.Context(), strings.ReplaceAll(statement, "{request}", schema+".request")); err == nil {
			t.Errorf("the application may: %s", statement)
		}
	}
	must(t, j.Close())
}
