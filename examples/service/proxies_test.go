package main

import (
	"net/http"
	"testing"
)

func TestClientAddress(t *testing.T) {
	t.Parallel()
	const xff = "X-Forwarded-For"
	for name, test := range map[string]struct {
		trusted, header, peer string
		said                  []string
		want                  string
	}{
		"no proxy":                    {"", xff, "203.0.113.5:4000", []string{"198.51.100.1"}, "203.0.113.5"},
		"a stranger says so":          {"10.0.0.0/8", xff, "203.0.113.5:4000", []string{"198.51.100.1"}, "203.0.113.5"},
		"our proxy":                   {"10.0.0.0/8", xff, "10.1.2.3:4000", []string{"198.51.100.1"}, "198.51.100.1"},
		"what the client made up":     {"10.0.0.0/8", xff, "10.1.2.3:4000", []string{"1.1.1.1, 198.51.100.1"}, "198.51.100.1"},
		"in a header of its own":      {"10.0.0.0/8", xff, "10.1.2.3:4000", []string{"1.1.1.1", "198.51.100.1"}, "198.51.100.1"},
		"two proxies of ours":         {"10.0.0.0/8", xff, "10.1.2.3:4000", []string{"1.1.1.1, 198.51.100.1, 10.9.9.9"}, "198.51.100.1"},
		"our own probe":               {"10.0.0.0/8", xff, "10.1.2.3:4000", []string{"10.4.4.4"}, "10.4.4.4"},
		"no header":                   {"10.0.0.0/8", xff, "10.1.2.3:4000", nil, "10.1.2.3"},
		"words":                       {"10.0.0.0/8", xff, "10.1.2.3:4000", []string{"evil\", \"status\":200"}, "10.1.2.3"},
		"one address":                 {"127.0.0.1", xff, "127.0.0.1:4000", []string{"2001:db8::7"}, "2001:db8::7"},
		"with a port":                 {"127.0.0.1", xff, "127.0.0.1:4000", []string{"[2001:db8::7]:99"}, "2001:db8::7"},
		"an old address in a new one": {"10.0.0.0/8", xff, "[::ffff:10.1.2.3]:4000", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		"a network of old addresses":  {"::ffff:10.0.0.0/104", xff, "10.1.2.3:4000", []string{"198.51.100.1"}, "198.51.100.1"},
		"a proxy on this link":        {"fe80::/10", xff, "[fe80::7%eth0]:4000", []string{"2001:db8::7"}, "2001:db8::7"},
		"the other header": {
			"10.0.0.0/8", "Forwarded", "10.1.2.3:4000", []string{`for=1.1.1.1, For="[2001:db8::7]:99";proto=https`}, "2001:db8::7",
		},
		"a hidden client": {"10.0.0.0/8", "Forwarded", "10.1.2.3:4000", []string{`for=_hidden`}, "10.1.2.3"},
	} {
		p := proxies{header: test.header}
		if err := p.read(test.trusted); err != nil {
			t.Fatal(err)
		}
		r := &http.Request{RemoteAddr: test.peer, Header: http.Header{test.header: test.said}}
		if got := p.client(r); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
