package journalpg

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/go-intune/intune"
)

const (
	// resumeAtOnce is how many waits a copy goes on with at a time.
	resumeAtOnce = 1000

	// claimAtOnce is how many waits a copy claims in one transaction, so that copies which start together share them.
	claimAtOnce = 50

	// lookEvery is how often a copy looks for waits that others have left.
	lookEvery = 5 * time.Second
)

// Resume continues the waits that other copies have left behind, and those of earlier runs, for as long as ctx lasts: it claims them, at
// once and then every few seconds, at most 1,000 at a time, and waits with [intune.Client.WaitForRemoteAssistance]. One call is what
// a copy needs when it starts. It never asks.
//
// each gets the result of each wait that ends, in the goroutine that called Resume: a session; an [*intune.SessionError]; or, for a
// user who did not answer within ten minutes or of whom nobody knows whether he was asked, an [*intune.PendingError].
// Reference and Actor of the request are in the record. What ends with ctx, or goes on in another copy, is not told. The device of a wait
// that goes on is busy. A wait that was left ten minutes or more after Asking is not resumed.
//
// client needs this journal in its options, or the end of a wait is not recorded, and other copies go on with it. What it refuses, such
// as a token of another cloud, is told once.
//
// Resume returns nil when ctx has ended; [intune.ErrInvalidArgument]; an error if the journal is closed; and what a database answers
// that does not pass by itself, such as that there are no tables or no permissions. While the database can't be reached, it tries again.
func Resume(ctx context.Context, j *Journal, client *intune.Client, each func(intune.OpenResult)) error {
	switch {
	case client == nil:
		return invalidArgument("client", "is nil; pass the client that has this journal")
	case each == nil:
		return invalidArgument("each", "is nil; pass a function that hands the session on")
	}
	if err := j.usable(ctx); err != nil {
		if ctx != nil && ctx.Err() != nil {
			return nil // which is no error
		}
		return err
	}
	waits, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan waited)
	timer := time.NewTimer(0)
	defer timer.Stop()
	var failure error
	for running := 0; ; {
		select {
		case <-timer.C:
			timer.Reset(min(lookEvery, j.lease/3))
			free := min(claimAtOnce, resumeAtOnce-running)
			if waits.Err() != nil || free == 0 {
				continue
			}
			list, err := j.claim(waits, free, true)
			if err != nil && ctx.Err() == nil && !passes(err) {
				failure = err
				cancel()
			}
			for _, claimed := range list {
				running++
				go func() { results <- wait(j, client, claimed) }()
			}
			if len(list) == claimAtOnce {
				timer.Reset(0) // there may be more
			}
		case w := <-results:
			running--
			if w.told {
				each(w.result)
			}
		case <-done(ctx, waits, running):
			return failure
		}
	}
}

// done is closed when nothing is left to be done.
func done(ctx, waits context.Context, running int) <-chan struct{} {
	if running > 0 {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Done()
	}
	return waits.Done()
}

// waited is a wait that has ended.
type waited struct {
	result intune.OpenResult
	told   bool
}

func wait(j *Journal, client *intune.Client, claimed Claimed) waited {
	defer claimed.end(nil) // or it would be kept as long as Resume goes on
	session, err := client.WaitForRemoteAssistance(claimed.Context, claimed.Request.ResumeToken(), nil)
	if of, ok := claimed.Context.Value(claimKey{}).(claim); ok {
		j.holds.refuse(of.id, of.fence)
	}
	elsewhere := errors.Is(err, intune.ErrSuperseded)
	_, pending := errors.AsType[*intune.PendingError](err)
	return waited{
		result: intune.OpenResult{Device: claimed.Request.Device(), Session: session, Err: err},
		told:   !elsewhere && (!pending || claimed.Context.Err() == nil),
	}
}

// passes reports whether the database may answer otherwise later.
func passes(err error) bool {
	if _, answered := errors.AsType[refusal](err); answered || errors.Is(err, errClosed) || errors.Is(err, intune.ErrInvalidArgument) {
		return false
	}
	return !strings.HasPrefix(sqlState(err), "42")
}
