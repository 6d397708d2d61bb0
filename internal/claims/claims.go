// Package claims reads what a token says about the caller, for diagnosis only: nothing is checked, and nothing may be
// decided by it.
package claims

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
)

// maxSize is the size in bytes above which a token is not decoded; real tokens stay far below.
const maxSize = 64 << 10

// Claims are the claims that the library reads.
type Claims struct {
	Audience any     `json:"aud"`
	Expires  float64 `json:"exp"`
	Scopes   string  `json:"scp"`
	Roles    []string
	Tenant   string `json:"tid"`
	AppID    string `json:"appid"`
	Party    string `json:"azp"`
	Type     string `json:"idtyp"`
	Object   string `json:"oid"`
}

// App is the client id of the app that got the token. Tokens of version 2 have it in azp.
func (c Claims) App() string { return cmp.Or(c.AppID, c.Party) }

// Parse reads the claims of a JSON web token without checking it. Its errors do not quote the token.
func Parse(token string) (Claims, error) {
	var claims Claims
	if len(token) > maxSize || strings.Count(token, ".") != 2 {
		return claims, errors.New("not a JSON web token")
	}
	_, rest, _ := strings.Cut(token, ".")
	encoded, _, _ := strings.Cut(rest, ".")
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(encoded, "="))
	if err != nil {
		return claims, errors.New("the token's claims are not base64")
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		if _, ok := errors.AsType[*json.UnmarshalTypeError](err); !ok {
			return claims, errors.New("the token's claims are not JSON")
		}
	}
	return claims, nil
}

// Aud is the claim aud, which may be a list.
func (c Claims) Aud() string {
	claim := c.Audience
	if list, _ := claim.([]any); len(list) > 0 {
		claim = list[0]
	}
	text, _ := claim.(string)
	return text
}
