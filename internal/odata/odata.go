// Package odata is how Graph writes addresses and queries: keys in a path, operands in a filter, values in a query. It
// knows no resource. What is wrong with a text it says in words that follow the name of an argument, such as "is blank".
package odata

import (
	"encoding/binary"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/go-intune/intune/internal/redact"
)

// Step is one name of a path with its key, given as the next segment or in parentheses. The key is not escaped.
type Step struct {
	Name, Key string
	HasKey    bool
}

// maxSteps is more than any path of a device has.
const maxSteps = 4

// Split reads an escaped path of names and keys, with or without the leading slash. Every name but singleton takes the
// next segment as its key if it has none in parentheses. Its errors do not quote the path.
func Split(path, singleton string) ([]Step, error) {
	var steps []Step
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if len(steps) == maxSteps {
			return nil, errors.New("is too long")
		}
		last := len(steps) - 1
		if last >= 0 && !steps[last].HasKey && steps[last].Name != singleton {
			key, err := url.PathUnescape(segment)
			if err != nil {
				return nil, errors.New("holds a malformed percent escape")
			}
			steps[last].Key, steps[last].HasKey = key, true
			continue
		}
		name, rest, parenthesized := strings.Cut(segment, "('")
		step := Step{Name: name}
		if parenthesized {
			quoted, ok := strings.CutSuffix(rest, "')")
			key, err := url.PathUnescape(quoted)
			if !ok || err != nil {
				return nil, errors.New("holds a malformed key")
			}
			single := strings.ReplaceAll(key, "''", "'")
			if strings.ReplaceAll(single, "'", "''") != key {
				return nil, errors.New("holds a key whose quotes are not doubled")
			}
			step.Key, step.HasKey = single, true
		}
		steps = append(steps, step)
	}
	return steps, nil
}

// guidLength is that of a GUID as Graph writes it; uuid knows other forms too.
const guidLength = len("00000000-0000-0000-0000-000000000000")

// IsGUID reports whether a text has the form of the ids that Graph gives to devices, users and apps.
func IsGUID(text string) bool { return len(text) == guidLength && uuid.Validate(text) == nil }

// LowerGUID writes a GUID in its 36-character form in lower case, because the service compares ids without regard to case
// and == does not. It returns any other key as it is. A GUID in lower case costs no more than a few nanoseconds.
func LowerGUID(key string) string {
	if len(key) != guidLength {
		return key
	}
	const lower = 0x2020_2020_2020_2020 // a bit that digits, hyphens and lower-case letters have, and upper-case letters lack
	b, words := []byte(key), binary.NativeEndian
	if words.Uint64(b)&words.Uint64(b[8:])&words.Uint64(b[16:])&words.Uint64(b[24:])&words.Uint64(b[28:])&lower == lower ||
		uuid.Validate(key) != nil {
		return key
	}
	return strings.ToLower(key)
}

// CheckKey says what is wrong with a key that Graph, a proxy or Go's URL handling could take for something other than
// one key, and "" of a good one. It quotes what cannot be seen, and masks the other characters of a person's name.
func CheckKey(key string, person bool) string {
	switch {
	case uuid.Validate(key) == nil: // nearly every key is a GUID
		return ""
	case strings.TrimSpace(key) == "":
		return "is blank"
	case key == "." || key == "..":
		return "is " + key + ", which would change the path"
	case strings.ContainsAny(key, `/\`):
		return "holds a slash or backslash, which would change the path; pass the bare id"
	}
	return unseen(key, person)
}

// unseen says what nobody sees in a text and the service would compare, so that it would find nothing; "" if there is
// nothing of that kind.
func unseen(text string, person bool) string {
	switch {
	case !utf8.ValidString(text):
		return "is not valid UTF-8"
	case strings.ContainsFunc(text, unicode.IsControl):
		return "holds a control character" + quoted(text, person)
	case strings.ContainsFunc(text, redact.Invisible):
		return "holds an invisible character, such as a byte-order mark" + quoted(text, person)
	case strings.TrimSpace(text) != text:
		return "has white space around it" + quoted(text, person)
	}
	return ""
}

// quoted shows a refused text with its bad characters escaped.
func quoted(text string, person bool) string {
	if person {
		text = strings.Map(func(r rune) rune {
			if redact.BlankOrHidden(r) {
				return r
			}
			return '*'
		}, text)
	}
	return ": " + strconv.QuoteToASCII(redact.Limit(text, 80))
}

// Keyed appends an escaped key to the path of a collection. Graph takes a leading dollar sign in a segment for one of
// its own names ($count, $ref), so such a key goes into parentheses with its quotes doubled.
func Keyed(collection, key string) string {
	if strings.HasPrefix(key, "$") {
		return collection + "('" + url.PathEscape(strings.ReplaceAll(key, "'", "''")) + "')"
	}
	return collection + "/" + url.PathEscape(key)
}

// HasDotSegment reports whether a path holds . or .. as a segment.
func HasDotSegment(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// Meaning is what a text in a filter stands for, as far as Text treats it in its own way.
type Meaning uint8

const (
	// Anything is a text like any other.
	Anything Meaning = iota

	// Number identifies one of many. A number of nothing but zeros is wrong, because many devices have it where theirs is
	// missing.
	Number

	// Person is a person's name, which is masked as CheckKey does.
	Person
)

// Text is the operand for a text in a filter, or what is wrong with it.
func Text(text string, meaning Meaning) (operand, problem string) {
	switch {
	case strings.TrimSpace(text) == "":
		return "", "is blank; leave it empty to compare nothing"
	case meaning == Number && strings.Trim(text, "0- ") == "":
		return "", "is all zeros, a placeholder that many devices share; look for another property"
	}
	if problem := unseen(text, meaning == Person); problem != "" {
		return "", problem
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'", ""
}

// Moment is the operand for a time in a filter, or what is wrong with it: the service writes a missing time as one of
// the year 1. It keeps a tenth of a microsecond. An upper bound is rounded up, so that it does not exclude what would
// pass the check of each row.
func Moment(moment time.Time, upper bool) (operand, problem string) {
	moment = moment.UTC()
	if moment.Year() < 2 || moment.Year() > 9998 {
		return "", "is not a time that the service can compare"
	}
	rounded := moment.Truncate(100 * time.Nanosecond)
	if upper && rounded.Before(moment) {
		rounded = rounded.Add(100 * time.Nanosecond)
	}
	return rounded.Format("2006-01-02T15:04:05.9999999Z"), ""
}

// EscapeQuery escapes the value of a query option, spaces as %20.
func EscapeQuery(value string) string {
	return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
}

// KeyOf is the key that follows the first occurrence of a collection in an escaped path, such as the user of one below
// /users; "" if there is none. A key that cannot be unescaped is returned as it is.
func KeyOf(path, collection string) string {
	_, rest, _ := strings.Cut(path, collection)
	key, parenthesized := strings.CutPrefix(rest, "('")
	if parenthesized {
		key, _, _ = strings.Cut(key, "')")
	} else {
		key = strings.TrimPrefix(rest, "/")
	}
	key, _, _ = strings.Cut(key, "/")
	if unescaped, err := url.PathUnescape(key); err == nil {
		key = unescaped
	}
	if parenthesized {
		key = strings.ReplaceAll(key, "''", "'")
	}
	return key
}
