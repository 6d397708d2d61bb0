//go:build unix

package main

import (
	"database/sql"
	"fmt"
	"log/slog"
	"math"
	mathrand "math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// newShared is a schema in which several copies meet.
func newShared(t *testing.T) *pgShared {
	t.Helper()
	return newPGPlace(t).copy().pgShared
}

func (s *pgShared) exec(tb testing.TB, statement string, args ...any) {
	tb.Helper()
	_, err := s.db.ExecContext(tb.Context(), s.sql(statement), args...)
	must(tb, err)
}

// aging lets time pass for all that was counted, in the database and in the memory of one copy.
func aging(t *testing.T, l *pgLimits) func(time.Duration) {
	return func(by time.Duration) {
		t.Helper()
		l.exec(t, `UPDATE {schema}.person_use SET at = ARRAY(
			SELECT one - make_interval(secs => $1) FROM unnest(at) WITH ORDINALITY AS list (one, place) ORDER BY place)`, by.Seconds())
		l.mu.Lock()
		defer l.mu.Unlock()
		for key := range l.refused {
			l.refused[key] = l.refused[key].Add(-by)
		}
	}
}

func TestPGLimits(t *testing.T) {
	t.Parallel()
	shared := newShared(t)
	l := newPGLimits(shared, quiet())
	testLimits(t, l, aging(t, l))
	aging(t, l)(time.Hour)
	l.tidy(t.Context())
	var rows int
	must(t, shared.db.QueryRowContext(t.Context(), shared.sql("SELECT count(*) FROM {schema}.person_use")).Scan(&rows))
	if rows != 0 {
		t.Errorf("%d rows are kept", rows)
	}
	if n := len(l.refused); n != 0 {
		t.Errorf("%d answers are kept", n)
	}
}

func TestPGLimits_CopiesCountTogether(t *testing.T) {
	t.Parallel()
	shared := newShared(t)
	var through atomic.Int64
	var group sync.WaitGroup
	for range 3 {
		l := newPGLimits(shared, quiet())
		for range 30 {
			group.Go(func() {
				if l.take(t.Context(), "dana", useSearch) == 0 {
					through.Add(1)
				}
			})
		}
	}
	group.Wait()
	if n := through.Load(); n != int64(useSearch.most) {
		t.Errorf("%d were let through, want %d", n, useSearch.most)
	}
}

// A clock that was a day ahead for a while blocks nobody for a day.
func TestPGLimits_ClockThatWasWrong(t *testing.T) {
	t.Parallel()
	shared := newShared(t)
	l, what := newPGLimits(shared, quiet()), use{"search", 2, 1}
	for range 2 {
		l.take(t.Context(), "dana", what)
	}
	aging(t, l)(-24 * time.Hour)
	if wait := l.take(t.Context(), "dana", what); wait != 0 {
		t.Errorf("has to wait for %v", wait)
	}
	one, other := newPGCopy(shared), newPGCopy(shared)
	renewed(t, one, lostPart)
	shared.exec(t, `UPDATE {schema}.copy SET seen_at = seen_at + interval '1 day'`)
	if part, _ := renewed(t, other, lostPart); part != dividedPart {
		t.Errorf("the part is %v", part)
	}
}

// Without the database each copy counts for itself, and nobody waits long for that.
func TestPGLimits_DatabaseAway(t *testing.T) {
	t.Parallel()
	away, err := sql.Open("pgx", "postgres://owner@127.0.0.1:1/postgres")
	if err != nil {
		t.Fatal(err)
	}
	defer away.Close()
	log := &syncBuffer{}
	l := newPGLimits(&pgShared{db: away}, slog.New(slog.NewTextHandler(log, nil)))
	begin, through := time.Now(), 0
	for range 2 * useSearch.most {
		if l.take(t.Context(), "dana", useSearch) == 0 {
			through++
		}
	}
	l.tidy(t.Context())
	if through != useSearch.most {
		t.Errorf("%d were let through, want %d", through, useSearch.most)
	}
	if took := time.Since(begin); took > 2*limitWithin+time.Second {
		t.Errorf("took %v", took)
	}
	if n := strings.Count(log.String(), "does not answer"); n == 0 || n > 3 {
		t.Errorf("the log says %d times that the database does not answer", n)
	}
}

// renewed renews a row, and checks that what is less is used before it is committed.
func renewed(t *testing.T, c *pgCopy, before float64) (part, share float64) {
	t.Helper()
	lowered := math.NaN()
	part, share, err := c.renew(t.Context(), before, func(to float64) { lowered = to })
	if err != nil {
		t.Error(err)
		return part, share
	}
	if part < before && lowered != part {
		t.Errorf("from %v to %v, lowered to %v", before, part, lowered)
	}
	if part >= before && !math.IsNaN(lowered) {
		t.Errorf("from %v to %v, lowered to %v", before, part, lowered)
	}
	return part, share
}

func TestPGCopy(t *testing.T) {
	t.Parallel()
	shared := newShared(t)
	a, b, c := newPGCopy(shared), newPGCopy(shared), newPGCopy(shared)
	parts := map[*pgCopy]float64{a: lostPart, b: lostPart, c: lostPart}
	renew := func(one *pgCopy, want, wantShare float64) {
		t.Helper()
		part, share := renewed(t, one, parts[one])
		if math.Abs(part-want) > 1e-9 || math.Abs(share-wantShare) > 1e-9 {
			t.Errorf("part %v of a share of %v, want %v of %v", part, share, want, wantShare)
		}
		parts[one] = part
	}
	const all = dividedPart
	renew(a, all, all)
	renew(b, lostPart, all/2) // until the other gives up half
	renew(a, all/2, all/2)
	renew(b, all/2, all/2)
	renew(c, lostPart, all/3)
	renew(a, all/3, all/3)
	renew(c, all-all/3-all/2, all/3)
	renew(b, all/3, all/3)
	renew(c, all/3, all/3)
	shared.exec(t, `UPDATE {schema}.copy SET seen_at = seen_at - interval '14 seconds' WHERE id = $1`, c.id.String())
	renew(a, all/3, all/3) // it may come back
	shared.exec(t, `UPDATE {schema}.copy SET seen_at = seen_at - interval '2 seconds' WHERE id = $1`, c.id.String())
	renew(a, all/2, all/2)
	renew(b, all/2, all/2)
	if err := b.leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	renew(a, all, all)
	parts[c] = lostPart // which was stopped meanwhile
	renew(c, lostPart, all/2)
}

// Whatever copies come, renew, die and come back, they never use more than the whole together.
func TestPGCopy_RandomHistories(t *testing.T) {
	t.Parallel()
	shared := newShared(t)
	type living struct {
		row  *pgCopy
		part float64
	}
	random := mathrand.New(mathrand.NewPCG(mathrand.Uint64(), 1))
	var list []*living
	for step := range 300 {
		what := random.IntN(10)
		switch {
		case len(list) == 0 || what == 0 && len(list) < 10:
			list = append(list, &living{newPGCopy(shared), lostPart})
		case what == 1: // killed or without the database, until its time is over
			at := random.IntN(len(list))
			list[at].part = lostPart
			shared.exec(t, `UPDATE {schema}.copy SET seen_at = seen_at - interval '16 seconds' WHERE id = $1`, list[at].row.id.String())
			if random.IntN(2) == 0 {
				list = append(list[:at], list[at+1:]...)
			}
		case what == 2:
			at := random.IntN(len(list))
			if err := list[at].row.leave(t.Context()); err != nil {
				t.Fatal(err)
			}
			list = append(list[:at], list[at+1:]...)
		default:
			one := list[random.IntN(len(list))]
			one.part, _ = renewed(t, one.row, one.part)
		}
		sum := 0.
		for _, one := range list {
			sum += one.part
		}
		if sum > 1+1e-9 {
			t.Fatalf("step %d: %d copies use %v together", step, len(list), sum)
		}
	}
	for range 2 { // all of them, one after the other: then the parts are fair
		for _, one := range list {
			one.part, _ = renewed(t, one.row, one.part)
		}
	}
	for _, one := range list {
		if want := dividedPart / float64(len(list)); math.Abs(one.part-want) > lostPart {
			t.Errorf("%d copies, one uses %v", len(list), one.part)
		}
	}
}

// Copies that start together do not each take the whole.
func TestPGCopy_AtTheSameTime(t *testing.T) {
	t.Parallel()
	shared := newShared(t)
	rows, parts := make([]*pgCopy, 9), make([]float64, 9)
	for round := range 20 {
		shared.exec(t, `DELETE FROM {schema}.copy`)
		for i := range rows {
			rows[i], parts[i] = newPGCopy(shared), lostPart
		}
		var group sync.WaitGroup
		for i := range rows {
			group.Go(func() { parts[i], _ = renewed(t, rows[i], parts[i]) })
		}
		group.Wait()
		sum := 0.
		for _, part := range parts {
			sum += part
		}
		if sum > 1+1e-9 {
			t.Errorf("round %d: %v together", round, sum)
		}
	}
}

// Two copies behind one address: what a person does counts in both, and the pace is divided.
func TestServiceInCopies_Limits(t *testing.T) {
	t.Parallel()
	shared := newShared(t)
	a := newPlace(t, func(o *settings) { o.shared = shared })
	b := &place{
		tb: t, tenant: a.tenant, entra: a.entra, network: inProcess{"login.example": a.entra.handler()}, log: &syncBuffer{},
		journal: filepath.Join(t.TempDir(), "journal.jsonl"), limits: a.limits,
	}
	b.open()
	t.Cleanup(b.close)
	for range 2 {
		a.service.copies.renew(t.Context())
		b.service.copies.renew(t.Context())
	}
	for name, p := range map[string]*place{"the first": a, "the second": b} {
		if got, want := float64(p.service.paces.asks.limiter.Limit()), asksPerSecond*dividedPart/2; math.Abs(got-want) > .01 {
			t.Errorf("%s asks %v times a second, want %v", name, got, want)
		}
		if got, want := float64(p.service.paces.reads.limiter.Limit()), readsPerSecond*dividedPart/2; math.Abs(got-want) > .01 {
			t.Errorf("%s reads %v times a second, want %v", name, got, want)
		}
	}
	statuses := map[int]int{}
	for _, c := range []*caller{a.browser(dana), b.browser(dana)} {
		for range useSearch.most * 2 / 3 {
			statuses[c.get("/devices?q=LT-1").status]++
		}
	}
	if n := statuses[http.StatusOK]; n != useSearch.most {
		t.Errorf("%d searches, want %d: %v", n, useSearch.most, statuses)
	}
	b.close()
	a.service.copies.renew(t.Context())
	if got, want := float64(a.service.paces.asks.limiter.Limit()), asksPerSecond*dividedPart; math.Abs(got-want) > .01 {
		t.Errorf("alone, the first asks %v times a second, want %v", got, want)
	}
	if text := fmt.Sprint(a.log, b.log); strings.Contains(text, "cause") {
		t.Errorf("a log has %s", text)
	}
}
