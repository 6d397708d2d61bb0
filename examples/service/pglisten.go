package main

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// pgLookEvery is how often the store looks at all sessions that are watched, whatever it hears. With pgLookWithin, pages are right
	// within five seconds.
	pgLookEvery = 3 * time.Second
	// pgLookWithin bounds one look, which may find two connections that are dead.
	pgLookWithin = 2*pgPingWithin + 2*time.Second
	// pgSilence is after how long without a word the listener asks whether its connection lives.
	pgSilence = 30 * time.Second
	// pgWatchFor is how long after it began a session may change by itself.
	pgWatchFor = 2 * sessionLife
)

// listener tells watchers of changes that any copy made. It hears of them on a connection of its own, and looks at what is
// watched now and then, because a pooler lets it hear nothing, and a lease lapses in silence.
type listener struct {
	p      *pgStore
	config *pgconn.Config

	mu    sync.Mutex
	heard map[string]bool   // ids of rows of the journal, or of sessions
	seen  map[string]string // what was seen last, by the id of the session

	wake  chan struct{} // something was heard
	again chan struct{} // what is watched has to be looked at
}

func newListener(p *pgStore, config *pgconn.Config) *listener {
	l := &listener{
		p: p, config: config.Copy(), heard: map[string]bool{}, wake: make(chan struct{}, 1), again: make(chan struct{}, 1),
	}
	l.config.OnNotification = func(_ *pgconn.PgConn, n *pgconn.Notification) {
		l.mu.Lock()
		l.heard[n.Payload] = true
		l.mu.Unlock()
		wakeUp(l.wake)
	}
	return l
}

// hear listens for as long as ctx lasts.
func (l *listener) hear(ctx context.Context) {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, pgLookEvery) {
		connected := time.Now()
		_ = l.listen(ctx) // a database that is away is told by check
		if time.Since(connected) > time.Minute {
			pause = 100 * time.Millisecond
		}
		if pauseFor(ctx, pause) != nil {
			return
		}
	}
}

func (l *listener) listen(ctx context.Context) error {
	dialing, cancel := context.WithTimeout(ctx, pgWithin)
	defer cancel()
	conn, err := pgconn.ConnectConfig(dialing, l.config)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing)
	}()
	if _, err := conn.Exec(dialing, `LISTEN "`+l.p.schema+`"`).ReadAll(); err != nil {
		return err
	}
	wakeUp(l.again)
	for {
		err := waitForNotification(ctx, conn)
		if pgconn.Timeout(err) && ctx.Err() == nil {
			err = ping(ctx, conn)
		}
		if err != nil {
			return err
		}
	}
}

func waitForNotification(ctx context.Context, conn *pgconn.PgConn) error {
	ctx, cancel := context.WithTimeout(ctx, pgSilence)
	defer cancel()
	return conn.WaitForNotification(ctx)
}

func ping(ctx context.Context, conn *pgconn.PgConn) error {
	ctx, cancel := context.WithTimeout(ctx, pgWithin)
	defer cancel()
	return conn.Ping(ctx)
}

// look wakes watchers for as long as ctx lasts.
func (l *listener) look(ctx context.Context) {
	tick := time.NewTicker(pgLookEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			l.lookAtAll(ctx)
		case <-l.again:
			l.lookAtAll(ctx)
		case <-l.wake:
			l.lookAtHeard(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// lookAtHeard wakes those who watch sessions of a device of which something was heard: a request changes what others are.
func (l *listener) lookAtHeard(ctx context.Context) {
	l.mu.Lock()
	heard := slices.Collect(maps.Keys(l.heard))
	clear(l.heard)
	l.mu.Unlock()
	if len(heard) == 0 || len(l.p.watched()) == 0 {
		return
	}
	var rows []int64 // of the journal; the others are ids of sessions
	for _, one := range heard {
		if id, err := strconv.ParseInt(one, 10, 64); err == nil {
			rows = append(rows, id)
		}
	}
	within, cancel := context.WithTimeout(ctx, pgLookWithin)
	defer cancel()
	keys, err := l.p.keys(within, `SELECT s.id, s.owner FROM {schema}.request AS n
			JOIN {schema}.request AS r ON r.scope = n.scope AND r.device_id = n.device_id
			JOIN {schema}.service_session AS s ON s.scope = r.scope AND s.id = r.client_request_id
			WHERE n.scope = $1 AND n.id = ANY ($2)
		UNION SELECT id, owner FROM {schema}.service_session WHERE scope = $1 AND id = ANY ($3)`, rows, heard)
	if err != nil {
		wakeUp(l.again)
		return
	}
	l.p.tell(keys...)
}

// keys runs a query whose rows are sessions with their owners.
func (p *pgStore) keys(ctx context.Context, query string, rowIDs []int64, ids []string) (keys []string, err error) {
	err = p.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		keys = keys[:0]
		rows, err := tx.QueryContext(ctx, p.sql(query), p.scope, rowIDs, ids)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var id, owner string
			if err := rows.Scan(&id, &owner); err != nil {
				return err
			}
			keys = append(keys, id, owner)
		}
		return rows.Err()
	})
	return keys, err
}

// lookAtAll wakes those who watch sessions that have changed since the last look.
func (l *listener) lookAtAll(ctx context.Context) {
	watched := l.p.watched()
	if len(watched) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, pgLookWithin)
	defer cancel()
	now, owners := map[string]string{}, map[string]string{}
	err := l.p.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, l.p.sql(`SELECT s.id, s.owner,
				concat_ws(' ', max(o.change), s.change, bool_or(o.lease_until > clock_timestamp()))
			FROM {schema}.service_session AS s
			JOIN {schema}.request AS r ON r.scope = s.scope AND r.client_request_id = s.id
			JOIN {schema}.request AS o ON o.scope = r.scope AND o.device_id = r.device_id AND o.id >= r.id
			WHERE s.scope = $1 AND (s.id = ANY ($2) OR s.owner = ANY ($2))
				AND s.begun > clock_timestamp() - $3::bigint * interval '1 microsecond'
			GROUP BY s.id, s.owner, s.change`), l.p.scope, watched, pgWatchFor.Microseconds())
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var id, owner, what string
			if err := rows.Scan(&id, &owner, &what); err != nil {
				return err
			}
			now[id], owners[id] = what, owner
		}
		return rows.Err()
	})
	if err != nil {
		return
	}
	var changed []string
	for id, what := range now {
		if l.seen[id] != what {
			changed = append(changed, id, owners[id])
		}
	}
	l.seen = now
	l.p.tell(changed...)
}
