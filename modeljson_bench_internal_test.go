package intune

import (
	"encoding/json"
	"reflect"
	"runtime"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/go-intune/intune/internal/graphjson"
)

// plainPage is a new page of plain devices: the same fields and tags as [ManagedDevice], no methods, the link as text and
// the location's doubles as any, because encoding/json cannot read NaN.
func plainPage() any {
	row := plainType(reflect.TypeFor[ManagedDevice](), func(t reflect.Type) reflect.Type {
		switch {
		case t == reflect.TypeFor[SessionURL](), t == reflect.TypeFor[Secret]():
			return reflect.TypeFor[string]()
		case t.Kind() == reflect.Float64:
			return reflect.TypeFor[any]()
		default:
			return t
		}
	})
	return reflect.New(reflect.StructOf([]reflect.StructField{
		{Name: "NextLink", Type: reflect.TypeFor[string](), Tag: `json:"@odata.nextLink"`},
		{Name: "Count", Type: reflect.TypeFor[int](), Tag: `json:"@odata.count"`},
		{Name: "Value", Type: reflect.SliceOf(row), Tag: `json:"value"`},
	})).Interface()
}

// BenchmarkDecodeDevicePage decodes a page of 1000 devices. "graphjson" is the one of this package; the others decode by reflection into
// a type with the same fields and tags and without this package's methods, so they are less forgiving.
func BenchmarkDecodeDevicePage(b *testing.B) {
	const devices = 1000
	plain := reflect.TypeOf(plainPage()).Elem()
	for _, data := range []struct {
		name string
		page []byte
	}{{"full", fullPage(devices)}, {"list", listPage(devices)}} {
		for _, decoder := range []struct {
			name   string
			decode func([]byte) error
		}{
			{"graphjson", func(page []byte) error {
				_, _, err := graphjson.Page[ManagedDevice](page)
				return err
			}},
			{"encodingjson", func(page []byte) error { return json.Unmarshal(page, reflect.New(plain).Interface()) }},
			{"jsonv2", func(page []byte) error { return jsonv2.Unmarshal(page, reflect.New(plain).Interface()) }},
		} {
			b.Run(data.name+"/"+decoder.name, func(b *testing.B) {
				b.SetBytes(int64(len(data.page)))
				b.ReportAllocs()
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				for b.Loop() {
					if err := decoder.decode(data.page); err != nil {
						b.Fatal(err)
					}
				}
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(b.N)/devices, "allocs/device")
			})
		}
	}
}
