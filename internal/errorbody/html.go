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
	var inHead, inBody strings.Builder
	head, element := false, ""
	for page := html.NewTokenizer(strings.NewReader(trimmed)); ; {
		switch kind := page.Next(); kind {
		case html.ErrorToken: // the end of the page, or of what could be read
			if text := oneSpaced(inBody.String()); text != "" {
				return text
			}
			return oneSpaced(inHead.String())
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			tag, _ := page.TagName()
			name := string(tag)
			if breaks[name] {
				inHead.WriteByte(' ')
				inBody.WriteByte(' ')
			}
			switch kind {
			case html.StartTagToken:
				element = name
				head = name == "head" || head && name != "body"
			case html.EndTagToken:
				element = ""
				head = head && name != "head"
			default: // a self-closing element holds no text
			}
		case html.TextToken:
			switch {
			case element == "script" || element == "style":
			case head || element == "title":
				inHead.Write(page.Text())
			default:
				inBody.Write(page.Text())
			}
		default: // comments and the like
		}
	}
}

// breaks are the elements that part words. Any other may be within a word, and a browser shows the word as one; a name
// that was parted would not be recognized.
var breaks = func() map[string]bool {
	known := map[string]bool{}
	for name := range strings.FieldsSeq(`address article aside blockquote body br button caption center dd details dialog dir div dl dt
		fieldset figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li main menu nav noframes
		noscript ol optgroup option p plaintext pre search section select summary table tbody td textarea tfoot th thead title tr ul
		xmp`) {
		known[name] = true
	}
	return known
}()

// oneSpaced has one space in the place of white space.
func oneSpaced(text string) string { return strings.Join(strings.Fields(text), " ") }
