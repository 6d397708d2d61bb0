package graphpolicy

import (
	"context"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// Verdict says what is known about the effect of the latest try of a call.
type Verdict uint8

const (
	// NotSent means that no request was written to a connection.
	NotSent Verdict = iota
	// Refused means that the service answered that it did not act.
	Refused
	// Answered means that the service answered with success.
	Answered
	// Open means that the request was sent, and whether the service acted is not known.
	Open
)

// Call is one call to the service, over all its tries. It is the context of the call's requests, which is how the
// transport, below azcore's pipeline, finds it. azcore's retry policy replaces results when the context ends, so what
// happened is recorded here and not derived from the pipeline's error.
type Call struct {
	context.Context

	// API is the name of the public method, "Client.GetDevice", by which azcore's fakes and tracing know the call.
	API string

	// Write marks a call that must not be repeated once its outcome is open.
	Write bool

	// Secret marks a call whose answer holds a session link: azcore must not log its body.
	Secret bool

	// Redact, if not nil, takes out of a transport's error what azcore must not log, given the query that was sent.
	Redact func(err error, query string) error

	// Verdict is what is known after the latest try.
	Verdict Verdict

	// Response is the latest answer that came from the service itself.
	Response *http.Response

	// Authorization is the header of the latest request that was answered 401 or 403, for a diagnosis.
	Authorization string

	// RequestID holds the client-request-id that was sent last, which the caller may have replaced. It is an array so
	// that the header needs no slice of its own.
	RequestID [1]string

	// Bearer, if not nil, learns that the service refused a token.
	Bearer *Bearer

	contentType   []string
	contentHidden bool

	challenged bool           // a claims challenge was seen
	claims     string         // its claims, until a token is asked for with them
	converted  *http.Response // the 403 that azcore sees as 401
	forbidden  string         // its status line
}

type callKey struct{}

// Value answers for the call itself and for azcore's API name, and passes everything else on.
func (c *Call) Value(key any) any {
	switch key.(type) {
	case callKey:
		return c
	case runtime.CtxAPINameKey:
		return c.API
	}
	return c.Context.Value(key)
}

func callOf(ctx context.Context) *Call {
	c, _ := ctx.Value(callKey{}).(*Call)
	return c
}
