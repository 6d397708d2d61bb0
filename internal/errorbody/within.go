package errorbody

import (
	"bytes"
	"encoding/json"
	"regexp"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// tail is how much of a long answer is searched for an error object, with which a broken answer ends.
const tail = 64 << 10

// A quote within a text of JSON has a backslash before it, so this never begins in one.
var memberPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`"(?:odata\.)?error"\s*:\s*\{`)
})

// Within finds the error object in the body of an answer whose status is a success: the service had begun the answer
// before it failed. The body is such an object, or breaks off into one. Within returns the object, for [Parse], and how
// much of the body comes before its member, or nil if there is none.
func Within(body []byte) (object []byte, before int) {
	searched := body[max(0, len(body)-tail):]
	if !bytes.Contains(searched, []byte(`error"`)) {
		return nil, 0
	}
	place := memberPattern().FindIndex(searched)
	if place == nil {
		return nil, 0
	}
	before = len(body) - len(searched) + place[0]
	end := before + place[1] - place[0] - 1
	lenient := []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
	value, err := jsontext.NewDecoder(bytes.NewReader(body[end:]), lenient...).ReadValue()
	if err != nil {
		return append([]byte{'{'}, body[before:]...), before
	}
	end += len(value)
	if json.Valid(body) && !isMember(body) && !isLastRow(body[:before], body[end:]) {
		return nil, 0
	}
	return append(append([]byte{'{'}, body[before:end]...), '}'), before
}

// isMember reports whether an error is a member of the body itself, and not of a row.
func isMember(body []byte) bool {
	root := decodeWireError(body)
	return root.Error != nil || root.ODataError != nil
}

// isLastRow reports whether an error is the only member of the last row of a page that was closed after it.
func isLastRow(before, after []byte) bool {
	return bytes.HasSuffix(bytes.TrimSpace(before), []byte("{")) && string(bytes.Join(bytes.Fields(after), nil)) == "}]}"
}
