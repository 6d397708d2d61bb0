package graphpolicy

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
)

type registered struct{}

func (registered) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, http.ErrSkipAltProtocol
}

// dialing is what net/http asks of an HTTP/3.
type dialing struct{ registered }

func (dialing) DialClientConn(context.Context, string, *url.URL, func()) (http.RoundTripper, error) {
	return registered{}, nil
}

type embedded struct{ *http.Transport }

// A transport of Go's is bare whatever its options, and whether or not it was used, unless it sends through something else.
func TestBareTransports(t *testing.T) {
	t.Parallel()
	with := func(change func(*http.Transport)) *http.Transport {
		transport := &http.Transport{}
		change(transport)
		return transport
	}
	used := with(func(t *http.Transport) { t.ForceAttemptHTTP2 = true })
	used.CloseIdleConnections() // sets up HTTP/2, as the first request does
	upgrade := map[string]func(string, *tls.Conn) http.RoundTripper{"h2": func(string, *tls.Conn) http.RoundTripper { return registered{} }}
	for name, c := range map[string]struct {
		transport http.RoundTripper
		bare      bool
	}{
		"new":             {&http.Transport{}, true},
		"used":            {used, true},
		"cloned":          {used.Clone(), true},
		"default":         {http.DefaultTransport, true},
		"without HTTP/2":  {with(func(t *http.Transport) { t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS13} }), true},
		"HTTP/2 disabled": {with(func(t *http.Transport) { t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{} }), true},
		"HTTP/2 in the clear": {with(func(t *http.Transport) {
			t.Protocols = new(http.Protocols)
			t.Protocols.SetUnencryptedHTTP2(true)
		}), true},
		"own dialer": {with(func(t *http.Transport) {
			t.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no") }
		}), true},
		"another for http":          {with(func(t *http.Transport) { t.RegisterProtocol("http", registered{}) }), true},
		"another for a file":        {with(func(t *http.Transport) { t.RegisterProtocol("file", http.NewFileTransport(http.Dir("."))) }), true},
		"another for https":         {with(func(t *http.Transport) { t.RegisterProtocol("https", registered{}) }), false},
		"another of Go's for https": {with(func(t *http.Transport) { t.RegisterProtocol("https", &http.Transport{}) }), false},
		"another for https, no HTTP/2 before": {with(func(t *http.Transport) {
			t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
			t.RegisterProtocol("https", registered{})
		}), false},
		"another HTTP/2 of x/net": {with(func(t *http.Transport) {
			if err := http2.ConfigureTransport(t); err != nil { //nolint:staticcheck // programs still call it
				panic(err)
			}
		}), false},
		"another HTTP/3": {with(func(t *http.Transport) { t.RegisterProtocol("http/3", dialing{}) }), false},
		"another HTTP/2": {with(func(t *http.Transport) { t.TLSNextProto = upgrade }), false},
		"within another": {embedded{&http.Transport{}}, false},
		"another":        {registered{}, false},
		"none":           {nil, false},
	} {
		if got := isBare(c.transport, "https"); got != c.bare {
			t.Errorf("%s: %v", name, got)
		}
	}
	if isBare(with(func(t *http.Transport) { t.RegisterProtocol("http", registered{}) }), "http") {
		t.Error("another for http is not seen")
	}
}

// If a new version of Go keeps what is registered elsewhere, no transport but our own counts as bare any more.
func TestWhereGoKeepsRegisteredProtocols(t *testing.T) {
	t.Parallel()
	none, some, version, other := &http.Transport{}, &http.Transport{}, &http.Transport{}, &struct{ altProto atomic.Value }{}
	some.RegisterProtocol("https", registered{})
	version.RegisterProtocol("http/3", dialing{})
	other.altProto.Store("elsewhere")
	for name, c := range map[string]struct{ transport, want any }{
		"nothing":       {none, nil},
		"something":     {some, registered{}},
		"a version":     {version, unknown{}},
		"no such field": {&struct{ protocols atomic.Value }{}, unknown{}},
		"another type":  {&struct{ altProto map[string]http.RoundTripper }{}, unknown{}},
		"another value": {other, unknown{}},
	} {
		if got := registeredWith(reflect.ValueOf(c.transport).Elem(), "https"); got != reflect.TypeOf(c.want) {
			t.Errorf("%s: %v, want %T", name, got, c.want)
		}
	}
	if got := typeOfHTTP2(); got == nil || got == reflect.TypeFor[unknown]() {
		t.Errorf("net/http registers %v", got)
	}
}

// The transport of this package is bare, and so is the default of a client without a transport.
func TestBareClients(t *testing.T) {
	t.Parallel()
	root := &url.URL{Scheme: "https", Host: graph}
	for name, c := range map[string]struct {
		transport *Transport
		bare      bool
	}{
		"own":                   {NewTransport(nil, root, nil), true},
		"a client":              {NewTransport(&http.Client{}, root, nil), true},
		"a client with Go's":    {NewTransport(&http.Client{Transport: &http.Transport{}}, root, nil), true},
		"a client with another": {NewTransport(&http.Client{Transport: registered{}}, root, nil), false},
		"another":               {NewTransport(transporter{}, root, nil), false},
	} {
		if got := c.transport.isBare("https"); got != c.bare {
			t.Errorf("%s: %v", name, got)
		}
	}
}

type transporter struct{}

func (transporter) Do(*http.Request) (*http.Response, error) { return nil, errors.New("no") }
