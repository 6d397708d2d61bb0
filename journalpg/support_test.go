package journalpg_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/google/uuid"

	"github.com/go-intune/intune/journalpg"
)

const scope = "graph.microsoft.com/6babcaad-604b-40ac-a9d7-9fd97c0b779f"

// fixture is a schema of its own and a pool as the owner.
type fixture struct {
	t      *testing.T
	db     *sql.DB
	schema string
}

func newFixture(t *testing.T) *fixture { return newFixtureAt(t, server(t)) }

func newFixtureAt(t *testing.T, dsn string) *fixture {
	t.Helper()
	f := &fixture{t: t, db: open(t, "pgx", dsn), schema: schemaName()}
	f.db.SetMaxOpenConns(16)
	f.db.SetMaxIdleConns(16)
	t.Cleanup(func() {
		_, _ = f.db.ExecContext(context.WithoutCancel(t.Context()), `DROP SCHEMA IF EXISTS "`+f.schema+`" CASCADE`)
	})
	if err := f.journal().Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

func key() []byte { return []byte(strings.Repeat("k", 32)) }

// journal is one more copy.
func (f *fixture) journal(change ...func(*journalpg.Options)) *journalpg.Journal {
	f.t.Helper()
	return f.journalOn(f.db, change...)
}

func (f *fixture) journalOn(db *sql.DB, change ...func(*journalpg.Options)) *journalpg.Journal {
	f.t.Helper()
	o := &journalpg.Options{Schema: f.schema, Scope: scope, Key: key()}
	for _, c := range change {
		c(o)
	}
	j, err := journalpg.New(db, o)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { j.Close() })
	return j
}

func lease(d time.Duration) func(*journalpg.Options) {
	return func(o *journalpg.Options) { o.Lease = d }
}

// exec changes rows behind the journal's back.
func (f *fixture) exec(query string, args ...any) {
	f.t.Helper()
	if _, err := f.db.ExecContext(f.t.Context(), strings.ReplaceAll(query, "{request}", f.schema+".request"), args...); err != nil {
		f.t.Fatal(err)
	}
}

// count returns a number.
func (f *fixture) count(query string, args ...any) (n int) {
	f.t.Helper()
	if err := f.db.QueryRowContext(f.t.Context(), strings.ReplaceAll(query, "{request}", f.schema+".request"), args...).Scan(&n); err != nil {
		f.t.Fatal(err)
	}
	return n
}

// age makes all requests older.
func (f *fixture) age(d time.Duration) {
	f.exec(`UPDATE {request} SET
		asking_at = asking_at - $1::bigint * interval '1 microsecond', busy_until = busy_until - $1::bigint * interval '1 microsecond',
		confirm_until = confirm_until - $1::bigint * interval '1 microsecond',
		asked_at = asked_at - $1::bigint * interval '1 microsecond', ended_at = ended_at - $1::bigint * interval '1 microsecond'`,
		d.Microseconds())
}

// die is what is left of a copy that died longer than its lease ago.
func (f *fixture) die() {
	f.exec(`UPDATE {request} SET lease_until = clock_timestamp() - interval '1 second' WHERE copy IS NOT NULL`)
}

func device() intune.DeviceRef { return intune.Device(uuid.NewString()) }

// asking is an entry for Asking with a wait.
func asking(device intune.DeviceRef) intune.JournalEntry {
	entry := intune.JournalEntry{
		Time: time.Now(), Device: device, ClientRequestID: uuid.NewString(), Waits: true, Actor: "Kim", Reference: "INC-1",
	}
	entry.ResumeToken = token(entry, "")
	return entry
}

// bare is an entry for Asking without a wait.
func bare(device intune.DeviceRef) intune.JournalEntry {
	entry := asking(device)
	entry.Waits, entry.ResumeToken = false, ""
	return entry
}

// token is a token of a request as the library writes them, as far as a journal reads it.
func token(entry intune.JournalEntry, graph string) string {
	if graph == "" {
		graph = "https://graph.microsoft.com/v1.0"
	}
	text, err := json.Marshal(map[string]any{"type": "RemoteAssistanceSession", "token": map[string]any{
		"version": 1, "graph": graph, "device": entry.Device.String(), "clientRequestId": entry.ClientRequestID, "confirmWithin": "2m0s",
	}})
	if err != nil {
		panic(err)
	}
	return string(text)
}

func asked(entry intune.JournalEntry, outcome intune.Outcome) intune.JournalEntry {
	of := intune.JournalEntry{Time: time.Now(), Device: entry.Device, ClientRequestID: entry.ClientRequestID, Outcome: outcome}
	if entry.ResumeToken != "" && (outcome == intune.OutcomeAccepted || outcome == intune.OutcomeUnknown) {
		of.ResumeToken = entry.ResumeToken
	}
	return of
}

func ended(entry intune.JournalEntry, session intune.SessionOutcome) intune.JournalEntry {
	return intune.JournalEntry{Time: time.Now(), Device: entry.Device, ClientRequestID: entry.ClientRequestID, Session: session}
}

// must fails the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ask makes a request with a wait that is accepted.
func ask(t *testing.T, j *journalpg.Journal, device intune.DeviceRef) intune.JournalEntry {
	t.Helper()
	entry := asking(device)
	must(t, j.Asking(t.Context(), entry))
	must(t, j.Asked(t.Context(), asked(entry, intune.OutcomeAccepted)))
	return entry
}

// requests reads the record.
func requests(t *testing.T, j *journalpg.Journal) (list []intune.JournalRequest) {
	t.Helper()
	for request, err := range j.Requests(t.Context(), time.Time{}) {
		must(t, err)
		list = append(list, request)
	}
	return list
}

// claimOne claims the only wait there is.
func claimOne(t *testing.T, j *journalpg.Journal) journalpg.Claimed {
	t.Helper()
	list, err := j.Claim(t.Context(), 10)
	must(t, err)
	if len(list) != 1 {
		t.Fatalf("claimed %d waits instead of 1", len(list))
	}
	return list[0]
}

func wantNoClaim(t *testing.T, j *journalpg.Journal) {
	t.Helper()
	list, err := j.Claim(t.Context(), 10)
	must(t, err)
	if len(list) != 0 {
		t.Fatalf("claimed %d waits instead of none: %v", len(list), list[0].Request)
	}
}

func wantBusy(t *testing.T, err error) *intune.DeviceBusyError {
	t.Helper()
	busy, ok := errors.AsType[*intune.DeviceBusyError](err)
	if !ok {
		t.Fatalf("got %v instead of a DeviceBusyError", err)
	}
	return busy
}

func wantSuperseded(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, intune.ErrSuperseded) {
		t.Fatalf("got %v instead of ErrSuperseded", err)
	}
}

// summary is what the record says of a request.
func summary(r intune.JournalRequest) string {
	return fmt.Sprintf("%s %s waiting=%t", r.Outcome(), r.Ended.Session, r.Waiting())
}

// wantBusyOrFail is wantBusy for other goroutines than that of the test.
func wantBusyOrFail(t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[*intune.DeviceBusyError](err); !ok {
		t.Errorf("got %v instead of a DeviceBusyError", err)
	}
}
