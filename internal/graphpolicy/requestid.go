package graphpolicy

import (
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

const requestIDHeader = "Client-Request-Id"

// normalizeRequestID gives a request one client-request-id as HTTP carries it, so that what is reported is what is sent:
// net/http trims the values of headers, and a policy may have added a second value or a name in other letters. A blank id
// is replaced by the one that was made for the call. A request without the header stays without.
func normalizeRequestID(req *http.Request, made string) {
	isID := func(name string) bool {
		return len(name) == len(requestIDHeader) && strings.EqualFold(name, requestIDHeader)
	}
	values := req.Header[requestIDHeader]
	if len(values) == 1 && values[0] != "" && values[0] == textproto.TrimString(values[0]) && onlyOne(req.Header, isID) {
		return // as nearly always; the rest is for what policies and callers do
	}
	values = slices.Clone(values)
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		if isID(name) && name != requestIDHeader {
			values = append(values, req.Header[name]...)
		}
	}
	if len(values) == 0 {
		return
	}
	id := made
	if i := slices.IndexFunc(values, func(value string) bool { return textproto.TrimString(value) != "" }); i >= 0 {
		id = textproto.TrimString(values[i])
	}
	maps.DeleteFunc(req.Header, func(name string, _ []string) bool { return isID(name) })
	req.Header[requestIDHeader] = []string{id}
}

// setRequestID replaces the client-request-id of a request.
func setRequestID(req *http.Request, id string) {
	if req.Header == nil {
		req.Header = http.Header{}
	}
	maps.DeleteFunc(req.Header, func(name string, _ []string) bool { return equalFold(name, requestIDHeader) })
	req.Header.Set(requestIDHeader, id)
}

func onlyOne(header http.Header, is func(string) bool) bool {
	found := 0
	for name := range header {
		if is(name) {
			found++
		}
	}
	return found == 1
}
