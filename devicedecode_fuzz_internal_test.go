package intune

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// FuzzDecodeDevicePage decodes with encoding/json into types that are as forgiving as this package, field by field, and
// wants the same result whenever both accept the page. Where they differ by intent:
//
//   - A page of null, a page without value and next link, and one of too many rows are refused; a byte-order mark is not.
//   - A row, or an action result, that is null is left out.
//   - A row, or a complex property, that comes twice is replaced, where encoding/json merges the two. The types below
//     keep such a value as raw JSON, of which the last wins, so that earlier ones are not checked.
//   - An empty list is nil.
//
// They reject different things too: encoding/json refuses a date with escapes in it. That is not compared.
func FuzzDecodeDevicePage(f *testing.F) {
	f.Add(fullPage(1))
	f.Add(listPage(2))
	for _, seed := range []string{
		`{"value":[{"id":"a","ID":"b","iſEncrypted":true}],"@odata.count":"1"}`,
		`{"value":[null,{"deviceActionResults":[null,{"deviceLocation":{"speed":"-INF","heading":"NaN"}}]}]}`,
		`{"VALUE":[{"lastSyncDateTime":"0001-01-01T00:00:00+05:00","azureADRegistered":null}],"value":null}`,
		`{"value":[{"freeStorageSpaceInBytes":"007","deviceName":"\ud800\u0000` + "\xff" + `"}]}`,
		`{"value":[{"enrolledDateTime":"2026-08-20T07:08:09.1234567+02:00","remoteAssistanceSessionUrl":"REDACTED"}]}`,
		`{"value":[{"deviceHealthAttestationState":{"pcr0":"a"},"deviceHealthAttestationState":{"resetCount":1}}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, page []byte) {
		devices, nextLink, count, err := decodeDevicePage(page)
		if err != nil {
			if text := err.Error(); len(text) > 300 {
				t.Errorf("long error: %s", text)
			}
			return
		}
		if difference := comparePage(bytes.TrimPrefix(page, byteOrderMark), devices, nextLink, count); difference != "" && difference != errRefused {
			t.Error(difference)
		}
		if _, err := json.Marshal(devices); err != nil && !strings.Contains(err.Error(), "year outside") &&
			!strings.Contains(err.Error(), "timezone hour") {
			t.Errorf("cannot marshal what was decoded: %v", err)
		}
	})
}

type (
	looseText   string
	looseLink   string
	looseBool   bool
	looseInt64  int64
	looseInt32  int32
	looseDouble float64
	looseTime   struct{ time.Time }
)

func (v *looseText) UnmarshalJSON(data []byte) error {
	*v = ""
	return json.Unmarshal(data, (*string)(v))
}

func (v *looseLink) UnmarshalJSON(data []byte) error {
	*v = ""
	err := json.Unmarshal(data, (*string)(v))
	if *v == "REDACTED" {
		*v = ""
	}
	return err
}

func (v *looseBool) UnmarshalJSON(data []byte) error {
	*v = false
	return json.Unmarshal(data, (*bool)(v))
}

func looseInteger(data []byte, bits int) (int64, error) {
	text := string(data)
	if data[0] == '"' {
		if err := json.Unmarshal(data, &text); err != nil {
			return 0, err
		}
	}
	if text == "" || text == "null" {
		return 0, nil
	}
	return strconv.ParseInt(text, 10, bits)
}

func (v *looseInt64) UnmarshalJSON(data []byte) error {
	n, err := looseInteger(data, 64)
	*v = looseInt64(n)
	return err
}

func (v *looseInt32) UnmarshalJSON(data []byte) error {
	n, err := looseInteger(data, 32)
	*v = looseInt32(n)
	return err
}

func (v *looseDouble) UnmarshalJSON(data []byte) error {
	*v = 0
	var text string
	if data[0] != '"' {
		return json.Unmarshal(data, (*float64)(v))
	}
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	switch text {
	case "":
	case "NaN":
		*v = looseDouble(math.NaN())
	case "INF":
		*v = looseDouble(math.Inf(1))
	case "-INF":
		*v = looseDouble(math.Inf(-1))
	default:
		return errors.New("not a double")
	}
	return nil
}

func (v *looseTime) UnmarshalJSON(data []byte) error {
	v.Time = time.Time{}
	if string(data) == `""` {
		return nil
	}
	if err := json.Unmarshal(data, &v.Time); err != nil {
		return err
	}
	if v.UTC().Year() <= 1 {
		v.Time = time.Time{}
	}
	return nil
}

var looseTypes sync.Map

// looseType exchanges the types of a struct's fields for the loose ones.
func looseType(t reflect.Type) reflect.Type {
	if known, ok := looseTypes.Load(t); ok {
		return known.(reflect.Type)
	}
	var fields []reflect.StructField
	for field := range t.Fields() {
		loose := field.Type
		switch {
		case loose == reflect.TypeFor[time.Time]():
			loose = reflect.TypeFor[looseTime]()
		case loose == reflect.TypeFor[SessionURL](), loose == reflect.TypeFor[Secret]():
			loose = reflect.TypeFor[looseLink]()
		case loose.Kind() == reflect.String:
			loose = reflect.TypeFor[looseText]()
		case loose.Kind() == reflect.Bool:
			loose = reflect.TypeFor[looseBool]()
		case loose.Kind() == reflect.Int64:
			loose = reflect.TypeFor[looseInt64]()
		case loose.Kind() == reflect.Int32:
			loose = reflect.TypeFor[looseInt32]()
		case loose.Kind() == reflect.Float64:
			loose = reflect.TypeFor[looseDouble]()
		case loose != reflect.TypeFor[*bool]():
			loose = reflect.TypeFor[json.RawMessage]()
		}
		fields = append(fields, reflect.StructField{Name: field.Name, Type: loose, Tag: field.Tag})
	}
	loose := reflect.StructOf(fields)
	looseTypes.Store(t, loose)
	return loose
}

// errRefused is the difference of a page that encoding/json refuses.
const errRefused = "encoding/json refuses it"

// comparePage tells the first difference between what was decoded and what encoding/json makes of the page.
func comparePage(page []byte, devices []ManagedDevice, nextLink string, count int) string {
	var want struct {
		Value    []json.RawMessage `json:"value"`
		NextLink looseText         `json:"@odata.nextLink"`
		Count    looseInt64        `json:"@odata.count"`
	}
	if json.Unmarshal(page, &want) != nil {
		return errRefused
	}
	if nextLink != string(want.NextLink) || count != int(want.Count) {
		return fmt.Sprintf("next link %q and count %d, want %q and %d", nextLink, count, want.NextLink, want.Count)
	}
	return compareList("value", reflect.ValueOf(devices), want.Value)
}

func compareList(path string, got reflect.Value, want []json.RawMessage) string {
	var rows []json.RawMessage
	for _, row := range want {
		if string(row) != "null" {
			rows = append(rows, row)
		}
	}
	if len(rows) != got.Len() || got.IsNil() != (len(rows) == 0) && path != "value" {
		return fmt.Sprintf("%s has %d elements, want %d", path, got.Len(), len(rows))
	}
	for i, row := range rows {
		if difference := compareObject(fmt.Sprintf("%s[%d]", path, i), got.Index(i), row); difference != "" {
			return difference
		}
	}
	return ""
}

func compareObject(path string, got reflect.Value, row json.RawMessage) string {
	loose := reflect.New(looseType(got.Type()))
	if json.Unmarshal(row, loose.Interface()) != nil {
		return errRefused
	}
	for i := range got.NumField() {
		name := path + "." + got.Type().Field(i).Name
		if difference := compareField(name, got.Field(i), loose.Elem().Field(i).Interface()); difference != "" {
			return difference
		}
	}
	return ""
}

func compareField(path string, got reflect.Value, want any) string {
	same := true
	switch want := want.(type) {
	case looseText:
		same = got.String() == string(want)
	case looseLink:
		link, _ := reflect.TypeAssert[interface{ Reveal() string }](got)
		same = link.Reveal() == string(want)
	case looseBool:
		same = got.Bool() == bool(want)
	case looseInt64:
		same = got.Int() == int64(want)
	case looseInt32:
		same = got.Int() == int64(want)
	case looseDouble:
		same = math.Float64bits(got.Float()) == math.Float64bits(float64(want))
	case looseTime:
		date, _ := reflect.TypeAssert[time.Time](got)
		same = date.Equal(want.Time) && date.IsZero() == want.IsZero() && date.Format(time.RFC3339) == want.Format(time.RFC3339)
	case *bool:
		same = got.IsNil() == (want == nil) && (want == nil || got.Elem().Bool() == *want)
	case json.RawMessage:
		return compareRaw(path, got, want)
	}
	if !same {
		return fmt.Sprintf("%s is %v, want %v", path, got.Interface(), want)
	}
	return ""
}

func compareRaw(path string, got reflect.Value, want json.RawMessage) string {
	switch {
	case len(want) == 0 || string(want) == "null":
		if !got.IsZero() {
			return path + " is not zero"
		}
		return ""
	case got.Kind() == reflect.Slice:
		var list []json.RawMessage
		if json.Unmarshal(want, &list) != nil {
			return errRefused
		}
		return compareList(path, got, list)
	case got.Kind() == reflect.Pointer:
		if got.IsNil() {
			return path + " is nil"
		}
		return compareObject(path, got.Elem(), want)
	default:
		return compareObject(path, got, want)
	}
}
