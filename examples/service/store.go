package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"slices"

	"github.com/go-intune/intune"
)

// store keeps the sessions, and is the only place that decides who may ask and who may wait. It has two forms: a file, for
// one copy of the service, and a database, for several. What a call changes is durable when the call returns without an
// error; a call waits ten seconds at most for each answer of a disk or a database, and holds up no other call.
//
// The state of a session follows from the journal's entries and from the calls below:
//
//	asking      Asking accepted the request, and Asked has not come; its device is busy
//	waiting     Asked says accepted or unknown, and a copy waits: from Asking on, or since take; its device is busy
//	noLink      as waiting, and nobody waits: Ended says left, or the copy that waited has died or stopped
//	ready       Ended says ready
//	opened      the link was handed out
//	failed      Ended says failed
//	refused     Asked says rejected or notSent; the id is free again
//	superseded  a later request took the device, or the link on the device has become another one
//
// An Asking that is accepted supersedes, in the same step, what is noLink or ready for its device. If Asked then says that
// it asked nobody, or Asking returns an error after all, what it superseded is again what it was. A request whose copy died
// between Asking and Asked has an unknown outcome: it is noLink, and unsure.
type store interface {
	// Journal is what the library tells. Asking takes the owner from the context ([withOwner]) and returns
	// *intune.DeviceBusyError with the other's owner as Actor while somebody asks or waits for the device, and
	// *intune.AlreadyAskedError for an id that was used; after any other error of Asking nobody was asked either. Ended
	// returns intune.ErrSuperseded for a wait that is not its caller's any more: the context of its wait, from Asking or
	// from take, says whose it is.
	intune.Journal

	// get is a session, nil if there is none.
	get(ctx context.Context, id string) (*session, error)

	// history is at most so many sessions of an owner, the latest first. Sessions and their keys are remembered for
	// historyLife.
	history(ctx context.Context, owner string, most int) ([]*session, error)

	// watch gives a channel that has a value after each change of a session, or of any session of an owner, and perhaps after
	// none: look again then. It costs no round trip. stop has to be called.
	watch(idOrOwner string) (changed <-chan struct{}, stop func())

	// take makes the wait of a session that is noLink the caller's own, so that the session is waiting. The context that it
	// returns is derived from ctx, which should last as long as the wait, and says to Ended whose wait it is; it may end
	// before ctx, when the wait is another copy's. The string is the resume token. Errors: *intune.DeviceBusyError while
	// somebody asks or waits for the device, errNothingToWait for a session in any other state.
	take(ctx context.Context, id string) (context.Context, string, error)

	// ready keeps the salted hash of the link of a session that is ready, of [hashLink]. A crash may come before: the session
	// is ready without a hash then, and has the token of its wait instead.
	ready(ctx context.Context, id string, hash []byte) error

	// open takes the link that the device has now. If the session is ready, it becomes opened, and the caller may hand the
	// link out: errOpened says that somebody has done so before, errNotReady that the session is in any other state. A link
	// that is not the one of ready (any link is, if there is no hash) makes the session superseded, and none at all makes
	// it noLink, which cannot be taken then; both are errNotReady.
	open(ctx context.Context, id string, link intune.SessionURL) error

	// interrupted lists the waits that nobody holds because their copy died, stopped, or was away from the database for too
	// long, and that no call has taken since, of the last sessionLife. They are noLink; those that ran out of time are not among them.
	interrupted(ctx context.Context) ([]*session, error)

	// check says why the store cannot be written at the moment, nil if it can.
	check(ctx context.Context) error

	// close lets go of what this copy holds. Its waits are interrupted, and no entry says that they were left.
	close(ctx context.Context) error
}

const (
	errNothingToWait = plainError("there is nothing to wait for")
	errNotReady      = plainError("there is no link to open")
	errOpened        = plainError("the link was opened before")

	// errNotRecorded is why nobody was asked, and no link handed out: the store could not write, or not in time.
	errNotRecorded = plainError("the service could not write its record")
)

// linkSalt is the size of the salt before the hash of a link.
const linkSalt = 16

// hashLink is what may be kept of a link.
func hashLink(link intune.SessionURL) []byte {
	salt := make([]byte, linkSalt)
	_, _ = rand.Read(salt) // which never fails
	return saltedHash(salt, link)
}

func saltedHash(salt []byte, link intune.SessionURL) []byte {
	sum := sha256.Sum256(append(slices.Clone(salt), link.Reveal()...))
	return append(slices.Clone(salt), sum[:]...)
}

// isLink reports whether a link is that of a hash. Without a hash any link is.
func isLink(hash []byte, link intune.SessionURL) bool {
	if len(hash) <= linkSalt {
		return true
	}
	return subtle.ConstantTimeCompare(hash, saltedHash(hash[:linkSalt], link)) == 1
}

type ownerKey struct{}

// withOwner says for whom a request is made.
func withOwner(ctx context.Context, owner string) context.Context {
	return context.WithValue(ctx, ownerKey{}, owner)
}

func ownerOf(ctx context.Context) string {
	owner, _ := ctx.Value(ownerKey{}).(string)
	return owner
}
