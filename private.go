package intune

import (
	"net/url"
	"strings"

	"github.com/go-intune/intune/internal/redact"
)

// privateOf is what no error may show of a request: the operands of its query, the user in its path, and the token that
// went with it, which is told by its form only when it is a JSON web token.
func privateOf(u *url.URL, authorization string) redact.Private {
	if u == nil {
		return redact.Of("", bearerOf(authorization))
	}
	return redact.Of(u.RawQuery, userOf(u.EscapedPath()), bearerOf(authorization)).At(u.Host)
}

// userOf is the user of an address below /users, or "".
func userOf(path string) string {
	_, rest, _ := strings.Cut(path, "/users")
	key := strings.TrimPrefix(rest, "/")
	if quoted, ok := strings.CutPrefix(rest, "('"); ok {
		key, _, _ = strings.Cut(quoted, "')")
		key = strings.ReplaceAll(key, "''", "'")
	}
	key, _, _ = strings.Cut(key, "/")
	user, err := url.PathUnescape(key)
	if err != nil {
		return key
	}
	return user
}

func bearerOf(authorization string) string {
	const scheme = "Bearer "
	token, _ := strings.CutPrefix(authorization, scheme)
	return token
}
