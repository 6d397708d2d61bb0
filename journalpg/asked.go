package journalpg

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-intune/intune"
)

// Asked implements [intune.Journal]. What can't be recorded now is recorded as soon as the database can be reached, as long as
// this journal is not closed; until then the outcome is unknown to all.
//
// A program that has learned what became of a request can call it with the device, the client-request-id and the outcome.
func (j *Journal) Asked(ctx context.Context, entry intune.JournalEntry) error {
	if err := j.usable(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	entry, err := prepare(entry)
	if err != nil {
		return err
	}
	if entry.Outcome == "" {
		return invalidArgument("entry.Outcome", "is blank; say what became of the request")
	}
	if err := j.ready(ctx); err != nil {
		return err
	}
	if nobodyAsked(entry.Outcome) {
		j.holds.drop(requestName{entry.Device, entry.ClientRequestID})
	}
	a := &answer{j: j, entry: entry}
	if _, err := run(ctx, j.db, a.record); err != nil {
		if mayPass(err, true) {
			j.writeLater(a.record)
		}
		return fmt.Errorf("journal: the outcome %s is not recorded: %w", entry.Outcome, err)
	}
	return nil
}

func nobodyAsked(outcome intune.Outcome) bool {
	return outcome == intune.OutcomeRejected || outcome == intune.OutcomeNotSent
}

// find locks the row of an entry, which is nil if there is none. Of several with one client-request-id all but one asked nobody.
func (j *Journal) find(ctx context.Context, tx *sql.Tx, entry intune.JournalEntry) (*row, error) {
	list, err := query(ctx, tx, j.sql(`SELECT `+columns+` FROM {request}
		WHERE scope = $1::text AND client_request_id = $2::text AND device_id = $3::text
		ORDER BY outcome IS NULL DESC, outcome NOT IN ('accepted', 'rejected', 'notSent') DESC, key_used DESC, id DESC LIMIT 1 FOR UPDATE`),
		j.scope, entry.ClientRequestID, deviceIDOf(entry.Device))
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

// locked is the row with an id, which it locks; nil if there is none.
func (j *Journal) locked(ctx context.Context, tx *sql.Tx, id int64) (*row, error) {
	list, err := query(ctx, tx, j.sql(`SELECT `+columns+` FROM {request} WHERE id = $1::bigint FOR UPDATE`), id)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

// answer is one call of Asked.
type answer struct {
	j     *Journal
	entry intune.JournalEntry

	// id is the row that an attempt has found. Another attempt, whose client-request-id may be another request's by then, keeps to
	// it. One that is late may run at the same time.
	id atomic.Int64
}

func (a *answer) find(ctx context.Context, tx *sql.Tx) (*row, error) {
	if id := a.id.Load(); id != 0 {
		return a.j.locked(ctx, tx, id)
	}
	r, err := a.j.find(ctx, tx, a.entry)
	if r != nil {
		a.id.CompareAndSwap(0, r.id)
	}
	return r, err
}

func (a *answer) record(ctx context.Context, tx *sql.Tx) (struct{}, error) {
	j := a.j
	r, err := a.find(ctx, tx)
	if err != nil {
		return struct{}{}, err
	}
	if r == nil {
		return struct{}{}, j.insertAlone(ctx, tx, a.entry)
	}
	request := j.with(r, a.entry)
	if err := checkClouds(request); err != nil {
		return struct{}{}, refusal{err}
	}
	outcome := request.Asked.Outcome
	var asked sealedText
	if !r.forgotten { // else the outcome is all that is kept
		text, err := encode(request.Asked)
		if err != nil {
			return struct{}{}, refusal{err}
		}
		asked = j.sealed(r, kindAsked, text)
	}
	if nobodyAsked(outcome) {
		if err := j.unlink(ctx, tx, r); err != nil {
			return struct{}{}, err
		}
	}
	_, err = tx.ExecContext(ctx, j.sql(`UPDATE {request} AS r SET
			outcome = $2::text, asked_at = clock_timestamp(), asked = $3::text, asked_seal = $4::text, open = open AND NOT $5::boolean,
			has_token = NOT $5::boolean AND NOT forgotten AND (has_token OR $6::boolean),
			key_used = NOT $5::boolean AND (key_used OR NOT EXISTS (SELECT FROM {request} AS o
				WHERE o.scope = r.scope AND o.client_request_id = r.client_request_id AND o.key_used)),
			copy = CASE WHEN $5::boolean THEN NULL ELSE copy END, lease_until = CASE WHEN $5::boolean THEN NULL ELSE lease_until END
		WHERE id = $1::bigint`),
		r.id, string(outcome), asked.text, asked.seal, nobodyAsked(outcome), request.ResumeToken() != "")
	if err != nil {
		return struct{}{}, err
	}
	if nobodyAsked(outcome) {
		return struct{}{}, j.restore(ctx, tx, r)
	}
	return struct{}{}, nil
}

// unlink takes a request that asked nobody out of the chain of those that ended each other: what it had ended was ended by the next.
func (j *Journal) unlink(ctx context.Context, tx *sql.Tx, r *row) error {
	_, err := tx.ExecContext(ctx, j.sql(`UPDATE {request} AS r SET superseded_by = o.superseded_by
		FROM {request} AS o WHERE r.superseded_by = $1::text AND o.nonce = $1::text AND o.superseded_by IS NOT NULL`), r.nonce)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, j.sql(`UPDATE {request} SET superseded_by = NULL WHERE id = $1::bigint AND superseded_by IS NOT NULL`), r.id)
	return err
}

// insertAlone records an entry whose request this journal does not know. It makes no device busy.
func (j *Journal) insertAlone(ctx context.Context, tx *sql.Tx, entry intune.JournalEntry) error {
	r := &row{deviceID: deviceIDOf(entry.Device), key: entry.ClientRequestID, nonce: rand.Text()}
	text, err := encode(entry)
	if err != nil {
		return refusal{err}
	}
	var asked, ended sealedText
	if entry.Outcome != "" {
		asked = j.sealed(r, kindAsked, text)
	} else {
		ended = j.sealed(r, kindEnded, text)
	}
	return tx.QueryRowContext(ctx, j.sql(`INSERT INTO {request}
			(scope, device_id, client_request_id, nonce, open, key_used, waits, has_token,
			asking_at, busy_until, confirm_until, outcome, asked_at, asked, asked_seal, session, ended_at, ended, ended_seal)
		SELECT $1::text, $2::text, $3::text, $4::text, false,
			NOT $5::boolean AND NOT EXISTS (SELECT FROM {request} WHERE scope = $1::text AND client_request_id = $3::text AND key_used),
			false, false, at, at, at,
			nullif($6::text, ''), CASE WHEN $7::text IS NULL THEN NULL ELSE at END, $7::text, $8::text,
			nullif($9::text, ''), CASE WHEN $10::text IS NULL THEN NULL ELSE at END, $10::text, $11::text
		FROM clock_timestamp() AS at RETURNING id`),
		j.scope, r.deviceID, r.key, r.nonce, nobodyAsked(entry.Outcome),
		string(entry.Outcome), asked.text, asked.seal, string(entry.Session), ended.text, ended.seal).Scan(&r.id)
}

// Ended implements [intune.Journal]. It returns [intune.ErrSuperseded] if the wait is not its caller's any more: another request
// took the device, another copy holds the wait or has ended it, or the lease is over and the database can't be asked. Any other error
// means that the end is not recorded; it is as soon as the database can be reached.
//
// The wait is that of the context of a [Claimed], if the entry is of its request, or else that of Asking in this journal. A wait
// that neither of them began, such as one with a token from the record, ends the request if nobody holds it.
func (j *Journal) Ended(ctx context.Context, entry intune.JournalEntry) error {
	if j != nil && j.db != nil && j.life.Err() != nil {
		return fmt.Errorf("journal: %w, so that nobody knows who waits now: %w", errClosed, intune.ErrSuperseded)
	}
	if err := j.valid(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	entry, err := prepare(entry)
	if err != nil {
		return err
	}
	if entry.Session == "" {
		return invalidArgument("entry.Session", "is blank; say what became of the wait")
	}
	e := &end{j: j, entry: entry}
	name := requestName{entry.Device, entry.ClientRequestID}
	held := j.holds.named(name)
	if claimed, ok := ctx.Value(claimKey{}).(claim); ok && claimed.isOf(j, entry) {
		e.id, e.fence = claimed.id, claimed.fence
		held = j.holds.get(claimed.id, claimed.fence)
	} else if held != nil {
		e.id, e.fence = held.id, held.fence
	}
	if err = j.ready(ctx); err == nil {
		_, err = run(ctx, j.db, e.record)
	}
	switch _, answered := errors.AsType[refusal](err); {
	case err == nil, answered:
	case held != nil && held.certain(): // nobody else can have the wait
		j.writeLater(e.record)
		err = fmt.Errorf("journal: the end of the wait is not recorded: %w", err)
	case entry.Session == intune.SessionLeft:
		err = fmt.Errorf("journal: that the wait was left is not recorded: %w", err)
	default:
		err = fmt.Errorf("journal: nobody knows who waits now (%w): %w", err, intune.ErrSuperseded)
	}
	j.holds.remove(held)
	return err
}

// end is one call of Ended.
type end struct {
	j     *Journal
	entry intune.JournalEntry
	id    int64 // 0 for a wait that this journal does not know
	fence int64
}

func (e *end) record(ctx context.Context, tx *sql.Tx) (struct{}, error) {
	r, err := e.find(ctx, tx)
	if err != nil {
		return struct{}{}, err
	}
	if r == nil {
		return struct{}{}, e.j.insertAlone(ctx, tx, e.entry)
	}
	text, err := encode(e.entry)
	if err != nil {
		return struct{}{}, refusal{err}
	}
	if r.endedText.text.String == text {
		return struct{}{}, nil // by an earlier attempt
	}
	if why := e.lost(r); why != "" {
		return struct{}{}, refusal{fmt.Errorf("journal: %s: %w", why, intune.ErrSuperseded)}
	}
	over := e.entry.Session != intune.SessionLeft
	_, err = tx.ExecContext(ctx, e.j.sql(`UPDATE {request} SET
			session = $2::text, ended_at = clock_timestamp(), ended = $3::text, ended_seal = $4::text,
			open = open AND NOT $5::boolean, copy = NULL, lease_until = NULL
		WHERE id = $1::bigint`), r.id, string(e.entry.Session), text, e.j.seal(r, kindEnded, text), over)
	return struct{}{}, err
}

func (e *end) find(ctx context.Context, tx *sql.Tx) (*row, error) {
	if e.id == 0 {
		return e.j.find(ctx, tx, e.entry)
	}
	return e.j.locked(ctx, tx, e.id)
}

// lost says why the wait is not that of the caller any more, "" if it is.
func (e *end) lost(r *row) string {
	mine := r.copy.String == e.j.copy
	switch session := intune.SessionOutcome(r.session.String); {
	case r.forgotten:
		return "the request was forgotten"
	case session == intune.SessionSuperseded:
		return "another request took the device"
	case session == intune.SessionReady, session == intune.SessionFailed:
		return "the wait was ended before, at " + r.endedAt.Time.UTC().Format(time.RFC3339)
	case nobodyAsked(intune.Outcome(r.outcome.String)):
		return "the request asked nobody"
	case e.id != 0 && (r.fence != e.fence || r.copy.Valid && !mine):
		return "another copy took over the wait"
	case e.id == 0 && r.leased && !mine:
		return "another copy holds the wait"
	default:
		return ""
	}
}
