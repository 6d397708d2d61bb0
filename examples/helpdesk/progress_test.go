package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestProgressPlain has no terminal: a line each minute, and none after the end.
func TestProgressPlain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		said := func(after time.Duration) string {
			var talk strings.Builder
			stop := (&console{err: &talk}).progress(waitingFor(10 * time.Minute))
			time.Sleep(after)
			stop()
			time.Sleep(5 * time.Minute)
			return talk.String()
		}
		if got := said(59 * time.Second); got != "" {
			t.Errorf("too early: %s", got)
		}
		const want = "Waiting for the link, 1:00 of 10:00. Ctrl-C keeps it for later.\n" +
			"Waiting for the link, 2:00 of 10:00. Ctrl-C keeps it for later.\nWaiting for the link, 3:00 of 10:00. Ctrl-C keeps it for later.\n"
		if got := said(3*time.Minute + time.Second); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
