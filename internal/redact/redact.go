// Package redact takes out of texts what no error, log or span may show: links that may open a session, tokens, the values
// of queries that hold names of people and devices, the private parts of one request, and control characters. Everything in
// this module that passes on a text from elsewhere cleans it here.
package redact

import (
	"net/url"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Placeholder stands for what was taken out.
const Placeholder = "REDACTED"

var (
	// A link in the forms in which services quote one: plain, with the slashes escaped as in JSON, or percent-encoded any
	// number of times. Any scheme counts, also one that is glued to a word.
	linkPattern = compiled(`(?i)[a-z][a-z0-9+.-]*(?::|\\u003a|%(?:25)*3a)(?:\\*/|\\u002f|%(?:25)*2f){2}[^\s"'<>]*`)

	queryPattern = compiled(`(?i)((?:\$|%(?:25)*24)(?:skiptoken|filter|search)(?:=|%(?:25)*3d))[^&"\r\n]*`)

	tokenPattern = compiled(`(?i)\bbearer(?:\s|%(?:25)*20|\+)+[a-z0-9._~+/=-]{16,}|eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*`)
)

// compiled defers the cost of a pattern to its first use.
func compiled(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// Text takes out links, except to Microsoft's own hosts; the values of $filter, $search and $skiptoken; bearer tokens and
// JSON web tokens; and control characters other than tabs and line breaks. The result is valid UTF-8.
func Text(text string) string {
	lower := strings.ToLower(text)
	if strings.Contains(lower, ":") || strings.Contains(lower, "3a") {
		text = linkPattern().ReplaceAllStringFunc(text, link)
	}
	if strings.Contains(lower, "skiptoken") || strings.Contains(lower, "filter") || strings.Contains(lower, "search") {
		text = queryPattern().ReplaceAllString(text, "${1}"+Placeholder)
	}
	if strings.Contains(lower, "eyj") || strings.Contains(lower, "bearer") {
		text = tokenPattern().ReplaceAllString(text, Placeholder)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r' {
			return -1
		}
		return r
	}, text)
}

// link is what is shown of a link.
func link(text string) string {
	plain := decoded(text)
	u, err := url.Parse(plain)
	if err != nil {
		return Placeholder
	}
	scheme := strings.ToLower(u.Scheme)
	if scheme != "https" && scheme != "http" {
		return u.Scheme + "://" + Placeholder
	}
	secret := u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != ""
	switch {
	case IsMicrosoft(u.Hostname()) && !secret:
		return plain
	case IsMicrosoft(u.Hostname()) && u.User == nil:
		return u.Scheme + "://" + u.Host + u.EscapedPath() + "?" + Placeholder
	case !secret && (u.Path == "" || u.Path == "/"):
		return plain
	default:
		return u.Scheme + "://" + u.Host + "/" + Placeholder
	}
}

var unescaper = strings.NewReplacer(`\/`, "/", `\u002f`, "/", `\u002F`, "/", `\u003a`, ":", `\u003A`, ":", `\`, "")

// decoded undoes the escapes that hide a link's separators.
func decoded(text string) string {
	text = unescaper.Replace(text)
	for range 4 {
		if strings.Contains(text, "://") {
			break
		}
		once, err := url.PathUnescape(text)
		if err != nil {
			break
		}
		text = once
	}
	return text
}

// IsMicrosoft reports whether a host is one of Microsoft's whose links open no session: support needs their paths.
func IsMicrosoft(host string) bool {
	host = strings.ToLower(host)
	switch host {
	case "aka.ms", "go.microsoft.com", "learn.microsoft.com", "docs.microsoft.com", "developer.microsoft.com",
		"graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn",
		"graph.svc.sovcloud.fr", "graph.svc.sovcloud.de":
		return true
	}
	return strings.HasSuffix(host, ".manage.microsoft.com") || strings.HasSuffix(host, ".windowsazure.com")
}

// OneLine makes a text fit for one line of a terminal or log: printable characters only, at most limit bytes.
func OneLine(text string, limit int) string {
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\ufffd"), func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
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
