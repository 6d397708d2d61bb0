package journalpg_test

import (
	"crypto/rand"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/go-intune/intune/internal/pgtest"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
)

// shared is the cluster of the tests that do not kill it.
var shared struct {
	dsn string
	err error
}

func TestMain(m *testing.M) {
	if runChild() {
		return
	}
	_ = flag.Set("rapid.checks", "25") // unless told otherwise
	_ = flag.Set("rapid.nofailfile", "true")
	flag.Parse()
	_ = flag.Set("test.parallel", "16") // most tests wait for a lock, a lease or a network
	shared.dsn = os.Getenv("JOURNALPG_DSN")
	stop := func() {}
	if shared.dsn == "" {
		c, err := pgtest.New()
		if err != nil {
			shared.err = fmt.Errorf("%w, or set JOURNALPG_DSN", err)
		} else {
			shared.dsn, stop = c.DSN("postgres"), c.Stop
		}
	}
	code := m.Run()
	stop()
	os.Exit(code)
}

// server is the DSN of a server with the rights of an administrator.
func server(t *testing.T) string {
	t.Helper()
	if shared.err != nil {
		t.Skip(shared.err)
	}
	return shared.dsn
}

// open opens a pool, which is closed with the test.
func open(t testing.TB, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// schemaName is a name that no other test has.
func schemaName() string { return "test_" + strings.ToLower(rand.Text()[:12]) }
