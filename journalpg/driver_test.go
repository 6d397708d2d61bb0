package journalpg_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/go-intune/intune/journalpg"
)

// faultyDriver is pgx, of whose calls one fails.
type faultyDriver struct {
	driver.Connector

	at    int64 // the number of the call that fails,
	after bool  // it has its effect all the same
	calls atomic.Int64
	met   atomic.Bool
}

var errOnPurpose = errors.New("the connection broke on purpose")

func (d *faultyDriver) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := d.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	of, ok := conn.(*stdlib.Conn)
	if !ok {
		return nil, fmt.Errorf("pgx has another connection: %T", conn)
	}
	return &steppedConn{of, d.step}, nil
}

// step makes a call, or breaks the connection before or after it.
func (d *faultyDriver) step(_ string, work func() error) error {
	fails := d.calls.Add(1) == d.at
	if fails {
		d.met.Store(true)
	}
	if fails && !d.after {
		return errOnPurpose
	}
	err := work()
	if fails && err == nil {
		return errOnPurpose
	}
	return err
}

// steppedConn is a connection of pgx, each call of which is a step.
type steppedConn struct {
	*stdlib.Conn

	step func(name string, work func() error) error
}

// call makes a call. The connection breaks if the step fails on purpose.
func call[T any](c *steppedConn, name string, work func() (T, error)) (result T, err error) {
	err = c.step(name, func() (err error) {
		result, err = work()
		return err
	})
	if errors.Is(err, errOnPurpose) {
		_ = c.Conn.Close()
	}
	if err != nil {
		var none T
		return none, err
	}
	return result, nil
}

func (c *steppedConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	return call(c, "BEGIN", func() (driver.Tx, error) {
		tx, err := c.Conn.BeginTx(ctx, options)
		return &steppedTx{tx, c}, err
	})
}

func (c *steppedConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	return call(c, verb(text), func() (driver.Result, error) { return c.Conn.ExecContext(ctx, text, args) })
}

func (c *steppedConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	return call(c, verb(text), func() (driver.Rows, error) { return c.Conn.QueryContext(ctx, text, args) })
}

// verb is the first word of a statement.
func verb(text string) string { return strings.Fields(text)[0] }

type steppedTx struct {
	driver.Tx

	c *steppedConn
}

func (t *steppedTx) Commit() error {
	_, err := call(t.c, "COMMIT", func() (struct{}, error) { return struct{}{}, t.Tx.Commit() })
	return err
}

// Whichever call of the driver fails, before or after its effect, each request is asked once, no device stays busy for nobody, what
// came of it is recorded, and no connection is lost.
func TestJournal_EachCallOfTheDriverFails(t *testing.T) {
	t.Parallel()
	config, err := pgx.ParseConfig(server(t))
	must(t, err)
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("after=%t", after), func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			n := int64(1)
			for ; ; n++ {
				d := &faultyDriver{Connector: stdlib.GetConnector(*config), at: n, after: after}
				db := sql.OpenDB(d)
				t.Cleanup(func() { db.Close() })
				db.SetMaxOpenConns(4)
				(&broken{f, f.journalOn(db), f.journal(), n}).run(t)
				eventually(t, func() bool { return db.Stats().InUse == 0 }) // or a connection is lost
				if t.Failed() || !d.met.Load() {
					break
				}
			}
			if n < 30 {
				t.Errorf("there were only %d calls", n)
			}
		})
	}
}

// broken is a record, and two copies, of which one has a driver that fails.
type broken struct {
	f        *fixture
	j, other *journalpg.Journal
	n        int64
}

func (b *broken) run(t *testing.T) {
	t.Helper()
	defer b.other.Close()
	defer b.j.Close()
	wait, left := asking(device()), ask(t, b.other, device())
	must(t, b.other.Ended(t.Context(), ended(left, intune.SessionLeft)))
	if b.ask(t, wait) {
		_ = b.j.Asked(t.Context(), asked(wait, intune.OutcomeAccepted))
		if err := b.j.Ended(t.Context(), ended(wait, intune.SessionReady)); errors.Is(err, intune.ErrSuperseded) {
			t.Errorf("call %d: the link is withheld, and nobody else waits: %v", b.n, err)
		}
		b.says(t, wait, "accepted", "ready")
	}
	refused := asking(left.Device) // which ends what was left
	if b.ask(t, refused) {
		_ = b.j.Asked(t.Context(), asked(refused, intune.OutcomeRejected))
		b.says(t, refused, "rejected", "")
		b.says(t, left, "accepted", "left")
	}
	claimed, err := b.j.Claim(t.Context(), 100)
	for _, c := range claimed {
		if err := b.j.Ended(c.Context, ended(c.Request.Asking, intune.SessionReady)); errors.Is(err, intune.ErrSuperseded) {
			t.Errorf("call %d: the link of a claim is withheld: %v", b.n, err)
		}
		b.says(t, c.Request.Asking, "accepted", "ready")
	}
	if err == nil && len(claimed) == 0 && b.f.count(`SELECT count(*) FROM {request} WHERE client_request_id = $1 AND copy IS NOT NULL`,
		left.ClientRequestID) != 1 {
		t.Errorf("call %d: nothing was claimed, and the answer was not lost", b.n)
	}
	for range b.j.Requests(t.Context(), time.Now().Add(-time.Minute)) {
	}
	must(t, retried(t, func() error { return b.j.Forget(t.Context(), time.Now().Add(-time.Hour)) }))
}

// ask reports whether the request may go out. If not, another copy can make it.
func (b *broken) ask(t *testing.T, entry intune.JournalEntry) bool {
	t.Helper()
	err := b.j.Asking(t.Context(), entry)
	n := b.f.count(`SELECT count(*) FROM {request} WHERE client_request_id = $1 AND outcome IS NULL`, entry.ClientRequestID)
	if err == nil && n != 1 {
		t.Errorf("call %d: %d rows are there of a request that may go out", b.n, n)
	}
	if err != nil {
		must(t, retried(t, func() error { return b.other.Asking(t.Context(), entry) }))
		must(t, b.other.Asked(t.Context(), asked(entry, intune.OutcomeRejected)))
		return false
	}
	return true
}

func (b *broken) says(t *testing.T, entry intune.JournalEntry, outcome, session string) {
	t.Helper()
	eventually(t, func() bool {
		return b.f.count(`SELECT count(*) FROM {request} WHERE client_request_id = $1 AND outcome = $2 AND coalesce(session, '') = $3`,
			entry.ClientRequestID, outcome, session) == 1
	})
}
