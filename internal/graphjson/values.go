package graphjson

import (
	"reflect"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// nextOf reads a value of one of two kinds, or null, for which it returns nil.
func (r *reader) nextOf(kind, other jsontext.Kind, want string) (jsontext.Value, error) {
	value, err := r.next()
	if err != nil {
		return nil, err
	}
	switch value.Kind() {
	case 'n':
		return nil, nil
	case kind, other:
		return value, nil
	default:
		return nil, r.wrongKind(value, want)
	}
}

func readText(r *reader, v reflect.Value) error {
	value, err := r.nextOf('"', '"', "text")
	if value == nil {
		v.SetZero()
		return err
	}
	v.SetString(r.keep(r.unquote(value)))
	return nil
}

func readBool(r *reader, v reflect.Value) error {
	value, err := r.nextOf('t', 'f', "true or false")
	v.SetBool(value != nil && value[0] == 't')
	return err
}

// integerReader reads an Edm.Int64 or Edm.Int32, which OData writes as text when asked for IEEE754Compatible.
func integerReader(bits int) readFunc {
	return func(r *reader, v reflect.Value) error {
		v.SetZero()
		value, err := r.nextOf('0', '"', "an integer")
		if value == nil {
			return err
		}
		digits := []byte(value)
		if value.Kind() == '"' {
			if digits = r.unquote(value); len(digits) == 0 {
				return nil
			}
		}
		n, err := strconv.ParseInt(string(digits), 10, bits)
		if err != nil {
			return r.faultAt(value, "is not an integer of "+strconv.Itoa(bits)+" bits")
		}
		v.SetInt(n)
		return nil
	}
}

// readDouble reads an Edm.Double. OData writes NaN and the infinities as text.
func readDouble(r *reader, v reflect.Value) error {
	v.SetZero()
	value, err := r.nextOf('0', '"', "a number")
	if value == nil {
		return err
	}
	number := string(value)
	if value.Kind() == '"' {
		switch string(r.unquote(value)) {
		case "":
			return nil
		case "NaN":
			number = "NaN"
		case "INF":
			number = "+Inf"
		case "-INF":
			number = "-Inf"
		default:
			return r.faultAt(value, "is not a number, NaN, INF or -INF")
		}
	}
	double, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return r.faultAt(value, "is too large a number")
	}
	v.SetFloat(double)
	return nil
}

// readTime reads an Edm.DateTimeOffset. The service writes the year 1 for a date it does not have.
func readTime(r *reader, v reflect.Value) error {
	v.SetZero()
	value, err := r.nextOf('"', '"', "a date and time")
	if value == nil {
		return err
	}
	text := r.unquote(value)
	if len(text) == 0 {
		return nil
	}
	date, _ := reflect.TypeAssert[*time.Time](v.Addr())
	if date.UnmarshalText(text) != nil {
		return r.faultAt(value, "is not a date and time as in RFC 3339")
	}
	if date.UTC().Year() <= 1 {
		*date = time.Time{}
	}
	return nil
}
