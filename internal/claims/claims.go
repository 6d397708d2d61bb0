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

// Claims are the claims that the library reads. One that is missing, or not of its type, is zero.
type Claims struct {
	Audience string   // what the token is for (aud), the first if there are several
	Expires  float64  // seconds since 1970 (exp)
	Scopes   string   // delegated permissions with spaces between them (scp)
	Roles    []string // application permissions (roles)
	Tenant   string   // the Entra tenant (tid)
	AppID    string   // client id of the app that got the token (appid; azp in tokens of version 2)
	Type     string   // "user" or "app" (idtyp)
	Object   string   // object id of the caller (oid)
}

// wireClaims are the claims as tokens write them.
type wireClaims struct {
	Audience any      `json:"aud"` // a text or a list of texts
	Expires  float64  `json:"exp"`
	Scopes   string   `json:"scp"`
	Roles    []string `json:"roles"`
	Tenant   string   `json:"tid"`
	AppID    string   `json:"appid"`
	Party    string   `json:"azp"`
	Type     string   `json:"idtyp"`
	Object   string   `json:"oid"`
}

// Parse reads the claims of a JSON web token without checking it. Its errors do not quote the token.
func Parse(token string) (Claims, error) {
	if len(token) > maxSize || strings.Count(token, ".") != 2 {
		return Claims{}, errors.New("not a JSON web token")
	}
	_, rest, _ := strings.Cut(token, ".")
	encoded, _, _ := strings.Cut(rest, ".")
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(encoded, "="))
	if err != nil {
		return Claims{}, errors.New("the token's claims are not base64")
	}
	var wire wireClaims
	if err := json.Unmarshal(payload, &wire); err != nil {
		// The others are read when a claim has the wrong type.
		if _, ok := errors.AsType[*json.UnmarshalTypeError](err); !ok {
			return Claims{}, errors.New("the token's claims are not JSON")
		}
	}
	return Claims{
		Audience: first(wire.Audience), Expires: wire.Expires, Scopes: wire.Scopes, Roles: wire.Roles,
		Tenant: wire.Tenant, AppID: cmp.Or(wire.AppID, wire.Party), Type: wire.Type, Object: wire.Object,
	}, nil
}

// first is a claim that is a text, or the first of a list.
func first(claim any) string {
	if list, _ := claim.([]any); len(list) > 0 {
		claim = list[0]
	}
	text, _ := claim.(string)
	return text
}
