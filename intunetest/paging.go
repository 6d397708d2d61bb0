package intunetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// row is an item of a list.
type row struct {
	serial   int // grows along the list
	name, id string
	write    func(*object)
}

// page answers with the part of a list that the request's $skiptoken and $top ask for.
func (t *Tenant) page(x *exchange, where *target, q *query, rows []row) *answer {
	at, err := parseSkipToken(q.skipToken, x.strict)
	if err != nil {
		return x.badQuery(err)
	}
	for len(rows) > 0 && rows[0].serial <= at.serial {
		rows = rows[1:]
	}
	size := t.options.PageSize
	if q.top > 0 {
		size = min(size, q.top)
	}
	if t.options.ShortPages {
		size = (size + 1) / 2
		if at.page%2 == 0 {
			size = 0
		}
	}
	next := position{serial: at.serial, page: at.page + 1}
	here := rows[:min(size, len(rows))]
	if n := len(here); n > 0 {
		last := here[n-1]
		next.serial, next.name, next.id = last.serial, last.name, last.id
	}

	o := &object{}
	o.member("@odata.context", x.context(where, q, ""))
	// The length of this page, not of the list.
	o.member("@odata.count", int64(len(here)))
	if len(rows) > len(here) {
		o.member("@odata.nextLink", x.nextLink(q, next))
	}
	var items bytes.Buffer
	for i, r := range here {
		if i > 0 {
			items.WriteByte(',')
		}
		item := &object{}
		r.write(item)
		items.Write(item.end())
	}
	o.member("value", literal("["+items.String()+"]"))
	return newAnswer(http.StatusOK, contentOData, o.end())
}

func (x *exchange) nextLink(q *query, next position) string {
	options := q.rest
	if options != "" {
		options += "&"
	}
	return x.scheme + "://" + x.request.Host + x.request.Path + "?" + options + "$skiptoken=" + next.token(x.strict)
}

// position is where the next page begins: after the item with the serial number. Name and id are there because the
// service puts the last device's into its tokens, which makes them confidential.
type position struct {
	serial, page int
	name, id     string
}

// token writes a position so that decoding or encoding any part of it changes the text: it has escaped quotes and
// equals signs in lower-case hex, plus signs for spaces, and bare equals signs and slashes. The service makes no
// promise on its tokens but that they work as given.
func (p position) token(strict bool) string {
	state := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d/", p.serial, p.page))
	text := "LastDeviceName%3d%27" + url.QueryEscape(strings.ReplaceAll(p.name, "'", "''")) + "%27,+LastDeviceId%3d%27" + url.QueryEscape(p.id) + "%27,+" + state
	return text + "/" + tokenSum(text, strict)
}

// tokenSum tells an altered token: of a strict tenant any change of the text, else a change of what it says. It is no
// protection and need not be one.
func tokenSum(text string, strict bool) string {
	if !strict {
		text = plain(text)
	}
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:10])
}

// plain is what text from a query says however it is encoded. Spaces are plus signs, since clients take one for the
// other.
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
