package intune

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/go-intune/intune/internal/odata"
)

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

// checkSessionLink refuses a link that a person must not open. Its errors do not quote the link.
func checkSessionLink(link string) error {
	if link == "" {
		return nil
	}
	u, err := url.Parse(link)
	switch {
	case err != nil || u.Hostname() == "":
		return errors.New("the service gave a session link that is not a URL; it is withheld")
	case strings.ContainsFunc(strings.TrimSpace(link), odata.BlankOrHidden):
		return errors.New("the service gave a session link that holds a space or a character that does not show; it is withheld")
	case u.Scheme != "https":
		return errors.New("the service gave a session link that is not https; it is withheld")
	case u.User != nil:
		return errors.New("the service gave a session link that holds a user name; it is withheld")
	}
	return nil
}
