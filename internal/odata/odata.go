// Package odata is how Graph writes addresses and queries: keys in a path, operands in a filter, values in a query. It
// knows no resource. What is wrong with a text it says in words that continue "the argument …".
package odata

import (
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

// Step is one name of a path with its key, given as the next segment or in parentheses.
type Step struct {
	Name, Key string
	HasKey    bool
}

// Split reads a path of names and keys.
func Split(path string) ([]Step, error) {
	var steps []Step
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if len(steps) > 3 {
			return nil, errors.New("is too long")
		}
		last := len(steps) - 1
		if last >= 0 && !steps[last].HasKey && steps[last].Name != "deviceManagement" {
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

// CheckKey says what is wrong with a key that Graph, a proxy or Go's URL handling could take for something other than
// one key, and "" of a good one. Of a person's name it masks the good characters.
func CheckKey(key string, person bool) string {
	switch {
	case uuid.Validate(key) == nil: // nearly every key is a GUID
	case strings.TrimSpace(key) == "":
		return "is blank"
	case key == "." || key == "..":
		return "is " + key + ", which would change the path"
	case strings.ContainsAny(key, `/\\`):
		return "holds a slash or backslash, which would change the path; pass the bare id"
	case !utf8.ValidString(key):
		return "is not valid UTF-8"
	case strings.ContainsFunc(key, unicode.IsControl):
		return "holds a control character" + quoted(key, person)
	case strings.ContainsFunc(key, Invisible):
		return "holds an invisible character, such as a byte-order mark" + quoted(key, person)
	case strings.TrimSpace(key) != key:
		return "has white space around it" + quoted(key, person)
	}
	return ""
}

// Invisible reports whether r is a format character: invisible, but not white space.
func Invisible(r rune) bool { return unicode.Is(unicode.Cf, r) }

// BlankOrHidden finds what a terminal or a browser would take for something else than a part of an address or a link:
// one ends at a space, and an override of the direction of text makes it show another host.
func BlankOrHidden(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || Invisible(r) }

// quoted shows a refused part with its bad characters escaped.
func quoted(key string, person bool) string {
	if person {
		key = strings.Map(func(r rune) rune {
			if BlankOrHidden(r) {
				return r
			}
			return '*'
		}, key)
	}
	return ": " + strconv.QuoteToASCII(redact.Limit(key, 80))
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

// Text is the operand for a text in a filter, or what is wrong with it. zeros says that one of zeros is a placeholder.
func Text(text string, zeros bool) (operand, problem string) {
	switch {
	case strings.TrimSpace(text) == "":
		return "", "is blank; leave it empty to compare nothing"
	case zeros && strings.Trim(text, "0- ") == "":
		return "", "is all zeros, a placeholder that many devices share; look for another property"
	case !utf8.ValidString(text):
		return "", "is not valid UTF-8"
	case strings.ContainsFunc(text, unicode.IsControl):
		return "", "holds a control character"
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'", ""
}

// Moment is the operand for a time in a filter. The service keeps a tenth of a microsecond. An upper bound is rounded
// up, so that it does not exclude what would pass the check of each row.
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

// UserOf is the user of an address below /users, or "".
func UserOf(path string) string {
	_, rest, _ := strings.Cut(path, "/users")
	key := strings.TrimPrefix(rest, "/")
	if quoted, ok := strings.CutPrefix(rest, "('"); ok {
		key, _, _ = strings.Cut(quoted, "')")
		key = strings.ReplaceAll(key, "''", "'")
	}
	key, _, _ = strings.Cut(key, "/")
	user, err := url.PathUnescape(key)
	if err != nil {
		return key
	}
	return user
}
