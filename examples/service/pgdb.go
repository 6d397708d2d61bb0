package main

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// pgWithin is how long a call waits for the database.
	pgWithin = 10 * time.Second
	// pgConnections is how many connections of the server a copy uses at most, beside that of the listener.
	pgConnections = 16
	// pgPingWithin is how long a connection that was idle may take to show that it lives. A network that forgets connections says
	// nothing, and each of them would hold up somebody for pgWithin.
	pgPingWithin = time.Second
)

// pgConfig reads a DSN. Its errors do not show a password.
func pgConfig(dsn string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil { // its text begins with the DSN, in which pgx finds most passwords, but not all
		text := err.Error()
		return nil, errors.New("cannot be read: " + text[strings.LastIndex(text, "`: ")+1:])
	}
	if !strings.Contains(dsn, "default_query_exec_mode") {
		config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe // named statements fail behind pgbouncer's transaction mode
	}
	return config, nil
}

// openPool opens nothing yet.
func openPool(config *pgx.ConnConfig) *sql.DB {
	db := stdlib.OpenDB(*config, stdlib.OptionShouldPing(func(ctx context.Context, p stdlib.ShouldPingParams) bool {
		if p.IdleDuration < time.Second {
			return false
		}
		ctx, cancel := context.WithTimeout(ctx, pgPingWithin)
		defer cancel()
		return p.Conn.PgConn().Ping(ctx) != nil // which closes it, so that the next ping fails at once
	}))
	db.SetMaxOpenConns(pgConnections)
	db.SetMaxIdleConns(pgConnections)
	db.SetConnMaxIdleTime(5 * time.Minute)
	db.SetConnMaxLifetime(time.Hour)
	return db
}

// pgShared is where the copies of one app meet.
type pgShared struct {
	db     *sql.DB
	schema string // of the tables
	scope  string // whose devices these are, and within which Intune limits the app: the host of Graph and the tenant
}

// sql is a statement in which {schema} stands for the quoted name of the schema.
func (s *pgShared) sql(text string) string {
	return strings.ReplaceAll(text, "{schema}", `"`+s.schema+`"`)
}

// pgSettings are those of each transaction, so that a pooler can hand the connection to somebody else after it.
const pgSettings = `SELECT set_config('lock_timeout', '3s', true), set_config('statement_timeout', '5s', true),
	set_config('idle_in_transaction_session_timeout', '5s', true), set_config('synchronous_commit', 'on', true)`

// tx runs work in one transaction, again if that may help, and for pgWithin at most. work may run again after it was committed.
// A database that can't be reached is told at once, unless nobody knows whether it has committed.
func (p *pgStore) tx(ctx context.Context, work func(context.Context, *sql.Tx) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, pgWithin)
	defer cancel()
	unclear := false
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		var begun bool
		if begun, err = inTx(ctx, p.db, pgSettings, work); err == nil {
			return nil
		}
		unclear = unclear || begun && mayPass(err)
		if !unclear || !mayPass(err) {
			return err
		}
		if pauseFor(ctx, pause) != nil {
			return err
		}
	}
}

// inTx runs work in one transaction, and says whether that had begun. At a stricter level of isolation, which a server can have by
// default, those who write the same rows at the same time would fail.
func inTx(
	ctx context.Context, db *sql.DB, settings string, work func(context.Context, *sql.Tx) error,
) (begun bool, err error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return false, err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback() // it is over already, or its connection is
		}
	}()
	if _, err := tx.ExecContext(ctx, settings); err != nil {
		return true, err
	}
	if err := work(ctx, tx); err != nil {
		return true, err
	}
	return true, tx.Commit()
}

// mayPass reports whether another attempt may succeed: the connection broke, the server restarts, or somebody else was in the way.
func mayPass(err error) bool {
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	state := sqlState(err)
	if state == "" {
		_, own := errors.AsType[plainError](err)
		return !own
	}
	return statePasses(state)
}

func statePasses(state string) bool {
	return strings.HasPrefix(state, "08") || strings.HasPrefix(state, "40") || strings.HasPrefix(state, "57P") || state == "55P03"
}

// sqlState is PostgreSQL's code of an error, "" if the error is not the server's.
func sqlState(err error) string {
	coded, ok := errors.AsType[interface {
		error
		SQLState() string
	}](err)
	if !ok {
		return ""
	}
	return coded.SQLState()
}
