package graphjson

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Error is JSON that could not be read. Its text tells the place, by names of the schema and a position, but never
// quotes the JSON. It unwraps to [io.ErrUnexpectedEOF] if the JSON breaks off, and to nothing else, because the errors
// of jsontext quote the JSON.
type Error struct {
	path    string // such as "value[12].lastSyncDateTime"; "" for the answer as a whole
	offset  int64  // in bytes from the start, without a byte-order mark
	problem string
	cause   error
}

// Error is one line: the position, the property, the problem.
func (e *Error) Error() string {
	return fmt.Sprintf("JSON at byte %d: %s %s", e.offset, cmp.Or(e.path, "the answer"), e.problem)
}

// Unwrap is [io.ErrUnexpectedEOF] or nil.
func (e *Error) Unwrap() error { return e.cause }

// fault is a problem with the value that was read last, or the one being read.
func (r *reader) fault(problem string) error { return r.faultAt(nil, problem) }

// faultAt is a problem with value, which was read last.
func (r *reader) faultAt(value jsontext.Value, problem string) error {
	offset := r.dec.InputOffset() - int64(len(value))
	return &Error{path: r.schemaPath(r.dec.StackPointer()), offset: offset, problem: problem}
}

func (r *reader) wrongKind(value jsontext.Value, want string) error {
	return r.faultAt(value, "is "+kindName(value.Kind())+", want "+want)
}

// syntaxError is the error for an answer that is not JSON or breaks off.
func (r *reader) syntaxError(err error) error {
	e := &Error{problem: "is or holds malformed JSON"}
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok { // not for an answer that is blank
		e.path, e.offset = r.schemaPath(syntactic.JSONPointer), syntactic.ByteOffset
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		e.problem, e.cause = "breaks off", io.ErrUnexpectedEOF
	}
	return e
}

// schemaPath turns the place of a value within r.into into the path of a property. Names that the type does not have
// come from the service and could be anything, so they become a question mark.
func (r *reader) schemaPath(pointer jsontext.Pointer) string {
	var path strings.Builder
	t, depth := r.into, 0
	for token := range pointer.Tokens() {
		depth++
		if t = contentType(t); t.Kind() == reflect.Slice && r.inArray(depth) {
			path.WriteString("[" + token + "]")
			t = t.Elem()
			continue
		}
		if path.Len() > 0 {
			path.WriteByte('.')
		}
		field, ok := fieldNamed(t, token)
		if !ok {
			path.WriteByte('?')
			break
		}
		path.WriteString(tagName(field))
		t = field.Type
	}
	return path.String()
}

// inArray reports whether the value being read lies, at a depth, in an array that the reader has entered. What it has
// not entered is of another kind than wanted.
func (r *reader) inArray(depth int) bool {
	if depth > r.dec.StackDepth() {
		return false
	}
	kind, _ := r.dec.StackIndex(depth)
	return kind == '['
}

// contentType is the type of what pointers and a [Field] hold.
func contentType(t reflect.Type) reflect.Type {
	for {
		switch {
		case t.Kind() == reflect.Pointer:
			t = t.Elem()
		case isOptional(t):
			t = t.Field(0).Type
		default:
			return t
		}
	}
}

// isRaw reports whether a type keeps JSON as it is.
func isRaw(t reflect.Type) bool { return t == reflect.TypeFor[jsontext.Value]() }

// fieldNamed finds the field of a property by its name, without regard to case.
func fieldNamed(t reflect.Type, name string) (named reflect.StructField, ok bool) {
	if t.Kind() != reflect.Struct {
		return named, false
	}
	for field := range t.Fields() {
		if tag := tagName(field); tag != "" && toLower(tag) == toLower(name) {
			return field, true
		}
	}
	return named, false
}

// kindName describes a value that is not null.
func kindName(kind jsontext.Kind) string {
	switch kind {
	case 't', 'f':
		return "a Boolean"
	case '"':
		return "text"
	case '0':
		return "a number"
	case '{':
		return "an object"
	default:
		return "an array"
	}
}
