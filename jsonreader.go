package intune

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/go-intune/intune/internal/redact"
)

// Limits of what one answer may make the reader allocate. Graph's pages hold 1000 rows; an answer of nothing but empty
// objects could otherwise take hundreds of times its own size.
const (
	maxRows          = 50_000
	maxActionResults = 10_000
)

// jsonReader reads Graph's JSON into this package's types, token by token. It is forgiving where the service is loose:
// null and "" are the zero value, so are dates in the year 1, integers may be numbers or text, unknown properties are
// skipped, the case of names is ignored as encoding/json does, and the last of several properties of one name wins.
//
// The syntax, with its limit on depth, is jsontext's business. The reader itself descends only as deep as the types do.
type jsonReader struct {
	dec *jsontext.Decoder

	// The text of the object at hand is gathered here and becomes one string, of which its fields are parts: one
	// allocation instead of one for each field, and nothing refers to the page.
	text    []byte
	pending []pendingText

	scratch []byte
	words   *wordCache // nil when only one object is read
	actions []DeviceActionResult
}

// pendingText is a field whose text is still being gathered.
type pendingText struct {
	field      *string
	start, end int
}

var byteOrderMark = []byte("\xef\xbb\xbf")

func newJSONReader(data []byte) *jsonReader {
	return &jsonReader{dec: jsontext.NewDecoder(
		bytes.NewBuffer(bytes.TrimPrefix(data, byteOrderMark)),
		jsontext.AllowDuplicateNames(true),
		jsontext.AllowInvalidUTF8(true),
	)}
}

// properties reads the value of one property into its field, or reports that there is no such property and reads
// nothing.
type properties[T any] func(object *T, r *jsonReader, name []byte) (known bool, err error)

// readObject zeroes the object and reads an object or null into it.
func readObject[T any](r *jsonReader, object *T, property properties[T]) error {
	var zero T
	*object = zero
	if r.dec.PeekKind() == 'n' {
		return r.skip()
	}
	return readProperties(r, object, property)
}

// readProperties reads an object's properties and leaves alone what is not among them.
func readProperties[T any](r *jsonReader, object *T, property properties[T]) error {
	if err := r.open('{'); err != nil {
		return err
	}
	for r.dec.PeekKind() != '}' {
		quoted, err := r.dec.ReadValue()
		if err != nil {
			return r.syntaxError(err)
		}
		name := r.unquote(quoted)
		known, err := property(object, r, name)
		if !known && err == nil {
			if canonical, ok := canonicalName(name); ok {
				known, err = property(object, r, canonical)
			}
		}
		if !known && err == nil {
			err = r.skip()
		}
		if err != nil {
			return err
		}
	}
	return r.close()
}

// open reads the start of an object or array.
func (r *jsonReader) open(kind jsontext.Kind) error {
	if got := r.dec.PeekKind(); got != kind {
		value, err := r.dec.ReadValue()
		if err != nil {
			return r.syntaxError(err)
		}
		return r.wrongKind(value, kindName(kind))
	}
	return r.close()
}

// close reads the end of an object or array.
func (r *jsonReader) close() error {
	if _, err := r.dec.ReadToken(); err != nil {
		return r.syntaxError(err)
	}
	return nil
}

func (r *jsonReader) skip() error {
	if err := r.dec.SkipValue(); err != nil {
		return r.syntaxError(err)
	}
	return nil
}

// finish checks that nothing follows the value.
func (r *jsonReader) finish() error {
	if r.dec.PeekKind() == jsontext.KindInvalid {
		if _, err := r.dec.ReadToken(); err != nil {
			return r.endError(err)
		}
	}
	return r.fault("is followed by more than space")
}

// readText reads text into a field. The field is not set before settle: until then it must not move, and its object
// must not be zeroed.
func (r *jsonReader) readText(field *string) error {
	body, err := r.readString()
	if err != nil {
		return err
	}
	start := len(r.text)
	r.text = append(r.text, body...)
	r.pending = append(r.pending, pendingText{field, start, len(r.text)})
	return nil
}

// settle sets the fields that readText has read.
func (r *jsonReader) settle() {
	if len(r.pending) == 0 {
		return
	}
	text := string(r.text)
	for _, p := range r.pending {
		*p.field = text[p.start:p.end]
	}
	r.forget()
}

// forget gives up what readText has read.
func (r *jsonReader) forget() {
	r.text, r.pending = r.text[:0], r.pending[:0]
}

// readWord reads text that is likely to be the same in other objects of the answer.
func readWord[S ~string](r *jsonReader, field *S) error {
	body, err := r.readString()
	if err == nil {
		*field = S(r.words.get(body))
	}
	return err
}

// readSecret reads a secret; what Secret writes in place of one is none.
func (r *jsonReader) readSecret(field *Secret) error {
	body, err := r.readString()
	if err == nil {
		*field = Secret{}
		if string(body) != redact.Placeholder {
			*field = NewSecret(string(body))
		}
	}
	return err
}

// readString reads text or null. The result is valid until the next read.
func (r *jsonReader) readString() ([]byte, error) {
	value, err := r.dec.ReadValue()
	if err != nil {
		return nil, r.syntaxError(err)
	}
	switch value[0] {
	case '"':
		return r.unquote(value), nil
	case 'n':
		return nil, nil
	default:
		return nil, r.wrongKind(value, "text")
	}
}

func (r *jsonReader) readBool(field *bool) error {
	value, err := r.dec.ReadValue()
	if err != nil {
		return r.syntaxError(err)
	}
	switch value[0] {
	case 't', 'f', 'n':
		*field = value[0] == 't'
		return nil
	default:
		return r.wrongKind(value, "true or false")
	}
}

func (r *jsonReader) readNullableBool(field **bool) error {
	*field = nil
	if r.dec.PeekKind() == 'n' {
		return r.skip()
	}
	*field = new(bool)
	return r.readBool(*field)
}

// readInteger reads an Edm.Int64 or Edm.Int32, which OData writes as text when asked for IEEE754Compatible.
func readInteger[N int | int32 | int64](r *jsonReader, field *N, bits int) error {
	value, err := r.dec.ReadValue()
	if err != nil {
		return r.syntaxError(err)
	}
	digits := []byte(value)
	switch value[0] {
	case 'n':
		digits = nil
	case '"':
		digits = r.unquote(value)
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
	default:
		return r.wrongKind(value, "an integer")
	}
	var n int64
	if len(digits) > 0 {
		n, err = strconv.ParseInt(string(digits), 10, bits)
	}
	if err != nil {
		return r.faultAt(value, "is not an integer of "+strconv.Itoa(bits)+" bits")
	}
	*field = N(n)
	return nil
}

// readDouble reads an Edm.Double, of which OData writes three values as text.
func (r *jsonReader) readDouble(field *float64) error {
	value, err := r.dec.ReadValue()
	if err != nil {
		return r.syntaxError(err)
	}
	number := string(value)
	switch value[0] {
	case 'n':
		number = "0"
	case '"':
		switch string(r.unquote(value)) {
		case "":
			number = "0"
		case "NaN":
			number = "NaN"
		case "INF":
			number = "+Inf"
		case "-INF":
			number = "-Inf"
		default:
			return r.faultAt(value, "is not a number, NaN, INF or -INF")
		}
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
	default:
		return r.wrongKind(value, "a number")
	}
	parsed, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return r.faultAt(value, "is too large a number")
	}
	*field = parsed
	return nil
}

// readTime reads an Edm.DateTimeOffset. The service writes the year 1 for a date it does not have.
func (r *jsonReader) readTime(field *time.Time) error {
	value, err := r.dec.ReadValue()
	if err != nil {
		return r.syntaxError(err)
	}
	*field = time.Time{}
	switch value[0] {
	case 'n':
		return nil
	case '"':
	default:
		return r.wrongKind(value, "a date and time")
	}
	text := r.unquote(value)
	if len(text) == 0 {
		return nil
	}
	var date time.Time
	if date.UnmarshalText(text) != nil {
		return r.faultAt(value, "is not a date and time as in RFC 3339")
	}
	if date.UTC().Year() > 1 {
		*field = date
	}
	return nil
}

// unquote gives the content of a JSON string, part of the page or of the scratch space. As in encoding/json, what is
// not UTF-8 becomes the replacement character.
func (r *jsonReader) unquote(quoted jsontext.Value) []byte {
	body := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(body, '\\') < 0 && utf8.Valid(body) {
		return body
	}
	// The only error is that of text that is not UTF-8, which has been replaced by then.
	r.scratch, _ = jsontext.AppendUnquote(r.scratch[:0], quoted)
	return r.scratch
}

// isNull reports whether data is JSON's null.
func isNull(data []byte) bool { return string(bytes.TrimSpace(data)) == "null" }
