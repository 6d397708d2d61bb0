//go:build unix

package pgtest_test

import (
	"net"
	"net/url"
	"syscall"
	"testing"

	"github.com/go-intune/intune/internal/pgtest"
)

// A server is there after New, and again after each way to die; nothing listens after Stop.
func TestCluster(t *testing.T) {
	t.Parallel()
	c, err := pgtest.New("max_connections = 20")
	if err != nil {
		t.Skip(err)
	}
	defer c.Stop()
	listens := func(dsn string) bool {
		at, err := url.Parse(dsn)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", at.Host)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}
	dsn := c.DSN("postgres")
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGINT} {
		if err := c.Kill(signal); err != nil {
			t.Fatal(err)
		}
		if listens(dsn) {
			t.Errorf("the server listens after %v", signal)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
	}
	if through, stop, err := pgtest.NewPooler(dsn); err != nil {
		t.Log(err)
	} else {
		if through == dsn || !listens(through) {
			t.Errorf("%s does not lead through pgbouncer", through)
		}
		stop()
		if listens(through) {
			t.Error("pgbouncer listens after it was stopped")
		}
	}
	c.Stop()
	if listens(dsn) {
		t.Error("the server listens after Stop")
	}
}
