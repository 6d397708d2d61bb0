package intunetest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-intune/intune"
)

// journalSkew is how far the clock of a store may differ from that of the program.
const journalSkew = 10 * time.Minute

// requestKey is what tells one request from another.
type requestKey struct {
	device intune.DeviceRef
	id     string
}

func keyOf(r intune.JournalRequest) requestKey {
	for _, entry := range []intune.JournalEntry{r.Asking, r.Asked, r.Ended} {
		if !entry.Device.IsZero() {
			return requestKey{entry.Device, entry.ClientRequestID}
		}
	}
	return requestKey{}
}

// differences says for each request of one device what is not as written, in one line. The order of requests that differ
// in their key does not matter.
func differences(got, want []intune.JournalRequest) (list []string) {
	var keys []requestKey
	byKey := map[requestKey][2][]intune.JournalRequest{}
	for i, requests := range [2][]intune.JournalRequest{want, got} {
		for _, r := range requests {
			key := keyOf(r)
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
			both := byKey[key]
			both[i] = append(both[i], r)
			byKey[key] = both
		}
	}
	for _, key := range keys {
		want, got := byKey[key][0], byKey[key][1]
		if len(got) != len(want) {
			list = append(list, fmt.Sprintf("requests with the client-request-id %s for %#v: %d, want %d",
				short(key.id), key.device, len(got), len(want)))
			continue
		}
		for i := range want {
			if wrong := requestDifferences(got[i], want[i]); len(wrong) > 0 {
				list = append(list, strings.Join(wrong, "; "))
			}
		}
	}
	return list
}

func requestDifferences(got, want intune.JournalRequest) (list []string) {
	for _, entry := range [...]struct {
		name      string
		got, want intune.JournalEntry
	}{{"Asking", got.Asking, want.Asking}, {"Asked", got.Asked, want.Asked}, {"Ended", got.Ended, want.Ended}} {
		list = append(list, entryDifferences(entry.name, entry.got, entry.want)...)
	}
	// What follows for whoever reads the journal.
	if got.Outcome() != want.Outcome() {
		list = append(list, fmt.Sprintf("so Outcome() is %q, want %q", got.Outcome(), want.Outcome()))
	}
	if got.Waiting() != want.Waiting() {
		list = append(list, fmt.Sprintf("so Waiting() is %t, want %t", got.Waiting(), want.Waiting()))
	}
	if got.ResumeToken() != want.ResumeToken() {
		list = append(list, "so ResumeToken() is not the newest")
	}
	return list
}

// entryDifferences compares every field but Actor, which is the journal's own.
func entryDifferences(name string, got, want intune.JournalEntry) (list []string) {
	switch {
	case want == intune.JournalEntry{}:
		if got != want {
			list = append(list, "there is an "+name+" that nobody wrote")
		}
		return list
	case got == intune.JournalEntry{}:
		return []string{name + " is missing"}
	}
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range w.NumField() {
		field := w.Type().Field(i).Name
		have, wanted := g.Field(i).Interface(), w.Field(i).Interface()
		switch {
		case field == "Actor" || have == wanted:
		case field == "Time":
			// The entry was written a moment ago, so that a time of the store's own is near it too.
			if off := got.Time.Sub(want.Time).Abs(); off > journalSkew {
				list = append(list, fmt.Sprintf("Time of %s is %v, want %v or the store's own", name, got.Time, want.Time))
			}
		default:
			list = append(list, field+" of "+name+" is "+short(have)+", want "+short(wanted)+whereFrom(have, wanted))
		}
	}
	return list
}

// short quotes a value, and cuts it where it is long.
func short(value any) string {
	const most = 60
	switch v := reflect.ValueOf(value); {
	case v.Kind() != reflect.String:
		return fmt.Sprintf("%#v", value)
	case v.Len() > most:
		return fmt.Sprintf("%.*q… (%d bytes)", most, v.String(), v.Len())
	default:
		return fmt.Sprintf("%q", v.String())
	}
}

// whereFrom says where two long texts part.
func whereFrom(have, wanted any) string {
	h, w := fmt.Sprint(have), fmt.Sprint(wanted)
	if len(h) < 60 && len(w) < 60 {
		return ""
	}
	same := 0
	for same < len(h) && same < len(w) && h[same] == w[same] {
		same++
	}
	return fmt.Sprintf("; they differ from byte %d on", same)
}
