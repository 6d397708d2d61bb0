package intune

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"

	"github.com/go-intune/intune/internal/errorbody"
	"github.com/go-intune/intune/internal/graphcall"
	"github.com/go-intune/intune/internal/graphjson"
	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/pages"
)

// listing describes one list of rows of type T, which its pager returns in pages of type P.
type listing[T any, P storedPage[T]] struct {
	op    *operation
	first func() (url.URL, error) // the first page, or what is wrong with the arguments
	from  string                  // the next link to begin with instead; blank for none
	asked graphpolicy.Asked       // its Query is that of the first page
	keep  func(*T) bool           // rows for which it is false are dropped; nil: none are
	id    func(*T) string         // by which a row that came before is recognized; nil: none is
	page  func(page[T]) P
}

// page holds what every page of a list has.
type page[T any] struct {
	rows              []T
	next              string
	dropped, repeated int
	graphcall.IDs
}

// storedPage is a page that a caller may have kept, to continue from it with a new pager.
type storedPage[T any] interface {
	stored() (rows []T, next string)
}

// walk is one pass through the pages of a listing.
type walk[T any, P storedPage[T]] struct {
	listing[T, P]
	client   *Client
	begun    bool
	rows     pages.Rows
	followed pages.Trail
}

// pager follows next links exactly as given, over https and to the configured host only. azcore's own helpers re-encode
// the link's query, which an opaque skip token may not survive, and follow it to any host with the token.
func (l listing[T, P]) pager(c *Client) *runtime.Pager[P] {
	w := walk[T, P]{listing: l, client: c}
	return runtime.NewPager(runtime.PagingHandler[P]{
		Tracer:  c.tracer(),
		More:    hasNext[T, P],
		Fetcher: w.fetch,
	})
}

// all yields the rows of all pages, up to the end or the first error. The rows that were read of a broken page come
// before the error.
func (l listing[T, P]) all(ctx context.Context, c *Client, onPage func(P)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		w := walk[T, P]{listing: l, client: c}
		for current := (*P)(nil); current == nil || hasNext[T](*current); {
			read, err := w.fetchInSpan(ctx, current)
			if err == nil && onPage != nil {
				onPage(read)
			}
			rows, _ := read.stored()
			for i := range rows {
				if !yield(rows[i], nil) {
					return
				}
			}
			if err != nil {
				yield(*new(T), err)
				return
			}
			current = &read
		}
	}
}

func hasNext[T any, P storedPage[T]](current P) bool {
	_, next := current.stored()
	return next != ""
}

func (w *walk[T, P]) fetchInSpan(ctx context.Context, current *P) (read P, err error) {
	if ctx != nil {
		var endSpan func(error)
		ctx, endSpan = w.client.startSpan(ctx, w.op)
		defer func() { endSpan(err) }()
	}
	return w.fetch(ctx, current)
}

// fetch reads the page after current. Together with an error it may return the rows of the page that could be read.
func (w *walk[T, P]) fetch(ctx context.Context, current *P) (read P, err error) {
	if err := w.client.check(ctx); err != nil {
		return read, err
	}
	if err := ctx.Err(); err != nil {
		return read, &Error{Op: w.op.text, cause: err, reason: reasonNotSent}
	}
	target, err := w.next(current)
	if err != nil {
		return read, err
	}
	r := newRequest(w.op, DeviceRef{}, target)
	r.Asked = w.asked
	resp, err := w.client.send(ctx, r)
	if err != nil {
		return read, err
	}
	found, err := w.decode(resp)
	found.IDs = r.ids
	if found.dropped > 0 {
		w.client.tracer().SpanFromContext(ctx).AddEvent("rows that do not match the filter",
			tracing.Attribute{Key: "intune.dropped", Value: found.dropped})
	}
	if err != nil {
		return w.page(found), w.client.unreadable(r, resp, "the page could not be read", err)
	}
	return w.page(found), nil
}

func (w *walk[T, P]) decode(resp *http.Response) (found page[T], err error) {
	body, err := runtime.Payload(resp)
	if err != nil {
		return found, err
	}
	if object, before := errorbody.Within(body); object != nil {
		body = body[:before] // breaks off, in front of what would pass for a row
	}
	rows, next, err := graphjson.Page[T](body)
	found.next = next
	found.rows = rows[:0]
	for i := range rows {
		row := &rows[i]
		id, text := w.idOf(row), func() string { return contentOf(row) }
		switch {
		case w.keep != nil && !w.keep(row):
			w.rows.Drop(id, text)
			found.dropped++
		case !w.rows.Keep(id, text):
			found.repeated++
		default:
			found.rows = append(found.rows, *row)
		}
	}
	w.rows.EndPage()
	clear(rows[len(found.rows):])
	return found, err
}

// next is the address of the page after current, which must be one that this walk has not read.
func (w *walk[T, P]) next(current *P) (target url.URL, err error) {
	begins := !w.begun
	if begins {
		// This checks the arguments, also of a pager that goes on from a stored page.
		if target, err = w.first(); err != nil {
			return target, err
		}
		w.asked.Query = target.RawQuery
		if w.from != "" {
			if target, err = w.client.caller.NextLink(w.from); err != nil {
				return target, invalidArgument("options.ContinueFrom", "is not a next link of this client: "+err.Error())
			}
		}
		w.begun = true
		if current != nil {
			w.remember(*current)
		}
	}
	if current != nil {
		_, link := (*current).stored()
		if target, err = w.client.caller.NextLink(link); err != nil {
			return target, &Error{Op: w.op.text, cause: err, reason: "the service gave a next link that is not followed"}
		}
	}
	if begins && target.RawQuery != w.asked.Query {
		w.asked.Query += "&" + target.RawQuery // a link of the caller's, and perhaps the only one that holds a filter
	}
	if w.rows.Stale() {
		return target, &Error{Op: w.op.text, reason: reasonStale}
	}
	if !w.followed.Add(target.String()) {
		return target, &Error{Op: w.op.text, reason: "the service gave a next link that was followed before, so that the listing would not end"}
	}
	return target, nil
}

func (w *walk[T, P]) remember(before P) {
	rows, _ := before.stored()
	for i := range rows {
		w.rows.Keep(w.idOf(&rows[i]), func() string { return contentOf(&rows[i]) })
	}
	w.rows.EndPage()
}

func (w *walk[T, P]) idOf(row *T) string {
	if w.id == nil {
		return ""
	}
	return w.id(row)
}

// contentOf tells rows without an id apart. Of a row that can't be written it is blank, which no row is.
func contentOf[T any](row *T) string {
	text, _ := json.Marshal(row) //nolint:errchkjson // as above
	return string(text)
}

// reasonStale is the reason of a listing that gets no further.
var reasonStale = fmt.Sprintf(
	"the service gave %d pages in a row without a row that was not there before, so that the listing would not end", pages.MaxStale)

// maxTop is the service's page size; larger values are not known to work.
const maxTop = 1000

// firstPage is the address of the first page of a collection; top is the number of rows per page.
func (c *Client) firstPage(path string, query []string, top int32) (target url.URL, err error) {
	if top < 0 || top > maxTop {
		return target, invalidArgument("options.Top", "must be 1 to 1000, or 0 for the service's own page size")
	}
	if top > 0 {
		query = append(query, "$top="+strconv.Itoa(int(top)))
	}
	return c.at(path, query...), nil
}
