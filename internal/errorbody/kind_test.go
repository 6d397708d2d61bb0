package errorbody_test

import (
	"testing"

	"github.com/go-intune/intune/internal/errorbody"
	"github.com/go-intune/intune/internal/redact"
)

// mark is what a body of one kind has: a message, or a code.
type mark struct{ message, code string }

// marks are what each kind is known by, beside the status.
var marks = map[errorbody.Kind][]mark{
	errorbody.NotLicensed: {
		{code: "NotLicensed"},
		{code: "a NonPremiumTenant b"},
		{message: "the user has no license"},
		{message: "Which LICENCE?"}, //nolint:misspell // the British spelling occurs too
		{message: "Request not applicable to target tenant."},
	},
	errorbody.Throttled: {
		{code: "TooManyRequests"},
		{code: "activityLimitReached"},
		{code: "throttledRequest"},
		{code: "requestthrottled"},
		{code: "ApplicationThrottled"},
		{code: "IsThrottledNow"},
	},
	errorbody.Forbidden: {{code: "Forbidden"}, {code: "ErrorAccessDenied"}, {code: "Authorization_RequestDenied"}},
	errorbody.Unauthenticated: {
		{code: "unauthenticated"},
		{code: "AuthenticationError"},
		{code: "Authorization_IdentityNotFound"},
		{code: "S2SUnauthorized"},
		{code: "InvalidAuthenticationToken"},
		{code: "Authentication_Expired"},
		{message: "Bearer claims=e30"},
	},
	errorbody.Conflict: {
		{code: "ConditionNotMet"}, {code: "PreconditionFailed"}, {code: "resourceModified"}, {code: "NameAlreadyExists"}, {code: "EditConflict"},
	},
	errorbody.NotFound:    {{code: "ResourceNotFound"}, {code: "itemNotFound"}},
	errorbody.Unavailable: {{code: "ServiceUnavailable"}, {code: "serviceNotAvailable"}, {code: "GatewayTimeout"}, {code: "BadGateway"}},
	errorbody.Server:      {{code: "InternalServerError"}, {code: "generalException"}, {message: "Internal Server Error."}},
}

// statuses are what each kind is known by without a body.
var statuses = map[errorbody.Kind][]int{
	errorbody.Throttled:       {429, 509},
	errorbody.Forbidden:       {403},
	errorbody.Unauthenticated: {401},
	errorbody.Conflict:        {409, 412},
	errorbody.NotFound:        {404, 410},
	errorbody.Unavailable:     {502, 503, 504},
	errorbody.Server:          {500, 501, 505, 507, 511, 599},
	errorbody.BadRequest:      {400, 405, 406, 411, 413, 414, 415, 422},
	errorbody.Other:           {0, 200, 204, 302, 402, 407, 408, 416, 418, 423, 424, 451, 499},
}

// precedence is the order in which the kinds are looked for. A kind that comes before another wins, whether the status
// speaks for it or the body, and whatever the other has.
var precedence = []errorbody.Kind{
	errorbody.NotLicensed, errorbody.Throttled, errorbody.Forbidden, errorbody.Unauthenticated, errorbody.Conflict, errorbody.NotFound,
	errorbody.Unavailable, errorbody.Server, errorbody.BadRequest, errorbody.Other,
}

func TestKind_ByStatus(t *testing.T) {
	t.Parallel()
	for want, list := range statuses {
		for _, status := range list {
			var nothing errorbody.Body
			if got := nothing.Kind(status); got != want {
				t.Errorf("%d is of kind %d, want %d", status, got, want)
			}
		}
	}
}

func TestKind_Precedence(t *testing.T) {
	t.Parallel()
	for i, first := range precedence {
		for _, m := range marks[first] {
			body := errorbody.Made(m.message, m.code)
			if got := body.Kind(418); got != first {
				t.Errorf("%+v alone is of kind %d, want %d", m, got, first)
			}
			for _, second := range precedence[i:] {
				for _, status := range statuses[second] {
					if got := body.Kind(status); got != first {
						t.Errorf("%+v with status %d is of kind %d, want %d", m, status, got, first)
					}
				}
				for _, other := range marks[second] {
					both := errorbody.Made(m.message+" "+other.message, other.code, m.code)
					if got := both.Kind(418); got != first {
						t.Errorf("%+v with %+v is of kind %d, want %d", m, other, got, first)
					}
				}
			}
		}
		for _, status := range statuses[first] {
			for _, second := range precedence[i:] {
				for _, other := range marks[second] {
					body := errorbody.Made(other.message, other.code)
					if got := body.Kind(status); got != first {
						t.Errorf("status %d with %+v is of kind %d, want %d", status, other, got, first)
					}
				}
			}
		}
	}
}

// The answer of a batch is no error object.
func TestKind_Batch(t *testing.T) {
	t.Parallel()
	body := errorbody.Parse([]byte(`{"responses":[{"id":"1","status":404}]}`), redact.Private{})
	for _, list := range statuses {
		for _, status := range list {
			if got := body.Kind(status); got != errorbody.Other {
				t.Errorf("a batch with status %d is of kind %d", status, got)
			}
		}
	}
}
