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
	// a handle it prints an address, and secrets still compare with ==. The handle is of a string: of a struct or an array,
	// fmt would print the content for a verb that does not fit.
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

// SessionURL is the link that opens a remote-assistance session. Whoever holds the link can join, so it is a [Secret]:
// every rendering (fmt with any verb, slog, JSON, text) shows REDACTED, and only [SessionURL.Reveal] gives the link.
// The zero value means no link. A SessionURL decodes from JSON, where "" and null mean no link. Source: the
// remoteAssistanceSessionUrl property of https://learn.microsoft.com/graph/api/resources/intune-devices-manageddevice.
type SessionURL struct{ link Secret }

// NewSessionURL wraps a link, for tests and for programs that store links themselves.
func NewSessionURL(link string) SessionURL { return SessionURL{link: NewSecret(link)} }

// Reveal returns the link itself. Show it only to the person who is to open it.
func (u SessionURL) Reveal() string { return u.link.Reveal() }

// IsZero reports whether there is no link.
func (u SessionURL) IsZero() bool { return u.link.IsZero() }

// Equal compares two links in constant time.
func (u SessionURL) Equal(other SessionURL) bool { return u.link.Equal(other.link) }

// String is "REDACTED", or "" for no link.
func (u SessionURL) String() string { return u.link.String() }

// GoString is [SessionURL.String], so that %#v does not show the link either.
func (u SessionURL) GoString() string { return u.link.GoString() }

// Format shows [SessionURL.String] whatever the verb.
func (u SessionURL) Format(state fmt.State, verb rune) { u.link.Format(state, verb) }

// LogValue is [SessionURL.String].
func (u SessionURL) LogValue() slog.Value { return u.link.LogValue() }

// MarshalText is [SessionURL.String].
func (u SessionURL) MarshalText() ([]byte, error) { return u.link.MarshalText() }

// MarshalJSON is [SessionURL.String] as JSON.
func (u SessionURL) MarshalJSON() ([]byte, error) { return u.link.MarshalJSON() }

// UnmarshalJSON reads a link as the service sends it. null, "" and the REDACTED of [SessionURL.MarshalJSON] give the
// zero value.
func (u *SessionURL) UnmarshalJSON(data []byte) error { return u.link.UnmarshalJSON(data) }
