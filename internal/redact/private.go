package redact

import (
	"math"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// shortest is the minimum length of a hidden part; shorter ones would take words apart.
	shortest = 3
	// unmistakable is the minimum length of a part that is hidden inside a word too. A shorter part such as "dev" does not
	// take "device" apart.
	unmistakable = 6
	// mostTexts bounds the private parts of a query, since a next link comes from outside.
	mostTexts = 96
	// longest bounds the text that is searched.
	longest = 64 << 10
)

var (
	// An operand is in quotes; a quote within it is doubled. What is between two operands matches too.
	operandPattern = compiled(`'((?:[^']|'')*)`)

	// personPattern finds a property that says who a person is.
	personPattern = compiled(`(?i)user|mail|actor`)

	// plainWord is an operand such as "Windows", which texts about Intune are full of.
	plainWord = compiled(`^[a-z]+$`)
)

// Private holds the parts of one request that no error may show. A service or a transport may quote them in any case,
// and escaped for a URL, JSON or HTML. The zero value hides nothing.
type Private struct { //nolint:recvcheck // a value, built in place
	parts []part
	most  int // of them
	host  string
}

// part is one of the private parts. A word is hidden only where it stands alone, and not in the address of a page of
// documentation.
type part struct {
	text string // folded
	word bool
}

// Of returns the private parts of a request: the values of $filter, $search and $skiptoken in the query, the operands
// within them, and keys. A key is a name in the path or a token.
func Of(rawQuery string, keys ...string) Private { return Private{}.And(rawQuery, keys...) }

// And returns the same parts and those of another request, which this one continues.
func (p Private) And(rawQuery string, keys ...string) Private {
	p.parts, p.most = slices.Clone(p.parts), math.MaxInt
	for _, key := range keys {
		p.add(key, false)
	}
	p.most = len(p.parts) + mostTexts
	if query := Limit(rawQuery, longest); queryPattern().MatchString(query) {
		p.addQuery(query)
	}
	return p
}

// At returns the same parts for a request to host. Errors may show paths of that host.
func (p Private) At(host string) Private {
	p.host = host
	return p
}

// add adds a text as it is and without its escapes. It may be a word unless it was added as something else.
func (p *Private) add(text string, mayBeWord bool) {
	for _, seen := range layers(text) {
		folded := string(seen.folded().text)
		word := mayBeWord && plainWord().MatchString(folded)
		switch i := slices.IndexFunc(p.parts, func(known part) bool { return known.text == folded }); {
		case i >= 0:
			p.parts[i].word = p.parts[i].word && word
		case len(folded) >= shortest && len(p.parts) < p.most:
			p.parts = append(p.parts, part{text: folded, word: word})
		}
	}
}

func (p *Private) addQuery(query string) {
	p.add(query, false)
	for option := range strings.SplitSeq(query, "&") {
		if !queryPattern().MatchString(option) {
			continue
		}
		_, value, _ := strings.Cut(option, "=")
		p.add(value, false)
		decoded, _ := url.QueryUnescape(value) // blank if it cannot be decoded
		before, _, _ := strings.Cut(decoded, "'")
		for _, operand := range operandPattern().FindAllStringSubmatch(decoded, mostTexts) {
			p.add(operand[1], !personPattern().MatchString(before))
			before = operand[1] // names the property of the next one
		}
	}
}

// Hide removes the private parts from a text, however they are written in it. It cuts a text that is too long to be
// searched. It searches the original text for all parts, so that removing one cannot split another, and reads the text
// once for each part and each layer of escapes.
func (p Private) Hide(text string) string {
	if len(p.parts) == 0 {
		return text
	}
	text = Limit(text, longest)
	pages := pagePattern().FindAllStringIndex(text, -1)
	var ends []int // for each index, where the longest private part that begins there ends
	for _, seen := range layers(text) {
		ends = p.find(seen.folded(), pages, ends)
	}
	if ends == nil {
		return text
	}
	var b strings.Builder
	end := 0 // end of what is hidden
	for i := range len(text) {
		if ends[i] > i && i >= end {
			b.WriteString(Placeholder)
		}
		if end = max(end, ends[i]); i >= end {
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

// find adds to ends where private parts are in a folded text. pages are where the original has addresses of pages.
func (p Private) find(seen sight, pages [][]int, ends []int) []int {
	text := string(seen.text)
	for _, private := range p.parts {
		secret := private.text
		for from := 0; ; {
			at := strings.Index(text[from:], secret)
			if at < 0 {
				break
			}
			at += from
			from = at + len(secret)
			if (private.word || len(secret) < unmistakable) && !standsAlone(text[:at], text[from:]) {
				continue
			}
			start, end := seen.at[at], seen.end(from)
			if private.word && slices.ContainsFunc(pages, func(page []int) bool { return page[0] <= start && end <= page[1] }) {
				continue
			}
			if ends == nil {
				ends = make([]int, seen.at[len(text)])
			}
			ends[start] = max(ends[start], end)
		}
	}
	return ends
}

// standsAlone reports whether the text between before and after is not part of a longer word. Scripts without capitals
// may have no spaces between words, so their letters do not count.
func standsAlone(before, after string) bool {
	last, _ := utf8.DecodeLastRuneInString(before)
	first, _ := utf8.DecodeRuneInString(after)
	word := []*unicode.RangeTable{unicode.Lu, unicode.Ll, unicode.Lt, unicode.N}
	return !unicode.In(last, word...) && !unicode.In(first, word...)
}

// Clean is [Text] without the private parts. They are hidden before links are cut, because cutting may split them, and
// after invisible characters are gone, which may split an escape.
func (p Private) Clean(text string) string { return Text(p.Hide(visible(Limit(text, longest)))) }
