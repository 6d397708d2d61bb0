package graphpolicy

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// A challenge is read within these bounds, since Go accepts headers of up to ten megabytes. Real challenges stay below
// two kilobytes.
const (
	maxChallengeValues = 16       // header values that are looked at
	maxChallengeLength = 16 << 10 // bytes of each
)

// normalizeClaims rewrites a claims challenge so that azcore's bearer token policy, which answers a challenge once with
// a token that has the claims, understands it: that policy knows only status 401, the scheme spelt "Bearer" and padded
// standard base64, while Graph documents the challenge with 403 too and both alphabets occur. It does so once per call,
// so that a second refusal stays as it is.
func normalizeClaims(call *Call, resp *http.Response) {
	claims, ok := challengeClaims(resp.Header.Values("WWW-Authenticate"))
	if !ok || call.challenged {
		return
	}
	call.challenged, call.claims = true, string(claims)
	if resp.StatusCode == http.StatusForbidden {
		call.converted, call.forbidden = resp, resp.Status
		resp.StatusCode, resp.Status = http.StatusUnauthorized, "401 Unauthorized"
	}
	setHeader(resp, "Www-Authenticate",
		`Bearer error="insufficient_claims", claims="`+base64.StdEncoding.EncodeToString(claims)+`"`)
}

// restore undoes that, once the answer has passed azcore's bearer token policy.
func (c *Call) restore() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if resp := c.record.Response; resp != nil && resp == c.converted {
		resp.StatusCode, resp.Status = http.StatusForbidden, c.forbidden
	}
}

// takeClaims returns the claims of a challenge to the first call after the challenge, and to no other.
func (c *Call) takeClaims() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	claims := c.claims
	c.claims = ""
	return claims
}

// challengeClaims finds the claims of the first challenge that has any.
func challengeClaims(headers []string) ([]byte, bool) {
	for _, header := range headers[:min(len(headers), maxChallengeValues)] {
		if claims, ok := insufficientClaims(header); ok {
			return claims, true
		}
	}
	return nil, false
}

// insufficientClaims finds the claims of a Bearer challenge in a WWW-Authenticate header. Parameters come in any order,
// and quoted values hold commas. It takes time linear in the length of the header.
func insufficientClaims(header string) ([]byte, bool) {
	header = header[:min(len(header), maxChallengeLength)]
	for scheme, rest := nextToken(header); scheme != ""; scheme, rest = nextToken(rest) {
		var claims string
		var insufficient bool
		for {
			var name, value string
			if name, value, rest = nextParameter(rest); name == "" {
				break
			}
			switch strings.ToLower(name) {
			case "claims":
				claims = value
			case "error":
				insufficient = value == "insufficient_claims"
			}
		}
		if !strings.EqualFold(scheme, "Bearer") || !insufficient || claims == "" {
			continue
		}
		claims = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(claims), "=")
		if decoded, err := base64.RawStdEncoding.DecodeString(claims); err == nil {
			return decoded, true
		}
	}
	return nil, false
}

// nextToken skips separators and everything else that cannot begin a token, and cuts off the token after them.
func nextToken(s string) (token, rest string) {
	return cutBefore(strings.TrimLeft(s, " \t,=\""), " \t,=\"")
}

// nextParameter reads name=value or name="value". If there is no parameter, the name is empty and rest is where the
// next scheme may begin. After a quote that never closes rest is empty, since everything after the quote is the value.
func nextParameter(s string) (name, value, rest string) {
	s = strings.TrimLeft(s, " \t,")
	name, rest = cutBefore(s, " \t,=\"")
	rest, ok := strings.CutPrefix(strings.TrimLeft(rest, " \t"), "=")
	if !ok {
		return "", "", s
	}
	rest = strings.TrimLeft(rest, " \t")
	quoted, ok := strings.CutPrefix(rest, `"`)
	if !ok {
		value, rest = cutBefore(rest, " \t,")
		return name, value, rest
	}
	var b strings.Builder
	escaped := false
	for i := range len(quoted) {
		switch c := quoted[i]; {
		case escaped:
			escaped = false
			b.WriteByte(c)
		case c == '\\':
			escaped = true
		case c == '"':
			return name, b.String(), quoted[i+1:]
		default:
			b.WriteByte(c)
		}
	}
	return "", "", ""
}

// cutBefore splits a text in front of the first of some characters.
func cutBefore(s, chars string) (before, after string) {
	if at := strings.IndexAny(s, chars); at >= 0 {
		return s[:at], s[at:]
	}
	return s, ""
}
