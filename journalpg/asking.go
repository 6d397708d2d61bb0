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

type againKey struct{}

// Again returns a context in which a request may follow one without a wait, of which nobody will learn whether the user has
// seen the prompt: without it, the device is busy until Options.Busy after such a request. A request that is being made, or
// whose link is waited for, refuses the next one all the same.
func Again(ctx context.Context) context.Context { return context.WithValue(ctx, againKey{}, true) }

// busyRow is whether a row that is open makes its device busy; again is the parameter that says whether the request may follow
// one without a wait. Until Options.Busy has passed, no wait of another copy frees a device whose request may still go out.
func busyRow(again string) string {
	return `(coalesce(lease_until > clock_timestamp(), false) OR busy_until > clock_timestamp() AND
		(outcome IS NULL OR NOT waits AND session IS NULL AND NOT ` + again + `))`
}

// ask is one call of Asking.
type ask struct {
	j     *Journal
	entry intune.JournalEntry
	text  string
	row   row // has the names of the row
	again bool
}

var (
	errTaken   = errors.New("another request has the device or the client-request-id")
	errBetween = errors.New("what had the device or the client-request-id has just let go of it")
)

// Asking implements [intune.Journal]. It returns an [*intune.DeviceBusyError] or an [*intune.AlreadyAskedError] for a request that
// must not go out, and any other error if the database can't be asked or does not answer in time. In each case nothing is sent;
// a row that may have been written all the same is settled as not sent as soon as the database can be reached.
func (j *Journal) Asking(ctx context.Context, entry intune.JournalEntry) error {
	if err := j.usable(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	if j.actor != nil {
		if actor := oneLine(j.actor(ctx), maxActor); actor != "" {
			entry.Actor = actor
		}
	}
	entry, err := prepare(entry)
	if err != nil {
		return err
	}
	a := &ask{j: j, entry: entry, row: row{deviceID: deviceIDOf(entry.Device), key: entry.ClientRequestID, nonce: rand.Text()}}
	a.again, _ = ctx.Value(againKey{}).(bool)
	if a.text, err = encode(entry); err != nil {
		return err
	}
	if err := j.ready(ctx); err != nil {
		return fmt.Errorf("journal: nobody was asked: %w", err)
	}
	if entry.Waits {
		if err := j.keep(ctx); err != nil {
			return fmt.Errorf("journal: nobody was asked: no connection for the leases: %w", err)
		}
	}
	id, until, err := a.insert(ctx)
	if err != nil {
		if _, answered := errors.AsType[refusal](err); answered {
			return err
		}
		return fmt.Errorf("journal: nobody was asked: %w", err)
	}
	if entry.Waits {
		j.holds.add(&hold{id: id, fence: 1, of: requestName{entry.Device, entry.ClientRequestID}, until: until})
	}
	return nil
}

// insert tries until the row is there, or something is in its way. It also returns how long the lease lasts at least.
func (a *ask) insert(ctx context.Context) (id int64, until time.Time, err error) {
	unclear := false
	defer func() {
		if err != nil && unclear {
			a.j.writeLater(a.settle)
		}
	}()
	for {
		until = time.Now().Add(a.j.lease)
		var unsure bool
		id, unsure, err = runClearly(ctx, a.j.db, a.try)
		unclear = unclear || unsure
		if !errors.Is(err, errTaken) {
			return id, until, err
		}
		until = time.Now().Add(a.j.lease)
		id, err = run(ctx, a.j.db, a.whatTookIt)
		if !errors.Is(err, errBetween) {
			return id, until, err
		}
	}
}

// try is one attempt: it ends what lapsed, and inserts the row, which the indexes of device and client-request-id refuse if
// there is another one.
func (a *ask) try(ctx context.Context, tx *sql.Tx) (int64, error) {
	_, err := tx.ExecContext(ctx, a.j.sql(`UPDATE {request} SET open = false, superseded_by = $3::text, copy = NULL, lease_until = NULL,
			session = CASE WHEN has_token THEN 'superseded' ELSE session END,
			ended_at = CASE WHEN has_token THEN clock_timestamp() ELSE ended_at END
		WHERE scope = $1::text AND device_id = $2::text AND open AND nonce <> $3::text AND NOT `+busyRow(`$4::boolean`)),
		a.j.scope, a.row.deviceID, a.row.nonce, a.again)
	if err != nil {
		return 0, err
	}
	var owner sql.NullString
	if a.entry.Waits {
		owner = sql.NullString{String: a.j.copy, Valid: true}
	}
	var id int64
	err = tx.QueryRowContext(ctx, a.j.sql(`INSERT INTO {request}
			(scope, device_id, client_request_id, nonce, open, key_used, waits, has_token,
			asking_at, busy_until, confirm_until, copy, lease_until, asking, asking_seal)
		SELECT $1::text, $2::text, $3::text, $4::text, true, true, $5::boolean, $6::boolean,
			at, at + $7::bigint * interval '1 microsecond', at + $8::bigint * interval '1 microsecond',
			$9::text, CASE WHEN $9::text IS NULL THEN NULL ELSE at + $10::bigint * interval '1 microsecond' END, $11::text, $12::text
		FROM clock_timestamp() AS at
		ON CONFLICT DO NOTHING RETURNING id`),
		a.j.scope, a.row.deviceID, a.row.key, a.row.nonce, a.entry.Waits, a.entry.ResumeToken != "",
		microseconds(a.j.busy), microseconds(factsOf(a.entry.ResumeToken).confirmWithin()), owner, microseconds(a.j.lease),
		a.text, a.j.seal(&a.row, kindAsking, a.text)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, refusal{errTaken}
	}
	return id, err
}

// whatTookIt says what is in the way of the row. It may be the row itself, from an earlier attempt.
func (a *ask) whatTookIt(ctx context.Context, tx *sql.Tx) (int64, error) {
	var id int64
	err := tx.QueryRowContext(ctx, a.j.sql(`UPDATE {request}
			SET lease_until = CASE WHEN copy IS NULL THEN NULL ELSE clock_timestamp() + $2::bigint * interval '1 microsecond' END
		WHERE nonce = $1::text AND open AND outcome IS NULL AND fence = 1 RETURNING id`), a.row.nonce, microseconds(a.j.lease)).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	list, err := query(ctx, tx, a.j.sql(`SELECT `+columns+` FROM {request}
		WHERE scope = $1::text AND client_request_id = $2::text AND key_used`), a.j.scope, a.row.key)
	if err != nil {
		return 0, err
	}
	for _, r := range list {
		request, _ := a.j.request(r) // of a row that somebody changed it has no token
		return 0, refusal{&intune.AlreadyAskedError{Request: request}}
	}
	list, err = query(ctx, tx, a.j.sql(`SELECT `+columns+` FROM {request}
		WHERE scope = $1::text AND device_id = $2::text AND open AND `+busyRow("$3::boolean")), a.j.scope, a.row.deviceID, a.again)
	if err != nil {
		return 0, err
	}
	for _, r := range list {
		return 0, refusal{a.j.busyError(a.entry.Device, r)}
	}
	return 0, refusal{errBetween}
}

// busyError is about the request that holds the device.
func (j *Journal) busyError(device intune.DeviceRef, r *row) error {
	request, _ := j.request(r) // what somebody changed is not told
	busy := &intune.DeviceBusyError{
		Device: device, Actor: request.Asking.Actor, Reference: request.Asking.Reference, Since: r.askingAt.UTC(),
	}
	if !r.leased { // else its wait may take longer
		busy.FreeAt = r.busyUntil.UTC()
	}
	return busy
}

// settle records that nothing was sent, whether the row was written or not. If an attempt still runs, it finds its row taken.
func (a *ask) settle(ctx context.Context, tx *sql.Tx) (struct{}, error) {
	asked := intune.JournalEntry{
		Time: a.entry.Time, Device: a.entry.Device, ClientRequestID: a.entry.ClientRequestID, Outcome: intune.OutcomeNotSent,
		Error: "the database did not confirm in time that the request was recorded, so that nothing was sent",
	}
	text, err := encode(asked)
	if err != nil {
		return struct{}{}, err
	}
	_, err = tx.ExecContext(ctx, a.j.sql(`INSERT INTO {request}
			(scope, device_id, client_request_id, nonce, open, key_used, waits, has_token,
			asking_at, busy_until, confirm_until, asking, asking_seal, outcome, asked_at, asked, asked_seal)
		SELECT $1::text, $2::text, $3::text, $4::text, false, false, $5::boolean, false, at, at, at, $6::text, $7::text,
			'notSent', at, $8::text, $9::text
		FROM clock_timestamp() AS at
		ON CONFLICT (nonce) DO UPDATE SET open = false, key_used = false, outcome = 'notSent', asked_at = EXCLUDED.asked_at,
			asked = EXCLUDED.asked, asked_seal = EXCLUDED.asked_seal, copy = NULL, lease_until = NULL`),
		a.j.scope, a.row.deviceID, a.row.key, a.row.nonce, a.entry.Waits, a.text, a.j.seal(&a.row, kindAsking, a.text),
		text, a.j.seal(&a.row, kindAsked, text))
	if err != nil {
		return struct{}{}, err
	}
	return struct{}{}, a.j.restore(ctx, tx, &a.row)
}

// restore leaves again what a request had ended that asked nobody. Nobody knows any more when it was left, and so it is looked at again.
func (j *Journal) restore(ctx context.Context, tx *sql.Tx, r *row) error {
	_, err := tx.ExecContext(ctx, j.sql(`UPDATE {request} AS r SET open = true, superseded_by = NULL,
			session = CASE WHEN ended IS NULL THEN NULL ELSE 'left' END,
			ended_at = CASE WHEN ended IS NULL THEN NULL ELSE least(ended_at, confirm_until - interval '1 microsecond') END
		WHERE superseded_by = $3::text AND NOT EXISTS
			(SELECT FROM {request} AS o WHERE o.scope = $1::text AND o.device_id = $2::text AND o.open)`), j.scope, r.deviceID, r.nonce)
	return err
}
