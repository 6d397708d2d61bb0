package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// plain is text that may be shown as it is: the program's own, or what a redactor made. The functions that write the
// report take nothing else, so that a text of the service cannot get there by mistake.
type plain string

// redactor replaces what a tenant calls its own by hashes. Equal values have equal hashes within one report, whatever
// their case, so that a reader can follow a device through it. The key is random, is never written, and ends with the
// program: nobody can look up a name by trying names, or compare two reports.
type redactor struct{ key [sha256.Size]byte }

func newRedactor() *redactor {
	r := &redactor{}
	_, _ = rand.Read(r.key[:]) // never fails, see its documentation
	return r
}

// hash replaces a value.
func (r *redactor) hash(value string) plain {
	mac := hmac.New(sha256.New, r.key[:])
	mac.Write([]byte(strings.ToLower(value)))
	return plain(kindOf(value) + "-" + hex.EncodeToString(mac.Sum(nil)[:4]))
}

var (
	guidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)
	idForm   = regexp.MustCompile(`^[0-9a-fA-F]{16,}$`)
	hostForm = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:[0-9]+)?$`)
)

// kindOf says what a value looks like, which helps the reader and tells nothing of the value.
func kindOf(value string) string {
	switch {
	case guidForm.MatchString(value), idForm.MatchString(value):
		return "id"
	case strings.Contains(value, "://"):
		return "link"
	case strings.Contains(value, "@"):
		return "address"
	case hostForm.MatchString(value):
		return "host"
	default:
		return "text"
	}
}

// maxWords is how much of a text is shown; the longest sentence of Intune's has some thirty words.
const maxWords = 60

// margin is what may stand around a word.
const margin = `'"(),;:.[]{}<>?!`

// text shows the words of a text that the program knows, such as those of Intune's usual errors, and hashes all others:
// what is not known to be harmless is not shown.
func (r *redactor) text(s string) plain {
	fields := strings.Fields(s)
	var b strings.Builder
	for i, field := range fields {
		if i > 0 {
			b.WriteByte(' ')
		}
		if i == maxWords {
			b.WriteString("…")
			break
		}
		word := strings.Trim(field, margin)
		if !vocabulary[strings.ToLower(word)] {
			if word == "" {
				word = field
			}
			b.WriteString(string(r.hash(word)))
			continue
		}
		b.WriteString(field)
	}
	if len(fields) == 0 {
		return "(blank)"
	}
	return plain(b.String())
}

// say is Sprintf for the report. The format is the program's own: only a constant is a plain without a conversion.
// Numbers, truth values, durations and what is plain already are shown; strings, errors and everything else are redacted.
func (r *redactor) say(format plain, values ...any) plain {
	shown := make([]any, 0, len(values))
	for _, value := range values {
		switch v := value.(type) {
		case int, int64, bool, plain:
			shown = append(shown, v)
		case time.Duration:
			shown = append(shown, v.Round(time.Second/10))
		case []string:
			parts := make([]string, 0, len(v))
			for _, part := range v {
				parts = append(parts, string(r.text(part)))
			}
			shown = append(shown, strings.Join(parts, ", "))
		case string:
			shown = append(shown, r.text(v))
		case error:
			shown = append(shown, r.text(v.Error()))
		default:
			shown = append(shown, r.text(fmt.Sprint(v)))
		}
	}
	return plain(fmt.Sprintf(string(format), shown...))
}

// lineWidth fits a terminal, and a code block of an issue.
const lineWidth = 110

// wrap breaks a text into lines that are not too long, at spaces, each with the indent.
func wrap(text plain, indent string) string {
	var b strings.Builder
	length := 0
	for word := range strings.FieldsSeq(string(text)) {
		n := utf8.RuneCountInString(word)
		switch {
		case length == 0:
			b.WriteString(indent)
			length = len(indent)
		case length+1+n > lineWidth:
			b.WriteString("\n" + indent)
			length = len(indent)
		default:
			b.WriteByte(' ')
			length++
		}
		b.WriteString(word)
		length += n
	}
	return b.String()
}
