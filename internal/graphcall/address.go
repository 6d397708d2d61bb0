package graphcall

import (
	"errors"
	"net/url"
	"strings"

	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/odata"
)

// At is the URL of a path below the root. The path is escaped already, and query options are given exactly as they are
// sent: their names begin with a bare dollar sign, because the service does not decode an escaped one.
func (c *Caller) At(path string, query ...string) url.URL {
	u := *c.Root
	u.Path, u.RawPath = u.EscapedPath()+path, ""
	if strings.Contains(u.Path, "%") || strings.Contains(u.Path, "(") {
		u.RawPath = u.Path
		u.Path, _ = url.PathUnescape(u.RawPath) // the library escaped it
	}
	u.RawQuery = strings.Join(query, "&")
	return u
}

// NextLink parses a next link, and refuses one that does not lead below this root. Its errors do not quote the link,
// whose skip token holds names of devices.
func (c *Caller) NextLink(link string) (target url.URL, err error) {
	u, err := url.Parse(link)
	if err != nil || u.Fragment != "" || strings.ContainsFunc(link, func(r rune) bool { return r < '!' || r > '~' }) {
		return target, errors.New("it is not a URL")
	}
	if err := graphpolicy.CheckHost(c.Root, u); err != nil {
		return target, errors.New("it leads to another host or is not https")
	}
	if !strings.HasPrefix(u.EscapedPath(), c.Root.EscapedPath()+"/") || odata.HasDotSegment(u.Path) {
		return target, errors.New("it leads out of the version that this client speaks")
	}
	return *u, nil
}
