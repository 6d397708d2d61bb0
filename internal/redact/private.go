package redact

import (
	"net/url"
	"slices"
	"strings"
)

const (
	// shortest is the least that is hidden; less would take words apart.
	shortest = 3
	// mostTexts bounds the private parts of a request, since a next link comes from outside.
	mostTexts = 64
	// longest bounds the text that is searched.
	longest = 64 << 10
)

// Private holds the parts of one request that no error may show, in the forms in which a service or a transport may quote
// them. The zero value hides nothing.
type Private struct{ texts []string } // in lower case, the longest first

// Query is the private parts of a URL's query: the values of $filter, $search and $skiptoken, and the operands within.
func Query(rawQuery string) Private { return Of(rawQuery) }

// Of is the private parts of a query, and keys: names in the path or a token, which are hidden as they are and in every
// encoding.
func Of(rawQuery string, keys ...string) Private {
	var p texts
	if queryPattern().MatchString(rawQuery) {
		p.addQuery(rawQuery)
	}
	for _, key := range keys {
		quoted := strings.ReplaceAll(key, "'", "''")
		for _, form := range [...]string{key, quoted} {
			escaped := url.PathEscape(form)
			p.add(form, escaped, url.QueryEscape(form), strings.ReplaceAll(escaped, "@", "%40"), url.PathEscape(escaped))
		}
	}
	slices.SortStableFunc(p, func(a, b string) int { return len(b) - len(a) })
	return Private{texts: slices.Compact(p)}
}

// texts collects private parts.
type texts []string

func (p *texts) add(list ...string) {
	for _, text := range list {
		if len(text) >= shortest && len(text) <= longest && len(*p) < mostTexts {
			*p = append(*p, lowerASCII(text))
		}
	}
}

func (p *texts) addQuery(query string) {
	p.add(query)
	if decoded, err := url.PathUnescape(query); err == nil {
		p.add(decoded)
	}
	for option := range strings.SplitSeq(query, "&") {
		if !queryPattern().MatchString(option) {
			continue
		}
		_, value, _ := strings.Cut(option, "=")
		p.add(value)
		decoded, err := url.QueryUnescape(value)
		if err != nil {
			continue
		}
		p.add(decoded)
		for i, operand := range strings.Split(decoded, "'") {
			if i%2 == 1 {
				p.add(operand)
			}
		}
	}
}

// Hide takes the private parts out of a text, in any case. What is longer than can be searched is cut.
func (p Private) Hide(text string) string {
	if len(p.texts) == 0 {
		return text
	}
	text = Limit(text, longest)
	for _, secret := range p.texts {
		lower := lowerASCII(text)
		at := strings.Index(lower, secret)
		if at < 0 {
			continue
		}
		var b strings.Builder
		for ; at >= 0; at = strings.Index(lower, secret) {
			b.WriteString(text[:at] + Placeholder)
			text, lower = text[at+len(secret):], lower[at+len(secret):]
		}
		b.WriteString(text)
		text = b.String()
	}
	return text
}

// Clean is Text without the private parts.
func (p Private) Clean(text string) string { return p.Hide(Text(text)) }

// lowerASCII keeps the length, where [strings.ToLower] may not.
func lowerASCII(text string) string {
	lower := []byte(text)
	for i, c := range lower {
		if c >= 'A' && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	return string(lower)
}
