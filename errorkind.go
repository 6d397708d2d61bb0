package intune

import (
	"net/http"
	"strings"
)

// classify chooses the kind of an error. Status and codes disagree often, so the order matters: a tenant without a
// license gets 400 or 403, a throttled caller any code, and a caller without a role right 401 with a nested
// Forbidden.
func classify(status int, message string, codes ...string) error {
	said := func(words ...string) bool {
		for _, code := range codes {
			for _, word := range words {
				if strings.EqualFold(code, word) {
					return true
				}
			}
		}
		return false
	}
	saidLike := func(part string) bool {
		for _, code := range codes {
			if strings.Contains(strings.ToLower(code), part) {
				return true
			}
		}
		return false
	}
	lower := strings.ToLower(message)
	switch {
	case mentionsLicense(lower) || saidLike("licens") || saidLike("nonpremiumtenant"):
		return ErrNotLicensed
	case status == http.StatusTooManyRequests || status == 509 ||
		said("TooManyRequests", "activityLimitReached", "throttledRequest", "RequestThrottled", "ApplicationThrottled") || saidLike("throttled"):
		return ErrThrottled
	case status == http.StatusForbidden || said("Forbidden") || saidLike("accessdenied") || saidLike("requestdenied"):
		return ErrForbidden
	case status == http.StatusUnauthorized || strings.Contains(lower, "claims=") ||
		said("unauthenticated", "AuthenticationError", "Authorization_IdentityNotFound") ||
		saidLike("unauthorized") || saidLike("authenticationtoken") || saidLike("authentication_"):
		return ErrUnauthenticated
	case status == http.StatusConflict || status == http.StatusPreconditionFailed ||
		said("ConditionNotMet", "PreconditionFailed", "resourceModified") || saidLike("alreadyexists") || saidLike("conflict"):
		return ErrConflict
	case status == http.StatusNotFound || status == http.StatusGone || saidLike("notfound"):
		return ErrNotFound
	case status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout ||
		said("ServiceUnavailable", "serviceNotAvailable", "GatewayTimeout", "BadGateway"):
		return ErrUnavailable
	case status >= 500 || said("InternalServerError", "generalException") || strings.Contains(lower, "internal server error"):
		return ErrServer
	}
	switch status {
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusLengthRequired,
		http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return ErrBadRequest
	}
	return nil
}

// mentionsLicense recognizes the sentences with which the services say that a license is missing. Intune's own does not
// hold the word.
func mentionsLicense(lower string) bool {
	return strings.Contains(lower, "licens") || strings.Contains(lower, "licence") || //nolint:misspell // the British spelling occurs too
		strings.Contains(lower, "request not applicable to target tenant")
}
