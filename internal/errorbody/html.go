package errorbody

import (
	"html"
	"strings"
	"unicode"

	"github.com/go-intune/intune/internal/redact"
)

// htmlText gives the visible text of an HTML page, such as a gateway's, without its head; any other text as it is.
func htmlText(text string) string {
	trimmed := strings.TrimSpace(text)
	if !strings.HasPrefix(trimmed, "<") {
		return text
	}
	head := strings.ToLower(redact.Limit(trimmed, 1024))
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
