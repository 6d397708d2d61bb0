package graphpolicy_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-intune/intune/internal/graphpolicy"
)

func TestCheckHost(t *testing.T) {
	t.Parallel()
	root, err := url.Parse("https://graph.microsoft.com")
	if err != nil {
		t.Fatal(err)
	}
	for address, ok := range map[string]bool{
		"https://graph.microsoft.com/v1.0/x":         true,
		"https://GRAPH.microsoft.com/v1.0/x":         true,
		"https://graph.microsoft.com:443/v1.0/x":     true,
		"https://graph.microsoft.com:8443/v1.0/x":    false,
		"http://graph.microsoft.com/v1.0/x":          false,
		"https://graph.microsoft.com.example/v1.0/x": false,
		"https://example/graph.microsoft.com":        false,
		"https://graph.microsoft.com@example/v1.0/x": false,
		"https://user@graph.microsoft.com/v1.0/x":    false,
		"https://graph.microsoft.us/v1.0/x":          false,
		"//graph.microsoft.com/v1.0/x":               false,
		"/v1.0/x":                                    false,
		"":                                           false,
		"https://graph.micro%C5%BFoft.com/v1.0/x":    false, // a long s, which case folding takes for an s
		"https://graph.microſoft.com/v1.0/x":         false,
		"https://graph.microsoft.com./v1.0/x":        false,
		"https:graph.microsoft.com/v1.0/x":           false,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := graphpolicy.CheckHost(root, u); (err == nil) != ok {
			t.Errorf("%q: %v", address, err)
		}
	}
	for name, u := range map[string]*url.URL{
		"nil":    nil,
		"opaque": {Scheme: "https", Host: "graph.microsoft.com", Opaque: "//elsewhere.example/v1.0/x"}, // this goes onto the wire
	} {
		if graphpolicy.CheckHost(root, u) == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// The Kelvin sign is the other letter outside of ASCII that case folding takes for one of ASCII.
func TestCheckHostComparesASCII(t *testing.T) {
	t.Parallel()
	root := &url.URL{Scheme: "https", Host: "desk.example"}
	for host, ok := range map[string]bool{"desk.example": true, "DESK.example": true, "des\u212a.example": false, "de\u017fk.example": false} {
		if err := graphpolicy.CheckHost(root, &url.URL{Scheme: "https", Host: host}); (err == nil) != ok {
			t.Errorf("%q: %v", host, err)
		}
		if err := graphpolicy.CheckHost(&url.URL{Scheme: "https", Host: host}, root); (err == nil) != ok {
			t.Errorf("%q as root: %v", host, err)
		}
	}
}

// A policy of the caller's may name another host than that of the URL, by which a gateway chooses where a request goes.
func TestHostHeader(t *testing.T) {
	t.Parallel()
	const own, other = "graph.microsoft.com", "elsewhere.example"
	for name, c := range map[string]struct {
		host   string
		header http.Header
		sent   bool
	}{
		"none":                     {"", nil, true},
		"own":                      {own, nil, true},
		"own, upper case":          {"GRAPH.microsoft.com", nil, true},
		"own, with the port":       {own + ":443", nil, true},
		"own, another port":        {own + ":8443", nil, false},
		"another":                  {other, nil, false},
		"long s":                   {"graph.micro\u017foft.com", nil, false},
		"own, as a header":         {"", http.Header{"Host": {own}}, true},
		"another, as a header":     {own, http.Header{"Host": {own, other}}, false},
		"another, any case":        {own, http.Header{"hOST": {other}}, false},
		"a header that is no host": {own, http.Header{"X-Host": {other}}, true},
	} {
		for _, write := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", write"}[write], func(t *testing.T) {
				t.Parallel()
				sent := false
				transport := newTransport(t, func(req *http.Request) (*http.Response, error) {
					sent = true
					return says(http.StatusNoContent)(req)
				})
				call := newCall(write)
				req := request(t, call, http.MethodPost)
				req.Host, req.Header = c.host, c.header.Clone() // each of the two writes to its own
				_, err := transport.Do(req)
				if sent != c.sent || (err == nil) != c.sent {
					t.Fatalf("sent: %v, error %v", sent, err)
				}
				if err == nil {
					return
				}
				if !isNonRetriable(err) || strings.Contains(err.Error(), other) {
					t.Errorf("got %v", err)
				}
				if verdict := call.Record().Verdict; verdict != graphpolicy.NotSent {
					t.Errorf("verdict %d", verdict)
				}
			})
		}
	}
}
