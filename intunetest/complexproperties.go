package intunetest

import (
	"cmp"
	"reflect"
	"strings"

	"github.com/go-intune/intune"
)

// complexValue writes a structure with all its members, since the service leaves none out. A zero structure is null.
func complexValue[T comparable](value T) literal {
	var none T
	if value == none {
		return "null"
	}
	o := &object{}
	v := reflect.ValueOf(value)
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		member := v.Field(i).Interface()
		if member == "" {
			member = nil
		}
		o.member(name, member)
	}
	return literal(o.end())
}

// actionResults writes the results of remote actions. As Graph does with minimal metadata, it sends the members of
// derived types only if they are set, and the name of the type only if it is given.
func actionResults(results []intune.DeviceActionResult) literal {
	if len(results) == 0 {
		return "[]"
	}
	items := make([]string, 0, len(results))
	for i := range results {
		r := &results[i]
		o := &object{}
		o.set("@odata.type", r.ODataType)
		o.member("actionName", orNull(r.ActionName))
		o.member("actionState", cmp.Or(string(r.ActionState), "none"))
		o.member("startDateTime", r.StartDateTime)
		o.member("lastUpdatedDateTime", r.LastUpdatedDateTime)
		if r.DeviceLocation != nil {
			o.member("deviceLocation", r.DeviceLocation)
		}
		o.set("unlockPin", r.UnlockPIN.Reveal())
		if r.ErrorCode != 0 {
			o.member("errorCode", int64(r.ErrorCode))
		}
		o.set("passcode", r.Passcode.Reveal())
		o.set("scanType", r.ScanType)
		o.set("userPrincipalName", r.UserPrincipalName)
		items = append(items, string(o.end()))
	}
	return literal("[" + strings.Join(items, ",") + "]")
}

// set writes a text unless it is blank.
func (o *object) set(name, text string) {
	if text != "" {
		o.member(name, text)
	}
}
