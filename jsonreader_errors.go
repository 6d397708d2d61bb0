package intune

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// decodeError is an answer that could not be read. Its text tells where, in names of the schema and a position, and
// never what stood there: that may be a link or the name of a person.
type decodeError struct {
	path    string // such as "value[12].lastSyncDateTime"; "" for the answer as a whole
	offset  int64  // in bytes from the start, a byte-order mark not counted
	problem string
	cause   error // io.ErrUnexpectedEOF or nil; jsontext's own errors quote the JSON
}

func (e *decodeError) Error() string {
	return fmt.Sprintf("JSON at byte %d: %s %s", e.offset, cmp.Or(e.path, "the answer"), e.problem)
}

func (e *decodeError) Unwrap() error { return e.cause }

// fault is a problem with the value that was read last, or the one being read.
func (r *jsonReader) fault(problem string) error {
	return &decodeError{path: schemaPath(r.dec.StackPointer()), offset: r.dec.InputOffset(), problem: problem}
}

// faultAt is a problem with the value, which was read last.
func (r *jsonReader) faultAt(value jsontext.Value, problem string) error {
	offset := r.dec.InputOffset() - int64(len(value))
	return &decodeError{path: schemaPath(r.dec.StackPointer()), offset: offset, problem: problem}
}

func (r *jsonReader) wrongKind(value jsontext.Value, want string) error {
	return r.faultAt(value, "is "+kindName(value.Kind())+", want "+want)
}

// syntaxError is an answer that is no JSON or breaks off.
func (r *jsonReader) syntaxError(err error) error {
	failure := &decodeError{
		path: schemaPath(r.dec.StackPointer()), offset: r.dec.InputOffset(), problem: "is or holds malformed JSON",
	}
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		failure.path, failure.offset = schemaPath(syntactic.JSONPointer), syntactic.ByteOffset
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		failure.problem, failure.cause = "breaks off", io.ErrUnexpectedEOF
	}
	return failure
}

// endError is nil when the answer ended where it should.
func (r *jsonReader) endError(err error) error {
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return r.syntaxError(err)
}

// schemaPath turns the place of a value into the path of a property. Names that are not in the schema are the service's
// and could be anything, so they become question marks.
func schemaPath(pointer jsontext.Pointer) string {
	var path strings.Builder
	parent := ""
	for token := range pointer.Tokens() {
		switch {
		case (parent == "value" || parent == "deviceActionResults") && isIndex(token):
			path.WriteString("[" + token + "]")
			parent = ""
			continue
		case path.Len() > 0:
			path.WriteByte('.')
		}
		name, known := []byte(nil), false
		if len(token) <= maxName {
			name, known = propertyNames()[foldName([]byte(token))]
		}
		if !known {
			path.WriteByte('?')
			break
		}
		path.Write(name)
		parent = string(name)
	}
	return path.String()
}

// isIndex reports whether the text can be the index of a row. A longer number would be somebody's.
func isIndex(text string) bool {
	return text != "" && len(text) <= len(strconv.Itoa(maxRows)) && strings.Trim(text, "0123456789") == ""
}

func kindName(kind jsontext.Kind) string {
	switch kind {
	case 'n':
		return "null"
	case 't', 'f':
		return "a Boolean"
	case '"':
		return "text"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	default:
		return "malformed"
	}
}
