//go:build unix

package main

import (
	"os"
	"testing"
	"time"

	"github.com/go-intune/intune/internal/pgtest"
	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// pgStores has a tenant of its own in a schema, so that many worlds can be in one.
type pgStores struct {
	*pgPlace

	scope string
	wire  *pgtest.Wire
}

func (p *pgStores) open(o *settings) {
	var through string
	p.wire, through = newWire(p.tb, p.dsn)
	store, err := openPGStore(p.tb.Context(), p.options(func(o *pgOptions) {
		o.dsn, o.scope, o.lease = through, p.scope, 300*time.Millisecond
	}))
	must(p.tb, err)
	o.store = store
}

func (p *pgStores) kill() { p.wire.Cut() }

func (p *pgStores) readable() bool { return false }

// The same histories as with a file, in real time: as many as there is time for, or all with SERVICE_COPIES_SOAK.
func TestPGStore_NobodyGetsTheLinkOfAnother(t *testing.T) {
	t.Parallel()
	p := newPGPlace(t)
	end := time.Now().Add(10 * time.Second)
	rapid.Check(t, func(r *rapid.T) {
		if os.Getenv("SERVICE_COPIES_SOAK") == "" && time.Now().After(end) {
			return
		}
		tryWorld(r, t, &pgStores{pgPlace: p, scope: "graph.example/" + uuid.NewString()}, 20*time.Millisecond)
	})
}
