package intunetest

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// row is an item of a list.
type row struct {
	serial   int // grows along the list
	name, id string
	write    func(*object)
}

// page answers with the part of a list that the request's $skiptoken and $top ask for. rows yields the rows after the
// item with a serial number; page takes no more of them than it needs.
func (t *Tenant) page(x *exchange, where *target, q *query, rows func(after int) iter.Seq[row]) *answer {
	at, err := parseSkipToken(q.skipToken, x.strict)
	if err != nil {
		return x.badQuery(err)
	}
	size := t.pageSize(q, at.page%2 == 0)
	next := position{serial: at.serial, page: at.page + 1}
	var here []row
	more := false
	for r := range rows(at.serial) {
		if more = len(here) == size; more {
			break
		}
		here = append(here, r)
		next.serial, next.name, next.id = r.serial, r.name, r.id
	}
	link := ""
	if more {
		options := q.rest
		if q.skip != "" {
			options = append(slices.Clone(options), "$skip="+q.skip)
		}
		link = x.nextLink(options, "$skiptoken="+next.token(x.strict))
	}
	// The count is the length of this page, not of the list.
	return x.list(where, q, len(here), link, slices.Values(here))
}

// pageBySkip answers with the part of a list that the request's $skip and $top ask for, as the list of detected apps
// does. write writes one of the n items.
func (t *Tenant) pageBySkip(x *exchange, where *target, q *query, n int, write func(i int, o *object)) *answer {
	start := 0
	if q.skip != "" {
		var err error
		if start, err = strconv.Atoi(plain(q.skip)); err != nil || start < 0 {
			return x.badQuery(refusal("Invalid value for $skip: it must be a number that is not negative."))
		}
	}
	if q.skipToken != "" {
		return x.badQuery(errAlteredToken)
	}
	start = min(start, n)
	end := min(start+t.pageSize(q, q.skip == ""), n)
	link := ""
	if end < n {
		link = x.nextLink(q.rest, "$skip="+strconv.Itoa(end))
	}
	return x.list(where, q, n, link, func(yield func(row) bool) {
		for i := start; i < end; i++ {
			if !yield(row{write: func(o *object) { write(i, o) }}) {
				return
			}
		}
	})
}

// pageSize is how many items a page holds. even marks a page that is empty if ShortPages is set.
func (t *Tenant) pageSize(q *query, even bool) int {
	size := t.options.PageSize
	if q.top > 0 {
		size = min(size, q.top)
	}
	switch {
	case !t.options.ShortPages:
		return size
	case even:
		return 0
	default:
		return (size + 1) / 2
	}
}

// list is the answer of a collection.
func (x *exchange) list(where *target, q *query, count int, nextLink string, rows iter.Seq[row]) *answer {
	o := &object{}
	o.member("@odata.context", x.context(where, q, ""))
	o.member("@odata.count", int64(count))
	if nextLink != "" {
		o.member("@odata.nextLink", nextLink)
	}
	items := []byte{'['}
	for r := range rows {
		if len(items) > 1 {
			items = append(items, ',')
		}
		item := &object{}
		r.write(item)
		items = append(items, item.end()...)
	}
	o.member("value", literal(append(items, ']')))
	return newAnswer(http.StatusOK, contentOData, o.end())
}

func (x *exchange) nextLink(options []string, position string) string {
	options = append(slices.Clone(options), position)
	return x.scheme + "://" + x.request.Host + x.request.Path + "?" + strings.Join(options, "&")
}

// position is where the next page begins: after the item with the serial number. It has the name and id of the last
// device because the service puts them into its tokens, which makes the tokens confidential.
type position struct {
	serial, page int
	name, id     string
}

// token writes a position such that decoding or encoding any part of it changes the text: it has escaped quotes and
// equals signs in lower-case hex, plus signs for spaces, and bare equals signs and slashes. The service promises only
// that its tokens work as given.
func (p position) token(strict bool) string {
	state := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d/", p.serial, p.page))
	text := "LastDeviceName%3d%27" + url.QueryEscape(strings.ReplaceAll(p.name, "'", "''")) +
		"%27,+LastDeviceId%3d%27" + url.QueryEscape(p.id) + "%27,+" + state
	return text + "/" + tokenSum(text, strict)
}

// tokenSum detects an altered token: for a strict tenant any change of the text, otherwise a change of its meaning. It
// is not meant as protection.
func tokenSum(text string, strict bool) string {
	if !strict {
		text = plain(text)
	}
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:10])
}

// plain is the meaning of a text from a query, however the text is encoded. Spaces become plus signs, since clients mix
// up the two.
func plain(text string) string {
	if decoded, err := url.QueryUnescape(text); err == nil {
		text = decoded
	}
	return strings.ReplaceAll(text, " ", "+")
}

// parseSkipToken reads a raw token; "" is the first page.
func parseSkipToken(raw string, strict bool) (position, error) {
	if raw == "" {
		return position{}, nil
	}
	if !strict {
		raw = plain(raw)
	}
	// The sum has a fixed length and may hold slashes itself.
	const sumLength = 16
	cut := len(raw) - sumLength - 1
	if cut <= 0 || raw[cut] != '/' || tokenSum(raw[:cut], true) != raw[cut+1:] {
		return position{}, errAlteredToken
	}
	text := raw[:cut]
	decoded, err := base64.StdEncoding.DecodeString(text[strings.LastIndex(text, ",+")+len(",+"):])
	if err != nil {
		return position{}, errAlteredToken
	}
	serial, page, _ := strings.Cut(strings.TrimSuffix(string(decoded), "/"), ".")
	var p position
	if p.serial, err = strconv.Atoi(serial); err != nil {
		return position{}, errAlteredToken
	}
	if p.page, err = strconv.Atoi(page); err != nil {
		return position{}, errAlteredToken
	}
	return p, nil
}
