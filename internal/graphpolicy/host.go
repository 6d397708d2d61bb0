package graphpolicy

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// CheckHost refuses a URL that does not lead to root. Its text does not quote the URL, whose query may hold a skip token
// or a filter.
func CheckHost(root, u *url.URL) error {
	if u == nil || !leadsTo(root, u) {
		return fmt.Errorf("refused to send a token anywhere but to %s://%s", root.Scheme, root.Host)
	}
	if u.User != nil {
		return errors.New("refused to send a token to a URL that holds a user name")
	}
	return nil
}

// checkRequest refuses a request whose URL does not lead to root, or that names another host in its Host header, by which
// a gateway may choose where it goes.
func checkRequest(root *url.URL, req *http.Request) error {
	if err := CheckHost(root, req.URL); err != nil {
		return err
	}
	other := func(host string) bool { return host != "" && !isHostOf(root, host) } // "" is the host of the URL
	found := other(req.Host)
	for name, values := range req.Header {
		if len(name) == len("Host") && equalFold(name, "Host") { // net/http leaves it out, but another transport may not
			found = found || slices.ContainsFunc(values, other)
		}
	}
	if found {
		return fmt.Errorf("refused to send a token anywhere but to %s://%s, and the Host header names another host", root.Scheme, root.Host)
	}
	return nil
}

// leadsTo compares scheme, host and port. An opaque URL, whose opaque part goes onto the wire, may lead anywhere.
func leadsTo(root, u *url.URL) bool {
	return u.Scheme == root.Scheme && isHostOf(root, u.Host) && u.Opaque == ""
}

// isHostOf reports whether a host, with or without a port, is that of root.
func isHostOf(root *url.URL, host string) bool {
	return host == root.Host || equalFold(hostPort(&url.URL{Scheme: root.Scheme, Host: host}), hostPort(root))
}

// hostPort is the address that Go's transport asks a connection for.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// equalFold compares names of hosts and headers, whose case does not matter in ASCII only: [strings.EqualFold] also takes
// a long s (U+017F) for an s, and the Kelvin sign for a k.
func equalFold(a, b string) bool {
	return a == b || isASCII(a) && isASCII(b) && strings.EqualFold(a, b)
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII })
}
