// Package peer has what the clients below it share: one job that each does with its own library, in that library's way and
// with its defaults. Each is a package of its own, because some libraries take minutes to compile.
package peer

import (
	"context"
	"net/http"
	"time"
)

// Root is the address of Graph v1.0.
const Root = "https://graph.microsoft.com/v1.0"

// SessionSelect names the properties that hold a session, which the service fills only when asked.
const SessionSelect = "id,remoteAssistanceSessionUrl,remoteAssistanceSessionErrorDetails"

// Setup is what a client is made of.
type Setup struct {
	// Transport carries every request; nil means the library's own.
	Transport http.RoundTripper

	// Root is the address up to and including the version; "" means [Root].
	Root string

	// Token is the access token.
	Token string
}

// Address is Root with its default.
func (s Setup) Address() string {
	if s.Root == "" {
		return Root
	}
	return s.Root
}

// Client does the job.
type Client interface {
	// Request asks for remote assistance on a device.
	Request(ctx context.Context, device string) error

	// Session reads the session of a device.
	Session(ctx context.Context, device string) (Session, error)

	// List goes through all devices and hands each to see.
	List(ctx context.Context, see func(Row)) error
}

// Session is what a device's record says of remote assistance.
type Session struct{ URL, ErrorDetails string }

// Row is what each client shows of each device of a list.
type Row struct {
	ID, Name, User, System string
	LastSync               time.Time
	Encrypted              bool
}
