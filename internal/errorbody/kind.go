package errorbody

import "net/http"

// Kind is what an error means for the caller.
type Kind uint8

// The kinds.
const (
	Other Kind = iota
	BadRequest
	Unauthenticated
	Forbidden
	NotLicensed
	NotFound
	Conflict
	Throttled
	Unavailable
	Server
)

// Kind chooses the kind of an error. Status and codes disagree often, so the order matters: a tenant without a
// license gets 400 or 403, a throttled caller any code, and a caller without a role right 401 with a nested
// Forbidden.
func (b *Body) Kind(status int) Kind {
	switch {
	case b.batch:
		return Other
	case b.HasCodeLike("licens", "nonpremiumtenant") ||
		// Intune's own sentence does not contain the word license.
		b.Says("licens", "licence", "request not applicable to target tenant"): //nolint:misspell // the British spelling occurs too
		return NotLicensed
	case status == http.StatusTooManyRequests || status == 509 ||
		b.HasCode("TooManyRequests", "activityLimitReached") || b.HasCodeLike("throttled"):
		return Throttled
	case status == http.StatusForbidden || b.HasCode("Forbidden") || b.HasCodeLike("accessdenied", "requestdenied"):
		return Forbidden
	case status == http.StatusUnauthorized || b.Says("claims=") ||
		b.HasCode("unauthenticated", "AuthenticationError", "Authorization_IdentityNotFound") ||
		b.HasCodeLike("unauthorized", "authenticationtoken", "authentication_"):
		return Unauthenticated
	case status == http.StatusConflict || status == http.StatusPreconditionFailed ||
		b.HasCode("ConditionNotMet", "PreconditionFailed", "resourceModified") || b.HasCodeLike("alreadyexists", "conflict"):
		return Conflict
	case status == http.StatusNotFound || status == http.StatusGone || b.HasCodeLike("notfound"):
		return NotFound
	case status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout ||
		b.HasCode("ServiceUnavailable", "serviceNotAvailable", "GatewayTimeout", "BadGateway"):
		return Unavailable
	case status >= 500 || b.HasCode("InternalServerError", "generalException") || b.Says("internal server error"):
		return Server
	}
	switch status {
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusLengthRequired,
		http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return BadRequest
	}
	return Other
}
