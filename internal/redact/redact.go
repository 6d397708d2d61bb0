// Package redact removes from texts what no error, log or span may show: links that may open a session, tokens, the
// values of queries that hold names of people and devices, the private parts of one request, and control characters.
// All code in this module that passes on a text from elsewhere cleans it here.
package redact

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Placeholder replaces what was removed.
const Placeholder = "REDACTED"

var (
	// The value of an option in a URL, encoded any number of times, or as a member of JSON. An operand in quotes may hold
	// a character that otherwise ends a value; in HTML an ampersand begins a character.
	queryPattern = compiled(`(?i)((?:\$|%(?:25)*24|\\+u0024|&#0*(?:36|x0*24);?)?` +
		`(?:skiptoken|filter|search)(?:=|%(?:25)*3d|\\+u003d|&#0*(?:61|x0*3d);?)` +
		`|\$(?:skiptoken|filter|search)\\*"\s*:\s*\\*")(?:'[^']*'|[^&"\r\n]|&(?:#|amp;|apos;|quot;))*`)

	tokenPattern = compiled(`(?i:\bbearer(?:\s|%(?:25)*20|\+)+[a-z0-9._~+/=-]{16,})|eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*`)

	// The secrets as token endpoints and their clients write them.
	credentialPattern = compiled(`(?i)((?:(?:access|refresh|id)_token|client_secret|client_assertion)` +
		`(?:=|%(?:25)*3d|\\*"\s*:\s*\\*"))[^\s&"\\]+`)
)

// compiled defers the cost of a pattern to its first use.
func compiled(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// rules are what Text applies. The order matters, because a filter may hold spaces, which end a link. Every match of a
// rule contains one of its marks in lower case, so a text without matches costs only a search for the marks. No mark
// begins with an s, because a pattern that ignores case also matches ſ, which [strings.ToLower] leaves as it is.
var rules = [...]struct {
	marks []string
	apply func(string) string
}{
	{[]string{"kiptoken", "filter", "earch"}, func(s string) string { return queryPattern().ReplaceAllString(s, "${1}"+Placeholder) }},
	{[]string{":", "3a", "&#", "&colon;"}, func(s string) string { return linkPattern().ReplaceAllStringFunc(s, link) }},
	{[]string{"teamviewer"}, func(s string) string { return bareLinkPattern().ReplaceAllString(s, "${1}/"+Placeholder) }},
	{[]string{"eyj", "bearer"}, func(s string) string { return tokenPattern().ReplaceAllString(s, Placeholder) }},
	{[]string{"_token", "client_"}, func(s string) string { return credentialPattern().ReplaceAllString(s, "${1}"+Placeholder) }},
}

// Text removes links, except to Microsoft's own hosts; the values of $filter, $search and $skiptoken; bearer tokens,
// JSON web tokens and values that are marked as a token or a secret; and control and other invisible characters except
// tabs and line breaks. The result is valid UTF-8. Text cuts a text that is too long to be searched.
func Text(text string) string {
	text = visible(Limit(text, longest))
	lower := strings.ToLower(text)
	for _, rule := range rules {
		if slices.ContainsFunc(rule.marks, func(mark string) bool { return strings.Contains(lower, mark) }) {
			text = rule.apply(text)
		}
	}
	return text
}

// visible removes characters that could be inside a word unseen, and so hide the word from the patterns.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if (unicode.IsControl(r) || Invisible(r)) && r != '\t' && r != '\n' && r != '\r' {
			return -1
		}
		return r
	}, text)
}

// Invisible reports whether r is a format character: invisible, but not white space.
func Invisible(r rune) bool { return unicode.Is(unicode.Cf, r) }

// BlankOrHidden finds what a terminal or a browser would take for something else than a part of an address or a link:
// one ends at a space, and an override of the direction of text makes it show another host.
func BlankOrHidden(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || Invisible(r) }

// OneLine makes a text fit for one line of a terminal or log: printable characters only, at most limit bytes.
func OneLine(text string, limit int) string {
	words := strings.FieldsFunc(strings.ToValidUTF8(text, "\ufffd"), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	})
	text = strings.Join(words, " ")
	if cut := Limit(text, limit); len(cut) < len(text) {
		return cut + "…"
	}
	return text
}

// Limit cuts a text at a rune boundary and makes it valid UTF-8.
func Limit(text string, limit int) string {
	if len(text) > limit {
		for limit > 0 && !utf8.RuneStart(text[limit]) {
			limit--
		}
		text = text[:limit]
	}
	return strings.ToValidUTF8(text, "\ufffd")
}
