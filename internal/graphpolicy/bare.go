package graphpolicy

import (
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
)

// isBare reports whether a round tripper is Go's own and nothing else, so that the hooks of net/http/httptrace tell of all
// that it sends. What a caller put into TLSNextProto, or registered for the scheme with RegisterProtocol, as HTTP/3 can
// be, sends what it likes and calls which hooks it likes.
func isBare(roundTripper http.RoundTripper, scheme string) bool {
	transport, ok := roundTripper.(*http.Transport)
	if !ok {
		return false
	}
	// Clone first sets up net/http's HTTP/2, as the first request would, and leaves that out of the copy's TLSNextProto.
	if len(transport.Clone().TLSNextProto) > 0 {
		return false
	}
	registered, ok := registeredWith(transport, scheme)
	return ok && (registered == nil || reflect.TypeOf(registered) == typeOfHTTP2())
}

// registeredWith returns what is registered for a scheme, nil if that is nothing. net/http has no function for it. It is
// not ok if a version of Go keeps it elsewhere.
func registeredWith(transport *http.Transport, scheme string) (registered http.RoundTripper, ok bool) {
	field := reflect.ValueOf(transport).Elem().FieldByName("altProto")
	if !field.IsValid() || field.Type() != reflect.TypeFor[atomic.Value]() {
		return nil, false
	}
	switch protocols := (*atomic.Value)(field.Addr().UnsafePointer()).Load().(type) {
	case nil:
		return nil, true
	case map[string]http.RoundTripper:
		return protocols[scheme], true
	}
	return nil, false
}

// typeOfHTTP2 is the type of what net/http itself registers for https.
var typeOfHTTP2 = sync.OnceValue(func() reflect.Type {
	transport := &http.Transport{ForceAttemptHTTP2: true}
	transport.CloseIdleConnections() // sets up HTTP/2
	registered, _ := registeredWith(transport, "https")
	return reflect.TypeOf(registered)
})
