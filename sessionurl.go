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

// SessionURL is the link that opens a remote-assistance session. Whoever holds the link can join, so it is treated as a
// secret: every rendering (fmt with any verb, slog, JSON, text) shows REDACTED, and only [SessionURL.Reveal] gives the
// link. The zero value is no link. It decodes from JSON, where "" and null are no link. Source: the
// remoteAssistanceSessionUrl property of https://learn.microsoft.com/graph/api/resources/intune-devices-manageddevice.
type SessionURL struct {
	// A handle, because fmt prints the fields of a value that sits in an unexported field without asking its methods:
	// it shows an address then, and links still compare with ==.
	link unique.Handle[string]
}

// NewSessionURL wraps a link, for tests and for programs that store links themselves.
func NewSessionURL(link string) SessionURL {
	if link == "" {
		return SessionURL{}
	}
	return SessionURL{link: unique.Make(link)}
}

// Reveal is the link itself. Show it only to the person who is to open it.
func (u SessionURL) Reveal() string {
	if u.IsZero() {
		return ""
	}
	return u.link.Value()
}

// IsZero reports whether there is no link.
func (u SessionURL) IsZero() bool { return u == SessionURL{} }

// Equal compares two links in constant time.
func (u SessionURL) Equal(other SessionURL) bool {
	return subtle.ConstantTimeCompare([]byte(u.Reveal()), []byte(other.Reveal())) == 1
}

// String is "REDACTED", or "" for no link.
func (u SessionURL) String() string {
	if u.IsZero() {
		return ""
	}
	return redact.Placeholder
}

// GoString is [SessionURL.String], so that %#v does not show the link either.
func (u SessionURL) GoString() string { return u.String() }

// Format shows [SessionURL.String] whatever the verb.
func (u SessionURL) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, u.String()) }

// LogValue is [SessionURL.String].
func (u SessionURL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// MarshalText is [SessionURL.String].
func (u SessionURL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// MarshalJSON is [SessionURL.String] as JSON.
func (u SessionURL) MarshalJSON() ([]byte, error) { return json.Marshal(u.String()) }

// UnmarshalJSON reads a link as the service sends it. null, "" and the REDACTED of [SessionURL.MarshalJSON] give the
// zero value.
func (u *SessionURL) UnmarshalJSON(data []byte) error {
	var link *string
	if err := json.Unmarshal(data, &link); err != nil {
		return errors.New("session link: not a JSON string") // the cause would quote it
	}
	*u = SessionURL{}
	if link != nil && *link != redact.Placeholder {
		*u = NewSessionURL(*link)
	}
	return nil
}
