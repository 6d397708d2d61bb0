package main

import (
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
		{errSignInAgain, kindSignInAgain},
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
	if p.name == kindThrottled.name {
		p.extra.RetryAfter = 30 * time.Second
		if failed, ok := errors.AsType[*intune.Error](err); ok && failed.RetryAfter > 0 {
			p.extra.RetryAfter = failed.RetryAfter
		}
	}
	return p
}
