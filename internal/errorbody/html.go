package errorbody

import (
	"strings"

	"golang.org/x/net/html"

	"github.com/go-intune/intune/internal/redact"
)

// htmlText returns the visible text of an HTML page, such as a gateway's, or the text of its head if the page shows
// none. It returns any other text as it is.
func htmlText(text string) string {
	trimmed := strings.TrimSpace(text)
	if !strings.HasPrefix(trimmed, "<") {
		return text
	}
	start := strings.ToLower(redact.Limit(trimmed, 1024))
	if !strings.Contains(start, "<html") && !strings.HasPrefix(start, "<!doctype html") {
		return text
	}
	var inHead, inBody []string
	head, element := false, ""
	for page := html.NewTokenizer(strings.NewReader(trimmed)); ; {
		switch page.Next() {
		case html.ErrorToken: // the end of the page, or of what could be read
			if len(inBody) == 0 {
				return strings.Join(inHead, " ")
			}
			return strings.Join(inBody, " ")
		case html.StartTagToken:
			name, _ := page.TagName()
			element = string(name)
			head = element == "head" || head && element != "body"
		case html.EndTagToken:
			name, _ := page.TagName()
			element = ""
			head = head && string(name) != "head"
		case html.TextToken:
			words := strings.Fields(string(page.Text()))
			switch {
			case element == "script" || element == "style":
			case head || element == "title":
				inHead = append(inHead, words...)
			default:
				inBody = append(inBody, words...)
			}
		default: // comments and the like
		}
	}
}
