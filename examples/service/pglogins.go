package main

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// loginTable makes the table of the sign-ins. Whoever reads it learns who is signed in until when. Whoever writes it can sign
// people out; without a key of the service's file, nobody can make, move or prolong a sign-in.
const loginTable = `
CREATE TABLE {schema}.service_login (
	id bytea PRIMARY KEY,
	owner text NOT NULL,
	expires timestamptz NOT NULL,
	sealed bytea NOT NULL,
	renewable boolean NOT NULL DEFAULT true,
	renewing_until timestamptz
);
CREATE INDEX login_owner ON {schema}.service_login (owner, expires);
CREATE INDEX login_expires ON {schema}.service_login (expires);
COMMENT ON TABLE {schema}.service_login IS 'browsers that have signed in, one row each; times are those of the database';
COMMENT ON COLUMN {schema}.service_login.id IS 'SHA-256 of the cookie';
COMMENT ON COLUMN {schema}.service_login.sealed IS 'owner, name, end, and refresh token, bound to the id';
COMMENT ON COLUMN {schema}.service_login.renewable IS 'Entra has not refused the refresh token';
COMMENT ON COLUMN {schema}.service_login.renewing_until IS 'a copy of the service gets a new token until then'`

// errOtherKey is about a row that no key of this copy opens.
const errOtherKey = plainError("a sign-in was sealed with a key that this copy does not have, or its row was changed")

const (
	loginQueryWithin = 5 * time.Second
	// loginLookEvery and loginLookBound together are how long a sign-in that ended in another copy can go unnoticed.
	loginLookEvery = 3 * time.Second
	loginLookBound = 2 * time.Second
)

// pgLogins are kept in PostgreSQL, so that each copy of the service knows the sign-ins of all. Tokens for Graph stay in the
// memory of the copy that uses them.
type pgLogins struct {
	*pgShared

	keys         *keyRing
	makeIdentity identityMaker

	mu      sync.Mutex
	known   map[loginID]*pgLogin
	watched map[loginID]*watchedLogin
	looking bool // a goroutine looks whether they go on
}

// pgLogin is a sign-in that this copy has met.
type pgLogin struct {
	who     *identity
	expires time.Time
}

// watchedLogin is one that streams are open for.
type watchedLogin struct {
	ended    chan struct{}
	watchers int
}

func newPGLogins(shared *pgShared, keys *keyRing, makeIdentity identityMaker) *pgLogins {
	return &pgLogins{
		pgShared: shared, keys: keys, makeIdentity: makeIdentity, known: map[loginID]*pgLogin{}, watched: map[loginID]*watchedLogin{},
	}
}

// loginFacts are what the column sealed holds.
type loginFacts struct {
	Owner   string `json:"owner"`
	Name    string `json:"name"`
	Expires int64  `json:"expires"` // seconds since 1970, by the clock of the database
	Refresh string `json:"refresh"`
}

func (l *pgLogins) seal(id loginID, facts loginFacts) []byte {
	text, _ := json.Marshal(facts) //nolint:errchkjson // texts and a number
	return l.keys.seal(purposeLogin, text, id[:])
}

func (l *pgLogins) open(id loginID, sealed []byte) (loginFacts, error) {
	var facts loginFacts
	text, ok := l.keys.open(purposeLogin, sealed, id[:])
	if !ok || json.Unmarshal(text, &facts) != nil {
		return facts, errOtherKey
	}
	return facts, nil
}

// exec runs a statement, for a few seconds at most.
func (l *pgLogins) exec(ctx context.Context, statement string, args ...any) error {
	return l.bounded(ctx, func(ctx context.Context) error {
		_, err := l.db.ExecContext(ctx, l.sql(statement), args...)
		return err
	})
}

// one reads one row. The error is [sql.ErrNoRows] if there is none.
func (l *pgLogins) one(ctx context.Context, into []any, statement string, args ...any) error {
	return l.bounded(ctx, func(ctx context.Context) error {
		return l.db.QueryRowContext(ctx, l.sql(statement), args...).Scan(into...)
	})
}

// bounded runs one statement again if the database has ended it for the sake of another, as it may at the stricter levels of
// isolation, which a server can have by default.
func (l *pgLogins) bounded(ctx context.Context, run func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, loginQueryWithin)
	defer cancel()
	for {
		err := run(ctx)
		switch {
		case err == nil || errors.Is(err, sql.ErrNoRows):
			return err
		case !strings.HasPrefix(sqlState(err), "40") || ctx.Err() != nil:
			return databaseError(err)
		}
	}
}

// databaseError is for the log. Its text has no values of the row.
func databaseError(err error) error {
	if err == nil {
		return nil
	}
	return plainError("the database of the sign-ins: " + err.Error())
}

func (l *pgLogins) add(ctx context.Context, who technician, token *oauth2.Token) (string, error) {
	var now time.Time
	if err := l.one(ctx, []any{&now}, "SELECT now()"); err != nil {
		return "", err
	}
	cookie, expires := newCookie(), now.Add(loginLife)
	id := loginIDOf(cookie)
	facts := loginFacts{Owner: who.owner, Name: who.name, Expires: expires.Unix(), Refresh: token.RefreshToken}
	if err := l.exec(ctx, "INSERT INTO {schema}.service_login (id, owner, expires, sealed) VALUES ($1, $2, $3, $4)",
		id[:], who.owner, time.Unix(facts.Expires, 0), l.seal(id, facts)); err != nil {
		return "", err
	}
	if _, err := l.know(id, facts, token); err != nil {
		return "", err
	}
	return cookie, l.tidy(ctx, who.owner)
}

// tidy removes what has expired, and the oldest logins of an owner who has many.
func (l *pgLogins) tidy(ctx context.Context, owner string) error {
	return errors.Join(
		l.exec(ctx, `DELETE FROM {schema}.service_login WHERE id IN (
			SELECT id FROM {schema}.service_login WHERE expires <= now() LIMIT 1000 FOR UPDATE SKIP LOCKED)`),
		l.exec(ctx, `DELETE FROM {schema}.service_login WHERE id IN (
			SELECT id FROM {schema}.service_login WHERE owner = $1 ORDER BY expires DESC, id OFFSET $2 FOR UPDATE SKIP LOCKED)`, owner, loginsEach))
}

// know is the identity of a login, with the tokens that this copy has for it already.
func (l *pgLogins) know(id loginID, facts loginFacts, token *oauth2.Token) (*identity, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known := l.known[id]; known != nil && known.who.key == facts.Owner {
		return known.who, nil
	}
	who, err := l.makeIdentity(technician{facts.Owner, facts.Name}, &pgTokens{logins: l, id: id}, token)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(l.known, func(_ loginID, old *pgLogin) bool {
		return time.Now().After(old.expires) || len(l.known) >= maxLogins // any one: it is made again
	})
	l.known[id] = &pgLogin{who: who, expires: time.Now().Add(loginLife)}
	return who, nil
}

func (l *pgLogins) get(ctx context.Context, cookie string) (*identity, error) {
	id := loginIDOf(cookie)
	var sealed []byte
	var now time.Time
	err := l.one(ctx, []any{&sealed, &now}, "SELECT sealed, now() FROM {schema}.service_login WHERE id = $1 AND expires > now()", id[:])
	if errors.Is(err, sql.ErrNoRows) {
		l.forget(id)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	facts, err := l.open(id, sealed)
	if err != nil {
		return nil, err
	}
	left := time.Unix(facts.Expires, 0).Sub(now)
	if left <= 0 { // somebody has changed the row
		return nil, nil
	}
	who, err := l.know(id, facts, nil)
	if err != nil {
		return nil, err
	}
	return who.in(newLogin(cookie, time.Now().Add(left))), nil
}

func (l *pgLogins) remove(ctx context.Context, cookie string) error {
	id := loginIDOf(cookie)
	if err := l.exec(ctx, "DELETE FROM {schema}.service_login WHERE id = $1", id[:]); err != nil {
		return err
	}
	l.forget(id)
	return nil
}

// forget ends what this copy does for a login.
func (l *pgLogins) forget(id loginID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.known, id)
	if w := l.watched[id]; w != nil {
		close(w.ended)
		delete(l.watched, id)
	}
}

func (l *pgLogins) signedIn(ctx context.Context, owner string) (*identity, error) {
	var id, sealed []byte
	var now time.Time
	err := l.one(ctx, []any{&id, &sealed, &now}, `SELECT id, sealed, now() FROM {schema}.service_login
		WHERE owner = $1 AND expires > now() AND renewable ORDER BY expires DESC LIMIT 1`, owner)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(id) != len(loginID{}) {
		return nil, errOtherKey
	}
	facts, err := l.open(loginID(id), sealed)
	if err != nil {
		return nil, err
	}
	if facts.Owner != owner || facts.Expires <= now.Unix() {
		return nil, errOtherKey
	}
	return l.know(loginID(id), facts, nil)
}

func (l *pgLogins) watch(of *login) (<-chan struct{}, func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.watched[of.id]
	if w == nil {
		w = &watchedLogin{ended: make(chan struct{})}
		l.watched[of.id] = w
	}
	if !l.looking {
		l.looking = true
		go l.look()
	}
	w.watchers++
	return w.ended, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if w.watchers--; w.watchers == 0 && l.watched[of.id] == w {
			delete(l.watched, of.id)
		}
	}
}

// look ends with the last of those who watch.
func (l *pgLogins) look() {
	ticks := time.NewTicker(loginLookEvery)
	defer ticks.Stop()
	for range ticks.C {
		l.mu.Lock()
		ids := slices.Collect(maps.Keys(l.watched))
		l.looking = len(ids) > 0
		l.mu.Unlock()
		if len(ids) == 0 {
			return
		}
		live, err := l.live(ids)
		if err != nil {
			continue // nobody knows; the requests of these logins say so
		}
		for _, id := range ids {
			if !live[id] {
				l.forget(id)
			}
		}
	}
}

// live says which of the logins go on. The ids are one text, because drivers disagree about lists.
func (l *pgLogins) live(ids []loginID) (map[loginID]bool, error) {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = hex.EncodeToString(id[:])
	}
	ctx, cancel := context.WithTimeout(context.Background(), loginLookBound)
	defer cancel()
	rows, err := l.db.QueryContext(ctx, l.sql(`SELECT id FROM {schema}.service_login WHERE expires > now()
		AND id IN (SELECT decode(one, 'hex') FROM unnest(string_to_array($1, ',')) AS one)`), strings.Join(texts, ","))
	if err != nil {
		return nil, databaseError(err)
	}
	defer rows.Close()
	live := map[loginID]bool{}
	for rows.Next() {
		var id []byte
		if err := rows.Scan(&id); err != nil {
			return nil, databaseError(err)
		}
		if len(id) == len(loginID{}) {
			live[loginID(id)] = true
		}
	}
	return live, databaseError(rows.Err())
}
