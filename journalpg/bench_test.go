package journalpg_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/journalfile"

	"github.com/go-intune/intune/journalpg"
)

// BenchmarkJournal is what a request costs: Asking, Asked and Ended. The database syncs its log each time.
func BenchmarkJournal(b *testing.B) {
	if shared.err != nil {
		b.Skip(shared.err)
	}
	benchmarkAsk(b, benchFixture(b))
}

func benchmarkAsk(b *testing.B, f intune.Journal) {
	b.Helper()
	ctx := b.Context()
	var spent time.Duration
	for b.Loop() {
		entry := asking(device())
		start := time.Now()
		if err := f.Asking(ctx, entry); err != nil {
			b.Fatal(err)
		}
		spent += time.Since(start)
		if err := f.Asked(ctx, asked(entry, intune.OutcomeAccepted)); err != nil {
			b.Fatal(err)
		}
		if err := f.Ended(ctx, ended(entry, intune.SessionReady)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(spent.Microseconds())/float64(b.N), "µs/ask")
}

// BenchmarkJournalFile is the same with the record in a file.
func BenchmarkJournalFile(b *testing.B) {
	file, err := os.OpenFile(filepath.Join(b.TempDir(), "asked.jsonl"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	benchmarkAsk(b, journalfile.New(file, nil))
}

func benchFixture(b *testing.B) *journalpg.Journal {
	b.Helper()
	db := open(b, "pgx", shared.dsn)
	schema := schemaName()
	j, err := journalpg.New(db, &journalpg.Options{Schema: schema, Scope: scope, Key: key()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = j.Close()
		_, _ = db.ExecContext(context.WithoutCancel(b.Context()), `DROP SCHEMA IF EXISTS `+schema+` CASCADE`)
	})
	if err := j.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	return j
}
