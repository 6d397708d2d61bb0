package intune

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune/internal/graphpolicy"
)

// linkedPage is what a list's response type has to tell its pager.
type linkedPage interface {
	nextLink() string
}

// list describes one listing.
type list[P linkedPage] struct {
	op     *operation
	first  func() (string, error) // absolute URL of the first page, or why there is none
	secret bool
	decode func(*http.Response) (P, error)
}

// newPager makes a pager that follows next links exactly as given, over https and to the configured host only. azcore's
// own helpers re-encode the link's query, which an opaque skip token may not survive, and follow it to any host with the token.
func newPager[P linkedPage](c *Client, l list[P]) *runtime.Pager[P] {
	seen := map[string]struct{}{}
	return runtime.NewPager(runtime.PagingHandler[P]{
		Tracer: c.internal.Tracer(),
		More:   func(current P) bool { return current.nextLink() != "" },
		Fetcher: func(ctx context.Context, current *P) (P, error) {
			var none P
			if err := checkContext(ctx); err != nil {
				return none, err
			}
			if err := ctx.Err(); err != nil {
				return none, &Error{Op: l.op.text, cause: err, phase: "not sent"}
			}
			var link string
			if current == nil {
				first, err := l.first()
				if err != nil {
					return none, err
				}
				link = first
			} else {
				link = (*current).nextLink()
				if err := c.checkLink(link); err != nil {
					return none, &Error{Op: l.op.text, cause: err, phase: "the service gave a next link that is not followed"}
				}
			}
			if _, again := seen[link]; again {
				return none, &Error{Op: l.op.text, phase: "the service gave a next link that was followed before; the listing would not end"}
			}
			seen[link] = struct{}{}
			r := &request{op: l.op, method: http.MethodGet, url: link, secret: l.secret}
			resp, err := c.send(ctx, r)
			if err != nil {
				return none, err
			}
			next, err := l.decode(resp)
			if err != nil {
				e := c.unexpectedAnswer(r, resp, "the page could not be read")
				e.cause = err
				return next, e
			}
			return next, nil
		},
	})
}

// checkLink refuses a next link that leads anywhere but to this client's Graph root. Its errors do not quote the link,
// whose skip token holds names of devices.
func (c *Client) checkLink(link string) error {
	u, err := url.Parse(link)
	if err != nil || u.Fragment != "" || strings.ContainsFunc(link, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return errors.New("it is not a URL")
	}
	if err := graphpolicy.CheckHost(c.service.root, u); err != nil {
		return errors.New("it leads to another host or is not https")
	}
	if !strings.HasPrefix(u.EscapedPath(), c.service.root.EscapedPath()+"/"+graphAPIVersion+"/") || hasDotSegment(u.Path) {
		return errors.New("it leads out of the version this client speaks")
	}
	return nil
}
