package graphpolicy

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// verdictOf judges an answer to a write by its status, and a 503 by what else it brought. whole reports whether body is
// all of its body.
func verdictOf(resp *http.Response, body []byte, whole bool) Verdict {
	switch resp.StatusCode {
	case http.StatusServiceUnavailable:
		if resp.Header.Get("Request-Id") != "" || whole && hasGraphCode(body) {
			return Refused
		}
		// A gateway may answer this when it had delivered the request and the service was too slow.
		return Open
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		// Both ask to send the same request elsewhere, so it was not carried out here. The other redirects are a common
		// answer both to a form that was carried out and to a POST that was not.
		return Refused
	case http.StatusRequestTimeout, 499 /* client closed request */ :
		// A server that stopped waiting for the rest of the request, or one behind it whose own client went away.
		return Open
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported, http.StatusInsufficientStorage, 509, /* bandwidth limit */
		http.StatusNetworkAuthenticationRequired:
		return Refused
	}
	switch resp.StatusCode / 100 {
	case 2:
		return Answered
	case 4:
		return Refused
	}
	return Open
}

// hasGraphCode reports whether a body is {"error":{"code":"…"}}, as Graph writes its errors. A gateway that writes JSON
// has other members, or a number as the code. A body that is still compressed tells nothing.
func hasGraphCode(body []byte) bool {
	var outer, inner map[string]json.RawMessage // and no struct, for which the case of a member's name does not matter
	var code string
	return json.Unmarshal(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), &outer) == nil &&
		json.Unmarshal(outer["error"], &inner) == nil &&
		json.Unmarshal(inner["code"], &code) == nil &&
		strings.TrimSpace(code) != ""
}
