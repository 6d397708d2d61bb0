package journalpg_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-intune/intune"
)

// The record is read page by page.
func TestJournalRequests_Pages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal()
	var asks sync.WaitGroup
	for range 4 {
		asks.Go(func() {
			for range 300 {
				if err := j.Asking(t.Context(), bare(device())); err != nil {
					t.Error(err)
				}
			}
		})
	}
	asks.Wait()
	f.exec(`UPDATE {request} SET asking_at = date_trunc('second', asking_at)`) // many at one time
	seen, last := map[string]bool{}, time.Time{}
	for request, err := range j.Requests(t.Context(), time.Time{}) {
		must(t, err)
		seen[request.Asking.ClientRequestID] = true
		if request.Asking.Time.Before(last) {
			t.Error("a request is out of order")
		}
		last = request.Asking.Time
	}
	if len(seen) != 1200 {
		t.Errorf("there are %d requests", len(seen))
	}
	n := 0
	for _, err := range j.Requests(t.Context(), last) {
		must(t, err)
		n++
	}
	if want := f.count(`SELECT count(*) FROM {request} WHERE asking_at = $1`, last); n != want {
		t.Errorf("%d requests are since the last one, instead of %d", n, want)
	}
	for range j.Requests(t.Context(), time.Time{}) {
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	n = 0
	for _, err := range j.Requests(ctx, time.Time{}) {
		if n++; n == 10 {
			cancel()
		}
		if err != nil && n < 500 {
			t.Errorf("in the middle of a page: %v", err)
		}
	}
	if n > 501 {
		t.Errorf("%d requests came after the context had ended", n)
	}
	cancel()
}

// Forget removes people, tokens and references from what is over, and keys stay used.
func TestJournalForget(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	j := f.journal()
	over := asking(intune.UserDevice("kim@example.com", device().DeviceID()))
	must(t, j.Asking(t.Context(), over))
	of := asked(over, intune.OutcomeAccepted)
	of.CallerID, of.Error = "caller", "text"
	must(t, j.Asked(t.Context(), of))
	must(t, j.Ended(t.Context(), ended(over, intune.SessionReady)))
	left := ask(t, j, device())
	must(t, j.Ended(t.Context(), ended(left, intune.SessionLeft)))
	rejected := bare(device())
	must(t, j.Asking(t.Context(), rejected))
	must(t, j.Asked(t.Context(), asked(rejected, intune.OutcomeRejected)))
	goesOn := ask(t, j, device())
	must(t, j.Forget(t.Context(), time.Now().Add(-time.Hour)))
	if n := f.count(`SELECT count(*) FROM {request} WHERE forgotten`); n != 0 {
		t.Errorf("%d requests are forgotten that are younger", n)
	}
	must(t, j.Forget(t.Context(), time.Now().Add(time.Hour)))
	if n := f.count(`SELECT count(*) FROM {request} WHERE forgotten`); n != 3 {
		t.Errorf("%d requests are forgotten", n)
	}
	var all string
	must(t, f.db.QueryRowContext(t.Context(), `SELECT string_agg(r::text, ' ') FROM `+f.schema+`.request AS r WHERE forgotten`).Scan(&all))
	for _, word := range []string{"kim@", "Kim", "INC-1", "caller", "text", "RemoteAssistanceSession"} {
		if strings.Contains(all, word) {
			t.Errorf("the rows still hold %q", word)
		}
	}
	wantNoClaim(t, f.journal())
	for i, want := range []string{
		"accepted ready waiting=false", "accepted left waiting=false", "rejected  waiting=false", "accepted  waiting=true",
	} {
		r := requests(t, j)[i]
		if got := summary(r); got != want {
			t.Errorf("request %d is %q instead of %q", i, got, want)
		}
	}
	if got := requests(t, j)[0].Device().DeviceID(); got != over.Device.DeviceID() {
		t.Errorf("the device is %q", got)
	}
	if err := j.Asking(t.Context(), over); err == nil {
		t.Error("a key can be used again")
	}
	must(t, j.Asking(t.Context(), asking(over.Device)))
	must(t, j.Asking(t.Context(), rejected))
	must(t, j.Ended(t.Context(), ended(goesOn, intune.SessionReady)))
	wantSuperseded(t, j.Ended(t.Context(), ended(left, intune.SessionReady)))
}
