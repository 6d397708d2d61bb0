package errorbody

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
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

func or(text string, other any) string {
	if text != "" {
		return text
	}
	return firstText(other)
}
