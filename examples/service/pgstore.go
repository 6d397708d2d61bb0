package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/journalpg"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// maxInterrupted is how many waits a copy looks through at a time that other copies have left.
	maxInterrupted = 1000
	// forgetSoon after its start, and then at every forgetEvery, a copy removes what is older than historyLife.
	forgetSoon  = time.Minute
	forgetEvery = 6 * time.Hour
)

// pgOptions are those of the store in PostgreSQL.
type pgOptions struct {
	dsn    string
	listen string // DSN for a connection past a pooler; "" is dsn
	schema string
	scope  string   // whose devices these are: the host of Graph and the tenant
	keys   [][]byte // the first seals rows, all open them
	lease  time.Duration
	log    *slog.Logger
}

// pgStore is the store of several copies of the service: requests are in the journal, and beside it is what became of links.
type pgStore struct {
	*journalpg.Journal
	*pgShared
	watchers

	log      *slog.Logger
	listener *listener

	life    context.Context //nolint:containedctx // ends with close
	end     context.CancelFunc
	goes    sync.WaitGroup        // goroutines, which end with life
	without atomic.Pointer[error] // why nobody knows yet whether the tables are there
}

var _ store = (*pgStore)(nil)

// openPGStore makes the tables if they are missing and the role may do so. If the database can't be reached, the store goes on
// to try, and check says so; any other problem is an error.
func openPGStore(ctx context.Context, o *pgOptions) (*pgStore, error) {
	config, err := pgConfig(o.dsn)
	if err != nil {
		return nil, fmt.Errorf("-database: %w", err)
	}
	direct := config.Copy()
	if o.listen != "" {
		if direct, err = pgConfig(o.listen); err != nil {
			return nil, fmt.Errorf("-database-listen: %w", err)
		}
	}
	p := &pgStore{pgShared: &pgShared{db: openPool(config), schema: o.schema, scope: strings.ToLower(o.scope)}, log: o.log}
	p.Journal, err = journalpg.New(p.db, &journalpg.Options{
		Schema: o.schema, Scope: o.scope, Lease: o.lease, Actor: ownerOf, Key: o.keys[0], OldKeys: o.keys[1:],
	})
	if err != nil {
		return nil, errors.Join(err, p.db.Close())
	}
	p.life, p.end = context.WithCancel(context.WithoutCancel(ctx))
	if err := p.migrate(ctx); isRefusal(err) {
		p.end()
		return nil, errors.Join(err, p.db.Close())
	} else if err != nil {
		p.without.Store(&err)
		p.log.WarnContext(ctx, "the database cannot be reached", "error", err.Error())
		p.goes.Go(p.migrateLater)
	}
	p.listener = newListener(p, &direct.Config)
	p.goes.Go(func() { p.listener.hear(p.life) })
	p.goes.Go(func() { p.listener.look(p.life) })
	p.goes.Go(p.forgetOld)
	return p, nil
}

// isRefusal reports whether a database has answered that it will not do something, which does not pass by itself.
func isRefusal(err error) bool {
	_, isNetwork := errors.AsType[net.Error](err)
	_, isConnect := errors.AsType[*pgconn.ConnectError](err)
	switch state := sqlState(err); {
	case err == nil:
		return false
	case state != "":
		return !statePasses(state) && state != "57014" && !strings.HasPrefix(state, "53") // a timeout; too many connections
	default:
		return !isNetwork && !isConnect && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, io.EOF) &&
			!errors.Is(err, io.ErrUnexpectedEOF)
	}
}

func (p *pgStore) migrateLater() {
	for pauseFor(p.life, 2*time.Second) == nil {
		err := p.migrate(p.life)
		if err == nil {
			p.without.Store(nil)
			return
		}
		p.without.Store(&err)
	}
}

// forgetOld removes who asked from what is older than the history. Several copies may do so at the same time.
func (p *pgStore) forgetOld() {
	for pause := forgetSoon; pauseFor(p.life, pause) == nil; pause = forgetEvery {
		before := time.Now().Add(-historyLife)
		err := p.tx(p.life, func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, p.sql(`UPDATE {schema}.service_session SET owner = '', link_hash = NULL
				WHERE begun < $1 AND owner <> ''`), before)
			return err
		})
		if err := errors.Join(err, p.Forget(p.life, before)); err != nil {
			p.log.WarnContext(p.life, "old requests were not forgotten", "error", err.Error())
		}
	}
}

// Asking implements [intune.Journal]. Whose the session is, is there before the request.
func (p *pgStore) Asking(ctx context.Context, entry intune.JournalEntry) error {
	ctx, cancel := context.WithTimeout(ctx, pgWithin)
	defer cancel()
	err := p.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, p.sql(`INSERT INTO {schema}.service_session AS s (scope, id, owner) VALUES ($1, $2, $3)
			ON CONFLICT (scope, id) DO UPDATE SET owner = excluded.owner, begun = excluded.begun
			WHERE NOT EXISTS (SELECT FROM {schema}.request AS r WHERE r.scope = s.scope AND r.client_request_id = s.id AND r.key_used)`),
			p.scope, entry.ClientRequestID, ownerOf(ctx))
		return err
	})
	if err != nil {
		return err
	}
	return p.Journal.Asking(ctx, entry)
}

func (p *pgStore) get(ctx context.Context, id string) (*session, error) {
	list, err := p.find(ctx, id)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

func (p *pgStore) history(ctx context.Context, owner string, most int) ([]*session, error) {
	var ids []string
	err := p.tx(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		ids, err = oneColumn(tx.QueryContext(ctx, p.sql(`SELECT id FROM {schema}.service_session AS s
			WHERE scope = $1 AND owner = $2 AND begun > clock_timestamp() - $3::bigint * interval '1 microsecond'
				AND EXISTS (SELECT FROM {schema}.request AS r WHERE r.scope = s.scope AND r.client_request_id = s.id)
			ORDER BY begun DESC, id LIMIT $4`), p.scope, owner, historyLife.Microseconds(), most))
		return err
	})
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	list, err := p.find(ctx, ids...)
	own := list[:0]
	for _, s := range list {
		if s.owner == owner { // as the sealed entry says
			own = append(own, s)
		}
	}
	slices.Reverse(own)
	return own, err
}

// oneColumn reads rows of one column.
func oneColumn(rows *sql.Rows, err error) (list []string, _ error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}

func (p *pgStore) take(ctx context.Context, id string) (context.Context, string, error) {
	claimed, err := p.ClaimRequest(ctx, id)
	if errors.Is(err, journalpg.ErrNotWaiting) {
		return nil, "", errNothingToWait
	}
	if err != nil {
		return nil, "", err
	}
	return context.WithValue(claimed.Context, leaseKey{}, claimed.Context), claimed.Request.ResumeToken(), nil
}

// leaseKey is for the context that ends with the lease of a wait.
type leaseKey struct{}

// Ended implements [intune.Journal]. Nobody left a wait whose lease has lapsed: it is interrupted, whether another copy has it by
// now or not.
func (p *pgStore) Ended(ctx context.Context, entry intune.JournalEntry) error {
	if lease, ok := ctx.Value(leaseKey{}).(context.Context); ok && entry.Session == intune.SessionLeft {
		cause := context.Cause(lease) //nolint:contextcheck // of the wait, which has ended
		if errors.Is(cause, intune.ErrSuperseded) {
			return cause
		}
	}
	return p.Journal.Ended(ctx, entry)
}

func (p *pgStore) interrupted(ctx context.Context) ([]*session, error) {
	found, err := p.Interrupted(ctx, maxInterrupted)
	if err != nil {
		return nil, err
	}
	var list []*session
	for i := range found {
		if s := snapshot(&found[i], &linkRow{}); s != nil && s.at(time.Now()) == stateNoLink {
			list = append(list, s)
		}
	}
	return list, nil
}

func (p *pgStore) check(ctx context.Context) error {
	if err := p.without.Load(); err != nil {
		return *err
	}
	return p.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, p.sql(`UPDATE {schema}.service_probe SET at = clock_timestamp()`))
		return err
	})
}

// close gives up the waits of this copy, which others take at once.
func (p *pgStore) close(ctx context.Context) error {
	p.end()
	closed := make(chan error, 1)
	go func() { //nolint:contextcheck // Close has a bound of its own
		err := p.Close()
		p.goes.Wait()
		closed <- errors.Join(err, p.db.Close())
	}()
	select {
	case err := <-closed:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
