package graphpolicy

import (
	"net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
)

// isBare reports whether a round tripper is Go's own and nothing else, so that the hooks of net/http/httptrace tell of all
// that it sends. What a caller put into TLSNextProto, or registered with RegisterProtocol for the scheme or for a version of
// HTTP, as HTTP/3 can be, sends what it likes and calls which hooks it likes.
func isBare(roundTripper http.RoundTripper, scheme string) bool {
	transport, ok := roundTripper.(*http.Transport)
	if !ok {
		return false
	}
	// Clone first sets up net/http's HTTP/2, as the first request would, and leaves that out of the copy's TLSNextProto.
	if len(transport.Clone().TLSNextProto) > 0 {
		return false
	}
	registered := registeredWith(reflect.ValueOf(transport).Elem(), scheme)
	return registered == nil || registered == typeOfHTTP2()
}

// registeredWith returns the type of what is registered with a transport for a scheme, nil if that is nothing. net/http
// has no function for it. The type is that of unknown if a version of Go keeps it elsewhere, and if something is registered
// for a name with a slash: from Go 1.27 on, "http/2" and "http/3" are no schemes, but what requests to https go through.
func registeredWith(transport reflect.Value, scheme string) reflect.Type {
	if field := transport.FieldByName("altProto"); field.IsValid() && field.Type() == reflect.TypeFor[atomic.Value]() {
		switch protocols := (*atomic.Value)(field.Addr().UnsafePointer()).Load().(type) {
		case nil:
			return nil
		case map[string]http.RoundTripper:
			for name := range protocols {
				if strings.Contains(name, "/") {
					return reflect.TypeFor[unknown]()
				}
			}
			return reflect.TypeOf(protocols[scheme])
		}
	}
	return reflect.TypeFor[unknown]()
}

// unknown stands for what cannot be found out.
type unknown struct{}

// typeOfHTTP2 is the type of what net/http itself registers for https.
var typeOfHTTP2 = sync.OnceValue(func() reflect.Type {
	transport := &http.Transport{}
	transport.CloseIdleConnections() // sets up HTTP/2
	return registeredWith(reflect.ValueOf(transport).Elem(), "https")
})
