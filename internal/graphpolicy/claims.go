package graphpolicy

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// normalizeClaims rewrites a claims challenge so that azcore's bearer token policy, which answers a challenge once with
// a token that has the claims, understands it: that policy knows only status 401, the scheme spelt "Bearer" and padded
// standard base64, while Graph documents the challenge with 403 too and both alphabets occur. That is done once a call,
// so that a second refusal stays what it is.
func normalizeClaims(call *Call, resp *http.Response) {
	const most = 16
	headers := resp.Header.Values("WWW-Authenticate")
	for _, header := range headers[:min(len(headers), most)] {
		claims, ok := insufficientClaims(header)
		if !ok {
			continue
		}
		if call.challenged {
			return
		}
		call.challenged, call.claims = true, string(claims)
		if resp.StatusCode == http.StatusForbidden {
			call.converted, call.forbidden = resp, resp.Status
			resp.StatusCode, resp.Status = http.StatusUnauthorized, "401 Unauthorized"
		}
		setHeader(resp, "Www-Authenticate",
			`Bearer error="insufficient_claims", claims="`+base64.StdEncoding.EncodeToString(claims)+`"`)
		return
	}
}

// takeClaims is the claims of a challenge that was seen, once.
func (c *Call) takeClaims() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	claims := c.claims
	c.claims = ""
	return claims
}

// maxChallenge bounds what is read of one header; challenges stay far below.
const maxChallenge = 16 << 10

// insufficientClaims finds the claims of a Bearer challenge in a WWW-Authenticate header. Parameters come in any order,
// and quoted values hold commas.
func insufficientClaims(header string) ([]byte, bool) {
	header = header[:min(len(header), maxChallenge)]
	for scheme, rest := nextToken(header); scheme != ""; scheme, rest = nextToken(rest) {
		var claims string
		var insufficient bool
		for {
			name, value, after, ok := nextParameter(rest)
			if !ok {
				break
			}
			rest = after
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

// nextToken cuts the next word off a header.
func nextToken(s string) (token, rest string) {
	s = strings.TrimLeft(s, separators)
	end := strings.IndexAny(s, separators)
	if end < 0 {
		end = len(s)
	}
	return s[:end], s[end:]
}

// separators stand between the words of a header.
const separators = " \t,=\""

func nextParameter(s string) (name, value, rest string, ok bool) {
	s = strings.TrimLeft(s, " \t,")
	end := strings.IndexAny(s, separators)
	if end <= 0 {
		return "", "", s, false
	}
	after := strings.TrimLeft(s[end:], " \t")
	if !strings.HasPrefix(after, "=") {
		return "", "", s, false
	}
	name, after = s[:end], strings.TrimLeft(after[1:], " \t")
	if !strings.HasPrefix(after, `"`) {
		end = strings.IndexAny(after, " \t,")
		if end < 0 {
			end = len(after)
		}
		return name, after[:end], after[end:], true
	}
	var b strings.Builder
	for i := 1; i < len(after); i++ {
		switch {
		case after[i] == '"':
			return name, b.String(), after[i+1:], true
		case after[i] == '\\' && i+1 < len(after):
			i++
			b.WriteByte(after[i])
		default:
			b.WriteByte(after[i])
		}
	}
	return "", "", "", false
}
