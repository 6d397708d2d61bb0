package journalpg

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
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
	record := func(ctx context.Context, tx *sql.Tx) (struct{}, error) {
		return struct{}{}, j.recordAsked(ctx, tx, entry)
	}
	if _, err := run(ctx, j.db, record); err != nil {
		if mayPass(err, true) {
			j.writeLater(record)
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

func (j *Journal) recordAsked(ctx context.Context, tx *sql.Tx, entry intune.JournalEntry) error {
	r, err := j.find(ctx, tx, entry)
	if err != nil {
		return err
	}
	if r == nil {
		return j.insertAlone(ctx, tx, entry)
	}
	request := j.with(r, entry)
	if err := checkClouds(request); err != nil {
		return refusal{err}
	}
	text, err := encode(request.Asked)
	if err != nil {
		return refusal{err}
	}
	outcome := request.Asked.Outcome
	_, err = tx.ExecContext(ctx, j.sql(`UPDATE {request} SET
			outcome = $2::text, asked_at = clock_timestamp(), asked = $3::text, asked_seal = $4::text,
			has_token = NOT $5::boolean AND (has_token OR $6::boolean), open = open AND NOT $5::boolean, key_used = NOT $5::boolean,
			copy = CASE WHEN $5::boolean THEN NULL ELSE copy END, lease_until = CASE WHEN $5::boolean THEN NULL ELSE lease_until END
		WHERE id = $1::bigint`),
		r.id, string(outcome), text, j.seal(r, kindAsked, text), nobodyAsked(outcome), request.ResumeToken() != "")
	if err != nil {
		return err
	}
	if nobodyAsked(outcome) {
		if err := j.restore(ctx, tx, r); err != nil {
			return err
		}
	}
	return j.notify(ctx, tx, r.id)
}

// insertAlone records an entry whose request this journal does not know. It makes no device busy.
func (j *Journal) insertAlone(ctx context.Context, tx *sql.Tx, entry intune.JournalEntry) error {
	r := &row{deviceID: deviceIDOf(entry.Device), key: entry.ClientRequestID, nonce: rand.Text()}
	text, err := encode(entry)
	if err != nil {
		return refusal{err}
	}
	var asked, ended sealedText
	sealed := func(kind kind) sealedText {
		return sealedText{sql.NullString{String: text, Valid: true}, sql.NullString{String: j.seal(r, kind, text), Valid: true}}
	}
	if entry.Outcome != "" {
		asked = sealed(kindAsked)
	} else {
		ended = sealed(kindEnded)
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
// The wait is that of the context of a [Claimed], or else that of Asking in this journal. A wait that neither of them began, such
// as one with a token from the record, ends the request if nobody holds it.
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
	if claimed, ok := ctx.Value(claimKey{}).(claim); ok && claimed.journal == j.copy {
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
	if err != nil {
		return struct{}{}, err
	}
	return struct{}{}, e.j.notify(ctx, tx, r.id)
}

func (e *end) find(ctx context.Context, tx *sql.Tx) (*row, error) {
	if e.id == 0 {
		return e.j.find(ctx, tx, e.entry)
	}
	list, err := query(ctx, tx, e.j.sql(`SELECT `+columns+` FROM {request} WHERE id = $1::bigint FOR UPDATE`), e.id)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
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
