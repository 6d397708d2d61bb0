package journalpg

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-intune/intune"
)

// errRefused is why the context of a claim ends that the client refused.
var errRefused = errors.New("the client did not wait")

// maxLater is how many entries may be left to be written later.
const maxLater = 10_000

// requestName is how the entries of a request name it.
type requestName struct {
	device          intune.DeviceRef
	clientRequestID string
}

// hold is a wait of this copy.
type hold struct {
	id, fence int64
	of        requestName

	// claimed waits end with their lease; those that began with Asking learn it at Ended.
	claimed bool
	cancel  context.CancelCauseFunc
	timer   *time.Timer

	mu    sync.Mutex
	until time.Time // the lease lasts at least until then
}

// certain reports whether the lease lives by this copy's own clocks: the one that stands still while the machine sleeps,
// and the one that may be set.
func (h *hold) certain() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	return now.Before(h.until) && now.Round(0).Before(h.until.Round(0))
}

func (h *hold) renew(until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.until = until
}

// stop ends the context of a claimed wait.
func (h *hold) stop(cause error) {
	if h.claimed {
		h.timer.Stop()
		h.cancel(cause)
	}
}

// holds is the waits of this copy, whose leases are renewed.
type holds struct {
	mu    sync.Mutex
	byID  map[int64]*hold
	names map[requestName]int64 // of those that began with Asking

	refused map[int64]bool // claimed, but the client did not wait
}

// refuse gives up a claim whose wait has ended without Ended, because the client has another journal or takes the token for none.
// This copy does not claim it again, or it would do so forever.
func (s *holds) refuse(id, fence int64) {
	h := s.get(id, fence)
	if h == nil {
		return
	}
	s.remove(h)
	h.stop(errRefused)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused == nil {
		s.refused = map[int64]bool{}
	}
	s.refused[id] = true
}

func (s *holds) add(h *hold) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID, s.names = map[int64]*hold{}, map[requestName]int64{}
	}
	s.byID[h.id] = h
	if !h.claimed {
		s.names[h.of] = h.id
	}
}

// named is the wait that began with Asking, nil if there is none.
func (s *holds) named(name requestName) *hold {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[s.names[name]]
}

func (s *holds) get(id, fence int64) *hold {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.byID[id]; h != nil && h.fence == fence {
		return h
	}
	return nil
}

func (s *holds) drop(name requestName) { s.remove(s.named(name)) }

// remove gives up a wait, whose lease is not renewed any more.
func (s *holds) remove(h *hold) {
	if h == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID[h.id] == h {
		delete(s.byID, h.id)
	}
	if !h.claimed && s.names[h.of] == h.id {
		delete(s.names, h.of)
	}
	if h.claimed {
		h.timer.Stop()
	}
}

// ids are the waits as an array.
func (s *holds) ids() (array string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return idArray(maps.Keys(s.byID)), len(s.byID)
}

// notToClaim are the waits that this copy has, or has refused, as an array.
func (s *holds) notToClaim() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := maps.Clone(s.refused)
	if all == nil {
		all = map[int64]bool{}
	}
	for id := range s.byID {
		all[id] = true
	}
	return idArray(maps.Keys(all))
}

// idArray is an array of PostgreSQL, as a text that each driver can send.
func idArray(ids iter.Seq[int64]) string {
	var b strings.Builder
	for id := range ids {
		if b.Len() > 0 {
			_ = b.WriteByte(',')
		}
		_, _ = b.WriteString(strconv.FormatInt(id, 10))
	}
	return "{" + b.String() + "}"
}

// end ends all waits.
func (s *holds) end(cause error) {
	s.mu.Lock()
	list := s.byID
	s.byID, s.names = nil, nil
	s.mu.Unlock()
	for _, h := range list {
		h.stop(cause)
	}
}

// keeper renews the leases, on a connection of its own.
type keeper struct {
	turn chan struct{} // full while somebody starts it
	on   bool
}

// keep makes sure that leases are renewed.
func (j *Journal) keep(ctx context.Context) error {
	select {
	case j.keeper.turn <- struct{}{}:
		defer func() { <-j.keeper.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if j.keeper.on {
		return nil
	}
	conn, err := j.db.Conn(ctx)
	if err != nil {
		return err
	}
	if !j.background(func() { j.renewAll(conn) }) { //nolint:contextcheck // it outlives the call
		_ = conn.Close()
		return errClosed
	}
	j.keeper.on = true
	return nil
}

// renewAll renews the leases until the journal is closed.
func (j *Journal) renewAll(conn *sql.Conn) {
	timer := time.NewTimer(j.lease / 3)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-j.life.Done():
			drop(conn)
			return
		}
		err := j.renew(&conn)
		if err != nil {
			drop(conn) // it may be broken, and the pool gives another one
			conn = nil
			timer.Reset(min(j.lease/10, time.Second))
		} else {
			timer.Reset(j.lease / 3)
		}
	}
}

// drop gives a connection back, which waits for a driver that hangs.
func drop(conn *sql.Conn) {
	if conn != nil {
		go func() { _ = conn.Close() }()
	}
}

// renew renews the leases of all waits of this copy in one statement. It passes over a row that is locked at the moment, so
// that a transaction that hangs can't hold up the others.
func (j *Journal) renew(conn **sql.Conn) (err error) {
	ctx, cancel := context.WithTimeout(j.life, min(attemptBound, j.lease/2))
	defer cancel()
	if *conn == nil {
		if *conn, err = j.db.Conn(ctx); err != nil {
			return err
		}
	}
	array, n := j.holds.ids()
	if n == 0 {
		return (*conn).PingContext(ctx)
	}
	until := time.Now().Add(j.lease)
	states, err := attempt(ctx, *conn, func(ctx context.Context, tx *sql.Tx) (map[int64]bool, error) {
		return j.renewRows(ctx, tx, array)
	})
	if err == nil {
		j.holds.renewed(states, until)
	}
	return err
}

// renewRows returns which leases were renewed (true) and which are lost (false); those that are locked are neither.
func (j *Journal) renewRows(ctx context.Context, tx *sql.Tx, array string) (map[int64]bool, error) {
	rows, err := tx.QueryContext(ctx, j.sql(`WITH
		held AS (SELECT id, copy IS NOT DISTINCT FROM $2::text AND asking_at > clock_timestamp() - $4::bigint * interval '1 microsecond' AS mine
			FROM {request} WHERE id = ANY ($1::text::bigint[])),
		free AS (SELECT id FROM {request} WHERE id IN (SELECT id FROM held WHERE mine) AND copy = $2::text FOR UPDATE SKIP LOCKED),
		renewed AS (UPDATE {request} SET lease_until = clock_timestamp() + $3::bigint * interval '1 microsecond'
			WHERE id IN (SELECT id FROM free) RETURNING id)
		SELECT id, true FROM renewed UNION ALL SELECT id, false FROM held WHERE NOT mine`),
		array, j.copy, microseconds(j.lease), microseconds(maxAge))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	states := map[int64]bool{}
	for rows.Next() {
		var id int64
		var renewed bool
		if err := rows.Scan(&id, &renewed); err != nil {
			return nil, err
		}
		states[id] = renewed
	}
	return states, rows.Err()
}

// renewed takes what became of the leases. A claimed wait that is lost ends now; any other one learns it at Ended.
func (s *holds) renewed(states map[int64]bool, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, renewed := range states {
		h := s.byID[id]
		switch {
		case h == nil:
		case renewed:
			h.renew(until)
		case h.claimed:
			delete(s.byID, id)
			h.stop(intune.ErrSuperseded)
		default:
			h.renew(time.Time{})
		}
	}
}

// background runs work until Close, unless the journal is closed.
func (j *Journal) background(work func()) bool {
	j.closing.Lock()
	defer j.closing.Unlock()
	if j.life.Err() != nil {
		return false
	}
	j.work.Go(work)
	return true
}

// writeLater writes an entry as soon as the database can be reached.
func (j *Journal) writeLater(work func(context.Context, *sql.Tx) (struct{}, error)) {
	if j.later.Add(1) > maxLater {
		j.later.Add(-1)
		return
	}
	j.background(func() {
		defer j.later.Add(-1)
		for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
			if _, err := run(j.life, j.db, work); err == nil || !mayPass(err, true) {
				return
			}
			timer := time.NewTimer(pause)
			select {
			case <-timer.C:
			case <-j.life.Done():
				timer.Stop()
				return
			}
		}
	})
}
