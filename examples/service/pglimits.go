package main

import (
	"context"
	"database/sql"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/google/uuid"
)

// limitTables makes the tables of limits and of copies. Whoever writes them can keep people from asking and slow the copies down,
// or let them ask more than they should.
const limitTables = `
CREATE TABLE {schema}.person_use (
	owner text NOT NULL,
	what text NOT NULL,
	at timestamptz[] NOT NULL,
	PRIMARY KEY (owner, what)
);
COMMENT ON TABLE {schema}.person_use IS 'what people did in the last minute, by the clock of the database';
CREATE TABLE {schema}.copy (
	id uuid PRIMARY KEY,
	scope text NOT NULL,
	seen_at timestamptz NOT NULL,
	part double precision NOT NULL
);
COMMENT ON TABLE {schema}.copy IS 'copies of the service that run, and the part that each uses of what Intune allows the app'`

// limitSettings are those of each transaction. A copy that is stopped within one holds its locks no longer than that.
const limitSettings = `SELECT set_config('lock_timeout', '2s', true), set_config('statement_timeout', '2s', true),
	set_config('idle_in_transaction_session_timeout', '2s', true)`

func inLimitTx(ctx context.Context, db *sql.DB, work func(*sql.Tx) error) error {
	_, err := inTx(ctx, db, limitSettings, func(_ context.Context, tx *sql.Tx) error { return work(tx) })
	return err
}

// countUse counts one use if it is not one too many, and is how many seconds to wait if it is. A use in the future is of a
// clock that was wrong.
const countUse = `WITH taken AS (
	INSERT INTO {schema}.person_use AS u (owner, what, at) VALUES ($1::text, $2::text, ARRAY[clock_timestamp()])
	ON CONFLICT (owner, what) DO UPDATE SET at = clock_timestamp() || ARRAY(
		SELECT t FROM unnest(u.at) AS t WHERE t BETWEEN clock_timestamp() - interval '1 minute' AND clock_timestamp() ORDER BY t DESC)
	WHERE (SELECT count(*) FROM unnest(u.at) AS t WHERE t BETWEEN clock_timestamp() - interval '1 minute' AND clock_timestamp()) < $3::int
	RETURNING 1)
SELECT CASE WHEN EXISTS (SELECT FROM taken) THEN 0 ELSE greatest(1, (
	SELECT extract(epoch FROM at[$3::int] + interval '1 minute' - clock_timestamp())
	FROM {schema}.person_use WHERE owner = $1::text AND what = $2::text)) END::double precision`

// databasePause is for how long nobody waits for a database that did not answer.
const databasePause = 5 * time.Second

// pgLimits counts in PostgreSQL, for all copies together. While the database is away, each copy counts for itself.
type pgLimits struct {
	*pgShared

	log    *slog.Logger
	memory *memoryLimits

	mu      sync.Mutex
	refused map[countKey]time.Time // until when the answer is known
	away    time.Time              // until when the database is not asked
}

func newPGLimits(shared *pgShared, log *slog.Logger) *pgLimits {
	return &pgLimits{pgShared: shared, log: log, memory: newMemoryLimits(), refused: map[countKey]time.Time{}}
}

func (l *pgLimits) take(ctx context.Context, owner string, what use) time.Duration {
	key := countKey{owner, what.name}
	wait, away := l.known(key)
	switch {
	case wait > 0:
		return wait
	case away:
		return l.memory.take(ctx, owner, what)
	}
	within, cancel := context.WithTimeout(ctx, limitWithin)
	defer cancel()
	var seconds float64
	err := inLimitTx(within, l.db, func(tx *sql.Tx) error {
		return tx.QueryRowContext(within, l.sql(countUse), owner, what.name, what.most).Scan(&seconds)
	})
	switch {
	case ctx.Err() != nil: // whoever asked has gone
		return 0
	case err != nil:
		l.failed(err)
		return l.memory.take(ctx, owner, what)
	}
	wait = time.Duration(seconds * float64(time.Second))
	if wait > 0 {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.refused[key] = time.Now().Add(wait)
	}
	return wait
}

// known is what needs no question to the database, so that a flood of requests does not reach it.
func (l *pgLimits) known(key countKey) (wait time.Duration, away bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(time.Until(l.refused[key]), 0), time.Now().Before(l.away)
}

func (l *pgLimits) failed(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = time.Now().Add(databasePause)
	l.log.Warn("what people do is counted in this copy only: the database does not answer", "cause", err.Error())
}

func (l *pgLimits) tidy(ctx context.Context) {
	l.memory.tidy(ctx)
	l.mu.Lock()
	now := time.Now()
	maps.DeleteFunc(l.refused, func(_ countKey, until time.Time) bool { return !until.After(now) })
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, limitWithin)
	defer cancel()
	err := inLimitTx(ctx, l.db, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, l.sql(`DELETE FROM {schema}.person_use
			WHERE at[1] NOT BETWEEN clock_timestamp() - interval '1 minute' AND clock_timestamp() + interval '1 minute'`))
		return err
	})
	if err != nil {
		l.failed(err)
	}
}

// pgCopy is this copy's row in PostgreSQL.
type pgCopy struct {
	*pgShared

	id uuid.UUID
}

func newPGCopy(shared *pgShared) *pgCopy { return &pgCopy{shared, uuid.New()} }

func (c *pgCopy) renew(ctx context.Context, before float64, lower func(part float64)) (part, share float64, err error) {
	err = inLimitTx(ctx, c.db, func(tx *sql.Tx) error {
		exec := func(statement string, args ...any) error {
			_, err := tx.ExecContext(ctx, c.sql(statement), args...)
			return err
		}
		// One copy after the other, or two would take the same part.
		if err := exec(`SELECT pg_advisory_xact_lock(hashtext($1::text))`, "copies "+c.schema+" "+c.scope); err != nil {
			return err
		}
		// A row of the future is of a clock that was wrong.
		err := exec(`DELETE FROM {schema}.copy WHERE scope = $1::text AND id <> $2::uuid
			AND abs(extract(epoch FROM clock_timestamp() - seen_at)) > $3::double precision`, c.scope, c.id.String(), copyGone.Seconds())
		if err != nil {
			return err
		}
		var others int
		var used float64
		err = tx.QueryRowContext(ctx, c.sql(`SELECT count(*), coalesce(sum(part), 0) FROM {schema}.copy
			WHERE scope = $1::text AND id <> $2::uuid`), c.scope, c.id.String()).Scan(&others, &used)
		if err != nil {
			return err
		}
		share = dividedPart / float64(others+1)
		part = max(min(share, dividedPart-used), lostPart)
		if part < before {
			lower(part)
		}
		return exec(`INSERT INTO {schema}.copy (id, scope, seen_at, part) VALUES ($1::uuid, $2::text, clock_timestamp(), $3)
			ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, part = excluded.part`, c.id.String(), c.scope, part)
	})
	return part, share, err
}

func (c *pgCopy) leave(ctx context.Context) error {
	_, err := c.db.ExecContext(ctx, c.sql(`DELETE FROM {schema}.copy WHERE id = $1::uuid`), c.id.String())
	return err
}
