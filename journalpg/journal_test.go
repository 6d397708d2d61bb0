package journalpg_test

import (
	"testing"

	"github.com/go-intune/intune"
)

func TestStates(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j, other := f.journal(), f.journal()
	d := device()
	entry := asking(d)
	must(t, j.Asking(t.Context(), entry))
	wantBusy(t, other.Asking(t.Context(), asking(d)))
	must(t, j.Asked(t.Context(), asked(entry, intune.OutcomeAccepted)))
	wantBusy(t, other.Asking(t.Context(), asking(d)))
	must(t, j.Ended(t.Context(), ended(entry, intune.SessionReady)))
	must(t, other.Asking(t.Context(), asking(d)))
	for _, r := range requests(t, j) {
		t.Log(summary(r))
	}
}
