package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-intune/intune"
)

// record is the journal of the clients: the store, and what the desk needs to hear or to keep from it.
type record struct {
	store
	desk *desk
}

// Asking implements [intune.Journal]. An attempt that took too long is not asked any more.
func (r *record) Asking(ctx context.Context, entry intune.JournalEntry) error {
	if a, ok := ctx.Value(attemptKey{}).(*attempt); ok && !a.phase.CompareAndSwap(phaseLooking, phaseAsking) {
		return errTooLate
	}
	err := r.store.Asking(ctx, entry)
	_, busy := errors.AsType[*intune.DeviceBusyError](err)
	_, again := errors.AsType[*intune.AlreadyAskedError](err)
	if err == nil || busy || again || errors.Is(err, intune.ErrInvalidArgument) {
		return err
	}
	return fmt.Errorf("%w: %w", errNotRecorded, err)
}

// Ended implements [intune.Journal]. A wait that ends with the service goes on after the restart, as it does after a crash,
// and so the store does not hear that it was left.
func (r *record) Ended(ctx context.Context, entry intune.JournalEntry) error {
	if entry.Session == intune.SessionLeft && r.desk.waits.Err() != nil {
		return nil //nolint:nilerr // what has ended are the waits, which is no failure
	}
	if ctx.Value(lookingKey{}) != nil {
		return nil
	}
	return r.store.Ended(ctx, entry)
}

// recordProblem is the problem of an error of the store, whose text may go to the log: it names files, servers, roles and
// constraints, and neither links and tokens, which no store has in the clear, nor passwords.
func recordProblem(err error) *problem {
	return kindRecord.because(plainError(string(errNotRecorded) + ": " + err.Error()))
}
