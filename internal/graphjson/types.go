package graphjson

import (
	"bytes"
	"encoding"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// readFunc reads a value of one type.
type readFunc func(r *reader, v reflect.Value) error

var readers sync.Map // of reflect.Type to readFunc

// readerOf returns the function that reads a type.
func readerOf(t reflect.Type) readFunc {
	if known, ok := readers.Load(t); ok {
		return known.(readFunc)
	}
	read := makeReader(t)
	readers.Store(t, read)
	return read
}

func makeReader(t reflect.Type) readFunc {
	switch pointer := reflect.PointerTo(t); {
	case t == reflect.TypeFor[time.Time]():
		return readTime
	case isOptional(t):
		return optionalReader(t)
	case isObject(t):
		return objectReader(t)
	case pointer.Implements(reflect.TypeFor[json.Unmarshaler]()):
		return readJSONItself
	case pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return readTextItself
	}
	switch t.Kind() {
	case reflect.String:
		return readText
	case reflect.Bool:
		return readBool
	case reflect.Int, reflect.Int32, reflect.Int64:
		return integerReader(t.Bits())
	case reflect.Float64:
		return readDouble
	case reflect.Pointer:
		return pointerReader(t)
	case reflect.Slice:
		return listReader(t)
	default:
		panic("graphjson: cannot read " + t.String())
	}
}

// isOptional reports whether a type is a [Field].
func isOptional(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.Implements(reflect.TypeFor[interface{ optional() }]())
}

// isObject reports whether a type is a struct with json tags.
func isObject(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	for field := range t.Fields() {
		if tagName(field) != "" {
			return true
		}
	}
	return false
}

func tagName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}

type property struct {
	name  string
	index int
	read  readFunc

	next atomic.Pointer[property] // the one that followed last time
}

func objectReader(t reflect.Type) readFunc {
	byName, byLower, start := map[string]*property{}, map[string]*property{}, &property{}
	for field := range t.Fields() {
		if name := tagName(field); name != "" {
			p := &property{name: name, index: field.Index[0], read: readerOf(field.Type)}
			byName[name], byLower[toLower(name)] = p, p
		}
	}
	return func(r *reader, v reflect.Value) error {
		v.SetZero()
		if opened, err := r.open('{'); !opened {
			return err
		}
		for last := start; r.dec.PeekKind() != '}'; {
			quoted, err := r.next()
			if err != nil {
				return err
			}
			name := quoted[1 : len(quoted)-1] // with escapes it is no name of ours
			// The service writes each object of a type alike, so that this saves most searches.
			p := last.next.Load()
			if p == nil || p.name != string(name) {
				if p = byName[string(name)]; p == nil {
					name = r.unquote(quoted)
					p = byLower[string(appendLower(make([]byte, 0, 64), name))]
				}
				if p != nil {
					last.next.Store(p)
				}
			}
			switch {
			case r.wrapped.IsValid() && r.dec.StackDepth() == 1 && bytes.EqualFold(name, wrapper):
				err = readerOf(r.wrapped.Type())(r, r.wrapped)
			case p != nil:
				last = p
				err = p.read(r, v.Field(p.index))
			default:
				err = r.skip()
			}
			if err != nil {
				return err
			}
		}
		return r.close()
	}
}

// wrapper is the name of the member around an entity.
var wrapper = []byte("value")

// toLower makes names equal that differ only in the case of ASCII letters.
func toLower(name string) string { return string(appendLower(nil, []byte(name))) }

func appendLower(lower, name []byte) []byte {
	for _, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower = append(lower, c)
	}
	return lower
}

func optionalReader(t reflect.Type) readFunc {
	read := readerOf(t.Field(0).Type)
	return func(r *reader, v reflect.Value) error {
		v.Field(1).SetBool(true)
		return read(r, v.Field(0))
	}
}

func pointerReader(t reflect.Type) readFunc {
	read := readerOf(t.Elem())
	return func(r *reader, v reflect.Value) error {
		v.SetZero()
		if r.dec.PeekKind() == 'n' {
			return r.skip()
		}
		v.Set(reflect.New(t.Elem()))
		return read(r, v.Elem())
	}
}

// listReader reads a list. On error, the list keeps the elements before the error.
func listReader(t reflect.Type) readFunc {
	read := readerOf(t.Elem())
	return func(r *reader, v reflect.Value) error {
		v.SetZero()
		if opened, err := r.open('['); !opened {
			return err
		}
		// If the count of a page comes first, the list is allocated at once; the count is believed only as far as the size of
		// the page allows.
		if onPage := r.dec.StackDepth() == 2; onPage && r.expected != nil {
			v.Grow(max(0, min(*r.expected, r.fitting, maxElements)))
		}
		for length := 0; r.dec.PeekKind() != ']'; {
			if r.dec.PeekKind() == 'n' {
				if err := r.skip(); err != nil {
					return err
				}
				continue
			}
			if r.elements == maxElements {
				return r.fault("is where the lists exceed " + strconv.Itoa(maxElements) + " elements")
			}
			r.elements++
			v.Grow(1)
			v.SetLen(length + 1)
			if err := read(r, v.Index(length)); err != nil {
				v.SetLen(length)
				return err
			}
			length++
		}
		if v.Len() == 0 {
			v.SetZero()
		}
		return r.close()
	}
}

// readJSONItself reads a value by its UnmarshalJSON. Only raw JSON is called for null too.
func readJSONItself(r *reader, v reflect.Value) error {
	v.SetZero()
	value, err := r.next()
	if err != nil || value.Kind() == 'n' && !isRaw(v.Type()) {
		return err
	}
	if self, _ := reflect.TypeAssert[json.Unmarshaler](v.Addr()); self.UnmarshalJSON(value) != nil {
		return r.faultAt(value, "is "+kindName(value.Kind())+" that cannot be read")
	}
	return nil
}

// readTextItself reads a value by its UnmarshalText.
func readTextItself(r *reader, v reflect.Value) error {
	v.SetZero()
	value, err := r.nextOf('"', '"', "text")
	if value == nil {
		return err
	}
	if self, _ := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); self.UnmarshalText(r.unquote(value)) != nil {
		return r.faultAt(value, "is text that cannot be read")
	}
	return nil
}
