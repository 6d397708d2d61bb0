package intune

import (
	"reflect"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// canonicalName gives the schema's spelling of a property's name that differs from it in case only.
func canonicalName(name []byte) (canonical []byte, ok bool) {
	if len(name) > maxName {
		return nil, false
	}
	canonical, ok = propertyNames()[foldName(name)]
	return canonical, ok && string(canonical) != string(name)
}

// maxName is longer than any property's name, folded or not.
const maxName = 128

// propertyNames maps the folded names of all properties that are read to their spelling. They come from the types, so
// that none can be missing.
var propertyNames = sync.OnceValue(func() map[string][]byte {
	names := map[string][]byte{}
	for _, name := range []string{"value", "@odata.count", "@odata.nextLink"} {
		names[foldName([]byte(name))] = []byte(name)
	}
	for _, object := range []any{
		ManagedDevice{},
		DeviceActionResult{},
		DeviceGeoLocation{},
		ConfigurationManagerClientEnabledFeatures{},
		DeviceHealthAttestationState{},
		DetectedApp{},
	} {
		for field := range reflect.TypeOf(object).Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			names[foldName([]byte(name))] = []byte(name)
		}
	}
	return names
})

// foldName makes names equal that encoding/json takes for equal: under Unicode's simple folding.
func foldName(name []byte) string {
	folded := make([]byte, 0, len(name))
	for len(name) > 0 {
		char, size := utf8.DecodeRune(name)
		name = name[size:]
		folded = utf8.AppendRune(folded, foldRune(char))
	}
	return string(folded)
}

// foldRune gives the smallest of the characters that fold into each other.
func foldRune(char rune) rune {
	for {
		next := unicode.SimpleFold(char)
		if next <= char {
			return next
		}
		char = next
	}
}
