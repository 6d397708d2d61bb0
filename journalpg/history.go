package journalpg

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"time"

	"github.com/go-intune/intune"
)

const (
	pageRows   = 500
	forgetRows = 1000
)

// Requests returns the requests that were made at since or later, in the order of asking, by the clock of the database. It reads page
// by page, each in ten seconds at most, so that any number of requests needs no memory. Times are those of the database. What
// [Journal.Forget] has removed is missing.
//
// A row that somebody changed who does not have Options.Key gives an error, with what its columns say of device, outcome and
// end; the loop may go on. After any other error nothing comes.
func (j *Journal) Requests(ctx context.Context, since time.Time) iter.Seq2[intune.JournalRequest, error] {
	return func(yield func(intune.JournalRequest, error) bool) {
		if err := j.usable(ctx); err != nil {
			yield(intune.JournalRequest{}, err)
			return
		}
		if err := j.ready(ctx); err != nil {
			yield(intune.JournalRequest{}, fmt.Errorf("read the journal: %w", err))
			return
		}
		after := &row{askingAt: since}
		for {
			page, err := run(ctx, j.db, func(ctx context.Context, tx *sql.Tx) ([]*row, error) {
				return query(ctx, tx, j.sql(`SELECT `+columns+` FROM {request}
					WHERE scope = $1::text AND (asking_at, id) > ($2::timestamptz, $3::bigint)
					ORDER BY asking_at, id LIMIT $4::bigint`), j.scope, after.askingAt.UTC(), after.id, pageRows)
			})
			if err != nil {
				yield(intune.JournalRequest{}, fmt.Errorf("read the journal: %w", err))
				return
			}
			for _, r := range page {
				if !yield(j.request(r)) {
					return
				}
			}
			if len(page) < pageRows {
				return
			}
			after = page[len(page)-1]
		}
	}
}

// Forget removes what is about people from the requests that were made before a time: actors, references, callers, the users of
// addresses, texts of errors, and tokens, so that their waits can't go on. The id of the device, the client-request-id (which stays
// used), the outcome and the times stay. A request whose device is busy, because it is being made or a wait goes on, is passed over.
//
// It takes 1,000 requests at a time, each of these steps ten seconds at most; if ctx ends or an error comes between, what
// was removed is removed. Copies of the database, such as backups and its write-ahead log, keep what they have.
func (j *Journal) Forget(ctx context.Context, before time.Time) error {
	if err := j.usable(ctx); err != nil {
		return err
	}
	if err := j.ready(ctx); err != nil {
		return fmt.Errorf("forget requests of the journal: %w", err)
	}
	for {
		n, err := run(ctx, j.db, func(ctx context.Context, tx *sql.Tx) (int64, error) {
			result, err := tx.ExecContext(ctx, j.sql(`UPDATE {request} SET
					forgotten = true, open = false, has_token = false, superseded_by = NULL, copy = NULL, lease_until = NULL,
					asking = NULL, asking_seal = NULL, asked = NULL, asked_seal = NULL, ended = NULL, ended_seal = NULL
				WHERE id IN (SELECT id FROM {request} WHERE scope = $1::text AND asking_at < $2::timestamptz AND NOT forgotten
					AND NOT (open AND `+busyRow("false")+`) ORDER BY asking_at, id LIMIT $3::bigint FOR UPDATE SKIP LOCKED)`),
				j.scope, before.UTC(), forgetRows)
			if err != nil {
				return 0, err
			}
			return result.RowsAffected()
		})
		if err != nil {
			return fmt.Errorf("forget requests of the journal: %w", err)
		}
		if n == 0 {
			return nil
		}
	}
}
