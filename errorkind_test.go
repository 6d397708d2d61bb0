package intune_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-intune/intune"
)

// kindOf is the one sentinel that an error answers to besides ErrOutcomeUnknown.
func kindOf(t *testing.T, err error) error {
	t.Helper()
	var found error
	for _, sentinel := range sentinels {
		if errors.Is(err, sentinel) {
			if found != nil {
				t.Errorf("%v is both %v and %v", err, found, sentinel)
			}
			found = sentinel
		}
	}
	return found
}

func TestKindByStatus(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]error{
		400: intune.ErrBadRequest, 401: intune.ErrUnauthenticated, 402: nil, 403: intune.ErrForbidden, 404: intune.ErrNotFound,
		405: intune.ErrBadRequest, 406: intune.ErrBadRequest, 409: intune.ErrConflict, 410: intune.ErrNotFound, 411: intune.ErrBadRequest,
		412: intune.ErrConflict, 413: intune.ErrBadRequest, 414: intune.ErrBadRequest, 415: intune.ErrBadRequest, 422: intune.ErrBadRequest,
		423: nil, 429: intune.ErrThrottled, 500: intune.ErrServer, 501: intune.ErrServer, 502: intune.ErrUnavailable,
		503: intune.ErrUnavailable, 504: intune.ErrUnavailable, 507: intune.ErrServer, 509: intune.ErrThrottled, 304: nil,
	} {
		_, err := newClient(t, newScript(status(code)), noRetries).GetDevice(t.Context(), intune.Device("1"), nil)
		if got := kindOf(t, err); !errors.Is(got, want) || asError(t, err).StatusCode != code {
			t.Errorf("%d is %v, want %v", code, got, want)
		}
	}
}

// C§6: codes and texts say more than a status that disagrees with them.
func TestKindByCode(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]error{
		"TooManyRequests": intune.ErrThrottled, "activityLimitReached": intune.ErrThrottled, "throttledRequest": intune.ErrThrottled,
		"RequestThrottled": intune.ErrThrottled, "ApplicationThrottled": intune.ErrThrottled, "MailboxThrottledException": intune.ErrThrottled,
		"Forbidden": intune.ErrForbidden, "accessDenied": intune.ErrForbidden, "Authorization_RequestDenied": intune.ErrForbidden,
		"unauthenticated": intune.ErrUnauthenticated, "AuthenticationError": intune.ErrUnauthenticated, "Unauthorized": intune.ErrUnauthenticated,
		"Authorization_IdentityNotFound": intune.ErrUnauthenticated, "InvalidAuthenticationToken": intune.ErrUnauthenticated,
		"Authentication_MissingOrMalformed": intune.ErrUnauthenticated, "ConditionNotMet": intune.ErrConflict, "PreconditionFailed": intune.ErrConflict,
		"resourceModified": intune.ErrConflict, "nameAlreadyExists": intune.ErrConflict, "EditConflict": intune.ErrConflict,
		"ResourceNotFound": intune.ErrNotFound, "ServiceUnavailable": intune.ErrUnavailable, "serviceNotAvailable": intune.ErrUnavailable,
		"GatewayTimeout": intune.ErrUnavailable, "BadGateway": intune.ErrUnavailable, "InternalServerError": intune.ErrServer,
		"generalException": intune.ErrServer, "LicenseRequired": intune.ErrNotLicensed, "AadPremiumLicenseRequired": intune.ErrNotLicensed,
		"Authentication_RequestFromNonPremiumTenantOrB2CTenant": intune.ErrNotLicensed, "anything else": intune.ErrBadRequest,
	} {
		for where, body := range map[string]string{
			"outside": `{"error":{"code":%q,"message":"m"}}`,
			"inside":  `{"error":{"code":"UnknownError","innerError":{"code":%q}}}`,
			"details": `{"error":{"code":"x","details":[{"code":%q}]}}`,
		} {
			_, err := newClient(t, always(http.StatusBadRequest, fmt.Sprintf(body, code)), noRetries).GetDevice(t.Context(), intune.Device("1"), nil)
			if got := kindOf(t, err); !errors.Is(got, want) {
				t.Errorf("%s %s is %v, want %v", code, where, got, want)
			}
		}
	}
	for message, want := range map[string]error{
		"the tenant has no licence":               intune.ErrNotLicensed, //nolint:misspell // the British spelling occurs too
		"User is not licensed":                    intune.ErrNotLicensed,
		"Request not applicable to target tenant": intune.ErrNotLicensed, "x claims=abc": intune.ErrUnauthenticated,
		"an Internal Server Error occurred": intune.ErrServer, "m": intune.ErrBadRequest,
	} {
		_, err := newClient(t, always(http.StatusBadRequest, `{"error":{"code":"x","message":"`+message+`"}}`)).GetDevice(t.Context(), intune.Device("1"), nil)
		if got := kindOf(t, err); !errors.Is(got, want) {
			t.Errorf("%q is %v, want %v", message, got, want)
		}
	}
}

// Each hint, where it is given and where not.
func TestHints(t *testing.T) {
	t.Parallel()
	const route = "No OData route exists that match template"
	device, user, app := intune.Device("1"), intune.UserDevice("u-1", "1"), intune.DetectedAppDevice("a", "1")
	for name, c := range map[string]struct {
		device intune.DeviceRef
		status int
		body   string
		header []string
		change func(*intune.ClientOptions)
		says   string
	}{
		"not found":                 {device, 404, "", nil, nil, "Intune device id"},
		"not licensed":              {device, 403, `{"error":{"code":"x","message":"no license"}}`, nil, nil, "lacks the Intune license"},
		"throttled":                 {device, 429, "", nil, nil, "slow down"},
		"redirect":                  {device, 307, "", nil, nil, "must reach the Graph endpoint directly"},
		"claims in a header":        {device, 401, "", []string{"WWW-Authenticate", `Bearer error="insufficient_claims"`}, nil, "sign the user in again"},
		"claims in a text":          {device, 403, `{"error":{"code":"x","message":"?claims=abc"}}`, nil, nil, "sign the user in again"},
		"route, plain address":      {device, 400, `{"error":{"code":"x","message":"` + route + `"}}`, nil, nil, ""},
		"route, user address":       {user, 400, `{"error":{"code":"x","message":"` + route + `"}}`, nil, nil, "use intune.Device(id)"},
		"route as a code":           {user, 400, `{"error":{"code":"No method match route template","message":""}}`, nil, nil, "use intune.Device(id)"},
		"route in a text":           {user, 400, `{"error":{"code":"x","message":"No method match route template"}}`, nil, nil, "use intune.Device(id)"},
		"segment":                   {user, 400, `{"error":{"code":"x","message":"Resource not found for the segment 'y'"}}`, nil, nil, "use intune.Device(id)"},
		"bad request, app address":  {app, 400, "", nil, nil, "use intune.Device(id)"},
		"bad request, user address": {user, 400, "", nil, nil, ""},
		"scopes": {
			device, 403, `{"error":{"code":"x","message":"must have one of the following scopes: A.Read.All, B.Read.All"}}`, nil, nil,
			"the app needs the permission A.Read.All or B.Read.All",
		},
		"app only":        {device, 403, `{"error":{"code":"x","message":"not supported in an app only context"}}`, nil, nil, "as an application permission"},
		"role":            {device, 403, "", nil, nil, "Remote tasks / Offer remote assistance"},
		"token refused":   {device, 401, "", nil, nil, "issued for Microsoft Graph of this cloud"},
		"cloud without":   {device, 400, "", nil, func(o *intune.ClientOptions) { o.Cloud = intune.CloudUSGovernment }, "not available in GCC High and DoD"},
		"cloud, token":    {device, 401, "", nil, func(o *intune.ClientOptions) { o.Cloud = intune.CloudUSGovernmentDoD }, "issued for Microsoft Graph of this cloud"},
		"cloud, throttle": {device, 429, "", nil, func(o *intune.ClientOptions) { o.Cloud = intune.CloudUSGovernmentDoD }, "slow down"},
		"unknown":         {device, 500, "", nil, nil, "before asking again"},
		"unknown, proxy":  {device, 302, "", nil, nil, "must reach the Graph endpoint directly; the service may have acted"},
		"nothing to say":  {device, 409, "", nil, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			transport := transportFunc(func(req *http.Request) (*http.Response, error) {
				resp := answer(req, c.status, nil, c.body)
				for i := 0; i+1 < len(c.header); i += 2 {
					resp.Header.Set(c.header[i], c.header[i+1])
				}
				return resp, nil
			})
			change := c.change
			if change == nil {
				change = func(*intune.ClientOptions) {}
			}
			_, err := newClient(t, transport, noRetries, change).RequestRemoteAssistance(t.Context(), c.device, nil)
			hint := asError(t, err).Hint
			if !strings.Contains(hint, c.says) || c.says == "" && hint != "" {
				t.Errorf("hint %q, want %q", hint, c.says)
			}
		})
	}
}

// What the caller looked for may be a code of the service's, and may be quoted in its sentence.
func TestKindDoesNotDependOnTheFilter(t *testing.T) {
	t.Parallel()
	for operand, want := range map[string]error{"Forbidden": intune.ErrForbidden, "LICENSE-1": intune.ErrBadRequest} {
		body := `{"error":{"code":"UnknownError","message":"Invalid filter clause: '` + operand + `'","innerError":{"code":"Forbidden"}}}`
		if operand != "Forbidden" {
			body = strings.Replace(body, "Forbidden", "x", 1)
		}
		_, err := newClient(t, always(http.StatusBadRequest, body)).FindDevice(t.Context(), intune.DeviceFilter{DeviceName: operand}, nil)
		if got := kindOf(t, err); !errors.Is(got, want) || strings.Contains(err.Error(), operand) {
			t.Errorf("%v is %v, want %v", err, got, want)
		}
	}
}
