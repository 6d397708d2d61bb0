package main

import (
	"context"
	"crypto/rand"
	"database/sql"

	"github.com/go-intune/intune"
)

func (p *pgStore) ready(ctx context.Context, id string, hash []byte) error {
	var n int64
	err := p.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, p.sql(`UPDATE {schema}.service_session AS s SET link_hash = $3
			WHERE scope = $1 AND id = $2 AND fate IS NULL AND EXISTS (SELECT FROM {schema}.request AS r
				WHERE r.scope = s.scope AND r.client_request_id = s.id AND r.key_used AND r.session = 'ready')`), p.scope, id, hash)
		if err == nil {
			n, err = result.RowsAffected()
		}
		return err
	})
	if err == nil && n == 0 {
		return errNotReady
	}
	return err
}

func (p *pgStore) open(ctx context.Context, id string, link intune.SessionURL) error {
	for range openTries {
		s, err := p.get(ctx, id)
		if err != nil {
			return err
		}
		if err := openable(s); err != nil {
			return err
		}
		fate := fateOpened
		switch {
		case link.IsZero():
			fate = fateGone
		case !isLink(s.linkHash, link):
			fate = fateSuperseded
		}
		switch done, err := p.decide(ctx, s, fate); {
		case err != nil:
			return err
		case done && fate != fateOpened:
			return errNotReady
		case done:
			return nil
		}
		// Something came between, such as the hash, which is kept a moment after the session is ready.
	}
	return errNotReady
}

// openTries is more than what can come between: a hash, and another request, which is given up again.
const openTries = 5

// decide writes the fate of a link in one statement, if the session is ready, nobody asked for the device since, and its hash is
// still the one that the link was compared with.
func (p *pgStore) decide(ctx context.Context, s *session, fate string) (done bool, err error) {
	mine := rand.Text()
	err = p.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, p.sql(`WITH decided AS (
			UPDATE {schema}.service_session AS s SET fate = $3, fate_at = clock_timestamp(), fate_nonce = $4
			WHERE scope = $1 AND id = $2 AND fate IS NULL AND link_hash IS NOT DISTINCT FROM $5
				AND EXISTS (SELECT FROM {schema}.request AS r
					WHERE r.scope = s.scope AND r.client_request_id = s.id AND r.key_used AND r.session = 'ready' AND NOT EXISTS (
						SELECT FROM {schema}.request AS o WHERE o.scope = r.scope AND o.device_id = r.device_id AND o.id > r.id
							AND o.outcome IS DISTINCT FROM 'rejected' AND o.outcome IS DISTINCT FROM 'notSent'))
			RETURNING true)
			SELECT EXISTS (SELECT FROM decided)
				OR EXISTS (SELECT FROM {schema}.service_session WHERE scope = $1 AND id = $2 AND fate_nonce = $4)`),
			p.scope, s.id, fate, mine, s.linkHash).Scan(&done)
	})
	return done, err
}

// openable says why the link of a session can't be opened, nil if it can.
func openable(s *session) error {
	switch {
	case s == nil:
		return errNotReady
	case s.state == stateOpened:
		return errOpened
	case s.state != stateReady:
		return errNotReady
	default:
		return nil
	}
}
