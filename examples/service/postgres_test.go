//go:build unix

package main

import (
	"crypto/rand"
	"strings"
	"sync"
	"testing"

	"github.com/go-intune/intune/internal/pgtest"
)

// sharedPostgres is the server of the tests that do not kill it.
var sharedPostgres = struct {
	start func() (*pgtest.Cluster, error)
	mu    sync.Mutex
	run   *pgtest.Cluster
}{start: sync.OnceValues(func() (*pgtest.Cluster, error) { return pgtest.New() })}

// postgres is the DSN of a PostgreSQL, with the rights of an administrator.
func postgres(tb testing.TB) string {
	tb.Helper()
	c, err := sharedPostgres.start()
	if err != nil {
		tb.Skip(err)
	}
	sharedPostgres.mu.Lock()
	sharedPostgres.run = c
	sharedPostgres.mu.Unlock()
	return c.DSN("postgres")
}

func stopPostgres() {
	sharedPostgres.mu.Lock()
	defer sharedPostgres.mu.Unlock()
	if sharedPostgres.run != nil {
		sharedPostgres.run.Stop()
	}
}

// schemaName is a name that no other test has.
func schemaName() string { return "test_" + strings.ToLower(rand.Text()[:12]) }
