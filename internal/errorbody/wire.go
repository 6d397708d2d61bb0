package errorbody

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
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

// decodeWireError reads an error object, or a text, in JSON. Of a body that breaks off or is nested too deeply, it
// returns what came before.
func decodeWireError(body []byte) wireError {
	var w wireError
	err := json.Unmarshal(body, &w)
	if err == nil {
		return w
	}
	mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return salvage(body)
	}
	switch mismatch.Field {
	case "error": // {"error": "text"}, as token endpoints answer
		var short struct{ Error any }
		_ = json.Unmarshal(body, &short)
		w.Error, w.Code = nil, short.Error
	case "": // a text
		_ = json.Unmarshal(body, &w.Message)
	}
	return w
}

// salvage reads the tokens of broken JSON up to the break.
func salvage(body []byte) (w wireError) {
	decoder := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	name := ""
	for {
		token, err := decoder.ReadToken()
		if err != nil {
			return w
		}
		if token.Kind() != '"' {
			continue
		}
		text := token.String()
		kind, read := decoder.StackIndex(decoder.StackDepth())
		if kind != '{' {
			continue
		}
		if read%2 == 1 {
			name = strings.ToLower(text)
			continue
		}
		for known, member := range map[string]*any{
			"code": &w.Code, "errorcode": &w.Code, "message": &w.Message,
			"request-id": &w.RequestID, "client-request-id": &w.ClientID, "date": &w.Date,
		} {
			if name == known && *member == nil {
				*member = text
			}
		}
	}
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
				if text, _ := value[name].(string); text != "" {
					return text
				}
			}
		}
	}
	return ""
}

func or(text string, other any) string {
	if text != "" {
		return text
	}
	return firstText(other)
}
