package main

import (
	"cmp"
	"errors"
	"time"

	"github.com/go-intune/intune"
)

// problemFrom is what a technician hears of an error of the library. Nobody was asked: errors that may mean otherwise
// become states of a session instead.
func problemFrom(err error) *problem {
	if known, ok := errors.AsType[*problem](err); ok {
		return known
	}
	kinds := []struct {
		sentinel error
		kind     kind
	}{
		{errNotRecorded, kindRecord},
		{errSignInAgain, kindSignInAgain},
		{errNoEntra, kindSignInUnavailable},
		{errNoToken, kindSignInUnavailable},
		{intune.ErrInvalidArgument, kindMalformed},
		{intune.ErrUnauthenticated, kindSignInAgain},
		{intune.ErrNotLicensed, kindTenant}, // before forbidden, with which it may come: no right of the account would help
		{intune.ErrForbidden, kindForbidden},
		{intune.ErrNotFound, kindNoDevice},
		{intune.ErrThrottled, kindThrottled},
		{intune.ErrBadRequest, kindTenant},
		{intune.ErrConflict, kindTenant},
	}
	p := kindUnavailable.because(err)
	for _, k := range kinds {
		if errors.Is(err, k.sentinel) {
			p = k.kind.because(err)
			break
		}
	}
	failed, ok := errors.AsType[*intune.Error](err)
	switch {
	case !ok:
	case failed.StatusCode == 0 && errors.Is(err, intune.ErrConflict): // not Intune's: somebody else's session came up meanwhile
		p = kindDeviceBusy.because(err)
	case p.name == kindThrottled.name:
		p.extra.RetryAfter = cmp.Or(failed.RetryAfter, 30*time.Second)
	}
	return p
}
