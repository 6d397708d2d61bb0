// Package entra reads what Microsoft Entra says when it gives no token.
package entra

import (
	"encoding/json"
	"regexp"
	"slices"
)

// final are the values of the member "error" after which no later try succeeds by itself. A person has to sign in,
// consent, or change the app's registration, secret or certificate. The other values ask for another try, or come from
// a fault in the request. Sources: RFC 6749 section 5.2, RFC 8628 section 3.5, OpenID Connect Core section 3.1.2.6, and
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
var final = []string{
	"access_denied", "authorization_declined", "consent_required", "expired_token", "interaction_required", "invalid_client",
	"invalid_grant", "login_required", "unauthorized_client",
}

// expiredAssertion is the code of an invalid_client whose assertion was too old. A credential whose assertions come from
// a file or a service gets a new one by itself.
const expiredAssertion = 700024

// finalCodes are the codes that mean the same in a text. Microsoft says that a program should not react to codes, but
// tools such as the Azure CLI pass on nothing else. Same source.
var finalCodes = []string{
	// The user has to sign in, or to consent.
	"16000", "50055", "50058", "50072", "50074", "50076", "50078", "50079", "50085", "50089", "50126", "50132", "50133", "50158", "50173",
	"65001", "65004", "70008", "70019", "70043", "700020", "700082", "700084",
	// The user or the app may not.
	"50034", "50057", "50105", "53000", "53001", "53003", "70001", "70002", "90002", "700016", "700027", "7000112", "7000215", "7000222",
}

var code = regexp.MustCompile(`AADSTS([0-9]+)`)

// Final reports whether a refusal stands until a person does something about it. body is the answer of Entra, nil if there
// was none or if it is not known; text is the credential's error, which counts if the body says nothing.
func Final(body []byte, text string) bool {
	var answer struct {
		Error string `json:"error"`
		Codes []int  `json:"error_codes"`
	}
	_ = json.Unmarshal(body, &answer) // what is malformed says nothing
	if answer.Error != "" {
		return slices.Contains(final, answer.Error) && !slices.Contains(answer.Codes, expiredAssertion)
	}
	return slices.ContainsFunc(code.FindAllStringSubmatch(text, -1), func(found []string) bool {
		return slices.Contains(finalCodes, found[1])
	})
}
