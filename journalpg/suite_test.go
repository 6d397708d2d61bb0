package journalpg_test

import (
	"iter"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

func TestJournal_Suite(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	err := intunetest.TestJournal(func() (intune.Journal, func() iter.Seq2[intune.JournalEntry, error], error) {
		j := f.journal()
		return j, func() iter.Seq2[intune.JournalEntry, error] { return entries(j.Requests(t.Context(), time.Time{})) }, nil
	})
	if err != nil {
		t.Error(err)
	}
}

// entries takes requests apart.
func entries(requests iter.Seq2[intune.JournalRequest, error]) iter.Seq2[intune.JournalEntry, error] {
	return func(yield func(intune.JournalEntry, error) bool) {
		for r, err := range requests {
			if err != nil {
				yield(intune.JournalEntry{}, err)
				return
			}
			for _, entry := range []intune.JournalEntry{r.Asking, r.Asked, r.Ended} {
				if !entry.Device.IsZero() && !yield(entry, nil) {
					return
				}
			}
		}
	}
}
