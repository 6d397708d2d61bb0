package intune

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-intune/intune/internal/graphpolicy"
)

const (
	// maxNesting bounds how often a message is taken for JSON again; three times has been seen.
	maxNesting = 4
	// maxInnerErrors bounds how far innerError is followed into itself.
	maxInnerErrors = 8
	// maxDetails and maxMessage bound what is kept of a body that was made to be large.
	maxDetails = 16
	maxMessage = 8 << 10
)

// wireError is an error object in all the shapes that Graph and Intune send; encoding/json matches its names in any
// case. Members that are strings in one shape and something else in another are decoded as they come.
type wireError struct {
	Code         any         `json:"code"`
	ErrorCode    any         `json:"errorCode"`
	Message      any         `json:"message"`
	Target       any         `json:"target"`
	Details      []wireError `json:"details"`
	InnerError   *wireError  `json:"innerError"`
	Error        *wireError  `json:"error"`
	ODataError   *wireError  `json:"odata.error"`
	Date         any         `json:"date"`
	RequestID    any         `json:"request-id"`
	ClientID     any         `json:"client-request-id"`
	Phrase       any         `json:"CustomApiErrorPhrase"`
	RetryAfter   any         `json:"RetryAfter"`
	Description  any         `json:"error_description"`
	BatchAnswers any         `json:"responses"`
}

func (w *wireError) code() string { return firstText(w.ErrorCode, w.Code) }

// body finds the error object inside its envelope, if it has one.
func (w *wireError) body() *wireError {
	switch {
	case w.Error != nil:
		return w.Error
	case w.ODataError != nil:
		return w.ODataError
	default:
		return w
	}
}

// readBody fills in what the body of an answer says. It never fails: what cannot be understood is left blank.
func (e *Error) readBody(body []byte) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	codes := make([]string, 0, 4)
	var text string
	if root, ok := decodeWireError(body); ok {
		if root.BatchAnswers != nil && root.Error == nil {
			e.kind = errBatchAnswer
			return
		}
		text = e.readEnvelope(root.body(), &codes)
		text = cmpText(text, root.Description)
	} else if utf8.Valid(body) && !bytes.HasPrefix(body, []byte("{")) && !bytes.HasPrefix(body, []byte("[")) {
		text = string(body)
	}
	text, nested := e.unwrapMessage(text, &codes)
	e.readTrailer(&text)
	e.Message = limitText(redactText(strings.TrimSpace(htmlText(text))), maxMessage)
	e.InnerCode = cmpText(nested, e.InnerCode)
	for i := range e.Details {
		codes = append(codes, e.Details[i].Code)
	}
	e.kind = classify(e.StatusCode, e.Message, codes...)
}

// errBatchAnswer stands for no kind at all: a $batch answer is not an error object, whatever its status.
var errBatchAnswer = errors.New("batch answer")

// readEnvelope takes over the members of an error object and returns its message.
func (e *Error) readEnvelope(w *wireError, codes *[]string) string {
	e.Code = w.code()
	*codes = append(*codes, e.Code)
	e.Target = redactText(firstText(w.Target))
	e.Phrase = firstText(w.Phrase)
	e.takeIDs(w)
	e.takeDetails(w.Details)
	inner := w.InnerError
	for depth := 0; inner != nil && depth < maxInnerErrors; depth++ {
		e.takeIDs(inner)
		e.takeDetails(inner.Details)
		if code := inner.code(); code != "" {
			e.InnerCode = code
			*codes = append(*codes, code)
		}
		inner = inner.InnerError
	}
	if e.InnerCode == "" && len(e.Details) > 0 {
		e.InnerCode = e.Details[0].Code
	}
	return firstText(w.Message)
}

func (e *Error) takeIDs(w *wireError) {
	e.RequestID = cmpText(e.RequestID, w.RequestID)
	e.ClientRequestID = cmpText(e.ClientRequestID, w.ClientID)
	e.Date = cmpText(e.Date, w.Date)
}

func (e *Error) takeDetails(details []wireError) {
	for i := range details {
		if len(e.Details) == maxDetails {
			return
		}
		d := ErrorDetail{
			Code:    details[i].code(),
			Message: limitText(redactText(firstText(details[i].Message)), maxMessage),
			Target:  redactText(firstText(details[i].Target)),
		}
		if d != (ErrorDetail{}) {
			e.Details = append(e.Details, d)
		}
	}
}

// unwrapMessage follows a message that is itself a JSON object down to its text, and returns the first code on the
// way. Only a text that is JSON from its first to its last character counts: a sentence may have a JSON tail.
func (e *Error) unwrapMessage(text string, codes *[]string) (message, firstCode string) {
	for range maxNesting {
		trimmed := strings.TrimSpace(text)
		if !strings.HasPrefix(trimmed, "{") {
			break
		}
		outer, ok := decodeWireError([]byte(trimmed))
		if !ok {
			break
		}
		w := outer.body()
		code := w.code()
		if code == "" && w.Message == nil {
			break
		}
		if code != "" {
			firstCode = cmpText(firstCode, code)
			*codes = append(*codes, code)
		}
		e.Phrase = cmpText(e.Phrase, w.Phrase)
		e.Target = cmpText(e.Target, redactText(firstText(w.Target)))
		e.takeDetails(w.Details)
		if e.RetryAfter == 0 {
			e.RetryAfter = graphpolicy.ParseRetryAfter(firstText(w.RetryAfter), "", time.Now())
		}
		text = firstText(w.Message)
	}
	return text, firstCode
}

// The labels of the trailer that Intune puts behind its sentences, any of which may be missing.
const (
	labelOperation = "Operation ID (for customer support):"
	labelActivity  = "Activity ID:"
	labelURL       = "Url:"
	labelPhrase    = "CustomApiErrorPhrase:"
)

// readTrailer cuts Intune's trailer of ids and addresses off a sentence and keeps the ids.
func (e *Error) readTrailer(text *string) {
	end := len(*text)
	for _, label := range [...]string{labelOperation, labelActivity, labelURL, labelPhrase} {
		at := trailerIndex(*text, label)
		if at < 0 {
			continue
		}
		value := strings.TrimLeft((*text)[at+len(label):], " ")
		if stop := strings.IndexAny(value, " \t\r\n"); stop >= 0 {
			value = value[:stop]
		}
		value = limitText(value, 128)
		switch label {
		case labelOperation:
			e.OperationID = value
		case labelActivity:
			e.ActivityID = value
		case labelPhrase:
			e.Phrase = cmpText(e.Phrase, value)
		}
		end = min(end, len(strings.TrimRight((*text)[:at], " -\t\r\n")))
	}
	*text = (*text)[:end]
}

// trailerIndex finds a label that stands at the beginning, behind " - " or behind two spaces.
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

// decodeWireError reads an error object. A body that breaks off or is nested too deeply gives what came before.
func decodeWireError(body []byte) (wireError, bool) {
	var w wireError
	if len(body) == 0 || body[0] != '{' && body[0] != '"' {
		return w, false
	}
	err := json.Unmarshal(body, &w)
	if err == nil {
		return w, true
	}
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if mismatch.Field == "error" || mismatch.Value == "string" && mismatch.Field == "" {
			// {"error": "text"}, as token endpoints answer, or a bare JSON string.
			var short struct{ Error, Description any }
			if json.Unmarshal(body, &short) == nil {
				w.Error, w.Code = nil, short.Error
			} else {
				var text string
				_ = json.Unmarshal(body, &text)
				w.Message = text
			}
		}
		return w, true
	}
	return salvage(body)
}

// salvage reads the tokens of broken JSON up to the break.
func salvage(body []byte) (wireError, bool) {
	var w wireError
	found := false
	decoder := json.NewDecoder(bytes.NewReader(body))
	var key string
	depth, isKey := 0, false
	containers := make([]json.Delim, 0, 8)
	for {
		token, err := decoder.Token()
		if err != nil {
			return w, found || errors.Is(err, io.ErrUnexpectedEOF) || depth > 0
		}
		switch token := token.(type) {
		case json.Delim:
			if token == '{' || token == '[' {
				depth++
				if depth > maxInnerErrors {
					return w, true
				}
				containers = append(containers, token)
			} else {
				depth--
				containers = containers[:len(containers)-1]
			}
			isKey = len(containers) > 0 && containers[len(containers)-1] == '{'
			continue
		case string:
			if isKey {
				key, isKey = token, false
				continue
			}
			found = w.salvaged(key, token) || found
		}
		isKey = len(containers) > 0 && containers[len(containers)-1] == '{'
	}
}

func (w *wireError) salvaged(key, value string) bool {
	var member *any
	switch strings.ToLower(key) {
	case "code", "errorcode":
		member = &w.Code
	case "message":
		member = &w.Message
	case "request-id":
		member = &w.RequestID
	case "client-request-id":
		member = &w.ClientID
	case "date":
		member = &w.Date
	default:
		return false
	}
	if *member == nil {
		*member = value
	}
	return true
}

// firstText is the first value that is text, or can be read as text.
func firstText(values ...any) string {
	for _, value := range values {
		switch value := value.(type) {
		case string:
			if value != "" {
				return value
			}
		case float64:
			return strconv.FormatFloat(value, 'f', -1, 64)
		case map[string]any:
			for _, name := range [...]string{"value", "Value", "message", "Message"} {
				if text, ok := value[name].(string); ok && text != "" {
					return text
				}
			}
		}
	}
	return ""
}

func cmpText(text string, other any) string {
	if text != "" {
		return text
	}
	return firstText(other)
}
