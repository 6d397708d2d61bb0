package journalpg

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The version of the tables. A minor version only adds, so that copies of the version before go on; a major one would not.
const (
	majorVersion = 1
	minorVersion = 1

	migrateBound = time.Minute
)

// migrations has one step for each minor version. A step adds, and changes nothing that an earlier version of this
// package reads or writes.
var migrations = [minorVersion + 1]string{
	`
CREATE TABLE {request} (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	scope text NOT NULL,
	device_id text NOT NULL,
	client_request_id text NOT NULL,
	nonce text NOT NULL UNIQUE,
	open boolean NOT NULL,
	key_used boolean NOT NULL,
	waits boolean NOT NULL,
	has_token boolean NOT NULL,
	forgotten boolean NOT NULL DEFAULT false,
	outcome text,
	session text,
	asking_at timestamptz NOT NULL,
	asked_at timestamptz,
	ended_at timestamptz,
	busy_until timestamptz NOT NULL,
	confirm_until timestamptz NOT NULL,
	copy text,
	fence bigint NOT NULL DEFAULT 1,
	lease_until timestamptz,
	superseded_by text,
	asking text,
	asking_seal text,
	asked text,
	asked_seal text,
	ended text,
	ended_seal text
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX request_device ON {request} (scope, device_id) WHERE open;
CREATE UNIQUE INDEX request_key ON {request} (scope, client_request_id) WHERE key_used;
CREATE INDEX request_keys ON {request} (scope, client_request_id);
CREATE INDEX request_devices ON {request} (scope, device_id, asking_at);
CREATE INDEX request_time ON {request} (scope, asking_at, id);
CREATE INDEX request_waiting ON {request} (scope, asking_at, id) WHERE open AND has_token;
CREATE INDEX request_superseded ON {request} (superseded_by) WHERE superseded_by IS NOT NULL;
COMMENT ON TABLE {request} IS 'requests for remote assistance, one row each; times are those of the database';
COMMENT ON COLUMN {request}.nonce IS 'of the attempt to insert the row, so that an unclear commit can be tried again';
COMMENT ON COLUMN {request}.open IS 'the device may be busy, or a wait may go on';
COMMENT ON COLUMN {request}.key_used IS 'the user was or may have been asked, so that the client-request-id is used up';
COMMENT ON COLUMN {request}.copy IS 'the copy of the program that waits, until lease_until';
COMMENT ON COLUMN {request}.fence IS 'how many copies have held the wait';
COMMENT ON COLUMN {request}.superseded_by IS 'nonce of the request that took the device';
COMMENT ON COLUMN {request}.forgotten IS 'Forget has removed what is about people'`,
	// Triggers, so that copies of version 1.0 number their changes too. They have their owner's rights, because those that the
	// application was given are on tables. A renewal counts only if one could see that the lease had lapsed.
	`
CREATE SEQUENCE {schema}.change;
COMMENT ON SEQUENCE {schema}.change IS 'numbers changes of requests; other tables of this schema may use it too';
ALTER TABLE {request} ADD COLUMN change bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN {request}.change IS 'grows with each change but renewals of the lease, and the id is announced';
CREATE FUNCTION {schema}.request_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS ` +
		`$$ BEGIN NEW.change := nextval('{schema}.change'); PERFORM pg_notify(TG_TABLE_SCHEMA, NEW.id::text); RETURN NEW; END $$;
CREATE TRIGGER request_change BEFORE INSERT OR UPDATE OF open, key_used, waits, has_token, forgotten, outcome, session, copy, fence,
	asking, asked, ended ON {request} FOR EACH ROW EXECUTE FUNCTION {schema}.request_change();
CREATE TRIGGER request_held_again BEFORE UPDATE OF lease_until ON {request} FOR EACH ROW
	WHEN (OLD.lease_until <= clock_timestamp() AND NEW.copy = OLD.copy) EXECUTE FUNCTION {schema}.request_change()`,
}

// Migrate makes the schema and its tables, or brings those of an earlier version up to date. It is one transaction, which
// any number of copies can run at the same time; copies of the version before go on with their work meanwhile. It needs a
// role that owns the schema, or may create it; if nothing is to be done, the application's role is enough.
//
// It waits for a lock on the tables for three seconds at a time, so that it holds up nobody longer than that, and gives up
// after a minute, or when ctx ends.
func (j *Journal) Migrate(ctx context.Context) error {
	if err := j.usable(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, migrateBound)
	defer cancel()
	for {
		err := j.migrateOnce(ctx)
		switch {
		case err == nil:
			j.versionSeen.Store(true)
			return nil
		case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) && !mayPass(err, false): // the database is away
			return fmt.Errorf("migrate the journal: %w", err)
		}
	}
}

func (j *Journal) migrateOnce(ctx context.Context) error {
	current, err := run(ctx, j.db, j.readVersion)
	if err != nil {
		return err
	}
	if current.exists && !current.needsMigration() {
		return current.check()
	}
	_, err = run(ctx, j.db, j.migrate)
	return err
}

func (j *Journal) migrate(ctx context.Context, tx *sql.Tx) (struct{}, error) {
	// A copy that starts waits for its turn; all others find that nothing is to be done.
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext($1::text))`, "journalpg "+j.schema); err != nil {
		return struct{}{}, err
	}
	current, err := j.readVersion(ctx, tx)
	if err != nil {
		return struct{}{}, err
	}
	if current.exists && !current.needsMigration() {
		return struct{}{}, current.check()
	}
	if !current.schema {
		if _, err := tx.ExecContext(ctx, j.sql(`CREATE SCHEMA {schema}`)); err != nil {
			return struct{}{}, err
		}
	}
	first := 0
	if current.exists {
		first = current.minor + 1
	}
	for _, step := range migrations[first:] {
		for statement := range strings.SplitSeq(step, ";\n") {
			if _, err := tx.ExecContext(ctx, j.sql(statement)); err != nil {
				return struct{}{}, err
			}
		}
	}
	// A view without a table can't be changed by those who may write all tables.
	_, err = tx.ExecContext(ctx, j.sql(fmt.Sprintf(`CREATE OR REPLACE VIEW {schema}.version AS SELECT %d AS major, %d AS minor`,
		majorVersion, minorVersion)))
	return struct{}{}, err
}

// version is that of the tables.
type version struct {
	schema, exists bool
	major, minor   int
}

func (v version) needsMigration() bool { return v.major == majorVersion && v.minor < minorVersion }

// check refuses tables that this version of the package can't work on. It accepts a newer minor version, because during a
// deployment two versions of a program run.
func (v version) check() error {
	switch {
	case !v.exists:
		return refusal{errors.New("the database has no journal in this schema: run Migrate as the owner")}
	case v.major != majorVersion:
		return refusal{fmt.Errorf("the journal in the database has version %d.%d, and this program works with %d.x: run one of that version",
			v.major, v.minor, majorVersion)}
	case v.minor < minorVersion:
		return refusal{fmt.Errorf("the journal in the database has version %d.%d, and this program needs %d.%d: run Migrate as the owner",
			v.major, v.minor, majorVersion, minorVersion)}
	default:
		return nil
	}
}

func (j *Journal) readVersion(ctx context.Context, tx *sql.Tx) (version, error) {
	var v version
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1::text),
		EXISTS (SELECT FROM pg_catalog.pg_views WHERE schemaname = $1::text AND viewname = 'version')`, j.schema).Scan(&v.schema, &v.exists)
	if err != nil || !v.exists {
		return v, err
	}
	err = tx.QueryRowContext(ctx, j.sql(`SELECT major, minor FROM {schema}.version`)).Scan(&v.major, &v.minor)
	return v, err
}

// ready checks once that the tables are there.
func (j *Journal) ready(ctx context.Context) error {
	if j.versionSeen.Load() {
		return nil
	}
	v, err := run(ctx, j.db, j.readVersion)
	if err == nil {
		err = v.check()
	}
	if err == nil {
		j.versionSeen.Store(true)
	}
	return err
}

// usable refuses what no method can work with, and a context that has ended.
func (j *Journal) usable(ctx context.Context) error {
	if err := j.valid(ctx); err != nil {
		return err
	}
	return ctx.Err()
}

// valid refuses what no method can work with.
func (j *Journal) valid(ctx context.Context) error {
	switch {
	case j == nil || j.db == nil:
		return invalidArgument("j", "was not made by journalpg.New")
	case ctx == nil:
		return invalidArgument("ctx", "is nil; pass context.Background() if there is no other")
	case j.life.Err() != nil:
		return errClosed
	default:
		return nil
	}
}

// microseconds is a duration for SQL.
func microseconds(d time.Duration) int64 { return d.Microseconds() }
