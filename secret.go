package intune

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"unique"

	"github.com/go-intune/intune/internal/redact"
)

// Secret is a text that must not end up in a log, such as a code that unlocks a device. Every rendering (fmt with any
// verb, slog, JSON, text) shows REDACTED, and only [Secret.Reveal] gives the text. The zero value means no secret. A
// Secret decodes from JSON, where "" and null give the zero value.
type Secret struct {
	// A handle, because fmt does not call the methods of a value in an unexported field, and prints its fields instead. Of
	// a handle it prints an address, and secrets still compare with ==.
	text unique.Handle[string]
}

// NewSecret wraps a text; "" gives the zero value.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: unique.Make(text)}
}

// Reveal returns the text itself. Show it only to the person it is for.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return s.text.Value()
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s == Secret{} }

// Equal compares two secrets in constant time.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String is "REDACTED", or "" for no secret.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redact.Placeholder
}

// GoString is [Secret.String], so that %#v does not show the text either.
func (s Secret) GoString() string { return s.String() }

// Format shows [Secret.String] whatever the verb.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, s.String()) }

// LogValue is [Secret.String].
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is [Secret.String].
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON is [Secret.String] as JSON.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// UnmarshalJSON reads a secret as the service sends it. null, "" and the REDACTED of [Secret.MarshalJSON] give the
// zero value. Its error does not quote what it read.
func (s *Secret) UnmarshalJSON(data []byte) error {
	var text string // null leaves it blank
	if err := json.Unmarshal(data, &text); err != nil {
		return errors.New("secret: not a JSON string") // the cause would quote it
	}
	*s = Secret{}
	if text != redact.Placeholder {
		*s = NewSecret(text)
	}
	return nil
}
