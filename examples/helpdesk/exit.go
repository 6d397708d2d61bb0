package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-intune/intune"
)

// The exit codes. README.md and the help of the root command list them for users.
const (
	exitDone      = 0
	exitFailure   = 1 // something failed, and no other code says what
	exitUsage     = 2 // the command line cannot be used
	exitNothing   = 3 // there is none; apart from exitFailure, so that a script can tell it from "could not look"
	exitAmbiguous = 4 // several match, and nobody could be asked which
	exitRefused   = 5 // the service or the sign-in said no
	exitPending   = 6 // the user was asked, and there is no link yet
	exitUnknown   = 7 // nobody knows whether the user was asked
	exitSignal    = 128
)

const exitHelp = `Exit codes:
  0  done
  1  failed
  2  the command line cannot be used
  3  found none
  4  several match, and nobody could be asked which
  5  refused: by the sign-in, by Intune, or by the partner; asked
     before, as the record says; not ready
  6  pending: the user was asked, and there is no link yet
  7  unknown: the user may have been asked
130  stopped with Ctrl-C; "helpdesk resume" goes on
`

// failure is an error with an exit code of its own.
type failure struct {
	code int
	text string
}

// Error implements error.
func (f *failure) Error() string { return f.text }

func failed(code int, format string, args ...any) error {
	return &failure{code: code, text: fmt.Sprintf(format, args...)}
}

// exitCode is the code of an error.
func exitCode(ctx context.Context, err error) int {
	if err == nil {
		return exitDone
	}
	if s, ok := stoppedBy(ctx); ok {
		return exitSignal + int(s.signal)
	}
	if f, ok := errors.AsType[*failure](err); ok {
		return f.code
	}
	if _, ok := errors.AsType[*intune.SessionError](err); ok {
		return exitRefused
	}
	if _, ok := refusedByRecord(err, ""); ok {
		return exitRefused
	}
	for _, c := range []struct {
		kind error
		code int
	}{
		{intune.ErrOutcomeUnknown, exitUnknown}, // before pending, which it comes with
		{intune.ErrSessionPending, exitPending},
		{intune.ErrInvalidArgument, exitUsage},
		{intune.ErrNotFound, exitNothing},
		{intune.ErrForbidden, exitRefused},
		{intune.ErrUnauthenticated, exitRefused},
		{intune.ErrNotLicensed, exitRefused},
		{intune.ErrBadRequest, exitRefused},
		{intune.ErrConflict, exitRefused},
	} {
		if errors.Is(err, c.kind) {
			return c.code
		}
	}
	return exitFailure
}

// conclude reports an error, if there is one, and gives the exit code.
func (a *app) conclude(ctx context.Context, err error) int {
	if w, ok := a.out.(*watched); ok && w.err != nil && (err == nil || !a.checked) {
		err = failed(exitFailure, "write to standard output: %v", w.err)
	}
	if err != nil && !a.checked {
		if _, ok := errors.AsType[*failure](err); !ok {
			err = failed(exitUsage, "%v; see: helpdesk -h", err) // cobra's own
		}
	}
	code := exitCode(ctx, err)
	if err == nil {
		return code
	}
	if said, ok := errors.AsType[*failure](err); ok && said.text == "" {
		return code // it was said before
	}
	if code >= exitSignal && errors.Is(err, context.Canceled) {
		a.warn("stopped")
		return code
	}
	if errors.Is(err, intune.ErrUnauthenticated) && strings.Contains(err.Error(), "DefaultAzureCredential") {
		// Its text has a paragraph for each way to sign in that it has tried.
		a.warn("not signed in: --auth default found no account, in the environment, a managed identity, the Azure CLI and others; " +
			"as yourself: helpdesk login; to see what was tried: AZURE_SDK_GO_LOGGING=all")
		return code
	}
	a.warn("%s", words(err.Error()))
	if errors.Is(err, intune.ErrUnauthenticated) && a.connection.method() == intune.CredentialMethodDefault {
		a.say("To sign in as yourself: helpdesk login -h")
	}
	return code
}
