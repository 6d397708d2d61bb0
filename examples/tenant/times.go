package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-intune/intune"
)

// device is a device as Graph writes it, whose times may also be relative to the start of the server, such as "-3d": a
// file with times of their own is out of date a month later.
type device struct{ intune.ManagedDevice }

// UnmarshalJSON implements [json.Unmarshaler].
func (d *device) UnmarshalJSON(data []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return errors.New("a device should be a JSON object")
	}
	for name, value := range members {
		var text string
		if !strings.HasSuffix(name, "DateTime") || json.Unmarshal(value, &text) != nil {
			continue
		}
		at, err := parseTime(text, time.Now())
		if err != nil {
			return fmt.Errorf("%s %w", name, err)
		}
		if members[name], err = json.Marshal(at); err != nil {
			return fmt.Errorf("%s %q: %w", name, text, err)
		}
	}
	whole, err := json.Marshal(members)
	if err != nil {
		return err
	}
	return json.Unmarshal(whole, &d.ManagedDevice)
}

// parseTime reads a time as Graph writes it, or one that is relative to now: "now", "-3d", "-2h", "-3d12h", "+1d".
func parseTime(text string, now time.Time) (time.Time, error) {
	if text == "now" {
		return now.UTC().Truncate(time.Second), nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	if relative, ok := parseRelative(text); ok {
		return now.Add(relative).UTC().Truncate(time.Second), nil
	}
	return time.Time{}, fmt.Errorf(
		`%q is no time; it should be like "2026-07-01T08:09:10Z", or relative to now, like "-3d", "-2h" or "-3d12h"`, text)
}

// parseRelative reads a sign, days, and the rest of a duration. Go's own durations have no days.
func parseRelative(text string) (d time.Duration, ok bool) {
	const most = 100 * 365 // days: more years than a device has seen, and far from the end of a Duration
	rest, before := strings.CutPrefix(text, "-")
	if !before {
		var after bool
		if rest, after = strings.CutPrefix(text, "+"); !after {
			return 0, false
		}
	}
	signed := func(d time.Duration) time.Duration {
		if before {
			return -d
		}
		return d
	}
	if days, after, found := strings.Cut(rest, "d"); found {
		n, err := strconv.ParseUint(days, 10, 32)
		if err != nil || n > most {
			return 0, false
		}
		d, rest = time.Duration(n)*24*time.Hour, after
		if rest == "" {
			return signed(d), true
		}
	}
	if rest == "" || rest[0] < '0' || rest[0] > '9' { // no second sign
		return 0, false
	}
	more, err := time.ParseDuration(rest)
	return signed(d + more), err == nil && more <= most*24*time.Hour
}
