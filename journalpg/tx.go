package journalpg

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	// bound is how long a method takes, all its attempts together, so that it returns within ten seconds on a busy machine too.
	bound = 9 * time.Second

	// attemptBound is how long one attempt takes at most, so that one on a dead connection leaves time for another.
	attemptBound = 4 * time.Second

	// grace is how long an attempt may take to notice that its time is over.
	grace = 200 * time.Millisecond

	// settings are those of each transaction. They hold for the transaction only, so that a pooler can hand the connection to
	// somebody else after it. The server gives up a statement a little later than the copy does.
	settings = `SELECT set_config('lock_timeout', '3s', true), set_config('statement_timeout', '5s', true),
		set_config('idle_in_transaction_session_timeout', '5s', true), set_config('synchronous_commit', 'on', true)`
)

// beginner is a pool or one connection.
type beginner interface {
	BeginTx(ctx context.Context, options *sql.TxOptions) (*sql.Tx, error)
}

// stage is how far an attempt came that failed.
type stage int

const (
	stageBegin     stage = iota // no connection, or no transaction on it
	stageStatement              // rolled back
	stageUnclear                // nobody knows whether it was committed
)

// txError is the error of an attempt.
type txError struct {
	stage stage
	cause error
}

func (e *txError) Error() string {
	if e.stage == stageUnclear {
		return "nobody knows whether the database has committed: " + e.cause.Error()
	}
	if e.stage == stageBegin {
		return "no connection to the database: " + e.cause.Error()
	}
	return e.cause.Error()
}

func (e *txError) Unwrap() error { return e.cause }

// refusal marks an error that is a journal's answer, and no failure of the database.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// inTx runs work in one transaction. At repeatable read or serializable, half of those who ask for one device at the same time
// would fail (40001), so it does not leave the level to the database's default.
func inTx[T any](ctx context.Context, db beginner, work func(context.Context, *sql.Tx) (T, error)) (result T, err error) {
	var none T
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return none, &txError{stageBegin, err}
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback() // it is over already, or its connection is
		}
	}()
	var ignored [4]string
	if err := tx.QueryRowContext(ctx, settings).Scan(&ignored[0], &ignored[1], &ignored[2], &ignored[3]); err != nil {
		return none, &txError{stageStatement, err}
	}
	result, err = work(ctx, tx)
	if err != nil {
		return none, &txError{stageStatement, err}
	}
	if err := tx.Commit(); err != nil {
		if commitFailed(err) {
			return none, &txError{stageStatement, err}
		}
		return none, &txError{stageUnclear, err}
	}
	return result, nil
}

// commitFailed reports whether the server said that it has not committed. Without an answer nobody knows, and a server that
// shuts down may have committed before it says so.
func commitFailed(err error) bool {
	state := sqlState(err)
	return state != "" && !strings.HasPrefix(state, "08") && !strings.HasPrefix(state, "57P") && state != "40003"
}

// sqlState is the code of an error of the server, "" if it is none. All drivers in use have the method.
func sqlState(err error) string {
	var coded interface{ SQLState() string }
	if errors.As(err, &coded) {
		return coded.SQLState()
	}
	return ""
}

// attempt runs work in one transaction, and returns when its time is over even if the driver doesn't.
func attempt[T any](ctx context.Context, db beginner, work func(context.Context, *sql.Tx) (T, error)) (T, error) {
	type outcome struct {
		result T
		err    error
	}
	ctx, cancel := context.WithTimeout(ctx, attemptBound)
	done := make(chan outcome, 1)
	go func() {
		defer cancel()
		result, err := inTx(ctx, db, work)
		done <- outcome{result, err}
	}()
	select {
	case o := <-done:
		return o.result, o.err
	case <-ctx.Done():
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case o := <-done:
		return o.result, o.err
	case <-late.C:
		var none T
		return none, &txError{stageUnclear, fmt.Errorf("the driver does not return: %w", context.Cause(ctx))}
	}
}

// run runs work until it succeeds, at most for as long as a method may take. work may be repeated after it was
// committed, and has to notice that.
func run[T any](ctx context.Context, db beginner, work func(context.Context, *sql.Tx) (T, error)) (T, error) {
	result, _, err := runClearly(ctx, db, work)
	return result, err
}

// runClearly is run, and reports whether an attempt that failed may have been committed.
func runClearly[T any](
	ctx context.Context, db beginner, work func(context.Context, *sql.Tx) (T, error),
) (result T, unclear bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		if ended := ctx.Err(); ended != nil {
			if err == nil {
				err = ended
			}
			return result, unclear, err
		}
		result, err = attempt(ctx, db, work)
		failed, _ := errors.AsType[*txError](err)
		unclear = unclear || failed != nil && failed.stage == stageUnclear
		if err == nil || !mayPass(err, unclear) {
			return result, unclear, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// mayPass reports whether another attempt may succeed. A database that can't be reached is told at once, unless an attempt
// is unclear: then it is worth the time to find out.
func mayPass(err error, unclear bool) bool {
	failed, ok := errors.AsType[*txError](err)
	if _, answered := errors.AsType[refusal](err); answered || !ok {
		return false
	}
	state := sqlState(err)
	switch {
	case failed.stage == stageUnclear:
		return true
	case failed.stage == stageBegin:
		return unclear
	case state == "": // the connection broke
		return true
	case strings.HasPrefix(state, "08"), strings.HasPrefix(state, "57P"):
		return true
	}
	switch state {
	case "40001", "40P01", // serialization failure, deadlock
		"55P03", "57014", "25P03", // a lock, a statement, a transaction took too long
		"23505": // another one came between
		return true
	default:
		return false
	}
}
