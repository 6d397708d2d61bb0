// Package errorbody reads the body of a failed answer in all the shapes in which Graph and Intune send it: JSON within JSON,
// the old and the new envelope, text, HTML, and the beginning of each, as a broken connection leaves it. [Parse] is a
// pure function from bytes to texts that are already clean.
package errorbody

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-intune/intune/internal/redact"
)

const (
	// maxNesting bounds how often a message is read as JSON again; three times has been seen.
	maxNesting = 4
	// maxInnerErrors bounds how many nested innerErrors are followed.
	maxInnerErrors = 8
	// maxDetails, maxMessage and maxText bound what is kept of a body that was made large on purpose.
	maxDetails = 16
	maxMessage = 8 << 10
	maxText    = 1 << 10
)

// Body is what the body of an answer says. Every text is clean and of bounded length; a text is blank if the body did
// not have it.
type Body struct {
	// Code is the outermost code, InnerCode the most specific one deeper in the body.
	Code, InnerCode string
	// Message is the innermost sentence, without the trailer of ids and addresses.
	Message string
	// Phrase is Intune's CustomApiErrorPhrase.
	Phrase string
	// Target is what the error is about.
	Target string
	// Details are further errors.
	Details []Detail
	// RequestID, ClientRequestID, ActivityID and OperationID are what support asks for.
	RequestID, ClientRequestID, ActivityID, OperationID string
	// Date is when the error occurred, as it was written.
	Date string
	// RetryAfter is the wait that the body asks for, as it was written.
	RetryAfter string

	said *said // a pointer, so that fmt does not show it

	// batch marks an answer in the shape of a JSON batch's, which is not an error object, whatever its status.
	batch bool
}

// Detail is one of the further errors.
type Detail struct{ Code, Message, Target string }

// said is what classifies an error: the codes at every depth, and the message. It must not depend on the words that the
// caller searched for. The codes are therefore as the service wrote them, because a filter's operand may equal a code,
// and the message is without such words, because it may quote them.
type said struct {
	codes   []string
	message string
}

// Made is a Body with a given message and codes, for errors that did not come from an answer.
func Made(message string, codes ...string) Body {
	return Body{said: &said{codes: codes, message: strings.ToLower(message)}}
}

// Says reports whether the message holds one of the parts, which are in lower case.
func (b *Body) Says(parts ...string) bool {
	return b.said != nil && slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(b.said.message, part) })
}

// HasCode reports whether the body has one of the codes at any depth, without regard to case.
func (b *Body) HasCode(codes ...string) bool {
	return b.said != nil && slices.ContainsFunc(b.said.codes, func(code string) bool {
		return slices.ContainsFunc(codes, func(want string) bool { return strings.EqualFold(code, want) })
	})
}

// HasCodeLike reports whether a code at any depth holds one of the parts, which are in lower case.
func (b *Body) HasCodeLike(parts ...string) bool {
	return b.said != nil && slices.ContainsFunc(b.said.codes, func(code string) bool {
		code = strings.ToLower(code)
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(code, part) })
	})
}

// Parse reads a body. It never fails: what it cannot understand stays blank. private is what must not be shown of the
// request that the body answers.
func Parse(body []byte, private redact.Private) Body {
	b := Body{said: &said{}}
	b.read(bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff"))))
	b.clean(private)
	return b
}

// clean makes all texts of a body fit to be shown.
func (b *Body) clean(private redact.Private) {
	text := func(s string, limit int) string {
		return redact.Limit(private.Clean(redact.Limit(s, longestText)), limit)
	}
	b.Message = text(strings.TrimSpace(htmlText(b.Message)), maxMessage)
	b.said.message = strings.ToLower(b.Message)
	for _, field := range [...]*string{
		&b.Code, &b.InnerCode, &b.Phrase, &b.Target, &b.RequestID, &b.ClientRequestID, &b.ActivityID, &b.OperationID, &b.Date, &b.RetryAfter,
	} {
		*field = text(*field, maxText)
	}
	for i := range b.Details {
		d := &b.Details[i]
		d.Code, d.Message, d.Target = text(d.Code, maxText), text(d.Message, maxMessage), text(d.Target, maxText)
	}
}

// longestText is how much of one text is looked at, which is enough for the part that is kept.
const longestText = 2 * maxMessage

func (b *Body) read(body []byte) {
	var text string
	switch {
	case bytes.HasPrefix(body, []byte("{")), bytes.HasPrefix(body, []byte(`"`)):
		root := decodeWireError(body)
		if root.BatchAnswers != nil && root.Error == nil {
			b.batch = true
			return
		}
		text = or(b.readEnvelope(root.body()), root.Description)
	case utf8.Valid(body) && !bytes.HasPrefix(body, []byte("[")):
		text = string(body)
	}
	text, nested := b.unwrapMessage(text)
	b.Message = b.readTrailer(text)
	b.InnerCode = or(nested, b.InnerCode)
	for i := range b.Details {
		b.said.codes = append(b.said.codes, b.Details[i].Code)
	}
}

// readEnvelope takes over the members of an error object and returns its message.
func (b *Body) readEnvelope(w *wireError) string {
	b.Code = w.code()
	b.said.codes = append(b.said.codes, b.Code)
	b.Target = firstText(w.Target)
	b.Phrase = firstText(w.Phrase)
	b.takeIDs(w)
	b.takeDetails(w.Details)
	inner := w.InnerError
	for depth := 0; inner != nil && depth < maxInnerErrors; depth++ {
		b.takeIDs(inner)
		b.takeDetails(inner.Details)
		b.InnerCode = cmp.Or(inner.code(), b.InnerCode)
		b.said.codes = append(b.said.codes, inner.code())
		inner = inner.InnerError
	}
	if b.InnerCode == "" && len(b.Details) > 0 {
		b.InnerCode = b.Details[0].Code
	}
	return firstText(w.Message)
}

func (b *Body) takeIDs(w *wireError) {
	b.RequestID = or(b.RequestID, w.RequestID)
	b.ClientRequestID = or(b.ClientRequestID, w.ClientID)
	b.Date = or(b.Date, w.Date)
	b.RetryAfter = or(b.RetryAfter, w.RetryAfter)
}

func (b *Body) takeDetails(details []wireError) {
	for i := range details {
		if len(b.Details) == maxDetails {
			return
		}
		d := Detail{Code: details[i].code(), Message: firstText(details[i].Message), Target: firstText(details[i].Target)}
		if d != (Detail{}) {
			b.Details = append(b.Details, d)
		}
	}
}

// unwrapMessage follows a message that is itself a JSON object down to its text, and returns the first code on the way.
// Only a text that is JSON from its first to its last character counts, because a sentence may end in JSON.
func (b *Body) unwrapMessage(text string) (message, firstCode string) {
	for range maxNesting {
		trimmed := strings.TrimSpace(text)
		if !strings.HasPrefix(trimmed, "{") {
			break
		}
		outer := decodeWireError([]byte(trimmed))
		w := outer.body()
		code := w.code()
		if code == "" && w.Message == nil {
			break
		}
		firstCode = cmp.Or(firstCode, code)
		b.said.codes = append(b.said.codes, code)
		b.Phrase = or(b.Phrase, w.Phrase)
		b.Target = or(b.Target, w.Target)
		b.takeDetails(w.Details)
		b.RetryAfter = or(b.RetryAfter, w.RetryAfter)
		text = firstText(w.Message)
	}
	return text, firstCode
}

// The labels of the trailer that Intune appends to its sentences. Any of them may be missing.
const (
	labelOperation = "Operation ID (for customer support):"
	labelActivity  = "Activity ID:"
	labelURL       = "Url:"
	labelPhrase    = "CustomApiErrorPhrase:"
)

// readTrailer cuts Intune's trailer of ids and addresses off a sentence and keeps the ids.
func (b *Body) readTrailer(text string) string {
	end := len(text)
	for _, label := range [...]string{labelOperation, labelActivity, labelURL, labelPhrase} {
		at := trailerIndex(text, label)
		if at < 0 {
			continue
		}
		value, _, _ := strings.Cut(strings.TrimLeft(text[at+len(label):], " "), " ")
		value, _, _ = strings.Cut(value, "\r")
		value, _, _ = strings.Cut(value, "\n")
		switch label {
		case labelOperation:
			b.OperationID = value
		case labelActivity:
			b.ActivityID = value
		case labelPhrase:
			b.Phrase = or(b.Phrase, value)
		}
		end = min(end, len(strings.TrimRight(text[:at], " -\t\r\n")))
	}
	return text[:end]
}

// trailerIndex finds a label at the beginning, or after " - " or two spaces.
func trailerIndex(text, label string) int {
	for from := 0; ; {
		at := strings.Index(text[from:], label)
		if at < 0 {
			return -1
		}
		at += from
		before := text[:at]
		if strings.TrimSpace(before) == "" || strings.HasSuffix(before, "- ") || strings.HasSuffix(before, "  ") {
			return at
		}
		from = at + len(label)
	}
}
