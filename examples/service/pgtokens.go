package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"golang.org/x/oauth2"
)

const (
	// renewingLease is how long one copy has the renewal of a login for itself. It is more than the renewal may take.
	renewingLease = renewWithin + 5*time.Second
	// renewingPoll is how often another copy looks whether it is its turn.
	renewingPoll = 200 * time.Millisecond
)

// pgTokens is the refresh token of one login, in its row. A provider may take a refresh token once only, so that one copy
// renews at a time. The row says which, and no transaction is open while Entra is asked.
type pgTokens struct {
	logins *pgLogins
	id     loginID
}

func (t *pgTokens) renew(ctx context.Context, with renewer) (*oauth2.Token, error) {
	sealed, err := t.claim(ctx)
	if err != nil {
		return nil, err
	}
	facts, err := t.logins.open(t.id, sealed)
	if err != nil {
		return nil, errors.Join(errNoToken, err, t.release(ctx, true))
	}
	token, err := with(ctx, facts.Refresh)
	if err != nil {
		return nil, errors.Join(err, t.release(ctx, !errors.Is(err, errSignInAgain)))
	}
	facts.Refresh = token.RefreshToken
	// If the row has changed meanwhile, another copy has a newer token in it, or the technician has signed out. If it cannot be
	// written, the old refresh token stays, which Entra goes on to take.
	_ = t.logins.exec(context.WithoutCancel(ctx), `UPDATE {schema}.service_login SET sealed = $2, renewable = true, renewing_until = NULL
		WHERE id = $1 AND sealed = $3`, t.id[:], t.logins.seal(t.id, facts), sealed)
	return token, nil
}

// claim waits until no other copy renews, and gives the sealed part of the row.
func (t *pgTokens) claim(ctx context.Context) ([]byte, error) {
	for {
		var sealed []byte
		err := t.logins.one(ctx, []any{&sealed}, `UPDATE {schema}.service_login SET renewing_until = clock_timestamp() + $2 * interval '1 second'
			WHERE id = $1 AND expires > now() AND (renewing_until IS NULL OR renewing_until < clock_timestamp())
			RETURNING sealed`, t.id[:], int(renewingLease.Seconds()))
		if err == nil {
			return sealed, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("%w: %w", errNoToken, err)
		}
		var there bool
		err = t.logins.one(ctx, []any{&there}, "SELECT true FROM {schema}.service_login WHERE id = $1 AND expires > now()", t.id[:])
		if errors.Is(err, sql.ErrNoRows) {
			return nil, errSignInAgain
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errNoToken, err)
		}
		if err := pauseFor(ctx, renewingPoll); err != nil {
			return nil, fmt.Errorf("%w: %w", errNoToken, err)
		}
	}
}

// release lets others try. A login whose refresh token was refused is none that waits could go on with.
func (t *pgTokens) release(ctx context.Context, renewable bool) error {
	return t.logins.exec(context.WithoutCancel(ctx),
		"UPDATE {schema}.service_login SET renewing_until = NULL, renewable = renewable AND $2 WHERE id = $1", t.id[:], renewable)
}
