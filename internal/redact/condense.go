package redact

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// shortestRule is how many equal marks in a row are a rule.
	shortestRule = 4
	// maxObjects bounds how often a text is read as JSON.
	maxObjects = 16
	// maxSentence is how much is kept of the sentence in a token endpoint's answer; its ids follow.
	maxSentence = 500
)

// condensed shortens the text of a credential's error, of which one line shows the beginning only. azidentity quotes the
// whole answer of Entra, between rules of eighty dashes.
func condensed(text string) string { return withoutRules(withoutAnswers(text)) }

// withoutRules leaves one mark of every rule.
func withoutRules(text string) string {
	var b strings.Builder
	for text != "" {
		mark, size := utf8.DecodeRuneInString(text)
		length := size
		for strings.HasPrefix(text[length:], text[:size]) {
			length += size
		}
		shown := text[:length]
		if length >= shortestRule*size && (unicode.IsPunct(mark) || unicode.IsSymbol(mark)) {
			shown = text[:size]
		}
		b.WriteString(shown)
		text = text[length:]
	}
	return b.String()
}

// withoutAnswers puts what is said in an answer of a token endpoint in the place of the answer.
func withoutAnswers(text string) string {
	if !strings.Contains(text, `"error_description"`) {
		return text
	}
	var b strings.Builder
	for range maxObjects {
		before, object, found := strings.Cut(text, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		var answer tokenAnswer
		decoder := json.NewDecoder(strings.NewReader("{" + object))
		if _ = decoder.Decode(&answer); answer.Description == "" {
			b.WriteByte('{')
			text = object
			continue
		}
		b.WriteString(answer.line())
		text = object[decoder.InputOffset()-1:]
	}
	return b.String() + text
}

// tokenAnswer is why a token endpoint gives no token, with the members that Entra adds.
type tokenAnswer struct {
	Code          string `json:"error"`
	Description   string `json:"error_description"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
	Timestamp     string `json:"timestamp"`
}

// line is the code, the sentence, and what support asks for, which Entra repeats at the end of the sentence.
func (a *tokenAnswer) line() string {
	const first = "Trace ID:"
	sentence, ids, told := strings.Cut(a.Description, first)
	if told {
		ids = first + ids
	}
	for _, id := range [...]struct{ label, value string }{
		{first, a.TraceID}, {"Correlation ID:", a.CorrelationID}, {"Timestamp:", a.Timestamp},
	} {
		if !strings.Contains(ids, id.value) {
			ids += " " + id.label + " " + id.value
		}
	}
	sentence = strings.TrimSpace(sentence)
	if cut := Limit(sentence, maxSentence); len(cut) < len(sentence) {
		sentence = cut + "…"
	}
	return strings.TrimSpace(strings.TrimPrefix(a.Code+": ", ": ") + sentence + " " + ids)
}
