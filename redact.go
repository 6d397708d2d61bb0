package intune

import (
	"errors"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

var (
	linkPattern  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)\bhttps?://[^\s"'<>\\]+`) })
	queryPattern = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)((?:\$|%24)(?:skiptoken|filter|search)(?:=|%3d))[^&"\r\n]*`)
	})
	tokenPattern = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)\bbearer\s+[a-z0-9._~+/=-]{16,}|\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*`)
	})
)

// redactText takes out of a text from elsewhere what no log or error may hold: links, which may open a session, except
// to Microsoft's documentation; the values of $filter, $search and $skiptoken; and tokens.
func redactText(text string) string {
	if strings.Contains(text, "://") {
		text = linkPattern().ReplaceAllStringFunc(text, redactLink)
	}
	lower := strings.ToLower(text)
	if strings.Contains(lower, "skiptoken") || strings.Contains(lower, "filter") || strings.Contains(lower, "search") {
		text = queryPattern().ReplaceAllString(text, "${1}"+redacted)
	}
	if strings.Contains(lower, "eyj") || strings.Contains(lower, "bearer") {
		text = tokenPattern().ReplaceAllString(text, redacted)
	}
	return text
}

func redactLink(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return redacted
	}
	switch strings.ToLower(u.Hostname()) {
	case "aka.ms", "go.microsoft.com", "learn.microsoft.com", "docs.microsoft.com", "developer.microsoft.com":
		if u.User == nil && u.RawQuery == "" {
			return link
		}
	}
	if u.Path == "" || u.Path == "/" {
		if u.User == nil && u.RawQuery == "" && u.Fragment == "" {
			return link
		}
	}
	return u.Scheme + "://" + u.Host + "/" + redacted
}

// privateTexts are the parts of a URL's query that no error may show, in whatever form somebody quotes them: the
// values of $filter, $search and $skiptoken, and the operands within. The longest come first.
func privateTexts(query string) []string {
	if !queryPattern().MatchString(query) {
		return nil
	}
	var texts []string
	add := func(text string) {
		const (
			shortest = 3  // less would take words apart
			most     = 64 // a next link comes from outside
		)
		if len(text) >= shortest && len(texts) < most {
			texts = append(texts, text)
		}
	}
	add(query)
	if decoded, err := url.PathUnescape(query); err == nil {
		add(decoded)
	}
	for option := range strings.SplitSeq(query, "&") {
		if !queryPattern().MatchString(option) {
			continue
		}
		_, value, _ := strings.Cut(option, "=")
		add(value)
		decoded, err := url.QueryUnescape(value)
		if err != nil {
			continue
		}
		add(decoded)
		for i, operand := range strings.Split(decoded, "'") {
			if i%2 == 1 {
				add(operand)
			}
		}
	}
	slices.SortStableFunc(texts, func(a, b string) int { return len(b) - len(a) })
	return texts
}

// hideTexts takes texts out of another, in any case.
func hideTexts(text string, private []string) string {
	for _, secret := range private {
		for from := 0; from+len(secret) <= len(text); {
			if !strings.EqualFold(text[from:from+len(secret)], secret) {
				from++
				continue
			}
			text = text[:from] + redacted + text[from+len(secret):]
			from += len(redacted)
		}
	}
	return text
}

// hide takes the private parts of a request out of what the service said about it.
func (e *Error) hide(private []string) {
	if len(private) == 0 {
		return
	}
	for _, text := range [...]*string{&e.Message, &e.Target, &e.Phrase, &e.Code, &e.InnerCode} {
		*text = hideTexts(*text, private)
	}
	for i := range e.Details {
		d := &e.Details[i]
		d.Code, d.Message, d.Target = hideTexts(d.Code, private), hideTexts(d.Message, private), hideTexts(d.Target, private)
	}
}

// redactTransportError is for errors before azcore logs them.
func redactTransportError(err error, query string) error {
	return redactCause(err, privateTexts(query))
}

// redactCause rewrites an error of the transport, whose text holds the whole URL. The chain below the URL is kept, so
// that [errors.Is] and [errors.As] find what they look for.
func redactCause(err error, private []string) error {
	if err == nil {
		return nil
	}
	if failed, ok := errors.AsType[*url.Error](err); ok {
		path := ""
		if u, parseErr := url.Parse(failed.URL); parseErr == nil {
			path = u.EscapedPath()
		}
		return &url.Error{Op: failed.Op, URL: path, Err: redactCause(failed.Err, private)}
	}
	text := err.Error()
	clean := redactText(hideTexts(text, private))
	if clean == text {
		return err
	}
	return &redactedError{text: clean, cause: err}
}

// redactedError shows a cleaned text and still answers [errors.Is]. It does not unwrap: the error below would show what
// was taken out.
type redactedError struct {
	text  string
	cause error
}

func (e *redactedError) Error() string { return e.text }

func (e *redactedError) Is(target error) bool { return errors.Is(e.cause, target) }

// oneLine makes a text from elsewhere fit for one line of a terminal or log: no control characters, at most limit
// bytes.
func oneLine(text string, limit int) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || !unicode.IsPrint(r)
	}), " ")
	if cut := limitText(text, limit); len(cut) < len(text) {
		return cut + "…"
	}
	return text
}

// limitText cuts a text at a rune boundary and makes it valid UTF-8.
func limitText(text string, limit int) string {
	if len(text) > limit {
		for limit > 0 && !utf8.RuneStart(text[limit]) {
			limit--
		}
		text = text[:limit]
	}
	return strings.ToValidUTF8(text, "\ufffd")
}

// htmlText gives the visible text of an HTML page, such as a gateway's, without its head; any other text as it is.
func htmlText(text string) string {
	trimmed := strings.TrimSpace(text)
	if !strings.HasPrefix(trimmed, "<") {
		return text
	}
	head := strings.ToLower(limitText(trimmed, 1024))
	if !strings.Contains(head, "<html") && !strings.HasPrefix(head, "<!doctype html") {
		return text
	}
	body := visibleText(trimmed, "head", "script", "style", "title")
	if body == "" {
		body = visibleText(trimmed, "script", "style")
	}
	return body
}

// visibleText joins the texts between tags, leaving out the elements named in skip.
func visibleText(page string, skip ...string) string {
	var words []string
	for page != "" {
		text, rest, found := strings.Cut(page, "<")
		words = append(words, strings.Fields(html.UnescapeString(text))...)
		if !found {
			break
		}
		if comment, ok := strings.CutPrefix(rest, "!--"); ok {
			_, page, _ = strings.Cut(comment, "-->")
			continue
		}
		tag, after, _ := strings.Cut(rest, ">")
		page = after
		name := strings.ToLower(tag)
		if end := strings.IndexFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }); end > 0 {
			name = name[:end]
		}
		for _, element := range skip {
			if name == element {
				page = afterElement(page, element)
			}
		}
	}
	return strings.Join(words, " ")
}

// afterElement skips to behind the closing tag of an element, or to the end.
func afterElement(page, element string) string {
	closing := "</" + element
	for at := 0; at+len(closing) <= len(page); at++ {
		if page[at] == '<' && strings.EqualFold(page[at:at+len(closing)], closing) {
			_, after, _ := strings.Cut(page[at:], ">")
			return after
		}
	}
	return ""
}
