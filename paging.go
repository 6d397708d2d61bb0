package intune

import (
	"context"
	"crypto/sha256"
	"errors"
	"iter"
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
	first  func() (string, error)          // absolute URL of the first page, or why there is none
	decode func(*http.Response) (P, error) // may give what came before an error
	resume func(P)                         // learns of the page from which a stored pager goes on; may be nil

	followed map[[sha256.Size]byte]struct{} // hashes, since links can be long
}

// newPager makes a pager that follows next links exactly as given, over https and to the configured host only.
// azcore's own helpers re-encode the link's query, which an opaque skip token may not survive, and follow it to any
// host with the token.
func newPager[P linkedPage](c *Client, l list[P]) *runtime.Pager[P] {
	return runtime.NewPager(runtime.PagingHandler[P]{
		Tracer:  c.tracer(),
		More:    func(current P) bool { return current.nextLink() != "" },
		Fetcher: func(ctx context.Context, current *P) (P, error) { return l.fetch(ctx, c, current) },
	})
}

// pages yields the pages of a listing up to its end or its first error, with which comes what was read of that page.
func pages[P linkedPage](ctx context.Context, c *Client, l list[P]) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		for current := (*P)(nil); current == nil || (*current).nextLink() != ""; {
			page, err := l.fetchInSpan(ctx, c, current)
			if !yield(page, err) || err != nil {
				return
			}
			current = &page
		}
	}
}

func (l *list[P]) fetchInSpan(ctx context.Context, c *Client, current *P) (page P, err error) {
	if ctx != nil {
		var endSpan func(error)
		ctx, endSpan = c.startSpan(ctx, l.op)
		defer func() { endSpan(err) }()
	}
	return l.fetch(ctx, c, current)
}

func (l *list[P]) fetch(ctx context.Context, c *Client, current *P) (P, error) {
	var none P
	if err := c.check(ctx); err != nil {
		return none, err
	}
	if err := ctx.Err(); err != nil {
		return none, &Error{Op: l.op.text, cause: err, phase: "not sent"}
	}
	link, err := l.link(c, current)
	if err != nil {
		return none, err
	}
	r := &request{op: l.op, method: http.MethodGet, url: link}
	resp, err := c.send(ctx, r)
	if err != nil {
		return none, err
	}
	page, err := l.decode(resp)
	if err != nil {
		e := c.unexpectedAnswer(r, resp, "the page could not be read")
		e.cause = err
		return page, e
	}
	return page, nil
}

// link is the URL of the page behind current, which must be one that this listing has not followed.
func (l *list[P]) link(c *Client, current *P) (link string, err error) {
	if l.followed == nil {
		// This checks the arguments, also of a pager that goes on from a stored page.
		if link, err = l.first(); err != nil {
			return "", err
		}
		if current != nil && l.resume != nil {
			l.resume(*current)
		}
	}
	if current != nil {
		link = (*current).nextLink()
		if err := c.checkLink(link); err != nil {
			return "", &Error{Op: l.op.text, cause: err, phase: "the service gave a next link that is not followed"}
		}
	}
	hash := sha256.Sum256([]byte(link))
	if _, again := l.followed[hash]; again {
		return "", &Error{Op: l.op.text, phase: "the service gave a next link that was followed before, so that the listing would not end"}
	}
	if l.followed == nil {
		l.followed = map[[sha256.Size]byte]struct{}{}
	}
	l.followed[hash] = struct{}{}
	return link, nil
}

// checkLink refuses a next link that leads anywhere but to this client's Graph root. Its errors do not quote the link,
// whose skip token holds names of devices.
func (c *Client) checkLink(link string) error {
	u, err := url.Parse(link)
	if err != nil || u.Fragment != "" || strings.ContainsFunc(link, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return errors.New("it is not a URL")
	}
	if err := graphpolicy.CheckHost(c.service.root, u); err != nil {
		return errors.New("it leads to another host or is not https")
	}
	if !strings.HasPrefix(u.EscapedPath(), c.service.root.EscapedPath()+"/"+graphAPIVersion+"/") || hasDotSegment(u.Path) {
		return errors.New("it leads out of the version that this client speaks")
	}
	return nil
}

// maxTop is the service's page size; larger values are not known to work.
const maxTop = 1000

// checkPaging checks the options that every list has.
func (c *Client) checkPaging(top int32, continueFrom string) error {
	if top < 0 || top > maxTop {
		return invalidArgument("options.Top", "must be 1 to 1000, or 0 for the service's own page size")
	}
	if continueFrom != "" {
		if err := c.checkLink(continueFrom); err != nil {
			return invalidArgument("options.ContinueFrom", "is not a next link of this client: "+err.Error())
		}
	}
	return nil
}
