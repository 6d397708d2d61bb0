package redact

import (
	"net/url"
	"strings"
	"unicode"
)

// The characters of a link in the forms in which services quote them: plain, escaped once or more as in JSON,
// percent-encoded any number of times, and as in HTML. Browsers treat a backslash as a slash.
const (
	colonForms = `(?::|\\+u003a|%(?:25)*3a|&#0*(?:58|x0*3a);?|&colon;)`
	slashForms = `(?:\\*/|\\+u00(?:2f|5c)|%(?:25)*(?:2f|5c)|&#0*(?:47|92|x0*(?:2f|5c));?|&sol;|\\)`
	dotForms   = `(?:\.|\\+u002e|%(?:25)*2e|&#0*(?:46|x0*2e);?|&period;)`
	// What begins a query or a fragment.
	startForms = `(?:[?#]|\\+u00(?:3f|23)|%(?:25)*(?:3f|23)|&#0*(?:63|35|x0*(?:3f|23));?|&quest;|&num;)`
)

var (
	// Any scheme counts, also directly after a word. An apostrophe does not end a link, because it may be part of one.
	linkPattern = compiled(`(?i)([a-z][a-z0-9+.-]*)(` + colonForms + slashForms + `{2,})([^\s"<>]*)`)

	// A link to the service that holds the sessions can be followed even without a scheme. What opens the session may stand
	// in the path, the query or the fragment.
	bareLinkPattern = compiled(`(?i)(teamviewer` + dotForms + `(?:[a-z]|` + dotForms + `)+(?:` + colonForms + `[0-9]+)?)` +
		`(?:` + slashForms + `|` + startForms + `)[^\s"'<>]+`)

	// The host and path of a page of Microsoft's documentation, as far as they are plain.
	pagePattern = compiled(`(?i)\bhttps?:(?:\\?/){2}(?:aka\.ms|(?:go|learn|docs|developer)\.microsoft\.com)\b(?:\\?/[a-z0-9._~-]*)*`)

	separatorPattern = compiled(`(?i)` + colonForms + slashForms + `{2}`)
	slashPattern     = compiled(`(?i)\\+u00(?:2f|5c)|&#0*(?:47|92|x0*(?:2f|5c));?|&sol;|\\+/?`)
	hostPattern      = compiled(`^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?$`)
)

// link returns what may be shown of a link.
func link(match string) string {
	const punctuation = `'.,;:!?)]}\`
	text := strings.TrimRight(match, punctuation)
	tail := match[len(text):]
	parts := linkPattern().FindStringSubmatch(text)
	if parts == nil || parts[3] == "" {
		return match // only the beginning of a link
	}
	scheme, separator, rest := parts[1], parts[2], parts[3]
	web := strings.EqualFold(scheme, "https") || strings.EqualFold(scheme, "http")
	if !web && strings.Trim(separator, `:\`) == "" && !separatorPattern().MatchString(rest) {
		return match // a Windows path, or a line break escaped twice
	}
	rest = slashPattern().ReplaceAllString(rest, "/")
	if strings.Contains(separator, "%") {
		rest = unescaped(rest)
	}
	return shown(scheme, rest, web) + tail
}

// shown returns what is kept of a link without escapes.
func shown(scheme, rest string, web bool) string {
	u, err := url.Parse(scheme + "://" + rest)
	if err != nil {
		return Placeholder
	}
	if !web || !hostPattern().MatchString(u.Host) {
		return scheme + "://" + Placeholder
	}
	origin := u.Scheme + "://" + u.Host
	clean := u.User == nil && u.RawQuery == "" && u.Fragment == ""
	switch {
	case clean && (u.Path == "" || u.Path == "/"):
		return origin + u.Path
	case !isMicrosoft(u.Hostname()) || separatorPattern().MatchString(u.EscapedPath()):
		return origin + "/" + Placeholder
	case u.RawQuery != "":
		return origin + u.EscapedPath() + "?" + Placeholder
	case u.Fragment != "":
		return origin + u.EscapedPath() + "#" + Placeholder
	default:
		return origin + u.EscapedPath()
	}
}

// unescaped undoes percent-encoding, also if it was applied several times.
func unescaped(text string) string {
	for range 4 {
		if once, err := url.PathUnescape(text); err == nil {
			text = once
		}
	}
	return text
}

// isMicrosoft reports whether a host is one of Microsoft's, whose links open no session. Their paths are kept, because
// support needs them.
func isMicrosoft(host string) bool {
	if strings.ContainsFunc(host, func(r rune) bool { return r > unicode.MaxASCII }) {
		return false // ToLower makes a k of the Kelvin sign
	}
	host = strings.ToLower(host)
	switch host {
	case "aka.ms", "go.microsoft.com", "learn.microsoft.com", "docs.microsoft.com", "developer.microsoft.com",
		"graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn",
		"graph.svc.sovcloud.fr", "graph.svc.sovcloud.de":
		return true
	}
	return strings.HasSuffix(host, ".manage.microsoft.com") || strings.HasSuffix(host, ".windowsazure.com")
}
