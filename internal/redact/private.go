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

// An operand is in quotes; a quote within it is doubled.
var operandPattern = compiled(`'((?:[^']|'')*)`)

// Private holds the parts of one request that no error may show, in the forms in which a service or a transport may quote
// them. The zero value hides nothing.
type Private struct { //nolint:recvcheck // a value, built in place
	texts []string // in lower case
	most  int      // of them
	host  string
}

// Of returns the private parts of a request: the values of $filter, $search and $skiptoken in the query, the operands
// within them, and keys. A key is a name in the path or a token, which is hidden as it is and in every encoding.
func Of(rawQuery string, keys ...string) Private {
	p := Private{most: math.MaxInt}
	for _, key := range keys {
		p.addKey(key)
	}
	p.most = len(p.texts) + mostTexts
	if queryPattern().MatchString(rawQuery) {
		p.addQuery(rawQuery)
	}
	return p
}

// At returns the same parts for a request to host. Errors may show paths of that host.
func (p Private) At(host string) Private {
	p.host = host
	return p
}

func (p *Private) add(texts ...string) {
	for _, text := range texts {
		if text = lowerASCII(text); len(text) >= shortest && len(p.texts) < p.most && !slices.Contains(p.texts, text) {
			p.texts = append(p.texts, text)
		}
	}
}

// addKey adds a name as it is and as a path or query encodes it.
func (p *Private) addKey(key string) {
	for _, form := range [...]string{key, strings.ReplaceAll(key, "'", "''")} {
		escaped := url.PathEscape(form)
		p.add(form, escaped, url.QueryEscape(form), strings.ReplaceAll(escaped, "@", "%40"), url.PathEscape(escaped))
	}
}

func (p *Private) addQuery(query string) {
	p.add(query)
	decoded, _ := url.PathUnescape(query) // blank if it cannot be decoded
	p.add(decoded)
	for option := range strings.SplitSeq(query, "&") {
		if !queryPattern().MatchString(option) {
			continue
		}
		_, value, _ := strings.Cut(option, "=")
		p.add(value)
		decoded, _ := url.QueryUnescape(value) // as above
		p.add(decoded)
		for _, operand := range operandPattern().FindAllStringSubmatch(decoded, mostTexts) {
			p.addKey(strings.ReplaceAll(operand[1], "''", "'"))
		}
	}
}

// Hide removes the private parts from a text, without regard to case. It cuts a text that is too long to be searched.
// It searches the original text for all parts, so that removing one cannot split another, and reads the text once for
// each part.
func (p Private) Hide(text string) string {
	if len(p.texts) == 0 {
		return text
	}
	text = Limit(text, longest)
	lower := lowerASCII(text)
	var ends []int // for each index, where the longest private part that begins there ends
	for _, secret := range p.texts {
		for from := 0; ; {
			at := strings.Index(lower[from:], secret)
			if at < 0 {
				break
			}
			at += from
			from = at + len(secret)
			if len(secret) < unmistakable && !standsAlone(lower[:at], lower[from:]) {
				continue
			}
			if ends == nil {
				ends = make([]int, len(text))
			}
			ends[at] = max(ends[at], from)
		}
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

// standsAlone reports whether the text between before and after is not part of a longer word.
func standsAlone(before, after string) bool {
	last, _ := utf8.DecodeLastRuneInString(before)
	first, _ := utf8.DecodeRuneInString(after)
	return !unicode.In(last, unicode.L, unicode.N) && !unicode.In(first, unicode.L, unicode.N)
}

// Clean is [Text] without the private parts. They are hidden before links are cut, because cutting may split them, and
// again afterwards, because the rest of an encoded link is decoded.
func (p Private) Clean(text string) string { return p.Hide(Text(p.Hide(visible(text)))) }

// lowerASCII keeps the length of a text, which [strings.ToLower] may change.
func lowerASCII(text string) string {
	lower := []byte(text)
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] |= 0x20
		}
	}
	return string(lower)
}
