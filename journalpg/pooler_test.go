package journalpg_test

import (
	"database/sql"
	"fmt"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/pgtest"
)

// pooler starts pgbouncer, and returns the DSN that leads through it.
func pooler(t *testing.T) string {
	t.Helper()
	through, stop, err := pgtest.NewPooler(server(t))
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(stop)
	return through
}

// Each way to the database does the same: races, leases, claims, ends.
func TestNew_DriversAndPoolers(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]func(*testing.T) *sql.DB{
		"pgx": func(t *testing.T) *sql.DB { t.Helper(); return open(t, "pgx", server(t)) },
		"pq":  func(t *testing.T) *sql.DB { t.Helper(); return open(t, "postgres", server(t)) },
		"pgx, pgbouncer": func(t *testing.T) *sql.DB {
			t.Helper()
			return open(t, "pgx", with(t, pooler(t), "default_query_exec_mode", "cache_describe"))
		},
		"pgx, pgbouncer, exec": func(t *testing.T) *sql.DB {
			t.Helper()
			return open(t, "pgx", with(t, pooler(t), "default_query_exec_mode", "exec"))
		},
		"pgx, pgbouncer, simple protocol": func(t *testing.T) *sql.DB {
			t.Helper()
			return open(t, "pgx", with(t, pooler(t), "default_query_exec_mode", "simple_protocol"))
		},
		"pq, pgbouncer": func(t *testing.T) *sql.DB { t.Helper(); return open(t, "postgres", pooler(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			db := way(t)
			db.SetMaxOpenConns(12)
			db.SetMaxIdleConns(12)
			must(t, f.journalOn(db).Migrate(t.Context()))
			devices := make([]intune.DeviceRef, 40)
			for i := range devices {
				devices[i] = device()
			}
			var won atomic.Int64
			var race sync.WaitGroup
			for range 4 {
				j := f.journalOn(db)
				race.Go(func() {
					for _, d := range devices {
						entry := asking(d)
						if err := j.Asking(t.Context(), entry); err != nil {
							wantBusyOrFail(t, err)
							continue
						}
						won.Add(1)
						if err := j.Asked(t.Context(), asked(entry, intune.OutcomeAccepted)); err != nil {
							t.Error(err)
						}
					}
				})
			}
			race.Wait()
			if n := won.Load(); n != int64(len(devices)) {
				t.Errorf("%d requests went out", n)
			}
			j := f.journalOn(db)
			wantNoClaim(t, j)
			f.die()
			list, err := j.Claim(t.Context(), 100)
			must(t, err)
			for _, claimed := range list {
				must(t, j.Ended(claimed.Context, ended(claimed.Request.Asking, intune.SessionReady)))
			}
			if n := len(requests(t, j)); n != len(devices) {
				t.Errorf("the record has %d requests", n)
			}
			must(t, j.Forget(t.Context(), time.Now().Add(time.Hour)))
			must(t, j.Close())
		})
	}
}

// pgx's default mode names statements, which another connection of the server does not know: README.md says what to set.
func TestNew_DefaultModeFailsWithPgbouncer(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	db := open(t, "pgx", pooler(t))
	var version float64
	path, err := pgtest.PoolerPath()
	must(t, err)
	text, _ := exec.Command(path, "--version").Output()
	if _, err := fmt.Sscanf(string(text), "PgBouncer %f", &version); err != nil || version >= 1.21 {
		t.Skipf("this pgbouncer may know named statements: %s", text)
	}
	db.SetMaxOpenConns(12)
	var calls sync.WaitGroup
	var failed atomic.Int64
	for range 6 {
		j := f.journalOn(db)
		calls.Go(func() {
			for range 10 {
				if err := j.Asking(t.Context(), bare(device())); err != nil {
					failed.Add(1)
				}
			}
		})
	}
	calls.Wait()
	t.Logf("%d of 60 calls failed", failed.Load())
	if n := failed.Load(); n == 0 {
		t.Error("no call failed, so that README.md asks for too much")
	}
}
