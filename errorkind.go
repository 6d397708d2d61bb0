package intune

import (
	"net/http"

	"github.com/go-intune/intune/internal/errorbody"
)

// classify chooses the kind of an error. Status and codes disagree often, so the order matters: a tenant without a
// license gets 400 or 403, a throttled caller any code, and a caller without a role right 401 with a nested
// Forbidden.
func classify(status int, body errorbody.Body) error {
	switch {
	case body.HasCodeLike("licens", "nonpremiumtenant") ||
		// Intune's own sentence does not hold the word.
		body.Says("licens", "licence", "request not applicable to target tenant"): //nolint:misspell // the British spelling occurs too
		return ErrNotLicensed
	case status == http.StatusTooManyRequests || status == 509 ||
		body.HasCode("TooManyRequests", "activityLimitReached", "throttledRequest", "RequestThrottled", "ApplicationThrottled") || body.HasCodeLike("throttled"):
		return ErrThrottled
	case status == http.StatusForbidden || body.HasCode("Forbidden") || body.HasCodeLike("accessdenied", "requestdenied"):
		return ErrForbidden
	case status == http.StatusUnauthorized || body.Says("claims=") ||
		body.HasCode("unauthenticated", "AuthenticationError", "Authorization_IdentityNotFound") ||
		body.HasCodeLike("unauthorized", "authenticationtoken", "authentication_"):
		return ErrUnauthenticated
	case status == http.StatusConflict || status == http.StatusPreconditionFailed ||
		body.HasCode("ConditionNotMet", "PreconditionFailed", "resourceModified") || body.HasCodeLike("alreadyexists", "conflict"):
		return ErrConflict
	case status == http.StatusNotFound || status == http.StatusGone || body.HasCodeLike("notfound"):
		return ErrNotFound
	case status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout ||
		body.HasCode("ServiceUnavailable", "serviceNotAvailable", "GatewayTimeout", "BadGateway"):
		return ErrUnavailable
	case status >= 500 || body.HasCode("InternalServerError", "generalException") || body.Says("internal server error"):
		return ErrServer
	}
	switch status {
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusLengthRequired,
		http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return ErrBadRequest
	}
	return nil
}
