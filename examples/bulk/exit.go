package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-intune/intune"
)

// The exit codes. README.md and the usage list them for users.
const (
	exitDone      = 0
	exitFailure   = 1 // something failed, and no other code says what
	exitUsage     = 2 // the command line cannot be used
	exitNotFound  = 3 // lines that name no device
	exitAmbiguous = 4 // lines that name several devices
	exitRefused   = 5 // devices that were refused or not sent
	exitPending   = 6 // links that have not come
	exitUnknown   = 7 // devices whose users may have been asked
	exitSignal    = 128
)

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

// conclude reports an error, if there is one, and gives the exit code.
func (c *console) conclude(stops *stops, err error) int {
	said, ok := errors.AsType[*failure](err)
	switch {
	case err == nil:
	case ok && said.text == "": // the summary said it
	case errors.Is(err, context.Canceled):
		c.warn("stopped")
	default:
		c.warn("%v", err)
	}
	if s, ok := stops.signaled(); ok {
		return exitSignal + int(s.signal)
	}
	switch {
	case err == nil:
		return exitDone
	case ok:
		return said.code
	case errors.Is(err, intune.ErrForbidden), errors.Is(err, intune.ErrUnauthenticated), errors.Is(err, intune.ErrNotLicensed):
		return exitRefused
	default:
		return exitFailure
	}
}
