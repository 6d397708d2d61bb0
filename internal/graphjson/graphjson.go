// Package graphjson reads Graph's JSON into structs by their json tags. It tolerates what the service does not write
// strictly:
//
//   - null, "" and a date of the year 1 are the zero value.
//   - Integers are numbers or text, and so are the doubles "NaN", "INF" and "-INF".
//   - The case of ASCII letters in names is ignored, unknown properties are skipped, and the last of several properties
//     of one name replaces those before it.
//   - Elements of a list that are null are left out, and an empty list is nil.
//   - A byte-order mark is skipped, and bytes that are not UTF-8 become the replacement character.
//
// A struct with json tags is read by its tags, even if it has an UnmarshalJSON, which is expected to call this package.
// Its fields without a tag are left zero. Other types with UnmarshalJSON or UnmarshalText read themselves; for null
// their methods are not called. Other than these, fields can be text, Booleans, int, int32, int64, float64,
// [time.Time], [Field], and pointers and slices of all of them; types must not contain themselves.
//
// jsontext of json v2 checks the syntax and limits the depth. Errors never quote the JSON, because it may hold a link
// that is a secret, or the name of a person.
package graphjson

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Unmarshal reads JSON into a value and replaces it. On error, and on null, the value stays as it was.
func Unmarshal[T any](data []byte, value *T) error {
	if isNull(data) {
		return nil
	}
	var fresh T
	if err := newReader(data).read(&fresh); err != nil {
		return err
	}
	*value = fresh
	return nil
}

func isNull(data []byte) bool { return string(bytes.TrimSpace(withoutMark(data))) == "null" }

// UnmarshalEntity is [Unmarshal] for a single entity, which Microsoft's samples wrap in a "value" member, while the
// service sends it bare. What stands beside that member is skipped.
func UnmarshalEntity[T any](data []byte, entity *T) error {
	if isNull(data) {
		return nil
	}
	var bare T
	var wrapped Field[T]
	r := newReader(data)
	r.wrapped = reflect.ValueOf(&wrapped).Elem()
	switch err := r.read(&bare); {
	case err != nil:
		return unmarshalWrapped(data, entity) // what is wrong may stand beside the entity
	case wrapped.Present:
		*entity = wrapped.Value
	default:
		*entity = bare
	}
	return nil
}

// unmarshalWrapped reads an entity again that could not be read both ways at once.
func unmarshalWrapped[T any](data []byte, entity *T) error {
	var around struct {
		Value Field[T] `json:"value"`
	}
	err := newReader(data).read(&around)
	if !around.Value.Present {
		return Unmarshal(data, entity) // it finds the same error, and reports it with the names of the entity
	}
	if err == nil {
		*entity = around.Value.Value
	}
	return err
}

// Page reads a page of a collection. If the page breaks off or holds a value that cannot be read, Page returns the rows
// before that together with the error, and the next link if it was read by then.
func Page[T any](data []byte) (rows []T, nextLink string, err error) {
	var page struct {
		Count    int           `json:"@odata.count"`
		NextLink Field[string] `json:"@odata.nextLink"`
		Value    Field[[]T]    `json:"value"`
	}
	r := newReader(data)
	r.expected = &page.Count
	err = r.read(&page)
	if err == nil && !page.Value.Present && !page.NextLink.Present {
		// An empty list would be a wrong but plausible answer to "which devices are there".
		err = r.fault("has neither a value nor a next link, so it is no page")
	}
	return page.Value.Value, page.NextLink.Value, err
}

// Field is a property that also records whether it was present, even as null.
type Field[T any] struct {
	Value   T
	Present bool
}

func (Field[T]) optional() {}

// maxElements bounds the elements of all lists together. It is far above what the service sends (pages of 1000), and
// keeps a hostile answer of nothing but {} from using memory of hundreds of times its own size.
const maxElements = 50_000

// reader reads one JSON text.
type reader struct {
	dec  *jsontext.Decoder
	into reflect.Type

	expected *int // number of rows by the page's own count; nil if the text is not a page
	fitting  int  // number of rows that can fit in the text, which limits what is allocated for them
	elements int  // of all lists so far

	wrapped reflect.Value // the Field for an entity in a "value" member; not valid if there can be none

	chunk   strings.Builder
	scratch []byte
}

func withoutMark(data []byte) []byte { return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) }

func newReader(data []byte) *reader {
	const smallRow = 256
	return &reader{
		dec: jsontext.NewDecoder(
			bytes.NewBuffer(withoutMark(data)),
			jsontext.AllowDuplicateNames(true),
			jsontext.AllowInvalidUTF8(true),
		),
		fitting: len(data) / smallRow,
	}
}

// read reads the whole text into the value that pointer points to. The value keeps what was read before an error.
func (r *reader) read(pointer any) error {
	value := reflect.ValueOf(pointer).Elem()
	r.into = value.Type()
	if err := readerOf(r.into)(r, value); err != nil {
		return err
	}
	if r.dec.PeekKind() != jsontext.KindInvalid {
		return r.fault("is followed by more than space")
	}
	if _, err := r.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return r.syntaxError(err)
	}
	return nil
}

// next reads a value. It is valid until the next read.
func (r *reader) next() (jsontext.Value, error) {
	value, err := r.dec.ReadValue()
	if err != nil {
		return nil, r.syntaxError(err)
	}
	return value, nil
}

// open reads the start of an object or array, or null. It opens nothing if there is an error.
func (r *reader) open(kind jsontext.Kind) (opened bool, err error) {
	if got := r.dec.PeekKind(); got != kind {
		value, err := r.next()
		if err == nil && got != 'n' {
			err = r.wrongKind(value, kindName(kind))
		}
		return false, err
	}
	err = r.close()
	return err == nil, err
}

// close reads the end of an object or array.
func (r *reader) close() error {
	if _, err := r.dec.ReadToken(); err != nil {
		return r.syntaxError(err)
	}
	return nil
}

func (r *reader) skip() error {
	if err := r.dec.SkipValue(); err != nil {
		return r.syntaxError(err)
	}
	return nil
}

// unquote returns the content of a JSON string. The result is part of the text or of the scratch space.
func (r *reader) unquote(quoted jsontext.Value) []byte {
	body := quoted[1 : len(quoted)-1]
	if isPlain(body) || bytes.IndexByte(body, '\\') < 0 && utf8.Valid(body) {
		return body
	}
	// The only possible error is text that is not UTF-8, which has already been replaced.
	r.scratch, _ = jsontext.AppendUnquote(r.scratch[:0], quoted)
	return r.scratch
}

// isPlain reports whether a text is ASCII without escapes, as nearly all are. They are short, so that one look at each
// byte takes less time than two functions that are made for long ones.
func isPlain(body []byte) bool {
	for _, c := range body {
		if c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// keep makes a string. Short strings share a chunk of memory, which saves an allocation for each string, and no string
// refers to the JSON. A chunk is about as large as the text of a device, so that a caller who keeps one field of a
// device for long keeps little more in memory.
func (r *reader) keep(text []byte) string {
	const size = 1 << 10
	if len(text) > size/8 {
		return string(text)
	}
	if r.chunk.Cap()-r.chunk.Len() < len(text) {
		r.chunk.Reset()
		r.chunk.Grow(size)
	}
	start := r.chunk.Len()
	r.chunk.Write(text)
	return r.chunk.String()[start:]
}
