// Package graphjsontest checks what package graphjson reads against encoding/json, for tests.
package graphjsontest

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrRefused means that encoding/json refuses the page, or that a comparison is pointless.
var ErrRefused = errors.New("encoding/json refuses the page")

// ComparePage decodes a page with encoding/json, and with rules of its own that tolerate what graphjson tolerates. It
// compares value by value, and returns the first difference from the rows and the next link that graphjson gave, or an
// error if encoding/json refuses the page. The two differ on purpose in this:
//
//   - A byte-order mark is not an error.
//   - An element of a list that is null is left out, and an empty list is nil.
//   - A row, or a complex property, that comes twice is replaced, while encoding/json merges the two. Earlier ones are
//     not checked here, as encoding/json keeps only the last one as raw JSON.
//   - encoding/json folds two letters into ASCII ones. Pages with these letters are not compared.
func ComparePage(page []byte, rows any, nextLink string) error {
	page = bytes.TrimPrefix(page, []byte("\ufeff"))
	lower := strings.ToLower(string(page))
	for _, folding := range []string{"\u017f", "\u212a", `\u017f`, `\u212a`} {
		if bytes.Contains(page, []byte(folding)) || strings.Contains(lower, folding) {
			return ErrRefused
		}
	}
	var want struct {
		Value    json.RawMessage `json:"value"`
		NextLink *string         `json:"@odata.nextLink"`
		Count    json.RawMessage `json:"@odata.count"`
	}
	if json.Unmarshal(page, &want) != nil {
		return ErrRefused
	}
	if _, err := looseInteger(want.Count, strconv.IntSize); err != nil {
		return ErrRefused
	}
	link := ""
	if want.NextLink != nil {
		link = *want.NextLink
	}
	if link != nextLink {
		return fmt.Errorf("the next link is %q, want %q", nextLink, link)
	}
	return compare("value", reflect.ValueOf(rows), want.Value)
}

// decode reads a value with encoding/json.
func decode[T any](raw json.RawMessage) (value T, err error) {
	if json.Unmarshal(raw, &value) != nil {
		return value, ErrRefused
	}
	return value, nil
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

func compare(path string, got reflect.Value, raw json.RawMessage) error {
	t := got.Type()
	switch {
	case t == reflect.TypeFor[jsontext.Value]():
		return differ(path, got, string(got.Bytes()) == string(raw), raw)
	case isNull(raw):
		return differ(path, got, got.IsZero(), "null")
	case t == reflect.TypeFor[time.Time]():
		return compareTime(path, got, raw)
	case t.Kind() == reflect.Pointer && got.IsNil():
		return first(compare(path, reflect.New(t.Elem()).Elem(), raw), fmt.Errorf("%s is nil", path))
	case t.Kind() == reflect.Pointer:
		return compare(path, got.Elem(), raw)
	case isObject(t):
		return compareObject(path, got, raw)
	case reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()),
		reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		want := reflect.New(t)
		if json.Unmarshal(raw, want.Interface()) != nil {
			return ErrRefused
		}
		return differ(path, got, reflect.DeepEqual(got.Interface(), want.Elem().Interface()), want.Elem().Interface())
	}
	switch t.Kind() {
	case reflect.String:
		want, err := decode[string](raw)
		return differ(path, got, got.String() == want, want, err)
	case reflect.Bool:
		want, err := decode[bool](raw)
		return differ(path, got, got.Bool() == want, want, err)
	case reflect.Int, reflect.Int32, reflect.Int64:
		want, err := looseInteger(raw, t.Bits())
		return differ(path, got, got.Int() == want, want, err)
	case reflect.Float64:
		want, err := looseDouble(raw)
		return differ(path, got, math.Float64bits(got.Float()) == math.Float64bits(want), want, err)
	case reflect.Slice:
		return compareList(path, got, raw)
	default:
		return fmt.Errorf("%s has a type that is not compared", path)
	}
}

func differ(path string, got reflect.Value, same bool, want any, errs ...error) error {
	if err := errors.Join(errs...); err != nil {
		return ErrRefused
	}
	if !same {
		return fmt.Errorf("%s is %v, want %v", path, got.Interface(), want)
	}
	return nil
}

func isObject(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.NumField() > 0 && t.Field(0).Tag.Get("json") != ""
}

// compareObject lets encoding/json find the properties, each as raw JSON.
func compareObject(path string, got reflect.Value, raw json.RawMessage) error {
	var fields []reflect.StructField
	for field := range got.Type().Fields() {
		field.Type = reflect.TypeFor[json.RawMessage]()
		fields = append(fields, field)
	}
	want := reflect.New(reflect.StructOf(fields))
	if json.Unmarshal(raw, want.Interface()) != nil {
		return ErrRefused
	}
	var difference error
	for i, field := range fields {
		difference = first(difference, compare(path+"."+field.Name, got.Field(i), want.Elem().Field(i).Bytes()))
	}
	return difference
}

// first returns the first of two differences, but prefers a refusal, because after one the other comparison may be of
// something that was never read.
func first(a, b error) error {
	if a == nil || errors.Is(b, ErrRefused) {
		return b
	}
	return a
}

func compareList(path string, got reflect.Value, raw json.RawMessage) error {
	list, err := decode[[]json.RawMessage](raw)
	if err != nil {
		return err
	}
	i := 0
	var difference error
	for _, element := range list {
		if isNull(element) {
			continue
		}
		row := reflect.Zero(got.Type().Elem())
		if i < got.Len() {
			row = got.Index(i)
		}
		difference = first(difference, compare(fmt.Sprintf("%s[%d]", path, i), row, element))
		i++
	}
	return first(difference, differ(path, got, i == got.Len() && got.IsNil() == (i == 0), i))
}

func looseInteger(raw json.RawMessage, bits int) (int64, error) {
	text := string(raw)
	if text != "" && text[0] == '"' {
		if err := json.Unmarshal(raw, &text); err != nil {
			return 0, err
		}
	}
	if text == "" || text == "null" && raw[0] == 'n' {
		return 0, nil
	}
	return strconv.ParseInt(text, 10, bits)
}

func looseDouble(raw json.RawMessage) (float64, error) {
	if raw[0] != '"' {
		return decode[float64](raw)
	}
	text, err := decode[string](raw)
	special, ok := map[string]float64{"": 0, "NaN": math.NaN(), "INF": math.Inf(1), "-INF": math.Inf(-1)}[text]
	if err != nil || !ok {
		return 0, ErrRefused
	}
	return special, nil
}

func compareTime(path string, got reflect.Value, raw json.RawMessage) error {
	date, _ := reflect.TypeAssert[time.Time](got)
	if string(raw) == `""` {
		return differ(path, got, date.IsZero(), "no date")
	}
	want, err := decode[time.Time](raw)
	if want.UTC().Year() <= 1 {
		want = time.Time{}
	}
	same := date.Equal(want) && date.IsZero() == want.IsZero() && date.Format(time.RFC3339) == want.Format(time.RFC3339)
	return differ(path, got, same, want, err)
}
