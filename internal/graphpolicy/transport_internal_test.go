package graphpolicy

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"reflect"
	"testing"
	"time"
)

// The settings of the transport that a client has when it is given none, which no test over a network could notice.
func TestSettingsOfTheDefaultTransport(t *testing.T) {
	t.Parallel()
	transport := NewTransport(nil, &url.URL{Scheme: "https", Host: "graph.microsoft.com"}, nil)
	client, ok := transport.inner.(*http.Client)
	if !ok || client != defaultClient() {
		t.Fatalf("the client is %v", transport.inner)
	}
	got, ok := client.Transport.(*http.Transport)
	if !ok {
		t.Fatalf("its transport is a %T", client.Transport)
	}
	for name, c := range map[string]struct{ got, want any }{
		"redirects":          {client.CheckRedirect == nil, true},
		"timeout":            {client.Timeout, time.Duration(0)},
		"cookies":            {client.Jar, nil},
		"dial timeout":       {defaultDialer.Timeout, 30 * time.Second},
		"keep-alive":         {defaultDialer.KeepAlive, 30 * time.Second},
		"dialer":             {got.DialContext != nil, true},
		"proxy":              {reflect.ValueOf(got.Proxy).Pointer(), reflect.ValueOf(http.ProxyFromEnvironment).Pointer()},
		"HTTP/2":             {got.ForceAttemptHTTP2, true},
		"idle connections":   {got.MaxIdleConns, 100},
		"of one host":        {got.MaxIdleConnsPerHost, 10},
		"idle for":           {got.IdleConnTimeout, 90 * time.Second},
		"TLS handshake":      {got.TLSHandshakeTimeout, 10 * time.Second},
		"expect continue":    {got.ExpectContinueTimeout, time.Second},
		"TLS version":        {got.TLSClientConfig.MinVersion, uint16(tls.VersionTLS12)},
		"certificates":       {got.TLSClientConfig.InsecureSkipVerify, false},
		"HTTP/2, ping after": {got.HTTP2.SendPingTimeout, 10 * time.Second},
		"HTTP/2, dead after": {got.HTTP2.PingTimeout, 10 * time.Second},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
}
